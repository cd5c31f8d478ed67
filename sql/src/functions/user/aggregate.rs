//! Functions of many rows: what is kept of a group, and closures over it.
//!
//! Where its input only comes, or what goes can be taken back ([`Aggregate::retract`]), and where groups can be put together
//! ([`Aggregate::merge`]), one state is kept by group. Otherwise the engine keeps the values of a group, in the order in which
//! they came, as it does for `LISTAGG`, and folds them anew when its result is wanted: the same results for more memory and
//! more work.

use super::args::{Argument, Parameter, Rows, check_count, check_types};
use super::scalar::contained;
use super::value::{Returned, Room};
use arrow::array::{Array, ArrayRef, AsArray, BooleanArray};
use arrow::compute::cast;
use arrow::datatypes::{DataType, FieldRef};
use datafusion::common::{Result, plan_err};
use datafusion::logical_expr::function::{AccumulatorArgs, StateFieldsArgs};
use datafusion::logical_expr::{Accumulator, AggregateUDF, AggregateUDFImpl, Signature, Volatility};
use millstream_operators::aggregate::{
    GroupValues, States, ValueOrder, ValuesFunction, read_state, write_state,
};
use millstream_operators::columns::ColumnBuilder;
use millstream_operators::keys::Slot;
use millstream_operators::typed::Row;
use std::any::Any;
use std::cell::Cell;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::ops::Range;
use std::sync::Arc;

/// A closure that folds the values of a row into a state: at most six [`Argument`]s behind `&mut State`. `S` is its
/// signature, which is inferred.
pub trait Fold<State, S>: Send + Sync + 'static {
    /// What it takes.
    #[doc(hidden)]
    fn parameters() -> Vec<Parameter>;

    /// Folds some of these rows in that count, each into the state of its slot.
    #[doc(hidden)]
    fn fold(
        &self,
        states: &mut [State],
        slots: &dyn Fn(usize) -> Option<usize>,
        some: Range<usize>,
        rows: &Rows<'_>,
    ) -> Result<(), String>;
}

