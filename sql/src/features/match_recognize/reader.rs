//! Expressions of `MEASURES` and `DEFINE`, planned.
//!
//! What they read of a match is taken out first, column by column: each becomes a name that stands for a call over the input
//! ([`super::value`]). `LAST(A.x * A.y, 1)` is the product of two columns of one row.

use super::value::{AGGREGATES, Value};
use crate::functions::aggregates;
use crate::query::relations::error_at;
use arrow::datatypes::{DataType, Field};
use datafusion::common::tree_node::{Transformed, TreeNode};
use datafusion::common::{DFSchema, DataFusionError, Result, plan_err};
use datafusion::logical_expr::planner::RelationPlannerContext;
use datafusion::logical_expr::{Expr, ExprSchemable};
use datafusion::sql::sqlparser::ast::{
    DuplicateTreatment, Expr as SqlExpr, Function, FunctionArg, FunctionArgExpr, FunctionArgumentList,
    FunctionArguments, Ident, ObjectName, ObjectNamePart, Value as SqlValue, ValueWithSpan, VisitMut,
    VisitorMut,
};
use millstream_operators::match_recognize::{End, Rows};
use std::ops::ControlFlow;
use std::sync::Arc;

/// What the columns of values are called while expressions over them are planned, with a number.
const VALUE: &str = "value of match ";

/// The name of a value.
pub(super) fn value_name(number: usize) -> String {
    format!("{VALUE}{number}")
}

/// Reads expressions over the rows of a match.
pub(super) struct Reader<'a, 'c> {
    context: &'c mut dyn RelationPlannerContext,
    input: &'a DFSchema,
    /// The variables.
    names: &'a [String],
    /// What rows are ordered by first.
    time: Option<Expr>,
    /// What the expressions read.
    values: Vec<Expr>,
    /// The call of FIRST or LAST that is being read.
    scope: Option<Scope>,
}

/// Within `FIRST(..)` or `LAST(..)`.
struct Scope {
    from: End,
    offset: u32,
    /// Of which rows columns have been read.
    of: Option<Rows>,
}

impl<'a, 'c> Reader<'a, 'c> {
    pub(super) fn new(
        context: &'c mut dyn RelationPlannerContext,
        input: &'a DFSchema,
        names: &'a [String],
        time: Option<Expr>,
    ) -> Self {
        Reader { context, input, names, time, values: Vec::new(), scope: None }
    }

    /// Whether it is an aggregate of the program.
    fn is_of_program(&self, name: &str) -> bool {
        self.context.context_provider().get_aggregate_meta(name).is_some()
    }

    /// What has been read since the last condition.
    pub(super) fn values(self) -> Vec<Expr> {
        self.values
    }

    /// An expression over columns of values.
    pub(super) fn planned(&mut self, mut written: SqlExpr) -> Result<Expr> {
        if let ControlFlow::Break(error) = written.visit(self) {
            return Err(error);
        }
        let field = |(number, value): (usize, &Expr)| -> Result<_> {
            let data_type: DataType = value.get_type(self.input)?;
            Ok((None, Arc::new(Field::new(value_name(number), data_type, true))))
        };
        let fields = self.values.iter().enumerate().map(field).collect::<Result<Vec<_>>>()?;
        let schema = DFSchema::new_with_metadata(fields, Default::default())?;
        self.context.sql_to_expr(written, &schema)
    }

    /// A condition over the columns of the input, before anything else is read.
    pub(super) fn condition(&mut self, written: SqlExpr, variable: &str) -> Result<Expr> {
        let planned = self.planned(written.clone())?;
        let read = planned.transform_up(|expr| match &expr {
            Expr::Column(column) => match self.value_at(&column.name) {
                Some(value) => Ok(Transformed::yes(value.clone())),
                None => Ok(Transformed::no(expr)),
            },
            _ => Ok(Transformed::no(expr)),
        })?;
        self.values.clear();
        match read.data.get_type(self.input) {
            Ok(DataType::Boolean | DataType::Null) | Err(_) => Ok(read.data),
            Ok(_) => {
                let help = format!("write a condition, as DEFINE {variable} AS {variable}.x > 1");
                Err(error_at(
                    format!("{variable} is defined as what is neither true nor false"),
                    &written,
                    help,
                ))
            }
        }
    }

    fn value_at(&self, name: &str) -> Option<&Expr> {
        self.values.get(name.strip_prefix(VALUE)?.parse::<usize>().ok()?)
    }

