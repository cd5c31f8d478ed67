//! What is looked for: variables behind each other, each mapped to so many rows.

use super::source::Condition;
use std::fmt;

/// Times that a variable with an upper bound may be repeated: each is a state.
pub const REPEATED_MAX: u32 = 1_000;

/// How many rows a variable is mapped to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quantifier {
    /// So many at least.
    pub min: u32,
    /// So many at most; `None`: without a bound.
    pub max: Option<u32>,
    /// Whether rows that are of this variable and of the next one are of this one.
    pub greedy: bool,
}

impl Quantifier {
    /// Exactly one row.
    pub const ONE: Quantifier = Quantifier { min: 1, max: Some(1), greedy: true };

    /// Whether it decides what becomes of a row that both this variable and the next one take. `v?` and `v{n}` do not:
    /// both ways are followed.
    pub fn decides(&self) -> bool {
        let is_one_or_none = (self.min, self.max) == (0, Some(1));
        self.greedy && !is_one_or_none && Some(self.min) != self.max
    }
}

impl fmt::Display for Quantifier {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.min, self.max) {
            (1, Some(1)) => return Ok(()),
            (0, None) => write!(f, "*")?,
            (1, None) => write!(f, "+")?,
            (0, Some(1)) => write!(f, "?")?,
            (min, None) => write!(f, "{{{min},}}")?,
            (min, Some(max)) if min == max => write!(f, "{{{min}}}")?,
            (min, Some(max)) => write!(f, "{{{min},{max}}}")?,
        }
        if self.greedy { Ok(()) } else { write!(f, "?") }
    }
}

/// A variable of a pattern.
#[derive(Debug, Clone)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// How many rows it is mapped to.
    pub quantifier: Quantifier,
    /// What holds for each of them; `None`: any row will do.
    pub condition: Option<Condition>,
}

/// Where it goes on behind a match.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AfterMatch {
    /// Behind its last row.
    PastLastRow,
    /// At its second row.
    ToNextRow,
    /// At the first row of a variable.
    ToFirst(usize),
    /// At the last row of a variable.
    ToLast(usize),
}

impl AfterMatch {
    /// As SQL, `name` being what a variable is called.
    pub(super) fn sql(self, name: impl Fn(usize) -> String) -> String {
        match self {
            AfterMatch::PastLastRow => "SKIP PAST LAST ROW".to_owned(),
            AfterMatch::ToNextRow => "SKIP TO NEXT ROW".to_owned(),
            AfterMatch::ToFirst(variable) => format!("SKIP TO FIRST {}", name(variable)),
            AfterMatch::ToLast(variable) => format!("SKIP TO LAST {}", name(variable)),
        }
    }
}

/// The pattern as SQL, `name` being what a variable is called.
pub(super) fn pattern_sql(variables: &[Variable], name: impl Fn(usize) -> String) -> String {
    let of = |(index, variable): (usize, &Variable)| format!("{}{}", name(index), variable.quantifier);
    variables.iter().enumerate().map(of).collect::<Vec<_>>().join(" ")
}
