//! Many byte strings in one allocation.

/// A growable column of byte strings: one buffer of data and the end of each string in it.
///
/// Keys, values and encoded rows are handled in this shape everywhere, so that a batch of them costs two allocations
/// instead of one each. A column holds less than 4 GiB; [`BytesColumn::push`] panics beyond, and its users bound
/// their batches far below.
///
/// ```
/// use millstream_state::BytesColumn;
/// let mut column = BytesColumn::default();
/// column.push(b"a");
/// column.push(b"bcd");
/// assert_eq!(column.get(1), b"bcd");
/// assert_eq!(column.len(), 2);
/// ```
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BytesColumn {
    data: Vec<u8>,
    ends: Vec<u32>,
}

impl BytesColumn {
    /// An empty column with room for `rows` strings of `bytes` in total.
    pub fn with_capacity(rows: usize, bytes: usize) -> Self {
        BytesColumn { data: Vec::with_capacity(bytes), ends: Vec::with_capacity(rows) }
    }

    /// Rebuilds a column from its two buffers, as [`BytesColumn::data`] and [`BytesColumn::ends`] gave them; `None`
    /// when the ends are not ascending or do not end with the data.
    pub fn from_parts(data: Vec<u8>, ends: Vec<u32>) -> Option<Self> {
        let ascending = ends.windows(2).all(|pair| pair[0] <= pair[1]);
        let complete = ends.last().map_or(data.is_empty(), |end| *end as usize == data.len());
        (ascending && complete).then_some(BytesColumn { data, ends })
    }

    /// Number of strings.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether the column holds no string.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The string at `row`.
    ///
    /// # Panics
    /// When `row` is out of bounds.
    #[inline]
    pub fn get(&self, row: usize) -> &[u8] {
        let start = if row == 0 { 0 } else { self.ends[row - 1] as usize };
        &self.data[start..self.ends[row] as usize]
    }

    /// Appends a string.
    ///
    /// # Panics
    /// When the data would reach 4 GiB.
    #[inline]
    pub fn push(&mut self, bytes: &[u8]) {
        self.data.extend_from_slice(bytes);
        self.seal_row();
    }

    /// The buffer to append a string to, piece by piece; [`BytesColumn::seal_row`] ends the string.
    #[inline]
    pub fn open_row(&mut self) -> &mut Vec<u8> {
        &mut self.data
    }

    /// Ends the string that was written through [`BytesColumn::open_row`].
    ///
    /// # Panics
    /// When the data reached 4 GiB.
    #[inline]
    pub fn seal_row(&mut self) {
        self.ends.push(u32::try_from(self.data.len()).expect("a column is bounded far below 4 GiB"));
    }

    /// The strings in order.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &[u8]> {
        (0..self.len()).map(|row| self.get(row))
    }

    /// All data, string after string.
    pub fn data(&self) -> &[u8] {
        &self.data
    }

    /// The end of each string in [`BytesColumn::data`].
    pub fn ends(&self) -> &[u32] {
        &self.ends
    }

    /// Empties the column, keeping its memory.
    pub fn clear(&mut self) {
        self.data.clear();
        self.ends.clear();
    }

    /// Memory held, in bytes.
    pub fn memory_bytes(&self) -> usize {
        self.data.capacity() + self.ends.capacity() * size_of::<u32>()
    }
}

impl<B: AsRef<[u8]>> FromIterator<B> for BytesColumn {
    fn from_iter<I: IntoIterator<Item = B>>(rows: I) -> Self {
        let mut column = BytesColumn::default();
        for row in rows {
            column.push(row.as_ref());
        }
        column
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_that_do_not_fit_are_refused() {
        assert!(BytesColumn::from_parts(b"abc".to_vec(), vec![1, 3]).is_some());
        assert!(BytesColumn::from_parts(b"abc".to_vec(), vec![2, 1, 3]).is_none());
        assert!(BytesColumn::from_parts(b"abc".to_vec(), vec![1, 2]).is_none());
        assert!(BytesColumn::from_parts(b"abc".to_vec(), vec![]).is_none());
        assert!(BytesColumn::from_parts(vec![], vec![]).is_some());
    }
}
