//! The site over HTTP: who is let in, what a browser may run, what is cached.

mod program;

use std::collections::BTreeSet;
use std::fs::File;
use std::process::{Child, Command};
use std::time::Duration;

use reqwest::{Client, StatusCode, header, redirect};
use tempfile::TempDir;

/// The password of the demo's people, where a test sets one.
const PASSWORD: &str = "demo-password";

struct Site {
    process: Child,
    url: String,
    folder: TempDir,
}

impl Site {
    async fn start() -> (Self, Client) {
        Self::listening("127.0.0.1", "info", tempfile::tempdir().expect("a folder"), Some(PASSWORD)).await
    }

    /// What it says and what it logs lie in the folder, as `said` and `log`.
    async fn listening(ip: &str, log: &str, folder: TempDir, password: Option<&str>) -> (Self, Client) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let file = |name: &str| File::create(folder.path().join(name)).expect("a file");
        let mut process = Command::new(program::path())
            .args(["serve", "--demo", "--demo-objects", "100", "--listen", &format!("{ip}:0"), "--log", log])
            .env("TENANTATLAS_DATA_DIR", folder.path())
            .env("TENANTATLAS_METRICS_TOKEN", "metrics-token")
            .envs(password.map(|password| ("TENANTATLAS_DEMO_PASSWORD", password)))
            .stdout(file("said"))
            .stderr(file("log"))
            .spawn()
            .expect("the server starts");
        let url = address_told(&mut process, &folder).await;
        let client = Client::builder().no_proxy().redirect(redirect::Policy::none()).build().expect("a client");
        // It accepts connections before it says where.
        let ready = client.get(format!("{url}/readyz")).send().await.expect("an answer");
        assert_eq!(ready.status(), StatusCode::OK);
        (Self { process, url, folder }, client)
    }

    fn read(&self, name: &str) -> String {
        read(&self.folder, name)
    }

    /// The status of signing in as the demo's administrator.
    async fn sign_in(&self, client: &Client, password: &str) -> StatusCode {
        let form = [("email", "admin@demo.example"), ("password", password)];
        client.post(format!("{}/api/sign_in", self.url)).form(&form).send().await.expect("an answer").status()
    }
}

