//! The `mlgate` program.

use std::process::ExitCode;

fn main() -> ExitCode {
    mlgate::cli::run(std::env::args_os()).into()
}
