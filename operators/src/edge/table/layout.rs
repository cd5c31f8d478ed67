//! Which columns of a table stand in the value of its records and which in the key.

use super::ColumnFrom;
use crate::batch::StreamKind;
use crate::formats::{Decoder, Format, FormatError, sql_type};
use arrow::datatypes::{Field, Fields};
use std::sync::Arc;

/// The value or the key of records: a format, and the fields it holds, in their order.
#[derive(Debug, Clone)]
pub struct Part {
    /// The format.
    pub format: Arc<dyn Format>,
    /// All fields, needed or not.
    pub declared: Fields,
}

/// Options of a table about the key of its records.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct KeyOptions {
    /// `key.fields`, or the primary key of an upsert table: columns that stand in the key.
    pub fields: Vec<String>,
    /// `key.fields-prefix`: what the names of these columns have in front of the names in the key.
    pub prefix: String,
    /// `value.fields-include`.
    pub include: ValueFields,
}

/// Which columns stand in the value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum ValueFields {
    /// `ALL`: also those of the key.
    #[default]
    All,
    /// `EXCEPT_KEY`: all but those of the key.
    ExceptKey,
}

/// Where the columns of a table stand in its records.
#[derive(Debug, Clone)]
pub struct Layout {
    /// What values hold.
    pub value: Part,
    /// What keys hold; `None` when no column stands in the key.
    pub key: Option<Part>,
    /// By column: where it is read from.
    pub columns: Vec<ColumnFrom>,
}

impl Part {
    pub(super) fn decoder(&self, needed: &Fields) -> Result<Box<dyn Decoder>, FormatError> {
        for field in needed {
            if !self.declared.iter().any(|declared| declared.name() == field.name()) {
                let message = format!("there is no field \"{}\" in {}", field.name(), self.format.describe());
                return Err(FormatError::Conflict { message });
            }
        }
        self.format.decoder(&self.declared, needed)
    }

    /// The format as it gives columns their meaning: with all declared fields where their places count.
    pub(super) fn describe_read(&self) -> String {
        self.with_places(self.format.describe())
    }

    /// The format without what is done about what it can't read, which changes nothing about what was read.
    pub(super) fn meaning(&self) -> String {
        self.with_places(self.format.meaning())
    }

    fn with_places(&self, format: String) -> String {
        if self.format.facts().names_fields {
            return format;
        }
        let fields = self.declared.iter();
        let fields = fields.map(|field| format!("{} {}", field.name(), sql_type(field.data_type())));
        format!("{format}({})", fields.collect::<Vec<_>>().join(", "))
    }
}

