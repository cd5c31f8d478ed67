//! The pages of errors: each code has one, and its example gives that code.

use millstream_sql::error::code;
use millstream_sql::plan;

/// The pieces of SQL of a page.
fn blocks(page: &str) -> Vec<&str> {
    page.split("```sql\n").skip(1).filter_map(|block| block.split("```").next()).collect()
}

#[test]
fn the_example_of_each_page_gives_its_code_and_what_to_do_mends_it() {
    for (code, page) in code::PAGES {
        assert!(page.starts_with(&format!("# {code}: ")), "{code}");
        assert!(page.contains("\n## What to do\n"), "{code}");
        if *code == code::DEFECT {
            // What gives it would have been mended.
            continue;
        }
        let [wrong, right] = blocks(page)[..] else { panic!("{code}: an example, and what is right") };
        let errors = plan("example.sql", wrong).expect_err(code);
        assert!(errors.errors.iter().all(|error| error.code == *code), "{code}: {errors}");
        plan("example.sql", right).unwrap_or_else(|errors| panic!("{code}: {errors}"));
    }
}

#[test]
fn the_list_of_errors_has_each_of_them_with_the_title_of_its_page() {
    let list = include_str!("../../../docs/errors/README.md");
    for (code, page) in code::PAGES {
        let title = page.lines().next().unwrap().split_once(": ").unwrap().1;
        let row = format!("| [{code}]({code}.md) | {title} |");
        assert!(list.contains(&row), "docs/errors/README.md has no row {row}");
    }
    assert_eq!(list.matches(".md) |").count(), code::PAGES.len());
}
