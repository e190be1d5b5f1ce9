use domain::Timestamp;
use domain::frame::{Colour, PixelFormat};
use tokio::io::AsyncReadExt;
use tokio::net::UnixStream;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::*;

const PATIENCE: Duration = Duration::from_millis(300);

struct NoClock;

impl Clock for NoClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(5)
    }
}

/// A conversation of which the test is the helper.
struct Play {
    inlet: Inlet,
    outlet: Outlet,
    /// The helper's end.
    socket: UnixStream,
    memory: Arc<File>,
    outcome: JoinSet<Result<(), SourceError>>,
}

fn play() -> Play {
    let (ours, socket) = UnixStream::pair().unwrap();
    let memory = rustix::fs::memfd_create("test", rustix::fs::MemfdFlags::CLOEXEC).unwrap();
    let memory = Arc::new(File::from(memory));
    let surroundings = Surroundings {
        memory: Arc::clone(&memory),
        arrivals: Arc::default(),
        clock: Arc::new(NoClock),
        tally: Arc::default(),
    };
    let closing = CancellationToken::new().drop_guard();
    let (inlet, outlet, mut talk) = conversation(surroundings, PATIENCE, closing);
    let (mut from, mut to) = ours.into_split();
    let mut outcome = JoinSet::new();
    outcome.spawn(async move { talk.hold(&mut from, &mut to).await });
    Play { inlet, outlet, socket, memory, outcome }
}

impl Play {
    async fn say(&mut self, reply: &Reply) {
        let mut bytes = Vec::new();
        reply.write(&mut bytes).unwrap();
        self.socket.write_all(&bytes).await.unwrap();
    }

    /// Answers the request for a picture with this.
    async fn answer(&mut self, picture: Description) -> Result<Frame, SourceError> {
        let Self { outlet, socket, .. } = self;
        let helper = async {
            let mut request = [0; wire::HEAD];
            socket.read_exact(&mut request).await.unwrap();
            assert_eq!(request, wire::wanted());
            let mut bytes = Vec::new();
            Reply::Picture(Progress::default(), picture).write(&mut bytes).unwrap();
            socket.write_all(&bytes).await.unwrap();
        };
        tokio::join!(outlet.next(), helper).0
    }

    /// Why the daemon ends the helper.
    async fn breach(mut self) -> String {
        let outcome = tokio::time::timeout(Duration::from_secs(10), self.outcome.join_next()).await;
        outcome.expect("the helper is not ended").unwrap().unwrap().unwrap_err().to_string()
    }
}

fn small() -> Description {
    Description {
        tick: None,
        samples: (4, 2),
        shown: (4, 2),
        format: PixelFormat::I420,
        colour: Colour::default(),
        strides: vec![4, 2, 2],
    }
}

#[tokio::test]
async fn a_picture_that_was_asked_for_is_what_is_in_the_memory() {
    let mut play = play();
    let content: Vec<u8> = (0..12).collect();
    play.memory.write_all_at(&content, 0).unwrap();
    let frame = play.answer(small()).await.unwrap();
    let planes: Vec<&[u8]> = frame.planes().iter().map(|plane| &plane.data[..]).collect();
    assert_eq!(planes, [&content[..8], &content[8..10], &content[10..]]);
    // The helper writes the next one; this one stays.
    play.memory.write_all_at(&[99; 12], 0).unwrap();
    assert_eq!(frame.planes()[0].data[0], 0);
    assert_eq!(play.answer(small()).await.unwrap().planes()[0].data[0], 99);
}

#[tokio::test]
async fn a_helper_that_lies_about_a_picture_is_ended() {
    for lie in [
        Description { samples: (100_000, 100_000), ..small() },
        Description { strides: vec![4, 2], ..small() },
        Description { strides: vec![1 << 30; 3], ..small() },
    ] {
        let mut play = play();
        play.memory.write_all_at(&[0; 100], 0).unwrap();
        assert!(timeout_at(Instant::now() + PATIENCE * 4, play.answer(lie)).await.unwrap().is_err());
        let why = play.breach().await;
        assert!(why.contains("impossible picture"), "{why}");
    }
    let mut play = play();
    assert!(play.answer(small()).await.is_err());
    assert!(play.breach().await.contains("fewer bytes"), "the memory is empty");
}

#[tokio::test]
async fn a_helper_that_sends_pictures_without_being_asked_is_ended() {
    let mut play = play();
    play.say(&Reply::Picture(Progress::default(), small())).await;
    assert!(play.breach().await.contains("not asked for"));
}

#[tokio::test]
async fn a_helper_that_talks_nonsense_or_without_end_is_ended() {
    for nonsense in [&[9, 0, 0, 0, 0][..], &[2, 255, 255, 255, 255], &[2, 3, 0, 0, 0, 1, 2, 3], &[1, 1, 0, 0, 0, 3]] {
        let mut play = play();
        play.socket.write_all(nonsense).await.unwrap();
        assert!(play.breach().await.contains("the decoder process sent"));
    }
}

#[tokio::test]
async fn silence_is_a_stall() {
    let mut play = play();
    assert!(matches!(play.outlet.next().await, Err(SourceError::Stalled(_))));
}

#[tokio::test]
async fn a_helper_that_takes_nothing_fills_a_bounded_queue() {
    let mut play = play();
    // It claims to have taken everything.
    play.say(&Reply::Progress(Progress { decoded: 1, units: u64::MAX, bytes: u64::MAX, busy: u64::MAX })).await;
    let decoded = play.inlet.decoded();
    while decoded.load(Ordering::Relaxed) == 0 {
        tokio::task::yield_now().await;
    }
    let mut pushed = 0_usize;
    while !play.inlet.is_full() {
        play.inlet.push(gst_buffer(1 << 20));
        pushed += 1;
        tokio::task::yield_now().await;
        assert!(pushed < 200, "it never fills");
    }
    assert!(pushed <= 20, "{pushed} units of a mebibyte");
}

#[tokio::test]
async fn the_queue_is_as_long_as_what_the_decoder_has_not_taken() {
    let mut play = play();
    let mut read = vec![0; 1 << 20];
    for _ in 0..LONGEST_QUEUE {
        assert!(!play.inlet.is_full());
        play.inlet.push(gst_buffer(10));
        let _ = play.socket.read(&mut read).await.unwrap();
    }
    assert!(play.inlet.is_full());
    play.say(&Reply::Progress(Progress { decoded: 1, units: 10, bytes: 100, busy: 0 })).await;
    tokio::time::timeout(Duration::from_secs(10), async {
        while play.inlet.is_full() {
            tokio::task::yield_now().await;
        }
    })
    .await
    .unwrap();
}

fn gst_buffer(length: usize) -> gst::Buffer {
    gst::init().unwrap();
    gst::Buffer::from_mut_slice(vec![0_u8; length])
}
