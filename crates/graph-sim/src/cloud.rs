//! The state of the simulated cloud: tenants, tokens, quota, faults, and what was asked of it.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use bytes::Bytes;
use serde::Serialize;

use crate::answer::Answer;
use crate::breakage::{bent, broken};
use crate::config::{SimulatorConfig, Throttle};
use crate::fault::{Fault, FaultKind, Faults, Met, Place};
use crate::graph::GraphRequest;
use crate::hold::Hold;
use crate::identity::guid_of;
use crate::query::Query;
use crate::tenant::TenantState;
use crate::token::{Claims, Issuer, TokenRequest};
use crate::{host, metadata};

/// How many requests the log keeps.
const LOG_LENGTH: usize = 20_000;

/// One request as the log tells it.
#[derive(Debug, Clone, Serialize)]
pub struct LoggedRequest {
    /// The method.
    pub method: String,
    /// Version, path and query.
    pub path: String,
    /// The status of the answer.
    pub status: u16,
    /// The tenant of the token; empty when the token was refused.
    pub tenant_id: String,
    /// When the answer was ready, in milliseconds since the cloud started.
    pub at_ms: u64,
    /// How long the answer took, the delay and the wait for nothing included.
    pub took_ms: u64,
}

/// What is asked of Graph, by itself or as an item of a batch.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// The method.
    pub method: &'a str,
    /// Version, path and query, without a leading slash.
    pub address: &'a str,
    /// The bearer token.
    pub token: Option<&'a str>,
    /// The body.
    pub body: &'a Bytes,
    /// The address of Graph by which it was asked: links and contexts begin with it.
    pub root: &'a str,
    /// Whether it is an item of a batch.
    pub in_batch: bool,
}

/// Counts of what was asked.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Counts {
    /// Requests to Graph; a batch is one.
    pub requests: u64,
    /// What counted towards the quota; a batch counts its items.
    pub quota: u64,
    /// Answers with 429.
    pub throttled: u64,
    /// Requests for a token.
    pub tokens: u64,
    /// The most requests under way at one time.
    pub max_concurrency: u32,
    /// Requests to Graph whose token was refused.
    pub unauthorized: u64,
    /// When the first request to Graph came, in milliseconds since the cloud started.
    pub first_at_ms: Option<u64>,
    /// When the last request to Graph came, in milliseconds since the cloud started.
    pub last_at_ms: Option<u64>,
}

/// The cloud.
pub struct Cloud {
    /// Where it is reached, without a trailing slash.
    pub origin: String,
    config: SimulatorConfig,
    tenants: BTreeMap<String, RwLock<TenantState>>,
    issuer: Issuer,
    epoch: AtomicU64,
    faults: Mutex<Faults>,
    windows: Mutex<HashMap<String, VecDeque<Instant>>>,
    throttle: Mutex<Option<Throttle>>,
    latency_ms: AtomicU64,
    log: Mutex<VecDeque<LoggedRequest>>,
    counts: Mutex<Counts>,
    under_way: AtomicU32,
    started: Instant,
    next_request: AtomicU64,
    hold: Hold,
}

/// A request is under way until this is dropped, also when its client goes away first.
struct UnderWay<'a>(&'a AtomicU32);

impl Drop for UnderWay<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Cloud {
    /// A cloud that is reached at `origin`.
    #[must_use]
    pub fn new(config: SimulatorConfig, origin: String) -> Self {
        let tenants = config
            .tenants
            .iter()
            .map(|tenant| (tenant.tenant_id.to_ascii_lowercase(), RwLock::new(TenantState::new(tenant.clone()))))
            .collect();
        let lifetime = config.token_lifetime.unwrap_or(Duration::from_secs(3_599)).as_secs();
        let seed = config.tenants.iter().fold(17, |sum: u64, tenant| sum.wrapping_mul(31).wrapping_add(tenant.seed));
        Self {
            origin,
            tenants,
            issuer: Issuer::new(seed, lifetime),
            epoch: AtomicU64::new(0),
            faults: Mutex::new(Faults::new(config.faults.clone())),
            windows: Mutex::default(),
            throttle: Mutex::new(config.throttle),
            latency_ms: AtomicU64::new(u64::try_from(config.latency.as_millis()).unwrap_or(0)),
            log: Mutex::default(),
            counts: Mutex::default(),
            under_way: AtomicU32::new(0),
            started: Instant::now(),
            next_request: AtomicU64::new(1),
            hold: Hold::new(),
            config,
        }
    }

    /// The address of the login service.
    #[must_use]
    pub fn login_url(&self) -> String {
        format!("{}/login", self.origin)
    }

    /// The address of Graph without a version.
    #[must_use]
    pub fn graph_url(&self) -> String {
        format!("{}/graph", self.origin)
    }

    /// How it was configured.
    #[must_use]
    pub fn config(&self) -> &SimulatorConfig {
        &self.config
    }

    /// Replaces all faults.
    pub fn set_faults(&self, faults: Vec<Fault>) {
        lock(&self.faults).replace(faults);
    }

