//! Files made for download.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests panic like tests do")]

use std::io::{Cursor, Read};
use std::path::Path;
use std::time::Duration;

use adapter::{Archive, Cell, ExportLimits, Exports};
use axum::body::to_bytes;
use bytes::Bytes;
use domain::Error;
use tempfile::TempDir;
use zip::ZipArchive;

const LIMITS: ExportLimits = ExportLimits { kept: Duration::from_secs(3600), max_bytes: 1 << 20, keep_free: 0 };

fn open(limits: ExportLimits) -> (TempDir, Exports) {
    let dir = tempfile::tempdir().unwrap();
    let exports = Exports::open(dir.path().join("exports"), limits).unwrap();
    (dir, exports)
}

fn files(dir: &Path) -> usize {
    std::fs::read_dir(dir.join("exports")).unwrap().count()
}

async fn fetch(exports: &Exports, name: &str) -> Option<Bytes> {
    let answer = exports.answer(name).await.unwrap()?;
    let length: usize = answer.headers()["content-length"].to_str().unwrap().parse().unwrap();
    let body = to_bytes(answer.into_body(), usize::MAX).await.unwrap();
    assert_eq!(body.len(), length);
    Some(body)
}

async fn table(exports: &Exports, name: &str, bytes: usize) -> Result<(), Error> {
    exports.keep_table(name.to_owned(), &["a"], vec![vec![Cell::text("x".repeat(bytes))]]).await
}

#[tokio::test]
async fn an_archive_holds_its_pictures_and_a_row_for_each() {
    let (dir, exports) = open(LIMITS);
    let mut archive = Archive::begin(&exports, &["name", "score"]);
    for (name, score) in [("a_张三.jpg", 1), ("A_张三.JPG", -1), ("index.csv", 3)] {
        let row = vec![Cell::text(name), Cell::Number(score)];
        archive.add(name, Bytes::from(vec![score as u8; 100_000]), row).await.unwrap();
    }
    assert_eq!(archive.len(), 3);
    let file = archive.finish().await.unwrap();
    let name = exports.keep(file, "faces".into(), "zip").await.unwrap();
    assert_eq!(name, "faces.zip");
    let bytes = fetch(&exports, &name).await.unwrap();
    let mut zip = ZipArchive::new(Cursor::new(bytes)).unwrap();
    let names: Vec<_> = zip.file_names().map(|name| name.unwrap().into_owned()).collect();
    assert_eq!(names, ["a_张三.jpg", "A_张三 (2).JPG", "index (2).csv", "index.csv"]);
    let mut content = Vec::new();
    zip.by_name("A_张三 (2).JPG").unwrap().read_to_end(&mut content).unwrap();
    assert_eq!(content, vec![255; 100_000]);
    let mut index = String::new();
    zip.by_name("index.csv").unwrap().read_to_string(&mut index).unwrap();
    let rows =
        "file,name,score\r\na_张三.jpg,a_张三.jpg,1\r\nA_张三 (2).JPG,A_张三.JPG,-1\r\nindex (2).csv,index.csv,3\r\n";
    assert_eq!(index, format!("\u{feff}{rows}"));
    assert_eq!(files(dir.path()), 1, "the table beside it is gone");
}

#[tokio::test]
async fn names_are_numbered_for_archives_and_taken_over_for_tables() {
    let (dir, exports) = open(LIMITS);
    for expected in ["faces.zip", "faces-2.zip", "faces-3.zip"] {
        let file = Archive::begin(&exports, &[]).finish().await.unwrap();
        assert_eq!(exports.keep(file, "faces".into(), "zip").await.unwrap(), expected);
    }
    table(&exports, "result.csv", 1).await.unwrap();
    table(&exports, "result.csv", 2).await.unwrap();
    assert_eq!(fetch(&exports, "result.csv").await.unwrap(), "\u{feff}a\r\nxx\r\n");
    assert_eq!(files(dir.path()), 4);
    for unknown in ["", "faces", "../exports/faces.zip", "faces-4.zip"] {
        assert!(fetch(&exports, unknown).await.is_none(), "{unknown}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_file_is_kept_for_its_time_and_not_over_a_restart() {
    let (dir, exports) = open(LIMITS);
    table(&exports, "first.csv", 1).await.unwrap();
    tokio::time::advance(LIMITS.kept - Duration::from_secs(1)).await;
    table(&exports, "second.csv", 1).await.unwrap();
    assert!(fetch(&exports, "first.csv").await.is_some());
    tokio::time::advance(Duration::from_secs(1)).await;
    assert!(fetch(&exports, "first.csv").await.is_none());
    assert_eq!(files(dir.path()), 1, "it is off the disk");
    std::fs::write(dir.path().join("exports/left-by-a-crash"), "x").unwrap();
    let exports = Exports::open(dir.path().join("exports"), LIMITS).unwrap();
    assert_eq!(files(dir.path()), 0);
    assert!(fetch(&exports, "second.csv").await.is_none());
}

#[tokio::test]
async fn the_oldest_file_makes_room_and_what_is_too_large_is_refused() {
    let (dir, exports) = open(ExportLimits { max_bytes: 250, ..LIMITS });
    for name in ["a", "b", "c"] {
        table(&exports, name, 100).await.unwrap();
    }
    assert!(fetch(&exports, "a").await.is_none());
    assert!(fetch(&exports, "b").await.is_some() && fetch(&exports, "c").await.is_some());
    assert!(matches!(table(&exports, "d", 300).await, Err(Error::StorageFull)));
    let mut archive = Archive::begin(&exports, &[]);
    let lost = async {
        loop {
            archive.add("a.jpg", Bytes::from(vec![0; 100_000]), vec![]).await?;
        }
    };
    let lost: Result<(), Error> = lost.await;
    assert!(matches!(lost, Err(Error::StorageFull)), "{lost:?}");
    table(&exports, "e", 200).await.unwrap();
    assert_eq!(files(dir.path()), 1, "what failed leaves nothing, and its room is free again");
}

#[tokio::test]
async fn room_is_left_on_the_disk_for_others() {
    let (_dir, exports) = open(ExportLimits { keep_free: 1 << 60, ..LIMITS });
    assert!(matches!(table(&exports, "a", 1).await, Err(Error::StorageFull)));
}

#[tokio::test]
async fn an_archive_that_nobody_waits_for_leaves_nothing() {
    let (dir, exports) = open(LIMITS);
    let mut archive = Archive::begin(&exports, &[]);
    archive.add("a.jpg", Bytes::from_static(b"x"), vec![]).await.unwrap();
    drop(archive);
    let deadline = std::time::Instant::now() + Duration::from_secs(10);
    while files(dir.path()) > 0 {
        assert!(std::time::Instant::now() < deadline, "it is still there");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
