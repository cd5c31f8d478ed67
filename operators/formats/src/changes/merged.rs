//! Rows before an update, of which a record has only what has changed: the rest is that of the row after.
//!
//! A field that is null in the row before is one that was null, or one that did not change: the record is looked at once more
//! for which of the two it is. Unlike in Flink, which looks through all rows of a record for the name of a field, each is looked at by itself: there a second row of an update may go
//! as one that never came.

use super::{Envelope, Sides};
use crate::columns::{ColumnBuilder, map_type};
use crate::json::{JsonDecoder, JsonOptions};
use crate::{FormatError, Outcome, PayloadDecoder};
use arrow::array::{Array, AsArray, MapArray};
use arrow::datatypes::{DataType, Field, Fields};
use std::ops::Range;

/// Finds out which fields of rows before an update come from the rows after.
#[derive(Debug)]
pub(crate) struct Merged {
    /// Reads the names that rows before an update have.
    names: Option<JsonDecoder>,
    columns: Vec<String>,
    /// What was found about the last record, by its rows and columns.
    found: Vec<Vec<bool>>,
    pub(crate) rows: Vec<MergedRow>,
}

/// A row before an update.
#[derive(Debug)]
pub(crate) struct MergedRow {
    /// Which of all rows it is.
    row: usize,
    /// By column: whether its value is that of the row after.
    unchanged: Vec<bool>,
    /// Which of the rows after it is.
    after: usize,
}

impl Merged {
    pub(crate) fn new(envelope: &Envelope, needed: &Fields) -> Result<Self, FormatError> {
        let texts = map_type(DataType::Utf8, DataType::Utf8);
        let data_type = match envelope.sides {
            Sides::Both => None,
            Sides::Changed => Some(texts),
            Sides::ChangedLists => Some(DataType::new_list(texts, true)),
        };
        let names = data_type.map(|data_type| {
            let fields = Fields::from(vec![Field::new(envelope.fields[0], data_type, true)]);
            JsonDecoder::new(&fields, &JsonOptions::default())
        });
        let columns = needed.iter().map(|field| field.name().clone()).collect();
        Ok(Merged { names: names.transpose()?, columns, found: Vec::new(), rows: Vec::new() })
    }

    /// Finds out which fields of the rows `range` before an update have not changed.
    pub(crate) fn look(
        &mut self,
        before: &mut ColumnBuilder,
        range: Range<usize>,
        payload: &[u8],
    ) -> Result<(), &'static str> {
        self.found.clear();
        if range.clone().any(|row| before.is_null(row)) {
            return Err("a row in \"old\" is null");
        }
        let ColumnBuilder::Struct(rows) = before else { return Err("\"old\" is no row") };
        let (columns, _) = rows.open();
        for row in range {
            self.found.push(columns.iter().map(|column| column.is_null(row)).collect());
        }
        if !self.found.iter().flatten().any(|is_null| *is_null) {
            return Ok(());
        }
        let Some(names) = &mut self.names else { return Ok(()) };
        if !matches!(names.decode(payload), Ok(Outcome::Row)) {
            return Err("\"old\" is no row");
        }
        let old = PayloadDecoder::finish(names);
        let maps = match old[0].data_type() {
            DataType::List(_) => old[0].as_list::<i32>().values().as_map().clone(),
            _ => old[0].as_map().clone(),
        };
        for (row, found) in self.found.iter_mut().enumerate() {
            for (is_unchanged, name) in found.iter_mut().zip(&self.columns) {
                *is_unchanged &= !has(&maps, row, name);
            }
        }
        Ok(())
    }

    /// Notes the rows that were looked at: from the row `first` on every other one, in front of one of the rows `after`.
    pub(crate) fn note(&mut self, first: usize, after: Range<usize>) {
        let found = self.found.drain(..).zip(after).enumerate();
        self.rows.extend(
            found
                .filter(|(_, (unchanged, _))| unchanged.contains(&true))
                .map(|(index, (unchanged, after))| MergedRow { row: first + 2 * index, unchanged, after }),
        );
    }

    /// Where the values of a column stand, where that is elsewhere than its rows do.
    pub(crate) fn places(
        merged: &[MergedRow],
        rows: &[(usize, usize)],
        column: usize,
    ) -> Option<Vec<(usize, usize)>> {
        let mut unchanged = merged.iter().filter(|row| row.unchanged[column]).peekable();
        unchanged.peek()?;
        let mut places = rows.to_vec();
        for row in unchanged {
            places[row.row] = (super::decode::AFTER, row.after);
        }
        Some(places)
    }
}

/// Whether the map at `row` has a key.
fn has(maps: &MapArray, row: usize, name: &str) -> bool {
    if row >= maps.len() || maps.is_null(row) {
        return false;
    }
    let (keys, offsets) = (maps.keys().as_string::<i32>(), maps.offsets());
    (offsets[row]..offsets[row + 1]).any(|pair| keys.value(pair as usize) == name)
}
