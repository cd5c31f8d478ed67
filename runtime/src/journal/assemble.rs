//! From the records of a journal partition to a checked chain of entries.

use super::entry::{Entry, Part, decode_entry};
use millstream_operators::{Offset, Record, TopicPartition};

/// The end of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChainEnd {
    /// Number of the last entry; 0 before the first.
    pub number: u64,
    /// Its hash; the job's incarnation before the first.
    pub hash: u128,
}

/// An entry with its place.
#[derive(Debug)]
pub struct Assembled {
    /// The entry.
    pub entry: Entry,
    /// Its hash.
    pub hash: u128,
    /// Offset of its first record.
    pub first_offset: Offset,
    /// The offset after its last record.
    pub next_offset: Offset,
    /// Its size.
    pub bytes: usize,
}

/// Why a journal can't be trusted. Never skipped over: the task stops.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("journal {place} at offset {offset}: {detail}")]
pub struct JournalError {
    /// The journal partition.
    pub place: TopicPartition,
    /// Where in it.
    pub offset: Offset,
    /// What is wrong.
    pub detail: String,
}

/// Puts entries together and checks that they form one chain: contiguous numbers, matching hashes. Generations are not
/// compared: a coordinator that has forgotten an idle group begins to count again.
#[derive(Debug)]
pub struct Assembler {
    place: TopicPartition,
    /// The entry before the next; `None` while the chain may begin anywhere.
    end: Option<ChainEnd>,
    open: Option<Open>,
}

/// An entry of which not all records have come.
#[derive(Debug)]
struct Open {
    number: u64,
    parts: u16,
    next_part: u16,
    first_offset: Offset,
    bytes: Vec<u8>,
}

impl Assembler {
    /// An assembler for a partition that is read from its beginning: the first entry is number 1 and names
    /// `incarnation`.
    pub fn from_start(place: TopicPartition, incarnation: u128) -> Self {
        Self::after(place, ChainEnd { number: 0, hash: incarnation })
    }

    /// An assembler for entries that follow `end`.
    pub fn after(place: TopicPartition, end: ChainEnd) -> Self {
        Assembler { place, end: Some(end), open: None }
    }

    /// An assembler for entries that begin in the middle of a chain: the first is taken as it is, what follows is
    /// checked.
    pub fn from_anywhere(place: TopicPartition) -> Self {
        Assembler { place, end: None, open: None }
    }

    /// Takes a record in; gives the entry it completes.
    ///
    /// # Errors
    /// [`JournalError`]; the journal can't be used from here on.
    pub fn push(&mut self, record: Record<'_>) -> Result<Option<Assembled>, JournalError> {
        self.try_push(record).map_err(|detail| JournalError {
            place: self.place.clone(),
            offset: record.offset,
            detail,
        })
    }

    fn try_push(&mut self, record: Record<'_>) -> Result<Option<Assembled>, String> {
        let Part { number, part, parts, bytes } = Part::parse(record)?;
        let mut open = match self.open.take() {
            None if part == 0 => {
                Open { number, parts, next_part: 0, first_offset: record.offset, bytes: Vec::new() }
            }
            None => return Err(format!("part {part} of entry {number} without the parts before it")),
            Some(open) => open,
        };
        if (number, parts, part) != (open.number, open.parts, open.next_part) {
            let (expected, next, of) = (open.number, open.next_part, open.parts);
            return Err(format!("part {part}/{parts} of entry {number}, expected {next}/{of} of {expected}"));
        }
        open.bytes.extend(bytes);
        open.next_part += 1;
        if open.next_part < open.parts {
            self.open = Some(open);
            return Ok(None);
        }
        let (entry, hash) = decode_entry(&open.bytes)?;
        self.check(&entry, number)?;
        self.end = Some(ChainEnd { number, hash });
        let Open { first_offset, bytes, .. } = open;
        let (next_offset, bytes) = (record.offset + 1, bytes.len());
        Ok(Some(Assembled { entry, hash, first_offset, next_offset, bytes }))
    }

    fn check(&self, entry: &Entry, number: u64) -> Result<(), String> {
        if entry.number != number {
            return Err(format!("entry {number} calls itself {}", entry.number));
        }
        if let Some(end) = self.end {
            if number != end.number + 1 {
                return Err(format!("entry {number} follows entry {}", end.number));
            }
            if entry.previous != end.hash {
                return Err(format!(
                    "entry {number} follows another entry {} than the one before it",
                    end.number
                ));
            }
        }
        Ok(())
    }

    /// The end of the chain so far.
    pub fn end(&self) -> Option<ChainEnd> {
        self.end
    }

