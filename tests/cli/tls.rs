//! Servers that speak TLS.

use crate::command::{Place, Running};
use std::io::{BufRead, BufReader};
use std::process::Command;

/// The ports for HTTP and PostgreSQL that a server says it listens on.
fn ports(server: &mut Running) -> (String, String) {
    let mut lines = BufReader::new(server.child().stderr.take().unwrap()).lines();
    let (mut http, mut postgres) = (None, None);
    while http.is_none() || postgres.is_none() {
        let line = lines.next().expect("it says where").unwrap();
        let behind = |mark: &str| line.split_once(mark).map(|(_, rest)| rest.to_owned());
        http = http.or(behind("https://127.0.0.1:"));
        let port = behind("clients of PostgreSQL connect to 127.0.0.1:");
        postgres = postgres.or(port.map(|rest| rest.split(',').next().unwrap().to_owned()));
    }
    // Who stops reading lets the server block.
    std::thread::spawn(move || lines.for_each(drop));
    (http.unwrap(), postgres.unwrap())
}

/// A certificate of this machine that vouches for itself, and another one.
fn with_certificates() -> Place {
    let place = Place::new();
    for name in ["own", "other"] {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let made = rcgen::generate_simple_self_signed(names).unwrap();
        place.write(&format!("{name}.pem"), made.cert.pem());
        place.write(&format!("{name}.key"), made.signing_key.serialize_pem());
    }
    place.write("token", "0123456789abcdef");
    place
}

/// What PostgreSQL's client says; nothing where it is missing.
fn psql(place: &Place, port: &str, how: &str) -> Option<(bool, String)> {
    let place_of = format!("host=127.0.0.1 port={port} user=me dbname=postgres {how}");
    let mut command = Command::new("psql");
    command.env("PGPASSWORD", "0123456789abcdef").current_dir(place.path());
    match command.args(["-X", "-w", "-A", "-t", "-c", "SELECT 1", &place_of]).output() {
        Ok(output) => {
            let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            Some((output.status.success(), said))
        }
        Err(error) if std::env::var("CI").is_ok_and(|ci| ci == "true") => panic!("psql: {error}"),
        Err(error) => {
            eprintln!("skipped: psql: {error}");
            None
        }
    }
}

#[test]
fn a_server_with_a_certificate_speaks_tls_and_nothing_else() {
    let place = with_certificates();
    let mut server = place.start(
        "serve --http 127.0.0.1:0 --postgres 127.0.0.1:0 --http-token token --tls-cert own.pem --tls-key own.key",
    );
    let (http, postgres) = ports(&mut server);
    place.ok(&format!("health --server https://127.0.0.1:{http} --server-ca own.pem"));
    place.ok(&format!("health --server https://localhost:{http} --server-ca own.pem"));
    let list = format!("job list --server https://127.0.0.1:{http} --token token");
    place.ok(&format!("{list} --server-ca own.pem"));
    for ca in ["", "--server-ca other.pem"] {
        let done = place.run(&format!("{list} {ca}"));
        assert!(done.code == 4 && done.err.contains("certificate"), "{done:?}");
    }
    let plain = place.run(&format!("health --server http://127.0.0.1:{http}"));
    assert_eq!(plain.code, 4, "{plain:?}");
    if let Some((is_in, said)) = psql(&place, &postgres, "sslmode=verify-full sslrootcert=own.pem") {
        assert!(is_in && said.trim() == "1", "{said}");
        let (is_in, said) = psql(&place, &postgres, "sslmode=verify-full sslrootcert=other.pem").unwrap();
        assert!(!is_in && said.contains("certificate"), "{said}");
        let (is_in, said) = psql(&place, &postgres, "sslmode=disable").unwrap();
        assert!(!is_in && said.contains("sslmode=require"), "{said}");
    }
    server.signal("INT");
    assert_eq!(server.wait().code, 0);
}

#[test]
fn certificates_and_keys_that_do_not_go_together_are_refused() {
    let place = with_certificates();
    place.write("nothing.pem", "nothing");
    let refused = |options: &str| {
        let done = place.run(&format!("serve --http 127.0.0.1:0 {options}"));
        assert_eq!(done.code, 2, "{done:?}");
        done.err
    };
    assert!(refused("--tls-cert own.pem").contains("--tls-key"));
    assert!(
        refused("--tls-cert own.pem --tls-key other.key").contains("other.key: it does not go with own.pem")
    );
    assert!(
        refused("--tls-cert nothing.pem --tls-key own.key").contains("nothing.pem: it holds no certificate")
    );
    assert!(refused("--tls-cert own.pem --tls-key nothing.pem").contains("nothing.pem: it holds no key"));
    assert!(refused("--tls-cert own.pem --tls-key nowhere.key").contains("nowhere.key"));
    place.write("millstream.toml", "tls-cert = 'own.pem'\n");
    assert!(refused("").contains("go together"));
}
