//! Whoever answers, for tests: rows by the text of the question.

use millstream_postgres::{
    Answer, Asked, Backend, Column, PostgresOptions, PostgresServer, Reason, Refusal, Table,
};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

/// What was asked.
pub(crate) type Heard = Arc<Mutex<Vec<String>>>;

#[derive(Default)]
struct Shop {
    heard: Heard,
}

fn columns(columns: &[(&str, &str)]) -> Vec<Column> {
    let column =
        |(name, type_name): &(&str, &str)| Column { name: (*name).into(), type_name: (*type_name).into() };
    columns.iter().map(column).collect()
}

const ORDERS: &[(&str, &str)] = &[
    ("id", "BIGINT"),
    ("customer", "STRING"),
    ("price", "DECIMAL(10, 2)"),
    ("paid", "BOOLEAN"),
    ("ordered", "TIMESTAMP_LTZ(3)"),
    ("items", "ARRAY<STRING>"),
];

impl Backend for Shop {
    fn databases(&self) -> Vec<String> {
        vec!["shop".to_owned()]
    }

    fn tables(&self, database: &str) -> Result<Vec<Table>, Refusal> {
        match database {
            "shop" => Ok(vec![
                Table { name: "orders".into(), is_view: false, columns: columns(ORDERS) },
                Table { name: "totals".into(), is_view: true, columns: columns(&[("total", "BIGINT")]) },
            ]),
            _ => Err(Refusal {
                reason: Reason::Unknown,
                message: "no such database".into(),
                ..Refusal::default()
            }),
        }
    }

    fn describe(&self, _: &str, text: &str) -> Result<Vec<Column>, Refusal> {
        wrong(text)?;
        Ok(columns(if text.contains("numbers") { &[("n", "INT")] } else { ORDERS }))
    }

    fn answer(&self, asked: Asked<'_>) -> Result<Answer, Refusal> {
        self.heard.lock().unwrap().push(asked.text.to_owned());
        wrong(asked.text)?;
        if asked.text.contains("slow") {
            let begun = Instant::now();
            while begun.elapsed() < asked.time_max {
                if asked.cancelled.load(Ordering::Relaxed) {
                    let message = "the question was cancelled".to_owned();
                    return Err(Refusal { reason: Reason::Cancelled, message, ..Refusal::default() });
                }
                std::thread::sleep(Duration::from_millis(5));
            }
            let message = "too slow".to_owned();
            return Err(Refusal { reason: Reason::Limit, message, ..Refusal::default() });
        }
        let columns = self.describe("shop", asked.text)?;
        let rows: Vec<Vec<String>> = match asked.text.contains("numbers") {
            true => (0..10).map(|number| vec![number.to_string()]).collect(),
            false => [
                ["1", "\"it's me\"", "12.5", "true", "\"2024-02-29 12:00:00.5Z\"", "[\"a\",\"b\"]"],
                ["2", "null", "0", "false", "\"1999-12-31 23:59:59Z\"", "[]"],
            ]
            .map(|row| row.map(str::to_owned).to_vec())
            .to_vec(),
        };
        Ok(Answer { columns, rows, more: false })
    }
}

/// `nope` is a mistake, with a place.
fn wrong(text: &str) -> Result<(), Refusal> {
    match text.find("nope") {
        None => Ok(()),
        at => Err(Refusal {
            reason: Reason::Text,
            message: "there is no column nope".into(),
            code: Some("MS0501"),
            at,
            help: Some("there are id and customer".into()),
        }),
    }
}

/// A server in front of the shop, and what it is asked.
pub(crate) fn serve(password: Option<&str>, read_password: Option<&str>) -> (PostgresServer, Heard) {
    let shop = Shop::default();
    let heard = Arc::clone(&shop.heard);
    let options = PostgresOptions {
        address: "127.0.0.1:0".parse().unwrap(),
        password: password.map(str::to_owned),
        read_password: read_password.map(str::to_owned),
        tls: None,
    };
    (PostgresServer::start(Arc::new(shop), &options).unwrap(), heard)
}
