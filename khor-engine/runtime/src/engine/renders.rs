//! Renders clips for the API in a separate thread, one at a time, and caches the newest clips.
//!
//! A render uses one processor for a fraction of a second. If a client disconnects, its render is
//! cancelled.

use std::{
    hash::{DefaultHasher, Hash, Hasher},
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    thread,
};

use bytes::Bytes;
use khor_config::Config;
use khor_music::{Preset, Settings};
use khor_signal::Scaling;
use khor_source::CaptureError;
use khor_synth::Volume;
use parking_lot::{Mutex, MutexGuard};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use super::{
    clips::Clip,
    settings::{music_settings, scaling, volume},
};
use crate::work_queue::{QueueFull, WorkPermit, WorkQueue};

/// Maximum number of render requests that wait while another render runs. Each open page sends one
/// request at a time.
const MAX_WAITING: usize = 4;
/// Maximum total size of all cached clips, in bytes. It is enough for four clips at 48 kHz, or one
/// at 192 kHz.
const CACHE_BYTES: usize = 12 << 20;
/// Maximum total size of all clips in memory, in bytes. This includes cached clips, the running
/// render, and clips that are still being sent to clients.
const MAX_MEMORY_BYTES: usize = 48 << 20;

/// Renders clips for the API.
pub struct ClipRenderer {
    queue: WorkQueue,
    /// Has one permit for each byte of [`MAX_MEMORY_BYTES`] that no clip uses.
    memory: Arc<Semaphore>,
    cache: Arc<Mutex<ClipCache>>,
}

/// A rendered clip.
#[derive(Clone, Debug)]
pub struct RenderedClip {
    /// The clip as a WAV file.
    pub wav: Bytes,
    /// A hash of the WAV file.
    pub hash: u64,
}

