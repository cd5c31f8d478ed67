//! A question: a query over the tables of a file, outside of its job.
//!
//! It is planned as the file's statements are, so that it means what a job means by it. Tables are read from their beginning;
//! what the file says of starting points, ends and dead letters is for its job.

use super::{Answered, PlannedInsert, Planner, SqlJob, Written};
use crate::catalog::{Column, ColumnKind, Connector, Table};
use crate::error::{Span, SqlError, SqlErrors, code};
use crate::functions::values::detail::Detail;
use crate::guard::{self, on_own_stack};
use crate::lower::SourceTable;
use crate::query::answer::{Behind, By};
use crate::query::plan_question;
use crate::script::{self, Ident, Script, Statement, Tokens};
use crate::settings::Settings;
use arrow::datatypes::{Field, Schema};
use datafusion::logical_expr::LogicalPlan;
use millstream_operators::formats::sql_type;
use millstream_operators::source::{Bounded, Policy, Startup};
use std::collections::BTreeMap;
use std::sync::Arc;

/// What the table is called that the answer goes to: no table of a file is.
const ANSWER: &str = "(answer)";
/// What turns a query into a statement that a file may have.
const STATEMENT: &str = ";\nEXPLAIN ";
/// What ends the text in front of a statement.
const AFTER: &str = ";\n";

/// A question that was planned.
#[derive(Debug, Clone)]
pub struct Question {
    /// What answers it: a job that prints rows as JSON, with a field for each column in their order, behind `+I[` for one
    /// that comes and `-D[` for one that goes.
    pub job: SqlJob,
    /// The names and types of the columns.
    pub columns: Vec<(String, String)>,
    /// The columns that rows are ordered by, whether they descend, and whether nulls come first.
    pub order: Vec<(usize, bool, bool)>,
    /// How many rows are wanted.
    pub limit: Option<u64>,
    /// How many are passed over first.
    pub offset: u64,
}

/// Plans a question over the tables and views of a file. What it reads is read up to where it ends now, or, if the answer
/// is to go on as more comes, for ever.
///
/// # Errors
/// What is wrong with the question, or with the tables.
pub fn ask(file: &str, tables: &str, question: &str, goes_on: bool) -> Result<Question, SqlErrors> {
    ask_with(&Settings::new(), file, tables, question, goes_on)
}

/// [`ask`] with settings that hold where the file has none of its own.
pub(crate) fn ask_with(
    defaults: &Settings,
    file: &str,
    tables: &str,
    question: &str,
    goes_on: bool,
) -> Result<Question, SqlErrors> {
    let tables = tables.strip_prefix('\u{feff}').unwrap_or(tables);
    let question = question.trim_end().trim_end_matches(';');
    let text = format!("{tables}{STATEMENT}{question}");
    let begins = text.len() - question.len();
    on_own_stack(|| ask_here(defaults, &text, begins, goes_on))
        .unwrap_or_else(|error| Err(vec![error]))
        .map_err(|errors| placed(file, tables, question, begins, errors))
}

/// The errors of the question where there are any, and those of the file otherwise.
fn placed(file: &str, tables: &str, question: &str, begins: usize, errors: Vec<SqlError>) -> SqlErrors {
    let (of_question, of_tables): (Vec<SqlError>, Vec<SqlError>) =
        errors.into_iter().partition(|error| error.span.end > tables.len());
    if of_question.is_empty() {
        return SqlErrors::new(file, tables, of_tables);
    }
    let moved = |at: usize| at.saturating_sub(begins).min(question.len());
    let moved = of_question.into_iter().map(|error| SqlError {
        span: Span { start: moved(error.span.start), end: moved(error.span.end) },
        ..error
    });
    SqlErrors::new("query", question, moved.collect())
}

