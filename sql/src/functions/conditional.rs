//! Functions that choose between values, and that look at what a text is.
//!
//! As in Flink, what is not chosen is not computed, so that it does not fail either: in plans these calls are `CASE`s.

use super::common::{common_of, common_type};
use super::elements::{Equality, has_order, order};
use super::{Arg, Call, Failed, Function, Param, Typed, fixed};
use arrow::array::{Array, ArrayRef, AsArray, StringArray, new_null_array};
use arrow::compute::{interleave, is_not_null, kernels::zip::zip, prep_null_mask_filter};
use arrow::datatypes::DataType;
use millstream_operators::formats::sql_type;
use regex::Regex;
use std::sync::LazyLock;

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        names: &["IF"],
        signature: "IF(condition, value, otherwise)",
        types: |args| match args {
            [condition, value, otherwise] => {
                let condition = fixed(&[*condition], 1, &[Param::Bool], DataType::Boolean)?;
                let common = common_of(&[*value, *otherwise])?;
                Ok(Typed { args: [condition.args, vec![common.clone(); 2]].concat(), returns: common })
            }
            _ => Err(format!("takes a condition and two values, not {} arguments", args.len())),
        },
        eval: |call| {
            let condition = call.array(0)?;
            let is_true = prep_null_mask_filter(condition.as_boolean());
            Ok(zip(&is_true, &call.array(1)?, &call.array(2)?)?)
        },
        fails: false,
        examples: &[("IF(1 < 2, 'y', 'n')", "y"), ("IF(CAST(NULL AS BOOLEAN), 1, 2)", "2")],
    },
    Function {
        names: &["COALESCE"],
        signature: "COALESCE(value1, value2, ..)",
        types: |args| match args {
            [] => Err("takes at least 1 argument".to_owned()),
            args => alike(args),
        },
        eval: first_value,
        fails: false,
        examples: &[("COALESCE(CAST(NULL AS INT), 2, 3)", "2"), ("COALESCE(CAST(NULL AS INT), 2.5)", "2.5")],
    },
    Function {
        names: &["IFNULL"],
        signature: "IFNULL(value, otherwise)",
        types: |args| match args.len() {
            2 => alike(args),
            other => Err(format!("takes 2 arguments, not {other}")),
        },
        eval: first_value,
        fails: false,
        examples: &[("IFNULL(CAST(NULL AS STRING), 'z')", "z"), ("IFNULL(1, 1.5)", "1.0")],
    },
    Function {
        names: &["NULLIF"],
        signature: "NULLIF(value, other)",
        types: |args| match args {
            [value, other] => {
                common_of(&[*value, *other])?;
                let types = [value, other].map(|arg| arg.data_type.clone());
                Ok(Typed { args: types.to_vec(), returns: value.data_type.clone() })
            }
            _ => Err(format!("takes 2 arguments, not {}", args.len())),
        },
        eval: |call| {
            let (value, other) = (call.array(0)?, call.array(1)?);
            let common = common_type([value.data_type(), other.data_type()])?;
            let equality = Equality::new(&common)?;
            let keys = |array: &ArrayRef| equality.keys(&arrow::compute::cast(array, &common)?);
            let (values, others) = (keys(&value)?, keys(&other)?);
            let kept = (0..call.rows()).map(|row| {
                let equal = values.get(row).is_some_and(|value| others.get(row) == Some(value));
                (!equal).then_some(row)
            });
            super::collection::taken(&value, kept)
        },
        fails: false,
        examples: &[("NULLIF(1, 1)", "null"), ("NULLIF(1, 2)", "1"), ("NULLIF('a', 'a ')", "a")],
    },
    Function {
        names: &["GREATEST"],
        signature: "GREATEST(value1, value2, ..)",
        types: ordered,
        eval: |call| extreme(call, true),
        fails: false,
        examples: &[("GREATEST(1, 2.5)", "2.5"), ("GREATEST(7, CAST(NULL AS INT))", "null")],
    },
    Function {
        names: &["LEAST"],
        signature: "LEAST(value1, value2, ..)",
        types: ordered,
        eval: |call| extreme(call, false),
        fails: false,
        examples: &[("LEAST('b', 'a')", "a"), ("LEAST(7, CAST(NULL AS INT))", "null")],
    },
    Function {
        names: &["IS_ALPHA"],
        signature: "IS_ALPHA(value)",
        types: text_or_number,
        eval: |call| tested(call, |text| is_all(text, &LETTERS), |_| false),
        fails: false,
        examples: &[("IS_ALPHA('abc')", "true"), ("IS_ALPHA('a1')", "false"), ("IS_ALPHA('')", "false")],
    },
    Function {
        names: &["IS_DIGIT"],
        signature: "IS_DIGIT(value)",
        types: text_or_number,
        eval: |call| tested(call, |text| is_all(text, &DIGITS), |number| number.is_integer()),
        fails: false,
        examples: &[("IS_DIGIT('12')", "true"), ("IS_DIGIT('1.5')", "false"), ("IS_DIGIT(5)", "true")],
    },
    Function {
        names: &["IS_DECIMAL"],
        signature: "IS_DECIMAL(value)",
        types: text_or_number,
        eval: |call| tested(call, is_java_number, |number| !matches!(number, DataType::Decimal128(_, _))),
        fails: false,
        examples: &[
            ("IS_DECIMAL('-1e3')", "true"),
            ("IS_DECIMAL('1f')", "true"),
            ("IS_DECIMAL('1a')", "false"),
            ("IS_DECIMAL(CAST(NULL AS STRING))", "false"),
        ],
    },
];

