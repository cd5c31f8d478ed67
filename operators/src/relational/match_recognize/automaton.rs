//! The pattern as an automaton: states, and edges that take a row or go on without one.
//!
//! ```text
//!   A B+ C      (A) --take A--> (B) --take B--> (B..) --take C, and not B--> done
//!                                                | ^          (C) is reached from (B..) without a row
//!                                                +-+ take B
//! ```
//! It is built from its end, as in Flink's NFA, which follows Agrawal, Diao, Gyllstrom and Immerman, "Efficient Pattern
//! Matching over Event Streams" (SIGMOD 2008). Contiguity is strict: there are no edges that pass over a row. What a greedy
//! quantifier means is said by its successor: whatever leaves the state behind a greedy variable has to be no row of that
//! variable.

use super::pattern::Quantifier;

/// Number of a state.
pub(super) type StateId = u16;

/// The state of a whole match.
pub(super) const DONE: StateId = 0;

/// An edge.
#[derive(Debug, Clone)]
struct Edge {
    /// Whether it takes the row. Otherwise it is gone along without one.
    takes: bool,
    target: StateId,
    /// Variables whose conditions have to fail for the row.
    unless: Vec<usize>,
}

/// A state while the automaton is built: the variable that the next row may be of, and what it leads to.
#[derive(Debug, Clone)]
struct State {
    variable: usize,
    edges: Vec<Edge>,
}

/// What has to be so of a variable's condition for a row.
type Asked = (usize, bool);

/// One way to take a row: along edges without one, then one that takes it.
#[derive(Debug, Clone)]
struct Way {
    asked: Vec<Asked>,
    to: Successor,
    /// Ways from there to the end without another row.
    ends: Vec<Vec<Asked>>,
}

/// What leads out of a state.
#[derive(Debug, Clone)]
struct Ways {
    ways: Vec<Way>,
    /// Variables whose conditions may be asked for, ascending.
    asked: Vec<usize>,
}

/// All states, and what leads out of each.
#[derive(Debug, Clone)]
pub(super) struct Automaton {
    ways: Vec<Ways>,
    pub(super) start: StateId,
}

/// Where a row leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Successor {
    /// The state.
    pub(super) state: StateId,
    /// The variable that the row is mapped to.
    pub(super) variable: usize,
}

impl Automaton {
    pub(super) fn new(quantifiers: &[Quantifier]) -> Self {
        let done = State { variable: quantifiers.len(), edges: Vec::new() };
        let mut states = States(vec![done]);
        let mut start = DONE;
        for (variable, quantifier) in quantifiers.iter().enumerate().rev() {
            start = states.add_variable(variable, *quantifier, start);
        }
        Automaton { ways: (0..states.0.len()).map(|state| states.ways(state as StateId)).collect(), start }
    }

    /// The variables whose conditions may be asked for in a state, ascending.
    pub(super) fn asked(&self, state: StateId) -> Option<&[usize]> {
        self.ways.get(state as usize).map(|ways| ways.asked.as_slice())
    }

    /// The states that a row leads to from `from`; `holds` says whether the condition of a variable does for the row. A
    /// match that the row makes whole stands behind the state from which it may still go on.
    #[inline]
    pub(super) fn successors<E>(
        &self,
        from: StateId,
        mut holds: impl FnMut(usize) -> Result<bool, E>,
        found: &mut Vec<Successor>,
    ) -> Result<(), E> {
        found.clear();
        let Some(Ways { ways, .. }) = self.ways.get(from as usize) else { return Ok(()) };
        for way in ways {
            if !all_hold(&way.asked, &mut holds)? {
                continue;
            }
            found.push(way.to);
            for end in &way.ends {
                if all_hold(end, &mut holds)? {
                    found.push(Successor { state: DONE, ..way.to });
                    break;
                }
            }
        }
        Ok(())
    }
}

#[inline]
fn all_hold<E>(asked: &[Asked], holds: &mut impl FnMut(usize) -> Result<bool, E>) -> Result<bool, E> {
    for (variable, wanted) in asked {
        if holds(*variable)? != *wanted {
            return Ok(false);
        }
    }
    Ok(true)
}

/// States by their numbers.
struct States(Vec<State>);

impl States {
    /// Adds the states of a variable in front of `sink`; the first of them.
    fn add_variable(&mut self, variable: usize, quantifier: Quantifier, sink: StateId) -> StateId {
        let Quantifier { min, max, .. } = quantifier;
        let greedy = quantifier.decides();
        let from = min.max(1);
        let mut last = match max {
            Some(_) => sink,
            None => {
                let state = self.add(variable);
                self.0[state as usize].edges.push(Edge::on(sink));
                self.0[state as usize].edges.push(Edge::take(state));
                self.gate(greedy, sink, variable);
                state
            }
        };
        for _ in from..max.unwrap_or(from) {
            last = self.add_single(variable, last, Some(sink), greedy);
        }
        for _ in 1..from {
            last = self.add_single(variable, last, None, greedy);
        }
        self.add_single(variable, last, (min == 0).then_some(sink), greedy)
    }

