//! Tests of the `/proc` source.

mod disks;
mod kernel;
mod network;

use super::*;

/// The reason why a counter is missing.
fn reason(source: &mut ProcSource, counter: Counter) -> String {
    match &source.availability()[counter.index()] {
        Availability::Absent { reason } => reason.clone(),
        Availability::Available => panic!("{} is counted", counter.name()),
    }
}

fn parsed(parse: fn(&str, &mut Counters), text: &str) -> Counters {
    let mut counters = [None; Counter::ALL.len()];
    parse(text, &mut counters);
    counters
}

#[test]
fn machine_counters_are_found_by_name() {
    let counters = parsed(stat, "cpu 1 2\nintr 1000 3 0 4\nctxt 55\nprocesses 7\nsoftirq 30 10 20\n");
    assert_eq!(counters[Counter::Switches.index()], Some(55));
    assert_eq!(counters[Counter::Forks.index()], Some(7));
    assert_eq!(counters[Counter::Softirqs.index()], Some(30));
}

#[test]
fn page_faults_are_found_by_name() {
    let counters = parsed(vmstat, "nr_free_pages 9\npgfault 77\npgmajfault 3\n");
    assert_eq!(counters[Counter::Faults.index()], Some(77));
    assert_eq!(counters[Counter::MajorFaults.index()], Some(3));
}

#[test]
fn interface_with_non_utf8_name_counts() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("net")).unwrap();
    let write = |received: u32| {
        let mut text = b"Inter-|\n face |\n    lo: 10 1 0 0 0 0 0 0 20 2 0 0 0 0 0 0\n \xff\xfe: ".to_vec();
        text.extend(format!("{received} 1 0 0 0 0 0 0 7 3 0 0 0 0 0 0\n").bytes());
        fs::write(dir.path().join("net/dev"), text).unwrap();
    };
    let mut source = ProcSource::new(dir.path());
    write(5);
    source.frame().unwrap();
    write(12);
    assert_eq!(source.frame().unwrap().counters[Counter::RxBytes.index()], Some(7));
}

#[test]
fn retransmits_are_found_by_name() {
    let counters = parsed(net_snmp, "Ip: a b\nIp: 1 2\nTcp: InSegs RetransSegs InErrs\nTcp: 5 42 0\n");
    assert_eq!(counters[Counter::Retransmits.index()], Some(42));
}

#[test]
fn missing_pressure_files_name_the_fix() {
    let empty = tempfile::tempdir().unwrap();
    let mut source = ProcSource::new(empty.path());
    let reason = reason(&mut source, Counter::CpuStallUs);
    assert!(reason.contains("psi=1"), "{reason}");
    assert_eq!(source.frame().unwrap().counters, [None; Counter::ALL.len()]);
}

#[test]
fn the_running_kernel_is_read() {
    let mut source = ProcSource::new("/proc");
    let (first, second) = (source.frame().unwrap(), source.frame().unwrap());
    let counters = [
        Counter::Switches,
        Counter::Forks,
        Counter::RxBytes,
        Counter::EdgeRxBytes,
        Counter::LocalBytes,
        Counter::Retransmits,
        Counter::Softirqs,
        Counter::Faults,
        Counter::MajorFaults,
        Counter::LatencyNs,
        Counter::TimedRequests,
    ];
    for counter in counters {
        let i = counter.index();
        assert!(second.counters[i].unwrap() >= first.counters[i].unwrap(), "{}", counter.name());
    }
}
