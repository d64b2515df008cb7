//! Schedules MIDI clock: 24 messages in each quarter note, aligned with the steps of the music.
//! Also starts and stops the clock's followers, which are the instruments that play at khor's
//! tempo.

use std::time::Duration;

use alsa::seq::Addr;

use super::schedule::{Message, Schedule};

/// Number of clock messages in a step. A step is a sixteenth note, and a quarter note has 24 clock
/// messages.
const CLOCKS_PER_STEP: u32 = 6;
/// Maximum time between the end of a step and the beginning of the next one. A longer gap means
/// that steps were skipped or lost. Corrections of the queue's time cause only shorter gaps.
const GAP: Duration = Duration::from_millis(5);
/// Time between the start message and the bar line. Followers need this time to prepare for the
/// first clock message, which is due on the bar line.
const START_AHEAD: Duration = Duration::from_millis(1);

/// A step of the music. Its times are times of the sequencer's queue.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) at: Duration,
    pub(super) length: Duration,
    pub(super) bar_start: bool,
}

/// The state of the clock and its followers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Clock {
    /// The clock is off: khor sends no clock messages.
    #[default]
    Off,
    /// The followers are stopped until the next bar line.
    Standing,
    /// The followers run. Clock messages are scheduled up to `until`.
    Running { until: Duration },
}

impl Clock {
    /// Creates a clock. If `enabled`, the clock starts at the next bar line; otherwise it is off.
    pub(super) fn new(enabled: bool) -> Self {
        if enabled { Self::Standing } else { Self::Off }
    }

    /// Schedules the clock messages of a step, evenly spaced. Stops the followers after a gap,
    /// because their position is then wrong, and khor can restart them only at a bar line.
    /// `new_subscribers` lists the clients that have subscribed since the last bar line. A client
    /// that receives the start message is removed from that list.
    pub(super) fn step(&mut self, step: Step, new_subscribers: &mut Vec<Addr>, schedule: &mut Schedule) {
        if let Self::Running { until } = *self
            && until.abs_diff(step.at) > GAP
        {
            schedule.add(until.min(step.at), Message::Stop);
            *self = Self::Standing;
        }
        let start_at = step.at.saturating_sub(START_AHEAD);
        match self {
            Self::Off => return,
            Self::Standing if !step.bar_start => return,
            Self::Standing => {
                schedule.add(start_at, Message::Start);
                new_subscribers.clear();
            }
            Self::Running { .. } if step.bar_start => {
                for subscriber in new_subscribers.drain(..) {
                    schedule.add(start_at, Message::StartFor(subscriber));
                }
            }
            Self::Running { .. } => {}
        }
        for i in 0..CLOCKS_PER_STEP {
            schedule.add(step.at + step.length * i / CLOCKS_PER_STEP, Message::Clock);
        }
        *self = Self::Running { until: step.at + step.length };
    }

    /// Switches the clock off. If followers run, schedules a stop message at `cut`. Before this
    /// call, withdraw from the kernel all clock messages that are due at `cut` or later.
    pub(super) fn stop(&mut self, cut: Duration, schedule: &mut Schedule) {
        let was = std::mem::take(self);
        if was != Self::Off {
            schedule.drop_transport();
        }
        if let Self::Running { .. } = was {
            schedule.add(cut, Message::Stop);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn drain(schedule: &mut Schedule) -> Vec<(Duration, Message)> {
        let mut drained = Vec::new();
        while let Some(due) = schedule.next(Duration::MAX) {
            schedule.accepted(due);
            drained.push((due.at, due.message));
        }
        drained
    }

    /// Plays steps of these lengths (milliseconds), beginning at `at`. `first` is the number of the
    /// first step. Returns the end of the last step.
    fn play(
        clock: &mut Clock,
        schedule: &mut Schedule,
        first: usize,
        at: Duration,
        lengths: &[u64],
    ) -> Duration {
        lengths.iter().enumerate().fold(at, |at, (i, &length)| {
            let step = Step { at, length: ms(length), bar_start: (first + i).is_multiple_of(16) };
            clock.step(step, &mut Vec::new(), schedule);
            at + ms(length)
        })
    }

    #[test]
    fn clocks_start_at_bars_and_follow_tempo() {
        let (mut clock, mut schedule) = (Clock::new(true), Schedule::default());
        let lengths: Vec<u64> = (0..10).map(|_| 120).chain((0..10).map(|i| 60 + 12 * i)).collect();
        play(&mut clock, &mut schedule, 10, ms(1000), &lengths);
        let sent = drain(&mut schedule);
        let bar_line = ms(1720);
        assert_eq!(sent[..2], [(ms(1719), Message::Start), (bar_line, Message::Clock)]);
        assert_eq!(sent.len(), 1 + 6 * (lengths.len() - 6));
        let mut expected = bar_line;
        for (length, clocks) in lengths[6..].iter().zip(sent[1..].chunks(6)) {
            for (at, message) in clocks {
                assert_eq!((*at, *message), (expected, Message::Clock));
                expected += ms(*length) / 6;
            }
        }
    }

    #[test]
    fn a_gap_stops_followers_until_a_bar() {
        let (mut clock, mut schedule) = (Clock::new(true), Schedule::default());
        let end = play(&mut clock, &mut schedule, 0, ms(0), &[120; 3]);
        play(&mut clock, &mut schedule, 15, end + ms(240), &[120; 2]);
        let sent = drain(&mut schedule);
        let of = |wanted| sent.iter().filter(|sent| sent.1 == wanted).map(|sent| sent.0).collect::<Vec<_>>();
        assert_eq!(of(Message::Stop), [end]);
        assert_eq!(of(Message::Start), [ms(0), ms(719)]);
        assert_eq!(of(Message::Clock).len(), 6 * 4);
        assert_eq!(of(Message::Clock)[18], ms(720), "there is no clock between stop and start");
    }

    #[test]
    fn a_late_subscriber_starts_at_a_bar() {
        let (mut clock, mut schedule) = (Clock::new(true), Schedule::default());
        let late = Addr { client: 130, port: 0 };
        let mut new_subscribers = vec![late];
        let mut step = |nth: u64, new_subscribers: &mut Vec<Addr>| {
            let step = Step { at: ms(100 + 120 * nth), length: ms(120), bar_start: nth.is_multiple_of(16) };
            clock.step(step, new_subscribers, &mut schedule);
        };
        step(0, &mut new_subscribers);
        assert_eq!(new_subscribers, [], "the subscriber receives the common start");
        new_subscribers.push(late);
        (1..=32).for_each(|nth| step(nth, &mut new_subscribers));
        let mut sent = drain(&mut schedule);
        sent.retain(|(_, message)| *message != Message::Clock);
        assert_eq!(sent, [(ms(99), Message::Start), (ms(2019), Message::StartFor(late))]);
    }

    #[test]
    fn a_stopped_clock_sends_one_stop() {
        let (mut clock, mut schedule) = (Clock::new(true), Schedule::default());
        play(&mut clock, &mut schedule, 0, ms(0), &[120]);
        clock.stop(ms(0), &mut schedule);
        clock.stop(ms(0), &mut schedule);
        assert_eq!(drain(&mut schedule), [(ms(0), Message::Stop)]);
        play(&mut clock, &mut schedule, 0, ms(0), &[120]);
        assert_eq!(drain(&mut schedule), [], "the clock is off");
    }
}
