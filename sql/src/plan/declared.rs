//! The tables and views of a file: declared, altered, dropped, in the order of its statements. A statement that was planned
//! before keeps what it was planned with.

use super::alter::altered;
use super::insert::{columns_of_insert, no_table};
use super::{DeclaredTable, DeclaredView, PlannedInsert, Planner, Written, like};
use crate::catalog;
use crate::error::{SqlError, code, nearest};
use crate::functions::values::detail::Detail;
use crate::lower::SourceTable;
use crate::query::{self, For};
use crate::script::{
    Change, ColumnDef, ColumnDefKind, CreateTable, CreateView, DeclaredType, Ident, Spanned, TableChange,
    Tokens,
};
use datafusion::logical_expr::{Expr, LogicalPlan, LogicalPlanBuilder};
use std::collections::BTreeSet;

impl<'s> Planner<'s> {
    pub(super) fn create_table(&mut self, def: &'s CreateTable) {
        if let (true, Some(query)) = (self.current.contains_key(&def.name.value), &def.query) {
            // It is there, and is filled all the same.
            if let Some(plan) = self.query(query, For::Rows) {
                self.fill(&def.name, plan, query, false);
            }
            return;
        }
        let declared = match (&def.like, &def.query) {
            (Some(like), _) => self.like(def, like),
            (None, Some(query)) => self.of_query(def, query),
            (None, None) => Some((def.clone(), None)),
        };
        let declared = declared.filter(|(declared, _)| self.put_table(declared.clone()));
        match declared {
            None => {
                self.broken.insert(def.name.value.clone());
            }
            Some((_, plan)) => {
                if let (Some(plan), Some(query)) = (plan, &def.query) {
                    self.fill(&def.name, plan, query, true);
                }
            }
        }
    }

    fn like(
        &mut self,
        def: &CreateTable,
        like: &crate::script::Like,
    ) -> Option<(CreateTable, Option<LogicalPlan>)> {
        let source = &like.source;
        if self.broken.contains(&source.value) {
            return None;
        }
        let Some(DeclaredTable { def: other, .. }) = self.current.get(&source.value) else {
            self.errors.push(match self.views.contains_key(&source.value) {
                true => SqlError::new(code::QUERY, source.span, format!("{} is a view", source.value))
                    .help("write CREATE TABLE .. AS SELECT * FROM it, or the columns"),
                false => no_table(source, false, &self.current),
            });
            return None;
        };
        match like::merged(def, like, other) {
            Ok(merged) => Some((merged, None)),
            Err(errors) => {
                self.errors.extend(errors);
                None
            }
        }
    }

    /// A table with the columns of a query: those that are declared come first.
    fn of_query(&mut self, def: &CreateTable, query: &Tokens) -> Option<(CreateTable, Option<LogicalPlan>)> {
        let plan = self.query(query, For::View)?;
        let declared = |name: &str| def.columns.iter().any(|column| column.name.value == name);
        let fields = plan.schema().fields().iter().filter(|field| !declared(field.name()));
        let mut of_query: Vec<ColumnDef> = fields
            .map(|field| {
                let declared = DeclaredType {
                    data_type: Spanned { value: field.data_type().clone(), span: query.span },
                    nullable: field.is_nullable(),
                    detail: Detail::of(field),
                    inner_length: false,
                };
                let name = Ident { value: field.name().clone(), span: query.span };
                ColumnDef { name, kind: ColumnDefKind::Physical(declared), comment: None }
            })
            .collect();
        if !def.order.is_empty() {
            let place =
                |column: &ColumnDef| def.order.iter().position(|name| name.value == column.name.value);
            let all =
                of_query.len() == def.order.len() && of_query.iter().all(|column| place(column).is_some());
            if !all {
                let names: Vec<&str> = of_query.iter().map(|column| column.name.value.as_str()).collect();
                let message = format!("table \"{}\" names other columns than its query has", def.name.value);
                let error = SqlError::new(code::COLUMN, def.order[0].span, message);
                self.errors.push(
                    error.help(format!("name each of {}, in the order that is wanted", names.join(", "))),
                );
                return None;
            }
            of_query.sort_by_key(place);
        }
        let columns = def.columns.iter().cloned().chain(of_query).collect();
        Some((CreateTable { columns, query: None, order: Vec::new(), ..def.clone() }, Some(plan)))
    }

    /// Writes the query of a table to it.
    fn fill(&mut self, name: &'s Ident, plan: LogicalPlan, query: &'s Tokens, by_name: bool) {
        let Some(DeclaredTable { key, .. }) = self.current.get(&name.value) else { return };
        let Some(table) = self.tables.get(key) else { return };
        let named = |name: &String| Ident { value: name.clone(), span: query.span };
        let fields = plan.schema().fields();
        let named: Vec<Ident> = fields.iter().filter(|_| by_name).map(|field| named(field.name())).collect();
        match columns_of_insert(&named, name, table, fields.len()) {
            Ok(columns) => {
                let into = Some(Written { name, key: key.clone(), columns });
                let insert = PlannedInsert { plan, into, on_conflict: None, tokens: query, explained: false };
                self.inserts.push(insert);
            }
            Err(error) => self.errors.push(error),
        }
    }

