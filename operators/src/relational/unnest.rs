//! A row for each element of a collection: `CROSS JOIN UNNEST(..)` and `LEFT JOIN UNNEST(..) ON TRUE`.

use crate::OperatorError;
use crate::batch::{Batch, StreamKind};
use crate::meaning::{Columns, Fact, Meaning, RowsMeaning};
use crate::operator::{BuildCx, Cx, Description, Operator, OperatorSpec, Port};
use arrow::array::{
    Array, ArrayRef, AsArray, Int32Array, RecordBatch, RecordBatchOptions, StructArray, UInt32Array,
};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Int32Type, Schema, SchemaRef};
use millstream_formats::columns::multiset_value;
use std::ops::Range;
use std::sync::Arc;

/// Rows that are put out at once, about: a row may have any number of elements.
const ROWS: usize = 8192;

/// Puts the elements of a collection beside the columns of its row, one row each: of an `ARRAY` the element, or its
/// fields where it is a `ROW`; of a `MAP` key and value; of a `MULTISET` the value, as often as it is there.
///
/// Input: insertions or a changelog. Output: the same kind; a row that is taken back takes its elements back, in the same
/// order. An element is no record: what can't be used behind this is no dead letter.
#[derive(Debug, Clone)]
pub struct Unnest {
    /// What the rows consist of.
    pub input: SchemaRef,
    /// The place of the collection.
    pub collection: usize,
    /// Places that are kept.
    pub kept: Vec<usize>,
    /// Names of the columns that elements make, and behind them of their number, from 1, if there is one.
    pub names: Vec<String>,
    /// Whether elements are numbered.
    pub numbered: bool,
    /// Whether a row without elements is kept, with nulls.
    pub keeps_empty: bool,
}

impl Unnest {
    /// Columns of the output: those that are kept, and those of an element.
    pub fn schema(&self) -> SchemaRef {
        let kept = self.kept.iter().map(|place| self.input.field(*place).clone());
        let types = element_types(self.input.field(self.collection).data_type(), self.numbered);
        let elements =
            self.names.iter().zip(types).map(|(name, data_type)| Field::new(name, data_type, true));
        Arc::new(Schema::new(kept.chain(elements).collect::<Vec<_>>()))
    }
}

/// Types of the columns that the elements of a collection make; none where it is no collection.
pub fn element_types(collection: &DataType, numbered: bool) -> Vec<DataType> {
    let mut types: Vec<DataType> = match collection {
        DataType::List(item) => columns_of(item.data_type()),
        DataType::Map(entries, _) => match (multiset_value(collection), entries.data_type()) {
            (Some(value), _) => columns_of(value),
            (None, DataType::Struct(pair)) => pair.iter().map(|field| field.data_type().clone()).collect(),
            _ => Vec::new(),
        },
        _ => Vec::new(),
    };
    if numbered && !types.is_empty() {
        types.push(DataType::Int32);
    }
    types
}

/// Types of the fields of a row, or the type itself.
fn columns_of(element: &DataType) -> Vec<DataType> {
    match element {
        DataType::Struct(fields) => fields.iter().map(|field| field.data_type().clone()).collect(),
        element => vec![element.clone()],
    }
}

impl OperatorSpec for Unnest {
    fn describe(&self) -> Description {
        let collection = self.input.field(self.collection).name();
        let empty = if self.keeps_empty { ", rows without any kept" } else { "" };
        Description::new("Unnest", format!("{collection} as {}{empty}", self.names.join(", ")))
    }

    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        let [input] = inputs else { return Meaning::described(self.describe(), inputs) };
        let collection = input.column(self.collection);
        let kept = self.kept.iter().map(|place| input.column(*place));
        let elements = (0..self.names.len()).map(|column| format!("UNNEST({collection}) {column}"));
        let mut facts = vec![Fact::new("elements of", &collection)];
        if self.keeps_empty {
            facts.push(Fact::new("rows without elements", "kept"));
        }
        let columns = Columns::Known(kept.chain(elements).collect());
        Meaning::of(facts, columns)
    }

    fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String> {
        match inputs {
            [StreamKind::Upsert] => {
                Err("an upsert stream has no old elements to take back; normalize it first".to_owned())
            }
            [kind] => Ok(*kind),
            inputs => Err(format!("the elements of a collection are of one stream, not of {}", inputs.len())),
        }
    }

    fn build(&self, _cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(Unnesting { spec: self.clone(), schema: self.schema() }))
    }
}

