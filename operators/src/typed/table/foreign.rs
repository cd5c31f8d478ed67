//! Two tables as one where a row of the left names the key of a row of the right: orders with their customers.
//!
//! ```text
//!   left table --Subscribe--> exchange by the key that is named --Match--> exchange by the left key --Resolve--> table
//!                                                                  ^
//!                                                   right table ---+
//! ```
//! A row of the left subscribes where its partner lives, and gets an answer there whenever either of them changes. Answers
//! about one row may come from two places, once it names another partner, and out of order: each has the sequence number of
//! the subscription that it answers, and one that is older than what is known already counts for nothing. So that this is
//! known for as long as an older answer may come, and no longer, the place that is left says so, too.

mod matching;
mod resolve;
mod subscribe;

use super::Table;
use super::spec::{OverTables, type_of};
use crate::batch::StreamKind;
use crate::typed::plain::KeyBytes;
use crate::typed::{Key, Row};
use matching::Matching;
use resolve::Resolving;
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use subscribe::Subscribing;

/// The key of the partner of a row, if it has one.
type PartnerOf<A, F> = Arc<dyn Fn(&A) -> Option<F> + Send + Sync>;

/// What a row comes to with its partner.
type WithPartner<A, B, U> = Arc<dyn Fn(&A, Option<&B>) -> Option<U> + Send + Sync>;

/// What a row of the left says to where its partner lives.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::typed) struct Subscription<A> {
    /// The key of the row.
    pub(in crate::typed) of: KeyBytes,
    /// Rises with every change of the row.
    pub(in crate::typed) sequence: u64,
    /// Whether it has no partner: then it is where its own key would be, and nothing there is compared with it.
    pub(in crate::typed) is_alone: bool,
    pub(in crate::typed) says: Says<A>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::typed) enum Says<A> {
    /// The row has come here.
    Begins(A),
    /// It has changed, and is here still.
    Is(A),
    /// It is elsewhere now, or gone.
    Ends { is_gone: bool },
}

/// What a place says about a row.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::typed) struct Answer<U> {
    /// That of the subscription.
    pub(in crate::typed) sequence: u64,
    /// How many subscriptions begin with it, less those that end.
    pub(in crate::typed) open: i64,
    pub(in crate::typed) word: Word<U>,
}

/// What has become of a row.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(in crate::typed) enum Word<U> {
    /// It comes to this.
    Is(U),
    /// It comes to nothing.
    Nothing,
    /// It is elsewhere, and that is for others to say.
    Elsewhere,
}

impl<U> From<Option<U>> for Word<U> {
    fn from(value: Option<U>) -> Self {
        value.map_or(Word::Nothing, Word::Is)
    }
}

impl<K: Key, A: Row> Table<K, A> {
    /// Each row with the row of another table whose key it names; rows that name none, or one that is not there, are left
    /// out. What comes out changes when either of them does.
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// # #[derive(Clone, Debug, serde::Serialize, serde::Deserialize)]
    /// # struct Order { customer: String, cents: u64 }
    /// let program = Program::new();
    /// let orders = program.source::<Order>("orders").table::<u64>();
    /// let names = program.source::<String>("customers").table::<String>();
    /// let customer = |order: &Order| Some(order.customer.clone());
    /// orders.join_on(names, customer, |order, name| format!("{name}: {}", order.cents)).to("billed");
    /// program.topology().unwrap();
    /// ```
    pub fn join_on<F: Key, B: Row, U: Row>(
        self,
        other: Table<F, B>,
        partner: impl Fn(&A) -> Option<F> + Send + Sync + 'static,
        f: impl Fn(&A, &B) -> U + Send + Sync + 'static,
    ) -> Table<K, U> {
        self.joined_on("inner", other, Arc::new(partner), Arc::new(move |row, other| Some(f(row, other?))))
    }

    /// Each row with the row of another table whose key it names, if it names one that is there.
    ///
    /// ```
    /// # use millstream_operators::typed::Program;
    /// let program = Program::new();
    /// let employees = program.source::<(String, Option<u64>)>("employees").table::<u64>();
    /// let bosses = employees.clone();
    /// employees
    ///     .left_join_on(bosses, |(_, boss)| *boss, |(name, _), boss| (name.clone(), boss.map(|(name, _)| name.clone())))
    ///     .to("employees with bosses");
    /// program.topology().unwrap();
    /// ```
    pub fn left_join_on<F: Key, B: Row, U: Row>(
        self,
        other: Table<F, B>,
        partner: impl Fn(&A) -> Option<F> + Send + Sync + 'static,
        f: impl Fn(&A, Option<&B>) -> U + Send + Sync + 'static,
    ) -> Table<K, U> {
        self.joined_on("left", other, Arc::new(partner), Arc::new(move |row, other| Some(f(row, other))))
    }

    fn joined_on<F: Key, B: Row, U: Row>(
        self,
        how: &str,
        other: Table<F, B>,
        partner: PartnerOf<A, F>,
        f: WithPartner<A, B, U>,
    ) -> Table<K, U> {
        let [key, foreign] = [type_of::<K>(), type_of::<F>()];
        let [left, right, out] = [type_of::<A>(), type_of::<B>(), type_of::<U>()];
        let program = self.program;
        let subscribe = OverTables {
            what: "Subscribe",
            detail: format!("{left} to {right} by {foreign}"),
            inputs: vec![StreamKind::Upsert],
            output: StreamKind::Append,
            stores: vec![("partners", format!("{key} -> {foreign}")), ("sequence", "() -> u64".to_owned())],
            by_key: true,
            build: Arc::new(move |cx| Box::new(Subscribing::<K, A, F>::new(Arc::clone(&partner), cx))),
        };
        let subscriptions = subscribe.add(&program, &[self.node]);
        let here = program.exchange::<Subscription<A>>(foreign, subscriptions);
        let matching = OverTables {
            what: "Match",
            detail: format!("{how} of {left} with {right} into {out}"),
            inputs: vec![StreamKind::Append, StreamKind::Upsert],
            output: StreamKind::Append,
            stores: vec![
                ("rows", format!("{foreign}, {key} -> sequence, {left}")),
                ("partners", format!("{foreign} -> {right}")),
            ],
            by_key: true,
            build: Arc::new(move |cx| Box::new(Matching::<F, A, B, U>::new(Arc::clone(&f), cx))),
        };
        let nodes = program.apart([here, other.node], [&|node| node, &|_| other.sent()]);
        let answers = matching.add(&program, &nodes);
        let back = program.exchange::<Answer<U>>(key, answers);
        let resolve = OverTables {
            what: "Resolve",
            detail: format!("{out} by {key}"),
            inputs: vec![StreamKind::Append],
            output: StreamKind::Upsert,
            stores: vec![("answers", format!("{key} -> sequence, {out}"))],
            by_key: true,
            build: Arc::new(move |cx| Box::new(Resolving::<K, U>::new(cx))),
        };
        let node = resolve.add(&program, &[back]);
        Table::at(program, node)
    }
}
