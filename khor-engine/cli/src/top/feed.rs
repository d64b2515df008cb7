//! Receives events from the engine and sends actions to it. One thread reads the stream of changes,
//! and reconnects when the stream ends. Another thread sends actions, and polls the hosts of a
//! site, because the stream does not contain them.

use std::{
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread,
    time::Duration,
};

use anyhow::Context;
use khor_api::{
    FleetReport, HealthReport, MetricsReport, Muted, PresetList, PresetSelected, Snoozed, StreamEvent,
    StreamState,
};
use khor_proto::inert;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::changes::{changes, metrics};
use crate::client::Client;

/// Time between two attempts to connect to the engine.
const RETRY: Duration = Duration::from_secs(1);
/// Time between two polls of the hosts.
const POLL_INTERVAL: Duration = Duration::from_secs(1);

/// An event from the engine.
#[derive(Clone, Debug)]
pub(super) enum EngineEvent {
    /// khor top has connected to an engine. Contains the complete state of the engine.
    Connected(MetricsReport),
    /// New values from the event stream.
    Metrics(MetricsReport),
    /// A new report about the state of each part of the engine.
    Health(Box<HealthReport>),
    /// A new report about the hosts of the site.
    Fleet(FleetReport),
    /// A new sentence about the machine's activity.
    Sentence(String),
    /// The connection was lost. The text states the reason.
    Disconnected(String),
    /// The result of an action.
    ActionDone(String),
}

/// An action that a key requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Action {
    ToggleMute,
    /// Mutes for some minutes. 0 ends a snooze.
    Snooze {
        minutes: u32,
    },
    NextPreset,
    PreviousPreset,
}

/// Receives events from the two threads that exchange data with the engine, and sends actions to
/// one of them. The threads end when the feed is dropped.
pub(super) struct Feed {
    events: Receiver<EngineEvent>,
    actions: Sender<Action>,
}

impl Feed {
    /// Starts the threads. If no engine is running yet, the threads wait for one.
    pub(super) fn start(client: Client) -> anyhow::Result<Self> {
        let (event_sender, events) = channel();
        let (actions, action_receiver) = channel();
        let (stream_client, stream_events) = (client.clone(), event_sender.clone());
        spawn("khor-top-stream", move || follow_stream(&stream_client, &stream_events))?;
        spawn("khor-top-ask", move || poll_and_act(&client, &action_receiver, &event_sender))?;
        Ok(Self { events, actions })
    }

    /// Returns all events that arrived since the last call.
    pub(super) fn events(&self) -> impl Iterator<Item = EngineEvent> {
        self.events.try_iter()
    }

