//! Patterns in the rows of a key: `MATCH_RECOGNIZE`.
//!
//! Rows are looked at in the order of their times, once the watermark has reached them. A pattern is variables behind each
//! other, each mapped to so many rows that its condition holds for; the rows of a match stand directly behind each other.
//! Of every match one row comes out.
//!
//! ```text
//!   PATTERN (A B+ C)    over  5 7 8 2 9      A: any row, B: larger than the row before it, C: smaller than that
//!                             A B B C        one match, known when the row that makes it whole is
//! ```
//! What a match is is Flink's: see `automaton` for what greedy and reluctant mean, `matches` for which matches are left
//! when they overlap. How matches are kept is our own, see `run`.
//!
//! With `WITHIN` a match whose rows are as far apart as that or farther is none, and what there is of it goes when the
//! watermark has come there. Without, a key keeps what may become a match until rows come that decide it. Rows whose time is not
//! after the watermark are late.
//!
//! ```text
//! store matches:  key -> rows that matches are made of, open matches, whole ones that wait for older ones
//! store waiting:  rows that the watermark has not reached
//! store due:      moment, key -> (nothing): when the oldest match of a key takes too long
//! ```

mod automaton;
mod conditions;
mod matches;
mod output;
mod pattern;
mod queue;
mod run;
mod running;
mod source;
mod stored;

pub use pattern::{AfterMatch, Quantifier, REPEATED_MAX, Variable};
pub use source::{Condition, End, MatchAggregate, Rows, Source};

use crate::OperatorError;
use crate::aggregate::LatePolicy;
use crate::batch::StreamKind;
use crate::keys::{OrderCodec, SortColumn};
use crate::kit::state::KeyedState;
use crate::kit::timers::Timers;
use crate::kit::waiting::Waiting;
use crate::meaning::{Columns, Fact, Meaning, RowsMeaning, layouts_of, nameless};
use crate::operator::{BuildCx, Description, Lineage, Operator, OperatorSpec, StoreSpec};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use automaton::Automaton;
use conditions::{Kind, Questions};
use matches::Search;
use pattern::pattern_sql;
use running::Running;
use source::Kept;
use std::sync::Arc;

const MATCHES: u16 = 0;
const WAITING: u16 = 1;
const DUE: u16 = 2;

/// Finds a pattern in the rows of every key.
///
/// Input: insertions, keyed by the partition ([`crate::Batch::keys`]); rows are ordered by [`crate::Batch::times`]. Output:
/// insertions, one for each match, in the order in which matches become known; their time is that moment.
#[derive(Debug, Clone)]
pub struct MatchRecognize {
    /// Columns of the input.
    pub input: SchemaRef,
    /// The columns of the partition: name and type, as the stream was keyed by.
    pub keys: Vec<(String, DataType)>,
    /// What orders rows of one time.
    pub order: Vec<SortColumn>,
    /// The pattern: variables behind each other.
    pub variables: Vec<Variable>,
    /// Where it goes on behind a match.
    pub after: AfterMatch,
    /// The first and the last row of a match are less than that apart, in milliseconds.
    pub within_ms: Option<i64>,
    /// What comes out of a match: name and value.
    pub outputs: Vec<(String, Source)>,
    /// What happens to rows that come after their time has passed.
    pub late: LatePolicy,
}

impl MatchRecognize {
    /// Columns of the output.
    pub fn schema(&self) -> SchemaRef {
        let field = |(name, source): &(String, Source)| Field::new(name, source.data_type(&self.input), true);
        Arc::new(Schema::new(self.outputs.iter().map(field).collect::<Vec<_>>()))
    }

    /// What is kept of rows: what is read of them once others have come.
    fn kept(&self) -> Kept {
        let of_match = self.variables.iter().enumerate().filter_map(|(index, variable)| {
            match Kind::new(variable.condition.as_ref(), index) {
                Kind::OfMatch(_) => variable.condition.as_ref(),
                Kind::None | Kind::OfRow(_) => None,
            }
        });
        let in_conditions = of_match.flat_map(|condition| &condition.sources);
        Kept::new(in_conditions.chain(self.outputs.iter().map(|(_, source)| source)), &self.input)
    }

    fn name(&self, variable: usize) -> String {
        self.variables.get(variable).map(|variable| variable.name.clone()).unwrap_or_default()
    }

    fn search(&self) -> Search {
        let quantifiers: Vec<Quantifier> =
            self.variables.iter().map(|variable| variable.quantifier).collect();
        Search {
            automaton: Automaton::new(&quantifiers),
            variables: self.variables.len(),
            after: self.after,
            within_ms: self.within_ms,
            kept: self.kept(),
            names: (0..self.variables.len()).map(|variable| self.name(variable)).collect(),
        }
    }

    /// A condition as SQL.
    fn condition_sql(&self, variable: &Variable) -> Option<String> {
        let condition = variable.condition.as_ref()?;
        Some(format!("{} AS {}", variable.name, condition.predicate.sql()))
    }
}

