//! What operators mean, in words that stay the same while the meaning does.
//!
//! State is found again by what it means: by the operator that keeps it and by everything that the rows come through
//! before they reach it. [`meanings`] writes that down for every node of a cut topology, as [`Fact`]s.
//!
//! ```text
//!   SELECT g, SUM(n) FROM (SELECT a AS g, n FROM t WHERE n > 5) GROUP BY g        becomes, for the aggregation
//!
//!   computes  SUM({t/n|INT})
//!   by        {t/a|STRING}
//!   where     {t/n|INT} > 5:BOOLEAN
//!   reads     topic t: append; value json
//! ```
//! Columns are named by what they are made of, not by what the query calls them, and an operator names only those that it
//! uses: a renamed view, other columns that other statements read and the order of statements change nothing. Facts about
//! event time count only for operators whose state goes by it.
//!
//! The rule: two operators with equal facts and equal stores keep the same state from the same input. An operator that
//! can't say what it means, as a closure can't, is taken by its description, all columns of its inputs, and the topics that
//! its rows go to.

use crate::cut::{CutNode, CutTopology, InputFrom, SubTopology, Work};
use crate::operator::{Description, OperatorSpec};
use arrow::datatypes::{Field, Schema, SchemaRef};
use serde::{Deserialize, Serialize};
use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::sync::Arc;
use xxhash_rust::xxh3::xxh3_128;

/// Facts that one operator may have; what goes beyond is one fact, a hash.
const FACTS_MAX: usize = 200;
/// The longest text that a column is written as; what is longer is cut, and has its hash at the end.
const COLUMN_BYTES_MAX: usize = 2_000;

/// What an exchange says of the rows that it sends: their columns, in order. It is no part of what the exchange means, but
/// of how rows are read that are still on their way.
pub const SENT: &str = "sent columns";

/// One thing that is so of an operator, or of what its rows come through.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Fact {
    /// What is said: `computes`, `by`, `left reads`.
    pub what: String,
    /// How it is.
    pub is: String,
}

impl Fact {
    /// A fact.
    pub fn new(what: impl Into<String>, is: impl Into<String>) -> Self {
        Fact { what: what.into(), is: is.into() }
    }

    /// How it is, as people write it: columns by their names alone.
    pub fn for_people(&self) -> String {
        let mut text = String::new();
        let mut rest = self.is.as_str();
        while let Some((before, behind)) = rest.split_once('{') {
            text.push_str(before);
            let Some((column, behind)) = behind.split_once('}') else {
                text.push('{');
                rest = behind;
                continue;
            };
            let name = column.rsplit_once('|').map_or(column, |(name, _)| name);
            text.push_str(name.split_once('/').map_or(name, |(_, name)| name));
            rest = behind;
        }
        text + rest
    }
}

/// What the columns of rows are made of.
#[derive(Debug, Clone)]
pub enum Columns {
    /// By column.
    Known(Vec<String>),
    /// Of an operator that does not say: its columns are told apart by their places.
    Of(String),
}

impl Default for Columns {
    fn default() -> Self {
        Columns::Known(Vec::new())
    }
}

/// What rows are.
#[derive(Debug, Clone, Default)]
pub struct RowsMeaning {
    /// What their columns are made of.
    pub columns: Columns,
    /// What their batches are keyed by.
    pub key: Vec<String>,
    facts: Vec<KnownFact>,
}

/// A fact, and whether it counts only for those who go by event time.
#[derive(Debug, Clone)]
struct KnownFact {
    fact: Fact,
    of_time: bool,
}

impl RowsMeaning {
    /// What a column is made of.
    pub fn column(&self, index: usize) -> String {
        match &self.columns {
            Columns::Known(columns) => columns.get(index).cloned().unwrap_or_else(|| format!("#{index}")),
            Columns::Of(what) => format!("{what}#{index}"),
        }
    }

    /// What some columns are made of.
    pub fn columns_at(&self, indices: impl IntoIterator<Item = usize>) -> String {
        indices.into_iter().map(|index| self.column(index)).collect::<Vec<_>>().join(", ")
    }

