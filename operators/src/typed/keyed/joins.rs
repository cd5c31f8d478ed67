//! Joins of a keyed stream: with a table, and with another stream in a window of event time.

use super::{KeyedStream, add};
use crate::batch::StreamKind;
use crate::source::Policy;
use crate::typed::join::{InWindow, StreamTable, Within};
use crate::typed::process::{Processing, States};
use crate::typed::{Key, Row, Table};
use std::marker::PhantomData;
use std::sync::Arc;

impl<K: Key, T: Row> KeyedStream<K, T> {
    /// Each row with the value that its key has in a table when it comes; rows whose key has none are left out.
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// let program = Program::new();
    /// let names = program.source::<String>("names").table::<u64>();
    /// program.read::<u64>("logins").key_by(|user| *user).join(names, |user, name| format!("{user}: {name}")).to("who");
    /// program.topology().unwrap();
    /// ```
    pub fn join<A: Row, U: Row>(
        self,
        table: Table<K, A>,
        f: impl Fn(T, &A) -> U + Send + Sync + 'static,
    ) -> KeyedStream<K, U> {
        self.join_table("inner", table, move |row, value| value.map(|value| f(row, value)))
    }

    /// Each row with the value that its key has in a table when it comes, if it has one.
    ///
    /// ```
    /// # use millstream_operators::typed::*;
    /// # use std::time::Duration;
    /// let program = Program::new();
    /// let clicks = program.source::<String>("clicks").record_time(Duration::from_secs(1)).stream();
    /// let titles = program.source::<String>("titles").table::<String>();
    /// let titled = |page: String, title: Option<&String>| title.cloned().unwrap_or(page);
    /// clicks.key_by(|page| page.clone()).left_join(titles, titled).to("titled");
    /// program.topology().unwrap();
    /// ```
    pub fn left_join<A: Row, U: Row>(
        self,
        table: Table<K, A>,
        f: impl Fn(T, Option<&A>) -> U + Send + Sync + 'static,
    ) -> KeyedStream<K, U> {
        self.join_table("left", table, move |row, value| Some(f(row, value)))
    }

    fn join_table<A: Row, U: Row>(
        self,
        how: &str,
        table: Table<K, A>,
        f: impl Fn(T, Option<&A>) -> Option<U> + Send + Sync + 'static,
    ) -> KeyedStream<K, U> {
        let of = [std::any::type_name::<T>(), std::any::type_name::<A>()];
        let (detail, f) = (format!("{how} of {} with {}", of[0], of[1]), Arc::new(f));
        let make = move |states: &mut States| StreamTable {
            table: states.value("table"),
            f: Arc::clone(&f) as _,
            key: PhantomData::<fn() -> K>,
        };
        let (program, is_timed) = (self.program.clone(), self.is_timed);
        let inputs = vec![StreamKind::Append, StreamKind::Upsert];
        let processing = Processing {
            what: "TableJoin",
            detail,
            make: Arc::new(make),
            inputs,
            is_timed,
            late: Policy::Skip,
        };
        let again = |node| program.exchange::<T>(std::any::type_name::<K>(), node);
        let nodes = program.apart([self.settle(), table.node], [&again, &|_| table.sent()]);
        let (node, _) = add::<K, _>(&program, processing, &nodes);
        KeyedStream::at(program, node, is_timed)
    }

    /// Pairs of rows of two streams with the same key that are near each other in event time.
    ///
    /// ```
    /// # use millstream_operators::typed::{Program, Within};
    /// # use std::time::Duration;
    /// let program = Program::new();
    /// let read = |topic: &str| {
    ///     program.source::<u64>(topic).record_time(Duration::from_secs(1)).stream().key_by(|order| *order)
    /// };
    /// read("orders")
    ///     .join_within(read("payments"), Within::after(Duration::from_secs(3_600)), |order, _| *order)
    ///     .to("paid within an hour");
    /// program.topology().unwrap();
    /// ```
    pub fn join_within<R: Row, U: Row>(
        self,
        other: KeyedStream<K, R>,
        within: Within,
        f: impl Fn(&T, &R) -> U + Send + Sync + 'static,
    ) -> KeyedStream<K, U> {
        self.join_window(other, within, [false, false], move |left, right| Some(f(left?, right?)))
    }

