//! What encodes rows.

use arrow::array::ArrayRef;
use std::fmt::Debug;

/// Encodes rows of columns. Made by [`super::Format::encoder`].
pub trait Encoder: Debug + Send {
    /// Makes ready to write rows of these columns: one for each field, in their order. `signs` says of each row whether it
    /// is inserted (`1`) or taken back (`-1`); it is empty where all are inserted.
    ///
    /// # Errors
    /// A sentence that names a type that can't be written.
    fn begin(&mut self, columns: &mut dyn Iterator<Item = &ArrayRef>, signs: &[i8]) -> Result<(), String>;

    /// Appends the row at `row`.
    ///
    /// # Errors
    /// A sentence that says what the format can't write.
    fn encode(&mut self, row: usize, out: &mut Vec<u8>) -> Result<(), String>;
}
