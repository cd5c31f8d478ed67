//! What a function takes: types of arguments and of results.

use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use millstream_operators::formats::sql_type;

/// An argument as it is written.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Arg<'a> {
    /// Its type; [`DataType::Null`] for a `NULL` without one.
    pub(crate) data_type: &'a DataType,
    /// Its value, where it is a constant.
    pub(crate) literal: Option<&'a ScalarValue>,
}

impl Arg<'_> {
    /// The text that it is as a constant.
    pub(crate) fn text(&self) -> Option<&str> {
        match self.literal {
            Some(ScalarValue::Utf8(Some(text))) => Some(text),
            _ => None,
        }
    }
}

/// The types of a call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Typed {
    /// What the arguments are cast to, one each.
    pub(crate) args: Vec<DataType>,
    /// The result's.
    pub(crate) returns: DataType,
}

/// What a parameter takes, with what Flink casts to it without being asked. `NULL` is one of each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Param {
    /// `STRING`.
    Text,
    /// `BYTES`.
    Bytes,
    /// `BOOLEAN`.
    Bool,
    /// `INT`, and what is narrower.
    Int,
    /// `BIGINT`, and what is narrower.
    Long,
    /// `DOUBLE`, and every other number.
    Double,
    /// A number, which stays as it is.
    Number,
}

impl Param {
    /// Whether it takes a value of this type, which is not `NULL`.
    pub(super) fn accepts(self, found: &DataType) -> bool {
        *found != DataType::Null && self.takes(found).is_some()
    }

    fn takes(self, found: &DataType) -> Option<DataType> {
        use DataType as T;
        let is = |taken: bool, data_type: T| taken.then_some(data_type);
        let null = *found == T::Null;
        match self {
            Param::Text => is(null || *found == T::Utf8, T::Utf8),
            Param::Bytes => is(null || *found == T::Binary, T::Binary),
            Param::Bool => is(null || *found == T::Boolean, T::Boolean),
            Param::Int => is(null || matches!(found, T::Int8 | T::Int16 | T::Int32), T::Int32),
            Param::Long => is(null || matches!(found, T::Int8 | T::Int16 | T::Int32 | T::Int64), T::Int64),
            Param::Double => is(null || is_number(found), T::Float64),
            Param::Number if null => Some(T::Int32),
            Param::Number => is(is_number(found), found.clone()),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Param::Text => "STRING",
            Param::Bytes => "BYTES",
            Param::Bool => "BOOLEAN",
            Param::Int => "INT",
            Param::Long => "BIGINT",
            Param::Double => "DOUBLE",
            Param::Number => "a number",
        }
    }
}

/// A number's type.
pub(crate) fn is_number(data_type: &DataType) -> bool {
    use DataType as T;
    matches!(
        data_type,
        T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::Float32 | T::Float64 | T::Decimal128(_, _)
    )
}

/// The types of a call with these parameters, of which the ones from `least` on may be left out.
///
/// # Errors
/// What is wrong with the arguments.
pub(crate) fn fixed(
    args: &[Arg<'_>],
    least: usize,
    params: &[Param],
    returns: DataType,
) -> Result<Typed, String> {
    if !(least..=params.len()).contains(&args.len()) {
        let wanted = match least == params.len() {
            true => least.to_string(),
            false => format!("{least} to {}", params.len()),
        };
        return Err(format!("takes {wanted} arguments, not {}", args.len()));
    }
    typed(args, params.iter().copied(), returns)
}

/// The types of a call with these parameters, and then any number of one more.
///
/// # Errors
/// What is wrong with the arguments.
pub(crate) fn variadic(
    args: &[Arg<'_>],
    first: &[Param],
    rest: Param,
    returns: DataType,
) -> Result<Typed, String> {
    if args.len() < first.len() {
        return Err(format!("takes at least {} arguments, not {}", first.len(), args.len()));
    }
    typed(args, first.iter().copied().chain(std::iter::repeat(rest)), returns)
}

fn typed(args: &[Arg<'_>], params: impl Iterator<Item = Param>, returns: DataType) -> Result<Typed, String> {
    let mut types = Vec::with_capacity(args.len());
    for (index, (arg, param)) in args.iter().zip(params).enumerate() {
        let taken = param.takes(arg.data_type).ok_or_else(|| {
            format!("takes {} as argument {}, not {}", param.name(), index + 1, sql_type(arg.data_type))
        })?;
        types.push(taken);
    }
    Ok(Typed { args: types, returns })
}
