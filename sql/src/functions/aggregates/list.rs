//! Aggregates of values in the order in which they came: `LISTAGG`, `ARRAY_AGG`, `SINGLE_VALUE`.

use super::super::elements::array_of;
use super::{Aggregate, count, no};
use arrow::array::{Array as _, AsArray};
use arrow::datatypes::DataType;
use datafusion::common::ScalarValue;
use millstream_operators::ValueWriter;
use millstream_operators::aggregate::{GroupValues, ValueOrder, ValuesFunction};
use millstream_operators::columns::ColumnBuilder;
use std::sync::Arc;

/// The family.
pub(super) const AGGREGATES: &[Aggregate] = &[
    Aggregate {
        names: &["LISTAGG"],
        signature: "LISTAGG([DISTINCT] string [, separator])",
        constants: &[1],
        engine: None,
        make: |args| {
            count(args, 1, 2)?;
            match args[0].data_type {
                DataType::Utf8 => {}
                _ => return Err(no("a STRING: CAST the value", &args[0])),
            }
            let separator = match args.get(1).map(|separator| separator.literal) {
                Some(Some(ScalarValue::Utf8(Some(separator)))) => separator.clone(),
                Some(Some(_)) => return Err(no("a text as separator", &args[1])),
                Some(None) | None => ",".to_owned(),
            };
            Ok(Arc::new(List { separator }))
        },
        examples: &[
            ("LISTAGG(s)", "(VALUES ('b'), ('a'), (CAST(NULL AS STRING)), ('b')) AS t(s)", "b,a,b"),
            ("LISTAGG(DISTINCT s, ' - ')", "(VALUES ('b'), ('a'), ('b')) AS t(s)", "b - a"),
        ],
    },
    Aggregate {
        names: &["ARRAY_AGG"],
        signature: "ARRAY_AGG([DISTINCT] value [IGNORE NULLS | RESPECT NULLS])",
        constants: &[],
        engine: None,
        make: |args| {
            count(args, 1, 1)?;
            Ok(Arc::new(Array))
        },
        examples: &[
            ("ARRAY_AGG(i)", "(VALUES (3), (CAST(NULL AS INT)), (1), (3)) AS t(i)", "[3, null, 1, 3]"),
            ("ARRAY_AGG(DISTINCT i)", "(VALUES (3), (1), (3)) AS t(i)", "[3, 1]"),
            ("ARRAY_AGG(i IGNORE NULLS)", "(VALUES (3), (CAST(NULL AS INT)), (1)) AS t(i)", "[3, 1]"),
        ],
    },
    Aggregate {
        names: &["SINGLE_VALUE"],
        signature: "SINGLE_VALUE(value)",
        constants: &[],
        engine: None,
        make: |args| {
            count(args, 1, 1)?;
            Ok(Arc::new(Single))
        },
        examples: &[("SINGLE_VALUE(i)", "(VALUES (3)) AS t(i)", "3")],
    },
];

#[derive(Debug)]
struct List {
    separator: String,
}

impl ValuesFunction for List {
    fn name(&self) -> &str {
        "LISTAGG"
    }

    fn parameter(&self) -> Option<String> {
        Some(format!("'{}'", self.separator.replace('\'', "''")))
    }

    fn data_type(&self, _argument: &DataType) -> DataType {
        DataType::Utf8
    }

    fn order(&self) -> ValueOrder {
        ValueOrder::Arrival
    }

    fn result(&self, values: &GroupValues, out: &mut ColumnBuilder) -> Result<(), String> {
        let texts = values.column.as_string_opt::<i32>().ok_or("the values are no texts")?;
        if texts.is_empty() {
            out.append_null();
            return Ok(());
        }
        let texts: Vec<&str> = texts.iter().flatten().collect();
        out.append_bytes(texts.join(&self.separator).as_bytes());
        Ok(())
    }
}

#[derive(Debug)]
struct Array;

impl ValuesFunction for Array {
    fn name(&self) -> &str {
        "ARRAY_AGG"
    }

    fn data_type(&self, argument: &DataType) -> DataType {
        array_of(argument.clone())
    }

    fn order(&self) -> ValueOrder {
        ValueOrder::Arrival
    }

    fn takes_nulls(&self) -> bool {
        true
    }

    fn result(&self, values: &GroupValues, out: &mut ColumnBuilder) -> Result<(), String> {
        if values.counts.is_empty() {
            out.append_null();
            return Ok(());
        }
        let mut writer = ValueWriter::new(&values.column).map_err(|error| error.to_string())?;
        let items = out.list_items().ok_or("the result is no array")?;
        (0..values.counts.len()).for_each(|row| writer.append(row, items));
        out.seal_list();
        Ok(())
    }
}

#[derive(Debug)]
struct Single;

impl ValuesFunction for Single {
    fn name(&self) -> &str {
        "SINGLE_VALUE"
    }

    fn data_type(&self, argument: &DataType) -> DataType {
        argument.clone()
    }

    fn order(&self) -> ValueOrder {
        ValueOrder::Arrival
    }

    fn takes_nulls(&self) -> bool {
        true
    }

    fn result(&self, values: &GroupValues, out: &mut ColumnBuilder) -> Result<(), String> {
        match values.counts.len() {
            0 => out.append_null(),
            1 => ValueWriter::new(&values.column).map_err(|error| error.to_string())?.append(0, out),
            more => return Err(format!("there are {more} values where there may be one")),
        }
        Ok(())
    }
}
