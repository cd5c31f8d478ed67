//! Arrow types by their names in SQL.

use crate::columns::multiset_value;
use arrow::datatypes::{DataType, TimeUnit};

/// The SQL name of a column type, as messages call it.
pub fn sql_type(data_type: &DataType) -> String {
    use DataType as T;
    let digits = |unit: &TimeUnit| match unit {
        TimeUnit::Second => 0,
        TimeUnit::Millisecond => 3,
        TimeUnit::Microsecond => 6,
        TimeUnit::Nanosecond => 9,
    };
    if let Some(value) = multiset_value(data_type) {
        return format!("MULTISET<{}>", sql_type(value));
    }
    match data_type {
        T::Boolean => "BOOLEAN".to_owned(),
        T::Int8 => "TINYINT".to_owned(),
        T::Int16 => "SMALLINT".to_owned(),
        T::Int32 => "INT".to_owned(),
        T::Int64 => "BIGINT".to_owned(),
        T::Float32 => "FLOAT".to_owned(),
        T::Float64 => "DOUBLE".to_owned(),
        T::Decimal128(precision, scale) => format!("DECIMAL({precision}, {scale})"),
        T::Utf8 => "STRING".to_owned(),
        T::Binary => "BYTES".to_owned(),
        T::Date32 => "DATE".to_owned(),
        T::Time32(unit) | T::Time64(unit) => format!("TIME({})", digits(unit)),
        T::Timestamp(unit, None) => format!("TIMESTAMP({})", digits(unit)),
        T::Timestamp(unit, Some(_)) => format!("TIMESTAMP_LTZ({})", digits(unit)),
        T::Struct(fields) => {
            let fields =
                fields.iter().map(|field| format!("{} {}", field.name(), sql_type(field.data_type())));
            format!("ROW<{}>", fields.collect::<Vec<_>>().join(", "))
        }
        T::List(item) => format!("ARRAY<{}>", sql_type(item.data_type())),
        T::Map(entries, _) => match entries.data_type() {
            T::Struct(pair) if pair.len() == 2 => {
                format!("MAP<{}, {}>", sql_type(pair[0].data_type()), sql_type(pair[1].data_type()))
            }
            other => format!("MAP of {other}"),
        },
        other => other.to_string(),
    }
}
