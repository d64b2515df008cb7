//! The program `khor`.

fn main() -> std::process::ExitCode {
    khor::main()
}
