//! Casts of arrays, maps and rows: by what they are made of.

use super::super::Failed;
use super::cast::{self, Cast, no_cast};
use super::detail::times;
use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray};
use arrow::buffer::NullBuffer;
use arrow::compute::{cast as same_cast, is_null};
use arrow::datatypes::{DataType, FieldRef};
use std::sync::Arc;

/// Casts all values. With a lenient cast a value is null that holds one that there is not.
pub(super) fn cast(array: &ArrayRef, cast: &Cast) -> Result<ArrayRef, Failed> {
    match (array.data_type(), &cast.to) {
        (DataType::List(_), DataType::List(item)) => list(array.as_list::<i32>(), item, cast),
        (DataType::Map(_, _), DataType::Map(entries, sorted)) => map(array.as_map(), entries, *sorted, cast),
        (DataType::Struct(_), DataType::Struct(fields)) => {
            let found = array.as_struct();
            if found.num_columns() != fields.len() {
                return Err(no_cast(array, &cast.to));
            }
            let mut nulls = found.nulls().cloned();
            let mut columns = Vec::with_capacity(fields.len());
            let mut before = Before::default();
            for (column, field) in found.columns().iter().zip(fields) {
                let value = part(column, field.data_type(), cast, &mut before)?;
                if cast.lenient {
                    nulls = NullBuffer::union(nulls.as_ref(), Some(&newly_null(column, &value)?));
                }
                columns.push(value);
            }
            Ok(Arc::new(StructArray::try_new(fields.clone(), columns, nulls)?))
        }
        (_, to) => Err(no_cast(array, to)),
    }
}

/// Times that stand in front of a part, in the type that is cast and in the one that it is cast to.
#[derive(Default)]
struct Before {
    from: usize,
    to: usize,
}

/// A part of the values, behind those that were cast before.
fn part(array: &ArrayRef, to: &DataType, cast: &Cast, before: &mut Before) -> Result<ArrayRef, Failed> {
    let from = array.data_type();
    let inner = cast.part((from, before.from), (to, before.to));
    before.from += times(from);
    before.to += times(to);
    match inner.keeps(from) {
        true => Ok(Arc::clone(array)),
        false => cast::cast(array, &inner),
    }
}

/// Where values became null: those places are null.
fn newly_null(before: &dyn Array, after: &dyn Array) -> Result<NullBuffer, Failed> {
    let (before, after) = (is_null(before)?, is_null(after)?);
    Ok((0..before.len()).map(|row| before.value(row) || !after.value(row)).collect())
}

fn list(list: &ListArray, item: &FieldRef, cast: &Cast) -> Result<ArrayRef, Failed> {
    let values = part(list.values(), item.data_type(), cast, &mut Before::default())?;
    let mut nulls = list.nulls().cloned();
    if cast.lenient {
        let kept = newly_null(list.values(), &values)?;
        let whole = list.offsets().windows(2).map(|range| {
            let (from, to) = (range[0] as usize, range[1] as usize);
            (from..to).all(|at| kept.is_valid(at))
        });
        nulls = NullBuffer::union(nulls.as_ref(), Some(&whole.collect()));
    }
    Ok(Arc::new(ListArray::try_new(Arc::clone(item), list.offsets().clone(), values, nulls)?))
}

fn map(map: &MapArray, entries: &FieldRef, sorted: bool, cast: &Cast) -> Result<ArrayRef, Failed> {
    let DataType::Struct(fields) = entries.data_type() else { return Err(no_cast(map, &cast.to)) };
    let mut columns = Vec::with_capacity(fields.len());
    let mut before = Before::default();
    for (column, field) in map.entries().columns().iter().zip(fields) {
        columns.push(match cast.lenient {
            // A key that became null is none: the whole map is, which a strict cast finds out.
            true => part(column, field.data_type(), &Cast { lenient: false, ..cast.clone() }, &mut before)?,
            false => part(column, field.data_type(), cast, &mut before)?,
        });
    }
    let pairs = StructArray::try_new(fields.clone(), columns, map.entries().nulls().cloned())?;
    let cast_map =
        MapArray::try_new(Arc::clone(entries), map.offsets().clone(), pairs, map.nulls().cloned(), sorted)?;
    Ok(same_cast(&cast_map, &cast.to)?)
}
