//! The `millstream` command.

mod allocator;
mod cli;

use clap::Parser;
use std::process::ExitCode;

fn main() -> ExitCode {
    allocator::keep_little();
    let cli = cli::Cli::parse();
    cli::init_logging(&cli);
    match cli.run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
