//! `JSON_ARRAYAGG` and `JSON_OBJECTAGG`. Whether nulls stay is their first argument: [`JSON_MARK`] and `NULL` or `ABSENT`.

use super::super::json::{check_json, push_json, push_object};
use super::super::{Arg, JSON_MARK};
use super::{Aggregate, count, no};
use arrow::array::{Array, AsArray};
use arrow::datatypes::DataType;
use millstream_operators::aggregate::{GroupValues, ValueOrder, ValuesFunction};
use millstream_operators::columns::ColumnBuilder;
use std::collections::BTreeSet;
use std::sync::Arc;

/// The family.
pub(super) const AGGREGATES: &[Aggregate] = &[
    Aggregate {
        names: &["JSON_ARRAYAGG"],
        signature: "JSON_ARRAYAGG(value [{NULL | ABSENT} ON NULL])",
        constants: &[0],
        engine: None,
        make: |args| {
            count(args, 2, 2)?;
            check_json(args[1].data_type)?;
            Ok(Arc::new(JsonArray(Form::of(&args[0])?)))
        },
        examples: &[
            ("JSON_ARRAYAGG(i)", "(VALUES (3), (CAST(NULL AS INT)), (1)) AS t(i)", "[3,1]"),
            ("JSON_ARRAYAGG(i NULL ON NULL)", "(VALUES (3), (CAST(NULL AS INT))) AS t(i)", "[3,null]"),
        ],
    },
    Aggregate {
        names: &["JSON_OBJECTAGG"],
        signature: "JSON_OBJECTAGG([KEY] key VALUE value [{NULL | ABSENT} ON NULL])",
        constants: &[0],
        engine: None,
        make: |args| {
            count(args, 3, 3)?;
            if *args[1].data_type != DataType::Utf8 {
                return Err(no("a STRING as key", &args[1]));
            }
            check_json(args[2].data_type)?;
            Ok(Arc::new(JsonObject(Form::of(&args[0])?)))
        },
        examples: &[
            (
                "JSON_OBJECTAGG(KEY k VALUE i)",
                "(VALUES ('a', 3), ('b', CAST(NULL AS INT))) AS t(k, i)",
                "{\"a\":3,\"b\":null}",
            ),
            (
                "JSON_OBJECTAGG(KEY k VALUE i ABSENT ON NULL)",
                "(VALUES ('a', 3), ('b', CAST(NULL AS INT))) AS t(k, i)",
                "{\"a\":3}",
            ),
        ],
    },
];

/// How values are written.
#[derive(Debug, Clone, Copy)]
struct Form {
    keeps_nulls: bool,
    /// Whether a value is JSON already.
    is_json: bool,
}

impl Form {
    fn of(arg: &Arg<'_>) -> Result<Form, String> {
        let Some(text) = arg.text() else { return Ok(Form { keeps_nulls: true, is_json: false }) };
        let written = text.strip_prefix(JSON_MARK).ok_or("takes a value, not a text and a value")?;
        let (nulls, kind) = written.split_once('|').unwrap_or((written, "v"));
        Ok(Form { keeps_nulls: nulls == "NULL", is_json: kind != "v" })
    }

    fn parameter(self) -> String {
        let json = if self.is_json { " FORMAT JSON" } else { "" };
        let nulls = if self.keeps_nulls { "NULL ON NULL" } else { "ABSENT ON NULL" };
        format!("{nulls}{json}")
    }

    fn push(self, array: &dyn Array, row: usize, out: &mut String) -> Result<(), String> {
        match array.as_string_opt::<i32>() {
            Some(texts) if self.is_json && texts.is_valid(row) => out.push_str(texts.value(row)),
            _ => push_json(array, row, out).map_err(|failed| failed.0)?,
        }
        Ok(())
    }
}

#[derive(Debug)]
struct JsonArray(Form);

impl ValuesFunction for JsonArray {
    fn name(&self) -> &str {
        "JSON_ARRAYAGG"
    }

    fn parameter(&self) -> Option<String> {
        Some(self.0.parameter())
    }

    fn data_type(&self, _argument: &DataType) -> DataType {
        DataType::Utf8
    }

    fn order(&self) -> ValueOrder {
        ValueOrder::Arrival
    }

    fn takes_nulls(&self) -> bool {
        self.0.keeps_nulls
    }

    fn result(&self, values: &GroupValues, out: &mut ColumnBuilder) -> Result<(), String> {
        let mut text = String::from("[");
        for row in 0..values.column.len() {
            text.push_str(if row == 0 { "" } else { "," });
            self.0.push(&values.column, row, &mut text)?;
        }
        text.push(']');
        out.append_bytes(text.as_bytes());
        Ok(())
    }
}

/// Of rows of a key and a value.
#[derive(Debug)]
struct JsonObject(Form);

impl ValuesFunction for JsonObject {
    fn name(&self) -> &str {
        "JSON_OBJECTAGG"
    }

    fn parameter(&self) -> Option<String> {
        Some(self.0.parameter())
    }

    fn data_type(&self, _argument: &DataType) -> DataType {
        DataType::Utf8
    }

    fn order(&self) -> ValueOrder {
        ValueOrder::Value
    }

    fn result(&self, values: &GroupValues, out: &mut ColumnBuilder) -> Result<(), String> {
        let rows = values.column.as_struct_opt().ok_or("the values are no rows")?;
        let keys = rows.column(0).as_string_opt::<i32>().ok_or("the keys are no texts")?;
        let column = rows.column(1);
        let mut seen = BTreeSet::new();
        let mut members = Vec::new();
        for (row, count) in values.counts.iter().enumerate() {
            if keys.is_null(row) {
                return Err("a key is NULL: leave such rows out with FILTER (WHERE ..)".to_owned());
            }
            let key = keys.value(row);
            if *count > 1 || !seen.insert(key) {
                return Err(format!("the key '{key}' is there more than once: keys have to be unique"));
            }
            if column.is_valid(row) || self.0.keeps_nulls {
                let mut value = String::new();
                self.0.push(column, row, &mut value)?;
                members.push((key, value));
            }
        }
        let mut text = String::new();
        push_object(members, &mut text);
        out.append_bytes(text.as_bytes());
        Ok(())
    }
}
