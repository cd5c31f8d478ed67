//! The table of routes: what is answered, and what clients are told of it.
//!
//! The router is made of this table and so is the description at `/api/openapi.json`: there is no route that is not
//! described, and none described that there is not.

use super::{Shared, about, console, jobs, query, show_metrics, stream};
use crate::{health, openapi};
use axum::Router;
use axum::extract::State;
use axum::routing::{MethodRouter, delete, get, post, put};

/// What an answer holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Holds {
    /// Nothing.
    Nothing,
    /// Text of a kind.
    Text(&'static str),
    /// A value of JSON, by the name of its schema.
    Json(&'static str),
    /// A list of these.
    JsonList(&'static str),
    /// Events, each with a list of these.
    Events(&'static str),
}

/// A route.
pub(crate) struct Route {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) about: &'static str,
    /// Whether it is for operators only.
    pub(crate) operates: bool,
    /// Whether it is there only where jobs can be changed.
    pub(crate) of_fleet: bool,
    /// Names in the query, and what they are.
    pub(crate) query: &'static [(&'static str, &'static str)],
    /// Whether a text of SQL is sent.
    pub(crate) takes_sql: bool,
    pub(crate) status: u16,
    pub(crate) holds: Holds,
    handler: fn() -> MethodRouter<Shared>,
}

const NAME: &[(&str, &str)] = &[("name", "the name of the job")];

/// A route that reads, of every server.
const fn read(
    path: &'static str,
    about: &'static str,
    holds: Holds,
    handler: fn() -> MethodRouter<Shared>,
) -> Route {
    let (method, query) = ("GET", &[] as &[_]);
    Route {
        method,
        path,
        about,
        operates: false,
        of_fleet: false,
        query,
        takes_sql: false,
        status: 200,
        holds,
        handler,
    }
}

/// One where jobs can be changed.
const fn fleet(
    method: &'static str,
    path: &'static str,
    about: &'static str,
    status: u16,
    holds: Holds,
    handler: fn() -> MethodRouter<Shared>,
) -> Route {
    Route { method, of_fleet: true, operates: true, status, ..read(path, about, holds, handler) }
}

/// Every route.
pub(crate) const ROUTES: &[Route] = &[
    read("/", "the page", Holds::Text("text/html"), || get(console)),
    read("/metrics", "metrics for Prometheus", Holds::Text("text/plain"), || get(show_metrics)),
    read("/livez", "whether the process does not hang", Holds::Text("text/plain"), || {
        get(|State(shared): State<Shared>| async move { health::live(&shared) })
    }),
    read("/readyz", "whether every job runs, or has ended well", Holds::Text("text/plain"), || {
        get(|State(shared): State<Shared>| async move { health::ready(&shared) })
    }),
    read("/startupz", "whether every job has run at some time", Holds::Text("text/plain"), || {
        get(|State(shared): State<Shared>| async move { health::started(&shared) })
    }),
    read("/api/openapi.json", "this description", Holds::Text("application/json"), || get(openapi::show)),
    read("/api/v1", "version, and whether who asks may operate", Holds::Json("About"), || get(about)),
    read("/api/v1/jobs", "all jobs, a summary of each", Holds::JsonList("Job"), || get(jobs::list)),
    read(
        "/api/v1/jobs/stream",
        "the same list as events named jobs, once at the beginning and whenever something has changed, at most once a second",
        Holds::Events("Job"),
        || get(stream::jobs),
    ),
    read("/api/v1/jobs/{name}", "a job with its operators and tasks", Holds::Json("Job"), || get(jobs::show)),
    Route {
        query: NAME,
        takes_sql: true,
        ..fleet("POST", "/api/v1/jobs", "submits a job", 201, Holds::Json("Name"), || post(jobs::submit))
    },
    Route {
        takes_sql: true,
        ..fleet(
            "PUT",
            "/api/v1/jobs/{name}",
            "submits a job, or gives one another text",
            200,
            Holds::Json("Name"),
            || put(jobs::replace),
        )
    },
    fleet(
        "DELETE",
        "/api/v1/jobs/{name}",
        "ends a submitted job and forgets it",
        204,
        Holds::Nothing,
        || delete(jobs::remove),
    ),
    Route {
        operates: false,
        ..fleet(
            "GET",
            "/api/v1/jobs/{name}/log",
            "what has happened to a job",
            200,
            Holds::JsonList("Line"),
            || get(jobs::log),
        )
    },
    fleet("GET", "/api/v1/jobs/{name}/sql", "the text of a job", 200, Holds::Text("application/sql"), || {
        get(jobs::text)
    }),
    fleet(
        "POST",
        "/api/v1/jobs/{name}/{action}",
        "pause, resume, stop or restart",
        202,
        Holds::Json("Name"),
        || post(jobs::act),
    ),
    Route {
        operates: false,
        query: NAME,
        takes_sql: true,
        ..fleet(
            "POST",
            "/api/v1/check",
            "plans a text and changes nothing",
            200,
            Holds::Json("Checked"),
            || post(jobs::check),
        )
    },
    Route {
        query: &[("job", "the job whose tables are asked"), ("rows", "how many rows are wanted at most")],
        takes_sql: true,
        ..fleet("POST", "/api/v1/query", "answers a question over tables", 200, Holds::Json("Answer"), || {
            post(query::ask)
        })
    },
];

/// The routes of a server that can change jobs, or of one that can not.
pub(crate) fn routes(is_fleet: bool) -> impl Iterator<Item = &'static Route> {
    ROUTES.iter().filter(move |route| is_fleet || !route.of_fleet)
}

/// The router of these.
pub(super) fn router(is_fleet: bool) -> Router<Shared> {
    routes(is_fleet).fold(Router::new(), |router, route| router.route(route.path, (route.handler)()))
}