/// Why a clip cannot be rendered.
#[derive(Debug, thiserror::Error)]
pub enum RenderError {
    /// Too many requests are waiting, or too many clips are still being sent to clients.
    #[error(transparent)]
    Busy(#[from] QueueFull),
    /// A built-in capture cannot be read.
    #[error(transparent)]
    Capture(#[from] CaptureError),
    /// The render thread cannot be started.
    #[error("cannot start a thread for the render: {0}")]
    Thread(#[from] io::Error),
    /// The render thread panicked.
    #[error("the render failed because of a bug in khor; khor's log has the cause")]
    Failed,
}

/// Key of the cache: all values that determine the sound of a clip.
#[derive(Clone, Debug, PartialEq)]
struct Key {
    scenario: &'static str,
    preset: Preset,
    settings: Settings,
    scaling: Scaling,
    volume: Volume,
    sample_rate_hz: u32,
}

impl Key {
    fn of(clip: &Clip, config: &Config, preset: &Preset) -> Self {
        Self {
            scenario: clip.scenario,
            preset: preset.clone(),
            settings: music_settings(config),
            scaling: scaling(config),
            volume: volume(config),
            sample_rate_hz: config.audio.sample_rate,
        }
    }
}

/// The cached clips. The most recently requested clip is last.
#[derive(Default)]
struct ClipCache(Vec<(Key, RenderedClip)>);

impl ClipCache {
    fn get(&mut self, key: &Key) -> Option<RenderedClip> {
        let at = self.0.iter().position(|(held, _)| held == key)?;
        let entry = self.0.remove(at);
        let rendered = entry.1.clone();
        self.0.push(entry);
        Some(rendered)
    }

    /// Drops the least recently requested clip. Returns false if the cache is empty.
    fn drop_oldest(&mut self) -> bool {
        let is_some = !self.0.is_empty();
        drop(self.0.drain(..usize::from(is_some)));
        is_some
    }

    fn insert(&mut self, key: Key, rendered: RenderedClip) {
        self.0.push((key, rendered));
        let bytes =
            |cache: &[(Key, RenderedClip)]| cache.iter().map(|(_, clip)| clip.wav.len()).sum::<usize>();
        while bytes(&self.0) > CACHE_BYTES {
            self.drop_oldest();
        }
    }
}

/// Cancels a render when this value is dropped. The caller's future holds the value, so dropping
/// the future cancels the render.
struct CancelOnDrop(Arc<AtomicBool>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        self.0.store(true, Relaxed);
    }
}

impl Default for ClipRenderer {
    fn default() -> Self {
        let memory = Arc::new(Semaphore::new(MAX_MEMORY_BYTES));
        Self { queue: WorkQueue::new(1, MAX_WAITING), memory, cache: Arc::default() }
    }
}

/// The bytes of a WAV file. When the last reader drops them, their memory counts as unused again.
struct ClipBytes {
    wav: Vec<u8>,
    _memory: OwnedSemaphorePermit,
}

impl AsRef<[u8]> for ClipBytes {
    fn as_ref(&self) -> &[u8] {
        &self.wav
    }
}

impl ClipRenderer {
    /// Renders a clip, or returns it from the cache. Dropping the future cancels the render.
    ///
    /// # Errors
    ///
    /// Fails with [`RenderError::Busy`] if too many renders are waiting.
    pub async fn render(
        &self,
        clip: &'static Clip,
        config: Config,
        preset: Preset,
    ) -> Result<RenderedClip, RenderError> {
        let key = Key::of(clip, &config, &preset);
        if let Some(rendered) = lock(&self.cache).get(&key) {
            return Ok(rendered);
        }
        let permit = self.queue.acquire().await?;
        // Look again: while this request waited, an earlier request may have rendered the same
        // clip.
        if let Some(rendered) = lock(&self.cache).get(&key) {
            return Ok(rendered);
        }
        let memory = self.reserve(Clip::max_bytes(&config))?;
        let (sender, receiver) = oneshot::channel();
        let caller = CancelOnDrop(Arc::default());
        let work = RenderJob { clip, config, preset, key, cache: Arc::clone(&self.cache), memory, permit };
        let cancelled = Arc::clone(&caller.0);
        thread::Builder::new().name("khor-render".into()).spawn(move || {
            // Ignore the error: sending fails only if the caller has cancelled the render.
            drop(sender.send(work.run(&cancelled)));
        })?;
        let rendered = receiver.await.map_err(|_| RenderError::Failed)?;
        drop(caller);
        rendered?.ok_or(RenderError::Failed)
    }

    /// Reserves memory for a render. If too little is unused, drops cached clips, the least
    /// recently requested first.
    fn reserve(&self, bytes: usize) -> Result<OwnedSemaphorePermit, QueueFull> {
        loop {
            if let Ok(memory) = Arc::clone(&self.memory).try_acquire_many_owned(bytes as u32) {
                return Ok(memory);
            }
            if !lock(&self.cache).drop_oldest() {
                return Err(QueueFull);
            }
        }
    }
}

struct RenderJob {
    clip: &'static Clip,
    config: Config,
    preset: Preset,
    key: Key,
    cache: Arc<Mutex<ClipCache>>,
    memory: OwnedSemaphorePermit,
    /// The permission to render. The thread holds it until the render ends.
    permit: WorkPermit,
}

impl RenderJob {
    /// Renders the clip and caches it. Returns `None` if the render was cancelled.
    fn run(self, cancelled: &AtomicBool) -> Result<Option<RenderedClip>, CaptureError> {
        let Self { clip, config, preset, key, cache, memory, permit } = self;
        let wav = clip.render(&config, preset, cancelled)?;
        let rendered = wav.map(|wav| {
            let mut hasher = DefaultHasher::new();
            wav.hash(&mut hasher);
            let wav = Bytes::from_owner(ClipBytes { wav, _memory: memory });
            RenderedClip { wav, hash: hasher.finish() }
        });
        if let Some(rendered) = &rendered {
            lock(&cache).insert(key, rendered.clone());
        }
        drop(permit);
        Ok(rendered)
    }
}

fn lock(cache: &Mutex<ClipCache>) -> MutexGuard<'_, ClipCache> {
    cache.lock()
}

#[cfg(test)]
mod tests {
    use futures_util::poll;