fn ask_here(
    defaults: &Settings,
    text: &str,
    begins: usize,
    goes_on: bool,
) -> Result<Question, Vec<SqlError>> {
    let (script, mut errors) = script::parse(text);
    let mut planner = Planner::with(&script, defaults);
    declared(&script).for_each(|statement| planner.add(statement, false));
    let question = script.statements.last().and_then(|statement| match statement {
        Statement::Explain(inner, _) => Some((inner.as_ref(), statement.span())),
        _ => None,
    });
    let query = match question.filter(|(_, span)| span.end > begins) {
        Some((Statement::Select { query }, _)) => query,
        Some((_, span)) => {
            let error = SqlError::new(code::STATEMENT, span, "only a query can be asked");
            return Err(vec![
                error.help("millstream run FILE and millstream job submit FILE run statements"),
            ]);
        }
        None => {
            errors.append(&mut planner.errors);
            return Err(errors);
        }
    };
    // A table that the question does not use may be wrong.
    let planned = guard::caught(query.span, || planned(&mut planner, query));
    let (plan, behind) = match planned {
        Ok(Some(planned)) => planned,
        Ok(None) => {
            errors.append(&mut planner.errors);
            return Err(errors);
        }
        Err(error) => return Err(vec![error]),
    };
    let columns: Vec<(String, String)> = plan
        .schema()
        .fields()
        .iter()
        .map(|field| (field.name().clone(), sql_type(field.data_type())))
        .collect();
    let order = order(&behind, &columns, query.span).map_err(|error| vec![error])?;
    let answer = Ident { value: ANSWER.to_owned(), span: query.span };
    let job = finish(planner, plan, query, &answer, goes_on)?;
    Ok(Question { job, columns, order, limit: behind.limit, offset: behind.offset })
}

fn planned(planner: &mut Planner<'_>, query: &Tokens) -> Option<(LogicalPlan, Behind)> {
    // Of other mistakes those of the question are what is asked for.
    let before = std::mem::take(&mut planner.errors);
    if !planner.is_readable(query) {
        if planner.errors.is_empty() {
            planner.errors = before;
        }
        return None;
    }
    match plan_question(query, &planner.names, &planner.script.positions) {
        Ok(planned) => Some(planned),
        Err(error) => {
            planner.errors = vec![planner.of_stale(query.words(), query.span).unwrap_or(error)];
            None
        }
    }
}

/// The columns that the answer is ordered by.
fn order(
    behind: &Behind,
    columns: &[(String, String)],
    span: Span,
) -> Result<Vec<(usize, bool, bool)>, SqlError> {
    let column = |by: &By| match by {
        By::Number(number) => usize::try_from(*number).ok()?.checked_sub(1).filter(|at| *at < columns.len()),
        By::Name(name) => columns.iter().position(|(column, _)| column == name),
    };
    let each = behind.order.iter().map(|(by, descends, nulls_first)| match column(by) {
        Some(column) => Ok((column, *descends, *nulls_first)),
        None => {
            let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
            let message = "ORDER BY names a column that the answer does not have";
            let help = format!("it has {}; select the other one as well", names.join(", "));
            Err(SqlError::new(code::QUERY, span, message).label("here").help(help))
        }
    });
    each.collect()
}

