//! Rows while a query over the catalog is computed, and the names that they go by.

use super::value::Value;
use crate::error::Trouble;
use crate::types::Kind;
use sqlparser::ast::{Ident, ObjectName};

/// A column of rows.
#[derive(Debug, Clone)]
pub(super) struct Field {
    /// The name of its table in the query.
    pub(super) relation: String,
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// Rows with their columns.
#[derive(Debug, Clone, Default)]
pub(super) struct Frame {
    pub(super) fields: Vec<Field>,
    pub(super) rows: Vec<Vec<Value>>,
}

/// A row that names are looked up in, and the rows of the queries around.
#[derive(Clone, Copy)]
pub(super) struct Env<'e> {
    pub(super) fields: &'e [Field],
    pub(super) row: &'e [Value],
    /// The rows of its group, where there are groups.
    pub(super) group: Option<&'e [Vec<Value>]>,
    pub(super) outer: Option<&'e Env<'e>>,
}

/// A name as it is meant: without quotes its letters are small.
pub(super) fn name_of(ident: &Ident) -> String {
    match ident.quote_style {
        Some(_) => ident.value.clone(),
        None => ident.value.to_lowercase(),
    }
}

/// The parts of a name.
pub(super) fn parts(name: &ObjectName) -> Vec<String> {
    name.0.iter().filter_map(|part| part.as_ident()).map(name_of).collect()
}

impl<'e> Env<'e> {
    pub(super) fn new(fields: &'e [Field], row: &'e [Value], outer: Option<&'e Env<'e>>) -> Self {
        Env { fields, row, group: None, outer }
    }

    /// The field and the value by a name, with or without that of its table.
    pub(super) fn find(&self, relation: Option<&str>, name: &str) -> Option<(&'e Field, &'e Value)> {
        static NULL: Value = Value::Null;
        let at = self.fields.iter().position(|field| {
            field.name == name && relation.is_none_or(|relation| field.relation == relation)
        });
        match at.and_then(|at| self.fields.get(at).map(|field| (at, field))) {
            Some((at, field)) => Some((field, self.row.get(at).unwrap_or(&NULL))),
            None => self.outer.and_then(|outer| outer.find(relation, name)),
        }
    }

    /// What a name with its parts means.
    pub(super) fn named(&self, idents: &[Ident]) -> Result<(&'e Field, &'e Value), Trouble> {
        let names: Vec<String> = idents.iter().map(name_of).collect();
        let found = match names.as_slice() {
            [name] => self.find(None, name),
            [.., relation, name] => self.find(Some(relation), name),
            [] => None,
        };
        found.ok_or_else(|| Trouble::new("42703", format!("column {} does not exist", names.join("."))))
    }
}
