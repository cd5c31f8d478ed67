//! What the tables of a job say of its client.

use crate::catalog::TopicTable;
use crate::error::{SqlError, code};
use crate::script::Spanned;
use std::collections::BTreeMap;

/// What the tables say of the clients; they have to agree, since a job has one.
#[derive(Default)]
pub(super) struct Clients {
    pub(super) group: Option<String>,
    pub(super) bootstrap_servers: Option<String>,
    pub(super) properties: BTreeMap<String, String>,
}

impl Clients {
    /// What they say together.
    pub(super) fn of<'t>(tables: impl Iterator<Item = &'t TopicTable>, errors: &mut Vec<SqlError>) -> Self {
        let mut clients = Clients::default();
        for table in tables {
            agree(&mut clients.group, "group.id", table.group.as_ref(), errors);
            agree(
                &mut clients.bootstrap_servers,
                "bootstrap.servers",
                table.bootstrap_servers.as_ref(),
                errors,
            );
            for (key, value) in &table.properties {
                let mut known = clients.properties.remove(key);
                agree(&mut known, key, Some(value), errors);
                clients.properties.extend(known.map(|known| (key.clone(), known)));
            }
        }
        clients
    }
}

fn agree(known: &mut Option<String>, key: &str, value: Option<&Spanned<String>>, errors: &mut Vec<SqlError>) {
    match (known.as_ref(), value) {
        (Some(known), Some(value)) if *known != value.value => {
            let message = format!("tables of one job differ in 'properties.{key}'");
            let help = "a job has one client; give all its tables the same value";
            errors.push(
                SqlError::new(code::CONFLICT, value.span, message)
                    .label("another value stands above")
                    .help(help),
            );
        }
        (None, Some(value)) => *known = Some(value.value.clone()),
        _ => {}
    }
}