    /// What all columns are made of.
    pub fn all_columns(&self) -> String {
        match &self.columns {
            Columns::Known(columns) => columns.join(", "),
            Columns::Of(what) => what.clone(),
        }
    }

    /// What a side of a join is, in the columns of its output.
    pub fn columns_of_side(&self, side: &str, count: usize) -> Vec<String> {
        (0..count).map(|index| format!("{side} {}", self.column(index))).collect()
    }
}

/// Columns of the same types without names.
pub fn nameless(schema: &SchemaRef) -> SchemaRef {
    let fields = schema.fields().iter().map(|field| field.as_ref().clone().with_name(""));
    Arc::new(Schema::new(fields.collect::<Vec<Field>>()))
}

/// The layouts of an operator whose columns have no names: see [`OperatorSpec::layouts`].
pub fn layouts_of(operator: &dyn OperatorSpec) -> Vec<String> {
    operator.stores().into_iter().map(|store| format!("{}: {}", store.name, store.schema)).collect()
}

/// What an operator says of itself.
#[derive(Debug, Clone, Default)]
pub struct Meaning {
    /// What is so of it, beside what is so of its inputs.
    pub facts: Vec<Fact>,
    /// Its columns.
    pub columns: Columns,
    /// What its batches are keyed by.
    pub key: Vec<String>,
    /// Whether its state or output goes by event time.
    pub goes_by_time: bool,
    /// Whether the facts say all there is, so that where its rows go tells nothing more.
    pub is_complete: bool,
}

impl Meaning {
    /// What is known of an operator that can't say: its description, and all columns that it may read.
    pub fn described(description: Description, inputs: &[&RowsMeaning]) -> Self {
        let Description { name, detail } = description;
        let mut facts = vec![Fact::new("does", format!("{name}: {detail}"))];
        for (port, input) in inputs.iter().enumerate() {
            let of = if inputs.len() > 1 { format!(" of input {port}") } else { String::new() };
            facts.push(Fact::new(format!("columns{of}"), input.all_columns()));
            if !input.key.is_empty() {
                facts.push(Fact::new(format!("key{of}"), input.key.join(", ")));
            }
        }
        let (columns, key) = (Columns::Of(name), Vec::new());
        Meaning { facts, columns, key, goes_by_time: true, is_complete: false }
    }

    /// An operator with these facts.
    pub fn of(facts: Vec<Fact>, columns: Columns) -> Self {
        Meaning { facts, columns, key: Vec::new(), goes_by_time: false, is_complete: true }
    }

    /// The same with a key.
    #[must_use]
    pub fn keyed(self, key: Vec<String>) -> Self {
        Meaning { key, ..self }
    }

    /// The same, going by event time.
    #[must_use]
    pub fn by_time(self) -> Self {
        Meaning { goes_by_time: true, ..self }
    }
}

/// What a source says of itself.
#[derive(Debug, Clone)]
pub struct SourceMeaning {
    /// How records become rows.
    pub reads: String,
    /// What the columns are.
    pub columns: Columns,
    /// What the event time is.
    pub time: String,
}

impl SourceMeaning {
    /// What is known of a decoder that does not say what columns are made of: its description.
    pub fn described(description: String, topics: &str) -> Self {
        let columns = Columns::Of(format!("{{{topics}}}"));
        SourceMeaning { columns, time: description.clone(), reads: description }
    }
}

/// What every node of a topology means: by part and by node of it.
pub fn meanings(cut: &CutTopology) -> Vec<Vec<Vec<Fact>>> {
    let mut sent: BTreeMap<usize, RowsMeaning> = BTreeMap::new();
    let mut by_part = vec![Vec::new(); cut.parts.len()];
    let goals = goals(cut);
    // Upstream parts come first as they were cut; as they are numbered later they may not.
    let mut open: Vec<usize> = (0..cut.parts.len()).collect();
    while !open.is_empty() {
        let is_ready = |part: &SubTopology| {
            part.inputs.iter().all(|input| match input.from {
                InputFrom::Repartition(index) => sent.contains_key(&index),
                InputFrom::Table { .. } => true,
            })
        };
        let ready = open.iter().position(|part| is_ready(&cut.parts[*part])).unwrap_or(0);
        let part = open.remove(ready);
        by_part[part] = meanings_of_part(&cut.parts[part], &goals[part], &mut sent);
    }
    by_part
}

