//! An aggregate of the table as DataFusion sees it: its planner names it, and a batch engine computes it of all values
//! at once.

use super::{Aggregate, table};
use crate::functions::Arg;
use arrow::array::{Array, ArrayRef, AsArray, StructArray, UInt32Array};
use arrow::compute::{concat, is_not_null, take};
use arrow::datatypes::{DataType, Field, FieldRef, Fields};
use datafusion::common::{DataFusionError, Result, ScalarValue, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};
use datafusion::physical_expr::expressions::Literal;
use millstream_operators::aggregate::{GroupValues, ValueOrder, ValuesFunction};
use millstream_operators::columns::ColumnBuilder;
use std::collections::HashMap;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

/// Every aggregate of the table, by its names in lower case.
pub(crate) fn callable() -> impl Iterator<Item = (String, Arc<AggregateUDF>)> {
    table().flat_map(|aggregate| {
        let udaf = Arc::new(AggregateUDF::from(Listed::new(aggregate)));
        aggregate.names.iter().map(move |name| (name.to_lowercase(), Arc::clone(&udaf)))
    })
}

/// An aggregate of the table.
#[derive(Debug)]
pub(crate) struct Listed {
    pub(crate) aggregate: &'static Aggregate,
    name: String,
    signature: Signature,
}

impl Listed {
    pub(super) fn new(aggregate: &'static Aggregate) -> Self {
        let name = aggregate.names.first().map(|name| name.to_lowercase()).unwrap_or_default();
        Listed { aggregate, name, signature: Signature::user_defined(Volatility::Immutable) }
    }

    /// The aggregate of these arguments.
    pub(crate) fn of(
        &self,
        types: &[DataType],
        literals: &[Option<ScalarValue>],
    ) -> Result<Arc<dyn ValuesFunction>> {
        let literals = literals.iter().map(Option::as_ref).chain(std::iter::repeat(None));
        let args: Vec<Arg<'_>> =
            types.iter().zip(literals).map(|(data_type, literal)| Arg { data_type, literal }).collect();
        let name = self.aggregate.names.first().copied().unwrap_or_default();
        (self.aggregate.make)(&args)
            .or_else(|wrong| plan_err!("{name} {wrong}; it is written as {}", self.aggregate.signature))
    }

    /// Whether the argument at this place is a value.
    pub(crate) fn is_value(&self, place: usize) -> bool {
        !self.aggregate.constants.contains(&place)
    }

    /// Type of what is aggregated: of the only value, or of rows of all.
    fn packed(&self, types: &[DataType]) -> DataType {
        let values: Vec<&DataType> =
            types.iter().enumerate().filter(|(place, _)| self.is_value(*place)).map(|(_, it)| it).collect();
        match values.as_slice() {
            [one] => (*one).clone(),
            several => DataType::Struct(row_fields(several)),
        }
    }
}

/// The fields of a row of values, as `ROW(..)` names them.
fn row_fields(types: &[&DataType]) -> Fields {
    let fields = types.iter().enumerate();
    fields.map(|(place, data_type)| Field::new(format!("EXPR${place}"), (*data_type).clone(), true)).collect()
}

impl PartialEq for Listed {
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.aggregate, other.aggregate)
    }
}

impl Eq for Listed {}

impl Hash for Listed {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl AggregateUDFImpl for Listed {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(arg_types.to_vec())
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        Ok(self.of(arg_types, &[])?.data_type(&self.packed(arg_types)))
    }

    fn supports_null_handling_clause(&self) -> bool {
        true
    }

    fn accumulator(&self, args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        let types: Vec<DataType> = args.expr_fields.iter().map(|field| field.data_type().clone()).collect();
        let literals: Vec<Option<ScalarValue>> = args
            .exprs
            .iter()
            .map(|expr| expr.downcast_ref::<Literal>().map(|literal| literal.value().clone()))
            .collect();
        Ok(Box::new(AllValues {
            function: self.of(&types, &literals)?,
            places: (0..types.len()).filter(|place| self.is_value(*place)).collect(),
            packed: self.packed(&types),
            returns: args.return_field.data_type().clone(),
            distinct: args.is_distinct,
            ignores_nulls: args.ignore_nulls,
            values: Vec::new(),
        }))
    }

