//! A file of SQL as one job.

mod alter;
mod ask;
mod clients;
mod declared;
mod hinted;
mod insert;
mod like;
mod show;

pub(crate) use ask::ask_with;
pub use ask::{Question, Relation, ask, check_tables, relations, show};

pub use show::Answered;

use crate::catalog::Connector;
use crate::error::{Span, SqlError, SqlErrors, code};
use crate::explain::{Shows, explained};
use crate::functions::time::zone::{UTC, Zone};
use crate::functions::user::Functions;
use crate::guard::{self, on_own_stack};
use crate::lower::{InsertInto, Lowering, SourceTable, converted};
use crate::query::{self, For, Names};
use crate::script::{
    self, CreateFunction, CreateTable, CreateView, Ident, OnConflict, Script, Statement, Tokens,
};
use crate::settings::{self, JobSetting, Settings};
use arrow::datatypes::DataType;
use clients::Clients;
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use millstream_operators::Topology;
use std::collections::{BTreeMap, BTreeSet};

/// What a file of SQL asks for.
#[derive(Debug, Clone)]
pub struct SqlJob {
    /// The operators.
    pub topology: Topology,
    /// The keys of `SET` with their values. Durations are whole milliseconds, sizes whole bytes.
    pub settings: BTreeMap<String, String>,
    /// Those of them that are for whoever runs the job.
    pub job_settings: Vec<JobSetting>,
    /// What the file says to no effect.
    pub warnings: SqlErrors,
    /// `'properties.group.id'`, when the tables name one.
    pub group: Option<String>,
    /// `'properties.bootstrap.servers'`, when the tables name them.
    pub bootstrap_servers: Option<String>,
    /// Further properties of the client, named as those of Kafka's Java client.
    pub client_properties: BTreeMap<String, String>,
    /// The plan, for people.
    pub explain: String,
    /// Whether the file asks only for the plan, or to be shown something.
    pub only_explain: bool,
    /// What `SHOW`, `DESCRIBE` and `SET` alone answer, in their order.
    pub answers: Vec<Answered>,
}

/// Plans the statements of a file as one job.
///
/// Whatever the text, this ends, soon and with a job or with errors: there are bounds on what a query may be, and a thread
/// whose stack has room for it. A panic of the planner is an error of the statement that it was for.
///
/// # Errors
/// Everything that is wrong with the file; show it to the user.
pub fn plan(file_name: &str, text: &str) -> Result<SqlJob, SqlErrors> {
    plan_with(&Beside::default(), file_name, text)
}

/// [`plan`] with what is given beside the file.
pub(crate) fn plan_with(beside: &Beside, file_name: &str, text: &str) -> Result<SqlJob, SqlErrors> {
    // An editor's mark that the file is Unicode.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    on_own_stack(|| plan_here(beside, file_name, text))
        .unwrap_or_else(|error| Err(SqlErrors::new(file_name, text, vec![error])))
}

fn plan_here(beside: &Beside, file_name: &str, text: &str) -> Result<SqlJob, SqlErrors> {
    let (script, mut errors) = script::parse(text);
    let mut planner = Planner::read(&script, beside, &mut errors);
    if errors.is_empty() && planner.inserts.is_empty() && planner.answers.is_empty() {
        let end = Span { start: text.trim_end().len(), end: text.trim_end().len() };
        let error = SqlError::new(code::STATEMENT, end, "the file has nothing to run");
        errors.push(error.help("add INSERT INTO sink SELECT .. FROM source;"));
    }
    let warnings = std::mem::take(&mut planner.warnings);
    match planner.finish(&mut errors) {
        Some(job) if errors.is_empty() => {
            Ok(SqlJob { warnings: SqlErrors::new(file_name, text, warnings), ..job })
        }
        _ => Err(SqlErrors::new(file_name, text, errors)),
    }
}

/// A statement that was planned, and is lowered when all are.
struct PlannedInsert<'s> {
    plan: LogicalPlan,
    /// What is written; none for an explained query.
    into: Option<Written<'s>>,
    on_conflict: Option<OnConflict>,
    tokens: &'s Tokens,
    explained: bool,
}

/// The table that a statement writes to.
struct Written<'s> {
    name: &'s Ident,
    /// The table as it is then: see [`Planner::tables`].
    key: String,
    /// By column of the query: the column of the table.
    columns: Vec<usize>,
}

/// A table as it is now.
struct DeclaredTable {
    /// See [`Planner::tables`].
    key: String,
    /// What it came to by all that changed it.
    def: CreateTable,
}

