//! Statements and clauses of Flink's that there are not, and what to do instead.

use super::parser::{Failed, Parsed, Parser};
use crate::error::{SqlError, code, nearest};
use datafusion::sql::sqlparser::tokenizer::Token;

/// Statements by their first words, the longest first where one begins with another.
const STATEMENTS: &[(&str, &str)] = &[
    ("CREATE OR REPLACE", "write CREATE TABLE or CREATE VIEW: a file is read anew on every start"),
    ("CREATE OR ALTER", "write CREATE TABLE or CREATE VIEW: a file is read anew on every start"),
    ("REPLACE TABLE", "write CREATE TABLE: a file is read anew on every start"),
    ("CREATE CATALOG", "leave it out: the tables of a file are its catalog"),
    ("CREATE DATABASE", "leave it out: the tables of a file are its catalog"),
    ("CREATE SCHEMA", "leave it out: the tables of a file are its catalog"),
    ("CREATE MATERIALIZED", "declare a table with CREATE TABLE and fill it with INSERT INTO"),
    ("CREATE STREAM", "write CREATE TABLE with 'connector' = 'kafka'"),
    ("CREATE SOURCE", "write CREATE TABLE with 'connector' = 'kafka'"),
    ("CREATE SINK", "write CREATE TABLE and fill it with INSERT INTO"),
    ("CREATE MODEL", "leave it out"),
    ("CREATE CONNECTION", "set the options in the WITH of each table"),
    ("INSERT OVERWRITE", "write INSERT INTO: a topic can only be appended to"),
    ("DROP CATALOG", "leave it out: the tables of a file are its catalog"),
    ("DROP DATABASE", "leave it out: the tables of a file are its catalog"),
    ("DROP FUNCTION", "leave it out: the functions there are stay"),
    ("DROP TEMPORARY", "leave it out: the functions there are stay"),
    ("ALTER CATALOG", "leave it out: the tables of a file are its catalog"),
    ("ALTER DATABASE", "leave it out: the tables of a file are its catalog"),
    ("ALTER FUNCTION", "leave it out: the functions there are stay"),
    ("ALTER", "change the CREATE statement: a file is read anew on every start"),
    ("DROP", "leave the CREATE statement out: a file is read anew on every start"),
    ("USE MODULES", "leave it out: what is needed is built in"),
    ("UPDATE", "write the new rows to a table with 'connector' = 'upsert-kafka'"),
    (
        "DELETE",
        "leave rows out with WHERE: from an 'upsert-kafka' table rows go when the query takes them back",
    ),
    ("MERGE", "join the tables in an INSERT INTO"),
    ("TRUNCATE", "delete the records of the topic with Kafka's tools"),
    ("ANALYZE", "leave it out: there are no statistics to keep"),
    ("LOAD", "leave it out"),
    ("UNLOAD", "leave it out"),
    ("ADD JAR", "leave it out: what is needed is built in"),
    ("REMOVE JAR", "leave it out: what is needed is built in"),
    ("SHOW JOBS", "millstream job list shows the jobs of a server"),
    (
        "SHOW",
        "there are SHOW TABLES, VIEWS, COLUMNS FROM t, CREATE TABLE t, CREATE VIEW v, FUNCTIONS, CATALOGS, DATABASES, \
         CURRENT CATALOG and CURRENT DATABASE",
    ),
    ("COMPILE", "leave it out: a job's plan is kept with its state"),
    ("EXECUTE PLAN", "run the file with the statements themselves"),
    ("STOP JOB", "stop the job from the command line"),
    ("CALL", "leave it out: there are no procedures"),
    ("QUIT", "leave it out: the file ends where it ends"),
    ("EXIT", "leave it out: the file ends where it ends"),
    ("SOURCE", "put the statements into this file"),
    ("SELECT", "write INSERT INTO a table in front of it, or EXPLAIN"),
    ("WITH", "write INSERT INTO a table in front of it, or EXPLAIN"),
    ("VALUES", "write INSERT INTO a table in front of it, or EXPLAIN"),
    ("END", "begin with EXECUTE STATEMENT SET BEGIN"),
];

