//! Streams of rows grouped by a key.

mod joins;
mod windows;

use super::chain::{Chain, Keys, Rows, Steps, identity};
use super::fold::{Fold, FoldRow};
use super::json::WriteKeys;
use super::key::Key;
use super::merge::Merge;
use super::process::{Logic, ProcessFunction, Processed, Processing, Sides, States, pick};
use super::stream::append;
use super::{Program, Row, Stream, Table};
use crate::batch::StreamKind;
use crate::source::Policy;
use crate::topology::{NodeId, NodeSpec, TopologyError};
use std::marker::PhantomData;
use std::sync::Arc;

/// Rows of `T` grouped by `K`. What is made of the rows of a key alone stays grouped by it.
pub struct KeyedStream<K, T> {
    pub(super) program: Program,
    node: NodeId,
    steps: Option<Steps<T>>,
    pub(super) is_timed: bool,
    rows: PhantomData<fn() -> (K, T)>,
}

impl<K, T> Clone for KeyedStream<K, T> {
    fn clone(&self) -> Self {
        let KeyedStream { program, node, steps, is_timed, rows } = self;
        let (program, steps) = (program.clone(), steps.clone());
        KeyedStream { program, node: *node, steps, is_timed: *is_timed, rows: *rows }
    }
}

impl<K, T> std::fmt::Debug for KeyedStream<K, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KeyedStream<{}, {}>", std::any::type_name::<K>(), std::any::type_name::<T>())
    }
}

impl<K: Key, T: Row> KeyedStream<K, T> {
    pub(super) fn at(program: Program, node: NodeId, is_timed: bool) -> Self {
        KeyedStream { program, node, steps: None, is_timed, rows: PhantomData }
    }

    fn then<U: Row>(self, step: impl Fn(Rows<T>) -> Rows<U> + Send + Sync + 'static) -> KeyedStream<K, U> {
        let before = self.steps.unwrap_or_else(identity);
        let steps: Steps<U> = Arc::new(move |batch| before(batch).map(&step));
        let (program, node, is_timed) = (self.program, self.node, self.is_timed);
        KeyedStream { program, node, steps: Some(steps), is_timed, rows: PhantomData }
    }

    /// The node whose rows these are, with the closures done.
    pub(super) fn settle(self) -> NodeId {
        match self.steps {
            None => self.node,
            Some(steps) => {
                let chain = Chain { steps, keys: Keys::Kept };
                self.program.add("map values", NodeSpec::Operator(Arc::new(chain)), &[self.node])
            }
        }
    }

    /// One row for each row, of the same key.
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// let program = Program::new();
    /// program.read::<String>("words").key_by(|word| word.clone()).map_values(|word| word.len()).to("lengths");
    /// ```
    pub fn map_values<U: Row>(self, f: impl Fn(T) -> U + Send + Sync + 'static) -> KeyedStream<K, U> {
        self.then(move |rows| rows.map(&f))
    }

    /// The rows for which `f` holds.
    ///
    /// ```
    /// # use millstream_operators::typed::*;
    /// # use std::time::Duration;
    /// let program = Program::new();
    /// let clicks = program.source::<String>("clicks").record_time(Duration::from_secs(1)).stream();
    /// clicks.key_by(|page| page.clone()).filter(|page| page != "robots.txt").to("pages");
    /// program.topology().unwrap();
    /// ```
    pub fn filter(self, f: impl Fn(&T) -> bool + Send + Sync + 'static) -> KeyedStream<K, T> {
        self.then(move |rows| rows.filter(&f))
    }

    /// Any number of rows for each row, of the same key.
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// let program = Program::new();
    /// let lines = program.read::<(u64, String)>("lines").key_by(|(page, _)| *page);
    /// let words = lines.flat_map(|(_, line)| line.split(' ').map(str::to_owned).collect::<Vec<_>>());
    /// words.filter_map(|word| word.parse::<u64>().ok()).to("numbers by page");
    /// program.topology().unwrap();
    /// ```
    pub fn flat_map<U: Row, I: IntoIterator<Item = U>>(
        self,
        f: impl Fn(T) -> I + Send + Sync + 'static,
    ) -> KeyedStream<K, U> {
        self.then(move |rows| rows.flat_map(&f))
    }

    /// Another row for a row, of the same key, where `f` gives one.
    pub fn filter_map<U: Row>(self, f: impl Fn(T) -> Option<U> + Send + Sync + 'static) -> KeyedStream<K, U> {
        self.flat_map(f)
    }

    /// Shows every row to `f`, to count or to log: what it does is done again when a commit is.
    pub fn inspect(self, f: impl Fn(&T) + Send + Sync + 'static) -> KeyedStream<K, T> {
        self.map_values(move |row| {
            f(&row);
            row
        })
    }

