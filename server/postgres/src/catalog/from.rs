//! What stands behind FROM: tables, functions and queries, joined and filtered.

use super::expression::Evaluation;
use super::frame::{Env, Field, Frame, name_of, parts};
use super::query::{ROWS_MAX, unsupported};
use super::value::Value;
use super::{functions, kinds, rows, tables};
use crate::error::Trouble;
use crate::types::Kind;
use sqlparser::ast::{
    BinaryOperator, Expr, FunctionArg, FunctionArgExpr, Join, JoinConstraint, JoinOperator, ObjectName,
    Select, TableAlias, TableFactor, visit_expressions,
};
use std::cmp::Ordering;
use std::ops::ControlFlow;

impl Evaluation<'_> {
    /// The rows behind FROM that WHERE lets through.
    pub(super) fn sources(&self, select: &Select, outer: Option<&Env<'_>>) -> Result<Frame, Trouble> {
        let mut conditions: Vec<&Expr> = Vec::new();
        select.selection.iter().for_each(|condition| conjuncts(condition, &mut conditions));
        // A row of no columns, where there is no FROM.
        let mut frame = Frame { fields: Vec::new(), rows: vec![Vec::new()] };
        for table in &select.from {
            frame = self.joined(frame, &table.relation, None, outer)?;
            self.filter(&mut frame, &mut conditions, false, outer)?;
            for join in &table.joins {
                frame = self.joined(frame, &join.relation, Some(join), outer)?;
                self.filter(&mut frame, &mut conditions, false, outer)?;
            }
        }
        self.filter(&mut frame, &mut conditions, true, outer)?;
        Ok(frame)
    }

    /// Takes out the rows for which a condition does not hold: each as soon as what it names is there.
    fn filter(
        &self,
        frame: &mut Frame,
        conditions: &mut Vec<&Expr>,
        is_last: bool,
        outer: Option<&Env<'_>>,
    ) -> Result<(), Trouble> {
        let (now, later): (Vec<&Expr>, Vec<&Expr>) =
            conditions.drain(..).partition(|condition| is_last || names_only(condition, &frame.fields));
        *conditions = later;
        for condition in now {
            let mut kept = Vec::new();
            for row in frame.rows.drain(..) {
                if self.value(condition, &Env::new(&frame.fields, &row, outer))?.truth() == Some(true) {
                    kept.push(row);
                }
            }
            frame.rows = kept;
        }
        Ok(())
    }

    fn joined(
        &self,
        left: Frame,
        relation: &TableFactor,
        join: Option<&Join>,
        outer: Option<&Env<'_>>,
    ) -> Result<Frame, Trouble> {
        let (constraint, keeps_left) = match join.map(|join| &join.join_operator) {
            None => (&JoinConstraint::None, false),
            Some(JoinOperator::Join(on) | JoinOperator::Inner(on) | JoinOperator::CrossJoin(on)) => {
                (on, false)
            }
            Some(JoinOperator::Left(on) | JoinOperator::LeftOuter(on)) => (on, true),
            Some(_) => return Err(unsupported("this join")),
        };
        let is_lateral = matches!(
            relation,
            TableFactor::Derived { lateral: true, .. }
                | TableFactor::Function { .. }
                | TableFactor::UNNEST { .. }
        ) || matches!(relation, TableFactor::Table { args: Some(_), .. });
        let nothing = vec![Value::Null; left.fields.len()];
        let whole = match is_lateral {
            true => None,
            false => Some(self.factor(relation, outer)?),
        };
        let example = match &whole {
            Some(frame) => frame.fields.clone(),
            None => self.factor(relation, Some(&Env::new(&left.fields, &nothing, outer)))?.fields,
        };
        let mut out = Frame { fields: left.fields.clone(), rows: Vec::new() };
        out.fields.extend(example.iter().cloned());
        for row in &left.rows {
            let lateral;
            let right = match &whole {
                Some(frame) => frame,
                None => {
                    lateral = self.factor(relation, Some(&Env::new(&left.fields, row, outer)))?;
                    &lateral
                }
            };
            let mut any = false;
            for other in &right.rows {
                let joined: Vec<Value> = row.iter().chain(other).cloned().collect();
                if self.meets(constraint, &out.fields, &joined, left.fields.len(), outer)? {
                    any = true;
                    out.rows.push(joined);
                }
                self.step(out.rows.len())?;
            }
            if keeps_left && !any {
                let nulls = example.iter().map(|_| Value::Null);
                out.rows.push(row.iter().cloned().chain(nulls).collect());
            }
        }
        Ok(out)
    }

    fn meets(
        &self,
        constraint: &JoinConstraint,
        fields: &[Field],
        row: &[Value],
        left: usize,
        outer: Option<&Env<'_>>,
    ) -> Result<bool, Trouble> {
        match constraint {
            JoinConstraint::None => Ok(true),
            JoinConstraint::On(on) => {
                Ok(self.value(on, &Env::new(fields, row, outer))?.truth() == Some(true))
            }
            JoinConstraint::Using(names) => {
                let (left_fields, right_fields) = fields.split_at(left.min(fields.len()));
                let (left_row, right_row) = row.split_at(left.min(row.len()));
                let mut all = true;
                for name in names {
                    let name = parts(name).pop().unwrap_or_default();
                    let one = Env::new(left_fields, left_row, None).find(None, &name);
                    let other = Env::new(right_fields, right_row, None).find(None, &name);
                    let (Some((_, one)), Some((_, other))) = (one, other) else {
                        return Err(Trouble::new(
                            "42703",
                            format!("column {name} does not exist on both sides"),
                        ));
                    };
                    all &= one.compare(other) == Some(Ordering::Equal);
                }
                Ok(all)
            }
            JoinConstraint::Natural => Err(unsupported("NATURAL JOIN")),
        }
    }

    /// The rows of what stands behind FROM.
    fn factor(&self, factor: &TableFactor, outer: Option<&Env<'_>>) -> Result<Frame, Trouble> {
        let (mut frame, alias) = match factor {
            TableFactor::Table { name, alias, args: None, .. } => (self.table(name)?, alias),
            TableFactor::Table { name, alias, args: Some(args), .. } => {
                (self.made(name, &args.args, outer)?, alias)
            }
            TableFactor::Function { name, args, alias, .. } => (self.made(name, args, outer)?, alias),
            TableFactor::Derived { subquery, alias, .. } => (self.query(subquery, outer)?, alias),
            TableFactor::UNNEST { array_exprs, alias, with_ordinality, .. } => {
                let values: Vec<&Expr> = array_exprs.iter().collect();
                (self.unnested(&values, *with_ordinality, outer)?, alias)
            }
            TableFactor::NestedJoin { table_with_joins, alias } => {
                let start = Frame { fields: Vec::new(), rows: vec![Vec::new()] };
                let mut frame = self.joined(start, &table_with_joins.relation, None, outer)?;
                for join in &table_with_joins.joins {
                    frame = self.joined(frame, &join.relation, Some(join), outer)?;
                }
                if alias.is_none() {
                    return Ok(frame);
                }
                (frame, alias)
            }
            _ => return Err(unsupported("what stands behind FROM")),
        };
        renamed(&mut frame, alias.as_ref());
        Ok(frame)
    }

    fn table(&self, name: &ObjectName) -> Result<Frame, Trouble> {
        let names = parts(name);
        let table = names.last().cloned().unwrap_or_default();
        if names.len() == 1 {
            let given = self.given.borrow();
            if let Some((_, frame)) = given.iter().rev().find(|(given, _)| *given == table) {
                let mut frame = frame.clone();
                frame.fields.iter_mut().for_each(|field| field.relation.clone_from(&table));
                return Ok(frame);
            }
        }
        let schema = names.len().checked_sub(2).and_then(|at| names.get(at)).map(String::as_str);
        let Some(found) = tables::find(schema, &table) else {
            return Err(Trouble::new("42P01", format!("relation \"{}\" does not exist", names.join("."))));
        };
        let field =
            |(name, kind): (&str, Kind)| Field { relation: table.clone(), name: name.to_owned(), kind };
        Ok(Frame { fields: found.columns().map(field).collect(), rows: rows::rows(found, self.world) })
    }

    /// The rows that a function makes.
    fn made(
        &self,
        name: &ObjectName,
        args: &[FunctionArg],
        outer: Option<&Env<'_>>,
    ) -> Result<Frame, Trouble> {
        let name = parts(name).pop().unwrap_or_default();
        let args: Vec<&Expr> = args
            .iter()
            .filter_map(|arg| match arg {
                FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr),
                _ => None,
            })
            .collect();
        let env = Env::new(&[], &[], outer);
        match name.as_str() {
            "unnest" => self.unnested(&args, false, outer),
            "generate_series" => {
                let values = args.iter().map(|arg| self.value(arg, &env)).collect::<Result<Vec<_>, _>>()?;
                let bound = |at: usize| values.get(at).and_then(Value::int);
                let rows = match (bound(0), bound(1), bound(2).unwrap_or(1)) {
                    (Some(from), Some(to), step) if step > 0 => {
                        let numbers = (from..=to).step_by(usize::try_from(step).unwrap_or(1));
                        numbers.take(ROWS_MAX).map(|number| vec![Value::Int(number)]).collect()
                    }
                    _ => Vec::new(),
                };
                let field = Field { relation: name.clone(), name, kind: Kind::Int4 };
                Ok(Frame { fields: vec![field], rows })
            }
            _ => {
                // A function of one value is a table of one row.
                let call = Expr::Function(functions::call(&name, &args));
                let kind = kinds::of(self, &call, &env);
                let value = self.value(&call, &env)?;
                let field = Field { relation: name.clone(), name, kind };
                Ok(Frame { fields: vec![field], rows: vec![vec![value]] })
            }
        }
    }

    fn unnested(&self, lists: &[&Expr], numbered: bool, outer: Option<&Env<'_>>) -> Result<Frame, Trouble> {
        let env = Env::new(&[], &[], outer);
        let mut columns = Vec::new();
        let mut fields = Vec::new();
        for list in lists {
            let kind = match kinds::of(self, list, &env) {
                Kind::IntArray => Kind::Int4,
                _ => Kind::Text,
            };
            fields.push(Field { relation: "unnest".to_owned(), name: "unnest".to_owned(), kind });
            columns.push(self.value(list, &env)?.items().unwrap_or_default());
        }
        let length = columns.iter().map(Vec::len).max().unwrap_or(0).min(ROWS_MAX);
        let row = |at: usize| {
            let row = columns.iter().map(|column| column.get(at).cloned().unwrap_or(Value::Null));
            row.chain(numbered.then(|| Value::Int(at as i64 + 1))).collect()
        };
        let rows = (0..length).map(row).collect();
        if numbered {
            fields.push(Field {
                relation: "unnest".to_owned(),
                name: "ordinality".to_owned(),
                kind: Kind::Int8,
            });
        }
        Ok(Frame { fields, rows })
    }
}

