//! `GET /metrics`: metrics as text, for Prometheus and compatible scrapers. A metric whose value is
//! missing is omitted.

use std::fmt;

use khor_api::{HealthReport, HostReport, HostState, SignalReport};
use khor_http::MetricsFormat;
use khor_proto::Unit;
use khor_signal::{Counter, Counters};
use khor_source::SourceKind;
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeCounterValue, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
    registry::Registry,
};
use warp::{http::StatusCode, reply::Response};

use super::{
    call::Call,
    reply::Failure,
    table::{Answer, Content, Operation, get},
};
use crate::engine::Measures;

/// Defines the operation `GET /metrics`.
pub(super) fn operation() -> Operation {
    get("/metrics", "Counters and gauges for Prometheus. `Accept` selects its text format or OpenMetrics")
        .at_once(metrics)
}

/// The answer to `GET /metrics`: the format and the text of the metrics.
struct Exposition(MetricsFormat, String);

impl Answer for Exposition {
    const CONTENT: Content = Content {
        also: &[MetricsFormat::OpenMetrics.kind()],
        ..Content::of(MetricsFormat::Prometheus.kind())
    };

    fn into_response(self) -> Response {
        self.0.reply(self.1)
    }
}

fn metrics(call: Call) -> Result<Exposition, Failure> {
    let streams = call.context.feeds.open();
    let measured = Measured { measures: call.engine().measures(), streams };
    let format = MetricsFormat::asked(&call.headers);
    text(measured, format).map(|text| Exposition(format, text)).map_err(|problem| {
        Failure::new(StatusCode::INTERNAL_SERVER_ERROR, format!("cannot write the metrics: {problem}"))
    })
}

/// The values of all metrics at one moment.
#[derive(Debug)]
struct Measured {
    measures: Measures,
    /// Number of open event streams.
    streams: usize,
}

fn text(measured: Measured, format: MetricsFormat) -> Result<String, fmt::Error> {
    let mut registry = Registry::with_prefix("khor");
    registry.register_collector(Box::new(measured));
    format.write(&registry)
}

impl Collector for Measured {
    fn encode(&self, encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let Self { measures, streams } = self;
        let mut writer = MetricsWriter(encoder);
        if let Some(counters) = &measures.counters {
            let scope = &measures.health.scope;
            kernel(&mut writer, counters, (!scope.is_machine).then_some(&*scope.whose))?;
        }
        signals(&mut writer, measures)?;
        let cues = measures.cues.iter().map(|(kind, count)| ([("kind", *kind)], *count));
        writer.counters("cues", "Number of cues that khor received, by kind.", cues)?;
        let lost = measures.metrics.totals.events_dropped.unwrap_or(0);
        writer.counter(
            "cues_lost",
            "Number of cues that the kernel or the collector dropped, because too many arrived at once.",
            lost,
        )?;
        source(&mut writer, &measures.health)?;
        if measures.fleet.site.is_some() {
            fleet(&mut writer, measures)?;
        }
        sound(&mut writer, &measures.health)?;
        writer.gauge(
            "listeners",
            "Number of clients that listen to the sound. A running recording counts as one.",
            measures.health.listen.listeners as f64,
        )?;
        writer.gauge("event_streams", "Number of open event streams.", *streams as f64)
    }
}

/// Writes the totals of the kernel's counters, in base units such as seconds and bytes. Each scope
/// has its own totals, so the name of the scope is a label.
fn kernel(writer: &mut MetricsWriter<'_>, counters: &Counters, scope: Option<&str>) -> fmt::Result {
    for counter in Counter::ALL {
        let Some(count) = counters[counter.index()] else { continue };
        let (name, help) = (counter.name(), counter.summary());
        let seconds = |suffix: &str, per_second: f64| {
            let name = name.strip_suffix(suffix).unwrap_or(name);
            (format!("{name}_seconds"), count as f64 / per_second)
        };
        match counter.unit() {
            Unit::Microseconds => {
                let (name, count) = seconds("_us", 1e6);
                writer.scoped(&name, help, count, scope)?;
            }
            Unit::Nanoseconds => {
                let (name, count) = seconds("_ns", 1e9);
                writer.scoped(&name, help, count, scope)?;
            }
            _ => writer.scoped(name, help, count, scope)?,
        }
    }
    Ok(())
}

