//! Parts of addresses, as `java.net.URL` finds them, and addresses of hosts as numbers.

use super::{Arg, Call, Failed, Function, Param, Typed, fixed};
use arrow::array::{ArrayRef, Int64Array, StringArray};
use arrow::datatypes::{DataType, Int64Type};

/// The family.
pub(super) const FUNCTIONS: &[Function] = &[
    Function {
        names: &["PARSE_URL"],
        signature: "PARSE_URL(url, part [, key])",
        types: |args| fixed(args, 2, &[Param::Text, Param::Text, Param::Text], DataType::Utf8),
        eval: parse_url,
        fails: false,
        examples: &[
            ("PARSE_URL('http://u:p@h.example:80/a%20b?k=v#r', 'HOST')", "h.example"),
            ("PARSE_URL('http://u:p@h.example:80/a%20b?k=v#r', 'AUTHORITY')", "u:p@h.example:80"),
            ("PARSE_URL('http://u:p@h.example:80/a%20b?k=v#r', 'FILE')", "/a%20b?k=v"),
            ("PARSE_URL('http://h/p?kk=1&k=2', 'QUERY', 'k')", "2"),
            ("PARSE_URL('not a url', 'HOST')", "null"),
        ],
    },
    Function {
        names: &["INET_ATON"],
        signature: "INET_ATON(string)",
        types: |args| fixed(args, 1, &[Param::Text], DataType::Int64),
        eval: |call| {
            let text = call.column::<StringArray>(0)?;
            call.numbers::<Int64Type>(|row| Ok(text.get(row).and_then(inet_aton)))
        },
        fails: false,
        examples: &[
            ("INET_ATON('127.0.0.1')", "2130706433"),
            ("INET_ATON('127.1')", "2130706433"),
            ("INET_ATON('256.1.1.1')", "null"),
        ],
    },
    Function {
        names: &["INET_NTOA"],
        signature: "INET_NTOA(integer)",
        types: types_of_ntoa,
        eval: |call| {
            let number = call.column::<Int64Array>(0)?;
            call.texts(|row| {
                let address = number.get(row).and_then(|number| u32::try_from(number).ok());
                Ok(address.map(|address| std::net::Ipv4Addr::from(address).to_string()))
            })
        },
        fails: false,
        examples: &[("INET_NTOA(2130706433)", "127.0.0.1"), ("INET_NTOA(-1)", "null")],
    },
];

fn types_of_ntoa(args: &[Arg<'_>]) -> Result<Typed, String> {
    fixed(args, 1, &[Param::Long], DataType::Utf8)
}

/// One to four numbers up to 255; where there are fewer, zeros stand in front of the last one.
fn inet_aton(text: &str) -> Option<i64> {
    let mut address = 0_i64;
    let parts: Vec<&str> = text.splitn(5, '.').collect();
    let (last, first) = parts.split_last().filter(|(_, first)| first.len() < 4)?;
    let number = |part: &str| {
        let digits = !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        digits.then(|| part.parse::<i64>().ok().filter(|part| *part <= 255)).flatten()
    };
    for part in first {
        address = address << 8 | number(part)?;
    }
    if !first.is_empty() {
        address <<= 8 * (3 - first.len());
    }
    Some(address << 8 | number(last)?)
}

/// An address taken apart.
struct Url<'u> {
    protocol: String,
    /// Behind `//`, with what stands in front of the host.
    authority: Option<&'u str>,
    user: Option<&'u str>,
    host: &'u str,
    path: &'u str,
    query: Option<&'u str>,
    reference: Option<&'u str>,
}

/// The protocols that Java reads.
const PROTOCOLS: &[&str] = &["http", "https", "ftp", "file", "jar", "mailto", "jrt", "jmod"];