    /// Notes that a value is read; the column that it is.
    fn read(&mut self, value: Expr) -> SqlExpr {
        let number = self.values.iter().position(|other| *other == value).unwrap_or_else(|| {
            self.values.push(value);
            self.values.len() - 1
        });
        SqlExpr::Identifier(Ident::with_quote('`', value_name(number)))
    }

    /// Rows that a name with parts is of, and the parts that name the column.
    fn rows_of(&self, parts: &[Ident]) -> Result<(Rows, Vec<Ident>)> {
        rows_of(parts, self.names, self.input)
    }

    /// A column of a row of the match.
    fn column(&mut self, parts: &[Ident], written: &SqlExpr) -> Result<SqlExpr> {
        let (of, column) = self.rows_of(parts)?;
        let (from, offset) = match &mut self.scope {
            None => (End::Last, 0),
            Some(scope) => {
                if scope.of.is_some_and(|other| other != of) {
                    let help = "of FIRST and LAST one row is read: call it for each variable";
                    return Err(error_at(
                        format!("{written} is of other rows than what stands before it"),
                        written,
                        help,
                    ));
                }
                scope.of = Some(of);
                (scope.from, scope.offset)
            }
        };
        let argument = self.context.sql_to_expr(identifier(&column), self.input)?;
        let name = shown(parts);
        let sql = match (from, offset) {
            (End::Last, 0) if self.scope.is_none() => name,
            (End::Last, 0) => format!("LAST({name})"),
            (End::Last, offset) => format!("LAST({name}, {offset})"),
            (End::First, 0) => format!("FIRST({name})"),
            (End::First, offset) => format!("FIRST({name}, {offset})"),
        };
        Ok(self.read(Value::Row { of, from, offset }.call(argument, sql)))
    }

    /// `FIRST(..)` and `LAST(..)`: their argument, with columns of the row that they name.
    fn navigation(&mut self, function: &Function, from: End) -> Result<SqlExpr> {
        let name = if from == End::First { "FIRST" } else { "LAST" };
        let help = format!("write {name}(v.x) or {name}(v.x, 1), with a column of a variable");
        let wrong = |message: String| error_at(message, &function.name, &help);
        if self.scope.is_some() {
            return Err(wrong(format!("{name} stands inside of FIRST or LAST")));
        }
        let arguments =
            arguments(function).ok_or_else(|| wrong(format!("{name} is called with other arguments")))?;
        let (argument, offset) = match arguments.as_slice() {
            [argument] => (argument, Some(0)),
            [argument, offset] => (argument, whole(offset)),
            _ => {
                return Err(wrong(format!(
                    "{name} takes a column and how far from there, not {} arguments",
                    arguments.len()
                )));
            }
        };
        let offset =
            offset.ok_or_else(|| wrong(format!("{name} takes a number from 0 on as how far from there")))?;
        self.scope = Some(Scope { from, offset, of: None });
        let mut argument = argument.clone();
        let visited = argument.visit(self);
        let scope = self.scope.take();
        if let ControlFlow::Break(error) = visited {
            return Err(error);
        }
        match scope.and_then(|scope| scope.of) {
            Some(_) => Ok(SqlExpr::Nested(Box::new(argument))),
            None => Err(wrong(format!("{name} is of no column"))),
        }
    }

    /// An aggregate over rows of the match.
    fn aggregate(&mut self, function: &Function, name: &'static str) -> Result<SqlExpr> {
        let upper = name.to_uppercase();
        let wrong = |message: String, help: &str| error_at(message, &function.name, help);
        if self.scope.is_some() {
            let help = "write them beside each other";
            return Err(wrong(format!("{upper} stands inside of FIRST or LAST"), help));
        }
        let is_plain = matches!(&function.args, FunctionArguments::List(FunctionArgumentList {
            duplicate_treatment: None | Some(DuplicateTreatment::All), clauses, ..
        }) if clauses.is_empty());
        if !is_plain || function.filter.is_some() || function.over.is_some() {
            let message = format!(
                "{upper} with DISTINCT, FILTER or OVER is not supported in MATCH_RECOGNIZE, as in Flink"
            );
            return Err(wrong(
                message,
                "aggregate all rows of a variable; what FILTER says can be said with CASE",
            ));
        }
        if let (true, Some(time)) = (is_count_of_rows(function), self.time.clone()) {
            // Every row has a time.
            let (of, sql) = (Rows::All, "COUNT(*)".to_owned());
            return Ok(self.read(Value::Aggregate { of, name: "count" }.call(time, sql)));
        }
        let help =
            format!("write {upper}(v.x), of a column of a variable, or {upper}(x), of all rows of the match");
        let arguments = arguments(function).unwrap_or_default();
        let [argument] = arguments.as_slice() else {
            let message =
                format!("{upper} in MATCH_RECOGNIZE takes one expression with a column, as in Flink");
            return Err(wrong(message, &help));
        };
        let mut written = argument.clone();
        let mut columns = OneRow { names: self.names, input: self.input, of: None };
        if let ControlFlow::Break(error) = written.visit(&mut columns) {
            return Err(error);
        }
        let Some(of) = columns.of else { return Err(wrong(format!("{upper} is of no column"), &help)) };
        let planned = self.context.sql_to_expr(written, self.input)?;
        let sql = format!("{upper}({argument})").replace('`', "");
        Ok(self.read(Value::Aggregate { of, name }.call(planned, sql)))
    }

