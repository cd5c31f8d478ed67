//! Regular expressions and what Flink makes of them.

use super::Patterns;

/// Text, expression, and the text with `|` in the place of each match; `none` for what is no expression.
const REPLACED: &[(&str, &str, &str)] = &[
    ("banana", "a", "b|n|n|"),
    ("aaa", "a*", "||"),
    ("baac", "a*", "|b||c|"),
    ("héé", r"\w", "|éé"),
    ("a٣b", r"\d", "a٣b"),
    ("a b", r"\s", "a|b"),
    ("a b", r"\h", "a|b"),
    ("ÀÉ", "(?i)é", "ÀÉ"),
    ("ÀÉ", "(?iu)é", "À|"),
    ("é a", r"\b", "|é| |a|"),
    ("a\nb", "$", "a\nb|"),
    ("a\n", "$", "a|\n|"),
    ("a\r\n", "$", "a|\r\n|"),
    ("a\nb", "(?m)^", "|a\n|b"),
    ("a\n", "(?m)^", "|a\n"),
    ("a\r\nb", "(?m)$", "a|\r\nb|"),
    ("abcd", "(?<=b)c", "ab|d"),
    ("abc", "(?=b)", "a|bc"),
    ("abc", "(?!b)c", "ab|"),
    ("abcd", "(?<!b)[bd]", "a|c|"),
    ("abcd", ".*", "||"),
    ("abcd", ".*?", "|a|b|c|d|"),
    ("", "^$", "|"),
    ("aab", "a|ab", "||b"),
    ("a.b", r"\Q.\E", "a|b"),
    ("aab", "a++b", "|"),
    ("aab", "a++ab", "aab"),
    ("ab", "(?>a|ab)b", "|"),
    ("abab", r"(ab)\1", "|"),
    ("aAb", r"(?i)(a)\1", "|b"),
    ("xyxy", r"(?<n>x)y\k<n>", "|y"),
    ("aaa", "a{2}", "|a"),
    ("aaaa", "(a{1,2}){2}", "|"),
    ("a\nb", "a.b", "a\nb"),
    ("a\u{85}b", "a.b", "a\u{85}b"),
    ("a\nb", "(?s)a.b", "|"),
    ("a\nb", "(?d)a.b", "a\nb"),
    ("abc", "(?x)a b c # all", "|"),
    ("b", "[a-c[x-z]]", "|"),
    ("ab", "[a-z&&[^b]]", "|b"),
    ("a]", "[]a]", "||"),
    ("a-b", r"[a\-]", "||b"),
    ("-", r"[\w-a]", "|"),
    ("aé", r"\p{L}", "||"),
    ("aé", r"\p{Alpha}", "|é"),
    ("α", r"\p{IsGreek}", "|"),
    ("aA", r"(?i)[a]", "||"),
    ("a", r"\x61\u0061?\0141?", "|"),
    ("(a)*", "(a*)*", "|(||)|*|"),
    ("abc", "(b|", "none"),
    ("abc", "[", "none"),
    ("a{1", "a{1", "none"),
    ("a", "a{,2}", "none"),
    ("a", "a**", "none"),
    ("a", "*a", "none"),
    ("a", "[z-a]", "none"),
    ("a", r"[a-\d]", "none"),
    ("a", "a(?#x)", "none"),
    ("a", r"\y", "none"),
    ("a", "a)", "none"),
    ("a", "o{2,1}", "none"),
];

#[test]
fn matches_are_those_of_java() {
    for (text, regex, expected) in REPLACED {
        let pattern = Patterns::default().get(regex).unwrap_or_else(|failed| panic!("{regex}: {failed:?}"));
        let replaced = match pattern {
            None => "none".to_owned(),
            Some(pattern) => {
                let (mut out, mut behind) = (String::new(), 0);
                for found in pattern.matches(text) {
                    let (start, end) = found.unwrap_or_else(|failed| panic!("{regex}: {failed:?}"));
                    out.push_str(&text[behind..start]);
                    out.push('|');
                    behind = end;
                }
                out.push_str(&text[behind..]);
                out
            }
        };
        assert_eq!(&replaced, expected, "{regex} in {text:?}");
    }
}

#[test]
fn what_does_not_run_here_is_refused_by_name() {
    for (regex, expected) in [
        (r"\Ga", r"\G"),
        (r"\p{InGreek}", r"\p{InGreek}"),
        (r"(?<=a+)b", "a look behind without a longest match"),
        (&"(".repeat(200), "parts that are nested too deeply"),
    ] {
        let refused = Patterns::default().get(regex).expect_err(regex);
        assert!(refused.0.contains(expected), "{regex}: {refused:?}");
    }
    assert!(Patterns::default().get("a{1000}{1000}{1000}").is_ok(), "no expression: it is NULL");
    let large = Patterns::default().get("(((a{1000}){1000}){1000})").expect_err("too large");
    assert!(large.0.contains("too large"), "{large:?}");
}

#[test]
fn a_match_that_goes_back_too_often_is_an_error_and_ends() {
    let pattern = Patterns::default().get(r"(x+x+)+(?=y)").ok().flatten().expect("a pattern");
    let refused = pattern.is_match(&"x".repeat(40)).expect_err("too many steps");
    assert!(refused.0.contains("too many steps"), "{refused:?}");
}

#[test]
fn groups_are_those_of_java() {
    let groups = |text: &str, regex: &str| {
        let pattern = Patterns::default().get(regex).ok().flatten().expect(regex);
        let groups = pattern.captures_at(text, 0).expect(regex).unwrap_or_default();
        groups
            .into_iter()
            .map(|group| group.map(|(start, end)| text[start..end].to_owned()))
            .collect::<Vec<_>>()
    };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(groups("100-200", r"(\d+)-(\d+)"), [text("100-200"), text("100"), text("200")]);
    assert_eq!(groups("abc", "(z)?b"), [text("b"), None]);
    assert_eq!(groups("abc", "(z)?b(?=c)"), [text("b"), None]);
    assert_eq!(groups("100", r"(\d+)(\d)"), [text("100"), text("10"), text("0")]);
    assert_eq!(groups("100x", r"(\d+)(\d)(?=x)"), [text("100"), text("10"), text("0")]);
}

#[test]
fn texts_are_split_as_java_splits_them() {
    for (text, regex, limit, expected) in [
        ("a,b,,", ",", 0, vec!["a", "b"]),
        ("a=b=c", "=", 2, vec!["a", "b=c"]),
        ("abc", "", 0, vec!["a", "b", "c"]),
        (",", ",", 0, vec![]),
        ("abc", "x", 0, vec!["abc"]),
        (",a", ",", 0, vec!["", "a"]),
    ] {
        let pattern = Patterns::default().get(regex).ok().flatten().expect(regex);
        assert_eq!(pattern.split(text, limit).expect(regex), expected, "{text} by {regex}");
    }
}
