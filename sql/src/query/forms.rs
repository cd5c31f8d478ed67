//! Forms of SQL that sqlparser does not know, in words that it knows: the clauses of a call of JSON are arguments of it,
//! `IS JSON` is a predicate of the same shape, `WHEN 1, 2` is two cases, a nested type is one text. Words keep their places.

use crate::functions::JSON_MARK;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};
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

/// A call of JSON with its clauses as arguments, and how many words it has.
fn json_call(tokens: &[TokenWithSpan], within: Within<'_>) -> Option<(Vec<TokenWithSpan>, usize)> {
    let Token::Word(word) = &tokens.first()?.token else { return None };
    if word.quote_style.is_some() || tokens.get(1)?.token != Token::LParen {
        return None;
    }
    let name = word.value.to_ascii_uppercase();
    let is_call =
        ["JSON_VALUE", "JSON_QUERY", "JSON_EXISTS", "JSON_OBJECT", "JSON_ARRAY"].contains(&name.as_str());
    if !is_call {
        return None;
    }
    let end = 1 + closing(&tokens[1..])?;
    let inside = &tokens[2..end];
    let args = match name.as_str() {
        "JSON_OBJECT" => object(inside, &tokens[0], within)?,
        "JSON_ARRAY" => array(inside, &tokens[0], within)?,
        _ => with_path(inside, &name, within)?,
    };
    let mut out = tokens[..2].to_vec();
    out.extend(joined(args, &tokens[1]));
    out.push(tokens[end].clone());
    Some((out, end + 1))
}

/// Arguments with commas between.
fn joined(args: Vec<Vec<TokenWithSpan>>, at: &TokenWithSpan) -> Vec<TokenWithSpan> {
    let mut out = Vec::new();
    for (place, mut arg) in args.into_iter().enumerate() {
        if place > 0 {
            out.push(as_token(Token::Comma, at));
        }
        out.append(&mut arg);
    }
    out
}

/// A text that only the planner writes.
fn marked(text: &str, at: &TokenWithSpan) -> Vec<TokenWithSpan> {
    vec![as_token(Token::SingleQuotedString(format!("{JSON_MARK}{text}")), at)]
}

/// Without `NULL ON NULL` or `ABSENT ON NULL` at its end; whether nulls stay, if it is said.
fn on_null(tokens: &[TokenWithSpan]) -> (&[TokenWithSpan], Option<bool>) {
    let split = tokens.len().checked_sub(3).map(|start| tokens.split_at(start));
    match split {
        Some((rest, end)) if is_words(end, &["NULL", "ON", "NULL"]) => (rest, Some(true)),
        Some((rest, end)) if is_words(end, &["ABSENT", "ON", "NULL"]) => (rest, Some(false)),
        _ => (tokens, None),
    }
}

/// What makes JSON already: `c` a call, `j` a text as `JSON(..)` has it, whose word goes.
fn kind_of(value: &[TokenWithSpan]) -> (char, &[TokenWithSpan]) {
    let is_whole =
        value.len() > 2 && value[1].token == Token::LParen && closing(&value[1..]) == Some(value.len() - 2);
    match is_whole {
        true if is_word(value.first(), "JSON") => ('j', &value[1..]),
        true if is_word(value.first(), "JSON_OBJECT") || is_word(value.first(), "JSON_ARRAY") => ('c', value),
        _ => ('v', value),
    }
}

/// `[KEY] k VALUE v, ..` as the form, and keys and values by turns.
fn object(
    tokens: &[TokenWithSpan],
    at: &TokenWithSpan,
    within: Within<'_>,
) -> Option<Vec<Vec<TokenWithSpan>>> {
    let (tokens, nulls) = on_null(tokens);
    let mut kinds = String::new();
    let mut args = Vec::new();
    for member in parts(tokens).into_iter().filter(|_| !tokens.is_empty()) {
        let member = if is_word(member.first(), "KEY") { &member[1..] } else { member };
        let is_between =
            |place: &usize| is_word(member.get(*place), "VALUE") || member[*place].token == Token::Colon;
        let between = outside(member).find(is_between)?;
        let (kind, value) = kind_of(&member[between + 1..]);
        kinds.push(kind);
        args.push(changed(&member[..between], within.deeper()));
        args.push(changed(value, within.deeper()));
    }
    let nulls = if nulls.unwrap_or(true) { "NULL" } else { "ABSENT" };
    args.insert(0, marked(&format!("{nulls}|{kinds}"), at));
    Some(args)
}

/// Values as the form, and the values.
fn array(
    tokens: &[TokenWithSpan],
    at: &TokenWithSpan,
    within: Within<'_>,
) -> Option<Vec<Vec<TokenWithSpan>>> {
    let (tokens, nulls) = on_null(tokens);
    let mut kinds = String::new();
    let mut args = Vec::new();
    for value in parts(tokens).into_iter().filter(|_| !tokens.is_empty()) {
        let (kind, value) = kind_of(value);
        kinds.push(kind);
        args.push(changed(value, within.deeper()));
    }
    let nulls = if nulls.unwrap_or(false) { "NULL" } else { "ABSENT" };
    args.insert(0, marked(&format!("{nulls}|{kinds}"), at));
    Some(args)
}

