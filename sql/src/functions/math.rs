//! Functions of numbers.

mod round;

use super::signature::is_number;
use super::{Arg, Call, Failed, Function, Param, Typed, fixed, temporal};
use arrow::array::{ArrayRef, ArrowPrimitiveType, Decimal128Array, Float64Array, PrimitiveArray};
use arrow::datatypes::{
    DataType, Decimal128Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
};
use millstream_operators::formats::sql_type;

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        names: &["ABS"],
        signature: "ABS(number)",
        types: same_number,
        eval: abs,
        fails: false,
        examples: &[("ABS(-7)", "7"), ("ABS(-1.50)", "1.50")],
    },
    Function {
        names: &["SIGN"],
        signature: "SIGN(number)",
        types: same_number,
        eval: sign,
        fails: false,
        examples: &[("SIGN(-7)", "-1"), ("SIGN(1.5E0)", "1.0")],
    },
    Function {
        names: &["FLOOR"],
        signature: "FLOOR(number), FLOOR(time TO unit)",
        types: |args| match args {
            [_] => round::whole_types(args),
            _ => temporal::round_types(args, false),
        },
        eval: |call| match call.arity() {
            1 => round::whole(call, f64::floor, |value, by| value.div_euclid(by)),
            _ => temporal::rounded(call, false),
        },
        fails: true,
        examples: &[
            ("FLOOR(-1.5)", "-2"),
            ("FLOOR(TIMESTAMP '2024-02-29 12:34:56' TO MONTH)", "2024-02-01T00:00"),
        ],
    },
    Function {
        names: &["CEIL", "CEILING"],
        signature: "CEIL(number), CEIL(time TO unit)",
        types: |args| match args {
            [_] => round::whole_types(args),
            _ => temporal::round_types(args, true),
        },
        eval: |call| match call.arity() {
            1 => round::whole(call, f64::ceil, |value, by| -(-value).div_euclid(by)),
            _ => temporal::rounded(call, true),
        },
        fails: true,
        examples: &[
            ("CEIL(1.2)", "2"),
            ("CEILING(TIMESTAMP '2024-02-29 12:34:56' TO HOUR)", "2024-02-29T13:00"),
        ],
    },
    Function {
        names: &["ROUND"],
        signature: "ROUND(number[, digits])",
        types: round::types,
        eval: |call| round::eval(call, true),
        fails: true,
        examples: &[("ROUND(2.5)", "3"), ("ROUND(1.005E0, 2)", "1.01"), ("ROUND(1250, -2)", "1300")],
    },
    Function {
        names: &["TRUNCATE"],
        signature: "TRUNCATE(number[, digits])",
        types: round::types,
        eval: |call| round::eval(call, false),
        fails: true,
        examples: &[("TRUNCATE(12.39, 1)", "12.3"), ("TRUNCATE(-45, -1)", "-40")],
    },
    Function {
        names: &["POWER"],
        signature: "POWER(number, number)",
        types: two_doubles,
        eval: |call| doubles(call, f64::powf),
        fails: false,
        examples: &[("POWER(2, 10)", "1024.0")],
    },
    Function {
        names: &["ATAN2"],
        signature: "ATAN2(number, number)",
        types: two_doubles,
        eval: |call| doubles(call, f64::atan2),
        fails: false,
        examples: &[("ATAN2(0, 1)", "0.0")],
    },
    Function {
        names: &["LOG"],
        signature: "LOG([base,] number)",
        types: |args| fixed(args, 1, &[Param::Double, Param::Double], DataType::Float64),
        eval: |call| match call.arity() {
            1 => double(call, f64::ln),
            _ => doubles(call, |base, value| value.ln() / base.ln()),
        },
        fails: false,
        examples: &[("LOG(2, 8)", "3.0")],
    },
    of_double(&["LN"], "LN(number)", |call| double(call, f64::ln), &[("LN(1)", "0.0")]),
    of_double(&["LOG10"], "LOG10(number)", |call| double(call, f64::log10), &[("LOG10(100)", "2.0")]),
    of_double(
        &["LOG2"],
        "LOG2(number)",
        |call| double(call, |value| value.ln() / std::f64::consts::LN_2),
        &[("LOG2(8)", "3.0")],
    ),
    of_double(&["EXP"], "EXP(number)", |call| double(call, f64::exp), &[("EXP(0)", "1.0")]),
    of_double(
        &["SQRT"],
        "SQRT(number)",
        |call| double(call, f64::sqrt),
        &[("SQRT(16)", "4.0"), ("SQRT(-1)", "NaN")],
    ),
    of_double(&["SIN"], "SIN(number)", |call| double(call, f64::sin), &[("SIN(0)", "0.0")]),
    of_double(&["COS"], "COS(number)", |call| double(call, f64::cos), &[("COS(0)", "1.0")]),
    of_double(&["TAN"], "TAN(number)", |call| double(call, f64::tan), &[("TAN(0)", "0.0")]),
    of_double(
        &["COT"],
        "COT(number)",
        |call| double(call, |value| 1.0 / value.tan()),
        &[("COT(0)", "Infinity")],
    ),
    of_double(&["ASIN"], "ASIN(number)", |call| double(call, f64::asin), &[("ASIN(0)", "0.0")]),
    of_double(&["ACOS"], "ACOS(number)", |call| double(call, f64::acos), &[("ACOS(1)", "0.0")]),
    of_double(&["ATAN"], "ATAN(number)", |call| double(call, f64::atan), &[("ATAN(0)", "0.0")]),
    of_double(&["SINH"], "SINH(number)", |call| double(call, f64::sinh), &[("SINH(0)", "0.0")]),
    of_double(&["COSH"], "COSH(number)", |call| double(call, f64::cosh), &[("COSH(0)", "1.0")]),
    of_double(&["TANH"], "TANH(number)", |call| double(call, f64::tanh), &[("TANH(0)", "0.0")]),
    of_double(
        &["DEGREES"],
        "DEGREES(number)",
        |call| double(call, |value| value * DEGREES_OF_RADIAN),
        &[("DEGREES(0)", "0.0")],
    ),
    of_double(
        &["RADIANS"],
        "RADIANS(number)",
        |call| double(call, |value| value * RADIANS_OF_DEGREE),
        &[("RADIANS(0)", "0.0")],
    ),
    Function {
        names: &["E"],
        signature: "E()",
        types: |args| fixed(args, 0, &[], DataType::Float64),
        eval: |call| call.numbers::<Float64Type>(|_| Ok(Some(std::f64::consts::E))),
        fails: false,
        examples: &[("E()", "2.718281828459045")],
    },
    Function {
        names: &["PI"],
        signature: "PI()",
        types: |args| fixed(args, 0, &[], DataType::Float64),
        eval: |call| call.numbers::<Float64Type>(|_| Ok(Some(std::f64::consts::PI))),
        fails: false,
        examples: &[("PI()", "3.141592653589793")],
    },
];

