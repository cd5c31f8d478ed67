//! Every option of Flink's is what `docs/sql/options.md` says of it.

use crate::error::{SqlError, code};
use crate::script::Statement;
use std::collections::BTreeSet;

/// The options that Flink 2.3 and its Kafka connector 4 have, by connector; of formats under their names.
const OF_FLINK: &[(&str, &str)] = &[
    (
        "kafka",
        "topic topic-pattern properties.bootstrap.servers properties.group.id format value.format key.format key.fields \
         key.fields-prefix value.fields-include scan.startup.mode scan.startup.specific-offsets \
         scan.startup.timestamp-millis scan.bounded.mode scan.bounded.specific-offsets scan.bounded.timestamp-millis \
         scan.topic-partition-discovery.interval scan.parallelism scan.watermark.idle-timeout \
         scan.watermark.emit.strategy scan.watermark.alignment.group scan.watermark.alignment.max-drift \
         scan.watermark.alignment.update-interval sink.partitioner sink.delivery-guarantee sink.semantic \
         sink.transactional-id-prefix sink.transaction-naming-strategy sink.parallelism property-version",
    ),
    (
        "upsert-kafka",
        "topic properties.bootstrap.servers properties.group.id key.format key.fields-prefix value.format \
         value.fields-include scan.bounded.mode scan.bounded.specific-offsets scan.bounded.timestamp-millis \
         scan.topic-partition-discovery.interval scan.parallelism scan.watermark.idle-timeout \
         scan.watermark.emit.strategy scan.watermark.alignment.group sink.parallelism sink.buffer-flush.max-rows \
         sink.buffer-flush.interval sink.delivery-guarantee sink.transactional-id-prefix \
         sink.transaction-naming-strategy",
    ),
    (
        "filesystem",
        "path format partition.default-name source.monitor-interval source.report-statistics source.path.regex-pattern \
         sink.rolling-policy.file-size sink.rolling-policy.rollover-interval sink.rolling-policy.inactivity-interval \
         sink.rolling-policy.check-interval sink.shuffle-by-partition.enable partition.time-extractor.kind \
         partition.time-extractor.class partition.time-extractor.timestamp-formatter \
         partition.time-extractor.timestamp-pattern sink.partition-commit.trigger sink.partition-commit.delay \
         sink.partition-commit.watermark-time-zone sink.partition-commit.policy.kind \
         sink.partition-commit.policy.class sink.partition-commit.policy.class.parameters \
         sink.partition-commit.success-file.name auto-compaction compaction.file-size compaction.parallelism \
         sink.parallelism scan.watermark.idle-timeout scan.watermark.emit.strategy",
    ),
    (
        "datagen",
        "rows-per-second number-of-rows scan.parallelism fields.k.kind fields.k.min fields.k.max fields.t.max-past \
         fields.v.length fields.v.var-len fields.k.start fields.k.end fields.v.null-rate",
    ),
    ("print", "print-identifier standard-error sink.parallelism"),
    ("blackhole", "property-version"),
    (
        "Formats",
        "json.fail-on-missing-field json.ignore-parse-errors json.timestamp-format.standard json.map-null-key.mode \
         json.map-null-key.literal json.encode.decimal-as-plain-number json.encode.ignore-null-fields \
         json.decode.json-parser.enabled csv.field-delimiter csv.quote-character csv.disable-quote-character \
         csv.allow-comments csv.ignore-parse-errors csv.array-element-delimiter csv.escape-character csv.null-literal \
         csv.write-bigdecimal-in-scientific-notation csv.trim-spaces csv.ignore-trailing-unmappable \
         csv.allow-trailing-comma csv.fail-on-missing-columns csv.empty-string-as-null raw.charset raw.endianness",
    ),
];

/// What a table needs beside an option, and what has to go with it.
const BESIDE: &[(&str, &[(&str, &str)])] = &[
    ("key.format", &[("key.fields", "k")]),
    ("key.fields", &[("key.format", "json")]),
    (
        "key.fields-prefix",
        &[("key.format", "json"), ("key.fields", "k"), ("value.fields-include", "EXCEPT_KEY")],
    ),
    ("value.fields-include", &[("key.format", "json"), ("key.fields", "k")]),
    ("scan.startup.specific-offsets", &[("scan.startup.mode", "specific-offsets")]),
    ("scan.startup.timestamp-millis", &[("scan.startup.mode", "timestamp")]),
    ("scan.bounded.specific-offsets", &[("scan.bounded.mode", "specific-offsets")]),
    ("scan.bounded.timestamp-millis", &[("scan.bounded.mode", "timestamp")]),
    ("fields.k.start", &[("fields.k.kind", "sequence"), ("fields.k.end", "9")]),
    ("fields.k.end", &[("fields.k.kind", "sequence"), ("fields.k.start", "1")]),
];

/// A table that needs no more.
fn basis(connector: &str) -> Vec<(&'static str, &'static str)> {
    match connector {
        "kafka" => vec![("topic", "a"), ("format", "json")],
        "upsert-kafka" => vec![("topic", "a"), ("key.format", "json"), ("value.format", "json")],
        "filesystem" => vec![("path", "out"), ("format", "json")],
        _ => Vec::new(),
    }
}

