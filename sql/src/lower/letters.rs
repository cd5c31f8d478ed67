//! What happens to records and rows that can't be used: what tables say, and the file's settings where they do not.

use super::source::stream_kind;
use super::{Lowering, Refusal, SourceTable, Stream};
use crate::catalog::{POLICIES, TopicTable};
use millstream_operators::source::{DeadLetterSpec, Policy};
use millstream_operators::{Lineage, NodeId, NodeSpec, StreamKind};
use std::collections::BTreeSet;

/// The policies of a table.
pub(super) struct Policies {
    pub(super) bad: Policy,
    pub(super) late: Policy,
    pub(super) dead_letters: Option<DeadLetterSpec>,
}

impl Lowering<'_> {
    /// The policies of a table that is read.
    pub(super) fn policies(
        &self,
        name: &str,
        source: &SourceTable,
        topic: &TopicTable,
    ) -> Result<Policies, Refusal> {
        let set = |key: &str| {
            let value = self.settings.get(key)?;
            POLICIES.iter().find(|(known, _)| known == value).map(|(_, policy)| *policy)
        };
        let bad = topic.bad_records.or_else(|| set("millstream.bad-records")).unwrap_or(Policy::Fail);
        let late = topic.late_records.or_else(|| set("millstream.late-records")).unwrap_or(Policy::Skip);
        if topic.feed.is_some() && (bad == Policy::DeadLetter || late == Policy::DeadLetter) {
            return Err(Refusal::new(
                format!("rows of table {name} can't become dead letters: they are no records"),
                "set 'scan.bad-records' = 'skip' in the WITH of the table",
            ));
        }
        // Of a table whose rows are taken back a late row is no record: it may be the old half of an update.
        let is_late = late == Policy::DeadLetter
            && source.table.watermark.is_some()
            && stream_kind(topic) == StreamKind::Append;
        if bad != Policy::DeadLetter && !is_late {
            return Ok(Policies { bad, late, dead_letters: None });
        }
        let named = topic.dead_letter_topic.as_ref().map(|topic| &topic.value);
        let Some(letters) = named.or_else(|| self.settings.get("millstream.dead-letter-topic")) else {
            return Err(Refusal::new(
                format!("table {name} is to keep dead letters, but no topic is named for them"),
                "set 'scan.dead-letter-topic' in the WITH of the table, or SET 'millstream.dead-letter-topic'",
            ));
        };
        if topic.topics.iter().any(|topic| topic.value == *letters) {
            return Err(Refusal::new(
                format!("table {name} would read its own dead letters"),
                "name another topic for them than the one that is read",
            ));
        }
        let dead_letters = Some(DeadLetterSpec { topic: letters.clone(), late: is_late });
        Ok(Policies { bad, late, dead_letters })
    }

    /// What happens to a row behind these nodes that can't be computed and is no longer one record: what all tables that
    /// it may come from say alike, else it fails the job.
    pub(super) fn bad_policy(&self, nodes: &[NodeId]) -> Policy {
        let mut open: Vec<NodeId> = nodes.to_vec();
        let mut seen = BTreeSet::new();
        let mut policies = Vec::new();
        while let Some(at) = open.pop() {
            if !seen.insert(at) {
                continue;
            }
            let node = self.topology.node(at);
            if let NodeSpec::Source(source) = &node.spec {
                policies.push(source.bad_records);
            }
            open.extend(&node.inputs);
        }
        match policies.split_first() {
            Some((first, others)) if others.iter().all(|other| other == first) => *first,
            _ => Policy::Fail,
        }
    }

    /// Refuses late rows as dead letters where a row is no longer the record that it came in.
    pub(crate) fn check_late(&self, stream: &Stream) -> Result<(), Refusal> {
        if stream.late != Policy::DeadLetter {
            return Ok(());
        }
        let mut open = vec![stream.node];
        while let Some(at) = open.pop() {
            let node = self.topology.node(at);
            let NodeSpec::Operator(operator) = &node.spec else {
                open.extend(&node.inputs);
                continue;
            };
            match operator.lineage() {
                Lineage::Kept => open.extend(&node.inputs),
                Lineage::Fresh => {}
                Lineage::Lost => {
                    let what = operator.describe().name;
                    return Err(Refusal::new(
                        format!("behind \"{what}\" late rows can't become dead letters: no record is theirs"),
                        "set 'scan.late-records' = 'skip' or 'fail' for the table that is read",
                    ));
                }
            }
        }
        Ok(())
    }
}
