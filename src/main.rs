//! The `millstream` command.

mod allocator;
mod cli;

fn main() {
    allocator::keep_little();
    hide_caught_panics();
    let cli = cli::Cli::read();
    cli::init_logging(&cli);
    let code = match cli.run() {
        Ok(()) => 0,
        Err(failure) => failure.report(),
    };
    millstream::exit_now(code)
}

/// A panic of the planner is caught, and said as an error with its place in the file.
fn hide_caught_panics() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        if std::thread::current().name() != Some(millstream::sql::PLANNER) {
            print(panic);
        }
    }));
}
