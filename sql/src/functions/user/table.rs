//! Functions of tables: closures that give rows for each row.
//!
//! To the planner one is a function whose result is an array of rows: `LATERAL TABLE(f(x))` is the elements of `f(x)`, so
//! that what it can't compute is the row's error, and a row that is taken back takes its rows back.

use super::FunctionError;
use super::args::{Argument, Parameter, Rows};
use super::scalar::{UserScalar, called};
use super::value::{Room, Value};
use arrow::datatypes::{DataType, Field, Fields};
use datafusion::logical_expr::ScalarUDF;
use millstream_operators::columns::ColumnBuilder;
use std::collections::BTreeSet;
use std::fmt::Display;
use std::sync::Arc;

/// A row of a function of a table: a [`Value`], or a tuple of at most eight.
pub trait TableRow: Sized {
    /// Types of its columns.
    #[doc(hidden)]
    fn data_types() -> Vec<DataType>;

    /// Appends a value to each column.
    #[doc(hidden)]
    fn append(self, columns: &mut [ColumnBuilder], room: &mut Room) -> Result<(), String>;
}

/// What a function of a table gives for a row: a `Vec` of [`TableRow`]s, an `Option` of one, or a `Result` of either.
pub trait TableRows {
    /// One of the rows.
    #[doc(hidden)]
    type Row: TableRow;

    /// The rows.
    #[doc(hidden)]
    fn rows(self) -> Result<Vec<Self::Row>, String>;
}

impl<T: TableRow> TableRows for Vec<T> {
    type Row = T;

    fn rows(self) -> Result<Vec<T>, String> {
        Ok(self)
    }
}

impl<T: TableRow> TableRows for Option<T> {
    type Row = T;

    fn rows(self) -> Result<Vec<T>, String> {
        Ok(self.into_iter().collect())
    }
}

impl<T: TableRows, E: Display> TableRows for Result<T, E> {
    type Row = T::Row;

    fn rows(self) -> Result<Vec<T::Row>, String> {
        self.map_err(|error| error.to_string())?.rows()
    }
}

/// Rows of one column.
macro_rules! rows_of_one {
    ($([$($generics:tt)*] $type:ty;)*) => {$(
        impl<$($generics)*> TableRow for $type {
            fn data_types() -> Vec<DataType> {
                vec![<Self as Value>::data_type()]
            }

            fn append(self, columns: &mut [ColumnBuilder], room: &mut Room) -> Result<(), String> {
                let column = columns.first_mut().ok_or("the row has no column")?;
                Value::append(self, column, room)
            }
        }
    )*};
}

rows_of_one! {
    [] bool;
    [] i8;
    [] i16;
    [] i32;
    [] i64;
    [] f32;
    [] f64;
    [] String;
    [] &'static str;
    [] Vec<u8>;
    [] super::Date;
    [] super::Timestamp;
    [] super::TimestampLtz;
    [const P: u8, const S: i8] super::Decimal<P, S>;
    [T: Value] Option<T>;
}

macro_rules! rows_of_tuples {
    ($(($($A:ident $place:tt),*))*) => {$(
        impl<$($A: Value),*> TableRow for ($($A,)*) {
            fn data_types() -> Vec<DataType> {
                vec![$($A::data_type()),*]
            }

            fn append(self, columns: &mut [ColumnBuilder], room: &mut Room) -> Result<(), String> {
                $(
                    let column = columns.get_mut($place).ok_or("the row has more columns")?;
                    self.$place.append(column, room)?;
                )*
                Ok(())
            }
        }
    )*};
}

rows_of_tuples! {
    (A 0)
    (A 0, B 1)
    (A 0, B 1, C 2)
    (A 0, B 1, C 2, D 3)
    (A 0, B 1, C 2, D 3, E 4)
    (A 0, B 1, C 2, D 3, E 4, G 5)
    (A 0, B 1, C 2, D 3, E 4, G 5, H 6)
    (A 0, B 1, C 2, D 3, E 4, G 5, H 6, I 7)
}

