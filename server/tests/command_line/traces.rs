//! Traces: what arrives at a collector, what never does, and that nobody waits for one.

use std::collections::BTreeSet;
use std::fs::File;
use std::net::{SocketAddr, TcpListener};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message as _;
use tokio::sync::watch;
use uuid::Uuid;

use super::bad_input::assert_refused;
use super::sandbox::{Cloud, Running, Sandbox};
use super::together::{SYNC, leave_behind};

/// How long is waited for what must come.
const PATIENCE: Duration = Duration::from_secs(120);
const HEADERS: &str = "x-key=planted-key%20of%20the%20collector";

/// What a collector does with what it is sent.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Manner {
    Take,
    Refuse,
    NeverAnswer,
}

/// What a collector was sent.
#[derive(Default)]
struct Received {
    requests: Vec<(HeaderMap, Bytes)>,
}

impl Received {
    fn spans(&self) -> Vec<Span> {
        let decoded =
            self.requests.iter().map(|(_, body)| ExportTraceServiceRequest::decode(body.clone()).expect("OTLP"));
        let resources = decoded.flat_map(|request| request.resource_spans);
        resources.flat_map(|resource| resource.scope_spans).flat_map(|scope| scope.spans).collect()
    }
}

struct Collector {
    address: SocketAddr,
    received: watch::Receiver<Received>,
}

impl Collector {
    async fn start(manner: Manner) -> Self {
        let (sender, received) = watch::channel(Received::default());
        let take = move |State(sender): State<Arc<watch::Sender<Received>>>, headers: HeaderMap, body: Bytes| async move {
            sender.send_modify(|received| received.requests.push((headers, body)));
            match manner {
                Manner::Take => StatusCode::OK,
                Manner::Refuse => StatusCode::INTERNAL_SERVER_ERROR,
                Manner::NeverAnswer => std::future::pending().await,
            }
        };
        let router = Router::new().route("/v1/traces", post(take)).with_state(Arc::new(sender));
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, received }
    }

    fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Waits until what was received is so.
    async fn until(&self, is_so: impl Fn(&[Span]) -> bool) -> Vec<Span> {
        let mut waiting = self.received.clone();
        let found = tokio::time::timeout(PATIENCE, waiting.wait_for(|received| is_so(&received.spans()))).await;
        match found {
            Ok(received) => received.expect("it listens").spans(),
            Err(_) => panic!("it did not come: {:#?}", self.received.borrow().spans()),
        }
    }
}

/// A server with its log in the file `log` of the sandbox.
struct Server {
    process: Running,
    url: String,
}

impl Server {
    async fn start(sandbox: &Sandbox, variables: &[(&str, &str)]) -> Self {
        let file = |name: &str| File::create(sandbox.path().join(name)).expect("a file");
        let process = sandbox
            .command(&["serve", "--listen", "127.0.0.1:0", "--log", "trace,hyper=info"])
            .envs(variables.iter().copied())
            .env("OTEL_BSP_SCHEDULE_DELAY", "20")
            .stdout(file("said"))
            .stderr(file("log"))
            .spawn()
            .expect("it starts");
        let process = Running(process);
        let said = until_text(sandbox, "said", " until Ctrl-C").await;
        let url = said.split_once("http://").and_then(|(_, rest)| rest.split(' ').next()).expect("an address");
        Self { process, url: format!("http://{url}") }
    }

    /// Whether something in it sends traces.
    fn sends(&self) -> bool {
        let threads = std::fs::read_dir(format!("/proc/{}/task", self.process.0.id())).expect("its threads");
        let name = |thread: std::fs::DirEntry| std::fs::read_to_string(thread.path().join("comm")).unwrap_or_default();
        threads.flatten().any(|thread| name(thread).starts_with("OpenTelemetry"))
    }

    async fn ask(&self, path: &str) -> StatusCode {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().redirect(reqwest::redirect::Policy::none()).build();
        let request = client.expect("a client").get(format!("{}{path}", self.url));
        let request = request.header("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01");
        request.header("authorization", "Bearer planted-bearer").send().await.expect("an answer").status()
    }

    /// Sends SIGTERM and waits for the end.
    fn stop(mut self) -> (Option<i32>, Duration) {
        let began = Instant::now();
        let told = Command::new("kill").args(["-TERM", &self.process.0.id().to_string()]).status();
        assert!(told.expect("kill is there").success());
        (self.process.0.wait().expect("it ends").code(), began.elapsed())
    }
}

fn read(sandbox: &Sandbox, name: &str) -> String {
    String::from_utf8_lossy(&std::fs::read(sandbox.path().join(name)).expect("the file")).into_owned()
}

