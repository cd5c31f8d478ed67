//! What formats need from elsewhere, got over HTTP.
//!
//! What to ask and what an answer means is the format's business ([`Lookup`]); here bytes go back and forth. An answer is
//! bounded in time and in length, and no redirection is followed: a registry is where its address says.

use millstream_operators::formats::{Lookup, LookupError};
use std::time::Duration;

/// How often a start asks, and the pause after the first time; each is twice as long as the one before.
const TRIES: u32 = 5;
const PAUSE: Duration = Duration::from_millis(250);

/// Asks, and again for a while where that may help.
///
/// # Errors
/// As [`Client::get`].
pub(crate) fn get_patiently(lookup: &Lookup) -> Result<(), LookupError> {
    let client = Client::new()?;
    let mut last = client.get(lookup);
    for again in 0..TRIES {
        match last {
            Err(LookupError::Later(_)) => std::thread::sleep(PAUSE * (1 << again)),
            other => return other,
        }
        last = client.get(lookup);
    }
    last
}

#[cfg(feature = "registry")]
pub(crate) use http::Client;

#[cfg(feature = "registry")]
mod http {
    use super::{Duration, Lookup, LookupError};
    use reqwest::header::{AUTHORIZATION, CONTENT_TYPE};
    use tokio::runtime::Runtime;

    /// How long an answer may take, and how long it may be.
    const PATIENCE: Duration = Duration::from_secs(10);
    const BYTES_MAX: usize = 4 << 20;

    /// Asks for one thing after the other, on the thread that calls it.
    #[derive(Debug)]
    pub(crate) struct Client {
        runtime: Runtime,
        client: reqwest::Client,
    }

    impl Client {
        /// A client.
        ///
        /// # Errors
        /// [`LookupError::Refused`] with what the system says.
        pub(crate) fn new() -> Result<Self, LookupError> {
            let refused =
                |error: &dyn std::fmt::Display| LookupError::Refused(format!("HTTP client: {error}"));
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            let client = reqwest::Client::builder()
                .timeout(PATIENCE)
                .redirect(reqwest::redirect::Policy::none())
                .user_agent("millstream")
                .build();
            Ok(Client {
                runtime: runtime.map_err(|error| refused(&error))?,
                client: client.map_err(|error| refused(&error))?,
            })
        }

        /// Asks, and hands the answer over.
        ///
        /// # Errors
        /// What the answer means; [`LookupError::Later`] where none came.
        pub(crate) fn get(&self, lookup: &Lookup) -> Result<(), LookupError> {
            let mut why = String::new();
            for url in &lookup.request().urls {
                match self.runtime.block_on(self.ask(url, lookup)) {
                    Ok((status, body)) => match lookup.answer(status, &body) {
                        Err(LookupError::Later(reason)) => why = reason,
                        other => return other,
                    },
                    Err(error) => why = format!("{}: {}", lookup.describe(), reason(&error)),
                }
            }
            Err(LookupError::Later(why))
        }

        async fn ask(&self, url: &str, lookup: &Lookup) -> reqwest::Result<(u16, Vec<u8>)> {
            let request = lookup.request();
            let mut asked = match request.body {
                Some(body) => self.client.post(url).header(CONTENT_TYPE, Lookup::CONTENT_TYPE).body(body),
                None => self.client.get(url),
            };
            if let Some(authorization) = request.authorization {
                asked = asked.header(AUTHORIZATION, authorization);
            }
            let mut answer = asked.send().await?;
            let (status, mut body) = (answer.status().as_u16(), Vec::new());
            while let Some(chunk) = answer.chunk().await? {
                if body.len() + chunk.len() > BYTES_MAX {
                    // What is cut off is no JSON, and so no answer.
                    break;
                }
                body.extend_from_slice(&chunk);
            }
            Ok((status, body))
        }
    }

    /// What went wrong, with what stands behind it: the first sentence alone says nothing.
    fn reason(error: &reqwest::Error) -> String {
        let mut text = error.to_string();
        let mut source = std::error::Error::source(error);
        while let Some(error) = source {
            text = format!("{text}: {error}");
            source = error.source();
        }
        text
    }
}

/// A build without an HTTP client.
#[cfg(not(feature = "registry"))]
#[derive(Debug)]
pub(crate) struct Client;

#[cfg(not(feature = "registry"))]
impl Client {
    pub(crate) fn new() -> Result<Self, LookupError> {
        Ok(Client)
    }

    pub(crate) fn get(&self, lookup: &Lookup) -> Result<(), LookupError> {
        let why = "this program was built without the feature \"registry\"";
        Err(LookupError::Refused(format!("{}: {why}", lookup.describe())))
    }
}
