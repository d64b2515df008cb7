//! Tests that every command rejects invalid numbers and states the allowed range.

use std::any::TypeId;

use clap::{Arg, CommandFactory, error::ErrorKind};

use crate::Cli;

const WRONG: [&str; 12] = [
    "-1",
    "-0.5",
    "-1e300",
    "nan",
    "NaN",
    "-nan",
    "inf",
    "-inf",
    "1e300",
    "99999999999999999999999999999999999999999",
    "",
    "ten",
];

fn is_number(arg: &Arg) -> bool {
    let id = arg.get_value_parser().type_id();
    let numbers = [
        TypeId::of::<u8>(),
        TypeId::of::<u16>(),
        TypeId::of::<u32>(),
        TypeId::of::<u64>(),
        TypeId::of::<i8>(),
        TypeId::of::<f32>(),
        TypeId::of::<f64>(),
    ];
    numbers.iter().any(|number| id == *number)
}

/// Parses these arguments, which must be rejected. Returns the error message.
fn rejection(args: &[&str]) -> String {
    let error = Cli::command().try_get_matches_from(args).err();
    let error = error.unwrap_or_else(|| panic!("{args:?} must be rejected"));
    assert_eq!(error.kind(), ErrorKind::ValueValidation, "{args:?}: {error}");
    error.to_string()
}

#[test]
fn invalid_numbers_are_rejected_with_the_range() {
    let names_its_range = |message: &str| {
        message.contains("expected ") && (message.contains(" to ") || message.contains(" or "))
    };
    let mut count = 0;
    for command in Cli::command().get_subcommands() {
        for arg in command.get_arguments().filter(|arg| is_number(arg)) {
            count += 1;
            for wrong in WRONG {
                let Some(long) = arg.get_long() else { continue };
                let message = rejection(&["khor", command.get_name(), &format!("--{long}={wrong}")]);
                assert!(names_its_range(&message), "{long}: {message}");
            }
            // Test the usual form of an option, in which the value is a separate argument (no
            // equals sign).
            let long = arg.get_long().map(|long| format!("--{long}"));
            let args: Vec<&str> =
                ["khor", command.get_name()].into_iter().chain(long.as_deref()).chain(["-1"]).collect();
            let message = rejection(&args);
            assert!(names_its_range(&message), "{message}");
        }
    }
    assert!(count >= 14, "{count}");
}
