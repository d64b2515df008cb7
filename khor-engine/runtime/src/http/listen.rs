//! Sends the live sound to browsers and players, as 16-bit stereo.
//!
//! Apple's player, which Safari uses, rejects a server that ignores `Range`. It first requests two
//! bytes, and then the whole file. A live stream has no length, so khor reports the largest length
//! of a WAV file to this player: four gigabytes, or six hours. Other clients that request
//! `bytes=0-` get an endless stream without a length. With a length, they would try to seek.

use std::{convert::Infallible, ops::Range, sync::Arc};

use bytes::{BufMut, Bytes, BytesMut};
use futures_util::{SinkExt, Stream, StreamExt, stream};
use hound::{SampleFormat, WavSpec};
use khor_api::SoundFormat;
use khor_http::ConnectionSlot;
use khor_output::{audio::Block, file::to_16_bit};
use tokio::sync::{broadcast, watch};
use tokio_stream::wrappers::{BroadcastStream, errors::BroadcastStreamRecvError};
use warp::{
    Filter, Reply,
    filters::BoxedFilter,
    http::{HeaderMap, HeaderValue, StatusCode, header},
    reply::Response,
    ws::{Message, WebSocket, Ws},
};

use super::{
    call::{ApiContext, Call},
    range::{self, RequestedRange},
    reply::{Failure, live_headers},
    stop::until_stopped,
    table::{Answer, Content, Operation, get},
};

const CHANNELS: u16 = 2;
const BITS: u16 = 16;
/// Signed 16-bit integers, low byte first.
const SAMPLE_FORMAT: &str = "s16le";
/// Size of a 16-bit stereo frame, in bytes.
const FRAME_BYTES: u64 = 4;
/// Size of the header of a WAV file, in bytes.
const HEADER_BYTES: u64 = 44;
/// Size that khor reports for the endless WAV file, in bytes.
const FILE_BYTES: u64 = HEADER_BYTES + u32::MAX as u64;
/// Maximum size of a message that a client sends on the WebSocket, in bytes. khor ignores these
/// messages.
const MAX_MESSAGE_BYTES: usize = 1024;

pub(super) fn operations() -> Vec<Operation> {
    vec![
        get("/api/listen.wav", "The live sound, as an endless WAV file").at_once(open),
        get("/api/listen", "The live sound, over a WebSocket").at_once(no_socket),
    ]
}

/// Answers `GET /api/listen` for a client that does not request a WebSocket.
fn no_socket(_: Call) -> NoSocket {
    NoSocket
}

struct NoSocket;

impl Answer for NoSocket {
    const CONTENT: Content = Content::of("application/json");

    fn into_response(self) -> Response {
        let message = "this path needs a WebSocket: connect with ws:// or wss://, or play /api/listen.wav";
        let mut response = Failure::new(StatusCode::UPGRADE_REQUIRED, message).into_response();
        response.headers_mut().insert(header::UPGRADE, HeaderValue::from_static("websocket"));
        response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
        response
    }
}

/// Answers `GET /api/listen` for a client that requests a WebSocket.
pub(super) fn socket(context: &ApiContext) -> BoxedFilter<(Response,)> {
    let context = context.clone();
    warp::path!("api" / "listen")
        .and(warp::ws())
        .and(warp::ext::optional())
        .map(move |ws: Ws, slot| match context.engine.listen() {
            Ok(blocks) => socket_reply(ws, slot, blocks, context.stop.clone()),
            Err(full) => Failure::new(StatusCode::SERVICE_UNAVAILABLE, full).into_response(),
        })
        .boxed()
}

/// The endless WAV file, or a part of it.
enum Wav {
    Live {
        blocks: broadcast::Receiver<Block>,
        stop: watch::Receiver<bool>,
        /// The requested bytes. `None` for the endless stream.
        part: Option<Range<u64>>,
    },
    /// The requested range is beyond the end of the file.
    NoPart,
}

fn open(call: Call) -> Result<Wav, Failure> {
    let part = match range::requested(&call.headers, FILE_BYTES, None) {
        RequestedRange::Nothing => return Ok(Wav::NoPart),
        RequestedRange::Part(part) if part != (0..FILE_BYTES) || is_apple(&call.headers) => Some(part),
        RequestedRange::Part(_) | RequestedRange::Whole => None,
    };
    let blocks =
        call.engine().listen().map_err(|full| Failure::new(StatusCode::SERVICE_UNAVAILABLE, full))?;
    Ok(Wav::Live { blocks, stop: call.context.stop, part })
}

