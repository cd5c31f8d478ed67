//! Whether a plan can go on with the state of another: the same meaning is found again, wherever it stands.
//!
//! A plan that was cut anew numbers its sub-topologies and stores by the order of the file. [`fit`] holds it against the
//! [`PlanRecord`] of the plan before and gives its parts, its stores and its repartition topics the numbers and names they
//! had:
//!
//! 1. operators that keep state are matched by what they mean and what is in their stores; of several that mean the same
//!    the one of the same name
//! 2. sub-topologies are matched by these operators, by the topics they read and by what they receive
//! 3. what is new comes behind
//!
//! The rules for what matches nothing:
//!
//! | | |
//! |---|---|
//! | an operator of a statement that was there, which means something else now | refused, with what changed |
//! | an operator that is gone | refused: taken up again later it would lack what came meanwhile |
//! | an operator of a new statement | begins empty, and is named: it counts what comes from where the job stands |
//! | a topic that is not read any more | refused: its positions would be forgotten |
//! | rows between tasks that are written differently | refused on a restart, since some may be unread; from a savepoint there are none |

use super::compare::Comparison;
use super::record::{OperatorRecord, PlanRecord, statement_of};
use millstream_operators::meaning::Fact;
use millstream_operators::{CutTopology, InputFrom, Work};
use std::collections::{BTreeMap, BTreeSet};

/// A plan with the numbers and names that it had.
#[derive(Debug)]
pub(super) struct Fitted {
    pub cut: CutTopology,
    /// Last names of the repartition topics.
    pub names: Vec<String>,
    /// By part, the id of the next new store.
    pub next_stores: Vec<u16>,
    /// Operators that begin empty.
    pub new: Vec<String>,
}

/// Where the state comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum StateFrom {
    /// The job's own journals and topics.
    Journal,
    /// A savepoint: nothing lies between tasks.
    Savepoint,
}

/// An operator of the new plan: its part, and its place among the part's operators that keep state.
type NewId = (usize, usize);

/// Holds a plan against the one before.
///
/// # Errors
/// What changed, an operator each.
pub(super) fn fit(
    before: &PlanRecord,
    now: &PlanRecord,
    cut: CutTopology,
    names: Vec<String>,
    from: StateFrom,
) -> Result<Fitted, Vec<String>> {
    let mut matching = Matching::new(before, now);
    matching.match_operators();
    let mut changes = matching.changed_operators(from);
    if !changes.is_empty() {
        return Err(changes);
    }
    let part_of = matching.match_parts(&mut changes);
    if !changes.is_empty() {
        return Err(changes);
    }
    Ok(matching.renumbered(cut, names, &part_of))
}

/// What becomes of each operator, and why the plan would be refused.
pub(super) fn compared(before: &PlanRecord, now: &PlanRecord, from: StateFrom) -> Comparison {
    let mut matching = Matching::new(before, now);
    matching.match_operators();
    let mut refused = matching.changed_operators(from);
    if refused.is_empty() {
        matching.match_parts(&mut refused);
    }
    let (mut kept, mut empty) = (Vec::new(), Vec::new());
    for (id, operator) in Matching::operators(now).filter(|(_, operator)| operator.sends_to.is_none()) {
        match matching.matched.get(&id) {
            Some((part, at)) => {
                let was = &before.parts[*part].operators[*at].name;
                kept.push((named(&operator.name), named(was)));
            }
            // Of a statement that was there it is refused.
            None if !before.statements.contains(operator.statement()) => empty.push(named(&operator.name)),
            None => {}
        }
    }
    Comparison { kept, empty, refused, ..Comparison::default() }
}

struct Matching<'a> {
    before: &'a PlanRecord,
    now: &'a PlanRecord,
    /// By operator of the new plan: part and place of the one before.
    matched: BTreeMap<NewId, (usize, usize)>,
}

impl<'a> Matching<'a> {
    fn new(before: &'a PlanRecord, now: &'a PlanRecord) -> Self {
        Matching { before, now, matched: BTreeMap::new() }
    }

