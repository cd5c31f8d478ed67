//! Options of tables in files: `'filesystem'`.

use super::formats::layout;
use super::made::{feed_table, policy};
use super::options::Options;
use super::topic::TimeOptions;
use super::{Column, TopicKind, TopicTable};
use crate::error::{SqlError, code};
use crate::script::{CreateTable, Spanned};
use millstream_connectors::files::Files;
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
    if let Some(span) = options.given("key.format") {
        let error = SqlError::new(code::CONFLICT, span, "a line of a file has no key");
        let _: Option<()> = options.fail(error.help("leave it out"));
    }
    let quote = quote(options);
    let layout = layout(TopicKind::Append, columns, &[], options);
    let read = (policy(options), TimeOptions::read(!def.watermarks.is_empty(), options));
    let files = Files::new(format!("filesystem:{}", def.name.value), path?, quote);
    Some(feed_table(Arc::new(files), def, layout?, Bounded::Latest, read))
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