/// The tables that rows of a node come to in the end.
type Goals = BTreeSet<String>;

/// By part and node.
fn goals(cut: &CutTopology) -> Vec<Vec<Goals>> {
    let mut goals: Vec<Vec<Goals>> =
        cut.parts.iter().map(|part| vec![Goals::new(); part.nodes.len()]).collect();
    // By repartition topic: those of the nodes that read it.
    let mut sent: BTreeMap<usize, Goals> = BTreeMap::new();
    loop {
        let before = sent.clone();
        for (part, of_part) in cut.parts.iter().zip(&mut goals) {
            for (index, node) in part.nodes.iter().enumerate().rev() {
                match &node.work {
                    Work::Sink(sink) => drop(of_part[index].insert(sink.table.clone())),
                    Work::Send { repartition, .. } => {
                        of_part[index].extend(sent.get(repartition).into_iter().flatten().cloned());
                    }
                    Work::Source(_) | Work::Receive(_) | Work::Operator(_) => {}
                }
                let of_node = of_part[index].clone();
                node.inputs.iter().for_each(|input| of_part[*input].extend(of_node.iter().cloned()));
            }
            for input in &part.inputs {
                if let InputFrom::Repartition(index) = input.from {
                    sent.entry(index).or_default().extend(of_part[input.node].iter().cloned());
                }
            }
        }
        if sent == before {
            return goals;
        }
    }
}

fn meanings_of_part(
    part: &SubTopology,
    goals: &[Goals],
    sent: &mut BTreeMap<usize, RowsMeaning>,
) -> Vec<Vec<Fact>> {
    let mut rows: Vec<RowsMeaning> = Vec::with_capacity(part.nodes.len());
    let mut facts = Vec::with_capacity(part.nodes.len());
    for (index, node) in part.nodes.iter().enumerate() {
        let received = part.inputs.iter().find_map(|input| match input.from {
            InputFrom::Repartition(repartition) if input.node == index => sent.get(&repartition).cloned(),
            _ => None,
        });
        let inputs: Vec<&RowsMeaning> = node.inputs.iter().map(|input| &rows[*input]).collect();
        let (meaning, of_node) = meaning_of_node(node, &goals[index], received, &inputs);
        if let Work::Send { repartition, .. } = &node.work {
            sent.insert(*repartition, meaning.clone());
        }
        facts.push(of_node);
        rows.push(meaning);
    }
    facts
}

/// What the rows of a node are, and the facts of the node itself.
fn meaning_of_node(
    node: &CutNode,
    goals: &Goals,
    received: Option<RowsMeaning>,
    inputs: &[&RowsMeaning],
) -> (RowsMeaning, Vec<Fact>) {
    match (&node.work, inputs) {
        (Work::Receive(_), _) => (received.unwrap_or_default(), Vec::new()),
        (Work::Source(source), _) => {
            let topics = source.reads();
            let SourceMeaning { reads, columns, time } = source.decoder.meaning(&topics);
            let kind = source.kind;
            let mut facts = vec![KnownFact {
                fact: Fact::new("reads", format!("topic {topics}: {kind}; {reads}")),
                of_time: false,
            }];
            let delay = source.event_time.map_or("no watermark".to_owned(), |time| time.to_string());
            let fact = Fact::new("event time", format!("{time}, {delay}"));
            facts.push(KnownFact { fact, of_time: true });
            (RowsMeaning { columns, key: Vec::new(), facts }, Vec::new())
        }
        // It changes where rows are, and nothing about them.
        (Work::Send { exchange, .. }, [input]) => {
            let by = vec![Fact::new(SENT, input.all_columns()), Fact::new("sends by", input.key.join(", "))];
            let rows = (*input).clone();
            (if exchange.by_clock { by_clock(rows) } else { rows }, facts_of(by, inputs, false))
        }
        (Work::Operator(operator), _) => {
            let mut meaning = operator.meaning(inputs);
            if !meaning.is_complete {
                let goals: Vec<&str> = goals.iter().map(String::as_str).collect();
                meaning.facts.push(Fact::new("goes to", goals.join(", ")));
            }
            let goes_by_time = meaning.goes_by_time;
            let own = facts_of(meaning.facts.clone(), inputs, goes_by_time);
            let of_rows = known_facts(meaning.facts, inputs, goes_by_time);
            let (columns, key) = (shortened(meaning.columns), meaning.key);
            (RowsMeaning { columns, key, facts: of_rows }, own)
        }
        (Work::Sink(_) | Work::Send { .. }, _) => (RowsMeaning::default(), Vec::new()),
    }
}

