//! A test kit for operators: batches as small tables of text, and a harness that drives one operator as a task would.
//!
//! ```text
//! k:i64 name:utf8 | + 1 a  - 2 null  + @12 3 'two words'
//! ```
//! Columns with their types, a bar, then rows: the change kind, the event time where it matters, a value for each
//! column. Spaces and line breaks are alike. [`batch`] reads it, [`print()`] writes it back with a row on each line.
//!
//! | type | is | values |
//! |---|---|---|
//! | `bool i8 i16 i32 i64 f32 f64` | numbers | `true`, `-1`, `2.5` |
//! | `dec(10,2)` | `DECIMAL(10, 2)` | `1.25` |
//! | `utf8 bytes` | text, base 64 | `a`, `'two words'`, `'it''s'` |
//! | `date time ts ltz` | times in milliseconds | `2015-07-15T00:00:00.5`, with `Z` for `ltz` |
//! | `row(a:i64,b:utf8) list(i64) map(i64)` | nested, maps from text | JSON: `{"a":1}`, `[1,null]` |
//!
//! A type with a `!` behind it can't be null.

mod check;
mod function;
mod harness;
mod specs;
mod table;
mod timed;
mod typed;

pub use check::{check, check_events, fails};
pub use function::Function;
pub use harness::{After, Event, Harness};
pub use specs::{Keyed, Written};
pub use table::{batch, canonical, field, print, print_all};
pub use timed::{Happening, Outcome, check_timed, happenings, play_every_way};
pub use typed::{OfRows, ReadRow, ShowRows, read_by};
