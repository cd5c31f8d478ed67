//! `EXPLAIN`: the operators of a job by sub-topology, with what their rows mean, their state and their topics.

use millstream_operators::{CutError, CutNode, InputFrom, PartitionCounts, StreamKind, Topology, Work, cut};
use std::fmt::Write;

/// What is shown beside what is always shown.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Shows {
    /// Which kinds of changes come out of each operator, in Flink's words.
    pub(crate) changelog_mode: bool,
}

impl Shows {
    /// All that either shows.
    pub(crate) fn and(self, other: Self) -> Self {
        Shows { changelog_mode: self.changelog_mode || other.changelog_mode }
    }
}

/// Describes a topology, cut for topics of these partition counts.
///
/// # Errors
/// [`CutError`] when it can't be cut.
pub fn explain(topology: &Topology, partitions: PartitionCounts<'_>) -> Result<String, CutError> {
    explained(topology, partitions, Shows::default())
}

/// Describes a topology with what else is to be shown.
pub(crate) fn explained(
    topology: &Topology,
    partitions: PartitionCounts<'_>,
    shows: Shows,
) -> Result<String, CutError> {
    let cut = cut(topology, partitions)?;
    let mut text = String::new();
    for part in &cut.parts {
        let inputs = part.inputs.iter().map(|input| match &input.from {
            InputFrom::Table { topic, .. } => format!("topic {topic}"),
            InputFrom::Repartition(index) => {
                format!("repartition topic {}", slug(&cut.repartitions[*index].name))
            }
        });
        let inputs: Vec<String> = inputs.collect();
        let _ = writeln!(text, "Sub-topology {}: a task per partition of {}", part.index, inputs.join(", "));
        let width = part.nodes.iter().map(|node| node.name.chars().count()).max().unwrap_or(0);
        for (index, node) in part.nodes.iter().enumerate() {
            write_node(&mut text, index, node, width, shows);
        }
        text.push('\n');
    }
    Ok(text)
}

fn write_node(text: &mut String, index: usize, node: &CutNode, width: usize, shows: Shows) {
    let from: Vec<String> = node.inputs.iter().map(usize::to_string).collect();
    let from = if from.is_empty() { String::new() } else { format!(" <- {}", from.join(", ")) };
    let (what, detail) = match &node.work {
        Work::Source(source) => ("Source".to_owned(), source.describe()),
        Work::Receive(exchange) => ("Receive".to_owned(), exchange.describe()),
        Work::Send { exchange, .. } => {
            ("Send".to_owned(), format!("to a repartition topic, {}", exchange.describe()))
        }
        Work::Sink(sink) => ("Sink".to_owned(), sink.writer.describe()),
        Work::Operator(operator) => {
            let description = operator.describe();
            (description.name, description.detail)
        }
    };
    // A source says much: its columns, then the rest line by line.
    let is_source = matches!(node.work, Work::Source(_));
    let mut detail = detail.split(if is_source { "; " } else { "\n" });
    let first = detail.next().unwrap_or_default();
    let _ = writeln!(text, "  {index:>2}{from:<7} {:<width$}  [{}] {what}: {first}", node.name, node.kind);
    if shows.changelog_mode {
        let _ = writeln!(text, "  {:>2}{:<7} {:<width$}  changelogMode=[{}]", "", "", "", changes(node));
    }
    for line in detail {
        let _ = writeln!(text, "  {:>2}{:<7} {:<width$}  {line}", "", "", "");
    }
    if let Work::Operator(operator) = &node.work {
        for store in operator.stores() {
            let _ = writeln!(
                text,
                "  {:>2}{:<7} {:<width$}  state \"{}\": {}",
                "", "", "", store.name, store.schema
            );
        }
    }
}

/// The kinds of changes that a stream may have, as Flink calls them: insertions, what updates replace, what they put in
/// its place, deletions.
fn changes(node: &CutNode) -> &'static str {
    match node.kind {
        StreamKind::Append => "I",
        // Of a topic it is not known whether there was another row.
        StreamKind::Upsert if matches!(node.work, Work::Source(_)) => "UA,D",
        StreamKind::Upsert => "I,UA,D",
        StreamKind::Changelog => "I,UB,UA,D",
    }
}

/// The part of a topic's name that an exchange gives.
fn slug(name: &str) -> String {
    name.chars()
        .map(|char| if char.is_ascii_alphanumeric() || matches!(char, '-' | '_') { char } else { '-' })
        .collect()
}
