//! Functions of Flink that DataFusion does not have, or has with another meaning.

use arrow::array::{ArrayRef, AsArray, Int64Array, TimestampMillisecondArray};
use arrow::compute::{cast, kernels::zip::zip};
use arrow::datatypes::{DataType, TimeUnit};
use datafusion::common::{Result, ScalarValue, plan_err};
use datafusion::logical_expr::{
    ColumnarValue, ScalarFunctionArgs, ScalarUDF, ScalarUDFImpl, Signature, Volatility,
};
use std::sync::Arc;

/// The functions.
pub(crate) fn flink_functions() -> Vec<Arc<ScalarUDF>> {
    vec![Arc::new(ScalarUDF::from(ToTimestampLtz::new())), Arc::new(ScalarUDF::from(If::new()))]
}

fn utc_millis() -> DataType {
    DataType::Timestamp(TimeUnit::Millisecond, Some("+00:00".into()))
}

/// `TO_TIMESTAMP_LTZ(number, precision)`: seconds (precision 0) or milliseconds (precision 3) since 1970.
#[derive(Debug, PartialEq, Eq, Hash)]
struct ToTimestampLtz {
    signature: Signature,
}

impl ToTimestampLtz {
    fn new() -> Self {
        let signature = Signature::exact(vec![DataType::Int64, DataType::Int64], Volatility::Immutable);
        ToTimestampLtz { signature }
    }
}

impl ScalarUDFImpl for ToTimestampLtz {
    fn name(&self) -> &str {
        "to_timestamp_ltz"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn return_type(&self, _arg_types: &[DataType]) -> Result<DataType> {
        Ok(utc_millis())
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let factor = match args.args.get(1) {
            Some(ColumnarValue::Scalar(ScalarValue::Int64(Some(0)))) => 1000,
            Some(ColumnarValue::Scalar(ScalarValue::Int64(Some(3)))) => 1,
            _ => return plan_err!("TO_TIMESTAMP_LTZ takes the precision 0 (seconds) or 3 (milliseconds)"),
        };
        let arrays = ColumnarValue::values_to_arrays(&args.args[..1])?;
        let numbers: &Int64Array = arrays[0].as_primitive();
        let millis = numbers.iter().map(|number| number.and_then(|number| number.checked_mul(factor)));
        let millis: TimestampMillisecondArray = millis.collect();
        Ok(ColumnarValue::Array(Arc::new(millis.with_timezone("+00:00"))))
    }
}

/// `IF(condition, then, else)`.
#[derive(Debug, PartialEq, Eq, Hash)]
struct If {
    signature: Signature,
}

impl If {
    fn new() -> Self {
        If { signature: Signature::user_defined(Volatility::Immutable) }
    }
}

impl ScalarUDFImpl for If {
    fn name(&self) -> &str {
        "if"
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        let [_, then, otherwise] = arg_types else {
            return plan_err!("IF takes a condition and two values");
        };
        let Some(common) =
            datafusion::logical_expr::type_coercion::binary::type_union_coercion(then, otherwise)
        else {
            return plan_err!("IF can't choose between {then} and {otherwise}: CAST one of them");
        };
        Ok(vec![DataType::Boolean, common.clone(), common])
    }

    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        match arg_types {
            [_, then, _] => Ok(then.clone()),
            _ => plan_err!("IF takes a condition and two values"),
        }
    }

    fn invoke_with_args(&self, args: ScalarFunctionArgs) -> Result<ColumnarValue> {
        let data_type = args.return_field.data_type().clone();
        let arrays = ColumnarValue::values_to_arrays(&args.args)?;
        let mask = arrow::compute::prep_null_mask_filter(arrays[0].as_boolean());
        let then: ArrayRef = cast(&arrays[1], &data_type)?;
        let otherwise: ArrayRef = cast(&arrays[2], &data_type)?;
        Ok(ColumnarValue::Array(zip(&mask, &then, &otherwise)?))
    }
}