    /// Adds a fault.
    pub fn add_fault(&self, fault: Fault) {
        lock(&self.faults).add(fault);
    }

    /// The faults in force, with how often each was near.
    #[must_use]
    pub fn faults(&self) -> Vec<Met> {
        lock(&self.faults).all()
    }

    /// Ends the fault with this number; false when there is none.
    pub fn end_fault(&self, number: u64) -> bool {
        lock(&self.faults).end(number)
    }

    /// The quota.
    #[must_use]
    pub fn throttle(&self) -> Option<Throttle> {
        *lock(&self.throttle)
    }

    /// The delay of every answer of Graph.
    #[must_use]
    pub fn latency(&self) -> Duration {
        Duration::from_millis(self.latency_ms.load(Ordering::Relaxed))
    }

    /// Which answers are held back.
    #[must_use]
    pub fn held_back(&self) -> Option<String> {
        self.hold.path()
    }

    /// How many objects of each collection a tenant has now; empty for an unknown tenant.
    #[must_use]
    pub fn holdings(&self, tenant_id: &str) -> Vec<(&'static str, u64)> {
        self.tenant(tenant_id)
            .map(|state| state.read().unwrap_or_else(PoisonError::into_inner).holdings())
            .unwrap_or_default()
    }

    /// Replaces the quota.
    pub fn set_throttle(&self, throttle: Option<Throttle>) {
        *lock(&self.throttle) = throttle;
    }

