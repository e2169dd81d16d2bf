//! A site with people, two tenants and something read, as the tests look at it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::ConnectInfo;
use axum::http::{HeaderMap, Method, Request, StatusCode, header};
use futures::StreamExt as _;
use secrecy::SecretString;
use tempfile::TempDir;
use tenantatlas_app::session::cookies;
use tenantatlas_domain::endpoint::{EndpointKind, EventKind, Wanted};
use tenantatlas_domain::ids::{DeliveryId, EndpointId, ItemId, OperationRunId, ScheduleId, TenantId, UserId};
use tenantatlas_domain::role::Role;
use tenantatlas_domain::selection::Selection;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{
    Actor, AddedMember, CaptureOf, EndpointDetails, Engine, EngineConfig, ScheduleOptions, ScheduleSpec,
};
use tenantatlas_graph::{GraphClient, GraphClientOptions};
use tenantatlas_graph_sim::{Evolution, Simulator, demo};
use tenantatlas_store::deliveries::{self, Event};
use tenantatlas_store::inventory::{self, ItemQuery, ScopeView};
use tenantatlas_store::sessions::{self, NewSession};
use tenantatlas_store::tenants::{Cloud, Environment, TenantCredential, TenantDetails};
use tenantatlas_store::testing::TestDatabase;
use tenantatlas_store::users::{self, NewUser};
use tenantatlas_store::{Db, Vault, operation_runs, policies};
use tokio::sync::Semaphore;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tower::ServiceExt as _;
use uuid::Uuid;

use crate::web::router::router;
use crate::web::under_way::UnderWay;
use crate::web::{State, events};

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Who {
    /// Nobody is signed in.
    Nobody,
    /// A member of the first tenant, and of no other.
    Member(Role),
    /// Signed in, and a member of nothing.
    Stranger,
    /// Administers the platform.
    Administrator,
}

impl Who {
    /// Everybody.
    pub const ALL: [Self; 7] = [
        Self::Nobody,
        Self::Member(Role::Readonly),
        Self::Member(Role::Operator),
        Self::Member(Role::Manager),
        Self::Member(Role::Owner),
        Self::Stranger,
        Self::Administrator,
    ];
}

/// An answer.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: String,
}

/// The site. `own` is the tenant whose members ask, `other` one of which they know nothing.
pub struct Site {
    pub engine: Engine,
    /// What the engine keeps its records in, for what happens beside it.
    pub db: Db,
    pub vault: Vault,
    pub own: TenantId,
    pub other: TenantId,
    pub item: ItemId,
    pub run: OperationRunId,
    /// A schedule of the first tenant; none that there is before [`Site::scheduled`].
    pub schedule: ScheduleId,
    /// An endpoint of the first tenant and a message to it; none that there are before [`Site::telling`].
    pub endpoint: (EndpointId, DeliveryId),
    /// The token of an open invitation into the first tenant.
    pub invitation: String,
    pub people: HashMap<Who, UserId>,
    pub router: Router,
    /// What goes on beside answers.
    pub background: TaskTracker,
    pub tokens: HashMap<Who, String>,
    pub cloud: Simulator,
    pub database: TestDatabase,
    _keys: TempDir,
}

impl Site {
    /// The same with a schedule, which is not due while a test takes.
    pub async fn scheduled(mut self) -> Self {
        let spec = ScheduleSpec {
            name: "Nightly".to_owned(),
            operation: "inventory.sync".to_owned(),
            options: ScheduleOptions::default(),
            cron: "0 0 1 1 *".to_owned(),
            zone: "Europe/Berlin".to_owned(),
        };
        let added = self.engine.add_schedule(&Actor::command_line(), self.own, &spec).await;
        self.schedule = added.expect("a schedule");
        self
    }

    /// The same with an endpoint that is switched off, and a message to it that was given up.
    pub async fn telling(mut self) -> Self {
        let details = EndpointDetails {
            kind: EndpointKind::Webhook,
            name: "Alerts".to_owned(),
            address: "https://hooks.contoso.com/secret-path".to_owned(),
            wanted: Wanted { events: vec![EventKind::RunEnded], ..Wanted::default() },
            digest: false,
        };
        let actor = Actor::command_line();
        let added = self.engine.add_endpoint(&actor, self.own, &details).await.expect("an endpoint");
        self.engine.switch_endpoint(&actor, self.own, added.id, false).await.expect("switched off");
        let mut tx = self.db.write().await.expect("a transaction");
        let event = Event { kind: EventKind::RunEnded, run_id: Some(self.run), run: None, payload: "{}".to_owned() };
        let now = self.engine.now();
        let delivery = deliveries::enqueue_for(&mut tx, self.own, added.id, &event, now).await.expect("a message");
        deliveries::give_up(&mut tx, self.own, added.id, "The endpoint was switched off.", now)
            .await
            .expect("given up");
        tx.commit().await.expect("committed");
        self.endpoint = (added.id, delivery);
        self
    }

