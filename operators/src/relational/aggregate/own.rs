//! Aggregates that keep something of their own of a group, in the place of its values.
//!
//! A [`super::ValuesFunction`] that can fold a value in, take one back where its input does that, and merge two groups gives
//! [`States`]: one state by slot. All others have the values of their groups kept for them (`multiset.rs`). What is kept
//! stands in the group's stored value, behind the numbers of other aggregates, with its length in front.

use super::AggregateCall;
use super::function::AggregateFunction;
use crate::OperatorError;
use crate::batch::StreamKind;
use crate::columns::ColumnBuilder;
use crate::keys::Slot;
use crate::rows::{read_length, write_length};
use crate::typed::Row;
use crate::typed::exchange::write_row;
use arrow::array::{ArrayRef, BooleanArray};
use std::any::Any;
use std::fmt;

/// What an aggregate keeps of every group, by slot. What it can't do for a row fails the task, with its words.
pub trait States: fmt::Debug + Send {
    /// Makes room for so many slots, whose states are those of groups without rows.
    fn resize(&mut self, slots: usize);

    /// Makes a slot's state that of a group without rows.
    fn reset(&mut self, slot: Slot);

    /// Folds the rows of a column in that `filter` lets through. `signs`: `-1` takes a row back.
    ///
    /// # Errors
    /// Why a row can't be folded in.
    fn update(
        &mut self,
        slots: &[Slot],
        column: &ArrayRef,
        filter: Option<&BooleanArray>,
        signs: Option<&[i8]>,
    ) -> Result<(), String>;

    /// Folds a group of other states of the same kind in, whose rows count as later ones.
    ///
    /// # Errors
    /// Why it can't be.
    fn merge(&mut self, slot: Slot, other: &dyn States, from: Slot) -> Result<(), String>;

    /// Appends a group's result: one value.
    ///
    /// # Errors
    /// Why there is none.
    fn append_result(&self, slot: Slot, out: &mut ColumnBuilder) -> Result<(), String>;

    /// Appends a group's state as bytes.
    ///
    /// # Errors
    /// Why it can't be written.
    fn encode(&self, slot: Slot, out: &mut Vec<u8>) -> Result<(), String>;

    /// Reads what [`States::encode`] wrote.
    ///
    /// # Errors
    /// Why it can't be read.
    fn decode(&mut self, slot: Slot, bytes: &[u8]) -> Result<(), String>;

    /// Memory held, in bytes.
    fn memory_bytes(&self) -> usize;

    /// Itself, for those of its kind.
    fn as_any(&self) -> &dyn Any;
}

/// A state as bytes, with the names of its fields.
///
/// # Errors
/// Why its type can't be written.
pub fn write_state<T: Row>(state: &T, out: &mut Vec<u8>) -> Result<(), String> {
    write_row(state, out).map_err(|error| error.to_string())
}

/// Reads what [`write_state`] wrote.
///
/// # Errors
/// What is wrong with it.
pub fn read_state<T: Row>(bytes: &[u8]) -> Result<T, String> {
    rmp_serde::from_slice(bytes).map_err(|error| format!("a {}: {error}", std::any::type_name::<T>()))
}

impl AggregateCall {
    /// What it keeps of its own where its input is of this kind, if it does.
    pub(super) fn states(&self, input: StreamKind) -> Option<Box<dyn States>> {
        match &self.function {
            AggregateFunction::Of(values) if !self.distinct => values.0.states(input != StreamKind::Append),
            _ => None,
        }
    }
}

/// The states of one call.
#[derive(Debug)]
pub(super) struct Own {
    name: String,
    pub(super) states: Box<dyn States>,
}

impl Own {
    pub(super) fn new(call: &AggregateCall, states: Box<dyn States>) -> Self {
        Own { name: call.function.name(), states }
    }

    /// The error of a row or a group.
    fn failed(&self, detail: String) -> OperatorError {
        OperatorError::Expression { expression: self.name.clone(), detail }
    }

    pub(super) fn update(
        &mut self,
        slots: &[Slot],
        column: &ArrayRef,
        filter: Option<&BooleanArray>,
        signs: Option<&[i8]>,
    ) -> Result<(), OperatorError> {
        self.states.update(slots, column, filter, signs).map_err(|detail| self.failed(detail))
    }

    pub(super) fn merge(&mut self, slot: Slot, other: &Own, from: Slot) -> Result<(), OperatorError> {
        self.states.merge(slot, other.states.as_ref(), from).map_err(|detail| self.failed(detail))
    }

    pub(super) fn append_result(&self, slot: Slot, out: &mut ColumnBuilder) -> Result<(), OperatorError> {
        self.states.append_result(slot, out).map_err(|detail| self.failed(detail))
    }

    pub(super) fn encode(&self, slot: Slot, out: &mut Vec<u8>) -> Result<(), OperatorError> {
        let mut state = Vec::new();
        self.states.encode(slot, &mut state).map_err(|detail| self.failed(detail))?;
        write_length(state.len(), out);
        out.extend(state);
        Ok(())
    }

    /// Reads what [`Own::encode`] wrote; `None` when it is something else.
    pub(super) fn decode(&mut self, slot: Slot, input: &mut &[u8]) -> Option<()> {
        let length = read_length(input)?;
        let (state, rest) = input.split_at_checked(length)?;
        *input = rest;
        self.states.decode(slot, state).ok()
    }
}