macro_rules! folds {
    ($(($($A:ident $a:ident $place:tt),*))*) => {$(
        impl<F, State, $($A),*> Fold<State, fn($($A),*)> for F
        where
            F: Send + Sync + 'static,
            for<'f> &'f F: Fn(&mut State, $($A),*) + Fn(&mut State, $(<$A as Argument>::Value<'_>),*),
            $($A: Argument,)*
        {
            fn parameters() -> Vec<Parameter> {
                vec![$(Parameter::of::<$A>()),*]
            }

            #[allow(clippy::too_many_arguments, reason = "those of the function")]
            fn fold(
                &self,
                states: &mut [State],
                slots: &dyn Fn(usize) -> Option<usize>,
                some: Range<usize>,
                rows: &Rows<'_>,
            ) -> Result<(), String> {
                fn called<State, $($A),*>(
                    function: impl Fn(&mut State, $($A),*),
                    state: &mut State,
                    $($a: $A),*
                ) {
                    function(state, $($a),*);
                }
                $(let $a = rows.read::<$A>($place)?;)*
                for row in some {
                    let Some(state) = slots(row).and_then(|slot| states.get_mut(slot)) else { continue };
                    $(let Some($a) = $a.get(row) else { continue };)*
                    called(self, state, $($a),*);
                }
                Ok(())
            }
        }
    )*};
}

folds! {
    (A a 0)
    (A a 0, B b 1)
    (A a 0, B b 1, C c 2)
    (A a 0, B b 1, C c 2, D d 3)
    (A a 0, B b 1, C c 2, D d 3, E e 4)
    (A a 0, B b 1, C c 2, D d 3, E e 4, G g 5)
}

type FoldRows<State> = dyn Fn(&mut [State], &dyn Fn(usize) -> Option<usize>, Range<usize>, &Rows<'_>) -> Result<(), String>
    + Send
    + Sync;
type MergeStates<State> = dyn Fn(&mut State, &State) + Send + Sync;
type ResultOf<State> = dyn Fn(&State, &mut ColumnBuilder) -> Result<(), String> + Send + Sync;

/// A function of many rows, made of closures over a state. A group's state is [`Default`] before its first row; rows with a
/// null that the function does not take do not count.
///
/// The state is stored by serde: give the function another version when its type changes, and keep nothing in it whose order
/// is by chance, as that of a `HashMap` is.
///
/// ```
/// # use millstream_sql::user::Aggregate;
/// // What is bought at what price, on average by what was bought.
/// let average = Aggregate::new(
///     |(value, weight): &mut (f64, i64), price: f64, quantity: i64| {
///         *value += price * quantity as f64;
///         *weight += quantity;
///     },
///     |(value, weight): &(f64, i64)| (*weight != 0).then(|| value / *weight as f64),
/// )
/// .retract(|(value, weight): &mut (f64, i64), price: f64, quantity: i64| {
///     *value -= price * quantity as f64;
///     *weight -= quantity;
/// })
/// .merge(|one, other| {
///     one.0 += other.0;
///     one.1 += other.1;
/// });
/// # let mut functions = millstream_sql::user::Functions::new();
/// functions.aggregate("average_price", 1, average)?;
/// # Ok::<(), millstream_sql::user::FunctionError>(())
/// ```
pub struct Aggregate<State, S> {
    closures: Closures<State>,
    signature: std::marker::PhantomData<fn() -> S>,
}

struct Closures<State> {
    parameters: Vec<Parameter>,
    returns: DataType,
    accumulate: Box<FoldRows<State>>,
    retract: Option<Box<FoldRows<State>>>,
    merge: Option<Box<MergeStates<State>>>,
    result: Box<ResultOf<State>>,
}

impl<State, S> fmt::Debug for Aggregate<State, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aggregate").field("parameters", &self.closures.parameters).finish_non_exhaustive()
    }
}

fn boxed<State, S, F: Fold<State, S>>(fold: F) -> Box<FoldRows<State>> {
    Box::new(move |states, slots, some, rows| fold.fold(states, slots, some, rows))
}

fn parameters_of<State, S, F: Fold<State, S>>(_fold: &F) -> Vec<Parameter> {
    F::parameters()
}

impl<State: Row + Default, S> Aggregate<State, S> {
    /// Of how the values of a row go into the state of their group, and what its result is then.
    pub fn new<R: Returned>(
        accumulate: impl Fold<State, S>,
        result: impl Fn(&State) -> R + Send + Sync + 'static,
    ) -> Self {
        let closures = Closures {
            parameters: parameters_of(&accumulate),
            returns: R::data_type(),
            accumulate: boxed(accumulate),
            retract: None,
            merge: None,
            result: Box::new(move |state, out| result(state).append(out, &mut Room::new())),
        };
        Aggregate { closures, signature: std::marker::PhantomData }
    }

    /// How the values of a row that is taken back leave the state of their group, which is as if they had never come.
    #[must_use]
    pub fn retract(mut self, retract: impl Fold<State, S>) -> Self {
        self.closures.retract = Some(boxed(retract));
        self
    }

    /// How the state of rows that came later goes into another.
    #[must_use]
    pub fn merge(mut self, merge: impl Fn(&mut State, &State) + Send + Sync + 'static) -> Self {
        self.closures.merge = Some(Box::new(merge));
        self
    }
}

/// A function of many rows, for the engine.
struct Folded<State> {
    name: String,
    version: u32,
    closures: Closures<State>,
}

/// As it is stored: a state of another type, or of another version, is another.
impl<State> fmt::Debug for Folded<State> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, version {} in {}", self.name, self.version, std::any::type_name::<State>())
    }
}

impl<State: Row + Default> Folded<State> {
    /// Folds rows of the aggregated column into states; `takes`: out of them.
    fn fold(
        &self,
        states: &mut [State],
        column: &ArrayRef,
        slots: &dyn Fn(usize) -> Option<usize>,
        runs: impl Iterator<Item = (Range<usize>, bool)>,
    ) -> Result<(), String> {
        let Closures { parameters, accumulate, retract, .. } = &self.closures;
        let columns = arguments(parameters, column)?;
        let rows = Rows { columns: &columns, constant: &[], count: column.len() };
        for (some, taken_back) in runs {
            let fold = match taken_back {
                false => accumulate,
                true => retract.as_ref().ok_or("the function can't take a row back")?,
            };
            contained(|| fold(states, slots, some, &rows))?;
        }
        Ok(())
    }

    fn append(&self, state: &State, out: &mut ColumnBuilder) -> Result<(), String> {
        let rows = out.len();
        contained(|| (self.closures.result)(state, out)).inspect_err(|_| out.truncate(rows))
    }
}

