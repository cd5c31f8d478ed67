//! Results as JUnit writes them, for what shows tests.

use std::fmt::Write;

/// The tests of a file.
#[derive(Debug)]
pub(super) struct Suite {
    pub(super) name: String,
    pub(super) cases: Vec<Case>,
}

/// A test that was run.
#[derive(Debug)]
pub(super) struct Case {
    pub(super) name: String,
    pub(super) seconds: f64,
    pub(super) failure: Option<String>,
}

/// All suites as one document.
pub(super) fn xml(suites: &[Suite]) -> String {
    let mut text = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
    for Suite { name, cases } in suites {
        let failures = cases.iter().filter(|case| case.failure.is_some()).count();
        let seconds: f64 = cases.iter().map(|case| case.seconds).sum();
        let (name, count) = (escaped(name), cases.len());
        let _ = writeln!(
            text,
            "  <testsuite name=\"{name}\" tests=\"{count}\" failures=\"{failures}\" time=\"{seconds:.3}\">"
        );
        for Case { name: case, seconds, failure } in cases {
            let case = escaped(case);
            let head = format!("    <testcase classname=\"{name}\" name=\"{case}\" time=\"{seconds:.3}\"");
            let _ = match failure {
                None => writeln!(text, "{head}/>"),
                Some(failure) => {
                    let (first, all) =
                        (escaped(failure.lines().next().unwrap_or_default().trim()), escaped(failure));
                    writeln!(
                        text,
                        "{head}>\n      <failure message=\"{first}\">{all}</failure>\n    </testcase>"
                    )
                }
            };
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

/// Text as XML may hold it.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for char in text.chars() {
        match char {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(char),
            char if char.is_control() => out.push('\u{fffd}'),
            char => out.push(char),
        }
    }
    out
}

#[cfg(test)]
mod unit_tests {
    use super::*;

    #[test]
    fn results_are_xml_whatever_stands_in_them() {
        let case = |failure: Option<&str>| Case {
            name: "a < b & \"c\"".to_owned(),
            seconds: 0.5,
            failure: failure.map(str::to_owned),
        };
        let suites =
            [Suite { name: "job.sql".to_owned(), cases: vec![case(None), case(Some("first\n<all>\u{1b}"))] }];
        let expected = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n  \
             <testsuite name=\"job.sql\" tests=\"2\" failures=\"1\" time=\"1.000\">\n    \
             <testcase classname=\"job.sql\" name=\"a &lt; b &amp; &quot;c&quot;\" time=\"0.500\"/>\n    \
             <testcase classname=\"job.sql\" name=\"a &lt; b &amp; &quot;c&quot;\" time=\"0.500\">\n      \
             <failure message=\"first\">first\n&lt;all&gt;\u{fffd}</failure>\n    </testcase>\n  </testsuite>\n</testsuites>\n";
        assert_eq!(xml(&suites), expected);
    }
}
