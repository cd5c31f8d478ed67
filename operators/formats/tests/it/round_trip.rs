//! What is written is read back: random rows of every type, through every format.

use arrow::array::{ArrayRef, RecordBatch};
use arrow::datatypes::{DataType, Field, Fields, Schema, TimeUnit};
use millstream_formats::columns::{ColumnBuilder, map_type};
use millstream_formats::{Format, Outcome};
use millstream_operators::Batch;
use millstream_operators::sink::{FormatEncoderSpec, RowEncoderSpec};
use proptest::prelude::*;
use std::sync::Arc;

/// Numbers from a seed.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    /// Numbers of every magnitude, small ones and the limits often.
    fn integer(&mut self) -> i64 {
        let number = self.next() as i64;
        match self.below(10) {
            0 => i64::MIN,
            1 => i64::MAX,
            2 => 0,
            _ => number >> self.below(63),
        }
    }

    fn float(&mut self) -> f64 {
        let bits = f64::from_bits(self.next());
        match self.below(8) {
            0 => f64::INFINITY,
            1 => -0.0,
            2..=4 => (self.below(2_000_000) as f64 - 1e6) / 10f64.powi(self.below(5) as i32),
            _ if bits.is_nan() => 1.5,
            _ => bits,
        }
    }

    fn text(&mut self) -> String {
        let alphabet =
            ['a', 'b', ' ', '"', '\\', '\n', '\u{1}', '\u{1f}', '\u{7f}', 'é', '世', '😀', '/', ',', '\''];
        let length = self.below(40);
        (0..length).map(|_| alphabet[self.below(alphabet.len() as u64) as usize]).collect()
    }
}

/// What random values are for.
#[derive(Clone, Copy, PartialEq)]
enum For {
    Json,
    Csv,
    /// An item of an `ARRAY`, or a field of a `ROW`, within a field of CSV.
    CsvPart,
}

fn append(column: &mut ColumnBuilder, field: &Field, random: &mut Random, purpose: For) {
    use DataType as T;
    if field.is_nullable() && random.below(5) == 0 {
        return column.append_null();
    }
    match field.data_type() {
        T::Boolean => column.append_bool(random.below(2) == 0),
        T::Int8 => column.append_i64((random.integer() as i8).into()),
        T::Int16 => column.append_i64((random.integer() as i16).into()),
        T::Int32 => column.append_i64((random.integer() as i32).into()),
        // Years of more than four digits are not read by CSV's way of reading dates.
        T::Date32 if purpose != For::Json => column.append_i64(random.below(2_000_000) as i64 / 2),
        T::Date32 => column.append_i64((random.integer() as i32).into()),
        T::Int64 => column.append_i64(random.integer()),
        T::Float32 => column.append_f64((random.float() as f32).into()),
        T::Float64 => column.append_f64(random.float()),
        T::Decimal128(precision, _) => {
            let wide = i128::from(random.integer()) * i128::from(random.integer());
            column.append_i128(wide % 10i128.pow(u32::from(*precision)));
        }
        T::Time32(TimeUnit::Second) => column.append_i64(random.below(86_400) as i64),
        T::Time32(_) => column.append_i64(random.below(86_400_000) as i64),
        T::Time64(TimeUnit::Microsecond) => column.append_i64(random.below(86_400_000_000) as i64),
        T::Time64(_) => column.append_i64(random.below(86_400_000_000_000) as i64),
        // Years have up to nine digits.
        T::Timestamp(TimeUnit::Second, _) => column.append_i64(random.integer() >> 11),
        T::Timestamp(TimeUnit::Millisecond, _) => column.append_i64(random.integer() >> 2),
        T::Timestamp(_, _) => column.append_i64(random.integer()),
        T::Utf8 if purpose == For::CsvPart => {
            let length = 1 + random.below(8);
            let text: String = (0..length).map(|_| char::from(b'a' + random.below(26) as u8)).collect();
            column.append_bytes(text.as_bytes());
        }
        T::Utf8 => column.append_bytes(random.text().as_bytes()),
        T::Binary => {
            let bytes: Vec<u8> = (0..1 + random.below(20)).map(|_| random.next() as u8).collect();
            column.append_bytes(&bytes);
        }
        T::Struct(fields) => {
            let purpose = if purpose == For::Json { For::Json } else { For::CsvPart };
            for (field, column) in fields.iter().zip(column.struct_columns()) {
                append(column, field, random, purpose);
            }
            column.seal_struct();
        }
        T::List(item) => {
            let purpose = if purpose == For::Json { For::Json } else { For::CsvPart };
            // A single null item is a null array to CSV.
            let items =
                if purpose == For::Json { random.below(4) } else { [0, 2, 3][random.below(3) as usize] };
            for _ in 0..items {
                append(column.list_items().unwrap(), item, random, purpose);
            }
            column.seal_list();
        }
        T::Map(entries, _) => {
            let T::Struct(pair) = entries.data_type() else { unreachable!() };
            for key in 0..random.below(12) {
                let (keys, values) = column.map_columns().unwrap();
                keys.append_bytes(format!("{key}{}", random.text()).as_bytes());
                append(values, &pair[1], random, purpose);
            }
            column.seal_map();
        }
        other => panic!("{other}"),
    }
}

