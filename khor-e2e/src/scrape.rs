//! Reads the Prometheus metrics of an engine from `/metrics`.

use std::collections::BTreeMap;

use khor_proto::Counter;

use crate::Engine;

/// The samples of one scrape. Each key is a series: a name with its labels.
#[derive(Clone, Debug)]
pub struct Scrape(BTreeMap<String, f64>);

impl Scrape {
    /// Scrapes the engine's `/metrics`.
    pub fn of(engine: &Engine) -> Self {
        let text = engine.read("/metrics", usize::MAX);
        Self::parse(&String::from_utf8(text).expect("UTF-8 text"))
    }

    /// Reads the text of `/metrics`. Panics if a line is not a sample.
    pub fn parse(text: &str) -> Self {
        let samples = text.lines().filter(|line| !line.starts_with('#')).map(|line| {
            let (series, value) = line.rsplit_once(' ').expect("a line with a series and a value");
            (series.to_owned(), value.parse().expect("a numeric value"))
        });
        Self(samples.collect())
    }

    /// The value of a series; `None` if it has no sample.
    pub fn get(&self, series: &str) -> Option<f64> {
        self.0.get(series).copied()
    }

    /// The total of a counter for the whole machine. Panics if `/metrics` has no sample of it.
    pub fn total(&self, counter: Counter) -> u64 {
        let total = self.get(&format!("khor_{counter}_total"));
        total.unwrap_or_else(|| panic!("/metrics has no total of {counter}")) as u64
    }

    /// All totals: series whose name ends in `_total`.
    pub fn totals(&self) -> impl Iterator<Item = (&str, f64)> {
        let is_total = |series: &str| series.split('{').next().is_some_and(|name| name.ends_with("_total"));
        self.0
            .iter()
            .map(|(series, value)| (series.as_str(), *value))
            .filter(move |(series, _)| is_total(series))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_found_by_series() {
        let text = "# TYPE khor_forks_total counter\nkhor_forks_total 7\nkhor_cues_total{kind=\"oom\"} 2\nkhor_up 1\n";
        let scrape = Scrape::parse(text);
        assert_eq!((scrape.total(Counter::Forks), scrape.get("khor_up")), (7, Some(1.0)));
        assert_eq!(scrape.get("khor_missing"), None);
        let totals: Vec<_> = scrape.totals().collect();
        assert_eq!(totals, [("khor_cues_total{kind=\"oom\"}", 2.0), ("khor_forks_total", 7.0)]);
    }
}
