//! A reader on a serial line, at whose other end a test sits.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests panic like tests do")]

use std::fs::File;
use std::io::Write;
use std::time::Duration;

use domain::Scan;
use domain::ports::{Reader, ReaderError, Scans};
use host::{ReaderConnection, ReaderLine, Reads};
use tempfile::TempDir;
use testkit::SerialSocket;
use tokio::time::timeout;

const DEADLINE: Duration = Duration::from_secs(20);
const CARDS: Reads = Reads::Cards { hexadecimal: true };

struct Socket {
    line: SerialSocket,
    _folder: TempDir,
}

impl Socket {
    fn new() -> Self {
        let folder = TempDir::new().unwrap();
        Self { line: SerialSocket::at(folder.path().join("reader")), _folder: folder }
    }

    fn plug_in(&self) -> File {
        self.line.plug_in().unwrap()
    }

    fn reader(&self, reads: Reads) -> ReaderLine {
        let connection = ReaderConnection::Serial { device: self.line.device(), baud: 115_200 };
        ReaderLine { name: "gate".into(), connection, reads }
    }
}

async fn next(scans: &mut Box<dyn Scans>) -> Result<Scan, ReaderError> {
    timeout(DEADLINE, scans.next()).await.expect("nothing was read")
}

#[tokio::test]
async fn cards_arrive_however_their_lines_are_cut_and_ended() {
    let socket = Socket::new();
    let mut far = socket.plug_in();
    let mut scans = socket.reader(CARDS).open().await.unwrap();
    far.write_all(b"519F7D29\r\n\x0200000007\x03not a card\r519f").unwrap();
    assert_eq!(next(&mut scans).await, Ok(Scan::Card(0x519f_7d29)));
    assert_eq!(next(&mut scans).await, Ok(Scan::Card(7)));
    // A reading that is given up half way loses nothing.
    assert!(timeout(Duration::from_millis(50), scans.next()).await.is_err());
    far.write_all(b"7D2A\n").unwrap();
    assert_eq!(next(&mut scans).await, Ok(Scan::Card(0x519f_7d2a)));
}

#[tokio::test]
async fn what_was_sent_while_nobody_listened_is_lost() {
    let socket = Socket::new();
    let mut far = socket.plug_in();
    far.write_all(b"7\n").unwrap();
    let mut scans = socket.reader(CARDS).open().await.unwrap();
    far.write_all(b"8\n").unwrap();
    assert_eq!(next(&mut scans).await, Ok(Scan::Card(8)));
}

#[tokio::test]
async fn a_line_without_end_takes_no_memory_and_is_passed_over() {
    let socket = Socket::new();
    let mut far = socket.plug_in();
    let mut scans = socket.reader(CARDS).open().await.unwrap();
    for _ in 0..64 {
        far.write_all(&[b'1'; 1024]).unwrap();
        assert!(timeout(Duration::from_millis(5), scans.next()).await.is_err());
    }
    far.write_all(b"\n7\n").unwrap();
    assert_eq!(next(&mut scans).await, Ok(Scan::Card(7)));
}

#[tokio::test]
async fn codes_and_documents_are_text() {
    let socket = Socket::new();
    let mut far = socket.plug_in();
    let mut scans = socket.reader(Reads::Codes).open().await.unwrap();
    far.write_all("https://例.example/?a=1\r\n".as_bytes()).unwrap();
    assert_eq!(next(&mut scans).await, Ok(Scan::Code("https://例.example/?a=1".into())));
    drop(scans);
    let mut scans = socket.reader(Reads::Documents).open().await.unwrap();
    far.write_all("4211\t李某\tF\t汉\t1987-02-05\tQichun\tBureau\t20090828-20190828\r\n".as_bytes()).unwrap();
    let Ok(Scan::Document(document)) = next(&mut scans).await else { panic!("no document") };
    assert_eq!((&*document.number, &*document.name, document.photo.len()), ("4211", "李某", 0));
}

#[tokio::test]
async fn a_line_that_vanishes_is_lost_and_found_again() {
    let socket = Socket::new();
    let reader = socket.reader(CARDS);
    assert!(matches!(reader.open().await, Err(ReaderError::Unreachable(_))), "nothing is plugged in");
    let mut far = socket.plug_in();
    let mut scans = reader.open().await.unwrap();
    far.write_all(b"77").unwrap();
    assert!(timeout(Duration::from_millis(50), scans.next()).await.is_err());
    drop(far);
    assert!(matches!(next(&mut scans).await, Err(ReaderError::Lost(_))));
    let mut far = socket.plug_in();
    let mut scans = reader.open().await.unwrap();
    far.write_all(b"8\n").unwrap();
    assert_eq!(next(&mut scans).await, Ok(Scan::Card(8)), "what was half read before is forgotten");
}