    fn state_fields(&self, args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        let types: Vec<DataType> = args.input_fields.iter().map(|field| field.data_type().clone()).collect();
        let item = Field::new("item", self.packed(&types), true);
        Ok(vec![Arc::new(Field::new("values", DataType::List(Arc::new(item)), true))])
    }
}

/// All values of a group.
#[derive(Debug)]
struct AllValues {
    function: Arc<dyn ValuesFunction>,
    /// The places of arguments that are values.
    places: Vec<usize>,
    packed: DataType,
    returns: DataType,
    distinct: bool,
    ignores_nulls: bool,
    values: Vec<ArrayRef>,
}

impl AllValues {
    fn all(&self) -> Result<ArrayRef> {
        let arrays: Vec<&dyn Array> = self.values.iter().map(AsRef::as_ref).collect();
        Ok(match arrays.is_empty() {
            true => arrow::array::new_empty_array(&self.packed),
            false => concat(&arrays)?,
        })
    }

    /// The values as the function sees them.
    fn group(&self) -> Result<GroupValues> {
        let all = self.all()?;
        let valid = is_not_null(&all)?;
        let takes_nulls = self.function.takes_nulls() && !self.ignores_nulls;
        let rows = (0..all.len()).filter(|row| takes_nulls || valid.value(*row));
        let counted = self.function.order() == ValueOrder::Value;
        let mut places: HashMap<ScalarValue, usize> = HashMap::new();
        let mut kept: Vec<(ScalarValue, u32, i64)> = Vec::new();
        for row in rows {
            let value = ScalarValue::try_from_array(&all, row)?;
            match places.get(&value).filter(|_| counted || self.distinct) {
                Some(place) => kept[*place].2 += i64::from(!self.distinct),
                None => {
                    places.insert(value.clone(), kept.len());
                    kept.push((value, row as u32, 1));
                }
            }
        }
        if counted {
            kept.sort_by(|(left, _, _), (right, _, _)| {
                left.partial_cmp(right).unwrap_or(std::cmp::Ordering::Equal)
            });
        }
        let rows = UInt32Array::from_iter_values(kept.iter().map(|(_, row, _)| *row));
        let counts = kept.into_iter().map(|(_, _, count)| count).collect();
        Ok(GroupValues { column: take(&all, &rows, None)?, counts })
    }
}

impl Accumulator for AllValues {
    fn update_batch(&mut self, values: &[ArrayRef]) -> Result<()> {
        let values: Vec<ArrayRef> =
            self.places.iter().filter_map(|place| values.get(*place)).map(Arc::clone).collect();
        match (&self.packed, values.as_slice()) {
            (_, [one]) => self.values.push(Arc::clone(one)),
            (DataType::Struct(fields), _) => {
                self.values.push(Arc::new(StructArray::try_new(fields.clone(), values, None)?));
            }
            _ => return plan_err!("{} has no values", self.function.name()),
        }
        Ok(())
    }

    fn evaluate(&mut self) -> Result<ScalarValue> {
        let wrong = |data_type: DataType| DataFusionError::Plan(format!("no column is of {data_type}"));
        let mut out = ColumnBuilder::new(&self.returns).map_err(wrong)?;
        self.function.result(&self.group()?, &mut out).map_err(DataFusionError::Execution)?;
        ScalarValue::try_from_array(&out.finish(), 0)
    }

    fn size(&self) -> usize {
        size_of::<Self>() + self.values.iter().map(|array| array.get_array_memory_size()).sum::<usize>()
    }

    fn state(&mut self) -> Result<Vec<ScalarValue>> {
        let values = ScalarValue::new_list_from_iter(
            (0..self.all()?.len())
                .map(|row| ScalarValue::try_from_array(&self.all()?, row))
                .collect::<Result<Vec<_>>>()?
                .into_iter(),
            &self.packed,
            true,
        );
        Ok(vec![ScalarValue::List(values)])
    }

    fn merge_batch(&mut self, states: &[ArrayRef]) -> Result<()> {
        let lists = states.first().and_then(|states| states.as_list_opt::<i32>());
        let Some(lists) = lists else { return plan_err!("a state of another shape") };
        self.values.extend(lists.iter().flatten());
        Ok(())
    }
}
