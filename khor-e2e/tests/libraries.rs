//! Tests that the programs of the package khor-relay run on servers without a sound library.

use khor_e2e::engine::program;
use khor_e2e::libraries::beyond_the_c_library;
use khor_e2e::skip::skip;

#[test]
fn relay_and_collector_need_only_the_c_library() {
    for name in ["khor-relay", "khor-collector"] {
        let Some(libraries) = beyond_the_c_library(&program(name)) else { return skip("needs ldd") };
        assert_eq!(libraries, [""; 0], "{name} needs more than the C library");
    }
    // Check that this method works: it must find the sound library that the engine needs.
    let of_khor = beyond_the_c_library(&program("khor")).expect("starting ldd");
    assert!(of_khor.iter().any(|name| name.starts_with("libasound.so")), "{of_khor:?}");
}
