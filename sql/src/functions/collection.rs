//! Arrays, maps and rows made of values, and their parts.
//!
//! Elements are counted from 1. There is no element at other places: what they name is NULL.

use super::common::{common_of, common_type};
use super::elements::{Equality, Lists, ListsOf, Maps, array_of, has_equality, item_of, pair_of};
use super::map::Entries;
use super::{Arg, Call, Failed, Function, Param, Typed};
use arrow::array::{Array, ArrayRef, Int32Array, StructArray, UInt64Array};
use arrow::compute::take;
use arrow::datatypes::{DataType, Field, Int32Type};
use datafusion::scalar::ScalarValue;
use millstream_operators::columns::map_type;
use millstream_operators::formats::sql_type;
use std::sync::Arc;

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        names: &["CARDINALITY"],
        signature: "CARDINALITY(array), CARDINALITY(map)",
        types: |args| match args {
            [collection] if item_of(collection.data_type).or(map_key(collection.data_type)).is_some() => {
                Ok(Typed { args: vec![collection.data_type.clone()], returns: DataType::Int32 })
            }
            [other] => Err(format!("takes an ARRAY or a MAP, not {}", sql_type(other.data_type))),
            args => Err(format!("takes 1 argument, not {}", args.len())),
        },
        eval: cardinality,
        fails: false,
        examples: &[("CARDINALITY(ARRAY[1, 2])", "2"), ("CARDINALITY(MAP['k', 1])", "1")],
    },
    Function {
        names: &["ELEMENT"],
        signature: "ELEMENT(array)",
        types: |args| match args {
            [array] => match item_of(array.data_type) {
                Some(item) => Ok(Typed { args: vec![array.data_type.clone()], returns: item.clone() }),
                None => Err(format!("takes an ARRAY, not {}", sql_type(array.data_type))),
            },
            args => Err(format!("takes 1 argument, not {}", args.len())),
        },
        eval: only_element,
        fails: true,
        examples: &[("ELEMENT(ARRAY[7])", "7"), ("ELEMENT(CAST(NULL AS ARRAY<INT>))", "null")],
    },
    Function {
        names: &["ROW"],
        signature: "ROW(value1, value2, ..), (value1, value2, ..)",
        types: |args| {
            if args.is_empty() {
                return Err("takes at least 1 value".to_owned());
            }
            if args.iter().any(|arg| *arg.data_type == DataType::Null) {
                return Err("takes values with a type: write CAST(NULL AS ..)".to_owned());
            }
            let fields = args.iter().enumerate();
            let fields: Vec<Field> = fields
                .map(|(place, arg)| Field::new(format!("EXPR${place}"), arg.data_type.clone(), true))
                .collect();
            Ok(Typed { args: as_they_are(args), returns: DataType::Struct(fields.into()) })
        },
        eval: row,
        fails: false,
        examples: &[("ROW(1, 'a')", "+I[1, a]")],
    },
];

/// `ARRAY[value1, value2, ..]`
pub(crate) static ARRAY: Function = Function {
    names: &["ARRAY"],
    signature: "ARRAY[value1, value2, ..]",
    types: |args| {
        let common = common_of(args)?;
        match common == DataType::Null {
            true => Err("takes at least 1 value with a type".to_owned()),
            false => Ok(Typed { args: vec![common.clone(); args.len()], returns: array_of(common) }),
        }
    },
    eval: array,
    fails: false,
    examples: &[("ARRAY[1, 2.5]", "[1.0, 2.5]"), ("ARRAY[1, NULL]", "[1, null]")],
};

/// `MAP[key1, value1, ..]`
pub(crate) static MAP: Function = Function {
    names: &["MAP"],
    signature: "MAP[key1, value1, key2, value2, ..]",
    types: |args| {
        if args.is_empty() || args.len() % 2 == 1 {
            return Err("takes keys and values by turns".to_owned());
        }
        let key = common_type(args.iter().step_by(2).map(|arg| arg.data_type))?;
        let value = common_type(args.iter().skip(1).step_by(2).map(|arg| arg.data_type))?;
        if !has_equality(&key) || key == DataType::Null {
            return Err(format!("takes keys that can be compared, not {}", sql_type(&key)));
        }
        let value = if value == DataType::Null { DataType::Utf8 } else { value };
        let types = [key.clone(), value.clone()].into_iter().cycle().take(args.len()).collect();
        Ok(Typed { args: types, returns: map_type(key, value) })
    },
    eval: map,
    fails: true,
    examples: &[("MAP['a', 1, 'b', 2]['b']", "2"), ("MAP['a', 1, 'a', 2]", "{a=2}")],
};

/// `array[index]`, `map[key]`
pub(crate) static ITEM: Function = Function {
    names: &["ITEM"],
    signature: "array[index], map[key]",
    types: types_of_item,
    eval: item,
    fails: false,
    examples: &[("ARRAY['a', 'b'][2]", "b"), ("ARRAY['a', 'b'][3]", "null"), ("MAP['k', 1]['z']", "null")],
};

fn map_key(data_type: &DataType) -> Option<&DataType> {
    pair_of(data_type).map(|(key, _)| key)
}