    fn operators(record: &PlanRecord) -> impl Iterator<Item = ((usize, usize), &OperatorRecord)> {
        record.parts.iter().enumerate().flat_map(|(part, of_part)| {
            of_part.operators.iter().enumerate().map(move |(at, operator)| ((part, at), operator))
        })
    }

    fn match_operators(&mut self) {
        let mut free: Vec<((usize, usize), &OperatorRecord)> = Self::operators(self.before).collect();
        // Those of the same name first: another that means the same must not take their state.
        for same_name in [true, false] {
            for (id, operator) in Self::operators(self.now) {
                let is_same = |old: &OperatorRecord| {
                    old.facts == operator.facts
                        && old.stores == operator.stores
                        && old.sends_to.is_some() == operator.sends_to.is_some()
                        && (!same_name || old.name == operator.name)
                };
                if self.matched.contains_key(&id) {
                    continue;
                }
                if let Some(at) = free.iter().position(|(_, old)| is_same(old)) {
                    self.matched.insert(id, free.remove(at).0);
                }
            }
        }
    }

    /// What can't be gone on with.
    fn changed_operators(&self, from: StateFrom) -> Vec<String> {
        let taken: BTreeSet<(usize, usize)> = self.matched.values().copied().collect();
        let mut gone: Vec<&OperatorRecord> =
            Self::operators(self.before).filter(|(id, _)| !taken.contains(id)).map(|(_, old)| old).collect();
        let mut changes = Vec::new();
        // Exchanges come last: what changed is told of the operator that people know.
        let mut operators: Vec<(NewId, &OperatorRecord)> = Self::operators(self.now).collect();
        operators.sort_by_key(|(_, operator)| operator.sends_to.is_some());
        for (id, operator) in operators {
            match self.matched.get(&id) {
                Some((part, at)) => {
                    let old = &self.before.parts[*part].operators[*at];
                    if from == StateFrom::Journal && old.blocks != operator.blocks {
                        changes.push(format!(
                            "{}: other columns are sent between its tasks than before, and some rows may still be on \
                             their way in the old form. Keep a savepoint with the file as it was (millstream savepoint \
                             FILE --to PLACE), and start from that: nothing is on its way there",
                            named(&operator.name)
                        ));
                    }
                }
                None => {
                    let same_name = gone.iter().position(|old| old.name == operator.name);
                    let related = |old: &&OperatorRecord| {
                        old.statement() == operator.statement()
                            && old.sends_to.is_some() == operator.sends_to.is_some()
                    };
                    let found = same_name.or_else(|| gone.iter().position(related));
                    if let Some(at) = found {
                        changes.push(difference(gone.remove(at), operator));
                    } else if self.before.statements.contains(operator.statement()) {
                        changes.push(format!(
                            "{} is new in a statement that was there: it would lack all that was read before",
                            named(&operator.name)
                        ));
                    }
                }
            }
        }
        changes.extend(
            gone.into_iter().map(|old| format!("{} is gone, and its state with it", named(&old.name))),
        );
        // The same change is felt by everything behind it.
        let mut seen = BTreeSet::new();
        changes.retain(|change| seen.insert(reason_of(change).to_owned()));
        changes
    }

