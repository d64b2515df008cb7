//! Tests that a receiver survives arbitrary bytes from a peer, and that such bytes do not change
//! later messages.

mod hostile;
mod messages;

use std::{collections::BTreeSet, fmt::Debug};

use bincode::Options;
use futures_util::{FutureExt, SinkExt};
use khor_proto::{
    ClientMessage, Hello, MAGIC, ServerMessage, Subscribe,
    frame::{self, Incoming, MAX_CLIENT_BODY_BYTES, MAX_SERVER_BODY_BYTES, Message},
};
use proptest::{collection::vec, prelude::*, sample::Index, strategy::ValueTree, test_runner::TestRunner};

use self::{
    hostile::{WHOLE, check, receive_all},
    messages::{client_message, server_message},
};

/// Configures `proptest` to write no file of failing inputs. If a test fails, it prints its
/// smallest failing input. Add this input to `wire.rs` as an example.
fn config() -> ProptestConfig {
    ProptestConfig { cases: 8192, failure_persistence: None, ..ProptestConfig::default() }
}

/// The lengths of the pieces in which bytes arrive at a receiver.
fn pieces() -> impl Strategy<Value = Vec<usize>> {
    vec(prop_oneof![1..8_usize, 1..2000_usize], 1..8)
}

/// Random bytes. Most have small values, so that many of them are valid message kinds and lengths.
fn noise() -> impl Strategy<Value = Vec<u8>> {
    vec((any::<u8>(), 0..8_u32).prop_map(|(byte, shift)| byte >> shift), 0..64)
}

/// Random bytes, or frames with random bodies that are damaged: some bits are flipped, and the end
/// may be cut.
fn any_bytes() -> impl Strategy<Value = Vec<u8>> {
    let frames = vec(noise(), 0..12).prop_map(|bodies| bodies.iter().flat_map(|body| framed(body)).collect());
    let damaged =
        (frames, flips(), 50..=100_usize).prop_map(|(bytes, flips, length)| damage(bytes, &flips, length));
    prop_oneof![noise(), damaged]
}

fn framed(body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(body.len()).expect("the body is short");
    [&length.to_le_bytes(), body].concat()
}

fn survives<M: Message + Debug + PartialEq>(messages: Vec<M>, pieces: &[usize]) {
    let mut bytes = Vec::new();
    for message in &messages {
        let before = bytes.clone();
        frame::encode_into(message, &mut bytes).expect("encoding");
        assert_eq!(bytes[..before.len()], before);
        assert_eq!(bytes[before.len()..], frame::encode(message).expect("encoding"));
    }
    let known: Vec<_> = messages.into_iter().map(|message| Ok(Incoming::Known(message))).collect();
    assert_eq!(receive_all::<M>(&bytes, pieces), known);
}

/// Encodes `message` with `encode_into` and with a sender. Both must accept it, or both must reject
/// it and write nothing.
fn fits_or_leaves_no_trace<M: Message + Debug + PartialEq>(message: M, before: &[u8]) {
    let body_bytes =
        bincode::DefaultOptions::new().serialized_size(&message).expect("bincode knows the size");
    let (mut appended, mut sent) = (before.to_vec(), Vec::new());
    let encoded = frame::encode_into(&message, &mut appended).map_err(|error| error.kind());
    let mut sender = frame::sender::<_, M>(&mut sent);
    if body_bytes <= M::MAX_BODY_BYTES as u64 {
        assert_eq!(encoded, Ok(()));
        sender.send(message).now_or_never().expect("sending does not wait").expect("sending");
        assert_eq!(appended, [before, &sent].concat());
        check::<M>(&sent);
    } else {
        assert_eq!(encoded, Err(std::io::ErrorKind::InvalidInput));
        assert_eq!(appended, before);
        sender
            .send(message)
            .now_or_never()
            .expect("sending does not wait")
            .expect_err("the message is too long");
        assert!(sent.is_empty());
    }
}

