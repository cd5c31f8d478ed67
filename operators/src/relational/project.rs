//! Filter and projection, as one operator.

use crate::OperatorError;
use crate::batch::{Batch, Ops, StreamKind, is_true};
use crate::expression::{Expression, ExpressionCx, Failure, evaluate_or_blame, evaluate_predicate_or_blame};
use crate::meaning::{Columns, Fact, Meaning, RowsMeaning};
use crate::operator::{BuildCx, Cx, Description, Lineage, Operator, OperatorSpec, Port};
use crate::source::Policy;
use arrow::array::{BooleanArray, RecordBatch, RecordBatchOptions};
use arrow::compute;
use arrow::datatypes::{Field, Schema, SchemaRef};
use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Keeps the rows that meet a predicate and computes new columns for them. Predicate and columns are each evaluated
/// once per batch, the columns for the rows that are kept.
///
/// A row for which one of them can't be computed meets its table's policy for bad records, and is left out: see
/// [`Cx::on_bad`].
///
/// A row of an upsert stream that does not meet the predicate becomes a deletion of its key: an earlier row of the same
/// key may have met it. Only the key columns of such a row are still there when the new columns are computed.
#[derive(Debug, Clone)]
pub struct Project {
    predicate: Option<Arc<dyn Expression>>,
    outputs: Vec<Arc<dyn Expression>>,
    schema: SchemaRef,
    upsert_key: Option<Vec<usize>>,
    bad: Policy,
}

impl Project {
    /// For an append stream or a changelog.
    pub fn new(predicate: Option<Arc<dyn Expression>>, outputs: Vec<(Field, Arc<dyn Expression>)>) -> Self {
        let (fields, outputs): (Vec<Field>, Vec<_>) = outputs.into_iter().unzip();
        Project {
            predicate,
            outputs,
            schema: Arc::new(Schema::new(fields)),
            upsert_key: None,
            bad: Policy::Fail,
        }
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

    /// The same with what happens to a row that can't be computed and is no longer one record: it fails the task unless
    /// all tables that it may come from skip bad records.
    #[must_use]
    pub fn on_bad(self, bad: Policy) -> Self {
        Project { bad, ..self }
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

    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        let [input] = inputs else { return Meaning::described(self.describe(), inputs) };
        let column = |index| input.column(index);
        let facts = self.predicate.iter().map(|predicate| Fact::new("where", predicate.meaning(&column)));
        let columns = self.outputs.iter().map(|output| output.meaning(&column));
        Meaning::of(facts.collect(), Columns::Known(columns.collect()))
    }

    fn lineage(&self) -> Lineage {
        Lineage::Kept
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
        let with = ExpressionCx { now_ms: cx.now_ms };
        let mut failures = Failures::new();
        let (rows, from) = self.kept(&batch, &with, &mut failures)?;
        let mut failures_behind = Failures::new();
        let mut out = self.computed(&rows, &with, &mut failures_behind)?;
        if !failures_behind.is_empty() {
            let is_good = |row: usize| !failures_behind.contains_key(&row);
            out = out.filter(&(0..rows.len()).map(is_good).collect::<Vec<_>>().into())?;
            let from = from.rows(batch.len());
            failures.extend(failures_behind.into_iter().map(|(row, failure)| (from[row], failure)));
        }
        for (row, failure) in failures {
            cx.on_bad(self.0.bad, &batch, row, failure)?;
        }
        cx.emit(out);
        Ok(())
    }
}

/// Rows that something could not be computed for, and what: the first that failed.
type Failures = BTreeMap<usize, Failure>;

/// Where the rows that are kept stand in the batch.
enum Places {
    All,
    Met(BooleanArray),
    Rows(Vec<usize>),
}

impl Places {
    fn rows(self, count: usize) -> Vec<usize> {
        match self {
            Places::All => (0..count).collect(),
            Places::Met(met) => (0..count).filter(|row| is_true(&met, *row)).collect(),
            Places::Rows(rows) => rows,
        }
    }
}

impl Projecting {
    /// Notes that a row can't be computed. A deletion of an upsert stream needs no more than its key.
    fn blame(&self, rows: &Batch, row: usize, failure: Failure, failures: &mut Failures) {
        if self.0.upsert_key.is_none() || rows.ops.get(row) == 1 {
            failures.entry(row).or_insert(failure);
        }
    }

    /// The rows that meet the predicate; of an upsert stream deletions for the others.
    fn kept<'b>(
        &self,
        batch: &'b Batch,
        with: &ExpressionCx,
        failures: &mut Failures,
    ) -> Result<(Cow<'b, Batch>, Places), OperatorError> {
        let Some(predicate) = &self.0.predicate else { return Ok((Cow::Borrowed(batch), Places::All)) };
        let mut blame = |row, failure| self.blame(batch, row, failure, failures);
        let met = evaluate_predicate_or_blame(&**predicate, batch.columns()?, with, &mut blame)?;
        let Some(key) = &self.0.upsert_key else {
            return Ok((Cow::Owned(batch.filter(&met)?), Places::Met(met)));
        };
        if failures.is_empty() {
            return Ok((Cow::Owned(delete_others(batch.clone(), &met, key)?), Places::All));
        }
        let good: Vec<usize> = (0..batch.len()).filter(|row| !failures.contains_key(row)).collect();
        let met: BooleanArray = good.iter().map(|row| Some(is_true(&met, *row))).collect();
        let rows = batch.take(&good.iter().map(|row| *row as u32).collect::<Vec<_>>())?;
        Ok((Cow::Owned(delete_others(rows, &met, key)?), Places::Rows(good)))
    }