struct Unnesting {
    spec: Unnest,
    schema: SchemaRef,
}

/// Elements that are about to be put out, each with its row; `None` in the place of an element that is not there.
#[derive(Default)]
struct Pending {
    rows: Vec<u32>,
    elements: Vec<Option<u32>>,
    numbers: Vec<Option<i32>>,
}

impl Operator for Unnesting {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        let rows = batch.columns()?;
        let collections = Collections::of(rows.column(self.spec.collection))?;
        let batch = batch.with_columns(rows.project(&self.spec.kept)?).without_origins();
        let mut pending = Pending::default();
        for row in 0..batch.len() {
            let (mut number, mut is_empty) = (0, true);
            for element in collections.range(row) {
                for _ in 0..collections.times(element) {
                    number += 1;
                    if collections.is_no_row(element) {
                        continue;
                    }
                    is_empty = false;
                    pending.rows.push(row as u32);
                    pending.elements.push(Some(element as u32));
                    pending.numbers.push(Some(number));
                    if pending.rows.len() >= ROWS {
                        cx.emit(self.columns(&batch, &collections, std::mem::take(&mut pending))?);
                    }
                }
            }
            if is_empty && self.spec.keeps_empty {
                pending.rows.push(row as u32);
                pending.elements.push(None);
                pending.numbers.push(None);
            }
        }
        cx.emit(self.columns(&batch, &collections, pending)?);
        Ok(())
    }
}

impl Unnesting {
    fn columns(
        &self,
        batch: &Batch,
        collections: &Collections<'_>,
        pending: Pending,
    ) -> Result<Batch, OperatorError> {
        let rows = batch.take(&pending.rows)?;
        let elements = UInt32Array::from(pending.elements);
        let mut columns = rows.columns()?.columns().to_vec();
        for column in &collections.columns {
            columns.push(take(column, &elements, None)?);
        }
        if self.spec.numbered {
            columns.push(Arc::new(Int32Array::from(pending.numbers)));
        }
        let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
        let columns = RecordBatch::try_new_with_options(Arc::clone(&self.schema), columns, &options)?;
        Ok(rows.with_columns(columns))
    }
}

/// A column of collections.
struct Collections<'a> {
    column: &'a ArrayRef,
    offsets: &'a [i32],
    /// What elements are made of.
    columns: Vec<ArrayRef>,
    /// The elements, where they are rows.
    rows: Option<&'a StructArray>,
    /// Of a `MULTISET`: how often each value is there.
    times: Option<&'a [i32]>,
}

impl<'a> Collections<'a> {
    fn of(column: &'a ArrayRef) -> Result<Self, OperatorError> {
        match column.data_type() {
            DataType::List(_) => {
                let list = column.as_list::<i32>();
                let rows = list.values().as_struct_opt();
                let columns = match rows {
                    Some(rows) => rows.columns().to_vec(),
                    None => vec![Arc::clone(list.values())],
                };
                Ok(Collections { column, offsets: list.value_offsets(), columns, rows, times: None })
            }
            DataType::Map(_, _) => {
                let map = column.as_map();
                let offsets = map.value_offsets();
                let keys = Arc::clone(map.keys());
                if multiset_value(column.data_type()).is_some() {
                    let times = map.values().as_primitive::<Int32Type>().values();
                    let rows = map.keys().as_struct_opt();
                    let columns = rows.map_or_else(|| vec![keys], |rows| rows.columns().to_vec());
                    return Ok(Collections { column, offsets, columns, rows, times: Some(times) });
                }
                let columns = vec![keys, Arc::clone(map.values())];
                Ok(Collections { column, offsets, columns, rows: None, times: None })
            }
            _ => Err(OperatorError::Mismatch { expected: "a column of collections", found: "another" }),
        }
    }

    /// Where the elements of a row stand.
    fn range(&self, row: usize) -> Range<usize> {
        match self.column.is_null(row) {
            true => 0..0,
            false => self.offsets[row] as usize..self.offsets[row + 1] as usize,
        }
    }

    /// Whether an element is a `ROW` that is null: there is none for it, as in Flink.
    fn is_no_row(&self, element: usize) -> bool {
        self.rows.is_some_and(|rows| rows.is_null(element))
    }