/// Returns whether the client is Apple's player, alone or in Safari.
fn is_apple(headers: &HeaderMap) -> bool {
    let agent = headers.get(header::USER_AGENT).and_then(|agent| agent.to_str().ok());
    agent.is_some_and(|agent| agent.starts_with("AppleCoreMedia/"))
        || headers.contains_key("x-playback-session-id")
}

impl Answer for Wav {
    const CONTENT: Content = Content { in_parts: true, ..Content::of("audio/wav") };

    fn into_response(self) -> Response {
        let Self::Live { blocks, stop, part } = self else { return range::unsatisfiable(FILE_BYTES) };
        let start = part.as_ref().map_or(0, |part| part.start);
        let length = part.as_ref().map_or(u64::MAX, |part| part.end - part.start);
        let bytes = bounded(wav(blocks, start), length).take_until(until_stopped(stop));
        let mut response = warp::reply::stream(bytes).into_response();
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(Self::CONTENT.kind));
        live_headers(response.headers_mut());
        if let Some(part) = part {
            *response.status_mut() = StatusCode::PARTIAL_CONTENT;
            range::part_headers(response.headers_mut(), &part, FILE_BYTES);
        }
        response
    }
}

/// Streams the endless WAV file from the byte `start` onwards. The header comes first and has the
/// sample rate of the first block. The live sound follows it. The stream ends when the sample rate
/// changes, because the header cannot change.
fn wav(
    blocks: broadcast::Receiver<Block>,
    start: u64,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + Sync {
    let mut begun_at_hz = None;
    live_blocks(blocks)
        .take_while(move |block| {
            let is_same = *begun_at_hz.get_or_insert(block.sample_rate_hz) == block.sample_rate_hz;
            std::future::ready(is_same)
        })
        .enumerate()
        .flat_map(move |(i, block)| {
            let header = (i == 0).then(|| Ok(lead(&wav_header(block.sample_rate_hz), start)));
            stream::iter(header.into_iter().chain([Ok(samples_of(&block))]))
        })
}

/// Returns the bytes before the first sample of an answer that begins at byte `start`. They are the
/// rest of the header, or silence up to the next frame. Without the silence, left and right could
/// be swapped.
fn lead(header: &Bytes, start: u64) -> Bytes {
    match start.checked_sub(HEADER_BYTES) {
        None => header.slice(start as usize..),
        Some(within) => vec![0; ((FRAME_BYTES - within % FRAME_BYTES) % FRAME_BYTES) as usize].into(),
    }
}

/// Limits a stream to its first `length` bytes.
fn bounded(
    pieces: impl Stream<Item = Result<Bytes, Infallible>> + Send + Sync,
    length: u64,
) -> impl Stream<Item = Result<Bytes, Infallible>> + Send + Sync {
    pieces.scan(length, |left, piece| {
        let piece = piece.map(|mut piece| {
            piece.truncate((*left).min(piece.len() as u64) as usize);
            *left -= piece.len() as u64;
            piece
        });
        let is_over = matches!(&piece, Ok(piece) if piece.is_empty() && *left == 0);
        std::future::ready((!is_over).then_some(piece))
    })
}

fn wav_header(sample_rate: u32) -> Bytes {
    let spec =
        WavSpec { channels: CHANNELS, sample_rate, bits_per_sample: BITS, sample_format: SampleFormat::Int };
    spec.into_header_for_infinite_file().into()
}

/// Streams the blocks of sound. A slow client misses the oldest blocks.
fn live_blocks(blocks: broadcast::Receiver<Block>) -> impl Stream<Item = Block> + Send + Sync {
    BroadcastStream::new(blocks).filter_map(|block| {
        let block = block.map_err(|BroadcastStreamRecvError::Lagged(_)| ()).ok();
        std::future::ready(block)
    })
}

/// Converts the samples of a block to bytes: interleaved and little-endian.
fn samples_of(block: &Block) -> Bytes {
    let mut bytes = BytesMut::with_capacity(block.frames.len() * 4);
    for sample in block.frames.as_flattened() {
        bytes.put_i16_le(to_16_bit(*sample));
    }
    bytes.freeze()
}

fn socket_reply(
    ws: Ws,
    slot: Option<Arc<ConnectionSlot>>,
    blocks: broadcast::Receiver<Block>,
    stop: watch::Receiver<bool>,
) -> Response {
    ws.max_message_size(MAX_MESSAGE_BYTES)
        .max_frame_size(MAX_MESSAGE_BYTES)
        .on_upgrade(move |socket| async move {
            // The WebSocket counts as a connection until it closes.
            let _slot = slot;
            serve(socket, blocks, stop).await;
        })
        .into_response()
}

/// Sends the format and then samples, until the client disconnects or khor ends. Sends the format
/// again whenever it changes.
async fn serve(socket: WebSocket, blocks: broadcast::Receiver<Block>, stop: watch::Receiver<bool>) {
    let (mut sink, mut messages) = socket.split();
    let mut blocks = std::pin::pin!(live_blocks(blocks).take_until(until_stopped(stop)));
    let mut sent_hz = None;
    loop {
        let block = tokio::select! {
            block = blocks.next() => block,
            message = messages.next() => match message {
                Some(Ok(message)) if !message.is_close() => continue,
                _ => return,
            },
        };
        let Some(block) = block else {
            // Ignore an error, because the client may already have disconnected.
            sink.send(Message::close()).await.ok();
            return;
        };
        let is_new = sent_hz.replace(block.sample_rate_hz) != Some(block.sample_rate_hz);
        let format = is_new.then(|| Message::text(format_of(&block)));
        for message in format.into_iter().chain([Message::binary(samples_of(&block))]) {
            if sink.send(message).await.is_err() {
                return;
            }
        }
    }
}

fn format_of(block: &Block) -> String {
    let format = SoundFormat {
        sample_rate_hz: block.sample_rate_hz,
        channels: CHANNELS,
        format: SAMPLE_FORMAT.to_owned(),
    };
    // Serialization cannot fail, because the format contains only plain values.
    serde_json::to_string(&format).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn block(sample_rate_hz: u32, frames: &[[f32; 2]]) -> Block {
        Block { sample_rate_hz, first_frame: 0, frames: frames.into() }
    }

    #[tokio::test]
    async fn an_endless_wav_ends_at_rate_changes() {
        let (sender, blocks) = broadcast::channel(8);
        for block in [
            block(48_000, &[[0.0, 1.0]]),
            block(48_000, &[[-2.0, 0.5], [0.25, -0.25]]),
            block(44_100, &[[1.0, 1.0]]),
            block(48_000, &[[1.0, 1.0]]),
        ] {
            sender.send(block).unwrap();
        }
        let pieces: Vec<Bytes> = wav(blocks, 0).map(Result::unwrap).collect().await;
        let file = pieces.concat();
        let (header, samples) = file.split_at(44);
        assert_eq!(header[40..], [0xFF; 4], "no length");
        // hound rejects a file with an invalid length, so set the length of four frames in the
        // header.
        let believable = [&header[..40], &16_u32.to_le_bytes(), samples, &[0; 4]].concat();
        let mut reader = hound::WavReader::new(believable.as_slice()).unwrap();
        assert_eq!((reader.spec().sample_rate, reader.spec().channels), (48_000, 2));
        let samples: Vec<i16> = reader.samples().map(Result::unwrap).collect();
        assert_eq!(samples, [0, 32767, -32767, 16384, 8192, -8192, 0, 0]);
    }

    #[tokio::test]
    async fn ranges_have_the_requested_bytes() {
        let part = async |start: u64, length: u64| {
            let (sender, blocks) = broadcast::channel(8);
            for _ in 0..4 {
                sender.send(block(48_000, &[[0.5, 0.5]])).unwrap();
            }
            drop(sender);
            let pieces: Vec<Bytes> = bounded(wav(blocks, start), length).map(Result::unwrap).collect().await;
            pieces.concat()
        };
        let header = wav_header(48_000);
        assert_eq!(header.len() as u64, HEADER_BYTES);
        assert_eq!(part(0, 2).await, b"RI");
        assert_eq!(part(8, 4).await, b"WAVE");
        let whole = part(0, u64::MAX).await;
        assert_eq!((whole.len(), &whole[..44]), (60, &header[..]));
        assert_eq!(
            part(40, 8).await,
            whole[40..48],
            "a range that begins in the header and ends in the sound"
        );
        // A part begins with a whole frame, so left and right are not swapped.
        assert_eq!(part(44, 8).await, whole[44..52]);
        assert_eq!(part(46, 6).await, [&[0, 0], &whole[44..48]].concat());
        assert_eq!(part(1_000_044, 4).await, whole[44..48]);
    }

    #[tokio::test]
    async fn slow_listeners_skip_to_new_blocks() {
        let (sender, blocks) = broadcast::channel(2);
        for i in 0..10_u8 {
            sender.send(block(48_000, &[[f32::from(i); 2]])).unwrap();
        }
        drop(sender);
        let received: Vec<f32> = live_blocks(blocks).map(|block| block.frames[0][0]).collect().await;
        assert_eq!(received, [8.0, 9.0]);
    }
}
