//! Where reading begins and ends.

use super::options::{Options, split};
use crate::error::{SqlError, code};
use crate::script::Spanned;
use millstream_operators::Offset;
use millstream_operators::source::{Bounded, Startup};
use std::collections::BTreeMap;

/// Where in topics reading begins or ends, as an option names it.
enum Boundary {
    Beginning,
    End,
    Group,
    Timestamp(i64),
    Offsets(BTreeMap<u32, Offset>),
    Nowhere,
}

/// What a mode needs beside itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Mode {
    Beginning,
    End,
    Group,
    Timestamp,
    Offsets,
    Nowhere,
}

/// `scan.startup.*`
pub(super) fn startup(topics: usize, options: &mut Options<'_>) -> Startup {
    let modes = [
        ("group-offsets", Mode::Group),
        ("earliest-offset", Mode::Beginning),
        ("latest-offset", Mode::End),
        ("timestamp", Mode::Timestamp),
        ("specific-offsets", Mode::Offsets),
    ];
    match boundary("scan.startup.", &modes, topics, options) {
        Boundary::Group | Boundary::Nowhere => Startup::GroupOffsets,
        Boundary::Beginning => Startup::Earliest,
        Boundary::End => Startup::Latest,
        Boundary::Timestamp(time) => Startup::Timestamp(time),
        Boundary::Offsets(offsets) => Startup::Offsets(offsets),
    }
}

/// `scan.bounded.*`
pub(super) fn bounded(topics: usize, options: &mut Options<'_>) -> Bounded {
    let modes = [
        ("unbounded", Mode::Nowhere),
        ("latest-offset", Mode::End),
        ("group-offsets", Mode::Group),
        ("timestamp", Mode::Timestamp),
        ("specific-offsets", Mode::Offsets),
    ];
    match boundary("scan.bounded.", &modes, topics, options) {
        Boundary::Nowhere | Boundary::Beginning => Bounded::Unbounded,
        Boundary::End => Bounded::Latest,
        Boundary::Group => Bounded::GroupOffsets,
        Boundary::Timestamp(time) => Bounded::Timestamp(time),
        Boundary::Offsets(offsets) => Bounded::Offsets(offsets),
    }
}

fn boundary(prefix: &str, modes: &[(&str, Mode)], topics: usize, options: &mut Options<'_>) -> Boundary {
    let mode = options.choice(&format!("{prefix}mode"), modes);
    let time = beside(prefix, "timestamp-millis", ("timestamp", mode == Mode::Timestamp), options);
    let offsets = beside(prefix, "specific-offsets", ("specific-offsets", mode == Mode::Offsets), options);
    let found = match mode {
        Mode::Beginning => Some(Boundary::Beginning),
        Mode::End => Some(Boundary::End),
        Mode::Group => Some(Boundary::Group),
        Mode::Nowhere => Some(Boundary::Nowhere),
        Mode::Timestamp => time.and_then(|text| {
            options.time_ms(&format!("{prefix}timestamp-millis"), text).map(Boundary::Timestamp)
        }),
        Mode::Offsets => {
            offsets.and_then(|text| specific(prefix, text, topics, options).map(Boundary::Offsets))
        }
    };
    found.unwrap_or(Boundary::Nowhere)
}

/// An option that belongs to one mode: missing if it is not there, and a contradiction beside another mode.
fn beside<'d>(
    prefix: &str,
    name: &str,
    (mode, wanted): (&str, bool),
    options: &mut Options<'d>,
) -> Option<&'d Spanned<String>> {
    let name = format!("{prefix}{name}");
    let option = options.option(&name);
    match option {
        None if wanted => {
            options.missing(&name, &format!("'{prefix}mode' = '{mode}' needs it"));
            None
        }
        Some((key, _)) if !wanted => {
            let message = format!("'{name}' means nothing without '{prefix}mode' = '{mode}'");
            let error = SqlError::new(code::CONFLICT, key.span, message);
            options.fail(error.help(format!("set '{prefix}mode' = '{mode}', or leave '{name}' out")))
        }
        option => option.map(|(_, value)| value),
    }
}

/// `partition:0,offset:42;partition:1,offset:300`
fn specific(
    prefix: &str,
    text: &Spanned<String>,
    topics: usize,
    options: &mut Options<'_>,
) -> Option<BTreeMap<u32, Offset>> {
    let name = format!("{prefix}specific-offsets");
    if topics > 1 {
        let error = SqlError::new(code::CONFLICT, text.span, "offsets of partitions are those of one topic");
        return options.fail(error.help("declare a table for each topic"));
    }
    let mut offsets = BTreeMap::new();
    for part in split(text, ';').into_iter().filter(|part| !part.value.is_empty()) {
        let pair = part.value.split_once(',').and_then(|(partition, offset)| {
            let partition: u32 = partition.trim().strip_prefix("partition:")?.trim().parse().ok()?;
            Some((partition, offset.trim().strip_prefix("offset:")?.trim().parse::<Offset>().ok()?))
        });
        let Some((partition, offset)) = pair else {
            return options.bad(&name, &part, "'partition:0,offset:42;partition:1,offset:300'");
        };
        if offsets.insert(partition, offset).is_some() {
            let message = format!("partition {partition} has two offsets");
            return options.fail(SqlError::new(code::OPTION_VALUE, part.span, message).help("name it once"));
        }
    }
    if offsets.is_empty() {
        return options.bad(&name, text, "'partition:0,offset:42;partition:1,offset:300'");
    }
    Some(offsets)
}
