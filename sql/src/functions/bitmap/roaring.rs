//! The portable format of Roaring bitmaps: numbers by their upper halves, in containers of a list, of runs or of bits.

use super::super::Failed;

/// How many numbers a bitmap may have.
const NUMBERS_MAX: usize = 8 << 20;

/// What begins a bitmap without runs, and, in the lower half of a word, one with runs.
const NO_RUNS: u32 = 12346;
const RUNS: u32 = 12347;

/// A container of more numbers is one of bits.
const LIST_MAX: usize = 4096;

/// Bytes that are read from the front.
struct Reader<'b> {
    bytes: &'b [u8],
}

impl<'b> Reader<'b> {
    fn take(&mut self, count: usize) -> Result<&'b [u8], Failed> {
        let (taken, rest) = self.bytes.split_at_checked(count).ok_or_else(no_bitmap)?;
        self.bytes = rest;
        Ok(taken)
    }

    fn half(&mut self) -> Result<u16, Failed> {
        let bytes = self.take(2)?;
        Ok(u16::from_le_bytes([bytes[0], bytes[1]]))
    }

    fn word(&mut self) -> Result<u32, Failed> {
        Ok(u32::from(self.half()?) | u32::from(self.half()?) << 16)
    }
}

fn no_bitmap() -> Failed {
    Failed::from("the bytes are no bitmap")
}

/// The numbers of a bitmap, in their order.
pub(super) fn read(bytes: &[u8]) -> Result<Vec<u32>, Failed> {
    let mut reader = Reader { bytes };
    let cookie = reader.word()?;
    let (count, runs): (usize, &[u8]) = match cookie {
        NO_RUNS => (reader.word()? as usize, &[]),
        _ if cookie & 0xffff == RUNS => {
            let count = (cookie >> 16) as usize + 1;
            (count, reader.take(count.div_ceil(8))?)
        }
        _ => return Err(no_bitmap()),
    };
    // Each container has four bytes in the list of them.
    let mut list = Reader { bytes: reader.take(count.checked_mul(4).ok_or_else(no_bitmap)?)? };
    if runs.is_empty() || count >= 4 {
        reader.take(count * 4)?;
    }
    let mut numbers = Vec::new();
    for container in 0..count {
        let upper = u32::from(list.half()?) << 16;
        let length = usize::from(list.half()?) + 1;
        let is_runs = runs.get(container / 8).is_some_and(|bits| bits >> (container % 8) & 1 == 1);
        match (is_runs, length > LIST_MAX) {
            (true, _) => read_runs(&mut reader, upper, &mut numbers)?,
            (false, false) => {
                for lower in reader.take(length * 2)?.chunks_exact(2) {
                    numbers.push(upper | u32::from(u16::from_le_bytes([lower[0], lower[1]])));
                }
            }
            (false, true) => {
                for (place, byte) in reader.take(8192)?.iter().enumerate() {
                    let bits = (0..8_u32).filter(|bit| byte >> bit & 1 == 1);
                    numbers.extend(bits.map(|bit| upper | (place as u32 * 8 + bit)));
                }
            }
        }
        if numbers.len() > NUMBERS_MAX {
            return Err(Failed(format!("the bitmap has more than {NUMBERS_MAX} numbers")));
        }
    }
    // What was written otherwise is read all the same.
    if !numbers.is_sorted() {
        numbers.sort_unstable();
    }
    numbers.dedup();
    Ok(numbers)
}

fn read_runs(reader: &mut Reader<'_>, upper: u32, numbers: &mut Vec<u32>) -> Result<(), Failed> {
    for _ in 0..reader.half()? {
        let first = u32::from(reader.half()?);
        let last = first + u32::from(reader.half()?);
        if last > 0xffff {
            return Err(no_bitmap());
        }
        numbers.extend((first..=last).map(|lower| upper | lower));
        if numbers.len() > NUMBERS_MAX {
            return Err(Failed(format!("the bitmap has more than {NUMBERS_MAX} numbers")));
        }
    }
    Ok(())
}

/// A bitmap of numbers that are in their order, each once.
pub(super) fn write(numbers: &[u32]) -> Vec<u8> {
    let containers: Vec<&[u32]> = numbers.chunk_by(|left, right| left >> 16 == right >> 16).collect();
    let mut bytes = Vec::with_capacity(8 + containers.len() * 8 + numbers.len() * 2);
    bytes.extend(NO_RUNS.to_le_bytes());
    bytes.extend((containers.len() as u32).to_le_bytes());
    for container in &containers {
        bytes.extend(((container[0] >> 16) as u16).to_le_bytes());
        bytes.extend((container.len() as u16).wrapping_sub(1).to_le_bytes());
    }
    let mut offset = 8 + containers.len() * 8;
    for container in &containers {
        bytes.extend((offset as u32).to_le_bytes());
        offset += if container.len() > LIST_MAX { 8192 } else { container.len() * 2 };
    }
    for container in &containers {
        if container.len() <= LIST_MAX {
            container.iter().for_each(|number| bytes.extend((*number as u16).to_le_bytes()));
            continue;
        }
        let mut bits = [0_u8; 8192];
        for number in *container {
            let lower = (*number & 0xffff) as usize;
            bits[lower / 8] |= 1 << (lower % 8);
        }
        bytes.extend(bits);
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_whatever_its_containers_are() {
        let many: Vec<u32> = (0..10_000).map(|number| number * 7).collect();
        for numbers in [vec![], vec![0, 1, u32::MAX], (0..=65_535).collect(), many] {
            assert_eq!(read(&write(&numbers)), Ok(numbers));
        }
    }

    #[test]
    fn runs_are_read() {
        let bytes = [0x3b, 0x30, 0, 0, 1, 0, 0, 2, 0, 1, 0, 5, 0, 2, 0];
        assert_eq!(read(&bytes), Ok(vec![5, 6, 7]));
    }

    #[test]
    fn bytes_that_are_no_bitmap_are_refused_wherever_they_are_cut() {
        let whole = write(&[1, 70_000, 140_000]);
        for end in 0..whole.len() {
            assert!(read(&whole[..end]).is_err(), "{end}");
        }
        let counts = [0x3a, 0x30, 0, 0, 0xff, 0xff, 0xff, 0xff];
        assert!(read(&counts).is_err());
    }
}
