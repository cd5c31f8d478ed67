//! `PERCENTILE`: the value below which a part of the values lies, between its neighbours in proportion.

use super::super::elements::array_of;
use super::super::signature::is_number;
use super::{Aggregate, count, no};
use arrow::array::{Array, ArrayRef, AsArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, Float64Type, Int64Type};
use datafusion::common::ScalarValue;
use millstream_operators::aggregate::{GroupValues, ValueOrder, ValuesFunction};
use millstream_operators::columns::ColumnBuilder;
use std::sync::Arc;

/// The family.
pub(super) const AGGREGATES: &[Aggregate] = &[Aggregate {
    names: &["PERCENTILE"],
    signature: "PERCENTILE(number, percentage [, frequency])",
    constants: &[1],
    engine: None,
    make: |args| {
        count(args, 2, 3)?;
        if !is_number(args[0].data_type) {
            return Err(no("a number", &args[0]));
        }
        if let Some(frequency) = args.get(2)
            && !frequency.data_type.is_signed_integer()
        {
            return Err(no("a whole number as frequency", frequency));
        }
        let is_array = matches!(args[1].data_type, DataType::List(_));
        let points = args[1].literal.map(|points| points_of(points, is_array)).transpose()?;
        let points = points.unwrap_or_default();
        Ok(Arc::new(Percentile { points, is_array, is_weighted: args.len() == 3 }))
    },
    examples: &[
        ("PERCENTILE(i, 0.5)", "(VALUES (1), (7), (2), (CAST(NULL AS INT)), (4)) AS t(i)", "3.0"),
        ("PERCENTILE(i, ARRAY[0.0, 0.25])", "(VALUES (1), (7), (2)) AS t(i)", "[1.0, 1.5]"),
        ("PERCENTILE(i, 0.5, f)", "(VALUES (1, 1), (7, 3)) AS t(i, f)", "7.0"),
    ],
}];

/// The parts that are asked for.
fn points_of(literal: &ScalarValue, is_array: bool) -> Result<Vec<f64>, String> {
    let wrong = || "takes a number from 0 to 1 as percentage, or an array of them".to_owned();
    let array = literal.to_array().map_err(|_| wrong())?;
    let values: ArrayRef = match is_array {
        true => array.as_list_opt::<i32>().filter(|list| list.is_valid(0)).ok_or_else(wrong)?.value(0),
        false => array,
    };
    let values = cast(&values, &DataType::Float64).map_err(|_| wrong())?;
    let points: Option<Vec<f64>> = values.as_primitive::<Float64Type>().iter().collect();
    let points = points.ok_or_else(wrong)?;
    match points.iter().all(|point| (0.0..=1.0).contains(point)) {
        true => Ok(points),
        false => Err(wrong()),
    }
}

#[derive(Debug)]
struct Percentile {
    points: Vec<f64>,
    is_array: bool,
    /// Whether values are rows of a number and how often it counts.
    is_weighted: bool,
}

impl ValuesFunction for Percentile {
    fn name(&self) -> &str {
        "PERCENTILE"
    }

    fn parameter(&self) -> Option<String> {
        Some(format!("{:?}", self.points))
    }

    fn data_type(&self, _argument: &DataType) -> DataType {
        match self.is_array {
            true => array_of(DataType::Float64),
            false => DataType::Float64,
        }
    }

    fn order(&self) -> ValueOrder {
        ValueOrder::Value
    }

    fn result(&self, values: &GroupValues, out: &mut ColumnBuilder) -> Result<(), String> {
        let ranked = self.ranked(values)?;
        let total = ranked.last().map_or(0, |(_, end)| *end);
        match (self.is_array, total) {
            (_, 0) => out.append_null(),
            (false, _) => {
                out.append_f64(at(&ranked, total, self.points.first().copied().unwrap_or_default()));
            }
            (true, _) => {
                let items = out.list_items().ok_or("the result is no array")?;
                self.points.iter().for_each(|point| items.append_f64(at(&ranked, total, *point)));
                out.seal_list();
            }
        }
        Ok(())
    }
}

impl Percentile {
    /// The values in order, each with how many there are up to it.
    fn ranked(&self, values: &GroupValues) -> Result<Vec<(f64, i64)>, String> {
        let double = |column: &ArrayRef| cast(column, &DataType::Float64).map_err(|error| error.to_string());
        let (numbers, weights) = match values.column.as_struct_opt().filter(|_| self.is_weighted) {
            Some(rows) => {
                let weights = cast(rows.column(1), &DataType::Int64).map_err(|error| error.to_string())?;
                (double(rows.column(0))?, Some(weights))
            }
            None => (double(&values.column)?, None),
        };
        let numbers = numbers.as_primitive::<Float64Type>();
        let mut ranked = Vec::with_capacity(numbers.len());
        for (row, count) in values.counts.iter().enumerate().filter(|(row, _)| numbers.is_valid(*row)) {
            let weight = match &weights {
                None => 1,
                Some(weights) if weights.is_null(row) => 0,
                Some(weights) => weights.as_primitive::<Int64Type>().value(row),
            };
            if weight > 0 {
                ranked.push((numbers.value(row), count.saturating_mul(weight)));
            }
        }
        ranked.sort_by(|(left, _), (right, _)| left.total_cmp(right));
        let mut end = 0_i64;
        for (_, count) in &mut ranked {
            end = end.saturating_add(*count);
            *count = end;
        }
        Ok(ranked)
    }
}

/// The value at a part of all.
fn at(ranked: &[(f64, i64)], total: i64, point: f64) -> f64 {
    let position = (total - 1) as f64 * point + 1.0;
    let (lower, higher) = (position.floor(), position.ceil());
    let value = |rank: f64| {
        let place = ranked.partition_point(|(_, end)| *end < rank as i64);
        ranked.get(place).map_or(f64::NAN, |(value, _)| *value)
    };
    let (below, above) = (value(lower), value(higher));
    match lower == higher || below == above {
        true => below,
        false => (higher - position) * below + (position - lower) * above,
    }
}