impl<'u> Url<'u> {
    fn parse(text: &'u str) -> Option<Self> {
        let text = text.trim_matches(|char| char <= ' ');
        let text = match text.get(..4) {
            Some(prefix) if prefix.eq_ignore_ascii_case("url:") => &text[4..],
            _ => text,
        };
        let (protocol, rest) = text.split_once(':')?;
        let protocol = protocol.to_ascii_lowercase();
        if !PROTOCOLS.contains(&protocol.as_str()) {
            return None;
        }
        if protocol == "mailto" {
            return Self::mail(protocol, rest);
        }
        let (rest, reference) = split_at(rest, '#');
        // In an archive's address all of it is the path.
        let hierarchical = protocol != "jar";
        let (rest, query) = if hierarchical { split_at(rest, '?') } else { (rest, None) };
        let (authority, path) = match rest.strip_prefix("//").filter(|_| hierarchical) {
            Some(rest) => {
                let end = rest.find('/').unwrap_or(rest.len());
                (Some(&rest[..end]), &rest[end..])
            }
            None => (None, rest),
        };
        let (user, host) = authority.map_or(Some((None, "")), host_of)?;
        let authority = authority.filter(|authority| protocol != "file" || !authority.is_empty());
        Some(Url { protocol, authority, user, host, path, query, reference })
    }

    /// An address of mail has no reference, and a query only behind a path.
    fn mail(protocol: String, rest: &'u str) -> Option<Self> {
        let (rest, _) = split_at(rest, '#');
        let (path, query) = split_at(rest, '?');
        let none = rest.is_empty();
        (!none).then_some(Url {
            protocol,
            authority: None,
            user: None,
            host: "",
            path,
            query,
            reference: None,
        })
    }

    fn part(&self, name: &str) -> Option<String> {
        Some(match name {
            "HOST" => self.host.to_owned(),
            "PATH" => self.path.to_owned(),
            "QUERY" => self.query?.to_owned(),
            "REF" => self.reference?.to_owned(),
            "PROTOCOL" => self.protocol.clone(),
            "FILE" => match self.query {
                Some(query) => format!("{}?{query}", self.path),
                None => self.path.to_owned(),
            },
            "AUTHORITY" => self.authority?.to_owned(),
            "USERINFO" => self.user?.to_owned(),
            _ => return None,
        })
    }

    /// The value of the first such key of the query.
    fn value(&self, key: &str) -> Option<&'u str> {
        self.query?.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('='))
    }
}

fn split_at(text: &str, separator: char) -> (&str, Option<&str>) {
    text.split_once(separator).map_or((text, None), |(before, behind)| (before, Some(behind)))
}

/// The user and the host of an authority; `None` where the port is no number.
fn host_of(authority: &str) -> Option<(Option<&str>, &str)> {
    let (user, host) = match authority.split_once('@') {
        // With two of them Java finds neither.
        Some((_, rest)) if rest.contains('@') => return Some((None, "")),
        Some((user, host)) => (Some(user), host),
        None => (None, authority),
    };
    let (host, port) = match host.strip_prefix('[') {
        Some(inner) => {
            let end = inner.find(']')? + 2;
            (&host[..end], host[end..].strip_prefix(':'))
        }
        None => split_at(host, ':'),
    };
    let is_port = |port: &str| port.is_empty() || port.parse::<i32>().is_ok_and(|port| port >= -1);
    port.is_none_or(is_port).then_some((user, host))
}

fn parse_url(call: &Call<'_>) -> Result<ArrayRef, Failed> {
    let url = call.column::<StringArray>(0)?;
    let part = call.column::<StringArray>(1)?;
    if call.arity() == 2 {
        return call.texts(|row| {
            let given = url.get(row).zip(part.get(row));
            Ok(given.and_then(|(url, part)| Url::parse(url)?.part(part)))
        });
    }
    let key = call.column::<StringArray>(2)?;
    call.texts(|row| {
        let given = url.get(row).zip(part.get(row)).zip(key.get(row));
        Ok(given.and_then(|((url, part), key)| Url::parse(url).filter(|_| part == "QUERY")?.value(key)))
    })
}
