//! Hints: `/*+ NAME('key' = 'value', ..), NAME(a, ..) */`, comments that say something.

use super::parser::{Failed, Parsed, Parser};
use super::{Hint, Ident, Spanned};
use crate::error::{SqlError, code};
use datafusion::sql::sqlparser::tokenizer::{Span as LineSpan, Token};

const HELP: &str = "write /*+ OPTIONS('key' = 'value') */ behind a table, or /*+ STATE_TTL('table' = '1 d') */ behind SELECT";

impl Parser<'_> {
    /// The hints of one comment, whose words these are all.
    pub(super) fn hints(&mut self, after: LineSpan) -> Vec<Hint> {
        let mut hints = Vec::new();
        while self.peek().is_some() {
            match self.hint(after) {
                Ok(hint) => hints.push(hint),
                Err(Failed) => {
                    if let Some(error) = self.errors.last_mut() {
                        error.help = Some(HELP.to_owned());
                    }
                    return hints;
                }
            }
            if !self.take(&Token::Comma) && self.peek().is_some() {
                let _: Parsed<()> = self.unexpected("',' between two hints");
                return hints;
            }
        }
        hints
    }

    fn hint(&mut self, after: LineSpan) -> Parsed<Hint> {
        let first = self.at;
        let name = self.ident("the name of a hint")?;
        let mut hint =
            Hint { after, name, options: Vec::new(), names: Vec::new(), span: self.span_from(first) };
        if !self.take(&Token::LParen) {
            return Ok(hint);
        }
        while !self.take(&Token::RParen) {
            let key = self.hint_word()?;
            if self.take(&Token::Eq) {
                let value = self.hint_word()?;
                if hint.options.iter().any(|(other, _)| other.value == key.value) {
                    let message = format!("'{}' is set twice in this hint", key.value);
                    return self.fail(SqlError::new(code::CONFLICT, key.span, message));
                }
                hint.options.push((key, value));
            } else {
                hint.names.push(Ident { value: key.value, span: key.span });
            }
            if !self.take(&Token::Comma) && self.peek() != Some(&Token::RParen) {
                return self.unexpected("',' or ')'");
            }
        }
        hint.span = self.span_from(first);
        Ok(hint)
    }

    /// A text, a name or a number.
    fn hint_word(&mut self) -> Parsed<Spanned<String>> {
        let span = self.span();
        let value = match self.peek() {
            Some(Token::SingleQuotedString(value)) => value.clone(),
            Some(Token::Word(word)) => word.value.clone(),
            Some(Token::Number(number, _)) => number.clone(),
            _ => return self.unexpected("a text in '..' or a name"),
        };
        self.at += 1;
        Ok(Spanned { value, span })
    }
}