impl Layout {
    /// The layout of a table with these physical columns. A column that stands both in the key and in the value is
    /// read from the value in a table of insertions, as Flink does, and from the key in an upsert table, where the key
    /// says which row it is.
    ///
    /// # Errors
    /// [`FormatError::Conflict`] when the options about the key contradict the columns or each other.
    pub fn new(
        kind: StreamKind,
        physical: &Fields,
        value: Arc<dyn Format>,
        key: Option<(Arc<dyn Format>, &KeyOptions)>,
    ) -> Result<Self, FormatError> {
        let conflict = |message: String| Err(FormatError::Conflict { message });
        let changes = |format: &Arc<dyn Format>| format.facts().changes.then_some(format.facts().name);
        if let Some(name) = key.as_ref().and_then(|(format, _)| changes(format)) {
            return conflict(format!(
                "format '{name}' can't be that of a key: its records say what happened to a row"
            ));
        }
        if let Some(name) = changes(&value).filter(|_| kind == StreamKind::Upsert) {
            return conflict(format!(
                "format '{name}' says itself what happened to a row: it is for 'connector' = 'kafka', where keys do not"
            ));
        }
        let Some((key_format, options)) = key else {
            let columns = physical.iter().map(|field| ColumnFrom::Value(field.name().clone())).collect();
            let value = Part { format: value, declared: physical.clone() };
            return Ok(Layout { value, key: None, columns });
        };
        let KeyOptions { fields, prefix, include } = options;
        if fields.is_empty() {
            return conflict("'key.format' is set, but 'key.fields' names no column".to_owned());
        }
        if !prefix.is_empty() && *include == ValueFields::All {
            return conflict(
                "'key.fields-prefix' needs 'value.fields-include' = 'EXCEPT_KEY': columns with the prefix can't stand \
                 in the value"
                    .to_owned(),
            );
        }
        let mut in_key = Vec::with_capacity(fields.len());
        for name in fields {
            let Some(field) = physical.iter().find(|field| field.name() == name) else {
                return conflict(format!("'key.fields' names \"{name}\", which is no physical column"));
            };
            let Some(inner) = name.strip_prefix(prefix.as_str()) else {
                return conflict(format!(
                    "column \"{name}\" does not begin with 'key.fields-prefix' = '{prefix}'"
                ));
            };
            in_key.push(field.as_ref().clone().with_name(inner));
        }
        let is_key = |field: &Field| fields.contains(field.name());
        let in_value = physical.iter().filter(|field| *include == ValueFields::All || !is_key(field));
        let value = Part { format: value, declared: in_value.cloned().collect() };
        let from_key = kind == StreamKind::Upsert || *include == ValueFields::ExceptKey;
        let columns = physical
            .iter()
            .map(|field| match field.name().strip_prefix(prefix.as_str()) {
                Some(inner) if from_key && is_key(field) => ColumnFrom::Key(inner.to_owned()),
                _ => ColumnFrom::Value(field.name().clone()),
            })
            .collect();
        Ok(Layout { value, key: Some(Part { format: key_format, declared: in_key.into() }), columns })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::formats::json::JsonOptions;
    use crate::testing::field;

    fn layout(
        kind: StreamKind,
        fields: &[&str],
        prefix: &str,
        include: ValueFields,
    ) -> Result<String, String> {
        let physical: Fields = ["k_id:i64", "name:utf8", "k_at:i64"].into_iter().map(field).collect();
        let json = || -> Arc<dyn Format> { Arc::new(JsonOptions::default()) };
        let options = KeyOptions {
            fields: fields.iter().map(|name| (*name).to_owned()).collect(),
            prefix: prefix.to_owned(),
            include,
        };
        let layout = Layout::new(kind, &physical, json(), Some((json(), &options)));
        let layout = layout.map_err(|error| error.to_string())?;
        let from = layout.columns.iter().map(|from| match from {
            ColumnFrom::Value(name) => format!("value {name}"),
            ColumnFrom::Key(name) => format!("key {name}"),
            other => panic!("{other:?}"),
        });
        let from = from.collect::<Vec<_>>().join(", ");
        let fields = |part: &Part| {
            let names = part.declared.iter().map(|field| field.name().clone());
            names.collect::<Vec<_>>().join(", ")
        };
        Ok(format!("{} | {} | {from}", fields(&layout.key.unwrap()), fields(&layout.value)))
    }

    #[test]
    fn columns_are_read_from_where_they_stand() {
        use StreamKind::{Append, Upsert};
        use ValueFields::{All, ExceptKey};
        let all = "k_id, name, k_at";
        for (kind, fields, prefix, include, expected) in [
            (Append, &["k_id"][..], "", All, format!("k_id | {all} | value k_id, value name, value k_at")),
            (Upsert, &["k_id"], "", All, format!("k_id | {all} | key k_id, value name, value k_at")),
            (
                Append,
                &["k_at", "k_id"],
                "k_",
                ExceptKey,
                "at, id | name | key id, value name, key at".to_owned(),
            ),
        ] {
            assert_eq!(layout(kind, fields, prefix, include).unwrap(), expected);
        }
    }

    #[test]
    fn options_that_contradict_are_refused() {
        use ValueFields::{All, ExceptKey};
        let refused =
            |fields, prefix, include| layout(StreamKind::Append, fields, prefix, include).unwrap_err();
        assert!(refused(&[], "", All).contains("'key.fields' names no column"));
        assert!(refused(&["id"], "", All).contains("\"id\", which is no physical column"));
        assert!(refused(&["k_id"], "k_", All).contains("'EXCEPT_KEY'"));
        assert!(refused(&["name"], "k_", ExceptKey).contains("does not begin with"));
    }
}
