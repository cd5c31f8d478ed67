//! The one running operator of keyed logic: states and timers of the kit, rows and timers in the order of event time.
//!
//! Before each row everything fires that the watermark had reached when the row came, so that it does not matter how rows
//! were cut into batches: sources of typed streams give every row its bound.

use super::context::{Context, Verdict};
use super::logic::Logic;
use super::output::{Output, SideRows};
use super::states::{AnyState, SCHEMA, States};
use crate::OperatorError;
use crate::batch::{Batch, EventTime, StreamKind};
use crate::keys::Slot;
use crate::kit::late::Around;
use crate::kit::timers::Timers;
use crate::meaning::{Meaning, RowsMeaning};
use crate::operator::{
    BuildCx, Cx, DeltaScope, Description, Operator, OperatorSpec, Port, StateScope, StoreSpec,
};
use crate::source::Policy;
use std::sync::Arc;

/// The store with the timers; states follow.
const TIMERS: u16 = 0;

/// Makes the logic of one task, with the states that it declares.
pub(in crate::typed) type Make<L> = Arc<dyn Fn(&mut States) -> L + Send + Sync>;

/// Logic over the rows of each key, as an operator of the plan.
///
/// Input: one or two keyed streams. Output: insertions with the keys of the rows and timers that they come from.
pub(in crate::typed) struct Processing<L> {
    /// What it is called.
    pub(in crate::typed) what: &'static str,
    /// What it does, in full.
    pub(in crate::typed) detail: String,
    pub(in crate::typed) make: Make<L>,
    /// What its inputs have to be.
    pub(in crate::typed) inputs: Vec<StreamKind>,
    /// Whether event time passes.
    pub(in crate::typed) is_timed: bool,
    pub(in crate::typed) late: Policy,
}

impl<L> Processing<L> {
    fn states(&self, build: BuildCx) -> (L, States) {
        let mut states = States::new(build, format!("{} {}", self.what, self.detail));
        let logic = (self.make)(&mut states);
        (logic, states)
    }

    /// What it keeps, as far as that says whether it can be run.
    pub(in crate::typed) fn declared(&self) -> Declared {
        let (_, states) = self.states(BuildCx::default());
        let mut names: Vec<&str> = states.made.iter().map(|state| state.name()).collect();
        names.extend(states.sides.iter().map(|side| side.name()));
        names.sort_unstable();
        let doubled = names.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0].to_owned());
        Declared { expires: states.expires(), doubled, sides: states.sides }
    }
}

/// What a function declares.
pub(in crate::typed) struct Declared {
    /// Whether a state expires.
    pub(in crate::typed) expires: bool,
    /// A name that was given twice.
    pub(in crate::typed) doubled: Option<String>,
    pub(super) sides: Vec<Box<dyn SideRows>>,
}

impl<L> std::fmt::Debug for Processing<L> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}: {}", self.what, self.detail)
    }
}

impl<L: Logic> OperatorSpec for Processing<L> {
    fn describe(&self) -> Description {
        Description::new(self.what, &self.detail)
    }

    /// Closures can't be compared: types say all that is known.
    fn meaning(&self, inputs: &[&RowsMeaning]) -> Meaning {
        Meaning::described(self.describe(), inputs)
    }

    fn stores(&self) -> Vec<StoreSpec> {
        let store = |name: &str, schema: String| StoreSpec { name: name.to_owned(), schema };
        let (_, states) = self.states(BuildCx::default());
        let timers = store("timers", "moment, whose, key ->".to_owned());
        let states =
            states.made.iter().map(|state| store(state.name(), format!("{SCHEMA}{}", state.schema())));
        [timers].into_iter().chain(states).collect()
    }

    fn output_kind(&self, inputs: &[StreamKind]) -> Result<StreamKind, String> {
        if inputs == self.inputs {
            return Ok(StreamKind::Append);
        }
        Err(format!("{} takes {:?}, and its inputs are {inputs:?}", self.what, self.inputs))
    }

    fn build(&self, cx: &BuildCx) -> Result<Box<dyn Operator>, OperatorError> {
        let (logic, states) = self.states(*cx);
        Ok(Box::new(Running {
            name: format!("{} {}", self.what, self.detail),
            logic,
            states: states.made,
            timers: Timers::new(self.what, TIMERS),
            out: Output::default(),
            sides: states.sides,
            is_timed: self.is_timed,
            late: self.late,
            slots: Vec::new(),
        }))
    }
}

struct Running<L: Logic> {
    name: String,
    logic: L,
    states: Vec<Box<dyn AnyState>>,
    timers: Timers,
    out: Output<L::Out>,
    sides: Vec<Box<dyn SideRows>>,
    is_timed: bool,
    late: Policy,
    /// Of the key at hand, by state.
    slots: Vec<Slot>,
}

