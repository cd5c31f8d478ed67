//! `SHOW`, `DESCRIBE` and `SET` alone: what has been declared so far, in the rows that Flink answers.

use super::alter::key_name;
use super::insert::no_table;
use super::{DeclaredTable, DeclaredView, Planner};
use crate::error::{SqlError, code, shown};
use crate::features::proctime;
use crate::functions::values::detail::{Detail, type_name};
use crate::script::{CATALOG, ColumnDefKind, DATABASE, Filter, Ident, Show, Shown, Tokens};
use arrow::datatypes::{DataType, Field};
use regex::RegexBuilder;
use std::fmt;
use std::fmt::Write;

/// What a statement that shows something answers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Answered {
    /// Names of the columns.
    pub columns: Vec<&'static str>,
    /// The rows.
    pub rows: Vec<Vec<Option<String>>>,
    /// Whether its one text is shown as it is, as that of `SHOW CREATE TABLE`.
    pub is_text: bool,
}

impl Answered {
    fn names(column: &'static str, names: impl IntoIterator<Item = String>) -> Self {
        let rows = names.into_iter().map(|name| vec![Some(name)]).collect();
        Answered { columns: vec![column], rows, is_text: false }
    }

    fn text(text: String) -> Self {
        Answered { columns: vec!["result"], rows: vec![vec![Some(text)]], is_text: true }
    }
}

/// As Flink's client prints it.
impl fmt::Display for Answered {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let cell = |row: &Vec<Option<String>>, at: usize| row.get(at).cloned().flatten().unwrap_or_default();
        if self.is_text {
            return self.rows.iter().try_for_each(|row| writeln!(f, "{}", cell(row, 0).trim_end()));
        }
        if self.rows.is_empty() {
            return writeln!(f, "Empty set");
        }
        let chars = |text: &str| text.chars().count();
        let width = |(at, name): (usize, &&str)| {
            self.rows.iter().map(|row| chars(&cell(row, at))).chain([chars(name)]).max().unwrap_or(0)
        };
        let widths: Vec<usize> = self.columns.iter().enumerate().map(width).collect();
        let line: String = widths.iter().map(|width| format!("+{}", "-".repeat(width + 2))).collect();
        let row = |cells: Vec<String>| -> String {
            cells.iter().zip(&widths).map(|(cell, width)| format!("| {cell:>width$} ")).collect()
        };
        writeln!(f, "{line}+")?;
        writeln!(f, "{}|", row(self.columns.iter().map(|name| (*name).to_owned()).collect()))?;
        writeln!(f, "{line}+")?;
        for cells in &self.rows {
            writeln!(f, "{}|", row((0..widths.len()).map(|at| cell(cells, at)).collect()))?;
        }
        writeln!(f, "{line}+")?;
        let count = self.rows.len();
        writeln!(f, "{count} row{} in set", if count == 1 { "" } else { "s" })
    }
}

