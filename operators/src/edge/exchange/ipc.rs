//! Whether a message of Arrow's IPC format fits the bytes behind it.
//!
//! Arrow's reader takes offsets and lengths from the message as they are: it panics where they lie outside, and makes room
//! by the length that a compressed buffer claims. Blocks come from a topic, so they are looked at first. What is in the
//! buffers, as text that is none or offsets that do not ascend, Arrow checks by itself.

use arrow::datatypes::{DataType, Fields};
use arrow::ipc::{Buffer, FieldNode, RecordBatch};

/// Checks a message about columns of these types, with `data` bytes behind it and `rows` rows.
///
/// # Errors
/// A sentence that says what does not fit.
pub(super) fn check(
    message: RecordBatch<'_>,
    fields: &Fields,
    data: usize,
    rows: usize,
) -> Result<(), String> {
    if message.compression().is_some() {
        return Err("the block's columns are compressed, which they never are".to_owned());
    }
    if usize::try_from(message.length()).ok() != Some(rows) {
        return Err(format!("the block's columns have {} rows, not {rows}", message.length()));
    }
    let nodes: Vec<&FieldNode> = message.nodes().iter().flatten().collect();
    let buffers: Vec<&Buffer> = message.buffers().iter().flatten().collect();
    let mut walk = Walk { nodes: nodes.into_iter(), buffers: buffers.into_iter(), data };
    fields
        .iter()
        .try_for_each(|field| walk.column(field.data_type()))
        .ok_or_else(|| "the block's columns do not fit its bytes".to_owned())
}

/// The places and lengths of a message, in the order in which Arrow reads them. `None` where one does not fit.
struct Walk<'a> {
    nodes: std::vec::IntoIter<&'a FieldNode>,
    buffers: std::vec::IntoIter<&'a Buffer>,
    data: usize,
}

impl Walk<'_> {
    fn column(&mut self, data_type: &DataType) -> Option<()> {
        use DataType as T;
        let node = self.nodes.next()?;
        let length = usize::try_from(node.length()).ok()?;
        let nulls = usize::try_from(node.null_count()).ok().filter(|nulls| *nulls <= length)?;
        if matches!(data_type, T::Null) {
            return Some(());
        }
        let validity = self.buffer()?;
        if nulls > 0 && validity < length.div_ceil(8) {
            return None;
        }
        match data_type {
            T::Struct(fields) => fields.iter().try_for_each(|field| self.column(field.data_type())),
            T::List(entry) | T::Map(entry, _) => {
                self.offsets(length)?;
                self.column(entry.data_type())
            }
            T::Utf8 | T::Binary => {
                self.offsets(length)?;
                self.buffer().map(drop)
            }
            _ => self.buffer().filter(|bytes| length <= bytes.saturating_mul(8)).map(drop),
        }
    }

    /// The ends of `length` entries. Of none there may be no offset at all.
    fn offsets(&mut self, length: usize) -> Option<()> {
        let bytes = self.buffer()?;
        // Arrow takes the whole buffer for offsets.
        (bytes.is_multiple_of(4) && (length == 0 || bytes / 4 > length)).then_some(())
    }

    /// The length of the next buffer.
    fn buffer(&mut self) -> Option<usize> {
        let buffer = self.buffers.next()?;
        let (offset, length) =
            (usize::try_from(buffer.offset()).ok()?, usize::try_from(buffer.length()).ok()?);
        (offset.checked_add(length)? <= self.data).then_some(length)
    }
}
