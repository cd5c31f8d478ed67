//! The matches of a key as bytes.
//!
//! ```text
//! row count, rows (length, bytes)
//! moment that is set (0, or 1 and the moment)
//! count, matches that are not whole; count, whole ones that wait
//! match:  state, start, time, count for each variable, number of sums, sums (kind, value)
//! ```
//! Rows are counted from the first that is there, so that what came and went before leaves no trace. Numbers are LEB128; what they count is looked for in the bytes that are there.

use super::matches::Matches;
use super::queue::{Queue, Rows};
use super::run::{NO_START, Run, Sum};
use crate::OperatorError;
use crate::kit::state::Stored;
use crate::rows::{read_length, write_length};

impl Stored for Matches {
    fn read(mut bytes: &[u8]) -> Result<Self, String> {
        read(&mut bytes)
            .filter(|matches| bytes.is_empty() && matches.are_within_rows())
            .ok_or_else(|| "the matches of a key are not whole".to_owned())
    }

    fn bytes<'a>(&'a self, scratch: &'a mut Vec<u8>) -> Result<&'a [u8], OperatorError> {
        scratch.clear();
        write_length(self.rows.iter().len(), scratch);
        for row in self.rows.iter() {
            write_length(row.len(), scratch);
            scratch.extend_from_slice(row);
        }
        write_option(self.armed.map(i64::to_le_bytes), scratch);
        for queue in [&self.open, &self.whole] {
            write_length(queue.len(), scratch);
            queue.runs().iter().for_each(|run| write_run(run, self.rows.first, scratch));
        }
        Ok(scratch)
    }
}

fn write_run(run: &Run, first: u64, out: &mut Vec<u8>) {
    write_length(run.state.into(), out);
    write_option((run.start != NO_START).then(|| run.start.saturating_sub(first).to_le_bytes()), out);
    out.extend(run.began.to_le_bytes());
    write_length(run.counts.len(), out);
    run.counts.iter().for_each(|count| write_length(*count as usize, out));
    write_length(run.sums.len(), out);
    for sum in &run.sums {
        match sum {
            Sum::Count(count) => {
                out.push(0);
                out.extend(count.to_le_bytes());
            }
            Sum::Whole(sum) => {
                out.push(1);
                write_option(sum.map(i64::to_le_bytes), out);
            }
            Sum::Float(sum) => {
                out.push(2);
                write_option(sum.map(f64::to_le_bytes), out);
            }
            Sum::Decimal(sum) => {
                out.push(3);
                write_option(sum.map(i128::to_le_bytes), out);
            }
            Sum::Extreme(kept) => {
                out.push(4);
                out.push(kept.is_some().into());
                if let Some(kept) = kept {
                    write_length(kept.len(), out);
                    out.extend_from_slice(kept);
                }
            }
        }
    }
}

fn write_option<const N: usize>(value: Option<[u8; N]>, out: &mut Vec<u8>) {
    out.push(value.is_some().into());
    value.iter().for_each(|value| out.extend_from_slice(value));
}

fn take<const N: usize>(input: &mut &[u8]) -> Option<[u8; N]> {
    let (head, tail) = input.split_first_chunk::<N>()?;
    *input = tail;
    Some(*head)
}

fn read_option<const N: usize>(input: &mut &[u8]) -> Option<Option<[u8; N]>> {
    match take::<1>(input)? {
        [0] => Some(None),
        _ => take(input).map(Some),
    }
}

fn read_bytes<'a>(input: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = read_length(input)?;
    let (bytes, rest) = input.split_at_checked(length)?;
    *input = rest;
    Some(bytes)
}

fn read(input: &mut &[u8]) -> Option<Matches> {
    let mut rows = Rows::default();
    for _ in 0..read_length(input)? {
        rows.push(read_bytes(input)?);
    }
    let armed = read_option(input)?.map(i64::from_le_bytes);
    let mut queue = || {
        let mut runs = Vec::new();
        for _ in 0..read_length(input)? {
            runs.push(read_run(input)?);
        }
        Some(Queue::of(runs))
    };
    let (open, whole) = (queue()?, queue()?);
    Some(Matches { rows, armed, open, whole })
}

fn read_run(input: &mut &[u8]) -> Option<Run> {
    let state = read_length(input)?.try_into().ok()?;
    let start = read_option(input)?.map_or(NO_START, u64::from_le_bytes);
    let began = i64::from_le_bytes(take(input)?);
    let mut counts = Vec::new();
    for _ in 0..read_length(input)? {
        counts.push(read_length(input)?.try_into().ok()?);
    }
    let mut sums = Vec::new();
    for _ in 0..read_length(input)? {
        sums.push(match take::<1>(input)? {
            [0] => Sum::Count(i64::from_le_bytes(take(input)?)),
            [1] => Sum::Whole(read_option(input)?.map(i64::from_le_bytes)),
            [2] => Sum::Float(read_option(input)?.map(f64::from_le_bytes)),
            [3] => Sum::Decimal(read_option(input)?.map(i128::from_le_bytes)),
            [4] => match take::<1>(input)? {
                [0] => Sum::Extreme(None),
                _ => Sum::Extreme(Some(read_bytes(input)?.into())),
            },
            _ => return None,
        });
    }
    Some(Run { state, start, began, counts, sums })
}

#[cfg(test)]
mod tests {
    use super::*;
    use millstream_test_support::mutation::survives;

    fn matches() -> Matches {
        let mut rows = Rows::from(300);
        ["one", "", "three"].iter().for_each(|row| rows.push(row.as_bytes()));
        let sums = vec![
            Sum::Count(3),
            Sum::Whole(Some(-7)),
            Sum::Float(Some(0.5)),
            Sum::Decimal(None),
            Sum::Extreme(Some(Box::from(*b"abc"))),
        ];
        let open = Run { state: 2, start: 301, began: 77, counts: vec![1, 1], sums };
        let new = Run { start: NO_START, counts: vec![0, 0], ..Run::default() };
        let whole = Run { state: 0, start: 300, began: 70, counts: vec![2, 1], sums: Vec::new() };
        Matches { rows, armed: Some(99), open: Queue::of(vec![open, new]), whole: Queue::of(vec![whole]) }
    }

    #[test]
    fn matches_come_back_and_cut_ones_are_refused() {
        let (mut scratch, mut again) = (Vec::new(), Vec::new());
        let bytes = matches().bytes(&mut scratch).unwrap().to_vec();
        let back = Matches::read(&bytes).unwrap();
        assert_eq!(back.bytes(&mut again).unwrap(), bytes);
        for cut in 0..bytes.len() {
            assert!(Matches::read(&bytes[..cut]).is_err(), "cut at {cut}");
        }
    }

    #[test]
    fn damaged_matches_cost_no_more_than_their_bytes() {
        let mut scratch = Vec::new();
        let bytes = matches().bytes(&mut scratch).unwrap().to_vec();
        survives("matches", &bytes, 200, |bytes| drop(Matches::read(bytes)));
    }

    #[test]
    fn a_match_of_rows_that_are_not_there_is_refused() {
        let mut damaged = matches();
        damaged.whole = Queue::of(vec![Run { start: 301, counts: vec![2, 1], ..Run::default() }]);
        let mut scratch = Vec::new();
        let bytes = damaged.bytes(&mut scratch).unwrap();
        assert!(Matches::read(bytes).is_err());
    }
}