impl Planner<'_> {
    /// Answers a statement that shows something.
    pub(super) fn show(&mut self, show: &Show) {
        let filter = show.filter.as_ref();
        let named = |column, names: Vec<String>| {
            Ok(Answered::names(column, names.into_iter().filter(|name| passes(name, filter))))
        };
        let relations = || {
            let mut names: Vec<String> = self.current.keys().chain(self.views.keys()).cloned().collect();
            names.sort_unstable();
            names
        };
        let answered = match &show.what {
            Shown::Tables => named("table name", relations()),
            Shown::Views => named("view name", self.views.keys().cloned().collect()),
            Shown::Functions => {
                let mut names = self.names.functions();
                names.sort_unstable();
                names.dedup();
                named("function name", names)
            }
            Shown::UserFunctions => {
                named("function name", self.names.users().names().map(str::to_owned).collect())
            }
            Shown::Catalogs => named("catalog name", vec![CATALOG.to_owned()]),
            Shown::Databases => named("database name", vec![DATABASE.to_owned()]),
            Shown::CurrentCatalog => named("current catalog name", vec![CATALOG.to_owned()]),
            Shown::CurrentDatabase => named("current database name", vec![DATABASE.to_owned()]),
            Shown::Columns(name) | Shown::Describe(name) => self.columns(name, filter),
            Shown::CreateTable(name) => self.create_table_of(name),
            Shown::CreateView(name) => self.create_view_of(name),
            Shown::Settings => {
                let rows = self.settings.iter();
                let rows = rows.map(|(key, value)| vec![Some(key.clone()), Some(value.clone())]).collect();
                Ok(Answered { columns: vec!["key", "value"], rows, is_text: false })
            }
        };
        match answered {
            Ok(mut answered) => {
                let text = self.script.positions.all();
                let cells = answered.rows.iter_mut().flatten().flatten();
                cells.for_each(|cell| *cell = shown(text, cell));
                self.answers.push(answered);
            }
            Err(Some(error)) => self.errors.push(error),
            Err(None) => {}
        }
    }

    /// What is wrong with a name that is none of a table or view; nothing where that was said.
    fn no_relation(&self, name: &Ident) -> Option<SqlError> {
        (!self.broken.contains(&name.value)).then(|| {
            let is_other = self.views.contains_key(&name.value) || self.current.contains_key(&name.value);
            match is_other {
                true => {
                    let message = format!("{} is of the other kind", name.value);
                    SqlError::new(code::QUERY, name.span, message)
                        .help("a table has SHOW CREATE TABLE, and a view SHOW CREATE VIEW")
                }
                false => no_table(name, false, &self.current),
            }
        })
    }

    fn columns(&self, name: &Ident, filter: Option<&Filter>) -> Result<Answered, Option<SqlError>> {
        let mut columns = vec!["name", "type", "null", "key", "extras", "watermark"];
        let mut rows: Vec<Vec<Option<String>>> = Vec::new();
        if let Some(table) = self.current.get(&name.value) {
            let comments: Vec<Option<String>> =
                table.def.columns.iter().map(|column| column.comment.clone()).collect();
            rows = self.columns_of_table(table);
            if comments.iter().any(Option::is_some) {
                columns.push("comment");
                rows.iter_mut().zip(comments).for_each(|(row, comment)| row.push(comment));
            }
        } else if self.views.contains_key(&name.value) {
            let stale = || self.of_stale(std::iter::once(name.value.as_str()), name.span);
            let schema = self.names.schema(&name.value).ok_or_else(stale)?;
            rows.extend(schema.fields().iter().map(|field| {
                let null = field.is_nullable().to_string().to_uppercase();
                vec![Some(field.name().clone()), Some(type_of(field)), Some(null), None, None, None]
            }));
        } else {
            return Err(self.no_relation(name));
        }
        rows.retain(|row| row[0].as_ref().is_some_and(|name| passes(name, filter)));
        Ok(Answered { columns, rows, is_text: false })
    }

    fn columns_of_table(&self, table: &DeclaredTable) -> Vec<Vec<Option<String>>> {
        let Some(planned) = self.tables.get(&table.key) else { return Vec::new() };
        let key = table.def.primary_key.as_ref();
        let row = |(at, column): (usize, &crate::script::ColumnDef)| {
            let field = planned.schema.field(at);
            let name = &column.name.value;
            let is_clock = planned.computed.get(&at).is_some_and(proctime::is_proctime);
            let is_time = planned.table.watermark.as_ref().is_some_and(|watermark| watermark.column == at);
            let data_type = match (is_clock, is_time) {
                (true, _) => format!("{} *PROCTIME*", type_of(field)),
                (_, true) => format!("{} *ROWTIME*", type_of(field)),
                _ => type_of(field),
            };
            let null = field.is_nullable() && planned.table.columns[at].nullable && !is_clock;
            let of_key = key.filter(|key| key.columns.iter().any(|of_key| of_key.value == *name));
            let of_key = of_key.map(|key| {
                let names: Vec<&str> = key.columns.iter().map(|column| column.value.as_str()).collect();
                format!("PRI({})", names.join(", "))
            });
            let extras = match &column.kind {
                ColumnDefKind::Physical(_) => None,
                ColumnDefKind::Computed { expr } => Some(format!("AS {}", self.text(expr))),
                ColumnDefKind::Metadata { from, virtual_, .. } => {
                    let from =
                        from.as_ref().map_or(String::new(), |from| format!(" FROM {}", quoted(&from.value)));
                    Some(format!("METADATA{from}{}", if *virtual_ { " VIRTUAL" } else { "" }))
                }
            };
            let watermark = table.def.watermarks.first().filter(|watermark| watermark.column.value == *name);
            let watermark = watermark.map(|watermark| self.text(&watermark.expr));
            let null = null.to_string().to_uppercase();
            vec![Some(name.clone()), Some(data_type), Some(null), of_key, extras, watermark]
        };
        table.def.columns.iter().enumerate().map(row).collect()
    }

    /// An expression as it is written.
    fn text(&self, tokens: &Tokens) -> String {
        let text = self.script.positions.text(tokens.span);
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn create_table_of(&self, name: &Ident) -> Result<Answered, Option<SqlError>> {
        let table = self.current.get(&name.value).ok_or_else(|| self.no_relation(name))?;
        let def = &table.def;
        let temporary = if def.temporary { "TEMPORARY " } else { "" };
        let mut text = format!("CREATE {temporary}TABLE {} (\n", self.path(&def.name.value));
        let _ = writeln!(text, "{}\n)", self.elements(table).join(",\n"));
        if let Some(comment) = &def.comment {
            let _ = writeln!(text, "COMMENT {}", quoted(comment));
        }
        if let Some(partitions) = &def.partitions {
            let columns = partitions.columns.iter().map(|column| format!("`{}`", column.value));
            let _ = writeln!(text, "PARTITIONED BY ({})", columns.collect::<Vec<_>>().join(", "));
        }
        let mut options: Vec<String> = def
            .options
            .iter()
            .map(|(key, value)| format!("  {} = {}", quoted(&key.value), quoted(&value.value)))
            .collect();
        options.sort_unstable();
        let _ = writeln!(text, "WITH (\n{}\n)", options.join(",\n"));
        Ok(Answered::text(text))
    }

    fn path(&self, name: &str) -> String {
        format!("`{CATALOG}`.`{DATABASE}`.`{name}`")
    }

    /// Columns, watermark and key of a table, in lines.
    fn elements(&self, table: &DeclaredTable) -> Vec<String> {
        let DeclaredTable { def, key } = table;
        let planned = self.tables.get(key);
        let column = |(at, column): (usize, &crate::script::ColumnDef)| {
            let field = planned.map(|planned| planned.schema.field(at).clone());
            let not_null = planned.is_some_and(|planned| !planned.table.columns[at].nullable);
            let not_null = if not_null { " NOT NULL" } else { "" };
            let data_type = field.map(|field| long_type(&field)).unwrap_or_default();
            let what = match &column.kind {
                ColumnDefKind::Physical(_) => format!("{data_type}{not_null}"),
                ColumnDefKind::Computed { expr } => format!("AS {}", self.text(expr)),
                ColumnDefKind::Metadata { from, virtual_, .. } => {
                    let from =
                        from.as_ref().map_or(String::new(), |from| format!(" FROM {}", quoted(&from.value)));
                    let virtual_ = if *virtual_ { " VIRTUAL" } else { "" };
                    format!("{data_type}{not_null} METADATA{from}{virtual_}")
                }
            };
            let comment =
                column.comment.as_ref().map_or(String::new(), |text| format!(" COMMENT {}", quoted(text)));
            format!("  `{}` {what}{comment}", column.name.value)
        };
        let mut lines: Vec<String> = def.columns.iter().enumerate().map(column).collect();
        lines.extend(def.watermarks.first().map(|watermark| {
            format!("  WATERMARK FOR `{}` AS {}", watermark.column.value, self.text(&watermark.expr))
        }));
        lines.extend(def.primary_key.as_ref().map(|key| {
            let columns: Vec<String> =
                key.columns.iter().map(|column| format!("`{}`", column.value)).collect();
            format!("  CONSTRAINT `{}` PRIMARY KEY ({}) NOT ENFORCED", key_name(key), columns.join(", "))
        }));
        lines
    }

    fn create_view_of(&self, name: &Ident) -> Result<Answered, Option<SqlError>> {
        let view = self.views.get(&name.value).ok_or_else(|| self.no_relation(name))?;
        let DeclaredView { def, query, columns, .. } = view;
        let temporary = if def.temporary { "TEMPORARY " } else { "" };
        let columns: Vec<String> = columns.iter().map(|(column, _)| format!("  `{column}`")).collect();
        let mut text =
            format!("CREATE {temporary}VIEW {} (\n{}\n)\n", self.path(&name.value), columns.join(",\n"));
        if let Some(comment) = &def.comment {
            let _ = writeln!(text, "COMMENT {}", quoted(comment));
        }
        let _ = writeln!(text, "AS {}", self.script.positions.text(query.span));
        Ok(Answered::text(text))
    }
}

