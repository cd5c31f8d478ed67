//! The server: its routes, and the thread it runs on.

use crate::board::Board;
use crate::guard::{REQUESTS_MAX, guard};
use crate::{api, health, metrics};
use axum::extract::{DefaultBodyLimit, Path, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{from_fn_with_state, map_response};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::Value;
use std::net::SocketAddr;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, oneshot};

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
    /// What readers have to send as `Authorization: Bearer TOKEN`. Without one it listens on the loopback interface only.
    pub token: Option<String>,
}

impl std::fmt::Debug for ServerOptions {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let token = self.token.as_ref().map(|_| "***");
        f.debug_struct("ServerOptions").field("address", &self.address).field("token", &token).finish()
    }
}

/// Why the server can't be started. Says what to do instead.
#[derive(Debug)]
pub enum ServerError {
    /// It would be open to other machines without a token.
    Open(SocketAddr),
    /// The token is too short to keep anybody out.
    Token,
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
    pub(crate) token: Option<Arc<str>>,
    pub(crate) places: Arc<Semaphore>,
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
    /// Starts a server that answers from `board`.
    ///
    /// # Errors
    /// [`ServerError`]: nothing was started.
    pub fn start(board: Board, options: &ServerOptions) -> Result<Self, ServerError> {
        let address = options.address;
        match &options.token {
            None if !address.ip().is_loopback() => return Err(ServerError::Open(address)),
            Some(token) if token.chars().count() < TOKEN_MIN => return Err(ServerError::Token),
            _ => {}
        }
        let failed = |error| ServerError::Listen(address, error);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let listener = runtime.block_on(TcpListener::bind(address)).map_err(failed)?;
        let bound = listener.local_addr().map_err(failed)?;
        let token = options.token.as_deref().map(Arc::from);
        let shared = Shared { board, token, places: Arc::new(Semaphore::new(REQUESTS_MAX)) };
        let (end, ended) = oneshot::channel::<()>();
        let serve = move || {
            runtime.block_on(async move {
                // Connections that are open do not hold the process back.
                tokio::select! {
                    result = axum::serve(listener, router(shared)).into_future() => {
                        if let Err(error) = result {
                            tracing::error!(%error, "the HTTP server ended");
                        }
                    }
                    _ = ended => {}
                }
            });
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
    Router::new()
        .route("/", get(|| async { Html(CONSOLE) }))
        .route("/metrics", get(show_metrics))
        .route("/livez", get(|State(shared): State<Shared>| async move { health::live(&shared.board) }))
        .route("/readyz", get(|State(shared): State<Shared>| async move { health::ready(&shared.board) }))
        .route("/startupz", get(|State(shared): State<Shared>| async move { health::started(&shared.board) }))
        .route("/api/v1/jobs", get(list_jobs))
        .route("/api/v1/jobs/{name}", get(show_job))
        .fallback(|| async {
            problem(
                StatusCode::NOT_FOUND,
                "there are /, /metrics, /livez, /readyz, /startupz, /api/v1/jobs and /api/v1/jobs/NAME",
            )
        })
        .method_not_allowed_fallback(|| async {
            problem(StatusCode::METHOD_NOT_ALLOWED, "everything here is only read: use GET")
        })
        .layer(DefaultBodyLimit::max(0))
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

async fn show_metrics(State(shared): State<Shared>) -> Response {
    match metrics::text(&shared.board) {
        Ok(text) => {
            ([(header::CONTENT_TYPE, "text/plain; version=0.0.4; charset=utf-8")], text).into_response()
        }
        Err(error) => problem(StatusCode::INTERNAL_SERVER_ERROR, &error.to_string()),
    }
}

async fn list_jobs(State(shared): State<Shared>) -> Json<Value> {
    Json(shared.board.now().iter().map(|(name, view)| api::summary(name, view)).collect())
}

async fn show_job(State(shared): State<Shared>, Path(name): Path<String>) -> Response {
    let jobs = shared.board.now();
    match jobs.get(&name) {
        Some(view) => Json(api::detail(&name, view)).into_response(),
        None => {
            let known: Vec<&str> = jobs.keys().map(String::as_str).collect();
            problem(
                StatusCode::NOT_FOUND,
                &format!("there is no such job here; there are: {}", known.join(", ")),
            )
        }
    }
}

/// An error as RFC 9457 has it.
pub(crate) fn problem(status: StatusCode, detail: &str) -> Response {
    let title = status.canonical_reason().unwrap_or_default();
    let body = Json(api::problem(status.as_u16(), title, detail));
    let mut answer = (status, body).into_response();
    let kind = HeaderValue::from_static("application/problem+json");
    answer.headers_mut().insert(header::CONTENT_TYPE, kind);
    answer
}
