//! What a job remembers of its plan: which operators keep which stores, and what they mean.
//!
//! A [`PlanRecord`] is part of the job's control record, and so of its savepoints. It is what the next plan is held
//! against: see [`super::matching`].

use millstream_operators::exchange::ExchangeSpec;
use millstream_operators::meaning::{Fact, SENT, meanings};
use millstream_operators::{CutNode, CutTopology, InputFrom, SubTopology, Work};
use serde::{Deserialize, Serialize};
use std::collections::BTreeSet;

/// Version of the words that facts are written in: those of another version are not compared.
pub(super) const VERSION: u32 = 2;

/// A plan as the job remembers it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanRecord {
    /// Version of the words.
    pub version: u32,
    /// What the operators were named after: tables that are read and written.
    pub statements: BTreeSet<String>,
    /// The sub-topologies, by their index.
    pub parts: Vec<PartRecord>,
}

/// A sub-topology.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PartRecord {
    /// Topics of tables that it reads.
    pub topics: BTreeSet<String>,
    /// Repartition topics that it reads, by their last names.
    pub receives: BTreeSet<String>,
    /// The id that the next new store gets: ids are never given twice.
    pub next_store: u16,
    /// Its operators that keep state.
    pub operators: Vec<OperatorRecord>,
}

/// An operator that keeps state.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OperatorRecord {
    /// Its name, for people.
    pub name: String,
    /// What it means.
    pub facts: Vec<Fact>,
    /// The id of its first store.
    pub first_store: u16,
    /// What is in its stores.
    pub stores: Vec<String>,
    /// The repartition topic that it writes, by its last name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sends_to: Option<String>,
    /// How rows are written there: their columns and types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub blocks: Option<String>,
}

impl PartRecord {
    /// What it receives, for people.
    pub(super) fn receives_text(&self) -> String {
        self.receives.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

impl OperatorRecord {
    /// The statement that it is named after.
    pub(super) fn statement(&self) -> &str {
        statement_of(&self.name)
    }
}

/// The statement that an operator is named after.
pub(super) fn statement_of(name: &str) -> &str {
    name.split_once(" / ").map_or(name, |(statement, _)| statement)
}

impl PlanRecord {
    /// The record of a plan. `names` are the last names of its repartition topics.
    pub(super) fn new(cut: &CutTopology, names: &[String], next_stores: &[u16]) -> Self {
        let mut facts = meanings(cut).into_iter();
        let parts = cut.parts.iter().zip(next_stores).map(|(part, next_store)| {
            part_record(part, names, *next_store, facts.next().unwrap_or_default())
        });
        let nodes = cut.parts.iter().flat_map(|part| &part.nodes);
        let statements = nodes.map(|node| statement_of(&node.name).to_owned()).collect();
        PlanRecord { version: VERSION, parts: parts.collect(), statements }
    }
}

fn part_record(part: &SubTopology, names: &[String], next_store: u16, facts: Vec<Vec<Fact>>) -> PartRecord {
    let topics = part.inputs.iter().filter_map(|input| match &input.from {
        InputFrom::Table { topic, .. } => Some(topic.clone()),
        InputFrom::Repartition(_) => None,
    });
    let receives = part.inputs.iter().filter_map(|input| match &input.from {
        InputFrom::Repartition(index) => names.get(*index).cloned(),
        InputFrom::Table { .. } => None,
    });
    let operators =
        part.nodes.iter().zip(facts).filter_map(|(node, facts)| operator_record(node, names, facts));
    PartRecord {
        topics: topics.collect(),
        receives: receives.collect(),
        next_store,
        operators: operators.collect(),
    }
}

fn operator_record(node: &CutNode, names: &[String], mut facts: Vec<Fact>) -> Option<OperatorRecord> {
    let stores = node.layouts();
    if stores.is_empty() {
        return None;
    }
    let (sends_to, blocks) = match &node.work {
        Work::Send { exchange, repartition } => {
            let blocks = blocks_of(exchange, &mut facts);
            (names.get(*repartition).cloned(), Some(blocks))
        }
        _ => (None, None),
    };
    let (name, first_store) = (node.name.clone(), node.first_store);
    Some(OperatorRecord { name, facts, first_store, stores, sends_to, blocks })
}

/// How rows are written that an exchange sends: what their columns are, and their types.
fn blocks_of(exchange: &ExchangeSpec, facts: &mut Vec<Fact>) -> String {
    let sent = facts.iter().position(|fact| fact.what == SENT).map(|at| facts.remove(at).is);
    format!("{}; {:016x}", sent.unwrap_or_default(), exchange.codec.schema_hash())
}

/// By part, the id that its next new store would get.
pub(super) fn next_stores(cut: &CutTopology) -> Vec<u16> {
    let next = |part: &SubTopology| part.stores().iter().map(|(id, _, _)| id + 1).max().unwrap_or(0);
    cut.parts.iter().map(next).collect()
}