    /// Replaces the delay of every answer of Graph.
    pub fn set_latency(&self, latency: Duration) {
        self.latency_ms.store(u64::try_from(latency.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Holds back every answer of Graph whose version, path and query contain `path` (all with an empty one), until
    /// [`Cloud::release`]. Items of a batch go by the address of the batch.
    pub fn hold(&self, path: &str) {
        self.hold.begin(path);
    }

    /// Lets go what is held back, and holds nothing back any more.
    pub fn release(&self) {
        self.hold.end();
    }

    /// Waits until at least so many answers are held back at the same time.
    pub async fn held(&self, count: usize) {
        self.hold.reached(count).await;
    }

    /// What was asked so far.
    #[must_use]
    pub fn counts(&self) -> Counts {
        *lock(&self.counts)
    }

    /// Forgets what was asked.
    pub fn reset_counts(&self) {
        *lock(&self.counts) = Counts::default();
        lock(&self.log).clear();
    }

    /// The newest requests, oldest first.
    #[must_use]
    pub fn log(&self) -> Vec<LoggedRequest> {
        lock(&self.log).iter().cloned().collect()
    }

    fn since_start(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(0)
    }

    pub(crate) fn tenant(&self, tenant_id: &str) -> Option<&RwLock<TenantState>> {
        self.tenants.get(&tenant_id.to_ascii_lowercase())
    }

    /// Makes every token that was issued so far invalid.
    pub fn revoke_tokens(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
    }

    /// Answers a request for a token, by the login service with this address.
    #[must_use]
    pub fn token(&self, login: &str, directory: &str, body: &[u8]) -> Answer {
        lock(&self.counts).tokens += 1;
        let form = Query::form(&String::from_utf8_lossy(body));
        let url = format!("{login}/{directory}/oauth2/v2.0/token");
        let address = format!("login/{directory}/oauth2/v2.0/token");
        let place = Place { address: &address, tenant_id: directory, in_batch: false };
        for fault in lock(&self.faults).meet(place) {
            match fault {
                FaultKind::Raw { status, content_type, body } => {
                    let secret = form.get("client_secret").map_or("", String::as_str);
                    return Answer::raw(status, &content_type, body.replace("{secret}", secret));
                }
                FaultKind::Hostile(body) => return Answer::hostile(body),
                _ => {}
            }
        }
        let mut graphs = host::graphs_of(login);
        if graphs.is_empty() {
            graphs.push(self.graph_url());
        }
        let asked = TokenRequest { directory, form: &form, url: &url, graphs: &graphs };
        let epoch = self.epoch.load(Ordering::SeqCst);
        let (status, answer) = self.issuer.answer(&self.config.tenants, &asked, epoch);
        Answer::raw(status, "application/json", answer.to_string())
    }

    /// The configuration of a directory (OpenID Connect Discovery 1.0); every client of the Microsoft Authentication
    /// Library asks for it first.
    #[must_use]
    pub fn openid_configuration(&self, login: &str, directory: &str) -> Answer {
        let (status, answer) = self.issuer.discovery(&self.config.tenants, login, directory);
        Answer::raw(status, "application/json", answer.to_string())
    }

    /// Answers a request to Graph.
    pub async fn graph(&self, asked: &Asked<'_>) -> (Answer, String) {
        let number = self.next_request.fetch_add(1, Ordering::Relaxed);
        let request_id = guid_of(&["request", &number.to_string()]);
        let under_way = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        let came = self.since_start();
        {
            let mut counts = lock(&self.counts);
            counts.requests += 1;
            counts.max_concurrency = counts.max_concurrency.max(under_way);
            counts.first_at_ms.get_or_insert(came);
            counts.last_at_ms = Some(came);
        }
        let under_way = UnderWay(&self.under_way);
        let latency = self.latency_ms.load(Ordering::Relaxed);
        if latency > 0 {
            tokio::time::sleep(Duration::from_millis(latency)).await;
        }
        self.hold.pass(asked.address).await;
        let answer = self.answer(asked, &request_id);
        if answer.stall_ms > 0 {
            tokio::time::sleep(Duration::from_millis(answer.stall_ms)).await;
        }
        drop(under_way);
        self.write_down(asked, &answer, came);
        (answer, request_id)
    }

    fn write_down(&self, asked: &Asked<'_>, answer: &Answer, came: u64) {
        let at_ms = self.since_start();
        let tenant_id = asked.token.and_then(Issuer::directory_of).unwrap_or_default();
        let mut log = lock(&self.log);
        if log.len() >= LOG_LENGTH {
            log.pop_front();
        }
        log.push_back(LoggedRequest {
            method: asked.method.to_owned(),
            path: asked.address.to_owned(),
            status: answer.status.as_u16(),
            tenant_id,
            at_ms,
            took_ms: at_ms - came,
        });
    }

    /// Answers one request, on its own or as an item of a batch.
    pub(crate) fn answer(&self, asked: &Asked<'_>, request_id: &str) -> Answer {
        let (path, _) = asked.address.split_once('?').unwrap_or((asked.address, ""));
        let (version, path) = path.split_once('/').unwrap_or((path, ""));
        if !matches!(version, "v1.0" | "beta") {
            return Answer::error(400, "BadRequest", &format!("Invalid version: {version}"), request_id);
        }
        let base = format!("{}/{version}", asked.root);
        if asked.method == "GET"
            && let Some(answer) = metadata::root(&base, path, version == "beta")
        {
            return answer;
        }
        let claims = match self.issuer.read(asked.token, self.epoch.load(Ordering::SeqCst)) {
            Ok(claims) => claims,
            Err(why) => {
                lock(&self.counts).unauthorized += 1;
                return Answer::error(401, "InvalidAuthenticationToken", why.message(), request_id);
            }
        };
        if path != "$batch"
            && let Some(refused) = self.throttled(&claims, request_id)
        {
            return refused;
        }
        let place = Place { address: asked.address, tenant_id: &claims.tenant_id, in_batch: asked.in_batch };
        let faults = lock(&self.faults).meet(place);
        let stands_in =
            faults.iter().find_map(|fault| self.break_before(fault, asked.token.unwrap_or_default(), request_id));
        if let Some(answer) = stands_in {
            return answer;
        }
        if path == "$batch" {
            return self.batch(version, asked, request_id);
        }
        broken(self.read(asked, &claims, &base, path, &faults, request_id), &faults)
    }

    /// What Graph answers when nothing goes wrong.
    fn read(
        &self,
        asked: &Asked<'_>,
        claims: &Claims,
        base: &str,
        path: &str,
        faults: &[FaultKind],
        request_id: &str,
    ) -> Answer {
        let Some(state) = self.tenant(&claims.tenant_id) else {
            return Answer::error(401, "InvalidAuthenticationToken", "Unknown tenant.", request_id);
        };
        let state = state.read().unwrap_or_else(PoisonError::into_inner);
        let request = GraphRequest {
            tenant: &state,
            roles: &claims.roles,
            base,
            beta: base.ends_with("/beta"),
            path,
            query: asked.address.split_once('?').map_or("", |(_, query)| query),
            bent: bent(faults),
            request_id,
        };
        match (asked.method, path) {
            ("GET", _) => request.get(),
            ("POST", "directoryObjects/getByIds") => request.objects_by_ids(asked.body),
            _ => Answer::error(405, "MethodNotAllowed", "This simulated cloud is read only.", request_id),
        }
    }

    /// Counts an answer with 429.
    pub fn count_throttled(&self) {
        lock(&self.counts).throttled += 1;
    }

    fn throttled(&self, claims: &Claims, request_id: &str) -> Option<Answer> {
        lock(&self.counts).quota += 1;
        let throttle = (*lock(&self.throttle))?;
        let window = Duration::from_millis(throttle.window_ms);
        let now = Instant::now();
        let mut windows = lock(&self.windows);
        let seen = windows.entry(format!("{}/{}", claims.tenant_id, claims.client_id)).or_default();
        while seen.front().is_some_and(|at| now.duration_since(*at) >= window) {
            seen.pop_front();
        }
        seen.push_back(now);
        if seen.len() <= throttle.requests as usize {
            return None;
        }
        let wait = seen.front().map_or(window, |oldest| window.saturating_sub(now.duration_since(*oldest)));
        drop(windows);
        self.count_throttled();
        let mut answer = Answer::error(429, "TooManyRequests", "Too many requests.", request_id);
        answer.retry_after = Some(wait.as_secs().saturating_add(1).to_string());
        Some(answer)
    }
}
