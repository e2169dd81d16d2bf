//! Messages to endpoints: written with what they tell of, signed, sent at least once, tried again, given up.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use ring::hmac;
use secrecy::{ExposeSecret, SecretString};
use tenantatlas_domain::endpoint::{DeliveryStatus, EndpointKind, EventKind, MOST_ATTEMPTS, Wanted};
use tenantatlas_domain::ids::{DeliveryId, EndpointId, TenantId};
use tenantatlas_domain::operation::OperationBucket;
use tenantatlas_domain::role::Role;
use tenantatlas_engine::{Actor, AddedEndpoint, EndpointDetails, EndpointNotice, Engine, EngineConfig, EngineError};
use tenantatlas_store::deliveries::{self, Delivery};
use tenantatlas_store::tenants::{Cloud, Environment, TenantCredential, TenantDetails};
use tenantatlas_store::testing::{TestDatabase, on_both_engines};
use tenantatlas_store::{Vault, audit, endpoints, notifications};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::sync::watch;

use crate::signing_in::Hands;
use crate::support::{World, graph, idle, quick, soon};

/// What an endpoint was sent.
#[derive(Debug, Clone)]
struct Received {
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Received {
    fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str()).unwrap_or_default()
    }

    /// Whether one of the signatures was made with this secret, computed from the text of the specification.
    fn is_signed_with(&self, secret: &SecretString) -> bool {
        let key = BASE64.decode(secret.expose_secret().strip_prefix("whsec_").unwrap()).unwrap();
        let mut signed = format!("{}.{}.", self.header("webhook-id"), self.header("webhook-timestamp")).into_bytes();
        signed.extend_from_slice(&self.body);
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &key), &signed);
        let wanted = format!("v1,{}", BASE64.encode(tag));
        self.header("webhook-signature").split(' ').any(|one| one == wanted)
    }
}

/// An endpoint on this machine that answers as it is told, the last answer for ever.
struct Receiver {
    address: SocketAddr,
    answers: Arc<Mutex<VecDeque<&'static str>>>,
    received: watch::Receiver<Vec<Received>>,
}

