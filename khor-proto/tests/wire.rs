//! Tests the bytes on the wire: the examples in the crate's documentation, and every kind of
//! invalid frame.

use std::io;

use futures_util::{SinkExt, StreamExt};
use khor_proto::{
    ClientMessage, Hello, MAGIC, ProtocolVersion, Sample, Scope, ServerMessage, Subscribe, Unit, Welcome,
    frame::{self, Incoming, MAX_CLIENT_BODY_BYTES, MAX_SERVER_BODY_BYTES, Message},
};

async fn encode<M: Message>(message: M) -> Vec<u8> {
    let mut bytes = Vec::new();
    frame::sender(&mut bytes).send(message).await.expect("encoding");
    bytes
}

async fn decode<M: Message>(bytes: &[u8]) -> Vec<io::Result<Incoming<M>>> {
    frame::receiver::<_, M>(bytes).collect().await
}

fn framed(body: &[u8]) -> Vec<u8> {
    let mut bytes = u32::try_from(body.len()).unwrap().to_le_bytes().to_vec();
    bytes.extend_from_slice(body);
    bytes
}

fn subscribe() -> ClientMessage {
    ClientMessage::Subscribe(Subscribe::default())
}

/// Parses the hexadecimal bytes of an example in the crate's documentation. `n` is the index of the
/// example's code block, from 0.
fn documented(n: usize) -> Vec<u8> {
    let source = include_str!("../src/lib.rs");
    let block =
        source.split("```text\n").nth(n + 1).and_then(|rest| rest.split("```").next()).expect("block");
    block
        .lines()
        .flat_map(|line| line.trim_start_matches("//!").trim().split("  ").next().unwrap().split_whitespace())
        .map(|byte| u8::from_str_radix(byte, 16).unwrap())
        .collect()
}

#[tokio::test]
async fn documented_bytes_are_real() {
    let versions = vec![ProtocolVersion { major: 1, minor: 0 }];
    let hello = ClientMessage::Hello(Hello { magic: MAGIC, versions, client: "demo".into() });
    assert_eq!(encode(hello).await, documented(0));
    assert_eq!(
        encode(ClientMessage::Subscribe(Subscribe { interval_ms: 20, scope: Scope::Machine, cues: vec![] }))
            .await,
        documented(1)
    );
    let counters = vec![Some(300), None, Some(5)];
    let sample = ServerMessage::Sample(Sample { seq: 7, t_ns: 1_000_000_000, counters });
    assert_eq!(encode(sample).await, documented(2));
}

#[tokio::test]
async fn bad_body_costs_one_frame_only() {
    let good = encode(subscribe()).await;
    let bodies: [&[u8]; 5] = [
        &[],                                      // empty
        &[0xff; 40],                              // garbage
        &[1, 20],                                 // cut short
        &[1, 20, 0, 0, 0],                        // a byte too many
        &[0, 0xfc, 1, 2, 3, 4, 0, 2, 0xff, 0xfe], // a name that is not UTF-8
    ];
    for body in bodies {
        let frames = decode::<ClientMessage>(&[framed(body), good.clone()].concat()).await;
        assert_eq!(frames.len(), 2, "{body:?}");
        assert_eq!(frames[0].as_ref().unwrap_err().kind(), io::ErrorKind::InvalidData, "{body:?}");
        assert_eq!(frames[1].as_ref().unwrap(), &Incoming::Known(subscribe()), "{body:?}");
    }
}

#[tokio::test]
async fn unknown_kind_differs_from_broken_body() {
    for (body, kind) in [(&[7, 1, 2, 3][..], 7), (&[0xfb, 0x2c, 0x01], 300)] {
        let frames = decode::<ServerMessage>(&framed(body)).await;
        assert_eq!(frames[0].as_ref().unwrap(), &Incoming::Unknown { kind });
    }
}

#[tokio::test]
async fn oversized_length_ends_the_stream() {
    for length in [MAX_CLIENT_BODY_BYTES as u32 + 1, u32::MAX] {
        let bytes = [&length.to_le_bytes()[..], &encode(subscribe()).await].concat();
        let frames = decode::<ClientMessage>(&bytes).await;
        assert_eq!(frames.len(), 1);
        assert_eq!(frames[0].as_ref().unwrap_err().kind(), io::ErrorKind::InvalidData);
    }
}

#[tokio::test]
async fn truncated_stream_yields_no_message() {
    let good = encode(subscribe()).await;
    for cut in 1..good.len() {
        let frames = decode::<ClientMessage>(&good[..cut]).await;
        assert!(frames.iter().all(Result::is_err), "cut at {cut}");
    }
    assert!(decode::<ClientMessage>(&[]).await.is_empty());
}

#[tokio::test]
async fn message_above_the_limit_is_not_sent() {
    let mut bytes = Vec::new();
    let reason = "x".repeat(MAX_SERVER_BODY_BYTES);
    let error = frame::sender(&mut bytes).send(ServerMessage::Bye { reason }).await.unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::InvalidInput);
    assert!(bytes.is_empty());
}

#[tokio::test]
async fn number_of_kinds_matches_the_enums() {
    let last_client = encode(subscribe()).await[4];
    let last_server = encode(ServerMessage::Lost { cues: 0 }).await[4];
    assert_eq!(u32::from(last_client) + 1, <ClientMessage as Message>::KINDS);
    assert_eq!(u32::from(last_server) + 1, <ServerMessage as Message>::KINDS);
}

#[test]
fn versions_agree_on_older_minor() {
    let version = |major, minor| ProtocolVersion { major, minor };
    assert_eq!(ProtocolVersion::common(&[version(1, 9), version(2, 0)]), Some(version(1, 0)));
    assert_eq!(ProtocolVersion::common(&[version(2, 0)]), None);
    assert_eq!(ProtocolVersion::common(&[]), None);
}

#[tokio::test]
async fn welcome_survives_the_wire() {
    let welcome = ServerMessage::Welcome(Welcome {
        version: ProtocolVersion::CURRENT,
        collector_version: "0.1.0".into(),
        kernel_release: "6.1.0".into(),
        boot_id: "b".into(),
        cpus: 300,
        counters: vec![khor_proto::CounterInfo {
            name: khor_proto::Counter::Execs.name().into(),
            unit: Unit::Count,
            availability: khor_proto::Availability::Absent { reason: "no BTF".into() },
        }],
        cues: vec![],
    });
    let frames = decode::<ServerMessage>(&encode(welcome.clone()).await).await;
    assert_eq!(frames.into_iter().next().unwrap().unwrap(), Incoming::Known(welcome));
}