/// The columns of the arguments: the aggregated one, or its fields, of the types that the function takes.
fn arguments(parameters: &[Parameter], column: &ArrayRef) -> Result<Vec<ArrayRef>, String> {
    let columns = match parameters {
        [_] => std::slice::from_ref(column),
        _ => column.as_struct_opt().ok_or("the values are no rows")?.columns(),
    };
    let typed = parameters.iter().zip(columns).map(|(parameter, column)| {
        match *column.data_type() == parameter.data_type {
            true => Ok(Arc::clone(column)),
            false => cast(column, &parameter.data_type).map_err(|error| error.to_string()),
        }
    });
    typed.collect()
}

/// A function of many rows, that others have too.
struct Shared<State>(Arc<Folded<State>>);

impl<State> fmt::Debug for Shared<State> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl<State: Row + Default> ValuesFunction for Shared<State> {
    fn name(&self) -> &str {
        &self.0.name
    }

    fn parameter(&self) -> Option<String> {
        Some(format!("version {}", self.0.version))
    }

    fn data_type(&self, _argument: &DataType) -> DataType {
        self.0.closures.returns.clone()
    }

    fn order(&self) -> ValueOrder {
        ValueOrder::Arrival
    }

    fn takes_nulls(&self) -> bool {
        matches!(self.0.closures.parameters.as_slice(), [one] if one.takes_null)
    }

    fn states(&self, taken_back: bool) -> Option<Box<dyn States>> {
        let Closures { merge, retract, .. } = &self.0.closures;
        let can = merge.is_some() && (!taken_back || retract.is_some());
        let states = || ByGroup { function: Arc::clone(&self.0), states: Vec::new(), lengths: Vec::new() };
        can.then(|| Box::new(states()) as Box<dyn States>)
    }

    fn result(&self, values: &GroupValues, out: &mut ColumnBuilder) -> Result<(), String> {
        let mut state = [State::default()];
        // In the order of arrival each is there once.
        let all = std::iter::once((0..values.column.len(), false));
        self.0.fold(&mut state, &values.column, &|_| Some(0), all)?;
        let [state] = &state;
        self.0.append(state, out)
    }
}

/// The states of groups.
struct ByGroup<State> {
    function: Arc<Folded<State>>,
    states: Vec<State>,
    /// How long they were when they were stored or read.
    lengths: Vec<Cell<u32>>,
}

impl<State> fmt::Debug for ByGroup<State> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} states of {:?}", self.states.len(), self.function)
    }
}

impl<State: Row + Default> ByGroup<State> {
    fn state(&self, slot: Slot) -> Result<&State, String> {
        self.states.get(slot as usize).ok_or_else(|| "the group has no state".to_owned())
    }

    fn kept(&self, slot: Slot, bytes: usize) {
        if let Some(length) = self.lengths.get(slot as usize) {
            length.set(u32::try_from(bytes).unwrap_or(u32::MAX));
        }
    }
}

impl<State: Row + Default> States for ByGroup<State> {
    fn resize(&mut self, slots: usize) {
        self.states.resize_with(slots, State::default);
        self.lengths.resize_with(slots, Cell::default);
    }

    fn reset(&mut self, slot: Slot) {
        if let Some(state) = self.states.get_mut(slot as usize) {
            *state = State::default();
        }
        self.kept(slot, 0);
    }

    fn update(
        &mut self,
        slots: &[Slot],
        column: &ArrayRef,
        filter: Option<&BooleanArray>,
        signs: Option<&[i8]>,
    ) -> Result<(), String> {
        let counts = |row: usize| filter.is_none_or(|filter| filter.is_valid(row) && filter.value(row));
        let slot_of = |row: usize| slots.get(row).filter(|_| counts(row)).map(|slot| *slot as usize);
        let taken_back = |row: &usize| signs.and_then(|signs| signs.get(*row)).is_some_and(|sign| *sign < 0);
        let rows: Vec<usize> = (0..column.len()).collect();
        let runs = rows.chunk_by(|one, next| taken_back(one) == taken_back(next));
        let runs = runs.filter_map(|run| Some((*run.first()?..run.last()? + 1, taken_back(run.first()?))));
        let function = Arc::clone(&self.function);
        function.fold(&mut self.states, column, &slot_of, runs)
    }

