//! Tables whose schemas are in a registry, by the command, with a registry in this process.

use crate::command::Place;
use crate::loopback;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// A schema registry that is served as long as the process lives, to whoever says `user:hush`.
struct Registry {
    contents: Arc<Mutex<Contents>>,
    port: u16,
}

#[derive(Default)]
struct Contents {
    schemas: BTreeMap<u32, String>,
    /// By number of a schema: how often it was got.
    got: BTreeMap<u32, usize>,
    subjects: Vec<String>,
    /// Requests that are still to be turned away.
    busy: usize,
}

impl Registry {
    fn start() -> Self {
        let contents: Arc<Mutex<Contents>> = Arc::default();
        let port = loopback::serve(Router::new().fallback(serve).with_state(Arc::clone(&contents)));
        Registry { contents, port }
    }

    /// `CREATE TABLE` of a topic in the format, with the columns.
    fn table(&self, name: &str, columns: &str, options: &str) -> String {
        format!(
            "CREATE TABLE {name} ({columns}) WITH ('connector' = 'kafka', 'topic' = 'orders', 'format' = 'avro-confluent',
             'scan.startup.mode' = 'earliest-offset', 'scan.bounded.mode' = 'latest-offset',
             'avro-confluent.url' = 'http://127.0.0.1:{}',
             'avro-confluent.basic-auth.credentials-source' = 'USER_INFO',
             'avro-confluent.basic-auth.user-info' = 'user:hush'{options});\n",
            self.port
        )
    }
}

async fn serve(
    State(contents): State<Arc<Mutex<Contents>>>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut contents = contents.lock().unwrap();
    if headers.get(header::AUTHORIZATION).is_none_or(|said| said != "Basic dXNlcjpodXNo") {
        return StatusCode::UNAUTHORIZED.into_response();
    }
    if contents.busy > 0 {
        contents.busy -= 1;
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    }
    let answer = |status: StatusCode, body: Value| (status, body.to_string()).into_response();
    if let Some(id) = uri.path().strip_prefix("/schemas/ids/") {
        let id = id.parse().unwrap();
        *contents.got.entry(id).or_default() += 1;
        return match contents.schemas.get(&id) {
            Some(schema) => answer(StatusCode::OK, json!({ "schema": schema })),
            None => {
                answer(StatusCode::NOT_FOUND, json!({"error_code": 40403, "message": "Schema not found"}))
            }
        };
    }
    let asked: Value = serde_json::from_slice(&body).unwrap();
    let schema = asked["schema"].as_str().unwrap().to_owned();
    contents.subjects.push(uri.path().to_owned());
    let known = contents.schemas.iter().find(|(_, known)| **known == schema).map(|(id, _)| *id);
    let id = known.unwrap_or(70_000 + contents.schemas.len() as u32);
    contents.schemas.insert(id, schema);
    answer(StatusCode::OK, json!({ "id": id }))
}

const SHOWN: &str = "CREATE TABLE shown (id BIGINT, name STRING, price DECIMAL(8, 2), at TIMESTAMP(3)) WITH ('connector' = 'print');\n";

/// Two jobs write in two schemas, and a third reads both: it waits for a registry that is busy, and asks once for each.
#[test]
fn records_of_several_schemas_are_read_from_a_registry_that_is_slow_to_answer() {
    let (place, registry) = (Place::new(), Registry::start());
    place.ok("topic create orders --partitions 1");
    let first = registry.table("orders", "id INT, name STRING", "")
        + "INSERT INTO orders VALUES (CAST(1 AS INT), 'one'), (CAST(2 AS INT), CAST(NULL AS STRING));";
    let done = place.run_on("run - --job first", &first);
    assert_eq!(done.code, 0, "{done:?}");
    let second = registry.table("orders", "at TIMESTAMP(3), price DECIMAL(6, 2) NOT NULL, id BIGINT", "")
        + "INSERT INTO orders VALUES (TIMESTAMP '2024-02-29 12:34:56.789', CAST(12.50 AS DECIMAL(6, 2)), 3);";
    let done = place.run_on("run - --job second", &second);
    assert_eq!(done.code, 0, "{done:?}");

    registry.contents.lock().unwrap().busy = 3;
    let columns = "id BIGINT, name STRING, price DECIMAL(8, 2), at TIMESTAMP(3)";
    let read = registry.table("orders", columns, "")
        + SHOWN
        + "INSERT INTO shown SELECT id, name, price, at FROM orders;";
    let done = place.run_on("run - --job third", &read);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(
        done.out,
        "+I[1, one, null, null]\n+I[2, null, null, null]\n+I[3, null, 12.50, 2024-02-29T12:34:56.789]\n"
    );
    let contents = registry.contents.lock().unwrap();
    assert_eq!(contents.subjects, ["/subjects/orders-value/versions"; 2]);
    assert_eq!(contents.got, [(70_000, 1), (70_001, 1)].into());
}

