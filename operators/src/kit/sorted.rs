//! Rows in the order of their keys, in a store of their operator: all that begin alike are walked through in that order,
//! and only what changed since the last commit is in memory.
//!
//! ```text
//!   stored    a1 --- a3 --- a7 --- b2 --->
//!   changed       a2     -a7              what was put and taken since
//!   walk a    a1  a2  a3
//! ```
//! A delta says what was put and taken last, whether the store knew of it or not: nothing is read to find out.

use super::state::Stored;
use crate::OperatorError;
use crate::operator::{DeltaScope, StateScope};
use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};

/// What one changed row costs beside its bytes.
const NODE_BYTES: usize = 64;

/// Rows by key. See the module's head.
pub(crate) struct Sorted<V> {
    operator: String,
    store: u16,
    /// `None`: the row goes.
    changed: BTreeMap<Box<[u8]>, Option<V>>,
    bytes: usize,
}

impl<V: Stored> Sorted<V> {
    /// Rows in an operator's `store`.
    pub(crate) fn new(operator: impl Into<String>, store: u16) -> Self {
        Sorted { operator: operator.into(), store, changed: BTreeMap::new(), bytes: 0 }
    }

    /// Puts a row, in the place of one with the same key, or takes one away.
    pub(crate) fn set(&mut self, key: &[u8], value: Option<V>) {
        if self.changed.insert(key.into(), value).is_none() {
            self.bytes += key.len() + NODE_BYTES + size_of::<V>();
        }
    }

    /// Shows the rows whose keys begin with `prefix`, in order, until `each` breaks.
    pub(crate) fn walk(
        &self,
        prefix: &[u8],
        state: &mut StateScope<'_>,
        mut each: impl FnMut(&[u8], &V) -> ControlFlow<()>,
    ) -> Result<(), OperatorError> {
        let upper = behind_all(prefix);
        let end = upper.as_deref().map_or(Bound::Unbounded, Bound::Excluded);
        let mut changed = self.changed.range::<[u8], _>((Bound::Included(prefix), end)).peekable();
        let (mut corrupt, mut is_over) = (None, false);
        state.scan(self.store, prefix, upper.as_deref(), |key, bytes| {
            let mut show = |key: &[u8], value: &V| {
                let flow = each(key, value);
                is_over = flow.is_break();
                flow
            };
            while let Some((key, value)) = changed.next_if(|(changed, _)| changed.as_ref() < key) {
                if let Some(value) = value {
                    show(key, value)?;
                }
            }
            if let Some((_, value)) = changed.next_if(|(changed, _)| changed.as_ref() == key) {
                return value.as_ref().map_or(ControlFlow::Continue(()), |value| show(key, value));
            }
            match V::read(bytes) {
                Ok(value) => show(key, &value),
                Err(detail) => {
                    corrupt = Some(detail);
                    ControlFlow::Break(())
                }
            }
        })?;
        if let Some(detail) = corrupt {
            return Err(OperatorError::CorruptState { operator: self.operator.clone(), detail });
        }
        let mut rest = changed.filter_map(|(key, value)| Some((key, value.as_ref()?)));
        while !is_over && let Some((key, value)) = rest.next() {
            is_over = each(key, value).is_break();
        }
        Ok(())
    }

    /// Writes what changed.
    pub(crate) fn delta(&mut self, out: &mut DeltaScope<'_>) -> Result<(), OperatorError> {
        let block = out.block(self.store);
        let mut scratch = Vec::new();
        for (key, value) in std::mem::take(&mut self.changed) {
            scratch.clear();
            let bytes = value.as_ref().map(|value| value.bytes(&mut scratch)).transpose()?;
            block.push(&key, bytes);
        }
        self.bytes = 0;
        Ok(())
    }

    /// Memory held, in bytes.
    pub(crate) fn memory_bytes(&self) -> usize {
        self.bytes
    }
}

/// The least bytes that are behind all that begin with `prefix`; `None`: there are none.
fn behind_all(prefix: &[u8]) -> Option<Vec<u8>> {
    let last = prefix.iter().rposition(|byte| *byte < u8::MAX)?;
    let mut upper = prefix[..=last].to_vec();
    upper[last] += 1;
    Some(upper)
}
