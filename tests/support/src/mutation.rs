//! Bytes as they may come from a disk or a stranger: sound ones with something wrong in them.

/// A source of numbers that is the same for the same seed.
#[derive(Debug, Clone)]
pub struct Numbers(u64);

impl Numbers {
    /// The numbers of a seed.
    pub fn new(seed: u64) -> Self {
        Numbers(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// The next of them, whatever it is.
    pub fn draw(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    /// A number below `limit`, which is not 0.
    pub fn below(&mut self, limit: usize) -> usize {
        (self.draw() % limit.max(1) as u64) as usize
    }
}

/// Numbers that ask for much, as they stand in counts and lengths.
const LARGE: [u32; 6] = [u32::MAX, i32::MAX as u32, 0x8000_0000, 0x0fff_ffff, 0x0100_0000, 0xffff];

/// Changes bytes in one to three places: a bit, a byte, a number of four bytes in either order, a varint, a piece left
/// out, doubled, or the end cut off.
pub fn mutate(bytes: &mut Vec<u8>, numbers: &mut Numbers) {
    for _ in 0..1 + numbers.below(3) {
        if bytes.is_empty() {
            return;
        }
        let at = numbers.below(bytes.len());
        let large = LARGE[numbers.below(LARGE.len())];
        match numbers.below(8) {
            0 => bytes[at] ^= 1 << numbers.below(8),
            1 => bytes[at] = numbers.draw() as u8,
            2 => overwrite(bytes, at, &large.to_le_bytes()),
            3 => overwrite(bytes, at, &large.to_be_bytes()),
            4 => overwrite(bytes, at, &[0xff, 0xff, 0xff, 0xff, 0x07]),
            5 => drop(bytes.drain(at..(at + 1 + numbers.below(9)).min(bytes.len()))),
            6 => {
                let piece = bytes[at..(at + 1 + numbers.below(32)).min(bytes.len())].to_vec();
                bytes.splice(at..at, piece);
            }
            _ => bytes.truncate(at),
        }
    }
}

fn overwrite(bytes: &mut [u8], at: usize, with: &[u8]) {
    for (byte, new) in bytes[at..].iter_mut().zip(with) {
        *byte = *new;
    }
}

/// What decoding may cost beyond a multiple of its bytes: texts of errors, tables of codecs.
const FIXED_BYTES: usize = 256 << 10;
const SEEDS: u64 = 3_000;

/// Hands a decoder thousands of damaged forms of sound bytes, each cut of them, and noise. It must not panic, and must ask
/// for no more than so many bytes of memory for each that it was given.
///
/// # Panics
/// When it asks for more, naming the seed; when the test binary does not count (see [`crate::memory`]).
pub fn survives<R>(what: &str, sound: &[u8], bytes_per_byte: usize, decode: impl Fn(&[u8]) -> R) {
    let check = |case: &dyn std::fmt::Display, bytes: &[u8]| {
        let (_, cost) = crate::memory::allocated(|| drop(std::hint::black_box(decode(bytes))));
        let most = FIXED_BYTES + bytes_per_byte * bytes.len();
        assert!(cost.total <= most, "{what}, {case}: {cost:?} for {} bytes", bytes.len());
    };
    for seed in 0..SEEDS {
        let mut numbers = Numbers::new(seed);
        let mut bytes = sound.to_vec();
        mutate(&mut bytes, &mut numbers);
        check(&format_args!("seed {seed}"), &bytes);
        let noise: Vec<u8> = (0..numbers.below(80)).map(|_| numbers.draw() as u8).collect();
        check(&format_args!("noise of seed {seed}"), &noise);
    }
    for end in 0..sound.len().min(2_000) {
        check(&format_args!("cut at {end}"), &sound[..end]);
    }
}
