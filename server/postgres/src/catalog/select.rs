//! What stands behind SELECT: columns, groups and numbers of rows.

use super::expression::{Evaluation, is_aggregate};
use super::frame::{Env, Field, Frame, name_of, parts};
use super::kinds;
use super::query::{by_keys, direction, distinct, same, unsupported};
use super::value::Value;
use crate::error::Trouble;
use sqlparser::ast::{
    Distinct, Expr, GroupByExpr, Ident, Select, SelectItem, SelectItemQualifiedWildcardKind, WindowType,
    visit_expressions,
};
use std::cmp::Ordering;
use std::ops::ControlFlow;

/// What a query puts out, and the row that each came from: rows may be ordered by what is not put out.
pub(super) struct Selected {
    pub(super) out: Frame,
    pub(super) from: Vec<Field>,
    pub(super) sources: Vec<Vec<Value>>,
    pub(super) groups: Option<Vec<Vec<Vec<Value>>>>,
}

impl Evaluation<'_> {
    pub(super) fn select(&self, select: &Select, outer: Option<&Env<'_>>) -> Result<Selected, Trouble> {
        let sources = self.sources(select, outer)?;
        let items = expanded(select, &sources.fields)?;
        let keys: &[Expr] = match &select.group_by {
            GroupByExpr::Expressions(keys, _) => keys,
            GroupByExpr::All(_) => return Err(unsupported("GROUP BY ALL")),
        };
        if select.having.is_some() || select.qualify.is_some() {
            return Err(unsupported("HAVING"));
        }
        let is_grouped = !keys.is_empty() || items.iter().any(|(expr, _)| has_aggregate(expr));
        let groups = match is_grouped {
            true => Some(self.groups(&sources, keys, &items, outer)?),
            false => None,
        };
        // Of a group its first row, or of no rows one of nulls.
        let nulls = || vec![Value::Null; sources.fields.len()];
        let rows: Vec<Vec<Value>> = match &groups {
            Some(groups) => groups.iter().map(|group| group.first().cloned().unwrap_or_else(nulls)).collect(),
            None => sources.rows,
        };
        let example = nulls();
        let typed = Env::new(&sources.fields, &example, outer);
        let fields = items.iter().map(|(expr, name)| Field {
            relation: String::new(),
            name: name.clone(),
            kind: kinds::of(self, expr, &typed),
        });
        let fields: Vec<Field> = fields.collect();
        let mut out: Vec<Vec<Value>> = vec![Vec::with_capacity(items.len()); rows.len()];
        for (expr, _) in &items {
            if let Some(numbers) = self.numbered(expr, &sources.fields, &rows, outer)? {
                out.iter_mut().zip(numbers).for_each(|(row, number)| row.push(number));
                continue;
            }
            for (at, (out, row)) in out.iter_mut().zip(&rows).enumerate() {
                let group = groups.as_ref().and_then(|groups| groups.get(at)).map(Vec::as_slice);
                out.push(self.value(expr, &Env { group, ..Env::new(&sources.fields, row, outer) })?);
            }
        }
        let mut selected =
            Selected { out: Frame { fields, rows: out }, from: sources.fields, sources: rows, groups };
        match &select.distinct {
            None | Some(Distinct::All) => {}
            Some(Distinct::Distinct) => {
                distinct(&mut selected.out.rows);
                // What is put out is all that rows are ordered by.
                (selected.from, selected.sources) = (selected.out.fields.clone(), selected.out.rows.clone());
                selected.groups = None;
            }
            Some(Distinct::On(_)) => return Err(unsupported("DISTINCT ON")),
        }
        Ok(selected)
    }

    fn groups(
        &self,
        sources: &Frame,
        keys: &[Expr],
        items: &[(Expr, String)],
        outer: Option<&Env<'_>>,
    ) -> Result<Vec<Vec<Vec<Value>>>, Trouble> {
        // A number or the name of a column that is put out is that column.
        let key = |key: &Expr| -> Expr {
            let number = match key {
                Expr::Value(_) => {
                    self.value(key, &Env::new(&[], &[], None)).ok().and_then(|value| value.int())
                }
                _ => None,
            };
            let at = number.and_then(|number| usize::try_from(number.saturating_sub(1)).ok());
            at.and_then(|at| items.get(at)).map_or_else(|| key.clone(), |(expr, _)| expr.clone())
        };
        let keys: Vec<Expr> = keys.iter().map(key).collect();
        let mut groups: Vec<(Vec<Value>, Vec<Vec<Value>>)> = Vec::new();
        if keys.is_empty() {
            groups.push((Vec::new(), Vec::new()));
        }
        for row in &sources.rows {
            let env = Env::new(&sources.fields, row, outer);
            let key = keys.iter().map(|key| self.value(key, &env)).collect::<Result<Vec<_>, _>>()?;
            self.step(groups.len())?;
            match groups.iter_mut().find(|(other, _)| same(other, &key)) {
                Some((_, rows)) => rows.push(row.clone()),
                None => groups.push((key, vec![row.clone()])),
            }
        }
        Ok(groups.into_iter().map(|(_, rows)| rows).collect())
    }

    /// The values of `row_number() OVER (..)`, where it is that.
    fn numbered(
        &self,
        expr: &Expr,
        fields: &[Field],
        rows: &[Vec<Value>],
        outer: Option<&Env<'_>>,
    ) -> Result<Option<Vec<Value>>, Trouble> {
        let Expr::Function(call) = expr else { return Ok(None) };
        let Some(WindowType::WindowSpec(window)) = &call.over else { return Ok(None) };
        if parts(&call.name).last().map(String::as_str) != Some("row_number") {
            return Err(unsupported("this window function"));
        }
        let mut keys = Vec::new();
        for (at, row) in rows.iter().enumerate() {
            let env = Env::new(fields, row, outer);
            let partition = window.partition_by.iter().map(|expr| self.value(expr, &env));
            let partition = partition.collect::<Result<Vec<_>, _>>()?;
            let order =
                window.order_by.iter().map(|by| self.value(&by.expr, &env)).collect::<Result<Vec<_>, _>>()?;
            keys.push((partition, order, at));
        }
        let by: Vec<(bool, bool)> = window.order_by.iter().map(direction).collect();
        let partitions = |one: &[Value], other: &[Value]| {
            one.iter().zip(other).map(|(one, other)| one.order(other)).fold(Ordering::Equal, Ordering::then)
        };
        keys.sort_by(|one, other| partitions(&one.0, &other.0).then_with(|| by_keys(&one.1, &other.1, &by)));
        let mut numbers = vec![Value::Null; rows.len()];
        let (mut number, mut last): (i64, Option<&[Value]>) = (0, None);
        for (partition, _, at) in &keys {
            number = if last.is_some_and(|last| same(last, partition)) { number + 1 } else { 1 };
            last = Some(partition);
            if let Some(place) = numbers.get_mut(*at) {
                *place = Value::Int(number);
            }
        }
        Ok(Some(numbers))
    }
}

