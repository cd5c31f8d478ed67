//! Records into columns, by the instructions of a plan.
//!
//! Every length is held against the bytes that are there before anything is made of it, and items of no bytes have been
//! refused when the plan was made: a record costs no more than its bytes.

use super::numbers::{in_unit, push_uuid, rescaled, time_of_day, unscaled};
use super::resolve::{Fill, Plan, Read, RowPlan, Step};
use super::schema::{Kind, Node, Schema};
use crate::columns::{ColumnBuilder, MapBuilder};

/// How deep what is passed over may nest: schemas may go round.
const DEPTH_MAX: usize = 128;

/// Why a record is bad.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fault {
    /// It ends too early.
    End,
    /// A length, a count or a number that can't be one.
    Malformed(&'static str),
    /// A text that is not UTF-8.
    Text,
    /// A value that does not fit the column.
    Range,
    /// A branch of a union that can't be read.
    Branch(String),
    /// More stands behind it.
    Behind(usize),
}

/// Where in a record something stands, from the inside out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    Column(usize),
    Item(usize),
}

/// Reads one record.
pub(crate) struct Reader<'t> {
    pub(crate) rest: &'t [u8],
    pub(crate) fault: Option<Fault>,
    pub(crate) places: Vec<Place>,
}

impl<'t> Reader<'t> {
    pub(crate) fn new(rest: &'t [u8]) -> Self {
        Reader { rest, fault: None, places: Vec::new() }
    }

    #[cold]
    fn fail<T>(&mut self, fault: Fault) -> Option<T> {
        self.fault.get_or_insert(fault);
        None
    }

    #[cold]
    fn inside<T>(&mut self, place: Place) -> Option<T> {
        self.places.push(place);
        None
    }

    /// Reads a whole record as one row of the columns.
    pub(crate) fn record(&mut self, plan: &Plan, columns: &mut [ColumnBuilder]) -> Option<()> {
        let branch = if plan.is_union { self.index(plan.roots.len())? } else { 0 };
        match plan.roots.get(branch) {
            Some(Ok(row)) => self.row(row, &plan.writer, columns)?,
            Some(Err(why)) => return self.fail(Fault::Branch(why.clone())),
            None => return self.fail(Fault::Malformed("branch of a union")),
        }
        match self.rest.len() {
            0 => Some(()),
            behind => self.fail(Fault::Behind(behind)),
        }
    }

    fn row(&mut self, plan: &RowPlan, writer: &Schema, columns: &mut [ColumnBuilder]) -> Option<()> {
        for step in &plan.steps {
            match step {
                Step::Read(column, read) => {
                    if self.value(read, writer, &mut columns[*column]).is_none() {
                        return self.inside(Place::Column(*column));
                    }
                }
                Step::Skip(node) => self.skip(node, writer, 0)?,
            }
        }
        for (column, fill) in &plan.fills {
            match fill {
                Fill::Null => columns[*column].append_null(),
                Fill::Value(bytes, read, reader) => {
                    let mut own = Reader::new(bytes);
                    if own.value(read, reader, &mut columns[*column]).is_none() {
                        self.fault = own.fault;
                        return self.inside(Place::Column(*column));
                    }
                }
            }
        }
        Some(())
    }

    /// Reads a value into its column: the usual pairs of both here, the others behind a call.
    fn value(&mut self, read: &Read, writer: &Schema, column: &mut ColumnBuilder) -> Option<()> {
        use ColumnBuilder as C;
        match (read, &mut *column) {
            (Read::Nullable(null, inner), _) => {
                if self.index(2)? == usize::from(*null) {
                    column.append_null();
                    return Some(());
                }
                return self.value(inner, writer, column);
            }
            (Read::Long | Read::Int, C::Int64(column)) => column.append(self.long()?),
            (Read::Bytes, C::Utf8(column)) => {
                let text = self.bytes()?;
                if std::str::from_utf8(text).is_err() {
                    return self.fail(Fault::Text);
                }
                column.append(text);
            }
            (Read::Int, C::Int32(column) | C::Date(column)) => column.append(self.int()?),
            (Read::Double, C::Float64(column)) => column.append(f64::from_le_bytes(self.array()?)),
            (Read::Boolean, C::Boolean(column)) => match self.take(1)? {
                [0] => column.append(false),
                [1] => column.append(true),
                _ => return self.fail(Fault::Malformed("boolean")),
            },
            (Read::Units(from), C::Timestamp(column, to, _)) => {
                let value = self.long()?;
                match in_unit(value, *from, *to) {
                    Some(value) => column.append(value),
                    None => return self.fail(Fault::Range),
                }
            }
            (Read::Record(plan), C::Struct(column)) => {
                let (columns, _) = column.open();
                self.row(plan, writer, columns)?;
                column.seal();
            }
            (Read::Array(read), C::List(list)) => {
                let items = list.open();
                self.items(read, writer, items)?;
                list.seal();
            }
            (Read::Map(read), C::Map(map)) => self.map(read, writer, map)?,
            _ => return self.less_usual(read, writer, column),
        }
        Some(())
    }

