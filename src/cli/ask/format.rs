//! Answers as text.

use crate::cli::Failure;
use clap::ValueEnum;
use millstream::sql::Question;
use serde_json::Value;
use std::borrow::Cow;

/// The most characters of a value in a table.
const CELL_CHARS_MAX: usize = 120;

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Format {
    /// In columns, for people
    Table,
    /// An object of JSON a line
    Json,
    /// Comma-separated values, names of columns first
    Csv,
}

impl Format {
    /// An answer, whole.
    pub(in crate::cli) fn text(self, question: &Question, rows: &[Vec<String>]) -> Result<String, Failure> {
        match self {
            Format::Table => Ok(table(question, rows)),
            Format::Json => Ok(rows.iter().map(|row| object(question, row) + "\n").collect()),
            Format::Csv => csv(question, rows),
        }
    }
}

/// A row as an object of JSON, its values as they are. Names that are there twice are there twice.
pub(in crate::cli) fn object(question: &Question, row: &[String]) -> String {
    let fields = question
        .columns
        .iter()
        .zip(row)
        .map(|((name, _), value)| format!("{}:{value}", Value::from(name.as_str())));
    format!("{{{}}}", fields.collect::<Vec<_>>().join(","))
}

/// A value without the quotes of JSON.
fn plain(json: &str) -> Cow<'_, str> {
    match json.starts_with('"') {
        true => serde_json::from_str::<String>(json).map_or(Cow::Borrowed(json), Cow::Owned),
        false => Cow::Borrowed(json),
    }
}

/// A value as a terminal shows it: nothing in it steers that.
fn cell(json: &str) -> String {
    if json == "null" {
        return "NULL".to_owned();
    }
    let text = plain(json);
    let mut chars = text.chars();
    let shown: String = chars
        .by_ref()
        .take(CELL_CHARS_MAX)
        .map(|char| match char.is_control() {
            true => char.escape_default().to_string(),
            false => char.to_string(),
        })
        .collect();
    if chars.next().is_some() { shown + "…" } else { shown }
}

fn is_number(type_name: &str) -> bool {
    ["TINYINT", "SMALLINT", "INT", "BIGINT", "FLOAT", "DOUBLE", "DECIMAL"]
        .iter()
        .any(|number| type_name.starts_with(number))
}

fn table(question: &Question, rows: &[Vec<String>]) -> String {
    let heads: Vec<String> =
        question.columns.iter().map(|(name, _)| cell(&Value::from(name.as_str()).to_string())).collect();
    let rows: Vec<Vec<String>> =
        rows.iter().map(|row| row.iter().map(|value| cell(value)).collect()).collect();
    let width = |text: &str| text.chars().count();
    let widths: Vec<usize> = (0..heads.len())
        .map(|at| rows.iter().map(|row| width(&row[at])).chain([width(&heads[at])]).max().unwrap_or(0))
        .collect();
    let line = |cells: &[String], is_head: bool| {
        let padded =
            cells.iter().zip(&widths).zip(&question.columns).map(|((cell, wide), (_, type_name))| {
                let gap = " ".repeat(wide - width(cell));
                if is_number(type_name) && !is_head { gap + cell } else { format!("{cell}{gap}") }
            });
        format!(" {}", padded.collect::<Vec<_>>().join(" │ ")).trim_end().to_owned() + "\n"
    };
    let rule: Vec<String> = widths.iter().map(|wide| "─".repeat(wide + 2)).collect();
    let mut text = line(&heads, true) + &rule.join("┼") + "\n";
    rows.iter().for_each(|row| text.push_str(&line(row, false)));
    text
}

fn csv(question: &Question, rows: &[Vec<String>]) -> Result<String, Failure> {
    let failed = |error: String| Failure::Io(format!("csv: {error}"));
    let mut writer = csv::Writer::from_writer(Vec::new());
    let heads = writer.write_record(question.columns.iter().map(|(name, _)| name));
    heads.map_err(|error| failed(error.to_string()))?;
    for row in rows {
        let cells = row.iter().map(|value| if value == "null" { Cow::Borrowed("") } else { plain(value) });
        let cells: Vec<Cow<'_, str>> = cells.collect();
        writer
            .write_record(cells.iter().map(|cell| cell.as_bytes()))
            .map_err(|error| failed(error.to_string()))?;
    }
    let bytes = writer.into_inner().map_err(|error| failed(error.to_string()))?;
    String::from_utf8(bytes).map_err(|error| failed(error.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_a_table_json_or_csv_and_steers_no_terminal() {
        let tables = "CREATE TABLE t (a STRING, n INT) WITH ('connector' = 'kafka', 'topic' = 't', 'format' = 'json');";
        let question = millstream::sql::ask("t", tables, "SELECT a, n AS `count` FROM t", false).unwrap();
        let rows = [["\"x\\u001b[2J\"", "7"], ["null", "12345"], ["\"a,\\\"b\\\"\"", "null"]];
        let rows: Vec<Vec<String>> =
            rows.iter().map(|row| row.iter().map(|value| (*value).to_owned()).collect()).collect();
        let text = |format: Format| format.text(&question, &rows).unwrap();
        let table = " a            │ count\n──────────────┼───────\n x\\u{1b}[2J   │     7\n NULL         │ 12345\n a,\"b\"        │  NULL\n";
        let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert_eq!(squeezed(&text(Format::Table).replace('─', "")), squeezed(&table.replace('─', "")));
        assert_eq!(text(Format::Json).lines().next(), Some(r#"{"a":"x\u001b[2J","count":7}"#));
        assert_eq!(text(Format::Csv), "a,count\nx\u{1b}[2J,7\n,12345\n\"a,\"\"b\"\"\",\n");
    }
}
