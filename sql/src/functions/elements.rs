//! Elements of arrays and maps: how they are read, compared, and put together to new ones.

use super::{Call, Failed};
use arrow::array::{Array, ArrayRef, AsArray, ListArray, MapArray, StructArray, make_comparator};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::compute::{SortOptions, interleave};
use arrow::datatypes::{DataType, Field, FieldRef, Float32Type, Float64Type};
use arrow::row::{Row, RowConverter, Rows, SortField};
use std::cmp::Ordering;
use std::ops::Range;
use std::sync::Arc;

/// `ARRAY<item>`.
pub(super) fn array_of(item: DataType) -> DataType {
    DataType::List(Arc::new(Field::new("item", item, true)))
}

/// The type of an array's elements.
pub(super) fn item_of(data_type: &DataType) -> Option<&DataType> {
    match data_type {
        DataType::List(item) => Some(item.data_type()),
        _ => None,
    }
}

/// The types of a map's keys and values.
pub(super) fn pair_of(data_type: &DataType) -> Option<(&DataType, &DataType)> {
    let DataType::Map(entries, _) = data_type else { return None };
    match entries.data_type() {
        DataType::Struct(fields) if fields.len() == 2 => Some((fields[0].data_type(), fields[1].data_type())),
        _ => None,
    }
}

/// Whether elements of this type can be compared for being equal.
pub(super) fn has_equality(data_type: &DataType) -> bool {
    match data_type {
        DataType::Map(_, _) => false,
        DataType::List(item) => has_equality(item.data_type()),
        DataType::Struct(fields) => fields.iter().all(|field| has_equality(field.data_type())),
        _ => true,
    }
}

/// Whether elements of this type have an order, as Flink has it for functions: truth values and nested ones have none.
pub(super) fn has_order(data_type: &DataType) -> bool {
    !data_type.is_nested() && !matches!(data_type, DataType::Boolean | DataType::Null)
}

/// The arrays of an argument.
#[derive(Debug)]
pub(super) struct Lists {
    list: ListArray,
}

impl Lists {
    pub(super) fn of(call: &Call<'_>, arg: usize) -> Result<Self, Failed> {
        let array = call.array(arg)?;
        let list =
            array.as_list_opt::<i32>().ok_or_else(|| Failed(format!("{} is no array", array.data_type())))?;
        Ok(Lists { list: list.clone() })
    }

    /// All elements, of all rows.
    pub(super) fn elements(&self) -> &ArrayRef {
        self.list.values()
    }

    /// Where the elements of a row are among them; `None` for null.
    pub(super) fn get(&self, row: usize) -> Option<Range<usize>> {
        let offsets = self.list.value_offsets();
        (!self.list.is_null(row)).then(|| offsets[row] as usize..offsets[row + 1] as usize)
    }
}

/// The maps of an argument.
#[derive(Debug)]
pub(super) struct Maps {
    map: MapArray,
}

impl Maps {
    pub(super) fn of(call: &Call<'_>, arg: usize) -> Result<Self, Failed> {
        let array = call.array(arg)?;
        let map = array.as_map_opt().ok_or_else(|| Failed(format!("{} is no map", array.data_type())))?;
        Ok(Maps { map: map.clone() })
    }

    pub(super) fn map(&self) -> &MapArray {
        &self.map
    }

    /// Where the entries of a row are among all of them; `None` for null.
    pub(super) fn get(&self, row: usize) -> Option<Range<usize>> {
        let offsets = self.map.value_offsets();
        (!self.map.is_null(row)).then(|| offsets[row] as usize..offsets[row + 1] as usize)
    }
}

/// Elements that can be compared for being equal: nulls are, 0 and -0 are, NaN is equal to nothing.
pub(super) struct Equality {
    converter: RowConverter,
}

impl Equality {
    pub(super) fn new(data_type: &DataType) -> Result<Self, Failed> {
        Ok(Equality { converter: RowConverter::new(vec![SortField::new(data_type.clone())])? })
    }

    pub(super) fn keys(&self, elements: &ArrayRef) -> Result<Keys, Failed> {
        let nan = match elements.data_type() {
            DataType::Float64 => {
                nan_places(elements.as_primitive::<Float64Type>().values(), |value| value.is_nan())
            }
            DataType::Float32 => {
                nan_places(elements.as_primitive::<Float32Type>().values(), |value| value.is_nan())
            }
            _ => Vec::new(),
        };
        let rows = self.converter.convert_columns(&[without_minus_zero(elements)?])?;
        Ok(Keys { rows, nan })
    }
}

fn nan_places<T: Copy>(values: &[T], is_nan: fn(T) -> bool) -> Vec<usize> {
    values.iter().enumerate().filter(|(_, value)| is_nan(**value)).map(|(place, _)| place).collect()
}

fn without_minus_zero(elements: &ArrayRef) -> Result<ArrayRef, Failed> {
    Ok(match elements.data_type() {
        DataType::Float64 => {
            let values = elements.as_primitive::<Float64Type>();
            Arc::new(values.unary::<_, Float64Type>(|value| value + 0.0))
        }
        DataType::Float32 => {
            let values = elements.as_primitive::<Float32Type>();
            Arc::new(values.unary::<_, Float32Type>(|value| value + 0.0))
        }
        _ => Arc::clone(elements),
    })
}

