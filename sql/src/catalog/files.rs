//! Options of tables in files: `'filesystem'`.

use super::formats::layout_of_files;
use super::made::{feed_table, policy};
use super::options::{Options, bytes, duration_ms};
use super::topic::TimeOptions;
use super::{Column, ColumnKind, TopicTable};
use crate::error::{Span, SqlError, code, nearest};
use crate::script::{CreateTable, Spanned};
use millstream_connectors::files::{Files, FilesOutlet, Rolling};
use millstream_operators::formats::partition_path::{DEFAULT_NAME, can_partition};
use millstream_operators::formats::sql_type;
use millstream_operators::source::Bounded;
use std::path::PathBuf;
use std::sync::Arc;

/// Reads the options of a table in files. `None` if an error was reported.
pub(super) fn file_table(
    def: &CreateTable,
    columns: &[Column],
    options: &mut Options<'_>,
) -> Option<TopicTable> {
    let path = options.required("path", "set 'path' to a file, or to a directory with files");
    let path = path.and_then(|path| local(path, options));
    for name in ["key.format", "value.format"] {
        let Some(span) = options.given(name) else { continue };
        let error = SqlError::new(code::CONFLICT, span, "a line of a file has no key");
        let _ = options.option(name);
        let _: Option<()> = options.fail(error.help("leave it out: set 'format' alone"));
    }
    let quote = quote(options);
    let ending = match options.peek("format") {
        Some("csv") => ".csv",
        Some(format) if format.ends_with("json") => ".json",
        _ => "",
    };
    let default_name = options.text("partition.default-name");
    let default_name = default_name.map_or_else(|| DEFAULT_NAME.to_owned(), |name| name.value.clone());
    let rolling = rolling(options);
    let partitions = partitions(def, columns, options);
    let layout = layout_of_files(columns, partitions?, default_name, options);
    let read = (policy(options), TimeOptions::read(!def.watermarks.is_empty(), options));
    let (path, table) = (path?, &def.name.value);
    let files = Files::new(format!("filesystem:{table}"), path.clone(), quote);
    let files = if def.partitions.is_some() { files.partitioned() } else { files };
    let outlet = FilesOutlet::new(path, table, ending, rolling?);
    let table = feed_table(Arc::new(files), def, layout?, Bounded::Latest, read);
    Some(TopicTable { outlet: Some(Arc::new(outlet)), ..table })
}

/// A path of this machine.
fn local(path: &Spanned<String>, options: &mut Options<'_>) -> Option<PathBuf> {
    let text = path.value.strip_prefix("file://").unwrap_or(&path.value);
    if text.is_empty() || text.contains("://") {
        return options.bad("path", path, "a path of this machine, as in '/data/orders' or 'orders.json'");
    }
    Some(text.into())
}

/// The character around fields of a line that may have line breaks in them.
fn quote(options: &Options<'_>) -> Option<u8> {
    let is =
        |name: &str, value: &str| options.peek(name).is_some_and(|text| text.eq_ignore_ascii_case(value));
    if !is("format", "csv") || is("csv.disable-quote-character", "true") {
        return None;
    }
    options.peek("csv.quote-character").unwrap_or("\"").bytes().next()
}

/// When files that are written end.
fn rolling(options: &mut Options<'_>) -> Option<Rolling> {
    let default = Rolling::default();
    let mut duration = |name: &str, default: u64| {
        let Some(text) = options.text(name) else { return Some(default) };
        match duration_ms(&text.value).and_then(|ms| u64::try_from(ms).ok()).filter(|ms| *ms > 0) {
            Some(ms) => Some(ms),
            None => options.bad(name, text, super::DURATION),
        }
    };
    let rollover_ms = duration("sink.rolling-policy.rollover-interval", default.rollover_ms);
    let inactivity_ms = duration("sink.rolling-policy.inactivity-interval", default.inactivity_ms);
    let check_ms = duration("sink.rolling-policy.check-interval", default.check_ms);
    let name = "sink.rolling-policy.file-size";
    let file_bytes = match options.text(name) {
        None => Some(default.file_bytes),
        Some(text) => match bytes(&text.value).filter(|bytes| *bytes > 0) {
            Some(bytes) => Some(bytes),
            None => options.bad(name, text, "a number of bytes, as in '128 mb' or '4 kb'"),
        },
    };
    // It is for the optimizer of batch jobs.
    options.optional_choice("source.report-statistics", &[("all", ()), ("none", ())]);
    for (name, instead) in [
        ("auto-compaction", "make files larger with 'sink.rolling-policy.file-size'"),
        ("sink.shuffle-by-partition.enable", "each task writes files of its own"),
    ] {
        if let Some(text) = options.text(name)
            && !text.value.eq_ignore_ascii_case("false")
        {
            let _: Option<()> = options.bad(name, text, &format!("'false', or nothing: {instead}"));
        }
    }
    Some(Rolling {
        file_bytes: file_bytes?,
        rollover_ms: rollover_ms?,
        inactivity_ms: inactivity_ms?,
        check_ms: check_ms?,
    })
}

/// The columns of `PARTITIONED BY`, and where it stands. `None` if an error was reported.
#[allow(clippy::option_option, reason = "whether it is right, and whether it is there")]
fn partitions(
    def: &CreateTable,
    columns: &[Column],
    options: &mut Options<'_>,
) -> Option<Option<(Vec<String>, Span)>> {
    let Some(partitions) = &def.partitions else { return Some(None) };
    let physical = || columns.iter().filter(|column| matches!(column.kind, ColumnKind::Physical));
    let mut names: Vec<String> = Vec::new();
    let mut is_right = true;
    for name in &partitions.columns {
        let error = |message: String| SqlError::new(code::COLUMN, name.span, message);
        let error = match physical().find(|column| column.name.value == name.value) {
            None => {
                let near = nearest(&name.value, physical().map(|column| column.name.value.as_str()));
                let help = match near {
                    Some(near) => format!("did you mean {near}?"),
                    None => "name columns that have a type and no METADATA".to_owned(),
                };
                error(format!("there is no column \"{}\" that a directory can be called by", name.value))
                    .help(help)
            }
            Some(_) if names.contains(&name.value) => {
                error(format!("column \"{}\" is named twice", name.value)).help("name it once")
            }
            Some(column) if !can_partition(&column.data_type) => {
                let data_type = sql_type(&column.data_type);
                error(format!("directories can't be called by column \"{}\" of type {data_type} yet", name.value))
                    .help("partition by a STRING, BOOLEAN, DATE or a whole number: DATE_FORMAT makes a text of a time")
            }
            Some(_) => {
                names.push(name.value.clone());
                continue;
            }
        };
        options.errors.push(error);
        is_right = false;
    }
    if is_right && names.len() == physical().count() {
        let message = "all columns are in the names of directories, and none is left for the files";
        let error = SqlError::new(code::COLUMN, partitions.span, message);
        return options.fail(error.help("leave a column out of PARTITIONED BY"));
    }
    is_right.then_some(Some((names, partitions.span)))
}
