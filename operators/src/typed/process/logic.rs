//! What a keyed operator does with rows of one or two inputs, as operators see it: keys are bytes here.

use super::{Context, ProcessFunction};
use crate::batch::EventTime;
use crate::typed::{Key, Row};
use std::fmt::Debug;
use std::marker::PhantomData;

/// One key at a time: rows of either input, and timers.
pub(in crate::typed) trait Logic: Send + 'static {
    /// Rows of the first input.
    type Left: Clone + Send + Debug + 'static;
    /// Rows of the second; of an operator that has one input, anything.
    type Right: Clone + Send + Debug + 'static;
    /// What is emitted.
    type Out: Clone + Send + Debug + 'static;

    fn left(&mut self, cx: &mut Context<'_, Self::Out>, row: Self::Left);

    fn right(&mut self, cx: &mut Context<'_, Self::Out>, row: Self::Right) {
        let _ = (cx, row);
    }

    fn timer(&mut self, cx: &mut Context<'_, Self::Out>, time: EventTime) {
        let _ = (cx, time);
    }
}

/// A process function as logic.
pub(in crate::typed) struct Processed<K, T, F> {
    pub(in crate::typed) function: F,
    pub(in crate::typed) rows: PhantomData<fn() -> (K, T)>,
}

impl<K: Key, T: Row, F: ProcessFunction<K, T>> Logic for Processed<K, T, F> {
    type Left = T;
    type Right = ();
    type Out = F::Out;

    fn left(&mut self, cx: &mut Context<'_, F::Out>, row: T) {
        if let Some(key) = cx.key() {
            self.function.row(cx, &key, row);
        }
    }

    fn timer(&mut self, cx: &mut Context<'_, F::Out>, time: EventTime) {
        if let Some(key) = cx.key() {
            self.function.timer(cx, &key, time);
        }
    }
}