    /// The rows with the columns of the output. What can't be computed is null.
    fn computed(
        &self,
        rows: &Batch,
        with: &ExpressionCx,
        failures: &mut Failures,
    ) -> Result<Batch, OperatorError> {
        if rows.is_empty() {
            return Ok(rows.clone());
        }
        let columns = rows.columns()?;
        let mut arrays = Vec::with_capacity(self.0.outputs.len());
        for output in &self.0.outputs {
            let mut blame = |row, failure| self.blame(rows, row, failure, failures);
            arrays.push(evaluate_or_blame(&**output, columns, with, &mut blame)?);
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        let columns = RecordBatch::try_new_with_options(Arc::clone(&self.0.schema), arrays, &options)?;
        Ok(rows.with_columns(columns))
    }
}

/// Turns the rows that have not met the predicate into deletions of their keys.
pub(crate) fn delete_others(batch: Batch, met: &BooleanArray, key: &[usize]) -> Result<Batch, OperatorError> {
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
    fn an_expression_that_fails_fails_the_task_and_the_row_is_named() {
        let project = Project::new(None, vec![output("q", hundred_over(0))]);
        let error = fails(&project, "v:i64 | + 1  + 0");
        assert!(error.starts_with("100 / v: division by zero; the row is (v = 0); "), "{error}");
        assert!(error.contains("'scan.bad-records' = 'skip'"), "{error}");
        let error = fails(&project.on_bad(Policy::DeadLetter), "v:i64 | + 1  + 0");
        assert!(error.contains("no record is this row's"), "{error}");
    }

    #[test]
    fn a_row_that_can_not_be_computed_is_left_out_and_counted_once() {
        let outputs = vec![column(0, "k", DataType::Utf8), output("q", hundred_over(1))];
        let project = Project::new(None, outputs).on_bad(Policy::Skip);
        check(
            &project,
            "k:utf8 v:i64 | + @1 a 5  + @2 b 0  + @3 c null",
            "k:utf8 q:i64 | + @1 a 20  + @3 c null",
        );
        check(&project, "k:utf8 v:i64 | + a 0", "");
        let mut harness = Harness::new(&project);
        // A row that had no effect has none when it is taken back.
        harness.process("k:utf8 v:i64 | + a 0  - a 0  + b 0  + c 1").unwrap();
        assert_eq!((harness.counters().bad, harness.counters().rows_out), (2, 1));
    }

    #[test]
    fn a_predicate_that_can_not_be_computed_leaves_its_row_out() {
        let filter: Arc<dyn Expression> =
            Arc::new(Function::new("100 / v > 30", DataType::Boolean, |rows, cx| {
                let quotient = hundred_over(0).evaluate(rows, cx).map_err(|error| error.to_string())?;
                let quotient = quotient.as_primitive::<Int64Type>();
                Ok(Arc::new(
                    quotient.iter().map(|value| value.map(|value| value > 30)).collect::<BooleanArray>(),
                ))
            }));
        let outputs = || vec![output("q", hundred_over(1)), column(0, "v", DataType::Int64)];
        let project = Project::new(Some(Arc::clone(&filter)), outputs()).on_bad(Policy::Skip);
        // Left out by the predicate, by the column, by neither, and not met.
        let rows = "v:i64 w:i64 | + @1 0 1  + @2 2 0  + @3 3 4  + @4 50 0  + @5 1 2";
        check(&project, rows, "q:i64 v:i64 | + @3 25 3  + @5 50 1");
        let mut harness = Harness::new(&project);
        harness.process(rows).unwrap();
        assert_eq!(harness.counters().bad, 2);
    }

    #[test]
    fn an_upsert_that_can_not_be_computed_is_as_if_it_had_not_come() {
        let outputs = || vec![column(0, "k", DataType::Utf8), output("q", hundred_over(1))];
        let all = Project::of_upserts(None, outputs(), vec![0]).on_bad(Policy::Skip);
        let rows = "k:utf8 v:i64 | + a 5  + a 0  - b 0  + c 2";
        check(&all, rows, "k:utf8 q:i64 | + a 20  - b null  + c 50");
        let filter = Arc::new(Function::new("100 / v < 30", DataType::Boolean, |rows, cx| {
            let quotient = hundred_over(1).evaluate(rows, cx).map_err(|error| error.to_string())?;
            let quotient = quotient.as_primitive::<Int64Type>();
            Ok(Arc::new(quotient.iter().map(|value| value.map(|value| value < 30)).collect::<BooleanArray>()))
        }));
        let some = Project::of_upserts(Some(filter), outputs(), vec![0]).on_bad(Policy::Skip);
        check(&some, rows, "k:utf8 q:i64 | + a 20  - b null  - c null");
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
