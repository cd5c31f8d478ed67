//! Formats of the key and the value, and which columns stand in which.

use super::options::{Options, split};
use super::{Column, ColumnKind, TopicKind};
use crate::error::{Span, SqlError, code, nearest};
use crate::script::Spanned;
use arrow::datatypes::{Field, Fields};
use millstream_operators::StreamKind;
use millstream_operators::formats::partition_path::PartitionPath;
use millstream_operators::formats::{self, FORMATS, Format, FormatError, Registered};
use millstream_operators::table::{KeyOptions, Layout, Part, ValueFields};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A format, and where the text names it.
struct Named {
    format: Arc<dyn Format>,
    span: Span,
}

/// Formats whose records are lines of files.
const OF_LINES: &[&str] = &["json", "csv", "raw", "debezium-json", "canal-json", "maxwell-json", "ogg-json"];

/// Reads the options about formats and the key's fields. `None` if an error was reported.
pub(super) fn layout(
    kind: TopicKind,
    columns: &[Column],
    primary_key: &[usize],
    options: &mut Options<'_>,
) -> Option<Layout> {
    let value = value_format(kind, options);
    let key_name = options.text("key.format");
    let key = key_name.and_then(|name| named(name, "key.", options));
    let fields = key_fields(kind, columns, primary_key, options);
    let prefix = options.option("key.fields-prefix");
    let include_span = options.given("value.fields-include");
    let include = options
        .choice("value.fields-include", &[("ALL", ValueFields::All), ("EXCEPT_KEY", ValueFields::ExceptKey)]);
    if kind == TopicKind::Upsert && key_name.is_none() {
        options.missing("key.format", "set 'key.format' = 'json', the format of the records' keys");
    }
    if kind == TopicKind::Append && key_name.is_none() {
        let set = fields.as_ref().map(|(_, span)| *span).or(prefix.map(|(name, _)| name.span));
        if let Some(span) = set {
            let error = SqlError::new(code::CONFLICT, span, "the key has fields, but no format");
            return options.fail(error.help("set 'key.format' = 'json'"));
        }
        if let Some(span) = include_span.filter(|_| include == ValueFields::ExceptKey) {
            let error =
                SqlError::new(code::CONFLICT, span, "'EXCEPT_KEY' is set, but the records have no key");
            return options
                .fail(error.help("set 'key.format' and 'key.fields', or leave 'value.fields-include' out"));
        }
    }
    let value = value?;
    if kind == TopicKind::Upsert && primary_key.is_empty() {
        return None;
    }
    let key = match key_name {
        Some(name) => Some((key?, fields.or_else(|| no_fields(name, options))?)),
        None if kind == TopicKind::Upsert => return None,
        None => None,
    };
    let prefix = prefix.map(|(_, prefix)| prefix.value.clone()).unwrap_or_default();
    laid_out(
        kind,
        columns,
        value,
        key.map(|(key, (fields, _))| (key, KeyOptions { fields, prefix, include })),
        options,
    )
}

/// The same for lines of files: the columns of `partitions` stand in the path of the file, which is the key of its records.
pub(super) fn layout_of_files(
    columns: &[Column],
    partitions: Option<(Vec<String>, Span)>,
    default_name: String,
    options: &mut Options<'_>,
) -> Option<Layout> {
    let value = value_format(TopicKind::Append, options)?;
    let name = value.format.facts().name;
    if !OF_LINES.contains(&name) {
        let lines: Vec<String> = OF_LINES.iter().map(|name| format!("'{name}'")).collect();
        let message = format!("format '{name}' is not supported in files yet");
        let help = format!("each record is a line of its file: choose one of {}", lines.join(", "));
        return options.fail(SqlError::new(code::FORMAT, value.span, message).help(help));
    }
    let key = partitions.map(|(fields, span)| {
        let format = Arc::new(PartitionPath { default_name });
        let options = KeyOptions { fields, prefix: String::new(), include: ValueFields::ExceptKey };
        (Named { format, span }, options)
    });
    laid_out(TopicKind::Append, columns, value, key, options)
}

fn no_fields<T>(name: &Spanned<String>, options: &mut Options<'_>) -> Option<T> {
    let error = SqlError::new(code::CONFLICT, name.span, "the key has a format, but no fields");
    options.fail(error.help("name its columns: 'key.fields' = 'a;b'"))
}

