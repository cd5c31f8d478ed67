//! `ALTER TABLE`: the definition of a table changed, by Flink's rules. What comes of it is looked at as if it stood in a
//! `CREATE TABLE`.

use super::like::with_options;
use crate::error::{SqlError, code, nearest};
use crate::script::{
    ColumnChange, ColumnDef, ColumnDefKind, CreateTable, Ident, Position, PrimaryKeyDef, TableChange, Tokens,
    WatermarkDef,
};

/// The definition with a change.
///
/// # Errors
/// What it does not fit.
pub(super) fn altered(def: &CreateTable, change: &TableChange) -> Result<CreateTable, SqlError> {
    let mut def = def.clone();
    match change {
        TableChange::Set(options) => def.options = with_options(&def.options, options),
        TableChange::Reset(keys) => {
            def.options.retain(|(key, _)| keys.iter().all(|reset| reset.value != key.value));
        }
        TableChange::Put { modify, columns, watermark, primary_key } => {
            columns.iter().try_for_each(|column| put_column(&mut def, column, *modify))?;
            if let Some(watermark) = watermark {
                put_watermark(&mut def, watermark, *modify)?;
            }
            if let Some(key) = primary_key {
                put_key(&mut def, key, *modify)?;
            }
        }
        TableChange::RenameColumn { from, to } => rename_column(&mut def, from, to)?,
        TableChange::DropColumns(names) => names.iter().try_for_each(|name| drop_column(&mut def, name))?,
        TableChange::DropWatermark => {
            if def.watermarks.is_empty() {
                return Err(missing(&def, "watermark", def.name.span, code::WATERMARK));
            }
            def.watermarks.clear();
        }
        TableChange::DropPrimaryKey(name) => {
            let Some(key) = &def.primary_key else {
                return Err(missing(&def, "primary key", def.name.span, code::PRIMARY_KEY));
            };
            let called = key_name(key);
            if let Some(name) = name.as_ref().filter(|name| name.value != called) {
                let message = format!("table \"{}\" has no constraint {}", def.name.value, name.value);
                let error = SqlError::new(code::PRIMARY_KEY, name.span, message);
                return Err(error.help(format!("its primary key is called {called}")));
            }
            def.primary_key = None;
        }
        // Those are about its name.
        TableChange::Drop | TableChange::Rename(_) | TableChange::Query(_) => {}
    }
    Ok(def)
}

/// What a primary key is called.
pub(super) fn key_name(key: &PrimaryKeyDef) -> String {
    let of_columns = || {
        let columns: Vec<&str> = key.columns.iter().map(|column| column.value.as_str()).collect();
        format!("PK_{}", columns.join("_"))
    };
    key.name.clone().unwrap_or_else(of_columns)
}

fn missing(def: &CreateTable, what: &str, span: crate::Span, code: &'static str) -> SqlError {
    let message = format!("table \"{}\" has no {what}", def.name.value);
    SqlError::new(code, span, message).help("leave the statement out, or ADD one")
}

fn place(def: &CreateTable, name: &Ident) -> Result<usize, SqlError> {
    def.columns.iter().position(|column| column.name.value == name.value).ok_or_else(|| {
        let message = format!("table \"{}\" has no column \"{}\"", def.name.value, name.value);
        let names = def.columns.iter().map(|column| column.name.value.as_str());
        let help = match nearest(&name.value, names.clone()) {
            Some(near) => format!("did you mean {near}?"),
            None => format!("it has {}", names.collect::<Vec<_>>().join(", ")),
        };
        SqlError::new(code::COLUMN, name.span, message).help(help)
    })
}

fn put_column(def: &mut CreateTable, change: &ColumnChange, modify: bool) -> Result<(), SqlError> {
    let name = &change.def.name;
    let (mut at, mut comment) = (def.columns.len(), None);
    if modify {
        at = place(def, name)?;
        let old = def.columns.remove(at);
        check_kind(&old, &change.def)?;
        comment = old.comment;
    } else if def.columns.iter().any(|column| column.name.value == name.value) {
        let message = format!("table \"{}\" has a column \"{}\" already", def.name.value, name.value);
        let error = SqlError::new(code::COLUMN, name.span, message);
        return Err(error.help("write MODIFY to change it, or give the new one another name"));
    }
    let mut new = change.def.clone();
    let at = match &change.position {
        None => at,
        Some(Position::First) => 0,
        Some(Position::After(other)) => place(def, other)? + 1,
    };
    // What is not said anew stays.
    new.comment = new.comment.or(comment);
    def.columns.insert(at, new);
    Ok(())
}

