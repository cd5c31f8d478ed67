//! What stands in the tables of the catalog: the databases, the tables and views of this one with their columns, and the
//! types that columns have.

use super::World;
use super::tables::CatalogTable;
use super::value::Value;
use crate::types::{KNOWN, Kind, format_type};
use crate::{Column, Table};
use std::collections::BTreeMap;

/// The schema of the tables, by PostgreSQL's own number for it, and those of the catalog.
pub(super) const PUBLIC: i64 = 2_200;
const PG_CATALOG: i64 = 11;
const INFORMATION_SCHEMA: i64 = 13_000;
/// Who owns everything.
pub(super) const OWNER: &str = "millstream";
const OWNER_OID: i64 = 10;
/// The smallest number of what is no part of the catalog.
const FIRST_OID: i64 = 16_384;

/// Schemas, with their numbers.
pub(super) const SCHEMAS: &[(i64, &str)] =
    &[(PUBLIC, "public"), (PG_CATALOG, "pg_catalog"), (INFORMATION_SCHEMA, "information_schema")];

/// Values that are not what others of their type are here.
type Given<'v> = Vec<(&'v str, Value)>;

/// The rows of a table of the catalog.
pub(super) fn rows(table: &CatalogTable, world: &World<'_>) -> Vec<Vec<Value>> {
    let rows: Vec<Given<'_>> = match (table.schema, table.name) {
        ("pg_catalog", "pg_namespace") => SCHEMAS.iter().map(|(oid, name)| schema(*oid, name)).collect(),
        ("pg_catalog", "pg_class") => numbered(world.tables).map(|(oid, table)| class(oid, table)).collect(),
        ("pg_catalog", "pg_attribute") => {
            numbered(world.tables).flat_map(|(oid, table)| attributes(oid, table)).collect()
        }
        ("pg_catalog", "pg_type") => types(),
        ("pg_catalog", "pg_database") => world.databases.iter().map(|name| database(name)).collect(),
        ("pg_catalog", "pg_tables") => owned(world, false, ["tablename", "tableowner"]),
        ("pg_catalog", "pg_views") => owned(world, true, ["viewname", "viewowner"]),
        ("pg_catalog", "pg_settings") => {
            world.settings.all().map(|(name, value)| setting(name, value)).collect()
        }
        ("pg_catalog", name) => fixed(name),
        (_, name) => standard(name, world),
    };
    rows.into_iter().map(|given| filled(table, given)).collect()
}

/// Rows that are the same for everybody: who owns everything, and what types and tables are said to be kept in.
fn fixed(name: &str) -> Vec<Given<'static>> {
    let row = match name {
        "pg_roles" => vec![
            ("oid", Value::Int(OWNER_OID)),
            ("rolname", Value::text(OWNER)),
            ("rolinherit", Value::Bool(true)),
            ("rolcanlogin", Value::Bool(true)),
            ("rolconnlimit", Value::Int(-1)),
        ],
        "pg_user" => vec![("usename", Value::text(OWNER)), ("usesysid", Value::Int(OWNER_OID))],
        "pg_am" => {
            vec![("oid", Value::Int(2)), ("amname", Value::text("heap")), ("amtype", Value::text("t"))]
        }
        "pg_collation" => vec![
            ("oid", Value::Int(100)),
            ("collname", Value::text("default")),
            ("collnamespace", Value::Int(PG_CATALOG)),
            ("collprovider", Value::text("d")),
            ("collisdeterministic", Value::Bool(true)),
            ("collencoding", Value::Int(-1)),
        ],
        "pg_tablespace" => {
            let name = Value::text("pg_default");
            vec![("oid", Value::Int(1_663)), ("spcname", name), ("spcowner", Value::Int(OWNER_OID))]
        }
        _ => return Vec::new(),
    };
    vec![row]
}

fn schema(oid: i64, name: &str) -> Given<'static> {
    vec![("oid", Value::Int(oid)), ("nspname", Value::text(name)), ("nspowner", Value::Int(OWNER_OID))]
}

/// Tables, or views, with their owner.
fn owned<'w>(world: &World<'w>, views: bool, [name, owner]: [&'static str; 2]) -> Vec<Given<'w>> {
    let tables = world.tables.iter().filter(|table| table.is_view == views);
    let row = |table: &Table| {
        vec![
            ("schemaname", Value::text("public")),
            (name, Value::text(&table.name)),
            (owner, Value::text(OWNER)),
        ]
    };
    tables.map(row).collect()
}

fn setting(name: &str, value: &str) -> Given<'static> {
    vec![
        ("name", Value::text(name)),
        ("setting", Value::text(value)),
        ("context", Value::text("user")),
        ("vartype", Value::text("string")),
        ("source", Value::text("default")),
        ("reset_val", Value::text(value)),
    ]
}

