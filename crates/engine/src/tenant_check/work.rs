//! One attempt at a check.

use std::sync::Arc;

use futures::future::BoxFuture;
use futures::{StreamExt as _, stream};
use serde_json::json;
use tenantatlas_domain::live::{CurrentItem, Progress};
use tenantatlas_domain::operation::FailureKind;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::{SIDE_PERMISSIONS, registry};
use tenantatlas_domain::sync::TypeOutcome;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_graph::{GraphClient, GraphSession};
use tenantatlas_runs::{ITEMS_OBSERVED, RunContext, Stop, Summary, Work};
use tenantatlas_store::operation_runs::{End, UnitTime, hold, keep_times};
use tenantatlas_store::permissions::Permission;
use tenantatlas_store::tenants::{self, ConnectionCheck, ConnectionStatus, Licence};
use tenantatlas_store::{StoreError, Tx, Vault, permissions, with_retries};
use tokio::sync::Mutex;

use super::probe::{self, Found};
use super::{FIRST_PAGE, LICENCE, PERMISSION, SIGN_IN, label_of};
use crate::endpoints::events;
use crate::graph_reads::{TypeEnd, count_requests, counter};
use crate::tenants::connection;

/// First pages that are asked for at the same time.
const AT_ONCE: usize = 8;

pub(super) struct CheckWork {
    context: Arc<RunContext>,
    session: GraphSession,
    /// When the connection that is checked was last changed.
    connection_of: Timestamp,
    /// What is kept with the tenant in the end.
    result: Mutex<Option<Found>>,
}

impl CheckWork {
    pub(super) async fn begin(vault: &Vault, graph: &GraphClient, context: Arc<RunContext>) -> Result<Self, Stop> {
        let (tenant, open) = connection::open_for(&context, vault).await?;
        let session = graph.session(open, counter(&context), context.cancellation().clone());
        Ok(Self { context, session, connection_of: tenant.updated_at, result: Mutex::new(None) })
    }

    /// Settles what an earlier attempt has not: units end in the order in which the run names them.
    async fn check(&self) -> Result<(), Stop> {
        let run = self.context.run();
        let done = run.counters.processed as usize;
        self.context.publish(None, &self.progress(Some(SIGN_IN)));
        let began = self.context.now();
        let mut found = probe::sign_in(&self.session).await;
        let signed_in = (began, self.context.now());
        if self.context.cancellation().is_cancelled() {
            return Err(Stop::Cancelled);
        }
        let units = run.item_ids.iter().skip(done).cloned();
        let ends = stream::iter(units).map(|unit| self.timed_end_of(unit, &found, signed_in)).buffered(AT_ONCE);
        let mut ends = ends.enumerate();
        // What an earlier attempt found counts as well.
        let mut first_fault = run.failures.iter().find_map(|failure| {
            let first_page = failure.item_id.as_ref().is_some_and(|unit| unit.starts_with(FIRST_PAGE));
            (first_page && failure.kind == FailureKind::Failed).then(|| (failure.reason_code, failure.reason.clone()))
        });
        while let Some((position, end)) = ends.next().await {
            let (unit, end, time) = end?;
            if unit.starts_with(FIRST_PAGE) && end.outcome == TypeOutcome::Failed && first_fault.is_none() {
                first_fault.clone_from(&end.reason);
            }
            self.settle(done + position, &unit, &end, time).await?;
        }
        drop(ends);
        if let (ConnectionStatus::Ok, Some((code, sentence))) = (found.status, first_fault) {
            (found.status, found.reason_code, found.message) = (ConnectionStatus::Degraded, Some(code), Some(sentence));
        }
        *self.result.lock().await = Some(found);
        Ok(())
    }

    /// How one unit ended and when it was worked on: what the sign-in tells, while that went on. What is not asked takes no time.
    async fn timed_end_of(
        &self,
        unit: String,
        found: &Found,
        signed_in: (Timestamp, Timestamp),
    ) -> Result<(String, TypeEnd, Option<UnitTime>), Stop> {
        let is_asked = unit.starts_with(FIRST_PAGE);
        let began = self.context.now();
        let (unit, end) = self.end_of(unit, found).await?;
        let time = match (is_asked, found.refused.is_some()) {
            (true, false) => Some((began, self.context.now())),
            (true, true) => None,
            (false, refused) => (!refused || unit == SIGN_IN).then_some(signed_in),
        };
        let time = time.map(|(started_at, finished_at)| UnitTime { unit: unit.clone(), started_at, finished_at });
        Ok((unit, end, time))
    }

    /// How one unit ended.
    async fn end_of(&self, unit: String, found: &Found) -> Result<(String, TypeEnd), Stop> {
        let end = match (&found.refused, unit.as_str()) {
            (Some(error), SIGN_IN) => TypeEnd::failed(error.reason, found.message.clone().unwrap_or_default()),
            (Some(error), _) => TypeEnd::skipped(error.reason, "Nothing can be asked without a sign-in that works."),
            (None, SIGN_IN) => match found.reason_code {
                Some(ReasonCode::ConsentMissing) => failed(ReasonCode::ConsentMissing),
                _ => TypeEnd::succeeded(),
            },
            (None, LICENCE) => match found.licence {
                Licence::Present => TypeEnd::succeeded(),
                Licence::Missing => failed(ReasonCode::LicenseMissing),
                Licence::Unknown => TypeEnd::skipped(
                    ReasonCode::PermissionMissing,
                    "It cannot be told without the permission to read Intune.",
                ),
            },
            (None, other) => match (other.strip_prefix(PERMISSION), other.strip_prefix(FIRST_PAGE)) {
                (Some(permission), _) => permission_end(permission, found),
                (None, Some(key)) => self.type_end(key, found).await?,
                (None, None) => {
                    TypeEnd::skipped(ReasonCode::Internal, "This version of the program does not know the check.")
                }
            },
        };
        Ok((unit, end))
    }

