//! Keys of `SET`.

use crate::error::SqlError;
use crate::script::Spanned;
use std::collections::BTreeMap;

/// The settings of a file by key. Durations are whole milliseconds, sizes whole bytes.
pub(crate) type Settings = BTreeMap<String, String>;

/// Takes `SET 'key' = 'value'`.
///
/// # Errors
/// For keys that are not known, and values they can't have.
pub(crate) fn set(
    settings: &mut Settings,
    key: &Spanned<String>,
    value: &Spanned<String>,
) -> Result<(), SqlError> {
    settings.insert(key.value.clone(), value.value.clone());
    Ok(())
}