/// Gives rows the name that they have in the query, and their columns those behind it.
pub(super) fn renamed(frame: &mut Frame, alias: Option<&TableAlias>) {
    let Some(alias) = alias else { return };
    let name = name_of(&alias.name);
    let is_value = matches!(frame.fields.as_slice(), [field] if field.name == field.relation);
    for (at, field) in frame.fields.iter_mut().enumerate() {
        match alias.columns.get(at) {
            Some(column) => field.name = name_of(&column.name),
            // A function of one value is called as its table.
            None if is_value => field.name.clone_from(&name),
            None => {}
        }
        field.relation.clone_from(&name);
    }
}

/// The conditions that have to hold all together.
fn conjuncts<'e>(expr: &'e Expr, out: &mut Vec<&'e Expr>) {
    match expr {
        Expr::BinaryOp { left, op: BinaryOperator::And, right } => {
            conjuncts(left, out);
            conjuncts(right, out);
        }
        Expr::Nested(inner) => conjuncts(inner, out),
        other => out.push(other),
    }
}

/// Whether a condition is about these columns and no others.
fn names_only(expr: &Expr, fields: &[Field]) -> bool {
    let env = Env::new(fields, &[], None);
    let found = visit_expressions(expr, |inner| {
        let is_known = match inner {
            Expr::Identifier(ident) => env.named(std::slice::from_ref(ident)).is_ok(),
            Expr::CompoundIdentifier(idents) => env.named(idents).is_ok(),
            Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } | Expr::Function(_) => false,
            _ => true,
        };
        if is_known { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    });
    found.is_continue()
}