fn signals(writer: &mut MetricsWriter<'_>, measures: &Measures) -> fmt::Result {
    let signals: Vec<_> = measures.metrics.signals.iter().collect();
    let table = |value: fn(&SignalReport) -> Option<f64>| {
        signals.iter().filter_map(move |(name, signal)| Some(([("signal", *name)], value(signal)?)))
    };
    writer.gauges(
        "signal_level",
        "Level of a signal, 0 to 1.",
        table(|signal| signal.level.map(f64::from)),
    )?;
    writer.gauges(
        "signal_deviation_octaves",
        "Deviation of a signal from its baseline, in octaves.",
        table(|signal| signal.deviation.map(f64::from)),
    )?;
    writer.gauges(
        "signal_surprise",
        "How sudden the last change of a signal is, 0 to 1.",
        table(|signal| signal.surprise.map(f64::from)),
    )?;
    let available = table(|signal| Some(f64::from(u8::from(signal.available))));
    writer.gauges("signal_available", "1 if the source provides the signal, else 0.", available)
}

/// Writes the kind of source. There is one series for each kind, with 1 for the current kind and 0
/// for the others.
fn source(writer: &mut MetricsWriter<'_>, health: &HealthReport) -> fmt::Result {
    let kinds = [
        (SourceKind::Collector, "collector"),
        (SourceKind::Proc, "proc"),
        (SourceKind::Demo, "demo"),
        (SourceKind::Capture, "capture"),
        (SourceKind::Site, "site"),
    ];
    let is = |kind| f64::from(u8::from(health.source.ok && health.source.kind == Some(kind)));
    let kinds = kinds.into_iter().map(|(kind, name)| ([("kind", name)], is(kind)));
    writer.gauges("source", "1 for the kind of the current source, 0 for all other kinds.", kinds)?;
    let build = [([("version", health.version.as_str())], 1.0)];
    writer.gauges("build_info", "The version of khor.", build.into_iter())
}

/// Writes the metrics of a site: the number of hosts, a few values of each host, and the number of
/// rejected messages.
fn fleet(writer: &mut MetricsWriter<'_>, measures: &Measures) -> fmt::Result {
    let fleet = &measures.fleet;
    let states = [("live", f64::from(fleet.live)), ("silent", f64::from(fleet.silent))];
    let states = states.into_iter().map(|(state, count)| ([("state", state)], count));
    writer.gauges("site_hosts", "Number of hosts of the site, by state.", states)?;
    let up = |host: &HostReport| f64::from(u8::from(host.state == HostState::Live));
    let hosts = || fleet.hosts.iter();
    writer.gauges(
        "host_up",
        "1 if the host is sending, else 0.",
        hosts().map(|h| ([("host", h.name.as_str())], up(h))),
    )?;
    let far = hosts().filter_map(|h| Some(([("host", h.name.as_str())], f64::from(h.deviation?))));
    writer.gauges(
        "host_deviation_octaves",
        "Largest deviation of a host's signals from their baselines, in octaves.",
        far,
    )?;
    let missed = hosts().map(|h| ([("host", h.name.as_str())], h.missed_frames));
    writer.counters("host_missed_frames", "Number of frames of a host that did not arrive.", missed)?;
    let reasons = measures.refused.by_reason();
    let reasons = reasons.into_iter().map(|(reason, count)| ([("reason", reason)], count));
    writer.counters("site_refused", "Number of the site's messages that khor rejected, by reason.", reasons)
}

