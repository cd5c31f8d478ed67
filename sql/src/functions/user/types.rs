//! Values of SQL that Rust's own library has no type for.

/// A `DATE`: days since 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Date {
    /// Days since 1970-01-01, before it below zero.
    pub days: i32,
}

/// A `TIMESTAMP(3)`: a date and a time that no zone is said of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    /// Milliseconds since 1970-01-01 00:00:00 on the clock that it is of.
    pub ms: i64,
}

/// A `TIMESTAMP_LTZ(3)`: a point in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TimestampLtz {
    /// Milliseconds since 1970-01-01 00:00:00 UTC.
    pub ms: i64,
}

/// A `DECIMAL(P, S)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Decimal<const P: u8, const S: i8> {
    /// The number without its point: `1.50` of a `DECIMAL(3, 2)` is 150.
    pub unscaled: i128,
}
