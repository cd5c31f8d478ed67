//! Expressions for tests.

use crate::OperatorError;
use crate::expression::{Expression, ExpressionCx};
use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::DataType;
use std::fmt;

/// An expression that is a Rust function.
pub struct Function {
    sql: String,
    data_type: DataType,
    function: FunctionBody,
}

type FunctionBody = Box<dyn Fn(&RecordBatch, &ExpressionCx) -> Result<ArrayRef, String> + Send + Sync>;

impl Function {
    /// An expression called `sql` with values of `data_type`.
    pub fn new(
        sql: impl Into<String>,
        data_type: DataType,
        function: impl Fn(&RecordBatch, &ExpressionCx) -> Result<ArrayRef, String> + Send + Sync + 'static,
    ) -> Self {
        Function { sql: sql.into(), data_type, function: Box::new(function) }
    }
}

impl fmt::Debug for Function {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Function").field(&self.sql).finish()
    }
}

impl Expression for Function {
    fn evaluate(&self, rows: &RecordBatch, cx: &ExpressionCx) -> Result<ArrayRef, OperatorError> {
        (self.function)(rows, cx)
            .map_err(|detail| OperatorError::Expression { expression: self.sql.clone(), detail })
    }

    fn data_type(&self) -> &DataType {
        &self.data_type
    }

    fn sql(&self) -> &str {
        &self.sql
    }

    fn meaning(&self, _column: &dyn Fn(usize) -> String) -> String {
        self.sql.clone()
    }
}
