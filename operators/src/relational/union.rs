//! Several streams as one.

use crate::OperatorError;
use crate::batch::{Batch, StreamKind};
use crate::meaning::{Columns, Fact, Meaning, RowsMeaning};
use crate::operator::{BuildCx, Cx, Description, Lineage, Operator, OperatorSpec, Port};
use arrow::array::{RecordBatch, RecordBatchOptions};
use arrow::datatypes::SchemaRef;
use std::sync::Arc;

/// `UNION ALL`: passes what comes in at any of its ports, as it is.
///
/// Input: streams with columns of the same types, insertions or changelogs. A stream of upserts can't be one of them: the
/// same key of two inputs is two rows. Output: insertions when all inputs are, a changelog otherwise.
#[derive(Debug, Clone)]
pub struct Union {
    /// Columns of the output, which may all be null.
    pub schema: SchemaRef,
    /// How many inputs there are.
    pub inputs: usize,
}

impl OperatorSpec for Union {
    fn describe(&self) -> Description {
        let names = self.schema.fields().iter().map(|field| field.name().as_str());
        Description::new("Union", format!("all of {}: {}", self.inputs, names.collect::<Vec<_>>().join(", ")))
    }

    fn lineage(&self) -> Lineage {
        Lineage::Kept
    }

    /// A column is that of each input at its place.
    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        let column = |index| {
            let of_inputs: Vec<String> = inputs.iter().map(|input| input.column(index)).collect();
            format!("({})", of_inputs.join(" | "))
        };
        let columns: Vec<String> = (0..self.schema.fields().len()).map(column).collect();
        Meaning::of(vec![Fact::new("unites", columns.join(", "))], Columns::Known(columns))
    }

    fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String> {
        if inputs.len() != self.inputs {
            return Err(format!("a union of {} streams has {} inputs", self.inputs, inputs.len()));
        }
        if inputs.contains(&StreamKind::Upsert) {
            return Err("a stream of upserts has to be normalized before it is united with others".to_owned());
        }
        match inputs.contains(&StreamKind::Changelog) {
            true => Ok(StreamKind::Changelog),
            false => Ok(StreamKind::Append),
        }
    }

    fn brings_together(&self) -> bool {
        false
    }

    fn build(&self, _cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(Uniting(Arc::clone(&self.schema))))
    }
}

struct Uniting(SchemaRef);

impl Operator for Uniting {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let options = RecordBatchOptions::new().with_row_count(Some(batch.len()));
        let columns = batch.columns()?.columns().to_vec();
        let rows = RecordBatch::try_new_with_options(Arc::clone(&self.0), columns, &options)?;
        cx.emit(batch.with_columns(rows));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{Harness, batch, canonical};
    use arrow::datatypes::{DataType, Field, Schema};

    fn union() -> Union {
        let schema = Arc::new(Schema::new(vec![Field::new("k", DataType::Utf8, true)]));
        Union { schema, inputs: 2 }
    }

    #[test]
    fn rows_of_all_inputs_pass_under_the_names_of_the_first() {
        let union = union();
        let mut harness = Harness::new(&union);
        harness.process("k:utf8 | + @1 a  - @2 b").unwrap();
        harness.process_batch(Port(1), batch("other:utf8 | + @3 a")).unwrap();
        assert_eq!(harness.output(), canonical("k:utf8 | + @1 a  - @2 b  + @3 a"));
    }

    #[test]
    fn a_union_is_of_insertions_when_all_of_it_is_and_never_of_upserts() {
        use StreamKind::{Append, Changelog, Upsert};
        assert_eq!(union().output_kind(&[Append, Append]), Ok(Append));
        assert_eq!(union().output_kind(&[Append, Changelog]), Ok(Changelog));
        assert!(union().output_kind(&[Append, Upsert]).is_err());
        assert!(union().output_kind(&[Append]).is_err());
    }
}
