//! `CREATE TABLE .. LIKE`: a table made of another, by Flink's rules.
//!
//! The columns of the other come first. Physical ones are always taken; for the rest the statement says whether they are
//! taken, and whether they may be declared anew.

use crate::error::{SqlError, code};
use crate::script::{ColumnDef, ColumnDefKind, CreateTable, Feature, Like, Merging, Options};

/// The table that a statement declares, of what `source` declares.
///
/// # Errors
/// What both declare, and may not.
pub(super) fn merged(
    def: &CreateTable,
    like: &Like,
    source: &CreateTable,
) -> Result<CreateTable, Vec<SqlError>> {
    let mut errors = Vec::new();
    let columns = columns(def, like, source, &mut errors);
    let watermarks = match (like.merging(Feature::Watermarks), def.watermarks.first()) {
        (Merging::Including, Some(second)) if !source.watermarks.is_empty() => {
            let message = format!("table \"{}\" has a watermark already", source.name.value);
            let error = SqlError::new(code::WATERMARK, second.span, message);
            errors.push(error.help("write LIKE .. (OVERWRITING WATERMARKS), or leave this one out"));
            Vec::new()
        }
        (Merging::Including | Merging::Overwriting, None) => source.watermarks.clone(),
        _ => def.watermarks.clone(),
    };
    let primary_key = match (like.merging(Feature::Constraints), &def.primary_key) {
        (Merging::Excluding, own) => own.clone(),
        (_, None) => source.primary_key.clone(),
        (_, Some(own)) => {
            if source.primary_key.is_some() {
                let message = format!("table \"{}\" has a primary key already", source.name.value);
                let error = SqlError::new(code::PRIMARY_KEY, own.span, message);
                errors.push(error.help("write LIKE .. (EXCLUDING CONSTRAINTS), or leave this one out"));
            }
            Some(own.clone())
        }
    };
    let partitions = match (like.merging(Feature::Partitions), &def.partitions) {
        (Merging::Excluding, own) => own.clone(),
        (_, None) => source.partitions.clone(),
        (_, Some(own)) => {
            if source.partitions.is_some() {
                let message = format!("table \"{}\" has partitions already", source.name.value);
                let error = SqlError::new(code::CLAUSE, own.span, message);
                errors.push(error.help("write LIKE .. (EXCLUDING PARTITIONS), or leave PARTITIONED BY out"));
            }
            Some(own.clone())
        }
    };
    let options = options(def, like, source, &mut errors);
    let def =
        CreateTable { columns, watermarks, primary_key, partitions, options, like: None, ..def.clone() };
    match errors.is_empty() {
        true => Ok(def),
        false => Err(errors),
    }
}

fn feature_of(column: &ColumnDef) -> Option<Feature> {
    match column.kind {
        ColumnDefKind::Physical(_) => None,
        ColumnDefKind::Computed { .. } => Some(Feature::Generated),
        ColumnDefKind::Metadata { .. } => Some(Feature::Metadata),
    }
}

fn columns(
    def: &CreateTable,
    like: &Like,
    source: &CreateTable,
    errors: &mut Vec<SqlError>,
) -> Vec<ColumnDef> {
    let taken = |column: &&ColumnDef| {
        feature_of(column).is_none_or(|feature| like.merging(feature) != Merging::Excluding)
    };
    let mut columns: Vec<ColumnDef> = source.columns.iter().filter(taken).cloned().collect();
    for column in &def.columns {
        let Some(there) = columns.iter_mut().find(|there| there.name.value == column.name.value) else {
            columns.push(column.clone());
            continue;
        };
        let (old, new) = (feature_of(there), feature_of(column));
        let overwrites = |feature| like.merging(feature) == Merging::Overwriting;
        match new {
            Some(feature) if old == new && overwrites(feature) => *there = column.clone(),
            _ => {
                let (name, of) = (&column.name.value, &source.name.value);
                let message = format!("table \"{of}\" has a column \"{name}\" already");
                let help = match (old == new, new) {
                    (true, Some(Feature::Generated)) => {
                        "write LIKE .. (OVERWRITING GENERATED), or rename the column"
                    }
                    (true, Some(Feature::Metadata)) => {
                        "write LIKE .. (OVERWRITING METADATA), or rename the column"
                    }
                    _ => "leave it out: it is taken of that table; or write all columns out",
                };
                errors.push(SqlError::new(code::COLUMN, column.name.span, message).help(help));
            }
        }
    }
    columns
}

fn options(def: &CreateTable, like: &Like, source: &CreateTable, errors: &mut Vec<SqlError>) -> Options {
    match like.merging(Feature::Options) {
        Merging::Excluding => return def.options.clone(),
        Merging::Overwriting => {}
        Merging::Including => {
            let twice = def.options.iter().find(|(own, _)| set(&source.options, &own.value));
            if let Some((own, _)) = twice {
                let message = format!("table \"{}\" sets option '{}' already", source.name.value, own.value);
                let error = SqlError::new(code::CONFLICT, own.span, message);
                errors.push(error.help("leave INCLUDING OPTIONS out, or the option"));
            }
        }
    }
    with_options(&source.options, &def.options)
}

fn set(options: &Options, key: &str) -> bool {
    options.iter().any(|(other, _)| other.value == key)
}

/// Options with others, which count where both are set.
pub(super) fn with_options(options: &Options, more: &Options) -> Options {
    let kept = options.iter().filter(|(key, _)| !set(more, &key.value));
    kept.chain(more).cloned().collect()
}
