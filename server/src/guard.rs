//! Who is let in: the right host, the right token, not too many at once, not for too long.

use crate::http::{Shared, problem};
use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use std::net::IpAddr;
use std::time::Duration;

/// How many requests are answered at once.
pub(crate) const REQUESTS_MAX: usize = 64;

/// How long an answer may take.
const ANSWER_MAX: Duration = Duration::from_secs(10);

/// Lets a request through, or answers it here.
pub(crate) async fn guard(State(shared): State<Shared>, request: Request, next: Next) -> Response {
    if let Some(refusal) = refusal(&shared, request.uri().path(), request.headers()) {
        return refusal;
    }
    let Ok(_place) = shared.places.clone().try_acquire_owned() else {
        return problem(StatusCode::SERVICE_UNAVAILABLE, "too many requests are being answered; try again");
    };
    match tokio::time::timeout(ANSWER_MAX, next.run(request)).await {
        Ok(answer) => answer,
        Err(_) => problem(StatusCode::GATEWAY_TIMEOUT, "the answer took too long"),
    }
}

/// Probes have no token: what they are told names jobs and tasks only.
const OPEN: &[&str] = &["/livez", "/readyz", "/startupz"];

/// Why a request is not let through, if it is not.
fn refusal(shared: &Shared, path: &str, headers: &HeaderMap) -> Option<Response> {
    match &shared.token {
        None if !names_this_machine(headers) => Some(problem(
            StatusCode::FORBIDDEN,
            "without a token only requests to localhost are answered: a page of another host may not read this one",
        )),
        Some(token) if !OPEN.contains(&path) && !has_token(headers, token) => {
            let mut refusal =
                problem(StatusCode::UNAUTHORIZED, "send the header Authorization: Bearer TOKEN");
            let scheme = header::HeaderValue::from_static("Bearer");
            refusal.headers_mut().insert(header::WWW_AUTHENTICATE, scheme);
            Some(refusal)
        }
        _ => None,
    }
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
    fn only_the_token_is_the_token() {
        let sent = |value: &str| has_token(&headers(header::AUTHORIZATION, value), "s3cret");
        assert!(sent("Bearer s3cret"));
        for wrong in ["Bearer s3cre", "Bearer s3crets", "s3cret", "Basic s3cret", "Bearer", ""] {
            assert!(!sent(wrong), "{wrong}");
        }
    }
}
