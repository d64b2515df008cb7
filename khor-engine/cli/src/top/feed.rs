//! What comes from the engine, and what goes to it: one thread reads its event stream and comes back when that ends,
//! one asks for what the stream does not tell and does what keys wish.

use std::{
    io,
    sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    thread,
    time::Duration,
};

use anyhow::Context;
use khor_proto::inert;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::told::{Fleet, Health, Metrics};
use crate::client::Client;

/// Between two attempts to reach an engine that is away.
const RETRY: Duration = Duration::from_secs(1);
/// How often it is asked how it is.
const ASK: Duration = Duration::from_secs(1);

/// What there is to know.
#[derive(Clone, Debug)]
pub(super) enum News {
    /// All there is, on arriving at an engine.
    Arrived(Metrics),
    /// An event of the stream.
    Event(Metrics),
    /// How every part is.
    Health(Health),
    /// The hosts of a site.
    Fleet(Fleet),
    /// What goes on, in one sentence.
    Sentence(String),
    /// The engine is away, and why.
    Lost(String),
    /// What became of a wish.
    Done(String),
}

/// What a key wishes of the engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// Mute, or unmute.
    ToggleMute,
    /// Be silent so long; 0 ends it.
    Snooze { minutes: u32 },
    /// The next preset of the list, or the one before.
    NextPreset,
    /// Likewise.
    PreviousPreset,
}

/// Both ends of the threads, which end with this.
pub(super) struct Feed {
    news: Receiver<News>,
    wishes: Sender<Wish>,
}

impl Feed {
    /// Starts to listen to an engine, which may not be there yet.
    pub(super) fn start(client: Client) -> anyhow::Result<Self> {
        let ((news, coming), (wishes, wished)) = (channel(), channel());
        let (listener, listened) = (client.clone(), news.clone());
        spawn("khor-top-stream", move || follow(&listener, &listened))?;
        spawn("khor-top-ask", move || serve(&client, &wished, &news))?;
        Ok(Self { news: coming, wishes })
    }

    /// What came since the last time.
    pub(super) fn news(&self) -> impl Iterator<Item = News> {
        self.news.try_iter()
    }

    /// Asks for something; what became of it is news.
    pub(super) fn wish(&self, wish: Wish) {
        // Its thread lives as long as this does.
        let _ = self.wishes.send(wish);
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> anyhow::Result<()> {
    thread::Builder::new().name(name.into()).spawn(work).context("starting a thread")?;
    Ok(())
}

/// Reads the stream, again and again, until nobody wants to know.
fn follow(client: &Client, news: &Sender<News>) {
    loop {
        let why = match read(client, news) {
            Ok(()) => "it has ended".to_owned(),
            Err(error) => inert::owned_line(format!("{error}")),
        };
        if news.send(News::Lost(why)).is_err() {
            return;
        }
        thread::sleep(RETRY);
    }
}

/// Until the stream ends.
fn read(client: &Client, news: &Sender<News>) -> anyhow::Result<()> {
    let arrived: Metrics = shaped(client.get("metrics")?)?;
    let lines = client.lines("stream")?;
    if news.send(News::Arrived(arrived)).is_err() {
        return Ok(());
    }
    for data in unnamed(lines) {
        let data = data.context("its event stream broke off")?;
        let event = shaped(serde_json::from_str(&data).context("its event stream is invalid")?)?;
        if news.send(News::Event(event)).is_err() {
            break;
        }
    }
    Ok(())
}

/// The data of the unnamed events, which are the metrics. All other events have a name.
fn unnamed(lines: impl Iterator<Item = io::Result<String>>) -> impl Iterator<Item = io::Result<String>> {
    let mut is_named = false;
    lines.filter_map(move |line| match line {
        Ok(line) => {
            if line.is_empty() || line.starts_with("event:") {
                is_named = !line.is_empty();
            }
            line.strip_prefix("data:").filter(|_| !is_named).map(|data| Ok(data.to_owned()))
        }
        Err(problem) => Some(Err(problem)),
    })
}

/// Does what is wished and asks how the engine is, until nobody wants to know.
fn serve(client: &Client, wished: &Receiver<Wish>, news: &Sender<News>) {
    let mut patience = Duration::ZERO;
    loop {
        match wished.recv_timeout(patience) {
            Ok(wish) => {
                let done = act(client, wish).unwrap_or_else(|error| format!("{error}"));
                if news.send(News::Done(inert::owned_line(done))).is_err() {
                    return;
                }
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        // An engine that is away is the stream's news.
        for item in ask(client).into_iter().flatten().chain(fleet(client)) {
            let _ = news.send(item);
        }
        patience = ASK;
    }
}

fn ask(client: &Client) -> anyhow::Result<[News; 2]> {
    let health = News::Health(shaped(client.get("health")?)?);
    let explanation = client.get("explain")?;
    let sentence = explanation["sentence"].as_str().context("there is no sentence")?;
    Ok([health, News::Sentence(inert::line(sentence).into_owned())])
}

/// An older engine knows of no sites.
fn fleet(client: &Client) -> Option<News> {
    client.get("fleet").and_then(shaped).ok().map(News::Fleet)
}

fn act(client: &Client, wish: Wish) -> anyhow::Result<String> {
    match wish {
        Wish::ToggleMute => {
            let answer = client.post("actions/mute")?;
            Ok(if answer["muted"] == true { "muted" } else { "unmuted" }.to_owned())
        }
        Wish::Snooze { minutes } => {
            client.post(&format!("actions/snooze?minutes={minutes}"))?;
            Ok(if minutes == 0 { "awake".to_owned() } else { format!("silent for {minutes} min") })
        }
        Wish::NextPreset => select(client, 1),
        Wish::PreviousPreset => select(client, -1),
    }
}

/// Selects the preset so many places further in the list, which is a ring.
fn select(client: &Client, places: isize) -> anyhow::Result<String> {
    let list = client.get("presets")?;
    let names: Vec<&str> = list["presets"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|preset| preset["name"].as_str())
        .collect();
    let current = names.iter().position(|name| list["current"] == *name).unwrap_or(0);
    let next = (current as isize + places).rem_euclid(names.len().max(1) as isize) as usize;
    let name = names.get(next).context("there is no preset")?;
    client.post(&format!("preset/select?name={name}"))?;
    Ok(format!("{name} from the next bar on"))
}

/// Parses an answer. Makes its texts inert, because another program may listen at the engine's
/// port.
fn shaped<T: DeserializeOwned>(mut value: Value) -> anyhow::Result<T> {
    make_inert(&mut value);
    serde_json::from_value(value).context("the engine is of another version")
}

/// Replaces the active characters in all texts. Keys stay, because they are never printed.
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
        let shown: Value = shaped(answer).unwrap();
        let inert = "\u{fffd}]52;c;\u{fffd}";
        assert_eq!(shown, serde_json::json!({ "a": [{ "comm": inert }, 1, null], "b": inert }));
    }

    #[test]
    fn named_events_are_not_read_as_metrics() {
        let stream = "data:1\nid:a.1\n\n:\n\nevent:other\ndata:2\n\ndata:3\n\nevent: other\nid:a.2\ndata:4\n\ndata:5\n";
        let lines = stream.lines().map(|line| Ok(line.to_owned()));
        let data: Vec<String> = unnamed(lines).map(Result::unwrap).collect();
        assert_eq!(data, ["1", "3", "5"]);
    }
}
