//! A receiver on this machine, and a tenant whose news are sent there.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};
use tenantatlas_domain::endpoint::{EndpointKind, EventKind, Wanted};
use tenantatlas_domain::ids::{DeliveryId, EndpointId, TenantId};
use tenantatlas_engine::{Actor, AddedEndpoint, EndpointDetails, Engine, EngineConfig, EngineError};
use tenantatlas_store::Vault;
use tenantatlas_store::deliveries::{self, Delivery};
use tenantatlas_store::tenants::{Cloud, Environment, TenantCredential, TenantDetails};
use tenantatlas_store::testing::TestDatabase;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::signing_in::Hands;
use crate::support::{World, graph, idle, quick, soon};

/// What an endpoint was sent.
#[derive(Debug, Clone)]
pub struct Received {
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Received {
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// Whether one of the signatures was made with this secret, computed from the text of the specification.
    pub fn is_signed_with(&self, secret: &SecretString) -> bool {
        let key = BASE64.decode(secret.expose_secret().strip_prefix("whsec_").unwrap()).unwrap();
        let mut signed = format!("{}.{}.", self.header("webhook-id"), self.header("webhook-timestamp")).into_bytes();
        signed.extend_from_slice(&self.body);
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), &signed);
        let wanted = format!("v1,{}", BASE64.encode(tag));
        self.header("webhook-signature").split(' ').any(|one| one == wanted)
    }
}

/// An endpoint on this machine that answers as it is told, the last answer for ever.
pub struct Receiver {
    address: SocketAddr,
    answers: Arc<Mutex<VecDeque<&'static str>>>,
    received: watch::Receiver<Vec<Received>>,
}

impl Receiver {
    pub async fn start(answers: &[&'static str]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let answers = Arc::new(Mutex::new(answers.iter().copied().collect::<VecDeque<_>>()));
        let (told, received) = watch::channel(Vec::new());
        let scripted = Arc::clone(&answers);
        tokio::spawn(async move {
            loop {
                let (mut stream, _) = listener.accept().await.unwrap();
                let Some(request) = read(&mut stream).await else { continue };
                let answer = {
                    let mut answers = scripted.lock().unwrap();
                    if answers.len() > 1 { answers.pop_front().unwrap() } else { answers[0] }
                };
                told.send_modify(|all| all.push(request));
                let text = format!("HTTP/1.1 {answer}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
                let _ = stream.write_all(text.as_bytes()).await;
            }
        });
        Self { address, answers, received }
    }

    pub fn url(&self) -> String {
        format!("http://{}/hook?sig=a-right", self.address)
    }

    pub fn answer(&self, answer: &'static str) {
        *self.answers.lock().unwrap() = VecDeque::from([answer]);
    }

    /// What was received, once there is so much of it.
    pub async fn received(&self, count: usize) -> Vec<Received> {
        let mut received = self.received.clone();
        soon(received.wait_for(|all| all.len() >= count)).await.unwrap().clone()
    }

    pub fn count(&self) -> usize {
        self.received.borrow().len()
    }
}

async fn read(stream: &mut tokio::net::TcpStream) -> Option<Received> {
    let (mut bytes, mut chunk) = (Vec::new(), [0; 4_096]);
    loop {
        if let Some(end) = bytes.windows(4).position(|window| window == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&bytes[..end]).into_owned();
            let headers: Vec<(String, String)> = head
                .lines()
                .skip(1)
                .filter_map(|line| line.split_once(": "))
                .map(|(name, value)| (name.to_lowercase(), value.to_owned()))
                .collect();
            let length = headers.iter().find(|(name, _)| name == "content-length");
            let length: usize = length.and_then(|(_, value)| value.parse().ok()).unwrap_or_default();
            if bytes.len() >= end + 4 + length {
                return Some(Received { headers, body: bytes[end + 4..].to_vec() });
            }
        }
        match stream.read(&mut chunk).await {
            Ok(0) | Err(_) => return None,
            Ok(count) => bytes.extend_from_slice(&chunk[..count]),
        }
    }
}

/// A tenant, a clock that stands, an engine that sends nothing, and what it takes to start one that does.
pub struct Post {
    pub desk: Engine,
    pub clock: Hands,
    pub tenant: TenantId,
    pub vault: Vault,
    pub test: TestDatabase,
    _keys: tempfile::TempDir,
}

fn local(mut config: EngineConfig) -> EngineConfig {
    config.outgoing.allowed_networks = vec!["127.0.0.0/8".parse().unwrap()];
    config.outgoing.public_url = Some("https://atlas.example.com".parse().unwrap());
    config
}

impl Post {
    pub async fn new(test: TestDatabase) -> Self {
        Self::with(test, |config| config).await
    }

