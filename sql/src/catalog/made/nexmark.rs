//! `'connector' = 'nexmark'`, with the options of Nexmark for Flink.

use super::super::options::Options;
use super::{Column, Made, number, physical};
use crate::error::{SqlError, code, nearest};
use crate::script::nested_type;
use millstream_connectors::nexmark::{COLUMNS, Options as Events};
use std::sync::Arc;

/// Reads the options. `None` if an error was reported.
pub(super) fn made(columns: &[Column], options: &mut Options<'_>) -> Option<Made> {
    let reported = options.errors.len();
    check_columns(columns, options);
    let known = Events::default();
    let mut whole = |name: &str, otherwise: u64| number(name, 1, 1 << 30, options).unwrap_or(otherwise);
    let rate = whole("first-event.rate", known.rate);
    let next = whole("next-event.rate", rate);
    let [persons, auctions, bids] = known.proportions;
    let proportions = [
        whole("person.proportion", persons),
        whole("auction.proportion", auctions),
        whole("bid.proportion", bids),
    ];
    let [auctions, bidders, sellers] = known.hot;
    let hot = [
        whole("bid.hot-ratio.auctions", auctions),
        whole("bid.hot-ratio.bidders", bidders),
        whole("auction.hot-ratio.sellers", sellers),
    ];
    let events = number("events.num", 0, u64::MAX, options).filter(|events| *events > 0);
    let at_full_speed = options.choice("max-emit-speed", &[("true", true), ("false", false)]);
    if next != rate {
        let span = options.span("next-event.rate");
        let error = SqlError::new(code::CONFLICT, span, "'next-event.rate' is not 'first-event.rate'");
        options.errors.push(error.help("give both the same value: events come at one rate"));
    }
    let generator = Arc::new(Events { rate, proportions, hot, ..known });
    let per_second = (!at_full_speed).then_some(rate);
    let made = Made { generator, partitions: 1, rows: events, per_second };
    (options.errors.len() == reported).then_some(made)
}

/// The table has columns of events, any of them and in any order.
fn check_columns(columns: &[Column], options: &mut Options<'_>) {
    for column in physical(columns) {
        let name = column.name.value.as_str();
        let Some((_, wanted)) = COLUMNS.iter().find(|(known, _)| *known == name) else {
            let help = match nearest(name, COLUMNS.iter().map(|(known, _)| *known)) {
                Some(near) => format!("did you mean {near}?"),
                None => "there are event_type, person, auction and bid".to_owned(),
            };
            let error =
                SqlError::new(code::COLUMN, column.name.span, format!("no event has a column \"{name}\""));
            options.errors.push(error.help(help));
            continue;
        };
        if nested_type(wanted).is_ok_and(|(wanted, _)| wanted != column.data_type) {
            let message = format!("column \"{name}\" of an event has another type");
            let error = SqlError::new(code::COLUMN, column.name.span, message);
            options.errors.push(error.help(format!("declare {name} {wanted}")));
        }
    }
}