/// A row with what its columns hold otherwise: numbers are 0, nothing holds, and texts are not there.
fn filled(table: &CatalogTable, given: Given<'_>) -> Vec<Value> {
    let mut given: BTreeMap<&str, Value> = given.into_iter().collect();
    let value = |(name, kind): (&str, Kind)| {
        given.remove(name).unwrap_or(match kind {
            Kind::Bool => Value::Bool(false),
            Kind::Int2 | Kind::Int4 | Kind::Int8 | Kind::Oid => Value::Int(0),
            Kind::Float4 => Value::Float(0.0),
            Kind::Char => Value::text(""),
            _ => Value::Null,
        })
    };
    table.columns().map(value).collect()
}

/// Tables with numbers that stay theirs whatever else is declared, but for the few whose names would have the same one.
pub(super) fn numbered(tables: &[Table]) -> impl Iterator<Item = (i64, &Table)> {
    let mut taken = BTreeMap::new();
    tables.iter().map(move |table| {
        let mut oid = number(&table.name);
        while taken.insert(oid, ()).is_some() {
            oid += 1;
        }
        (oid, table)
    })
}

/// A number made of a name.
fn number(name: &str) -> i64 {
    let mixed = |hash: u64, byte: u8| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    let hash = name.bytes().fold(0xcbf2_9ce4_8422_2325, mixed);
    FIRST_OID + (hash % (1 << 30)) as i64
}

fn class(oid: i64, table: &Table) -> Given<'_> {
    vec![
        ("oid", Value::Int(oid)),
        ("relname", Value::text(&table.name)),
        ("relnamespace", Value::Int(PUBLIC)),
        ("relowner", Value::Int(OWNER_OID)),
        ("relam", Value::Int(if table.is_view { 0 } else { 2 })),
        ("reltuples", Value::Float(-1.0)),
        ("relpersistence", Value::text("p")),
        ("relkind", Value::text(if table.is_view { "v" } else { "r" })),
        ("relnatts", Value::Int(table.columns.len() as i64)),
        ("relispopulated", Value::Bool(true)),
        ("relreplident", Value::text("d")),
    ]
}

fn attributes(oid: i64, table: &Table) -> impl Iterator<Item = Given<'_>> {
    (1..).zip(&table.columns).map(move |(number, column)| {
        let kind = Kind::of_flink(&column.type_name);
        vec![
            ("attrelid", Value::Int(oid)),
            ("attname", Value::text(&column.name)),
            ("atttypid", Value::Int(i64::from(kind.oid()))),
            ("attlen", Value::Int(i64::from(kind.width()))),
            ("attnum", Value::Int(number)),
            ("attcacheoff", Value::Int(-1)),
            ("atttypmod", Value::Int(i64::from(kind.modifier()))),
            ("attalign", Value::text("i")),
            ("attstorage", Value::text(if kind.width() > 0 { "p" } else { "x" })),
            ("attislocal", Value::Bool(true)),
        ]
    })
}

fn types() -> Vec<Given<'static>> {
    let one = |oid: u32, name: String, width: i16, category: &'static str, item: u32, array: u32| {
        vec![
            ("oid", Value::Int(i64::from(oid))),
            ("typname", Value::Text(name)),
            ("typnamespace", Value::Int(PG_CATALOG)),
            ("typowner", Value::Int(OWNER_OID)),
            ("typlen", Value::Int(i64::from(width))),
            ("typbyval", Value::Bool((1..=8).contains(&width))),
            ("typtype", Value::text(if width == -2 { "p" } else { "b" })),
            ("typcategory", Value::text(category)),
            ("typispreferred", Value::Bool(matches!(oid, 16 | 25 | 26 | 701 | 1184))),
            ("typisdefined", Value::Bool(true)),
            ("typdelim", Value::text(",")),
            ("typelem", Value::Int(i64::from(item))),
            ("typarray", Value::Int(i64::from(array))),
            ("typinput", Value::text(if item == 0 { "textin" } else { "array_in" })),
            ("typoutput", Value::text(if item == 0 { "textout" } else { "array_out" })),
            ("typalign", Value::text("i")),
            ("typstorage", Value::text(if width > 0 { "p" } else { "x" })),
            ("typtypmod", Value::Int(-1)),
        ]
    };
    let plain = KNOWN
        .iter()
        .map(|known| one(known.oid, known.name.to_owned(), known.width, known.category, 0, known.array));
    let arrays = KNOWN.iter().filter(|known| known.array != 0);
    let arrays = arrays.map(|known| one(known.array, format!("_{}", known.name), -1, "A", known.oid, 0));
    plain.chain(arrays).collect()
}