fn sound(writer: &mut MetricsWriter<'_>, health: &HealthReport) -> fmt::Result {
    let audio = &health.audio;
    writer.gauge(
        "audio_up",
        "1 if the sound device is playing, else 0.",
        f64::from(u8::from(audio.health.ok)),
    )?;
    writer.gauge(
        "audio_muted",
        "1 if the sound device is muted, else 0.",
        f64::from(u8::from(audio.muted)),
    )?;
    if let Some(xruns) = audio.xruns {
        writer.counter(
            "audio_xruns",
            "Number of underruns (gaps in the sound) that the device reported.",
            xruns,
        )?;
    }
    writer.counter(
        "audio_restarts",
        "Number of times that khor reopened the sound device.",
        u64::from(audio.restarts),
    )?;
    writer.counter(
        "audio_dropped_notes",
        "Number of notes that khor dropped, because the synth had no free voice or the notes were too late.",
        audio.dropped_notes,
    )?;
    writer.gauge(
        "audio_callback_load_ratio",
        "Time that the synth needs to compute a block of sound, divided by the duration of the block.",
        f64::from(audio.callback_load),
    )?;
    if let Some(latency_ms) = audio.latency_ms {
        let latency_s = f64::from(latency_ms) / 1e3;
        writer.gauge("audio_latency_seconds", "Time from the onset of a note until it sounds.", latency_s)?;
    }
    writer.gauge("audio_voices", "Number of synth voices that are sounding.", f64::from(audio.voices))
}

/// Writes metrics. The name of each metric begins with `khor_`.
struct MetricsWriter<'a>(DescriptorEncoder<'a>);

