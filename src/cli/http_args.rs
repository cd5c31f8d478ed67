//! `--http`: where a running job can be watched.

use crate::cli::Failure;
use crate::cli::progress::say;
use clap::Args;
use millstream_server::{Board, Server, ServerOptions};
use std::net::SocketAddr;
use std::path::PathBuf;

/// Longer files are no tokens.
const TOKEN_BYTES_MAX: u64 = 4_096;

#[derive(Debug, Args)]
pub(crate) struct HttpArgs {
    /// Show the running job at this address: a page, /metrics for Prometheus, /livez, /readyz and /startupz for probes,
    /// and /api/v1/jobs. Only this machine may read it unless there is a token
    #[arg(long, value_name = "ADDRESS:PORT")]
    http: Option<SocketAddr>,
    /// File with the token that readers have to send as "Authorization: Bearer TOKEN"; probes need none
    #[arg(long, value_name = "FILE", requires = "http")]
    http_token: Option<PathBuf>,
}

impl HttpArgs {
    /// Starts the server, if one is asked for. It ends when it is dropped.
    pub(crate) fn serve(&self, board: &Board) -> Result<Option<Server>, Failure> {
        let Some(address) = self.http else { return Ok(None) };
        let token = self.http_token.as_ref().map(read_token).transpose()?;
        let server = Server::start(board.clone(), &ServerOptions { address, token });
        let server = server.map_err(|error| Failure::Usage(error.to_string()))?;
        say(&format!("watch it at http://{}", server.address()));
        Ok(Some(server))
    }
}

fn read_token(path: &PathBuf) -> Result<String, Failure> {
    let failed =
        |error: String| Failure::Usage(format!("the token of the HTTP server, {}: {error}", path.display()));
    let metadata = std::fs::metadata(path).map_err(|error| failed(error.to_string()))?;
    if metadata.len() > TOKEN_BYTES_MAX {
        return Err(failed(format!("it is longer than {TOKEN_BYTES_MAX} bytes")));
    }
    let text = std::fs::read_to_string(path).map_err(|error| failed(error.to_string()))?;
    Ok(text.trim().to_owned())
}
