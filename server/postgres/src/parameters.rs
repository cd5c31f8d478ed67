//! Which types the parameters of a statement have.

use crate::error::Trouble;
use crate::text::{Piece, Token, character, type_name, value};
use crate::types::Kind;

/// Which types the parameters have, by what stands beside them: a column that they are compared with, a type that they are
/// cast to, or that of rows that are counted. `column` gives the type of a column by its name.
pub(crate) fn parameter_kinds(
    statement: &[Token],
    text: &str,
    given: &[u32],
    column: impl Fn(&str) -> Option<Kind>,
) -> Result<Vec<Kind>, Trouble> {
    let words: Vec<&Token> = statement.iter().filter(|token| token.piece != Piece::Space).collect();
    let mut kinds: Vec<Option<Kind>> = Vec::new();
    for (at, token) in words.iter().enumerate().filter(|(_, token)| token.piece == Piece::Parameter) {
        let number = token.text(text).get(1..).and_then(|number| number.parse::<usize>().ok());
        let Some(number) = number.filter(|number| (1..=1_000).contains(number)) else {
            let trouble = Trouble::new("42P02", "parameters have numbers from $1 to $1000");
            return Err(trouble.at(Some(character(text, token.start))));
        };
        kinds.resize(kinds.len().max(number), None);
        let told = given.get(number - 1).copied().filter(|oid| *oid != 0);
        let kind = match told {
            Some(oid) => Some(Kind::of_oid(oid).ok_or_else(|| {
                Trouble::unsupported(
                    format!("parameters of type {oid} are not supported"),
                    "give the value as text, and CAST it in the statement",
                )
            })?),
            None => beside(&words, at, text, &column),
        };
        if let Some(place) = kinds.get_mut(number - 1) {
            *place = place.or(kind);
        }
    }
    Ok(kinds.into_iter().map(|kind| kind.unwrap_or(Kind::Text)).collect())
}

fn beside(words: &[&Token], at: usize, text: &str, column: &impl Fn(&str) -> Option<Kind>) -> Option<Kind> {
    let word = |at: Option<usize>| {
        at.and_then(|at| words.get(at)).map(|token| token.text(text).to_ascii_uppercase()).unwrap_or_default()
    };
    let column = |at: Option<usize>| {
        let token = at.and_then(|at| words.get(at))?;
        matches!(token.piece, Piece::Word | Piece::Quoted)
            .then(|| value(token, text))
            .and_then(|name| column(&name))
    };
    let is_comparison = |word: &str| matches!(word, "=" | "<" | ">");
    if word(Some(at + 1)) == "::" {
        let rest: Vec<Token> = words.iter().skip(at + 2).map(|token| **token).collect();
        let (name, _) = type_name(&rest, text)?;
        return Some(Kind::of_flink(name));
    }
    if matches!(word(at.checked_sub(1)).as_str(), "LIMIT" | "OFFSET") {
        return Some(Kind::Int8);
    }
    if word(at.checked_sub(2)) == "CAST" && word(Some(at + 1)) == "AS" {
        return Some(Kind::of_flink(&word(Some(at + 2))));
    }
    // `column < $1`, `column <= $1`, `column <> $1`.
    let mut left = at;
    while left > 0 && is_comparison(&word(left.checked_sub(1))) {
        left -= 1;
    }
    if left < at {
        return column(left.checked_sub(1));
    }
    // `$1 < column`, whose name may have that of a table in front.
    let mut right = at + 1;
    while is_comparison(&word(Some(right))) {
        right += 1;
    }
    if right > at + 1 {
        while word(Some(right + 1)) == "." {
            right += 2;
        }
        return column(Some(right));
    }
    // `column BETWEEN $1 AND $2`, `column LIKE $1`, `column IN (.., $1`.
    let mut back = at.checked_sub(1);
    if word(back) == "AND" && word(at.checked_sub(3)) == "BETWEEN" {
        back = at.checked_sub(3);
    }
    while matches!(word(back).as_str(), "," | "(")
        || back
            .and_then(|back| words.get(back))
            .is_some_and(|token| matches!(token.piece, Piece::Parameter | Piece::Text | Piece::Number))
    {
        back = back?.checked_sub(1);
    }
    match word(back).as_str() {
        "BETWEEN" | "IN" | "LIKE" => {
            let back = back?.checked_sub(1)?;
            column(if word(Some(back)) == "NOT" { back.checked_sub(1) } else { Some(back) })
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::text::tokens;

    #[test]
    fn parameters_have_the_types_of_what_stands_beside_them() {
        let column = |name: &str| match name {
            "n" => Some(Kind::Int4),
            "at" => Some(Kind::Timestamp),
            "s" => Some(Kind::Text),
            _ => None,
        };
        for (text, expected) in [
            ("SELECT * FROM t WHERE n >= $1 AND s = $2", vec![Kind::Int4, Kind::Text]),
            ("SELECT * FROM t WHERE $1 < t.n", vec![Kind::Int4]),
            ("SELECT * FROM t WHERE \"at\" BETWEEN $1 AND $2", vec![Kind::Timestamp; 2]),
            ("SELECT * FROM t WHERE n NOT IN (1, $1, $2) LIMIT $3", vec![Kind::Int4, Kind::Int4, Kind::Int8]),
            ("SELECT CAST($1 AS DOUBLE), $2::date, $3", vec![Kind::Float8, Kind::Date, Kind::Text]),
            ("SELECT $2", vec![Kind::Text, Kind::Text]),
        ] {
            let tokens = tokens(text).unwrap();
            assert_eq!(parameter_kinds(&tokens, text, &[], column).unwrap(), expected, "{text}");
        }
        let text = "SELECT * FROM t WHERE n = $1 AND s = $2";
        let tokens = tokens(text).unwrap();
        let given = parameter_kinds(&tokens, text, &[20], column).unwrap();
        assert_eq!(given, [Kind::Int8, Kind::Text]);
        assert!(parameter_kinds(&tokens, text, &[600], column).is_err());
    }
}