impl MetricsWriter<'_> {
    fn counter<N>(&mut self, name: &str, help: &str, count: N) -> fmt::Result
    where
        ConstCounter<N>: EncodeMetric,
        N: EncodeCounterValue,
    {
        let counter = ConstCounter::new(count);
        counter.encode(self.0.encode_descriptor(name, help, None, MetricType::Counter)?)
    }

    /// Writes a counter, with the scope as a label if there is a scope.
    fn scoped<N>(&mut self, name: &str, help: &str, count: N, scope: Option<&str>) -> fmt::Result
    where
        ConstCounter<N>: EncodeMetric,
        N: EncodeCounterValue,
    {
        match scope {
            Some(scope) => self.counters(name, help, std::iter::once(([("scope", scope)], count))),
            None => self.counter(name, help, count),
        }
    }

    fn gauge(&mut self, name: &str, help: &str, value: f64) -> fmt::Result {
        let gauge = ConstGauge::new(value);
        gauge.encode(self.0.encode_descriptor(name, help, None, MetricType::Gauge)?)
    }

    /// Writes a counter with one series for each label. Writes nothing if there are no labels.
    fn counters<'l, N>(
        &mut self,
        name: &str,
        help: &str,
        counts: impl Iterator<Item = ([(&'static str, &'l str); 1], N)>,
    ) -> fmt::Result
    where
        ConstCounter<N>: EncodeMetric,
        N: EncodeCounterValue,
    {
        let mut counts = counts.peekable();
        if counts.peek().is_none() {
            return Ok(());
        }
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Counter)?;
        counts.try_for_each(|(labels, count)| ConstCounter::new(count).encode(family.encode_family(&labels)?))
    }

    /// Writes a gauge with one series for each label. Writes nothing if there are no labels.
    fn gauges<'l>(
        &mut self,
        name: &str,
        help: &str,
        values: impl Iterator<Item = ([(&'static str, &'l str); 1], f64)>,
    ) -> fmt::Result {
        let mut values = values.peekable();
        if values.peek().is_none() {
            return Ok(());
        }
        let mut family = self.0.encode_descriptor(name, help, None, MetricType::Gauge)?;
        values.try_for_each(|(labels, value)| ConstGauge::new(value).encode(family.encode_family(&labels)?))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::engine::tests::quiet_engine;

    /// Parses a text of metrics strictly. Each metric family must occur once, with its description
    /// before its samples. `OpenMetrics` must end with `# EOF`, and the name of a counter's family
    /// must not end with `_total`. In Prometheus' own format, the name must end with `_total`.
    fn samples(text: &str, format: MetricsFormat) -> BTreeMap<String, f64> {
        let is_open = format == MetricsFormat::OpenMetrics;
        let mut samples = BTreeMap::new();
        let mut families = BTreeMap::new();
        let mut here = String::new();
        let body = if is_open { text.strip_suffix("# EOF\n").expect("# EOF at the end") } else { text };
        assert!(!body.contains("# EOF"), "{body}");
        for line in body.lines() {
            if let Some(described) = line.strip_prefix("# ") {
                let mut words = described.splitn(3, ' ');
                let (what, name, rest) =
                    (words.next().unwrap(), words.next().unwrap().to_owned(), words.next().unwrap());
                match what {
                    "HELP" => assert!(rest.ends_with('.') && !rest.ends_with(".."), "{line}"),
                    "TYPE" => {
                        assert!(["counter", "gauge"].contains(&rest), "{line}");
                        assert_eq!(
                            families.insert(name.clone(), rest.to_owned()),
                            None,
                            "{name} occurs twice"
                        );
                    }
                    _ => panic!("{line}"),
                }
                here = name;
                continue;
            }
            let (key, value) = line.rsplit_once(' ').unwrap_or_else(|| panic!("{line}"));
            let name = key.split('{').next().unwrap();
            let is_counter = families[&here] == "counter";
            let expected = if is_counter && is_open { format!("{here}_total") } else { here.clone() };
            assert_eq!(is_counter, name.ends_with("_total"), "{line}");
            assert_eq!(name, expected, "{line}");
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{line}");
            if let Some((_, labels)) = key.split_once('{') {
                let labels = labels.strip_suffix("\"}").unwrap_or_else(|| panic!("{line}"));
                assert!(labels.split_once("=\"").is_some_and(|(_, value)| !value.contains('"')), "{line}");
            }
            assert_eq!(samples.insert(key.to_owned(), value.parse().unwrap()), None, "{key} occurs twice");
        }
        samples
    }

    #[tokio::test]
    async fn metrics_contain_known_values_only() {
        let (engine, _dir) = quiet_engine();
        let counts_switches =
            |counters: [Option<u64>; Counter::ALL.len()]| counters[Counter::Switches.index()].is_some();
        khor_e2e::wait_until_async("a frame", || engine.measures().counters.is_some_and(counts_switches))
            .await;
        let mut measures = engine.measures();
        measures.cues.insert("oom", 2);
        let switches = measures.counters.unwrap()[Counter::Switches.index()].unwrap();
        measures.counters.as_mut().unwrap()[Counter::MemStallUs.index()] = Some(1_500_000);
        measures.counters.as_mut().unwrap()[Counter::Execs.index()] = None;
        let measured = || Measured { measures: measures.clone(), streams: 3 };
        let text = text(measured(), MetricsFormat::OpenMetrics).unwrap();
        let samples = samples(&text, MetricsFormat::OpenMetrics);
        let plain = super::text(measured(), MetricsFormat::Prometheus).unwrap();
        assert_eq!(
            self::samples(&plain, MetricsFormat::Prometheus),
            samples,
            "both formats have the same samples"
        );
        let is = |name: &str, value: f64| assert_eq!(samples.get(name), Some(&value), "{name} in {text}");
        is(&format!("khor_{}_total", Counter::Switches.name()), switches as f64);
        is("khor_mem_stall_seconds_total", 1.5);
        is("khor_cues_total{kind=\"oom\"}", 2.0);
        is("khor_source{kind=\"proc\"}", 1.0);
        is("khor_source{kind=\"collector\"}", 0.0);
        is("khor_event_streams", 3.0);
        is("khor_signal_available{signal=\"exec\"}", 0.0);
        assert!(!samples.contains_key("khor_signal_level{signal=\"exec\"}"), "/proc has no execs: {text}");
        assert!(!samples.contains_key(&format!("khor_{}_total", Counter::Execs.name())), "{text}");
    }
}
