//! Forms of SQL that sqlparser does not know, in words that it knows: the clauses of a call of JSON are arguments of it,
//! `IS JSON` is a predicate of the same shape, `WHEN 1, 2` is two cases, a nested type is one text. Words keep their places.

mod json;

use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};
use json::json_call;
use std::cell::Cell;

/// The name of a call that no text can name: the lower end of a `BETWEEN SYMMETRIC`.
pub(super) const SYMMETRIC: &str = "SYMMETRIC ..";

/// The name of a type that no text can name: an array, a map or a row as it is written.
pub(super) const NESTED_TYPE: &str = "..<..>";

/// How many words the lists of `CASE`s may make: of lists in lists each makes several of the next. What is more is left
/// to the parser, which refuses it.
const CASE_WORDS_MAX: usize = 50_000;

/// How deep brackets may be nested; what is deeper is left to the parser, which refuses it.
const DEPTH_MAX: usize = 60;

/// Where words stand that are changed.
#[derive(Clone, Copy)]
struct Within<'l> {
    depth: usize,
    /// How many more words lists may make.
    left: &'l Cell<usize>,
}

impl Within<'_> {
    fn deeper(self) -> Self {
        Within { depth: self.depth + 1, ..self }
    }
}

/// Words of a query, changed.
pub(super) fn known_forms(tokens: &[TokenWithSpan]) -> Vec<TokenWithSpan> {
    let tokens: Vec<TokenWithSpan> =
        tokens.iter().filter(|token| !matches!(token.token, Token::Whitespace(_))).cloned().collect();
    let left = Cell::new(CASE_WORDS_MAX);
    changed(&tokens, Within { depth: 0, left: &left })
}

fn changed(tokens: &[TokenWithSpan], within: Within<'_>) -> Vec<TokenWithSpan> {
    let mut out = Vec::with_capacity(tokens.len());
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        let rest = &tokens[at..];
        let formed = match within.depth < DEPTH_MAX {
            true => json_call(rest, within)
                .or_else(|| is_json(rest))
                .or_else(|| trim(rest))
                .or_else(|| case(rest, within))
                .or_else(|| symmetric(rest, within))
                .or_else(|| nested_type(rest)),
            false => None,
        };
        match formed {
            Some((mut formed, length)) => {
                out.append(&mut formed);
                at += length;
            }
            None => {
                out.push(token.clone());
                at += 1;
            }
        }
    }
    out
}

/// Whether a word stands there, in whatever case.
fn is_word(token: Option<&TokenWithSpan>, wanted: &str) -> bool {
    match token.map(|token| &token.token) {
        Some(Token::Word(word)) => word.quote_style.is_none() && word.value.eq_ignore_ascii_case(wanted),
        _ => false,
    }
}

fn is_words(tokens: &[TokenWithSpan], wanted: &[&str]) -> bool {
    wanted.iter().enumerate().all(|(place, wanted)| is_word(tokens.get(place), wanted))
}

/// Where the bracket that opens a text of words is closed.
fn closing(tokens: &[TokenWithSpan]) -> Option<usize> {
    let mut depth = 0_usize;
    for (place, token) in tokens.iter().enumerate() {
        match token.token {
            Token::LParen | Token::LBracket | Token::LBrace => depth += 1,
            Token::RParen | Token::RBracket | Token::RBrace => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(place);
                }
            }
            _ => {}
        }
    }
    None
}

/// The places of words that stand in no brackets.
fn outside(tokens: &[TokenWithSpan]) -> impl Iterator<Item = usize> + '_ {
    let mut depth = 0_usize;
    tokens.iter().enumerate().filter_map(move |(place, token)| match token.token {
        Token::LParen | Token::LBracket | Token::LBrace => {
            depth += 1;
            (depth == 1).then_some(place)
        }
        Token::RParen | Token::RBracket | Token::RBrace => {
            depth = depth.saturating_sub(1);
            None
        }
        _ => (depth == 0).then_some(place),
    })
}

/// The parts between commas.
fn parts(tokens: &[TokenWithSpan]) -> Vec<&[TokenWithSpan]> {
    let mut parts = Vec::new();
    let mut start = 0;
    for place in outside(tokens).filter(|place| tokens[*place].token == Token::Comma) {
        parts.push(&tokens[start..place]);
        start = place + 1;
    }
    parts.push(&tokens[start..]);
    parts
}

/// A token in the place of another one.
fn as_token(token: Token, at: &TokenWithSpan) -> TokenWithSpan {
    TokenWithSpan { token, span: at.span }
}

