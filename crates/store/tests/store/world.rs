//! What most tests begin with: a tenant, people, an operation run that a worker holds, a sync run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde_json::{Map, json};
use tenantatlas_domain::ids::{CorrelationId, NotificationId, OperationRunId, SyncRunId, TenantId, UserId};
use tenantatlas_domain::normalise::{ContentHash, observation_hash};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::references::{Relationship, TargetKind};
use tenantatlas_domain::selection::Selection;
use tenantatlas_domain::sync::{SyncRunStatus, TypeOutcome, conclude_sync};
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::inventory::{BatchResult, ObservedItem, ObservedLink, write_batch};
use tenantatlas_store::operation_runs::{
    self, Claim, Created, End, Fence, KindLimits, Limits, NewOperationRun, OperationRun, Rest,
};
use tenantatlas_store::sync_runs::{self, Continuation, NewSyncRun, Started, SyncEnd, SyncRun, TypeEnd, TypeRun};
use tenantatlas_store::tenants::{self, Cloud, Environment, TenantDetails};
use tenantatlas_store::testing::TestDatabase;
use tenantatlas_store::{Db, StoreError, users};
use uuid::Uuid;

pub const NO_LIMITS: Limits = Limits { global: 1_000, per_tenant: 1_000 };
pub const LEASE: Duration = Duration::from_secs(60);

pub fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(1_800_000_000_000 + millis)
}

/// Of two transactions that need the same lock, the one that has it stays here until the other one waits for it.
///
/// # Panics
/// When the other one never does, as if there were no lock.
pub async fn until_the_other_waits(test: &TestDatabase, somebody_was_here: &AtomicBool) {
    if !somebody_was_here.swap(true, Ordering::SeqCst) {
        let waits = test.until_somebody_waits();
        tokio::time::timeout(LEASE, waits).await.expect("the other one waits for the lock");
    }
}

pub fn details(name: &str) -> TenantDetails {
    TenantDetails {
        name: name.to_owned(),
        entra_tenant_id: Uuid::new_v4().to_string(),
        cloud: Cloud::Global,
        login_url: None,
        graph_url: None,
        environment: Environment::Prod,
        client_id: Uuid::new_v4().to_string(),
    }
}

pub async fn tenant(db: &Db, name: &str) -> TenantId {
    let id = TenantId::from_uuid(Uuid::now_v7());
    let mut tx = db.write().await.unwrap();
    tenants::create(&mut tx, id, &details(name), at(0)).await.unwrap();
    tx.commit().await.unwrap();
    id
}

pub async fn user(db: &Db, name: &str, platform_admin: bool) -> UserId {
    let id = UserId::from_uuid(Uuid::now_v7());
    let new = users::NewUser { id, email: format!("{name}@Example.com"), name: name.to_owned(), platform_admin };
    let mut tx = db.write().await.unwrap();
    users::create(&mut tx, &new, at(0)).await.unwrap();
    tx.commit().await.unwrap();
    id
}

pub fn new_notification_id() -> NotificationId {
    NotificationId::from_uuid(Uuid::now_v7())
}

pub fn new_operation_run(tenant: TenantId, key: &str, items: &[&str]) -> NewOperationRun {
    NewOperationRun {
        id: OperationRunId::from_uuid(Uuid::now_v7()),
        tenant_id: tenant,
        user_id: None,
        token_id: None,
        initiator: "Test".to_owned(),
        resource: "inventory".to_owned(),
        action: "sync".to_owned(),
        idempotency_key: key.to_owned(),
        correlation_id: CorrelationId::from_uuid(Uuid::now_v7()),
        payload: json!({"key": key}),
        item_ids: items.iter().map(|item| (*item).to_owned()).collect(),
        audit_log_id: Uuid::now_v7(),
        retry_of: None,
        follows: None,
        follow_ups: Vec::new(),
        schedule_id: None,
    }
}

pub async fn dispatch(db: &Db, tenant: TenantId, key: &str, items: &[&str], at: Timestamp) -> OperationRun {
    let mut tx = db.write().await.unwrap();
    let created = operation_runs::create(&mut tx, &new_operation_run(tenant, key, items), at).await.unwrap();
    tx.commit().await.unwrap();
    match created {
        Created::New(run) | Created::AlreadyActive(run) => run,
    }
}

/// These limits for the operation of every run here.
pub fn kind_limits(limits: Limits) -> [KindLimits; 1] {
    [KindLimits { resource: "inventory", action: "sync", limits }]
}

pub async fn claim(db: &Db, owner: &str, lease: Duration, limits: Limits) -> Option<OperationRun> {
    let mut tx = db.write().await.unwrap();
    let limits = kind_limits(limits);
    let run = operation_runs::claim(&mut tx, &Claim { owner, lease, limits: &limits }, at(1)).await.unwrap();
    tx.commit().await.unwrap();
    run
}

pub fn selection(types: &[&str]) -> Selection {
    Selection {
        policy_types: types.iter().map(|key| (*key).to_owned()).collect(),
        categories: Vec::new(),
        include_foundations: false,
        include_dependencies: true,
    }
}

/// A sync run under way.
pub struct Sync {
    pub db: Db,
    pub fence: Fence,
    pub run: SyncRun,
}

pub fn new_sync_run(tenant: TenantId, selection: &Selection) -> NewSyncRun {
    NewSyncRun {
        id: SyncRunId::from_uuid(Uuid::now_v7()),
        tenant_id: tenant,
        user_id: None,
        selection: selection.clone(),
        selection_hash: selection.hash(),
        correlation_id: CorrelationId::from_uuid(Uuid::now_v7()),
        continuation: None,
    }
}

