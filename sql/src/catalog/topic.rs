//! Options of tables in topics: `'kafka'` and `'upsert-kafka'`.

use super::formats::layout;
use super::offsets::{bounded, startup};
use super::options::{Options, duration_ms, split};
use super::refused::check_property;
use super::{Column, TopicKind, TopicTable};
use crate::error::{SqlError, code};
use crate::script::{CreateTable, Spanned};
use millstream_operators::formats;
use millstream_operators::records::names::{group_name, topic_name};
use millstream_operators::sink::Partitioner;
use millstream_operators::source::{DISCOVERY_INTERVAL_MS, Policy, Startup, TopicPattern};
use regex::Regex;
use std::collections::BTreeMap;
use std::sync::Arc;

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
    let pattern = if kind == TopicKind::Append { pattern(options) } else { None };
    let topics = match &pattern {
        // Until they are found the pattern stands for them.
        Some((text, _)) => Some(vec![text.clone()]),
        // What is wrong with it is said.
        None if options.was_given("topic-pattern") => None,
        None => topics(options),
    };
    let layout = layout(kind, columns, primary_key, options);
    let count = if pattern.is_some() { usize::MAX } else { topics.as_ref().map_or(1, Vec::len) };
    let pattern = pattern.map(|(_, pattern)| Arc::new(pattern) as Arc<dyn TopicPattern>);
    let startup = match kind {
        TopicKind::Append => startup(count, options),
        TopicKind::Upsert => Startup::Earliest,
    };
    let bounded = bounded(count, options);
    let bad_records = options.optional_choice("scan.bad-records", POLICIES);
    let dead_letter_topic = options.text("scan.dead-letter-topic").cloned();
    let dead_letter_topic = dead_letter_topic.and_then(|topic| legal_topic(topic, options));
    let time = TimeOptions::read(!def.watermarks.is_empty(), options);
    let partitioner = partitioner(kind, options);
    let discovery_interval_ms = discovery_interval_ms(options);
    check_guarantee(options);
    let bootstrap_servers = not_empty("properties.bootstrap.servers", "'host:9092'", options);
    let group = not_empty("properties.group.id", "the name of a consumer group", options);
    let group = group.and_then(|group| match group_name(&group.value) {
        Ok(()) => Some(group),
        Err(why) => {
            let message = "no consumer group can be called so";
            options.fail(SqlError::new(code::OPTION_VALUE, group.span, message).help(why))
        }
    });
    let properties = properties(options);
    let (topics, layout) = (topics?, layout?);
    Some(TopicTable {
        feed: None,
        outlet: None,
        pattern,
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
        partitioner,
        discovery_interval_ms,
        group,
        bootstrap_servers,
        properties,
    })
}

/// An upsert table has a primary key, the other has none.
fn check_key(kind: TopicKind, def: &CreateTable, options: &mut Options<'_>) {
    let format = |option| formats::named(options.peek(option)?);
    let changes = format("format").or_else(|| format("value.format")).is_some_and(|it| it.facts.changes);
    let error = match (kind, &def.primary_key) {
        (TopicKind::Append, Some(_)) if changes => return,
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
    match topic_name(&topic.value) {
        Ok(()) => Some(topic),
        Err(why) => {
            let message = format!("no topic can be called '{}'", topic.value);
            options.fail(SqlError::new(code::OPTION_VALUE, topic.span, message).help(why))
        }
    }
}

/// Topics by a regular expression.
#[derive(Debug)]
struct Pattern {
    text: String,
    regex: Regex,
}

impl TopicPattern for Pattern {
    fn text(&self) -> &str {
        &self.text
    }

    fn matches(&self, topic: &str) -> bool {
        self.regex.is_match(topic)
    }
}

/// `'topic-pattern' = 'orders-.*'`: all of a topic's name matches it.
fn pattern(options: &mut Options<'_>) -> Option<(Spanned<String>, Pattern)> {
    let (key, text) = options.option("topic-pattern")?;
    if let Some(span) = options.given("topic") {
        let error = SqlError::new(code::CONFLICT, span, "'topic' and 'topic-pattern' can't both be set");
        options.errors.push(error.help("leave one of the two out"));
        let _ = options.option("topic");
    }
    match Regex::new(&format!("^(?:{})$", text.value)) {
        Ok(regex) => Some((text.clone(), Pattern { text: text.value.clone(), regex })),
        Err(_) => options.bad(&key.value, text, "a regular expression, as in 'orders-.*'"),
    }
}

/// `'topic' = 'a;b'`
fn topics(options: &mut Options<'_>) -> Option<Vec<Spanned<String>>> {
    let text = options.required("topic", "set 'topic' to the topic's name, or to several as in 'a;b'")?;
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
pub(super) struct TimeOptions {
    pub(super) late_records: Option<Policy>,
    pub(super) idle_timeout_ms: i64,
    pub(super) max_future_ms: i64,
}

impl TimeOptions {
    pub(super) fn read(has_watermark: bool, options: &mut Options<'_>) -> Self {
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

/// How often a running job looks at the topics, as Flink does: not at all with 0.
fn discovery_interval_ms(options: &mut Options<'_>) -> Option<u64> {
    let name = "scan.topic-partition-discovery.interval";
    let Some(text) = options.text(name) else { return Some(DISCOVERY_INTERVAL_MS) };
    match duration_ms(&text.value).and_then(|interval| u64::try_from(interval).ok()) {
        Some(interval) => Some(interval).filter(|interval| *interval > 0),
        None => options.bad(name, text, "a duration, as in '5 min', or '0' to never look"),
    }
}

/// `'sink.partitioner'`: which partition a record goes to.
fn partitioner(kind: TopicKind, options: &mut Options<'_>) -> Partitioner {
    let Some(text) = options.text("sink.partitioner") else { return Partitioner::ByKey };
    let has_key = kind == TopicKind::Upsert || options.was_given("key.format");
    let refused = |options: &mut Options<'_>, help: &str| {
        let message = format!("'{}' partitions are not for records with a key", text.value);
        let error = SqlError::new(code::CONFLICT, text.span, message);
        options.fail(error.help(help.to_owned())).unwrap_or(Partitioner::ByKey)
    };
    match text.value.as_str() {
        "default" => Partitioner::ByKey,
        // Without a key they take turns anyway.
        "round-robin" if !has_key => Partitioner::ByKey,
        "round-robin" => refused(options, "leave it out, or leave 'key.format' and 'key.fields' out"),
        "fixed" if kind == TopicKind::Append => Partitioner::ByTask,
        "fixed" => refused(options, "leave it out: the last record of a key is found where the key belongs"),
        _ => {
            let expected = "'default', 'fixed' (all records of a task to one partition) or 'round-robin'; for another \
                            partition choose another 'key.fields'";
            options.bad("sink.partitioner", text, expected).unwrap_or(Partitioner::ByKey)
        }
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