    async fn type_end(&self, key: &str, found: &Found) -> Result<TypeEnd, Stop> {
        let Some(policy_type) = registry().get(key) else {
            return Ok(TypeEnd::skipped(ReasonCode::NotFoundInCloud, "The type is not known any more."));
        };
        let asked = probe::first_page(&self.session, policy_type, found.granted.as_deref()).await;
        asked.map_err(|_| Stop::Cancelled)
    }

    /// Counts the unit with this index as ended.
    async fn settle(&self, index: usize, unit: &str, end: &TypeEnd, time: Option<UnitTime>) -> Result<(), Stop> {
        let (settled, time) = (end.settled(unit), time.as_slice());
        let (run, progress) = with_retries(StoreError::is_transient, || async {
            let mut tx = self.context.db().write().await?;
            let run = self.context.settle_unit(&mut tx, index, settled.clone()).await?;
            keep_times(&mut tx, self.context.fence(), time).await?;
            let next = run.item_ids.get(run.counters.processed as usize).cloned();
            let progress = self.progress(next.as_deref());
            self.context.set_progress(&mut tx, &progress).await?;
            tx.commit().await?;
            Ok((run, progress))
        })
        .await?;
        self.context.publish(Some(run), &progress);
        Ok(())
    }

    fn progress(&self, current: Option<&str>) -> Progress {
        let current = current.map(|unit| CurrentItem { key: unit.to_owned(), label: label_of(unit), items: 0 });
        Progress { items: self.session.counter().read().requests, current: current.into_iter().collect() }
    }

    /// Keeps the result with the tenant, unless the connection was changed meanwhile: then it says nothing of the new one.
    async fn keep(&self, found: &Found) -> Result<(), Stop> {
        match with_retries(StoreError::is_transient, || self.try_keep(found)).await? {
            true => Ok(()),
            false => Err(Stop::failed(ReasonCode::ConnectionChanged, ReasonCode::ConnectionChanged.sentence())),
        }
    }

    /// Answers whether the connection that was checked is still there.
    async fn try_keep(&self, found: &Found) -> Result<bool, StoreError> {
        let (tenant, at) = (self.context.run().tenant_id, self.context.now());
        let mut tx = self.context.db().write().await?;
        hold(&mut tx, self.context.fence()).await?;
        let check = ConnectionCheck {
            status: found.status,
            reason: found.reason_code,
            message: found.message.clone(),
            organization: found.organization.clone(),
            licence: found.licence,
            at,
        };
        if !tenants::record_check(&mut tx, tenant, self.connection_of, &check).await? {
            return Ok(false);
        }
        if let Some(rows) = &found.permissions {
            let before = permissions::list(&mut tx, tenant).await?;
            let lost = |row: &&Permission| {
                !row.granted && before.iter().any(|known| known.granted && known.permission == row.permission)
            };
            let lost: Vec<&str> = rows.iter().filter(lost).map(|row| row.permission.as_str()).collect();
            events::tell_lost_permissions(&mut tx, tenant, self.context.run().id, &lost, at).await?;
            permissions::replace(&mut tx, tenant, rows, at).await?;
        }
        tx.commit().await?;
        Ok(true)
    }
}

fn failed(code: ReasonCode) -> TypeEnd {
    TypeEnd::failed(code, code.sentence())
}

fn permission_end(permission: &str, found: &Found) -> TypeEnd {
    let code = ReasonCode::PermissionMissing;
    let Some(rows) = &found.permissions else {
        return TypeEnd::skipped(code, "The token of this cloud does not show its permissions.");
    };
    match rows.iter().find(|row| row.permission == permission) {
        Some(row) if row.granted => TypeEnd::succeeded(),
        Some(row) if row.required_by.is_empty() => {
            TypeEnd::skipped(code, format!("{permission} is not granted: {}.", without(permission)))
        }
        _ => TypeEnd::failed(code, format!("{permission}: {}", code.sentence())),
    }
}

/// What is not known without a permission that no type needs.
fn without(permission: &str) -> &'static str {
    SIDE_PERMISSIONS.iter().find(|one| one.name == permission).map_or("nothing is lost", |one| one.without)
}

impl Work for CheckWork {
    fn portions(&self) -> usize {
        1
    }

    fn concurrency(&self) -> usize {
        1
    }

    fn perform(&self, _portion: usize) -> BoxFuture<'_, Result<(), Stop>> {
        Box::pin(self.check())
    }

    fn drain<'a>(&'a self, stopped: Option<&'a Stop>) -> BoxFuture<'a, Result<(), Stop>> {
        Box::pin(async move {
            count_requests(&self.session);
            match self.result.lock().await.as_ref() {
                Some(found) if stopped.is_none() => self.keep(found).await,
                _ => Ok(()),
            }
        })
    }

    fn finish<'a>(
        &'a self,
        _tx: &'a mut Tx,
        _end: &'a End,
        _at: Timestamp,
    ) -> BoxFuture<'a, Result<Summary, StoreError>> {
        Box::pin(async move {
            let mut facts = Summary::new();
            facts.insert(ITEMS_OBSERVED.to_owned(), json!(self.session.counter().read().requests));
            if let Some(found) = self.result.lock().await.as_ref() {
                let missing = found.permissions.iter().flatten().filter(|permission| !permission.granted);
                let missing: Vec<&str> = missing.map(|permission| permission.permission.as_str()).collect();
                facts.insert("status".to_owned(), json!(found.status));
                facts.insert("missing".to_owned(), json!(missing));
            }
            Ok(facts)
        })
    }
}