    /// Sends an action. Its result arrives as [`EngineEvent::ActionDone`].
    pub(super) fn send(&self, action: Action) {
        // Sending cannot fail, because the thread lives as long as this feed.
        let _ = self.actions.send(action);
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> anyhow::Result<()> {
    thread::Builder::new()
        .name(name.into())
        .spawn(work)
        .with_context(|| format!("cannot start the thread {name}"))?;
    Ok(())
}

/// Reads the event stream until the feed is dropped. Reconnects when the stream ends.
fn follow_stream(client: &Client, events: &Sender<EngineEvent>) {
    loop {
        let why = match read_stream(client, events) {
            Ok(()) => "the event stream ended".to_owned(),
            Err(error) => inert::owned_line(format!("{error}")),
        };
        if events.send(EngineEvent::Disconnected(why)).is_err() {
            return;
        }
        thread::sleep(RETRY);
    }
}

/// Connects once, and reads the event stream until it ends.
fn read_stream(client: &Client, events: &Sender<EngineEvent>) -> anyhow::Result<()> {
    let arrived: MetricsReport = parse(client.get("metrics")?)?;
    let lines = client.lines("stream?events=changes")?;
    if events.send(EngineEvent::Connected(arrived)).is_err() {
        return Ok(());
    }
    let mut state = StreamState::default();
    for data in changes(lines) {
        let change = parse(
            serde_json::from_str(&data?)
                .context("khor top cannot read the engine's event stream: restart the engine")?,
        )?;
        if let Some(event) = engine_event(&mut state, change)
            && events.send(event).is_err()
        {
            break;
        }
    }
    Ok(())
}

/// Applies a change to the state. Returns an event if the screen must change immediately. Most
/// changes become visible when the next values arrive.
fn engine_event(state: &mut StreamState, change: StreamEvent) -> Option<EngineEvent> {
    match &change {
        StreamEvent::Health(health) => Some(EngineEvent::Health(health.clone())),
        StreamEvent::Sentence(report) => Some(EngineEvent::Sentence(report.sentence.clone())),
        StreamEvent::Values(_) => {
            state.apply(change);
            metrics(state).map(EngineEvent::Metrics)
        }
        _ => {
            state.apply(change);
            None
        }
    }
}

/// Sends actions and polls the hosts of a site, until the feed is dropped.
fn poll_and_act(client: &Client, actions: &Receiver<Action>, events: &Sender<EngineEvent>) {
    let mut timeout = Duration::ZERO;
    loop {
        match actions.recv_timeout(timeout) {
            Ok(action) => {
                let done = perform(client, action).unwrap_or_else(|error| format!("{error}"));
                if events.send(EngineEvent::ActionDone(inert::owned_line(done))).is_err() {
                    return;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        // Ignore errors here, because the other thread reports a lost connection.
        if let Some(fleet) = poll_fleet(client) {
            let _ = events.send(fleet);
        }
        timeout = POLL_INTERVAL;
    }
}

/// Requests the hosts of the site. Returns `None` if the engine does not answer or does not support
/// sites.
fn poll_fleet(client: &Client) -> Option<EngineEvent> {
    client.get("fleet").and_then(parse).ok().map(EngineEvent::Fleet)
}

fn perform(client: &Client, action: Action) -> anyhow::Result<String> {
    match action {
        Action::ToggleMute => {
            let Muted { muted, .. } = client.post("actions/mute")?;
            Ok(if muted { "muted" } else { "unmuted" }.to_owned())
        }
        Action::Snooze { minutes } => {
            client.post::<Snoozed>(&format!("actions/snooze?minutes={minutes}"))?;
            Ok(if minutes == 0 { "snooze ended".to_owned() } else { format!("muted for {minutes} min") })
        }
        Action::NextPreset => select(client, 1),
        Action::PreviousPreset => select(client, -1),
    }
}

/// Selects the preset that is `places` positions after the current one. The list wraps around.
fn select(client: &Client, places: isize) -> anyhow::Result<String> {
    let PresetList { presets, current, .. } = client.get("presets")?;
    let current = presets.iter().position(|preset| preset.name == current).unwrap_or(0);
    let next = (current as isize + places).rem_euclid(presets.len().max(1) as isize) as usize;
    let name = &presets.get(next).context("the engine has no presets")?.name;
    client.post::<PresetSelected>(&format!("preset/select?name={name}"))?;
    Ok(format!("{name} plays from the next bar"))
}

/// Parses an answer, and makes its texts safe to print. Another program may use the engine's port.
fn parse<T: DeserializeOwned>(mut value: Value) -> anyhow::Result<T> {
    make_inert(&mut value);
    serde_json::from_value(value)
        .context("khor top and the engine have different versions: restart the engine")
}

/// In all texts of a JSON value, replaces the characters that could control the terminal. Keys of
/// objects stay unchanged, because khor never prints them.
fn make_inert(value: &mut Value) {
    match value {
        Value::String(text) => *text = inert::owned_line(std::mem::take(text)),
        Value::Array(values) => values.iter_mut().for_each(make_inert),
        Value::Object(fields) => fields.values_mut().for_each(make_inert),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_of_an_answer_are_inert() {
        let hostile = "\u{1b}]52;c;\u{202e}";
        let answer = serde_json::json!({ "a": [{ "comm": hostile }, 1, null], "b": hostile });
        let shown: Value = parse(answer).unwrap();
        let inert = "\u{fffd}]52;c;\u{fffd}";
        assert_eq!(shown, serde_json::json!({ "a": [{ "comm": inert }, 1, null], "b": inert }));
    }
}
