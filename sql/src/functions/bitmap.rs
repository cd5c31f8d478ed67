//! Bitmaps: sets of numbers of 32 bits, kept as Roaring bitmaps are written.
//!
//! A `BITMAP` is a type of its own: no text and no column has it. Numbers are signed where they are an `INT`, and not
//! where they are counted or written.

mod roaring;

use super::elements::{Lists, array_of};
use super::{Arg, Call, Failed, Function, Param, Typed, fixed};
use arrow::array::{
    Array, ArrayRef, AsArray, BinaryArray, BinaryBuilder, Int32Builder, ListBuilder, StructArray,
};
use arrow::buffer::NullBuffer;
use arrow::datatypes::{DataType, Field, Fields, Int32Type, Int64Type};
use millstream_operators::columns::ColumnBuilder;
use millstream_operators::formats::sql_type;
use std::sync::{Arc, LazyLock};

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        names: &["BITMAP_BUILD"],
        signature: "BITMAP_BUILD(array)",
        types: |args| match args {
            [array] if is_ints(array.data_type) => {
                Ok(Typed { args: vec![array_of(DataType::Int32)], returns: bitmap() })
            }
            [other] => Err(format!("takes an ARRAY<INT>, not {}", sql_type(other.data_type))),
            args => Err(format!("takes 1 argument, not {}", args.len())),
        },
        eval: build,
        fails: false,
        examples: &[("BITMAP_TO_STRING(BITMAP_BUILD(ARRAY[5, 1, 1]))", "{1,5}")],
    },
    Function {
        names: &["BITMAP_CARDINALITY"],
        signature: "BITMAP_CARDINALITY(bitmap)",
        types: |args| of_bitmaps(args, 1, DataType::Int64),
        eval: |call| {
            let bitmaps = Bitmaps::of(call, 0)?;
            call.numbers::<Int64Type>(|row| Ok(bitmaps.get(row)?.map(|numbers| numbers.len() as i64)))
        },
        fails: false,
        examples: &[("BITMAP_CARDINALITY(BITMAP_BUILD(ARRAY[1, 2, 2, 5]))", "3")],
    },
    Function {
        names: &["BITMAP_TO_STRING"],
        signature: "BITMAP_TO_STRING(bitmap)",
        types: |args| of_bitmaps(args, 1, DataType::Utf8),
        eval: to_string,
        fails: true,
        examples: &[("BITMAP_TO_STRING(BITMAP_BUILD(ARRAY[-1, 0]))", "{0,4294967295}")],
    },
    Function {
        names: &["BITMAP_TO_ARRAY"],
        signature: "BITMAP_TO_ARRAY(bitmap)",
        types: |args| of_bitmaps(args, 1, array_of(DataType::Int32)),
        eval: to_array,
        fails: false,
        examples: &[("BITMAP_TO_ARRAY(BITMAP_BUILD(ARRAY[-1, 5]))", "[5, -1]")],
    },
    Function {
        names: &["BITMAP_TO_BYTES"],
        signature: "BITMAP_TO_BYTES(bitmap)",
        types: |args| of_bitmaps(args, 1, DataType::Binary),
        eval: |call| Ok(Arc::new(Bitmaps::of(call, 0)?.bytes)),
        fails: false,
        examples: &[(
            "BITMAP_TO_BYTES(BITMAP_BUILD(ARRAY[1, 2, 3]))",
            "[58, 48, 0, 0, 1, 0, 0, 0, 0, 0, 2, 0, 16, 0, 0, 0, 1, 0, 2, 0, 3, 0]",
        )],
    },
    Function {
        names: &["BITMAP_FROM_BYTES"],
        signature: "BITMAP_FROM_BYTES(bytes)",
        types: |args| fixed(args, 1, &[Param::Bytes], bitmap()),
        eval: from_bytes,
        fails: true,
        examples: &[(
            "BITMAP_TO_STRING(BITMAP_FROM_BYTES(BITMAP_TO_BYTES(BITMAP_BUILD(ARRAY[1, 100000]))))",
            "{1,100000}",
        )],
    },
    Function {
        names: &["BITMAP_AND"],
        signature: "BITMAP_AND(bitmap1, bitmap2)",
        types: |args| of_bitmaps(args, 2, bitmap()),
        eval: |call| combined(call, |left, right| left && right),
        fails: false,
        examples: &[(
            "BITMAP_TO_ARRAY(BITMAP_AND(BITMAP_BUILD(ARRAY[1, 2, 3]), BITMAP_BUILD(ARRAY[2, 3, 4])))",
            "[2, 3]",
        )],
    },
    Function {
        names: &["BITMAP_OR"],
        signature: "BITMAP_OR(bitmap1, bitmap2)",
        types: |args| of_bitmaps(args, 2, bitmap()),
        eval: |call| combined(call, |left, right| left || right),
        fails: false,
        examples: &[(
            "BITMAP_TO_ARRAY(BITMAP_OR(BITMAP_BUILD(ARRAY[1, 2]), BITMAP_BUILD(ARRAY[4])))",
            "[1, 2, 4]",
        )],
    },
    Function {
        names: &["BITMAP_XOR"],
        signature: "BITMAP_XOR(bitmap1, bitmap2)",
        types: |args| of_bitmaps(args, 2, bitmap()),
        eval: |call| combined(call, |left, right| left != right),
        fails: false,
        examples: &[(
            "BITMAP_TO_ARRAY(BITMAP_XOR(BITMAP_BUILD(ARRAY[1, 2]), BITMAP_BUILD(ARRAY[2, 3])))",
            "[1, 3]",
        )],
    },
    Function {
        names: &["BITMAP_ANDNOT"],
        signature: "BITMAP_ANDNOT(bitmap1, bitmap2)",
        types: |args| of_bitmaps(args, 2, bitmap()),
        eval: |call| combined(call, |left, right| left && !right),
        fails: false,
        examples: &[(
            "BITMAP_TO_ARRAY(BITMAP_ANDNOT(BITMAP_BUILD(ARRAY[1, 2]), BITMAP_BUILD(ARRAY[2, 3])))",
            "[1]",
        )],
    },
];

