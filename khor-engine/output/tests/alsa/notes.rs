//! Tests of MIDI notes, as another client receives them: they are on time, and every note ends.

use std::{
    fs,
    process::Command,
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use khor_e2e::wait_until;
use khor_music::Role;
use khor_output::midi::MidiEvent;
use khor_patience::hang_timeout;
use khor_signal::SIGNALS;

use crate::{
    SETTLE, assert_in_time, lock_sequencer, note, open,
    recorder::{Message, Received, assert_matched, messages},
    settings,
};

/// The test sends each note this long before the note's onset. The engine sends its notes about
/// equally early.
const AHEAD: Duration = Duration::from_millis(45);
/// Number of notes that begin at the same time: every note number on each of four channels. They do
/// not all fit into the kernel's queue, which has room for 500 messages.
const ROUND: u16 = 512;
/// Number of threads that keep the processors busy.
const BUSY: usize = 4;

#[test]
fn notes_are_punctual_on_a_busy_machine() {
    let Some((mut recorder, _turn)) = lock_sequencer() else { return };
    let output = open(&mut recorder, settings("khor-time", false));
    lower_priority();
    let start = Instant::now();
    let onsets: Vec<_> = (0..200_u32).map(|i| start + AHEAD + Duration::from_millis(23) * i).collect();
    let stop = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..BUSY {
            scope.spawn(|| {
                while !stop.load(Relaxed) {
                    std::hint::spin_loop();
                }
            });
        }
        for (i, onset) in onsets.iter().enumerate() {
            thread::sleep(onset.saturating_duration_since(Instant::now() + AHEAD));
            note(&output, Role::Melody, 40 + (i % 50) as u8, *onset, Duration::from_millis(40));
            recorder.received();
        }
        stop.store(true, Relaxed);
    });
    let is_off = |received: &&Received| matches!(received.message, Message::Off(..));
    recorder.record_until("all notes", |received| received.iter().filter(is_off).count() >= onsets.len());
    output.stop(hang_timeout());
    let received = recorder.record(SETTLE);
    assert_eq!(assert_matched(received), onsets.len());
    let ons = received.iter().filter(|received| matches!(received.message, Message::On(..)));
    assert_in_time("notes", std::iter::zip(onsets, ons.map(|received| received.at)));
}

/// Lowers the priority of the sending thread, so that the busy threads run first.
fn lower_priority() {
    let tasks = fs::read_dir("/proc/self/task").expect("threads").map(|task| task.expect("a thread").path());
    let ours = tasks.filter(|task| fs::read_to_string(task.join("comm")).is_ok_and(|it| it == "khor-midi\n"));
    for task in ours {
        let tid = task.file_name().expect("a thread id");
        let renice = Command::new("renice").args(["-n", "10", "-p"]).arg(tid).output().expect("renice");
        assert!(renice.status.success(), "{renice:?}");
    }
}

#[test]
fn random_notes_all_get_note_offs() {
    let Some((mut recorder, _turn)) = lock_sequencer() else { return };
    let output = open(&mut recorder, settings("khor-match", false));
    let mut random = fastrand::Rng::with_seed(3);
    for i in 0..400 {
        let onset = Instant::now() + Duration::from_millis(random.u64(0..60));
        let role = Role::ALL[random.usize(0..4)];
        note(&output, role, random.u8(50..54), onset, Duration::from_millis(random.u64(10..3000)));
        if i % 100 == 99 {
            output.send(MidiEvent::AllNotesOff);
        }
        thread::sleep(Duration::from_millis(random.u64(0..10)));
        recorder.received();
    }
    output.stop(hang_timeout());
    let ended: Vec<_> = [1, 2, 3, 10].map(|channel| Message::Controller(channel, 123, 0)).into();
    let received = recorder.record_until("the end", |received| messages(received).ends_with(&ended));
    let notes = assert_matched(received);
    println!("{notes} notes");
    assert!(notes > 200, "{notes}");
    assert_eq!(messages(&received[received.len() - 4..]), ended);
}

#[test]
fn changed_levels_become_controllers() {
    let Some((mut recorder, _turn)) = lock_sequencer() else { return };
    let output = open(&mut recorder, settings("khor-levels", false));
    let mut levels = [None; SIGNALS.len()];
    let named = ["exec", "rx", "tx", "csw", "io", "retx", "irq", "mem"];
    for (i, name) in named.iter().enumerate() {
        let signal = SIGNALS.iter().find(|info| info.name == *name).expect("a signal");
        levels[signal.id.index()] = Some(i as f32 / 127.0);
    }
    let mut expected: Vec<_> = (0..8).map(|i| Message::Controller(1, 20 + i, i)).collect();
    expected.push(Message::Controller(1, 74, 127));
    output.send(MidiEvent::Levels(levels, 1.0));
    let all = |received: &[Received], expected: &[Message]| received.len() >= expected.len();
    assert_eq!(messages(recorder.record_until("levels", |received| all(received, &expected))), expected);
    output.send(MidiEvent::Levels(levels, 0.0));
    expected.push(Message::Controller(1, 74, 0));
    assert_eq!(messages(recorder.record_until("a change", |received| all(received, &expected))), expected);
    output.stop(hang_timeout());
}