/// A column that others are computed of stays one.
fn check_kind(old: &ColumnDef, new: &ColumnDef) -> Result<(), SqlError> {
    let is_computed = |column: &ColumnDef| matches!(column.kind, ColumnDefKind::Computed { .. });
    if is_computed(old) || !is_computed(new) {
        return Ok(());
    }
    let ColumnDefKind::Computed { expr } = &new.kind else { return Ok(()) };
    match reads(expr, &new.name.value) {
        true => {
            let message = format!("column \"{}\" would be computed of itself", new.name.value);
            Err(SqlError::new(code::COLUMN, new.name.span, message).help("ADD a column with another name"))
        }
        false => Ok(()),
    }
}

fn put_watermark(def: &mut CreateTable, watermark: &WatermarkDef, modify: bool) -> Result<(), SqlError> {
    match (modify, def.watermarks.is_empty()) {
        (true, true) => return Err(missing(def, "watermark", watermark.span, code::WATERMARK)),
        (false, false) => {
            let message = format!("table \"{}\" has a watermark already", def.name.value);
            let error = SqlError::new(code::WATERMARK, watermark.span, message);
            return Err(error.help("write MODIFY WATERMARK .. to change it"));
        }
        _ => {}
    }
    def.watermarks = vec![watermark.clone()];
    Ok(())
}

fn put_key(def: &mut CreateTable, key: &PrimaryKeyDef, modify: bool) -> Result<(), SqlError> {
    match (modify, &def.primary_key) {
        (true, None) => return Err(missing(def, "primary key", key.span, code::PRIMARY_KEY)),
        (false, Some(_)) => {
            let message = format!("table \"{}\" has a primary key already", def.name.value);
            let error = SqlError::new(code::PRIMARY_KEY, key.span, message);
            return Err(error.help("write MODIFY PRIMARY KEY .. to change it"));
        }
        _ => {}
    }
    def.primary_key = Some(key.clone());
    Ok(())
}

/// Whether an expression reads a column.
fn reads(expr: &Tokens, column: &str) -> bool {
    expr.words().any(|word| word == column)
}

/// Refuses what a computed column, the watermark or directories would miss.
fn check_unread(def: &CreateTable, name: &Ident) -> Result<(), SqlError> {
    let column = &name.value;
    let mut partitions = def.partitions.iter().flat_map(|partitions| &partitions.columns);
    if partitions.any(|partition| partition.value == *column) {
        let message = format!("column \"{column}\" can't go: directories are called by it");
        let help = "declare another table, with LIKE .. (EXCLUDING PARTITIONS)";
        return Err(SqlError::new(code::COLUMN, name.span, message).help(help));
    }
    let computed = def.columns.iter().find(|other| match &other.kind {
        ColumnDefKind::Computed { expr } => other.name.value != *column && reads(expr, column),
        _ => false,
    });
    let reader = match (computed, def.watermarks.first()) {
        (Some(computed), _) => format!("column \"{}\" is computed of it", computed.name.value),
        (None, Some(watermark)) if watermark.column.value == *column || reads(&watermark.expr, column) => {
            "the watermark is of it".to_owned()
        }
        _ => return Ok(()),
    };
    let message = format!("column \"{column}\" can't go: {reader}");
    Err(SqlError::new(code::COLUMN, name.span, message).help("change that first, with MODIFY or DROP"))
}

fn rename_column(def: &mut CreateTable, from: &Ident, to: &Ident) -> Result<(), SqlError> {
    let at = place(def, from)?;
    check_unread(def, from)?;
    if def.columns.iter().any(|column| column.name.value == to.value) {
        let message = format!("table \"{}\" has a column \"{}\" already", def.name.value, to.value);
        return Err(SqlError::new(code::COLUMN, to.span, message).help("choose another name"));
    }
    def.columns[at].name = to.clone();
    for column in def.primary_key.iter_mut().flat_map(|key| &mut key.columns) {
        if column.value == from.value {
            *column = to.clone();
        }
    }
    Ok(())
}

fn drop_column(def: &mut CreateTable, name: &Ident) -> Result<(), SqlError> {
    let at = place(def, name)?;
    check_unread(def, name)?;
    if def.primary_key.iter().flat_map(|key| &key.columns).any(|column| column.value == name.value) {
        let message = format!("column \"{}\" can't go: it is part of the primary key", name.value);
        return Err(SqlError::new(code::COLUMN, name.span, message).help("drop the primary key first"));
    }
    def.columns.remove(at);
    Ok(())
}