    fn merge(&mut self, slot: Slot, other: &dyn States, from: Slot) -> Result<(), String> {
        let other = other.as_any().downcast_ref::<Self>().ok_or("the states are of another function")?;
        let merge = self.function.closures.merge.as_ref().ok_or("the function can't merge groups")?;
        let other = other.state(from)?;
        let state = self.states.get_mut(slot as usize).ok_or("the group has no state")?;
        contained(|| {
            merge(state, other);
            Ok(())
        })
    }

    fn append_result(&self, slot: Slot, out: &mut ColumnBuilder) -> Result<(), String> {
        self.function.append(self.state(slot)?, out)
    }

    fn encode(&self, slot: Slot, out: &mut Vec<u8>) -> Result<(), String> {
        let before = out.len();
        contained(|| write_state(self.state(slot)?, out))?;
        self.kept(slot, out.len() - before);
        Ok(())
    }

    fn decode(&mut self, slot: Slot, bytes: &[u8]) -> Result<(), String> {
        let read = contained(|| read_state(bytes))?;
        *self.states.get_mut(slot as usize).ok_or("the group has no state")? = read;
        self.kept(slot, bytes.len());
        Ok(())
    }

    fn memory_bytes(&self) -> usize {
        let stored: usize = self.lengths.iter().map(|length| length.get() as usize).sum();
        self.states.capacity() * size_of::<State>() + self.lengths.capacity() * size_of::<u32>() + stored
    }

    fn as_any(&self) -> &dyn Any {
        self
    }
}

/// A function of many rows as the planner calls it.
pub(super) fn udaf<State: Row + Default, S>(
    name: &str,
    version: u32,
    function: Aggregate<State, S>,
) -> Arc<AggregateUDF> {
    let (name, closures) = (name.to_lowercase(), function.closures);
    let (parameters, returns) = (closures.parameters.clone(), closures.returns.clone());
    let function = Arc::new(Shared(Arc::new(Folded { name: name.clone(), version, closures })));
    let signature = Signature::user_defined(Volatility::Immutable);
    Arc::new(AggregateUDF::from(UserAggregate { name, parameters, returns, function, signature }))
}

/// The function of a user's that DataFusion calls.
pub(crate) fn of_users(udaf: &AggregateUDF) -> Option<&UserAggregate> {
    udaf.inner().downcast_ref::<UserAggregate>()
}

/// A function of many rows, whatever its closures.
#[derive(Debug)]
pub(crate) struct UserAggregate {
    name: String,
    parameters: Vec<Parameter>,
    returns: DataType,
    function: Arc<dyn ValuesFunction>,
    signature: Signature,
}

impl UserAggregate {
    /// The function, of arguments of these types.
    ///
    /// # Errors
    /// What is wrong with them, behind its name.
    pub(crate) fn of<'t>(
        &self,
        found: impl ExactSizeIterator<Item = &'t DataType>,
    ) -> Result<Arc<dyn ValuesFunction>, String> {
        check_types(&self.parameters, found).map(|()| Arc::clone(&self.function))
    }
}

impl PartialEq for UserAggregate {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.function, &other.function)
    }
}

impl Eq for UserAggregate {}

impl Hash for UserAggregate {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}

impl AggregateUDFImpl for UserAggregate {
    fn name(&self) -> &str {
        &self.name
    }

    fn signature(&self) -> &Signature {
        &self.signature
    }

    fn coerce_types(&self, arg_types: &[DataType]) -> Result<Vec<DataType>> {
        Ok(arg_types.to_vec())
    }

    /// Types are checked when they are known: a whole number is a `BIGINT` still.
    fn return_type(&self, arg_types: &[DataType]) -> Result<DataType> {
        match check_count(&self.parameters, arg_types.len()) {
            Ok(()) => Ok(self.returns.clone()),
            Err(wrong) => plan_err!("{} {wrong}", self.name.to_uppercase()),
        }
    }

    fn accumulator(&self, _args: AccumulatorArgs<'_>) -> Result<Box<dyn Accumulator>> {
        plan_err!("{} has no batch answer", self.name.to_uppercase())
    }

    fn state_fields(&self, _args: StateFieldsArgs<'_>) -> Result<Vec<FieldRef>> {
        plan_err!("{} has no batch answer", self.name.to_uppercase())
    }
}
