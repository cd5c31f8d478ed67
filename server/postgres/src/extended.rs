//! Extended queries: a statement is prepared, its parameters are given, and its rows are fetched, all at once or in parts.

use crate::catalog::Value;
use crate::error::Trouble;
use crate::io::Lost;
use crate::message::{Named, Said};
use crate::parameters::parameter_kinds;
use crate::query::Outcome;
use crate::session::{Held, Session};
use crate::statement::{self, Kind};
use crate::text::{Asked, Token, asked, character, statements, tokens};
use crate::types::Kind as Type;
use crate::value::{count, literal, of_parameter};
use std::sync::{Arc, OnceLock};

/// Statements that a session keeps.
const PREPARED_MAX: usize = 1_000;
/// Bytes of their texts.
const PREPARED_BYTES_MAX: usize = 16 << 20;
/// Portals that a session has open.
const PORTALS_MAX: usize = 100;

/// A statement that was prepared.
#[derive(Debug)]
pub(crate) struct Prepared {
    text: String,
    tokens: Vec<Token>,
    kind: Kind,
    parameters: Vec<Type>,
    /// Its columns, once they were asked for; none where it gives no rows.
    columns: OnceLock<Option<Vec<(String, Type)>>>,
}

/// A statement with values for its parameters, and the rows that were not fetched yet.
#[derive(Debug)]
pub(crate) struct Portal {
    prepared: Arc<Prepared>,
    formats: Vec<u16>,
    values: Vec<Option<Vec<u8>>>,
    results: Vec<u16>,
    held: Option<Arc<Held>>,
    sent: usize,
    /// The tag of what has been run and gives no rows.
    done: bool,
}

/// Whether the value at a place is in binary, by formats of which there may be none, one for all, or one for each.
fn is_binary(formats: &[u16], at: usize) -> bool {
    match formats {
        [] => false,
        [one] => *one == 1,
        each => each.get(at) == Some(&1),
    }
}

impl Session {
    /// Takes a message of the extended protocol.
    pub(crate) async fn extended(&mut self, said: Said) -> Result<(), Lost> {
        match said {
            Said::Parse { name, text, types } => self.parse(name, text, &types).await,
            Said::Bind { portal, statement, formats, values, results } => {
                self.bind(portal, &statement, formats, values, results)
            }
            Said::Describe(Named::Statement(name)) => {
                let prepared = self.statement(&name)?;
                let oids: Vec<u32> = prepared.parameters.iter().map(|kind| kind.oid()).collect();
                let columns = self.columns(&prepared).await?;
                self.wire.out.parameters(&oids);
                self.tell(columns.as_deref(), &[]);
                Ok(())
            }
            Said::Describe(Named::Portal(name)) => {
                let portal = self.portals.get(&name).ok_or_else(|| no_portal(&name))?;
                let (prepared, results) = (Arc::clone(&portal.prepared), portal.results.clone());
                let columns = self.columns(&prepared).await?;
                self.tell(columns.as_deref(), &results);
                Ok(())
            }
            Said::Execute { portal, rows } => self.execute(&portal, rows).await,
            Said::Close(named) => {
                match named {
                    Named::Statement(name) => drop(self.prepared.remove(&name)),
                    Named::Portal(name) => drop(self.portals.remove(&name)),
                }
                self.wire.out.plain(b'3');
                Ok(())
            }
            _ => Err(Trouble::protocol("this message was not expected").into()),
        }
    }

    fn tell(&mut self, columns: Option<&[(String, Type)]>, results: &[u16]) {
        match columns {
            Some(columns) => self.tell_columns(columns, |at| is_binary(results, at)),
            None => self.wire.out.plain(b'n'),
        }
    }

    fn statement(&self, name: &str) -> Result<Arc<Prepared>, Trouble> {
        let missing = || Trouble::new("26000", format!("prepared statement \"{name}\" does not exist"));
        self.prepared.get(name).cloned().ok_or_else(missing)
    }

