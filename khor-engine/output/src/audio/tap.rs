//! The tap: sends the device's sound to listeners.
//!
//! While there are listeners, the callback copies its frames into a lock-free ring. Frames that do
//! not fit are dropped and counted. A thread passes the frames to the listeners in blocks. A slow
//! listener loses blocks, but does not delay other listeners. The frame numbers of the blocks show
//! both kinds of loss.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering::Relaxed},
    },
    thread::{self, Thread},
    time::Duration,
};

use rtrb::{Consumer, Producer, RingBuffer};
use tokio::sync::broadcast;

/// Capacity of the ring, frames: a third of a second at 192 kHz, longer than any callback.
const RING_FRAMES: usize = 1 << 16;
/// Time between two reads of the ring while there are listeners.
const PERIOD: Duration = Duration::from_millis(10);
/// Number of blocks that are kept for a slow listener: at least two seconds of sound.
const LISTENER_QUEUE_BLOCKS: usize = 256;

/// A frame of stereo sound: the left and the right sample, each -1..=1.
pub type StereoFrame = [f32; 2];

/// Consecutive frames of the device's sound. If no frame was lost,
/// [`first_frame`](Self::first_frame) is the previous block's [`next_frame`](Self::next_frame).
#[derive(Clone, Debug)]
pub struct Block {
    /// Sample rate of the frames, hertz.
    pub sample_rate_hz: u32,
    /// Number of the block's first frame. Frames are counted while there are listeners. If this
    /// number exceeds the previous block's [`next_frame`](Self::next_frame), the frames in between
    /// were lost, because the listener or the tap's thread was too slow. The gap may appear a few
    /// frames late if the callback added frames while the thread emptied a full ring.
    pub first_frame: u64,
    /// The frames of the block, at least one.
    pub frames: Arc<[StereoFrame]>,
}

impl Block {
    /// Number of the frame that follows the block.
    pub fn next_frame(&self) -> u64 {
        self.first_frame + self.frames.len() as u64
    }
}

/// Lets listeners subscribe to the device's sound.
#[derive(Clone)]
pub struct Tap {
    shared: Arc<Shared>,
    thread: Thread,
}

/// The tap already has the maximum number of listeners.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "there are already {} listeners, which is the maximum; stop listening in another player",
    Tap::MAX_LISTENERS
)]
pub struct TapFull;

struct Shared {
    blocks: broadcast::Sender<Block>,
    /// Whether there are listeners, so that the callback must copy its frames.
    has_listeners: AtomicBool,
    sample_rate_hz: AtomicU32,
    /// Number of frames that did not fit into the ring. The callback adds to this number, and the
    /// thread resets it.
    dropped_frames: AtomicU64,
    closed: AtomicBool,
}

impl Tap {
    /// Maximum number of listeners.
    pub const MAX_LISTENERS: usize = 32;

    /// Starts the thread. Returns the tap, and the feed through which the callback adds frames.
    pub(crate) fn start(sample_rate_hz: u32) -> std::io::Result<(Self, TapFeed)> {
        let shared = Arc::new(Shared::new(sample_rate_hz));
        let (producer, consumer) = RingBuffer::new(RING_FRAMES);
        let forwarder = Arc::clone(&shared);
        let thread = thread::Builder::new()
            .name("khor-tap".into())
            .spawn(move || forwarder.forward_blocks(consumer))?;
        let tap = Self { shared: Arc::clone(&shared), thread: thread.thread().clone() };
        Ok((tap, TapFeed { shared, frames: producer }))
    }

    /// Subscribes a listener. It receives blocks until the receiver is dropped.
    pub fn listen(&self) -> Result<broadcast::Receiver<Block>, TapFull> {
        if self.listeners() >= Self::MAX_LISTENERS {
            return Err(TapFull);
        }
        let receiver = self.shared.blocks.subscribe();
        self.thread.unpark();
        Ok(receiver)
    }

    /// Number of listeners.
    pub fn listeners(&self) -> usize {
        self.shared.blocks.receiver_count()
    }

    /// Ends the thread.
    pub(crate) fn close(&self) {
        self.shared.closed.store(true, Relaxed);
        self.thread.unpark();
    }
}

impl Shared {
    fn new(sample_rate_hz: u32) -> Self {
        Self {
            blocks: broadcast::Sender::new(LISTENER_QUEUE_BLOCKS),
            has_listeners: AtomicBool::new(false),
            sample_rate_hz: AtomicU32::new(sample_rate_hz),
            dropped_frames: AtomicU64::new(0),
            closed: AtomicBool::new(false),
        }
    }