    /// By part of the new plan: the part before that it goes on with.
    fn match_parts(&self, changes: &mut Vec<String>) -> BTreeMap<usize, usize> {
        let mut votes: BTreeSet<(usize, usize)> =
            self.matched.iter().map(|((new, _), (old, _))| (*new, *old)).collect();
        // What was called so before, by what it is called now.
        let mut received: BTreeMap<&str, &str> = BTreeMap::new();
        for ((new, at), (old, old_at)) in &self.matched {
            let (now, before) =
                (&self.now.parts[*new].operators[*at], &self.before.parts[*old].operators[*old_at]);
            if let (Some(now), Some(before)) = (&now.sends_to, &before.sends_to) {
                received.insert(now, before);
            }
        }
        for (old, before) in self.before.parts.iter().enumerate() {
            for (new, now) in self.now.parts.iter().enumerate() {
                if before.topics.intersection(&now.topics).next().is_some() {
                    votes.insert((new, old));
                }
            }
            for topic in &before.topics {
                if !self.now.parts.iter().any(|part| part.topics.contains(topic)) {
                    changes.push(format!(
                        "topic {topic} is not read any more, and where the job stands in it would be forgotten"
                    ));
                }
            }
        }
        let known = votes.clone();
        for (old, before) in self.before.parts.iter().enumerate() {
            for (new, now) in self.now.parts.iter().enumerate() {
                let receives = |name: &String| received.get(name.as_str()).copied();
                let receives_same =
                    now.receives.iter().filter_map(receives).any(|name| before.receives.contains(name));
                // Several parts may read what one sends: those that are known by their state are not each other.
                let is_known =
                    known.iter().any(|(part, _)| *part == new) && known.iter().any(|(_, part)| *part == old);
                if receives_same && !is_known {
                    votes.insert((new, old));
                }
            }
        }
        let mut part_of = BTreeMap::new();
        let mut taken = BTreeMap::new();
        for (new, old) in votes {
            let topics = |part: usize| {
                let topics: Vec<&str> = self.before.parts[part].topics.iter().map(String::as_str).collect();
                topics.join(", ")
            };
            if part_of.insert(new, old).is_some_and(|other| other != old) {
                changes.push(format!(
                    "what was apart is joined now, without an exchange between: {}",
                    topics(old)
                ));
            }
            if taken.insert(old, new).is_some_and(|other| other != new) {
                changes.push(format!("what hung together is apart now: {}", topics(old)));
            }
        }
        for (old, before) in self.before.parts.iter().enumerate() {
            // Where topics are missing this was said.
            if !taken.contains_key(&old) && before.topics.is_empty() {
                changes.push(format!("what reads {} is gone", self.before.parts[old].receives_text()));
            }
        }
        part_of
    }

    /// The plan with the numbers and names that it had.
    fn renumbered(
        &self,
        mut cut: CutTopology,
        mut names: Vec<String>,
        part_of: &BTreeMap<usize, usize>,
    ) -> Fitted {
        self.renumber_stores(&mut cut, part_of);
        let new_names = self.renamed(&cut, &mut names);
        let mut next = self.before.parts.len();
        let index_of: Vec<usize> = (0..cut.parts.len())
            .map(|part| {
                part_of.get(&part).copied().unwrap_or_else(|| {
                    next += 1;
                    next - 1
                })
            })
            .collect();
        let mut next_stores = vec![0; cut.parts.len()];
        let mut parts: Vec<_> = std::mem::take(&mut cut.parts).into_iter().zip(&index_of).collect();
        for (part, index) in &mut parts {
            part.index = **index as u32;
            let used = part.stores().iter().map(|(id, _, _)| id + 1).max().unwrap_or(0);
            let before = self.before.parts.get(**index).map_or(0, |before| before.next_store);
            if let Some(next_store) = next_stores.get_mut(**index) {
                *next_store = used.max(before);
            }
        }
        parts.sort_by_key(|(_, index)| **index);
        cut.parts = parts.into_iter().map(|(part, _)| part).collect();
        for repartition in &mut cut.repartitions {
            repartition.from_part = index_of.get(repartition.from_part as usize).copied().unwrap_or(0) as u32;
        }
        Fitted { cut, names, next_stores, new: new_names }
    }

    fn renumber_stores(&self, cut: &mut CutTopology, part_of: &BTreeMap<usize, usize>) {
        for (part, of_part) in cut.parts.iter_mut().enumerate() {
            let before = part_of.get(&part).map(|old| &self.before.parts[*old]);
            let mut next_store = before.map_or(0, |before| before.next_store);
            let stateful = of_part.nodes.iter_mut().filter(|node| !node.stores().is_empty());
            for (at, node) in stateful.enumerate() {
                node.first_store = match self.matched.get(&(part, at)) {
                    Some((old, old_at)) => self.before.parts[*old].operators[*old_at].first_store,
                    None => {
                        let first = next_store;
                        next_store += node.stores().len() as u16;
                        first
                    }
                };
            }
        }
    }

