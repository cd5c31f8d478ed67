//! Values of the catalog while they are computed with.

use std::cmp::Ordering;

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
    List(Vec<Value>),
}

impl Value {
    pub(crate) fn text(text: impl Into<String>) -> Value {
        Value::Text(text.into())
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Value::Null)
    }

    /// Whether it holds; nothing for null.
    pub(crate) fn truth(&self) -> Option<bool> {
        match self {
            Value::Null => None,
            Value::Bool(holds) => Some(*holds),
            Value::Int(number) => Some(*number != 0),
            Value::Float(number) => Some(*number != 0.0),
            Value::Text(text) => Some(matches!(text.as_str(), "t" | "true" | "on" | "yes" | "1")),
            Value::List(_) => Some(true),
        }
    }

    pub(crate) fn of_truth(truth: Option<bool>) -> Value {
        truth.map_or(Value::Null, Value::Bool)
    }

    /// As a whole number.
    pub(crate) fn int(&self) -> Option<i64> {
        match self {
            Value::Int(number) => Some(*number),
            Value::Bool(holds) => Some(i64::from(*holds)),
            // As `as` cuts it: to the nearest there is.
            Value::Float(number) => Some(number.round() as i64),
            Value::Text(text) => text.trim().parse().ok(),
            Value::Null | Value::List(_) => None,
        }
    }

    pub(crate) fn float(&self) -> Option<f64> {
        match self {
            Value::Float(number) => Some(*number),
            Value::Text(text) => text.trim().parse().ok(),
            other => other.int().map(|number| number as f64),
        }
    }

    /// As a text of PostgreSQL's.
    pub(crate) fn written(&self) -> String {
        match self {
            Value::Null => String::new(),
            Value::Bool(holds) => if *holds { "t" } else { "f" }.to_owned(),
            Value::Int(number) => number.to_string(),
            Value::Float(number) => number.to_string(),
            Value::Text(text) => text.clone(),
            Value::List(items) => {
                let item = |item: &Value| match item {
                    Value::Null => "NULL".to_owned(),
                    other => {
                        let text = other.written();
                        let is_plain = !text.is_empty()
                            && text
                                .chars()
                                .all(|char| char.is_alphanumeric() || matches!(char, '_' | '-' | '.'));
                        if is_plain {
                            text
                        } else {
                            format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
                        }
                    }
                };
                format!("{{{}}}", items.iter().map(item).collect::<Vec<_>>().join(","))
            }
        }
    }

    /// As a value of an answer.
    pub(crate) fn json(&self) -> String {
        match self {
            Value::Null => "null".to_owned(),
            Value::Bool(holds) => holds.to_string(),
            Value::Int(number) => number.to_string(),
            Value::Float(number) if number.is_finite() => number.to_string(),
            other => serde_json::Value::from(other.written()).to_string(),
        }
    }

    /// The items of a list, which may be written as a text.
    pub(crate) fn items(&self) -> Option<Vec<Value>> {
        match self {
            Value::List(items) => Some(items.clone()),
            Value::Text(text) => {
                let inside = text.strip_prefix('{')?.strip_suffix('}')?;
                let items = inside.split(',').filter(|item| !item.is_empty());
                Some(items.map(|item| Value::text(item.trim_matches('"'))).collect())
            }
            _ => None,
        }
    }

    /// How it compares; nothing where one of them is null.
    pub(crate) fn compare(&self, other: &Value) -> Option<Ordering> {
        Some(match (self, other) {
            (Value::Null, _) | (_, Value::Null) => return None,
            (Value::Int(one), Value::Int(other)) => one.cmp(other),
            (Value::Bool(one), Value::Bool(other)) => one.cmp(other),
            (Value::Text(one), Value::Text(other)) => one.cmp(other),
            (Value::Bool(_), Value::Text(_)) => self.truth()?.cmp(&other.truth()?),
            (Value::Text(_), Value::Bool(_)) => self.truth()?.cmp(&other.truth()?),
            (Value::List(one), Value::List(other)) => {
                let mut each = one.iter().zip(other).map(|(one, other)| one.order(other));
                each.find(|order| order.is_ne()).unwrap_or_else(|| one.len().cmp(&other.len()))
            }
            (Value::Int(_) | Value::Float(_), _) | (_, Value::Int(_) | Value::Float(_)) => {
                match (self.float(), other.float()) {
                    (Some(one), Some(other)) => one.total_cmp(&other),
                    _ => self.written().cmp(&other.written()),
                }
            }
            _ => self.written().cmp(&other.written()),
        })
    }

    /// For sorting: nulls come last.
    pub(crate) fn order(&self, other: &Value) -> Ordering {
        self.compare(other).unwrap_or_else(|| self.is_null().cmp(&other.is_null()))
    }

    /// Whether it is the same one, for DISTINCT: nulls are the same.
    pub(crate) fn is_same(&self, other: &Value) -> bool {
        match self.compare(other) {
            Some(order) => order.is_eq(),
            None => self.is_null() && other.is_null(),
        }
    }
}
