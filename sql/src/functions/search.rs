//! Where one text stands in another, and texts taken apart at separators.
//!
//! Places are counted in characters, from 1; 0 is nowhere.

use super::regexp::Patterns;
use super::{Call, Failed, Function, Param, fixed, utf16};
use arrow::array::{
    ArrayRef, Int32Array, ListBuilder, MapBuilder, MapFieldNames, StringArray, StringBuilder,
};
use arrow::datatypes::{DataType, Field, Int32Type};
use millstream_operators::columns::map_type;
use std::collections::HashMap;
use std::sync::Arc;

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        names: &["POSITION"],
        signature: "POSITION(part IN string)",
        types: |args| fixed(args, 2, &[Param::Text, Param::Text], DataType::Int32),
        eval: locate,
        fails: false,
        examples: &[("POSITION('a' IN 'banana')", "2"), ("POSITION('b' IN '😀b')", "2")],
    },
    Function {
        names: &["LOCATE"],
        signature: "LOCATE(part, string [, start])",
        types: |args| fixed(args, 2, &[Param::Text, Param::Text, Param::Int], DataType::Int32),
        eval: locate,
        fails: false,
        examples: &[
            ("LOCATE('a', 'banana', 3)", "4"),
            ("LOCATE('a', 'banana', -10)", "2"),
            ("LOCATE('b', 'abc', 3)", "0"),
            ("LOCATE('', 'abc', 5)", "1"),
        ],
    },
    Function {
        names: &["INSTR"],
        signature: "INSTR(string, part [, start [, occurrence]])",
        types: |args| fixed(args, 2, &[Param::Text, Param::Text, Param::Int, Param::Int], DataType::Int32),
        eval: instr,
        fails: true,
        examples: &[
            ("INSTR('banana', 'a')", "2"),
            ("INSTR('banana', 'ana', 1, 2)", "4"),
            ("INSTR('banana', 'ana', -1, 2)", "2"),
            ("INSTR('banana', 'a', 0)", "0"),
        ],
    },
    Function {
        names: &["SPLIT_INDEX"],
        signature: "SPLIT_INDEX(string, separator, index)",
        types: |args| {
            let code = args.get(1).is_some_and(|arg| Param::Int.accepts(arg.data_type));
            let separator = if code { Param::Int } else { Param::Text };
            fixed(args, 3, &[Param::Text, separator, Param::Int], DataType::Utf8)
        },
        eval: split_index,
        fails: false,
        examples: &[
            ("SPLIT_INDEX('a,,b', ',', 2)", "b"),
            ("SPLIT_INDEX('a,b', 44, 0)", "a"),
            ("SPLIT_INDEX('a,b', ',', 2)", "null"),
            ("SPLIT_INDEX(' a  b', '', 1)", "a"),
        ],
    },
    Function {
        names: &["SPLIT"],
        signature: "SPLIT(string, separator)",
        types: |args| fixed(args, 2, &[Param::Text, Param::Text], texts()),
        eval: split,
        fails: false,
        examples: &[
            ("SPLIT('a,b,', ',')", "[a, b, ]"),
            ("SPLIT('ab', '')", "[a, b]"),
            ("SPLIT('', ',')", "[]"),
        ],
    },
    Function {
        names: &["STR_TO_MAP"],
        signature: "STR_TO_MAP(string [, pair_delimiter, key_delimiter])",
        types: |args| match args.len() {
            2 => Err("takes 1 or 3 arguments, not 2".to_owned()),
            _ => {
                let returns = map_type(DataType::Utf8, DataType::Utf8);
                fixed(args, 1, &[Param::Text, Param::Text, Param::Text], returns)
            }
        },
        eval: str_to_map,
        fails: true,
        examples: &[
            ("STR_TO_MAP('a=1,b=2')", "{a=1, b=2}"),
            ("STR_TO_MAP('a1b2c', '[0-9]', 'x')", "{a=null, b=null, c=null}"),
            ("STR_TO_MAP('')", "{}"),
        ],
    },
];

/// `ARRAY<STRING>`.
pub(super) fn texts() -> DataType {
    DataType::List(Arc::new(Field::new("item", DataType::Utf8, true)))
}

