//! A session: a client that was let in, what it has prepared, and what it is told.

use crate::catalog::{CatalogQuery, Found, Value, World};
use crate::error::Trouble;
use crate::extended::{Portal, Prepared};
use crate::io::{Lost, Wire};
use crate::message::{ColumnText, MESSAGE_BYTES_MAX, Said, said};
use crate::server::{Place, Shared};
use crate::settings::Settings;
use crate::startup::EMPTY_DATABASE;
use crate::types::Kind;
use crate::{Asked, Table, value};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};
use tokio::sync::OwnedSemaphorePermit;

/// How long a statement may take.
const STATEMENT_MAX: Duration = Duration::from_secs(60);
/// How long a client may say nothing.
const SILENCE_MAX: Duration = Duration::from_secs(3_600);
/// Rows of an answer.
const ROWS_MAX: usize = 1_000_000;

/// A client that was let in.
pub(crate) struct Session {
    pub(crate) wire: Wire,
    pub(crate) shared: Arc<Shared>,
    pub(crate) database: String,
    pub(crate) user: String,
    pub(crate) settings: Settings,
    pub(crate) place: Place,
    pub(crate) prepared: BTreeMap<String, Arc<Prepared>>,
    pub(crate) portals: BTreeMap<String, Portal>,
    /// `I`: no transaction; `T`: in one; `E`: in one that has failed.
    pub(crate) status: u8,
    /// What comes is passed over until the end of what belongs together.
    pub(crate) skips: bool,
}

/// Rows that are there to be sent, and the room that they take.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) found: Found,
    _room: OwnedSemaphorePermit,
}

impl Session {
    pub(crate) fn new(
        wire: Wire,
        shared: Arc<Shared>,
        database: String,
        user: String,
        settings: Settings,
        place: Place,
    ) -> Self {
        let (prepared, portals) = (BTreeMap::new(), BTreeMap::new());
        Session {
            wire,
            shared,
            database,
            user,
            settings,
            place,
            prepared,
            portals,
            status: b'I',
            skips: false,
        }
    }

    /// Answers until the client goes, or is told to.
    pub(crate) async fn serve(mut self) {
        loop {
            match self.next().await {
                Ok(true) => {}
                Ok(false) => return,
                Err(lost) => return self.wire.end(lost).await,
            }
        }
    }

    /// Takes the next message; whether there may be others.
    async fn next(&mut self) -> Result<bool, Lost> {
        let (kind, body) = self.wire.message(MESSAGE_BYTES_MAX, SILENCE_MAX).await?;
        let said = said(kind, &body)?;
        self.place.cancelled.store(false, Ordering::Relaxed);
        match said {
            Said::Terminate => return Ok(false),
            Said::Sync => {
                self.skips = false;
                // What belongs together ends, and with it portals, unless they are in a transaction.
                if self.status == b'I' {
                    self.portals.clear();
                }
                self.wire.out.ready(self.status);
                self.wire.flush().await?;
            }
            _ if self.skips => {}
            Said::Query(text) => {
                self.portals.clear();
                self.simple(&text).await?;
                self.wire.out.ready(self.status);
                self.wire.flush().await?;
            }
            Said::Flush => self.wire.flush().await?,
            Said::Password(_) => return Err(Trouble::protocol("the login is over").into()),
            Said::Other(kind) => {
                let kind = char::from(kind).escape_default();
                return Err(
                    Trouble::protocol(format!("messages of the kind {kind} are not taken here")).into()
                );
            }
            extended => {
                if let Err(lost) = self.extended(extended).await {
                    let Lost::Told(trouble) = lost else { return Err(lost) };
                    if trouble.is_fatal() {
                        return Err(trouble.into());
                    }
                    self.fail(&trouble);
                    self.skips = true;
                    self.wire.flush().await?;
                }
            }
        }
        Ok(true)
    }

    /// Tells of an error, which ends the transaction that it is in.
    pub(crate) fn fail(&mut self, trouble: &Trouble) {
        self.wire.out.trouble(b'E', trouble);
        if self.status == b'T' {
            self.status = b'E';
        }
    }

    /// Refuses what can't be done in a transaction that has failed.
    pub(crate) fn look_at_transaction(&self) -> Result<(), Trouble> {
        match self.status {
            b'E' => Err(Trouble::new(
                "25P02",
                "the transaction has failed, and nothing is done until it ends: ROLLBACK",
            )),
            _ => Ok(()),
        }
    }

    /// Does something on a thread that may wait; what it is doing is told to end when the client goes.
    pub(crate) async fn aside<T: Send + 'static>(
        &mut self,
        work: impl FnOnce() -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Lost> {
        let mut work = tokio::task::spawn_blocking(work);
        let done = tokio::select! {
            done = &mut work => done,
            () = self.wire.gone() => {
                self.place.cancelled.store(true, Ordering::Relaxed);
                return Err(Lost::Gone);
            }
        };
        Ok(done.map_err(|_| Trouble::new("XX000", "a defect of millstream: it is in its log"))??)
    }

    /// The tables of the database.
    pub(crate) async fn tables(&mut self) -> Result<Vec<Table>, Lost> {
        let (backend, database) = (Arc::clone(&self.shared.backend), self.database.clone());
        self.aside(move || tables_of(&*backend, &database)).await
    }