/// What is put out, with `*` as the columns that it stands for, and how each is called.
fn expanded(select: &Select, fields: &[Field]) -> Result<Vec<(Expr, String)>, Trouble> {
    let column = |field: &Field| {
        let idents = [Ident::with_quote('"', &field.relation), Ident::with_quote('"', &field.name)];
        (Expr::CompoundIdentifier(idents.to_vec()), field.name.clone())
    };
    let mut items = Vec::new();
    for item in &select.projection {
        match item {
            SelectItem::UnnamedExpr(expr) => items.push((expr.clone(), kinds::name(expr))),
            SelectItem::ExprWithAlias { expr, alias } => items.push((expr.clone(), name_of(alias))),
            SelectItem::Wildcard(_) => items.extend(fields.iter().map(column)),
            SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(name), _) => {
                let name = parts(name).pop().unwrap_or_default();
                items.extend(fields.iter().filter(|field| field.relation == name).map(column));
            }
            _ => return Err(unsupported("what is selected")),
        }
    }
    Ok(items)
}

fn has_aggregate(expr: &Expr) -> bool {
    match expr {
        // Those in queries inside are theirs.
        Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => false,
        Expr::Function(call) if call.over.is_none() && is_aggregate(call) => true,
        _ => {
            let found = visit_expressions(expr, |inner| match inner {
                Expr::Function(call) if call.over.is_none() && is_aggregate(call) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            });
            found.is_break() && !has_query(expr)
        }
    }
}

fn has_query(expr: &Expr) -> bool {
    let found = visit_expressions(expr, |inner| match inner {
        Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    found.is_break()
}