fn database(name: &str) -> Given<'_> {
    vec![
        ("oid", Value::Int(number(name))),
        ("datname", Value::text(name)),
        ("datdba", Value::Int(OWNER_OID)),
        ("encoding", Value::Int(6)),
        ("datlocprovider", Value::text("c")),
        ("datallowconn", Value::Bool(true)),
        ("datconnlimit", Value::Int(-1)),
        ("dattablespace", Value::Int(1_663)),
        ("datcollate", Value::text("C.UTF-8")),
        ("datctype", Value::text("C.UTF-8")),
    ]
}

/// Rows of the schema that the standard has.
fn standard<'w>(name: &str, world: &World<'w>) -> Vec<Given<'w>> {
    let database = world.database;
    let no = || Value::text("NO");
    let of = |table: &Table| {
        vec![
            ("table_catalog", Value::text(database)),
            ("table_schema", Value::text("public")),
            ("table_name", Value::text(&table.name)),
        ]
    };
    let with = |mut row: Given<'w>, rest: Given<'w>| {
        row.extend(rest);
        row
    };
    match name {
        "schemata" => SCHEMAS
            .iter()
            .map(|(_, schema)| {
                vec![
                    ("catalog_name", Value::text(database)),
                    ("schema_name", Value::text(*schema)),
                    ("schema_owner", Value::text(OWNER)),
                ]
            })
            .collect(),
        "tables" => world
            .tables
            .iter()
            .map(|table| {
                let kind = if table.is_view { "VIEW" } else { "BASE TABLE" };
                with(
                    of(table),
                    vec![("table_type", Value::text(kind)), ("is_insertable_into", no()), ("is_typed", no())],
                )
            })
            .collect(),
        "views" => world
            .tables
            .iter()
            .filter(|table| table.is_view)
            .map(|table| {
                with(
                    of(table),
                    vec![
                        ("check_option", Value::text("NONE")),
                        ("is_updatable", no()),
                        ("is_insertable_into", no()),
                    ],
                )
            })
            .collect(),
        "columns" => {
            let columns = world
                .tables
                .iter()
                .flat_map(|table| (1..).zip(&table.columns).map(move |column| (table, column)));
            columns
                .map(|(table, (number, column))| with(of(table), standard_column(number, column, database)))
                .collect()
        }
        _ => Vec::new(),
    }
}

fn standard_column<'c>(number: i64, column: &Column, database: &str) -> Given<'c> {
    let kind = Kind::of_flink(&column.type_name);
    let (bits, scale, radix) = match kind {
        Kind::Int2 => (Some(16), Some(0), Some(2)),
        Kind::Int4 => (Some(32), Some(0), Some(2)),
        Kind::Int8 => (Some(64), Some(0), Some(2)),
        Kind::Float4 => (Some(24), None, Some(2)),
        Kind::Float8 => (Some(53), None, Some(2)),
        Kind::Numeric(precision, scale) => (Some(i64::from(precision)), Some(i64::from(scale)), Some(10)),
        _ => (None, None, None),
    };
    let digits = match kind {
        Kind::Date => Some(0),
        Kind::Time | Kind::Timestamp | Kind::TimestampTz => Some(6),
        _ => None,
    };
    let number_or_null = |number: Option<i64>| number.map_or(Value::Null, Value::Int);
    let udt = KNOWN.iter().find(|known| known.oid == kind.oid()).map_or("text", |known| known.name);
    vec![
        ("column_name", Value::text(&column.name)),
        ("ordinal_position", Value::Int(number)),
        ("is_nullable", Value::text("YES")),
        ("data_type", Value::text(format_type(kind.oid(), None))),
        ("character_maximum_length", Value::Null),
        ("character_octet_length", Value::Null),
        ("numeric_precision", number_or_null(bits)),
        ("numeric_precision_radix", number_or_null(radix)),
        ("numeric_scale", number_or_null(scale)),
        ("datetime_precision", number_or_null(digits)),
        ("udt_catalog", Value::text(database)),
        ("udt_schema", Value::text("pg_catalog")),
        ("udt_name", Value::text(udt)),
        ("is_identity", Value::text("NO")),
        ("is_generated", Value::text("NEVER")),
        ("is_updatable", Value::text("NO")),
    ]
}
