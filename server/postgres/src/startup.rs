//! The beginning of a connection: what is asked for, who asks, and what a client is told of the session.

use crate::Role;
use crate::error::Trouble;
use crate::io::{Lost, Wire};
use crate::message::{Body, Opening, STARTUP_BYTES_MAX, Said, opening, put_text, said};
use crate::scram::{Doors, MECHANISM};
use crate::server::{Place, Shared};
use crate::settings::Settings;
use std::sync::Arc;
use std::time::Duration;

/// A database that is always there, and empty: many tools connect to it to see which others there are.
pub(crate) const EMPTY_DATABASE: &str = "postgres";
/// The protocol that is spoken: version 3.0.
const PROTOCOL: u32 = 3 << 16;
/// How long a client may take for a step of its login.
const PATIENCE: Duration = Duration::from_secs(10);

/// A client that was let in.
pub(crate) struct Opened {
    pub(crate) wire: Wire,
    pub(crate) database: String,
    pub(crate) user: String,
    pub(crate) role: Role,
    pub(crate) settings: Settings,
    pub(crate) place: Place,
}

/// Lets a client in, or says why not.
pub(crate) async fn open(mut wire: Wire, shared: Arc<Shared>) -> Option<Opened> {
    match open_here(&mut wire, &shared).await {
        Ok(Some((database, user, role, settings, place))) => {
            Some(Opened { wire, database, user, role, settings, place })
        }
        Ok(None) => None,
        Err(lost) => {
            wire.end(lost).await;
            None
        }
    }
}

type Let = (String, String, Role, Settings, Place);

async fn open_here(wire: &mut Wire, shared: &Arc<Shared>) -> Result<Option<Let>, Lost> {
    // TLS and GSSAPI may be asked for once each.
    let mut is_secured = false;
    for _ in 0..3 {
        match opening(&wire.opening().await?)? {
            Opening::Tls => match shared.tls.as_ref().filter(|_| !is_secured) {
                Some(tls) => {
                    wire.byte(b'S').await?;
                    wire.secure(tls).await?;
                    is_secured = true;
                }
                None => wire.byte(b'N').await?,
            },
            Opening::Gss => wire.byte(b'N').await?,
            Opening::Cancel { process, secret } => {
                shared.cancel(process, secret);
                return Ok(None);
            }
            Opening::Startup { .. } if shared.tls.is_some() && !is_secured => {
                let trouble = Trouble::fatal("28000", "this server speaks TLS, and nothing without");
                return Err(trouble
                    .hint("connect with sslmode=require, or verify-full and its certificate")
                    .into());
            }
            Opening::Startup { minor, parameters } => {
                return start(wire, shared, minor, parameters).await.map(Some);
            }
        }
    }
    Err(Trouble::protocol("no connection is begun").into())
}

async fn start(
    wire: &mut Wire,
    shared: &Arc<Shared>,
    minor: u16,
    parameters: Vec<(String, String)>,
) -> Result<Let, Lost> {
    let find =
        |name: &str| parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone());
    let user = find("user").filter(|user| !user.is_empty());
    let user = user.ok_or_else(|| Trouble::fatal("28000", "no user is named"))?;
    let database = find("database").filter(|database| !database.is_empty()).unwrap_or_else(|| user.clone());
    let unknown: Vec<&str> =
        parameters.iter().map(|(name, _)| name.as_str()).filter(|name| name.starts_with("_pq_.")).collect();
    if minor > 0 || !unknown.is_empty() {
        wire.out.message(b'v', |out| {
            out.extend_from_slice(&PROTOCOL.to_be_bytes());
            out.extend_from_slice(&(unknown.len() as u32).to_be_bytes());
            unknown.iter().for_each(|name| put_text(name, out));
        });
    }
    let role = match &shared.doors {
        None => Role::Operate,
        Some(doors) => login(wire, doors).await?,
    };
    let fatal = |trouble: Trouble| Trouble { severity: "FATAL", ..trouble };
    let settings = settings(&parameters).map_err(fatal)?;
    let backend = Arc::clone(&shared.backend);
    let databases = tokio::task::spawn_blocking(move || backend.databases()).await;
    let databases = databases.map_err(|_| Trouble::fatal("XX000", "a defect of millstream"))?;
    if database != EMPTY_DATABASE && !databases.contains(&database) {
        let names: Vec<&str> =
            databases.iter().map(String::as_str).chain([EMPTY_DATABASE]).take(20).collect();
        let trouble =
            Trouble::fatal("3D000", format!("database \"{}\" does not exist", database.escape_debug()));
        return Err(trouble.hint(format!("a database is a job; there are: {}", names.join(", "))).into());
    }
    let place = shared.place()?;
    wire.out.authentication(0, &[]);
    settings.told().for_each(|(name, value)| wire.out.parameter(name, value));
    wire.out.message(b'K', |out| {
        out.extend_from_slice(&place.process.to_be_bytes());
        out.extend_from_slice(&place.secret.to_be_bytes());
    });
    wire.out.ready(b'I');
    wire.flush().await?;
    Ok((database, user, role, settings, place))
}

/// The parameters that a client begins with, by themselves or in `options` as for a command.
fn settings(parameters: &[(String, String)]) -> Result<Settings, Trouble> {
    let mut settings = Settings::default();
    for (name, value) in parameters {
        match name.as_str() {
            "user" | "database" | "replication" => {}
            name if name.starts_with("_pq_.") => {}
            "options" => {
                let words: Vec<&str> = value.split_whitespace().collect();
                let pairs = words.iter().filter_map(|word| {
                    let pair = word.strip_prefix("-c").or_else(|| word.strip_prefix("--")).unwrap_or(word);
                    pair.split_once('=')
                });
                for (name, value) in pairs {
                    settings.set(name, Some(value))?;
                }
            }
            name => drop(settings.set(name, Some(value))?),
        }
    }
    Ok(settings)
}

async fn login(wire: &mut Wire, doors: &Doors) -> Result<Role, Lost> {
    let mut mechanisms = MECHANISM.as_bytes().to_vec();
    mechanisms.extend([0, 0]);
    wire.out.authentication(10, &mechanisms);
    wire.flush().await?;
    let first = password(wire).await?;
    let mut body = Body(&first);
    let (mechanism, _length) = (body.text()?, body.u32()?);
    if mechanism != MECHANISM {
        return Err(
            Trouble::fatal("28000", format!("passwords are shown by {MECHANISM}, and nothing else")).into()
        );
    }
    let started = doors.begin(utf8(body.0)?)?;
    wire.out.authentication(11, started.answer.as_bytes());
    wire.flush().await?;
    let last = password(wire).await?;
    let ended = started.end(utf8(&last)?);
    if ended.is_err() {
        // Who guesses waits.
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    let (role, answer) = ended?;
    wire.out.authentication(12, answer.as_bytes());
    Ok(role)
}

fn utf8(bytes: &[u8]) -> Result<&str, Trouble> {
    std::str::from_utf8(bytes).map_err(|_| Trouble::protocol("a message of the login is no text"))
}

async fn password(wire: &mut Wire) -> Result<Vec<u8>, Lost> {
    let (kind, body) = wire.message(STARTUP_BYTES_MAX, PATIENCE).await?;
    match said(kind, &body)? {
        Said::Password(bytes) => Ok(bytes),
        _ => Err(Trouble::protocol("a step of the login was expected").into()),
    }
}
