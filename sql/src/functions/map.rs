//! Functions of maps.

use super::common::common_of;
use super::elements::{Equality, Lists, ListsOf, Maps, array_of, has_equality, item_of, pair_of};
use super::{Arg, Call, Failed, Function, Typed};
use arrow::array::{Array, ArrayRef, ListArray, StructArray};
use arrow::datatypes::{DataType, Field, Fields};
use millstream_operators::columns::map_type;
use millstream_operators::formats::sql_type;
use std::collections::HashMap;
use std::sync::Arc;

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        names: &["MAP_KEYS"],
        signature: "MAP_KEYS(map)",
        types: |args| of_map(args, |key, _| key.clone()),
        eval: |call| parts(call, |maps| Arc::clone(maps.map().keys())),
        fails: false,
        examples: &[("MAP_KEYS(MAP['b', 1, 'a', 2])", "[b, a]")],
    },
    Function {
        names: &["MAP_VALUES"],
        signature: "MAP_VALUES(map)",
        types: |args| of_map(args, |_, value| value.clone()),
        eval: |call| parts(call, |maps| Arc::clone(maps.map().values())),
        fails: false,
        examples: &[("MAP_VALUES(MAP['b', 1, 'a', 2])", "[1, 2]")],
    },
    Function {
        names: &["MAP_ENTRIES"],
        signature: "MAP_ENTRIES(map)",
        types: |args| {
            of_map(args, |key, value| {
                let pair = [Field::new("key", key.clone(), true), Field::new("value", value.clone(), true)];
                DataType::Struct(pair.into_iter().collect())
            })
        },
        eval: entries,
        fails: false,
        examples: &[("MAP_ENTRIES(MAP['b', 1, 'a', 2])", "[+I[b, 1], +I[a, 2]]")],
    },
    Function {
        names: &["MAP_FROM_ARRAYS"],
        signature: "MAP_FROM_ARRAYS(keys, values)",
        types: |args| match args {
            [keys, values] => match (item_of(keys.data_type), item_of(values.data_type)) {
                (Some(key), Some(value)) if has_equality(key) => Ok(Typed {
                    args: vec![keys.data_type.clone(), values.data_type.clone()],
                    returns: map_type(key.clone(), value.clone()),
                }),
                _ => Err(format!(
                    "takes two ARRAYs, not {} and {}",
                    sql_type(keys.data_type),
                    sql_type(values.data_type)
                )),
            },
            args => Err(format!("takes 2 arguments, not {}", args.len())),
        },
        eval: from_arrays,
        fails: true,
        examples: &[("MAP_FROM_ARRAYS(ARRAY['k', 'l'], ARRAY[1, 2])", "{k=1, l=2}")],
    },
    Function {
        names: &["MAP_UNION"],
        signature: "MAP_UNION(map1, map2, ..)",
        types: |args| {
            let common = common_of(args)?;
            match pair_of(&common) {
                Some((key, _)) if has_equality(key) => {
                    Ok(Typed { args: vec![common.clone(); args.len()], returns: common })
                }
                _ => Err("takes MAPs".to_owned()),
            }
        },
        eval: union,
        fails: false,
        examples: &[("MAP_UNION(MAP['a', 1], MAP['b', 2, 'a', 3])", "{a=3, b=2}")],
    },
];

