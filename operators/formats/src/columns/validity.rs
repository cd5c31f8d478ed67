//! Which rows of a column are valid, and where its values end.

use arrow::buffer::{NullBuffer, OffsetBuffer};

/// Which rows are valid: bits, and behind them a run of rows that are all valid or all null. A column without nulls,
/// and one of nulls only, is just a count.
#[derive(Debug)]
pub(super) struct Validity {
    bits: Vec<bool>,
    run: usize,
    run_is_valid: bool,
}

impl Default for Validity {
    fn default() -> Self {
        Validity { bits: Vec::new(), run: 0, run_is_valid: true }
    }
}

impl Validity {
    #[inline(always)]
    pub(super) fn append(&mut self) {
        if self.run_is_valid {
            self.run += 1;
        } else {
            self.turn(1, true);
        }
    }

    #[inline(always)]
    pub(super) fn append_nulls(&mut self, rows: usize) {
        if self.run_is_valid {
            self.turn(rows, false);
        } else {
            self.run += rows;
        }
    }

    #[inline(never)]
    pub(super) fn turn(&mut self, rows: usize, valid: bool) {
        self.bits.resize(self.len(), self.run_is_valid);
        (self.run, self.run_is_valid) = (rows, valid);
    }

    #[inline(always)]
    pub(super) fn len(&self) -> usize {
        self.bits.len() + self.run
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        self.bits.truncate(rows);
        self.run = self.run.min(rows - self.bits.len());
    }

    pub(super) fn finish(&mut self) -> Option<NullBuffer> {
        let Validity { mut bits, run, run_is_valid } = std::mem::take(self);
        if bits.is_empty() {
            return (!run_is_valid && run > 0).then(|| NullBuffer::new_null(run));
        }
        bits.resize(bits.len() + run, run_is_valid);
        Some(NullBuffer::from(bits)).filter(|nulls| nulls.null_count() > 0)
    }

    pub(super) fn is_null(&self, row: usize) -> bool {
        match self.bits.get(row) {
            Some(valid) => !valid,
            None => !self.run_is_valid,
        }
    }
}

/// Where values of any length begin and end, as Arrow wants it: a zero, then every end.
#[derive(Debug)]
pub(super) struct Ends(Vec<i32>);

impl Default for Ends {
    fn default() -> Self {
        Ends(vec![0])
    }
}

impl Ends {
    #[inline(always)]
    pub(super) fn push(&mut self, end: usize) {
        self.0.push(i32::try_from(end).expect("a batch is bounded far below 2 GiB"));
    }

    pub(super) fn reserve(&mut self, rows: usize) {
        self.0.reserve(rows);
    }

    pub(super) fn repeat(&mut self, rows: usize) {
        self.0.resize(self.0.len() + rows, self.0[self.0.len() - 1]);
    }

    #[inline(always)]
    pub(super) fn rows(&self) -> usize {
        self.0.len() - 1
    }

    pub(super) fn last(&self) -> usize {
        self.0[self.0.len() - 1] as usize
    }

    pub(super) fn range(&self, row: usize) -> std::ops::Range<usize> {
        self.0[row] as usize..self.0[row + 1] as usize
    }

    pub(super) fn truncate(&mut self, rows: usize) {
        self.0.truncate(rows + 1);
    }

    pub(super) fn take(&mut self) -> OffsetBuffer<i32> {
        OffsetBuffer::new(std::mem::take(self).0.into())
    }
}