/// A view as it is now.
struct DeclaredView<'s> {
    def: &'s CreateView,
    query: &'s Tokens,
    /// The names that its columns are given.
    named: Option<&'s Vec<Ident>>,
    columns: Vec<(String, DataType)>,
    /// The how manieth it is.
    number: usize,
}

struct Planner<'s> {
    script: &'s Script,
    names: Names,
    /// Every table that there is, or was when some statement was planned: one that is altered, dropped and made anew, or
    /// read with other options stands here as often. The keys are the names of tables, and of further ones a text that no
    /// file can have for a name.
    tables: BTreeMap<String, SourceTable>,
    /// By name: the tables there are now.
    current: BTreeMap<String, DeclaredTable>,
    /// Tables and views whose definition is wrong: statements that use them are not to blame.
    broken: BTreeSet<String>,
    views: BTreeMap<String, DeclaredView<'s>>,
    views_made: usize,
    /// Tables that are read or written with other options, by key and options.
    hinted: BTreeMap<(String, Vec<(String, String)>), String>,
    /// Views that can't be read any more, and why.
    stale: BTreeMap<String, String>,
    answers: Vec<Answered>,
    /// What is shown of plans.
    shows: Shows,
    inserts: Vec<PlannedInsert<'s>>,
    settings: Settings,
    /// What `RESET` goes back to.
    defaults: Settings,
    errors: Vec<SqlError>,
    warnings: Vec<SqlError>,
}

/// A file up to its analysed plans: what tests ask a batch engine for.
pub(crate) struct Analyzed {
    tables: BTreeMap<String, SourceTable>,
    inserts: Vec<(String, String, Vec<usize>, LogicalPlan)>,
}

impl Analyzed {
    pub(crate) fn of(file_name: &str, text: &str) -> Result<Self, SqlErrors> {
        on_own_stack(|| Analyzed::of_here(file_name, text))
            .unwrap_or_else(|error| Err(SqlErrors::new(file_name, text, vec![error])))
    }

    fn of_here(file_name: &str, text: &str) -> Result<Self, SqlErrors> {
        let (script, mut errors) = script::parse(text);
        let planner = Planner::read(&script, &Beside::default(), &mut errors);
        if !errors.is_empty() {
            return Err(SqlErrors::new(file_name, text, errors));
        }
        let inserts = planner.inserts.into_iter().filter_map(|insert| {
            let Written { name, key, columns } = insert.into?;
            Some((name.value.clone(), key, columns, insert.plan))
        });
        let inserts = inserts.collect();
        Ok(Analyzed { tables: planner.tables, inserts })
    }

    pub(crate) fn schemas(&self) -> BTreeMap<String, arrow::datatypes::SchemaRef> {
        self.tables.iter().map(|(name, table)| (name.clone(), table.schema.clone())).collect()
    }

    /// By statement: the table, and the plan with the columns that are written.
    pub(crate) fn into_queries(self) -> Vec<(String, datafusion::common::Result<LogicalPlan>)> {
        let Analyzed { tables, inserts } = self;
        let queries = inserts.into_iter().map(|(name, key, columns, plan)| {
            let written = tables.get(&key).map(|table| {
                let exprs = columns.iter().enumerate().map(|(from, to)| {
                    let field = table.schema.field(*to);
                    let expr = converted(plan.schema(), from, field);
                    expr.map(|expr| expr.alias(field.name()))
                });
                exprs.collect::<Result<Vec<Expr>, _>>()
            });
            let plan = match written {
                Some(Ok(exprs)) => {
                    LogicalPlanBuilder::from(plan).project(exprs).and_then(LogicalPlanBuilder::build)
                }
                Some(Err(refusal)) => datafusion::common::plan_err!("{}", refusal.message),
                None => datafusion::common::plan_err!("there is no table {name}"),
            };
            (name, plan)
        });
        queries.collect()
    }
}

/// What is given beside a file.
#[derive(Default)]
pub(crate) struct Beside {
    /// Settings that hold where the file has none of its own.
    pub(crate) defaults: Settings,
    /// Functions of the program that the file may call.
    pub(crate) functions: Functions,
}

/// The zone of the session, which is that of the whole file.
fn zone(script: &Script, defaults: &Settings) -> Zone {
    let mut settings = defaults.clone();
    // What is wrong with them is said where they are planned.
    for statement in &script.statements {
        match statement {
            Statement::Set { key, value } => drop(settings::set(&mut settings, key, value)),
            Statement::Reset { key: Some(key), .. } => {
                drop(settings::reset(&mut settings, key, defaults));
            }
            Statement::Reset { key: None, .. } => settings.clone_from(defaults),
            _ => {}
        }
    }
    settings.get("table.local-time-zone").and_then(|name| Zone::named(name)).unwrap_or(UTC)
}

