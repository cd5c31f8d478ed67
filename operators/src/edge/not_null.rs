//! Nulls kept out of columns that may not be null.

use crate::OperatorError;
use crate::batch::{Batch, StreamKind};
use crate::meaning::{Fact, Meaning, RowsMeaning};
use crate::operator::{BuildCx, Cx, Description, Lineage, Operator, OperatorSpec, Port};
use crate::project::delete_others;
use arrow::array::{Array, BooleanArray};
use arrow::datatypes::SchemaRef;

/// What becomes of a row with a null where there may be none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnNull {
    /// The task fails.
    Fail,
    /// The row is left out, and counted.
    Drop,
}

/// Passes the rows that a table may hold: none with a null in some columns.
///
/// Of an upsert stream a row that is left out deletes its key, since the row that it replaces is there no more. What
/// takes a row back passes as the row did.
#[derive(Debug, Clone)]
pub struct NotNull {
    /// The table, for people.
    pub table: String,
    /// Columns of the rows.
    pub schema: SchemaRef,
    /// The columns that may not be null.
    pub columns: Vec<usize>,
    /// Those of them that are the key of an upsert stream: of a deletion only they are there.
    pub key: Vec<usize>,
    /// What becomes of the others.
    pub on_null: OnNull,
}

impl OperatorSpec for NotNull {
    fn describe(&self) -> Description {
        let names = self.columns.iter().map(|column| self.schema.field(*column).name().as_str());
        let what = match self.on_null {
            OnNull::Fail => "fails at a null",
            OnNull::Drop => "leaves rows with a null out",
        };
        Description::new("NotNull", format!("{}: {what}", names.collect::<Vec<_>>().join(", ")))
    }

    fn lineage(&self) -> Lineage {
        Lineage::Kept
    }

    /// What becomes of a null is no part of it: with either rule no row behind it has one.
    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        let [input] = inputs else { return Meaning::described(self.describe(), inputs) };
        let facts = vec![Fact::new("without nulls in", input.columns_at(self.columns.iter().copied()))];
        Meaning::of(facts, input.columns.clone()).keyed(input.key.clone())
    }

    fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String> {
        match inputs {
            [kind] => Ok(*kind),
            inputs => Err(format!("nulls are looked for in one input, not in {}", inputs.len())),
        }
    }

    fn build(&self, _cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(Checking(self.clone())))
    }
}

struct Checking(NotNull);

impl Operator for Checking {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let NotNull { columns, key, on_null, .. } = &self.0;
        let rows = batch.columns()?;
        if columns.iter().all(|column| rows.column(*column).null_count() == 0) {
            cx.emit(batch);
            return Ok(());
        }
        let null_in = |row: usize, columns: &[usize]| {
            columns.iter().copied().find(|column| rows.column(*column).is_null(row))
        };
        // Of upserts, a deletion without its key was never written; the other nulls of one mean nothing.
        let is_upsert = !key.is_empty();
        let mut whole = Vec::with_capacity(batch.len());
        let mut keyed = Vec::with_capacity(batch.len());
        for row in 0..batch.len() {
            let inserts = batch.ops.get(row) == 1;
            let missing = if inserts || !is_upsert { null_in(row, columns) } else { null_in(row, key) };
            if let (Some(column), true) = (missing, inserts) {
                if *on_null == OnNull::Fail {
                    return Err(self.failed(column));
                }
                cx.counters.null_dropped += 1;
            }
            whole.push(missing.is_none());
            keyed.push(null_in(row, key).is_none());
        }
        let kept = match is_upsert {
            false => batch.filter(&BooleanArray::from(whole))?,
            true => {
                let batch = delete_others(batch, &BooleanArray::from(whole), key)?;
                batch.filter(&BooleanArray::from(keyed))?
            }
        };
        cx.emit(kept);
        Ok(())
    }
}

impl Checking {
    fn failed(&self, column: usize) -> OperatorError {
        let (table, column) = (self.0.table.clone(), self.0.schema.field(column).name().clone());
        OperatorError::NullWritten { table, column }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Harness, check, fails};
    use arrow::datatypes::{DataType, Field, Schema};
    use std::sync::Arc;

    fn checked(key: Vec<usize>, on_null: OnNull) -> NotNull {
        let fields = vec![Field::new("k", DataType::Utf8, true), Field::new("v", DataType::Int64, true)];
        let schema = Arc::new(Schema::new(fields));
        NotNull { table: "t".to_owned(), schema, columns: vec![0, 1], key, on_null }
    }

    #[test]
    fn a_null_in_a_column_that_may_not_be_null_fails_the_task_and_names_table_and_column() {
        let spec = checked(vec![], OnNull::Fail);
        check(&spec, "k:utf8 v:i64 | + a 1  - b 2", "k:utf8 v:i64 | + a 1  - b 2");
        let error = fails(&spec, "k:utf8 v:i64 | + a 1  + b null");
        assert!(error.contains("column v of table t is NOT NULL"), "{error}");
        assert!(error.contains("'table.exec.sink.not-null-enforcer' = 'DROP'"), "{error}");
        let error = fails(&checked(vec![0], OnNull::Fail), "k:utf8 v:i64 | + null 1");
        assert!(error.contains("column k of table t is NOT NULL"), "{error}");
    }

    #[test]
    fn dropped_rows_are_left_out_and_counted_and_so_is_what_takes_them_back() {
        let spec = checked(vec![], OnNull::Drop);
        let mut harness = Harness::new(&spec);
        harness.process("k:utf8 v:i64 | + a 1  + b null  + null 2  - b null  + c 3").unwrap();
        assert_eq!(harness.counters().null_dropped, 2);
        check(&spec, "k:utf8 v:i64 | + a 1  + b null  - b null  - c 3", "k:utf8 v:i64 | + a 1  - c 3");
    }

    #[test]
    fn an_upsert_that_is_dropped_deletes_the_row_it_would_have_replaced() {
        let spec = checked(vec![0], OnNull::Drop);
        check(
            &spec,
            "k:utf8 v:i64 | + a 1  + a null  + null 2  - null null  - b null",
            "k:utf8 v:i64 | + a 1  - a null  - b null",
        );
        check(
            &checked(vec![0], OnNull::Fail),
            "k:utf8 v:i64 | + a 1  - a null",
            "k:utf8 v:i64 | + a 1  - a null",
        );
    }
}
