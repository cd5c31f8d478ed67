//! Types as Flink calls them.

/// Names of types as the library writes them, and as Flink does. Longer ones first.
const TYPES: &[(&str, &str)] = &[
    ("LargeUtf8", "STRING"),
    ("Utf8View", "STRING"),
    ("Utf8", "STRING"),
    ("Boolean", "BOOLEAN"),
    ("Float32", "FLOAT"),
    ("Float64", "DOUBLE"),
    ("Int8", "TINYINT"),
    ("Int16", "SMALLINT"),
    ("Int32", "INT"),
    ("Int64", "BIGINT"),
    ("Decimal128", "DECIMAL"),
    ("Decimal256", "DECIMAL"),
    ("Date32", "DATE"),
    ("LargeBinary", "BYTES"),
    ("BinaryView", "BYTES"),
    ("Binary", "BYTES"),
    ("Null", "NULL"),
    ("Time32", "TIME"),
    ("Time64", "TIME"),
    ("Interval", "INTERVAL"),
    ("Duration", "INTERVAL"),
];

/// A text in which types are called as Flink calls them: `Timestamp(ms, "+00:00")` is a `TIMESTAMP_LTZ(3)`.
pub(crate) fn in_flinks_types(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(|char: char| char.is_ascii_alphabetic()) {
        out.push_str(&rest[..start]);
        let word = &rest[start..];
        let length =
            word.find(|char: char| !char.is_ascii_alphanumeric() && char != '_').unwrap_or(word.len());
        let (word, behind) = word.split_at(length);
        let arguments = behind.strip_prefix('(').and_then(|inner| inner.split_once(')'));
        rest = behind;
        if let Some((inside, after)) = nested(word, behind) {
            out.push_str(&inside);
            rest = after;
            continue;
        }
        match (TYPES.iter().find(|(theirs, _)| *theirs == word), arguments) {
            (None, Some((inner, behind))) if word == "Timestamp" => {
                out.push_str(&timestamp(inner));
                rest = behind;
            }
            (Some((_, ours @ ("TIME" | "INTERVAL"))), Some((_, behind))) => {
                out.push_str(ours);
                rest = behind;
            }
            (Some((_, ours)), _) => out.push_str(ours),
            (None, _) => out.push_str(word),
        }
    }
    out + rest
}

/// A type that others are in, and what stands behind it.
fn nested<'t>(word: &str, behind: &'t str) -> Option<(String, &'t str)> {
    let ours = ["List", "LargeList", "FixedSizeList", "Struct", "Map"].contains(&word);
    let inner = behind.strip_prefix('(').filter(|_| ours)?;
    let mut open = 1;
    let end = inner.char_indices().find(|(_, char)| {
        open += i32::from(*char == '(') - i32::from(*char == ')');
        open == 0
    });
    let end = end.map_or(inner.len(), |(at, _)| at);
    let after = inner.get(end + 1..).unwrap_or_default();
    let name = match word {
        "Struct" => "a ROW".to_owned(),
        "Map" => "a MAP".to_owned(),
        _ => format!("ARRAY<{}>", in_flinks_types(&inner[..end])),
    };
    Some((name, after))
}

fn timestamp(inner: &str) -> String {
    let unit = inner.split(',').next().unwrap_or_default().trim();
    let digits = match unit {
        "s" | "Second" => 0,
        "ms" | "Millisecond" => 3,
        "ns" | "Nanosecond" => 9,
        _ => 6,
    };
    let zone = if inner.contains('"') { "_LTZ" } else { "" };
    format!("TIMESTAMP{zone}({digits})")
}