/// What is wrong with a table that has these options and what they need.
fn errors_of(connector: &str, options: &[(String, String)]) -> Vec<SqlError> {
    let upserts = connector == "upsert-kafka";
    let key = if upserts { ", PRIMARY KEY (k) NOT ENFORCED" } else { "" };
    let time = if matches!(connector, "print" | "blackhole") { "" } else { ", WATERMARK FOR t AS t" };
    let raw = options.iter().any(|(name, value)| name.ends_with("format") && value == "raw");
    let columns =
        if raw { "k STRING".to_owned() } else { format!("k INT, v STRING, t TIMESTAMP(3){time}{key}") };
    let said: Vec<String> =
        options.iter().map(|(name, value)| format!("'{name}' = '{}'", value.replace('\'', "''"))).collect();
    let text = format!("CREATE TABLE x ({columns}) WITH ('connector' = '{connector}', {});", said.join(", "));
    let (script, unread) = crate::script::parse(&text);
    let defs = script.statements.iter().map(|statement| match statement {
        Statement::CreateTable(def) => super::table(def).err().unwrap_or_default(),
        other => panic!("{other:?}"),
    });
    let errors: Vec<SqlError> = defs.flatten().collect();
    assert!(unread.is_empty(), "{text}: {unread:?}");
    errors
}

fn with(connector: &str, name: &str, value: &str) -> Vec<SqlError> {
    let beside = BESIDE.iter().find(|(of, _)| *of == name).map_or(&[][..], |(_, beside)| beside);
    // In an upsert table the fields of the key are its primary key.
    let beside = beside.iter().filter(|(of, _)| connector != "upsert-kafka" || *of != "key.fields");
    let mut options: Vec<(String, String)> = Vec::new();
    let own = [(name, value)];
    for (name, value) in own.iter().chain(beside).copied().chain(basis(connector)) {
        let is_twin = |known: &str| {
            known == name || matches!((known, name), ("topic-pattern", "topic") | ("value.format", "format"))
        };
        if options.iter().all(|(known, _)| !is_twin(known)) {
            options.push((name.to_owned(), value.to_owned()));
        }
    }
    errors_of(connector, &options)
}

/// The same of a format's option, at the three places where it may stand.
fn with_format(name: &str, value: &str) -> Vec<Vec<SqlError>> {
    let (format, _) = name.split_once('.').unwrap_or((name, ""));
    let places = [
        vec![("topic", "a"), ("format", format)],
        vec![("topic", "a"), ("value.format", format)],
        vec![("topic", "a"), ("value.format", format), ("key.format", format), ("key.fields", "k")],
    ];
    let prefixes = ["", "value.", "key."];
    let with = |(options, prefix): (Vec<(&str, &str)>, &str)| {
        let mut options: Vec<(String, String)> =
            options.into_iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        options.push((format!("{prefix}{name}"), value.to_owned()));
        errors_of("kafka", &options)
    };
    places.into_iter().zip(prefixes).map(with).collect()
}

/// Whether an option is refused by its name, with what to do.
fn is_refusal(error: &SqlError, name: &str) -> bool {
    let codes = [code::REFUSED_OPTION, code::OPTION_VALUE];
    error.message.contains(name) && error.help.is_some() && codes.contains(&error.code)
}

/// Rows of the tables of the page: connector, option, value, verdict.
fn rows(page: &str) -> Vec<(String, String, String, String)> {
    let mut rows = Vec::new();
    let mut of = String::new();
    for line in page.lines() {
        if let Some(heading) = line.strip_prefix("## ") {
            of = heading.trim_matches('`').to_owned();
        }
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        if let ["", option, value, verdict, ..] = cells.as_slice()
            && option.starts_with('`')
        {
            let plain = |cell: &str| cell.trim_matches('`').to_owned();
            rows.push((of.clone(), plain(option), plain(value), (*verdict).to_owned()));
        }
    }
    rows
}

#[test]
fn every_option_of_flink_is_what_its_page_says() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/sql/options.md");
    let rows = rows(&std::fs::read_to_string(path).unwrap());
    let mut wrong = Vec::new();
    for (of, option, value, verdict) in &rows {
        let all = match of.as_str() {
            "Formats" => with_format(option, value),
            connector => vec![with(connector, option, value)],
        };
        for errors in all {
            let is_right = match verdict.as_str() {
                "as Flink" | "accepted" => errors.is_empty(),
                "refused" => matches!(&errors[..], [error] if is_refusal(error, option)),
                _ => false,
            };
            if !is_right {
                wrong.push(format!("{of}: '{option}' = '{value}' is not {verdict}: {errors:?}"));
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let told: BTreeSet<(&str, &str)> =
        rows.iter().map(|(of, option, ..)| (of.as_str(), option.as_str())).collect();
    let untold =
        OF_FLINK.iter().flat_map(|(of, options)| options.split_whitespace().map(move |option| (*of, option)));
    let untold: Vec<_> = untold.filter(|row| !told.contains(row)).collect();
    assert!(untold.is_empty(), "docs/sql/options.md says nothing of {untold:?}");
}
