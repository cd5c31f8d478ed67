//! Options of tables in topics: `'kafka'` and `'upsert-kafka'`.

use super::formats::layout;
use super::offsets::{bounded, startup};
use super::options::{Options, split};
use super::refused::check_property;
use super::{Column, TopicKind, TopicTable};
use crate::error::{SqlError, code};
use crate::script::{CreateTable, Spanned};
use millstream_operators::source::{Policy, Startup};
use std::collections::BTreeMap;

/// What can be done with records and rows that can't be used.
pub(crate) const POLICIES: &[(&str, Policy)] =
    &[("fail", Policy::Fail), ("skip", Policy::Skip), ("dead-letter", Policy::DeadLetter)];

/// Reads the options of a table in topics. `None` if an error was reported.
pub(super) fn topic_table(
    kind: TopicKind,
    def: &CreateTable,
    columns: &[Column],
    primary_key: &[usize],
    options: &mut Options<'_>,
) -> Option<TopicTable> {
    check_key(kind, def, options);
    let topics = topics(options);
    let layout = layout(kind, columns, primary_key, options);
    let count = topics.as_ref().map_or(1, Vec::len);
    let startup = match kind {
        TopicKind::Append => startup(count, options),
        TopicKind::Upsert => Startup::Earliest,
    };
    let bounded = bounded(count, options);
    let bad_records = options.optional_choice("scan.bad-records", POLICIES);
    let dead_letter_topic = options.text("scan.dead-letter-topic").cloned();
    let dead_letter_topic = dead_letter_topic.and_then(|topic| legal_topic(topic, options));
    let time = TimeOptions::read(!def.watermarks.is_empty(), options);
    check_partitioner(options);
    check_guarantee(options);
    let bootstrap_servers = not_empty("properties.bootstrap.servers", "'host:9092'", options);
    let group = not_empty("properties.group.id", "the name of a consumer group", options);
    let properties = properties(options);
    let (topics, layout) = (topics?, layout?);
    Some(TopicTable {
        topics,
        kind,
        layout,
        startup,
        bounded,
        bad_records,
        late_records: time.late_records,
        dead_letter_topic,
        idle_timeout_ms: time.idle_timeout_ms,
        max_future_ms: time.max_future_ms,
        group,
        bootstrap_servers,
        properties,
    })
}

/// An upsert table has a primary key, the other has none.
fn check_key(kind: TopicKind, def: &CreateTable, options: &mut Options<'_>) {
    let error = match (kind, &def.primary_key) {
        (TopicKind::Append, Some(key)) => SqlError::new(
            code::PRIMARY_KEY,
            key.span,
            "a 'kafka' table has no primary key: its records are rows",
        )
        .help("use 'connector' = 'upsert-kafka', or leave the key out"),
        (TopicKind::Upsert, None) => {
            let message = format!("table \"{}\" has no primary key", def.name.value);
            SqlError::new(code::PRIMARY_KEY, def.name.span, message)
                .help("an 'upsert-kafka' table needs one: PRIMARY KEY (..) NOT ENFORCED")
        }
        _ => return,
    };
    options.errors.push(error);
}

/// A topic's name, unless it can't be one.
fn legal_topic(topic: Spanned<String>, options: &mut Options<'_>) -> Option<Spanned<String>> {
    let is_legal = |char: char| char.is_ascii_alphanumeric() || ['.', '_', '-'].contains(&char);
    let name = topic.value.as_str();
    if !name.is_empty() && name.len() <= 249 && name != "." && name != ".." && name.chars().all(is_legal) {
        return Some(topic);
    }
    let error = SqlError::new(code::OPTION_VALUE, topic.span, format!("no topic can be called '{name}'"));
    options.fail(error.help("names of topics have 1 to 249 letters, digits, '.', '_' and '-'"))
}

/// `'topic' = 'a;b'`
fn topics(options: &mut Options<'_>) -> Option<Vec<Spanned<String>>> {
    let help = "set 'topic' to the topic's name, or to several as in 'a;b'";
    let text = match options.given("topic-pattern") {
        // That it can't be set says already what to do.
        Some(_) => options.text("topic")?,
        None => options.required("topic", help)?,
    };
    let topics = split(text, ';');
    for (index, topic) in topics.iter().enumerate() {
        let name = legal_topic(topic.clone(), options)?.value;
        if topics[..index].iter().any(|other| other.value == name) {
            let error =
                SqlError::new(code::OPTION_VALUE, topic.span, format!("topic '{name}' is named twice"));
            return options.fail(error.help("name it once"));
        }
    }
    Some(topics)
}

/// Options that only a table with a watermark has.
struct TimeOptions {
    late_records: Option<Policy>,
    idle_timeout_ms: i64,
    max_future_ms: i64,
}

impl TimeOptions {
    fn read(has_watermark: bool, options: &mut Options<'_>) -> Self {
        for name in ["scan.late-records", "scan.watermark.idle-timeout", "scan.watermark.max-future"] {
            let Some(span) = options.given(name).filter(|_| !has_watermark) else { continue };
            let error =
                SqlError::new(code::CONFLICT, span, format!("'{name}' means nothing without a watermark"));
            options.errors.push(error.help("declare WATERMARK FOR a column, or leave the option out"));
        }
        TimeOptions {
            late_records: options.optional_choice("scan.late-records", POLICIES),
            idle_timeout_ms: options.duration_ms("scan.watermark.idle-timeout", 5_000),
            max_future_ms: options.duration_ms("scan.watermark.max-future", 86_400_000),
        }
    }
}

fn check_partitioner(options: &mut Options<'_>) {
    if let Some(text) = options.text("sink.partitioner")
        && text.value != "default"
    {
        let help = "'default': by the key as Kafka's Java client does, and without a key evenly; for another \
                    partition choose another 'key.fields'";
        let _: Option<()> = options.bad("sink.partitioner", text, help);
    }
}

fn check_guarantee(options: &mut Options<'_>) {
    if let Some(text) = options.text("sink.delivery-guarantee")
        && text.value != "exactly-once"
    {
        let help = "'exactly-once', or nothing: a whole job is made so with SET 'millstream.delivery-guarantee' = 'at-least-once'";
        let _: Option<()> = options.bad("sink.delivery-guarantee", text, help);
    }
}

fn not_empty(name: &str, expected: &str, options: &mut Options<'_>) -> Option<Spanned<String>> {
    let text = options.text(name)?;
    match text.value.trim().is_empty() {
        true => options.bad(name, text, expected),
        false => Some(text.clone()),
    }
}

fn properties(options: &mut Options<'_>) -> BTreeMap<String, Spanned<String>> {
    let mut properties = BTreeMap::new();
    for (name, (key, value)) in options.with_prefix("properties.") {
        match check_property(name, key) {
            Ok(()) => {
                properties.insert(name.to_owned(), value.clone());
            }
            Err(error) => options.errors.push(error),
        }
    }
    properties
}