/// Checks that a damaged frame does not affect the next frame. Feeds the receiver a frame with
/// `body`, cut to the size limit, and then a frame with `next`. The receiver must return `next`.
fn costs_one_frame<M: Message + Debug + PartialEq>(body: &[u8], next: M, pieces: &[usize]) {
    let body = &body[..body.len().min(M::MAX_BODY_BYTES)];
    let bytes = [framed(body), frame::encode(&next).expect("encoding")].concat();
    let received = receive_all::<M>(&bytes, pieces);
    assert_eq!(received.len(), 2, "{received:?}");
    assert_eq!(received[1], Ok(Incoming::Known(next)));
    check::<M>(&bytes);
}

/// Flips some bits of `bytes`, and then cuts or lengthens them to `length` percent of their size.
fn damage(mut bytes: Vec<u8>, flips: &[(Index, u8)], length: usize) -> Vec<u8> {
    if !bytes.is_empty() {
        for (place, bits) in flips {
            let place = place.index(bytes.len());
            bytes[place] ^= bits;
        }
    }
    bytes.resize(bytes.len() * length / 100, 0);
    bytes
}

fn body<M: Message>(message: &M) -> Vec<u8> {
    frame::encode(message).expect("encoding").split_off(size_of::<u32>())
}

fn flips() -> impl Strategy<Value = Vec<(Index, u8)>> {
    vec((any::<Index>(), 1..=u8::MAX), 0..4)
}

/// Length of a damaged message, in percent of its original length. Two thirds of the messages keep
/// their length.
fn length() -> impl Strategy<Value = usize> {
    prop_oneof![2 => Just(100_usize), 1 => 0..150_usize]
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn messages_survive_any_read_sizes(
        client in vec(client_message(), 0..4), server in vec(server_message(), 0..4), pieces in pieces(),
    ) {
        survives(client, &pieces);
        survives(server, &pieces);
    }

    #[test]
    fn size_limit_is_exact(around in 0..48_usize, before in noise()) {
        let name = "x".repeat(MAX_CLIENT_BODY_BYTES - 32 + around);
        let hello = ClientMessage::Hello(Hello { magic: MAGIC, versions: vec![], client: name });
        fits_or_leaves_no_trace(hello, &before);
        let reason = "x".repeat(MAX_SERVER_BODY_BYTES - 32 + around);
        fits_or_leaves_no_trace(ServerMessage::Bye { reason }, &before);
    }

    #[test]
    fn any_bytes_terminate(bytes in any_bytes()) {
        check::<ClientMessage>(&bytes);
        check::<ServerMessage>(&bytes);
    }

    #[test]
    fn any_body_costs_one_frame(body in noise(), pieces in pieces()) {
        costs_one_frame(&body, ClientMessage::Subscribe(Subscribe::default()), &pieces);
        costs_one_frame(&body, ServerMessage::Lost { cues: 1 }, &pieces);
    }

    #[test]
    fn a_damaged_message_costs_one_frame(
        (client, next_client) in (client_message(), client_message()),
        (server, next_server) in (server_message(), server_message()),
        flips in flips(), length in length(), pieces in pieces(),
    ) {
        costs_one_frame(&damage(body(&client), &flips, length), next_client, &pieces);
        costs_one_frame(&damage(body(&server), &flips, length), next_server, &pieces);
    }
}

/// Checks that the message generators of these tests generate every kind of message. So this test
/// fails if someone adds a kind to the protocol but not to the generators.
#[test]
fn every_kind_is_drawn() {
    fn kinds<M: Message + Debug>(messages: impl Strategy<Value = M>) -> usize {
        let mut runner = TestRunner::deterministic();
        let mut draw = || messages.new_tree(&mut runner).expect("a message").current();
        let kinds: BTreeSet<u8> = (0..200).map(|_| frame::encode(&draw()).expect("encoding")[4]).collect();
        kinds.len()
    }
    assert_eq!(kinds(client_message()), ClientMessage::KINDS as usize);
    assert_eq!(kinds(server_message()), ServerMessage::KINDS as usize);
}

#[test]
fn whole_and_partial_frames_differ() {
    let frame = frame::encode(&ServerMessage::Lost { cues: 1 }).expect("encoding");
    assert_eq!(
        receive_all::<ServerMessage>(&frame, WHOLE),
        [Ok(Incoming::Known(ServerMessage::Lost { cues: 1 }))]
    );
    assert!(receive_all::<ServerMessage>(&frame[..3], WHOLE).iter().all(Result::is_err));
}