fn scalar_types() -> Vec<DataType> {
    use DataType as T;
    let mut types = vec![
        T::Boolean,
        T::Int8,
        T::Int16,
        T::Int32,
        T::Int64,
        T::Float32,
        T::Float64,
        T::Decimal128(38, 0),
        T::Decimal128(10, 4),
        T::Utf8,
        T::Binary,
        T::Date32,
        T::Time32(TimeUnit::Second),
        T::Time32(TimeUnit::Millisecond),
        T::Time64(TimeUnit::Microsecond),
        T::Time64(TimeUnit::Nanosecond),
    ];
    for unit in [TimeUnit::Second, TimeUnit::Millisecond, TimeUnit::Microsecond, TimeUnit::Nanosecond] {
        types.extend([T::Timestamp(unit, None), T::Timestamp(unit, Some("UTC".into()))]);
    }
    types
}

fn fields(types: Vec<DataType>) -> Fields {
    let named = types.into_iter().enumerate();
    named.map(|(index, data_type)| Field::new(format!("field {index}"), data_type, index % 3 != 0)).collect()
}

fn json_fields() -> Fields {
    let mut types = scalar_types();
    let deep = DataType::Struct(fields(vec![DataType::Utf8, DataType::new_list(DataType::Float64, true)]));
    types.push(DataType::Struct(fields(scalar_types())));
    types.push(DataType::new_list(deep.clone(), true));
    types.push(DataType::new_list(DataType::new_list(DataType::Int64, true), false));
    types.push(map_type(DataType::Utf8, deep));
    types.push(map_type(DataType::Utf8, DataType::Int8));
    fields(types)
}

fn csv_fields() -> Fields {
    let mut types = scalar_types();
    types.push(DataType::new_list(DataType::Utf8, true));
    types.push(DataType::new_list(DataType::Int64, true));
    types.push(DataType::Struct(fields(vec![DataType::Int64, DataType::Utf8])));
    fields(types)
}

/// What Avro holds: times of day of milliseconds, and fields that are called by letters.
fn avro_fields() -> Fields {
    let holds = |data_type: &DataType| !matches!(data_type, DataType::Time64(_));
    let scalars: Vec<DataType> = scalar_types().into_iter().filter(holds).collect();
    let plain: Vec<DataType> =
        scalars.iter().filter(|it| !matches!(it, DataType::Timestamp(..))).cloned().collect();
    let named = |types: Vec<DataType>| -> Fields {
        let fields = fields(types);
        fields.iter().map(|field| field.as_ref().clone().with_name(field.name().replace(' ', "_"))).collect()
    };
    let deep = DataType::Struct(named(vec![DataType::Utf8, DataType::new_list(DataType::Float64, true)]));
    let mut types = scalars.clone();
    types.push(DataType::Struct(named(scalars)));
    types.push(DataType::new_list(deep.clone(), true));
    types.push(DataType::new_list(DataType::new_list(DataType::Int64, true), false));
    types.push(map_type(DataType::Utf8, DataType::Struct(named(plain))));
    types.push(map_type(DataType::Utf8, deep));
    named(types)
}

