//! `ROW_NUMBER`, `RANK` and `DENSE_RANK` as Flink types them: a BIGINT that is never null.

use arrow::array::{ArrayRef, Int64Array};
use arrow::datatypes::{DataType, Field, FieldRef};
use datafusion::common::{Result, ScalarValue};
use datafusion::logical_expr::function::{PartitionEvaluatorArgs, WindowUDFFieldArgs};
use datafusion::logical_expr::{
    PartitionEvaluator, Signature, Volatility, WindowFunctionDefinition, WindowUDF, WindowUDFImpl,
};
use millstream_operators::RankFunction;
use std::ops::Range;
use std::sync::Arc;

/// The functions.
const ALL: [RankFunction; 3] = [RankFunction::RowNumber, RankFunction::Rank, RankFunction::DenseRank];

/// A function by its name, in any case.
pub(crate) fn named(name: &str) -> Option<Arc<WindowUDF>> {
    let function = ALL.into_iter().find(|function| function.name().eq_ignore_ascii_case(name))?;
    Some(Arc::new(WindowUDF::from(Rank { function, signature: Signature::nullary(Volatility::Immutable) })))
}

/// Which of them a window function is.
pub(in crate::features) fn rank_function(definition: &WindowFunctionDefinition) -> Option<RankFunction> {
    match definition {
        WindowFunctionDefinition::WindowUDF(function) => {
            function.inner().downcast_ref::<Rank>().map(|rank| rank.function)
        }
        WindowFunctionDefinition::AggregateUDF(_) => None,
    }
}

#[derive(Debug, PartialEq, Eq, Hash)]
struct Rank {
    function: RankFunction,
    signature: Signature,
}

impl WindowUDFImpl for Rank {
    fn name(&self) -> &str {
        self.function.name()
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn partition_evaluator(&self, _args: PartitionEvaluatorArgs<'_>) -> Result<Box<dyn PartitionEvaluator>> {
        Ok(Box::new(Evaluator(self.function)))
    }

    fn field(&self, args: WindowUDFFieldArgs<'_>) -> Result<FieldRef> {
        Ok(Arc::new(Field::new(args.name(), DataType::Int64, false)))
    }
}

/// The batch answer: all rows of a partition are there.
#[derive(Debug)]
struct Evaluator(RankFunction);

impl PartitionEvaluator for Evaluator {
    fn include_rank(&self) -> bool {
        true
    }

    fn evaluate_all_with_rank(&self, _rows: usize, equal: &[Range<usize>]) -> Result<ArrayRef> {
        let ranks = equal.iter().enumerate().flat_map(|(dense, rows)| {
            let first = rows.start;
            rows.clone().map(move |row| match self.0 {
                RankFunction::RowNumber => row,
                RankFunction::Rank => first,
                RankFunction::DenseRank => dense,
            })
        });
        Ok(Arc::new(Int64Array::from_iter_values(ranks.map(|rank| rank as i64 + 1))))
    }

    fn evaluate(&mut self, _values: &[ArrayRef], _range: &Range<usize>) -> Result<ScalarValue> {
        datafusion::common::internal_err!("ranks are evaluated by whole partitions")
    }
}
