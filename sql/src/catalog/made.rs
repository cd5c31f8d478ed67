//! Options of tables whose rows are made: `'datagen'` and `'nexmark'`.

mod datagen;
mod nexmark;

use super::options::Options;
use super::topic::{POLICIES, TimeOptions};
use super::{Column, ColumnKind, TopicKind, TopicTable};
use crate::error::{SqlError, code};
use crate::script::{CreateTable, Spanned};
use arrow::datatypes::{Field, Fields};
use millstream_connectors::numbers::Numbers;
use millstream_operators::StreamKind;
use millstream_operators::feed::Feed;
use millstream_operators::formats::generated::{Generated, Generator};
use millstream_operators::sink::Partitioner;
use millstream_operators::source::{Bounded, Policy, Startup};
use millstream_operators::table::Layout;
use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

/// Partitions that a table may have at most.
const PARTITIONS_MAX: u32 = 1_024;

/// What makes the rows of a table, and how many of them.
struct Made {
    generator: Arc<dyn Generator>,
    partitions: u32,
    rows: Option<u64>,
    per_second: Option<u64>,
}

/// Reads the options of a table whose rows are made. `None` if an error was reported.
pub(super) fn made_table(
    connector: &str,
    def: &CreateTable,
    columns: &[Column],
    options: &mut Options<'_>,
) -> Option<TopicTable> {
    let made = match connector {
        "datagen" => datagen::made(&def.name.value, columns, options),
        _ => nexmark::made(columns, options),
    };
    let bad_records = policy(options);
    let time = TimeOptions::read(!def.watermarks.is_empty(), options);
    let Made { generator, partitions, rows, per_second } = made?;
    let physical: Fields = physical(columns).map(field).collect();
    let format = Arc::new(Generated(Arc::clone(&generator)));
    let layout = match Layout::new(StreamKind::Append, &physical, format, None) {
        Ok(layout) => layout,
        Err(error) => {
            return options.fail(SqlError::new(code::COLUMN, def.name.span, error.to_string()));
        }
    };
    let topic = format!("{connector}:{}", def.name.value);
    let feed = Numbers {
        identity: xxhash_rust::xxh3::xxh3_128(topic.as_bytes()),
        topic,
        what: generator.describe(),
        partitions,
        rows,
        per_second,
    };
    let bounded = if rows.is_some() { Bounded::Latest } else { Bounded::Unbounded };
    Some(feed_table(Arc::new(feed), def, layout, bounded, (bad_records, time)))
}

/// A table of what is no topic.
pub(super) fn feed_table(
    feed: Arc<dyn Feed>,
    def: &CreateTable,
    layout: Layout,
    bounded: Bounded,
    (bad_records, time): (Option<Policy>, TimeOptions),
) -> TopicTable {
    TopicTable {
        topics: vec![Spanned { value: feed.topic().to_owned(), span: def.name.span }],
        feed: Some(feed),
        outlet: None,
        pattern: None,
        kind: TopicKind::Append,
        layout,
        startup: Startup::Earliest,
        bounded,
        bad_records,
        late_records: time.late_records,
        dead_letter_topic: None,
        idle_timeout_ms: time.idle_timeout_ms,
        max_future_ms: time.max_future_ms,
        partitioner: Partitioner::ByKey,
        discovery_interval_ms: None,
        group: None,
        bootstrap_servers: None,
        properties: BTreeMap::new(),
    }
}

/// What happens to rows that can't be used: they are no records that could become dead letters.
pub(super) fn policy(options: &mut Options<'_>) -> Option<Policy> {
    let others: Vec<_> = POLICIES.iter().copied().filter(|(name, _)| *name != "dead-letter").collect();
    options.optional_choice("scan.bad-records", &others)
}

fn physical(columns: &[Column]) -> impl Iterator<Item = &Column> {
    columns.iter().filter(|column| matches!(column.kind, ColumnKind::Physical))
}

fn field(column: &Column) -> Field {
    Field::new(&column.name.value, column.data_type.clone(), column.nullable)
}

/// A number from `min` to `max`; `None` where there is none.
fn number<T: FromStr + PartialOrd + std::fmt::Display>(
    name: &str,
    min: T,
    max: T,
    options: &mut Options<'_>,
) -> Option<T> {
    let text = options.text(name)?;
    match text.value.trim().parse::<T>() {
        Ok(number) if (&min..=&max).contains(&&number) => Some(number),
        _ => options.bad(name, text, &format!("a number from {min} to {max}")),
    }
}
