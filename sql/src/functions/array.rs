//! Functions of arrays.
//!
//! Elements are equal as values of SQL are (0 and -0 are, NaN is equal to nothing), and NULL is equal to NULL.

mod types;

use super::elements::{Equality, Lists, ListsOf, greater, has_equality, has_order, item_of, order};
use super::{Call, Failed, Function, Param, Typed, collection};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray, Int32Array, StringArray};
use arrow::datatypes::{DataType, Int32Type};
use arrow::row::Row;
use std::collections::HashSet;
use types::{one_array, one_of_order, several_arrays, with_element, with_options};

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        names: &["ARRAY_CONTAINS"],
        signature: "ARRAY_CONTAINS(array, element)",
        types: |args| with_element(args, |_| DataType::Boolean),
        eval: |call| {
            let found = places_of(call)?;
            call.booleans(|row| Ok(found[row].map(|place| place > 0)))
        },
        fails: false,
        examples: &[
            ("ARRAY_CONTAINS(ARRAY[1, 2], 2)", "true"),
            ("ARRAY_CONTAINS(ARRAY[1, CAST(NULL AS INT)], CAST(NULL AS INT))", "true"),
        ],
    },
    Function {
        names: &["ARRAY_POSITION"],
        signature: "ARRAY_POSITION(array, element)",
        types: |args| with_element(args, |_| DataType::Int32),
        eval: |call| {
            let found = places_of(call)?;
            let element = call.array(1)?;
            call.numbers::<Int32Type>(|row| Ok(found[row].filter(|_| element.is_valid(row))))
        },
        fails: false,
        examples: &[
            ("ARRAY_POSITION(ARRAY[1, 2, 2], 2)", "2"),
            ("ARRAY_POSITION(ARRAY[1, 2], 5)", "0"),
            ("ARRAY_POSITION(ARRAY[1, CAST(NULL AS INT)], CAST(NULL AS INT))", "null"),
        ],
    },
    Function {
        names: &["ARRAY_REMOVE"],
        signature: "ARRAY_REMOVE(array, element)",
        types: |args| with_element(args, |array| array.clone()),
        eval: remove,
        fails: false,
        examples: &[("ARRAY_REMOVE(ARRAY[1, 2, 1], 1)", "[2]")],
    },
    Function {
        names: &["ARRAY_APPEND"],
        signature: "ARRAY_APPEND(array, element)",
        types: |args| with_element(args, |array| array.clone()),
        eval: |call| {
            joined(call, |lists, row, range| {
                lists.extend(0, range);
                lists.push(1, row);
            })
        },
        fails: false,
        examples: &[("ARRAY_APPEND(ARRAY[1, 2], 3)", "[1, 2, 3]")],
    },
    Function {
        names: &["ARRAY_PREPEND"],
        signature: "ARRAY_PREPEND(array, element)",
        types: |args| with_element(args, |array| array.clone()),
        eval: |call| {
            joined(call, |lists, row, range| {
                lists.push(1, row);
                lists.extend(0, range);
            })
        },
        fails: false,
        examples: &[("ARRAY_PREPEND(ARRAY[1, 2], 0)", "[0, 1, 2]")],
    },
    Function {
        names: &["ARRAY_REVERSE"],
        signature: "ARRAY_REVERSE(array)",
        types: |args| one_array(args, |_| true),
        eval: |call| each(call, |range| range.rev().collect()),
        fails: false,
        examples: &[("ARRAY_REVERSE(ARRAY[1, 2, 3])", "[3, 2, 1]")],
    },
    Function {
        names: &["ARRAY_CONCAT"],
        signature: "ARRAY_CONCAT(array1, array2, ..)",
        types: |args| several_arrays(args, 1..=usize::MAX, false),
        eval: concat,
        fails: false,
        examples: &[("ARRAY_CONCAT(ARRAY[1], ARRAY[2, 3], ARRAY[4])", "[1, 2, 3, 4]")],
    },
    Function {
        names: &["ARRAY_DISTINCT"],
        signature: "ARRAY_DISTINCT(array)",
        types: |args| one_array(args, has_equality),
        eval: |call| set(call, |_| true),
        fails: false,
        examples: &[("ARRAY_DISTINCT(ARRAY[1, 2, 1])", "[1, 2]")],
    },
    Function {
        names: &["ARRAY_UNION"],
        signature: "ARRAY_UNION(array1, array2)",
        types: |args| several_arrays(args, 2..=2, true),
        eval: union,
        fails: false,
        examples: &[("ARRAY_UNION(ARRAY[1, 2, 2], ARRAY[2, 3])", "[1, 2, 3]")],
    },
    Function {
        names: &["ARRAY_EXCEPT"],
        signature: "ARRAY_EXCEPT(array1, array2)",
        types: |args| several_arrays(args, 2..=2, true),
        eval: |call| set(call, |is_in_second| !is_in_second),
        fails: false,
        examples: &[("ARRAY_EXCEPT(ARRAY[1, 2, 2, 3], ARRAY[2])", "[1, 3]")],
    },
    Function {
        names: &["ARRAY_INTERSECT"],
        signature: "ARRAY_INTERSECT(array1, array2)",
        types: |args| several_arrays(args, 2..=2, true),
        eval: |call| set(call, |is_in_second| is_in_second),
        fails: false,
        examples: &[("ARRAY_INTERSECT(ARRAY[1, 1, 2], ARRAY[2, 1])", "[1, 2]")],
    },
    Function {
        names: &["ARRAY_MAX"],
        signature: "ARRAY_MAX(array)",
        types: one_of_order,
        eval: |call| extreme(call, true),
        fails: false,
        examples: &[("ARRAY_MAX(ARRAY[1, 3, NULL])", "3"), ("ARRAY_MAX(CAST(NULL AS ARRAY<INT>))", "null")],
    },
    Function {
        names: &["ARRAY_MIN"],
        signature: "ARRAY_MIN(array)",
        types: one_of_order,
        eval: |call| extreme(call, false),
        fails: false,
        examples: &[("ARRAY_MIN(ARRAY['b', 'a'])", "a")],
    },
    Function {
        names: &["ARRAY_JOIN"],
        signature: "ARRAY_JOIN(array, delimiter [, null_replacement])",
        types: |args| {
            let is_texts = args.first().is_some_and(|arg| item_of(arg.data_type) == Some(&DataType::Utf8));
            let rest = args.get(1..).filter(|_| is_texts);
            let rest = rest.ok_or_else(|| "takes an ARRAY<STRING> and a delimiter".to_owned())?;
            let rest = super::fixed(rest, 1, &[Param::Text, Param::Text], DataType::Utf8)?;
            let array = args[0].data_type.clone();
            Ok(Typed { args: [vec![array], rest.args].concat(), returns: rest.returns })
        },
        eval: join,
        fails: true,
        examples: &[
            ("ARRAY_JOIN(ARRAY['a', NULL, 'b'], ',')", "a,b"),
            ("ARRAY_JOIN(ARRAY['a', NULL, 'b'], ',', '*')", "a,*,b"),
        ],
    },
    Function {
        names: &["ARRAY_SLICE"],
        signature: "ARRAY_SLICE(array, start [, end])",
        types: |args| with_options(args, 1, &[Param::Int, Param::Int], |_| true),
        eval: slice,
        fails: false,
        examples: &[
            ("ARRAY_SLICE(ARRAY[1, 2, 3, 4], 2, 3)", "[2, 3]"),
            ("ARRAY_SLICE(ARRAY[1, 2, 3, 4], -2)", "[3, 4]"),
            ("ARRAY_SLICE(ARRAY[1, 2, 3], 5)", "[]"),
        ],
    },
    Function {
        names: &["ARRAY_SORT"],
        signature: "ARRAY_SORT(array [, ascending [, nulls_first]])",
        types: |args| with_options(args, 0, &[Param::Bool, Param::Bool], has_order),
        eval: sort,
        fails: false,
        examples: &[
            ("ARRAY_SORT(ARRAY[3, NULL, 2])", "[null, 2, 3]"),
            ("ARRAY_SORT(ARRAY[3, NULL, 2], FALSE)", "[3, 2, null]"),
            ("ARRAY_SORT(ARRAY[3, NULL, 2], FALSE, TRUE)", "[null, 3, 2]"),
        ],
    },
];

