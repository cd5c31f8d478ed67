//! A sink that counts rows and drops them.

use super::SinkWriter;
use crate::OperatorError;
use crate::batch::{Batch, StreamKind};
use crate::operator::{BuildCx, Cx, Operator, Port};

/// Takes anything and writes nothing: `'connector' = 'blackhole'`.
#[derive(Debug, Clone, Copy)]
pub struct Blackhole;

impl SinkWriter for Blackhole {
    fn describe(&self) -> String {
        "blackhole".to_owned()
    }

    fn accepts(&self, _kind: StreamKind) -> Result<(), String> {
        Ok(())
    }

    fn build(&self, _partitions: u32, _cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        Ok(Box::new(Blackhole))
    }
}

impl Operator for Blackhole {
    fn process(&mut self, _port: Port, _batch: Batch, _cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        Ok(())
    }
}
