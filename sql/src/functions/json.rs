//! Functions of JSON texts: SQL/JSON, with paths as Flink's library follows them ([`path`]).
//!
//! The clauses of a call, `RETURNING INT NULL ON EMPTY`, are arguments that the planner makes of them ([`clauses`]).

pub(crate) mod clauses;
mod path;
mod quote;
mod scan;
mod values;
mod write;

pub(super) use values::{check as check_json, push as push_json, push_timestamp};
pub(super) use write::push_object;

use super::search::texts;
use super::{Arg, Call, Failed, Function, Param, Typed, fixed};
use arrow::array::{
    Array, ArrayRef, BooleanArray, Float64Array, Int32Array, ListBuilder, StringArray, StringBuilder,
};
use arrow::datatypes::{DataType, Float64Type, Int32Type};
use clauses::{Action, Clauses, Returning, Wrapper};
use millstream_operators::formats::sql_type;
use path::{BadPath, Found, Miss, Path};
use scan::{Kind, Value};
use std::borrow::Cow;
use std::sync::Arc;

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        names: &["JSON_VALUE"],
        signature: "JSON_VALUE(json, path [RETURNING type] [{NULL | ERROR | DEFAULT value} ON EMPTY] [.. ON ERROR])",
        types: types_of_value,
        eval: json_value,
        fails: true,
        examples: &[
            (r#"JSON_VALUE('{"a": {"b": [1, "x"]}}', '$.a.b[1]')"#, "x"),
            (r#"JSON_VALUE('{"a": 1.50}', '$.a')"#, "1.50"),
            (r#"JSON_VALUE('{"a": 7}', '$.a' RETURNING INT)"#, "7"),
            (r#"JSON_VALUE('{"a": 1}', 'lax $.b' DEFAULT 'none' ON EMPTY)"#, "none"),
            (r#"JSON_VALUE('{"a": 1}', 'strict $.b' DEFAULT 'wrong' ON ERROR)"#, "wrong"),
        ],
    },
    Function {
        names: &["JSON_QUERY"],
        signature: "JSON_QUERY(json, path [RETURNING type] [{WITH | WITHOUT} .. WRAPPER] [.. ON EMPTY] [.. ON ERROR])",
        types: types_of_query,
        eval: json_query,
        fails: true,
        examples: &[
            (
                r#"JSON_QUERY('{"b": 1, "a": [1.0, {"d": 2, "c": 3}]}', '$')"#,
                r#"{"a":[1.0,{"c":3,"d":2}],"b":1}"#,
            ),
            (r#"JSON_QUERY('{"a": "x"}', '$.a' WITH CONDITIONAL ARRAY WRAPPER)"#, r#"["x"]"#),
            (r#"JSON_QUERY('[{"x": 1}, {"x": 2}]', '$[*].x')"#, "[1,2]"),
            (r#"JSON_QUERY('{"a": [1, "x", null]}', '$.a' RETURNING ARRAY<STRING>)"#, "[1, x, null]"),
            (r#"JSON_QUERY('{"a": {"x": 1, "y": 2}}', '$.a["x","y"]')"#, r#"{"x":1,"y":2}"#),
            (
                r#"JSON_QUERY('{"a": {"x": 1, "y": {"x": 2}}}', '$..*')"#,
                r#"[{"x":1,"y":{"x":2}},1,{"x":2},2]"#,
            ),
            (r#"JSON_QUERY('{"a": [[1], [2, 3]]}', '$.a[*][-1]')"#, "[1,3]"),
            (r#"JSON_QUERY('5', 'lax $.b.c[*]')"#, "[]"),
            (r#"JSON_QUERY('{"a": 1}', '$.b' EMPTY ARRAY ON ERROR)"#, "[]"),
        ],
    },
    Function {
        names: &["JSON_EXISTS"],
        signature: "JSON_EXISTS(json, path [{TRUE | FALSE | UNKNOWN | ERROR} ON ERROR])",
        types: |args| with_path(args, 0, |_| DataType::Boolean),
        eval: json_exists,
        fails: true,
        examples: &[
            (r#"JSON_EXISTS('{"a": [1]}', '$.a[0]')"#, "true"),
            (r#"JSON_EXISTS('{"a": null}', '$.a')"#, "false"),
            (r#"JSON_EXISTS('{"a": 1}', '$.b' UNKNOWN ON ERROR)"#, "null"),
        ],
    },
    Function {
        names: &["IS_JSON"],
        signature: "value IS [NOT] JSON [VALUE | SCALAR | ARRAY | OBJECT]",
        types: |args| fixed(args, 1, &[Param::Text, Param::Text], DataType::Boolean),
        eval: is_json,
        fails: false,
        examples: &[
            (r#"'{"a": 1}' IS JSON"#, "true"),
            ("'[1]' IS JSON OBJECT", "false"),
            ("'x' IS NOT JSON", "true"),
            ("CAST(NULL AS STRING) IS JSON", "false"),
        ],
    },
    Function {
        names: &["JSON_STRING"],
        signature: "JSON_STRING(value)",
        types: |args| match args {
            [value] => {
                values::check(value.data_type)?;
                Ok(Typed { args: vec![value.data_type.clone()], returns: DataType::Utf8 })
            }
            args => Err(format!("takes 1 argument, not {}", args.len())),
        },
        eval: |call| {
            let value = call.array(0)?;
            call.write_texts(|row, out| match value.is_null(row) {
                true => Ok(false),
                false => values::push(&value, row, out).map(|()| true),
            })
        },
        fails: false,
        examples: &[
            ("JSON_STRING(1.50)", "1.50"),
            ("JSON_STRING('a\"b')", r#""a\"b""#),
            ("JSON_STRING(MAP['b', 1, 'a', 2])", r#"{"a":2,"b":1}"#),
        ],
    },
    Function {
        names: &["JSON_OBJECT"],
        signature: "JSON_OBJECT([[KEY] key VALUE value, ..] [{NULL | ABSENT} ON NULL])",
        types: values::types_of_object,
        eval: values::object,
        fails: true,
        examples: &[
            ("JSON_OBJECT('b' VALUE 1, KEY 'a' VALUE 'x')", r#"{"a":"x","b":1}"#),
            ("JSON_OBJECT('k' VALUE CAST(NULL AS INT) ABSENT ON NULL)", "{}"),
            ("JSON_OBJECT('o' VALUE JSON_ARRAY(1, 2))", r#"{"o":[1,2]}"#),
        ],
    },
    Function {
        names: &["JSON_ARRAY"],
        signature: "JSON_ARRAY([value1, value2, ..] [{NULL | ABSENT} ON NULL])",
        types: values::types_of_array,
        eval: values::array,
        fails: true,
        examples: &[
            ("JSON_ARRAY(1, 'x', CAST(NULL AS INT))", r#"[1,"x"]"#),
            ("JSON_ARRAY(CAST(NULL AS INT) NULL ON NULL)", "[null]"),
            (r#"JSON_ARRAY(JSON('{"b": 1, "a": 2}'))"#, r#"[{"a":2,"b":1}]"#),
        ],
    },
    Function {
        names: &["JSON_QUOTE"],
        signature: "JSON_QUOTE(string)",
        types: super::string::text_of_text,
        eval: |call| {
            let text = call.column::<StringArray>(0)?;
            call.write_texts(|row, out| Ok(text.get(row).map(|text| quote::push_quoted(text, out)).is_some()))
        },
        fails: false,
        examples: &[("JSON_QUOTE('a\"/é')", r#""a\"\/\u00e9""#)],
    },
    Function {
        names: &["JSON_UNQUOTE"],
        signature: "JSON_UNQUOTE(string)",
        types: super::string::text_of_text,
        eval: |call| super::string::mapped(call, quote::unquoted),
        fails: false,
        examples: &[(r#"JSON_UNQUOTE('"a\u00e9"')"#, "aé"), (r#"JSON_UNQUOTE('[1, "a"]')"#, r#"[1, "a"]"#)],
    },
];

/// A text, a path, the clauses, and as many values for their defaults.
fn with_path(
    args: &[Arg<'_>],
    defaults: usize,
    returns: impl Fn(&Clauses) -> DataType,
) -> Result<Typed, String> {
    let clauses = match args.get(2) {
        None => Clauses::default(),
        Some(clauses) => Clauses::of(clauses)?,
    };
    if args.len() != 2 && args.len() != 3 + defaults {
        return Err(format!("takes a text and a path, not {} arguments", args.len()));
    }
    if let Some(Err(BadPath::Unsupported(what))) = args.get(1).and_then(Arg::text).map(Path::parse) {
        return Err(format!("does not support paths with {what}"));
    }
    let returns = returns(&clauses);
    let mut types = fixed(&args[..2], 2, &[Param::Text, Param::Text], DataType::Utf8)?.args;
    if args.len() > 2 {
        types.push(DataType::Utf8);
    }
    for default in args.iter().skip(3) {
        let fits = super::common::widens_to(default.data_type, &returns)
            || (returns == DataType::Utf8 && !default.data_type.is_nested());
        if !fits {
            let (default, returns) = (sql_type(default.data_type), sql_type(&returns));
            return Err(format!(
                "can't have a default of type {default} where it returns {returns}: CAST it"
            ));
        }
        types.push(returns.clone());
    }
    Ok(Typed { args: types, returns })
}

fn types_of_value(args: &[Arg<'_>]) -> Result<Typed, String> {
    with_path(args, 2, |clauses| match clauses.returning {
        Returning::Int => DataType::Int32,
        Returning::Double => DataType::Float64,
        Returning::Bool => DataType::Boolean,
        Returning::Text | Returning::Texts => DataType::Utf8,
    })
}

fn types_of_query(args: &[Arg<'_>]) -> Result<Typed, String> {
    with_path(args, 0, |clauses| match clauses.returning {
        Returning::Texts => texts(),
        _ => DataType::Utf8,
    })
}

/// The text and the path of each row, followed.
struct Followed<'a> {
    text: super::Column<'a, StringArray>,
    path: super::Column<'a, StringArray>,
    clauses: Clauses,
    last: Option<(&'a str, Result<Path, BadPath>)>,
}

/// What a path found in a row, or why it found nothing.
type Outcome<'t> = Result<Found<'t>, &'static str>;

impl<'a> Followed<'a> {
    fn new(call: &Call<'a>) -> Result<Self, Failed> {
        let clauses = match call.arity() {
            2 => Clauses::default(),
            _ => {
                let written = call.column::<StringArray>(2)?.get(0).unwrap_or_default();
                Clauses::parse(written).ok_or_else(|| Failed::from("the clauses can't be read"))?
            }
        };
        Ok(Followed { text: call.column(0)?, path: call.column(1)?, clauses, last: None })
    }

    /// Whether the path is `lax`, and what it found; `None` where the text or the path is null.
    fn get(&mut self, row: usize) -> Result<Option<(bool, Outcome<'a>)>, Failed> {
        let Some((text, path)) = self.text.get(row).zip(self.path.get(row)) else { return Ok(None) };
        if self.last.as_ref().is_none_or(|(last, _)| *last != path) {
            self.last = Some((path, Path::parse(path)));
        }
        let path = match &self.last {
            Some((_, Ok(path))) => path,
            Some((_, Err(BadPath::Unsupported(what)))) => {
                return Err(Failed(format!("paths with {what} are not supported")));
            }
            _ => return Ok(Some((false, Err("the path is none")))),
        };
        match path.follow(text) {
            Ok(found) => Ok(Some((path.lax, Ok(found)))),
            Err(Miss::NoJson) => Ok(Some((path.lax, Err("the text is no JSON")))),
            Err(Miss::NotFound | Miss::NullRoot) => Ok(Some((path.lax, Err("there is nothing at the path")))),
            Err(Miss::TooMuch) => Err(Failed::from("the path finds too many values")),
        }
    }
}

/// What a row becomes: a value that was found, or what a clause says.
enum Chosen<'t> {
    Value(Value<'t>),
    OnEmpty,
    OnError(&'static str),
}

fn misfit(value: Value<'_>, wanted: &str) -> Failed {
    Failed(format!("JSON_VALUE finds {} where {wanted} is wanted", value.text))
}

fn number<T: std::str::FromStr>(value: Value<'_>) -> Option<T> {
    Some(value).filter(|value| value.kind == Kind::Number)?.text.parse().ok()
}

fn json_value(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let mut followed = Followed::new(call)?;
    let (on_empty, on_error) = (followed.clauses.on_empty, followed.clauses.on_error);
    let mut chosen = |row: usize| -> Result<Option<Chosen<'_>>, Failed> {
        let Some((lax, found)) = followed.get(row)? else { return Ok(None) };
        Ok(Some(match found {
            Err(why) => Chosen::OnError(why),
            Ok(Found::One(value)) if value.kind == Kind::Null => Chosen::OnEmpty,
            Ok(Found::One(value)) if value.kind.is_scalar() => Chosen::Value(value),
            Ok(Found::Nothing) => Chosen::OnEmpty,
            Ok(_) if lax => Chosen::OnEmpty,
            Ok(_) => Chosen::OnError("there is an array or an object at the path"),
        }))
    };
    // The argument that is the value, by what is chosen; `None` for null.
    let default = |chosen: &Chosen<'_>| {
        let (action, place, why) = match chosen {
            Chosen::Value(_) => return Ok(None),
            Chosen::OnEmpty => (on_empty, 3, "there is nothing at the path"),
            Chosen::OnError(why) => (on_error, 4, *why),
        };
        match action {
            Action::Default => Ok(Some(place)),
            Action::Error => Err(Failed(format!("JSON_VALUE: {why}"))),
            _ => Ok(None),
        }
    };
    match call.returns() {
        DataType::Int32 => {
            let defaults = defaults::<Int32Array>(call)?;
            call.numbers::<Int32Type>(|row| match chosen(row)? {
                None => Ok(None),
                Some(Chosen::Value(value)) => {
                    number::<i32>(value).map(Some).ok_or_else(|| misfit(value, "an INT"))
                }
                Some(other) => Ok(default(&other)?.and_then(|place| defaults.get(place - 3)?.get(row))),
            })
        }
        DataType::Float64 => {
            let defaults = defaults::<Float64Array>(call)?;
            call.numbers::<Float64Type>(|row| match chosen(row)? {
                None => Ok(None),
                Some(Chosen::Value(value)) => {
                    number::<f64>(value).map(Some).ok_or_else(|| misfit(value, "a DOUBLE"))
                }
                Some(other) => Ok(default(&other)?.and_then(|place| defaults.get(place - 3)?.get(row))),
            })
        }
        DataType::Boolean => {
            let defaults = defaults::<BooleanArray>(call)?;
            call.booleans(|row| match chosen(row)? {
                None => Ok(None),
                Some(Chosen::Value(value)) if value.kind == Kind::Bool => Ok(Some(value.text == "true")),
                Some(Chosen::Value(value)) => Err(misfit(value, "a BOOLEAN")),
                Some(other) => Ok(default(&other)?.and_then(|place| defaults.get(place - 3)?.get(row))),
            })
        }
        _ => {
            let defaults = defaults::<StringArray>(call)?;
            call.texts(|row| match chosen(row)? {
                None => Ok(None),
                Some(Chosen::Value(value)) => Ok(path::scalar_text(value)),
                Some(other) => {
                    let default = default(&other)?.and_then(|place| defaults.get(place - 3)?.get(row));
                    Ok(default.map(Cow::Borrowed))
                }
            })
        }
    }
}

/// The values for `DEFAULT .. ON EMPTY` and `DEFAULT .. ON ERROR`.
fn defaults<'a, A: Array + 'static>(call: &Call<'a>) -> Result<Vec<super::Column<'a, A>>, Failed>
where
    &'a A: arrow::array::ArrayAccessor,
{
    (3..call.arity()).map(|place| call.column::<A>(place)).collect()
}

/// What a row of `JSON_QUERY` becomes: JSON as it is written, or what a clause says.
fn queried<'t>(
    wrapper: Wrapper,
    outcome: (bool, Outcome<'t>),
) -> Result<Result<Cow<'t, str>, (bool, &'static str)>, Failed> {
    let (lax, found) = outcome;
    let empty = Ok(Err((true, "there is nothing at the path")));
    let (text, kind): (Cow<'t, str>, Kind) = match found {
        Err(why) => return Ok(Err((false, why))),
        Ok(Found::Nothing) => return empty,
        Ok(Found::One(value)) if value.kind == Kind::Null => return empty,
        Ok(Found::One(value)) => {
            let mut out = String::new();
            write::push_value(value, &mut out).map_err(|_| Failed::from("the text is no JSON"))?;
            (out.into(), value.kind)
        }
        Ok(Found::Made(made)) => {
            let kind = if made.starts_with('[') { Kind::Array } else { Kind::Object };
            (made.into(), kind)
        }
    };
    let wrapped = match wrapper {
        Wrapper::Without => false,
        Wrapper::Conditional => kind != Kind::Array,
        Wrapper::Unconditional => true,
    };
    Ok(match (wrapped, kind.is_scalar()) {
        (true, _) => Ok(format!("[{text}]").into()),
        (false, false) => Ok(text),
        (false, true) if lax => Err((true, "there is no array and no object at the path")),
        (false, true) => Err((false, "there is no array and no object at the path")),
    })
}

fn json_query(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let mut followed = Followed::new(call)?;
    let Clauses { wrapper, on_empty, on_error, .. } = followed.clauses;
    let is_list = matches!(call.returns(), DataType::List(_));
    let mut text = |row: usize| -> Result<Option<Cow<'_, str>>, Failed> {
        let Some(outcome) = followed.get(row)? else { return Ok(None) };
        let (empty, why) = match queried(wrapper, outcome)? {
            Ok(text) if is_list && !text.starts_with('[') => (false, "there is no array at the path"),
            Ok(text) => return Ok(Some(text)),
            Err(why) => why,
        };
        match if empty { on_empty } else { on_error } {
            Action::Error => Err(Failed(format!("JSON_QUERY: {why}"))),
            Action::EmptyArray => Ok(Some("[]".into())),
            Action::EmptyObject if !is_list => Ok(Some("{}".into())),
            Action::EmptyObject => Err(Failed::from("JSON_QUERY returns arrays, and an object is none")),
            _ => Ok(None),
        }
    };
    if !is_list {
        return call.texts(text);
    }
    let mut lists = ListBuilder::with_capacity(StringBuilder::new(), call.rows());
    for row in 0..call.rows() {
        match text(row)? {
            None => lists.append(false),
            Some(text) => {
                push_elements(&text, lists.values()).map_err(|_| Failed::from("the text is no JSON"))?;
                lists.append(true);
            }
        }
    }
    Ok(Arc::new(lists.finish()))
}

/// The elements of an array as texts: those of strings without quotes.
fn push_elements(array: &str, elements: &mut StringBuilder) -> Result<(), scan::NoJson> {
    scan::Scanner::new(array).elements(|scanner, _| {
        let value = scanner.value(0)?;
        match value.kind {
            Kind::Null => elements.append_null(),
            kind if kind.is_scalar() => elements.append_option(path::scalar_text(value)),
            _ => elements.append_value(value.text),
        }
        Ok(())
    })
}

fn json_exists(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let mut followed = Followed::new(call)?;
    let on_error = followed.clauses.on_error;
    call.booleans(|row| {
        let Some((_, found)) = followed.get(row)? else { return Ok(None) };
        match found {
            Ok(Found::One(value)) => Ok(Some(value.kind != Kind::Null)),
            Ok(Found::Made(_)) => Ok(Some(true)),
            Ok(Found::Nothing) => Ok(Some(false)),
            Err(why) => match on_error {
                Action::True => Ok(Some(true)),
                Action::Unknown => Ok(None),
                Action::Error => Err(Failed(format!("JSON_EXISTS: {why}"))),
                _ => Ok(Some(false)),
            },
        }
    })
}

fn is_json(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let text = call.column::<StringArray>(0)?;
    let kind = match call.arity() {
        1 => "VALUE",
        _ => call.column::<StringArray>(1)?.get(0).unwrap_or("VALUE"),
    };
    call.booleans(|row| {
        let found = text.get(row).and_then(|text| scan::value(text).ok());
        Ok(Some(found.is_some_and(|value| match kind {
            "ARRAY" => value.kind == Kind::Array,
            "OBJECT" => value.kind == Kind::Object,
            "SCALAR" => value.kind.is_scalar(),
            _ => true,
        })))
    })
}
