//! Functions of JSON with their clauses, as calls with arguments.

use super::{Within, as_token, changed, closing, is_word, is_words, outside, parts};
use crate::functions::JSON_MARK;
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};

/// A call of JSON with its clauses as arguments, and how many words it has.
pub(super) fn json_call(tokens: &[TokenWithSpan], within: Within<'_>) -> Option<(Vec<TokenWithSpan>, usize)> {
    let Token::Word(word) = &tokens.first()?.token else { return None };
    if word.quote_style.is_some() || tokens.get(1)?.token != Token::LParen {
        return None;
    }
    let name = word.value.to_ascii_uppercase();
    let is_path = ["JSON_VALUE", "JSON_QUERY", "JSON_EXISTS"].contains(&name.as_str());
    let is_object = ["JSON_OBJECT", "JSON_OBJECTAGG"].contains(&name.as_str());
    let is_array = ["JSON_ARRAY", "JSON_ARRAYAGG"].contains(&name.as_str());
    if !is_path && !is_object && !is_array {
        return None;
    }
    let end = 1 + closing(&tokens[1..])?;
    let inside = &tokens[2..end];
    let args = match (is_object, is_array) {
        (true, _) => object(inside, &tokens[0], within)?,
        (_, true) => array(inside, &tokens[0], within)?,
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
