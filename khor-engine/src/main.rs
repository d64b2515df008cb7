//! The `khor` command.

fn main() -> anyhow::Result<()> {
    khor_engine::cli::main()
}
