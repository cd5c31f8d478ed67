//! Simple queries: the text of some statements, run one after the other, their rows as text.

use crate::catalog::Found;
use crate::error::Trouble;
use crate::io::Lost;
use crate::session::{Held, Session};
use crate::settings::unknown;
use crate::statement::{self, Kind};
use crate::text::{Token, asked, character, statements, tokens};
use crate::types::Kind as Type;

/// What running a statement comes to.
pub(crate) enum Outcome {
    /// Rows.
    Rows(Held),
    /// Something else, by its tag; a client may be told of a parameter.
    Done(String),
    /// There was nothing to run.
    Empty,
}

impl Session {
    /// Runs the statements of a text until one fails.
    pub(crate) async fn simple(&mut self, text: &str) -> Result<(), Lost> {
        let all = match tokens(text) {
            Ok(tokens) => statements(&tokens, text),
            Err(trouble) => {
                self.fail(&trouble);
                return Ok(());
            }
        };
        if all.is_empty() {
            self.wire.out.plain(b'I');
            return Ok(());
        }
        for one in all {
            match self.simply(&one, text).await {
                Ok(()) => {}
                Err(Lost::Told(trouble)) if !trouble.is_fatal() => {
                    self.fail(&trouble);
                    return Ok(());
                }
                Err(lost) => return Err(lost),
            }
        }
        Ok(())
    }

    async fn simply(&mut self, one: &[Token], text: &str) -> Result<(), Lost> {
        let tables = self.tables().await?;
        let kind = statement::kind(one, text, |name| tables.iter().any(|table| table.name == name));
        let outcome = match kind {
            Kind::Question => {
                self.look_at_transaction()?;
                let no_parameter =
                    |_, _| Err(Trouble::new("42P02", "there are no parameters in a simple query"));
                let asked = asked(one, text, &self.database, &mut { no_parameter })?;
                let client_text = text.to_owned();
                let place = {
                    let text = asked.text.clone();
                    (text, move |at: usize| asked.place(at).map(|at| character(&client_text, at)))
                };
                Outcome::Rows(self.answer(place.0, place.1).await?)
            }
            kind => self.run(kind, Vec::new()).await?,
        };
        match outcome {
            Outcome::Rows(held) => {
                self.tell_columns(&held.found.columns, |_| false);
                let sent = self.send(&held.found, 0, usize::MAX, |_| false).await?;
                self.wire.out.complete(&format!("SELECT {sent}"));
            }
            Outcome::Done(tag) => self.wire.out.complete(&tag),
            Outcome::Empty => self.wire.out.plain(b'I'),
        }
        Ok(())
    }

    /// Runs a statement that is no question.
    pub(crate) async fn run(
        &mut self,
        kind: Kind,
        parameters: Vec<crate::catalog::Value>,
    ) -> Result<Outcome, Lost> {
        if !matches!(kind, Kind::Commit | Kind::Rollback | Kind::Empty) {
            self.look_at_transaction()?;
        }
        let done = |tag: &str| Ok(Outcome::Done(tag.to_owned()));
        match kind {
            Kind::Empty => Ok(Outcome::Empty),
            Kind::Begin => {
                self.status = b'T';
                done("BEGIN")
            }
            Kind::Commit | Kind::Rollback => {
                // A transaction that has failed can't be committed, which is said.
                let tag =
                    if matches!(kind, Kind::Commit) && self.status != b'E' { "COMMIT" } else { "ROLLBACK" };
                self.status = b'I';
                self.portals.clear();
                done(tag)
            }
            Kind::Nothing(tag) => done(tag),
            Kind::Set(name, value) => {
                if name.eq_ignore_ascii_case("timezone") {
                    self.wire
                        .out
                        .trouble(b'N', &Trouble::notice("moments are given in UTC, whatever TimeZone is"));
                }
                if let Some((name, value)) = self.settings.set(&name, value.as_deref())? {
                    self.wire.out.parameter(name, &value);
                }
                done(if value.is_some() { "SET" } else { "RESET" })
            }
            Kind::ResetAll => {
                self.settings.reset();
                done("RESET")
            }
            Kind::Show(name) => Ok(Outcome::Rows(self.show(&name)?)),
            Kind::Deallocate(name) => {
                match name {
                    Some(name) => drop(self.prepared.remove(&name)),
                    None => self.prepared.clear(),
                }
                done("DEALLOCATE")
            }
            Kind::Catalog(query) => Ok(Outcome::Rows(self.of_catalog(*query, parameters).await?)),
            Kind::Refused(trouble) => Err(trouble.into()),
            Kind::Question => Err(Trouble::new("XX000", "a question is asked elsewhere").into()),
        }
    }

    /// The columns of SHOW.
    pub(crate) fn shown(name: &str) -> Vec<(String, Type)> {
        match name.eq_ignore_ascii_case("all") {
            true => ["name", "setting", "description"].map(|name| (name.to_owned(), Type::Text)).to_vec(),
            false => vec![(name.to_owned(), Type::Text)],
        }
    }

    fn show(&self, name: &str) -> Result<Held, Lost> {
        let json = |text: &str| serde_json::Value::from(text).to_string();
        let rows = match name.eq_ignore_ascii_case("all") {
            true => {
                self.settings.all().map(|(name, value)| vec![json(name), json(value), json("")]).collect()
            }
            false => vec![vec![json(self.settings.get(name).ok_or_else(|| unknown(name))?)]],
        };
        self.held(Found { columns: Self::shown(name), rows })
    }
}
