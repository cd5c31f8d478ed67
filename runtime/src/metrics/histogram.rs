//! Counts by size: how many were how large.

/// Upper bounds of times, in seconds.
pub const SECONDS: &[f64] =
    &[0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];

/// Upper bounds of sizes, in bytes.
pub const BYTES: &[f64] = &[
    256.0,
    1_024.0,
    4_096.0,
    16_384.0,
    65_536.0,
    262_144.0,
    1_048_576.0,
    4_194_304.0,
    16_777_216.0,
    67_108_864.0,
    268_435_456.0,
];

/// The most bounds that there may be.
const BOUNDS_MAX: usize = 16;

/// How many there were up to each bound, and their sum.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Histogram {
    bounds: &'static [f64],
    /// By bound, those above the bound before; behind the bounds those above all.
    counts: [u64; BOUNDS_MAX + 1],
    sum: f64,
}

impl Default for Histogram {
    /// One that counts and sums only.
    fn default() -> Self {
        Histogram::new(&[])
    }
}

impl Histogram {
    /// An empty one with these bounds, of which the first sixteen count.
    pub fn new(bounds: &'static [f64]) -> Self {
        let bounds = bounds.get(..BOUNDS_MAX).unwrap_or(bounds);
        Histogram { bounds, counts: [0; BOUNDS_MAX + 1], sum: 0.0 }
    }

    /// Takes in so many of a value.
    pub fn observe(&mut self, value: f64, count: u64) {
        let at = self.bounds.partition_point(|bound| *bound < value);
        self.counts[at] += count;
        self.sum += value * count as f64;
    }

    /// By bound: how many there were up to it.
    pub fn cumulative(&self) -> impl Iterator<Item = (f64, u64)> {
        let mut below = 0;
        self.bounds.iter().zip(&self.counts).map(move |(bound, count)| {
            below += count;
            (*bound, below)
        })
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// What they come to together.
    pub fn sum(&self) -> f64 {
        self.sum
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_counts_at_its_bound_and_above() {
        assert!(SECONDS.len() <= BOUNDS_MAX && BYTES.len() <= BOUNDS_MAX);
        let mut histogram = Histogram::new(&[1.0, 2.0, 4.0]);
        [(0.5, 1), (1.0, 1), (3.0, 2), (9.0, 1)]
            .iter()
            .for_each(|(value, count)| histogram.observe(*value, *count));
        assert_eq!(histogram.cumulative().collect::<Vec<_>>(), [(1.0, 2), (2.0, 2), (4.0, 4)]);
        assert_eq!((histogram.count(), histogram.sum()), (5, 16.5));
    }
}
