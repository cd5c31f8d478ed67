//! Hints: tables read and written with other options than theirs, and what is said of those of Flink's that change
//! nothing.

use super::like::with_options;
use super::{DeclaredTable, Planner};
use crate::catalog::duration_ms;
use crate::error::{Span, SqlError, code, nearest};
use crate::script::{CreateTable, Hint, Ident, Tokens};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::tokenizer::Token;

/// Hints of Flink's about how a batch is joined: of a stream they change nothing.
const WITHOUT_EFFECT: &[&str] = &["BROADCAST", "SHUFFLE_HASH", "SHUFFLE_MERGE", "NEST_LOOP", "MULTI_JOIN"];
/// Those that there are.
const KNOWN: &[&str] = &["OPTIONS", "STATE_TTL"];

impl Planner<'_> {
    /// Takes the hints of a query. Whether there were mistakes in none of them.
    pub(super) fn take_hints(&mut self, tokens: &Tokens) -> bool {
        let mut taken = true;
        for (at, hint) in tokens.hints.iter().enumerate() {
            let same = |other: &&Hint| other.after == hint.after && other.is(&hint.name.value);
            if let Some(first) = tokens.hints[..at].iter().find(same) {
                let message = format!("there is a hint {} already", first.name.value);
                let error = SqlError::new(code::CONFLICT, hint.span, message);
                self.errors.push(error.help("write all of it into one"));
                taken = false;
                continue;
            }
            let before =
                tokens.tokens.iter().find(|token| token.span == hint.after).map(|token| &token.token);
            let told = match before {
                Some(Token::Word(word)) if word.keyword == Keyword::SELECT && word.quote_style.is_none() => {
                    self.of_select(hint)
                }
                Some(Token::Word(word)) => self.of_table(hint, &word.value).map(|key| {
                    self.names.put_hint(hint.after.start, key);
                }),
                _ => Err(misplaced(hint.span)),
            };
            if let Err(error) = told {
                self.errors.push(error);
                taken = false;
            }
        }
        taken
    }

    /// Behind `SELECT`.
    fn of_select(&mut self, hint: &Hint) -> Result<(), SqlError> {
        if let Some(name) = WITHOUT_EFFECT.iter().find(|name| hint.is(name)) {
            if hint.names.is_empty() || !hint.options.is_empty() {
                let error =
                    SqlError::new(code::CLAUSE, hint.span, format!("{name} needs the names of tables"));
                return Err(error.help("leave it out: streams are joined in one way"));
            }
            let message = format!("the hint {name} changes nothing");
            let warning = SqlError::new(code::CLAUSE, hint.span, message);
            self.warnings.push(warning.help("leave it out: streams are joined in one way"));
            return Ok(());
        }
        if !hint.is("STATE_TTL") {
            return Err(unknown(hint, "SELECT"));
        }
        if hint.options.is_empty() || !hint.names.is_empty() {
            let error = SqlError::new(code::CLAUSE, hint.span, "STATE_TTL needs tables and durations");
            return Err(error.help("write STATE_TTL('table' = '1 d', 'other' = '2 h')"));
        }
        for (_, value) in &hint.options {
            if duration_ms(&value.value).is_none() {
                let message = format!("STATE_TTL can't be '{}'", value.value);
                let error = SqlError::new(code::OPTION_VALUE, value.span, message);
                return Err(
                    error.help("expected a duration as in '12 h' or '1 d'; '0 s' keeps rows for ever")
                );
            }
        }
        Ok(())
    }

    /// The table as a hint behind its name makes it, by its key.
    fn of_table(&mut self, hint: &Hint, name: &str) -> Result<String, SqlError> {
        if !hint.is("OPTIONS") {
            return Err(unknown(hint, "a table"));
        }
        if hint.options.is_empty() || !hint.names.is_empty() {
            let error = SqlError::new(code::CLAUSE, hint.span, "OPTIONS needs options");
            return Err(error.help("write OPTIONS('key' = 'value', ..), both in single quotes"));
        }
        let Some(DeclaredTable { key, def }) = self.current.get(name) else {
            let (message, help) = match self.views.contains_key(name) {
                true => (
                    format!("{name} is a view: it has no options"),
                    "put the hint behind the table, in the view's query".to_owned(),
                ),
                false => (
                    format!("OPTIONS stands behind {name}, which is no table"),
                    "write it behind the name of a table, in front of its alias: t /*+ OPTIONS(..) */ AS a"
                        .to_owned(),
                ),
            };
            return Err(SqlError::new(code::CLAUSE, hint.span, message).help(help));
        };
        let mut said: Vec<(String, String)> =
            hint.options.iter().map(|(key, value)| (key.value.clone(), value.value.clone())).collect();
        said.sort_unstable();
        let version = (key.clone(), said);
        if let Some(key) = self.hinted.get(&version) {
            return Ok(key.clone());
        }
        let options = with_options(&def.options, &hint.options);
        let def = CreateTable { options, ..def.clone() };
        let table = self.planned_table(&def).map_err(|errors| {
            // What is said of it is said of the hint.
            let error = errors.into_iter().next().unwrap_or_else(|| misplaced(hint.span));
            let is_of_hint = error.span.start >= hint.span.start && error.span.end <= hint.span.end;
            if is_of_hint { error } else { SqlError { span: hint.span, ..error } }
        })?;
        let key = self.free_key(name);
        self.names.add_hinted(name, table.schema.clone(), &key);
        self.tables.insert(key.clone(), table);
        self.hinted.insert(version, key.clone());
        Ok(key)
    }

    /// The table that an insertion writes to, as the hints behind its name make it.
    pub(super) fn hinted_target(&mut self, target: &Ident, hints: &[Hint]) -> Option<String> {
        let made = match hints {
            [hint] => self.of_table(hint, &target.value),
            [_, second, ..] => {
                let error = SqlError::new(code::CLAUSE, second.span, "a table has one hint");
                Err(error.help("write all options into one OPTIONS(..)"))
            }
            [] => return None,
        };
        made.map_err(|error| self.errors.push(error)).ok()
    }
}

/// A hint where there can be none.
fn misplaced(span: Span) -> SqlError {
    SqlError::new(code::CLAUSE, span, "a hint can't stand here")
        .help("hints stand behind the name of a table in a query or an INSERT INTO, or behind SELECT")
}

fn unknown(hint: &Hint, place: &str) -> SqlError {
    let name = &hint.name.value;
    let (message, help) = match name.to_uppercase().as_str() {
        "LOOKUP" => (
            "the hint LOOKUP is not supported: there are no look-ups in outside systems".to_owned(),
            "bring the rows into a topic and join that, FOR SYSTEM_TIME AS OF the time of your rows"
                .to_owned(),
        ),
        "OPTIONS" => (
            "OPTIONS can't stand behind SELECT".to_owned(),
            "write it behind the name of a table: FROM t /*+ OPTIONS(..) */".to_owned(),
        ),
        "STATE_TTL" => (
            "STATE_TTL can't stand behind a table".to_owned(),
            "write it behind SELECT: SELECT /*+ STATE_TTL('t' = '1 d') */ ..".to_owned(),
        ),
        _ => (
            format!("there is no hint {name} behind {place}"),
            match nearest(name, KNOWN.iter().chain(WITHOUT_EFFECT).copied()) {
                Some(near) => format!("did you mean {near}?"),
                None => {
                    "leave it out; there are OPTIONS behind a table and STATE_TTL behind SELECT".to_owned()
                }
            },
        ),
    };
    SqlError::new(code::CLAUSE, hint.span, message).help(help)
}
