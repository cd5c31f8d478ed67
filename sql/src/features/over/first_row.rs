//! The first row of every partition by time: `ROW_NUMBER() OVER (PARTITION BY .. ORDER BY time) = 1`.
//!
//! It is known when the watermark has reached it, and stays: the output only inserts, where any other rank is taken back
//! when a row comes that goes before.

use crate::expression::Evaluated;
use crate::lower::{Lowering, Refusal, Stream, column_ref};
use arrow::datatypes::Field;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::Operator;
use datafusion::physical_expr::PhysicalExpr;
use datafusion::physical_expr::expressions::{BinaryExpr, Column, Literal};
use millstream_operators::aggregate::{Frame, Over, OverCall};
use millstream_operators::{Expression, NodeSpec};
use std::sync::Arc;

/// The first rows of `input`, which is keyed by the partition; `rank` names the column of their number, where there is one.
pub(crate) fn first_rows(
    lowering: &mut Lowering<'_>,
    input: Stream,
    partition: &[usize],
    rank: Option<String>,
) -> Result<Stream, Refusal> {
    lowering.check_late(&input)?;
    let key = |place: &usize| {
        let field = input.rows.field(*place);
        (field.name().clone(), field.data_type().clone())
    };
    let width = input.rows.fields().len();
    let name = rank.clone().unwrap_or_else(|| "row number".to_owned());
    let operator = Over {
        input: Arc::clone(&input.rows),
        keys: partition.iter().map(key).collect(),
        frame: Frame::Rows(None),
        calls: vec![OverCall::RowNumber(name.clone())],
        late: input.late,
    };
    let rows = operator.schema();
    let id = lowering.add("first row", NodeSpec::Operator(Arc::new(operator)), &[input.node])?;
    let numbered = input.over(id, Arc::clone(&rows), Some);
    let number: Arc<dyn PhysicalExpr> = Arc::new(Column::new(&name, width));
    let one: Arc<dyn PhysicalExpr> = Arc::new(Literal::new(ScalarValue::Int64(Some(1))));
    let is_first = Arc::new(BinaryExpr::new(number, Operator::Eq, one));
    let is_first: Arc<dyn Expression> =
        Arc::new(Evaluated::new(is_first, &rows, "ROW_NUMBER() = 1".to_owned())?);
    let kept = width + usize::from(rank.is_some());
    let output = |place: usize| -> (Field, Arc<dyn Expression>) {
        (rows.field(place).clone().with_nullable(true), column_ref(&numbered, place))
    };
    let outputs = (0..kept).map(output).collect();
    let (node, rows) = lowering.add_project("is first", &numbered, Some(is_first), outputs)?;
    let stream = numbered.over(node, rows, |place| (place < kept).then_some(place));
    Ok(Stream { places: (0..kept).map(Some).collect(), ..stream })
}