impl Sync {
    pub async fn start(db: &Db, tenant: TenantId, types: &[&str], at: Timestamp) -> Self {
        Self::begin_run(db, new_sync_run(tenant, &selection(types)), types, at).await
    }

    /// A run that continues another one: it reads these of the types of its selection.
    pub async fn go_on(db: &Db, run: &SyncRun, reads: &[&str], at: Timestamp) -> Self {
        let owned = reads.iter().map(|key| (*key).to_owned()).collect();
        let continuation = Some(Continuation { run: run.id, reads: owned });
        let new = NewSyncRun { continuation, ..new_sync_run(run.tenant_id, &run.selection_payload) };
        Self::begin_run(db, new, reads, at).await
    }

    pub async fn begin_run(db: &Db, new: NewSyncRun, types: &[&str], at: Timestamp) -> Self {
        dispatch(db, new.tenant_id, &new.selection_hash.to_string(), types, at).await;
        let operation = claim(db, "worker", LEASE, NO_LIMITS).await.expect("a run to claim");
        let fence = operation.fence().unwrap();
        let mut tx = db.write().await.unwrap();
        let started = sync_runs::start(&mut tx, &fence, &new, at).await.unwrap();
        tx.commit().await.unwrap();
        match started {
            Started::New(run) | Started::Resumed(run) => Self { db: db.clone(), fence, run },
            Started::LockHeld(_) => panic!("the lock is held"),
        }
    }

    pub async fn begin(&self, policy_type: &str, at: Timestamp) -> TypeRun {
        let mut tx = self.db.write().await.unwrap();
        let row = sync_runs::begin_type(&mut tx, &self.fence, &self.run, policy_type, at).await.unwrap();
        tx.commit().await.unwrap();
        row
    }

    pub async fn write(
        &self,
        type_run: &TypeRun,
        items: &[ObservedItem],
        at: Timestamp,
    ) -> Result<BatchResult, StoreError> {
        let mut tx = self.db.write().await?;
        let result = write_batch(&mut tx, &self.fence, &self.run, type_run, items, at).await?;
        tx.commit().await?;
        Ok(result)
    }

    pub async fn end(&self, policy_type: &str, outcome: TypeOutcome, at: Timestamp) -> TypeRun {
        self.end_once_more(policy_type, outcome, at).await.expect("the type had not ended")
    }

    pub async fn end_once_more(&self, policy_type: &str, outcome: TypeOutcome, at: Timestamp) -> Option<TypeRun> {
        let reason_code = (outcome != TypeOutcome::Succeeded).then_some(ReasonCode::GraphThrottled);
        let end = TypeEnd {
            outcome,
            reason_code,
            message: None,
            pages: 1,
            requests: 2,
            retries: 1,
            throttled: 0,
            bytes: 1_000,
            unsteady: false,
        };
        let mut tx = self.db.write().await.unwrap();
        let row = sync_runs::finish_type(&mut tx, &self.fence, &self.run, policy_type, &end, at).await.unwrap();
        tx.commit().await.unwrap();
        row
    }

    /// Reads a type to the end.
    pub async fn read(&self, policy_type: &str, items: &[ObservedItem], at: Timestamp) -> BatchResult {
        let type_run = self.begin(policy_type, at).await;
        let result = self.write(&type_run, items, at).await.unwrap();
        self.end(policy_type, TypeOutcome::Succeeded, at).await;
        result
    }

    /// Ends the run as its types went, and its operation run with it.
    pub async fn finish(&self, at: Timestamp) -> SyncRun {
        let types = sync_runs::list_types(&self.db, self.run.tenant_id, self.run.id).await.unwrap();
        let status = conclude_sync(types.iter().map(|row| row.outcome.unwrap_or(TypeOutcome::Failed)));
        self.finish_as(status, Vec::new(), at).await
    }

    pub async fn finish_as(&self, status: SyncRunStatus, error_codes: Vec<ReasonCode>, at: Timestamp) -> SyncRun {
        let stopped = error_codes.first().copied();
        let end = SyncEnd { status, error_codes, error_context: json!({}), stopped };
        let mut tx = self.db.write().await.unwrap();
        let run = sync_runs::finish(&mut tx, &self.fence, &self.run, &end, at).await.unwrap();
        let end = End {
            status: tenantatlas_domain::operation::OperationStatus::Completed,
            reason_code: None,
            reason: String::new(),
            rest: Rest::Skipped,
        };
        operation_runs::finish(&mut tx, &self.fence, &end, at).await.unwrap();
        tx.commit().await.unwrap();
        run
    }
}

pub fn hash(text: &str) -> ContentHash {
    observation_hash(text.as_bytes())
}

/// An edge to a target that the inventory does not hold.
pub fn edge(relationship: Relationship, kind: TargetKind, id: &str) -> ObservedLink {
    ObservedLink {
        relationship,
        target_kind: kind,
        target_policy_type: None,
        target_external_id: id.to_owned(),
        last_known_name: None,
        filter_id: None,
        filter_mode: None,
        raw: "target".to_owned(),
    }
}

/// An item whose content is `content`.
pub fn item(external_id: &str, name: &str, content: &str) -> ObservedItem {
    let mut meta = Map::new();
    meta.insert("state".to_owned(), json!(content));
    ObservedItem {
        meta,
        content_hash: hash(content),
        observation_hash: hash(content),
        ..ObservedItem::example(external_id, name)
    }
}

pub fn items(count: usize, content: &str) -> Vec<ObservedItem> {
    (0..count).map(|number| item(&format!("id-{number:06}"), &format!("Policy {number:06}"), content)).collect()
}
