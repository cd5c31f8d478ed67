//! Keying a stream.

use crate::OperatorError;
use crate::batch::{Batch, StreamKind};
use crate::keys::KeyCodec;
use crate::meaning::{Fact, Meaning, RowsMeaning};
use crate::operator::{BuildCx, Cx, Description, Lineage, Operator, OperatorSpec, Port};
use arrow::array::ArrayRef;
use arrow::datatypes::DataType;
use std::sync::Arc;

/// Gives every row the encoded key of some of its columns, once for all keyed operators behind it.
#[derive(Debug, Clone)]
pub struct KeyBy {
    columns: Vec<usize>,
    names: Vec<String>,
    codec: KeyCodec,
}

impl KeyBy {
    /// Keys by columns: index, name and type of each.
    ///
    /// # Errors
    /// The first type that can't be part of a key.
    pub fn new(columns: Vec<(usize, String, DataType)>) -> Result<Self, DataType> {
        let types = columns.iter().map(|(_, _, data_type)| data_type.clone()).collect();
        let (columns, names) = columns.into_iter().map(|(column, name, _)| (column, name)).unzip();
        Ok(KeyBy { columns, names, codec: KeyCodec::new(types)? })
    }
}

impl OperatorSpec for KeyBy {
    fn describe(&self) -> Description {
        Description::new("KeyBy", self.names.join(", "))
    }

    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        let [input] = inputs else { return Meaning::described(self.describe(), inputs) };
        let key: Vec<String> = self.columns.iter().map(|column| input.column(*column)).collect();
        Meaning::of(vec![Fact::new("by", key.join(", "))], input.columns.clone()).keyed(key)
    }

    fn lineage(&self) -> Lineage {
        Lineage::Kept
    }

    fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String> {
        match inputs {
            [kind] => Ok(*kind),
            inputs => Err(format!("a stream is keyed from one input, not {}", inputs.len())),
        }
    }

    fn build(&self, _cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(Keying(self.clone())))
    }
}

struct Keying(KeyBy);

impl Operator for Keying {
    fn process(&mut self, _port: Port, mut batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let KeyBy { columns, codec, .. } = &self.0;
        let rows = batch.columns()?;
        let missing = OperatorError::Mismatch { expected: "the columns of the key", found: "fewer" };
        let columns: Option<Vec<ArrayRef>> =
            columns.iter().map(|column| rows.columns().get(*column).cloned()).collect();
        batch.keys = Some(Arc::new(codec.encode(&columns.ok_or(missing)?, batch.len())?));
        cx.emit(batch);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::Harness;

    #[test]
    fn rows_with_equal_columns_have_equal_keys() {
        let key_by =
            KeyBy::new(vec![(2, "c".to_owned(), DataType::Int64), (0, "a".to_owned(), DataType::Utf8)]);
        let key_by = key_by.unwrap();
        assert_eq!(key_by.describe().detail, "c, a");
        let mut harness = Harness::new(&key_by);
        harness.process("a:utf8 b:i64 c:i64 | + x 1 7  + x 2 7  + y 3 7  - x 4 null").unwrap();
        let batch = harness.take().pop().unwrap();
        let keys = batch.keys().unwrap();
        assert_eq!(keys.get(0), keys.get(1));
        assert_ne!(keys.get(0), keys.get(2));
        assert!(keys.get(3) < keys.get(0), "null comes first");
        let columns = key_by.codec.decode(keys.iter()).unwrap();
        let rows = batch.columns().unwrap();
        assert_eq!([&columns[0], &columns[1]], [rows.column(2), rows.column(0)]);
    }

    #[test]
    fn a_nested_column_is_no_key() {
        let list = DataType::new_list(DataType::Int64, true);
        assert!(KeyBy::new(vec![(0, "l".to_owned(), list)]).is_err());
    }
}
