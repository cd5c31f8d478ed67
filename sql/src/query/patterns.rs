//! The pattern of a `MATCH_RECOGNIZE`, which sqlparser reads otherwise than Flink.
//!
//! What stands in `PATTERN (..)` becomes one word that sqlparser takes for the name of a variable, and `WITHIN` the first of
//! the definitions. What Flink has not either is refused here, where its place is known.
//!
//! ```text
//!   PATTERN (A B+? C) WITHIN INTERVAL '1' HOUR DEFINE B AS ..
//!   PATTERN (`A B+? C`) DEFINE `WITHIN INTERVAL` AS INTERVAL '1' HOUR, B AS ..
//! ```

use crate::error::{Span, SqlError, code};
use crate::script::{Positions, Tokens};
use datafusion::sql::sqlparser::tokenizer::{Token, TokenWithSpan};
use millstream_operators::match_recognize::{Quantifier, REPEATED_MAX};
use std::collections::BTreeSet;

/// The name of the definition that is the length of time.
pub(crate) const WITHIN: &str = "WITHIN INTERVAL";

/// Variables of one pattern.
const VARIABLES_MAX: usize = 32;
/// Rows that variables with an upper bound may be mapped to, together.
const STATES_MAX: u64 = 1_000;

/// A pattern: variables behind each other.
pub(crate) type Written = Vec<(String, Quantifier)>;

/// The words of a query with each pattern as one word.
pub(super) fn as_one_word(tokens: &Tokens, positions: &Positions) -> Result<Vec<TokenWithSpan>, SqlError> {
    let words = &tokens.tokens;
    let mut changed: Vec<TokenWithSpan> = Vec::with_capacity(words.len());
    let mut at = 0;
    while at < words.len() {
        let opened = is(words, at, "MATCH_RECOGNIZE") && symbol(words, at + 1, &Token::LParen);
        if !opened {
            changed.push(words[at].clone());
            at += 1;
            continue;
        }
        let reader = Reader { words, positions, whole: tokens.span };
        reader.check_table(at)?;
        changed.extend_from_slice(&words[at..at + 2]);
        at = reader.clause(at + 2, &mut changed)?;
    }
    Ok(changed)
}

/// The pattern that a word stands for.
pub(crate) fn decode(word: &str) -> Option<Written> {
    let variable = |text: &str| {
        let mut parts = text.split('\u{0}');
        let name = parts.next()?.to_owned();
        let min = parts.next()?.parse().ok()?;
        let max = parts.next().filter(|max| !max.is_empty()).map(str::parse).transpose().ok()?;
        Some((name, Quantifier { min, max, greedy: parts.next()? == "greedy" }))
    };
    word.split('\u{1}').map(variable).collect()
}

fn encode(pattern: &Written) -> String {
    let variable = |(name, quantifier): &(String, Quantifier)| {
        let max = quantifier.max.map(|max| max.to_string()).unwrap_or_default();
        let greedy = if quantifier.greedy { "greedy" } else { "reluctant" };
        format!("{name}\u{0}{}\u{0}{max}\u{0}{greedy}", quantifier.min)
    };
    pattern.iter().map(variable).collect::<Vec<_>>().join("\u{1}")
}

fn is(words: &[TokenWithSpan], at: usize, word: &str) -> bool {
    words.get(at).is_some_and(|token| {
        matches!(&token.token, Token::Word(found) if found.quote_style.is_none() && found.value.eq_ignore_ascii_case(word))
    })
}

fn are(words: &[TokenWithSpan], at: usize, all: &str) -> bool {
    all.split(' ').enumerate().all(|(ahead, word)| is(words, at + ahead, word))
}

fn symbol(words: &[TokenWithSpan], at: usize, symbol: &Token) -> bool {
    words.get(at).is_some_and(|token| token.token == *symbol)
}

/// Reads one clause.
struct Reader<'t> {
    words: &'t [TokenWithSpan],
    positions: &'t Positions,
    whole: Span,
}

