//! A file of SQL as one job.

mod ask;

pub use ask::{Question, Relation, ask, check_tables, relations};

use crate::catalog::{self, ColumnKind, Connector, TopicTable};
use crate::error::{Span, SqlError, SqlErrors, code, nearest};
use crate::explain::explain;
use crate::functions::time::zone::{UTC, Zone};
use crate::guard::{self, on_own_stack};
use crate::lower::{InsertInto, Lowering, SourceTable, converted};
use crate::query::{self, For, Names};
use crate::script::{
    self, CreateTable, CreateView, Ident, Insert, OnConflict, Script, Spanned, Statement, Tokens,
};
use crate::settings::{self, JobSetting, Settings};
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
    /// Whether the file asks only for the plan.
    pub only_explain: bool,
}

/// Plans the statements of a file as one job.
///
/// Whatever the text, this ends, soon and with a job or with errors: there are bounds on what a query may be, and a thread
/// whose stack has room for it. A panic of the planner is an error of the statement that it was for.
///
/// # Errors
/// Everything that is wrong with the file; show it to the user.
pub fn plan(file_name: &str, text: &str) -> Result<SqlJob, SqlErrors> {
    // An editor's mark that the file is Unicode.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    on_own_stack(|| plan_here(file_name, text))
        .unwrap_or_else(|error| Err(SqlErrors::new(file_name, text, vec![error])))
}

