//! Objects and arrays of JSON as `ROW`, `ARRAY` and `MAP`.

use super::super::keys::{Item, NO_KEY};
use super::super::strings::{copy_string, unescape};
use super::super::syntax::{Expected, FaultKind, skip_string, skip_value, space};
use super::{FieldShape, Reader, RowShape, Step};
use crate::columns::{ColumnBuilder, ListBuilder, MapBuilder};

impl Reader {
    /// Reads an object into one row of `columns`, which hold `row` rows.
    pub(super) fn row<'t>(
        &mut self,
        shape: &mut RowShape,
        columns: &mut [ColumnBuilder],
        row: usize,
        mut rest: &'t [u8],
        depth: u32,
    ) -> Option<&'t [u8]> {
        if depth == 0 {
            return self.fault.malformed(rest, Expected::LessDepth);
        }
        let RowShape { fields, keys, all } = shape;
        let mut seen = Seen::default();
        let mut before = NO_KEY;
        let mut guess = keys.first_guess();
        loop {
            let mut key = guess;
            if let Some((value, next)) = keys.guess(guess, rest) {
                (rest, before, guess) = (value, key, next);
            } else {
                let item = match rest {
                    [b'}', behind @ ..] => Item::End(behind),
                    _ => keys.read(rest, before, &mut self.scratch, &mut self.fault)?,
                };
                match item {
                    Item::Key(value, found, next) => (rest, key, guess) = (value, found, next),
                    Item::End(behind) => {
                        if seen.0 != *all || fields.len() > 64 {
                            self.missing(fields, columns, row, rest, seen)?;
                        }
                        return Some(behind);
                    }
                }
                before = if key == NO_KEY { before } else { key };
            }
            let field = usize::from(key);
            rest = match columns.get_mut(field) {
                Some(column) => {
                    if seen.again(field, column, row) {
                        column.truncate(row);
                    }
                    match self.field(fields, field, column, rest, depth - 1) {
                        Some(tail) => tail,
                        None => return self.inside(Step::Field(fields[field].name.clone())),
                    }
                }
                None => match rest {
                    [b'"', inside @ ..] => skip_string(inside, &mut self.fault)?,
                    [b'n', b'u', b'l', b'l', tail @ ..] => tail,
                    _ => skip_value(rest, depth - 1, &mut self.fault)?,
                },
            };
        }
    }

    /// Gives the fields that did not come their nulls.
    #[inline(never)]
    fn missing(
        &mut self,
        fields: &[FieldShape],
        columns: &mut [ColumnBuilder],
        row: usize,
        rest: &[u8],
        mut seen: Seen,
    ) -> Option<()> {
        for (index, (field, column)) in fields.iter().zip(columns).enumerate() {
            if seen.again(index, column, row) {
                continue;
            }
            let kind = match (self.fail_on_missing_field, field.nullable) {
                (true, _) => FaultKind::Missing,
                (false, false) => FaultKind::Null,
                (false, true) => {
                    column.append_null();
                    continue;
                }
            };
            self.fault.set::<()>(rest, kind);
            return self.inside(Step::Field(field.name.clone()));
        }
        Some(())
    }

    /// Reads the value of the field at `index`. One that does not fit becomes null under `ignore-parse-errors`.
    #[inline(always)]
    fn field<'t>(
        &mut self,
        fields: &mut [FieldShape],
        index: usize,
        column: &mut ColumnBuilder,
        rest: &'t [u8],
        depth: u32,
    ) -> Option<&'t [u8]> {
        match self.value(fields, index, column, rest, depth) {
            Some(tail) => Some(tail),
            None => self.field_failed(&fields[index], column, rest, depth),
        }
    }

    #[cold]
    fn field_failed<'t>(
        &mut self,
        field: &FieldShape,
        column: &mut ColumnBuilder,
        rest: &'t [u8],
        depth: u32,
    ) -> Option<&'t [u8]> {
        let malformed = matches!(self.fault.kind, FaultKind::Malformed(_));
        if malformed || !self.ignore_parse_errors || !field.nullable {
            self.wanted.get_or_insert_with(|| field.sql_type.clone());
            return None;
        }
        let tail = skip_value(rest, depth, &mut self.fault)?;
        column.truncate(column.len());
        column.append_null();
        self.path.clear();
        self.wanted = None;
        Some(tail)
    }

    /// Notes on the way out where a fault was.
    #[cold]
    fn inside<T>(&mut self, step: Step) -> Option<T> {
        self.path.push(step);
        None
    }

    /// Reads an array, behind its bracket.
    pub(super) fn list<'t>(
        &mut self,
        item: &mut FieldShape,
        list: &mut ListBuilder,
        rest: &'t [u8],
        depth: u32,
    ) -> Option<&'t [u8]> {
        if depth == 0 {
            return self.fault.malformed(rest, Expected::LessDepth);
        }
        let items = list.open();
        let mut rest = space(rest);
        if let [b']', tail @ ..] = rest {
            list.seal();
            return Some(tail);
        }
        let first = items.len();
        loop {
            let Some(tail) = self.field(std::slice::from_mut(item), 0, items, rest, depth - 1) else {
                return self.inside(Step::Index(items.len() - first));
            };
            match space(tail) {
                [b',', tail @ ..] => rest = space(tail),
                [b']', tail @ ..] => {
                    list.seal();
                    return Some(tail);
                }
                other => return self.fault.malformed(other, Expected::CommaOrBracket),
            }
        }
    }

    /// Reads an object, behind its brace, into a map. Of keys that repeat the last one stays.
    pub(super) fn map<'t>(
        &mut self,
        value: &mut FieldShape,
        map: &mut MapBuilder,
        rest: &'t [u8],
        depth: u32,
    ) -> Option<&'t [u8]> {
        if depth == 0 {
            return self.fault.malformed(rest, Expected::LessDepth);
        }
        let first = map.sealed_pairs();
        let tail = self.pairs(value, map, rest, depth, None)?;
        if let Some(kept) = map.last_of_each(first) {
            map.cut_back(first);
            self.pairs(value, map, rest, depth, Some(&kept))?;
        }
        map.seal();
        Some(tail)
    }

    /// Reads the pairs of an object, behind its brace: all or those that are `kept`.
    fn pairs<'t>(
        &mut self,
        value: &mut FieldShape,
        map: &mut MapBuilder,
        rest: &'t [u8],
        depth: u32,
        kept: Option<&[bool]>,
    ) -> Option<&'t [u8]> {
        let (keys, values) = map.open();
        let mut rest = space(rest);
        if let [b'}', tail @ ..] = rest {
            return Some(tail);
        }
        for index in 0.. {
            let [b'"', key @ ..] = rest else { return self.fault.malformed(rest, Expected::Key) };
            let stays = kept.is_none_or(|kept| kept[index]);
            let behind = match keys.open_bytes() {
                Some(out) if stays => copy_string(key, out, &mut self.fault)?.len(),
                _ => unescape(key, &mut self.scratch, &mut self.fault)?.1.len(),
            };
            rest = space(&key[key.len() - behind..]);
            let [b':', tail @ ..] = rest else { return self.fault.malformed(rest, Expected::Colon) };
            rest = space(tail);
            if stays {
                keys.seal_bytes();
                rest = match self.field(std::slice::from_mut(value), 0, values, rest, depth - 1) {
                    Some(tail) => tail,
                    None => {
                        let (mut scratch, mut fault) = (Vec::new(), self.fault);
                        let name = unescape(key, &mut scratch, &mut fault).map_or(&b""[..], |(name, _)| name);
                        return self.inside(Step::Key(String::from_utf8_lossy(name).into_owned()));
                    }
                };
            } else {
                rest = skip_value(rest, depth - 1, &mut self.fault)?;
            }
            match space(rest) {
                [b',', tail @ ..] => rest = space(tail),
                [b'}', tail @ ..] => return Some(tail),
                other => return self.fault.malformed(other, Expected::CommaOrBrace),
            }
        }
        None
    }
}

/// Which fields of an object have come: bits for the first 64, for others what their columns say.
#[derive(Debug, Clone, Copy, Default)]
struct Seen(u64);

impl Seen {
    /// Whether the field has come before; from now on it has.
    #[inline(always)]
    fn again(&mut self, field: usize, column: &ColumnBuilder, row: usize) -> bool {
        if field >= 64 {
            return column.len() > row;
        }
        let bit = 1 << field;
        let again = self.0 & bit != 0;
        self.0 |= bit;
        again
    }
}
