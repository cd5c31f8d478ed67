//! Texts of errors, cut to what a person reads: they quote data, and data may be of any length.

use std::borrow::Cow;

/// Bytes of a text that are shown.
const BYTES_MAX: usize = 2_000;
/// Of those, how many of its end.
const END_BYTES: usize = 500;

/// The beginning and the end of a text that is too long to be read, and how long it is.
///
/// ```
/// use millstream_operators::brief;
/// assert_eq!(brief("too late"), "too late");
/// let long = brief(&"x".repeat(10_000_000)).into_owned();
/// assert!(long.len() < 2_100 && long.contains("10000000 bytes"));
/// ```
pub fn brief(text: &str) -> Cow<'_, str> {
    if text.len() <= BYTES_MAX {
        return Cow::Borrowed(text);
    }
    let start = text.floor_char_boundary(BYTES_MAX - END_BYTES);
    let end = text.ceil_char_boundary(text.len() - END_BYTES);
    Cow::Owned(format!("{} ... ({} bytes in all) ... {}", &text[..start], text.len(), &text[end..]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_text_is_cut_between_letters_and_keeps_its_end() {
        for letter in ["x", "é", "日", "🙂"] {
            let text = format!("begin {} the end", letter.repeat(5_000));
            let brief = brief(&text);
            assert!(brief.starts_with("begin ") && brief.ends_with(" the end"), "{brief}");
            assert!(brief.len() < BYTES_MAX + 100, "{}", brief.len());
        }
        let fits = "x".repeat(BYTES_MAX);
        assert_eq!(brief(&fits), fits);
    }
}