fn of_map(args: &[Arg<'_>], item: fn(&DataType, &DataType) -> DataType) -> Result<Typed, String> {
    let [map] = args else { return Err(format!("takes 1 argument, not {}", args.len())) };
    match pair_of(map.data_type) {
        Some((key, value)) => {
            Ok(Typed { args: vec![map.data_type.clone()], returns: array_of(item(key, value)) })
        }
        None => Err(format!("takes a MAP, not {}", sql_type(map.data_type))),
    }
}

/// The keys, or the values, of each map.
fn parts(call: &Call<'_>, part: fn(&Maps) -> ArrayRef) -> Result<ArrayRef, Failed> {
    let maps = Maps::of(call, 0)?;
    let DataType::List(field) = call.returns() else { return Err(Failed::from("an array is wanted")) };
    let (offsets, nulls) = (maps.map().offsets().clone(), maps.map().nulls().cloned());
    Ok(Arc::new(ListArray::try_new(Arc::clone(field), offsets, part(&maps), nulls)?))
}

fn entries(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let maps = Maps::of(call, 0)?;
    let wrong = || Failed::from("an array of rows is wanted");
    let DataType::List(field) = call.returns() else { return Err(wrong()) };
    let DataType::Struct(fields) = field.data_type() else { return Err(wrong()) };
    let fields: Fields = fields.clone();
    let pairs = vec![Arc::clone(maps.map().keys()), Arc::clone(maps.map().values())];
    let rows = Arc::new(StructArray::try_new(fields, pairs, None)?);
    let (offsets, nulls) = (maps.map().offsets().clone(), maps.map().nulls().cloned());
    Ok(Arc::new(ListArray::try_new(Arc::clone(field), offsets, rows, nulls)?))
}

/// Entries of maps under construction: of equal keys the last value counts.
pub(super) struct Entries {
    places: HashMap<Vec<u8>, usize>,
    pairs: Vec<((usize, usize), (usize, usize))>,
    keys: ListsOf,
    values: ListsOf,
}

impl Entries {
    pub(super) fn new(rows: usize) -> Self {
        let (keys, values) = (ListsOf::new(rows), ListsOf::new(rows));
        Entries { places: HashMap::new(), pairs: Vec::new(), keys, values }
    }

    /// A key, which has no bytes if it is equal to none, and where it and its value stand.
    pub(super) fn put(&mut self, key: Option<Vec<u8>>, key_at: (usize, usize), value_at: (usize, usize)) {
        let known = key.as_ref().and_then(|key| self.places.get(key).copied());
        match known {
            Some(place) => self.pairs[place].1 = value_at,
            None => {
                if let Some(key) = key {
                    self.places.insert(key, self.pairs.len());
                }
                self.pairs.push((key_at, value_at));
            }
        }
    }

    pub(super) fn end(&mut self) {
        self.places.clear();
        for (key, value) in self.pairs.drain(..) {
            self.keys.push(key.0, key.1);
            self.values.push(value.0, value.1);
        }
        self.keys.end();
        self.values.end();
    }

    fn null(&mut self) {
        self.keys.null();
        self.values.null();
    }

    /// The maps, of these sources of keys and of values.
    pub(super) fn finish(
        self,
        keys: &[&ArrayRef],
        values: &[&ArrayRef],
        returns: &DataType,
    ) -> Result<ArrayRef, Failed> {
        self.keys.finish_maps(keys, self.values, values, returns)
    }
}

fn from_arrays(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let (keys, values) = (Lists::of(call, 0)?, Lists::of(call, 1)?);
    let compared = Equality::new(keys.elements().data_type())?.keys(keys.elements())?;
    let mut maps = Entries::new(call.rows());
    for row in 0..call.rows() {
        let (Some(keys), Some(values)) = (keys.get(row), values.get(row)) else {
            maps.null();
            continue;
        };
        if keys.len() != values.len() {
            return Err(Failed(format!(
                "MAP_FROM_ARRAYS takes as many keys as values, not {} and {}",
                keys.len(),
                values.len()
            )));
        }
        for (key, value) in keys.zip(values) {
            maps.put(compared.get(key).map(|key| key.as_ref().to_vec()), (0, key), (0, value));
        }
        maps.end();
    }
    maps.finish(&[keys.elements()], &[values.elements()], call.returns())
}

fn union(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let all: Vec<Maps> = (0..call.arity()).map(|arg| Maps::of(call, arg)).collect::<Result<_, _>>()?;
    let (key, _) = pair_of(call.returns()).ok_or_else(|| Failed::from("MAP_UNION makes maps"))?;
    let equality = Equality::new(key)?;
    let compared = all.iter().map(|maps| equality.keys(maps.map().keys())).collect::<Result<Vec<_>, _>>()?;
    let mut maps = Entries::new(call.rows());
    for row in 0..call.rows() {
        let ranges: Option<Vec<_>> = all.iter().map(|maps| maps.get(row)).collect();
        let Some(ranges) = ranges else {
            maps.null();
            continue;
        };
        for (source, range) in ranges.into_iter().enumerate() {
            for place in range {
                let key = compared[source].get(place).map(|key| key.as_ref().to_vec());
                maps.put(key, (source, place), (source, place));
            }
        }
        maps.end();
    }
    let keys: Vec<&ArrayRef> = all.iter().map(|maps| maps.map().keys()).collect();
    let values: Vec<&ArrayRef> = all.iter().map(|maps| maps.map().values()).collect();
    maps.finish(&keys, &values, call.returns())
}