    /// Puts a table in the place of the one of its name.
    fn put_table(&mut self, mut def: CreateTable) -> bool {
        // They stay so when the key goes, or is not taken with them.
        let of_key = def.primary_key.iter().flat_map(|key| &key.columns);
        for name in of_key {
            let column = def.columns.iter_mut().find(|column| column.name.value == name.value);
            if let Some(ColumnDefKind::Physical(declared)) = column.map(|column| &mut column.kind) {
                declared.nullable = false;
            }
        }
        let name = def.name.value.clone();
        match self.planned_table(&def) {
            Ok(table) => {
                let key = self.free_key(&name);
                self.names.add_table(&name, table.schema.clone(), &key);
                self.tables.insert(key.clone(), table);
                self.current.insert(name, DeclaredTable { key, def });
                true
            }
            Err(errors) => {
                self.errors.extend(errors);
                false
            }
        }
    }

    /// A table with its computed columns.
    pub(super) fn planned_table(&self, def: &CreateTable) -> Result<SourceTable, Vec<SqlError>> {
        let positions = &self.script.positions;
        catalog::table(def).and_then(|table| SourceTable::new(table, &self.names, positions))
    }

    /// A key that no table has: the name itself, where it is the first of that name.
    pub(super) fn free_key(&self, name: &str) -> String {
        let numbered = (2..).map(|number| format!("{name}\u{0}{number}"));
        let mut keys = [name.to_owned()].into_iter().chain(numbered);
        keys.find(|key| !self.tables.contains_key(key)).unwrap_or_default()
    }

    pub(super) fn create_view(&mut self, view: &'s CreateView) {
        self.stale.remove(&view.name.value);
        if !self.put_view(view, &view.query, view.columns.as_ref()) {
            self.broken.insert(view.name.value.clone());
        }
    }

    fn put_view(&mut self, def: &'s CreateView, query: &'s Tokens, named: Option<&'s Vec<Ident>>) -> bool {
        self.put_view_as(&def.name.value, def, query, named)
    }

    fn put_view_as(
        &mut self,
        name: &str,
        def: &'s CreateView,
        query: &'s Tokens,
        named: Option<&'s Vec<Ident>>,
    ) -> bool {
        let of = if named.is_some() { For::Rows } else { For::View };
        let plan = self.query(query, of).and_then(|plan| self.renamed(plan, &def.name, query, named));
        let Some(plan) = plan else { return false };
        let fields = plan.schema().fields().iter();
        let columns = fields.map(|field| (field.name().clone(), field.data_type().clone())).collect();
        let number = self.views.get(name).map_or(self.views_made, |view| view.number);
        self.views_made += 1;
        self.names.add_view(name, plan);
        self.views.insert(name.to_owned(), DeclaredView { def, query, named, columns, number });
        true
    }