/// Values of one type.
fn alike(args: &[Arg<'_>]) -> Result<Typed, String> {
    let common = common_of(args)?;
    Ok(Typed { args: vec![common.clone(); args.len()], returns: common })
}

/// Values of one type that has an order.
fn ordered(args: &[Arg<'_>]) -> Result<Typed, String> {
    if args.is_empty() {
        return Err("takes at least 1 argument".to_owned());
    }
    let typed = alike(args)?;
    match has_order(&typed.returns) || typed.returns == DataType::Boolean {
        true => Ok(typed),
        false => Err(format!("takes values that have an order, not {}", sql_type(&typed.returns))),
    }
}

fn first_value(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let mut found = new_null_array(call.returns(), call.rows());
    for arg in (0..call.arity()).rev() {
        let values = call.array(arg)?;
        found = zip(&is_not_null(&values)?, &values, &found)?;
    }
    Ok(found)
}

/// The greatest or the least; null where one is.
fn extreme(call: &Call<'_>, greatest: bool) -> Result<ArrayRef, Failed> {
    let rows = call.rows();
    let values: Vec<ArrayRef> = (0..call.arity()).map(|arg| call.array(arg)).collect::<Result<_, _>>()?;
    let parts: Vec<&dyn Array> = values.iter().map(|values| values.as_ref()).collect();
    let all = arrow::compute::concat(&parts)?;
    let order = order(&all)?;
    let chosen: Vec<(usize, usize)> = (0..rows)
        .map(|row| {
            let mut best = row;
            for place in (0..values.len()).map(|arg| arg * rows + row) {
                if all.is_null(place) {
                    best = place;
                    break;
                }
                if order(place, best).is_gt() == greatest && order(place, best).is_ne() {
                    best = place;
                }
            }
            (0, best)
        })
        .collect();
    Ok(interleave(&[all.as_ref()], &chosen)?)
}

fn text_or_number(args: &[Arg<'_>]) -> Result<Typed, String> {
    let is_number = args.first().is_some_and(|arg| Param::Number.accepts(arg.data_type));
    fixed(args, 1, &[if is_number { Param::Number } else { Param::Text }], DataType::Boolean)
}

/// Whether texts, or numbers of a type, are something. Null is nothing.
fn tested(
    call: &Call<'_>,
    text: impl Fn(&str) -> bool,
    number: fn(&DataType) -> bool,
) -> Result<ArrayRef, Failed> {
    if let Ok(texts) = call.column::<StringArray>(0) {
        return call.booleans(|row| Ok(Some(texts.get(row).is_some_and(&text))));
    }
    let numbers = call.array(0)?;
    let is = number(numbers.data_type());
    call.booleans(|row| Ok(Some(is && numbers.is_valid(row))))
}

/// Letters, and decimal digits, of any script.
static LETTERS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\p{L}+$").ok());
static DIGITS: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^\p{Nd}+$").ok());

/// Whether a text is of such characters, each of one unit of UTF-16.
fn is_all(text: &str, of: &LazyLock<Option<Regex>>) -> bool {
    of.as_ref().is_some_and(|of| of.is_match(text)) && text.chars().all(|char| char.len_utf16() == 1)
}

/// What Java reads as an `int`, a `long` or a `double`.
fn is_java_number(text: &str) -> bool {
    is_java_whole(text) || is_java_double(text.trim_matches(|char| char <= ' '))
}

/// A `long` of digits of any script; of more than 18 digits only those of ASCII are read, as a `double`.
fn is_java_whole(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    is_all(digits, &DIGITS) && digits.chars().count() <= 18
}

/// A `double` as Java writes it in its source, with the names of what is no number.
fn is_java_double(text: &str) -> bool {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    if matches!(unsigned, "NaN" | "Infinity") {
        return true;
    }
    let digits = unsigned.strip_suffix(['f', 'F', 'd', 'D']);
    if let Some(hexadecimal) = unsigned.strip_prefix("0x").or_else(|| unsigned.strip_prefix("0X")) {
        let hexadecimal = hexadecimal.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(hexadecimal);
        let Some((mantissa, exponent)) = hexadecimal.split_once(['p', 'P']) else { return false };
        return is_mantissa(mantissa, |char| char.is_ascii_hexdigit()) && is_exponent(exponent);
    }
    let unsigned = digits.unwrap_or(unsigned);
    match unsigned.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => {
            is_mantissa(mantissa, |char| char.is_ascii_digit()) && is_exponent(exponent)
        }
        None => is_mantissa(unsigned, |char| char.is_ascii_digit()),
    }
}

fn is_mantissa(text: &str, is_digit: fn(char) -> bool) -> bool {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    (!whole.is_empty() || !fraction.is_empty()) && whole.chars().chain(fraction.chars()).all(is_digit)
}

fn is_exponent(text: &str) -> bool {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit())
}