    /// Gives repartition topics the names they had; gives the operators that begin empty.
    fn renamed(&self, cut: &CutTopology, names: &mut [String]) -> Vec<String> {
        let mut new = Vec::new();
        let mut kept = BTreeSet::new();
        for (part, of_part) in cut.parts.iter().enumerate() {
            let stateful = of_part.nodes.iter().filter(|node| !node.stores().is_empty());
            for (at, node) in stateful.enumerate() {
                let old = self.matched.get(&(part, at));
                let old = old.map(|(old, old_at)| &self.before.parts[*old].operators[*old_at]);
                match (&node.work, old.and_then(|old| old.sends_to.clone())) {
                    (Work::Send { repartition, .. }, Some(name)) => {
                        kept.insert(*repartition);
                        names[*repartition] = name;
                    }
                    (Work::Send { .. }, None) => {}
                    _ if old.is_none() => new.push(node.name.clone()),
                    _ => {}
                }
            }
        }
        // A new one must not have the name of one that was there.
        let taken: BTreeSet<String> = kept.iter().map(|index| names[*index].clone()).collect();
        for (index, name) in names.iter_mut().enumerate().filter(|(index, _)| !kept.contains(index)) {
            if taken.contains(name) {
                *name = format!("{name}-new-{index}");
            }
        }
        new
    }
}

/// An operator and its statement, for people.
pub(super) fn named(name: &str) -> String {
    match name.split_once(" / ") {
        Some((_, what)) => format!("INSERT INTO {}: its {what}", statement_of(name)),
        None => format!("\"{name}\""),
    }
}

/// What a change is about, whoever feels it.
fn reason_of(change: &str) -> &str {
    change.split_once(" has changed: ").map_or(change, |(_, reason)| reason)
}

/// What became of an operator, in words.
fn difference(before: &OperatorRecord, now: &OperatorRecord) -> String {
    let mut changes = Vec::new();
    let whats = |facts: &[Fact]| facts.iter().map(|fact| fact.what.clone()).collect::<Vec<_>>();
    if whats(&before.facts) == whats(&now.facts) {
        for (old, new) in before.facts.iter().zip(&now.facts).filter(|(old, new)| old != new) {
            changes.push(format!("{}: {}", new.what, became(old, new)));
        }
    } else {
        let is_in = |fact: &&Fact, facts: &[Fact]| facts.contains(fact);
        let old = before.facts.iter().filter(|fact| !is_in(fact, &now.facts));
        let new = now.facts.iter().filter(|fact| !is_in(fact, &before.facts));
        changes.extend(old.map(|fact| format!("no longer {} {}", fact.what, fact.for_people())));
        changes.extend(new.map(|fact| format!("now {} {}", fact.what, fact.for_people())));
    }
    if changes.is_empty() && before.stores != now.stores {
        let (old, new) = (before.stores.join("; "), now.stores.join("; "));
        changes.push(format!("what it keeps: {old} became {new}"));
    }
    if changes.is_empty() {
        changes.push("the order of what it reads".to_owned());
    }
    format!("{} has changed: {}", named(&now.name), changes.join("; "))
}

/// By their names alone where that shows the difference.
fn became(old: &Fact, new: &Fact) -> String {
    let (short_old, short_new) = (old.for_people(), new.for_people());
    match short_old == short_new {
        true => format!("{} became {}", old.is, new.is),
        false => format!("{short_old} became {short_new}"),
    }
}

/// Which inputs have more partitions than tasks that read them, and must not have.
pub(super) fn partitions_that_do_not_fit(cut: &CutTopology) -> Option<(String, u32, u32, &'static str)> {
    for part in &cut.parts {
        let keeps_state =
            part.nodes.iter().any(|node| matches!(node.work, Work::Operator(_)) && !node.stores().is_empty());
        for input in &part.inputs {
            let InputFrom::Table { source, topic, partitions } = &input.from else { continue };
            if *partitions <= part.tasks {
                continue;
            }
            let why = if source.kind != millstream_operators::StreamKind::Append {
                "a key's older values may be unread in one partition while newer ones stand in another"
            } else if keeps_state && part.tasks > 1 && partitions % part.tasks != 0 {
                "rows of a key would be split from their state, unless the new number is a multiple of the old"
            } else {
                continue;
            };
            return Some((topic.clone(), part.tasks, *partitions, why));
        }
    }
    None
}