fn read(folder: &TempDir, name: &str) -> String {
    let bytes = std::fs::read(folder.path().join(name)).expect("the file is there");
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Where the server says that it answers, once it does.
async fn address_told(process: &mut Child, folder: &TempDir) -> String {
    for _ in 0..2_400 {
        let said = read(folder, "said");
        // A line that is whole.
        if let Some((address, _)) = said.split_once("http://").and_then(|(_, rest)| rest.split_once('\n')) {
            let address = address.split_whitespace().next().expect("an address");
            return format!("http://{address}");
        }
        let ended = process.try_wait().expect("its state");
        assert!(ended.is_none(), "the server ended: {said} {}", read(folder, "log"));
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("the server does not say where it answers: {}", read(folder, "said"))
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

    let form = [("email", "owner@demo.example"), ("password", PASSWORD)];
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
async fn metrics_ask_for_a_token_on_this_machine_too_and_name_routes_but_no_addresses() {
    let (site, client) = Site::start().await;
    let secret = client.get(format!("{}/welcome/one-time-secret", site.url)).send().await.expect("an answer");
    assert_eq!(secret.status(), StatusCode::NOT_FOUND);
    let id = secret.headers()["x-request-id"].to_str().expect("text").to_owned();
    assert_eq!(id.len(), 36, "{id}");
    let asked = || client.get(format!("{}/metrics", site.url));
    assert_eq!(asked().send().await.expect("an answer").status(), StatusCode::NOT_FOUND);
    let metrics = asked().bearer_auth("metrics-token").send().await.expect("an answer");
    assert_eq!(metrics.status(), StatusCode::OK);
    let text = metrics.text().await.expect("text");
    for name in ["http_requests_total", "http_request_duration_seconds_bucket", "event_streams_open", "runs_pending"] {
        assert!(text.contains(name), "{name} is missing in\n{text}");
    }
    assert!(text.contains("/welcome/{token}") && !text.contains("one-time-secret"), "{text}");
}

#[tokio::test]
async fn a_proxy_that_says_nothing_makes_no_cookies_for_this_machine_of_those_of_a_site() {
    let (site, client) = Site::start().await;
    let form = [("email", "owner@demo.example"), ("password", PASSWORD)];
    // nginx with nothing but `proxy_pass http://127.0.0.1:3000` sends this address as the host, and nothing of the visitor.
    let sign_in = async |origin: &str| {
        let request = client.post(format!("{}/api/sign_in", site.url)).header(header::ORIGIN, origin);
        let answer = request.header("sec-fetch-site", "same-origin").form(&form).send().await.expect("an answer");
        let cookies = answer.headers().get_all(header::SET_COOKIE).iter().map(|value| value.to_str().expect("text"));
        cookies.map(str::to_owned).collect::<Vec<_>>()
    };
    let here = sign_in(&site.url).await;
    assert!(!here.is_empty() && here.iter().all(|cookie| cookie.starts_with("tenantatlas_")), "{here:?}");
    let site_for_others = sign_in("https://atlas.example").await;
    let secure = |cookie: &String| cookie.starts_with("__Host-tenantatlas_") && cookie.contains("; Secure");
    assert!(!site_for_others.is_empty() && site_for_others.iter().all(secure), "{site_for_others:?}");
    // The browser comes back with them.
    let session = site_for_others[0].split(';').next().expect("a cookie");
    let home = client.get(&site.url).header(header::COOKIE, session).send().await.expect("an answer");
    assert_eq!(home.status(), StatusCode::OK);
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

#[tokio::test]
async fn the_parts_of_the_module_come_like_the_module_itself() {
    let (site, client) = Site::start().await;
    let text = |path: String| {
        let request = client.get(format!("{}{path}", site.url)).header(header::ACCEPT_ENCODING, "identity");
        async move { request.send().await.expect("an answer").text().await.expect("text") }
    };
    let page = text("/sign-in".to_owned()).await;
    let script = page.split('"').find(|part| part.starts_with("/pkg/") && part.ends_with(".js")).expect("the script");
    let script = text(script.to_owned()).await;
    let parts: BTreeSet<&str> = script.split('"').filter(|name| name.ends_with(".wasm")).collect();
    assert!(!parts.is_empty(), "the script names the parts that it loads");
    for part in parts {
        let address = format!("{}/pkg/{}", site.url, part.trim_start_matches("./"));
        let answer = client.get(address).header(header::ACCEPT_ENCODING, "br").send().await.expect("an answer");
        assert_eq!(answer.status(), StatusCode::OK, "{part}");
        assert_eq!(answer.headers()[header::CONTENT_ENCODING], "br");
        assert_eq!(answer.headers()[header::CONTENT_TYPE], "application/wasm");
        assert!(answer.headers()[header::CACHE_CONTROL].to_str().expect("text").contains("immutable"));
    }
}

#[tokio::test]
async fn no_line_of_the_log_holds_a_one_time_link_whatever_is_logged() {
    let (site, client) =
        Site::listening("127.0.0.1", "trace", tempfile::tempdir().expect("a folder"), Some(PASSWORD)).await;
    let link = format!("{}/welcome/one-time-secret", site.url);
    for request in [
        client.get(&link),
        client.post(&link),
        client.get(&link).header("sec-fetch-site", "cross-site"),
        client.get(format!("{}/invitation/one-time-secret", site.url)),
        client.post(format!("{}/api/accept_invitation", site.url)).header(header::REFERER, &link).form(&[
            ("token", "one-time-secret"),
            ("name", "Name"),
            ("password", "long-enough-password"),
        ]),
        client.get(format!("{}/sign-in?next=/welcome/one-time-secret", site.url)),
        client.post(format!("{}/api/claim_first_admin", site.url)).header(header::REFERER, &link).form(&[
            ("token", "one-time-secret"),
            ("name", "Name"),
            ("email", "name@example.com"),
            ("password", "long-enough-password"),
        ]),
    ] {
        request.send().await.expect("an answer");
    }
    let log = site.read("log");
    assert!(log.contains("/welcome/{token}"), "requests are logged at all");
    let told: Vec<_> = log.lines().filter(|line| line.contains("one-time-secret")).collect();
    assert!(told.is_empty(), "{told:#?}");
}

#[tokio::test]
async fn a_demo_that_others_can_reach_has_no_password_that_everybody_knows_or_that_an_earlier_start_had() {
    let (mut site, client) = Site::start().await;
    assert_ne!(site.sign_in(&client, PASSWORD).await, StatusCode::UNPROCESSABLE_ENTITY);
    let _ = site.process.kill();
    let _ = site.process.wait();
    let folder = std::mem::replace(&mut site.folder, tempfile::tempdir().expect("a folder"));
    let (open, client) = Site::listening("0.0.0.0", "info", folder, None).await;
    assert_eq!(open.sign_in(&client, PASSWORD).await, StatusCode::UNPROCESSABLE_ENTITY);
    let printed = async {
        while !open.read("said").contains("as one of") {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(30), printed).await.expect("the password is printed");
    let said = open.read("said");
    let made = said.split_once("with the password ").and_then(|(_, rest)| rest.split(' ').next());
    let made = made.unwrap_or_else(|| panic!("no password in {said}"));
    assert_ne!(open.sign_in(&client, made).await, StatusCode::UNPROCESSABLE_ENTITY, "{said}");
}
