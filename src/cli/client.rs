//! Requests to a server of many jobs.

use super::Failure;
use super::http_args::read_token;
use super::serve::PORT;
use super::tls;
use clap::Args;
use millstream::sql::error::code;
use millstream::sql::{Span, SqlError, SqlErrors};
use serde_json::Value;
use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::path::PathBuf;
use std::time::Duration;

/// How long it is waited for a connection, and for an answer to go on.
const PATIENCE: Duration = Duration::from_secs(30);
/// The longest answer that is read.
const ANSWER_BYTES_MAX: u64 = 64 << 20;

#[derive(Debug, Args)]
pub(crate) struct ServerArgs {
    /// The server
    #[arg(
        long,
        value_name = "URL",
        env = "MILLSTREAM_SERVER",
        default_value_t = format!("http://127.0.0.1:{PORT}"),
        help_heading = "Server"
    )]
    server: String,
    /// File with the token of the server
    #[arg(long, value_name = "FILE", env = "MILLSTREAM_TOKEN_FILE", help_heading = "Server")]
    token: Option<PathBuf>,
    /// File with the certificate that vouches for a server at https://, in PEM [default: those of the system]
    #[arg(long, value_name = "FILE", help_heading = "Server")]
    server_ca: Option<PathBuf>,
}

/// What was answered.
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) body: String,
}

impl ServerArgs {
    /// Sends a request and gives the answer, whatever it is.
    ///
    /// # Errors
    /// When there is none.
    pub(crate) fn send(&self, method: &str, path: &str, sql: Option<&str>) -> Result<Answer, Failure> {
        let (is_secured, host) =
            match (self.server.strip_prefix("http://"), self.server.strip_prefix("https://")) {
                (Some(host), _) => (false, host.trim_end_matches('/')),
                (None, Some(host)) => (true, host.trim_end_matches('/')),
                (None, None) => {
                    let server = &self.server;
                    let why =
                        format!("the server's URL begins with http:// or https://, which {server} does not");
                    return Err(Failure::Usage(why));
                }
            };
        let token = self.token.as_deref().map(read_token).transpose()?;
        let failed = |error: std::io::Error| {
            Failure::Io(format!(
                "{}: {error}; millstream serve runs a server, --server names one",
                self.server
            ))
        };
        let port = if is_secured { 443 } else { 80 };
        let has_port = host.rsplit_once(':').is_some_and(|(_, port)| port.parse::<u16>().is_ok());
        let address = if has_port { host.to_owned() } else { format!("{host}:{port}") };
        let mut addresses = address.to_socket_addrs().map_err(failed)?;
        let address = addresses.next().ok_or_else(|| failed(std::io::ErrorKind::NotFound.into()))?;
        let socket = TcpStream::connect_timeout(&address, PATIENCE).map_err(failed)?;
        socket.set_read_timeout(Some(PATIENCE)).map_err(failed)?;
        let request = head(method, path, host, token.as_deref(), sql) + sql.unwrap_or_default();
        let answer = match is_secured {
            false => exchanged(socket, &request),
            true => {
                let name = if has_port { host.rsplit_once(':').map_or(host, |(name, _)| name) } else { host };
                exchanged(
                    tls::secured(socket, name.trim_matches(['[', ']']), self.server_ca.as_deref())?,
                    &request,
                )
            }
        };
        let answer = answer.map_err(failed)?;
        parse(&answer).ok_or_else(|| Failure::Io(format!("{}: this is no answer of a server", self.server)))
    }

    /// Sends a request that has to be done.
    ///
    /// # Errors
    /// What the server says is wrong; `text` is what was sent, with the name by which messages call it.
    pub(crate) fn ask(
        &self,
        method: &str,
        path: &str,
        text: Option<(&str, &str)>,
    ) -> Result<String, Failure> {
        let answer = self.send(method, path, text.map(|(_, text)| text))?;
        match answer.status {
            200..=299 => Ok(answer.body),
            status => Err(refusal(status, &answer.body, text)),
        }
    }

    /// The same, of what is answered with JSON.
    ///
    /// # Errors
    /// As [`ServerArgs::ask`].
    pub(crate) fn json(&self, method: &str, path: &str) -> Result<Value, Failure> {
        let body = self.ask(method, path, None)?;
        serde_json::from_str(&body).map_err(|error| Failure::Io(format!("{}: {error}", self.server)))
    }
}

/// Sends a request, and reads until the answer ends.
fn exchanged(mut stream: impl Read + Write, request: &str) -> std::io::Result<Vec<u8>> {
    stream.write_all(request.as_bytes())?;
    stream.flush()?;
    let mut answer = Vec::new();
    stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer)?;
    Ok(answer)
}

fn head(method: &str, path: &str, host: &str, token: Option<&str>, sql: Option<&str>) -> String {
    let token = token.map_or_else(String::new, |token| format!("Authorization: Bearer {token}\r\n"));
    let length = sql.map_or(0, str::len);
    format!(
        "{method} {path} HTTP/1.0\r\nHost: {host}\r\n{token}Content-Type: application/sql\r\n\
         Content-Length: {length}\r\nConnection: close\r\n\r\n"
    )
}

/// An answer of HTTP 1.0: its body goes to the end.
fn parse(answer: &[u8]) -> Option<Answer> {
    let text = String::from_utf8_lossy(answer);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let status = head.strip_prefix("HTTP/1.")?.split(' ').nth(1)?.parse().ok()?;
    Some(Answer { status, body: body.to_owned() })
}

/// Why something was not done. Mistakes of a text are shown in it, as those of a file are.
fn refusal(status: u16, body: &str, text: Option<(&str, &str)>) -> Failure {
    let problem: Value = serde_json::from_str(body).unwrap_or_default();
    if let (Some((file, text)), Some(mistakes)) = (text, problem["errors"].as_array()) {
        let errors: Vec<SqlError> = mistakes.iter().map(mistake).collect();
        return Failure::Sql(SqlErrors::new(file, text, errors));
    }
    let detail = problem["detail"].as_str().unwrap_or(body).trim().to_owned();
    match status {
        400..=499 => Failure::Usage(detail),
        _ => Failure::Io(format!("the server answers {status}: {detail}")),
    }
}

fn mistake(json: &Value) -> SqlError {
    let named = json["code"].as_str().unwrap_or_default();
    let code = code::PAGES.iter().map(|(code, _)| *code).find(|code| *code == named);
    let text = |key: &str| json[key].as_str().map(str::to_owned);
    let at = |key: &str| json[key].as_u64().map_or(0, |at| at as usize);
    SqlError {
        code: code.unwrap_or(code::QUERY),
        message: text("message").unwrap_or_default(),
        span: Span { start: at("start"), end: at("end") },
        label: text("label").unwrap_or_default(),
        help: text("help"),
    }
}