    /// Computes a query over the catalog.
    pub(crate) async fn of_catalog(
        &mut self,
        query: CatalogQuery,
        parameters: Vec<Value>,
    ) -> Result<Held, Lost> {
        let found = self.in_world(move |world| query.run(world, &parameters)).await?;
        self.held(found)
    }

    /// Does something with what there is to ask the catalog about.
    pub(crate) async fn in_world<T: Send + 'static>(
        &mut self,
        work: impl FnOnce(World<'_>) -> Result<T, Trouble> + Send + 'static,
    ) -> Result<T, Lost> {
        let backend = Arc::clone(&self.shared.backend);
        let (database, user, settings) = (self.database.clone(), self.user.clone(), self.settings.clone());
        let (process, cancelled) = (self.place.process, Arc::clone(&self.place.cancelled));
        self.aside(move || {
            let tables = tables_of(&*backend, &database)?;
            let mut databases = backend.databases();
            if !databases.iter().any(|name| name == EMPTY_DATABASE) {
                databases.push(EMPTY_DATABASE.to_owned());
            }
            work(World {
                database: &database,
                databases: &databases,
                tables: &tables,
                settings: &settings,
                user: &user,
                process,
                cancelled: &cancelled,
            })
        })
        .await
    }

    /// Answers a question; `place` says where a byte of it is in the client's text.
    pub(crate) async fn answer(
        &mut self,
        text: String,
        place: impl Fn(usize) -> Option<usize> + Send + 'static,
    ) -> Result<Held, Lost> {
        let begun = Instant::now();
        let time_max = self.settings.time_max(STATEMENT_MAX);
        let late = || {
            Trouble::new("57014", "the question waited too long for its turn: too many are being answered")
        };
        let questions = Arc::clone(&self.shared.questions);
        let turn = tokio::select! {
            turn = tokio::time::timeout(time_max, questions.acquire_owned()) => turn,
            () = self.wire.gone() => return Err(Lost::Gone),
        };
        let turn = turn.map_err(|_| late())?.map_err(|_| late())?;
        let (backend, database) = (Arc::clone(&self.shared.backend), self.database.clone());
        let cancelled = Arc::clone(&self.place.cancelled);
        let time_max = time_max.saturating_sub(begun.elapsed());
        let answer = self.aside(move || {
            // Held until it is answered, also for who does not wait for that.
            let _turn = turn;
            let asked = Asked {
                database: &database,
                text: &text,
                rows_max: ROWS_MAX,
                time_max,
                cancelled: &cancelled,
            };
            backend.answer(asked).map_err(|refusal| refusal.trouble(place))
        });
        let answer = answer.await?;
        if answer.more {
            let trouble = Trouble::new("54000", format!("the answer has more than {ROWS_MAX} rows"));
            return Err(trouble.hint("narrow it with WHERE, or cut it with LIMIT").into());
        }
        let columns = answer.columns.into_iter().map(|column| {
            let kind = Kind::of_flink(&column.type_name);
            (column.name, kind)
        });
        self.held(Found { columns: columns.collect(), rows: answer.rows })
    }

    /// Takes the room that rows need until they are sent.
    pub(crate) fn held(&self, found: Found) -> Result<Held, Lost> {
        let of_row =
            |row: &Vec<String>| row.iter().map(|value| value.len() + size_of::<String>()).sum::<usize>();
        let kib = found.rows.iter().map(of_row).sum::<usize>() >> 10;
        let room =
            Arc::clone(&self.shared.answers).try_acquire_many_owned(u32::try_from(kib).unwrap_or(u32::MAX));
        let room = room.map_err(|_| {
            Trouble::new("53200", "answers that wait to be fetched take all the room there is")
        })?;
        Ok(Held { found, _room: room })
    }

    /// Sends rows from one place on, so many of them; how many were sent.
    pub(crate) async fn send(
        &mut self,
        found: &Found,
        from: usize,
        most: usize,
        binary: impl Fn(usize) -> bool,
    ) -> Result<usize, Lost> {
        let rows = found.rows.iter().skip(from).take(most);
        let mut sent = 0;
        for row in rows {
            self.wire.out.message(b'D', |out| {
                crate::message::put_count(found.columns.len(), out);
                let values = row.iter().map(String::as_str).chain(std::iter::repeat("null"));
                for (at, ((_, kind), value)) in found.columns.iter().zip(values).enumerate() {
                    value::write(value, *kind, binary(at), out);
                }
            });
            sent += 1;
            self.wire.flush_much().await?;
        }
        Ok(sent)
    }

    /// Tells of columns.
    pub(crate) fn tell_columns(&mut self, columns: &[(String, Kind)], binary: impl Fn(usize) -> bool) {
        let columns = columns.iter().enumerate();
        let columns = columns.map(|(at, (name, kind))| ColumnText { name, kind: *kind, binary: binary(at) });
        self.wire.out.columns(columns);
    }
}

fn tables_of(backend: &dyn crate::Backend, database: &str) -> Result<Vec<Table>, Trouble> {
    match backend.tables(database) {
        // The empty one.
        Err(_) if database == EMPTY_DATABASE => Ok(Vec::new()),
        tables => tables.map_err(|refusal| refusal.trouble(|_| None)),
    }
}