/// Clauses of `CREATE TABLE` behind its columns.
const TABLE_CLAUSES: &[(&str, &str)] =
    &[("DISTRIBUTED", "leave it out: a record's partition follows from its key, set 'key.fields'")];

/// What may stand behind a column in other dialects.
const COLUMN_CLAUSES: &[(&str, &str)] = &[
    ("DEFAULT", "leave it out: write the value in the query, with COALESCE"),
    ("UNIQUE", "leave it out: only PRIMARY KEY (..) NOT ENFORCED is a key"),
    ("CHECK", "leave it out: filter with WHERE"),
    ("REFERENCES", "leave it out: only PRIMARY KEY (..) NOT ENFORCED is a key"),
    ("GENERATED", "write a computed column: name AS expression"),
    ("COLLATE", "leave it out: texts compare by their bytes"),
    ("FOREIGN KEY", "leave it out: only PRIMARY KEY (..) NOT ENFORCED is a key"),
];

/// Words that statements begin with.
const BEGINNINGS: &[&str] = &[
    "CREATE", "INSERT", "EXECUTE", "EXPLAIN", "SET", "RESET", "SELECT", "DROP", "ALTER", "SHOW", "DESCRIBE",
];

impl Parser<'_> {
    /// Refuses the statement that begins here, and passes over it.
    pub(super) fn refuse_statement<T>(&mut self) -> Parsed<T> {
        let first = self.at;
        if let Some((words, help)) = self.listed(STATEMENTS) {
            self.at += words.split(' ').count();
            let message = match words {
                "SELECT" | "WITH" | "VALUES" => "a query alone has no place for its rows".to_owned(),
                "END" => "END without a statement set that it ends".to_owned(),
                _ => format!("{words} is not supported"),
            };
            self.errors.push(SqlError::new(code::STATEMENT, self.span_from(first), message).help(help));
        } else {
            let near = match self.peek() {
                Some(Token::Word(word)) => nearest(&word.value, BEGINNINGS.iter().copied()),
                _ => None,
            };
            let reported = self.errors.len();
            let _: Parsed<()> = self.unexpected("a statement");
            let help = match near {
                Some(near) => format!("did you mean {near}?"),
                None => "statements are CREATE TABLE, CREATE VIEW, ALTER, DROP, INSERT INTO, EXECUTE STATEMENT SET, EXPLAIN, \
                         SHOW, DESCRIBE, SET and RESET"
                    .to_owned(),
            };
            if let Some(error) = self.errors.get_mut(reported) {
                error.help = Some(help);
            }
        }
        while self.peek().is_some_and(|token| *token != Token::SemiColon) {
            self.at += 1;
        }
        Err(Failed)
    }

    /// Refuses a clause of `CREATE TABLE` behind its columns, if one stands here.
    pub(super) fn refuse_table_clause(&mut self) -> Parsed<()> {
        self.refuse_clause(TABLE_CLAUSES)
    }

    /// Refuses a clause of a column, if one stands here.
    pub(super) fn refuse_column_clause(&mut self) -> Parsed<()> {
        self.refuse_clause(COLUMN_CLAUSES)
    }

    fn refuse_clause(&mut self, clauses: &[(&'static str, &'static str)]) -> Parsed<()> {
        let Some((words, help)) = self.listed(clauses) else { return Ok(()) };
        let first = self.at;
        self.at += words.split(' ').count();
        let message = format!("{words} is not supported");
        self.fail(SqlError::new(code::CLAUSE, self.span_from(first), message).help(help))
    }

    fn listed(&self, words: &[(&'static str, &'static str)]) -> Option<(&'static str, &'static str)> {
        words.iter().find(|(words, _)| self.are_words(words)).copied()
    }
}