    /// Adds a state that takes one row, or none where it may be skipped.
    fn add_single(
        &mut self,
        variable: usize,
        target: StateId,
        skipped_to: Option<StateId>,
        greedy: bool,
    ) -> StateId {
        let state = self.add(variable);
        self.0[state as usize].edges.push(Edge::take(target));
        if let Some(sink) = skipped_to {
            self.0[state as usize].edges.push(Edge::on(sink));
            self.gate(greedy, sink, variable);
        }
        state
    }

    fn add(&mut self, variable: usize) -> StateId {
        self.0.push(State { variable, edges: Vec::new() });
        (self.0.len() - 1) as StateId
    }

    /// What leaves `state` takes no row of a greedy variable in front of it.
    fn gate(&mut self, greedy: bool, state: StateId, variable: usize) {
        for edge in &mut self.0[state as usize].edges {
            if greedy && !edge.unless.contains(&variable) {
                edge.unless.push(variable);
            }
        }
    }

    /// The edges of a state, and what has to be so for each behind what had to be before it.
    fn edges<'s>(
        &'s self,
        state: StateId,
        before: &'s [Asked],
    ) -> impl Iterator<Item = (&'s Edge, Vec<Asked>)> {
        let State { variable, edges } = &self.0[state as usize];
        edges.iter().map(move |edge| {
            let own = edge.takes.then_some((*variable, true));
            let not = edge.unless.iter().map(|other| (*other, false));
            (edge, before.iter().copied().chain(own).chain(not).collect())
        })
    }

    /// What leads out of a state, in the order in which Flink looks at it: its own row first, the states that are reached
    /// without a row after it.
    fn ways(&self, from: StateId) -> Ways {
        let mut ways = Vec::new();
        let mut open = vec![(from, Vec::new())];
        while let Some((state, before)) = open.pop() {
            for (edge, asked) in self.edges(state, &before) {
                let to = Successor { state: edge.target, variable: self.0[state as usize].variable };
                match edge.takes {
                    true => ways.push(Way { asked, to, ends: self.ends(edge.target) }),
                    false => open.push((edge.target, asked)),
                }
            }
        }
        let all = ways.iter().flat_map(|way: &Way| way.asked.iter().chain(way.ends.iter().flatten()));
        let mut asked: Vec<usize> = all.map(|(variable, _)| *variable).collect();
        asked.sort_unstable();
        asked.dedup();
        Ways { ways, asked }
    }

    /// The ways to the end without a row.
    fn ends(&self, from: StateId) -> Vec<Vec<Asked>> {
        let mut ends = Vec::new();
        let mut open = vec![(from, Vec::new())];
        while let Some((state, before)) = open.pop() {
            for (edge, asked) in self.edges(state, &before).filter(|(edge, _)| !edge.takes) {
                match edge.target {
                    DONE => ends.push(asked),
                    target => open.push((target, asked)),
                }
            }
        }
        ends
    }
}

impl Edge {
    fn take(target: StateId) -> Self {
        Edge { takes: true, target, unless: Vec::new() }
    }

    fn on(target: StateId) -> Self {
        Edge { takes: false, target, unless: Vec::new() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MANY: Quantifier = Quantifier { min: 1, max: None, greedy: true };

    fn successors(automaton: &Automaton, from: StateId, holds: [bool; 3]) -> Vec<(StateId, usize)> {
        let mut found = Vec::new();
        automaton.successors::<()>(from, |variable| Ok(holds[variable]), &mut found).unwrap();
        found.into_iter().map(|successor| (successor.state, successor.variable)).collect()
    }

    #[test]
    fn a_greedy_variable_keeps_a_row_from_the_next_one() {
        let automaton = Automaton::new(&[Quantifier::ONE, MANY, Quantifier::ONE]);
        let first = automaton.start;
        let [(second, 0)] = successors(&automaton, first, [true, true, true])[..] else { panic!("one way") };
        let [(looping, 1)] = successors(&automaton, second, [true, true, true])[..] else {
            panic!("one way")
        };
        assert_eq!(successors(&automaton, looping, [true, true, true]), [(looping, 1)]);
        assert_eq!(successors(&automaton, looping, [true, false, true]), [(DONE, 2)]);
        assert_eq!(successors(&automaton, looping, [true, false, false]), []);
    }

    #[test]
    fn a_reluctant_variable_leaves_both_ways_open() {
        let reluctant = Quantifier { greedy: false, ..MANY };
        let automaton = Automaton::new(&[Quantifier::ONE, reluctant, Quantifier::ONE]);
        let second = successors(&automaton, automaton.start, [true, true, true])[0].0;
        let looping = successors(&automaton, second, [true, true, true])[0].0;
        assert_eq!(successors(&automaton, looping, [true, true, true]), [(looping, 1), (DONE, 2)]);
    }

    #[test]
    fn a_variable_that_may_be_missing_at_the_end_makes_two_of_one_row() {
        let may = Quantifier { min: 0, max: Some(1), greedy: true };
        let automaton = Automaton::new(&[Quantifier::ONE, may]);
        let found = successors(&automaton, automaton.start, [true, true, true]);
        assert_eq!(found.len(), 2);
        assert_eq!(found[1], (DONE, 0));
    }
}