/// The one field of a bitmap's type, which no text can name.
static FIELDS: LazyLock<Fields> =
    LazyLock::new(|| Fields::from(vec![Field::new("BITMAP ..", DataType::Binary, false)]));

/// The type of bitmaps.
pub(super) fn bitmap() -> DataType {
    DataType::Struct(FIELDS.clone())
}

fn is_ints(data_type: &DataType) -> bool {
    let item = super::elements::item_of(data_type);
    item.is_some_and(|item| matches!(item, DataType::Int8 | DataType::Int16 | DataType::Int32))
}

fn of_bitmaps(args: &[Arg<'_>], count: usize, returns: DataType) -> Result<Typed, String> {
    if args.len() != count {
        return Err(format!("takes {count} arguments, not {}", args.len()));
    }
    let is_bitmap = |arg: &&Arg<'_>| *arg.data_type == bitmap() || *arg.data_type == DataType::Null;
    match args.iter().find(|arg| !is_bitmap(arg)) {
        Some(other) => Err(format!("takes what BITMAP_BUILD gives, not {}", sql_type(other.data_type))),
        None => Ok(Typed { args: vec![bitmap(); count], returns }),
    }
}

/// The bitmaps of an argument.
struct Bitmaps {
    bytes: BinaryArray,
}

impl Bitmaps {
    fn of(call: &Call<'_>, arg: usize) -> Result<Self, Failed> {
        let array = call.array(arg)?;
        let rows = array.as_struct_opt().ok_or_else(|| Failed::from("the argument is no bitmap"))?;
        let bytes =
            rows.column(0).as_binary_opt::<i32>().ok_or_else(|| Failed::from("the argument is no bitmap"))?;
        // A bitmap that is null has bytes all the same.
        let nulls = NullBuffer::union(rows.nulls(), bytes.nulls());
        Ok(Bitmaps { bytes: BinaryArray::try_new(bytes.offsets().clone(), bytes.values().clone(), nulls)? })
    }

    fn get(&self, row: usize) -> Result<Option<Vec<u32>>, Failed> {
        match self.bytes.is_null(row) {
            true => Ok(None),
            false => roaring::read(self.bytes.value(row)).map(Some),
        }
    }
}

/// Bitmaps under construction.
struct BitmapsBuilder {
    bytes: BinaryBuilder,
    valid: Vec<bool>,
}

impl BitmapsBuilder {
    fn new(rows: usize) -> Self {
        BitmapsBuilder {
            bytes: BinaryBuilder::with_capacity(rows, rows * 32),
            valid: Vec::with_capacity(rows),
        }
    }

    fn push(&mut self, numbers: Option<&[u32]>) -> Result<(), Failed> {
        let bytes = numbers.map(roaring::write).unwrap_or_default();
        super::call::check_bytes(bytes.len())?;
        self.bytes.append_value(bytes);
        self.valid.push(numbers.is_some());
        Ok(())
    }

    fn finish(mut self) -> Result<ArrayRef, Failed> {
        let nulls = self.valid.contains(&false).then(|| NullBuffer::from(self.valid));
        let bytes: ArrayRef = Arc::new(self.bytes.finish());
        Ok(Arc::new(StructArray::try_new(FIELDS.clone(), vec![bytes], nulls)?))
    }
}

/// The numbers of the bitmap at a row; none of one that is null.
pub(super) fn numbers_at(bitmaps: &ArrayRef, row: usize) -> Result<Vec<u32>, Failed> {
    let rows = bitmaps.as_struct_opt().ok_or_else(|| Failed::from("the value is no bitmap"))?;
    let bytes =
        rows.column(0).as_binary_opt::<i32>().ok_or_else(|| Failed::from("the value is no bitmap"))?;
    if rows.is_null(row) || bytes.is_null(row) { Ok(Vec::new()) } else { roaring::read(bytes.value(row)) }
}

/// Appends a bitmap of numbers that are in their order, each once.
pub(super) fn write_bitmap(numbers: &[u32], out: &mut ColumnBuilder) -> Result<(), Failed> {
    let bytes = roaring::write(numbers);
    super::call::check_bytes(bytes.len())?;
    let column = out.struct_columns().first_mut().ok_or_else(|| Failed::from("the result is no bitmap"))?;
    column.append_bytes(&bytes);
    out.seal_struct();
    Ok(())
}

/// The numbers of each array; nulls are left out.
fn build(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let lists = Lists::of(call, 0)?;
    let elements = lists.elements();
    let numbers =
        elements.as_primitive_opt::<Int32Type>().ok_or_else(|| Failed::from("BITMAP_BUILD takes numbers"))?;
    let mut bitmaps = BitmapsBuilder::new(call.rows());
    for row in 0..call.rows() {
        let set = lists.get(row).map(|range| {
            let valid = range.filter(|place| numbers.is_valid(*place));
            let mut set: Vec<u32> = valid.map(|place| numbers.value(place) as u32).collect();
            set.sort_unstable();
            set.dedup();
            set
        });
        bitmaps.push(set.as_deref())?;
    }
    bitmaps.finish()
}

fn to_string(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let bitmaps = Bitmaps::of(call, 0)?;
    call.write_texts(|row, out| {
        let Some(numbers) = bitmaps.get(row)? else { return Ok(false) };
        super::call::check_bytes(numbers.len().saturating_mul(2))?;
        out.push('{');
        for (place, number) in numbers.iter().enumerate() {
            if place > 0 {
                out.push(',');
            }
            out.push_str(&number.to_string());
        }
        out.push('}');
        Ok(true)
    })
}

fn to_array(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let bitmaps = Bitmaps::of(call, 0)?;
    let mut lists = ListBuilder::with_capacity(Int32Builder::new(), call.rows());
    for row in 0..call.rows() {
        match bitmaps.get(row)? {
            Some(numbers) => {
                numbers.into_iter().for_each(|number| lists.values().append_value(number as i32));
                lists.append(true);
            }
            None => lists.append(false),
        }
    }
    Ok(Arc::new(lists.finish()))
}

fn from_bytes(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let bytes = call.column::<BinaryArray>(0)?;
    let mut bitmaps = BitmapsBuilder::new(call.rows());
    for row in 0..call.rows() {
        let numbers = bytes.get(row).map(roaring::read).transpose()?;
        bitmaps.push(numbers.as_deref())?;
    }
    bitmaps.finish()
}

/// The numbers that are kept by which of two bitmaps they are in.
fn combined(call: &Call<'_>, keep: fn(bool, bool) -> bool) -> Result<ArrayRef, Failed> {
    let (lefts, rights) = (Bitmaps::of(call, 0)?, Bitmaps::of(call, 1)?);
    let mut bitmaps = BitmapsBuilder::new(call.rows());
    for row in 0..call.rows() {
        let (Some(left), Some(right)) = (lefts.get(row)?, rights.get(row)?) else {
            bitmaps.push(None)?;
            continue;
        };
        let (mut left, mut right) = (left.into_iter().peekable(), right.into_iter().peekable());
        let mut kept = Vec::new();
        while let Some(next) = [left.peek(), right.peek()].into_iter().flatten().min().copied() {
            let (in_left, in_right) = (left.next_if_eq(&next).is_some(), right.next_if_eq(&next).is_some());
            if keep(in_left, in_right) {
                kept.push(next);
            }
        }
        bitmaps.push(Some(&kept))?;
    }
    bitmaps.finish()
}
