//! Where jobs can be watched and operated, and by whom.

use crate::cli::Failure;
use crate::cli::postgres::{self, OneJob};
use crate::cli::progress::say;
use crate::cli::settings::said;
use crate::cli::tls::TlsArgs;
use clap::Args;
use millstream_postgres::PostgresServer;
use millstream_server::{Board, Fleet, Server, ServerOptions};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

/// Longer files are no tokens.
const TOKEN_BYTES_MAX: u64 = 4_096;

/// Of a job in the foreground.
#[derive(Debug, Args)]
pub(crate) struct HttpArgs {
    /// Show the running job at this address: a page, /metrics for Prometheus, /livez, /readyz and /startupz for probes,
    /// and /api/v1/jobs. Only this machine may read it unless there is a token
    #[arg(long, value_name = "ADDRESS:PORT")]
    http: Option<SocketAddr>,
    /// File with the token that readers have to send as "Authorization: Bearer TOKEN"; probes need none
    #[arg(long, value_name = "FILE")]
    http_token: Option<PathBuf>,
    /// Let clients of PostgreSQL (psql, JDBC, Grafana) ask the job's tables at this address; with --http-token that is the
    /// password. See docs/server.md
    #[arg(long, value_name = "ADDRESS:PORT")]
    postgres: Option<SocketAddr>,
    #[command(flatten)]
    tls: TlsArgs,
}

impl HttpArgs {
    /// Starts the server, if one is asked for. It ends when it is dropped.
    pub(crate) fn serve(&self, board: &Board) -> Result<Option<Server>, Failure> {
        let is_told = self.http_token.is_some() && !said().is_below("http-token");
        if is_told && self.http.is_none() && self.postgres.is_none() {
            let why = "--http-token is for those who ask: it needs --http or --postgres beside it";
            return Err(Failure::Usage(why.to_owned()));
        }
        let Some(address) = self.http else { return Ok(None) };
        let server = start(board, None, address, &self.tokens(), &self.tls)?;
        say(&format!("watch it at {}://{}", self.tls.scheme(), server.address()));
        Ok(Some(server))
    }

    fn tokens(&self) -> TokenArgs {
        TokenArgs { http_token: self.http_token.clone(), http_read_token: None }
    }

    /// Lets clients of PostgreSQL ask a job, if that is asked for. The server ends when it is dropped.
    pub(crate) fn serve_postgres(&self, job: OneJob) -> Result<Option<PostgresServer>, Failure> {
        self.postgres.map(|address| postgres::start(address, &self.tokens(), &self.tls, job)).transpose()
    }
}

/// Of a server of many jobs.
#[derive(Debug, Args)]
pub(crate) struct TokenArgs {
    /// File with the token that has to be sent as "Authorization: Bearer TOKEN"; probes need none. Needed where other
    /// machines are let in
    #[arg(long, value_name = "FILE")]
    http_token: Option<PathBuf>,
    /// File with another token beside it, with which everything can be read and nothing changed
    #[arg(long, value_name = "FILE")]
    http_read_token: Option<PathBuf>,
}

impl TokenArgs {
    /// The tokens of who may operate and of who may read.
    pub(crate) fn read(&self) -> Result<(Option<String>, Option<String>), Failure> {
        let read = |file: &Option<PathBuf>| file.as_deref().map(read_token).transpose();
        Ok((read(&self.http_token)?, read(&self.http_read_token)?))
    }
}

/// Starts the server.
pub(crate) fn start(
    board: &Board,
    fleet: Option<Fleet>,
    address: SocketAddr,
    tokens: &TokenArgs,
    tls: &TlsArgs,
) -> Result<Server, Failure> {
    let (token, read_token) = tokens.read()?;
    let tls = tls.server(b"http/1.1")?;
    let server = Server::start(board.clone(), fleet, &ServerOptions { address, token, read_token, tls });
    server.map_err(|error| Failure::Usage(error.to_string()))
}

/// The token in a file.
pub(crate) fn read_token(path: &Path) -> Result<String, Failure> {
    let failed =
        |error: String| Failure::Usage(format!("the token of the HTTP server, {}: {error}", path.display()));
    let metadata = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?;
    if metadata.len() > TOKEN_BYTES_MAX {
        return Err(failed(format!("it is longer than {TOKEN_BYTES_MAX} bytes")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    Ok(text.trim().to_owned())
}
