//! Files that were right, with words exchanged, left out, doubled, brought from elsewhere, and worse.

use super::random::Random;

/// Words and symbols of a text, each with the white space behind it.
pub(super) fn words(text: &str) -> Vec<&str> {
    let is_word = |char: char| char.is_alphanumeric() || char == '_';
    let mut words = Vec::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let body = match first {
            '\'' => rest[1..].find('\'').map_or(rest.len(), |end| end + 2),
            first if is_word(first) => rest.find(|char| !is_word(char)).unwrap_or(rest.len()),
            first => first.len_utf8(),
        };
        let behind =
            rest[body..].find(|char: char| !char.is_whitespace()).map_or(rest.len(), |space| body + space);
        words.push(&rest[..behind]);
        rest = &rest[behind..];
    }
    words
}

/// What is put in somewhere.
const STRANGERS: &[&str] = &[
    "SELECT ",
    "FROM ",
    "WHERE ",
    "GROUP BY ",
    "HAVING ",
    "JOIN ",
    "LEFT JOIN ",
    "ON ",
    "USING (k) ",
    "AS ",
    "UNION ALL ",
    "ORDER BY ",
    "LIMIT ",
    "OVER (PARTITION BY k) ",
    "OVER w ",
    "CASE ",
    "WHEN ",
    "THEN ",
    "END ",
    "CAST(",
    "TRY_CAST(",
    "AS INT) ",
    "IN (",
    "EXISTS (",
    "NOT ",
    "NULL ",
    "BETWEEN ",
    "AND ",
    "OR ",
    "IS ",
    "LIKE ",
    "ESCAPE ",
    "DISTINCT ",
    "* ",
    "COUNT(*) ",
    "SUM(",
    "UNNEST(",
    "LATERAL ",
    "TABLE(",
    "TUMBLE(",
    "HOP(",
    "SESSION(",
    "DESCRIPTOR(ts) ",
    "INTERVAL ",
    "INTERVAL '1' DAY ",
    "SECOND ",
    "FOR SYSTEM_TIME AS OF ",
    "MATCH_RECOGNIZE (",
    "ROW(",
    "ARRAY[",
    "MAP[",
    "WITH ",
    "WITH RECURSIVE ",
    "VALUES (1) ",
    "FILTER (WHERE ",
    "GROUPING SETS (",
    "ROLLUP(",
    "WITHIN GROUP (",
    "QUALIFY ",
    "WINDOW w AS (",
    "EXTRACT(",
    "TRIM(",
    "SUBSTRING(",
    "POSITION(",
    "OVERLAY(",
    "DATE ",
    "TIMESTAMP ",
    "ARRAY ",
    "ROW<",
    "<",
    ">",
    ">>",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ";",
    ".",
    "..",
    "=",
    "=>",
    "->",
    "::",
    ":",
    "?",
    "$1 ",
    "@",
    "#",
    "!",
    "||",
    "|",
    "&",
    "^",
    "~",
    "\\",
    "\"",
    "'",
    "`",
    "/*",
    "*/",
    "/*+ OPTIONS('a'='b') */ ",
    "--",
    "\n",
    "\t",
    "0 ",
    "1 ",
    "-1 ",
    "1e308 ",
    "1e-400 ",
    "0x1F ",
    "9223372036854775808 ",
    "340282366920938463463374607431768211456 ",
    "1.7976931348623157e309 ",
    ".5 ",
    "5. ",
    "'\u{0}' ",
    "ü ",
    "\u{1F600} ",
    "\u{202e}",
    "\u{feff}",
    "\u{0}",
    "\u{1b}[31m",
    "e\u{301} ",
    "'ﬀ' ",
    "X'0' ",
    "U&'\\0041' ",
    "N'a' ",
    "b'1' ",
    "$$a$$ ",
    "default_catalog.default_database.",
    "t.",
    "k.a.b.c.d ",
    "INSERT INTO ",
    "CREATE TABLE ",
    "CREATE VIEW ",
    "EXPLAIN ",
    "SET ",
    "EXECUTE STATEMENT SET BEGIN ",
    "END; ",
    "PRIMARY KEY (k) NOT ENFORCED ",
    "WATERMARK FOR ts AS ts ",
    "METADATA FROM 'offset' ",
    "'connector' = 'kafka' ",
    "'sasl.password' = 'hunter2' ",
    "PARTITION BY ",
    "EXCLUDE ",
    "EXCEPT ",
    "PIVOT (",
    "FETCH FIRST 1 ROWS ONLY ",
    "OFFSET 1 ",
    "TABLESAMPLE ",
    "ANY ",
    "ALL ",
    "SOME ",
    "COLLATE x ",
    "AT TIME ZONE 'UTC' ",
    "SIMILAR TO ",
    "OVERLAPS ",
    "NATURAL ",
    "CROSS ",
    "STRUCT ",
    "LAMBDA ",
    "PRIOR ",
    "TOP 1 ",
    "INTO x ",
    "TRUE ",
    "DEFAULT ",
];

