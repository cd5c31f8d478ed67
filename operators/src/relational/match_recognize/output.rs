//! Matches that are known, as rows.
//!
//! They leave in the order of the times at which they are known; those of one time in the order of the rows that made
//! them whole. What time alone lets out, since an older match took too long, stands before these, in the order of keys.

use super::MatchRecognize;
use super::queue::Rows;
use super::run::Run;
use super::source::{Kept, Seen, Source, Table};
use crate::OperatorError;
use crate::batch::{Batch, EventTime, take_columns};

/// Rows under construction.
pub(super) struct Output {
    table: Table,
    sources: Vec<Source>,
    /// By row: when it is known, which row made it so, and its key where none did.
    known: Vec<(EventTime, Option<usize>, Box<[u8]>)>,
}

impl Output {
    pub(super) fn new(spec: &MatchRecognize) -> Result<Self, OperatorError> {
        let sources = spec.outputs.iter().map(|(_, source)| source.clone()).collect();
        Ok(Output { table: Table::of(spec.schema())?, sources, known: Vec::new() })
    }

    /// Adds a match. `by`: the row that made it known, or the key.
    pub(super) fn add(
        &mut self,
        run: &Run,
        rows: &Rows,
        time: EventTime,
        by: (Option<usize>, &[u8]),
        kept: &Kept,
    ) {
        let seen = Seen { run, rows, current: None, time };
        self.table.push(&seen, &self.sources, kept);
        self.known.push((time, by.0, by.1.into()));
    }

    /// The rows in order, if there are any.
    pub(super) fn finish(mut self) -> Result<Option<Batch>, OperatorError> {
        if self.known.is_empty() {
            return Ok(None);
        }
        let mut order: Vec<u32> = (0..self.known.len() as u32).collect();
        order.sort_by(|one, other| self.known[*one as usize].cmp(&self.known[*other as usize]));
        let columns = take_columns(&self.table.finish()?, &order)?;
        let times: Vec<EventTime> = order.iter().map(|row| self.known[*row as usize].0).collect();
        Ok(Some(Batch::append(columns, times)))
    }
}
