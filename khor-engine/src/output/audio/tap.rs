//! The tap: what the loudspeaker is given, for whoever else listens.
//!
//! The callback copies its frames into a lock-free ring, and only while somebody listens; what the ring has no room
//! for is left out. A thread carries them from there to the listeners, of which a slow one loses blocks and slows
//! nobody.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, Ordering::Relaxed},
    },
    thread::{self, Thread},
    time::Duration,
};

use rtrb::{Consumer, Producer, RingBuffer, chunks::ChunkError};
use tokio::sync::broadcast;

/// Frames between callback and thread: a third of a second at 192 kHz, more than any callback is long.
const RING_FRAMES: usize = 1 << 16;
/// How often the thread looks into the ring while somebody listens.
const PERIOD: Duration = Duration::from_millis(10);
/// Blocks a listener may be behind before it loses some: at least two seconds.
const WAITING_BLOCKS: usize = 256;

/// Left and right of one instant, -1..=1.
pub type StereoFrame = [f32; 2];

/// Frames that follow each other, as the device gets them; the next block continues where this one ends unless a
/// device was lost or changed in between.
#[derive(Clone, Debug)]
pub struct Block {
    /// Hertz.
    pub sample_rate_hz: u32,
    /// At least one.
    pub frames: Arc<[StereoFrame]>,
}

/// Where to listen.
#[derive(Clone)]
pub struct Tap {
    shared: Arc<Shared>,
    thread: Thread,
}

/// There are as many listeners as there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{} listen already, which is as many as khor serves at once", Tap::MAX_LISTENERS)]
pub struct TapFull;

struct Shared {
    blocks: broadcast::Sender<Block>,
    /// Somebody listens, and the callback is to copy.
    wanted: AtomicBool,
    sample_rate_hz: AtomicU32,
    closed: AtomicBool,
}

impl Tap {
    /// Most listeners at once.
    pub const MAX_LISTENERS: usize = 32;

    /// A tap, and the end of it that the callback feeds.
    pub(in crate::output) fn start(sample_rate_hz: u32) -> std::io::Result<(Self, Feed)> {
        let shared = Arc::new(Shared::new(sample_rate_hz));
        let (producer, consumer) = RingBuffer::new(RING_FRAMES);
        let carrier = Arc::clone(&shared);
        let thread = thread::Builder::new().name("khor-tap".into()).spawn(move || carrier.carry(consumer))?;
        let tap = Self { shared: Arc::clone(&shared), thread: thread.thread().clone() };
        Ok((tap, Feed { shared, frames: producer }))
    }

    /// Listens from now on, until the receiver is dropped.
    pub fn listen(&self) -> Result<broadcast::Receiver<Block>, TapFull> {
        if self.listeners() >= Self::MAX_LISTENERS {
            return Err(TapFull);
        }
        let receiver = self.shared.blocks.subscribe();
        self.thread.unpark();
        Ok(receiver)
    }

    /// How many listen.
    pub fn listeners(&self) -> usize {
        self.shared.blocks.receiver_count()
    }

    /// Ends the thread.
    pub(in crate::output) fn close(&self) {
        self.shared.closed.store(true, Relaxed);
        self.thread.unpark();
    }
}

impl Shared {
    fn new(sample_rate_hz: u32) -> Self {
        Self {
            blocks: broadcast::Sender::new(WAITING_BLOCKS),
            wanted: AtomicBool::new(false),
            sample_rate_hz: AtomicU32::new(sample_rate_hz),
            closed: AtomicBool::new(false),
        }
    }

    /// The thread: from the ring to the listeners.
    fn carry(&self, mut ring: Consumer<StereoFrame>) {
        while !self.closed.load(Relaxed) {
            if self.blocks.receiver_count() == 0 {
                self.wanted.store(false, Relaxed);
                // Whoever came since is told of by the token that lets this return at once.
                thread::park();
                continue;
            }
            if !self.wanted.load(Relaxed) {
                // Frames of those who listened before.
                take_all(&mut ring);
                self.wanted.store(true, Relaxed);
            }
            thread::sleep(PERIOD);
            if let Some(frames) = take_all(&mut ring) {
                let sample_rate_hz = self.sample_rate_hz.load(Relaxed);
                // The last of them may have gone.
                self.blocks.send(Block { sample_rate_hz, frames }).ok();
            }
        }
    }
}