    /// The rows for which `f` holds, and the others.
    ///
    /// ```
    /// # use millstream_operators::typed::*;
    /// # use std::time::Duration;
    /// let program = Program::new();
    /// let clicks = program.source::<String>("clicks").record_time(Duration::from_secs(1)).stream();
    /// let (long, short) = clicks.key_by(|page| page.clone()).branch(|page| page.len() > 20);
    /// long.to("long");
    /// short.to("short");
    /// program.topology().unwrap();
    /// ```
    pub fn branch(
        self,
        f: impl Fn(&T) -> bool + Send + Sync + 'static,
    ) -> (KeyedStream<K, T>, KeyedStream<K, T>) {
        let f = Arc::new(f);
        let other = Arc::clone(&f);
        (self.clone().filter(move |row| f(row)), self.filter(move |row| !other(row)))
    }

    /// The rows of both streams, as they come. Event time passes if it does in both.
    ///
    /// ```
    /// # use millstream_operators::typed::*;
    /// # use std::time::Duration;
    /// let program = Program::new();
    /// let clicks = program.source::<String>("clicks").record_time(Duration::from_secs(1)).stream();
    /// let by_page = clicks.key_by(|page| page.clone());
    /// by_page.clone().merge(by_page.map_values(|page| page.to_uppercase())).to("both");
    /// program.topology().unwrap();
    /// ```
    pub fn merge(self, other: KeyedStream<K, T>) -> KeyedStream<K, T> {
        let (program, is_timed) = (self.program.clone(), self.is_timed && other.is_timed);
        let again = |node| program.exchange::<T>(std::any::type_name::<K>(), node);
        let inputs = program.apart([self.settle(), other.settle()], [&again, &again]);
        let node = program.add("merge", NodeSpec::Operator(Arc::new(Merge { is_keyed: true })), &inputs);
        KeyedStream::at(program, node, is_timed)
    }

    /// The rows without their keys.
    ///
    /// ```
    /// # use millstream_operators::typed::*;
    /// # use std::time::Duration;
    /// let program = Program::new();
    /// let clicks = program.source::<String>("clicks").record_time(Duration::from_secs(1)).stream();
    /// clicks.key_by(|page| page.clone()).rows().key_by(|page| page.len() as u64).count().to("by length");
    /// program.topology().unwrap();
    /// ```
    pub fn rows(self) -> Stream<T> {
        let (program, is_timed) = (self.program.clone(), self.is_timed);
        Stream::at(program, self.settle(), is_timed)
    }

    /// Writes every row to a topic: the key as its bytes, the row as JSON.
    pub fn to(self, topic: &str) {
        let program = self.program.clone();
        let node = self.settle();
        program.add(topic, append::<T>(topic, Some(Arc::new(WriteKeys))), &[node]);
    }

    fn fold_as<A: Row>(self, what: &'static str, fold: FoldRow<T, A>) -> Table<K, A> {
        let fold: Fold<K, T, A> = Fold { what, fold, key: PhantomData };
        let program = self.program.clone();
        let node = self.settle();
        let node = program.add(what, NodeSpec::Operator(Arc::new(fold)), &[node]);
        Table::at(program, node)
    }

    /// The number of rows of each key.
    ///
    /// ```
    /// # use millstream_operators::typed::*;
    /// # use std::time::Duration;
    /// let program = Program::new();
    /// let clicks = program.source::<String>("clicks").record_time(Duration::from_secs(1)).stream();
    /// clicks.key_by(|page| page.clone()).count().to("counts");
    /// program.topology().unwrap();
    /// ```
    pub fn count(self) -> Table<K, u64> {
        self.fold_as("count", Arc::new(|count, _| count.unwrap_or(0) + 1))
    }

    /// Combines the rows of each key, two at a time, in the order they come.
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// let program = Program::new();
    /// program.read::<u64>("numbers").key_by(|number| number % 10).reduce(u64::max).to("largest by last digit");
    /// ```
    pub fn reduce(self, f: impl Fn(T, T) -> T + Send + Sync + 'static) -> Table<K, T> {
        self.fold_as("reduce", reducing(f))
    }

    /// Folds the rows of each key into a value that begins as `initial`.
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// let program = Program::new();
    /// program.read::<u64>("numbers").key_by(|number| number % 10).fold(0, |sum, number| sum + number).to("sums");
    /// ```
    pub fn fold<A: Row>(self, initial: A, f: impl Fn(A, T) -> A + Send + Sync + 'static) -> Table<K, A> {
        self.fold_as("fold", folding(initial, f))
    }

    /// Runs a function over the rows of each key, with state and timers: see [`super::process`].
    pub fn process<F: ProcessFunction<K, T>>(
        self,
        make: impl Fn(&mut States) -> F + Send + Sync + 'static,
    ) -> KeyedStream<K, F::Out> {
        self.process_with_sides(make).0
    }

