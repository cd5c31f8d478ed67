//! The server: its routes, and the thread it runs on.

mod jobs;
mod query;
pub(crate) mod routes;
mod stream;

use crate::board::Board;
use crate::connections::Places;
use crate::fleet::{Fleet, TEXT_BYTES_MAX};
use crate::guard::{REQUESTS_MAX, Role, guard};
use crate::metrics;
use crate::problem::Problem;
use axum::extract::{DefaultBodyLimit, Extension, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::{Html, IntoResponse, Response};
use axum::{Json, Router};
use serde_json::{Value, json};
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};
use tokio_rustls::rustls::ServerConfig;

/// The page, with all it needs.
const CONSOLE: &str = include_str!("console.html");

/// What the page may load: nothing but itself.
const CONTENT_POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; \
                              connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// How the server listens.
#[derive(Clone)]
pub struct ServerOptions {
    /// Where. Port 0 takes any that is free.
    pub address: SocketAddr,
    /// What has to be sent as `Authorization: Bearer TOKEN`. Without one it listens on the loopback interface only.
    pub token: Option<String>,
    /// Another token, with which everything can be read and nothing changed.
    pub read_token: Option<String>,
    /// The certificate and key by which it speaks TLS, and nothing else; without one it speaks none.
    pub tls: Option<Arc<ServerConfig>>,
}

impl std::fmt::Debug for ServerOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let hidden = |token: &Option<String>| token.as_ref().map(|_| "***");
        f.debug_struct("ServerOptions")
            .field("address", &self.address)
            .field("token", &hidden(&self.token))
            .field("read_token", &hidden(&self.read_token))
            .field("tls", &self.tls.is_some())
            .finish()
    }
}

/// Why the server can't be started. Says what to do instead.
#[derive(Debug)]
pub enum ServerError {
    /// It would be open to other machines without a token.
    Open(SocketAddr),
    /// A token is too short to keep anybody out.
    Token,
    /// Who reads would need a token, and who operates would not; or both have the same.
    Roles,
    /// The address can't be listened on.
    Listen(SocketAddr, std::io::Error),
}

impl std::fmt::Display for ServerError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            ServerError::Open(address) => write!(
                f,
                "the HTTP server would be open to other machines at {address}; give it a token, or an address of this \
                 machine as 127.0.0.1:{}",
                address.port()
            ),
            ServerError::Token => write!(f, "the token of the HTTP server is shorter than 16 characters"),
            ServerError::Roles => write!(f, "a token for readers needs another one for operators beside it"),
            ServerError::Listen(address, error) => {
                write!(
                    f,
                    "the HTTP server can't listen on {address}: {error}; choose another address, or port 0"
                )
            }
        }
    }
}

impl std::error::Error for ServerError {}

/// What the handlers share.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) board: Board,
    /// The jobs, where they can be changed.
    pub(crate) fleet: Option<Fleet>,
    pub(crate) token: Option<Arc<str>>,
    pub(crate) read_token: Option<Arc<str>>,
    pub(crate) places: Arc<Semaphore>,
    /// Questions take more of the machine than other requests.
    pub(crate) questions: Arc<Semaphore>,
    /// Who listens to events stays for long.
    pub(crate) listeners: Arc<Semaphore>,
}

/// A server on a thread of its own. It ends when it is dropped.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    end: Option<oneshot::Sender<()>>,
    thread: Option<std::thread::JoinHandle<()>>,
}

/// The shortest token, in characters.
const TOKEN_MIN: usize = 16;

impl Server {
    /// Starts a server that answers from `board`, and changes what `fleet` runs where there is one.
    ///
    /// # Errors
    /// [`ServerError`]: nothing was started.
    pub fn start(board: Board, fleet: Option<Fleet>, options: &ServerOptions) -> Result<Self, ServerError> {
        let address = options.address;
        if options.token.is_none() && !address.ip().is_loopback() {
            return Err(ServerError::Open(address));
        }
        let mut tokens = options.token.iter().chain(&options.read_token);
        if tokens.any(|token| token.chars().count() < TOKEN_MIN) {
            return Err(ServerError::Token);
        }
        if options.read_token.is_some() && (options.token.is_none() || options.token == options.read_token) {
            return Err(ServerError::Roles);
        }
        let failed = |error| ServerError::Listen(address, error);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let listener = runtime.block_on(TcpListener::bind(address)).map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let shared = Shared {
            board,
            fleet,
            token: options.token.as_deref().map(Arc::from),
            read_token: options.read_token.as_deref().map(Arc::from),
            places: Arc::new(Semaphore::new(REQUESTS_MAX)),
            questions: Arc::new(Semaphore::new(query::QUESTIONS_MAX)),
            listeners: Arc::new(Semaphore::new(stream::LISTENERS_MAX)),
        };
        let tls = options.tls.clone();
        let (end, ended) = oneshot::channel::<()>();
        let serve = move || {
            runtime.block_on(async move {
                // Connections that are open do not hold the process back.
                tokio::select! {
                    result = axum::serve(Places::new(listener, tls), router(shared)).into_future() => {
                        if let Err(error) = result {
                            tracing::error!(%error, "the HTTP server ended");
                        }
                    }
                    _ = ended => {}
                }
            });
            // A request that is at work on a thread of its own neither.
            runtime.shutdown_background();
        };
        let thread = std::thread::Builder::new().name("millstream-http".to_owned()).spawn(serve);
        let thread = thread.map_err(failed)?;
        Ok(Server { address: bound, end: Some(end), thread: Some(thread) })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // A handler that panicked has been answered for by axum.
            let _ = thread.join();
        }
    }
}

fn router(shared: Shared) -> Router {
    let (body_max, methods) = match &shared.fleet {
        Some(_) => (TEXT_BYTES_MAX, "the methods of each path are in the table of docs/server.md"),
        None => (0, "everything here is only read: use GET"),
    };
    routes::router(shared.fleet.is_some())
        .fallback(|| async {
            Problem::new(
                StatusCode::NOT_FOUND,
                "there are /, /metrics, /livez, /readyz, /startupz, /api/v1, /api/v1/jobs and /api/v1/jobs/NAME; \
                 /api/openapi.json describes them all",
            )
        })
        .method_not_allowed_fallback(move || async move {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, methods)
        })
        .layer(DefaultBodyLimit::max(body_max))
        .layer(from_fn_with_state(shared.clone(), guard))
        .layer(map_response(with_headers))
        .with_state(shared)
}

async fn with_headers(mut answer: Response) -> Response {
    let headers = answer.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(CONTENT_POLICY));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}

async fn console() -> Html<&'static str> {
    Html(CONSOLE)
}

async fn show_metrics(State(shared): State<Shared>) -> Response {
    match metrics::text(&shared.board) {
        Ok(text) => {
            ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
        }
        Err(error) => Problem::failure(error.to_string()).into_response(),
    }
}

/// Which version answers, and what who asks may do.
async fn about(State(shared): State<Shared>, Extension(role): Extension<Role>) -> Json<Value> {
    Json(json!({
        "version": env!("CARGO_PKG_VERSION"),
        "may_operate": shared.fleet.is_some() && role == Role::Operate,
    }))
}
