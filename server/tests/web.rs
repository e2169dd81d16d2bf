//! The site over HTTP: who is let in, what a browser may run, what is cached.

use reqwest::{Client, StatusCode, header, redirect};
use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};
use tempfile::TempDir;

struct Site {
    process: Child,
    url: String,
    _folder: TempDir,
}

impl Site {
    async fn start() -> (Self, Client) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().expect("a folder");
        let mut process = Command::new(env!("CARGO_BIN_EXE_tenantatlas"))
            .args(["serve", "--demo", "--demo-objects", "100", "--listen", "127.0.0.1:0"])
            .env("TENANTATLAS_DATA_DIR", folder.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("the server starts");
        let stdout = BufReader::new(process.stdout.take().expect("piped"));
        let url = address_told(stdout).await;
        let client = Client::builder().no_proxy().redirect(redirect::Policy::none()).build().expect("a client");
        // It accepts connections before it says where.
        let ready = client.get(format!("{url}/readyz")).send().await.expect("an answer");
        assert_eq!(ready.status(), StatusCode::OK);
        (Self { process, url, _folder: folder }, client)
    }
}

/// Where the server says that it answers, once it does.
async fn address_told(mut stdout: impl BufRead + Send + 'static) -> String {
    let told = tokio::task::spawn_blocking(move || {
        let mut said = String::new();
        while stdout.read_line(&mut said).is_ok_and(|read| read > 0) {
            if let Some(at) = said.find("http://") {
                return said[at..].trim_end().to_owned();
            }
        }
        panic!("the server ended without saying where it answers: {said}")
    });
    tokio::time::timeout(Duration::from_secs(120), told).await.expect("the server starts").expect("an address")
}

impl Drop for Site {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn nobody_gets_in_without_signing_in_and_nobody_signs_another_in() {
    let (site, client) = Site::start().await;
    let home = client.get(&site.url).send().await.expect("an answer");
    assert_eq!(
        (home.status(), &home.headers()[header::LOCATION]),
        (StatusCode::SEE_OTHER, &"/sign-in".parse().expect("a value"))
    );

    let form = [("email", "owner@demo.example"), ("password", "demo-password")];
    let sign_in = |origin: &'static str| {
        client
            .post(format!("{}/api/sign_in", site.url))
            .header(header::ACCEPT, "text/html")
            .header("sec-fetch-site", origin)
            .form(&form)
            .send()
    };
    assert_eq!(sign_in("cross-site").await.expect("an answer").status(), StatusCode::FORBIDDEN);
    let answer = sign_in("same-origin").await.expect("an answer");
    assert_eq!(answer.headers()[header::LOCATION], "/");
    let cookie = answer.headers()[header::SET_COOKIE].to_str().expect("text").to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Lax"), "{cookie}");
    let cookie = cookie.split(';').next().expect("a cookie").to_owned();

    let home = client.get(&site.url).header(header::COOKIE, &cookie).send().await.expect("an answer");
    assert_eq!(home.status(), StatusCode::OK);
    assert_eq!(home.headers()[header::CACHE_CONTROL], "no-store");
    let missing = client.get(format!("{}/nothing/here", site.url)).header(header::COOKIE, &cookie).send().await;
    assert_eq!(missing.expect("an answer").status(), StatusCode::NOT_FOUND);

    let out = client
        .post(format!("{}/api/sign_out", site.url))
        .header(header::ACCEPT, "text/html")
        .header(header::COOKIE, &cookie)
        .send()
        .await
        .expect("an answer");
    assert_eq!(out.headers()[header::LOCATION], "/sign-in");
    let again = client.get(&site.url).header(header::COOKIE, &cookie).send().await.expect("an answer");
    assert_eq!(again.status(), StatusCode::SEE_OTHER, "the session has ended on the server too");
}

#[tokio::test]
async fn guessing_passwords_is_slowed_down() {
    let (site, client) = Site::start().await;
    let mut answers = Vec::new();
    for _ in 0..12 {
        let form = [("email", "owner@demo.example"), ("password", "wrong")];
        let answer = client.post(format!("{}/api/sign_in", site.url)).form(&form).send().await.expect("an answer");
        answers.push(answer.status());
    }
    assert_eq!(answers.first(), Some(&StatusCode::UNPROCESSABLE_ENTITY));
    assert_eq!(answers.last(), Some(&StatusCode::TOO_MANY_REQUESTS));
}