    /// The thread's loop: passes frames from the ring to the listeners.
    fn forward_blocks(&self, mut ring: Consumer<StereoFrame>) {
        let mut first_frame = 0;
        while !self.closed.load(Relaxed) {
            if self.blocks.receiver_count() == 0 {
                self.has_listeners.store(false, Relaxed);
                // A new listener unparks this thread. If this happens before `park`, `park` returns
                // immediately.
                thread::park();
                continue;
            }
            if !self.has_listeners.load(Relaxed) {
                // Drop the frames that arrived before the first listener, and reset the number of
                // dropped frames.
                take_all(&mut ring);
                self.dropped_frames.store(0, Relaxed);
                self.has_listeners.store(true, Relaxed);
            }
            thread::sleep(PERIOD);
            if let Some(frames) = take_all(&mut ring) {
                let sample_rate_hz = self.sample_rate_hz.load(Relaxed);
                let block = Block { sample_rate_hz, first_frame, frames };
                // The callback drops frames only while the ring is full. So the dropped frames are
                // later than the frames of this block, and the next block's number skips them.
                first_frame = block.next_frame() + self.dropped_frames.swap(0, Relaxed);
                // Sending fails if the last listener has left meanwhile.
                self.blocks.send(block).ok();
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

/// The callback's side of the tap, through which it adds frames.
pub(crate) struct TapFeed {
    shared: Arc<Shared>,
    frames: Producer<StereoFrame>,
}

impl TapFeed {
    /// Sets the sample rate of the frames that follow.
    pub(crate) fn set_rate(&self, sample_rate_hz: u32) {
        self.shared.sample_rate_hz.store(sample_rate_hz, Relaxed);
    }

    /// Adds frames to the ring if there are listeners. Drops and counts frames that do not fit.
    /// Suitable for the audio thread: takes no lock, allocates nothing and makes no system call.
    pub(crate) fn push(&mut self, left: &[f32], right: &[f32]) {
        if !self.shared.has_listeners.load(Relaxed) {
            return;
        }
        let given = left.len().min(right.len());
        let fitting = given.min(self.frames.slots());
        if fitting < given {
            // Count the dropped frames before the other frames are added. So when the thread sees
            // the added frames, it also sees the count.
            self.shared.dropped_frames.fetch_add((given - fitting) as u64, Relaxed);
        }
        let Ok(chunk) = self.frames.write_chunk_uninit(fitting) else { return };
        chunk.fill_from_iter(left.iter().zip(right).map(|(l, r)| [*l, *r]));
    }

    /// Whether the thread has detected that no listener is left. Until then, a new listener may
    /// also receive frames from before its subscription.
    #[cfg(test)]
    pub(crate) fn is_idle(&self) -> bool {
        !self.shared.has_listeners.load(Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Pushes `frames` frames at a time until `until` returns true. The values of the frames are 0,
    /// 1, 2 and so on.
    fn ramp(feed: &mut TapFeed, frames: usize, mut until: impl FnMut() -> bool) {
        let mut next = 0.0_f32;
        khor_e2e::wait_until("enough frames to be pushed", || {
            let left: Vec<f32> = (0..frames).map(|i| next + i as f32).collect();
            next += frames as f32;
            feed.push(&left, &left);
            until()
        });
    }

    #[test]
    fn listeners_receive_every_frame_in_order() {
        let (tap, mut feed) = Tap::start(48_000).unwrap();
        feed.push(&[9.0; 480], &[9.0; 480]);
        assert_eq!(feed.frames.slots(), RING_FRAMES, "without listeners, no frame is copied");
        let mut one = tap.listen().unwrap();
        let mut received: Vec<f32> = Vec::new();
        ramp(&mut feed, 480, || {
            while let Ok(block) = one.try_recv() {
                assert_eq!(block.sample_rate_hz, 48_000);
                received.extend(block.frames.iter().map(|[left, right]| {
                    assert_eq!(left, right);
                    *left
                }));
            }
            received.len() > 10_000
        });
        assert!(received.windows(2).all(|pair| pair[1] - pair[0] == 1.0), "no frame is missing");
        drop(one);
        ramp(&mut feed, 480, || !tap.shared.has_listeners.load(Relaxed));
        let free = feed.frames.slots();
        feed.push(&[9.0; 480], &[9.0; 480]);
        assert_eq!(feed.frames.slots(), free, "after the last listener, no frame is copied");
        let mut another = tap.listen().unwrap();
        ramp(&mut feed, 480, || {
            another.try_recv().is_ok_and(|block| block.frames.iter().all(|[l, _]| *l != 9.0))
        });
        tap.close();
    }

    #[test]
    fn a_full_ring_counts_dropped_frames() {
        // The test starts no thread, because a thread would empty the ring.
        let (frames, _ring) = RingBuffer::new(RING_FRAMES);
        let mut feed = TapFeed { shared: Arc::new(Shared::new(48_000)), frames };
        feed.shared.has_listeners.store(true, Relaxed);
        let long = vec![0.5; RING_FRAMES - 100];
        feed.push(&long, &long);
        feed.push(&long, &long);
        assert_eq!(feed.frames.slots(), 0);
        feed.push(&[0.5; 16], &[0.5; 16]);
        let dropped = feed.shared.dropped_frames.load(Relaxed);
        assert_eq!(dropped, 2 * long.len() as u64 + 16 - RING_FRAMES as u64, "all dropped frames count");
    }

    #[test]
    fn block_numbers_reveal_dropped_frames() {
        let (tap, mut feed) = Tap::start(48_000).unwrap();
        let mut listener = tap.listen().unwrap();
        let (mut lost, mut next_frame, mut begun_at) = (0, 0, None);
        ramp(&mut feed, RING_FRAMES + 5000, || {
            while let Ok(block) = listener.try_recv() {
                lost += block.first_frame - next_frame;
                next_frame = block.next_frame();
                // The frames' values count up, so a frame's number is its value minus the value of
                // the first frame that arrived.
                let begun_at = *begun_at.get_or_insert(block.frames[0][0]);
                let given = block.frames[block.frames.len() - 1][0] + 1.0 - begun_at;
                if lost > 0 && given as u64 == next_frame {
                    return true;
                }
            }
            false
        });
        assert!(lost >= 5000, "{lost} frames");
        tap.close();
    }

    #[test]
    fn the_number_of_listeners_is_limited() {
        let (tap, _feed) = Tap::start(48_000).unwrap();
        let all: Vec<_> = (0..Tap::MAX_LISTENERS).map(|_| tap.listen().unwrap()).collect();
        assert_eq!(tap.listen().err(), Some(TapFull));
        drop(all);
        assert!(tap.listen().is_ok());
        tap.close();
    }
}