fn take_all(ring: &mut Consumer<StereoFrame>) -> Option<Arc<[StereoFrame]>> {
    let chunk = ring.read_chunk(ring.slots()).ok()?;
    let (first, second) = chunk.as_slices();
    let frames: Arc<[StereoFrame]> = first.iter().chain(second).copied().collect();
    chunk.commit_all();
    (!frames.is_empty()).then_some(frames)
}

/// The callback's end.
pub(in crate::output) struct Feed {
    shared: Arc<Shared>,
    frames: Producer<StereoFrame>,
}

impl Feed {
    /// What follows has this rate.
    pub(in crate::output) fn set_rate(&self, sample_rate_hz: u32) {
        self.shared.sample_rate_hz.store(sample_rate_hz, Relaxed);
    }

    /// Passes frames on if somebody listens: as many as there is room for. Audio thread: no lock, no allocation, no
    /// system call.
    pub(in crate::output) fn push(&mut self, left: &[f32], right: &[f32]) {
        if !self.shared.wanted.load(Relaxed) {
            return;
        }
        let frames = left.len().min(right.len());
        let chunk = match self.frames.write_chunk_uninit(frames) {
            Ok(chunk) => chunk,
            Err(ChunkError::TooFewSlots(free)) => match self.frames.write_chunk_uninit(free) {
                Ok(chunk) => chunk,
                Err(_) => return,
            },
        };
        chunk.fill_from_iter(left.iter().zip(right).map(|(l, r)| [*l, *r]));
    }
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    /// Pushes a counting ramp until `until` says that it is enough.
    fn ramp(feed: &mut Feed, mut until: impl FnMut() -> bool) {
        let deadline = Instant::now() + Duration::from_secs(5);
        let mut next = 0.0_f32;
        while !until() {
            assert!(Instant::now() < deadline, "nobody hears it");
            let left: Vec<f32> = (0..480).map(|i| next + i as f32).collect();
            next += 480.0;
            feed.push(&left, &left);
            thread::sleep(Duration::from_millis(2));
        }
    }

    #[test]
    fn listeners_hear_every_frame_in_order_and_nobody_costs_nothing() {
        let (tap, mut feed) = Tap::start(48_000).unwrap();
        feed.push(&[9.0; 480], &[9.0; 480]);
        assert_eq!(feed.frames.slots(), RING_FRAMES, "nobody listens");
        let mut one = tap.listen().unwrap();
        let mut heard: Vec<f32> = Vec::new();
        ramp(&mut feed, || {
            while let Ok(block) = one.try_recv() {
                assert_eq!(block.sample_rate_hz, 48_000);
                heard.extend(block.frames.iter().map(|[left, right]| {
                    assert_eq!(left, right);
                    *left
                }));
            }
            heard.len() > 10_000
        });
        assert!(heard.windows(2).all(|pair| pair[1] - pair[0] == 1.0), "no frame is missing");
        drop(one);
        ramp(&mut feed, || !tap.shared.wanted.load(Relaxed));
        let free = feed.frames.slots();
        feed.push(&[9.0; 480], &[9.0; 480]);
        assert_eq!(feed.frames.slots(), free, "nobody listens any more");
        let mut another = tap.listen().unwrap();
        ramp(&mut feed, || another.try_recv().is_ok_and(|block| block.frames.iter().all(|[l, _]| *l != 9.0)));
        tap.close();
    }

    #[test]
    fn a_full_ring_leaves_out_what_it_has_no_room_for() {
        // Without the thread, which would empty the ring, or find that nobody listens.
        let (frames, _ring) = RingBuffer::new(RING_FRAMES);
        let mut feed = Feed { shared: Arc::new(Shared::new(48_000)), frames };
        feed.shared.wanted.store(true, Relaxed);
        let long = vec![0.5; RING_FRAMES - 100];
        feed.push(&long, &long);
        feed.push(&long, &long);
        assert_eq!(feed.frames.slots(), 0);
        feed.push(&[0.5; 16], &[0.5; 16]);
    }

    #[test]
    fn there_is_a_last_listener() {
        let (tap, _feed) = Tap::start(48_000).unwrap();
        let all: Vec<_> = (0..Tap::MAX_LISTENERS).map(|_| tap.listen().unwrap()).collect();
        assert_eq!(tap.listen().err(), Some(TapFull));
        drop(all);
        assert!(tap.listen().is_ok());
        tap.close();
    }
}
