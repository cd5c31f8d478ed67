//! `INSERT INTO`: what is written, and to which table as it is then.

use super::{DeclaredTable, PlannedInsert, Planner, Written};
use crate::catalog::ColumnKind;
use crate::error::{SqlError, code, nearest};
use crate::lower::SourceTable;
use crate::query::For;
use crate::script::{Ident, Insert};
use std::collections::BTreeMap;

impl<'s> Planner<'s> {
    /// Takes an insertion in.
    pub(super) fn insert(&mut self, insert: &'s Insert, explained: bool) {
        let plan = self.query(&insert.query, For::Rows);
        let target = &insert.target;
        if self.broken.contains(&target.value) {
            return;
        }
        let Some(DeclaredTable { key, .. }) = self.current.get(&target.value) else {
            self.errors.push(no_table(target, self.views.contains_key(&target.value), &self.current));
            return;
        };
        let key = match insert.hints.is_empty() {
            true => Some(key.clone()),
            false => self.hinted_target(target, &insert.hints),
        };
        let (Some(plan), Some(key)) = (plan, key) else { return };
        let Some(table) = self.tables.get(&key) else { return };
        let columns = columns_of_insert(&insert.columns, target, table, plan.schema().fields().len());
        match columns {
            Ok(columns) => {
                let into = Some(Written { name: target, key, columns });
                let (on_conflict, tokens) = (insert.on_conflict, &insert.query);
                self.inserts.push(PlannedInsert { plan, into, on_conflict, tokens, explained });
            }
            Err(error) => self.errors.push(error),
        }
    }
}

/// There is no such table.
pub(super) fn no_table(name: &Ident, is_view: bool, tables: &BTreeMap<String, DeclaredTable>) -> SqlError {
    let message = match is_view {
        true => format!("{} is a view: it can't be written to", name.value),
        false => format!("there is no table {}", name.value),
    };
    let help = match nearest(&name.value, tables.keys().map(String::as_str)) {
        Some(near) => format!("did you mean {near}?"),
        None => "declare it with CREATE TABLE in front of this statement".to_owned(),
    };
    SqlError::new(code::QUERY, name.span, message).help(help)
}

/// By column of the query: the column of the table it is written to.
pub(super) fn columns_of_insert(
    named: &[Ident],
    target: &Ident,
    table: &SourceTable,
    found: usize,
) -> Result<Vec<usize>, SqlError> {
    let writable: Vec<usize> = (0..table.table.columns.len())
        .filter(|column| matches!(table.table.columns[*column].kind, ColumnKind::Physical))
        .collect();
    let column_name = |column: &usize| table.table.columns[*column].name.value.as_str();
    let mut columns = Vec::new();
    for ident in named {
        let Some(column) = writable.iter().find(|column| column_name(column) == ident.value) else {
            let message = format!("table {} has no column {} to write", target.value, ident.value);
            let near = nearest(&ident.value, writable.iter().map(column_name));
            let help = near.map_or_else(
                || format!("it has {}", join(&writable, column_name)),
                |near| format!("did you mean {near}?"),
            );
            return Err(SqlError::new(code::COLUMN, ident.span, message).help(help));
        };
        if columns.contains(column) {
            return Err(SqlError::new(code::COLUMN, ident.span, format!("{} is named twice", ident.value)));
        }
        columns.push(*column);
    }
    let columns = if named.is_empty() { writable.clone() } else { columns };
    if columns.len() != found {
        let (wanted, name) = (columns.len(), &target.value);
        let message = format!("the query has {found} columns, but {wanted} are written to table {name}");
        let help = format!("select {}", join(&columns, column_name));
        return Err(SqlError::new(code::COLUMN, target.span, message).help(help));
    }
    Ok(columns)
}

fn join<'a>(columns: &[usize], name: impl Fn(&usize) -> &'a str) -> String {
    columns.iter().map(name).collect::<Vec<_>>().join(", ")
}