/// Java's constants, which multiply.
const DEGREES_OF_RADIAN: f64 = 57.295_779_513_082_32;
const RADIANS_OF_DEGREE: f64 = 0.017_453_292_519_943_295;

const fn of_double(
    names: &'static [&'static str],
    signature: &'static str,
    eval: fn(&Call<'_>) -> Result<ArrayRef, Failed>,
    examples: &'static [(&'static str, &'static str)],
) -> Function {
    let types = |args: &[Arg<'_>]| fixed(args, 1, &[Param::Double], DataType::Float64);
    Function { names, signature, types, eval, fails: false, examples }
}

fn two_doubles(args: &[Arg<'_>]) -> Result<Typed, String> {
    fixed(args, 2, &[Param::Double, Param::Double], DataType::Float64)
}

fn double(call: &Call<'_>, value: fn(f64) -> f64) -> Result<ArrayRef, Failed> {
    let numbers = call.column::<Float64Array>(0)?;
    call.numbers::<Float64Type>(|row| Ok(numbers.get(row).map(value)))
}

fn doubles(call: &Call<'_>, value: fn(f64, f64) -> f64) -> Result<ArrayRef, Failed> {
    let (left, right) = (call.column::<Float64Array>(0)?, call.column::<Float64Array>(1)?);
    call.numbers::<Float64Type>(|row| {
        Ok(left.get(row).zip(right.get(row)).map(|(left, right)| value(left, right)))
    })
}

/// One number; the result is of its type.
fn same_number(args: &[Arg<'_>]) -> Result<Typed, String> {
    match args {
        [number] if is_number(number.data_type) => {
            Ok(Typed { args: vec![number.data_type.clone()], returns: number.data_type.clone() })
        }
        [other] => Err(format!("takes a number, not {}", sql_type(other.data_type))),
        _ => Err(format!("takes one number, not {}", args.len())),
    }
}

fn numbers<T: ArrowPrimitiveType>(
    call: &Call<'_>,
    value: fn(T::Native) -> T::Native,
) -> Result<ArrayRef, Failed> {
    let numbers = call.column::<PrimitiveArray<T>>(0)?;
    call.numbers::<T>(|row| Ok(numbers.get(row).map(value)))
}

fn abs(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    match call.returns() {
        DataType::Int8 => numbers::<Int8Type>(call, i8::wrapping_abs),
        DataType::Int16 => numbers::<Int16Type>(call, i16::wrapping_abs),
        DataType::Int32 => numbers::<Int32Type>(call, i32::wrapping_abs),
        DataType::Int64 => numbers::<Int64Type>(call, i64::wrapping_abs),
        DataType::Float32 => numbers::<Float32Type>(call, f32::abs),
        DataType::Float64 => numbers::<Float64Type>(call, f64::abs),
        _ => numbers::<Decimal128Type>(call, i128::wrapping_abs),
    }
}

fn sign(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    match call.returns() {
        DataType::Int8 => numbers::<Int8Type>(call, i8::signum),
        DataType::Int16 => numbers::<Int16Type>(call, i16::signum),
        DataType::Int32 => numbers::<Int32Type>(call, i32::signum),
        DataType::Int64 => numbers::<Int64Type>(call, i64::signum),
        // 0 has no sign.
        DataType::Float32 => {
            numbers::<Float32Type>(call, |value| if value == 0.0 { value } else { value.signum() })
        }
        DataType::Float64 => {
            numbers::<Float64Type>(call, |value| if value == 0.0 { value } else { value.signum() })
        }
        _ => {
            let values = call.column::<Decimal128Array>(0)?;
            let one = super::values::decimal::power(values.array().scale().unsigned_abs().into());
            let one = one.ok_or_else(|| Failed::from("the decimal has too many digits"))?;
            call.numbers::<Decimal128Type>(|row| Ok(values.get(row).map(|value| value.signum() * one)))
        }
    }
}
