//! What a writer wrote and what a table wants of it, resolved once into instructions.
//!
//! A schema is compiled against the columns that are needed: a [`RowPlan`] says for each field of the writer's record whether
//! it is appended to a column, and how, or passed over; and what columns get that the writer has no field for. Nothing of a
//! schema is looked at again while records are read.
//!
//! ```text
//! writer: id long, note string, at timestamp-micros      columns: at TIMESTAMP(3), id BIGINT, rank INT
//! plan:   id -> 1 as a long | note skipped | at -> 0, micros to millis | 2 <- null
//! ```
//! What may be read as what is Avro's schema resolution, by the names of fields and their aliases. Beyond it, as Flink's reader
//! would do with a schema of its own: an enum is its symbol, a fixed is its bytes. Unlike there a writer's unit of time and
//! scale of decimals count.

use super::default::encode_default;
use super::schema::{Kind, Logical, Node, RecordField, Schema};
use crate::columns::multiset_value;
use crate::types::sql_type;
use arrow::datatypes::{DataType, Field, FieldRef, Fields, TimeUnit};
use std::sync::Arc;

/// Instructions of a plan, at most: unions in records in unions multiply.
const INSTRUCTIONS_MAX: usize = 50_000;

/// How records of a schema are read.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The writer's schema, for what is passed over.
    pub(crate) writer: Schema,
    /// By branch where the writer's outermost type is a union; else the only one.
    pub(crate) roots: Vec<Result<RowPlan, String>>,
    pub(crate) is_union: bool,
}

/// How a record is read into columns.
#[derive(Debug)]
pub(crate) struct RowPlan {
    pub(crate) steps: Vec<Step>,
    /// Columns that the writer has no field for.
    pub(crate) fills: Vec<(usize, Fill)>,
}

#[derive(Debug)]
pub(crate) enum Step {
    Read(usize, Read),
    Skip(Node),
}

#[derive(Debug)]
pub(crate) enum Fill {
    Null,
    /// A default, as it is written in the reader's schema, which is there as well.
    Value(Box<[u8]>, Read, Arc<Schema>),
}

/// How a value is read; what it becomes is a matter of its column as well.
#[derive(Debug)]
pub(crate) enum Read {
    /// Nothing stands there.
    Null,
    Boolean,
    Int,
    Long,
    Float,
    Double,
    /// Bytes with their length in front.
    Bytes,
    /// So many bytes.
    Fixed(usize),
    Enum(Vec<Box<str>>),
    Uuid,
    /// An unscaled number, in so many bytes or with their length in front, of this scale.
    Decimal(Option<usize>, u8),
    /// A number of such units of time.
    Units(TimeUnit),
    /// One of two, where the branch of this number is null.
    Nullable(u8, Box<Read>),
    Union(Vec<Result<Read, String>>),
    Record(RowPlan),
    Array(Box<Read>),
    Map(Box<Read>),
}

/// Compiles how records of `writer` are read as the `declared` fields, which `reader` describes, of which those that are
/// `needed` become columns.
///
/// # Errors
/// A sentence that says why records of the writer can't be read so.
pub(crate) fn compile(
    writer: &Schema,
    reader: &Arc<Schema>,
    declared: &Fields,
    needed: &Fields,
) -> Result<Plan, String> {
    let mut compiler = Compiler { writer, reader, instructions: 0 };
    let wanted = Wanted::new(reader, &reader.root, declared, needed)?;
    let (branches, is_union) = match &writer.root {
        Node::Union(branches) => (branches.as_slice(), true),
        node => (std::slice::from_ref(node), false),
    };
    let mut roots = Vec::with_capacity(branches.len());
    for branch in branches {
        roots.push(compiler.row_of(branch, &wanted));
    }
    if let [Err(why)] = roots.as_slice() {
        return Err(why.clone());
    }
    Ok(Plan { writer: writer.clone(), roots, is_union })
}

/// A record as it is wanted.
struct Wanted<'r> {
    /// By column: the reader's field, and the field as it is declared and needed.
    columns: Vec<(&'r RecordField, FieldRef, FieldRef)>,
}

impl<'r> Wanted<'r> {
    fn new(reader: &'r Schema, node: &'r Node, declared: &Fields, needed: &Fields) -> Result<Self, String> {
        let Some(fields) = record_fields(reader, node) else {
            return Err(format!("the schema says {} where the table has a ROW", reader.describe(node)));
        };
        if fields.len() != declared.len() {
            let (fields, columns) = (fields.len(), declared.len());
            return Err(format!("the schema has {fields} fields where the table has {columns} columns"));
        }
        let column = |needed: &FieldRef| {
            let place = declared.iter().position(|declared| declared.name() == needed.name());
            let place = place.ok_or_else(|| format!("there is no field \"{}\"", needed.name()))?;
            Ok((&fields[place], FieldRef::clone(&declared[place]), FieldRef::clone(needed)))
        };
        Ok(Wanted { columns: needed.iter().map(column).collect::<Result<_, String>>()? })
    }
}