fn as_they_are(args: &[Arg<'_>]) -> Vec<DataType> {
    args.iter().map(|arg| arg.data_type.clone()).collect()
}

fn cardinality(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let length = |range: Option<std::ops::Range<usize>>| range.map(|range| range.len() as i32);
    if let Ok(lists) = Lists::of(call, 0) {
        return call.numbers::<Int32Type>(|row| Ok(length(lists.get(row))));
    }
    let maps = Maps::of(call, 0)?;
    call.numbers::<Int32Type>(|row| Ok(length(maps.get(row))))
}

/// The elements at some places; `None` is null.
pub(super) fn taken(
    elements: &ArrayRef,
    places: impl Iterator<Item = Option<usize>>,
) -> Result<ArrayRef, Failed> {
    let places: UInt64Array = places.map(|place| place.map(|place| place as u64)).collect();
    Ok(take(elements, &places, None)?)
}

fn only_element(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let lists = Lists::of(call, 0)?;
    let places = (0..call.rows()).map(|row| match lists.get(row) {
        Some(range) if range.len() > 1 => {
            Err(Failed(format!("ELEMENT takes an array of one element, not of {}", range.len())))
        }
        range => Ok(range.filter(|range| !range.is_empty()).map(|range| range.start)),
    });
    let places: Vec<Option<usize>> = places.collect::<Result<_, _>>()?;
    taken(lists.elements(), places.into_iter())
}

fn row(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let DataType::Struct(fields) = call.returns() else { return Err(Failed::from("ROW makes rows")) };
    let values: Vec<ArrayRef> = (0..call.arity()).map(|arg| call.array(arg)).collect::<Result<_, _>>()?;
    Ok(Arc::new(StructArray::try_new(fields.clone(), values, None)?))
}

fn array(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let values: Vec<ArrayRef> = (0..call.arity()).map(|arg| call.array(arg)).collect::<Result<_, _>>()?;
    let mut lists = ListsOf::new(call.rows());
    for row in 0..call.rows() {
        (0..values.len()).for_each(|source| lists.push(source, row));
        lists.end();
    }
    lists.finish(&values.iter().collect::<Vec<_>>(), call.returns())
}

/// Of equal keys the last value counts.
fn map(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let args: Vec<ArrayRef> = (0..call.arity()).map(|arg| call.array(arg)).collect::<Result<_, _>>()?;
    let keys: Vec<&ArrayRef> = args.iter().step_by(2).collect();
    let values: Vec<&ArrayRef> = args.iter().skip(1).step_by(2).collect();
    let Some(first) = keys.first() else { return Err(Failed::from("MAP takes keys and values")) };
    let equality = Equality::new(first.data_type())?;
    let compared = keys.iter().map(|key| equality.keys(key)).collect::<Result<Vec<_>, _>>()?;
    let mut maps = Entries::new(call.rows());
    for row in 0..call.rows() {
        for (source, keys) in compared.iter().enumerate() {
            maps.put(keys.get(row).map(|key| key.as_ref().to_vec()), (source, row), (source, row));
        }
        maps.end();
    }
    maps.finish(&keys, &values, call.returns())
}

fn types_of_item(args: &[Arg<'_>]) -> Result<Typed, String> {
    let [collection, place] = args else { return Err("takes a collection and a place".to_owned()) };
    if let Some(item) = item_of(collection.data_type) {
        let is_index = *place.data_type == DataType::Null || Param::Int.accepts(place.data_type);
        if !is_index {
            return Err(format!("of an ARRAY takes an INT, not {}", sql_type(place.data_type)));
        }
        let index = match place.literal {
            Some(ScalarValue::Int32(index)) => *index,
            _ => None,
        };
        if let Some(index) = index.filter(|index| *index < 1) {
            return Err(format!("of an ARRAY takes a place from 1 on, not {index}"));
        }
        return Ok(Typed {
            args: vec![collection.data_type.clone(), DataType::Int32],
            returns: item.clone(),
        });
    }
    let Some((key, value)) = pair_of(collection.data_type) else {
        return Err(format!("is of an ARRAY or a MAP, not of {}", sql_type(collection.data_type)));
    };
    // A key that is wider than those of the map is still a key.
    let wanted = common_type([key, place.data_type])?;
    Ok(Typed { args: vec![collection.data_type.clone(), wanted], returns: value.clone() })
}

fn item(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    if let Ok(lists) = Lists::of(call, 0) {
        let index = call.column::<Int32Array>(1)?;
        let places = (0..call.rows()).map(|row| {
            let index = index.get(row).and_then(|index| usize::try_from(index).ok()?.checked_sub(1))?;
            lists.get(row).filter(|range| index < range.len()).map(|range| range.start + index)
        });
        return taken(lists.elements(), places);
    }
    let maps = Maps::of(call, 0)?;
    let wanted = call.array(1)?;
    let keys = match maps.map().keys().data_type() == wanted.data_type() {
        true => Arc::clone(maps.map().keys()),
        false => arrow::compute::cast(maps.map().keys(), wanted.data_type())?,
    };
    let equality = Equality::new(wanted.data_type())?;
    let (keys, of) = (equality.keys(&keys)?, equality.keys(&wanted)?);
    let places = (0..call.rows()).map(|row| {
        let wanted = of.get(row).filter(|_| wanted.is_valid(row))?;
        maps.get(row)?.find(|place| keys.get(*place).is_some_and(|key| key == wanted))
    });
    taken(maps.map().values(), places)
}
