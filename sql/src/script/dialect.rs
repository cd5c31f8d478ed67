//! How Flink writes SQL, for sqlparser; and a bound on what reading it costs.
//!
//! sqlparser tries one reading after the other, and tries again inside of each: what is wrong deep inside of calls that it
//! knows would be read twice at every level, twice as often for each of them. Those calls are read here in the only way
//! they can be meant, and the number of steps is bounded for all others.

use datafusion::sql::sqlparser::ast::{CastKind, Expr};
use datafusion::sql::sqlparser::dialect::{Dialect, Precedence};
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::Token;
use std::cell::Cell;

/// Steps for each word of a text.
const STEPS_PER_WORD: usize = 40;

/// How Flink writes SQL: backticks around names, `'` around texts, and `FOR SYSTEM_TIME AS OF`.
#[derive(Debug)]
pub(crate) struct FlinkDialect {
    steps_left: Cell<usize>,
    /// The furthest word at which an expression was looked for.
    furthest: Cell<usize>,
}

impl Default for FlinkDialect {
    fn default() -> Self {
        FlinkDialect { steps_left: Cell::new(usize::MAX), furthest: Cell::new(0) }
    }
}

impl FlinkDialect {
    /// For the reading of as many words; with nesting that is too deep for it, or more attempts than these are worth, it
    /// ends with [`ParserError::RecursionLimitExceeded`].
    pub(crate) fn of_words(words: usize) -> Self {
        let steps = words.saturating_mul(STEPS_PER_WORD).saturating_add(1_000);
        FlinkDialect { steps_left: Cell::new(steps), furthest: Cell::new(0) }
    }

    /// The number of the furthest word that was reached.
    pub(crate) fn furthest(&self) -> usize {
        self.furthest.get()
    }
}

impl Dialect for FlinkDialect {
    fn is_delimited_identifier_start(&self, char: char) -> bool {
        char == '`'
    }

    fn identifier_quote_style(&self, _identifier: &str) -> Option<char> {
        Some('`')
    }

    fn is_identifier_start(&self, char: char) -> bool {
        char.is_alphabetic() || char == '_'
    }

    fn is_identifier_part(&self, char: char) -> bool {
        char.is_alphanumeric() || char == '_' || char == '$'
    }

    fn supports_filter_during_aggregation(&self) -> bool {
        true
    }

    fn supports_window_function_null_treatment_arg(&self) -> bool {
        true
    }

    fn supports_group_by_expr(&self) -> bool {
        true
    }

    fn supports_named_fn_args_with_rarrow_operator(&self) -> bool {
        true
    }

    fn supports_table_versioning(&self) -> bool {
        true
    }

    fn supports_match_recognize(&self) -> bool {
        true
    }

    fn require_interval_qualifier(&self) -> bool {
        true
    }

    fn supports_unicode_string_literal(&self) -> bool {
        true
    }

    fn supports_boolean_literals(&self) -> bool {
        true
    }

    /// `a IS [NOT] DISTINCT FROM b AND c` is a comparison and a condition: sqlparser takes all of the rest for the
    /// other value.
    fn parse_infix(
        &self,
        parser: &mut Parser<'_>,
        expr: &Expr,
        _precedence: u8,
    ) -> Option<Result<Expr, ParserError>> {
        use Keyword::{DISTINCT, FROM, IS, NOT};
        let negated = parser.parse_keywords(&[IS, NOT, DISTINCT, FROM]);
        if !negated && !parser.parse_keywords(&[IS, DISTINCT, FROM]) {
            return None;
        }
        let other = parser.parse_subexpr(self.prec_value(Precedence::Is));
        let one = Box::new(expr.clone());
        Some(other.map(|other| match negated {
            true => Expr::IsNotDistinctFrom(one, Box::new(other)),
            false => Expr::IsDistinctFrom(one, Box::new(other)),
        }))
    }

    fn parse_prefix(&self, parser: &mut Parser<'_>) -> Option<Result<Expr, ParserError>> {
        let Some(left) = self.steps_left.get().checked_sub(1) else {
            return Some(Err(ParserError::RecursionLimitExceeded));
        };
        self.steps_left.set(left);
        self.furthest.set(self.furthest.get().max(parser.index()));
        known_call(parser)
    }
}

/// Reads what begins with a word that means one thing in front of an expression.
fn known_call(parser: &mut Parser<'_>) -> Option<Result<Expr, ParserError>> {
    let keyword = match &parser.peek_token_ref().token {
        Token::Word(word) if word.quote_style.is_none() => word.keyword,
        _ => return None,
    };
    let called = parser.peek_nth_token_ref(1).token == Token::LParen;
    let read: fn(&mut Parser<'_>) -> Result<Expr, ParserError> = match keyword {
        // It takes its own word.
        Keyword::SUBSTRING | Keyword::SUBSTR if called => return Some(parser.parse_substring()),
        Keyword::CASE => |parser| parser.parse_case_expr(),
        Keyword::NOT => |parser| parser.parse_not(),
        Keyword::INTERVAL => |parser| parser.parse_interval(),
        Keyword::CAST if called => |parser| parser.parse_cast_expr(CastKind::Cast),
        Keyword::TRY_CAST if called => |parser| parser.parse_cast_expr(CastKind::TryCast),
        Keyword::EXISTS if called => |parser| parser.parse_exists_expr(false),
        Keyword::EXTRACT if called => |parser| parser.parse_extract_expr(),
        Keyword::CEIL if called => |parser| parser.parse_ceil_floor_expr(true),
        Keyword::FLOOR if called => |parser| parser.parse_ceil_floor_expr(false),
        Keyword::OVERLAY if called => |parser| parser.parse_overlay_expr(),
        Keyword::TRIM if called => |parser| parser.parse_trim_expr(),
        _ => return None,
    };
    parser.advance_token();
    Some(read(parser))
}
