//! Tests permissions of group members and of other users, at the socket and on the system bus.

use crate::unit::{SERVICE, of, outcome_of, output_of, require_test_machine, run};

const OBJECT: &str = "org.khor.Collector /org/khor/Collector";

#[test]
#[ignore = "only in the virtual machine of `cargo xtask vm debian`"]
fn bus_is_readable_and_name_is_protected() {
    require_test_machine();
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
#[ignore = "only in the virtual machine of `cargo xtask vm debian`"]
fn group_member_connects_and_stranger_gets_reason() {
    require_test_machine();
    let record = |user: &str| {
        let (success, text) = outcome_of(&of(user, &format!("khor record --seconds 5 /tmp/{user}.khor")));
        assert!(success, "{user}: {text}");
        text
    };
    let member = record("listener");
    assert!(member.contains("subscribed to the") && !member.contains("/proc"), "{member}");
    let stranger = record("stranger");
    assert!(stranger.contains("only root and the group khor may"), "{stranger}");
    assert!(stranger.contains("reading /proc") && !stranger.contains("subscribed to"), "{stranger}");
    println!("{stranger}");
}

#[test]
#[ignore = "only in the virtual machine of `cargo xtask vm debian`"]
fn member_gets_100_ms_until_trusted() {
    const DEFAULTS: &str = "/etc/default/khor";
    require_test_machine();
    let record = || output_of(&of("listener", "khor record --seconds 2 /tmp/limited.khor"));
    let limited = record();
    assert!(limited.contains("every 100 ms, not every 20") && limited.contains("KHOR_TRUST"), "{limited}");
    std::fs::write(DEFAULTS, "KHOR_TRUST=second,listener\n").expect("writing the defaults");
    output_of(&format!("systemctl restart {SERVICE}"));
    let full = record();
    assert!(full.contains("subscribed to the") && !full.contains("not trusted"), "{full}");
    std::fs::remove_file(DEFAULTS).expect("removing the defaults");
    output_of(&format!("systemctl restart {SERVICE}"));
}

#[test]
#[ignore = "only in the virtual machine of `cargo xtask vm debian`"]
fn start_without_capabilities_names_missing_ones() {
    require_test_machine();
    let output = run(&of("stranger", "khor-collector --check"));
    let text = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.code() == Some(4) && text.contains("missing CAP_BPF and CAP_PERFMON"), "{text}");
    assert!(text.contains("chown root:khor") && text.contains("chmod 0750"), "{text}");
}
