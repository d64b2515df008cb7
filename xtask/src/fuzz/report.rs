//! Summarises libFuzzer's output in one line.

use std::{fmt, path::PathBuf};

/// The numbers in libFuzzer's output; `None` if they are missing.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Report {
    runs: Option<u64>,
    seconds: Option<u64>,
    /// Resident memory after the corpus was read, MiB.
    first_rss_mib: Option<u64>,
    /// Highest resident memory, MiB.
    peak_rss_mib: Option<u64>,
    /// File with the failing input.
    pub(super) artifact: Option<PathBuf>,
}

impl Report {
    /// Reads libFuzzer's log.
    pub(super) fn parse(log: &str) -> Self {
        let mut report = Self::default();
        for line in log.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                ["Done", runs, "runs", "in", seconds, "second(s)"] => {
                    report.runs = runs.parse().ok();
                    report.seconds = seconds.parse().ok();
                }
                [_, "INITED", .., "rss:", rss] => {
                    report.first_rss_mib = rss.trim_end_matches("Mb").parse().ok();
                }
                ["stat::peak_rss_mb:", rss] => report.peak_rss_mib = rss.parse().ok(),
                _ => {
                    let artifact = line.split_once("Test unit written to ");
                    report.artifact = report.artifact.or(artifact.map(|(_, path)| path.trim().into()));
                }
            }
        }
        report
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = self.runs.zip(self.seconds).map(|(runs, seconds)| runs / seconds.max(1));
        let [runs, seconds, rate, first, peak] =
            [self.runs, self.seconds, rate, self.first_rss_mib, self.peak_rss_mib].map(text_or_question_mark);
        write!(f, "{runs} runs in {seconds} s, {rate}/s, RSS {first} to {peak} MiB: clean")
    }
}

fn text_or_question_mark(figure: Option<u64>) -> String {
    figure.map_or_else(|| "?".into(), |figure| figure.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    const CLEAN: &str = "\
#4	INITED cov: 371 ft: 583 corp: 3/122b exec/s: 0 rss: 37Mb
#290426	DONE   cov: 434 ft: 1876 corp: 301/56Kb lim: 4096 exec/s: 18151 rss: 56Mb
Done 10000000 runs in 552 second(s)
stat::average_exec_per_sec:     18115
stat::peak_rss_mb:              156
";
    const FOUND: &str = "\
#9	INITED cov: 1 ft: 1 corp: 1/1b exec/s: 0 rss: 37Mb
artifact_prefix='/k/artifacts/x/'; Test unit written to /k/artifacts/x/crash-da39
stat::peak_rss_mb:              50
";

    #[test]
    fn figures_fit_one_line() {
        let report = Report::parse(CLEAN);
        let line = format!("client_message: {report}");
        assert_eq!(line, "client_message: 10000000 runs in 552 s, 18115/s, RSS 37 to 156 MiB: clean");
        assert!(line.len() <= 80);
        assert_eq!(report.artifact, None);
    }

    #[test]
    fn artifact_is_found() {
        assert_eq!(Report::parse(FOUND).artifact, Some("/k/artifacts/x/crash-da39".into()));
    }
}