    /// Makes people and tenants, and reads the first tenant once.
    pub async fn start() -> Self {
        Self::of(60).await
    }

    /// The same in this database.
    pub async fn on(database: TestDatabase) -> Self {
        Self::with(database, 60).await
    }

    /// The same with so many objects in the largest tenant of the cloud, and a third of them in the first.
    pub async fn of(objects: u64) -> Self {
        Self::with(TestDatabase::sqlite().await, objects).await
    }

    async fn with(database: TestDatabase, objects: u64) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let folder = tempfile::tempdir().expect("a folder");
        let db = database.db.clone();
        let vault = Vault::open(&db, &folder.path().join("key")).await.expect("a key");
        let engine = engine(&db, &vault);
        let mut config = demo::config(objects);
        config.latency = std::time::Duration::ZERO;
        let cloud = Simulator::start(config, SocketAddr::from(([127, 0, 0, 1], 0))).await.expect("a cloud");
        let own = tenant(&engine, &cloud, 0).await;
        let other = tenant(&engine, &cloud, 1).await;
        let (people, tokens) = people(&engine, &db, own).await;
        let invited = engine.add_member(&Actor::command_line(), own, "invited@example.com", Role::Operator).await;
        let Ok(AddedMember::Invited(invited)) = invited else { panic!("nobody has that address") };

        let selection = Selection {
            policy_types: vec!["settingsCatalogPolicy".to_owned()],
            categories: Vec::new(),
            include_foundations: false,
            include_dependencies: false,
        };
        let outcome = engine.dispatch_sync(&Actor::command_line(), own, &selection).await.expect("dispatched");
        let mut states = Box::pin(engine.runs().follow(own, outcome.run_id));
        while let Some(state) = states.next().await {
            state.expect("a state");
        }
        let view = ScopeView::load(engine.reader(), own, None).await.expect("a view");
        let query = ItemQuery { limit: 1, ..ItemQuery::default() };
        let page = inventory::list(engine.reader(), &view, &query).await.expect("a page");
        let item = &page.rows.first().expect("an item").item;
        let picked = CaptureOf::Items(vec![(item.policy_type.clone(), item.external_id.clone())]);
        let captured = engine.dispatch_capture(&Actor::command_line(), own, &picked, false).await.expect("dispatched");
        let mut states = Box::pin(engine.runs().follow(own, captured.run_id));
        while let Some(state) = states.next().await {
            state.expect("a state");
        }
        let item = item.id;
        let (router, background) = process(engine.clone());
        let run = outcome.run_id;
        Self {
            router,
            engine,
            db,
            vault,
            own,
            other,
            item,
            run,
            schedule: ScheduleId::from_uuid(Uuid::nil()),
            endpoint: (EndpointId::from_uuid(Uuid::nil()), DeliveryId::from_uuid(Uuid::nil())),
            invitation: invited.token,
            people,
            background,
            tokens,
            cloud,
            _keys: folder,
            database,
        }
    }

    /// Another process on the same database: its engine, its router and what goes on beside its answers.
    pub fn another_process(&self) -> (Engine, Router, TaskTracker) {
        let engine = engine(&self.db, &self.vault);
        let (router, background) = process(engine.clone());
        (engine, router, background)
    }

    /// Reads all of the first tenant.
    pub async fn sync_everything(&self) {
        let full = Selection::full(tenantatlas_domain::registry::registry());
        self.engine.dispatch_sync(&Actor::command_line(), self.own, &full).await.expect("dispatched");
        self.settle().await;
    }

    /// Reads and captures all of the first tenant.
    pub async fn read_everything(&self) {
        self.sync_everything().await;
        let all = CaptureOf::Types(Vec::new());
        self.engine.dispatch_capture(&Actor::command_line(), self.own, &all, false).await.expect("dispatched");
        self.settle().await;
    }

    /// Lets time pass in the cloud of the first tenant; answers with what changed.
    pub fn evolve(&self) -> Evolution {
        let control = self.cloud.control();
        let tenant = control.config().tenants[0].tenant_id.clone();
        control.evolve(&tenant, 1).remove(0)
    }

    /// The item of an object of the first tenant; none where its type was not read.
    pub async fn item_of(&self, policy_type: &str, external_id: &str) -> Option<ItemId> {
        let ids = [external_id.to_owned()];
        policies::items_by_id(&self.db, self.own, policy_type, &ids).await.expect("items").first().copied()
    }

    /// Waits until all that goes on beside answers is done: what is still being written, and runs that were started,
    /// with what follows them.
    pub async fn settle(&self) {
        self.background.close();
        self.background.wait().await;
        self.background.reopen();
        // What follows a run is there when the run has ended, and is not in a list that was read before.
        loop {
            let active = operation_runs::active(self.engine.reader(), None, None).await.expect("runs");
            if active.is_empty() {
                return;
            }
            for run in active {
                let mut states = Box::pin(self.engine.runs().follow(run.tenant_id, run.id));
                while let Some(state) = states.next().await {
                    state.expect("a state");
                }
            }
        }
    }

    /// The `Cookie` header of a person.
    pub fn cookie(&self, who: Who) -> String {
        self.tokens.get(&who).map(|token| format!("{}={token}", cookies::SESSION_COOKIE)).unwrap_or_default()
    }

    /// A request as a browser on this site sends it.
    pub fn request(&self, who: Who, method: Method, path: &str, accept: &str, form: Option<&str>) -> Request<Body> {
        let mut request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::HOST, "localhost")
            .header(header::ACCEPT, accept)
            .header("sec-fetch-site", "same-origin");
        if self.tokens.contains_key(&who) {
            request = request.header(header::COOKIE, self.cookie(who));
        }
        let body = match form {
            Some(form) => {
                let kind = if form.starts_with('{') { "application/json" } else { "application/x-www-form-urlencoded" };
                request = request.header(header::CONTENT_TYPE, kind);
                Body::from(form.to_owned())
            }
            None => Body::empty(),
        };
        let mut request = request.body(body).expect("a request");
        request.extensions_mut().insert(ConnectInfo(SocketAddr::from(([127, 0, 0, 1], 50_000))));
        request
    }

    /// Sends a request and reads the whole answer.
    pub async fn ask(&self, who: Who, method: Method, path: &str, accept: &str, form: Option<&str>) -> Answer {
        let request = self.request(who, method, path, accept, form);
        let response = self.router.clone().oneshot(request).await.expect("an answer");
        let (parts, body) = response.into_parts();
        // A live stream never ends: its status is all that is asked here.
        let stream = parts.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind == "text/event-stream");
        let bytes = if stream { Default::default() } else { to_bytes(body, 8 << 20).await.expect("a body") };
        let body = String::from_utf8_lossy(&bytes).into_owned();
        Answer { status: parts.status, headers: parts.headers, body }
    }
}