    /// The same with other settings.
    pub async fn with(test: TestDatabase, change: impl Fn(EngineConfig) -> EngineConfig) -> Self {
        let keys = tempfile::tempdir().unwrap();
        let vault = Vault::open(&test.db, &keys.path().join("key")).await.unwrap();
        let clock = Hands::at(tenantatlas_domain::time::Timestamp::parse_rfc3339("2026-11-26T12:00:00Z").unwrap());
        let (db, config) = (test.db.clone(), change(local(idle())));
        let desk = Engine::start_with_clock(config, db, vault.clone(), graph(), Arc::new(clock.clone()));
        let details = TenantDetails {
            name: "Contoso".to_owned(),
            entra_tenant_id: "11111111-2222-3333-4444-555555555555".to_owned(),
            cloud: Cloud::Global,
            login_url: None,
            graph_url: None,
            environment: Environment::Dev,
            client_id: "11111111-2222-3333-4444-666666666666".to_owned(),
        };
        let credential = TenantCredential::ClientSecret(SecretString::from("x"));
        let tenant = desk.add_tenant(&Actor::command_line(), &details, &credential).await.unwrap();
        Self { desk, clock, tenant, vault, test, _keys: keys }
    }

    /// An engine that sends.
    pub fn sending(&self) -> Engine {
        self.sending_with(|config| config)
    }

    /// The same with other settings.
    pub fn sending_with(&self, change: impl Fn(EngineConfig) -> EngineConfig) -> Engine {
        let (db, vault) = (self.test.db.clone(), self.vault.clone());
        Engine::start_with_clock(change(local(quick())), db, vault, graph(), Arc::new(self.clock.clone()))
    }

    pub async fn add(&self, kind: EndpointKind, address: &str) -> Result<AddedEndpoint, EngineError> {
        let wanted = Wanted { events: EventKind::CHOICES.to_vec(), ..Wanted::default() };
        let details =
            EndpointDetails { kind, name: format!("A {kind}"), address: address.to_owned(), wanted, digest: false };
        self.desk.add_endpoint(&Actor::command_line(), self.tenant, &details).await
    }

    /// A run that ends soon, and the message of it.
    pub async fn end_a_run(&self, endpoint: EndpointId) -> Delivery {
        let actor = Actor::command_line();
        let run = self.desk.dispatch_sync(&actor, self.tenant, &World::some(&["mobileApp"])).await.unwrap().run_id;
        self.desk.runs().cancel(&actor, self.tenant, run).await.unwrap();
        // Another engine may have begun with it, and ends it then.
        let written = async {
            loop {
                let written = self.log(endpoint).await.into_iter().find(|message| message.run_id == Some(run));
                if let Some(message) = written {
                    return message;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        soon(written).await
    }

    pub async fn log(&self, endpoint: EndpointId) -> Vec<Delivery> {
        deliveries::list(&self.test.db, self.tenant, endpoint, None, 200).await.unwrap()
    }

    /// The delivery once it is so; senders write shortly after they have the answer.
    pub async fn until(&self, id: DeliveryId, so: impl Fn(&Delivery) -> bool) -> Delivery {
        let look = async {
            loop {
                let found = deliveries::get(&self.test.db, self.tenant, id).await.unwrap().unwrap();
                if so(&found) {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        soon(look).await
    }
}