impl Reader<'_> {
    fn span(&self, at: usize) -> Span {
        let word = self.words.get(at).and_then(|word| self.positions.span(word.span));
        word.unwrap_or(Span { start: self.whole.end, end: self.whole.end })
    }

    fn error(
        &self,
        code: &'static str,
        (from, to): (usize, usize),
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> SqlError {
        SqlError::new(code, self.span(from).to(self.span(to)), message).label("here").help(help)
    }

    fn refused(
        &self,
        places: (usize, usize),
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> SqlError {
        self.error(code::UNSUPPORTED, places, message, help)
    }

    /// It stands behind a table.
    fn check_table(&self, at: usize) -> Result<(), SqlError> {
        match at.checked_sub(1).is_some_and(|before| symbol(self.words, before, &Token::RParen)) {
            false => Ok(()),
            true => Err(self.refused(
                (at, at),
                "MATCH_RECOGNIZE behind a query in parentheses is not supported",
                "give the query a name, with WITH q AS (..) or CREATE VIEW, and write FROM q MATCH_RECOGNIZE (..)",
            )),
        }
    }

    /// Copies the clause up to its closing bracket; where it goes on.
    fn clause(&self, begin: usize, changed: &mut Vec<TokenWithSpan>) -> Result<usize, SqlError> {
        let (mut at, mut depth) = (begin, 1_usize);
        while let Some(token) = self.words.get(at) {
            match &token.token {
                Token::LParen => depth += 1,
                Token::RParen => depth -= 1,
                _ => {}
            }
            if depth == 1 {
                self.check_word(at)?;
                if is(self.words, at, "PATTERN") && symbol(self.words, at + 1, &Token::LParen) {
                    at = self.pattern(at, changed)?;
                    continue;
                }
                if are(self.words, at, "SKIP TO") && !self.names_row(at + 2) {
                    // SKIP TO v is SKIP TO LAST v.
                    changed.extend_from_slice(&self.words[at..at + 2]);
                    changed.push(TokenWithSpan { token: Token::make_keyword("LAST"), span: token.span });
                    at += 2;
                    continue;
                }
            }
            changed.push(token.clone());
            at += 1;
            if depth == 0 {
                break;
            }
        }
        Ok(at)
    }

    fn names_row(&self, at: usize) -> bool {
        ["NEXT", "FIRST", "LAST"].iter().any(|word| is(self.words, at, word))
    }

    /// Refuses what there is not in Flink either.
    fn check_word(&self, at: usize) -> Result<(), SqlError> {
        if are(self.words, at, "ALL ROWS PER MATCH") {
            let help = "write ONE ROW PER MATCH; FIRST, LAST and aggregates in MEASURES say of the rows of a match what is \
                        needed";
            return Err(self.refused((at, at + 3), "ALL ROWS PER MATCH is not supported, as in Flink", help));
        }
        if is(self.words, at, "SUBSET") {
            let help = "write the variables out: SUM(A.v) + SUM(B.v); all rows of a match are those without a variable, \
                        SUM(v)";
            return Err(self.refused(
                (at, at),
                "SUBSET is not supported in MATCH_RECOGNIZE, as in Flink",
                help,
            ));
        }
        Ok(())
    }

    /// Reads `PATTERN (..) [WITHIN ..] DEFINE`; where it goes on.
    fn pattern(&self, at: usize, changed: &mut Vec<TokenWithSpan>) -> Result<usize, SqlError> {
        let (pattern, close) = self.variables(at + 2)?;
        let put = |token: Token, of: usize| {
            let span = self.words.get(of).or(self.words.last()).map(|word| word.span);
            TokenWithSpan {
                token,
                span: span.unwrap_or_else(datafusion::sql::sqlparser::tokenizer::Span::empty),
            }
        };
        changed.extend_from_slice(&self.words[at..at + 2]);
        changed.push(put(Token::make_word(&encode(&pattern), Some('`')), at + 2));
        changed.push(put(Token::RParen, close));
        let mut at = close + 1;
        let within = at + 1..self.end_of_within(at);
        if is(self.words, at, "WITHIN") {
            at = within.end;
        }
        self.check_word(at)?;
        if is(self.words, at, "DEFINE") {
            changed.push(self.words[at].clone());
            at += 1;
        } else if !within.is_empty() {
            let help =
                "write DEFINE v AS condition behind PATTERN, as in Flink: variables without one take any row";
            return Err(self.error(code::SYNTAX, (at, at), "expected DEFINE", help));
        }
        if !within.is_empty() {
            changed.push(put(Token::make_word(WITHIN, Some('`')), within.start));
            changed.push(put(Token::make_keyword("AS"), within.start));
            changed.extend_from_slice(&self.words[within.clone()]);
            changed.push(put(Token::Comma, within.start));
        }
        Ok(at)
    }

    /// Where the words behind `WITHIN` end.
    fn end_of_within(&self, at: usize) -> usize {
        if !is(self.words, at, "WITHIN") {
            return at;
        }
        let ends = |at: &usize| {
            is(self.words, *at, "DEFINE")
                || is(self.words, *at, "SUBSET")
                || symbol(self.words, *at, &Token::RParen)
        };
        (at + 1..self.words.len()).find(ends).unwrap_or(self.words.len())
    }

    /// The variables from a place on, and where their closing bracket is.
    fn variables(&self, mut at: usize) -> Result<(Written, usize), SqlError> {
        let begin = at;
        let mut pattern = Written::new();
        let mut names = BTreeSet::new();
        while !symbol(self.words, at, &Token::RParen) {
            let first = at;
            let name = self.variable(at)?;
            let (quantifier, behind) = self.quantifier(at + 1)?;
            at = behind;
            self.check_quantifier(
                &name,
                quantifier,
                (first, at - 1),
                symbol(self.words, at, &Token::RParen),
            )?;
            let behind_greedy =
                pattern.last().is_some_and(|(_, before): &(String, Quantifier)| before.decides());
            self.check_behind(behind_greedy, quantifier, (first, at - 1))?;
            if !names.insert(name.clone()) {
                let help = "give each place of the pattern a variable of its own, as in Flink, with the same condition in DEFINE";
                return Err(self.refused(
                    (first, first),
                    format!("{name} stands twice in the pattern"),
                    help,
                ));
            }
            pattern.push((name, quantifier));
        }
        let places = (begin, at.saturating_sub(1).max(begin));
        if pattern.iter().all(|(_, quantifier)| quantifier.min == 0) {
            let help = "give one variable at least one row: A+ in the place of A*";
            return Err(self.refused(
                places,
                "a pattern that a match without rows fits is not supported, as in Flink",
                help,
            ));
        }
        let states =
            |(_, quantifier): &(String, Quantifier)| u64::from(quantifier.max.unwrap_or(quantifier.min));
        if pattern.len() > VARIABLES_MAX || pattern.iter().map(states).sum::<u64>() > STATES_MAX {
            let message = format!(
                "a pattern has {VARIABLES_MAX} variables at most, and {STATES_MAX} rows with their bounds"
            );
            return Err(self.error(
                code::TOO_LARGE,
                places,
                message,
                "write + or * for a variable with many rows",
            ));
        }
        Ok((pattern, at))
    }

    fn variable(&self, at: usize) -> Result<String, SqlError> {
        let advice = "a pattern is variables behind each other, each with *, +, ?, {n}, {n,} or {n,m}: PATTERN (A B+ C?)";
        let not =
            |message: &str, help: &str| Err(self.refused((at, at), format!("{message}, as in Flink"), help));
        match self.words.get(at).map(|word| &word.token) {
            Some(Token::Word(word)) if !self.is_permute(at) => Ok(word.value.clone()),
            Some(Token::Word(_)) => not(
                "PERMUTE in a PATTERN is not supported",
                "write a MATCH_RECOGNIZE for each order, and UNION ALL them",
            ),
            Some(Token::LParen) => not(
                "a group in a PATTERN is not supported",
                "repeat variables, each for itself; give those that are repeated together a view that marks them",
            ),
            Some(Token::Pipe) => not(
                "A | B in a PATTERN is not supported",
                "write one variable with both conditions, A AS x OR y, or a MATCH_RECOGNIZE for each, and UNION ALL them",
            ),
            Some(Token::LBrace) if symbol(self.words, at + 1, &Token::Minus) => {
                not("{- A -} in a PATTERN is not supported", "leave out of MEASURES what is not wanted")
            }
            Some(Token::Caret) => {
                not("^ and $ in a PATTERN are not supported", "a stream has no end to look for")
            }
            Some(Token::Placeholder(symbol)) if symbol.starts_with('$') => {
                not("^ and $ in a PATTERN are not supported", "a stream has no end to look for")
            }
            None => Err(self.error(code::SYNTAX, (at, at), "this pattern has no end", "close it with )")),
            Some(_) => Err(self.error(code::SYNTAX, (at, at), "this is no variable of a pattern", advice)),
        }
    }

    fn is_permute(&self, at: usize) -> bool {
        is(self.words, at, "PERMUTE") && symbol(self.words, at + 1, &Token::LParen)
    }

    /// The quantifier at a place, and where it goes on.
    fn quantifier(&self, at: usize) -> Result<(Quantifier, usize), SqlError> {
        let is_question = |at: usize| {
            self.words
                .get(at)
                .is_some_and(|word| matches!(&word.token, Token::Placeholder(symbol) if symbol == "?"))
        };
        let (min, max, mut next) = match self.words.get(at).map(|word| &word.token) {
            Some(Token::Mul) => (0, None, at + 1),
            Some(Token::Plus) => (1, None, at + 1),
            _ if is_question(at) => (0, Some(1), at + 1),
            Some(Token::LBrace) if !symbol(self.words, at + 1, &Token::Minus) => self.bounds(at)?,
            _ => return Ok((Quantifier::ONE, at)),
        };
        let reluctant = is_question(next);
        next += usize::from(reluctant);
        Ok((Quantifier { min, max, greedy: !reluctant }, next))
    }

    /// `{n}`, `{n,}`, `{,m}` and `{n,m}`.
    fn bounds(&self, open: usize) -> Result<(u32, Option<u32>, usize), SqlError> {
        let close = (open..self.words.len().min(open + 6)).find(|at| symbol(self.words, *at, &Token::RBrace));
        let wrong = || {
            let help =
                format!("write {{n}}, {{n,}}, {{,m}} or {{n,m}}, with whole numbers up to {REPEATED_MAX}");
            self.error(code::SYNTAX, (open, close.unwrap_or(open)), "this does not say how many rows", help)
        };
        let text: String = match close {
            Some(close) => self.words[open + 1..close].iter().map(|word| word.token.to_string()).collect(),
            None => return Err(wrong()),
        };
        let number = |text: &str| text.parse::<u32>().ok().filter(|number| *number <= REPEATED_MAX);
        let (min, max) = match text.split_once(',') {
            None => (number(&text), number(&text)),
            Some(("", max)) => (Some(0), number(max)),
            Some((min, "")) => (number(min), Some(u32::MAX)),
            Some((min, max)) => (number(min), number(max)),
        };
        match (min, max, close) {
            (Some(min), Some(max), Some(close)) if min <= max && max > 0 => {
                Ok((min, Some(max).filter(|max| *max != u32::MAX), close + 1))
            }
            _ => Err(wrong()),
        }
    }

    /// A variable that may be missing does not stand behind a greedy one.
    fn check_behind(
        &self,
        greedy: bool,
        quantifier: Quantifier,
        places: (usize, usize),
    ) -> Result<(), SqlError> {
        let optional = quantifier.min == 0 && matches!(quantifier.max, None | Some(1));
        match greedy && optional {
            false => Ok(()),
            true => Err(self.refused(
                places,
                "a variable with * or ? behind a greedy one is not supported, as in Flink",
                "make the one before it reluctant, as in A+? B*, and its condition exclude rows of this one",
            )),
        }
    }

    fn check_quantifier(
        &self,
        name: &str,
        quantifier: Quantifier,
        places: (usize, usize),
        is_last: bool,
    ) -> Result<(), SqlError> {
        let Quantifier { min, max, greedy } = quantifier;
        if !greedy && (min, max) == (0, Some(1)) {
            let help = format!("write {name}?, after which both ways are looked for");
            return Err(self.refused(places, format!("{name}?? is not supported, as in Flink"), help));
        }
        if is_last && quantifier.decides() {
            let help = format!(
                "end the pattern with a variable that says when it is over, or write {name}{}, which takes as few rows as \
                 it can",
                Quantifier { greedy: false, ..quantifier }
            );
            let message = format!("{name}{quantifier} at the end of a PATTERN is not supported, as in Flink");
            return Err(self.refused(places, message, help));
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_is_read_back_from_its_word() {
        let pattern: Written = vec![
            ("A".to_owned(), Quantifier::ONE),
            ("a b".to_owned(), Quantifier { min: 2, max: None, greedy: false }),
            ("C".to_owned(), Quantifier { min: 0, max: Some(7), greedy: true }),
        ];
        assert_eq!(decode(&encode(&pattern)), Some(pattern));
        assert_eq!(decode("A"), None);
    }
}