    /// Whether the last entry is complete.
    pub fn is_whole(&self) -> bool {
        self.open.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::super::entry::{InputMark, Step, WriterId, encode_entry};
    use super::*;
    use millstream_operators::{InputProgress, Records, RecordsBuilder};
    use millstream_state::{Delta, StoreId};
    use millstream_test_support::mutation::survives;

    fn entry(number: u64, previous: u128, generation: i32, delta_bytes: usize) -> Entry {
        let mut delta = Delta::default();
        let noise = (0..delta_bytes as u64).map(|i| xxhash_rust::xxh3::xxh3_64(&i.to_le_bytes()) as u8);
        delta.block(StoreId(0)).put(b"k", &noise.collect::<Vec<u8>>());
        Entry {
            number,
            previous,
            writer: WriterId { generation, member: "m".into(), transactional_id: "t".into() },
            fingerprint: 1,
            steps: vec![],
            now_ms: 5,
            inputs: vec![],
            watermark: 3,
            outbox_hash: 0,
            official: None,
            delta,
        }
    }

    fn placed(parts: &[&Records]) -> Vec<Records> {
        let mut offset = 100;
        let mut all = Vec::new();
        for part in parts {
            let mut builder = RecordsBuilder::default();
            for record in part.iter() {
                builder.push_record(Record { offset, ..record });
                offset += 1;
            }
            all.push(builder.finish());
        }
        all
    }

    fn read(assembler: &mut Assembler, records: &[Records]) -> Result<Vec<(u64, u64, u64)>, JournalError> {
        let mut seen = Vec::new();
        for record in records.iter().flat_map(Records::iter) {
            if let Some(found) = assembler.push(record)? {
                seen.push((found.entry.number, found.first_offset, found.next_offset));
            }
        }
        Ok(seen)
    }

    fn place() -> TopicPartition {
        TopicPartition::new("journal", 0)
    }

    #[test]
    fn large_entries_come_back_from_several_records() {
        let (one, hash) = encode_entry(&entry(1, 77, 1, 10));
        let (two, _) = encode_entry(&entry(2, hash, 1, 2_000_000));
        assert!(two.len() > 2);
        let mut assembler = Assembler::from_start(place(), 77);
        let seen = read(&mut assembler, &placed(&[&one, &two])).unwrap();
        assert_eq!(seen, [(1, 100, 101), (2, 101, 101 + two.len() as u64)]);
        assert!(assembler.is_whole());
    }

    #[test]
    fn a_chain_with_a_gap_a_fork_or_a_foreign_entry_is_refused() {
        let (one, hash) = encode_entry(&entry(1, 77, 5, 10));
        let (two, _) = encode_entry(&entry(2, hash, 5, 10));
        let cases: [(&str, &[&Records], u128); 4] = [
            ("entry 2 follows entry 0", &[&two], 77),
            ("follows another entry 0", &[&one], 78),
            ("entry 1 follows entry 1", &[&one, &one], 77),
            ("follows another entry 1", &[&one, &encode_entry(&entry(2, 9, 5, 10)).0], 77),
        ];
        for (expected, records, incarnation) in cases {
            let error = read(&mut Assembler::from_start(place(), incarnation), &placed(records)).unwrap_err();
            assert!(error.detail.contains(expected), "{error}");
        }
    }

    #[test]
    fn an_entry_with_a_flipped_bit_is_refused() {
        let (one, hash) = encode_entry(&entry(1, 77, 1, 50));
        let bytes = one.get(0).value.unwrap().to_vec();
        for at in 0..bytes.len() {
            let mut flipped = bytes.clone();
            flipped[at] ^= 4;
            let mut builder = RecordsBuilder::default();
            builder.push(None, Some(&flipped), 0);
            let mut assembler = Assembler::from_start(place(), 77);
            match read(&mut assembler, &[builder.finish()]) {
                Err(_) => {}
                // What the flip changed is read, but the chain no longer fits what follows.
                Ok(_) => assert!(assembler.end().unwrap().hash != hash || !assembler.is_whole(), "byte {at}"),
            }
        }
    }

    /// An entry says how long its delta is, and the chain is only checked once it is read.
    #[test]
    fn a_damaged_entry_costs_no_more_than_its_bytes() {
        let mark = InputMark {
            topic: "in".to_owned(),
            partition: 1,
            position: 2,
            ended: false,
            progress: InputProgress { clocks: vec![(5, false, None); 3] },
        };
        let run = Step::Run { input: 0, from: 1, to: 9, count: 8, checksum: 7, now_ms: 6 };
        let tick = Step::Tick { idle: vec![1, 2], ended: vec![3], now_ms: 4 };
        let whole = Entry { steps: vec![run, tick], inputs: vec![mark], ..entry(1, 77, 1, 400) };
        let (records, _) = encode_entry(&whole);
        let sound = records.get(0).value.unwrap().to_vec();
        // A byte of the delta stands for 255 at most, read a few times.
        survives("entry", &sound, 255 * 8, |bytes| {
            let mut builder = RecordsBuilder::default();
            builder.push(None, Some(bytes), 0);
            let records = builder.finish();
            let _ = Assembler::from_start(place(), 77).push(records.get(0));
        });
    }
}
