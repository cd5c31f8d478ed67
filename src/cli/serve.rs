//! `millstream serve`: many jobs in one process.

mod answerer;
mod planner;

use super::http_args::{self, TokenArgs};
use super::log_args::LogArgs;
use super::progress::say;
use super::settings::memory_mib;
use super::tls::TlsArgs;
use super::{Failure, notify, postgres, signals};
use clap::Args;
use millstream::MemoryPlan;
use millstream::log::Log;
use millstream::sql::SqlJob;
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
    /// Let clients of PostgreSQL (psql, JDBC, Grafana) ask the tables of jobs at this address, a database for each job; with
    /// --http-token that is the password, and with --http-read-token that of who reads
    #[arg(long, value_name = "ADDRESS:PORT")]
    postgres: Option<SocketAddr>,
    #[command(flatten)]
    tokens: TokenArgs,
    #[command(flatten)]
    tls: TlsArgs,
    /// Directory of what the server keeps: states of jobs below state, what was submitted below server [default: --log]
    #[arg(long, value_name = "DIR")]
    data: Option<PathBuf>,
    /// How many jobs there may be
    #[arg(long, value_name = "N", default_value_t = 200, value_parser = clap::value_parser!(u16).range(1..))]
    jobs_max: u16,
    /// How often a job that fails is started again, one failure after the other; with pauses from a second to a minute
    #[arg(long, value_name = "N", default_value_t = 10)]
    restarts: u32,
    /// Memory that the process should keep to: MiB, or a size as 2 gb. Each job plans with its millstream.memory, or with 256
    /// MiB
    #[arg(long, value_name = "MIB", default_value = "1024", value_parser = memory_mib)]
    memory: u32,
    #[command(flatten)]
    log: LogArgs,
}

/// The jobs of a server, for whom asks their tables.
struct FleetJobs {
    fleet: Fleet,
    place: Arc<Place>,
}

impl postgres::Jobs for FleetJobs {
    fn names(&self) -> Vec<String> {
        self.fleet.names()
    }

    fn text(&self, name: &str) -> Result<Arc<str>, String> {
        self.fleet.tables_of(name).map_err(|problem| problem.detail)
    }

    fn log(&self, planned: &SqlJob) -> Result<Arc<dyn Log>, Failure> {
        self.place.log_of(planned, &MemoryPlan::new(0, 1))
    }
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
        let (planner, answerer) = (planner(Arc::clone(&place)), answerer::answerer(Arc::clone(&place)));
        let fleet = Fleet::start(board.clone(), planner, answerer, options);
        let fleet = fleet.map_err(|problem| Failure::Io(problem.detail))?;
        let server = http_args::start(&board, Some(fleet.clone()), self.http, &self.tokens, &self.tls);
        let asked = server.and_then(|server| {
            let jobs = FleetJobs { fleet: fleet.clone(), place };
            let postgres =
                self.postgres.map(|address| postgres::start(address, &self.tokens, &self.tls, jobs));
            Ok((server, postgres.transpose()?))
        });
        let (server, _postgres) = match asked {
            Ok(servers) => servers,
            Err(failure) => {
                fleet.end();
                return Err(failure);
            }
        };
        say(&format!("serving at {}://{}", self.tls.scheme(), server.address()));
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