/// The job that gives the answer.
fn finish<'s>(
    mut planner: Planner<'s>,
    plan: LogicalPlan,
    query: &'s Tokens,
    answer: &'s Ident,
    goes_on: bool,
) -> Result<SqlJob, Vec<SqlError>> {
    planner.errors.clear();
    let policy = |setting: Option<&String>| setting.map(String::as_str) == Some("dead-letter");
    let bad_are_letters = policy(planner.settings.get("millstream.bad-records"));
    let late_are_letters = policy(planner.settings.get("millstream.late-records"));
    for table in planner.tables.values_mut() {
        let Connector::Topic(topic) = &mut table.table.connector else { continue };
        topic.startup = Startup::Earliest;
        topic.bounded = if goes_on { Bounded::Unbounded } else { Bounded::Latest };
        // The job's letters are its own affair.
        let skipped = |policy: Option<Policy>, set: bool| match policy {
            Some(Policy::DeadLetter) => Some(Policy::Skip),
            None if set => Some(Policy::Skip),
            other => other,
        };
        topic.bad_records = skipped(topic.bad_records, bad_are_letters);
        topic.late_records = skipped(topic.late_records, late_are_letters);
    }
    let fields = plan.schema().fields().iter().enumerate();
    let fields: Vec<Field> =
        fields.map(|(at, field)| Field::new(format!("{at:05}"), field.data_type().clone(), true)).collect();
    let column = |field: &Field| Column {
        name: Ident { value: field.name().clone(), span: query.span },
        data_type: field.data_type().clone(),
        detail: Detail::of(field),
        inner_length: false,
        nullable: true,
        kind: ColumnKind::Physical,
    };
    let table = Table {
        columns: fields.iter().map(column).collect(),
        primary_key: Vec::new(),
        watermark: None,
        connector: Connector::Answer,
    };
    let columns = (0..fields.len()).collect();
    let source = SourceTable { table, schema: Arc::new(Schema::new(fields)), computed: BTreeMap::new() };
    planner.tables.insert(ANSWER.to_owned(), source);
    let into = Some(Written { name: answer, key: ANSWER.to_owned(), columns });
    planner.inserts = vec![PlannedInsert { plan, into, on_conflict: None, tokens: query, explained: false }];
    let mut errors = Vec::new();
    match planner.finish(&mut errors) {
        Some(job) if errors.is_empty() => Ok(job),
        _ => Err(errors),
    }
}

/// Looks whether the tables and views of a text can be declared, the last of which stand from `begins` on.
///
/// # Errors
/// What is wrong with them. What fills a table starts a job, which a declaration does not: it is refused among the last.
pub fn check_tables(file: &str, text: &str, begins: usize) -> Result<(), SqlErrors> {
    let checked = on_own_stack(|| {
        let (script, mut errors) = script::parse(text);
        let fills = script.statements.iter().filter_map(|statement| match statement {
            Statement::CreateTable(table) => table.query.as_ref(),
            _ => None,
        });
        errors.extend(fills.filter(|query| query.span.start >= begins).map(|query| {
            let message = "CREATE TABLE .. AS fills a table, which takes a job";
            let help = "give it to `millstream run` or `millstream job submit`; for a question over it CREATE VIEW .. AS";
            SqlError::new(code::STATEMENT, query.span, message).label("by this query").help(help)
        }));
        let mut planner = Planner::new(&script);
        declared(&script).for_each(|statement| planner.add(statement, false));
        errors.append(&mut planner.errors);
        errors
    });
    match checked.unwrap_or_else(|error| vec![error]) {
        errors if errors.is_empty() => Ok(()),
        errors => Err(SqlErrors::new(file, text, errors)),
    }
}

/// The statements of a file that questions are about. Those of its job are not of interest, nor what is wrong with them.
fn declared(script: &Script) -> impl Iterator<Item = &Statement> {
    script.statements.iter().filter(|statement| statement.declares())
}

/// Answers `SHOW`, `DESCRIBE` and `SET` alone over the tables and views of a file; nothing where the text is another
/// statement.
///
/// # Errors
/// What is wrong with it.
pub fn show(file: &str, tables: &str, text: &str) -> Option<Result<Answered, SqlErrors>> {
    let tables = tables.strip_prefix('\u{feff}').unwrap_or(tables);
    let statement = text.trim_end().trim_end_matches(';');
    let first = statement.split_whitespace().next().unwrap_or_default().to_uppercase();
    if !["SHOW", "DESCRIBE", "DESC"].contains(&first.as_str()) && !statement.eq_ignore_ascii_case("SET") {
        return None;
    }
    let whole = format!("{tables}{AFTER}{statement}");
    let begins = whole.len() - statement.len();
    let answered = on_own_stack(|| {
        let (script, mut errors) = script::parse(&whole);
        let mut planner = Planner::new(&script);
        declared(&script).for_each(|statement| planner.add(statement, false));
        let shown = script.statements.last().filter(|statement| statement.span().start >= begins);
        planner.errors.clear();
        shown.iter().for_each(|statement| planner.add(statement, false));
        errors.append(&mut planner.errors);
        planner.answers.pop().ok_or(errors)
    });
    let answered = answered.unwrap_or_else(|error| Err(vec![error]));
    Some(answered.map_err(|errors| placed(file, tables, statement, begins, errors)))
}

