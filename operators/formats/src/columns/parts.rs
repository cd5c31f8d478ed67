//! What columns of every type are made of.

use super::ColumnBuilder;
use super::validity::{Ends, Validity};
use arrow::array::{ArrayRef, PrimitiveArray, StructArray, new_null_array};
use arrow::buffer::{Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow::datatypes::{ArrowNativeType, ArrowPrimitiveType, FieldRef, Fields};
use std::sync::Arc;

/// Values of fixed width with their validity.
#[derive(Debug, Default)]
pub struct Fixed<T> {
    pub(super) values: Vec<T>,
    pub(super) nulls: Validity,
}

/// Strings or bytes.
#[derive(Debug, Default)]
pub struct Variable {
    pub(super) data: Vec<u8>,
    pub(super) ends: Ends,
    pub(super) nulls: Validity,
    /// Bytes of a value in the column finished last, rounded up, and of all its values.
    last_mean_bytes: usize,
    last_bytes: usize,
}

/// A `ROW` column.
#[derive(Debug)]
pub struct StructBuilder {
    pub(super) fields: Fields,
    pub(super) columns: Vec<ColumnBuilder>,
    pub(super) nulls: Validity,
    /// Null rows at the end that the fields have not got yet.
    pub(super) behind: usize,
}

/// An `ARRAY` column.
#[derive(Debug)]
pub struct ListBuilder {
    pub(super) field: FieldRef,
    pub(super) items: Box<ColumnBuilder>,
    pub(super) ends: Ends,
    pub(super) nulls: Validity,
}

/// A `MAP` column.
#[derive(Debug)]
pub struct MapBuilder {
    pub(super) entries: FieldRef,
    pub(super) keys: Box<ColumnBuilder>,
    pub(super) values: Box<ColumnBuilder>,
    pub(super) ends: Ends,
    pub(super) nulls: Validity,
}

impl<T: Default + Clone> Fixed<T> {
    #[inline(always)]
    pub(crate) fn append(&mut self, value: T) {
        self.values.push(value);
        self.nulls.append();
    }

    pub(super) fn append_nulls(&mut self, rows: usize) {
        self.values.resize(self.values.len() + rows, T::default());
        self.nulls.append_nulls(rows);
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        self.values.truncate(rows);
        self.nulls.truncate(rows);
    }
}

impl<N> Fixed<N> {
    pub(super) fn array<P: ArrowPrimitiveType<Native = N>>(&mut self) -> PrimitiveArray<P>
    where
        N: ArrowNativeType,
    {
        let values = ScalarBuffer::from(std::mem::take(&mut self.values));
        PrimitiveArray::new(values, self.nulls.finish())
    }
}

impl Variable {
    #[inline]
    pub(crate) fn append(&mut self, bytes: &[u8]) {
        self.data.extend_from_slice(bytes);
        self.seal();
    }

    /// The buffer of the value being written; [`Variable::seal`] ends it.
    #[inline]
    pub(crate) fn open(&mut self) -> &mut Vec<u8> {
        &mut self.data
    }

    #[inline(always)]
    pub(crate) fn seal(&mut self) {
        self.ends.push(self.data.len());
        self.nulls.append();
    }

    pub(super) fn append_nulls(&mut self, rows: usize) {
        self.ends.repeat(rows);
        self.nulls.append_nulls(rows);
    }

    /// Number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.ends.rows()
    }

    /// The bytes of the row at `row`.
    pub(crate) fn get(&self, row: usize) -> &[u8] {
        &self.data[self.ends.range(row)]
    }

    pub(super) fn reserve(&mut self, rows: usize) {
        self.ends.reserve(rows);
        // One long value in a short column must not make a long one reserve too much.
        self.data.reserve((rows * self.last_mean_bytes).min(2 * self.last_bytes));
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        self.ends.truncate(rows);
        self.data.truncate(self.ends.last());
        self.nulls.truncate(rows);
    }

    /// Ends, data and validity of the column; nothing is left.
    pub(super) fn take(&mut self) -> (OffsetBuffer<i32>, Buffer, Option<NullBuffer>) {
        // Some room to spare: a column a little longer than the one before must not move while it grows.
        self.last_mean_bytes = self.data.len().div_ceil(self.ends.rows().max(1)) * 17 / 16;
        self.last_bytes = self.data.len();
        (self.ends.take(), std::mem::take(&mut self.data).into(), self.nulls.finish())
    }
}

impl StructBuilder {
    /// Number of rows.
    pub(crate) fn rows(&self) -> usize {
        self.nulls.len()
    }

    /// Brings the fields up to the rows appended.
    #[inline]
    pub(super) fn catch_up(&mut self) {
        if self.behind > 0 {
            let behind = std::mem::take(&mut self.behind);
            self.columns.iter_mut().for_each(|column| column.append_nulls(behind));
        }
    }

    pub(super) fn append_nulls(&mut self, rows: usize) {
        self.nulls.append_nulls(rows);
        self.behind += rows;
    }

    #[inline(always)]
    pub(crate) fn append_null(&mut self) {
        self.append_nulls(1);
    }

    /// The fields, to append one value to each, and the number of rows they hold. [`StructBuilder::seal`] ends the row.
    #[inline]
    pub(crate) fn open(&mut self) -> (&mut [ColumnBuilder], usize) {
        self.catch_up();
        (&mut self.columns, self.nulls.len())
    }

    #[inline]
    pub(crate) fn seal(&mut self) {
        self.nulls.append();
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        let rows = rows.min(self.nulls.len());
        let in_fields = rows.min(self.nulls.len() - self.behind);
        self.columns.iter_mut().for_each(|field| field.truncate(in_fields));
        self.behind = rows - in_fields;
        self.nulls.truncate(rows);
    }

