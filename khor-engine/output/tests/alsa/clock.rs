//! Tests of MIDI clock, as a follower of the clock receives it.

use std::{
    thread,
    time::{Duration, Instant},
};

use khor_output::midi::{MidiEvent, MidiOutput};
use khor_patience::hang_timeout;
use khor_signal::SignalId;

use crate::{
    SETTLE, assert_in_time, lock_sequencer, open,
    recorder::{Message, Received, Recorder, messages},
    settings,
};

/// Sends steps of these lengths, each of them 45 ms before it begins. The first step begins at `at`
/// and has the number `first`; a bar has 16 steps. Returns the end of the last step.
fn play(output: &MidiOutput, first: usize, at: Instant, lengths: &[Duration]) -> Instant {
    lengths.iter().enumerate().fold(at, |at, (i, &length)| {
        thread::sleep(at.saturating_duration_since(Instant::now() + Duration::from_millis(45)));
        output.send(MidiEvent::Step { at, length, bar_start: (first + i).is_multiple_of(16) });
        at + length
    })
}

fn clocks(received: &[Received]) -> Vec<Instant> {
    received
        .iter()
        .filter(|received| received.message == Message::Clock)
        .map(|received| received.at)
        .collect()
}

#[test]
fn clocks_follow_tempo_and_stop_at_gaps() {
    let Some((mut recorder, _turn)) = lock_sequencer() else { return };
    let output = open(&mut recorder, settings("khor-clock", true));
    let at = Instant::now() + Duration::from_millis(60);
    let (slow, fast) = (Duration::from_millis(150), Duration::from_millis(90));
    let lengths = [[slow; 12], [fast; 12]].concat();
    let end = play(&output, 12, at, &lengths);
    let bar_line = at + 4 * slow;
    // The music continues after half a second without steps.
    let resumed = end + Duration::from_millis(500);
    play(&output, 14, resumed, &[fast; 4]);
    recorder.record(SETTLE);
    output.send(MidiEvent::Settings(Some(settings("khor-clock", false))));
    play(&output, 0, Instant::now() + Duration::from_millis(60), &[fast; 2]);
    let received = recorder.record(SETTLE).to_vec();
    output.stop(hang_timeout());

    let received_messages = messages(&received);
    let ours = 6 * (lengths.len() - 4);
    let mut expected = vec![Message::Start];
    expected.extend(vec![Message::Clock; ours]);
    expected.extend([Message::Stop, Message::Start]);
    expected.extend([Message::Clock; 12]);
    expected.push(Message::Stop);
    assert_eq!(received_messages, expected);
    let due = lengths[4..].iter().flat_map(|&length| [length / 6; 6]).scan(bar_line, |at, length| {
        let due = *at;
        *at += length;
        Some(due)
    });
    assert_in_time("clocks", std::iter::zip(due, clocks(&received)));
}

#[test]
fn a_late_subscriber_gets_bar_and_controllers() {
    let Some((mut first, _turn)) = lock_sequencer() else { return };
    let output = open(&mut first, settings("khor-late", true));
    let levels = [Some(0.25); SignalId::COUNT];
    let step = Duration::from_millis(125);
    let mut at = Instant::now() + Duration::from_millis(60);
    output.send(MidiEvent::Levels(levels, 0.5));
    at = play(&output, 0, at, &[step; 4]);
    let mut late = Recorder::open().expect("a second client");
    late.subscribe("khor-late");
    // These steps contain a bar line, and last longer than the interval at which khor checks for
    // new subscribers.
    for nth in 4..20 {
        at = play(&output, nth, at, &[step]);
        output.send(MidiEvent::Levels(levels, 0.5));
    }
    late.record(SETTLE);
    let (first, late) = (messages(first.record(SETTLE)), messages(late.received()));
    output.stop(hang_timeout());
    let count = |of: &[Message], settings| of.iter().filter(|message| **message == settings).count();
    assert_eq!((count(&first, Message::Start), count(&late, Message::Start)), (1, 1));
    let after_start = late.iter().skip_while(|message| **message != Message::Start);
    assert_eq!(
        after_start.filter(|message| **message == Message::Clock).count(),
        4 * 6,
        "the clocks of the new bar"
    );
    for controller in (20..28).chain([74]) {
        let value = if controller == 74 { 64 } else { 32 };
        assert!(count(&late, Message::Controller(1, controller, value)) >= 1, "controller {controller}");
    }
}
