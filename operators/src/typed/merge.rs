//! Two streams of the same rows as one.

use crate::OperatorError;
use crate::batch::{Batch, StreamKind};
use crate::meaning::{Meaning, RowsMeaning};
use crate::operator::{BuildCx, Cx, Description, Operator, OperatorSpec, Port};

/// Passes what comes in at either port, as it is.
#[derive(Debug, Clone, Copy)]
pub(super) struct Merge {
    /// Whether the streams are keyed: then rows of a key have to be in one task.
    pub(super) is_keyed: bool,
}

impl OperatorSpec for Merge {
    fn describe(&self) -> Description {
        Description::new("Merge", "both streams")
    }

    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        Meaning::described(self.describe(), inputs)
    }

    fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String> {
        match inputs {
            [StreamKind::Append, StreamKind::Append] => Ok(StreamKind::Append),
            inputs => Err(format!("streams of rows that are only inserted can be merged, not {inputs:?}")),
        }
    }

    fn brings_together(&self) -> bool {
        self.is_keyed
    }

    fn build(&self, _cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(*self))
    }
}

impl Operator for Merge {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        cx.emit(batch);
        Ok(())
    }
}