/// The fields of a record; of one that may be null those of the record.
pub(crate) fn record_fields<'s>(schema: &'s Schema, node: &'s Node) -> Option<&'s [RecordField]> {
    match not_null(node) {
        Node::Named(index) => match &schema.named[*index].kind {
            Kind::Record(fields) => Some(fields),
            _ => None,
        },
        _ => None,
    }
}

/// The other one of two types of which one is null; else the type itself.
pub(crate) fn not_null(node: &Node) -> &Node {
    match node {
        Node::Union(branches) => match branches.as_slice() {
            [Node::Null, other] | [other, Node::Null] | [other] => other,
            _ => node,
        },
        _ => node,
    }
}

struct Compiler<'s> {
    writer: &'s Schema,
    reader: &'s Arc<Schema>,
    instructions: usize,
}

impl Compiler<'_> {
    fn row_of(&mut self, writer: &Node, wanted: &Wanted<'_>) -> Result<RowPlan, String> {
        match writer {
            Node::Null => Err("null, where a record is expected".to_owned()),
            node => match record_fields(self.writer, node) {
                Some(fields) => self.row(fields, wanted),
                None => {
                    Err(format!("the writer has {} where a record is expected", self.writer.describe(node)))
                }
            },
        }
    }

    fn row(&mut self, fields: &[RecordField], wanted: &Wanted<'_>) -> Result<RowPlan, String> {
        let named = |writer: &str, reader: &RecordField| {
            writer == reader.name || reader.aliases.iter().any(|alias| alias == writer)
        };
        let mut found = vec![false; wanted.columns.len()];
        let mut steps = Vec::with_capacity(fields.len());
        for field in fields {
            let place = wanted.columns.iter().position(|(reader, ..)| named(&field.name, reader));
            let Some(place) = place.filter(|place| !found[*place]) else {
                steps.push(Step::Skip(field.node.clone()));
                continue;
            };
            found[place] = true;
            let (reader, declared, needed) = &wanted.columns[place];
            let read = self.read(&field.node, &reader.node, declared, needed);
            let read = read.map_err(|why| format!("field \"{}\": {why}", field.name))?;
            steps.push(Step::Read(place, read));
        }
        // What stands behind all that is needed still has to be passed over: something may follow the record.
        let mut fills = Vec::new();
        for (place, (reader, declared, needed)) in wanted.columns.iter().enumerate() {
            if !found[place] {
                let fill = self.fill(reader, declared, needed);
                fills.push((place, fill.map_err(|why| format!("field \"{}\": {why}", reader.name))?));
            }
        }
        Ok(RowPlan { steps, fills })
    }

    fn fill(&mut self, field: &RecordField, declared: &Field, needed: &Field) -> Result<Fill, String> {
        match &field.default {
            None => Err("the writer's schema does not have it, and it has no default".to_owned()),
            Some(serde_json::Value::Null) if needed.is_nullable() => Ok(Fill::Null),
            Some(default) => {
                let mut bytes = Vec::new();
                encode_default(self.reader, &field.node, default, &mut bytes, 0)?;
                let mut own = Compiler { writer: self.reader, reader: self.reader, instructions: 0 };
                let read = own.read(&field.node, &field.node, declared, needed)?;
                Ok(Fill::Value(bytes.into(), read, Arc::clone(self.reader)))
            }
        }
    }

    /// How a type of the writer's is read into a column.
    fn read(
        &mut self,
        writer: &Node,
        reader: &Node,
        declared: &Field,
        needed: &Field,
    ) -> Result<Read, String> {
        self.instructions += 1;
        if self.instructions > INSTRUCTIONS_MAX {
            return Err("the schema has too many unions in each other".to_owned());
        }
        match writer {
            Node::Null if needed.is_nullable() => Ok(Read::Null),
            Node::Null => Err("null, but the field is declared NOT NULL".to_owned()),
            Node::Union(branches) => {
                let mut reads: Vec<Result<Read, String>> =
                    branches.iter().map(|branch| self.read(branch, reader, declared, needed)).collect();
                if reads.iter().all(Result::is_err) {
                    return reads.swap_remove(reads.len() - 1);
                }
                let null = branches.iter().position(|branch| *branch == Node::Null);
                match (reads.len(), null, reads.iter().all(Result::is_ok)) {
                    (2, Some(null), true) => {
                        let read = reads.swap_remove(1 - null)?;
                        Ok(Read::Nullable(null as u8, Box::new(read)))
                    }
                    _ => Ok(Read::Union(reads)),
                }
            }
            plain => self.plain(plain, reader, declared, needed),
        }
    }

    fn plain(
        &mut self,
        writer: &Node,
        reader: &Node,
        declared: &Field,
        needed: &Field,
    ) -> Result<Read, String> {
        use DataType as T;
        let (schema, named) = (self.writer, self.reader);
        let reader = not_null(reader);
        if let Some(read) = scalar(schema, writer, reader, needed.data_type()) {
            return Ok(read);
        }
        let unfit = || {
            let found = schema.describe(writer);
            Err(format!("the writer has {found}, which can't be read as {}", sql_type(needed.data_type())))
        };
        match (needed.data_type(), writer, kind_of(schema, writer)) {
            (T::Struct(inner), _, Some(Kind::Record(fields))) => {
                let T::Struct(all) = declared.data_type() else { return unfit() };
                let wanted = Wanted::new(named, reader, all, inner)?;
                Ok(Read::Record(self.row(fields, &wanted)?))
            }
            (T::List(item), Node::Array(node), _) => {
                let (Node::Array(reader), T::List(all)) = (reader, declared.data_type()) else {
                    return unfit();
                };
                if schema.is_empty(node) {
                    return Err("the writer's items take no bytes".to_owned());
                }
                Ok(Read::Array(Box::new(self.read(node, reader, all, item)?)))
            }
            (T::Map(..), Node::Map(node), _) => {
                let Node::Map(reader) = reader else { return unfit() };
                let (Some(all), Some(value)) = (map_value(declared), map_value(needed)) else {
                    return unfit();
                };
                Ok(Read::Map(Box::new(self.read(node, reader, &all, &value)?)))
            }
            _ => unfit(),
        }
    }
}

