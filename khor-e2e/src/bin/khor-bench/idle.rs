//! Measures the cost of collector and engine together while they play a nearly idle machine.

use khor_e2e::{Collector, Engine, Pulse, engine::program, wait_until};

use crate::{
    cost::{Cost, watch},
    figure::Figure,
};

pub(crate) fn measure() -> Vec<Figure> {
    let Some(pulse) = Pulse::start() else {
        return vec![Figure::missing("collector + engine, sound", "%", "PulseAudio is not installed")];
    };
    let collector = Collector::start(&program("khor-collector"), &["--no-dbus"]);
    let engine = Engine::start(collector.socket(), &[], &pulse.environment());
    engine.wait_for_source("collector");
    wait_until("the sound device to play", || engine.health().audio.health.ok);
    let (costs, busy) = watch(&[collector.pid(), engine.pid()]);
    let health = engine.get("/api/health");
    assert_eq!(health["audio"]["ok"], true, "the sound stopped during the measurement: {health}");
    let mut figures = Cost::sum(&costs).report("collector + engine, sound");
    for (name, cost) in ["  collector", "  engine"].iter().zip(costs) {
        figures.extend(cost.report(name));
    }
    figures.push(Figure::new("  whole machine busy meanwhile", "%", busy));
    figures
}
