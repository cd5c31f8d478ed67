//! Functions of texts.

use super::{Call, Failed, Function, Param, fixed};
use arrow::array::{ArrayRef, StringArray};
use arrow::datatypes::DataType;

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[Function {
    names: &["UPPER", "UCASE"],
    signature: "UPPER(string)",
    types: |args| fixed(args, 1, &[Param::Text], DataType::Utf8),
    eval: upper,
    fails: false,
    examples: &[("UPPER('straße')", "STRASSE")],
}];

fn upper(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let text = call.column::<StringArray>(0)?;
    call.texts(|row| Ok(text.get(row).map(str::to_uppercase)))
}
