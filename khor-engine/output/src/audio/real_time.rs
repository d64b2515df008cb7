//! Tests that the audio callback is real-time safe at all buffer lengths and sample rates. One test
//! counts allocations. Another test runs the callback in a process that the kernel kills at its
//! first system call.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use assert_no_alloc::{AllocDisabler, assert_no_alloc, violation_count};
use khor_music::{Controls, Instrument, Preset, Role};
use khor_synth::{SynthNote, Volume};
use nix::{
    libc,
    sys::wait::{WaitPidFlag, WaitStatus, waitpid},
    unistd::{ForkResult, fork},
};
use rtrb::{Producer, RingBuffer};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter};
use tokio::sync::broadcast::{Receiver, error::RecvError};

use super::{
    callback_state::CallbackState,
    renderer::{Command, Renderer},
    tap::{Block, Tap},
};

#[global_allocator]
static ALLOCATOR: AllocDisabler = AllocDisabler;

const RATES_HZ: [u32; 4] = [44_100, 48_000, 96_000, 192_000];
const CHANNELS: [usize; 3] = [1, 2, 6];
const LENGTHS: [usize; 6] = [16, 100, 441, 1024, 2000, 8192];

/// Creates a renderer, the producer of its commands, and its tap.
fn renderer_with_listener(rate_hz: u32) -> (Renderer, Producer<Command>, Tap) {
    let (commands, receiver) = RingBuffer::new(1024);
    let (tap, feed) = Tap::start(rate_hz).unwrap();
    (Renderer::new(rate_hz, receiver, Arc::new(CallbackState::new(rate_hz)), feed), commands, tap)
}

/// Plays silence until the tap's listener receives it.
fn wait_for_listener(blocks: &mut Receiver<Block>, renderer: &mut Renderer) {
    let deadline = Instant::now() + Duration::from_secs(5);
    while blocks.try_recv().is_err() {
        assert!(Instant::now() < deadline, "no block arrives at the listener");
        renderer.fill(&mut [0.0; 32], 2, 0.0);
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Renders `rounds` blocks whose lengths and numbers of channels vary, and meanwhile sends every
/// kind of command. Returns the highest absolute value of the samples, or NaN if a sample was NaN.
fn play(renderer: &mut Renderer, commands: &mut Producer<Command>, buffer: &mut [f32], rounds: u32) -> f32 {
    let mut peak = 0.0_f32;
    let mut frame = 0;
    for round in 0..rounds {
        let mut push = |command| assert!(commands.push(command).is_ok());
        let preset = &Preset::builtin()[round as usize % Preset::builtin().len()];
        for (instrument, patch) in std::iter::zip(Instrument::ALL, preset.patches()) {
            push(Command::Patch(instrument, patch));
        }
        for i in 0..12 {
            push(Command::Note(SynthNote {
                onset_frame: frame + 37 * i,
                duration_frames: 9000,
                midi: 36 + (7 * i + u64::from(round)) as u8 % 60,
                velocity: 0.9,
                pan: 0.3,
                brightness: 0.5,
                instrument: Instrument::ALL[i as usize],
                role: Role::Melody,
            }));
        }
        let vowel = (round % 5) as f32 / 4.0;
        push(Command::Controls(Controls { brightness: 0.7, reverb: 0.6, delay: 0.5, echo_s: 0.3, vowel }));
        push(Command::Volume(Volume { master_gain: (round % 3) as f32 / 2.0, loudness_lufs: -16.0 }));
        push(Command::Muted(round % 11 == 10));
        if round % 13 == 12 {
            push(Command::AllNotesOff);
        }
        let channels = CHANNELS[round as usize % CHANNELS.len()];
        let out = &mut buffer[..channels * LENGTHS[round as usize % LENGTHS.len()]];
        renderer.fill(out, channels, 0.05);
        frame += (out.len() / channels) as u64;
        // `f32::max` would forget a NaN.
        peak = out.iter().fold(peak, |peak, x| if x.abs() < peak || peak.is_nan() { peak } else { x.abs() });
    }
    peak
}

#[test]
fn the_callback_never_allocates() {
    for rate_hz in RATES_HZ {
        let (mut renderer, mut commands, tap) = renderer_with_listener(rate_hz);
        let mut blocks = tap.listen().unwrap();
        wait_for_listener(&mut blocks, &mut renderer);
        let mut buffer = vec![0.0; 6 * 8192];
        Preset::builtin(); // The first call parses the presets, which allocates.
        let before = violation_count();
        let peak = assert_no_alloc(|| play(&mut renderer, &mut commands, &mut buffer, 200));
        assert_eq!(violation_count(), before, "{rate_hz} Hz");
        assert!(peak > 0.05 && peak <= 1.0, "{rate_hz} Hz: {peak}");
        khor_patience::progress("waiting for a block");
        let block = blocks.blocking_recv();
        assert!(
            matches!(block, Ok(_) | Err(RecvError::Lagged(_))),
            "the listener receives the sound: {block:?}"
        );
    }
}

/// A seccomp filter that allows only two things: to end the process, and to read the clock. Reading
/// the clock is a system call only if the kernel does not map the clock into the process.
fn filter() -> BpfProgram {
    let allowed = [libc::SYS_exit_group, libc::SYS_clock_gettime];
    let arch = std::env::consts::ARCH.try_into().expect("an architecture with seccomp filters");
    let rules = allowed.into_iter().map(|call| (call, Vec::new())).collect();
    let filter = SeccompFilter::new(rules, SeccompAction::KillProcess, SeccompAction::Allow, arch);
    filter.expect("a valid filter").try_into().expect("a valid program")
}

/// Runs `work` in a child process, which the kernel kills at its first system call. `work` must not
/// allocate or take a lock that another thread may hold.
fn without_system_calls(work: impl FnOnce() -> bool) -> WaitStatus {
    let filter = filter();
    // SAFETY: the child only applies the filter, does the work and exits. It takes no lock and
    // allocates nothing.
    match unsafe { fork() }.expect("a process") {
        ForkResult::Child => {
            let held = seccompiler::apply_filter(&filter).is_ok() && work();
            // SAFETY: ends the process without running exit handlers.
            unsafe { libc::_exit(i32::from(!held)) }
        }
        ForkResult::Parent { child } => {
            for _ in 0..600 {
                match waitpid(child, Some(WaitPidFlag::WNOHANG)).expect("its state") {
                    WaitStatus::StillAlive => std::thread::sleep(Duration::from_millis(100)),
                    ended => return ended,
                }
            }
            panic!("the child process hangs");
        }
    }
}

#[test]
fn the_callback_makes_no_system_call() {
    let (mut renderer, mut commands, tap) = renderer_with_listener(48_000);
    let mut blocks = tap.listen().unwrap();
    wait_for_listener(&mut blocks, &mut renderer);
    let mut buffer = vec![0.0; 6 * 8192];
    Preset::builtin();
    let ended = without_system_calls(|| play(&mut renderer, &mut commands, &mut buffer, 200) > 0.05);
    assert!(matches!(ended, WaitStatus::Exited(_, 0)), "{ended:?}");
    // Check that the seccomp filter works: it must kill a process that makes a system call.
    let ended = without_system_calls(|| {
        std::thread::yield_now();
        true
    });
    assert!(matches!(ended, WaitStatus::Signaled(_, nix::sys::signal::Signal::SIGSYS, _)), "{ended:?}");
}
