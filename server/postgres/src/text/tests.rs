use super::*;
use proptest::prelude::*;

fn in_flink(text: &str) -> String {
    let tokens = tokens(text).unwrap();
    let all = statements(&tokens, text);
    let mut parameter =
        |number: usize, counts: bool| Ok(format!("<{number}{}>", if counts { " rows" } else { "" }));
    let each = all.iter().map(|one| asked(one, text, "jobs", &mut parameter).unwrap().text);
    each.collect::<Vec<_>>().join(" ; ")
}

#[test]
fn what_clients_of_postgresql_write_is_asked_in_flinks_words() {
    for (text, expected) in [
        (r#"SELECT "a", "b""c" FROM "public"."t""#, r#"SELECT `a`, `b"c` FROM `t`"#),
        ("SELECT public.t.a FROM jobs.public.t", "SELECT t.a FROM t"),
        ("SELECT t.public FROM t", "SELECT t.public FROM t"),
        ("SELECT $1, $12 LIMIT $3", "SELECT <1>, <12> LIMIT <3 rows>"),
        (r"SELECT E'a\'b\n', $x$it's$x$", "SELECT 'a''b\n', 'it''s'"),
        ("SELECT 'a;b' -- c;d\n; SELECT /* ; /* */ */ 2;;", "SELECT 'a;b' ; SELECT   2"),
        ("SELECT a::text, '1'::int4 FROM t", "SELECT CAST(a AS STRING), CAST('1' AS INT) FROM t"),
        ("SELECT t.a::int::text", "SELECT CAST(CAST(t.a AS INT) AS STRING)"),
        ("SELECT (a + f(b))::bigint", "SELECT CAST((a + f(b)) AS BIGINT)"),
        ("SELECT COUNT(*)::float8", "SELECT CAST(COUNT(*) AS DOUBLE)"),
        ("SELECT 1.5e3, a$b", "SELECT 1.5e3, a$b"),
    ] {
        assert_eq!(in_flink(text), expected, "{text}");
    }
    assert!(tokens("SELECT 'a").is_err() && tokens("/* a").is_err() && tokens("$$ a").is_err());
}

#[test]
fn a_place_is_that_of_the_clients_text() {
    let text = r#"SELECT $1, "public"."t"."a"::int, nope FROM t"#;
    let tokens = tokens(text).unwrap();
    let asked = asked(&tokens, text, "jobs", &mut |_, _| Ok("'a long value'".to_owned())).unwrap();
    for word in ["nope", "FROM"] {
        let here = asked.text.find(word).unwrap();
        assert_eq!(asked.place(here), text.find(word), "{word}");
        assert_eq!(asked.place(here + 2), text.find(word).map(|at| at + 2), "{word}");
    }
}

proptest! {
    #[test]
    fn whatever_the_text_it_is_taken_apart(text in "\\PC{0,60}", sign in "['\"$/*:;E.()a1 -]{0,40}") {
        for text in [text, sign] {
            if let Ok(tokens) = tokens(&text) {
                let whole: String = tokens.iter().map(|token| token.text(&text)).collect();
                prop_assert_eq!(&whole, &text);
                for one in statements(&tokens, &text) {
                    let _ = asked(&one, &text, "jobs", &mut |_, _| Ok(String::new()));
                    let _ = crate::parameters::parameter_kinds(&one, &text, &[], |_| Some(Kind::Int4));
                    let _: Vec<String> = one.iter().map(|token| value(token, &text)).collect();
                }
            }
        }
    }
}