impl Receiver {
    async fn start(answers: &[&'static str]) -> Self {
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

    fn url(&self) -> String {
        format!("http://{}/hook?sig=a-right", self.address)
    }

    fn answer(&self, answer: &'static str) {
        *self.answers.lock().unwrap() = VecDeque::from([answer]);
    }

    /// What was received, once there is so much of it.
    async fn received(&self, count: usize) -> Vec<Received> {
        let mut received = self.received.clone();
        soon(received.wait_for(|all| all.len() >= count)).await.unwrap().clone()
    }

    fn count(&self) -> usize {
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
    vault: Vault,
    test: TestDatabase,
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
    fn sending(&self) -> Engine {
        self.sending_with(|config| config)
    }

    /// The same with other settings.
    pub fn sending_with(&self, change: impl Fn(EngineConfig) -> EngineConfig) -> Engine {
        let (db, vault) = (self.test.db.clone(), self.vault.clone());
        Engine::start_with_clock(change(local(quick())), db, vault, graph(), Arc::new(self.clock.clone()))
    }

    async fn add(&self, kind: EndpointKind, address: &str) -> Result<AddedEndpoint, EngineError> {
        let wanted = Wanted { events: EventKind::CHOICES.to_vec(), ..Wanted::default() };
        let details = EndpointDetails { kind, name: format!("A {kind}"), address: address.to_owned(), wanted };
        self.desk.add_endpoint(&Actor::command_line(), self.tenant, &details).await
    }

    /// A run that ends at once, and the message of it.
    pub async fn end_a_run(&self, endpoint: EndpointId) -> Delivery {
        let actor = Actor::command_line();
        let run = self.desk.dispatch_sync(&actor, self.tenant, &World::some(&["mobileApp"])).await.unwrap().run_id;
        self.desk.runs().cancel(&actor, self.tenant, run).await.unwrap();
        let newest = self.log(endpoint).await.into_iter().next().expect("a message");
        assert_eq!(newest.run_id, Some(run));
        newest
    }

    async fn log(&self, endpoint: EndpointId) -> Vec<Delivery> {
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

on_both_engines! {
    async fn the_end_of_a_run_is_told_signed_and_without_secrets(test: TestDatabase) {
        let post = Post::new(test).await;
        let receiver = Receiver::start(&["204 No Content"]).await;
        let added = post.add(EndpointKind::Webhook, &receiver.url()).await.unwrap();
        let secret = added.secret.unwrap();
        let written = post.end_a_run(added.id).await;
        let engine = post.sending();
        let received = receiver.received(1).await.remove(0);
        assert_eq!(received.header("webhook-id"), written.id.to_string());
        assert!(!received.header("webhook-id").contains('.'));
        assert_eq!(received.header("webhook-timestamp"), "1795694400");
        assert_eq!(received.header("content-type"), "application/json");
        assert!(received.is_signed_with(&secret) && !received.is_signed_with(&SecretString::from("whsec_AAAA")));
        let body: serde_json::Value = serde_json::from_slice(&received.body).unwrap();
        assert_eq!((&body["type"], &body["timestamp"]), (&"run.ended".into(), &"2026-11-26T12:00:00.000Z".into()));
        let data = &body["data"];
        assert_eq!(data["tenant"]["name"], "Contoso");
        assert_eq!((&data["run"]["operation"], &data["run"]["state"]), (&"inventory.sync".into(), &"failed".into()));
        assert_eq!(data["run"]["reason_code"], "cancelled");
        let run = written.run_id.unwrap();
        assert_eq!(data["url"], format!("https://atlas.example.com/t/{}/runs/{run}", post.tenant));
        assert!(received.body.len() < 4_096);
        let done = post.until(written.id, |delivery| delivery.status == DeliveryStatus::Delivered).await;
        assert_eq!((done.attempt, done.http_status), (1, Some(204)));
        engine.shutdown().await;
    }

    async fn an_endpoint_gets_only_what_it_wants(test: TestDatabase) {
        let post = Post::new(test).await;
        let actor = Actor::command_line();
        let details = |name: &str, wanted: Wanted| EndpointDetails {
            kind: EndpointKind::Webhook, name: name.to_owned(), address: "https://hooks.example.com/x".to_owned(), wanted,
        };
        let wanted = |events: &[EventKind], states: &[OperationBucket], operations: &[&str]| Wanted {
            events: events.to_vec(),
            states: states.to_vec(),
            operations: operations.iter().map(|one| (*one).to_owned()).collect(),
        };
        let add = async |name: &str, wanted| post.desk.add_endpoint(&actor, post.tenant, &details(name, wanted)).await;
        let ended = [EventKind::RunEnded];
        let all = add("all", wanted(&ended, &[], &[])).await.unwrap().id;
        let failed = add("failed syncs", wanted(&ended, &[OperationBucket::Failed], &["inventory.sync"])).await.unwrap().id;
        let good = add("good", wanted(&ended, &[OperationBucket::Succeeded], &[])).await.unwrap().id;
        let findings = add("findings", wanted(&[EventKind::FindingsNew], &[], &[])).await.unwrap().id;
        let off = add("off", wanted(&ended, &[], &[])).await.unwrap().id;
        post.desk.switch_endpoint(&actor, post.tenant, off, false).await.unwrap();
        post.end_a_run(all).await;
        for (endpoint, expected) in [(all, 1), (failed, 1), (good, 0), (findings, 0), (off, 0)] {
            assert_eq!(post.log(endpoint).await.len(), expected);
        }
        for (events, states, operations, field) in [
            (&[][..], &[][..], &[][..], "events"),
            (&[EventKind::Test][..], &[][..], &[][..], "events"),
            (&ended[..], &[OperationBucket::Running][..], &[][..], "states"),
            (&ended[..], &[][..], &["inventory.nonsense"][..], "operations"),
        ] {
            let refused = add("refused", wanted(events, states, operations)).await;
            assert!(matches!(&refused, Err(EngineError::Invalid { field: named, .. }) if *named == field), "{refused:?}");
        }
        assert!(matches!(add("ALL", wanted(&ended, &[], &[])).await, Err(EngineError::Conflict(_))));
    }

    async fn addresses_that_are_not_public_are_refused_and_nothing_is_kept(test: TestDatabase) {
        let post = Post::new(test).await;
        for address in [
            "", "hooks.example.com", "ftp://hooks.example.com/", "http://hooks.example.com/", "https://user:x@hooks.example.com/",
            "https://10.0.0.1/", "https://3232235777/", "https://[::ffff:192.168.1.1]/", "https://169.254.169.254/latest/meta-data",
            "https://intranet/", "https://db.internal/", "http://[::1]/",
        ] {
            let refused = post.add(EndpointKind::Webhook, address).await;
            let Err(EngineError::Invalid { field: "address", message }) = refused else { panic!("{address}: {refused:?}") };
            assert!(message.starts_with("must "), "{message}");
        }
        assert!(endpoints::list(&post.test.db, post.tenant).await.unwrap().is_empty());
    }

    async fn what_fails_is_tried_again_under_the_same_id_for_a_day_and_then_given_up(test: TestDatabase) {
        let post = Post::new(test).await;
        let receiver = Receiver::start(&["500 Internal Server Error"]).await;
        let added = post.add(EndpointKind::Webhook, &receiver.url()).await.unwrap();
        let written = post.end_a_run(added.id).await;
        let engine = post.sending();
        let mut waited = 0;
        for attempt in 1..=u64::from(MOST_ATTEMPTS) {
            let settled =
                post.until(written.id, |one| one.attempt == attempt && one.http_status.is_some() && one.tries == attempt).await;
            if attempt < u64::from(MOST_ATTEMPTS) {
                assert_eq!(settled.status, DeliveryStatus::Waiting);
                let seconds = (settled.next_at.as_millis() - engine.now().as_millis()).div_euclid(1_000) + 1;
                waited += seconds;
                post.clock.forward(seconds);
            } else {
                assert_eq!(settled.status, DeliveryStatus::Failed);
                assert_eq!(settled.reason.as_deref(), Some("The other side answered 500."));
            }
        }
        assert!((20..28).contains(&(waited / 3_600)), "{waited} seconds");
        let received = receiver.received(MOST_ATTEMPTS as usize).await;
        assert!(received.iter().all(|one| one.header("webhook-id") == written.id.to_string()));
        let secret = added.secret.unwrap();
        assert!(received.iter().all(|one| one.is_signed_with(&secret)), "each attempt has its own time");
        let attempts = deliveries::attempts(&post.test.db, post.tenant, &[written.id]).await.unwrap();
        assert_eq!(attempts.len(), MOST_ATTEMPTS as usize);
        // A person sends it once more.
        receiver.answer("200 OK");
        post.desk.replay_delivery(&Actor::command_line(), post.tenant, written.id).await.unwrap();
        let done = post.until(written.id, |one| one.status == DeliveryStatus::Delivered).await;
        assert_eq!(done.attempt, u64::from(MOST_ATTEMPTS) + 1);
        assert_eq!(receiver.received(10).await.last().unwrap().header("webhook-id"), written.id.to_string());
        engine.shutdown().await;
    }

    async fn a_message_whose_sender_was_lost_is_sent_by_another_under_the_same_id(test: TestDatabase) {
        let post = Post::new(test).await;
        let receiver = Receiver::start(&["200 OK"]).await;
        let added = post.add(EndpointKind::Webhook, &receiver.url()).await.unwrap();
        let written = post.end_a_run(added.id).await;
        let (db, at) = (&post.test.db, post.desk.now());
        // Somebody takes it for no time and never comes back: it may have been sent.
        let mut tx = db.write().await.unwrap();
        let lost = deliveries::claim(&mut tx, "lost", Duration::ZERO, at).await.unwrap().unwrap();
        tx.commit().await.unwrap();
        assert_eq!((lost.id, lost.attempt), (written.id, 1));
        let engine = post.sending();
        let done = post.until(written.id, |one| one.status == DeliveryStatus::Delivered).await;
        assert_eq!(done.attempt, 2);
        assert_eq!(receiver.received(1).await[0].header("webhook-id"), written.id.to_string());
        // The lost one comes late, and writes nothing.
        let settled = deliveries::Settled {
            status: DeliveryStatus::Failed, http_status: Some(500), reason: Some("late"), next_at: at,
        };
        let mut tx = db.write().await.unwrap();
        assert!(!deliveries::settle(&mut tx, "lost", &lost, &settled, at).await.unwrap());
        tx.commit().await.unwrap();
        assert_eq!(post.log(added.id).await[0].status, DeliveryStatus::Delivered);
        engine.shutdown().await;
    }

    async fn what_is_held_by_one_sender_is_taken_by_no_other(test: TestDatabase) {
        let post = Post::new(test).await;
        let added = post.add(EndpointKind::Webhook, "https://hooks.example.com/x").await.unwrap();
        post.end_a_run(added.id).await;
        post.end_a_run(added.id).await;
        let (db, at) = (&post.test.db, post.desk.now());
        let mut tx = db.write().await.unwrap();
        let first = deliveries::claim(&mut tx, "one", Duration::from_secs(60), at).await.unwrap();
        tx.commit().await.unwrap();
        assert!(first.is_some());
        let mut tx = db.write().await.unwrap();
        let second = deliveries::claim(&mut tx, "two", Duration::from_secs(60), at).await.unwrap();
        tx.commit().await.unwrap();
        assert!(second.is_none(), "one message at a time goes to an endpoint: {second:?}");
    }

    async fn an_endpoint_that_wants_no_more_is_switched_off_and_its_managers_are_told(test: TestDatabase) {
        let post = Post::new(test).await;
        let actor = Actor::command_line();
        let password = || SecretString::from("correct horse battery");
        for (name, role) in [("manager", Role::Manager), ("operator", Role::Operator)] {
            let user = post.desk.create_user(&actor, &format!("{name}@example.com"), name, false, password()).await.unwrap();
            post.desk.set_member(&actor, post.tenant, user, role).await.unwrap();
        }
        let receiver = Receiver::start(&["410 Gone"]).await;
        let added = post.add(EndpointKind::Webhook, &receiver.url()).await.unwrap();
        let first = post.end_a_run(added.id).await;
        let second = post.end_a_run(added.id).await;
        let engine = post.sending();
        post.until(first.id, |one| one.status == DeliveryStatus::Failed).await;
        let given_up = post.until(second.id, |one| one.status == DeliveryStatus::Failed).await;
        assert_eq!(given_up.attempt, 0, "what waits is not sent any more");
        let endpoint = endpoints::get(&post.test.db, post.tenant, added.id).await.unwrap().unwrap();
        assert!(!endpoint.enabled && endpoint.off_reason.is_some_and(|why| why.contains("410")));
        let members = tenantatlas_store::members::list(&post.test.db, post.tenant).await.unwrap();
        for member in members {
            let filter = notifications::Filter { limit: 10, ..Default::default() };
            let told = notifications::list(&post.test.db, member.user_id, &filter).await.unwrap();
            let notices: Vec<_> = told.iter().filter_map(EndpointNotice::of).collect();
            assert_eq!(notices.len(), usize::from(member.role >= Role::Manager), "{}", member.name);
        }
        let entries = audit::list(&post.test.db, &audit::Filter { limit: 50, ..Default::default() }).await.unwrap();
        assert!(entries.iter().any(|entry| entry.action == "endpoint.switched_off" && entry.tenant_id == Some(post.tenant)));
        engine.shutdown().await;
    }

    async fn an_endpoint_that_fails_for_days_is_switched_off_and_one_delivery_sets_it_right(test: TestDatabase) {
        let post = Post::new(test).await;
        let receiver = Receiver::start(&["500 Internal Server Error"]).await;
        let added = post.add(EndpointKind::Webhook, &receiver.url()).await.unwrap();
        let engine = post.sending();
        let fail = async || {
            let written = post.end_a_run(added.id).await;
            post.until(written.id, |one| one.tries > 0 || one.status == DeliveryStatus::Failed).await;
            endpoints::get(&post.test.db, post.tenant, added.id).await.unwrap().unwrap()
        };
        let began = engine.now();
        assert_eq!(fail().await.failing_since, Some(began));
        post.clock.forward(2 * 86_400);
        assert!(fail().await.enabled);
        receiver.answer("200 OK");
        let written = post.end_a_run(added.id).await;
        post.until(written.id, |one| one.status == DeliveryStatus::Delivered).await;
        receiver.answer("500 Internal Server Error");
        post.clock.forward(2 * 86_400);
        assert!(fail().await.enabled, "days before the last delivery do not count");
        post.clock.forward(3 * 86_400 + 1);
        // What waits since then is tried again by itself.
        let waiting = post.log(added.id).await.remove(0);
        post.until(waiting.id, |one| one.status == DeliveryStatus::Failed).await;
        let endpoint = endpoints::get(&post.test.db, post.tenant, added.id).await.unwrap().unwrap();
        assert!(!endpoint.enabled && endpoint.off_reason.is_some_and(|why| why.contains("three days")));
        engine.shutdown().await;
    }

    async fn an_endpoint_that_asks_for_quiet_has_it_for_all_messages(test: TestDatabase) {
        let post = Post::new(test).await;
        let receiver = Receiver::start(&["429 Too Many Requests\r\nRetry-After: 600", "200 OK"]).await;
        let added = post.add(EndpointKind::Webhook, &receiver.url()).await.unwrap();
        let first = post.end_a_run(added.id).await;
        let engine = post.sending();
        let waiting = post.until(first.id, |one| one.tries == 1).await;
        assert_eq!(waiting.next_at.as_millis() - engine.now().as_millis(), 600_000);
        let second = post.end_a_run(added.id).await;
        post.clock.forward(599);
        assert!(deliveries::is_due(&post.test.db, engine.now()).await.unwrap());
        let mut tx = post.test.db.write().await.unwrap();
        assert!(deliveries::claim(&mut tx, "x", Duration::from_secs(1), engine.now()).await.unwrap().is_none());
        tx.rollback().await.unwrap();
        assert_eq!(receiver.count(), 1);
        post.clock.forward(2);
        for id in [first.id, second.id] {
            post.until(id, |one| one.status == DeliveryStatus::Delivered).await;
        }
        engine.shutdown().await;
    }

    async fn a_redirect_is_a_failure_and_a_test_is_tried_once(test: TestDatabase) {
        let post = Post::new(test).await;
        let receiver = Receiver::start(&["307 Temporary Redirect\r\nLocation: http://169.254.169.254/"]).await;
        let added = post.add(EndpointKind::Webhook, &receiver.url()).await.unwrap();
        let id = post.desk.test_endpoint(&Actor::command_line(), post.tenant, added.id).await.unwrap();
        let engine = post.sending();
        let failed = post.until(id, |one| one.status == DeliveryStatus::Failed).await;
        assert_eq!((failed.http_status, failed.attempt), (Some(307), 1));
        assert!(failed.reason.is_some_and(|reason| reason.contains("points elsewhere")));
        engine.shutdown().await;
    }

    async fn during_the_overlap_both_secrets_sign_and_then_the_new_one_alone(test: TestDatabase) {
        let post = Post::new(test).await;
        let receiver = Receiver::start(&["200 OK"]).await;
        let added = post.add(EndpointKind::Webhook, &receiver.url()).await.unwrap();
        let (actor, old) = (Actor::command_line(), added.secret.unwrap());
        let new = post.desk.rotate_endpoint_secret(&actor, post.tenant, added.id).await.unwrap();
        let shown = post.desk.endpoint_of_secret(post.tenant, &new).await.unwrap();
        assert_eq!(shown.map(|endpoint| endpoint.id), Some(added.id));
        assert!(post.desk.endpoint_of_secret(post.tenant, &old).await.unwrap().is_none());
        let engine = post.sending();
        post.desk.test_endpoint(&actor, post.tenant, added.id).await.unwrap();
        let during = receiver.received(1).await.remove(0);
        assert!(during.is_signed_with(&old) && during.is_signed_with(&new));
        post.clock.forward(86_401);
        post.desk.test_endpoint(&actor, post.tenant, added.id).await.unwrap();
        let after = receiver.received(2).await.remove(1);
        assert!(!after.is_signed_with(&old) && after.is_signed_with(&new));
        engine.shutdown().await;
    }

    async fn teams_and_slack_get_what_they_understand_and_no_signature(test: TestDatabase) {
        let post = Post::new(test).await;
        let (teams, slack) = (Receiver::start(&["202 Accepted"]).await, Receiver::start(&["200 OK"]).await);
        for (kind, receiver) in [(EndpointKind::Teams, &teams), (EndpointKind::Slack, &slack)] {
            let added = post.add(kind, &receiver.url()).await.unwrap();
            assert!(added.secret.is_none());
            let refused = post.desk.rotate_endpoint_secret(&Actor::command_line(), post.tenant, added.id).await;
            assert!(matches!(refused, Err(EngineError::Conflict(_))));
            post.end_a_run(added.id).await;
        }
        let engine = post.sending();
        let (card, blocks) = (teams.received(1).await.remove(0), slack.received(1).await.remove(0));
        assert!(card.header("webhook-signature").is_empty() && blocks.header("webhook-signature").is_empty());
        let card: serde_json::Value = serde_json::from_slice(&card.body).unwrap();
        assert_eq!(card["attachments"][0]["content"]["type"], "AdaptiveCard");
        let blocks: serde_json::Value = serde_json::from_slice(&blocks.body).unwrap();
        assert!(blocks["text"].as_str().is_some_and(|text| text.ends_with(": failed")), "{blocks}");
        engine.shutdown().await;
    }

    async fn neither_address_nor_secret_stands_in_the_database_or_the_audit_log(test: TestDatabase) {
        let post = Post::new(test).await;
        let added = post.add(EndpointKind::Webhook, "https://hooks.example.com/services/T0/a-right?sig=another").await.unwrap();
        let secret = added.secret.unwrap();
        let endpoint = endpoints::get(&post.test.db, post.tenant, added.id).await.unwrap().unwrap();
        assert_eq!(endpoint.address_shown, "hooks.example.com");
        let shown = format!("{endpoint:?} {}", serde_json::to_string(&endpoint).unwrap());
        let entries = audit::list(&post.test.db, &audit::Filter { limit: 50, ..Default::default() }).await.unwrap();
        let entries = serde_json::to_string(&entries.iter().map(|entry| &entry.context).collect::<Vec<_>>()).unwrap();
        for text in [shown, entries] {
            assert!(!text.contains("a-right") && !text.contains("sig=") && !text.contains("whsec_"), "{text}");
        }
        let open = endpoints::open(&post.test.db, &post.vault, post.tenant, added.id, post.desk.now()).await.unwrap().unwrap();
        assert!(open.address.expose_secret().ends_with("/services/T0/a-right?sig=another"));
        assert_eq!(open.secrets.len(), 1);
        assert_eq!(open.secrets[0].expose_secret(), secret.expose_secret());
        assert!(!format!("{open:?}").contains("a-right"));
    }
}
