//! The `khor` command.

fn main() -> std::process::ExitCode {
    khor::main()
}
