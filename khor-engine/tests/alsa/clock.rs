//! MIDI clock as a follower hears it.

use std::{
    thread,
    time::{Duration, Instant},
};

use khor_engine::output::midi::{Event, Output};

use crate::{
    SETTLE, assert_in_time, open,
    recorder::{Heard, Message, messages},
    turn, wanted,
};

/// Tells of steps, 45 ms ahead of each, beginning with the `first` of a bar at `at`; returns the end of the last.
fn play(output: &Output, first: usize, at: Instant, lengths: &[Duration]) -> Instant {
    lengths.iter().enumerate().fold(at, |at, (i, &length)| {
        thread::sleep(at.saturating_duration_since(Instant::now() + Duration::from_millis(45)));
        output.send(Event::Step { at, length, bar_start: (first + i).is_multiple_of(16) });
        at + length
    })
}

fn clocks(heard: &[Heard]) -> Vec<Instant> {
    heard.iter().filter(|heard| heard.message == Message::Clock).map(|heard| heard.at).collect()
}

#[test]
fn clocks_divide_steps_evenly_through_a_change_of_tempo_and_stop_at_a_gap() {
    let Some((mut recorder, _turn)) = turn() else { return };
    let output = open(&mut recorder, wanted("khor-clock", true));
    let at = Instant::now() + Duration::from_millis(60);
    let (slow, fast) = (Duration::from_millis(150), Duration::from_millis(90));
    let lengths = [[slow; 12], [fast; 12]].concat();
    let end = play(&output, 12, at, &lengths);
    let bar_line = at + 4 * slow;
    // Half a second is skipped.
    let resumed = end + Duration::from_millis(500);
    play(&output, 14, resumed, &[fast; 4]);
    recorder.listen(SETTLE);
    output.send(Event::Wanted(Some(wanted("khor-clock", false))));
    play(&output, 0, Instant::now() + Duration::from_millis(60), &[fast; 2]);
    let heard = recorder.listen(SETTLE).to_vec();
    output.stop(SETTLE);

    let heard_messages = messages(&heard);
    let ours = 6 * (lengths.len() - 4);
    let mut expected = vec![Message::Start];
    expected.extend(vec![Message::Clock; ours]);
    expected.extend([Message::Stop, Message::Start]);
    expected.extend([Message::Clock; 12]);
    expected.push(Message::Stop);
    assert_eq!(heard_messages, expected);
    let due = lengths[4..].iter().flat_map(|&length| [length / 6; 6]).scan(bar_line, |at, length| {
        let due = *at;
        *at += length;
        Some(due)
    });
    assert_in_time("clocks", std::iter::zip(due, clocks(&heard)));
}
