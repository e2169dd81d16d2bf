//! Which requests name something here at all: one host, and a path that everybody reads the same way.
//!
//! The guard reads a path as it was sent, and the framework resolves it as browsers do (URL standard, section 4.4: `.`,
//! `..`, `%2e`, backslashes). No address of this site needs any of that, so what could be read in two ways is refused
//! before anything looks at it.

use axum::extract::Request;
use axum::http::uri::Authority;
use axum::http::{HeaderMap, StatusCode, Uri, Version, header};
use axum::middleware::Next;
use axum::response::Response;
use tenantatlas_app::error::{AppError, ErrorKind};

use super::answer::refuse_as_asked;

/// Refuses what names no host, several hosts or no host at all with 400 (RFC 9112, section 3.2), and paths that can be
/// read in two ways with 404.
pub async fn check(request: Request, next: Next) -> Response {
    if !names_one_host(request.version(), request.uri(), request.headers()) {
        let error = AppError::new(ErrorKind::Invalid, "The request must name the host it is meant for, once.");
        return refuse_as_asked(request.headers(), StatusCode::BAD_REQUEST, &error);
    }
    if !is_plain(request.uri().path()) {
        return refuse_as_asked(request.headers(), StatusCode::NOT_FOUND, &AppError::not_found("This address"));
    }
    next.run(request).await
}

/// HTTP/1.1 demands one `Host` that is a host with or without a port; HTTP/1.0 may leave it out.
fn names_one_host(version: Version, uri: &Uri, headers: &HeaderMap) -> bool {
    let mut hosts = headers.get_all(header::HOST).iter();
    let Some(host) = hosts.next() else { return version < Version::HTTP_11 };
    if hosts.next().is_some() {
        return false;
    }
    let Some(host) = host.to_str().ok().and_then(|host| host.parse::<Authority>().ok()) else { return false };
    // A target with a host of its own (RFC 9112, section 3.2.2) must not contradict the header that others look at.
    !host.host().is_empty()
        && !host.as_str().contains('@')
        && uri.authority().is_none_or(|authority| authority.as_str().eq_ignore_ascii_case(host.as_str()))
}

/// Whether a path consists of segments of plain characters (RFC 3986, section 3.3, without percent-encoding), none of
/// which is empty, `.` or `..`. One slash may end it.
fn is_plain(path: &str) -> bool {
    let Some(rest) = path.strip_prefix('/') else { return false };
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte);
    path == "/"
        || rest
            .split('/')
            .all(|segment| !segment.is_empty() && segment != "." && segment != ".." && segment.bytes().all(plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_that_can_be_read_in_two_ways_is_none() {
        for plain in ["/", "/me", "/me/", "/t/01-ab/inventory/export.csv", "/pkg/tenantatlas.0f3a.wasm", "/a..b/...x"] {
            assert!(is_plain(plain), "{plain}");
        }
        for refused in [
            "",
            "*",
            "me",
            "//",
            "//me",
            "/me//",
            "/t/a/../b",
            "/t/./a",
            "/..",
            "/.",
            "/t/%2e%2e/b",
            "/t%2fa",
            "/t%5Ca",
            "/t\\a",
            "/%00",
            "/a b",
            "/\u{e4}",
            "/%41",
        ] {
            assert!(!is_plain(refused), "{refused}");
        }
    }

    #[test]
    fn a_request_names_one_host() {
        let named = |version, target: &'static str, hosts: &[&'static str]| {
            let headers = hosts.iter().map(|host| (header::HOST, host.parse().expect("a value"))).collect();
            names_one_host(version, &Uri::from_static(target), &headers)
        };
        let (new, old) = (Version::HTTP_11, Version::HTTP_10);
        assert!(named(new, "/", &["atlas.example"]) && named(new, "/", &["[::1]:3000"]) && named(old, "/", &[]));
        assert!(named(new, "http://atlas.example/", &["Atlas.example"]));
        assert!(!named(new, "/", &[]) && !named(new, "/", &[""]) && !named(old, "/", &["a", "a"]));
        assert!(!named(new, "/", &["a/b"]) && !named(new, "/", &["a@b"]) && !named(new, "/", &["a b"]));
        assert!(!named(new, "http://other.example/", &["atlas.example"]));
    }
}