impl<'s> Planner<'s> {
    /// Takes all statements of a file in.
    fn read(script: &'s Script, beside: &Beside, errors: &mut Vec<SqlError>) -> Self {
        let mut planner = Planner::with(script, &beside.defaults);
        planner.names = planner.names.calling(beside.functions.clone());
        for statement in &script.statements {
            planner.add(statement, false);
        }
        errors.append(&mut planner.errors);
        planner
    }

    fn new(script: &'s Script) -> Self {
        Planner::with(script, &Settings::new())
    }

    fn with(script: &'s Script, defaults: &Settings) -> Self {
        Planner {
            script,
            names: Names::in_zone(zone(script, defaults)),
            tables: BTreeMap::new(),
            broken: script.broken.iter().map(|name| name.value.clone()).collect(),
            current: BTreeMap::new(),
            views: BTreeMap::new(),
            views_made: 0,
            hinted: BTreeMap::new(),
            stale: BTreeMap::new(),
            answers: Vec::new(),
            shows: Shows::default(),
            inserts: Vec::new(),
            settings: defaults.clone(),
            defaults: defaults.clone(),
            errors: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Takes a statement in. When the planner panics that is an error of this statement, and what it was to make is broken.
    fn add(&mut self, statement: &'s Statement, explained: bool) {
        let added = guard::caught(statement.span(), || self.add_unguarded(statement, explained));
        if let Err(error) = added {
            self.errors.push(error);
            self.broken.extend(statement.makes().map(|(name, _)| name.value.clone()));
        }
    }

    fn add_unguarded(&mut self, statement: &'s Statement, explained: bool) {
        match statement {
            Statement::CreateTable(table) => self.create_table(table),
            Statement::CreateView(view) => self.create_view(view),
            Statement::CreateFunction(function) => self.create_function(function),
            Statement::Change(change) => self.change(change),
            Statement::Show(show) => self.show(show),
            Statement::Use(_) => {}
            Statement::Reset { key, .. } => self.reset(key.as_ref()),
            Statement::Insert(insert) => self.insert(insert, explained),
            Statement::StatementSet(inserts) => {
                inserts.iter().for_each(|insert| self.insert(insert, explained))
            }
            Statement::Explain(inner, shows) => {
                self.shows = self.shows.and(*shows);
                self.add_unguarded(inner, true);
            }
            Statement::Select { query } => {
                if let Some(plan) = self.query(query, For::Rows) {
                    let (into, on_conflict) = (None, None);
                    self.inserts.push(PlannedInsert { plan, into, on_conflict, tokens: query, explained });
                }
            }
            Statement::Set { key, value } => match settings::set(&mut self.settings, key, value) {
                Ok(Some(warning)) => {
                    // A key is warned of once.
                    if self.warnings.iter().all(|other| other.message != warning.message) {
                        self.warnings.push(warning);
                    }
                }
                Ok(None) => {}
                Err(error) => self.errors.push(error),
            },
        }
    }

    /// Calls a function of the program by a name of the file's.
    fn create_function(&mut self, function: &CreateFunction) {
        let CreateFunction { name, if_not_exists, of, .. } = function;
        if *if_not_exists && self.names.users().has(&name.value.to_lowercase()) {
            return;
        }
        if let Err(message) = self.names.add_function(&name.value, &of.value) {
            let help =
                "the program registers functions before it plans the file: see docs/sql/user-functions.md";
            self.errors.push(SqlError::new(code::STATEMENT, of.span, message).help(help));
        }
    }

    /// Plans a query; `None` when something is wrong with it, or with what it reads.
    fn query(&mut self, tokens: &Tokens, of: For) -> Option<LogicalPlan> {
        if !self.is_readable(tokens) {
            return None;
        }
        match query::plan_query(tokens, of, &self.names, &self.script.positions) {
            Ok(plan) => Some(plan),
            Err(error) => {
                let error = self.of_stale(tokens.words(), tokens.span).unwrap_or(error);
                self.errors.push(error);
                None
            }
        }
    }

    /// What is to be said of the first of these names that is one of a view which can't be read any more.
    fn of_stale<'w>(&self, mut names: impl Iterator<Item = &'w str>, span: Span) -> Option<SqlError> {
        let (view, why) = names.find_map(|name| Some((name, self.stale.get(name)?)))?;
        let message = format!("view {view} can't be read any more: {why}");
        let error = SqlError::new(code::QUERY, span, message).label("here");
        Some(error.help("create it again behind the statement that changed what it reads"))
    }

    /// Whether a query can be planned: what it reads is there, and its hints are taken.
    fn is_readable(&mut self, tokens: &Tokens) -> bool {
        if tokens.words().any(|word| self.broken.contains(word)) {
            return false;
        }
        self.take_hints(tokens)
    }

    /// `RESET`: of one key, or of all.
    fn reset(&mut self, key: Option<&script::Spanned<String>>) {
        match key {
            None => self.settings.clone_from(&self.defaults),
            Some(key) => {
                if let Err(error) = settings::reset(&mut self.settings, key, &self.defaults) {
                    self.errors.push(error);
                }
            }
        }
    }

    /// What the tables that count say of the job's client: those there are, and those that are read or written.
    fn clients(&self, reads: &BTreeSet<String>, errors: &mut Vec<SqlError>) -> Clients {
        let is_current = |key: &str| self.current.values().any(|table| table.key == key);
        let is_written =
            |key: &str| self.inserts.iter().flat_map(|insert| &insert.into).any(|into| into.key == key);
        let used = self.tables.iter().filter_map(|(key, table)| match &table.table.connector {
            Connector::Topic(topic) if is_current(key) || is_written(key) || reads.contains(key) => {
                Some(topic.as_ref())
            }
            _ => None,
        });
        Clients::of(used, errors)
    }

    /// Lowers all statements into one topology.
    fn finish(self, errors: &mut Vec<SqlError>) -> Option<SqlJob> {
        let positions = &self.script.positions;
        let only_explain = self.inserts.iter().all(|insert| insert.explained);
        let wanted = self.inserts.iter().filter(|insert| insert.explained == only_explain);
        let mut optimized: Vec<(LogicalPlan, &PlannedInsert<'_>)> = Vec::new();
        for insert in wanted {
            let plan = guard::caught(insert.tokens.span, || {
                let plan = query::optimize(insert.plan.clone(), &self.names);
                plan.map_err(|error| query::from_datafusion(&error, &self.names, insert.tokens, positions))
            });
            match plan.and_then(|plan| plan) {
                Ok(plan) => optimized.push((plan, insert)),
                Err(error) => errors.push(error),
            }
        }
        let views = self.views.iter().map(|(name, view)| (name.clone(), view.query)).collect();
        let plans = optimized.iter().map(|(plan, _)| plan);
        let mut lowering = match Lowering::new(&self.tables, &self.settings, plans) {
            Ok(lowering) => lowering,
            Err(refusal) => {
                errors.push(SqlError::new(code::QUERY, Span::default(), refusal.message));
                return None;
            }
        };
        for (plan, insert) in &optimized {
            let lowered = guard::caught(insert.tokens.span, || match &insert.into {
                None => lowering.explain_query(plan),
                Some(Written { name, key, columns }) => self.tables.get(key).map_or(Ok(()), |target| {
                    let (table, columns) = (name.value.as_str(), columns.clone());
                    let on_conflict = insert.on_conflict;
                    lowering.insert(&InsertInto { plan, table, columns, on_conflict }, target)
                }),
            });
            match lowered {
                Ok(Ok(())) => {}
                Ok(Err(refusal)) => errors.push(query::refused(&refusal, insert.tokens, &views, positions)),
                Err(error) => errors.push(error),
            }
        }
        let reads = lowering.tables_read();
        let topology = lowering.topology;
        let clients = self.clients(&reads, errors);
        let explain = match errors.is_empty() && !topology.nodes().is_empty() {
            true => explained(&topology, &|_| Some(4), self.shows),
            false => Ok(String::new()),
        };
        let guarantee = self.settings.get("millstream.delivery-guarantee").map(String::as_str);
        let explain = explain.map(|text| match guarantee {
            Some(guarantee @ "at-least-once") => {
                format!("Guarantee: {guarantee}: output is written before its commit, and may be repeated\n\n{text}")
            }
            _ => text,
        });
        Some(SqlJob {
            topology,
            job_settings: settings::of_job(&self.settings),
            settings: self.settings,
            warnings: SqlErrors::default(),
            group: clients.group,
            bootstrap_servers: clients.bootstrap_servers,
            client_properties: clients.properties,
            explain: explain.unwrap_or_else(|error| error.to_string()),
            only_explain,
            answers: self.answers,
        })
    }
}
