//! The `khor` command.

fn main() -> anyhow::Result<std::process::ExitCode> {
    khor_engine::cli::main()
}