/// Waits until a file of the sandbox holds a text.
async fn until_text(sandbox: &Sandbox, name: &str, text: &str) -> String {
    let began = Instant::now();
    loop {
        let found = read(sandbox, name);
        if found.contains(text) {
            return found;
        }
        assert!(began.elapsed() < PATIENCE, "{text:?} is not in {name}: {found} {}", read(sandbox, "log"));
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The value of an attribute as text.
fn attribute(span: &Span, key: &str) -> Option<String> {
    let value = span.attributes.iter().find(|attribute| attribute.key == key)?.value.clone()?.value?;
    Some(match value {
        Value::StringValue(text) => text,
        Value::IntValue(number) => number.to_string(),
        other => format!("{other:?}"),
    })
}

fn is_ended_run(span: &Span) -> bool {
    attribute(span, "tenantatlas.run.state").is_some()
}

fn holds_an_id(text: &str) -> bool {
    text.split(|character: char| !character.is_ascii_hexdigit() && character != '-')
        .any(|part| part.len() == 36 && part.parse::<Uuid>().is_ok())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_and_a_run_arrive_with_their_parents_and_without_secrets_ids_or_queries() {
    let cloud = Cloud::start(&["--objects", "100"]);
    let sandbox = Sandbox::new();
    assert_eq!(sandbox.add_tenant("Planted Tenant", &cloud).code, 0);
    let mut sync = SYNC;
    sync[2] = "Planted Tenant";
    assert_eq!(sandbox.run(&sync).code, 0);
    let run = leave_behind(&sandbox, Duration::ZERO, None).await;
    let collector = Collector::start(Manner::Take).await;
    let variables =
        [("OTEL_EXPORTER_OTLP_ENDPOINT", collector.url()), ("OTEL_EXPORTER_OTLP_HEADERS", HEADERS.to_owned())];
    let variables = variables.each_ref().map(|(name, value)| (*name, value.as_str()));
    let server = Server::start(&sandbox, &variables).await;
    assert!(server.sends());
    assert_eq!(server.ask("/welcome/planted-token?planted=query").await, StatusCode::NOT_FOUND);
    assert_eq!(server.ask("/healthz").await, StatusCode::OK);
    let spans = collector
        .until(|spans| {
            spans.iter().any(is_ended_run) && spans.iter().any(|span| span.name.ends_with("/welcome/{token}"))
        })
        .await;

    let request = spans.iter().find(|span| span.name == "GET /welcome/{token}").expect("the request");
    for (key, value) in
        [("http.request.method", "GET"), ("http.route", "/welcome/{token}"), ("http.response.status_code", "404")]
    {
        assert_eq!(attribute(request, key).as_deref(), Some(value), "{key}");
    }
    assert!(request.parent_span_id.is_empty() && request.kind == 2, "a trace begins here: {request:?}");
    let ended = spans.iter().find(|span| is_ended_run(span)).expect("the run");
    for (key, value) in [
        ("tenantatlas.run.id", run.to_string().as_str()),
        ("tenantatlas.run.operation", "inventory.sync"),
        ("tenantatlas.run.state", "completed"),
        ("tenantatlas.run.attempt", "1"),
    ] {
        assert_eq!(attribute(ended, key).as_deref(), Some(value), "{key}");
    }
    let (code, _) = server.stop();
    assert_eq!(code, Some(0));

    let received = collector.received.borrow();
    let spans = received.spans();
    let graph: Vec<_> = spans.iter().filter(|span| attribute(span, "tenantatlas.graph.path").is_some()).collect();
    let list = graph.iter().find(|span| span.name == "GET /beta/deviceManagement/deviceCompliancePolicies");
    let list = list.unwrap_or_else(|| panic!("{graph:#?}"));
    assert_eq!((&list.trace_id, &list.parent_span_id), (&ended.trace_id, &ended.span_id));
    assert_eq!(attribute(list, "http.response.status_code").as_deref(), Some("200"));
    assert!(attribute(list, "tenantatlas.graph.waited_ms").is_some_and(|waited| waited.parse::<u64>().is_ok()));
    assert!(graph.iter().any(|span| span.name == "POST /{tenant}/oauth2/v2.0/token"), "{graph:#?}");
    assert!(!spans.iter().any(|span| span.name.contains("healthz")), "what watches is no use");
    for span in &spans {
        assert!(span.events.is_empty() && span.links.is_empty(), "{span:?}");
        assert!(!holds_an_id(&span.name), "{}", span.name);
        for key in span.attributes.iter().map(|attribute| attribute.key.as_str()) {
            assert!(tenantatlas_traces::ATTRIBUTES.contains(&key), "{key}");
            let own = ["tenantatlas.run.id", "tenantatlas.request.id"].contains(&key);
            let value = attribute(span, key).expect("a value");
            assert!(own || !holds_an_id(&value), "{key} {value}");
        }
    }
    nothing_is_told(&sandbox, &cloud, &received);
}

/// Neither in what was sent nor in the log.
fn nothing_is_told(sandbox: &Sandbox, cloud: &Cloud, received: &Received) {
    let secrets = ["/tenants/0/client_secret", "/tenants/0/tenant_id", "/tenants/0/client_id"].map(|at| cloud.fact(at));
    let foreign = ["planted", "Planted", "0af7651916cd43dd", "Bearer", "skiptoken", "$select", "127.0.0.1"];
    for (headers, body) in &received.requests {
        assert_eq!(headers["content-type"], "application/x-protobuf");
        assert_eq!(headers["x-key"], "planted-key of the collector");
        let body = String::from_utf8_lossy(body);
        for text in secrets.iter().chain(&foreign) {
            assert!(!body.contains(text), "{text} in {body}");
        }
        for trace in received.spans().iter().map(|span| &span.trace_id) {
            assert_ne!(trace.as_slice(), 0x0af7_6519_16cd_43dd_8448_eb21_1c80_319c_u128.to_be_bytes());
        }
    }
    let log = read(sandbox, "log");
    assert!(log.contains("/welcome/{token}"), "it logs at all");
    for text in ["planted-key", "planted-token", "planted-bearer", "otel.name", secrets[0]] {
        assert!(!log.contains(text), "{text} in the log");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_away_refuses_or_never_answers_holds_nothing_up() {
    let closed = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("an address");
    let (refusing, silent) = (Collector::start(Manner::Refuse).await, Collector::start(Manner::NeverAnswer).await);
    for (endpoint, is_silent) in [(format!("http://{closed}"), false), (refusing.url(), false), (silent.url(), true)] {
        let sandbox = Sandbox::new();
        let server = Server::start(&sandbox, &[("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint)]).await;
        assert_eq!(server.ask("/sign-in").await, StatusCode::OK);
        if is_silent {
            silent.until(|spans| !spans.is_empty()).await;
        } else {
            until_text(&sandbox, "log", "traces were dropped").await;
        }
        for _ in 0..20 {
            assert_eq!(server.ask("/sign-in").await, StatusCode::OK);
        }
        let (code, took) = server.stop();
        assert_eq!(code, Some(0), "{endpoint}");
        assert!(took < Duration::from_secs(60), "{took:?} {endpoint}");
        let log = read(&sandbox, "log");
        let warnings = log.lines().filter(|line| line.contains("traces were dropped")).count();
        assert!(warnings <= 1, "{log}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_sent_unless_somebody_asks_for_it() {
    let collector = Collector::start(Manner::Take).await;
    let url = collector.url();
    let off: [&[(&str, &str)]; 2] = [
        &[("OTEL_TRACES_SAMPLER", "always_on")],
        &[("OTEL_EXPORTER_OTLP_ENDPOINT", &url), ("OTEL_SDK_DISABLED", "true")],
    ];
    for variables in off {
        let sandbox = Sandbox::new();
        let server = Server::start(&sandbox, variables).await;
        assert!(!server.sends());
        assert_eq!(server.ask("/sign-in").await, StatusCode::OK);
        assert_eq!(server.stop().0, Some(0));
        assert!(!read(&sandbox, "log").contains("otel.name"), "spans are not even made");
    }
    assert!(collector.received.borrow().requests.is_empty());
}

#[test]
fn what_cannot_be_an_endpoint_ends_the_start_in_one_sentence_and_no_other_command() {
    let sandbox = Sandbox::new();
    type Case = (&'static [(&'static str, &'static str)], &'static str);
    let cases: [Case; 4] = [
        (&[("OTEL_EXPORTER_OTLP_ENDPOINT", "planted")], "OTEL_EXPORTER_OTLP_ENDPOINT"),
        (&[("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "https://planted:x@otlp.example.com")], "OTEL_EXPORTER_OTLP_HEADERS"),
        (
            &[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://[::1]:9"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")],
            "http/protobuf",
        ),
        (&[("OTEL_EXPORTER_OTLP_ENDPOINT", "http://[::1]:9"), ("OTEL_TRACES_SAMPLER", "xray")], "traceidratio"),
    ];
    for (variables, named) in cases {
        let run = |arguments: &[&str]| {
            let mut command = sandbox.command(arguments);
            command.envs(variables.iter().copied()).stdin(Stdio::null()).output().expect("it starts").into()
        };
        for arguments in [&["serve", "--listen", "127.0.0.1:0"][..], &["worker"]] {
            let ended = run(arguments);
            assert_refused(&ended, 78, &[named]);
            assert!(!ended.stderr.contains("planted"), "{}", ended.stderr);
        }
        assert_eq!(run(&["user", "list"]).code, 0);
    }
    let mut help = sandbox.command(&["serve", "--help"]);
    let help = help.env("OTEL_EXPORTER_OTLP_HEADERS", HEADERS).output().expect("it starts");
    let help = String::from_utf8_lossy(&help.stdout).into_owned();
    let named: BTreeSet<_> =
        help.split(|character: char| !character.is_ascii_uppercase() && character != '_').collect();
    assert!(named.contains("OTEL_EXPORTER_OTLP_HEADERS") && !help.contains("planted"), "{help}");
}