    async fn parse(&mut self, name: String, text: String, types: &[u32]) -> Result<(), Lost> {
        if !name.is_empty() && self.prepared.contains_key(&name) {
            return Err(Trouble::new("42P05", format!("prepared statement \"{name}\" already exists")).into());
        }
        let kept: usize = self.prepared.values().map(|prepared| prepared.text.len()).sum();
        if self.prepared.len() >= PREPARED_MAX || kept + text.len() > PREPARED_BYTES_MAX {
            return Err(Trouble::new("53200", "too many statements are prepared")
                .hint("DEALLOCATE ALL")
                .into());
        }
        let mut all = statements(&tokens(&text)?, &text);
        let tokens = all.pop().unwrap_or_default();
        if !all.is_empty() {
            return Err(Trouble::new("42601", "only one statement can be prepared at once").into());
        }
        let tables = self.tables().await?;
        let kind = statement::kind(&tokens, &text, |name| tables.iter().any(|table| table.name == name));
        if let Kind::Refused(trouble) = kind {
            return Err(trouble.into());
        }
        let column = |name: &str| {
            let columns = tables.iter().flat_map(|table| &table.columns).filter(|column| column.name == name);
            let mut kinds = columns.map(|column| Type::of_flink(&column.type_name));
            let first = kinds.next()?;
            // Columns of one name and several types say nothing.
            kinds.all(|kind| kind == first).then_some(first)
        };
        let parameters = parameter_kinds(&tokens, &text, types, column)?;
        let prepared = Prepared { text, tokens, kind, parameters, columns: OnceLock::new() };
        self.prepared.insert(name, Arc::new(prepared));
        self.wire.out.plain(b'1');
        Ok(())
    }

    fn bind(
        &mut self,
        portal: String,
        statement: &str,
        formats: Vec<u16>,
        values: Vec<Option<Vec<u8>>>,
        results: Vec<u16>,
    ) -> Result<(), Lost> {
        let prepared = self.statement(statement)?;
        if values.len() != prepared.parameters.len() {
            let (given, wanted) = (values.len(), prepared.parameters.len());
            return Err(
                Trouble::new("08P01", format!("{given} parameters are given, and {wanted} needed")).into()
            );
        }
        if formats.iter().chain(&results).any(|format| *format > 1) {
            return Err(Trouble::new("08P01", "a format is neither text nor binary").into());
        }
        if !portal.is_empty() && self.portals.contains_key(&portal) {
            return Err(Trouble::new("42P03", format!("cursor \"{portal}\" already exists")).into());
        }
        if self.portals.len() >= PORTALS_MAX {
            return Err(Trouble::new("53200", "too many portals are open").into());
        }
        let open = Portal { prepared, formats, values, results, held: None, sent: 0, done: false };
        self.portals.insert(portal, open);
        self.wire.out.plain(b'2');
        Ok(())
    }

    /// The columns of a statement; none where it gives no rows.
    async fn columns(&mut self, prepared: &Arc<Prepared>) -> Result<Option<Vec<(String, Type)>>, Lost> {
        if let Some(known) = prepared.columns.get() {
            return Ok(known.clone());
        }
        let columns = match &prepared.kind {
            Kind::Catalog(query) => {
                let query = query.clone();
                Some(self.in_world(move |world| query.columns(world)).await?)
            }
            Kind::Show(name) => Some(Self::shown(name)),
            Kind::Question => {
                let asked = self.question(prepared, |kind, counts| match counts {
                    true => Ok("1".to_owned()),
                    false => literal(None, kind, false),
                })?;
                let (backend, database) = (Arc::clone(&self.shared.backend), self.database.clone());
                let prepared = Arc::clone(prepared);
                let described = self.aside(move || {
                    let place = |at| asked.place(at).map(|at| character(&prepared.text, at));
                    backend.describe(&database, &asked.text).map_err(|refusal| refusal.trouble(place))
                });
                let columns = described.await?.into_iter();
                Some(columns.map(|column| (column.name, Type::of_flink(&column.type_name))).collect())
            }
            _ => None,
        };
        Ok(prepared.columns.get_or_init(|| columns).clone())
    }

    /// A question with something for each of its parameters: a value, or how many rows are wanted.
    fn question(
        &self,
        prepared: &Prepared,
        mut value: impl FnMut(Type, bool) -> Result<String, Trouble>,
    ) -> Result<Asked, Trouble> {
        asked(&prepared.tokens, &prepared.text, &self.database, &mut |number: usize, counts| {
            let kind = number.checked_sub(1).and_then(|at| prepared.parameters.get(at));
            value(*kind.ok_or_else(|| Trouble::new("42P02", "there is no such parameter"))?, counts)
        })
    }