    /// `MATCH_ROWTIME()` and `MATCH_ROWTIME(time)`.
    fn time(&mut self, function: &Function) -> Result<SqlExpr> {
        let help = "write MATCH_ROWTIME(), or name what the rows are ordered by";
        let wrong = || error_at("MATCH_ROWTIME takes nothing, or the time attribute", &function.name, help);
        let Some(time) = self.time.clone() else { return Err(wrong()) };
        let arguments = arguments(function).ok_or_else(wrong)?;
        let (plain, sql) = match arguments.as_slice() {
            [] => (true, "MATCH_ROWTIME()"),
            [argument @ (SqlExpr::Identifier(_) | SqlExpr::CompoundIdentifier(_))] => {
                let parts = match argument {
                    SqlExpr::CompoundIdentifier(parts) => self.rows_of(parts)?.1,
                    SqlExpr::Identifier(part) => vec![part.clone()],
                    _ => Vec::new(),
                };
                let named = self.context.sql_to_expr(identifier(&parts), self.input)?;
                if named != time {
                    return Err(wrong());
                }
                (false, "MATCH_ROWTIME(time)")
            }
            _ => return Err(wrong()),
        };
        Ok(self.read(Value::Time { plain }.call(time, sql.to_owned())))
    }

    /// What stands in the place of an expression, where it is one of `MATCH_RECOGNIZE`.
    fn replaced(&mut self, expr: &SqlExpr) -> Result<Option<SqlExpr>> {
        match expr {
            SqlExpr::Identifier(name) if self.value_at(&name.value).is_some() => Ok(None),
            SqlExpr::Identifier(name) => self.column(std::slice::from_ref(name), expr).map(Some),
            SqlExpr::CompoundIdentifier(parts) => self.column(parts, expr).map(Some),
            SqlExpr::Function(function) => self.replaced_function(function),
            _ => Ok(None),
        }
    }

    fn replaced_function(&mut self, function: &Function) -> Result<Option<SqlExpr>> {
        let name = function.name.to_string();
        let replaced = match name.as_str() {
            "MATCH FIRST" => self.navigation(function, End::First),
            "MATCH LAST" => self.navigation(function, End::Last),
            "MATCH ROWTIME" => self.time(function),
            "MATCH PROCTIME" => {
                let clock = ObjectName(vec![ObjectNamePart::Identifier(Ident::new("PROCTIME"))]);
                return Ok(Some(SqlExpr::Function(Function { name: clock, ..function.clone() })));
            }
            _ => match AGGREGATES.into_iter().find(|known| known.eq_ignore_ascii_case(&name)) {
                Some(aggregate) => self.aggregate(function, aggregate),
                None if is_aggregate(&name) || self.is_of_program(&name) => {
                    let name = name.to_uppercase();
                    let help = "there are SUM, AVG, COUNT, MIN and MAX, and FIRST and LAST";
                    let message = format!("{name} is not supported in MATCH_RECOGNIZE yet");
                    return Err(error_at(message, &function.name, help));
                }
                None => return Ok(None),
            },
        };
        replaced.map(Some)
    }
}

impl VisitorMut for Reader<'_, '_> {
    type Break = DataFusionError;