#[test]
fn a_panic_ends_every_sound() {
    let Some((mut recorder, _turn)) = lock_sequencer() else { return };
    let output = open(&mut recorder, settings("khor-panic", false));
    let minute = Duration::from_mins(1);
    note(&output, Role::Chords, 50, Instant::now(), minute);
    note(&output, Role::Bass, 40, Instant::now(), minute);
    recorder.record_until("both notes", |received| received.len() >= 2);
    note(&output, Role::Melody, 70, Instant::now() + Duration::from_millis(20), minute);
    note(&output, Role::Melody, 71, Instant::now() + Duration::from_millis(500), minute);
    let panicked_at = Instant::now();
    output.send(MidiEvent::Panic);
    let mut expected = vec![Message::On(3, 50), Message::On(2, 40), Message::Off(2, 40), Message::Off(3, 50)];
    for channel in 1..=16 {
        expected.push(Message::Controller(channel, 120, 0));
        if [2, 3].contains(&channel) {
            expected.push(Message::Controller(channel, 123, 0));
        }
    }
    let without_melody = |received: &[Received]| -> Vec<_> {
        messages(received).into_iter().filter(|message| !is_melody(*message)).collect()
    };
    let received = recorder
        .record_until("silence", |received| without_melody(received).len() >= expected.len())
        .to_vec();
    assert_matched(&received);
    assert_eq!(without_melody(&received), expected);
    let took = received.last().expect("messages").at - panicked_at;
    println!("all messages arrived {took:?} after a panic");
    note(&output, Role::Melody, 60, Instant::now(), Duration::from_millis(50));
    recorder.wait_for(Message::On(1, 60));
    output.stop(hang_timeout());
    let after = &recorder.record(SETTLE)[received.len()..];
    assert!(messages(after).contains(&Message::On(1, 60)), "{after:?}");
    assert_matched(after);
}

/// Whether the message belongs to the melody note 70, whose onset is 20 ms after the test sends it.
/// On a slow machine, the note may begin before the panic. So the test ignores its messages.
fn is_melody(message: Message) -> bool {
    matches!(message, Message::On(1, 70) | Message::Off(1, 70) | Message::Controller(1, 123, _))
}

#[test]
fn an_overfull_kernel_leaves_no_hanging_notes() {
    let Some((mut recorder, _turn)) = lock_sequencer() else { return };
    let output = open(&mut recorder, settings("khor-full", false));
    let length = Duration::from_millis(200);
    // A round has more notes than fit into the kernel's queue. The second round begins when the
    // notes of the first one end.
    let onset = Instant::now() + Duration::from_millis(200);
    for round in 0..2 {
        for i in 0..ROUND {
            let (role, midi) = (Role::ALL[usize::from(i) % 4], (i / 4) as u8);
            note(&output, role, midi, onset + round * length, length);
        }
        recorder.record(length);
    }
    recorder.record(2 * length);
    assert!(output.health().ok, "{:?}", output.health());
    output.stop(hang_timeout());
    let notes = assert_matched(recorder.record(SETTLE));
    println!("{notes} of {} notes arrived", 2 * ROUND);
    assert!(notes >= usize::from(ROUND), "{notes}");
}

#[test]
fn only_a_new_name_reopens_the_port() {
    let Some((mut recorder, _turn)) = lock_sequencer() else { return };
    let output = open(&mut recorder, settings("khor-one", false));
    let mut other = settings("khor-one", true);
    other.melody_channel = 7;
    output.send(MidiEvent::Settings(Some(other)));
    note(&output, Role::Melody, 60, Instant::now(), Duration::from_mins(5));
    recorder.wait_for(Message::On(7, 60));
    output.send(MidiEvent::Settings(Some(settings("khor-two", false))));
    wait_until("the other port", || recorder.find("khor-two").is_some());
    let received: Vec<Received> =
        recorder.record_until("the note's end", |received| received.len() >= 3).to_vec();
    let expected = [Message::On(7, 60), Message::Off(7, 60), Message::Controller(7, 123, 0)];
    assert_eq!(messages(&received), expected, "the note ended before the port closed");
    assert!(recorder.find("khor-one").is_none());
    output.send(MidiEvent::Settings(None));
    wait_until("no port", || recorder.find("khor-two").is_none() && !output.health().enabled);
    output.stop(hang_timeout());
}
