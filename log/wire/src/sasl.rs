//! Login: one exchange of messages per connection, after the broker has agreed to the mechanism.

mod scram;
mod token;

use crate::config::{Mechanism, Sasl};
use crate::connection::Connection;
use crate::{Code, WireError};
use bytes::Bytes;
use kafka_protocol::messages::{SaslAuthenticateRequest, SaslHandshakeRequest};
use kafka_protocol::protocol::StrBytes;
use std::time::{Duration, Instant};
use token::Token;

/// Logs connections of one client in.
pub(crate) struct Login {
    sasl: Sasl,
    /// The last token, until it is about to end.
    token: tokio::sync::Mutex<Option<Token>>,
}

impl Login {
    pub(crate) fn new(sasl: Sasl) -> Login {
        Login { sasl, token: tokio::sync::Mutex::default() }
    }

    /// Logs in; says how long that is good for, if not for ever.
    pub(crate) async fn login(
        &self,
        connection: &Connection,
        deadline: Instant,
    ) -> Result<Option<Duration>, WireError> {
        let mechanism = self.sasl.mechanism;
        let mut exchange = Exchange { connection, mechanism, deadline, lifetime_ms: 0 };
        exchange.agree().await?;
        match mechanism {
            Mechanism::Plain => {
                let message = format!("\0{}\0{}", self.sasl.username, self.sasl.password);
                exchange.send(message.into_bytes()).await?;
            }
            Mechanism::ScramSha256 => self.scram(&mut exchange, &scram::SHA_256).await?,
            Mechanism::ScramSha512 => self.scram(&mut exchange, &scram::SHA_512).await?,
            Mechanism::OAuthBearer => self.bearer(&mut exchange).await?,
        }
        let lifetime = u64::try_from(exchange.lifetime_ms).ok().filter(|ms| *ms > 0);
        Ok(lifetime.map(Duration::from_millis))
    }

    async fn scram(&self, exchange: &mut Exchange<'_>, hash: &'static scram::Hash) -> Result<(), WireError> {
        let nonce: String = (0..24).map(|_| rand::random_range('A'..='Z')).collect();
        let first = scram::First::new(&self.sasl.username, &nonce);
        let challenge = exchange.send(first.message().into_bytes()).await?;
        let last = first.answer(hash, &self.sasl.password, &challenge);
        let last = last.map_err(|reason| exchange.refused(reason))?;
        let signature = exchange.send(last.message.clone().into_bytes()).await?;
        // Who knows the password can sign; another is not the broker.
        last.check(&signature).map_err(|reason| exchange.refused(reason))
    }

    async fn bearer(&self, exchange: &mut Exchange<'_>) -> Result<(), WireError> {
        let text = {
            let mut token = self.token.lock().await;
            if token.as_ref().is_none_or(|token| token.is_old()) {
                let fetched = token::fetch(&self.sasl.oauth, exchange.deadline).await;
                *token = Some(fetched.map_err(|reason| exchange.refused(reason))?);
            }
            token.as_ref().map(|token| token.text.clone()).unwrap_or_default()
        };
        let mut message = format!("n,,\x01auth=Bearer {text}\x01");
        for extension in self.sasl.oauth.extensions.split(',').filter(|it| !it.is_empty()) {
            message.push_str(extension.trim());
            message.push('\x01');
        }
        message.push('\x01');
        let answer = exchange.send(message.into_bytes()).await;
        // The next connection asks for another.
        if answer.is_err() {
            *self.token.lock().await = None;
        }
        let refusal = answer?;
        if refusal.is_empty() {
            return Ok(());
        }
        // It says why and waits for this before it ends the exchange.
        let why = String::from_utf8_lossy(&refusal).into_owned();
        *self.token.lock().await = None;
        exchange.send(vec![1]).await?;
        Err(exchange.refused(format!("the token was refused: {why}")))
    }
}

struct Exchange<'a> {
    connection: &'a Connection,
    mechanism: Mechanism,
    deadline: Instant,
    lifetime_ms: i64,
}

impl Exchange<'_> {
    async fn agree(&self) -> Result<(), WireError> {
        let mechanism = self.mechanism;
        let request =
            SaslHandshakeRequest::default().with_mechanism(StrBytes::from_static_str(mechanism.name()));
        // Version 1: what follows is in requests of its own.
        let answer = self.connection.send_version(&request, 1)?.wait(self.deadline).await?;
        Code::check(answer.error_code).map_err(|code| {
            let offered: Vec<&str> = answer.mechanisms.iter().map(StrBytes::as_str).collect();
            self.refused(format!("{code}: {} is not among {}", mechanism.name(), offered.join(", ")))
        })
    }

    async fn send(&mut self, message: Vec<u8>) -> Result<Bytes, WireError> {
        let request = SaslAuthenticateRequest::default().with_auth_bytes(Bytes::from(message));
        let answer = self.connection.ask(&request, self.deadline).await?;
        self.lifetime_ms = answer.session_lifetime_ms;
        Code::check(answer.error_code).map_err(|code| {
            let why = answer.error_message.as_ref().map_or("", |why| why.as_str());
            let hint = match self.mechanism {
                Mechanism::OAuthBearer => "the token was refused; see sasl.oauthbearer.*",
                _ => "see sasl.username and sasl.password",
            };
            self.refused(format!("{code}: {why}; {hint}"))
        })?;
        Ok(answer.auth_bytes)
    }

    fn refused(&self, reason: String) -> WireError {
        WireError::Login { broker: self.connection.broker().to_owned(), reason: format!("login: {reason}") }
    }
}