/// One text, changed somewhere.
pub(super) fn mutated(random: &mut Random, corpus: &[String]) -> String {
    let mut text: Vec<String> = words(random.pick(corpus).as_str()).into_iter().map(str::to_owned).collect();
    for _ in 0..1 + random.below(4) {
        change(random, &mut text, corpus);
    }
    let mut text = text.concat();
    if random.one_in(20) {
        text.truncate(text.floor_char_boundary(random.below(text.len() + 1)));
    }
    text
}

fn change(random: &mut Random, text: &mut Vec<String>, corpus: &[String]) {
    let at = random.below(text.len() + 1);
    let other = random.below(text.len().max(1));
    let length = 1 + random.below(12);
    let range = at..(at + length).min(text.len());
    match random.below(11) {
        0 if at < text.len() => text.swap(at, other),
        1 if at < text.len() => drop(text.remove(at)),
        2 => drop(text.drain(range)),
        3 => {
            let again: Vec<String> = text[range].to_vec();
            drop(text.splice(at..at, again));
        }
        4 if at < text.len() => text[at] = (*random.pick(STRANGERS)).to_owned(),
        5 => {
            let from = words(random.pick(corpus).as_str());
            let start = random.below(from.len() + 1);
            let end = (start + 1 + random.below(30)).min(from.len());
            let part: Vec<String> = from[start..end].iter().map(|word| (*word).to_owned()).collect();
            drop(text.splice(at..at, part));
        }
        6 => {
            let (open, close) = *random.pick(&[
                ("(", ")"),
                ("CAST(", " AS INT)"),
                ("UPPER(", ")"),
                ("NOT (", ")"),
                ("- ", ""),
                ("CASE WHEN TRUE THEN ", " END"),
                ("(SELECT * FROM ", ")"),
                ("SUM(", ")"),
                ("ARRAY[", "]"),
                ("IF(TRUE, ", ", 1)"),
                ("SUBSTRING(", " FROM 1)"),
                ("x.f(", ")"),
                ("INTERVAL ", " DAY"),
                ("ARRAY<", ">"),
                ("TRIM(", ")"),
            ]);
            let times = 1 << random.below(9);
            text.insert(range.end, close.repeat(times));
            text.insert(at, open.repeat(times));
        }
        7 => {
            let again = (*random.pick(STRANGERS)).repeat(1 << random.below(8));
            text.insert(at, again);
        }
        8 if at < text.len() => {
            let term = text[at].clone();
            let operator =
                *random.pick(&[" + ", " OR ", " AND ", " || ", ", ", " UNION ALL ", " JOIN ", " = ", "."]);
            text[at] = vec![term; 1 + (1 << random.below(10))].join(operator);
        }
        9 if at < text.len() => {
            let word = &mut text[at];
            let inside = word.floor_char_boundary(random.below(word.len() + 1));
            let stranger = *random.pick(STRANGERS);
            word.insert_str(inside, stranger);
        }
        _ => text.insert(at, (*random.pick(STRANGERS)).to_owned()),
    }
}
