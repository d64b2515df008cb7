//! Listening from a browser or a player: what the sound device is given, as 16-bit stereo.

use std::convert::Infallible;

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{SinkExt, Stream, StreamExt, stream};
use hound::{SampleFormat, WavSpec};
use serde_json::json;
use tokio::sync::{broadcast, watch};
use tokio_stream::wrappers::{BroadcastStream, errors::BroadcastStreamRecvError};
use warp::{
    Filter, Reply,
    filters::BoxedFilter,
    http::{HeaderValue, StatusCode, header},
    reply::Response,
    ws::{Message, WebSocket, Ws},
};

use super::{
    call::{Call, Desk},
    reply::Failure,
    table::{Answer, Content, Operation, get},
    until_stopped,
};
use crate::output::{audio::Block, file::to_16_bit};

const CHANNELS: u16 = 2;
const BITS: u16 = 16;
/// Longest message taken from a WebSocket's other end, which has nothing to say.
const MAX_SAID_BYTES: usize = 1024;

/// `GET /api/listen.wav`.
pub(super) fn operation() -> Operation {
    get("/api/listen.wav", "What the sound device is given, as a WAV file without end").at_once(open)
}

/// `GET /api/listen`, which only a WebSocket opens.
pub(super) fn socket(desk: &Desk) -> BoxedFilter<(Response,)> {
    let desk = desk.clone();
    warp::path!("api" / "listen")
        .and(warp::ws())
        .map(move |ws: Ws| match desk.engine.listen() {
            Ok(blocks) => socket_reply(ws, blocks, desk.stop.clone()),
            Err(full) => Failure::new(StatusCode::SERVICE_UNAVAILABLE, full).into_response(),
        })
        .boxed()
}

struct Wav {
    blocks: broadcast::Receiver<Block>,
    stop: watch::Receiver<bool>,
}

fn open(call: Call) -> Result<Wav, Failure> {
    let blocks =
        call.engine().listen().map_err(|full| Failure::new(StatusCode::SERVICE_UNAVAILABLE, full))?;
    Ok(Wav { blocks, stop: call.desk.stop })
}

impl Answer for Wav {
    const CONTENT: Content = Content { kind: "audio/wav", schema: None };

    fn into_response(self) -> Response {
        let samples = wav(self.blocks).take_until(until_stopped(self.stop));
        let mut response = warp::reply::stream(samples).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(Self::CONTENT.kind));
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

/// A WAV file without end: its header as soon as the first block says the rate. It ends if the rate changes, which no
/// header can say.
fn wav(blocks: broadcast::Receiver<Block>) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + Sync {
    let mut begun_at_hz = None;
    heard(blocks)
        .take_while(move |block| {
            let is_same = *begun_at_hz.get_or_insert(block.sample_rate_hz) == block.sample_rate_hz;
            std::future::ready(is_same)
        })
        .enumerate()
        .flat_map(|(i, block)| {
            let header = (i == 0).then(|| Ok(wav_header(block.sample_rate_hz)));
            stream::iter(header.into_iter().chain([Ok(samples_of(&block))]))
        })
}

fn wav_header(sample_rate: u32) -> Bytes {
    let spec =
        WavSpec { channels: CHANNELS, sample_rate, bits_per_sample: BITS, sample_format: SampleFormat::Int };
    spec.into_header_for_infinite_file().into()
}

/// The blocks; who is too slow for all of them gets the newest.
fn heard(blocks: broadcast::Receiver<Block>) -> impl Stream<Item = Block> + Send + Sync {
    BroadcastStream::new(blocks).filter_map(|block| {
        let block = block.map_err(|BroadcastStreamRecvError::Lagged(_)| ()).ok();
        std::future::ready(block)
    })
}

/// Interleaved, little-endian.
fn samples_of(block: &Block) -> Bytes {
    let mut bytes = BytesMut::with_capacity(block.frames.len() * 4);
    for sample in block.frames.as_flattened() {
        bytes.put_i16_le(to_16_bit(*sample));
    }
    bytes.freeze()
}

fn socket_reply(ws: Ws, blocks: broadcast::Receiver<Block>, stop: watch::Receiver<bool>) -> Response {
    ws.max_message_size(MAX_SAID_BYTES)
        .max_frame_size(MAX_SAID_BYTES)
        .on_upgrade(move |socket| serve(socket, blocks, stop))
        .into_response()
}

/// Says the format, and again when it changes, then sends samples until the other end goes or khor stops.
async fn serve(socket: WebSocket, blocks: broadcast::Receiver<Block>, stop: watch::Receiver<bool>) {
    let (mut out, mut said) = socket.split();
    let mut blocks = std::pin::pin!(heard(blocks).take_until(until_stopped(stop)));
    let mut told_hz = None;
    loop {
        let block = tokio::select! {
            block = blocks.next() => block,
            message = said.next() => match message {
                Some(Ok(message)) if !message.is_close() => continue,
                _ => return,
            },
        };
        let Some(block) = block else {
            // The other end may be gone already.
            out.send(Message::close()).await.ok();
            return;
        };
        let is_new = told_hz.replace(block.sample_rate_hz) != Some(block.sample_rate_hz);
        let format = is_new.then(|| Message::text(format_of(&block)));
        for message in format.into_iter().chain([Message::binary(samples_of(&block))]) {
            if out.send(message).await.is_err() {
                return;
            }
        }
    }
}

fn format_of(block: &Block) -> String {
    json!({ "sample_rate_hz": block.sample_rate_hz, "channels": CHANNELS, "format": "s16le" }).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(sample_rate_hz: u32, frames: &[[f32; 2]]) -> Block {
        Block { sample_rate_hz, first_frame: 0, frames: frames.into() }
    }

    #[tokio::test]
    async fn a_wav_without_end_begins_with_its_header_and_ends_where_the_rate_changes() {
        let (sender, blocks) = broadcast::channel(8);
        for block in [
            block(48_000, &[[0.0, 1.0]]),
            block(48_000, &[[-2.0, 0.5], [0.25, -0.25]]),
            block(44_100, &[[1.0, 1.0]]),
            block(48_000, &[[1.0, 1.0]]),
        ] {
            sender.send(block).unwrap();
        }
        let pieces: Vec<Bytes> = wav(blocks).map(Result::unwrap).collect().await;
        let file = pieces.concat();
        let (header, samples) = file.split_at(44);
        assert_eq!(header[40..], [0xFF; 4], "no length");
        // hound reads no file whose length it can't believe: it is told that there are four frames' bytes.
        let believable = [&header[..40], &16_u32.to_le_bytes(), samples, &[0; 4]].concat();
        let mut reader = hound::WavReader::new(believable.as_slice()).unwrap();
        assert_eq!((reader.spec().sample_rate, reader.spec().channels), (48_000, 2));
        let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
        assert_eq!(samples, [0, 32767, -32767, 16384, 8192, -8192, 0, 0]);
    }

    #[tokio::test]
    async fn who_is_too_slow_hears_what_is_new() {
        let (sender, blocks) = broadcast::channel(2);
        for i in 0..10_u8 {
            sender.send(block(48_000, &[[f32::from(i); 2]])).unwrap();
        }
        drop(sender);
        let heard: Vec<f32> = heard(blocks).map(|block| block.frames[0][0]).collect().await;
        assert_eq!(heard, [8.0, 9.0]);
    }
}