    /// The same, and the rows of this stream that meet none, once none can come any more.
    ///
    /// ```
    /// # use millstream_operators::typed::*;
    /// # use std::time::Duration;
    /// let program = Program::new();
    /// let clicks = program.source::<String>("clicks").record_time(Duration::from_secs(1)).stream();
    /// let views = program.source::<String>("views").record_time(Duration::from_secs(1)).stream();
    /// let views = views.key_by(|page| page.clone());
    /// let near = Within::both(Duration::from_secs(10));
    /// clicks.key_by(|page| page.clone()).left_join_within(views, near, |_, view| view.is_some()).to("viewed");
    /// program.topology().unwrap();
    /// ```
    pub fn left_join_within<R: Row, U: Row>(
        self,
        other: KeyedStream<K, R>,
        within: Within,
        f: impl Fn(&T, Option<&R>) -> U + Send + Sync + 'static,
    ) -> KeyedStream<K, U> {
        self.join_window(other, within, [true, false], move |left, right| Some(f(left?, right)))
    }

    /// The same, and the rows of either stream that meet none, once none can come any more.
    ///
    /// ```
    /// # use millstream_operators::typed::*;
    /// # use std::time::Duration;
    /// let program = Program::new();
    /// let clicks = program.source::<String>("clicks").record_time(Duration::from_secs(1)).stream();
    /// let views = program.source::<String>("views").record_time(Duration::from_secs(1)).stream();
    /// let views = views.key_by(|page| page.clone());
    /// let near = Within::both(Duration::from_secs(10));
    /// let met = |click: Option<&String>, view: Option<&String>| click.is_some() && view.is_some();
    /// clicks.key_by(|page| page.clone()).outer_join_within(views, near, met).to("met");
    /// program.topology().unwrap();
    /// ```
    pub fn outer_join_within<R: Row, U: Row>(
        self,
        other: KeyedStream<K, R>,
        within: Within,
        f: impl Fn(Option<&T>, Option<&R>) -> U + Send + Sync + 'static,
    ) -> KeyedStream<K, U> {
        self.join_window(other, within, [true, true], move |left, right| Some(f(left, right)))
    }

    fn join_window<R: Row, U: Row>(
        self,
        other: KeyedStream<K, R>,
        within: Within,
        alone: [bool; 2],
        f: impl Fn(Option<&T>, Option<&R>) -> Option<U> + Send + Sync + 'static,
    ) -> KeyedStream<K, U> {
        let of = [std::any::type_name::<T>(), std::any::type_name::<R>()];
        let detail = format!("{} with {}, {within}, alone {alone:?}", of[0], of[1]);
        let f = Arc::new(f);
        let make = move |states: &mut States| InWindow {
            left: states.list("left"),
            right: states.list("right"),
            within,
            alone,
            f: Arc::clone(&f) as _,
        };
        let (program, is_timed) = (self.program.clone(), self.is_timed && other.is_timed);
        program.must_be_timed(is_timed, "a join within a window");
        let inputs = vec![StreamKind::Append, StreamKind::Append];
        let late = within.late;
        let processing =
            Processing { what: "WindowJoin", detail, make: Arc::new(make), inputs, is_timed, late };
        let left = |node| program.exchange::<T>(std::any::type_name::<K>(), node);
        let right = |node| program.exchange::<R>(std::any::type_name::<K>(), node);
        let nodes = program.apart([self.settle(), other.settle()], [&left, &right]);
        let (node, _) = add::<K, _>(&program, processing, &nodes);
        KeyedStream::at(program, node, is_timed)
    }
}