/// Rows whose event time is when they arrive, whatever it was.
fn by_clock(mut rows: RowsMeaning) -> RowsMeaning {
    rows.facts.retain(|known| !known.of_time);
    let fact = Fact::new("event time", "the clock where the rows arrive");
    rows.facts.push(KnownFact { fact, of_time: true });
    rows
}

/// What is so of an operator with these facts of its own: first these, then what is so of its inputs.
fn facts_of(own: Vec<Fact>, inputs: &[&RowsMeaning], goes_by_time: bool) -> Vec<Fact> {
    let known = known_facts(own, inputs, goes_by_time);
    known.into_iter().filter(|known| !known.of_time).map(|known| known.fact).collect()
}

fn known_facts(own: Vec<Fact>, inputs: &[&RowsMeaning], goes_by_time: bool) -> Vec<KnownFact> {
    let mut facts: Vec<KnownFact> = own.into_iter().map(|fact| KnownFact { fact, of_time: false }).collect();
    for (port, input) in inputs.iter().enumerate() {
        let of = match (inputs.len(), port) {
            (..=1, _) => String::new(),
            (2, 0) => "left ".to_owned(),
            (2, 1) => "right ".to_owned(),
            _ => format!("input {port} "),
        };
        facts.extend(input.facts.iter().map(|known| KnownFact {
            fact: Fact::new(format!("{of}{}", known.fact.what), known.fact.is.clone()),
            of_time: known.of_time && !goes_by_time,
        }));
    }
    if facts.len() > FACTS_MAX {
        let mut text = String::new();
        for known in facts.drain(FACTS_MAX..) {
            // Writing to a text never fails.
            let _ = writeln!(text, "{}: {} {}", known.fact.what, known.fact.is, known.of_time);
        }
        let fact = Fact::new("and more", format!("{:032x}", xxh3_128(text.as_bytes())));
        facts.push(KnownFact { fact, of_time: false });
    }
    facts
}

/// Columns with their texts cut where they are long: an expression over an expression may double at every step.
fn shortened(columns: Columns) -> Columns {
    let Columns::Known(columns) = columns else { return columns };
    Columns::Known(columns.into_iter().map(shortened_text).collect())
}

fn shortened_text(text: String) -> String {
    if text.len() <= COLUMN_BYTES_MAX {
        return text;
    }
    let end = (0..=COLUMN_BYTES_MAX).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    format!("{}..{:032x}", &text[..end], xxh3_128(text.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_see_columns_by_their_names() {
        let shown = |is: &str| Fact::new("computes", is).for_people();
        assert_eq!(shown("SUM({a.b;c/n|ROW<x INT>}), COUNT(*)"), "SUM(n), COUNT(*)");
        assert_eq!(shown("{t/key k|STRING} = '{'"), "key k = '{'");
        assert_eq!(shown("left SUM({t/n|INT}) - right {u/m|INT}"), "left SUM(n) - right m");
    }

    #[test]
    fn a_text_that_doubles_at_every_step_stays_short() {
        let mut text = "{t/n|INT}".to_owned();
        for _ in 0..200 {
            text = shortened_text(format!("({text} * {text})"));
        }
        assert!(text.len() < COLUMN_BYTES_MAX + 50, "{}", text.len());
        assert_ne!(shortened_text("x".repeat(3_000)), shortened_text("x".repeat(3_001)));
    }
}
