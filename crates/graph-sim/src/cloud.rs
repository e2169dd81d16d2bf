//! The state of the simulated cloud: tenants, tokens, quota, faults, and what was asked of it.

use crate::{
    answer::{Answer, Sending},
    config::{Fault, FaultKind, SimulatorConfig, Throttle},
    graph::{Bent, GraphRequest},
    identity::guid_of,
    query::Query,
    tenant::{Evolution, TenantState},
    token::{Claims, Issuer},
};
use bytes::Bytes;
use serde::Serialize;
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, HashMap, VecDeque},
    sync::{
        Mutex, MutexGuard, PoisonError, RwLock,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

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
    /// Milliseconds since the cloud started.
    pub at_ms: u64,
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
}

/// The cloud.
pub struct Cloud {
    /// Where it is reached, without a trailing slash.
    pub origin: String,
    config: SimulatorConfig,
    tenants: BTreeMap<String, RwLock<TenantState>>,
    issuer: Issuer,
    epoch: AtomicU64,
    faults: Mutex<Vec<(Fault, u32)>>,
    windows: Mutex<HashMap<String, VecDeque<Instant>>>,
    throttle: Mutex<Option<Throttle>>,
    latency_ms: AtomicU64,
    log: Mutex<VecDeque<LoggedRequest>>,
    counts: Mutex<Counts>,
    under_way: AtomicU32,
    started: Instant,
    next_request: AtomicU64,
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
            faults: Mutex::new(config.faults.iter().cloned().map(|fault| (fault, 0)).collect()),
            windows: Mutex::default(),
            throttle: Mutex::new(config.throttle),
            latency_ms: AtomicU64::new(u64::try_from(config.latency.as_millis()).unwrap_or(0)),
            log: Mutex::default(),
            counts: Mutex::default(),
            under_way: AtomicU32::new(0),
            started: Instant::now(),
            next_request: AtomicU64::new(1),
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
        *lock(&self.faults) = faults.into_iter().map(|fault| (fault, 0)).collect();
    }

    /// Adds a fault.
    pub fn add_fault(&self, fault: Fault) {
        lock(&self.faults).push((fault, 0));
    }

    /// Replaces the quota.
    pub fn set_throttle(&self, throttle: Option<Throttle>) {
        *lock(&self.throttle) = throttle;
    }

    /// Replaces the delay of every answer of Graph.
    pub fn set_latency(&self, latency: Duration) {
        self.latency_ms.store(u64::try_from(latency.as_millis()).unwrap_or(u64::MAX), Ordering::Relaxed);
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

    /// The ids of every object of a tenant by key; empty for an unknown tenant.
    #[must_use]
    pub fn expected(&self, tenant_id: &str) -> BTreeMap<String, Vec<String>> {
        self.tenant(tenant_id)
            .map(|state| state.read().unwrap_or_else(PoisonError::into_inner).expected())
            .unwrap_or_default()
    }

    /// Lets time pass in a tenant; tells what changed in each step.
    pub fn evolve(&self, tenant_id: &str, steps: u64) -> Vec<Evolution> {
        self.tenant(tenant_id)
            .map(|state| state.write().unwrap_or_else(PoisonError::into_inner).evolve(steps))
            .unwrap_or_default()
    }

    fn tenant(&self, tenant_id: &str) -> Option<&RwLock<TenantState>> {
        self.tenants.get(&tenant_id.to_ascii_lowercase())
    }

    /// Makes every token that was issued so far invalid.
    pub fn revoke_tokens(&self) {
        self.epoch.fetch_add(1, Ordering::SeqCst);
    }

    /// Answers a request for a token.
    #[must_use]
    pub fn token(&self, directory: &str, body: &[u8]) -> (u16, Value) {
        lock(&self.counts).tokens += 1;
        let form = Query::form(&String::from_utf8_lossy(body));
        let url = format!("{}/{directory}/oauth2/v2.0/token", self.login_url());
        self.issuer.answer(
            &self.config.tenants,
            directory,
            &form,
            &url,
            &self.graph_url(),
            self.epoch.load(Ordering::SeqCst),
        )
    }

    /// Answers a request to Graph: `version/path?query`.
    pub async fn graph(
        &self,
        method: &str,
        path_and_query: &str,
        token: Option<&str>,
        body: &Bytes,
    ) -> (Answer, String) {
        let number = self.next_request.fetch_add(1, Ordering::Relaxed);
        let request_id = guid_of(&["request", &number.to_string()]);
        let under_way = self.under_way.fetch_add(1, Ordering::SeqCst) + 1;
        {
            let mut counts = lock(&self.counts);
            counts.requests += 1;
            counts.max_concurrency = counts.max_concurrency.max(under_way);
        }
        let latency = self.latency_ms.load(Ordering::Relaxed);
        if latency > 0 {
            tokio::time::sleep(Duration::from_millis(latency)).await;
        }
        let answer = self.answer(method, path_and_query, token, body, &request_id, true);
        self.under_way.fetch_sub(1, Ordering::SeqCst);
        let mut log = lock(&self.log);
        if log.len() >= LOG_LENGTH {
            log.pop_front();
        }
        log.push_back(LoggedRequest {
            method: method.to_owned(),
            path: path_and_query.to_owned(),
            status: answer.status.as_u16(),
            at_ms: u64::try_from(self.started.elapsed().as_millis()).unwrap_or(0),
        });
        drop(log);
        (answer, request_id)
    }

    fn answer(
        &self,
        method: &str,
        path_and_query: &str,
        token: Option<&str>,
        body: &Bytes,
        request_id: &str,
        outer: bool,
    ) -> Answer {
        let epoch = self.epoch.load(Ordering::SeqCst);
        let Some(claims) = token.and_then(|token| self.issuer.read(token, epoch)) else {
            lock(&self.counts).unauthorized += 1;
            return Answer::error(
                401,
                "InvalidAuthenticationToken",
                "Access token is empty, has expired or is not valid.",
                request_id,
            );
        };
        let (path, query) = path_and_query.split_once('?').unwrap_or((path_and_query, ""));
        let Some((version, path)) = path.split_once('/').filter(|(version, _)| matches!(*version, "v1.0" | "beta"))
        else {
            return Answer::error(400, "BadRequest", "Invalid version.", request_id);
        };
        if path != "$batch"
            && let Some(refused) = self.throttled(&claims, request_id)
        {
            return refused;
        }
        let faults = self.meet(path_and_query, outer);
        for fault in &faults {
            if let Some(answer) = self.break_before(fault, request_id) {
                return answer;
            }
        }
        if path == "$batch" {
            return self.batch(version, token, body, request_id);
        }
        let Some(state) = self.tenant(&claims.tenant_id) else {
            return Answer::error(401, "InvalidAuthenticationToken", "Unknown tenant.", request_id);
        };
        let state = state.read().unwrap_or_else(PoisonError::into_inner);
        let base = format!("{}/{version}", self.graph_url());
        let request = GraphRequest {
            tenant: &state,
            roles: &claims.roles,
            base: &base,
            beta: version == "beta",
            path,
            query,
            bent: bent(&faults),
            request_id,
        };
        let mut answer = match (method, path) {
            ("GET", _) => request.get(),
            ("POST", "directoryObjects/getByIds") => request.objects_by_ids(body),
            _ => Answer::error(405, "MethodNotAllowed", "This simulated cloud is read only.", request_id),
        };
        for fault in &faults {
            match fault {
                FaultKind::TruncatedJson => answer.body = answer.body.slice(..answer.body.len() / 2),
                FaultKind::SlowBody { pause_ms } => answer.sending = Sending::Slowly(*pause_ms),
                _ => {}
            }
        }
        answer
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
        lock(&self.counts).throttled += 1;
        let mut answer = Answer::error(429, "TooManyRequests", "Too many requests.", request_id);
        answer.retry_after = Some(wait.as_secs().saturating_add(1).to_string());
        Some(answer)
    }

    /// The faults that this request meets.
    fn meet(&self, address: &str, outer: bool) -> Vec<FaultKind> {
        let mut met = Vec::new();
        for (fault, seen) in lock(&self.faults).iter_mut() {
            if !address.contains(&fault.path) {
                continue;
            }
            // Inside a batch only what can happen to an item does.
            if !outer && matches!(fault.kind, FaultKind::Reset | FaultKind::SlowBody { .. } | FaultKind::TokenRevoked) {
                continue;
            }
            *seen += 1;
            let nth = *seen - 1;
            if nth >= fault.skip && fault.count.is_none_or(|count| nth - fault.skip < count) {
                met.push(fault.kind.clone());
            }
        }
        met
    }

    fn break_before(&self, fault: &FaultKind, id: &str) -> Option<Answer> {
        Some(match fault {
            FaultKind::Throttled { retry_after } => {
                lock(&self.counts).throttled += 1;
                let mut answer = Answer::error(429, "TooManyRequests", "", id);
                answer.retry_after.clone_from(retry_after);
                answer
            }
            FaultKind::Unavailable => Answer::error(503, "ServiceUnavailable", "The service is unavailable.", id),
            FaultKind::GatewayTimeout => Answer::error(504, "GatewayTimeout", "The gateway timed out.", id),
            FaultKind::ServerError => Answer::intune_error(500, "InternalServerError", "An error has occurred", id),
            FaultKind::Reset => {
                let mut answer = Answer::ok(Vec::new());
                answer.sending = Sending::Reset;
                answer
            }
            FaultKind::TokenRevoked => {
                self.revoke_tokens();
                Answer::error(
                    401,
                    "InvalidAuthenticationToken",
                    "Continuous access evaluation resulted in claims challenge.",
                    id,
                )
            }
            FaultKind::Forbidden => {
                Answer::intune_error(403, "Forbidden", "Application is not authorized to perform this operation.", id)
            }
            FaultKind::UnknownSegment => {
                Answer::error(404, "ResourceNotFound", "Resource not found for the segment.", id)
            }
            FaultKind::LicenceMissing => {
                Answer::error(403, "Forbidden", "The tenant does not have a license for this feature.", id)
            }
            FaultKind::BadRequest => Answer::error(400, "BadRequest", "The request is not valid.", id),
            _ => return None,
        })
    }

    fn batch(&self, version: &str, token: Option<&str>, body: &Bytes, request_id: &str) -> Answer {
        let Ok(body) = serde_json::from_slice::<Value>(body) else {
            return Answer::error(400, "BadRequest", "Invalid batch payload format.", request_id);
        };
        let requests = body["requests"].as_array().cloned().unwrap_or_default();
        let ids: std::collections::HashSet<_> = requests.iter().filter_map(|request| request["id"].as_str()).collect();
        if requests.is_empty() || requests.len() > 20 || ids.len() != requests.len() {
            return Answer::error(400, "BadRequest", "A batch holds 1 to 20 requests with unique ids.", request_id);
        }
        let mut responses: Vec<Value> = requests
            .iter()
            .map(|request| {
                let url = request["url"].as_str().unwrap_or_default().trim_start_matches('/');
                let method = request["method"].as_str().unwrap_or("GET");
                let inner = request["body"].to_string().into();
                let answer = self.answer(method, &format!("{version}/{url}"), token, &inner, request_id, false);
                let mut headers = json!({"Content-Type": "application/json"});
                if let Some(wait) = &answer.retry_after {
                    headers["Retry-After"] = json!(wait);
                }
                let body: Value = serde_json::from_slice(&answer.body).unwrap_or(Value::Null);
                json!({"id": request["id"], "status": answer.status.as_u16(), "headers": headers, "body": body})
            })
            .collect();
        // Answers may come in any order.
        responses.reverse();
        Answer::ok(json!({ "responses": responses }).to_string().into_bytes())
    }
}

fn bent(faults: &[FaultKind]) -> Bent<'_> {
    let mut bent = Bent::default();
    for fault in faults {
        match fault {
            FaultKind::PartialCollections => bent.partial = true,
            FaultKind::EmptyPage => bent.empty_page = true,
            FaultKind::LoopingLink => bent.looping = true,
            FaultKind::ForeignLink { host } => bent.foreign = Some(host),
            FaultKind::ExpandRefused => bent.refuse_expand = true,
            _ => {}
        }
    }
    bent
}
