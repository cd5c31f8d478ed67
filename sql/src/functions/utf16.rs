//! Texts as Java sees them: in units of UTF-16.
//!
//! Some of Flink's functions count characters, others Java's `char`s, of which a supplementary character has two. Where
//! one of the latter leaves half of a character, a `?` stands for it, as in Flink.

/// The units of a text.
pub(super) fn units(text: &str) -> Vec<u16> {
    text.encode_utf16().collect()
}

/// How many units a text has.
pub(super) fn count(text: &str) -> usize {
    match text.is_ascii() {
        true => text.len(),
        false => text.encode_utf16().count(),
    }
}

/// Appends the text of some units.
pub(super) fn push(units: &[u16], text: &mut String) {
    text.extend(char::decode_utf16(units.iter().copied()).map(|decoded| decoded.unwrap_or('?')));
}

/// The order of Java's strings: by units, so that supplementary characters come before U+E000.
#[allow(dead_code, reason = "texts are ordered by it where Flink orders them")]
pub(super) fn compare(left: &str, right: &str) -> std::cmp::Ordering {
    left.encode_utf16().cmp(right.encode_utf16())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_a_character_is_a_question_mark() {
        let mut text = String::new();
        push(&units("a😀")[..2], &mut text);
        assert_eq!(text, "a?");
        assert_eq!(count("a😀"), 3);
    }

    #[test]
    fn texts_are_ordered_by_units() {
        assert!(compare("😀", "\u{ff5e}").is_lt());
        assert!("😀" > "\u{ff5e}");
    }
}
