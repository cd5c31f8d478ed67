//! The rows of an answer while they come and go.

use millstream::sql::Question;
use serde_json::value::RawValue;
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};

/// Rows that are there, in the order in which they came, each as the JSON that the job has written.
#[derive(Debug, Default)]
pub(in crate::cli) struct Rows {
    rows: Vec<Option<Box<str>>>,
    places: HashMap<Box<str>, Vec<usize>>,
    /// Rows that went before they came: another task may be ahead.
    owed: HashMap<Box<str>, u64>,
    count: usize,
    bytes: usize,
    changes: u64,
    /// The last changes, where it is they that are wanted, and not the rows.
    passing: Option<Vec<String>>,
}

impl Rows {
    /// Takes changes, to be passed on.
    pub(in crate::cli) fn passing() -> Self {
        Rows { passing: Some(Vec::new()), ..Rows::default() }
    }

    /// What has changed since this was asked last: `+I` or `-D`, and the row.
    pub(in crate::cli) fn passed(&mut self, columns: usize) -> Vec<(bool, Vec<String>)> {
        let lines = self.passing.as_mut().map(std::mem::take).unwrap_or_default();
        let parsed = lines.iter().map(|line| {
            let (comes, row) = parted(line);
            (comes, cells(row, columns))
        });
        parsed.collect()
    }

    /// Takes a line of the job in: `+I[..]` or `-D[..]`.
    pub(super) fn change(&mut self, line: &str) {
        if let Some(passing) = &mut self.passing {
            passing.push(line.to_owned());
            return;
        }
        let (comes, row) = parted(line);
        self.changes += 1;
        if comes { self.come(row) } else { self.go(row) }
    }

    fn come(&mut self, row: &str) {
        if let Some(owed) = self.owed.get_mut(row) {
            *owed -= 1;
            if *owed == 0 {
                self.owed.remove(row);
            }
            return;
        }
        self.places.entry(row.into()).or_default().push(self.rows.len());
        self.rows.push(Some(row.into()));
        self.count += 1;
        self.bytes += row.len();
    }

    fn go(&mut self, row: &str) {
        let Some(places) = self.places.get_mut(row) else {
            *self.owed.entry(row.into()).or_default() += 1;
            return;
        };
        if let Some(place) = places.pop() {
            self.rows[place] = None;
            self.count -= 1;
            self.bytes -= row.len();
        }
        if places.is_empty() {
            self.places.remove(row);
        }
        // Holes are kept to as many as rows.
        if self.rows.len() > 1_024 && self.rows.len() > 2 * self.count {
            self.rows.retain(Option::is_some);
            self.places.clear();
            for (place, row) in self.rows.iter().enumerate() {
                self.places.entry(row.clone().unwrap_or_default()).or_default().push(place);
            }
        }
    }

    pub(in crate::cli) fn len(&self) -> usize {
        self.count
    }

    /// Bytes of the rows that are there.
    pub(in crate::cli) fn bytes(&self) -> usize {
        self.bytes
    }

    /// How often anything has changed.
    pub(in crate::cli) fn changes(&self) -> u64 {
        self.changes
    }

    /// The rows that are asked for, in their order: a value of JSON for each column. At most `most` of them.
    pub(in crate::cli) fn answer(&self, question: &Question, most: usize) -> Vec<Vec<String>> {
        let rows = self.rows.iter().flatten();
        let mut rows: Vec<Vec<String>> = rows.map(|row| cells(row, question.columns.len())).collect();
        if !question.order.is_empty() {
            let keys = |row: &Vec<String>| -> Vec<Key> {
                question.order.iter().map(|(column, ..)| Key::of(&row[*column])).collect()
            };
            rows.sort_by_cached_key(|row| Ordered { keys: keys(row), by: &question.order });
        }
        let limit = question.limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
        let offset = usize::try_from(question.offset).unwrap_or(usize::MAX);
        rows.into_iter().skip(offset).take(limit.min(most)).collect()
    }
}

/// Whether a row comes or goes, and the row.
fn parted(line: &str) -> (bool, &str) {
    let (comes, rest) = match line.strip_prefix("+I[") {
        Some(rest) => (true, rest),
        None => (false, line.strip_prefix("-D[").unwrap_or(line)),
    };
    (comes, rest.strip_suffix(']').unwrap_or(rest))
}

/// The values of a row, in the order of its columns. Their names are of digits in that order.
fn cells(row: &str, columns: usize) -> Vec<String> {
    let fields: BTreeMap<&str, &RawValue> = serde_json::from_str(row).unwrap_or_default();
    let mut cells: Vec<String> = fields.values().map(|value| value.get().to_owned()).collect();
    cells.resize(columns, "null".to_owned());
    cells
}