/// An engine that may ask the simulated cloud.
fn engine(db: &Db, vault: &Vault) -> Engine {
    let allowed_networks = vec!["127.0.0.0/8".parse().expect("a network")];
    let graph = GraphClientOptions { allowed_networks, ..GraphClientOptions::default() };
    Engine::start(EngineConfig::default(), db.clone(), vault.clone(), GraphClient::new(graph))
}

/// The router of a process, and what goes on beside its answers.
fn process(engine: Engine) -> (Router, TaskTracker) {
    let background = TaskTracker::new();
    let state = State {
        engine,
        stopping: CancellationToken::new(),
        streams: Arc::new(Semaphore::new(events::MAX_STREAMS)),
        metrics_token: Some(SecretString::from("metrics-token")),
        trusted_proxies: Arc::default(),
        proxy_hops: 1,
        under_way: UnderWay::new(&[]),
        verification: Default::default(),
        background: background.clone(),
    };
    (router(state), background)
}

/// Adds a tenant of a simulated cloud.
pub async fn tenant(engine: &Engine, cloud: &Simulator, index: usize) -> TenantId {
    let simulated = &cloud.control().config().tenants[index];
    let details = TenantDetails {
        name: simulated.name.clone(),
        entra_tenant_id: simulated.tenant_id.clone(),
        cloud: Cloud::Custom,
        login_url: Some(cloud.login_url()),
        graph_url: Some(cloud.graph_url()),
        environment: Environment::Prod,
        client_id: simulated.client_id.clone(),
    };
    let credential = TenantCredential::ClientSecret(SecretString::from(simulated.client_secret.clone()));
    engine.add_tenant(&Actor::command_line(), &details, &credential).await.expect("a tenant")
}

/// Long after the end of every test.
fn later(at: Timestamp) -> Timestamp {
    Timestamp::from_millis(at.as_millis() + 12 * 3_600_000)
}

async fn people(engine: &Engine, db: &Db, own: TenantId) -> (HashMap<Who, UserId>, HashMap<Who, String>) {
    let (mut people, mut tokens) = (HashMap::new(), HashMap::new());
    for (index, who) in Who::ALL.into_iter().enumerate().skip(1) {
        let id = UserId::from_uuid(Uuid::now_v7());
        let now = engine.now();
        let (token, hash) = cookies::new_token();
        let user = NewUser {
            id,
            email: format!("person{index}@example.com"),
            name: format!("Person {index}"),
            platform_admin: who == Who::Administrator,
        };
        let session = NewSession {
            id: Uuid::now_v7(),
            user_id: id,
            idle_expires_at: later(now),
            expires_at: later(now),
            user_agent: "test".to_owned(),
            address: "127.0.0.1".to_owned(),
        };
        let mut tx = db.write().await.expect("a transaction");
        users::create(&mut tx, &user, now).await.expect("a person");
        sessions::create(&mut tx, &hash, &session, now).await.expect("a session");
        tx.commit().await.expect("committed");
        if let Who::Member(role) = who {
            engine.set_member(&Actor::command_line(), own, id, role).await.expect("a member");
        }
        people.insert(who, id);
        tokens.insert(who, token);
    }
    (people, tokens)
}