impl<L: Logic> Operator for Running<L> {
    fn process(&mut self, port: Port, batch: Batch, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        match port {
            Port(0) => self.rows(batch, cx, L::left),
            _ => self.rows(batch, cx, L::right),
        }?;
        self.emit(cx);
        Ok(())
    }

    fn advance(&mut self, watermark: EventTime, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        self.fire(watermark, cx)?;
        self.emit(cx);
        Ok(())
    }

    fn delta(&mut self, out: &mut DeltaScope<'_>) -> Result<(), OperatorError> {
        self.timers.delta(out);
        self.states.iter_mut().try_for_each(|state| state.delta(out))
    }

    fn restore(&mut self, _watermark: EventTime, _state: &mut StateScope<'_>) -> Result<(), OperatorError> {
        self.timers.restore();
        Ok(())
    }

    fn evict(&mut self) {
        self.timers.evict();
        self.states.iter_mut().for_each(|state| state.evict());
    }

    fn memory_bytes(&self) -> usize {
        self.timers.memory_bytes() + self.states.iter().map(|state| state.memory_bytes()).sum::<usize>()
    }
}

impl<L: Logic> Running<L> {
    /// Takes the rows of a batch, each after what was due before it.
    fn rows<R: 'static>(
        &mut self,
        batch: Batch,
        cx: &mut Cx<'_>,
        call: fn(&mut L, &mut Context<'_, L::Out>, R),
    ) -> Result<(), OperatorError> {
        let keys = Arc::clone(batch.keys()?);
        let load = |state: &mut Box<dyn AnyState>| state.load(&keys, &mut cx.state);
        let slots: Vec<Vec<Slot>> = self.states.iter_mut().map(load).collect::<Result<_, _>>()?;
        let (rows, around) = Around::take::<R>(batch)?;
        for (row, value) in rows.into_iter().enumerate() {
            let watermark = around.bound(row, cx.watermark);
            if self.is_timed {
                self.fire(watermark, cx)?;
            }
            self.slots.clear();
            self.slots.extend(slots.iter().map(|slots| slots[row]));
            let (logic, mut context) = self.context(keys.get(row), around.time(row), watermark);
            context.row = Some((&around, row));
            call(logic, &mut context, value);
            match std::mem::take(&mut context.verdict) {
                Verdict::Fine => {}
                Verdict::Late => around.split_off(row, self.late, cx, || self.name.clone())?,
                Verdict::Bad(failure) => around.bad(row, cx, failure)?,
                Verdict::Fatal(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Lets everything happen that is due when the watermark stands at `until`.
    fn fire(&mut self, until: EventTime, cx: &mut Cx<'_>) -> Result<(), OperatorError> {
        while let Some((time, timer)) = self.timers.pop(until, &mut cx.state)? {
            let Some((whose, key)) = timer.split_first_chunk::<2>() else {
                let detail = format!("{timer:02x?} is no timer");
                return Err(OperatorError::CorruptState { operator: self.name.clone(), detail });
            };
            let whose = usize::from(u16::from_be_bytes(*whose));
            if let Some(state) = whose.checked_sub(1).and_then(|at| self.states.get_mut(at)) {
                state.expire(time, &timer, &mut self.timers, &mut cx.state)?;
                continue;
            }
            self.slots.clear();
            for state in &mut self.states {
                self.slots.push(state.load_one(key, &mut cx.state)?);
            }
            let (logic, mut context) = self.context(key, time, time);
            logic.timer(&mut context, time);
            match std::mem::take(&mut context.verdict) {
                Verdict::Fine | Verdict::Late => {}
                Verdict::Fatal(error) => return Err(error),
                Verdict::Bad(failure) => {
                    let crate::expression::Failure { what, detail } = failure;
                    return Err(OperatorError::Expression {
                        expression: format!("{} {what}", self.name),
                        detail,
                    });
                }
            }
        }
        Ok(())
    }

    fn context<'a>(
        &'a mut self,
        key: &'a [u8],
        time: EventTime,
        watermark: EventTime,
    ) -> (&'a mut L, Context<'a, L::Out>) {
        let context = Context {
            key,
            time,
            watermark,
            is_timed: self.is_timed,
            states: &mut self.states,
            slots: &self.slots,
            timers: &mut self.timers,
            out: &mut self.out,
            sides: &mut self.sides,
            row: None,
            verdict: Verdict::Fine,
        };
        (&mut self.logic, context)
    }

    fn emit(&mut self, cx: &mut Cx<'_>) {
        let main = self.out.take(self.is_timed);
        let sides = self.sides.iter_mut().filter_map(|side| side.take(self.is_timed));
        main.into_iter().chain(sides).for_each(|batch| cx.emit(batch));
    }
}