    use super::*;
    use crate::engine::CLIPS;

    fn at_8_khz(volume: f32) -> Config {
        let mut config = Config::default();
        (config.audio.sample_rate, config.audio.master_gain) = (8_000, volume);
        config
    }

    fn preset() -> Preset {
        Preset::builtin()[0].clone()
    }

    #[tokio::test]
    async fn the_same_clip_is_rendered_once() {
        let renders = ClipRenderer::default();
        let render = async |volume| renders.render(&CLIPS[0], at_8_khz(volume), preset()).await.unwrap();
        let first = render(0.5).await;
        let again = render(0.5).await;
        assert_eq!(first.wav.as_ptr(), again.wav.as_ptr(), "the second clip comes from the cache");
        let louder = render(0.75).await;
        assert_ne!(first.wav, louder.wav);
        assert_ne!(first.hash, louder.hash);
        let other = renders.render(&CLIPS[0], at_8_khz(0.5), Preset::builtin()[1].clone()).await.unwrap();
        assert_ne!(first.wav, other.wav);
        assert_eq!(lock(&renders.cache).0.len(), 3);
    }

    #[tokio::test]
    async fn dropped_callers_cancel_their_render() {
        let renders = ClipRenderer::default();
        let mut callers: Vec<_> = (0..=MAX_WAITING)
            .map(|i| Box::pin(renders.render(&CLIPS[0], at_8_khz(0.1 + 0.1 * i as f32), preset())))
            .collect();
        for caller in &mut callers {
            assert!(poll!(caller).is_pending());
        }
        let refused = renders.render(&CLIPS[0], at_8_khz(1.0), preset()).await.unwrap_err();
        assert!(matches!(refused, RenderError::Busy(_)), "{refused}");
        let last = callers.pop().unwrap();
        drop(callers);
        // All callers except the last drop their futures, so only the last clip is rendered.
        last.await.unwrap();
        assert_eq!(lock(&renders.cache).0.len(), 1);
    }

    #[tokio::test]
    async fn cached_clips_free_memory() {
        let renders = ClipRenderer::default();
        let render = async |volume| renders.render(&CLIPS[0], at_8_khz(volume), preset()).await;
        let received = render(0.1).await.unwrap();
        let one = MAX_MEMORY_BYTES - renders.memory.available_permits();
        assert_eq!(one, Clip::max_bytes(&at_8_khz(0.1)));
        // Reserve memory so that only one more clip fits.
        let others =
            Arc::clone(&renders.memory).try_acquire_many_owned((MAX_MEMORY_BYTES - 2 * one) as u32).unwrap();
        drop(render(0.2).await.unwrap());
        // The first clip is no longer in the cache, but its memory stays in use, because a reader
        // still has it.
        drop(render(0.3).await.unwrap());
        assert_eq!(lock(&renders.cache).0.len(), 1);
        let third = render(0.3).await.unwrap();
        assert!(matches!(render(0.4).await, Err(RenderError::Busy(_))));
        drop((received, third));
        render(0.4).await.unwrap();
        drop(others);
    }

    #[test]
    fn the_oldest_clips_are_dropped() {
        let mut cache = ClipCache::default();
        let key = |volume| Key::of(&CLIPS[0], &at_8_khz(volume), &preset());
        let rendered = || RenderedClip { wav: vec![0; CACHE_BYTES / 4].into(), hash: 0 };
        for volume in [0.1, 0.2, 0.3, 0.4] {
            cache.insert(key(volume), rendered());
        }
        assert!(cache.get(&key(0.1)).is_some());
        cache.insert(key(0.5), rendered());
        assert!(cache.get(&key(0.1)).is_some() && cache.get(&key(0.2)).is_none());
        assert_eq!(cache.0.len(), 4);
        cache.insert(key(0.6), RenderedClip { wav: vec![0; CACHE_BYTES + 1].into(), hash: 0 });
        assert!(cache.0.is_empty(), "a clip that is too large is not cached");
    }
}
