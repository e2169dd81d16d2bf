//! A cloud of one's own: a bare TCP server, so that broken answers can be told as well as good ones.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use serde_json::{Value, json};
use tenantatlas_graph::{
    CloudEndpoints, Connection, Credential, ErrorDetail, GraphClient, GraphClientOptions, GraphSession, RequestCounter,
    RetryBudget, Timeouts,
};
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio::sync::watch;
use tokio::task::AbortHandle;
use tokio::time::{sleep, timeout};
use tokio_util::sync::CancellationToken;
use url::Url;

pub const SECRET: &str = "PLANTED-client~secret.value_0123456789";

/// A request as it arrived.
#[derive(Clone, Debug)]
pub struct Seen {
    pub method: String,
    /// Path and query below `/graph` or `/login`, with that prefix.
    pub target: String,
    pub headers: HashMap<String, String>,
    pub body: String,
    /// How often this target was asked before.
    pub earlier: usize,
}

impl Seen {
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    pub fn is_token_request(&self) -> bool {
        self.target.starts_with("/login/")
    }
}

/// What to do with a request.
#[derive(Clone, Debug)]
pub enum Reply {
    /// A well-formed answer.
    Answer { status: u16, headers: Vec<(&'static str, String)>, body: Vec<u8> },
    /// These bytes, then the end of the connection.
    Raw(Vec<u8>),
    /// These bytes, then silence.
    Stall(Vec<u8>),
    /// These bytes, then one space every so often, without end.
    Trickle(Vec<u8>, Duration),
    /// The connection is torn down without a word.
    Reset,
    /// The same, later.
    Late(Duration, Box<Reply>),
    /// The same, once this is true.
    When(watch::Receiver<bool>, Box<Reply>),
}

impl Reply {
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        if let Self::Answer { headers, .. } = &mut self {
            headers.push((name, value.into()));
        }
        self
    }

    pub fn late(self, by: Duration) -> Self {
        Self::Late(by, Box::new(self))
    }

    pub fn when(self, so: watch::Receiver<bool>) -> Self {
        Self::When(so, Box::new(self))
    }
}

pub fn ok(body: impl Into<Value>) -> Reply {
    text(200, body.into().to_string())
}

pub fn text(status: u16, body: impl Into<Vec<u8>>) -> Reply {
    Reply::Answer { status, headers: Vec::new(), body: body.into() }
}

pub fn error(status: u16, code: &str, message: &str) -> Reply {
    text(status, json!({"error": {"code": code, "message": message}}).to_string())
}

pub fn head_and(body: &str, announced: usize) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {announced}\r\n\r\n{body}")
        .into_bytes()
}

/// An unsigned token with these roles, told apart by a number.
pub fn jwt(roles: &[&str], number: usize) -> String {
    let claims = json!({"roles": roles, "uti": number});
    format!("{}.{}.{}", URL_SAFE_NO_PAD.encode("{}"), URL_SAFE_NO_PAD.encode(claims.to_string()), "c2lnbmF0dXJl")
}

pub struct Cloud {
    pub address: SocketAddr,
    seen: Arc<Mutex<Vec<Seen>>>,
    server: AbortHandle,
}

impl Drop for Cloud {
    fn drop(&mut self) {
        self.server.abort();
    }
}

impl Cloud {
    /// Starts a server. Where `behaviour` has no reply, tokens are given and everything else is not found.
    pub async fn start(behaviour: impl Fn(&Seen) -> Option<Reply> + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let seen = Arc::new(Mutex::new(Vec::new()));
        let behaviour = Arc::new(behaviour);
        let log = Arc::clone(&seen);
        let server = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                stream.set_nodelay(true).unwrap();
                let (log, behaviour) = (Arc::clone(&log), Arc::clone(&behaviour));
                tokio::spawn(async move { serve(stream, &log, &*behaviour).await });
            }
        });
        Self { address, seen, server: server.abort_handle() }
    }

    pub fn graph(&self, rest: &str) -> String {
        format!("http://{}/graph/{rest}", self.address)
    }

    pub fn connection(&self) -> Connection {
        let url = |path: &str| Url::parse(&format!("http://{}/{path}", self.address)).unwrap();
        Connection {
            endpoints: CloudEndpoints::custom(url("login"), url("graph")).unwrap(),
            tenant: "0b7bd4ae-0000-4000-8000-000000000001".into(),
            client_id: "0b7bd4ae-0000-4000-8000-0000000000aa".into(),
            credential: Credential::ClientSecret(SecretString::from(SECRET)),
        }
    }

    pub fn session(&self) -> GraphSession {
        self.session_with(quick())
    }

    pub fn session_with(&self, options: GraphClientOptions) -> GraphSession {
        GraphClient::new(options).session(self.connection(), RequestCounter::new(), CancellationToken::new())
    }

    /// Everything asked so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }

    /// What was asked of Graph, tokens left out.
    pub fn reads(&self) -> Vec<Seen> {
        self.seen().into_iter().filter(|seen| !seen.is_token_request()).collect()
    }

    /// Waits until so many requests have come to Graph.
    pub async fn asked(&self, requests: usize) {
        let come = async {
            while self.reads().len() < requests {
                sleep(Duration::from_millis(5)).await;
            }
        };
        soon(come).await;
    }

    pub fn token_requests(&self) -> usize {
        self.seen().iter().filter(|seen| seen.is_token_request()).count()
    }
}