    /// The plan with the columns named as `CREATE VIEW v (a, b)` says.
    fn renamed(
        &mut self,
        plan: LogicalPlan,
        view: &Ident,
        query: &Tokens,
        named: Option<&'s Vec<Ident>>,
    ) -> Option<LogicalPlan> {
        let names: Vec<String> = match named {
            Some(names) => names.iter().map(|name| name.value.clone()).collect(),
            None => plan.schema().fields().iter().map(|field| field.name().clone()).collect(),
        };
        let (given, found) = (names.len(), plan.schema().fields().len());
        if given != found {
            let message = format!("view {} names {given} columns, but its query has {found}", view.value);
            self.errors.push(SqlError::new(code::COLUMN, view.span, message).help("name each of them"));
            return None;
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = names.iter().find(|name| !seen.insert(*name)) {
            let message = format!("view {} has two columns called {twice}", view.value);
            let help = "give one of them another name with AS";
            self.errors.push(SqlError::new(code::COLUMN, view.span, message).help(help));
            return None;
        }
        let renamed = plan.schema().iter().zip(&names).map(|(column, name)| Expr::from(column).alias(name));
        let renamed: Vec<Expr> = renamed.collect();
        match LogicalPlanBuilder::from(plan).project(renamed).and_then(LogicalPlanBuilder::build) {
            Ok(plan) => Some(plan),
            Err(error) => {
                let positions = &self.script.positions;
                self.errors.push(query::from_datafusion(&error, &self.names, query, positions));
                None
            }
        }
    }

    /// `DROP` and `ALTER`.
    pub(super) fn change(&mut self, change: &'s Change) {
        let name = &change.name.value;
        if self.broken.contains(name) {
            // Its definition is what is wrong.
            if change.what == TableChange::Drop {
                self.broken.remove(name);
            }
            return;
        }
        let (is_table, is_view) = (self.current.contains_key(name), self.views.contains_key(name));
        match (change.is_view, is_table, is_view) {
            (true, _, true) => self.change_view(change),
            (false, true, _) => self.change_table(change),
            (_, false, false) if change.if_exists => {}
            _ => self.errors.push(self.not_there(change, is_table || is_view)),
        }
    }

    fn not_there(&self, change: &Change, is_other: bool) -> SqlError {
        let Ident { value: name, span } = &change.name;
        let [kind, other] = match change.is_view {
            true => ["view", "table"],
            false => ["table", "view"],
        };
        let message = match is_other {
            true => format!("{name} is a {other}"),
            false => format!("there is no {kind} {name}"),
        };
        let known = self.current.keys().chain(self.views.keys()).map(String::as_str);
        let help = match (is_other, nearest(name, known)) {
            (true, _) => format!("write {} in the place of {}", other.to_uppercase(), kind.to_uppercase()),
            (false, Some(near)) => format!("did you mean {near}?"),
            (false, None) => "leave the statement out, or write IF EXISTS".to_owned(),
        };
        SqlError::new(code::QUERY, *span, message).help(help)
    }

    fn change_view(&mut self, change: &'s Change) {
        let name = &change.name.value;
        match &change.what {
            TableChange::Rename(to) => {
                if self.is_free(to)
                    && let Some(view) = self.views.remove(name)
                {
                    self.names.rename(name, &to.value);
                    if let Some(why) = self.stale.remove(name) {
                        self.stale.insert(to.value.clone(), why);
                    }
                    self.views.insert(to.value.clone(), view);
                    self.missed(name, &format!("{name} is called {} now", to.value));
                }
            }
            TableChange::Query(query) => {
                let Some(DeclaredView { def, .. }) = self.views.get(name) else { return };
                let def = *def;
                self.stale.remove(name);
                if self.put_view_as(name, def, query, None) {
                    self.refresh(name);
                }
            }
            _ => {
                self.views.remove(name);
                self.stale.remove(name);
                self.names.remove(name);
                self.missed(name, &format!("{name} was dropped"));
            }
        }
    }

    fn change_table(&mut self, change: &'s Change) {
        let name = &change.name.value;
        match &change.what {
            TableChange::Drop => {
                self.current.remove(name);
                self.names.remove(name);
                self.missed(name, &format!("{name} was dropped"));
            }
            TableChange::Rename(to) => {
                if self.is_free(to)
                    && let Some(mut table) = self.current.remove(name)
                {
                    self.names.rename(name, &to.value);
                    table.def.name.value.clone_from(&to.value);
                    self.current.insert(to.value.clone(), table);
                    self.missed(name, &format!("{name} is called {} now", to.value));
                }
            }
            what => {
                let Some(DeclaredTable { def, .. }) = self.current.get(name) else { return };
                match altered(def, what).map(|def| self.put_table(def)) {
                    Ok(true) => self.refresh(name),
                    Ok(false) => {
                        self.broken.insert(name.clone());
                    }
                    Err(error) => self.errors.push(error),
                }
            }
        }
    }

    /// Whether nothing is called so; says it where something is.
    fn is_free(&mut self, name: &Ident) -> bool {
        let taken = self.current.contains_key(&name.value) || self.views.contains_key(&name.value);
        if taken {
            let message = format!("there is already a table or view \"{}\"", name.value);
            self.errors.push(SqlError::new(code::SYNTAX, name.span, message).help("give it another name"));
        }
        !taken
    }

    /// Views that read what is not there any more, each in the order in which they were made.
    fn readers(&self, name: &str) -> Vec<String> {
        let mut views: Vec<(usize, &String)> =
            self.views.iter().map(|(name, view)| (view.number, name)).collect();
        views.sort_unstable();
        let mut read = BTreeSet::from([name.to_owned()]);
        let mut readers = Vec::new();
        for (_, view) in views {
            let reads = self.views[view].query.words().any(|word| read.contains(word));
            if reads && view != name {
                read.insert(view.clone());
                readers.push(view.clone());
            }
        }
        readers
    }

    fn missed(&mut self, name: &str, why: &str) {
        for view in self.readers(name) {
            self.names.remove(&view);
            self.stale.insert(view, why.to_owned());
        }
    }

    /// Plans the views anew that read a table which has changed. One whose columns would be others can't be read any more.
    fn refresh(&mut self, name: &str) {
        for view in self.readers(name) {
            let DeclaredView { def, query, named, .. } = self.views[&view];
            let columns = self.views[&view].columns.clone();
            let (errors, warnings) = (self.errors.len(), self.warnings.len());
            let is_same = self.put_view_as(&view, def, query, named) && self.views[&view].columns == columns;
            self.errors.truncate(errors);
            self.warnings.truncate(warnings);
            if !is_same {
                self.names.remove(&view);
                self.stale.insert(view, format!("{name} was altered, and what the view selects with it"));
            }
        }
    }
}
