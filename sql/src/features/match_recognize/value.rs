//! Values of a match, as calls of functions in a plan.
//!
//! `LAST(A.price, 1)` is a call over the column `price` of the input, of a function that says: the row before the last of
//! `A`. So it has the type of the column, and expressions around it are typed as any others. Nobody evaluates it: when the
//! plan is lowered, it is a column of what the operator knows of a match.

use crate::query::number_aggregate;
use crate::query::relations::error_at;
use arrow::datatypes::{DataType, Field, FieldRef, TimeUnit};
use datafusion::common::{Result, plan_err};
use datafusion::functions_aggregate::count::count_udaf;
use datafusion::functions_aggregate::min_max::{max_udaf, min_udaf};
use datafusion::logical_expr::expr::ScalarFunction;
use datafusion::logical_expr::{
    AggregateUDF, ColumnarValue, Expr, ReturnFieldArgs, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl,
    Signature, Volatility,
};
use datafusion::sql::sqlparser::ast::{
    Expr as SqlExpr, Function, Ident, ObjectName, ObjectNamePart, TableFactor, VisitMut, VisitorMut,
};
use millstream_operators::match_recognize::{End, Rows};
use std::any::Any;
use std::hash::{Hash, Hasher};
use std::ops::ControlFlow;
use std::sync::Arc;

/// What a call stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Value {
    /// Its argument, in one row of a match.
    Row { of: Rows, from: End, offset: u32 },
    /// An aggregate of its argument over rows of a match: `sum`, `avg`, `count`, `min` or `max`.
    Aggregate { of: Rows, name: &'static str },
    /// When the match is known: of the type of its argument, which is the time attribute, or a TIMESTAMP(3).
    Time { plain: bool },
}

/// The aggregates that there are.
pub(super) const AGGREGATES: [&str; 5] = ["sum", "avg", "count", "min", "max"];

/// The aggregate of a name.
pub(super) fn aggregate(name: &str) -> Option<Arc<AggregateUDF>> {
    match name {
        "count" => Some(count_udaf()),
        "min" => Some(min_udaf()),
        "max" => Some(max_udaf()),
        name => number_aggregate(name),
    }
}

impl Value {
    /// The call over an expression of the input; `sql` is how it is written.
    pub(super) fn call(self, argument: Expr, sql: String) -> Expr {
        let signature = Signature::any(1, Volatility::Immutable);
        let function = ScalarUDF::from(ValueOfMatch { value: self, sql, signature });
        Expr::ScalarFunction(ScalarFunction::new_udf(Arc::new(function), vec![argument]))
    }

    fn data_type(&self, argument: &DataType) -> Result<DataType> {
        match self {
            Value::Row { .. } | Value::Time { plain: false } => Ok(argument.clone()),
            Value::Time { plain: true } => Ok(DataType::Timestamp(TimeUnit::Millisecond, None)),
            Value::Aggregate { name: "count", .. } => Ok(DataType::Int64),
            Value::Aggregate { name: "min" | "max", .. } if argument.is_nested() => {
                plan_err!("MIN and MAX take values that have an order, not {argument}")
            }
            Value::Aggregate { name: "min" | "max", .. } => Ok(argument.clone()),
            Value::Aggregate { name, .. } => match aggregate(name) {
                Some(aggregate) => aggregate.return_type(std::slice::from_ref(argument)),
                None => plan_err!("there is no aggregate {name}"),
            },
        }
    }
}

/// What a call stands for, its argument, and how it is written.
pub(super) fn value_of(expr: &Expr) -> Option<(&Value, &Expr, &str)> {
    let Expr::ScalarFunction(call) = expr else { return None };
    let inner: &dyn Any = call.func.inner().as_ref();
    let function = inner.downcast_ref::<ValueOfMatch>()?;
    Some((&function.value, call.args.first()?, &function.sql))
}