/// Where the element stands in each array, from 1; 0 for nowhere.
fn places_of(call: &Call<'_>) -> Result<Vec<Option<i32>>, Failed> {
    let lists = Lists::of(call, 0)?;
    let wanted = call.array(1)?;
    let equality = Equality::new(wanted.data_type())?;
    let (elements, wanted) = (equality.keys(lists.elements())?, equality.keys(&wanted)?);
    let place = |row: usize| {
        let mut range = lists.get(row)?;
        let wanted = wanted.get(row);
        let found = wanted.and_then(|wanted| {
            range.position(|place| elements.get(place).is_some_and(|element| element == wanted))
        });
        Some(found.map_or(0, |place| place as i32 + 1))
    };
    Ok((0..call.rows()).map(place).collect())
}

fn remove(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let lists = Lists::of(call, 0)?;
    let removed = call.array(1)?;
    let equality = Equality::new(removed.data_type())?;
    let (elements, removed) = (equality.keys(lists.elements())?, equality.keys(&removed)?);
    let mut out = ListsOf::new(call.rows());
    for row in 0..call.rows() {
        let Some(range) = lists.get(row) else {
            out.null();
            continue;
        };
        let removed = removed.get(row);
        for place in range {
            let element = elements.get(place);
            if element.is_none() || element != removed {
                out.push(0, place);
            }
        }
        out.end();
    }
    out.finish(&[lists.elements()], call.returns())
}

