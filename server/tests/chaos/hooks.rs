//! An endpoint of a webhook that does not always take what it is sent, and what must hold of the messages.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tenantatlas_domain::endpoint::{DeliveryStatus, EndpointKind, EventKind, Wanted};
use tenantatlas_domain::ids::{EndpointId, TenantId};
use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_engine::{Actor, EndpointDetails, Engine};
use tenantatlas_store::deliveries::{self, Delivery};
use tenantatlas_store::operation_runs::OperationRun;
use tenantatlas_store::{Reader, StoreError};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};

use crate::random::Random;

/// Messages of one page.
const PAGE: u32 = 200;
/// How long a slow answer takes.
const SLOW: Duration = Duration::from_millis(700);

/// What came under one id.
#[derive(Default)]
struct Message {
    bodies: BTreeSet<Vec<u8>>,
    received: u64,
    /// Whether one was answered with 204. Whether the answer arrived is another matter.
    taken: bool,
}

/// An endpoint on this machine.
pub struct Receiver {
    address: SocketAddr,
    messages: Arc<Mutex<BTreeMap<String, Message>>>,
}

impl Receiver {
    /// Starts it. Which message is refused at first, left without an answer, or answered late, follows from `random`.
    pub async fn start(random: Random) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let messages = Arc::new(Mutex::new(BTreeMap::new()));
        let (kept, random) = (Arc::clone(&messages), Arc::new(Mutex::new(random)));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (kept, random) = (Arc::clone(&kept), Arc::clone(&random));
                // Whoever sent it was killed or closed, when there is an error.
                tokio::spawn(async move { answer(stream, &kept, &random).await.ok() });
            }
        });
        Self { address, messages }
    }

    /// Has every end of a run of this tenant told here.
    pub async fn listen_to(&self, engine: &Engine, tenant: TenantId) -> EndpointId {
        let details = EndpointDetails {
            kind: EndpointKind::Webhook,
            name: "Chaos".to_owned(),
            address: format!("http://{}/", self.address),
            wanted: Wanted { events: vec![EventKind::RunEnded], ..Wanted::default() },
            digest: false,
        };
        engine.add_endpoint(&Actor::command_line(), tenant, &details).await.expect("an endpoint").id
    }

    /// What is wrong with the messages of a tenant whose runs these are, when nothing is under way any more.
    pub fn wrong(&self, deliveries: &[Delivery], runs: &[&OperationRun]) -> Vec<String> {
        let messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        let mut wrong = Vec::new();
        let mut told: BTreeMap<_, u32> = BTreeMap::new();
        for delivery in deliveries {
            if let Some(run) = delivery.run_id {
                *told.entry(run).or_default() += 1;
            }
            let message = messages.get(&delivery.id.to_string());
            if delivery.status != DeliveryStatus::Delivered || !message.is_some_and(|message| message.taken) {
                let (status, reason) = (delivery.status, &delivery.reason);
                wrong.push(format!("lost: message {} was not taken: it is {status}, {reason:?}", delivery.id));
            }
            if message.is_some_and(|message| message.bodies.len() > 1) {
                wrong.push(format!("message {} came with several contents", delivery.id));
            }
        }
        for run in runs {
            let count = told.get(&run.id).copied().unwrap_or_default();
            // A run that follows another and found no news says nothing.
            let may_be_quiet = run.follows.is_some() && run.status == OperationStatus::Completed;
            if count != u32::from(run.status.is_terminal()) && !(count == 0 && may_be_quiet) {
                wrong.push(format!(
                    "{count} messages tell of the end of {} {}.{}, {}",
                    run.id, run.resource, run.action, run.status
                ));
            }
        }
        wrong
    }

    /// Messages, and how often they came in all.
    pub fn counts(&self) -> (usize, u64) {
        let messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        (messages.len(), messages.values().map(|message| message.received).sum())
    }

    /// Ids that came and that these deliveries do not have.
    pub fn unknown(&self, deliveries: &[Delivery]) -> Vec<String> {
        let known: BTreeSet<String> = deliveries.iter().map(|delivery| delivery.id.to_string()).collect();
        let messages = self.messages.lock().unwrap_or_else(PoisonError::into_inner);
        messages.keys().filter(|id| !known.contains(*id)).map(|id| format!("message {id} came from nowhere")).collect()
    }
}

/// The messages of a tenant to an endpoint.
pub async fn every_delivery(db: &Reader, tenant: TenantId, endpoint: EndpointId) -> Result<Vec<Delivery>, StoreError> {
    let mut all: Vec<Delivery> = Vec::new();
    loop {
        let before = all.last().map(|delivery| (delivery.created_at, delivery.id));
        let page = deliveries::list(db, tenant, endpoint, before, PAGE).await?;
        if page.is_empty() {
            return Ok(all);
        }
        all.extend(page);
    }
}

async fn answer(
    mut stream: TcpStream,
    messages: &Mutex<BTreeMap<String, Message>>,
    random: &Mutex<Random>,
) -> std::io::Result<()> {
    let (id, body) = read(&mut stream).await?;
    let chance = random.lock().unwrap_or_else(PoisonError::into_inner).below(20);
    let first = {
        let mut messages = messages.lock().unwrap_or_else(PoisonError::into_inner);
        let message = messages.entry(id.clone()).or_default();
        message.received += 1;
        message.bodies.insert(body);
        message.received == 1
    };
    // The second wait of a message is five minutes, so that none is refused twice.
    let status = match chance {
        0 if first => return Ok(()),
        1 if first => "500 Internal Server Error",
        2 if first => "503 Service Unavailable",
        _ => "204 No Content",
    };
    if chance == 3 {
        tokio::time::sleep(SLOW).await;
    }
    if status.starts_with("204") {
        let mut messages = messages.lock().unwrap_or_else(PoisonError::into_inner);
        messages.entry(id).or_default().taken = true;
    }
    stream.write_all(format!("HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n").as_bytes()).await
}

/// The id and the body of a request.
async fn read(stream: &mut TcpStream) -> std::io::Result<(String, Vec<u8>)> {
    let mut reader = BufReader::new(stream);
    let (mut id, mut length, mut line) = (String::new(), 0, String::new());
    while reader.read_line(&mut line).await? > 2 {
        if let Some((name, value)) = line.split_once(':') {
            match name.to_ascii_lowercase().as_str() {
                "webhook-id" => value.trim().clone_into(&mut id),
                "content-length" => length = value.trim().parse().map_err(std::io::Error::other)?,
                _ => {}
            }
        }
        line.clear();
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).await?;
    Ok((id, body))
}
