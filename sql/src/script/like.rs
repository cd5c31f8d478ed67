//! `LIKE other (..)` of `CREATE TABLE`: what a table takes of another.

use super::Ident;
use super::parser::{Parsed, Parser};
use crate::error::{SqlError, code};
use datafusion::sql::sqlparser::tokenizer::Token;

/// `LIKE other (INCLUDING ..)`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Like {
    pub source: Ident,
    /// What is said of features; none twice.
    options: Vec<(Feature, Merging)>,
}

/// What a table has beside its columns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feature {
    All,
    Constraints,
    Distribution,
    Generated,
    Metadata,
    Options,
    Partitions,
    Watermarks,
}

/// What becomes of a feature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Merging {
    /// It is taken, and may not be declared anew.
    Including,
    /// It is not taken.
    Excluding,
    /// It is taken, unless it is declared anew.
    Overwriting,
}

const FEATURES: &[(&str, Feature)] = &[
    ("ALL", Feature::All),
    ("CONSTRAINTS", Feature::Constraints),
    ("DISTRIBUTION", Feature::Distribution),
    ("GENERATED", Feature::Generated),
    ("METADATA", Feature::Metadata),
    ("OPTIONS", Feature::Options),
    ("PARTITIONS", Feature::Partitions),
    ("WATERMARKS", Feature::Watermarks),
];

const MERGINGS: &[(&str, Merging)] = &[
    ("INCLUDING", Merging::Including),
    ("EXCLUDING", Merging::Excluding),
    ("OVERWRITING", Merging::Overwriting),
];

impl Like {
    /// What becomes of a feature: as it says, or as it says for all, or as it is where nothing is said: options are taken
    /// unless they are given anew, all else is taken.
    pub(crate) fn merging(&self, feature: Feature) -> Merging {
        let said = |feature| self.options.iter().find(|(of, _)| *of == feature).map(|(_, merging)| *merging);
        said(feature).or_else(|| said(Feature::All)).unwrap_or(match feature {
            Feature::Options => Merging::Overwriting,
            _ => Merging::Including,
        })
    }
}

impl Parser<'_> {
    /// Behind `LIKE`.
    pub(super) fn like(&mut self) -> Parsed<Like> {
        let source = self.table_name("the name of a table")?;
        let mut options: Vec<(Feature, Merging)> = Vec::new();
        if !self.take(&Token::LParen) {
            return Ok(Like { source, options });
        }
        while options.is_empty() || !self.take(&Token::RParen) {
            let first = self.at;
            let Some((_, merging)) = MERGINGS.iter().find(|(word, _)| self.take_words(word)) else {
                return self.unexpected("INCLUDING, EXCLUDING or OVERWRITING");
            };
            let Some((word, feature)) = FEATURES.iter().find(|(word, _)| self.take_words(word)) else {
                let all: Vec<&str> = FEATURES.iter().map(|(word, _)| *word).collect();
                return self.unexpected(&format!("one of {}", all.join(", ")));
            };
            let is_replaced = matches!(
                feature,
                Feature::Generated | Feature::Metadata | Feature::Options | Feature::Watermarks
            );
            let wrong = match merging {
                _ if options.iter().any(|(of, _)| of == feature) => Some("it is said twice"),
                Merging::Overwriting if !is_replaced => Some("it can't be overwritten"),
                _ => None,
            };
            if let Some(wrong) = wrong {
                let error = SqlError::new(code::CLAUSE, self.span_from(first), format!("{word}: {wrong}"));
                return self.fail(error.help(
                    "write INCLUDING or EXCLUDING once for each; OVERWRITING is for GENERATED, METADATA, OPTIONS and \
                     WATERMARKS",
                ));
            }
            options.push((*feature, *merging));
        }
        Ok(Like { source, options })
    }
}
