//! Filter and projection, as one operator.

use crate::OperatorError;
use crate::batch::{Batch, Ops, StreamKind, is_true};
use crate::expression::{Expression, ExpressionCx, evaluate, evaluate_predicate};
use crate::operator::{BuildCx, Cx, Description, Operator, OperatorSpec, Port};
use arrow::array::{BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute;
use arrow::datatypes::{Field, Schema, SchemaRef};
use std::sync::Arc;

/// Keeps the rows that meet a predicate and computes new columns for them. Predicate and columns are each evaluated
/// once per batch, the columns for the rows that are kept.
///
/// A row of an upsert stream that does not meet the predicate becomes a deletion of its key: an earlier row of the same
/// key may have met it. Only the key columns of such a row are still there when the new columns are computed.
#[derive(Debug, Clone)]
pub struct Project {
    predicate: Option<Arc<dyn Expression>>,
    outputs: Vec<Arc<dyn Expression>>,
    schema: SchemaRef,
    upsert_key: Option<Vec<usize>>,
}

impl Project {
    /// For an append stream or a changelog.
    pub fn new(predicate: Option<Arc<dyn Expression>>, outputs: Vec<(Field, Arc<dyn Expression>)>) -> Self {
        let (fields, outputs): (Vec<Field>, Vec<_>) = outputs.into_iter().unzip();
        Project { predicate, outputs, schema: Arc::new(Schema::new(fields)), upsert_key: None }
    }

    /// For an upsert stream whose input has its key in these columns. All columns of the output may be null.
    pub fn of_upserts(
        predicate: Option<Arc<dyn Expression>>,
        outputs: Vec<(Field, Arc<dyn Expression>)>,
        key: Vec<usize>,
    ) -> Self {
        let outputs = outputs.into_iter().map(|(field, output)| (field.with_nullable(true), output));
        Project { upsert_key: Some(key), ..Project::new(predicate, outputs.collect()) }
    }
}

impl OperatorSpec for Project {
    fn describe(&self) -> Description {
        let names = self.schema.fields().iter();
        let outputs = names.zip(&self.outputs).map(|(field, output)| match output.sql() == field.name() {
            true => field.name().clone(),
            false => format!("{} AS {}", output.sql(), field.name()),
        });
        let outputs = outputs.collect::<Vec<_>>().join(", ");
        let filter = self.predicate.as_ref().map(|predicate| format!(" where {}", predicate.sql()));
        Description::new("Project", format!("{outputs}{}", filter.unwrap_or_default()))
    }

    fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String> {
        match (inputs, &self.upsert_key) {
            ([StreamKind::Upsert], Some(_)) => Ok(StreamKind::Upsert),
            ([kind @ (StreamKind::Append | StreamKind::Changelog)], None) => Ok(*kind),
            ([kind], _) => {
                Err(format!("a projection made for another kind of stream can't take {kind} rows"))
            }
            (inputs, _) => Err(format!("a projection has one input, not {}", inputs.len())),
        }
    }

    fn build(&self, _cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(Projecting(self.clone())))
    }
}

struct Projecting(Project);

impl Operator for Projecting {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let Project { predicate, outputs, schema, upsert_key } = &self.0;
        let with = ExpressionCx { now_ms: cx.now_ms };
        let kept = match predicate {
            None => batch,
            Some(predicate) => {
                let met = evaluate_predicate(&**predicate, batch.columns()?, &with)?;
                match upsert_key {
                    None => batch.filter(&met)?,
                    Some(key) => delete_others(batch, &met, key)?,
                }
            }
        };
        if kept.is_empty() {
            return Ok(());
        }
        let rows = kept.columns()?;
        let arrays =
            outputs.iter().map(|output| evaluate(&**output, rows, &with)).collect::<Result<_, _>>()?;
        let options = RecordBatchOptions::new().with_row_count(Some(kept.len()));
        let columns = RecordBatch::try_new_with_options(Arc::clone(schema), arrays, &options)?;
        cx.emit(kept.with_columns(columns));
        Ok(())
    }
}

