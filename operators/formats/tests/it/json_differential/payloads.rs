//! Payloads of every kind: valid ones, some that fit the columns, damaged ones.

use proptest::prelude::*;

fn space() -> impl Strategy<Value = String> {
    prop_oneof![6 => Just(String::new()), 1 => "[ \n\t\r]{1,3}", 1 => " {0,40}"]
}

fn number() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "-?(0|[1-9][0-9]{0,4})",
        2 => "-?(0|[1-9][0-9]{0,20})",
        2 => "-?(0|[1-9][0-9]{0,9})\\.[0-9]{1,12}",
        1 => "-?(0|[1-9][0-9]{0,3})(\\.[0-9]{1,3})?[eE][+-]?[0-9]{1,2}",
        1 => Just("9223372036854775807".to_owned()),
        1 => Just("-9223372036854775808".to_owned()),
        1 => Just("9223372036854775808".to_owned()),
    ]
}

fn string() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => "[a-z ]{0,24}",
        1 => "[éß世😀]{0,8}",
        1 => Just("\\u00e9".to_owned()),
        1 => Just("\\ud83d\\ude00".to_owned()),
        1 => Just("\\\"\\\\\\/\\b\\f\\n\\r\\t".to_owned()),
        1 => Just("\t\n\u{1}".to_owned()),
        1 => Just("{\\\"[".to_owned()),
        2 => number(),
    ];
    let special = Just("NaN".to_owned()).boxed();
    prop_oneof![
        8 => proptest::collection::vec(piece, 0..4).prop_map(|pieces| format!("\"{}\"", pieces.concat())),
        1 => prop_oneof![Just("true".to_owned()), Just("-Infinity".to_owned()), special].prop_map(|text| format!("\"{text}\"")),
    ]
}

fn scalar() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => number(),
        4 => string(),
        1 => Just("null".to_owned()),
        1 => Just("true".to_owned()),
        1 => Just("false".to_owned()),
    ]
}

fn key() -> impl Strategy<Value = String> {
    prop_oneof![
        12 => prop_oneof![
            Just("a"), Just("b"), Just("s"), Just("ok"), Just("i"), Just("r"), Just("l"), Just("ls"), Just("m"),
        ].prop_map(|name| format!("\"{name}\"")),
        1 => Just("\"\\u0061\"".to_owned()),
        2 => "\"[a-z]{0,20}\"",
    ]
}

fn object(value: impl Strategy<Value = String>) -> impl Strategy<Value = String> {
    let pair = (space(), key(), space(), space(), value, space());
    let pair = pair.prop_map(|(s1, key, s2, s3, value, s4)| format!("{s1}{key}{s2}:{s3}{value}{s4}"));
    (space(), proptest::collection::vec(pair, 0..7)).prop_map(|(inner, pairs)| match pairs.is_empty() {
        true => format!("{{{inner}}}"),
        false => format!("{{{}}}", pairs.join(",")),
    })
}

fn value() -> impl Strategy<Value = String> {
    scalar().prop_recursive(4, 24, 5, |inner| {
        let items = proptest::collection::vec((space(), inner.clone(), space()), 0..5);
        let array = items.prop_map(|items| {
            let items: Vec<String> =
                items.into_iter().map(|(before, item, behind)| before + &item + &behind).collect();
            format!("[{}]", items.join(","))
        });
        prop_oneof![1 => array, 2 => object(inner)]
    })
}

/// An object whose fields mostly fit.
fn fitting() -> impl Strategy<Value = String> {
    let whole = || "-?(0|[1-9][0-9]{0,12})";
    let small = "-?(0|[1-9][0-9]?)";
    let inner = (small, string(), number())
        .prop_map(|(a, s, b)| format!("{{\"a\":{a},\"s\":{s},\"r\":{{\"b\":{b}}}}}"));
    let items = |item: BoxedStrategy<String>| {
        proptest::collection::vec(item, 0..4).prop_map(|items| format!("[{}]", items.join(",")))
    };
    let pairs = proptest::collection::vec(("[a-c]", whole()), 0..5);
    let map = pairs.prop_map(|pairs| {
        let pairs: Vec<String> =
            pairs.into_iter().map(|(key, a)| format!("\"{key}\":{{\"a\":{a}}}")).collect();
        format!("{{{}}}", pairs.join(","))
    });
    let columns = (
        whole(),
        number(),
        string(),
        any::<bool>(),
        small,
        inner,
        items(whole().prop_map(|it: String| it).boxed()),
        items(string().boxed()),
        map,
        Just((0..9).collect::<Vec<usize>>()).prop_shuffle(),
        0..10usize,
    );
    columns.prop_map(|(a, b, s, ok, i, r, l, ls, m, order, count)| {
        let columns = [
            format!("\"a\":{a}"),
            format!("\"b\":{b}"),
            format!("\"s\":{s}"),
            format!("\"ok\":{ok}"),
            format!("\"i\":{i}"),
            format!("\"r\":{r}"),
            format!("\"l\":{l}"),
            format!("\"ls\":{ls}"),
            format!("\"m\":{m}"),
        ];
        let chosen: Vec<&str> = order.iter().take(count).map(|index| columns[*index].as_str()).collect();
        format!("{{{}}}", chosen.join(","))
    })
}

pub(super) fn payload() -> impl Strategy<Value = String> {
    let object = prop_oneof![1 => object(value()), 1 => fitting()];
    (space(), object, space()).prop_map(|(before, object, behind)| before + &object + &behind)
}

/// Cuts, changes, doubles or removes bytes.
pub(super) fn mutate(mut payload: Vec<u8>, changes: &[(u8, prop::sample::Index, u8)]) -> Vec<u8> {
    for (kind, place, byte) in changes {
        if payload.is_empty() {
            break;
        }
        let at = place.index(payload.len());
        match kind % 5 {
            0 => payload.truncate(at),
            1 => payload[at] = *byte,
            2 => payload.insert(at, *byte),
            3 => {
                payload.remove(at);
            }
            _ => {
                let copied = payload[at..payload.len().min(at + usize::from(*byte) % 12)].to_vec();
                payload.splice(at..at, copied);
            }
        }
    }
    payload
}

pub(super) fn json_byte() -> impl Strategy<Value = u8> {
    prop_oneof![
        8 => proptest::sample::select(b"{}[]:,\"\\ \n0123456789.-+eEtrufalsn/abimok".to_vec()),
        1 => any::<u8>(),
    ]
}