fn plan_here(file_name: &str, text: &str) -> Result<SqlJob, SqlErrors> {
    let (script, mut errors) = script::parse(text);
    let mut planner = Planner::read(&script, &mut errors);
    if errors.is_empty() && planner.inserts.is_empty() {
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
    /// The table that is written, by its name, and its columns by column of the query; none for an explained query.
    into: Option<(&'s Ident, Vec<usize>)>,
    on_conflict: Option<OnConflict>,
    tokens: &'s Tokens,
    explained: bool,
}

struct Planner<'s> {
    script: &'s Script,
    names: Names,
    tables: BTreeMap<String, SourceTable>,
    /// Tables and views whose definition is wrong: statements that use them are not to blame.
    broken: BTreeSet<String>,
    /// The queries of the views.
    views: BTreeMap<String, &'s Tokens>,
    inserts: Vec<PlannedInsert<'s>>,
    settings: Settings,
    errors: Vec<SqlError>,
    warnings: Vec<SqlError>,
}

/// A file up to its analysed plans: what tests ask a batch engine for.
pub(crate) struct Analyzed {
    tables: BTreeMap<String, SourceTable>,
    inserts: Vec<(String, Vec<usize>, LogicalPlan)>,
}

impl Analyzed {
    pub(crate) fn of(file_name: &str, text: &str) -> Result<Self, SqlErrors> {
        on_own_stack(|| Analyzed::of_here(file_name, text))
            .unwrap_or_else(|error| Err(SqlErrors::new(file_name, text, vec![error])))
    }

    fn of_here(file_name: &str, text: &str) -> Result<Self, SqlErrors> {
        let (script, mut errors) = script::parse(text);
        let planner = Planner::read(&script, &mut errors);
        if !errors.is_empty() {
            return Err(SqlErrors::new(file_name, text, errors));
        }
        let inserts = planner.inserts.into_iter().filter_map(|insert| {
            let (name, columns) = insert.into?;
            Some((name.value.clone(), columns, insert.plan))
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
        let queries = inserts.into_iter().map(|(name, columns, plan)| {
            let written = tables.get(&name).map(|table| {
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

/// The zone of the session, which is that of the whole file.
fn zone(script: &Script) -> Zone {
    let mut settings = Settings::new();
    for statement in &script.statements {
        if let Statement::Set { key, value } = statement {
            // What is wrong with it is said where it is planned.
            let _ = settings::set(&mut settings, key, value);
        }
    }
    settings.get("table.local-time-zone").and_then(|name| Zone::named(name)).unwrap_or(UTC)
}

impl<'s> Planner<'s> {
    /// Takes all statements of a file in.
    fn read(script: &'s Script, errors: &mut Vec<SqlError>) -> Self {
        let mut planner = Planner::new(script);
        for statement in &script.statements {
            planner.add(statement, false);
        }
        errors.append(&mut planner.errors);
        planner
    }

    fn new(script: &'s Script) -> Self {
        Planner {
            script,
            names: Names::in_zone(zone(script)),
            tables: BTreeMap::new(),
            broken: script.broken.iter().map(|name| name.value.clone()).collect(),
            views: BTreeMap::new(),
            inserts: Vec::new(),
            settings: Settings::new(),
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
            Statement::Insert(insert) => self.insert(insert, explained),
            Statement::StatementSet(inserts) => {
                inserts.iter().for_each(|insert| self.insert(insert, explained))
            }
            Statement::Explain(inner) => self.add_unguarded(inner, true),
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

    fn create_table(&mut self, def: &CreateTable) {
        let positions = &self.script.positions;
        let planned = catalog::table(def).and_then(|table| SourceTable::new(table, &self.names, positions));
        match planned {
            Ok(table) => {
                self.names.add_table(&def.name.value, table.schema.clone());
                self.tables.insert(def.name.value.clone(), table);
            }
            Err(errors) => {
                self.broken.insert(def.name.value.clone());
                self.errors.extend(errors);
            }
        }
    }

    fn create_view(&mut self, view: &'s CreateView) {
        let of = if view.columns.is_some() { For::Rows } else { For::View };
        let plan = self.query(&view.query, of).and_then(|plan| self.rename(plan, view));
        match plan {
            Some(plan) => {
                self.views.insert(view.name.value.clone(), &view.query);
                self.names.add_view(&view.name.value, plan);
            }
            None => {
                self.broken.insert(view.name.value.clone());
            }
        }
    }

    /// The plan with the columns named as `CREATE VIEW v (a, b)` says.
    fn rename(&mut self, plan: LogicalPlan, view: &CreateView) -> Option<LogicalPlan> {
        let names: Vec<String> = match &view.columns {
            Some(names) => names.iter().map(|name| name.value.clone()).collect(),
            None => plan.schema().fields().iter().map(|field| field.name().clone()).collect(),
        };
        let (given, found) = (names.len(), plan.schema().fields().len());
        if given != found {
            let message =
                format!("view {} names {given} columns, but its query has {found}", view.name.value);
            self.errors.push(SqlError::new(code::COLUMN, view.name.span, message).help("name each of them"));
            return None;
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = names.iter().find(|name| !seen.insert(*name)) {
            let message = format!("view {} has two columns called {twice}", view.name.value);
            let help = "give one of them another name with AS";
            self.errors.push(SqlError::new(code::COLUMN, view.name.span, message).help(help));
            return None;
        }
        let renamed = plan.schema().iter().zip(&names).map(|(column, name)| Expr::from(column).alias(name));
        let renamed: Vec<Expr> = renamed.collect();
        match LogicalPlanBuilder::from(plan).project(renamed).and_then(LogicalPlanBuilder::build) {
            Ok(plan) => Some(plan),
            Err(error) => {
                let positions = &self.script.positions;
                self.errors.push(query::from_datafusion(&error, &self.names, &view.query, positions));
                None
            }
        }
    }

    /// Plans a query; `None` when something is wrong with it, or with what it reads.
    fn query(&mut self, tokens: &Tokens, of: For) -> Option<LogicalPlan> {
        if tokens.words().any(|word| self.broken.contains(word)) {
            return None;
        }
        match query::plan_query(tokens, of, &self.names, &self.script.positions) {
            Ok(plan) => Some(plan),
            Err(error) => {
                self.errors.push(error);
                None
            }
        }
    }

    fn insert(&mut self, insert: &'s Insert, explained: bool) {
        let plan = self.query(&insert.query, For::Rows);
        let target = &insert.target;
        if self.broken.contains(&target.value) {
            return;
        }
        let Some(table) = self.tables.get(&target.value) else {
            let message = match self.views.contains_key(&target.value) {
                true => format!("{} is a view: it can't be written to", target.value),
                false => format!("there is no table {}", target.value),
            };
            let help = match nearest(&target.value, self.tables.keys().map(String::as_str)) {
                Some(near) => format!("did you mean {near}?"),
                None => "declare it with CREATE TABLE in front of this statement".to_owned(),
            };
            self.errors.push(SqlError::new(code::QUERY, target.span, message).help(help));
            return;
        };
        let Some(plan) = plan else { return };
        match columns_of_insert(insert, table, plan.schema().fields().len()) {
            Ok(columns) => {
                let into = Some((target, columns));
                let on_conflict = insert.on_conflict;
                self.inserts.push(PlannedInsert {
                    plan,
                    into,
                    on_conflict,
                    tokens: &insert.query,
                    explained,
                });
            }
            Err(error) => self.errors.push(error),
        }
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
                Some((name, columns)) => self.tables.get(&name.value).map_or(Ok(()), |target| {
                    let (table, columns) = (name.value.as_str(), columns.clone());
                    let on_conflict = insert.on_conflict;
                    lowering.insert(&InsertInto { plan, table, columns, on_conflict }, target)
                }),
            });
            match lowered {
                Ok(Ok(())) => {}
                Ok(Err(refusal)) => {
                    errors.push(query::refused(&refusal, insert.tokens, &self.views, positions))
                }
                Err(error) => errors.push(error),
            }
        }
        let topology = lowering.topology;
        let used = self.tables.values().filter_map(|table| match &table.table.connector {
            Connector::Topic(topic) => Some(topic.as_ref()),
            _ => None,
        });
        let clients = Clients::of(used, errors);
        let explain = if errors.is_empty() { explain(&topology, &|_| Some(4)) } else { Ok(String::new()) };
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
        })
    }
}

/// By column of the query: the column of the table it is written to.
fn columns_of_insert(insert: &Insert, table: &SourceTable, found: usize) -> Result<Vec<usize>, SqlError> {
    let writable: Vec<usize> = (0..table.table.columns.len())
        .filter(|column| matches!(table.table.columns[*column].kind, ColumnKind::Physical))
        .collect();
    let name = |column: &usize| table.table.columns[*column].name.value.as_str();
    let mut columns = Vec::new();
    for ident in &insert.columns {
        let Some(column) = writable.iter().find(|column| name(column) == ident.value) else {
            let message = format!("table {} has no column {} to write", insert.target.value, ident.value);
            let near = nearest(&ident.value, writable.iter().map(name));
            let help = near.map_or_else(
                || format!("it has {}", join(&writable, name)),
                |near| format!("did you mean {near}?"),
            );
            return Err(SqlError::new(code::COLUMN, ident.span, message).help(help));
        };
        if columns.contains(column) {
            return Err(SqlError::new(code::COLUMN, ident.span, format!("{} is named twice", ident.value)));
        }
        columns.push(*column);
    }
    let columns = if insert.columns.is_empty() { writable.clone() } else { columns };
    if columns.len() != found {
        let (wanted, target) = (columns.len(), &insert.target.value);
        let message = format!("the query has {found} columns, but {wanted} are written to table {target}");
        let help = format!("select {}", join(&columns, name));
        return Err(SqlError::new(code::COLUMN, insert.target.span, message).help(help));
    }
    Ok(columns)
}

fn join<'a>(columns: &[usize], name: impl Fn(&usize) -> &'a str) -> String {
    columns.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// What the tables say of the clients; they have to agree, since a job has one.
#[derive(Default)]
struct Clients {
    group: Option<String>,
    bootstrap_servers: Option<String>,
    properties: BTreeMap<String, String>,
}

impl Clients {
    fn of<'t>(tables: impl Iterator<Item = &'t TopicTable>, errors: &mut Vec<SqlError>) -> Self {
        let mut clients = Clients::default();
        for table in tables {
            agree(&mut clients.group, "group.id", table.group.as_ref(), errors);
            agree(
                &mut clients.bootstrap_servers,
                "bootstrap.servers",
                table.bootstrap_servers.as_ref(),
                errors,
            );
            for (key, value) in &table.properties {
                let mut known = clients.properties.remove(key);
                agree(&mut known, key, Some(value), errors);
                clients.properties.extend(known.map(|known| (key.clone(), known)));
            }
        }
        clients
    }
}

fn agree(known: &mut Option<String>, key: &str, value: Option<&Spanned<String>>, errors: &mut Vec<SqlError>) {
    match (known.as_ref(), value) {
        (Some(known), Some(value)) if *known != value.value => {
            let message = format!("tables of one job differ in 'properties.{key}'");
            let help = "a job has one client; give all its tables the same value";
            errors.push(
                SqlError::new(code::CONFLICT, value.span, message)
                    .label("another value stands above")
                    .help(help),
            );
        }
        (None, Some(value)) => *known = Some(value.value.clone()),
        _ => {}
    }
}