/// Each array and its element, put together.
fn joined(call: &Call<'_>, put: fn(&mut ListsOf, usize, std::ops::Range<usize>)) -> Result<ArrayRef, Failed> {
    let lists = Lists::of(call, 0)?;
    let element = call.array(1)?;
    let mut out = ListsOf::new(call.rows());
    for row in 0..call.rows() {
        match lists.get(row) {
            Some(range) => {
                put(&mut out, row, range);
                out.end();
            }
            None => out.null(),
        }
    }
    out.finish(&[lists.elements(), &element], call.returns())
}

/// Each array by itself, its elements chosen anew.
fn each(call: &Call<'_>, choose: impl Fn(std::ops::Range<usize>) -> Vec<usize>) -> Result<ArrayRef, Failed> {
    let lists = Lists::of(call, 0)?;
    let mut out = ListsOf::new(call.rows());
    for row in 0..call.rows() {
        match lists.get(row) {
            Some(range) => {
                choose(range).into_iter().for_each(|place| out.push(0, place));
                out.end();
            }
            None => out.null(),
        }
    }
    out.finish(&[lists.elements()], call.returns())
}

fn all_lists(call: &Call<'_>) -> Result<Vec<Lists>, Failed> {
    (0..call.arity()).map(|arg| Lists::of(call, arg)).collect()
}

fn concat(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let all = all_lists(call)?;
    let mut out = ListsOf::new(call.rows());
    for row in 0..call.rows() {
        let ranges: Option<Vec<_>> = all.iter().map(|lists| lists.get(row)).collect();
        match ranges {
            Some(ranges) => {
                ranges.into_iter().enumerate().for_each(|(source, range)| out.extend(source, range));
                out.end();
            }
            None => out.null(),
        }
    }
    out.finish(&all.iter().map(Lists::elements).collect::<Vec<_>>(), call.returns())
}

fn union(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let all = all_lists(call)?;
    let item = item_of(call.returns()).ok_or_else(|| Failed::from("an array is wanted"))?;
    let equality = Equality::new(item)?;
    let keys = all.iter().map(|lists| equality.keys(lists.elements())).collect::<Result<Vec<_>, _>>()?;
    let mut out = ListsOf::new(call.rows());
    let mut seen: HashSet<Row<'_>> = HashSet::new();
    for row in 0..call.rows() {
        let ranges: Option<Vec<_>> = all.iter().map(|lists| lists.get(row)).collect();
        let Some(ranges) = ranges else {
            out.null();
            continue;
        };
        seen.clear();
        for (source, range) in ranges.into_iter().enumerate() {
            for place in range {
                if keys[source].get(place).is_none_or(|key| seen.insert(key)) {
                    out.push(source, place);
                }
            }
        }
        out.end();
    }
    out.finish(&all.iter().map(Lists::elements).collect::<Vec<_>>(), call.returns())
}

/// The elements of the first array, each once, which are kept by whether they are in the second one.
fn set(call: &Call<'_>, keep: fn(bool) -> bool) -> Result<ArrayRef, Failed> {
    let all = all_lists(call)?;
    let first = all.first().ok_or_else(|| Failed::from("an array is wanted"))?;
    let equality = Equality::new(first.elements().data_type())?;
    let keys = all.iter().map(|lists| equality.keys(lists.elements())).collect::<Result<Vec<_>, _>>()?;
    let mut out = ListsOf::new(call.rows());
    let (mut seen, mut second): (HashSet<Row<'_>>, HashSet<Row<'_>>) = (HashSet::new(), HashSet::new());
    for row in 0..call.rows() {
        let ranges: Option<Vec<_>> = all.iter().map(|lists| lists.get(row)).collect();
        let Some(mut ranges) = ranges else {
            out.null();
            continue;
        };
        seen.clear();
        second.clear();
        if ranges.len() > 1 {
            second.extend(ranges.swap_remove(1).filter_map(|place| keys[1].get(place)));
        }
        for place in ranges.swap_remove(0) {
            let key = keys[0].get(place);
            if keep(key.is_some_and(|key| second.contains(&key))) && key.is_none_or(|key| seen.insert(key)) {
                out.push(0, place);
            }
        }
        out.end();
    }
    out.finish(&[first.elements()], call.returns())
}