/// `IS [NOT] JSON [kind]` as `IS [NOT] [form] NORMALIZED`.
fn is_json(tokens: &[TokenWithSpan]) -> Option<(Vec<TokenWithSpan>, usize)> {
    if !is_word(tokens.first(), "IS") {
        return None;
    }
    let json = if is_word(tokens.get(1), "NOT") { 2 } else { 1 };
    if !is_word(tokens.get(json), "JSON") {
        return None;
    }
    let kinds = [("VALUE", "NFC"), ("SCALAR", "NFD"), ("ARRAY", "NFKC"), ("OBJECT", "NFKD")];
    let kind = kinds.iter().find(|(kind, _)| is_word(tokens.get(json + 1), kind));
    let mut out = tokens[..json].to_vec();
    out.extend(kind.map(|(_, form)| as_token(Token::make_keyword(form), &tokens[json + 1])));
    out.push(as_token(Token::make_keyword("NORMALIZED"), &tokens[json]));
    Some((out, json + 1 + usize::from(kind.is_some())))
}

/// `TRIM(LEADING FROM` as `TRIM(LEADING ' ' FROM`.
fn trim(tokens: &[TokenWithSpan]) -> Option<(Vec<TokenWithSpan>, usize)> {
    let is_side = ["LEADING", "TRAILING", "BOTH"].iter().any(|side| is_word(tokens.get(2), side));
    if !is_word(tokens.first(), "TRIM") || tokens.get(1)?.token != Token::LParen || !is_side {
        return None;
    }
    let from = tokens.get(3).filter(|_| is_word(tokens.get(3), "FROM"))?;
    let blank = as_token(Token::SingleQuotedString(" ".to_owned()), from);
    Some(([&tokens[..3], &[blank]].concat(), 3))
}

/// Where the `END` of a `CASE` stands, and the words of this one that begin its parts.
fn case_parts(tokens: &[TokenWithSpan]) -> Option<(usize, Vec<usize>)> {
    let mut depth = 0_usize;
    let mut parts = Vec::new();
    for place in outside(tokens) {
        let token = tokens.get(place);
        if is_word(token, "CASE") {
            depth += 1;
        } else if is_word(token, "END") {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some((place, parts));
            }
        } else if depth == 1 && ["WHEN", "THEN", "ELSE"].iter().any(|word| is_word(token, word)) {
            parts.push(place);
        }
    }
    None
}

/// `WHEN 1, 2 THEN r` of a `CASE x` as `WHEN 1 THEN r WHEN 2 THEN r`.
fn case(tokens: &[TokenWithSpan], within: Within<'_>) -> Option<(Vec<TokenWithSpan>, usize)> {
    if within.left.get() == 0 || !is_word(tokens.first(), "CASE") || is_word(tokens.get(1), "WHEN") {
        return None;
    }
    let (end, starts) = case_parts(tokens)?;
    let part = |index: usize| &tokens[starts[index]..starts.get(index + 1).copied().unwrap_or(end)];
    let has_list = |index: usize| is_word(part(index).first(), "WHEN") && parts(&part(index)[1..]).len() > 1;
    if !(0..starts.len()).any(has_list) {
        return None;
    }
    let mut out = vec![tokens[0].clone()];
    out.extend(changed(&tokens[1..*starts.first()?], within.deeper()));
    let mut index = 0;
    while index < starts.len() {
        let (words, then) = (part(index), part((index + 1).min(starts.len() - 1)));
        if is_word(words.first(), "WHEN") && is_word(then.first(), "THEN") {
            let then = changed(then, within.deeper());
            for value in parts(&words[1..]) {
                out.push(words[0].clone());
                out.extend(changed(value, within.deeper()));
                out.extend_from_slice(&then);
                let left = within.left.get().checked_sub(value.len() + then.len());
                within.left.set(left.unwrap_or(0));
                left?;
            }
            index += 2;
        } else {
            out.extend(changed(words, within.deeper()));
            index += 1;
        }
    }
    out.push(tokens[end].clone());
    Some((out, end + 1))
}

/// `BETWEEN SYMMETRIC low AND` as `BETWEEN mark(low) AND`.
fn symmetric(tokens: &[TokenWithSpan], within: Within<'_>) -> Option<(Vec<TokenWithSpan>, usize)> {
    if !is_words(tokens, &["BETWEEN", "SYMMETRIC"]) {
        return None;
    }
    let mut cases = 0_usize;
    let low = &tokens[2..];
    let end = outside(low).find(|place| {
        let token = low.get(*place);
        cases += usize::from(is_word(token, "CASE"));
        cases = cases.saturating_sub(usize::from(is_word(token, "END")));
        cases == 0 && is_word(token, "AND")
    })?;
    let mark = as_token(Token::make_word(SYMMETRIC, Some('`')), &tokens[1]);
    let mut out = vec![tokens[0].clone(), mark, as_token(Token::LParen, &tokens[1])];
    out.extend(changed(&low[..end], within.deeper()));
    out.push(as_token(Token::RParen, &low[end]));
    Some((out, 2 + end))
}

