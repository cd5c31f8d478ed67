//! What decodes payloads: one after the other, and a run of them at once.
//!
//! A format has a [`PayloadDecoder`], and by it a [`Decoder`]: which format it is is asked once for each run, and the loop
//! over its payloads is compiled for each format.

use super::{BadPayload, Outcome};
use arrow::array::ArrayRef;
use std::fmt::Debug;

/// Decodes payloads into columns, one after the other.
pub trait PayloadDecoder: Debug + Send {
    /// Says what the clock says, before a run: only rows that are made may depend on it.
    fn begin(&mut self, _now_ms: i64) {}

    /// Makes room for as many rows.
    fn reserve(&mut self, rows: usize);

    /// Appends the rows of a payload, if any come of it; `None` is a record that has none.
    ///
    /// # Errors
    /// [`BadPayload`] says what is wrong; no row has been appended then.
    fn take(&mut self, payload: Option<&[u8]>) -> Result<Outcome, BadPayload>;

    /// After [`Outcome::Several`]: `1` for each row that was appended, `-1` for each that is taken back.
    fn signs(&self) -> &[i8] {
        &[]
    }

    /// Appends a row of nulls, whether or not the fields may be null.
    fn append_null_row(&mut self);

    /// The columns. The decoder is empty afterwards.
    fn finish(&mut self) -> Vec<ArrayRef>;
}

/// What a record is whose payload is not there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Absent {
    /// What the format makes of it.
    AsItIs,
    /// A row that is taken back, of nulls: something else says which.
    Deletion,
}

/// What became of a run of payloads.
#[derive(Debug, Default)]
pub struct Run {
    /// By row: the index of its payload.
    pub payloads: Vec<u32>,
    /// By row: `1`, or `-1` for one that is taken back. Empty while there is none of those.
    pub signs: Vec<i8>,
    /// Number of payloads of which no row came, and that are not bad.
    pub nothing: u64,
    /// Payloads that could not be decoded, in their order.
    pub bad: Vec<(u32, BadPayload)>,
}

impl Run {
    #[inline]
    fn row(&mut self, payload: usize, sign: i8) {
        if sign != 1 || !self.signs.is_empty() {
            self.signs.resize(self.payloads.len(), 1);
            self.signs.push(sign);
        }
        self.payloads.push(payload as u32);
    }
}

/// Decodes runs of payloads into columns. Made by [`super::Format::decoder`].
pub trait Decoder: Debug + Send {
    /// As [`PayloadDecoder::begin`].
    fn begin(&mut self, now_ms: i64);

    /// Appends the rows of a run, and says what became of each payload.
    fn decode_run(&mut self, payloads: &[Option<&[u8]>], absent: Absent, run: &mut Run);

    /// Appends one row for each payload: of nulls where no row comes of it. Those are returned with what is wrong with
    /// them, if anything is.
    fn decode_each(&mut self, payloads: &[Option<&[u8]>]) -> Vec<(u32, Option<BadPayload>)>;

    /// Appends the rows of one payload.
    ///
    /// # Errors
    /// As [`PayloadDecoder::take`].
    fn decode(&mut self, payload: Option<&[u8]>) -> Result<Outcome, BadPayload>;

    /// The columns. The decoder is empty afterwards.
    fn finish(&mut self) -> Vec<ArrayRef>;
}

impl<D: PayloadDecoder> Decoder for D {
    fn begin(&mut self, now_ms: i64) {
        PayloadDecoder::begin(self, now_ms);
    }

    fn decode_run(&mut self, payloads: &[Option<&[u8]>], absent: Absent, run: &mut Run) {
        self.reserve(payloads.len());
        run.payloads.reserve(payloads.len());
        for (index, payload) in payloads.iter().enumerate() {
            if payload.is_none() && absent == Absent::Deletion {
                self.append_null_row();
                run.row(index, -1);
                continue;
            }
            match self.take(*payload) {
                Ok(Outcome::Row) => run.row(index, 1),
                Ok(Outcome::Nothing) => run.nothing += 1,
                Ok(Outcome::Deletion) => run.row(index, -1),
                Ok(Outcome::Update) => {
                    run.row(index, -1);
                    run.row(index, 1);
                }
                Ok(Outcome::Several) => self.signs().iter().for_each(|sign| run.row(index, *sign)),
                Err(bad) => run.bad.push((index as u32, bad)),
            }
        }
    }

    fn decode_each(&mut self, payloads: &[Option<&[u8]>]) -> Vec<(u32, Option<BadPayload>)> {
        self.reserve(payloads.len());
        let mut without = Vec::new();
        for (index, payload) in payloads.iter().enumerate() {
            let outcome = self.take(*payload);
            if !matches!(outcome, Ok(Outcome::Row)) {
                self.append_null_row();
                without.push((index as u32, outcome.err()));
            }
        }
        without
    }

    fn decode(&mut self, payload: Option<&[u8]>) -> Result<Outcome, BadPayload> {
        self.take(payload)
    }

    fn finish(&mut self) -> Vec<ArrayRef> {
        PayloadDecoder::finish(self)
    }
}
