//! What must not leave the machine: the values of secrets, wherever they turn up.
//!
//! A secret is known by what it is set as. Every text of a bundle goes through here, whoever wrote it, so that one that got
//! into a log or a message is not sent along.

use std::collections::BTreeSet;

/// What stands in their place.
const HIDDEN: &str = "(secret)";
/// Shorter ones are hidden only where they are quoted: they are part of many words.
const BARE_MIN: usize = 4;

/// The values that are hidden.
#[derive(Debug, Default)]
pub(super) struct Secrets(BTreeSet<String>);

impl Secrets {
    /// Hides this value from now on, and what is quoted in it: a login of Java's is one value with a password inside.
    pub(super) fn add(&mut self, value: &str) {
        let value = value.trim();
        if value.is_empty() {
            return;
        }
        let inside = value.split('"').skip(1).step_by(2).filter(|inside| inside.len() >= BARE_MIN);
        self.0.extend(inside.map(str::to_owned));
        // A certificate or a key is shown by lines.
        let lines = value.lines().map(str::trim).filter(|line| line.len() >= 16);
        self.0.extend(lines.map(str::to_owned));
        // As it stands in JSON and in messages that quote it.
        self.0.insert(value.escape_default().to_string());
        self.0.insert(serde_json::Value::from(value).to_string().trim_matches('"').to_owned());
        self.0.insert(value.to_owned());
    }

    /// A text without them.
    pub(super) fn hidden_in(&self, text: &str) -> String {
        let mut text = text.to_owned();
        // The longest first: one may be part of another.
        let mut values: Vec<&String> = self.0.iter().collect();
        values.sort_by_key(|value| std::cmp::Reverse(value.len()));
        for value in values {
            if value.len() >= BARE_MIN {
                text = text.replace(value.as_str(), HIDDEN);
            } else {
                for quote in ['\'', '"'] {
                    text =
                        text.replace(&format!("{quote}{value}{quote}"), &format!("{quote}{HIDDEN}{quote}"));
                }
            }
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_hidden_however_it_is_quoted() {
        let mut secrets = Secrets::default();
        secrets.add("hunter2");
        secrets.add("ab");
        secrets.add("pa\"ss\\word");
        secrets.add("PlainLoginModule required username=\"x\" password=\"inner-one\";");
        let text = "login hunter2 failed: 'ab' abc {\"p\": \"pa\\\"ss\\\\word\"} inner-one PlainLoginModule";
        let hidden = "login (secret) failed: '(secret)' abc {\"p\": \"(secret)\"} (secret) PlainLoginModule";
        assert_eq!(secrets.hidden_in(text), hidden);
        assert_eq!(Secrets::default().hidden_in(text), text);
    }
}