fn value_format(kind: TopicKind, options: &mut Options<'_>) -> Option<Named> {
    if kind == TopicKind::Upsert {
        let name =
            options.required("value.format", "set 'value.format' = 'json', the format of the records")?;
        return named(name, "value.", options);
    }
    match (options.option("format"), options.text("value.format")) {
        (Some((first, _)), Some(_)) => {
            let error =
                SqlError::new(code::CONFLICT, first.span, "'format' and 'value.format' are the same option");
            options.fail(error.help("leave one of the two out"))
        }
        (Some((_, name)), None) => named(name, "", options),
        (None, Some(name)) => named(name, "value.", options),
        (None, None) => {
            options.missing("format", "set 'format' = 'json', the format of the records");
            None
        }
    }
}

/// The columns of the key, and where they are named.
fn key_fields(
    kind: TopicKind,
    columns: &[Column],
    primary_key: &[usize],
    options: &mut Options<'_>,
) -> Option<(Vec<String>, Span)> {
    if kind == TopicKind::Upsert {
        let first = columns.get(*primary_key.first()?)?;
        let names = primary_key.iter().filter_map(|index| columns.get(*index));
        return Some((names.map(|column| column.name.value.clone()).collect(), first.name.span));
    }
    let (_, list) = options.option("key.fields")?;
    let mut fields = Vec::new();
    for field in split(list, ';') {
        let physical = columns.iter().filter(|column| matches!(column.kind, ColumnKind::Physical));
        let mut names = physical.map(|column| column.name.value.as_str());
        if fields.contains(&field.value) {
            let message = format!("column \"{}\" is twice in the key", field.value);
            options.errors.push(SqlError::new(code::CONFLICT, field.span, message).help("name it once"));
        } else if names.clone().any(|name| name == field.value) {
            fields.push(field.value);
        } else {
            let help = match nearest(&field.value, names.by_ref()) {
                Some(near) => format!("did you mean {near}?"),
                None => "name columns that have a type and no METADATA, as in 'a;b'".to_owned(),
            };
            let message = format!("there is no column \"{}\" that a record can hold", field.value);
            options.errors.push(SqlError::new(code::CONFLICT, field.span, message).help(help));
        }
    }
    Some((fields, list.span))
}

/// The format of this name with its options, which begin with `prefix` and the name.
fn named(name: &Spanned<String>, prefix: &str, options: &mut Options<'_>) -> Option<Named> {
    let full = format!("{prefix}{}.", name.value);
    // The options of a format that there is not are as unknown as it is.
    let given = options.with_prefix(&full);
    let Some(registered) = formats::named(&name.value) else { return options.fail(no_such_format(name)) };
    let mut values: BTreeMap<String, String> =
        given.iter().map(|(name, (_, value))| ((*name).to_owned(), value.value.clone())).collect();
    let completed = complete(registered, prefix, &mut values, options);
    // Each round reports one option and leaves it out.
    loop {
        let error = match registered.with(&values) {
            Ok(format) => {
                options
                    .know_of_format(registered.options().into_iter().map(|option| format!("{full}{option}")));
                let complete = values.len() == given.len() + completed;
                return complete.then_some(Named { format, span: name.span });
            }
            Err(error) => error,
        };
        let (option, error) = option_error(error, name, &full, &given);
        options.errors.push(error);
        if option.is_none_or(|option| values.remove(&option).is_none()) {
            return None;
        }
    }
}

/// Sets what follows from other options: a schema is registered under the name of its topic, as by Flink. Says how many.
fn complete(
    registered: &Registered,
    prefix: &str,
    values: &mut BTreeMap<String, String>,
    options: &Options<'_>,
) -> usize {
    const SUBJECT: [&str; 2] = ["subject", "schema-registry.subject"];
    let is_given = SUBJECT.iter().any(|name| values.contains_key(*name));
    let topic = options.value("topic").filter(|topic| !topic.contains(';'));
    match topic {
        Some(topic) if !is_given && registered.options().contains(&SUBJECT[0]) => {
            let part = if prefix == "key." { "key" } else { "value" };
            values.insert(SUBJECT[0].to_owned(), format!("{topic}-{part}"));
            1
        }
        _ => 0,
    }
}