/// Where a part stands, as Flink counts: an empty part is at the beginning, wherever the search starts.
fn position(part: &str, text: &str, start: i32) -> i32 {
    if part.is_empty() {
        return 1;
    }
    // As in Flink, there is no number before the least.
    let skipped = usize::try_from(start.wrapping_sub(1)).unwrap_or(0);
    let from = match text.is_ascii() {
        true => skipped.min(text.len()),
        false => text.char_indices().nth(skipped).map_or(text.len(), |(byte, _)| byte),
    };
    match text[from..].find(part) {
        Some(found) => text[..from + found].chars().count() as i32 + 1,
        None => 0,
    }
}

fn locate(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let part = call.column::<StringArray>(0)?;
    let text = call.column::<StringArray>(1)?;
    if call.arity() == 2 {
        return call.numbers::<Int32Type>(|row| {
            Ok(part.get(row).zip(text.get(row)).map(|(part, text)| position(part, text, 1)))
        });
    }
    let start = call.column::<Int32Array>(2)?;
    call.numbers::<Int32Type>(|row| {
        let given = part.get(row).zip(text.get(row)).zip(start.get(row));
        Ok(given.map(|((part, text), start)| position(part, text, start)))
    })
}

fn instr(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let text = call.column::<StringArray>(0)?;
    let part = call.column::<StringArray>(1)?;
    let or_one = |arg: usize| match arg < call.arity() {
        true => call.column::<Int32Array>(arg).map(Some),
        false => Ok(None),
    };
    let (start, occurrence) = (or_one(2)?, or_one(3)?);
    call.numbers::<Int32Type>(|row| {
        let start = start.as_ref().map_or(Some(1), |start| start.get(row));
        let occurrence = occurrence.as_ref().map_or(Some(1), |occurrence| occurrence.get(row));
        let given = text.get(row).zip(part.get(row)).zip(start.zip(occurrence));
        let Some(((text, part), (start, occurrence))) = given else { return Ok(None) };
        if occurrence <= 0 {
            return Err(Failed(format!("INSTR needs an occurrence of 1 or more, not {occurrence}")));
        }
        Ok(Some(match start {
            0 => 0,
            1.. => nth_position(text, part, start, occurrence),
            _ => {
                let (text, part): (String, String) =
                    (text.chars().rev().collect(), part.chars().rev().collect());
                match nth_position(&text, &part, start.checked_neg().unwrap_or(i32::MAX), occurrence) {
                    0 => 0,
                    found => text.chars().count() as i32 + 2 - found - part.chars().count() as i32,
                }
            }
        }))
    })
}

/// Where a part stands for the n-th time, from a place on; they may overlap.
fn nth_position(text: &str, part: &str, start: i32, occurrence: i32) -> i32 {
    if part.is_empty() {
        return 1;
    }
    let mut found = start - 1;
    for _ in 0..occurrence {
        found = position(part, text, found + 1);
        if found == 0 {
            break;
        }
    }
    found
}

/// White space as Java has it: without blanks that don't break, with the separators of ASCII.
fn is_java_white_space(char: char) -> bool {
    match char {
        '\u{1c}'..='\u{1f}' => true,
        '\u{85}' | '\u{a0}' | '\u{2007}' | '\u{202f}' => false,
        char => char.is_whitespace(),
    }
}

/// The parts of a text between separators, empty ones too; an empty separator stands for runs of white space.
fn pieces<'t>(text: &'t str, separator: &'t str) -> Box<dyn Iterator<Item = &'t str> + 't> {
    match (text, separator) {
        ("", _) => Box::new(std::iter::empty()),
        (text, "") => Box::new(text.split(is_java_white_space)),
        _ => Box::new(text.split(separator)),
    }
}

fn split_index(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let text = call.column::<StringArray>(0)?;
    let index = call.column::<Int32Array>(2)?;
    if let Ok(code) = call.column::<Int32Array>(1) {
        return call.texts(|row| {
            let index = index.get(row).and_then(|index| usize::try_from(index).ok());
            let separator = code
                .get(row)
                .and_then(|code| u8::try_from(code).ok())
                .filter(|code| *code > 0)
                .map(char::from);
            let Some(((text, separator), index)) = text.get(row).zip(separator).zip(index) else {
                return Ok(None);
            };
            Ok(if text.is_empty() { None } else { text.split(separator).nth(index) })
        });
    }
    let separator = call.column::<StringArray>(1)?;
    call.texts(|row| {
        let index = index.get(row).and_then(|index| usize::try_from(index).ok());
        let given = text.get(row).zip(separator.get(row)).zip(index);
        Ok(given.and_then(|((text, separator), index)| pieces(text, separator).nth(index)))
    })
}

