//! An archive of small texts: tar in the format of POSIX (ustar), compressed by gzip, as every system unpacks it.

use flate2::Compression;
use flate2::write::GzEncoder;
use std::io::{self, Write};

/// Archives are written in blocks of so many bytes.
const BLOCK_BYTES: usize = 512;
/// The longest name that a header has room for.
const NAME_BYTES_MAX: usize = 100;

/// A `.tar.gz` that is being written. Files belong to nobody in particular, and are for their owner's eyes.
pub(super) struct Archive<W: Write> {
    out: GzEncoder<W>,
    /// When its files were made, seconds since 1970.
    time_s: u64,
}

impl<W: Write> Archive<W> {
    pub(super) fn new(out: W, time_s: u64) -> Self {
        Archive { out: GzEncoder::new(out, Compression::default()), time_s }
    }

    /// Adds a file.
    ///
    /// # Errors
    /// When it can't be written, or its name is too long.
    pub(super) fn add(&mut self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let header = header(name, bytes.len() as u64, self.time_s).ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, format!("{name}: the name is too long"))
        })?;
        self.out.write_all(&header)?;
        self.out.write_all(bytes)?;
        let over = bytes.len() % BLOCK_BYTES;
        let padding = if over == 0 { 0 } else { BLOCK_BYTES - over };
        self.out.write_all(&vec![0; padding])
    }

    /// Ends it: two blocks of nothing.
    ///
    /// # Errors
    /// When they can't be written.
    pub(super) fn end(mut self) -> io::Result<W> {
        self.out.write_all(&[0; 2 * BLOCK_BYTES])?;
        self.out.finish()
    }
}

fn header(name: &str, length: u64, time_s: u64) -> Option<[u8; BLOCK_BYTES]> {
    let mut header = [0; BLOCK_BYTES];
    // Numbers are octal, with a digit less than their field has bytes.
    let fields: [(usize, usize, &[u8]); 9] = [
        (0, NAME_BYTES_MAX, name.as_bytes()),
        (100, 8, b"0000600"),
        (108, 8, b"0000000"),
        (116, 8, b"0000000"),
        (124, 12, &octal(length)?),
        (136, 12, &octal(time_s)?),
        (148, 8, b"        "),
        (156, 1, b"0"),
        (257, 8, b"ustar\x0000"),
    ];
    for (at, room, bytes) in fields {
        header.get_mut(at..at + room)?.get_mut(..bytes.len())?.copy_from_slice(bytes);
    }
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header.get_mut(148..156)?.copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    Some(header)
}

fn octal(number: u64) -> Option<Vec<u8>> {
    let text = format!("{number:011o}");
    (text.len() == 11).then(|| text.into_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use std::io::Read;

    #[test]
    fn files_stand_in_blocks_behind_headers_whose_sums_are_right() {
        let mut archive = Archive::new(Vec::new(), 1_700_000_000);
        archive.add("a/b.txt", b"hello").unwrap();
        archive.add("empty", b"").unwrap();
        assert!(archive.add(&"x".repeat(101), b"").is_err());
        let mut bytes = Vec::new();
        GzDecoder::new(archive.end().unwrap().as_slice()).read_to_end(&mut bytes).unwrap();
        assert_eq!(bytes.len(), 5 * BLOCK_BYTES);
        assert!(bytes.starts_with(b"a/b.txt\0") && &bytes[512..517] == b"hello");
        assert_eq!(&bytes[124..136], b"00000000005\0");
        let sum: u32 = bytes[..512]
            .iter()
            .enumerate()
            .map(|(at, byte)| u32::from(if (148..156).contains(&at) { b' ' } else { *byte }))
            .sum();
        assert_eq!(&bytes[148..156], format!("{sum:06o}\0 ").as_bytes());
        assert!(bytes[1_024..].starts_with(b"empty\0"));
    }
}
