//! As people see it: by PostgreSQL's own client.

use crate::backend::serve;
use millstream_postgres::PostgresServer;
use std::process::Command;

/// The client, where it is; tests/setup.sh installs it.
fn has_psql() -> bool {
    let found = Command::new("psql").arg("--version").output().is_ok_and(|output| output.status.success());
    if !found && std::env::var("CI").is_ok_and(|ci| ci == "true") {
        panic!("psql is missing, and this is CI: install postgresql-client");
    }
    if !found {
        eprintln!("skipped: there is no psql");
    }
    found
}

/// What psql says, with its errors, to commands that it is given.
fn psql(server: &PostgresServer, database: &str, password: &str, commands: &[&str]) -> (bool, String) {
    let mut command = Command::new("psql");
    command.env_clear().env("PATH", std::env::var("PATH").unwrap_or_default()).env("PGPASSWORD", password);
    command.env("LC_ALL", "C.UTF-8").env("HOME", std::env::temp_dir());
    command.args(["-X", "-q", "-w", "-h", "127.0.0.1", "-U", "me", "-d", database, "-p"]);
    command.arg(server.address().port().to_string());
    for one in commands {
        command.args(["-c", one]);
    }
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap() + &String::from_utf8_lossy(&output.stderr);
    (output.status.success(), said)
}

#[test]
fn psql_lists_databases_schemas_and_tables() {
    if !has_psql() {
        return;
    }
    let (server, _) = serve(None, None);
    let (ok, said) = psql(
        &server,
        "shop",
        "",
        &["\\l", "\\dn", "\\d", "\\dt", "\\dv", "\\d orders", "\\d totals", "\\d+ orders"],
    );
    assert!(ok, "{said}");
    for part in [
        "shop     | millstream | UTF8",
        "public | millstream",
        "public | orders | table | millstream",
        "public | totals | view  | millstream",
        "Table \"public.orders\"",
        "price    | numeric(10,2)",
        "ordered  | timestamp with time zone",
        "items    | json",
        "View \"public.totals\"",
    ] {
        assert!(said.contains(part), "{part} is missing in\n{said}");
    }
    assert!(!said.contains("ERROR"), "{said}");
    let (ok, said) = psql(
        &server,
        "shop",
        "",
        &["\\du", "\\df", "\\dx", "\\di", "\\db", "\\dT", "\\ds", "\\dm", "\\conninfo"],
    );
    assert!(ok && !said.contains("ERROR"), "{said}");
}

#[test]
fn psql_shows_rows_and_where_a_mistake_is() {
    if !has_psql() {
        return;
    }
    let (server, _) = serve(None, None);
    let (ok, said) = psql(&server, "shop", "", &["SELECT * FROM orders"]);
    assert!(ok, "{said}");
    assert!(said.contains("  1 | it's me  | 12.50 | t    | 2024-02-29 12:00:00.5+00"), "{said}");
    assert!(said.contains("(2 rows)"), "{said}");
    let (ok, said) =
        psql(&server, "shop", "", &["\\set VERBOSITY verbose", "SELECT id,\n  nope\nFROM orders"]);
    assert!(!ok, "{said}");
    for part in
        ["42000: there is no column nope", "LINE 2:   nope", "          ^", "MS0501", "HINT:  there are id"]
    {
        assert!(said.contains(part), "{part} is missing in\n{said}");
    }
    let (ok, said) = psql(&server, "nowhere", "", &["SELECT 1"]);
    assert!(!ok && said.contains("database \"nowhere\" does not exist"), "{said}");
    let (ok, said) = psql(&server, "postgres", "", &["\\d", "SELECT version()"]);
    assert!(ok && said.contains("PostgreSQL 16"), "{said}");
}

#[test]
fn psql_is_let_in_with_the_password_and_not_without() {
    if !has_psql() {
        return;
    }
    let (server, _) = serve(Some("0123456789abcdef"), Some("fedcba9876543210"));
    for password in ["0123456789abcdef", "fedcba9876543210"] {
        let (ok, said) = psql(&server, "shop", password, &["SELECT n FROM numbers"]);
        assert!(ok && said.contains("(10 rows)"), "{said}");
    }
    for password in ["0123456789abcdeF", ""] {
        let (ok, said) = psql(&server, "shop", password, &["SELECT 1"]);
        assert!(!ok && (said.contains("password is wrong") || said.contains("no password")), "{said}");
    }
}