fn split(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let text = call.column::<StringArray>(0)?;
    let separator = call.column::<StringArray>(1)?;
    let mut lists = ListBuilder::with_capacity(StringBuilder::new(), call.rows());
    let mut units = String::new();
    for row in 0..call.rows() {
        let Some((text, separator)) = text.get(row).zip(separator.get(row)) else {
            lists.append(false);
            continue;
        };
        match separator {
            "" => {
                for unit in text.encode_utf16() {
                    units.clear();
                    utf16::push(&[unit], &mut units);
                    lists.values().append_value(&units);
                }
            }
            _ if text.is_empty() => {}
            _ => text.split(separator).for_each(|piece| lists.values().append_value(piece)),
        }
        lists.append(true);
    }
    Ok(Arc::new(lists.finish()))
}

/// As in Flink both delimiters are regular expressions, what has no key delimiter is a key without a value, and of equal
/// keys the last one counts.
fn str_to_map(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let text = call.column::<StringArray>(0)?;
    let delimiters = match call.arity() {
        1 => None,
        _ => Some((call.column::<StringArray>(1)?, call.column::<StringArray>(2)?)),
    };
    let mut patterns = Patterns::default();
    let mut maps = MapsBuilder::new(call.rows());
    for row in 0..call.rows() {
        let (pairs, keys) = match &delimiters {
            None => (Some(","), Some("=")),
            Some((pairs, keys)) => (pairs.get(row), keys.get(row)),
        };
        let Some(((text, pairs), keys)) = text.get(row).zip(pairs).zip(keys) else {
            maps.null();
            continue;
        };
        if !text.is_empty() {
            let pairs = patterns.get(pairs)?.ok_or_else(|| bad_delimiter(pairs))?;
            let keys = patterns.get(keys)?.ok_or_else(|| bad_delimiter(keys))?;
            for pair in pairs.split(text, 0)? {
                match keys.split(pair, 2)?.as_slice() {
                    [key, value] => maps.put(key, Some(value)),
                    _ => maps.put(pair, None),
                }
            }
        }
        maps.end();
    }
    Ok(maps.finish())
}

fn bad_delimiter(delimiter: &str) -> Failed {
    Failed(format!("STR_TO_MAP takes regular expressions as delimiters, and '{delimiter}' is none"))
}

/// Maps from texts to texts, entry by entry.
struct MapsBuilder {
    maps: MapBuilder<StringBuilder, StringBuilder>,
    entries: Vec<(String, Option<String>)>,
    places: HashMap<String, usize>,
}

impl MapsBuilder {
    fn new(rows: usize) -> Self {
        let names =
            MapFieldNames { entry: "entries".to_owned(), key: "key".to_owned(), value: "value".to_owned() };
        let maps = MapBuilder::with_capacity(Some(names), StringBuilder::new(), StringBuilder::new(), rows);
        MapsBuilder { maps, entries: Vec::new(), places: HashMap::new() }
    }

    fn put(&mut self, key: &str, value: Option<&str>) {
        match self.places.get(key) {
            Some(place) => self.entries[*place].1 = value.map(str::to_owned),
            None => {
                self.places.insert(key.to_owned(), self.entries.len());
                self.entries.push((key.to_owned(), value.map(str::to_owned)));
            }
        }
    }

    fn null(&mut self) {
        // There are as many keys as values, so this can't fail.
        let _ = self.maps.append(false);
    }

    fn end(&mut self) {
        self.places.clear();
        for (key, value) in self.entries.drain(..) {
            self.maps.keys().append_value(key);
            self.maps.values().append_option(value);
        }
        let _ = self.maps.append(true);
    }

    fn finish(mut self) -> ArrayRef {
        Arc::new(self.maps.finish())
    }
}
