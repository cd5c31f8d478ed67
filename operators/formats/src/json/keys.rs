//! Keys of an object: guessing the next one.
//!
//! Records of a topic are written by one program, so their keys come in the same order again and again, and with the
//! same white space between them. For every key, also those that no column needs, the one that followed it last time
//! is remembered, and so is the text between the values before and behind it. The guess is one comparison of text:
//!
//! ```text
//! {"id":7,"note":"abc","bid":{..}}
//!        ^^^^^^^^ comma, key, colon, and white space where there is some
//! ```
//! Only when it is wrong is the text taken apart and the key looked up. Nothing is hashed.

use super::strings::{push_escaped, unescape};
use super::syntax::{Expected, Fault, space};

/// A key by its place in [`Keys`]. Those of columns have the indices of the columns.
pub(crate) type KeyId = u16;

/// Stands for no key: in front of the first one, and for one that is not remembered.
pub(crate) const NO_KEY: KeyId = KeyId::MAX;

/// Keys that no column needs are remembered up to this many for each object, so that a map in disguise does not fill
/// the memory.
const LEARNED_MAX: usize = 64;
/// Longer texts are looked up every time.
const TEXT_BYTES_MAX: usize = 256;

/// The keys known of an object: those of its columns, then those that came by.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    keys: Vec<Key>,
    names: Vec<Box<[u8]>>,
    /// The key that the object began with last time.
    first: KeyId,
    columns: usize,
}

#[derive(Debug, Clone)]
struct Key {
    /// The first 16 bytes of the text, and which bits of them count.
    head: u128,
    mask: u128,
    /// From the end of the value before, or the object's brace, to the value behind.
    text: Vec<u8>,
    /// The key that followed last time.
    next: KeyId,
}

/// What stands behind a value, or behind the brace of an object.
#[derive(Debug)]
pub(crate) enum Item<'t> {
    /// A key with its value; see [`Keys::read`].
    Key(&'t [u8], KeyId, KeyId),
    /// The object's end, and the text behind it.
    End(&'t [u8]),
}

impl Key {
    fn set_text(&mut self, text: &[u8]) {
        self.text.clear();
        self.text.extend_from_slice(text);
        let mut head = [0; 16];
        let length = text.len().min(16);
        head[..length].copy_from_slice(&text[..length]);
        self.head = u128::from_le_bytes(head);
        self.mask = u128::MAX >> (128 - 8 * length);
    }

    /// The value behind the key, if it is this one.
    #[inline(always)]
    fn strip<'t>(&self, rest: &'t [u8]) -> Option<&'t [u8]> {
        let value = match rest.first_chunk::<16>() {
            Some(head) if (u128::from_le_bytes(*head) ^ self.head) & self.mask != 0 => None,
            Some(_) if self.text.len() <= 16 => rest.get(self.text.len()..),
            _ => rest.strip_prefix(self.text.as_slice()),
        };
        value.filter(|value| value.first().is_some_and(|byte| *byte > b' '))
    }
}

