//! A sink that shows rows on the console.

use super::{RowEncoderSpec, SinkWriter};
use crate::OperatorError;
use crate::batch::{Batch, StreamKind};
use crate::operator::{BuildCx, Cx, Operator, Port};
use crate::outbox::PrintedLine;
use crate::sink::RowEncoder;
use std::sync::Arc;

/// Prints one line a row: `prefix:task> +I[a, b]`, `-D[..]`. Lines appear when their commit has succeeded.
#[derive(Debug, Clone)]
pub struct Print {
    /// `'print-identifier'`; empty for none.
    pub identifier: String,
    /// Whether to print to standard error.
    pub to_stderr: bool,
    /// Writes the text of a row.
    pub text: Arc<dyn RowEncoderSpec>,
}

impl SinkWriter for Print {
    fn describe(&self) -> String {
        format!("print {}", self.text.describe())
    }

    fn accepts(&self, _kind: StreamKind) -> Result<(), String> {
        Ok(())
    }

    fn build(&self, _partitions: u32, _cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        let (identifier, to_stderr) = (self.identifier.clone(), self.to_stderr);
        Ok(Box::new(Printing { identifier, to_stderr, text: self.text.build()? }))
    }
}

struct Printing {
    identifier: String,
    to_stderr: bool,
    text: Box<dyn RowEncoder>,
}

impl Operator for Printing {
    fn process(&mut self, _port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        self.text.begin(&batch)?;
        let mut bytes = Vec::new();
        for row in 0..batch.len() {
            bytes.clear();
            self.text.encode(row, &mut bytes)?;
            let kind = if batch.ops.get(row) == 1 { "+I" } else { "-D" };
            let prefix = match self.identifier.as_str() {
                "" => String::new(),
                identifier => format!("{identifier}:{}> ", cx.task.partition),
            };
            let text = format!("{prefix}{kind}[{}]", String::from_utf8_lossy(&bytes));
            cx.outbox.print(PrintedLine { to_stderr: self.to_stderr, text });
        }
        Ok(())
    }
}
