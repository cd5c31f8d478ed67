//! What a program that embeds jobs can name: an explicit list, so that nothing gets in or out by accident.
//!
//! A name that is new here is looked at as part of the interface, then taken up with `cargo insta accept`, or by renaming
//! the file that the failed test has written.

#![allow(clippy::unwrap_used, reason = "a test")]

use std::fs;

fn facade() -> String {
    fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/src/lib.rs")).unwrap()
}

/// Lines of code with the doc comment and the attributes before each: modules and re-exports of the facade.
fn items(text: &str) -> Vec<(String, String)> {
    let (mut items, mut docs, mut code) = (Vec::new(), String::new(), String::new());
    for line in text.lines().map(str::trim) {
        match line {
            line if line.starts_with("///") || line.starts_with("#[") => docs.push_str(&format!("{line}\n")),
            line if line.starts_with("//") || line.is_empty() => {}
            line => {
                code.push_str(line);
                let is_whole = line.ends_with(';') || line == "}" || code.starts_with("pub mod ");
                if is_whole {
                    items.push((std::mem::take(&mut docs), std::mem::take(&mut code)));
                }
            }
        }
    }
    items
}

/// The names that a `pub use` takes in.
fn names(code: &str) -> Vec<String> {
    let path = code.trim_start_matches("pub use ").trim_end_matches(';');
    let Some((_, list)) = path.split_once('{') else {
        let last = path.rsplit("::").next().unwrap();
        return vec![last.rsplit(" as ").next().unwrap().to_owned()];
    };
    let list = list.trim_end_matches('}').split(',').map(str::trim);
    list.filter(|name| !name.is_empty()).map(str::to_owned).collect()
}

#[test]
fn the_facade_is_this_list() {
    let (mut list, mut path) = (Vec::new(), vec!["millstream".to_owned()]);
    for (docs, code) in items(&facade()) {
        if let Some(module) = code.strip_prefix("pub mod ") {
            path.push(module.trim_end_matches(" {").to_owned());
        } else if code == "}" {
            path.pop();
        } else if !docs.contains("#[doc(hidden)]") {
            assert!(!code.contains('*') && code.contains("::"), "everything of a crate is no list: {code}");
            list.extend(names(&code).into_iter().map(|name| format!("{}::{name}", path.join("::"))));
        }
    }
    list.sort();
    insta::assert_snapshot!(list.join("\n"));
}

#[test]
fn every_group_of_the_facade_says_what_it_is_for_and_shows_it() {
    let mut count = 0;
    for (docs, code) in items(&facade()) {
        if code.starts_with("pub mod ") {
            count += 1;
            let shown = docs.contains("```\n") || docs.contains("for an example");
            assert!(docs.starts_with("/// ") && shown && !docs.contains("```ignore"), "{code}: {docs}");
        }
    }
    assert!(count > 8, "the facade was not understood: {count}");
}
