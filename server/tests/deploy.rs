//! What ships beside the server names metrics that are there.

#![allow(clippy::unwrap_used, reason = "a test")]

use millstream_runtime::metrics::METRICS;
use millstream_server::JOB_METRICS;
use std::collections::BTreeSet;

#[test]
fn every_metric_of_the_dashboard_and_the_alerts_is_in_a_table() {
    let known: BTreeSet<&str> = METRICS
        .iter()
        .map(|metric| metric.name)
        .chain(JOB_METRICS.iter().map(|metric| metric.name))
        .collect();
    for file in ["alerts.yaml", "grafana.json"] {
        let text =
            std::fs::read_to_string(format!("{}/../deploy/{file}", env!("CARGO_MANIFEST_DIR"))).unwrap();
        let words = text.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let named: BTreeSet<&str> = words.filter(|word| word.starts_with("millstream_")).collect();
        assert!(named.len() > 5, "{file} names {named:?}");
        // A histogram is read by its buckets, or its sum and count.
        let parts = ["_bucket", "_sum", "_count"];
        let is_known = |name: &str| {
            known.contains(name)
                || parts.iter().any(|part| name.strip_suffix(part).is_some_and(|name| known.contains(name)))
        };
        let unknown: Vec<&&str> = named.iter().filter(|name| !is_known(name)).collect();
        assert!(unknown.is_empty(), "{file} names {unknown:?}, which no table has");
    }
    let dashboard =
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/grafana.json")).unwrap();
    let dashboard: serde_json::Value = serde_json::from_str(&dashboard).unwrap();
    assert_eq!(dashboard["panels"].as_array().unwrap().len(), 16);
}
