//! A call of a function for the rows of a batch: how its arguments are read and its results are written.

use super::Failed;
use super::time::zone::Zone;
use arrow::array::{
    Array, ArrayAccessor, ArrayRef, ArrowPrimitiveType, BinaryBuilder, BooleanArray, PrimitiveArray,
    StringBuilder, UInt32Array,
};
use arrow::compute::take;
use arrow::datatypes::DataType;
use std::sync::Arc;

/// How long a text or a number of bytes may be that a function makes: longer ones are the row's error.
pub(crate) const TEXT_BYTES_MAX: usize = 16 << 20;

/// How long all the texts may be that a call makes.
const BATCH_BYTES_MAX: usize = i32::MAX as usize;

/// One call.
#[derive(Debug)]
pub(crate) struct Call<'a> {
    /// By argument: its values, one a row, or a single one for all the rows.
    pub(super) args: &'a [ArrayRef],
    /// By argument: whether it is a constant, with a single value.
    pub(super) constant: &'a [bool],
    /// How many values are wanted.
    pub(super) rows: usize,
    /// Their type.
    pub(super) returns: &'a DataType,
    /// The session's zone.
    pub(super) zone: Zone,
}

/// The values of an argument, by row.
#[derive(Debug)]
pub(crate) struct Column<'a, A> {
    array: &'a A,
    constant: bool,
}

impl<'a, A> Column<'a, A>
where
    A: Array,
    &'a A: ArrayAccessor,
{
    /// The value of a row; `None` for null.
    pub(crate) fn get(&self, row: usize) -> Option<<&'a A as ArrayAccessor>::Item> {
        let place = if self.constant { 0 } else { row };
        (place < self.array.len() && !self.array.is_null(place)).then(|| self.array.value(place))
    }

    /// The values as they lie: a single one where the argument is a constant.
    pub(crate) fn array(&self) -> &'a A {
        self.array
    }

    /// The value of all rows, where the argument is a constant: `Some(None)` for a constant null.
    pub(crate) fn constant(&self) -> Option<Option<<&'a A as ArrayAccessor>::Item>> {
        self.constant.then(|| self.get(0))
    }
}

impl<'a> Call<'a> {
    /// How many rows there are.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// How many arguments there are.
    pub(crate) fn arity(&self) -> usize {
        self.args.len()
    }

    /// The zone in which the clock is read, `table.local-time-zone`.
    pub(crate) fn zone(&self) -> Zone {
        self.zone
    }

    /// The type of the result.
    pub(crate) fn returns(&self) -> &'a DataType {
        self.returns
    }

    /// The values of an argument.
    ///
    /// # Errors
    /// When there is no such argument of this kind.
    pub(crate) fn column<A: Array + 'static>(&self, arg: usize) -> Result<Column<'a, A>, Failed> {
        let found = self.args.get(arg).and_then(|array| array.as_any().downcast_ref::<A>());
        let array = found.ok_or_else(|| Failed(format!("argument {} is of another type", arg + 1)))?;
        Ok(Column { array, constant: self.constant[arg] })
    }

    /// The values of an argument as an array with a value for each row.
    ///
    /// # Errors
    /// When there is no such argument.
    pub(crate) fn array(&self, arg: usize) -> Result<ArrayRef, Failed> {
        let array = self.args.get(arg).ok_or_else(|| Failed(format!("there is no argument {}", arg + 1)))?;
        if !self.constant[arg] {
            return Ok(Arc::clone(array));
        }
        Ok(take(array, &UInt32Array::from(vec![0; self.rows]), None)?)
    }

    /// Texts, computed row by row; `None` is null.
    ///
    /// # Errors
    /// The first that fails, or is too long.
    pub(crate) fn texts<S: AsRef<str>>(
        &self,
        mut value: impl FnMut(usize) -> Result<Option<S>, Failed>,
    ) -> Result<ArrayRef, Failed> {
        let mut texts = StringBuilder::with_capacity(self.rows, self.rows * 16);
        let mut bytes = 0;
        for row in 0..self.rows {
            let value = value(row)?;
            bounded(value.as_ref().map_or(0, |value| value.as_ref().len()), &mut bytes)?;
            texts.append_option(value);
        }
        Ok(Arc::new(texts.finish()))
    }

    /// Texts, written row by row into an empty buffer; `false` is null.
    ///
    /// # Errors
    /// The first that fails, or is too long.
    pub(crate) fn write_texts(
        &self,
        mut write: impl FnMut(usize, &mut String) -> Result<bool, Failed>,
    ) -> Result<ArrayRef, Failed> {
        let mut texts = StringBuilder::with_capacity(self.rows, self.rows * 16);
        let mut bytes = 0;
        let mut text = String::new();
        for row in 0..self.rows {
            text.clear();
            let written = write(row, &mut text)?;
            bounded(text.len(), &mut bytes)?;
            texts.append_option(written.then_some(text.as_str()));
        }
        Ok(Arc::new(texts.finish()))
    }

    /// Bytes, computed row by row; `None` is null.
    ///
    /// # Errors
    /// The first that fails, or is too long.
    pub(crate) fn bytes<B: AsRef<[u8]>>(
        &self,
        mut value: impl FnMut(usize) -> Result<Option<B>, Failed>,
    ) -> Result<ArrayRef, Failed> {
        let mut values = BinaryBuilder::with_capacity(self.rows, self.rows * 16);
        let mut bytes = 0;
        for row in 0..self.rows {
            let value = value(row)?;
            bounded(value.as_ref().map_or(0, |value| value.as_ref().len()), &mut bytes)?;
            values.append_option(value);
        }
        Ok(Arc::new(values.finish()))
    }

    /// Truth values, computed row by row; `None` is null.
    ///
    /// # Errors
    /// The first that fails.
    pub(crate) fn booleans(
        &self,
        value: impl FnMut(usize) -> Result<Option<bool>, Failed>,
    ) -> Result<ArrayRef, Failed> {
        let values: BooleanArray = (0..self.rows).map(value).collect::<Result<_, Failed>>()?;
        Ok(Arc::new(values))
    }

    /// Numbers or times, computed row by row, of the result's type; `None` is null.
    ///
    /// # Errors
    /// The first that fails.
    pub(crate) fn numbers<T: ArrowPrimitiveType>(
        &self,
        value: impl FnMut(usize) -> Result<Option<T::Native>, Failed>,
    ) -> Result<ArrayRef, Failed> {
        let values: PrimitiveArray<T> = (0..self.rows).map(value).collect::<Result<_, Failed>>()?;
        if !PrimitiveArray::<T>::is_compatible(self.returns) {
            return Err(Failed(format!("the result is of type {}", self.returns)));
        }
        Ok(Arc::new(values.with_data_type(self.returns.clone())))
    }
}

/// Refuses a result that would be too long, before it is made.
pub(super) fn check_bytes(bytes: usize) -> Result<(), Failed> {
    match bytes > TEXT_BYTES_MAX {
        true => Err(Failed(format!("the result has {bytes} bytes; at most {TEXT_BYTES_MAX} are possible"))),
        false => Ok(()),
    }
}

/// Counts the bytes of one more value.
fn bounded(more: usize, bytes: &mut usize) -> Result<(), Failed> {
    *bytes = bytes.saturating_add(more);
    check_bytes(more)?;
    match *bytes > BATCH_BYTES_MAX {
        true => Err(Failed::from("the results are too long")),
        false => Ok(()),
    }
}