fn random_rows(fields: &Fields, seed: u64, rows: usize, purpose: For) -> RecordBatch {
    let mut random = Random(seed);
    let mut columns: Vec<ColumnBuilder> =
        fields.iter().map(|field| ColumnBuilder::new(field.data_type()).unwrap()).collect();
    for _ in 0..rows {
        for (column, field) in columns.iter_mut().zip(fields) {
            append(column, field, &mut random, purpose);
        }
    }
    let arrays: Vec<ArrayRef> = columns.iter_mut().map(ColumnBuilder::finish).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields.clone())), arrays).unwrap()
}

fn back_and_forth(format: &Arc<dyn Format>, rows: &RecordBatch) -> RecordBatch {
    let fields = rows.schema().fields().clone();
    let columns = (0..fields.len()).collect();
    let spec = FormatEncoderSpec::new(Arc::clone(format), "out", columns, fields.clone()).unwrap();
    let mut encoder = spec.build().unwrap();
    encoder.begin(&Batch::append(rows.clone(), vec![0; rows.num_rows()])).unwrap();
    let mut decoder = format.decoder(&fields, &fields).unwrap();
    for row in 0..rows.num_rows() {
        let mut out = Vec::new();
        encoder.encode(row, &mut out).unwrap();
        let decoded = decoder.decode(Some(&out));
        assert_eq!(decoded, Ok(Outcome::Row), "{}", String::from_utf8_lossy(&out));
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), decoder.finish()).unwrap()
}

fn format(name: &str, options: &[(&str, &str)]) -> Arc<dyn Format> {
    let options = options.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    millstream_formats::parse(name, &options).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn json_gives_back_random_rows(seed in any::<u64>(), rows in 0..20usize, slice in 0..5usize) {
        let batch = random_rows(&json_fields(), seed, rows, For::Json);
        // A slice begins in the middle of Arrow's buffers.
        let batch = batch.slice(slice.min(rows), rows - slice.min(rows));
        for options in [
            &[][..],
            &[("timestamp-format.standard", "ISO-8601")],
            &[("timestamp-format.standard", "ISO-8601-WITH-OFFSET")],
            &[("encode.ignore-null-fields", "true"), ("encode.decimal-as-plain-number", "true")],
        ] {
            prop_assert_eq!(&back_and_forth(&format("json", options), &batch), &batch);
        }
    }

    #[test]
    fn avro_gives_back_random_rows(seed in any::<u64>(), rows in 0..20usize, slice in 0..5usize) {
        let batch = random_rows(&avro_fields(), seed, rows, For::Json);
        let batch = batch.slice(slice.min(rows), rows - slice.min(rows));
        let avro = format("avro", &[("timestamp_mapping.legacy", "false")]);
        prop_assert_eq!(&back_and_forth(&avro, &batch), &batch);
    }

    #[test]
    fn csv_gives_back_random_rows(seed in any::<u64>(), rows in 0..20usize) {
        let batch = random_rows(&csv_fields(), seed, rows, For::Csv);
        for options in [
            &[("null-literal", "NULL")][..],
            &[("null-literal", "NULL"), ("field-delimiter", "\\t"), ("quote-character", "'")],
            &[("null-literal", "NULL"), ("escape-character", "\\"), ("allow-comments", "true")],
        ] {
            prop_assert_eq!(&back_and_forth(&format("csv", options), &batch), &batch);
        }
    }
}