    async fn execute(&mut self, name: &str, rows: u32) -> Result<(), Lost> {
        let portal = self.portals.get(name).ok_or_else(|| no_portal(name))?;
        if portal.done {
            return Err(Trouble::new("55000", format!("portal \"{name}\" cannot be run again")).into());
        }
        let (held, from) = match &portal.held {
            Some(held) => (Arc::clone(held), portal.sent),
            None => match self.begin(name).await? {
                Some(held) => (held, 0),
                None => return Ok(()),
            },
        };
        let results = self.portals.get(name).map(|portal| portal.results.clone()).unwrap_or_default();
        let most = if rows == 0 { usize::MAX } else { rows as usize };
        let sent = self.send(&held.found, from, most, |at| is_binary(&results, at)).await?;
        let is_all = from + sent >= held.found.rows.len();
        if let Some(portal) = self.portals.get_mut(name) {
            portal.sent = from + sent;
            portal.held = (!is_all).then(|| Arc::clone(&held));
            portal.done = is_all;
        }
        match is_all {
            true => self.wire.out.complete(&format!("SELECT {sent}")),
            false => self.wire.out.plain(b's'),
        }
        Ok(())
    }

    /// Runs a portal: its rows, where there are any.
    async fn begin(&mut self, name: &str) -> Result<Option<Arc<Held>>, Lost> {
        let portal = self.portals.get(name).ok_or_else(|| no_portal(name))?;
        let prepared = Arc::clone(&portal.prepared);
        let (values, formats) = (portal.values.clone(), portal.formats.clone());
        if let Kind::Question = prepared.kind {
            self.look_at_transaction()?;
            let asked = with_values(self, &prepared, &values, &formats)?;
            let text = asked.text.clone();
            let known = Arc::clone(&prepared);
            let mut held =
                self.answer(text, move |at| asked.place(at).map(|at| character(&known.text, at))).await?;
            // As they were told, if they were.
            if let Some(Some(columns)) = prepared.columns.get() {
                held.found.columns.clone_from(columns);
            }
            return Ok(Some(Arc::new(held)));
        }
        let each = values.iter().zip(&prepared.parameters).enumerate();
        let parameters =
            each.map(|(at, (value, kind))| parameter(value.as_deref(), *kind, is_binary(&formats, at)));
        let parameters = parameters.collect::<Result<Vec<_>, _>>()?;
        match self.run(prepared.kind.clone(), parameters).await? {
            Outcome::Rows(held) => Ok(Some(Arc::new(held))),
            Outcome::Done(tag) => {
                self.wire.out.complete(&tag);
                self.portals.get_mut(name).into_iter().for_each(|portal| portal.done = true);
                Ok(None)
            }
            Outcome::Empty => {
                self.wire.out.plain(b'I');
                Ok(None)
            }
        }
    }
}

/// A question with the values of its parameters where they stand.
fn with_values(
    session: &Session,
    prepared: &Prepared,
    values: &[Option<Vec<u8>>],
    formats: &[u16],
) -> Result<Asked, Trouble> {
    asked(&prepared.tokens, &prepared.text, &session.database, &mut |number: usize, counts| {
        let at = number.checked_sub(1).unwrap_or(usize::MAX);
        let missing = || Trouble::new("42P02", "there is no such parameter");
        let value = values.get(at).ok_or_else(missing)?.as_deref();
        let kind = *prepared.parameters.get(at).ok_or_else(missing)?;
        match counts {
            true => count(value, kind, is_binary(formats, at)),
            false => literal(value, kind, is_binary(formats, at)),
        }
    })
}

/// A parameter of a query over the catalog.
fn parameter(value: Option<&[u8]>, kind: Type, binary: bool) -> Result<Value, Trouble> {
    let Some(bytes) = value else { return Ok(Value::Null) };
    let text = of_parameter(bytes, kind, binary)?;
    Ok(match kind {
        Type::Int2 | Type::Int4 | Type::Int8 | Type::Oid => {
            text.trim().parse().map_or(Value::Text(text), Value::Int)
        }
        Type::Bool => Value::Bool(matches!(text.as_str(), "t" | "true" | "1")),
        _ => Value::Text(text),
    })
}

fn no_portal(name: &str) -> Trouble {
    Trouble::new("34000", format!("portal \"{name}\" does not exist"))
}