    /// The same, with the function's side outputs.
    ///
    /// ```
    /// use millstream_operators::typed::{Context, ProcessFunction, Program, Side, States};
    ///
    /// struct Split { odd: Side<String> }
    ///
    /// impl ProcessFunction<u64, u64> for Split {
    ///     type Out = u64;
    ///     fn row(&mut self, cx: &mut Context<'_, u64>, _key: &u64, number: u64) {
    ///         match number % 2 {
    ///             0 => cx.emit(number),
    ///             _ => cx.emit_to(&self.odd, format!("{number} is odd")),
    ///         }
    ///     }
    /// }
    ///
    /// let program = Program::new();
    /// let numbers = program.read::<u64>("numbers").key_by(|number| number % 10);
    /// let (even, sides) = numbers.process_with_sides(|states: &mut States| Split { odd: states.side("odd") });
    /// even.to("even");
    /// sides.get::<String>("odd").to("odd");
    /// program.topology().unwrap();
    /// ```
    pub fn process_with_sides<F: ProcessFunction<K, T>>(
        self,
        make: impl Fn(&mut States) -> F + Send + Sync + 'static,
    ) -> (KeyedStream<K, F::Out>, Sides<K>) {
        let detail = format!("{} over {}", std::any::type_name::<F>(), std::any::type_name::<T>());
        let make = move |states: &mut States| Processed { function: make(states), rows: PhantomData };
        let (program, is_timed) = (self.program.clone(), self.is_timed);
        let inputs = vec![StreamKind::Append];
        let (late, make) = (Policy::Skip, Arc::new(make));
        let processing: Processing<Processed<K, T, F>> =
            Processing { what: "Process", detail, make, inputs, is_timed, late };
        let node = self.settle();
        let (node, sides) = add(&program, processing, &[node]);
        let main = match sides.is_empty() {
            true => node,
            false => program.add("main output", pick::<F::Out>(), &[node]),
        };
        (KeyedStream::at(program, main, is_timed), sides)
    }

    /// An operator over the rows of each key, of this project's own.
    pub(super) fn keyed_by<L: Logic<Left = T>>(
        self,
        what: &'static str,
        detail: String,
        late: Policy,
        make: impl Fn(&mut States) -> L + Send + Sync + 'static,
    ) -> KeyedStream<K, L::Out>
    where
        L::Out: Row,
    {
        self.program.must_be_timed(self.is_timed, what);
        self.logic(what, detail, late, make)
    }

    /// The same, of one that needs no event time.
    pub(super) fn logic<L: Logic<Left = T>>(
        self,
        what: &'static str,
        detail: String,
        late: Policy,
        make: impl Fn(&mut States) -> L + Send + Sync + 'static,
    ) -> KeyedStream<K, L::Out>
    where
        L::Out: Row,
    {
        let (program, is_timed) = (self.program.clone(), self.is_timed);
        let (make, inputs) = (Arc::new(make), vec![StreamKind::Append]);
        let processing = Processing { what, detail, make, inputs, is_timed, late };
        let node = self.settle();
        let (node, _) = add::<K, _>(&program, processing, &[node]);
        KeyedStream::at(program, node, is_timed)
    }
}

/// Adds an operator, if what it declares can be.
pub(super) fn add<K, L: Logic>(
    program: &Program,
    processing: Processing<L>,
    inputs: &[NodeId],
) -> (NodeId, Sides<K>) {
    let (what, is_timed) = (processing.what, processing.is_timed);
    let declared = processing.declared();
    if let Some(name) = &declared.doubled {
        let message =
            format!("two states or side outputs of a function are called \"{name}\"; give one another name");
        program.fail(TopologyError { node: what.to_owned(), message });
    }
    program.must_be_timed(is_timed || !declared.expires, "state that expires");
    let name = what.to_lowercase();
    let node = program.add(&name, NodeSpec::Operator(Arc::new(processing)), inputs);
    (node, Sides::new(program.clone(), node, is_timed, declared))
}

/// A reduction as a fold.
pub(super) fn reducing<T: 'static>(f: impl Fn(T, T) -> T + Send + Sync + 'static) -> FoldRow<T, T> {
    Arc::new(move |kept, row| match kept {
        None => row,
        Some(kept) => f(kept, row),
    })
}

/// A fold that begins with a value.
pub(super) fn folding<T: 'static, A: Row>(
    initial: A,
    f: impl Fn(A, T) -> A + Send + Sync + 'static,
) -> FoldRow<T, A> {
    Arc::new(move |kept, row| f(kept.unwrap_or_else(|| initial.clone()), row))
}