    #[inline(never)]
    fn less_usual(&mut self, read: &Read, writer: &Schema, column: &mut ColumnBuilder) -> Option<()> {
        use ColumnBuilder as C;
        match (read, &mut *column) {
            (Read::Null, column) => column.append_null(),
            (Read::Union(branches), column) => {
                let branch = self.index(branches.len())?;
                return match &branches[branch] {
                    Ok(read) => self.value(read, writer, column),
                    Err(why) => self.fail(Fault::Branch(why.clone())),
                };
            }
            (Read::Int, C::Int16(column)) => match i16::try_from(self.int()?) {
                Ok(value) => column.append(value),
                Err(_) => return self.fail(Fault::Range),
            },
            (Read::Int, C::Int8(column)) => match i8::try_from(self.int()?) {
                Ok(value) => column.append(value),
                Err(_) => return self.fail(Fault::Range),
            },
            (Read::Int | Read::Long, C::Float32(column)) => column.append(self.long()? as f32),
            (Read::Int | Read::Long, C::Float64(column)) => column.append(self.long()? as f64),
            (Read::Float, C::Float32(column)) => column.append(f32::from_le_bytes(self.array()?)),
            (Read::Float, C::Float64(column)) => column.append(f32::from_le_bytes(self.array()?).into()),
            (Read::Units(from), C::Time32(column, to)) => {
                let value = self.long()?;
                match time_of_day(value, *from, *to).and_then(|value| i32::try_from(value).ok()) {
                    Some(value) => column.append(value),
                    None => return self.fail(Fault::Range),
                }
            }
            (Read::Units(from), C::Time64(column, to)) => {
                let value = self.long()?;
                match time_of_day(value, *from, *to) {
                    Some(value) => column.append(value),
                    None => return self.fail(Fault::Range),
                }
            }
            (Read::Bytes, C::Binary(column)) => column.append(self.bytes()?),
            (Read::Fixed(size), C::Binary(column)) => column.append(self.take(*size)?),
            (Read::Enum(symbols), C::Utf8(column)) => {
                let symbol = self.index(symbols.len())?;
                column.append(symbols[symbol].as_bytes());
            }
            (Read::Uuid, C::Utf8(column)) => {
                let bytes = self.take(16)?;
                push_uuid(bytes, column.open());
                column.seal();
            }
            (Read::Decimal(size, from), C::Decimal(column, precision, scale)) => {
                let bytes = match size {
                    Some(size) => self.take(*size)?,
                    None => self.bytes()?,
                };
                match unscaled(bytes).and_then(|value| rescaled(value, *from, *scale, *precision)) {
                    Some(value) => column.append(value),
                    None => return self.fail(Fault::Range),
                }
            }
            _ => return self.fail(Fault::Malformed("column")),
        }
        Some(())
    }

    fn items(&mut self, read: &Read, writer: &Schema, items: &mut ColumnBuilder) -> Option<()> {
        let first = items.len();
        loop {
            let count = self.block()?;
            if count == 0 {
                return Some(());
            }
            for _ in 0..count {
                if self.value(read, writer, items).is_none() {
                    let item = items.len() - first;
                    return self.inside(Place::Item(item));
                }
            }
        }
    }

    /// Reads a map. Of keys that repeat the last one stays.
    fn map(&mut self, read: &Read, writer: &Schema, map: &mut MapBuilder) -> Option<()> {
        let (first, start) = (map.sealed_pairs(), self.rest);
        self.pairs(read, writer, map, None)?;
        if let Some(kept) = map.last_of_each(first) {
            let behind = std::mem::replace(&mut self.rest, start);
            map.cut_back(first);
            self.pairs(read, writer, map, Some(&kept))?;
            self.rest = behind;
        }
        map.seal();
        Some(())
    }

    fn pairs(
        &mut self,
        read: &Read,
        writer: &Schema,
        map: &mut MapBuilder,
        kept: Option<&[bool]>,
    ) -> Option<()> {
        let (keys, values) = map.open();
        let mut pair = 0;
        loop {
            let count = self.block()?;
            if count == 0 {
                return Some(());
            }
            for _ in 0..count {
                let key = self.bytes()?;
                if std::str::from_utf8(key).is_err() {
                    return self.fail(Fault::Text);
                }
                let rows = values.len();
                if self.value(read, writer, values).is_none() {
                    return self.inside(Place::Item(pair));
                }
                match kept.is_none_or(|kept| kept.get(pair) == Some(&true)) {
                    true => keys.append_bytes(key),
                    false => values.truncate(rows),
                }
                pair += 1;
            }
        }
    }

    /// The number of items of the next block of an array or map; each takes a byte at least.
    fn block(&mut self) -> Option<usize> {
        let count = self.long()?;
        let count = match count {
            0.. => count as u64,
            _ => {
                let bytes = self.long()?;
                if bytes < 0 {
                    return self.fail(Fault::Malformed("size of a block"));
                }
                count.unsigned_abs()
            }
        };
        match count <= self.rest.len() as u64 {
            true => Some(count as usize),
            false => self.fail(Fault::End),
        }
    }

