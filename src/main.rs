//! The `millstream` command.

mod allocator;
mod cli;

use clap::Parser;

fn main() {
    allocator::keep_little();
    let cli = cli::Cli::parse();
    cli::init_logging(&cli);
    let code = match cli.run() {
        Ok(()) => 0,
        Err(failure) => failure.report(),
    };
    millstream::exit_now(code)
}