fn kind_of<'s>(schema: &'s Schema, node: &Node) -> Option<&'s Kind> {
    match node {
        Node::Named(index) => Some(&schema.named[*index].kind),
        _ => None,
    }
}

/// How a value that holds no others is read; `None` where it can't be.
fn scalar(schema: &Schema, writer: &Node, reader: &Node, wanted: &DataType) -> Option<Read> {
    use DataType as T;
    let times = |logical: &Logical| match (logical, reader) {
        (Logical::Timestamp(unit, _) | Logical::Time(unit), _) => Some(*unit),
        // A plain number counts what the reader's schema says.
        (Logical::None, Node::Int(Logical::Time(unit)) | Node::Long(Logical::Timestamp(unit, _))) => {
            Some(*unit)
        }
        (Logical::None, Node::Long(Logical::Time(unit))) => Some(*unit),
        _ => None,
    };
    Some(match (wanted, writer, kind_of(schema, writer)) {
        (T::Boolean, Node::Boolean, _) => Read::Boolean,
        (T::Int8 | T::Int16 | T::Int32 | T::Int64 | T::Float32 | T::Float64, Node::Int(_), _) => Read::Int,
        (T::Date32, Node::Int(Logical::Date | Logical::None), _) => Read::Int,
        (T::Int64 | T::Float32 | T::Float64, Node::Long(_), _) => Read::Long,
        (T::Float32 | T::Float64, Node::Float, _) => Read::Float,
        (T::Float64, Node::Double, _) => Read::Double,
        (T::Time32(_) | T::Time64(_), Node::Int(logical) | Node::Long(logical), _) => {
            Read::Units(times(logical).filter(|_| !matches!(logical, Logical::Timestamp(..)))?)
        }
        (T::Timestamp(..), Node::Long(logical), _) => {
            Read::Units(times(logical).filter(|_| !matches!(logical, Logical::Time(_)))?)
        }
        (T::Utf8 | T::Binary, Node::String | Node::Bytes(_), _) => Read::Bytes,
        (T::Utf8, _, Some(Kind::Enum(symbols, _))) => {
            Read::Enum(symbols.iter().map(|symbol| symbol.as_str().into()).collect())
        }
        (T::Utf8, _, Some(Kind::Fixed(16, Logical::Uuid))) => Read::Uuid,
        (T::Binary, _, Some(Kind::Fixed(size, _))) => Read::Fixed(*size),
        (T::Decimal128(_, scale), Node::Bytes(logical), _) => decimal(None, *logical, *scale)?,
        (T::Decimal128(_, scale), _, Some(Kind::Fixed(size, logical))) => {
            decimal(Some(*size), *logical, *scale)?
        }
        _ => return None,
    })
}

/// A decimal of this scale, by what the writer says of it; of plain bytes the column's scale counts.
fn decimal(size: Option<usize>, logical: Logical, column: i8) -> Option<Read> {
    match logical {
        Logical::Decimal(_, scale) => Some(Read::Decimal(size, scale)),
        Logical::None => Some(Read::Decimal(size, u8::try_from(column).ok()?)),
        _ => None,
    }
}

/// The values of a map whose keys are texts; of a multiset how often each text is there.
pub(crate) fn map_value(field: &Field) -> Option<FieldRef> {
    let DataType::Map(entries, _) = field.data_type() else { return None };
    let DataType::Struct(pair) = entries.data_type() else { return None };
    let [key, value] = pair.as_ref() else { return None };
    let texts = *key.data_type() == DataType::Utf8
        || multiset_value(field.data_type()).is_some_and(|value| *value == DataType::Utf8);
    texts.then(|| FieldRef::clone(value))
}