/// `AS ROW<..>` and the like as the name of a type whose argument is the text of the type.
fn nested_type(tokens: &[TokenWithSpan]) -> Option<(Vec<TokenWithSpan>, usize)> {
    let is_nested = ["ROW", "MAP", "ARRAY"].iter().any(|word| is_word(tokens.get(1), word));
    if !is_word(tokens.first(), "AS") || !is_nested || tokens.get(2)?.token != Token::Lt {
        return None;
    }
    let mut depth = 0_i64;
    let end = tokens.iter().enumerate().skip(2).find(|(_, token)| {
        depth += match token.token {
            Token::Lt => 1,
            Token::Gt => -1,
            Token::ShiftRight => -2,
            _ => 0,
        };
        depth <= 0
    });
    let (end, _) = end.filter(|_| depth == 0)?;
    let words: Vec<String> = tokens[1..=end].iter().map(|token| token.token.to_string()).collect();
    let (name, text) = (Token::make_word(NESTED_TYPE, Some('`')), Token::SingleQuotedString(words.join(" ")));
    let at = &tokens[1];
    let named = [name, Token::LParen, text, Token::RParen].map(|token| as_token(token, at));
    Some(([&tokens[..1], &named].concat(), end + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::functions::JSON_MARK;
    use crate::script::FlinkDialect;
    use datafusion::sql::sqlparser::tokenizer::Tokenizer;

    /// The words of a text, changed, with `~` for what only the planner writes.
    fn formed(text: &str) -> String {
        let words = Tokenizer::new(&FlinkDialect::default(), text).tokenize_with_location();
        let words = known_forms(&words.expect(text));
        let words: Vec<String> = words.iter().map(|word| word.token.to_string()).collect();
        words.join(" ").replace(JSON_MARK, "~")
    }

    #[test]
    fn clauses_of_json_are_arguments() {
        for (written, expected) in [
            ("JSON_VALUE(j, '$.a')", "JSON_VALUE ( j , '$.a' )"),
            (
                "JSON_VALUE(j, '$.a' RETURNING INT DEFAULT 1 ON EMPTY ERROR ON ERROR)",
                "JSON_VALUE ( j , '$.a' , '~INT|WITHOUT|DEFAULT|ERROR' , 1 , NULL )",
            ),
            (
                "JSON_QUERY(j, '$' WITH CONDITIONAL WRAPPER EMPTY ARRAY ON ERROR)",
                "JSON_QUERY ( j , '$' , '~STRING|CONDITIONAL|NULL|EMPTY ARRAY' )",
            ),
            ("JSON_EXISTS(j, p UNKNOWN ON ERROR)", "JSON_EXISTS ( j , p , '~STRING|WITHOUT|NULL|UNKNOWN' )"),
            ("JSON_OBJECT()", "JSON_OBJECT ( '~NULL|' )"),
            ("JSON_OBJECT(KEY 'k' VALUE JSON(j))", "JSON_OBJECT ( '~NULL|j' , 'k' , ( j ) )"),
            (
                "JSON_ARRAY(a, JSON_OBJECT('k': 1) NULL ON NULL)",
                "JSON_ARRAY ( '~NULL|vc' , a , JSON_OBJECT ( '~NULL|v' , 'k' , 1 ) )",
            ),
            ("j IS NOT JSON ARRAY AND b", "j IS NOT NFKC NORMALIZED AND b"),
        ] {
            assert_eq!(formed(written), expected, "{written}");
        }
    }

    #[test]
    fn other_forms_are_what_the_parser_knows() {
        for (written, expected) in [
            ("TRIM(LEADING FROM s)", "TRIM ( LEADING ' ' FROM s )"),
            ("CASE a WHEN 1, 2 THEN x ELSE y END", "CASE a WHEN 1 THEN x WHEN 2 THEN x ELSE y END"),
            ("CASE WHEN a THEN x END", "CASE WHEN a THEN x END"),
            ("a BETWEEN SYMMETRIC 1 AND 2", "a BETWEEN `SYMMETRIC ..` ( 1 ) AND 2"),
            (
                "CAST(r AS ROW<x INT, y ARRAY<INT>>)",
                "CAST ( r AS `..<..>` ( 'ROW < x INT , y ARRAY < INT >>' ) )",
            ),
        ] {
            assert_eq!(formed(written), expected, "{written}");
        }
    }

    #[test]
    fn lists_in_lists_of_cases_end() {
        let mut text = "a".to_owned();
        for _ in 0..50 {
            text = format!("CASE a WHEN 1, 2, 3 THEN {text} END");
        }
        assert!(formed(&text).len() < 1_000_000);
    }
}
