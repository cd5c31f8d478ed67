//! Tokens for OAUTHBEARER: from an endpoint, by the grant of client credentials, or unsigned ones for development.

use crate::config::{OAuth, Tls};
use crate::tls;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::rustls::pki_types::ServerName;
use url::Url;

/// How long a token is used at most, whatever its endpoint says.
const LIFETIME_MAX: Duration = Duration::from_secs(365 * 24 * 3_600);
/// What an endpoint may answer with.
const ANSWER_BYTES_MAX: u64 = 1 << 20;

/// A token.
pub(super) struct Token {
    pub(super) text: String,
    /// When another is fetched.
    until: Instant,
}

impl Token {
    fn new(text: String, lifetime: Duration) -> Token {
        // What an endpoint says may be more than a clock can hold.
        let lifetime = lifetime.min(LIFETIME_MAX);
        Token { text, until: Instant::now() + lifetime.mul_f64(0.8) }
    }

    pub(super) fn is_old(&self) -> bool {
        Instant::now() >= self.until
    }
}

/// A new token.
pub(super) async fn fetch(oauth: &OAuth, deadline: Instant) -> Result<Token, String> {
    let Some(url) = &oauth.endpoint_url else { return unsigned(&oauth.config) };
    let url = Url::parse(url).map_err(|error| format!("sasl.oauthbearer.token.endpoint.url: {error}"))?;
    let asking = ask(oauth, &url);
    let answer = match tokio::time::timeout_at(deadline.into(), asking).await {
        Ok(answer) => answer.map_err(|reason| format!("{url}: {reason}"))?,
        Err(_) => return Err(format!("{url} does not answer")),
    };
    let body: serde_json::Value =
        serde_json::from_slice(&answer).map_err(|_| format!("{url}: the answer is no JSON"))?;
    let text =
        body["access_token"].as_str().ok_or_else(|| format!("{url}: the answer has no access_token"))?;
    let lifetime = body["expires_in"].as_u64().unwrap_or(300);
    Ok(Token::new(text.to_owned(), Duration::from_secs(lifetime)))
}

async fn ask(oauth: &OAuth, url: &Url) -> Result<Vec<u8>, String> {
    let failed = |error: std::io::Error| error.to_string();
    let host = url.host_str().ok_or("there is no host")?;
    let port = url.port_or_known_default().ok_or("there is no port")?;
    let socket = TcpStream::connect((host.trim_matches(['[', ']']), port)).await.map_err(failed)?;
    let request = request(oauth, url, host);
    match url.scheme() {
        "http" => exchange(socket, &request).await,
        "https" => {
            let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
            let tls = tls::connector(&Tls::default()).map_err(|error| error.to_string())?;
            exchange(tls.connect(name, socket).await.map_err(failed)?, &request).await
        }
        other => Err(format!("{other} is neither http nor https")),
    }
}

fn request(oauth: &OAuth, url: &Url, host: &str) -> String {
    let encode = |text: &str| url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let mut body = "grant_type=client_credentials".to_owned();
    if !oauth.scope.is_empty() {
        body = format!("{body}&scope={}", encode(&oauth.scope));
    }
    let who = format!("{}:{}", encode(&oauth.client_id), encode(&oauth.client_secret));
    let query = url.query().map(|query| format!("?{query}")).unwrap_or_default();
    // 1.0, so that the answer ends with the connection and comes in one piece.
    format!(
        "POST {}{query} HTTP/1.0\r\nHost: {host}\r\nAccept: application/json\r\nAuthorization: Basic {}\r\n\
         Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
        url.path(),
        STANDARD.encode(who),
        body.len()
    )
}

async fn exchange(mut stream: impl AsyncRead + AsyncWrite + Unpin, request: &str) -> Result<Vec<u8>, String> {
    stream.write_all(request.as_bytes()).await.map_err(|error| error.to_string())?;
    let mut answer = Vec::new();
    // Some servers end TLS without saying so.
    let read = stream.take(ANSWER_BYTES_MAX).read_to_end(&mut answer).await;
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n");
    let Some(end) = end else {
        return Err(read.map_or_else(|error| error.to_string(), |_| "the answer is not HTTP".to_owned()));
    };
    let head = String::from_utf8_lossy(&answer[..end]).into_owned();
    let status = head.split_whitespace().nth(1).unwrap_or_default().to_owned();
    let body = answer.split_off(end + 4);
    if status != "200" {
        let said: String = String::from_utf8_lossy(&body).chars().take(200).collect();
        return Err(format!("status {status}: {said}"));
    }
    Ok(body)
}

/// An unsigned token, as `principal=.. scope=a,b lifeSeconds=..` describes it.
fn unsigned(config: &str) -> Result<Token, String> {
    let (mut principal, mut scopes, mut lifetime) = (None, Vec::new(), 3_600);
    let (mut principal_claim, mut scope_claim) = ("sub", "scope");
    for field in config.split_whitespace() {
        let wrong = || format!("sasl.oauthbearer.config: \"{field}\" is not understood");
        match field.split_once('=').ok_or_else(wrong)? {
            ("principal", value) => principal = Some(value),
            ("scope", value) => scopes = value.split(',').collect(),
            ("lifeSeconds", value) => lifetime = value.parse().map_err(|_| wrong())?,
            ("principalClaimName", value) => principal_claim = value,
            ("scopeClaimName", value) => scope_claim = value,
            _ => return Err(wrong()),
        }
    }
    let principal = principal.ok_or("sasl.oauthbearer.config names no principal")?;
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let mut claims = serde_json::json!({ "iat": now, "exp": now + lifetime });
    claims[principal_claim] = principal.into();
    if !scopes.is_empty() {
        claims[scope_claim] = scopes.into();
    }
    let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
    let text = format!("{}.{}.", encode(r#"{"alg":"none"}"#), encode(&claims.to_string()));
    Ok(Token::new(text, Duration::from_secs(lifetime)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unsigned_token_says_what_it_was_told() {
        let token = unsigned("principal=me scope=a,b lifeSeconds=60").expect("a token");
        let claims = token.text.split('.').nth(1).expect("three parts");
        let claims: serde_json::Value =
            serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).expect("base 64")).expect("JSON");
        assert_eq!((&claims["sub"], &claims["scope"]), (&"me".into(), &serde_json::json!(["a", "b"])));
        assert_eq!(claims["exp"].as_u64(), claims["iat"].as_u64().map(|iat| iat + 60));
        assert!(!token.is_old());
        assert!(unsigned("scope=a").is_err() && unsigned("principal=a b").is_err());
    }

    #[test]
    fn a_token_that_lasts_for_ever_is_asked_for_again_in_a_year() {
        assert!(!Token::new("t".to_owned(), Duration::from_secs(u64::MAX)).is_old());
    }
}