/// Elements as keys.
pub(super) struct Keys {
    rows: Rows,
    nan: Vec<usize>,
}

impl Keys {
    /// The key of an element; `None` for NaN, which is equal to nothing.
    pub(super) fn get(&self, place: usize) -> Option<Row<'_>> {
        self.nan.binary_search(&place).is_err().then(|| self.rows.row(place))
    }
}

/// The order of elements among each other: by value, NaN last; bytes by bytes, without a sign.
pub(super) fn order(elements: &ArrayRef) -> Result<impl Fn(usize, usize) -> Ordering + use<>, Failed> {
    let options = SortOptions { descending: false, nulls_first: true };
    let compare = make_comparator(elements, elements, options)?;
    Ok(compare)
}

/// Whether one element is greater than another one; NaN is not, and nothing is greater than it.
pub(super) fn greater(elements: &ArrayRef) -> Result<Box<dyn Fn(usize, usize) -> bool>, Failed> {
    Ok(match elements.data_type() {
        DataType::Float64 => {
            let values = elements.as_primitive::<Float64Type>().clone();
            Box::new(move |left, right| values.value(left) > values.value(right))
        }
        DataType::Float32 => {
            let values = elements.as_primitive::<Float32Type>().clone();
            Box::new(move |left, right| values.value(left) > values.value(right))
        }
        _ => {
            let order = order(elements)?;
            Box::new(move |left, right| order(left, right).is_gt())
        }
    })
}

/// Arrays put together of elements of others.
#[derive(Debug)]
pub(super) struct ListsOf {
    places: Vec<(usize, usize)>,
    ends: Vec<usize>,
    valid: Vec<bool>,
}

impl ListsOf {
    pub(super) fn new(rows: usize) -> Self {
        ListsOf { places: Vec::new(), ends: Vec::with_capacity(rows), valid: Vec::with_capacity(rows) }
    }

    /// An element: which of the sources, and where in it.
    pub(super) fn push(&mut self, source: usize, place: usize) {
        self.places.push((source, place));
    }

    pub(super) fn extend(&mut self, source: usize, places: Range<usize>) {
        self.places.extend(places.map(|place| (source, place)));
    }

    /// The elements since the last end are an array.
    pub(super) fn end(&mut self) {
        self.ends.push(self.places.len());
        self.valid.push(true);
    }

    pub(super) fn null(&mut self) {
        self.ends.push(self.places.len());
        self.valid.push(false);
    }

    /// What was put together, by the type that is wanted.
    pub(super) fn finish(self, sources: &[&ArrayRef], returns: &DataType) -> Result<ArrayRef, Failed> {
        let DataType::List(field) = returns else { return Err(Failed(format!("{returns} is no array"))) };
        let (offsets, nulls) = offsets(self.ends, self.valid)?;
        let elements = chosen(sources, &self.places, field)?;
        Ok(Arc::new(ListArray::try_new(Arc::clone(field), offsets, elements, nulls)?))
    }

    /// The same as maps, with as many values beside the keys.
    pub(super) fn finish_maps(
        self,
        keys: &[&ArrayRef],
        values_of: ListsOf,
        values: &[&ArrayRef],
        returns: &DataType,
    ) -> Result<ArrayRef, Failed> {
        let wrong = || Failed(format!("{returns} is no map"));
        let DataType::Map(entries, _) = returns else { return Err(wrong()) };
        let DataType::Struct(fields) = entries.data_type() else { return Err(wrong()) };
        let [key, value] = fields.as_ref() else { return Err(wrong()) };
        let (offsets, nulls) = offsets(self.ends, self.valid)?;
        let keys = chosen(keys, &self.places, key)?;
        if keys.null_count() > 0 {
            return Err(Failed::from("a map has no NULL as a key here"));
        }
        let pairs = vec![keys, chosen(values, &values_of.places, value)?];
        let pairs = StructArray::try_new(fields.clone(), pairs, None)?;
        Ok(Arc::new(MapArray::try_new(Arc::clone(entries), offsets, pairs, nulls, false)?))
    }
}

fn offsets(ends: Vec<usize>, valid: Vec<bool>) -> Result<(OffsetBuffer<i32>, Option<NullBuffer>), Failed> {
    let mut offsets = vec![0_i32];
    for end in ends {
        offsets.push(i32::try_from(end).map_err(|_| Failed::from("the arrays have too many elements"))?);
    }
    let nulls = valid.contains(&false).then(|| NullBuffer::from(valid));
    Ok((OffsetBuffer::new(offsets.into()), nulls))
}

/// Elements of several sources, of the type of a field.
fn chosen(sources: &[&ArrayRef], places: &[(usize, usize)], field: &FieldRef) -> Result<ArrayRef, Failed> {
    if places.is_empty() {
        return Ok(arrow::array::new_empty_array(field.data_type()));
    }
    let sources: Vec<&dyn Array> = sources.iter().map(|source| source.as_ref() as &dyn Array).collect();
    let elements = interleave(&sources, places)?;
    match elements.data_type() == field.data_type() {
        true => Ok(elements),
        false => Ok(arrow::compute::cast(&elements, field.data_type())?),
    }
}
