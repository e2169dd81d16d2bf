//! The built assets, carried in the binary: names with the hash of their content, brotli and gzip siblings.

use std::borrow::Cow;
use std::sync::LazyLock;

use axum::body::Body;
use axum::extract::Path;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use rust_embed::{EmbeddedFile, RustEmbed};

#[derive(RustEmbed)]
#[folder = "../target/site"]
#[allow_missing = true]
struct Site;

/// The kind of each built file and its name. From the folder where the files are, so that tests can be compiled before it.
static MANIFEST: LazyLock<Vec<(String, String)>> = LazyLock::new(|| {
    let lines =
        Site::get("manifest.txt").map(|file| String::from_utf8_lossy(&file.data).into_owned()).unwrap_or_default();
    lines
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(kind, name)| (kind.to_owned(), name.to_owned()))
        .collect()
});

/// The path of the built file of a kind (`js`, `wasm` or `css`), such as `/pkg/tenantatlas.0f3a….wasm`.
pub fn path_of(kind: &str) -> Option<String> {
    MANIFEST.iter().find(|(line_kind, _)| line_kind == kind).map(|(_, name)| format!("/pkg/{name}"))
}

/// `GET /pkg/{name}`: immutable, in the best encoding that the browser takes.
pub async fn hashed(Path(name): Path<String>, headers: HeaderMap) -> Response {
    respond(&format!("pkg/{name}"), &headers, "public, max-age=31536000, immutable")
}

/// `GET /{name}` for the few files that keep their name: icons, the web manifest, robots.txt.
pub async fn named(name: String, headers: HeaderMap) -> Response {
    respond(&name, &headers, "public, max-age=3600")
}

/// The names of the files beside `pkg/`.
pub fn public_names() -> Vec<String> {
    Site::iter()
        .map(Cow::into_owned)
        .filter(|name| {
            !name.contains('/') && name != "manifest.txt" && !name.ends_with(".br") && !name.ends_with(".gz")
        })
        .collect()
}

fn respond(path: &str, headers: &HeaderMap, caching: &'static str) -> Response {
    // A sibling must not be asked for by its own name: it would be served without its encoding.
    if path.ends_with(".br") || path.ends_with(".gz") {
        return StatusCode::NOT_FOUND.into_response();
    }
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let encoded = [("br", "br"), ("gzip", "gz")]
        .into_iter()
        .filter(|(coding, _)| accepts(accepted, coding))
        .find_map(|(coding, extension)| Site::get(&format!("{path}.{extension}")).map(|file| (file, Some(coding))));
    let Some((file, coding)) = encoded.or_else(|| Site::get(path).map(|file| (file, None))) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let tag = entity_tag(&file, coding);
    let mut response = if headers.get(header::IF_NONE_MATCH).is_some_and(|sent| sent.as_bytes() == tag.as_bytes()) {
        StatusCode::NOT_MODIFIED.into_response()
    } else {
        let body = match file.data {
            Cow::Borrowed(bytes) => Body::from(bytes),
            Cow::Owned(bytes) => Body::from(bytes),
        };
        let mut response = Response::new(body);
        response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type(path)));
        if let Some(coding) = coding {
            response.headers_mut().insert(header::CONTENT_ENCODING, HeaderValue::from_static(coding));
        }
        response
    };
    let answer = response.headers_mut();
    answer.insert(header::CACHE_CONTROL, HeaderValue::from_static(caching));
    answer.insert(header::VARY, HeaderValue::from_static("accept-encoding"));
    if let Ok(tag) = HeaderValue::from_str(&tag) {
        answer.insert(header::ETAG, tag);
    }
    response
}

/// Whether an `Accept-Encoding` header takes a coding (RFC 9110, section 12.5.3): named, and not with `q=0`.
fn accepts(header: &str, coding: &str) -> bool {
    header.split(',').any(|part| {
        let mut fields = part.split(';').map(str::trim);
        fields.next().is_some_and(|name| name.eq_ignore_ascii_case(coding))
            && !fields.any(|field| matches!(field.strip_prefix("q="), Some("0" | "0.0" | "0.00" | "0.000")))
    })
}

fn entity_tag(file: &EmbeddedFile, coding: Option<&str>) -> String {
    format!("\"{}-{}\"", hex::encode(&file.metadata.sha256_hash()[..8]), coding.unwrap_or("identity"))
}

fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("js") => "text/javascript; charset=utf-8",
        Some("wasm") => "application/wasm",
        Some("css") => "text/css; charset=utf-8",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("ico") => "image/x-icon",
        Some("webmanifest") => "application/manifest+json",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

#[cfg(test)]
mod tests {
    use super::accepts;

    #[test]
    fn a_coding_is_taken_when_named_and_not_refused() {
        assert!(accepts("gzip, deflate, br", "br"));
        assert!(accepts("br;q=0.5", "br"));
        assert!(!accepts("br;q=0, gzip", "br"));
        assert!(!accepts("gzip", "br"));
        assert!(!accepts("", "gzip"));
    }
}
