//! The `khor` command.

fn main() -> std::process::ExitCode {
    khor_engine::cli::main()
}
