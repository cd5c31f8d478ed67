//! Clauses of SQL/JSON calls as arguments: the planner writes them, the functions read them.

use super::super::Arg;

/// What stands in front of clauses, so that no text that people write is taken for them.
pub(crate) const MARK: char = '\u{1}';

/// What a call returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Returning {
    #[default]
    Text,
    Int,
    Double,
    Bool,
    Texts,
}

/// Whether an array is put around what is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Wrapper {
    #[default]
    Without,
    Conditional,
    Unconditional,
}

/// What there is where nothing was found, or in place of an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Action {
    #[default]
    Null,
    Error,
    Default,
    EmptyArray,
    EmptyObject,
    True,
    False,
    Unknown,
}

/// The clauses of `JSON_VALUE`, `JSON_QUERY` and `JSON_EXISTS`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Clauses {
    pub(super) returning: Returning,
    pub(super) wrapper: Wrapper,
    pub(super) on_empty: Action,
    pub(super) on_error: Action,
}

impl Clauses {
    /// Those of an argument.
    pub(super) fn of(arg: &Arg<'_>) -> Result<Self, String> {
        let written = arg.text().and_then(|text| text.strip_prefix(MARK));
        let written = written.ok_or("takes a text and a path: what else there is stands in clauses")?;
        Clauses::read(written).ok_or_else(|| format!("does not know the clauses {written}"))
    }

    /// Those that are written in an argument.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Clauses::read(text.strip_prefix(MARK)?)
    }

    /// `INT|WITHOUT|NULL|DEFAULT`: each by its place.
    fn read(text: &str) -> Option<Self> {
        let mut parts = text.split('|');
        let returning = match parts.next()? {
            "STRING" => Returning::Text,
            "INT" => Returning::Int,
            "DOUBLE" => Returning::Double,
            "BOOLEAN" => Returning::Bool,
            "ARRAY<STRING>" => Returning::Texts,
            _ => return None,
        };
        let wrapper = match parts.next()? {
            "WITHOUT" => Wrapper::Without,
            "CONDITIONAL" => Wrapper::Conditional,
            "UNCONDITIONAL" => Wrapper::Unconditional,
            _ => return None,
        };
        let on_empty = Action::read(parts.next()?)?;
        let on_error = Action::read(parts.next()?)?;
        Some(Clauses { returning, wrapper, on_empty, on_error })
    }
}

impl Action {
    fn read(text: &str) -> Option<Self> {
        Some(match text {
            "NULL" => Action::Null,
            "ERROR" => Action::Error,
            "DEFAULT" => Action::Default,
            "EMPTY ARRAY" => Action::EmptyArray,
            "EMPTY OBJECT" => Action::EmptyObject,
            "TRUE" => Action::True,
            "FALSE" => Action::False,
            "UNKNOWN" => Action::Unknown,
            _ => return None,
        })
    }
}