/// A table or a view of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Relation {
    /// Its name.
    pub name: String,
    /// `table` or `view`.
    pub kind: &'static str,
    /// Names and types of its columns.
    pub columns: Vec<(String, String)>,
}

/// The tables and views of a file that can be read, in the order of their names. What is wrong is left out.
pub fn relations(text: &str) -> Vec<Relation> {
    on_own_stack(|| {
        let (script, _) = script::parse(text);
        let mut planner = Planner::new(&script);
        declared(&script).for_each(|statement| planner.add(statement, false));
        let columns = |schema: &Schema| {
            let columns = schema.fields().iter();
            columns.map(|field| (field.name().clone(), sql_type(field.data_type()))).collect()
        };
        let tables = planner.current.iter().filter_map(|(name, table)| {
            let columns = columns(&planner.tables.get(&table.key)?.schema);
            Some(Relation { name: name.clone(), kind: "table", columns })
        });
        let views = planner.views.keys().filter_map(|name| {
            let schema = planner.names.schema(name)?;
            Some(Relation { name: name.clone(), kind: "view", columns: columns(&schema) })
        });
        let mut all: Vec<Relation> = tables.chain(views).collect();
        all.sort_by(|one, other| one.name.cmp(&other.name));
        all
    })
    .unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLES: &str =
        "CREATE TABLE t (k STRING, n INT) WITH ('connector' = 'kafka', 'topic' = 't', 'format' = 'json');
CREATE TABLE broken (k STRNG) WITH ('connector' = 'print');
CREATE VIEW v AS SELECT k, n + 1 AS m FROM t;
INSERT INTO nowhere SELECT 1;";

    #[test]
    fn a_question_is_over_tables_and_views_whatever_else_is_in_the_file() {
        let asked =
            ask("f.sql", TABLES, "SELECT m, k FROM v ORDER BY 2 DESC, m LIMIT 3 OFFSET 1;", false).unwrap();
        let columns = [("m".to_owned(), "INT".to_owned()), ("k".to_owned(), "STRING".to_owned())];
        assert_eq!(asked.columns, columns);
        assert_eq!(asked.order, [(1, true, false), (0, false, true)]);
        assert_eq!((asked.limit, asked.offset), (Some(3), 1));
        let names: Vec<String> = relations(TABLES).into_iter().map(|relation| relation.name).collect();
        assert_eq!(names, ["t", "v"]);
    }

    #[test]
    fn what_is_wrong_with_a_question_stands_at_its_place_in_it() {
        let wrong = |question: &str| ask("f.sql", TABLES, question, false).unwrap_err().to_string();
        let error = wrong("SELECT k,\n  nn FROM t");
        assert!(error.starts_with("query:2:3: ") && error.contains("  nn FROM t"), "{error}");
        assert!(wrong("SELECT k FROM t ORDER BY n").contains("it has k"));
        assert!(wrong("SELECT k FROM t ORDER BY n + 1").contains("select the expression"));
        assert!(wrong("INSERT INTO t SELECT 1").contains("only a query"));
        assert!(wrong("SELECT k FROM t LIMIT k").contains("whole number"));
        assert!(wrong("SELEC k").starts_with("query:1:"), "{}", wrong("SELEC k"));
        let error = wrong("SELECT * FROM broken");
        assert!(error.starts_with("f.sql:2:"), "{error}");
    }
}