    fn pre_visit_expr(&mut self, expr: &mut SqlExpr) -> ControlFlow<DataFusionError> {
        match self.replaced(expr) {
            Ok(Some(replaced)) => *expr = replaced,
            Ok(None) => {}
            Err(error) => return ControlFlow::Break(error),
        }
        ControlFlow::Continue(())
    }
}

/// The argument of an aggregate, whose columns are all of the same rows: they lose their variable.
struct OneRow<'a> {
    names: &'a [String],
    input: &'a DFSchema,
    of: Option<Rows>,
}

impl VisitorMut for OneRow<'_> {
    type Break = DataFusionError;

    fn pre_visit_expr(&mut self, expr: &mut SqlExpr) -> ControlFlow<DataFusionError> {
        let of = match expr {
            SqlExpr::Identifier(_) => Rows::All,
            SqlExpr::CompoundIdentifier(parts) => match rows_of(parts, self.names, self.input) {
                Ok((of, column)) => {
                    *expr = identifier(&column);
                    of
                }
                Err(error) => return ControlFlow::Break(error),
            },
            SqlExpr::Function(Function { name, .. }) => {
                let written = name.to_string();
                let message = match written.strip_prefix("MATCH ") {
                    Some(own) => format!("{own} stands inside of an aggregate"),
                    None if is_aggregate(&written) => format!("{written} stands inside of an aggregate"),
                    None => return ControlFlow::Continue(()),
                };
                return ControlFlow::Break(error_at(message, name, "write them beside each other"));
            }
            _ => return ControlFlow::Continue(()),
        };
        if self.of.is_some_and(|other| other != of) {
            let message = format!("{expr} is of other rows than what stands before it");
            let help = "an aggregate is over the rows of one variable, or over all: write one for each";
            return ControlFlow::Break(error_at(message, &*expr, help));
        }
        self.of = Some(of);
        ControlFlow::Continue(())
    }
}

/// Rows that a name with parts is of, and the parts that name the column.
fn rows_of(parts: &[Ident], names: &[String], input: &DFSchema) -> Result<(Rows, Vec<Ident>)> {
    let [first, rest @ ..] = parts else { return plan_err!("a column without a name") };
    if rest.is_empty() {
        return Ok((Rows::All, parts.to_vec()));
    }
    match names.iter().position(|name| *name == first.value) {
        Some(variable) => Ok((Rows::Of(variable), rest.to_vec())),
        // A field of a row.
        None if input.has_column_with_unqualified_name(&first.value) => Ok((Rows::All, parts.to_vec())),
        None => {
            let at = SqlExpr::Identifier(first.clone());
            let help =
                "name a variable of PATTERN in front of the column, or nothing for all rows of the match";
            Err(error_at(format!("{first} is no variable of the pattern"), &at, help))
        }
    }
}

fn is_aggregate(name: &str) -> bool {
    let upper = name.to_uppercase();
    let numbers = ["STDDEV", "STDDEV_POP", "STDDEV_SAMP", "VAR_POP", "VAR_SAMP", "VARIANCE"];
    AGGREGATES.iter().any(|known| known.eq_ignore_ascii_case(name))
        || numbers.contains(&upper.as_str())
        || aggregates::table().any(|aggregate| aggregate.names.contains(&upper.as_str()))
}

fn identifier(parts: &[Ident]) -> SqlExpr {
    match parts {
        [part] => SqlExpr::Identifier(part.clone()),
        parts => SqlExpr::CompoundIdentifier(parts.to_vec()),
    }
}

fn shown(parts: &[Ident]) -> String {
    parts.iter().map(|part| part.value.as_str()).collect::<Vec<_>>().join(".")
}

/// The arguments of a call, where they are expressions.
fn arguments(function: &Function) -> Option<Vec<SqlExpr>> {
    let FunctionArguments::List(list) = &function.args else { return None };
    let argument = |argument: &FunctionArg| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(argument)) => Some(argument.clone()),
        _ => None,
    };
    list.args.iter().map(argument).collect()
}

/// `COUNT(*)`.
fn is_count_of_rows(function: &Function) -> bool {
    let FunctionArguments::List(list) = &function.args else { return false };
    let is_all = matches!(list.args.as_slice(), [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)]);
    is_all && function.name.to_string().eq_ignore_ascii_case("count")
}

fn whole(expr: &SqlExpr) -> Option<u32> {
    match expr {
        SqlExpr::Value(ValueWithSpan { value: SqlValue::Number(number, _), .. }) => {
            number.to_string().parse().ok()
        }
        _ => None,
    }
}
