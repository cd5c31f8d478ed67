//! A bucket as S3 has them, in this process: what an object store has to do for snapshots, and nothing of keys.

use crate::loopback;
use axum::Router;
use axum::body::Bytes;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::{Arc, Mutex};

const NAME: &str = "bucket";
const MODIFIED: &str = "Thu, 01 Jan 2026 00:00:00 GMT";

/// A bucket that is served as long as the process lives.
pub(crate) struct Bucket {
    contents: Arc<Mutex<Contents>>,
    port: u16,
}

#[derive(Default)]
struct Contents {
    objects: BTreeMap<String, Bytes>,
    /// Parts of objects that are stored in pieces.
    uploads: BTreeMap<String, BTreeMap<u32, Bytes>>,
    /// Names that were read.
    read: Vec<String>,
}

impl Bucket {
    pub(crate) fn start() -> Self {
        let contents: Arc<Mutex<Contents>> = Arc::default();
        let port = loopback::serve(Router::new().fallback(serve).with_state(Arc::clone(&contents)));
        Bucket { contents, port }
    }

    /// What a command's environment has to say for it to find the bucket.
    pub(crate) fn environment(&self) -> Vec<(String, String)> {
        [
            ("AWS_ENDPOINT", format!("http://127.0.0.1:{}", self.port)),
            ("AWS_ALLOW_HTTP", "true".to_owned()),
            ("AWS_REGION", "eu-central-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "id".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "hush".to_owned()),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .to_vec()
    }

    /// The names of the objects.
    pub(crate) fn names(&self) -> Vec<String> {
        self.contents.lock().unwrap().objects.keys().cloned().collect()
    }

    /// The names of the objects that were read since this was asked last.
    pub(crate) fn read(&self) -> Vec<String> {
        std::mem::take(&mut self.contents.lock().unwrap().read)
    }
}

async fn serve(
    State(contents): State<Arc<Mutex<Contents>>>,
    method: Method,
    uri: Uri,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut contents = contents.lock().unwrap();
    let path = uri.path().trim_start_matches('/').strip_prefix(NAME).unwrap_or_default();
    let (key, query) = (path.trim_start_matches('/').to_owned(), query.unwrap_or_default());
    let of = |name: &str| query.split('&').find_map(|pair| pair.strip_prefix(name)?.strip_prefix('='));
    match (method.as_str(), key.is_empty()) {
        ("GET", true) => list(&contents, &of("prefix").unwrap_or_default().replace("%2F", "/")),
        ("POST", true) => delete(&mut contents, std::str::from_utf8(&body).unwrap()),
        ("POST", false) => match of("uploadId") {
            None => {
                contents.uploads.insert(key.clone(), BTreeMap::new());
                xml(format!(
                    "<InitiateMultipartUploadResult><UploadId>{key}</UploadId></InitiateMultipartUploadResult>"
                ))
            }
            Some(_) => {
                let parts = contents.uploads.remove(&key).unwrap_or_default();
                contents.objects.insert(key, parts.into_values().flatten().collect());
                xml("<CompleteMultipartUploadResult><ETag>\"e\"</ETag></CompleteMultipartUploadResult>"
                    .to_owned())
            }
        },
        ("PUT", _) => match of("partNumber") {
            Some(part) => {
                contents.uploads.entry(key).or_default().insert(part.parse().unwrap(), body);
                ([(header::ETAG, "\"e\"")], "").into_response()
            }
            None if headers.contains_key(header::IF_NONE_MATCH) && contents.objects.contains_key(&key) => {
                StatusCode::PRECONDITION_FAILED.into_response()
            }
            None => {
                contents.objects.insert(key, body);
                ([(header::ETAG, "\"e\"")], "").into_response()
            }
        },
        ("DELETE", _) => {
            contents.objects.remove(&key);
            StatusCode::NO_CONTENT.into_response()
        }
        (asked, _) => read(&mut contents, &key, asked == "HEAD", &headers),
    }
}

fn read(contents: &mut Contents, key: &str, is_head: bool, headers: &HeaderMap) -> Response {
    let Some(bytes) = contents.objects.get(key).cloned() else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let about = [(header::ETAG, "\"e\"".to_owned()), (header::LAST_MODIFIED, MODIFIED.to_owned())];
    if is_head {
        let length = [(header::CONTENT_LENGTH, bytes.len().to_string())];
        return (about, length, "").into_response();
    }
    contents.read.push(key.to_owned());
    let range = headers.get(header::RANGE).and_then(|range| range.to_str().ok()?.strip_prefix("bytes="));
    let range = range.and_then(|range| range.split_once('-'));
    let Some((from, to)) = range.and_then(|(from, to)| Some((from.parse().ok()?, to.parse::<usize>().ok()?)))
    else {
        return (about, bytes).into_response();
    };
    let to = to.min(bytes.len() - 1);
    let content_range = [(header::CONTENT_RANGE, format!("bytes {from}-{to}/{}", bytes.len()))];
    (StatusCode::PARTIAL_CONTENT, about, content_range, bytes.slice(from..=to)).into_response()
}

fn list(contents: &Contents, prefix: &str) -> Response {
    let mut found = String::new();
    for (key, bytes) in contents.objects.iter().filter(|(key, _)| key.starts_with(prefix)) {
        // What is deeper would be listed as a common prefix, which nobody asks for.
        if !key[prefix.len()..].contains('/') {
            let _ = write!(
                found,
                "<Contents><Key>{key}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>\
                 <ETag>\"e\"</ETag><Size>{}</Size></Contents>",
                bytes.len()
            );
        }
    }
    xml(format!("<ListBucketResult><IsTruncated>false</IsTruncated>{found}</ListBucketResult>"))
}

fn delete(contents: &mut Contents, asked: &str) -> Response {
    let mut deleted = String::new();
    for key in asked.split("<Key>").skip(1).filter_map(|rest| rest.split("</Key>").next()) {
        contents.objects.remove(key);
        let _ = write!(deleted, "<Deleted><Key>{key}</Key></Deleted>");
    }
    xml(format!("<DeleteResult>{deleted}</DeleteResult>"))
}

fn xml(text: String) -> Response {
    ([(header::CONTENT_TYPE, "application/xml")], text).into_response()
}