    /// How often an element is there.
    fn times(&self, element: usize) -> usize {
        self.times.map_or(1, |times| usize::try_from(times[element]).unwrap_or(0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::columns::{map_type, multiset_type};
    use crate::testing::{Harness, canonical};
    use arrow::json::ReaderBuilder;

    fn unnest(data_type: DataType, names: &[&str], numbered: bool, keeps_empty: bool) -> Unnest {
        let fields = vec![Field::new("id", DataType::Int64, true), Field::new("items", data_type, true)];
        let names = names.iter().map(|name| (*name).to_owned()).collect();
        let input = Arc::new(Schema::new(fields));
        Unnest { input, collection: 1, kept: vec![0], names, numbered, keeps_empty }
    }

    fn list(item: DataType) -> DataType {
        DataType::List(Arc::new(Field::new("item", item, true)))
    }

    /// What comes out of rows as JSON with these signs.
    fn out(unnest: &Unnest, signs: &[i8], rows: &str) -> String {
        let mut reader = ReaderBuilder::new(Arc::clone(&unnest.input)).build(rows.as_bytes()).unwrap();
        let rows = reader.next().unwrap().unwrap();
        let times = (0..signs.len() as i64).collect::<Vec<_>>();
        let batch = Batch::changes(rows, times, crate::batch::Ops::from_signs(signs.to_vec()));
        let mut harness = Harness::new(unnest);
        harness.process_batch(Port(0), batch).unwrap();
        harness.output()
    }

    #[test]
    fn a_row_comes_for_each_element_with_its_sign_and_its_time() {
        let unnest = unnest(list(DataType::Utf8), &["x", "n"], true, false);
        let rows =
            r#"{"id": 1, "items": ["a", null]} {"id": 2} {"id": 3, "items": []} {"id": 1, "items": ["b"]}"#;
        let found = out(&unnest, &[1, 1, 1, -1], rows);
        assert_eq!(found, canonical("id:i64 x:utf8 n:i32 | + @0 1 a 1  + @0 1 null 2  - @3 1 b 1"));
    }

    #[test]
    fn a_row_without_elements_is_kept_where_the_join_keeps_it() {
        let unnest = unnest(list(DataType::Utf8), &["x", "n"], true, true);
        let rows = r#"{"id": 2} {"id": 3, "items": []} {"id": 4, "items": [null]}"#;
        let found = out(&unnest, &[1, 1, 1], rows);
        assert_eq!(
            found,
            canonical("id:i64 x:utf8 n:i32 | + @0 2 null null  + @1 3 null null  + @2 4 null 1")
        );
    }

    #[test]
    fn rows_of_an_array_become_columns_and_one_that_is_null_is_none() {
        let fields = vec![Field::new("a", DataType::Int64, true), Field::new("b", DataType::Utf8, true)];
        let data_type = list(DataType::Struct(fields.into()));
        let rows = r#"{"id": 1, "items": [{"a": 5, "b": "p"}, null, {"b": "q"}]} {"id": 2, "items": [null]}"#;
        let numbered = unnest(data_type.clone(), &["a", "b", "n"], true, false);
        let found = out(&numbered, &[1, 1], rows);
        assert_eq!(found, canonical("id:i64 a:i64 b:utf8 n:i32 | + @0 1 5 p 1  + @0 1 null q 3"));
        let kept = unnest(data_type, &["a", "b"], false, true);
        let found = out(&kept, &[1, 1], rows);
        assert_eq!(found, canonical("id:i64 a:i64 b:utf8 | + @0 1 5 p  + @0 1 null q  + @1 2 null null"));
    }

    #[test]
    fn maps_have_entries_and_multisets_values_as_often_as_they_are_there() {
        let rows = r#"{"id": 1, "items": {"x": 2, "y": 1}}"#;
        let map = unnest(map_type(DataType::Utf8, DataType::Int32), &["k", "v"], false, false);
        assert_eq!(out(&map, &[1], rows), canonical("id:i64 k:utf8 v:i32 | + @0 1 x 2  + @0 1 y 1"));
        let multiset = unnest(multiset_type(DataType::Utf8), &["x"], false, false);
        assert_eq!(out(&multiset, &[-1], rows), canonical("id:i64 x:utf8 | - @0 1 x  - @0 1 x  - @0 1 y"));
    }

    #[test]
    fn many_elements_are_put_out_in_pieces() {
        let unnest = unnest(list(DataType::Int64), &["x"], false, false);
        let items: Vec<String> = (0..ROWS * 2 + 1).map(|item| item.to_string()).collect();
        let found = out(&unnest, &[1], &format!("{{\"id\": 1, \"items\": [{}]}}", items.join(",")));
        assert_eq!(found.matches('+').count(), ROWS * 2 + 1);
    }
}
