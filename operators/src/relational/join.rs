//! Joins of two streams: the updating join ([`Join`]), the interval join ([`IntervalJoin`]) and the window join
//! ([`WindowJoin`]), whose rows only wait for their windows to close.
//!
//! The first two keep the rows of either side by join key; a row that comes meets the rows of its key on the other side.
//!
//! ```text
//!   updating   left  + a 1           + a 1 x                       a changelog: rows leave by retraction,
//!              right + a x   - a x            - a 1 x              or never; LEFT, RIGHT and FULL pad with nulls
//!                                                                  while there is no match, and take the padding back
//!   interval   left  @10 a   right @12 a -> a a                    insertions: rows leave when the watermark makes
//!              left  @11 b   ..  watermark 30  -> b null           a further match impossible, padded if there was none
//! ```
//! Per batch: keys become dense slots, keys that are new here are read from the store, candidates are collected as pairs
//! of row numbers, the residual condition is evaluated once over all of them, and the output is gathered column by
//! column. What results is what row by row would give; how rows were cut into batches never shows.
//!
//! State is a store per side with an entry per row (`join key | sequence number`), so that a commit writes the rows that
//! came and went, and a key with many rows is never one large value. Rows that were not touched since they were evicted
//! stay on disk, and a row that only inserts reads nothing of its own side.

mod due;
mod interval;
mod output;
mod regular;
mod rule;
mod running;
mod sides;
mod window;

pub use interval::IntervalJoin;
pub use regular::Join;
pub use window::WindowJoin;

use crate::OperatorError;
use crate::batch::StreamKind;
use crate::expression::Expression;
use crate::meaning::{Columns, Fact, Meaning, RowsMeaning, nameless};
use crate::operator::StoreSpec;
use crate::source::Policy;
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use std::sync::Arc;

/// Which rows come out that have met none.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum JoinKind {
    /// None.
    Inner,
    /// Those of the left side, the right columns null.
    Left,
    /// Those of the right side, the left columns null.
    Right,
    /// Those of both.
    Full,
    /// None; and of the left side only that a row has met some comes out, not what: each row once, its columns alone.
    Semi,
    /// Those of the left side, and nothing else: each row once, its columns alone.
    Anti,
    /// Those of the left side, and those that have met some: each row once, with whether it has behind its columns.
    Mark,
}

impl JoinKind {
    /// Whether it matters of a row of a side (0: left, 1: right) that it has met none.
    fn keeps(self, side: usize) -> bool {
        match self {
            JoinKind::Inner => false,
            JoinKind::Left | JoinKind::Semi | JoinKind::Anti | JoinKind::Mark => side == 0,
            JoinKind::Right => side == 1,
            JoinKind::Full => true,
        }
    }

    fn name(self) -> &'static str {
        match self {
            JoinKind::Inner => "inner",
            JoinKind::Left => "left",
            JoinKind::Right => "right",
            JoinKind::Full => "full",
            JoinKind::Semi => "semi",
            JoinKind::Anti => "anti",
            JoinKind::Mark => "mark",
        }
    }

    /// Whether pairs of rows come out.
    fn pairs(self) -> bool {
        !matches!(self, JoinKind::Semi | JoinKind::Anti | JoinKind::Mark)
    }
}

/// One side of a join.
#[derive(Debug, Clone)]
pub struct JoinSide {
    /// Its columns.
    pub schema: SchemaRef,
    /// The columns it is keyed by, in the order of the other side's. A null in one of them meets nothing.
    pub keys: Vec<usize>,
    /// What its rows mean. An upsert stream has to have its whole key, and nothing else, in `keys`.
    pub input: StreamKind,
}

/// What pairs of rows with equal keys have to meet beside.
#[derive(Debug, Clone)]
pub struct Residual {
    /// The columns it reads: of the left side by their index, of the right side behind them.
    pub columns: Vec<usize>,
    /// A predicate over these columns, in this order.
    pub predicate: Arc<dyn Expression>,
}

/// What both joins are made of.
#[derive(Debug, Clone)]
pub struct JoinOn {
    /// The left side.
    pub left: JoinSide,
    /// The right side.
    pub right: JoinSide,
    /// Which unmatched rows come out.
    pub kind: JoinKind,
    /// The whole condition, for people.
    pub on: String,
    /// What is left of the condition beside equal keys.
    pub residual: Option<Residual>,
    /// What happens to a pair of rows that it can't be computed for. No record is such a pair: unless it is skipped, the
    /// task fails.
    pub bad: Policy,
}