impl OperatorSpec for MatchRecognize {
    fn describe(&self) -> Description {
        let names = |names: &mut dyn Iterator<Item = String>| names.collect::<Vec<_>>().join(", ");
        let keys = names(&mut self.keys.iter().map(|(name, _)| name.clone()));
        let order = names(&mut self.order.iter().map(|column| format!(", then {column}")));
        let pattern = pattern_sql(&self.variables, |variable| self.name(variable));
        let within = self.within_ms.map(|ms| format!(" within {ms} ms")).unwrap_or_default();
        let define = names(&mut self.variables.iter().filter_map(|variable| self.condition_sql(variable)));
        let measures = names(&mut self.outputs.iter().map(|(name, _)| name.clone()));
        let after = self.after.sql(|variable| self.name(variable)).replace("SKIP", "skip");
        let detail = format!(
            "by ({keys}) in the order of time{order}, pattern ({pattern}){within}, then {after}; define {define}; measures \
             {measures}"
        );
        Description::new("MatchRecognize", detail)
    }

    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        let [input] = inputs else { return Meaning::described(self.describe(), inputs) };
        let number = |variable: usize| format!("#{variable}");
        let within = self.within_ms.map(|ms| format!(" within {ms} ms")).unwrap_or_default();
        // Braces stand around columns.
        let pattern = pattern_sql(&self.variables, number).replace('{', "[").replace('}', "]");
        let pattern = format!("({pattern}){within}");
        let define = self.variables.iter().enumerate().filter_map(|(index, variable)| {
            Some(format!("#{index}: {}", variable.condition.as_ref()?.meaning(input)))
        });
        let outputs: Vec<String> = self.outputs.iter().map(|(_, source)| source.meaning(input)).collect();
        let order = self.order.iter().map(|column| column.ordered(&input.column(column.place)));
        let facts = vec![
            Fact::new("finds", pattern),
            Fact::new("where", define.collect::<Vec<_>>().join("; ")),
            Fact::new("goes on", self.after.sql(number)),
            Fact::new("in the order of", order.collect::<Vec<_>>().join(", ")),
            Fact::new("gives", outputs.join(", ")),
        ];
        let columns = outputs.into_iter().map(|output| format!("{output} of a match"));
        Meaning::of(facts, Columns::Known(columns.collect())).by_time()
    }

    fn layouts(&self) -> Vec<String> {
        layouts_of(&MatchRecognize { input: nameless(&self.input), ..self.clone() })
    }

    fn stores(&self) -> Vec<StoreSpec> {
        let column = |field: &Arc<Field>| format!("{} {}", field.name(), field.data_type());
        let all: Vec<String> = self.input.fields().iter().map(column).collect();
        let kept = self.kept();
        let of_rows: Vec<&str> = kept.columns.iter().map(|(column, _)| all[*column].as_str()).collect();
        let sums: Vec<String> = kept
            .sums
            .iter()
            .map(|sum| format!("{:?} of {:?} {}", sum.kind, sum.of, of_rows[sum.place]))
            .collect();
        let key: Vec<String> = self.keys.iter().map(|(_, data_type)| data_type.to_string()).collect();
        let matches = format!(
            "key ({}) -> rows: {}; matches of {} variables: {}",
            key.join(", "),
            of_rows.join(", "),
            self.variables.len(),
            sums.join(", ")
        );
        let store = |name: &str, schema: String| StoreSpec { name: name.to_owned(), schema };
        vec![
            store("matches", matches),
            store("waiting", format!("time ms, sequence -> key, {}", all.join(", "))),
            store("due", "moment ms, key ->".to_owned()),
        ]
    }

    fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String> {
        match inputs {
            [StreamKind::Append] => Ok(StreamKind::Append),
            _ => Err("MATCH_RECOGNIZE reads rows that are only inserted".to_owned()),
        }
    }

    fn lineage(&self) -> Lineage {
        Lineage::Fresh
    }

    fn build(&self, cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        let search = self.search();
        let kinds = self.variables.iter().enumerate();
        let kinds: Vec<Kind> =
            kinds.map(|(index, variable)| Kind::new(variable.condition.as_ref(), index)).collect();
        let questions = kinds.iter().enumerate().map(|(index, kind)| match kind {
            Kind::OfMatch(condition) => Questions::new(condition, index, &self.input).map(Some),
            Kind::None | Kind::OfRow(_) => Ok(None),
        });
        let order = OrderCodec::new(&self.order)
            .map_err(|data_type| corrupt(format!("rows can't be ordered by a column of type {data_type}")))?;
        Ok(Box::new(Running {
            questions: questions.collect::<Result<_, _>>()?,
            kinds,
            search,
            order,
            waiting: Waiting::new(OPERATOR, WAITING, &self.input)?,
            matches: KeyedState::new(OPERATOR, MATCHES, cx),
            timers: Timers::new(OPERATOR, DUE),
            changed_bytes: 0,
            spec: self.clone(),
        }))
    }
}

/// What the operator is called where its state can't be read.
const OPERATOR: &str = "match_recognize";

fn corrupt(detail: impl Into<String>) -> OperatorError {
    OperatorError::CorruptState { operator: OPERATOR.to_owned(), detail: detail.into() }
}
