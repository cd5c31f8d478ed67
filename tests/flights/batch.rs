//! The batch answer to the main job, in plain Rust.

use crate::command::rows_of;
use serde_json::Value;
use std::collections::BTreeMap;

/// What an hour at an airport was like.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Hour {
    pub origin: String,
    /// As `2013-01-01 10:00`.
    pub hour_start: String,
    pub flights: i64,
    pub cancelled_share: f64,
    pub average_delay: Option<f64>,
    pub worst_delay: Option<i64>,
    /// temp, wind_speed, precip, visib.
    pub weather: [Option<f64>; 4],
}

/// How a carrier did.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Carrier {
    pub name: Option<String>,
    pub flights: i64,
    pub average_delay: Option<f64>,
}

/// What the job has to have written.
pub(crate) struct Answer {
    pub hourly: BTreeMap<(String, String), Hour>,
    pub carriers: BTreeMap<String, Carrier>,
}

fn about(left: Option<f64>, right: Option<f64>) -> bool {
    match (left, right) {
        (Some(left), Some(right)) => (left - right).abs() <= 1e-9 * left.abs().max(1.0),
        (left, right) => left == right,
    }
}

impl Hour {
    pub(crate) fn of_json(row: &Value) -> Self {
        Hour {
            origin: row["origin"].as_str().unwrap().to_owned(),
            hour_start: row["hour_start"].as_str().unwrap()[..16].to_owned(),
            flights: row["flights"].as_i64().unwrap(),
            cancelled_share: row["cancelled_share"].as_f64().unwrap(),
            average_delay: row["average_delay"].as_f64(),
            worst_delay: row["worst_delay"].as_i64(),
            weather: ["temp", "wind_speed", "precip", "visib"].map(|name| row[name].as_f64()),
        }
    }

    pub(crate) fn is_about(&self, other: &Hour) -> bool {
        let exact =
            |hour: &Hour| (hour.origin.clone(), hour.hour_start.clone(), hour.flights, hour.worst_delay);
        exact(self) == exact(other)
            && about(Some(self.cancelled_share), Some(other.cancelled_share))
            && about(self.average_delay, other.average_delay)
            && self.weather.iter().zip(other.weather).all(|(left, right)| about(*left, right))
    }
}

impl Carrier {
    pub(crate) fn of_json(row: &Value) -> Self {
        Carrier {
            name: row["name"].as_str().map(str::to_owned),
            flights: row["flights"].as_i64().unwrap(),
            average_delay: row["average_delay"].as_f64(),
        }
    }

    pub(crate) fn is_about(&self, other: &Carrier) -> bool {
        self.name == other.name
            && self.flights == other.flights
            && about(self.average_delay, other.average_delay)
    }
}

/// Some flights.
#[derive(Default)]
struct Flights {
    flights: i64,
    cancelled: i64,
    delays: Vec<i64>,
}

impl Flights {
    fn add(&mut self, departed: &str, delay: &str) {
        self.flights += 1;
        self.cancelled += i64::from(departed == "NA");
        self.delays.extend(delay.parse::<i64>().ok());
    }

    fn average(&self) -> Option<f64> {
        let sum: i64 = self.delays.iter().sum();
        (!self.delays.is_empty()).then(|| sum as f64 / self.delays.len() as f64)
    }
}

type Row = BTreeMap<String, String>;

fn rows(file: &str) -> Vec<Row> {
    rows_of(file).deserialize().map(Result::unwrap).collect()
}

pub(crate) fn answer() -> Answer {
    let number = |text: &String| text.parse::<f64>().ok();
    let mut weather: BTreeMap<(String, String), [Option<f64>; 4]> = BTreeMap::new();
    for row in rows("weather") {
        let values = ["temp", "wind_speed", "precip", "visib"].map(|name| number(&row[name]));
        weather.insert((row["origin"].clone(), row["time_hour"][..16].replace('T', " ")), values);
    }
    let names: BTreeMap<String, String> =
        rows("airlines").into_iter().map(|row| (row["carrier"].clone(), row["name"].clone())).collect();
    let mut hours: BTreeMap<(String, String), Flights> = BTreeMap::new();
    let mut by_carrier: BTreeMap<String, Flights> = BTreeMap::new();
    for row in rows("flights") {
        let (departed, delay) = (&row["dep_time"], &row["dep_delay"]);
        let hour = format!("{}:00", row["scheduled"][..13].replace('T', " "));
        hours.entry((row["origin"].clone(), hour)).or_default().add(departed, delay);
        by_carrier.entry(row["carrier"].clone()).or_default().add(departed, delay);
    }
    let hourly = hours.into_iter().map(|((origin, hour_start), some)| {
        // The last version that is not after the last millisecond of the hour; versions are of full hours.
        let key = (origin.clone(), hour_start.clone());
        let version = weather.range(..=key.clone()).next_back().filter(|(place, _)| place.0 == origin);
        let row = Hour {
            flights: some.flights,
            cancelled_share: some.cancelled as f64 / some.flights as f64,
            average_delay: some.average(),
            worst_delay: some.delays.iter().copied().max(),
            weather: version.map_or([None; 4], |(_, values)| *values),
            origin,
            hour_start,
        };
        (key, row)
    });
    let carriers = by_carrier.into_iter().map(|(carrier, some)| {
        let name = names.get(&carrier).cloned();
        let row = Carrier { name, flights: some.flights, average_delay: some.average() };
        (carrier, row)
    });
    Answer { hourly: hourly.collect(), carriers: carriers.collect() }
}