/// A record whose schema is in no registry is a bad one; whoever is not let in ends with that, and no secret is shown.
#[test]
fn what_the_registry_does_not_have_is_bad_and_what_it_refuses_ends_the_job() {
    let (place, registry) = (Place::new(), Registry::start());
    place.ok("topic create orders --partitions 1");
    let write = registry.table("orders", "id BIGINT", "") + "INSERT INTO orders VALUES (1), (2);";
    let done = place.run_on("run - --job first", &write);
    assert_eq!(done.code, 0, "{done:?}");
    registry.contents.lock().unwrap().schemas.clear();
    let shown = "CREATE TABLE shown (id BIGINT) WITH ('connector' = 'print');\nINSERT INTO shown SELECT id FROM orders;";
    let read = registry.table("orders", "id BIGINT", "") + shown;
    let done = place.run_on("run - --job second", &read);
    assert!(done.code != 0 && done.err.contains("schema 70000: it is not in the registry"), "{done:?}");
    let skipping = registry.table("orders", "id BIGINT", ", 'scan.bad-records' = 'skip'") + shown;
    let done = place.run_on("run - --job third", &skipping);
    assert!(done.code == 0 && done.out.is_empty(), "{done:?}");

    let stranger = read.replace("user:hush", "user:guess");
    let done = place.run_on("run - --job fourth", &stranger);
    assert!(done.code != 0 && done.err.contains("not allowed (status 401)"), "{done:?}");
    assert!(!done.err.contains("guess"), "{done:?}");
    let done = place.run_on("run - --job fifth", &write.replace("user:hush", "user:guess"));
    assert!(done.code != 0 && done.err.contains("not allowed (status 401)"), "{done:?}");
}

/// A registry that is not there is waited for, and the job says so; once it is there, the job goes on.
#[test]
fn a_registry_that_is_not_there_is_waited_for() {
    let (place, registry) = (Place::new(), Registry::start());
    place.ok("topic create orders --partitions 1");
    let write = registry.table("orders", "id BIGINT", "") + "INSERT INTO orders VALUES (1), (2);";
    let done = place.run_on("run - --job first", &write);
    assert_eq!(done.code, 0, "{done:?}");
    registry.contents.lock().unwrap().busy = usize::MAX;
    let copies =
        "CREATE TABLE copies (id BIGINT) WITH ('connector' = 'kafka', 'topic' = 'copies', 'format' = 'json');
                  INSERT INTO copies SELECT id FROM orders;";
    place.ok("topic create copies --partitions 1");
    place.write("copy.sql", registry.table("orders", "id BIGINT", "") + copies);
    let mut job = place.start("run copy.sql");
    job.wait_until_it_has_the_log(&place);
    std::thread::sleep(Duration::from_millis(1_500));
    assert!(job.child().try_wait().unwrap().is_none(), "it did not wait");
    registry.contents.lock().unwrap().busy = 0;
    let done = job.wait();
    assert_eq!(done.code, 0, "{done:?}");
    let ids: Vec<Value> = place.consume("copies").iter().map(|record| record["value"].clone()).collect();
    assert_eq!(ids, ["{\"id\":1}", "{\"id\":2}"]);
}
