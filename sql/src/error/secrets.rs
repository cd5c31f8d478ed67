//! Values in a file that may be secrets.
//!
//! Where the text of a file is shown, the values of options such as `'properties.sasl.password'` are not. They are found
//! in the text itself, not in its statements: a file with a mistake may have none, and a mistake is what is shown.

use std::collections::BTreeSet;

/// What a key has in it when its value may be a secret.
const MARKS: &[&str] = &[
    "password",
    "passwd",
    "passphrase",
    "secret",
    "token",
    "credential",
    "jaas",
    "user-info",
    "userinfo",
    "api-key",
    "api.key",
    "apikey",
    "access-key",
    "access.key",
    "account-key",
    "private",
    "keystore.key",
    "key.pem",
];
/// Words of a key that were meant to be one of these, by as many typing errors.
const MEANT: &[(&str, usize)] = &[("password", 2), ("secret", 1), ("credentials", 2)];

/// The secrets of a text.
#[derive(Debug, Default)]
pub(super) struct Secrets {
    /// The text with others in the place of their characters, of the same number of bytes.
    pub(super) masked: String,
    values: BTreeSet<String>,
}

impl Secrets {
    /// What was found.
    pub(super) fn into_values(self) -> Vec<String> {
        self.values.into_iter().collect()
    }

    /// A message without the secrets.
    pub(super) fn hidden_in(&self, message: &str) -> String {
        let mut message = message.to_owned();
        for value in &self.values {
            // A short one is anywhere; where it is quoted, it is meant.
            message = match value.len() {
                0 => message,
                1..=3 => message.replace(&format!("'{value}'"), "'***'"),
                _ => message.replace(value, "***"),
            };
        }
        message
    }
}

/// A character of the same number of bytes that says nothing.
fn hidden(char: char) -> char {
    match char.len_utf8() {
        _ if char == '\n' => char,
        1 => '*',
        2 => '·',
        3 => '•',
        _ => '\u{1d7ce}',
    }
}

/// Finds the secrets of a text.
pub(super) fn find(text: &str) -> Secrets {
    let mut places = in_addresses(text);
    let mut from = 0;
    while let Some((key, after)) = next_key(text, from) {
        from = after;
        if is_secret(key)
            && let Some((start, end)) = value_behind(text, after)
        {
            places.push((start, end));
            from = end.max(after);
        }
    }
    places.sort_unstable();
    let mut secrets = Secrets::default();
    let mut shown = 0;
    for (start, end) in places.into_iter().filter(|(start, end)| start < end) {
        secrets.values.insert(text[start..end].to_owned());
        let start = start.max(shown);
        if start < end {
            secrets.masked.push_str(&text[shown..start]);
            secrets.masked.extend(text[start..end].chars().map(hidden));
            shown = end;
        }
    }
    secrets.masked.push_str(&text[shown..]);
    secrets
}

fn is_key(char: char) -> bool {
    char.is_alphanumeric() || matches!(char, '.' | '-' | '_')
}

/// The next word that may be a key, and where it ends.
fn next_key(text: &str, from: usize) -> Option<(&str, usize)> {
    let start = from + text[from..].find(is_key)?;
    let length = text[start..].find(|char| !is_key(char)).unwrap_or(text.len() - start);
    Some((&text[start..start + length], start + length))
}

fn is_secret(key: &str) -> bool {
    let key = key.to_lowercase();
    let meant = |word: &str| {
        MEANT.iter().any(|(meant, errors)| {
            word.len() + errors >= meant.len() && strsim::osa_distance(word, meant) <= *errors
        })
    };
    MARKS.iter().any(|mark| key.contains(mark)) || key.split(['.', '-', '_']).any(meant)
}

/// The value behind a key that ends at a byte: `' = 'value'`, also where a quote or the `=` was forgotten.
fn value_behind(text: &str, key_end: usize) -> Option<(usize, usize)> {
    let rest = &text[key_end..];
    let unquoted = rest.trim_start_matches(['\'', '"', '`']).trim_start();
    let (equals, value) = match unquoted.strip_prefix('=') {
        Some(value) => (true, value.trim_start_matches('=').trim_start()),
        None => (false, unquoted),
    };
    let start = text.len() - value.len();
    match value.chars().next()? {
        quote @ ('\'' | '"') => {
            let inner = start + 1;
            Some((inner, inner + quoted_length(&text[inner..], quote)))
        }
        _ if equals => {
            let ends = |char: char| char.is_whitespace() || matches!(char, ',' | ')' | ';');
            Some((start, start + value.find(ends).unwrap_or(value.len())))
        }
        _ => None,
    }
}

/// Bytes up to the quote that ends a text; all of it where none does. A doubled quote is one of the text.
fn quoted_length(text: &str, quote: char) -> usize {
    let mut from = 0;
    while let Some(at) = text[from..].find(quote) {
        let end = from + at;
        if !text[end + 1..].starts_with(quote) {
            return end;
        }
        from = end + 2;
    }
    text.len()
}

/// Passwords in addresses: `scheme://user:password@host`.
fn in_addresses(text: &str) -> Vec<(usize, usize)> {
    let password = |(at, _): (usize, &str)| {
        let start = at + 3;
        let ends = |char: char| char.is_whitespace() || matches!(char, '/' | '\'' | '"' | ',' | ')' | '?');
        let length = text[start..].find(ends).unwrap_or(text.len() - start);
        let address = &text[start..start + length];
        let (user, _) = address.rsplit_once('@')?;
        let colon = user.find(':')?;
        Some((start + colon + 1, start + user.len()))
    };
    text.match_indices("://").filter_map(password).collect()
}

#[cfg(test)]
mod tests {
    use super::find;

    #[test]
    fn values_of_secret_options_are_found_however_they_are_written() {
        for text in [
            "'properties.sasl.password' = 'hunter2'",
            "'properties.sasl.password'='hunter2'",
            "'PROPERTIES.SASL.PASSWORD' 'hunter2'",
            "'properties.sasl.pasword' = 'hunter2'",
            "'properties.sasl.passwrd' = 'hunter2'",
            "properties.sasl.password = hunter2, 'a' = 'b'",
            "\"sasl.password\" = \"hunter2\"",
            "'properties.sasl.jaas.config' = 'Module required username=\"u\" password=\"hunter2\";'",
            "'properties.ssl.key.password' = 'hunter2",
            "'properties.ssl.keystore.key' = '-----BEGIN\nhunter2\n-----'",
            "'properties.sasl.password' = 'it''s hunter2'",
            "'url' = 'https://me:hunter2@host/path'",
            "'avro-confluent.basic-auth.user-info' = 'me:hunter2'",
            "SET 'sasl.oauthbearer.client.secret' == 'hunter2'",
        ] {
            let found = find(text);
            assert!(!found.masked.contains("hunter2"), "{text}: {}", found.masked);
            assert_eq!(found.masked.len(), text.len(), "{text}");
            let message = found.hidden_in("'x' can't be 'hunter2': hunter2, me:hunter2 and it''s hunter2");
            if found.values.iter().eq(["hunter2"]) {
                assert!(!message.contains("hunter2"), "{message}");
            }
        }
        for text in ["'key.format' = 'json'", "SELECT password FROM t", "PRIMARY KEY (key)", "'topic' = 'a'"]
        {
            assert_eq!(find(text).masked, text);
        }
    }
}
