//! What jobs, topics and groups may be called: one rule at every door.
//!
//! Names become names of topics, of directories and of threads, and are printed. So they are of letters, digits, `.`, `_`
//! and `-`, and none means another directory.

/// The longest name of a topic: Kafka's bound, which a directory's name also keeps to.
pub const TOPIC_NAME_MAX: usize = 249;
/// The longest name of a job: names of its own topics are a little longer.
pub const JOB_NAME_MAX: usize = 150;
/// The longest name of a consumer group.
pub const GROUP_NAME_MAX: usize = 249;

/// Whether a job may be called so.
///
/// # Errors
/// Why not, as a sentence goes on: `it has ..`.
pub fn job_name(name: &str) -> Result<(), String> {
    checked(name, JOB_NAME_MAX)
}

/// Whether a topic may be called so.
///
/// # Errors
/// Why not.
pub fn topic_name(name: &str) -> Result<(), String> {
    checked(name, TOPIC_NAME_MAX)
}

/// Whether a consumer group may be called so. It is Kafka's, and nothing here is named after it.
///
/// # Errors
/// Why not.
pub fn group_name(name: &str) -> Result<(), String> {
    if name.len() > GROUP_NAME_MAX {
        return Err(format!("it has {} characters: {GROUP_NAME_MAX} at most", name.len()));
    }
    match name.chars().find(|char| char.is_control()) {
        Some(char) => Err(format!("it has the character {}", char.escape_unicode())),
        None => Ok(()),
    }
}

fn checked(name: &str, length_max: usize) -> Result<(), String> {
    let is_legal = |char: &char| char.is_ascii_alphanumeric() || matches!(char, '.' | '_' | '-');
    if name.is_empty() {
        return Err("it is empty".to_owned());
    }
    if let Some(char) = name.chars().find(|char| !is_legal(char)) {
        let found = if char.is_control() { char.escape_unicode().to_string() } else { format!("'{char}'") };
        return Err(format!(
            "it has the character {found}: names are of letters (a-z, A-Z), digits, '.', '_' and '-'"
        ));
    }
    if name.chars().all(|char| char == '.') {
        return Err(
            "it is only of '.': directories are called by it, and this one would be another".to_owned()
        );
    }
    if name.len() > length_max {
        return Err(format!("it has {} characters: {length_max} at most", name.len()));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_no_path_no_escape_and_not_too_long() {
        for name in ["a", "orders.v2", "my-job_1", "..a", "-", &"x".repeat(JOB_NAME_MAX)] {
            assert_eq!(job_name(name), Ok(()), "{name}");
        }
        for (name, reason) in [
            ("", "empty"),
            (".", "another"),
            ("..", "another"),
            ("...", "another"),
            ("a/b", "'/'"),
            ("../a", "'/'"),
            ("a\\b", "'\\'"),
            ("a b", "' '"),
            ("a\nb", "\\u{a}"),
            ("a\0", "\\u{0}"),
            ("größe", "'ö'"),
            (&"x".repeat(JOB_NAME_MAX + 1), "151 characters"),
        ] {
            assert!(job_name(name).is_err_and(|why| why.contains(reason)), "{name:?}");
        }
        assert_eq!(topic_name(&"x".repeat(TOPIC_NAME_MAX)), Ok(()));
        assert!(topic_name(&"x".repeat(TOPIC_NAME_MAX + 1)).is_err());
        assert!(group_name("team:a/b").is_ok() && group_name("a\u{7}").is_err());
    }
}
