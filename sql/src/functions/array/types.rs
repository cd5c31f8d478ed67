//! What functions of arrays take and give.

use crate::functions::common::{common_of, widens_to};
use crate::functions::elements::{array_of, has_equality, has_order, item_of};
use crate::functions::{Arg, Param, Typed, fixed};
use arrow::datatypes::DataType;
use millstream_operators::formats::sql_type;

fn item(arg: &Arg<'_>) -> Result<DataType, String> {
    let item = item_of(arg.data_type).cloned();
    item.ok_or_else(|| format!("takes an ARRAY, not {}", sql_type(arg.data_type)))
}

fn comparable(item: &DataType, is: fn(&DataType) -> bool) -> Result<(), String> {
    match is(item) {
        true => Ok(()),
        false => Err(format!("takes elements that can be compared, not {}", sql_type(item))),
    }
}

pub(super) fn one_array(args: &[Arg<'_>], is: fn(&DataType) -> bool) -> Result<Typed, String> {
    with_options(args, 0, &[], is)
}

/// An array, and others behind it of which some may be left out.
pub(super) fn with_options(
    args: &[Arg<'_>],
    least: usize,
    params: &[Param],
    is: fn(&DataType) -> bool,
) -> Result<Typed, String> {
    let Some((array, rest)) = args.split_first() else { return Err("takes an ARRAY".to_owned()) };
    let item = item(array)?;
    comparable(&item, is)?;
    let array = array_of(item);
    let options = fixed(rest, least, params, DataType::Boolean)
        .map_err(|_| format!("takes {} arguments behind the array: {params:?}", params.len()))?;
    Ok(Typed { args: [vec![array.clone()], options.args].concat(), returns: array })
}

/// The greatest or least element.
pub(super) fn one_of_order(args: &[Arg<'_>]) -> Result<Typed, String> {
    let typed = one_array(args, has_order)?;
    let item = item_of(&typed.returns).cloned().unwrap_or(DataType::Null);
    Ok(Typed { returns: item, ..typed })
}

/// An array and an element, which becomes one of the array's type if nothing of it is lost.
pub(super) fn with_element(args: &[Arg<'_>], returns: fn(&DataType) -> DataType) -> Result<Typed, String> {
    let [array, element] = args else {
        return Err(format!("takes an ARRAY and an element, not {} arguments", args.len()));
    };
    let item = item(array)?;
    comparable(&item, has_equality)?;
    if !widens_to(element.data_type, &item) {
        let (item, element) = (sql_type(&item), sql_type(element.data_type));
        return Err(format!("takes an element of the array's type {item}, not {element}: CAST it"));
    }
    let array = array_of(item.clone());
    Ok(Typed { returns: returns(&array), args: vec![array, item] })
}

/// Arrays of a type in common.
pub(super) fn several_arrays(
    args: &[Arg<'_>],
    count: std::ops::RangeInclusive<usize>,
    compares: bool,
) -> Result<Typed, String> {
    if !count.contains(&args.len()) {
        return Err(format!("takes {} arrays, not {}", count.start(), args.len()));
    }
    let item = item(&Arg { data_type: &common_of(args)?, literal: None })?;
    comparable(&item, if compares { has_equality } else { |_| true })?;
    let array = array_of(item);
    Ok(Typed { args: vec![array.clone(); args.len()], returns: array })
}