/// How long a test waits for what must come, however busy the machine is.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// What must come comes, or the test fails.
pub async fn soon<T>(what: impl Future<Output = T>) -> T {
    timeout(PATIENCE, what).await.expect("it comes in time")
}

/// An address of this machine on which nobody listens, and nobody else can as long as the socket is kept.
pub fn nobody() -> (TcpSocket, SocketAddr) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}

/// Options with short waits between attempts, for clouds on this machine, of which everything is told. The time limits of an
/// attempt outlast every stall of the machine.
pub fn quick() -> GraphClientOptions {
    GraphClientOptions {
        timeouts: Timeouts { connect: PATIENCE, idle: PATIENCE, total: PATIENCE },
        retry: RetryBudget {
            attempts_when_busy: 4,
            attempts_when_broken: 3,
            elapsed: PATIENCE,
            backoff_base: Duration::from_millis(5),
            backoff_cap: Duration::from_millis(40),
            retry_after_cap: Duration::from_secs(5),
        },
        allowed_networks: vec!["127.0.0.0/8".parse().unwrap(), "::1/128".parse().unwrap()],
        detail: ErrorDetail::Always,
        ..GraphClientOptions::default()
    }
}

/// [`quick`] with time limits that a test can wait for, where the cloud is silent and nothing else.
pub fn impatient() -> GraphClientOptions {
    let (idle, total) = (Duration::from_secs(2), Duration::from_secs(4));
    GraphClientOptions { timeouts: Timeouts { connect: PATIENCE, idle, total }, ..quick() }
}

async fn serve(stream: TcpStream, log: &Mutex<Vec<Seen>>, behaviour: &(impl Fn(&Seen) -> Option<Reply> + Sync)) {
    let mut stream = BufReader::new(stream);
    while let Some(mut seen) = receive(&mut stream).await {
        let number = {
            let mut log = log.lock().unwrap();
            seen.earlier = log.iter().filter(|earlier| earlier.target == seen.target).count();
            log.push(seen.clone());
            log.iter().filter(|seen| seen.is_token_request()).count()
        };
        let reply = behaviour(&seen).unwrap_or_else(|| {
            if seen.is_token_request() {
                let token = jwt(&["DeviceManagementConfiguration.Read.All"], number);
                ok(json!({"token_type": "Bearer", "expires_in": 3599, "access_token": token}))
            } else {
                error(404, "ResourceNotFound", "nothing here")
            }
        });
        if !answer(stream.get_mut(), reply).await {
            return;
        }
    }
}

async fn receive(stream: &mut BufReader<TcpStream>) -> Option<Seen> {
    let mut line = String::new();
    stream.read_line(&mut line).await.ok().filter(|read| *read > 0)?;
    let mut parts = line.split(' ');
    let (method, target) = (parts.next()?.to_owned(), parts.next()?.to_owned());
    let mut headers = HashMap::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await.ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else { break };
        headers.insert(name.to_lowercase(), value.trim().to_owned());
    }
    let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.ok()?;
    let body = String::from_utf8(body).unwrap();
    Some(Seen { method, target, headers, body, earlier: 0 })
}

/// Whether the connection is still good.
async fn answer(stream: &mut TcpStream, mut reply: Reply) -> bool {
    loop {
        reply = match reply {
            Reply::Late(by, later) => {
                sleep(by).await;
                *later
            }
            Reply::When(mut so, later) => {
                if so.wait_for(|so| *so).await.is_err() {
                    return false;
                }
                *later
            }
            reply => break reply_now(stream, reply).await,
        };
    }
}

async fn reply_now(stream: &mut TcpStream, reply: Reply) -> bool {
    match reply {
        Reply::Answer { status, headers, body } => {
            let mut head = format!("HTTP/1.1 {status} Whatever\r\nContent-Length: {}\r\n", body.len());
            for (name, value) in headers {
                head.push_str(&format!("{name}: {value}\r\n"));
            }
            head.push_str("\r\n");
            let bytes = [head.into_bytes(), body].concat();
            return stream.write_all(&bytes).await.is_ok();
        }
        Reply::Raw(bytes) => {
            let _ = stream.write_all(&bytes).await;
            let _ = stream.shutdown().await;
        }
        Reply::Stall(bytes) => {
            let _ = stream.write_all(&bytes).await;
            std::future::pending::<()>().await;
        }
        Reply::Trickle(bytes, every) => {
            let _ = stream.write_all(&bytes).await;
            while stream.write_all(b" ").await.is_ok() {
                sleep(every).await;
            }
        }
        Reply::Reset => stream.set_zero_linger().unwrap(),
        Reply::Late(..) | Reply::When(..) => unreachable!("waited for before"),
    }
    false
}
