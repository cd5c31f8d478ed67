//! `/api/openapi.json`: what the server answers, for clients that are made from it. Made of the table of routes.

use crate::http::Shared;
use crate::http::routes::{Holds, Route, routes};
use axum::Json;
use axum::extract::State;
use serde_json::{Map, Value, json};

/// Describes the server that is asked.
pub(crate) async fn show(State(shared): State<Shared>) -> Json<Value> {
    Json(described(shared.fleet.is_some()))
}

fn described(is_fleet: bool) -> Value {
    let mut paths: Map<String, Value> = Map::new();
    for route in routes(is_fleet) {
        let path = paths.entry(route.path).or_insert_with(|| json!({}));
        path[route.method.to_lowercase()] = operation(route);
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "millstream",
            "version": env!("CARGO_PKG_VERSION"),
            "description": "Jobs, watched and operated. Errors are problem details (RFC 9457); those of a text of SQL have \
                            codes that millstream explain knows, and places.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "security": [{ "token": [] }, {}],
        "paths": paths,
        "components": {
            "securitySchemes": { "token": { "type": "http", "scheme": "bearer" } },
            "schemas": schemas(),
        },
    })
}

fn operation(route: &Route) -> Value {
    let mut parameters: Vec<Value> = Vec::new();
    let parts = route.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
    parameters.extend(parts.map(|name| {
        let mut schema = json!({ "type": "string" });
        if name == "action" {
            schema["enum"] = json!(["pause", "resume", "stop", "restart"]);
        }
        json!({ "name": name, "in": "path", "required": true, "schema": schema })
    }));
    parameters.extend(route.query.iter().map(|(name, about)| {
        json!({ "name": name, "in": "query", "description": about, "schema": { "type": "string" } })
    }));
    let mut operation = json!({
        "summary": route.about,
        "description": if route.operates { "For operators." } else { "For readers, too." },
        "parameters": parameters,
        "responses": {
            route.status.to_string(): answer(route),
            "default": {
                "description": "what is wrong",
                "content": { "application/problem+json": { "schema": reference("Problem") } },
            },
        },
    });
    if route.takes_sql {
        operation["requestBody"] = json!({
            "required": true,
            "content": { "application/sql": { "schema": { "type": "string" } } },
        });
    }
    operation
}

fn answer(route: &Route) -> Value {
    let list = |of: &str| json!({ "type": "array", "items": reference(of) });
    let (kind, schema) = match route.holds {
        Holds::Nothing => return json!({ "description": route.about }),
        Holds::Text(kind) => (kind, json!({ "type": "string" })),
        Holds::Json(of) => ("application/json", reference(of)),
        Holds::JsonList(of) => ("application/json", list(of)),
        Holds::Events(of) => ("text/event-stream", list(of)),
    };
    json!({ "description": route.about, "content": { kind: { "schema": schema } } })
}

fn reference(to: &str) -> Value {
    json!({ "$ref": format!("#/components/schemas/{to}") })
}

/// An object with these properties, all of which are there.
fn object(properties: Value) -> Value {
    let required: Vec<&String> = properties.as_object().into_iter().flat_map(Map::keys).collect();
    json!({ "type": "object", "required": required, "properties": properties })
}

fn schemas() -> Value {
    let text = || json!({ "type": "string" });
    let maybe = |kind: &str| json!({ "type": [kind, "null"] });
    let number = || json!({ "type": "integer" });
    let texts = || json!({ "type": "array", "items": { "type": "string" } });
    let states: Vec<&str> = crate::JobState::ALL.iter().map(|state| state.name()).collect();
    let mut job = object(json!({
        "name": text(), "state": { "type": "string", "enum": states }, "runs_as": text(), "origin": maybe("string"),
        "waits_for": texts(), "degraded": texts(), "error": maybe("string"),
        "mistakes": { "type": ["array", "null"], "items": reference("Mistake") }, "next_try_ms": maybe("integer"),
        "restarts": number(), "last_error": maybe("string"), "started_ms": number(), "records_read": number(),
        "records_written": number(), "commits": number(), "queued_bytes": number(), "lag_records": number(),
        "state_memory_bytes": number(), "watermark_ms": maybe("integer"), "watermark": maybe("string"), "tasks": number(),
        "tasks_running": number(), "dropped": object(json!({ "late": number(), "bad": number(), "null": number() })),
    }));
    // Of a job by itself only.
    job["properties"]["operators"] = json!({ "type": "array", "items": { "type": "object" } });
    job["properties"]["task_list"] = json!({ "type": "array", "items": { "type": "object" } });
    let mut problem =
        object(json!({ "type": text(), "title": text(), "status": number(), "detail": text() }));
    problem["properties"]["errors"] = json!({ "type": "array", "items": reference("Mistake") });
    json!({
        "About": object(json!({ "version": text(), "may_operate": { "type": "boolean" } })),
        "Answer": object(json!({
            "columns": { "type": "array", "items": object(json!({ "name": text(), "type": text() })) },
            "rows": { "type": "array", "items": { "type": "array" } },
            "more": { "type": "boolean" },
            "took_ms": number(),
        })),
        "Checked": object(json!({ "warnings": texts() })),
        "Job": job,
        "Line": { "type": "object" },
        "Mistake": object(json!({
            "code": text(), "message": text(), "line": number(), "column": number(), "start": number(), "end": number(),
            "label": text(), "help": maybe("string"),
        })),
        "Name": object(json!({ "name": text() })),
        "Problem": problem,
    })
}
