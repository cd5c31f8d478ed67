//! A sink that shows rows on the console.

use super::{RowEncoderSpec, SinkWriter};
use crate::OperatorError;
use crate::batch::{Batch, StreamKind};
use crate::operator::{BuildCx, Cx, Operator, Port};
use crate::outbox::PrintedLine;
use crate::sink::RowEncoder;
use millstream_formats::PrintEncoder;
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

/// The columns of a row as Flink prints them.
#[derive(Debug, Clone, Copy, Default)]
pub struct PrintText;

impl RowEncoderSpec for PrintText {
    fn describe(&self) -> String {
        "text".to_owned()
    }

    fn build(&self) -> Result<Box<dyn RowEncoder>, OperatorError> {
        Ok(Box::new(PrintEncoder::default()))
    }
}

impl RowEncoder for PrintEncoder {
    fn begin(&mut self, batch: &Batch) -> Result<(), OperatorError> {
        let encode = |detail| OperatorError::Encode { topic: "print".to_owned(), detail };
        PrintEncoder::begin(self, batch.columns()?.columns().iter()).map_err(encode)
    }

    fn encode(&mut self, row: usize, out: &mut Vec<u8>) -> Result<(), OperatorError> {
        PrintEncoder::encode(self, row, out);
        Ok(())
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