/// Whether a function stands for a value of a match.
pub(crate) fn is_value(function: &ScalarUDF) -> bool {
    let inner: &dyn Any = function.inner().as_ref();
    inner.is::<ValueOfMatch>()
}

#[derive(Debug)]
struct ValueOfMatch {
    value: Value,
    sql: String,
    signature: Signature,
}

impl PartialEq for ValueOfMatch {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value && self.sql == other.sql
    }
}

impl Eq for ValueOfMatch {}

impl Hash for ValueOfMatch {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.sql.hash(state);
    }
}

impl ScalarUDFImpl for ValueOfMatch {
    fn name(&self) -> &str {
        &self.sql
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        match arg_types {
            [argument] => self.value.data_type(argument),
            _ => plan_err!("{} has one argument", self.sql),
        }
    }

    fn return_field_from_args(&self, args: ReturnFieldArgs<'_>) -> Result<FieldRef> {
        let [argument] = args.arg_fields else { return plan_err!("{} has one argument", self.sql) };
        let data_type = self.value.data_type(argument.data_type())?;
        let field = Field::new(&self.sql, data_type, true);
        // What a type says beyond Arrow's goes with it.
        let same = field.data_type() == argument.data_type();
        Ok(Arc::new(if same { field.with_metadata(argument.metadata().clone()) } else { field }))
    }

    fn invoke_with_args(&self, _args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        plan_err!("{} is a value of a match, and there is no match", self.sql)
    }
}

/// Names of functions that only `MATCH_RECOGNIZE` has, and what they are called in between: no text can call them so.
const NAMES: [(&str, &str); 4] = [
    ("FIRST", "MATCH FIRST"),
    ("LAST", "MATCH LAST"),
    ("MATCH_ROWTIME", "MATCH ROWTIME"),
    ("MATCH_PROCTIME", "MATCH PROCTIME"),
];

/// What there is not, in Flink either.
const REFUSED: [(&str, &str); 4] = [
    ("PREV", "LAST(v.x, 1) is the row before the last of the variable v, LAST(x, 1) that of the match"),
    ("NEXT", "put a variable behind it, and read the row of that"),
    ("CLASSIFIER", "COUNT(v.x) and LAST(v.x) say whether there are rows of a variable v"),
    ("MATCH_NUMBER", "number the matches with ROW_NUMBER() around the query"),
];

/// Gives the functions of `MATCH_RECOGNIZE` names of their own, where they may stand.
pub(crate) fn named(table: &mut TableFactor) -> Result<()> {
    let TableFactor::MatchRecognize { measures, symbols, .. } = table else { return Ok(()) };
    let measures = measures.iter_mut().map(|measure| &mut measure.expr);
    let definitions = symbols.iter_mut().map(|symbol| &mut symbol.definition);
    for expr in measures.chain(definitions) {
        if let ControlFlow::Break(error) = expr.visit(&mut Naming) {
            return Err(error);
        }
    }
    Ok(())
}

struct Naming;

impl VisitorMut for Naming {
    type Break = datafusion::common::DataFusionError;

    fn pre_visit_expr(&mut self, expr: &mut SqlExpr) -> ControlFlow<Self::Break> {
        let SqlExpr::Function(Function { name, .. }) = expr else { return ControlFlow::Continue(()) };
        let written = name.to_string().to_uppercase();
        if let Some((_, help)) = REFUSED.iter().find(|(refused, _)| *refused == written) {
            let message = format!("{written} is not supported in MATCH_RECOGNIZE, as in Flink");
            return ControlFlow::Break(error_at(message, name, *help));
        }
        if let Some((_, own)) = NAMES.iter().find(|(known, _)| *known == written)
            && let Some(ObjectNamePart::Identifier(ident)) = name.0.last()
        {
            let ident = Ident { value: (*own).to_owned(), ..ident.clone() };
            *name = ObjectName(vec![ObjectNamePart::Identifier(ident)]);
        }
        ControlFlow::Continue(())
    }
}