impl JoinOn {
    /// Columns of the output: those of the left side, then, where pairs come out, those of the right, or whether a row has
    /// met some.
    pub fn schema(&self) -> SchemaRef {
        let nullable = |field: &Arc<Field>| Arc::new(field.as_ref().clone().with_nullable(true));
        let right = self.right.schema.fields().iter().filter(|_| self.kind.pairs());
        let fields = self.left.schema.fields().iter().chain(right);
        let mark =
            (self.kind == JoinKind::Mark).then(|| Arc::new(Field::new("mark", DataType::Boolean, true)));
        Arc::new(Schema::new(fields.map(nullable).chain(mark).collect::<Vec<_>>()))
    }

    fn side(&self, side: usize) -> &JoinSide {
        if side == 0 { &self.left } else { &self.right }
    }

    /// What a join means that keeps these.
    fn meaning(&self, inputs: &[&RowsMeaning], more: Vec<Fact>) -> Option<Meaning> {
        let [left, right] = inputs else { return None };
        let sides = [(&self.left, left, "left"), (&self.right, right, "right")];
        let of_side = |(side, rows, name): (&JoinSide, &&RowsMeaning, &str)| {
            rows.columns_of_side(name, side.schema.fields().len())
        };
        let mut columns: Vec<String> = sides.into_iter().flat_map(of_side).collect();
        let mut facts = vec![Fact::new("joins", self.kind.name())];
        for (side, rows, name) in sides {
            facts.push(Fact::new(format!("{name} key"), rows.columns_at(side.keys.iter().copied())));
            facts.push(Fact::new(format!("{name} columns"), rows.columns_at(0..side.schema.fields().len())));
        }
        if let Some(Residual { columns: read, predicate }) = &self.residual {
            let column = |index: usize| {
                let column = read.get(index).and_then(|column| columns.get(*column));
                column.cloned().unwrap_or_else(|| format!("#{index}"))
            };
            facts.push(Fact::new("condition", predicate.meaning(&column)));
        }
        facts.extend(more);
        if self.kind == JoinKind::Mark {
            columns.truncate(self.left.schema.fields().len());
            columns.push(format!("has met ({})", known(&facts)));
        }
        Some(Meaning::of(facts, Columns::Known(columns)))
    }

    /// The same with columns that have no names.
    fn nameless(&self) -> Self {
        let side = |side: &JoinSide| JoinSide { schema: nameless(&side.schema), ..side.clone() };
        JoinOn { left: side(&self.left), right: side(&self.right), ..self.clone() }
    }

    /// The stores: rows of either side, and when rows go, if they do.
    fn stores(&self, head: impl Fn(usize) -> String, expires: bool) -> Vec<StoreSpec> {
        let rows = |side: usize, name: &str| {
            let columns = self.side(side).schema.fields().iter();
            let columns: Vec<String> =
                columns.map(|field| format!("{} {}", field.name(), field.data_type())).collect();
            let schema = format!("key, sequence -> {}{}", head(side), columns.join(", "));
            StoreSpec { name: name.to_owned(), schema }
        };
        let mut stores = vec![rows(0, "left"), rows(1, "right")];
        if expires {
            let schema = "time ms, side, sequence, key ->".to_owned();
            stores.push(StoreSpec { name: "due".to_owned(), schema });
        }
        stores
    }

    /// Checks what the inputs mean.
    fn check_inputs(&self, inputs: &[StreamKind]) -> Result<(), String> {
        if inputs == [self.left.input, self.right.input] {
            return Ok(());
        }
        Err(format!("a join of {} and {} rows can't read {inputs:?}", self.left.input, self.right.input))
    }
}

/// What the operator is called where its state can't be read.
const OPERATOR: &str = "join";

/// Facts in one text.
fn known(facts: &[Fact]) -> String {
    facts.iter().map(|fact| format!("{}: {}", fact.what, fact.is)).collect::<Vec<_>>().join("; ")
}

fn corrupt(detail: impl Into<String>) -> OperatorError {
    OperatorError::CorruptState { operator: OPERATOR.to_owned(), detail: detail.into() }
}