/// Turns the rows that have not met the predicate into deletions of their keys.
fn delete_others(batch: Batch, met: &BooleanArray, key: &[usize]) -> Result<Batch, OperatorError> {
    let deleted = |row: usize| batch.ops.get(row) == -1 || !is_true(met, row);
    let deleted: Vec<bool> = (0..batch.len()).map(deleted).collect();
    if !deleted.contains(&true) {
        return Ok(batch);
    }
    let signs: Vec<i8> = deleted.iter().map(|deleted| if *deleted { -1 } else { 1 }).collect();
    let mask = BooleanArray::from(deleted);
    let rows = batch.columns()?;
    let mut arrays = rows.columns().to_vec();
    let mut fields: Vec<Field> = rows.schema().fields().iter().map(|field| field.as_ref().clone()).collect();
    for (index, array) in arrays.iter_mut().enumerate().filter(|(index, _)| !key.contains(index)) {
        *array = compute::nullif(array, &mask)?;
        fields[index].set_nullable(true);
    }
    let options = RecordBatchOptions::new().with_row_count(Some(signs.len()));
    let rows = RecordBatch::try_new_with_options(Arc::new(Schema::new(fields)), arrays, &options)?;
    Ok(Batch { ops: Ops::from_signs(signs), ..batch.with_columns(rows) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::expression::ColumnRef;
    use crate::testing::{Function, Harness, check, fails};
    use arrow::array::{AsArray, Int64Array};
    use arrow::datatypes::{DataType, Int64Type};

    fn output(name: &str, expression: impl Expression + 'static) -> (Field, Arc<dyn Expression>) {
        (Field::new(name, expression.data_type().clone(), true), Arc::new(expression))
    }

    fn column(index: usize, name: &str, data_type: DataType) -> (Field, Arc<dyn Expression>) {
        output(name, ColumnRef::new(index, name, data_type))
    }

    /// `100 / v`, which can't be computed where `v` is 0.
    fn hundred_over(index: usize) -> Function {
        Function::new("100 / v", DataType::Int64, move |rows, _| {
            let values = rows.column(index).as_primitive::<Int64Type>();
            let quotient = |value: i64| 100i64.checked_div(value).ok_or("division by zero".to_owned());
            let quotients: Result<Int64Array, String> =
                values.iter().map(|value| value.map(quotient).transpose()).collect();
            Ok(Arc::new(quotients?))
        })
    }

    /// `v <> 0`.
    fn not_zero(index: usize) -> Arc<dyn Expression> {
        Arc::new(Function::new("v <> 0", DataType::Boolean, move |rows, _| {
            let values = rows.column(index).as_primitive::<Int64Type>();
            Ok(Arc::new(values.iter().map(|value| value.map(|value| value != 0)).collect::<BooleanArray>()))
        }))
    }

    #[test]
    fn columns_are_computed_for_the_rows_that_are_kept() {
        let outputs = vec![column(0, "k", DataType::Utf8), output("q", hundred_over(1))];
        let project = Project::new(Some(not_zero(1)), outputs);
        check(
            &project,
            "k:utf8 v:i64 | + @1 a 5  + @2 b 0  + @3 c null  + @4 d 3",
            "k:utf8 q:i64 | + @1 a 20  + @4 d 33",
        );
        check(&project, "k:utf8 v:i64 | + a 0", "");
        assert_eq!(project.describe().detail, "k, 100 / v AS q where v <> 0");
    }

    #[test]
    fn retractions_pass_as_their_rows_did() {
        let project = Project::new(Some(not_zero(0)), vec![column(0, "v", DataType::Int64)]);
        check(&project, "v:i64 | + 1  - 1  + 0  - 0  + 2", "v:i64 | + 1  - 1  + 2");
    }

    #[test]
    fn an_upsert_that_is_filtered_out_deletes_its_key() {
        let outputs = || vec![column(0, "k", DataType::Utf8), output("q", hundred_over(1))];
        let project = Project::of_upserts(Some(not_zero(1)), outputs(), vec![0]);
        check(
            &project,
            "k:utf8 v:i64 | + a 5  + a 0  + b null  - c null  + d 1",
            "k:utf8 q:i64 | + a 20  - a null  - b null  - c null  + d 100",
        );
        let all = Project::of_upserts(None, outputs(), vec![0]);
        check(&all, "k:utf8 v:i64 | + a 5  - a null", "k:utf8 q:i64 | + a 20  - a null");
    }

    #[test]
    fn a_projection_is_made_for_one_kind_of_stream() {
        let plain = Project::new(None, vec![]);
        let upserts = Project::of_upserts(None, vec![], vec![0]);
        assert_eq!(plain.output_kind(&[StreamKind::Changelog]), Ok(StreamKind::Changelog));
        assert_eq!(upserts.output_kind(&[StreamKind::Upsert]), Ok(StreamKind::Upsert));
        assert!(plain.output_kind(&[StreamKind::Upsert]).is_err());
        assert!(upserts.output_kind(&[StreamKind::Append]).is_err());
        assert!(plain.output_kind(&[]).is_err());
    }

    #[test]
    fn an_expression_that_fails_fails_the_task() {
        let project = Project::new(None, vec![output("q", hundred_over(0))]);
        assert_eq!(fails(&project, "v:i64 | + 1  + 0"), "100 / v: division by zero");
    }

    #[test]
    fn a_projection_without_columns_keeps_the_rows() {
        let project = Project::new(Some(not_zero(0)), vec![]);
        let mut harness = Harness::new(&project);
        harness.process("v:i64 | + 1  + 0  + 2").unwrap();
        assert_eq!(harness.counters().rows_out, 2);
    }

    #[test]
    fn the_clock_reading_is_that_of_the_step() {
        let now = Function::new("now()", DataType::Int64, |rows, cx| {
            Ok(Arc::new(Int64Array::from(vec![cx.now_ms; rows.num_rows()])))
        });
        let project = Project::new(None, vec![output("now", now)]);
        let mut harness = Harness::new(&project);
        harness.set_clock(7);
        harness.process("v:i64 | + 1").unwrap();
        harness.set_clock(9);
        harness.process("v:i64 | + 1").unwrap();
        assert_eq!(harness.output(), crate::testing::canonical("now:i64 | + 7  + 9"));
    }
}