/// The first element that no other is beyond; null elements are left out.
fn extreme(call: &Call<'_>, greatest: bool) -> Result<ArrayRef, Failed> {
    let lists = Lists::of(call, 0)?;
    let elements = lists.elements();
    let greater = greater(elements)?;
    let beyond =
        |left: usize, right: usize| if greatest { greater(left, right) } else { greater(right, left) };
    let places = (0..call.rows()).map(|row| {
        let valid = lists.get(row)?.filter(|place| elements.is_valid(*place));
        valid.reduce(|best, place| if beyond(place, best) { place } else { best })
    });
    collection::taken(elements, places)
}

fn join(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let lists = Lists::of(call, 0)?;
    let texts = lists.elements().as_string_opt::<i32>().ok_or_else(|| Failed::from("joins texts"))?;
    let delimiter = call.column::<StringArray>(1)?;
    let replacement = match call.arity() {
        2 => None,
        _ => Some(call.column::<StringArray>(2)?),
    };
    call.write_texts(|row, out| {
        let Some((range, delimiter)) = lists.get(row).zip(delimiter.get(row)) else { return Ok(false) };
        let replacement = match &replacement {
            None => None,
            Some(replacement) => match replacement.get(row) {
                Some(replacement) => Some(replacement),
                None => return Ok(false),
            },
        };
        let mut first = true;
        for place in range {
            let text = if texts.is_null(place) { replacement } else { Some(texts.value(place)) };
            let Some(text) = text else { continue };
            if !std::mem::take(&mut first) {
                out.push_str(delimiter);
            }
            super::call::check_bytes(out.len() + text.len())?;
            out.push_str(text);
        }
        Ok(true)
    })
}

/// From one place to another, both counted from the end where they are negative.
fn slice(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let lists = Lists::of(call, 0)?;
    let start = call.column::<Int32Array>(1)?;
    let end = match call.arity() {
        2 => None,
        _ => Some(call.column::<Int32Array>(2)?),
    };
    let mut out = ListsOf::new(call.rows());
    for row in 0..call.rows() {
        let end = end.as_ref().map_or(Some(i32::MAX), |end| end.get(row));
        let Some(((range, start), end)) = lists.get(row).zip(start.get(row)).zip(end) else {
            out.null();
            continue;
        };
        let length = range.len() as i64;
        let place = |place: i32| i64::from(place) + if place < 0 { length + 1 } else { 0 };
        let first = place(start).max(1);
        let last = match place(end) {
            0 => 1,
            last => last.min(length),
        };
        if first <= last {
            out.extend(0, range.start + first as usize - 1..range.start + last as usize);
        }
        out.end();
    }
    out.finish(&[lists.elements()], call.returns())
}

/// In order; nulls are first where the order goes up, unless it is said.
fn sort(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let lists = Lists::of(call, 0)?;
    let elements = lists.elements();
    let order = order(elements)?;
    let option = |arg: usize| match arg < call.arity() {
        true => call.column::<BooleanArray>(arg).map(Some),
        false => Ok(None),
    };
    let (ascending, nulls_first) = (option(1)?, option(2)?);
    let mut out = ListsOf::new(call.rows());
    for row in 0..call.rows() {
        let ascending = ascending.as_ref().map_or(Some(true), |ascending| ascending.get(row));
        let nulls_first = nulls_first.as_ref().map_or(ascending, |nulls_first| nulls_first.get(row));
        let Some(((range, ascending), nulls_first)) = lists.get(row).zip(ascending).zip(nulls_first) else {
            out.null();
            continue;
        };
        let (nulls, mut values): (Vec<usize>, Vec<usize>) = range.partition(|place| elements.is_null(*place));
        values.sort_by(|left, right| if ascending { order(*left, *right) } else { order(*right, *left) });
        let (first, second) = if nulls_first { (nulls, values) } else { (values, nulls) };
        first.into_iter().chain(second).for_each(|place| out.push(0, place));
        out.end();
    }
    out.finish(&[elements], call.returns())
}
