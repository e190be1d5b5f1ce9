//! Fuzz targets for SIP and RTP.

use bytes::{Bytes, BytesMut};

use super::call;
use super::login::{Challenges, Expected, Logins};
use super::media::whole;
use super::message::Message;
use super::ps::{self, Program};
use super::rtp::{Frames, Packet};

/// Input: a datagram at the SIP port, which is parsed, answered and checked for a login.
pub fn sip(data: &[u8]) {
    let Some(message) = Message::parse(data) else { return };
    let answer = Message::parse(&Message::answer(&message, 200, "OK").write());
    assert!(answer.is_none_or(|answer| answer.code() == Some(200)), "an answer is none");
    let _ = (message.answers(&message), message.stay(), message.branch(), call::sender(&message.body));
    let _ = message.authorization("REGISTER", "sip:a@b", "user", "password");
    let expected = Expected { id: message.sender().unwrap_or_default(), realm: "realm", password: "password" };
    let (from, now) = (([192, 0, 2, 7], 5060).into(), domain::Timestamp::from_millis(0));
    let admitted = Logins::default().check(&message, from, &Challenges::new(), &expected, now);
    assert!(admitted.is_err(), "a login without a challenge of ours");
}

/// Input: frames of a program stream, each beginning at a pack start code.
pub fn program_stream(data: &[u8]) {
    let mut program = Program::default();
    let marks = data.windows(4).enumerate().filter(|(_, window)| *window == [0, 0, 1, 0xba]).map(|(at, _)| at);
    let starts: Vec<_> = [0].into_iter().chain(marks).chain([data.len()]).collect();
    for frame in starts.windows(2).map(|pair| &data[pair[0]..pair[1]]).chain([data]) {
        let Some(video) = program.video(frame) else { continue };
        assert!(video.len() <= frame.len());
        if let Some(Ok(codec)) = program.codec() {
            let _ = ps::is_key(codec, &video);
        }
    }
}

/// Input: RTP packets of a connection, reassembled into frames.
pub fn rtp(data: &[u8]) {
    let (mut buffer, mut frames, mut taken) = (BytesMut::from(data), Frames::default(), 0);
    while let Some(packet) = whole(&mut buffer) {
        let found = Packet::parse(packet).map(|packet| frames.take(packet)).unwrap_or_default();
        taken += found.iter().map(|frame| frame.data.len()).sum::<usize>();
    }
    let _ = Packet::parse(Bytes::copy_from_slice(data));
    assert!(taken <= data.len(), "more came out than went in");
}
