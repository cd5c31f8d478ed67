//! A number that each row gets, in the order in which rows come: what the next one is stands in a store.

use crate::OperatorError;
use crate::operator::StateScope;

/// The next number, as a store has it under `key`; 0 where it has none.
pub(crate) fn next(
    operator: &str,
    store: u16,
    key: &[u8],
    state: &mut StateScope<'_>,
) -> Result<u64, OperatorError> {
    match state.get(store, key)?.map(<[u8; 8]>::try_from) {
        None => Ok(0),
        Some(Ok(bytes)) => Ok(u64::from_le_bytes(bytes)),
        Some(Err(bytes)) => {
            let (operator, detail) = (operator.to_owned(), format!("{bytes:02x?} is no number"));
            Err(OperatorError::CorruptState { operator, detail })
        }
    }
}