/// A text, a path, and where there are any, the clauses and the values of their defaults.
fn with_path(tokens: &[TokenWithSpan], name: &str, within: Within<'_>) -> Option<Vec<Vec<TokenWithSpan>>> {
    let all = parts(tokens);
    let [text, path_and_clauses] = all.as_slice() else { return None };
    let begins = |place: &usize| {
        let word = path_and_clauses.get(*place);
        let words =
            ["RETURNING", "WITH", "WITHOUT", "NULL", "ERROR", "DEFAULT", "EMPTY", "TRUE", "FALSE", "UNKNOWN"];
        *place > 0 && words.iter().any(|wanted| is_word(word, wanted))
    };
    let start = outside(path_and_clauses).find(begins).unwrap_or(path_and_clauses.len());
    let (path, mut rest) = path_and_clauses.split_at(start);
    let mut args = vec![changed(text, within.deeper()), changed(path, within.deeper())];
    let Some(at) = rest.first().cloned() else { return Some(args) };
    let returning = returning(&mut rest)?;
    let wrapper = if name == "JSON_QUERY" { wrapper(&mut rest)? } else { "WITHOUT" };
    let (mut on_empty, mut on_error) = ("NULL", if name == "JSON_EXISTS" { "FALSE" } else { "NULL" });
    let null = || vec![as_token(Token::make_keyword("NULL"), &at)];
    let (mut empty_default, mut error_default) = (null(), null());
    while !rest.is_empty() {
        let (action, default) = action(&mut rest)?;
        let default = default.map(|default| changed(default, within.deeper()));
        match (is_words(rest, &["ON", "EMPTY"]), is_words(rest, &["ON", "ERROR"])) {
            (true, _) => (on_empty, empty_default) = (action, default.unwrap_or(empty_default)),
            (_, true) => (on_error, error_default) = (action, default.unwrap_or(error_default)),
            _ => return None,
        }
        rest = &rest[2..];
    }
    args.push(marked(&format!("{returning}|{wrapper}|{on_empty}|{on_error}"), &at));
    if name == "JSON_VALUE" {
        args.extend([empty_default, error_default]);
    }
    Some(args)
}

/// `RETURNING type`, by the name that the clause has; other types are named as they are.
fn returning(rest: &mut &[TokenWithSpan]) -> Option<String> {
    if !is_word(rest.first(), "RETURNING") {
        return Some("STRING".to_owned());
    }
    let clauses = ["WITH", "WITHOUT", "NULL", "ERROR", "DEFAULT", "EMPTY"];
    let is_end = |place: &usize| clauses.iter().any(|word| is_word(rest.get(*place), word));
    let end = (1..rest.len()).find(is_end).unwrap_or(rest.len());
    let written: String = rest[1..end].iter().map(|token| token.token.to_string().to_uppercase()).collect();
    *rest = &rest[end..];
    let of_text =
        |name: &str| written.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('('));
    Some(match written.as_str() {
        "INTEGER" => "INT".to_owned(),
        "DOUBLEPRECISION" => "DOUBLE".to_owned(),
        "ARRAY<VARCHAR>" => "ARRAY<STRING>".to_owned(),
        _ if of_text("VARCHAR") => "STRING".to_owned(),
        _ => written.replace('|', " "),
    })
}

/// `{WITH | WITHOUT} [CONDITIONAL | UNCONDITIONAL] [ARRAY] WRAPPER`
fn wrapper(rest: &mut &[TokenWithSpan]) -> Option<&'static str> {
    let with = is_word(rest.first(), "WITH");
    if !with && !is_word(rest.first(), "WITHOUT") {
        return Some("WITHOUT");
    }
    let mut found = if with { "UNCONDITIONAL" } else { "WITHOUT" };
    let mut at = 1;
    match (is_word(rest.get(1), "CONDITIONAL"), is_word(rest.get(1), "UNCONDITIONAL")) {
        (true, _) if with => (found, at) = ("CONDITIONAL", 2),
        (_, true) if with => at = 2,
        _ => {}
    }
    at += usize::from(is_word(rest.get(at), "ARRAY"));
    let is_wrapper = is_word(rest.get(at), "WRAPPER");
    *rest = rest.get(at + 1..)?;
    is_wrapper.then_some(found)
}

/// What a clause does, up to its `ON`, and the value of a default.
fn action<'t>(rest: &mut &'t [TokenWithSpan]) -> Option<(&'static str, Option<&'t [TokenWithSpan]>)> {
    let all = *rest;
    if is_word(all.first(), "DEFAULT") {
        let end = outside(all).find(|place| {
            *place > 1
                && (is_words(&all[*place..], &["ON", "EMPTY"]) || is_words(&all[*place..], &["ON", "ERROR"]))
        })?;
        *rest = &all[end..];
        return Some(("DEFAULT", Some(&all[1..end])));
    }
    let actions: [(&[&str], &str); 7] = [
        (&["NULL"], "NULL"),
        (&["ERROR"], "ERROR"),
        (&["EMPTY", "ARRAY"], "EMPTY ARRAY"),
        (&["EMPTY", "OBJECT"], "EMPTY OBJECT"),
        (&["TRUE"], "TRUE"),
        (&["FALSE"], "FALSE"),
        (&["UNKNOWN"], "UNKNOWN"),
    ];
    let (words, action) = actions.into_iter().find(|(words, _)| is_words(all, words))?;
    *rest = &all[words.len()..];
    Some((action, None))
}

#[cfg(test)]
mod tests {
    use super::*;
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
