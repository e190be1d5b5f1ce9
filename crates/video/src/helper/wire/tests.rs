use proptest::prelude::*;

use super::*;

fn picture() -> Description {
    Description {
        tick: Some(40_000_000),
        samples: (1920, 1080),
        shown: (1920, 1080),
        format: PixelFormat::I420,
        colour: Colour { matrix: Matrix::Bt709, range: Range::Full },
        strides: vec![1984, 992, 992],
    }
}

fn written(reply: &Reply) -> Vec<u8> {
    let mut bytes = Vec::new();
    reply.write(&mut bytes).unwrap();
    bytes
}

#[tokio::test]
async fn replies_are_read_as_they_were_written() {
    let progress = Progress { decoded: 3, units: 5, bytes: 70_000, busy: 9_000 };
    for reply in [
        Reply::Ready(Confinement { files: false, calls: true }),
        Reply::Progress(progress),
        Reply::Picture(progress, picture()),
        Reply::Picture(progress, Description { tick: None, ..picture() }),
        Reply::Failed("no picture ü".to_owned()),
    ] {
        assert_eq!(Reply::read(&mut &*written(&reply)).await.unwrap(), Some(reply));
    }
    assert_eq!(Reply::read(&mut &[][..]).await.unwrap(), None);
}

#[test]
fn requests_are_read_as_they_were_written() {
    let mut bytes = unit_head(7, 3).to_vec();
    bytes.extend([1, 2, 3]);
    bytes.extend(wanted());
    let from = &mut &*bytes;
    assert_eq!(Request::read(from).unwrap(), Some(Request::Unit { tick: 7, data: vec![1, 2, 3] }));
    assert_eq!(Request::read(from).unwrap(), Some(Request::Picture));
    assert_eq!(Request::read(from).unwrap(), None);
}

#[tokio::test]
async fn a_reply_that_claims_to_be_endless_is_a_breach_before_its_end() {
    let head = head(PROGRESS, u32::MAX as usize);
    assert!(matches!(Reply::read(&mut &head[..]).await, Err(Breach::Message(PROGRESS, _))));
}

#[tokio::test]
async fn a_long_reason_is_cut() {
    let reply = written(&Reply::Failed("ü".repeat(1000)));
    assert!(reply.len() <= HEAD + LONGEST_TEXT);
    assert!(Reply::read(&mut &*reply).await.is_ok());
}

#[test]
fn a_picture_has_a_size_that_a_decoder_makes() {
    assert_eq!(picture().lengths(), Some(vec![1984 * 1079 + 1920, 992 * 539 + 960, 992 * 539 + 960]));
    let largest = Description {
        samples: (LARGEST, LARGEST),
        strides: vec![LARGEST as usize, LARGEST as usize],
        format: PixelFormat::Nv12,
        ..picture()
    };
    assert!(largest.lengths().is_some());
    for wrong in [
        Description { samples: (0, 1080), ..picture() },
        Description { samples: (LARGEST + 1, 2), ..picture() },
        Description { samples: (u32::MAX, u32::MAX), ..picture() },
        Description { shown: (0, 1), ..picture() },
        Description { shown: (1920, LARGEST + 1), ..picture() },
        Description { strides: vec![1919, 992, 992], ..picture() },
        Description { strides: vec![1984, 992], ..picture() },
        Description { strides: vec![u32::MAX as usize; 3], ..picture() },
        Description { strides: vec![2 * LARGEST as usize; 2], ..largest },
    ] {
        assert_eq!(wrong.lengths(), None, "{wrong:?}");
    }
}

proptest! {
    #[test]
    fn whatever_a_helper_says_is_bounded(bytes in prop::collection::vec(any::<u8>(), 0..100), kind in 0..6u8) {
        if let Some(Reply::Picture(_, picture)) = Reply::parse(kind, &bytes) {
            let total = picture.lengths().map_or(0, |all| all.iter().sum());
            prop_assert!(total <= LARGEST_PICTURE);
        }
    }
}
