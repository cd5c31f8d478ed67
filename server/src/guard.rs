//! Who is let in: the right host, the right token, not too many at once, not for too long.

use crate::fleet::Operator;
use crate::http::Shared;
use crate::problem::Problem;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use std::net::IpAddr;
use std::time::Duration;

/// How many requests are answered at once.
pub(crate) const REQUESTS_MAX: usize = 64;

/// How long an answer may take.
pub(crate) const ANSWER_MAX: Duration = Duration::from_secs(10);

/// What who sends a request may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Look.
    Read,
    /// Change what runs as well.
    Operate,
}

impl Role {
    /// What has to be shown to change anything.
    pub(crate) fn operator(self) -> Result<Operator, Problem> {
        match self {
            Role::Operate => Ok(Operator::new()),
            Role::Read => Err(Problem::new(StatusCode::FORBIDDEN, "this token may look, and change nothing")),
        }
    }
}

/// Lets a request through, or answers it here.
pub(crate) async fn guard(State(shared): State<Shared>, mut request: Request, next: Next) -> Response {
    let role = match role(&shared, request.uri().path(), request.method(), request.headers()) {
        Ok(role) => role,
        Err(problem) => return refusal(problem),
    };
    let Ok(_place) = shared.places.clone().try_acquire_owned() else {
        let detail = "too many requests are being answered; try again";
        return Problem::new(StatusCode::SERVICE_UNAVAILABLE, detail).into_response();
    };
    request.extensions_mut().insert(role);
    match tokio::time::timeout(ANSWER_MAX, next.run(request)).await {
        Ok(answer) => answer,
        Err(_) => Problem::new(StatusCode::GATEWAY_TIMEOUT, "the answer took too long").into_response(),
    }
}

fn refusal(problem: Problem) -> Response {
    let asks_for_token = problem.status == StatusCode::UNAUTHORIZED.as_u16();
    let mut refusal = problem.into_response();
    if asks_for_token {
        let scheme = header::HeaderValue::from_static("Bearer");
        refusal.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
    }
    refusal
}

/// Probes have no token: what they are told names jobs and tasks only. Nor have the page itself and the description of what
/// there is, which are nobody's secret.
const OPEN: &[&str] = &["/", "/api/openapi.json", "/livez", "/readyz", "/startupz"];

/// What who sends a request may do, or why it is not let through.
fn role(shared: &Shared, path: &str, method: &Method, headers: &HeaderMap) -> Result<Role, Problem> {
    let forbidden = |detail: &str| Err(Problem::new(StatusCode::FORBIDDEN, detail));
    // A browser sends along which page a request is from. One that changes something is from a page of this server.
    if !matches!(*method, Method::GET | Method::HEAD) && !is_of_this_origin(headers) {
        return forbidden("nothing is changed for a page of another host");
    }
    let Some(token) = &shared.token else {
        return match names_this_machine(headers) {
            true => Ok(Role::Operate),
            false => forbidden(
                "without a token only requests to localhost are answered: a page of another host may not read this one",
            ),
        };
    };
    match () {
        () if has_token(headers, token) => Ok(Role::Operate),
        () if shared.read_token.as_ref().is_some_and(|token| has_token(headers, token)) => Ok(Role::Read),
        () if OPEN.contains(&path) => Ok(Role::Read),
        () => Err(Problem::new(StatusCode::UNAUTHORIZED, "send the header Authorization: Bearer TOKEN")),
    }
}

/// Whether a request is from no page, or from one of this server.
fn is_of_this_origin(headers: &HeaderMap) -> bool {
    let text = |name: header::HeaderName| headers.get(name).map(|value| value.to_str().unwrap_or("?"));
    let Some(origin) = text(header::ORIGIN) else { return true };
    let host = origin.split_once("://").map(|(_, host)| host);
    host.is_some() && host == text(header::HOST)
}

/// Whether the `Host` is this machine by a name that no DNS can point elsewhere.
fn names_this_machine(headers: &HeaderMap) -> bool {
    let Some(host) = headers.get(header::HOST).and_then(|host| host.to_str().ok()) else { return false };
    let name = match host.strip_prefix('[') {
        Some(v6) => v6.split(']').next().unwrap_or_default(),
        None => host.rsplit_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost")
        || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

fn has_token(headers: &HeaderMap, token: &str) -> bool {
    let sent = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let sent = sent.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
    same(sent.trim().as_bytes(), token.as_bytes())
}

/// Compares in a time that does not tell where they differ.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |differs, (a, b)| differs | (a ^ b)) == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(name: header::HeaderName, value: &str) -> HeaderMap {
        HeaderMap::from_iter([(name, header::HeaderValue::from_str(value).unwrap())])
    }

    #[test]
    fn only_names_that_mean_this_machine_are_it() {
        for host in ["localhost", "LOCALHOST:9090", "127.0.0.1:80", "127.9.9.9", "[::1]:9090", "[::1]"] {
            assert!(names_this_machine(&headers(header::HOST, host)), "{host}");
        }
        for host in
            ["example.com", "localhost.example.com:80", "10.0.0.1:80", "[fe80::1]", "", "127.0.0.1.nip.io"]
        {
            assert!(!names_this_machine(&headers(header::HOST, host)), "{host}");
        }
        assert!(!names_this_machine(&HeaderMap::new()));
    }

    #[test]
    fn only_pages_of_this_server_change_anything() {
        let from = |origin: &str| {
            let mut headers = headers(header::HOST, "localhost:9090");
            headers.insert(header::ORIGIN, header::HeaderValue::from_str(origin).unwrap());
            is_of_this_origin(&headers)
        };
        assert!(from("http://localhost:9090") && is_of_this_origin(&headers(header::HOST, "a:1")));
        for other in ["http://localhost:9091", "http://evil.example", "null", "", "localhost:9090"] {
            assert!(!from(other), "{other}");
        }
    }

    #[test]
    fn only_the_token_is_the_token() {
        let sent = |value: &str| has_token(&headers(header::AUTHORIZATION, value), "s3cret");
        assert!(sent("Bearer s3cret"));
        for wrong in ["Bearer s3cre", "Bearer s3crets", "s3cret", "Basic s3cret", "Bearer", ""] {
            assert!(!sent(wrong), "{wrong}");
        }
    }
}