/// A closure that is a function of a table: at most six [`Argument`]s, and [`TableRows`] as its result. `S` is its
/// signature, which is inferred.
pub trait TableFunction<S>: Send + Sync + 'static {
    /// What it takes.
    #[doc(hidden)]
    fn parameters() -> Vec<Parameter>;

    /// Types of the columns of its rows.
    #[doc(hidden)]
    fn data_types() -> Vec<DataType>;

    /// Appends an array of rows for each of these.
    #[doc(hidden)]
    fn results(&self, rows: &Rows<'_>, out: &mut ColumnBuilder) -> Result<(), String>;
}

/// Appends the rows of one row as an array.
fn append_rows<R: TableRow>(rows: Vec<R>, out: &mut ColumnBuilder, room: &mut Room) -> Result<(), String> {
    room.take_items(rows.len())?;
    let items = out.list_items().ok_or("the result is no array")?;
    for row in rows {
        row.append(items.struct_columns(), room)?;
        items.seal_struct();
    }
    out.seal_list();
    Ok(())
}

macro_rules! table_functions {
    ($(($($A:ident $a:ident $place:tt),*))*) => {$(
        impl<F, R, $($A),*> TableFunction<fn($($A),*) -> R> for F
        where
            F: Send + Sync + 'static,
            for<'f> &'f F: Fn($($A),*) -> R + Fn($(<$A as Argument>::Value<'_>),*) -> R,
            R: TableRows,
            $($A: Argument,)*
        {
            fn parameters() -> Vec<Parameter> {
                vec![$(Parameter::of::<$A>()),*]
            }

            fn data_types() -> Vec<DataType> {
                R::Row::data_types()
            }

            fn results(&self, rows: &Rows<'_>, out: &mut ColumnBuilder) -> Result<(), String> {
                fn called<R, $($A),*>(function: impl Fn($($A),*) -> R, $($a: $A),*) -> R {
                    function($($a),*)
                }
                let mut room = Room::new();
                $(let $a = rows.read::<$A>($place)?;)*
                for row in 0..rows.count {
                    $(let Some($a) = $a.get(row) else {
                        out.append_null();
                        continue;
                    };)*
                    append_rows(called(self, $($a),*).rows()?, out, &mut room)?;
                }
                Ok(())
            }
        }
    )*};
}

table_functions! {
    (A a 0)
    (A a 0, B b 1)
    (A a 0, B b 1, C c 2)
    (A a 0, B b 1, C c 2, D d 3)
    (A a 0, B b 1, C c 2, D d 3, E e 4)
    (A a 0, B b 1, C c 2, D d 3, E e 4, G g 5)
}

/// A function of a table as the planner calls it.
pub(super) fn udf<S>(
    name: &str,
    version: u32,
    columns: &[&str],
    function: impl TableFunction<S>,
) -> Result<Arc<ScalarUDF>, FunctionError> {
    made(name, version, columns, function).map(called)
}

fn made<S, F: TableFunction<S>>(
    name: &str,
    version: u32,
    columns: &[&str],
    function: F,
) -> Result<UserScalar, FunctionError> {
    let types = F::data_types();
    if types.len() != columns.iter().collect::<BTreeSet<_>>().len() || types.len() != columns.len() {
        let (columns, names) = (types.len(), columns.len());
        return Err(FunctionError::Columns { function: name.to_owned(), columns, names });
    }
    let fields = columns.iter().zip(types).map(|(name, data_type)| Field::new(*name, data_type, true));
    let row = DataType::Struct(fields.collect::<Fields>());
    let returns = DataType::List(Arc::new(Field::new("item", row, true)));
    let results = move |rows: &Rows<'_>, out: &mut ColumnBuilder| function.results(rows, out);
    Ok(UserScalar::new(name, version, F::parameters(), returns, results))
}
