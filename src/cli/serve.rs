//! `millstream serve`: many jobs in one process.

mod answerer;
mod planner;

use super::http_args::{self, TokenArgs};
use super::log_args::LogArgs;
use super::progress::say;
use super::{Failure, notify, signals};
use clap::Args;
use millstream_server::{Board, Fleet, FleetOptions};
use planner::{Place, planner};
use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// Where it listens when nothing else is said.
pub(super) const PORT: u16 = 9090;
/// How long all jobs may take to commit and to leave their groups: less than systemd and Kubernetes wait.
const GRACE: Duration = Duration::from_secs(25);
/// How often it is looked whether the server is to end.
const LOOK: Duration = Duration::from_millis(100);

#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  millstream serve --jobs sql                             jobs are the files sql/*.sql
  millstream job submit orders.sql                        one more, sent to the server
  millstream job list

Exit codes: 0 asked to end, and everything is committed; 2 wrong command line, setting or token; 4 the log or a directory \
failed; 5 the log or what the server keeps is in use or damaged; 130 interrupted before everything was committed")]
pub(crate) struct ServeArgs {
    /// Directory whose files NAME.sql are jobs; one that is added, changed or removed is taken up
    #[arg(long, value_name = "DIR")]
    jobs: Option<PathBuf>,
    /// Where to listen
    #[arg(long, value_name = "ADDRESS:PORT", default_value_t = SocketAddr::from((Ipv4Addr::LOCALHOST, PORT)))]
    http: SocketAddr,
    #[command(flatten)]
    tokens: TokenArgs,
    /// Directory of what the server keeps: states of jobs below state, what was submitted below server [default: --log]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// How many jobs there may be
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..))]
    jobs_max: u16,
    /// How often a job that fails is started again, one failure after the other; with pauses from a second to a minute
    #[arg(long, value_name = "N", default_value_t = 10)]
    restarts: u32,
    /// Memory that the process should keep to, in MiB. Each job plans with its millstream.memory, or with 256 MiB
    #[arg(long, value_name = "MIB", default_value_t = 1_024, value_parser = clap::value_parser!(u32).range(128..))]
    memory: u32,
    #[command(flatten)]
    log: LogArgs,
}

impl ServeArgs {
    pub(super) fn run(self) -> Result<(), Failure> {
        let asked_to_end = signals::watch_within(Some("ending: committing what has been read"), GRACE)?;
        let data = self.data.clone().unwrap_or_else(|| self.log.data_directory());
        let mut options = FleetOptions::new(data.join("server"));
        options.files.clone_from(&self.jobs);
        options.jobs_max = usize::from(self.jobs_max);
        options.restarts_max = self.restarts;
        let place = Place::open(self.log, data.join("state"), (self.memory as usize) << 20)?;
        say(&format!("jobs run on {}", place.describe()));
        let board = Board::new();
        let place = Arc::new(place);
        let (planner, answerer) = (planner(Arc::clone(&place)), answerer::answerer(place));
        let fleet = Fleet::start(board.clone(), planner, answerer, options);
        let fleet = fleet.map_err(|problem| Failure::Io(problem.detail))?;
        let server = http_args::start(&board, Some(fleet.clone()), self.http, &self.tokens);
        let server = match server {
            Ok(server) => server,
            Err(failure) => {
                fleet.end();
                return Err(failure);
            }
        };
        say(&format!("serving at http://{}", server.address()));
        notify::ready();
        while !asked_to_end.load(Ordering::Relaxed) {
            notify::alive();
            std::thread::sleep(LOOK);
        }
        notify::ending();
        fleet.end();
        Ok(())
    }
}
