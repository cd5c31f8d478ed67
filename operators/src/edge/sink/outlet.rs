//! A sink whose records go through a topic of the job to where no topic is.

use super::{AppendSink, SinkWriter};
use crate::OperatorError;
use crate::batch::StreamKind;
use crate::formats::Lookup;
use crate::operator::{BuildCx, Operator};
use crate::outlet::Outlet;
use std::sync::Arc;

/// Writes a stream, a record a row, into a topic of the job, of which an [`Outlet`] takes it.
///
/// What the topic is called follows from the job; until that is known it has the name of the table.
#[derive(Debug, Clone)]
pub struct OutletSink {
    /// What takes the records.
    pub outlet: Arc<dyn Outlet>,
    /// What writes them.
    pub append: AppendSink,
}

impl SinkWriter for OutletSink {
    fn describe(&self) -> String {
        let AppendSink { key, value, .. } = &self.append;
        let key = key.as_ref().map_or_else(String::new, |key| format!("key {}, ", key.describe()));
        format!("append to {}: {key}value {}", self.outlet.describe(), value.describe())
    }

    fn accepts(&self, kind: StreamKind) -> Result<(), String> {
        match kind {
            StreamKind::Append => Ok(()),
            StreamKind::Changelog if self.append.value.writes_changes() => Ok(()),
            StreamKind::Changelog | StreamKind::Upsert => Err(format!(
                "table {} takes insertions only, but the query updates and deletes rows it has already sent; group by a \
                 window, write to a table with 'connector' = 'upsert-kafka' and a PRIMARY KEY, or choose 'format' = \
                 'debezium-json', whose records say what happened to rows",
                self.append.table
            )),
        }
    }

    fn before_writing(&self) -> Vec<Lookup> {
        self.append.before_writing()
    }

    fn outlet(&self) -> Option<&Arc<dyn Outlet>> {
        Some(&self.outlet)
    }

    fn through(&self, topic: &str) -> Option<Arc<dyn SinkWriter>> {
        let append = AppendSink { topic: topic.to_owned(), ..self.append.clone() };
        Some(Arc::new(OutletSink { outlet: Arc::clone(&self.outlet), append }))
    }

    fn build(&self, partitions: u32, cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        self.append.build(partitions, cx)
    }
}