fn quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

fn type_of(field: &Field) -> String {
    type_name(field.data_type(), &Detail::of(field))
}

/// The type as `SHOW CREATE TABLE` has it: texts and bytes of any length have the largest there is.
fn long_type(field: &Field) -> String {
    match (field.data_type(), type_of(field).as_str()) {
        (DataType::Utf8, "STRING") => "VARCHAR(2147483647)".to_owned(),
        (DataType::Binary, "BYTES") => "VARBINARY(2147483647)".to_owned(),
        (DataType::Timestamp(_, Some(_)), name) => {
            format!("{} WITH LOCAL TIME ZONE", name.replace("TIMESTAMP_LTZ", "TIMESTAMP"))
        }
        (_, name) => name.to_owned(),
    }
}

/// Whether a name is one that is asked for.
fn passes(name: &str, filter: Option<&Filter>) -> bool {
    let Some(filter) = filter else { return true };
    let mut pattern = String::from("^");
    let mut chars = filter.pattern.value.chars();
    while let Some(char) = chars.next() {
        match char {
            '%' => pattern.push_str(".*"),
            '_' => pattern.push('.'),
            '\\' => pattern.push_str(&regex::escape(&chars.next().unwrap_or('\\').to_string())),
            char => pattern.push_str(&regex::escape(&char.to_string())),
        }
    }
    pattern.push('$');
    let regex =
        RegexBuilder::new(&pattern).case_insensitive(filter.any_case).dot_matches_new_line(true).build();
    regex.is_ok_and(|regex| regex.is_match(name)) != filter.negated
}
