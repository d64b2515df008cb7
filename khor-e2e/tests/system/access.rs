//! Tests permissions: of members of the group, of other users, and of all users on the bus.

use crate::unit::{SERVICE, of, outcome_of, output_of, require_a_machine_of_our_own, run};

const OBJECT: &str = "org.khor.Collector /org/khor/Collector";

#[test]
#[ignore = "only in the machine of `cargo xtask vm debian`"]
fn bus_is_readable_and_name_is_protected() {
    require_a_machine_of_our_own();
    let shown = output_of(&of("stranger", &format!("busctl --system introspect {OBJECT}")));
    for name in ["org.khor.Collector1", ".Version", ".Probes", ".Subscribers", ".Cue"] {
        assert!(shown.lines().any(|line| line.split_whitespace().next() == Some(name)), "{name}: {shown}");
    }
    println!(
        "{}",
        output_of(&of(
            "stranger",
            &format!("busctl --system get-property {OBJECT} org.khor.Collector1 Probes")
        ))
    );
    let write = format!("busctl --system set-property {OBJECT} org.khor.Collector1 Subscribers u 9");
    let bus = "org.freedesktop.DBus /org/freedesktop/DBus org.freedesktop.DBus";
    let take = format!("busctl --system call {bus} RequestName su org.khor.Collector 0");
    for command in [write, take] {
        let (success, text) = outcome_of(&of("stranger", &command));
        assert!(
            !success && text.contains("ccess denied") || text.contains("not allowed"),
            "{command}: {text}"
        );
    }
}

#[test]
#[ignore = "only in the machine of `cargo xtask vm debian`"]
fn group_member_connects_and_stranger_gets_reason() {
    require_a_machine_of_our_own();
    let record = |user: &str| {
        let (success, text) = outcome_of(&of(user, &format!("khor record --seconds 5 /tmp/{user}.khor")));
        assert!(success, "{user}: {text}");
        text
    };
    let member = record("listener");
    assert!(member.contains("listening to the") && !member.contains("/proc"), "{member}");
    let stranger = record("stranger");
    assert!(stranger.contains("only root and the group khor may"), "{stranger}");
    assert!(stranger.contains("reading /proc") && !stranger.contains("listening to"), "{stranger}");
    println!("{stranger}");
}

#[test]
#[ignore = "only in the machine of `cargo xtask vm debian`"]
fn member_gets_100_ms_until_trusted() {
    const DEFAULTS: &str = "/etc/default/khor";
    require_a_machine_of_our_own();
    let record = || output_of(&of("listener", "khor record --seconds 2 /tmp/limited.khor"));
    let limited = record();
    assert!(limited.contains("every 100 ms, not 20") && limited.contains("KHOR_TRUST"), "{limited}");
    std::fs::write(DEFAULTS, "KHOR_TRUST=second,listener\n").expect("a file");
    output_of(&format!("systemctl restart {SERVICE}"));
    let full = record();
    assert!(full.contains("listening to the") && !full.contains("not trusted"), "{full}");
    std::fs::remove_file(DEFAULTS).expect("the test's own file");
    output_of(&format!("systemctl restart {SERVICE}"));
}

#[test]
#[ignore = "only in the machine of `cargo xtask vm debian`"]
fn start_without_capabilities_names_missing_ones() {
    require_a_machine_of_our_own();
    let output = run(&of("stranger", "khor-collector --check"));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(4) && text.contains("missing CAP_BPF and CAP_PERFMON"), "{text}");
    assert!(text.contains("chown root:khor") && text.contains("chmod 0750"), "{text}");
}