    /// Passes over a value.
    fn skip(&mut self, node: &Node, writer: &Schema, depth: usize) -> Option<()> {
        if depth > DEPTH_MAX {
            return self.fail(Fault::Malformed("depth"));
        }
        if writer.is_empty(node) {
            return Some(());
        }
        match node {
            Node::Null => {}
            Node::Boolean => drop(self.take(1)?),
            Node::Int(_) | Node::Long(_) => drop(self.long()?),
            Node::Float => drop(self.take(4)?),
            Node::Double => drop(self.take(8)?),
            Node::Bytes(_) | Node::String => drop(self.bytes()?),
            Node::Array(item) => self.skip_blocks(item, false, writer, depth)?,
            Node::Map(value) => self.skip_blocks(value, true, writer, depth)?,
            Node::Union(branches) => {
                let branch = self.index(branches.len())?;
                self.skip(&branches[branch], writer, depth + 1)?;
            }
            Node::Named(index) => match &writer.named[*index].kind {
                Kind::Record(fields) => {
                    for field in fields {
                        self.skip(&field.node, writer, depth + 1)?;
                    }
                }
                Kind::Enum(symbols, _) => drop(self.index(symbols.len())?),
                Kind::Fixed(size, _) => drop(self.take(*size)?),
            },
        }
        Some(())
    }

    fn skip_blocks(&mut self, node: &Node, is_map: bool, writer: &Schema, depth: usize) -> Option<()> {
        loop {
            let count = self.long()?;
            if count == 0 {
                return Some(());
            }
            if count < 0 {
                // Whoever says how long a block is lets it be passed over at once.
                let bytes = self.long()?;
                self.take(usize::try_from(bytes).ok().unwrap_or(usize::MAX))?;
                continue;
            }
            if !is_map && writer.is_empty(node) {
                continue;
            }
            if count as u64 > self.rest.len() as u64 {
                return self.fail(Fault::End);
            }
            for _ in 0..count {
                if is_map {
                    self.bytes()?;
                }
                self.skip(node, writer, depth + 1)?;
            }
        }
    }

    #[inline(always)]
    fn take(&mut self, bytes: usize) -> Option<&'t [u8]> {
        match self.rest.split_at_checked(bytes) {
            Some((taken, rest)) => {
                self.rest = rest;
                Some(taken)
            }
            None => self.fail(Fault::End),
        }
    }

    #[inline(always)]
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        match self.rest.split_first_chunk::<N>() {
            Some((taken, rest)) => {
                self.rest = rest;
                Some(*taken)
            }
            None => self.fail(Fault::End),
        }
    }

    /// Bytes with their length in front.
    #[inline(always)]
    fn bytes(&mut self) -> Option<&'t [u8]> {
        let length = self.long()?;
        match usize::try_from(length) {
            Ok(length) => self.take(length),
            Err(_) => self.fail(Fault::Malformed("length")),
        }
    }

    /// One of so many.
    #[inline(always)]
    fn index(&mut self, count: usize) -> Option<usize> {
        let index = self.long()?;
        match usize::try_from(index) {
            Ok(index) if index < count => Some(index),
            _ => self.fail(Fault::Malformed("number of a branch or symbol")),
        }
    }

    #[inline(always)]
    fn int(&mut self) -> Option<i32> {
        match i32::try_from(self.long()?) {
            Ok(value) => Some(value),
            Err(_) => self.fail(Fault::Malformed("int")),
        }
    }

    /// A number of seven bits a byte, the lowest first, its sign in the lowest bit.
    #[inline(always)]
    fn long(&mut self) -> Option<i64> {
        if let [byte @ ..0x80, rest @ ..] = self.rest {
            self.rest = rest;
            return Some(unzigzag((*byte).into()));
        }
        self.long_number()
    }

    fn long_number(&mut self) -> Option<i64> {
        let mut value = 0u64;
        for (index, byte) in self.rest.iter().take(10).enumerate() {
            if index == 9 && *byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                self.rest = &self.rest[index + 1..];
                return Some(unzigzag(value));
            }
        }
        match self.rest.len() < 10 {
            true => self.fail(Fault::End),
            false => self.fail(Fault::Malformed("number")),
        }
    }
}

#[inline(always)]
fn unzigzag(value: u64) -> i64 {
    (value >> 1) as i64 ^ -((value & 1) as i64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_they_are_written_and_no_others() {
        for (bytes, expected) in [
            (&[0u8][..], Ok(0)),
            (&[1], Ok(-1)),
            (&[0x80, 1], Ok(64)),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], Ok(i64::MIN)),
            (&[0xfe, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1], Ok(i64::MAX)),
            (&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2], Err(Fault::Malformed("number"))),
            (&[0xff; 12], Err(Fault::Malformed("number"))),
            (&[0x80], Err(Fault::End)),
            (&[], Err(Fault::End)),
        ] {
            let mut reader = Reader::new(bytes);
            let found = reader.long().ok_or_else(|| reader.fault.clone().unwrap());
            assert_eq!(found, expected, "{bytes:?}");
        }
    }
}
