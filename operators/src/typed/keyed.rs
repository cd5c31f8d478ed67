//! Streams of rows grouped by a key.

mod joins;

use super::chain::{Chain, Keys, Rows, Steps, identity};
use super::fold::{Fold, FoldRow};
use super::json::WriteKeys;
use super::key::Key;
use super::merge::Merge;
use super::process::{
    Context, Logic, ProcessFunction, Processed, Processing, Sides, States, ValueState, pick,
};
use super::stream::append;
use super::window::{SessionStream, WindowStream, Windows};
use super::{Program, Row, Stream, Table};
use crate::batch::StreamKind;
use crate::source::Policy;
use crate::topology::{NodeId, NodeSpec, TopologyError};
use std::marker::PhantomData;
use std::sync::Arc;
use std::time::Duration;

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
        let inputs = [self.settle(), other.settle()];
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

    /// The first row of each key; others of the key are left out, until the watermark is `within` behind the first one's
    /// time. What is forgotten then makes the next row of the key a first one.
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// # use std::time::Duration;
    /// # #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
    /// # struct Payment { id: String, at: i64 }
    /// let program = Program::new();
    /// program.source::<Payment>("payments")
    ///     .event_time(|payment| payment.at, Duration::from_secs(1))
    ///     .stream()
    ///     .key_by(|payment| payment.id.clone())
    ///     .deduplicate(Duration::from_secs(3_600))
    ///     .to("payments once");
    /// program.topology().unwrap();
    /// ```
    pub fn deduplicate(self, within: Duration) -> KeyedStream<K, T> {
        let detail = format!("first of {} within {} ms", std::any::type_name::<T>(), within.as_millis());
        self.keyed_by("Deduplicate", detail, Policy::Skip, move |states| First {
            seen: states.expire_after(within).value("seen"),
            rows: PhantomData,
        })
    }

    /// Groups rows by windows in event time, too.
    ///
    /// ```
    /// # use millstream_operators::typed::{Program, Windows};
    /// # use std::time::Duration;
    /// let program = Program::new();
    /// program.source::<String>("pages")
    ///     .record_time(Duration::from_secs(1))
    ///     .stream()
    ///     .key_by(|page| page.clone())
    ///     .windowed(Windows::tumbling(Duration::from_secs(60)).grace(Duration::from_secs(10)))
    ///     .count()
    ///     .to("views by minute");
    /// program.topology().unwrap();
    /// ```
    pub fn windowed(self, windows: Windows) -> WindowStream<K, T> {
        WindowStream::new(self, windows)
    }

    /// Groups rows by sessions, too: rows of a key that follow each other within a gap.
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// # use std::time::Duration;
    /// let program = Program::new();
    /// program.source::<String>("users' clicks")
    ///     .record_time(Duration::from_secs(1))
    ///     .stream()
    ///     .key_by(|user| user.clone())
    ///     .sessions(Duration::from_secs(1_800))
    ///     .count()
    ///     .to("sessions");
    /// program.topology().unwrap();
    /// ```
    pub fn sessions(self, gap: Duration) -> SessionStream<K, T> {
        SessionStream::new(self, gap)
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
        let (program, is_timed) = (self.program.clone(), self.is_timed);
        program.must_be_timed(is_timed, what);
        let (make, inputs) = (Arc::new(make), vec![StreamKind::Append]);
        let processing = Processing { what, detail, make, inputs, is_timed, late };
        let node = self.settle();
        let (node, _) = add::<K, _>(&program, processing, &[node]);
        KeyedStream::at(program, node, is_timed)
    }
}

/// Adds an operator, if what it declares can be.
fn add<K, L: Logic>(program: &Program, processing: Processing<L>, inputs: &[NodeId]) -> (NodeId, Sides<K>) {
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

/// The first row of a key.
struct First<T> {
    seen: ValueState<()>,
    rows: PhantomData<fn() -> T>,
}

impl<T: Row> Logic for First<T> {
    type Left = T;
    type Right = ();
    type Out = T;

    fn left(&mut self, cx: &mut Context<'_, T>, row: T) {
        if self.seen.get(cx).is_none() {
            self.seen.set(cx, ());
            cx.emit(row);
        }
    }
}