fn no_such_format(name: &Spanned<String>) -> SqlError {
    let error = |message| SqlError::new(code::FORMAT, name.span, message);
    if let Some(help) = formats::instead_of(&name.value) {
        return error(format!("format '{}' is not supported yet", name.value)).help(help);
    }
    let help = match nearest(&name.value, FORMATS.iter().map(|format| format.facts.name)) {
        Some(near) => format!("did you mean '{near}'?"),
        None => format!("formats are {}", formats::names()),
    };
    error(format!("there is no format '{}'", name.value)).help(help)
}

/// What is wrong with an option of a format, and which.
fn option_error(
    error: FormatError,
    name: &Spanned<String>,
    full: &str,
    given: &BTreeMap<&str, &(Spanned<String>, Spanned<String>)>,
) -> (Option<String>, SqlError) {
    let message = error.to_string();
    match error {
        FormatError::UnknownOption { option, known, .. } => {
            let span = given.get(option.as_str()).map_or(name.span, |(key, _)| key.span);
            let help = match nearest(&option, known.split(", ")) {
                Some(near) => format!("did you mean '{full}{near}'?"),
                None => format!("its options are {known}"),
            };
            let message = format!("format '{}' has no option '{option}'", name.value);
            (Some(option), SqlError::new(code::UNKNOWN_OPTION, span, message).help(help))
        }
        FormatError::MissingOption { option, what } => {
            let short = option.strip_prefix(&format!("{}.", name.value)).unwrap_or(&option);
            let message = format!("option '{full}{short}' is missing");
            let error = SqlError::new(code::MISSING_OPTION, name.span, message);
            (None, error.help(format!("set '{full}{short}' to {what}")))
        }
        FormatError::BadOption { option, value, expected } => {
            let short = option.strip_prefix(&format!("{}.", name.value)).unwrap_or(&option).to_owned();
            let span = given.get(short.as_str()).map_or(name.span, |(_, value)| value.span);
            let message = format!("'{full}{short}' can't be '{value}'");
            let error = SqlError::new(code::OPTION_VALUE, span, message).help(format!("expected {expected}"));
            (Some(short), error)
        }
        _ => {
            (None, SqlError::new(code::CONFLICT, name.span, message).help("change the options of the format"))
        }
    }
}

fn laid_out(
    kind: TopicKind,
    columns: &[Column],
    value: Named,
    key: Option<(Named, KeyOptions)>,
    options: &mut Options<'_>,
) -> Option<Layout> {
    let physical = columns.iter().filter(|column| matches!(column.kind, ColumnKind::Physical));
    let fields: Fields = physical
        .map(|column| Field::new(&column.name.value, column.data_type.clone(), column.nullable))
        .collect();
    let stream = match kind {
        TopicKind::Append => StreamKind::Append,
        TopicKind::Upsert => StreamKind::Upsert,
    };
    let of_key = key.as_ref().map(|(named, key_options)| (Arc::clone(&named.format), key_options));
    let layout = match Layout::new(stream, &fields, Arc::clone(&value.format), of_key) {
        Ok(layout) => layout,
        Err(error) => {
            let span = key.as_ref().map_or(value.span, |(named, _)| named.span);
            let error = SqlError::new(code::CONFLICT, span, error.to_string());
            return options.fail(error.help("change the options about the key, or the columns"));
        }
    };
    let value_fits = holds(&layout.value, &value, columns, options);
    let key_fits = match (&layout.key, &key) {
        (Some(part), Some((named, _))) => holds(part, named, columns, options),
        _ => true,
    };
    (value_fits && key_fits).then_some(layout)
}

/// Whether a format holds its columns; if not, it is reported.
fn holds(part: &Part, named: &Named, columns: &[Column], options: &mut Options<'_>) -> bool {
    let Err(error) = part.format.decoder(&part.declared, &part.declared) else { return true };
    let message = error.to_string();
    let (span, help) = match &error {
        FormatError::Unsupported { field, .. } => {
            let column = columns.iter().find(|column| column.name.value == *field);
            (
                column.map_or(named.span, |column| column.name.span),
                "declare another type, or choose another format",
            )
        }
        _ => (named.span, "choose another format, or change the columns"),
    };
    options.errors.push(SqlError::new(code::FORMAT, span, message).help(help));
    false
}