impl Keys {
    /// Keys of columns.
    pub(crate) fn new<'a>(columns: impl Iterator<Item = &'a str>) -> Self {
        let mut keys = Keys { keys: Vec::new(), names: Vec::new(), first: 0, columns: 0 };
        for name in columns {
            let mut text = vec![if keys.columns == 0 { b'{' } else { b',' }, b'"'];
            push_escaped(name.as_bytes(), &mut text);
            text.extend(b"\":");
            keys.columns += 1;
            keys.push(name.as_bytes(), &text, keys.columns as KeyId);
        }
        keys
    }

    fn push(&mut self, name: &[u8], text: &[u8], next: KeyId) {
        let mut key = Key { head: 0, mask: 0, text: Vec::new(), next };
        key.set_text(text);
        self.keys.push(key);
        self.names.push(name.into());
    }

    /// The key that comes first, presumably.
    #[inline(always)]
    pub(crate) fn first_guess(&self) -> KeyId {
        self.first
    }

    /// Where the key at `rest` is the one presumed: its value, and the next guess. `rest` begins behind the value
    /// before, or with the object's brace.
    #[inline(always)]
    pub(crate) fn guess<'t>(&self, guess: KeyId, rest: &'t [u8]) -> Option<(&'t [u8], KeyId)> {
        let key = self.keys.get(usize::from(guess))?;
        Some((key.strip(rest)?, key.next))
    }

    /// Reads what stands at `rest`, which has not been guessed: a key behind the key `before`, giving its value, its
    /// id and the next guess, or the object's end.
    #[inline(never)]
    pub(crate) fn read<'t>(
        &mut self,
        rest: &'t [u8],
        before: KeyId,
        scratch: &mut Vec<u8>,
        fault: &mut Fault,
    ) -> Option<Item<'t>> {
        let key = match (space(rest), before) {
            ([b'}', behind @ ..], _) => return Some(Item::End(behind)),
            ([b',', tail @ ..], _) => space(tail),
            ([b'{', tail @ ..], NO_KEY) => match space(tail) {
                [b'}', behind @ ..] => return Some(Item::End(behind)),
                key => key,
            },
            (other, _) => return fault.malformed(other, Expected::CommaOrBrace),
        };
        let [b'"', name @ ..] = key else { return fault.malformed(key, Expected::Key) };
        let (name, behind) = unescape(name, scratch, fault)?;
        let colon = space(&key[key.len() - behind.len()..]);
        let [b':', value @ ..] = colon else { return fault.malformed(colon, Expected::Colon) };
        let value = space(value);
        let id = self.learn(name, &rest[..rest.len() - value.len()], before);
        let next = if id == NO_KEY { self.next(before) } else { self.next(id) };
        Some(Item::Key(value, id, next))
    }

    /// Remembers that a key came behind `before`, and in which words; gives its id.
    fn learn(&mut self, name: &[u8], text: &[u8], before: KeyId) -> KeyId {
        let room = self.keys.len() < self.columns + LEARNED_MAX && text.len() <= TEXT_BYTES_MAX;
        let found = match self.names.iter().position(|known| **known == *name) {
            Some(known) => {
                if text.len() <= TEXT_BYTES_MAX {
                    self.keys[known].set_text(text);
                }
                known as KeyId
            }
            None if room => {
                self.push(name, text, 0);
                (self.keys.len() - 1) as KeyId
            }
            None => return NO_KEY,
        };
        match self.keys.get_mut(usize::from(before)) {
            Some(before) => before.next = found,
            None => self.first = found,
        }
        found
    }

    fn next(&self, key: KeyId) -> KeyId {
        self.keys.get(usize::from(key)).map_or(self.first, |key| key.next)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(keys: &mut Keys, text: &str, guess: KeyId) -> Option<KeyId> {
        let (mut scratch, mut fault) = (Vec::new(), Fault::default());
        let (rest, key) = match keys.guess(guess, text.as_bytes()) {
            Some((rest, _)) => (rest, guess),
            None => match keys.read(text.as_bytes(), NO_KEY, &mut scratch, &mut fault) {
                Some(Item::Key(rest, key, _)) => (rest, key),
                other => panic!("{text}: {other:?}, {fault:?}"),
            },
        };
        assert_eq!(rest, b"1}", "{text}");
        (key != NO_KEY).then_some(key)
    }

    #[test]
    fn keys_are_found_however_they_are_written() {
        let long = "a name that is longer than sixteen bytes";
        let mut keys = Keys::new(["a", "é\"", long].into_iter());
        for guess in 0..5 {
            assert_eq!(read(&mut keys, ",\"a\":1}", guess), Some(0));
            assert_eq!(read(&mut keys, ", \"a\": 1}", guess), Some(0));
            assert_eq!(read(&mut keys, "{\"\\u0061\" :1}", guess), Some(0));
            assert_eq!(read(&mut keys, " ,\n\"é\\\"\":1}", guess), Some(1));
            assert_eq!(read(&mut keys, &format!(",\"{long}\":1}}"), guess), Some(2));
            assert_eq!(read(&mut keys, &format!(",\"{long}er\":1}}"), guess), Some(3));
        }
    }

    #[test]
    fn only_so_many_unknown_keys_are_remembered() {
        let mut keys = Keys::new(["a"].into_iter());
        for n in 0..1_000 {
            let id = read(&mut keys, &format!(",\"key {n}\":1}}"), 0);
            assert_eq!(id, (n < LEARNED_MAX as u16).then_some(n + 1));
        }
        assert_eq!(read(&mut keys, &format!(",\"{}\":1}}", "x".repeat(500)), 0), None);
    }
}