#[tokio::test]
async fn metrics_are_for_this_machine_and_name_routes_but_no_addresses() {
    let (site, client) = Site::start().await;
    let secret = client.get(format!("{}/welcome/one-time-secret", site.url)).send().await.expect("an answer");
    assert_eq!(secret.status(), StatusCode::NOT_FOUND);
    let id = secret.headers()["x-request-id"].to_str().expect("text").to_owned();
    assert_eq!(id.len(), 36, "{id}");
    let metrics = client.get(format!("{}/metrics", site.url)).send().await.expect("an answer");
    assert_eq!(metrics.status(), StatusCode::OK);
    let text = metrics.text().await.expect("text");
    for name in ["http_requests_total", "http_request_duration_seconds_bucket", "event_streams_open", "runs_pending"] {
        assert!(text.contains(name), "{name} is missing in\n{text}");
    }
    assert!(text.contains("/welcome/{token}") && !text.contains("one-time-secret"), "{text}");
    let forwarded = client.get(format!("{}/metrics", site.url)).header("x-forwarded-for", "192.0.2.1");
    assert_eq!(forwarded.send().await.expect("an answer").status(), StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_page_runs_only_scripts_with_the_nonce_of_its_policy() {
    let (site, client) = Site::start().await;
    let page = client.get(format!("{}/sign-in", site.url)).send().await.expect("an answer");
    let policy = page.headers()[header::CONTENT_SECURITY_POLICY].to_str().expect("text").to_owned();
    let nonce = policy.split("'nonce-").nth(1).and_then(|rest| rest.split('\'').next()).expect("a nonce").to_owned();
    for (name, value) in
        [("x-content-type-options", "nosniff"), ("x-frame-options", "DENY"), ("referrer-policy", "same-origin")]
    {
        assert_eq!(page.headers()[name], value);
    }
    let html = page.text().await.expect("text");
    for script in html.split("<script").skip(1) {
        assert!(
            script.starts_with(&format!(" type=\"module\" nonce=\"{nonce}\""))
                || script.starts_with(&format!(" nonce=\"{nonce}\"")),
            "{script}"
        );
    }
    assert!(!html.contains(" style="), "no inline style");
    let other = client.get(format!("{}/sign-in", site.url)).send().await.expect("an answer");
    assert!(
        !other.headers()[header::CONTENT_SECURITY_POLICY].to_str().expect("text").contains(&nonce),
        "a new nonce for each answer"
    );
}

#[tokio::test]
async fn assets_come_compressed_and_for_ever() {
    let (site, client) = Site::start().await;
    let html = client.get(format!("{}/sign-in", site.url)).send().await.expect("an answer").text().await.expect("text");
    let path = html
        .split('"')
        .find(|part| part.starts_with("/pkg/") && part.ends_with(".wasm"))
        .expect("the module")
        .to_owned();
    let get =
        |coding: &'static str| client.get(format!("{}{path}", site.url)).header(header::ACCEPT_ENCODING, coding).send();
    let brotli = get("gzip, br").await.expect("an answer");
    assert_eq!(brotli.headers()[header::CONTENT_ENCODING], "br");
    assert_eq!(brotli.headers()[header::CONTENT_TYPE], "application/wasm");
    assert!(brotli.headers()[header::CACHE_CONTROL].to_str().expect("text").contains("immutable"));
    assert_eq!(brotli.headers()[header::VARY], "accept-encoding");
    let tag = brotli.headers()[header::ETAG].clone();
    let known = client
        .get(format!("{}{path}", site.url))
        .header(header::ACCEPT_ENCODING, "br")
        .header(header::IF_NONE_MATCH, tag);
    assert_eq!(known.send().await.expect("an answer").status(), StatusCode::NOT_MODIFIED);
    assert!(get("identity").await.expect("an answer").headers().get(header::CONTENT_ENCODING).is_none());
    let hidden = client.get(format!("{}{path}.br", site.url)).send().await.expect("an answer");
    assert_eq!(hidden.status(), StatusCode::NOT_FOUND);
}
