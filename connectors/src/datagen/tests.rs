use super::*;
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::datatypes::{DataType, Decimal128Type, Int32Type, Int64Type, TimestampMicrosecondType};
use millstream_operators::columns::map_type;
use millstream_operators::formats::Format;
use millstream_operators::formats::generated::Generated;
use std::collections::BTreeSet;
use std::sync::Arc;

const NOW_MS: i64 = 1_700_000_000_123;

fn column(make: Make) -> Column {
    Column { make, null_rate: 0.0 }
}

/// The rows of these numbers.
fn rows(columns: &[(&str, Column)], needed: Vec<Field>, numbers: std::ops::Range<u64>) -> Vec<ArrayRef> {
    let columns = columns.iter().map(|(name, column)| ((*name).to_owned(), column.clone())).collect();
    let format = Generated(Arc::new(Datagen::new("t", columns)));
    let needed = Fields::from(needed);
    let mut decoder = format.decoder(&needed, &needed).unwrap();
    decoder.begin(NOW_MS);
    for number in numbers {
        decoder.decode(Some(&number.to_be_bytes())).unwrap();
    }
    decoder.finish()
}

fn one(make: Make, data_type: DataType) -> ArrayRef {
    rows(&[("a", column(make))], vec![Field::new("a", data_type, true)], 0..1_000).remove(0)
}

#[test]
fn the_same_number_gives_the_same_row_however_they_are_cut() {
    let columns = [("a", column(Make::Integer(0, 1 << 40))), ("b", column(Make::Text(12, Length::Varies)))];
    let needed = || vec![Field::new("a", DataType::Int64, true), Field::new("b", DataType::Utf8, true)];
    let all = rows(&columns, needed(), 0..100);
    let (head, tail) = (rows(&columns, needed(), 0..37), rows(&columns, needed(), 37..100));
    for ((all, head), tail) in all.iter().zip(head).zip(tail) {
        assert_eq!(&all.slice(0, 37), &head);
        assert_eq!(&all.slice(37, 63), &tail);
    }
    // Nor does it matter which columns are read.
    let alone = rows(&columns, needed().split_off(1), 0..100);
    assert_eq!(&alone[0], &all[1]);
}

#[test]
fn values_are_within_their_bounds_and_reach_them() {
    let numbers = one(Make::Integer(-2, 3), DataType::Int32);
    let found: BTreeSet<i32> = numbers.as_primitive::<Int32Type>().values().iter().copied().collect();
    assert_eq!(found, (-2..=3).collect());
    let whole = one(Make::Integer(i64::MIN, i64::MAX), DataType::Int64);
    let values = whole.as_primitive::<Int64Type>().values();
    assert!(
        values.iter().any(|value| *value > i64::MAX / 2) && values.iter().any(|value| *value < i64::MIN / 2)
    );
    let decimals =
        one(Make::Decimal(-(10_i128.pow(38)) + 1, 10_i128.pow(38) - 1), DataType::Decimal128(38, 2));
    assert!(decimals.as_primitive::<Decimal128Type>().values().iter().any(|value| value.abs() > 1 << 100));
    let texts = one(Make::Text(5, Length::Varies), DataType::Utf8);
    let lengths: BTreeSet<usize> = texts.as_string::<i32>().iter().map(|text| text.unwrap().len()).collect();
    assert_eq!(lengths, (1..=5).collect());
    let fixed = one(Make::Bytes(4, Length::Fixed), DataType::Binary);
    assert!(fixed.as_binary::<i32>().iter().all(|bytes| bytes.unwrap().len() == 4));
}

#[test]
fn times_are_of_the_clock_and_at_most_so_long_ago() {
    let unit = DataType::Timestamp(TimeUnit::Microsecond, None);
    let now = one(Make::Past(0), unit.clone());
    assert!(now.as_primitive::<TimestampMicrosecondType>().values().iter().all(|at| *at == NOW_MS * 1_000));
    let past = one(Make::Past(10), unit);
    let ago = past.as_primitive::<TimestampMicrosecondType>().values().iter().map(|at| NOW_MS - at / 1_000);
    assert_eq!(ago.collect::<BTreeSet<i64>>(), (0..=10).collect());
}

#[test]
fn a_sequence_counts_and_some_are_null() {
    let counted = one(Make::Sequence(7), DataType::Utf8);
    assert_eq!((counted.as_string::<i32>().value(0), counted.as_string::<i32>().value(999)), ("7", "1006"));
    let scaled = one(Make::Sequence(-1), DataType::Decimal128(10, 2));
    assert_eq!(scaled.as_primitive::<Decimal128Type>().values()[..3], [-100, 0, 100]);
    let some = [("a", Column { make: Make::Boolean, null_rate: 0.25 })];
    let nulls = rows(&some, vec![Field::new("a", DataType::Boolean, true)], 0..1_000)[0].null_count();
    assert!((200..300).contains(&nulls), "{nulls}");
}

#[test]
fn rows_in_rows_have_the_fields_that_are_needed() {
    let row = Make::Row(vec![
        ("x".to_owned(), column(Make::Integer(1, 1))),
        ("y".to_owned(), column(Make::Integer(2, 2))),
    ]);
    let array = Make::Array(Box::new(column(Make::Integer(5, 6))), 3);
    let map = Make::Map(Box::new(column(Make::Text(9, Length::Fixed))), Box::new(column(Make::Boolean)), 2);
    let narrowed = DataType::Struct(Fields::from(vec![Field::new("y", DataType::Int32, true)]));
    let needed = vec![
        Field::new("r", narrowed, true),
        Field::new("l", DataType::new_list(DataType::Int32, true), true),
        Field::new("m", map_type(DataType::Utf8, DataType::Boolean), true),
    ];
    let made = rows(&[("r", column(row)), ("l", column(array)), ("m", column(map))], needed, 0..10);
    assert_eq!(made[0].as_struct().column(0).as_primitive::<Int32Type>().values(), &[2; 10]);
    assert_eq!(made[1].as_list::<i32>().value_length(9), 3);
    assert_eq!(made[2].as_map().value_length(9), 2);
}