    pub(super) fn finish(&mut self) -> ArrayRef {
        let rows = self.nulls.len();
        let only_nulls = self.behind == rows;
        if !only_nulls {
            self.catch_up();
        }
        let columns = match only_nulls {
            // Memory that is zero already is cheaper than memory that is filled with nulls.
            true => self.fields.iter().map(|field| new_null_array(field.data_type(), rows)).collect(),
            false => self.columns.iter_mut().map(ColumnBuilder::finish).collect::<Vec<ArrayRef>>(),
        };
        self.behind = 0;
        let nulls = self.nulls.finish();
        match columns.is_empty() {
            true => Arc::new(StructArray::new_empty_fields(rows, nulls)),
            false => Arc::new(StructArray::new(self.fields.clone(), columns, nulls)),
        }
    }
}

impl ListBuilder {
    /// Number of items that belong to no row yet.
    pub(crate) fn open_items(&self) -> usize {
        self.items.len() - self.ends.last()
    }

    /// The items of a row.
    pub(crate) fn range(&self, row: usize) -> std::ops::Range<usize> {
        self.ends.range(row)
    }

    /// Lets the last row have the items that were appended behind it.
    pub(crate) fn close_behind(&mut self) {
        let rows = self.ends.rows();
        self.ends.truncate(rows - 1);
        self.ends.push(self.items.len());
    }

    /// The items, to append to; [`ListBuilder::seal`] ends the array.
    #[inline]
    pub(crate) fn open(&mut self) -> &mut ColumnBuilder {
        &mut self.items
    }

    #[inline]
    pub(crate) fn seal(&mut self) {
        self.ends.push(self.items.len());
        self.nulls.append();
    }

    pub(super) fn append_nulls(&mut self, rows: usize) {
        self.ends.repeat(rows);
        self.nulls.append_nulls(rows);
    }
}

impl MapBuilder {
    /// Keys and values, to append pairs to; [`MapBuilder::seal`] ends the map.
    #[inline]
    pub(crate) fn open(&mut self) -> (&mut ColumnBuilder, &mut ColumnBuilder) {
        (&mut self.keys, &mut self.values)
    }

    /// Which of the pairs from `first` on are the last of their key; `None` when all are.
    pub(crate) fn last_of_each(&self, first: usize) -> Option<Vec<bool>> {
        let ColumnBuilder::Utf8(keys) = self.keys.as_ref() else { return None };
        let count = keys.rows() - first;
        let key = |pair: usize| keys.get(first + pair);
        let few = count <= 8;
        if few && (1..count).all(|pair| (0..pair).all(|before| key(before) != key(pair))) {
            return None;
        }
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by_key(|pair| key(*pair));
        let mut kept = vec![true; count];
        for pair in order.windows(2).filter(|pair| key(pair[0]) == key(pair[1])) {
            // The sort is stable: of equal keys the later one comes behind.
            kept[pair[0]] = false;
        }
        kept.contains(&false).then_some(kept)
    }

    /// Number of pairs that belong to no row yet.
    pub(crate) fn open_pairs(&self) -> usize {
        self.keys.len() - self.ends.last()
    }

    /// Drops all pairs from `first` on, which belong to no row yet.
    pub(crate) fn cut_back(&mut self, first: usize) {
        self.keys.truncate(first);
        self.values.truncate(first);
    }

    /// Pairs of all rows that have been ended.
    pub(crate) fn sealed_pairs(&self) -> usize {
        self.ends.last()
    }

    #[inline]
    pub(crate) fn seal(&mut self) {
        self.ends.push(self.keys.len());
        self.nulls.append();
    }

    pub(super) fn append_nulls(&mut self, rows: usize) {
        self.ends.repeat(rows);
        self.nulls.append_nulls(rows);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use arrow::array::Array;
    use arrow::datatypes::{DataType, Field};
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn rows_are_null_where_null_was_appended(steps in proptest::collection::vec((0..5u8, 0..6usize), 0..40)) {
            let inner = DataType::Struct(vec![Field::new("s", DataType::Utf8, true)].into());
            let mut column = ColumnBuilder::new(&inner).unwrap();
            let mut expected: Vec<Option<Option<usize>>> = Vec::new();
            for (kind, count) in steps {
                match kind {
                    0 => {
                        column.append_nulls(count);
                        expected.extend(vec![None; count]);
                    }
                    1 => {
                        let rows = expected.len().saturating_sub(count);
                        column.truncate(rows);
                        expected.truncate(rows);
                    }
                    2 => {
                        // Half of a row, which is taken back.
                        column.struct_columns()[0].append_bytes(b"half");
                        column.truncate(expected.len());
                    }
                    _ => {
                        let text = (kind == 3).then_some(count);
                        match text {
                            Some(count) => column.struct_columns()[0].append_bytes("x".repeat(count).as_bytes()),
                            None => column.struct_columns()[0].append_null(),
                        }
                        column.seal_struct();
                        expected.push(Some(text));
                    }
                }
                prop_assert_eq!(column.len(), expected.len());
            }
            for (row, value) in expected.iter().enumerate() {
                prop_assert_eq!(column.is_null(row), value.is_none());
            }
            let array = column.finish();
            let rows = array.as_any().downcast_ref::<StructArray>().unwrap();
            let texts = rows.column(0).as_any().downcast_ref::<arrow::array::StringArray>().unwrap();
            prop_assert_eq!(rows.len(), expected.len());
            for (row, value) in expected.iter().enumerate() {
                prop_assert_eq!(rows.is_null(row), value.is_none());
                let text = value.flatten().map(|count| "x".repeat(count));
                prop_assert_eq!(texts.is_valid(row).then(|| texts.value(row).to_owned()), text);
            }
            prop_assert!(column.is_empty());
        }
    }
}