/// A value as it is compared.
#[derive(Debug, Clone, PartialEq)]
enum Key {
    Null,
    Whole(i128),
    Number(f64),
    Text(String),
}

impl Key {
    fn of(json: &str) -> Key {
        match json.as_bytes().first() {
            Some(b'n') => Key::Null,
            Some(b'"') => Key::Text(serde_json::from_str(json).unwrap_or_default()),
            Some(b'-' | b'0'..=b'9') => match json.parse::<i128>() {
                Ok(whole) => Key::Whole(whole),
                Err(_) => Key::Number(json.parse().unwrap_or(f64::NAN)),
            },
            _ => Key::Text(json.to_owned()),
        }
    }

    fn compare(&self, other: &Key) -> Ordering {
        match (self, other) {
            (Key::Whole(one), Key::Whole(other)) => one.cmp(other),
            (Key::Number(one), Key::Number(other)) => one.total_cmp(other),
            (Key::Whole(one), Key::Number(other)) => (*one as f64).total_cmp(other),
            (Key::Number(one), Key::Whole(other)) => one.total_cmp(&(*other as f64)),
            (Key::Text(one), Key::Text(other)) => one.cmp(other),
            _ => Ordering::Equal,
        }
    }
}

/// A row by the columns that it is ordered by.
struct Ordered<'q> {
    keys: Vec<Key>,
    by: &'q [(usize, bool, bool)],
}

impl Ord for Ordered<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let each = self.keys.iter().zip(&other.keys).zip(self.by);
        let each = each.map(|((one, other), (_, descends, nulls_first))| {
            match (*one == Key::Null, *other == Key::Null) {
                (true, true) => Ordering::Equal,
                (true, false) if *nulls_first => Ordering::Less,
                (true, false) => Ordering::Greater,
                (false, true) if *nulls_first => Ordering::Greater,
                (false, true) => Ordering::Less,
                (false, false) if *descends => other.compare(one),
                (false, false) => one.compare(other),
            }
        });
        each.fold(Ordering::Equal, Ordering::then)
    }
}

impl PartialOrd for Ordered<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Ordered<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Ordered<'_> {}

#[cfg(test)]
mod tests {
    use super::*;

    fn question(order: &str) -> Question {
        let tables = "CREATE TABLE t (a STRING, n INT) WITH ('connector' = 'kafka', 'topic' = 't', 'format' = 'json');";
        millstream::sql::ask("t", tables, &format!("SELECT a, n FROM t {order}"), false).unwrap()
    }

    #[test]
    fn rows_come_and_go_and_are_put_in_order() {
        let mut rows = Rows::default();
        let line = |kind: &str, a: &str, n: &str| format!(r#"{kind}[{{"00000":{a},"00001":{n}}}]"#);
        for (kind, a, n) in [
            ("+I", "\"b\"", "2"),
            ("+I", "\"a\"", "10"),
            ("+I", "\"b\"", "2"),
            ("-D", "\"b\"", "2"),
            ("-D", "\"c\"", "3"),
            ("+I", "null", "-1"),
            ("+I", "\"c\"", "3"),
        ] {
            rows.change(&line(kind, a, n));
        }
        assert_eq!((rows.len(), rows.changes()), (3, 7));
        let column = |rows: &Rows, order: &str, at: usize| -> Vec<String> {
            rows.answer(&question(order), 10).into_iter().map(|mut row| row.remove(at)).collect()
        };
        assert_eq!(column(&rows, "", 1), ["2", "10", "-1"]);
        assert_eq!(column(&rows, "ORDER BY n DESC", 1), ["10", "2", "-1"]);
        assert_eq!(column(&rows, "ORDER BY a", 0), ["null", "\"a\"", "\"b\""]);
        assert_eq!(column(&rows, "ORDER BY a NULLS LAST LIMIT 1 OFFSET 1", 0), ["\"b\""]);
        let many = (0..5_000).map(|n| line("+I", "\"x\"", &n.to_string()));
        many.for_each(|line| rows.change(&line));
        (0..4_990).map(|n| line("-D", "\"x\"", &n.to_string())).for_each(|line| rows.change(&line));
        assert_eq!((rows.len(), rows.rows.len() < 5_000), (13, true));
        assert_eq!(column(&rows, "ORDER BY n DESC LIMIT 1", 1), ["4999"]);
    }
}
