//! A scope with what its latest completed run says about each type: what every view of the inventory begins with.

use std::collections::BTreeMap;

use serde::Serialize;
use sqlx::FromRow;
use tenantatlas_domain::ids::{SyncRunId, TenantId};
use tenantatlas_domain::presence::{LastFullRead, Presence, TypeReading, derive_presence};
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::sync::{SyncRunStatus, TypeOutcome};
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use super::item::Item;
use crate::StoreError;
use crate::database::{Access, Run as _};
use crate::reader::Readable;
use crate::scopes::{self, OtherRead, Scope, ScopeId};
use crate::sql::{Statement, args};
use crate::sync_runs::{self, SyncRun, TypeRun};

/// How many items of a type are known in a tenant, whatever run saw them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct KnownType {
    /// In all.
    pub items: u64,
    /// By platform.
    pub platforms: BTreeMap<String, u64>,
}

#[derive(FromRow)]
struct Count {
    policy_type: String,
    platform: String,
    #[sqlx(try_from = "i64")]
    items: u64,
    baseline: Option<i64>,
}

/// What is known of the types of a tenant whatever the scope: how many items there are of each, and the run that first read
/// it to its end.
async fn known(
    mut on: impl Access,
    tenant: TenantId,
) -> Result<(BTreeMap<String, KnownType>, BTreeMap<String, i64>), StoreError> {
    let counts: Vec<Count> = on
        .rows(
            "SELECT policy_type, platform, items, NULL AS baseline
             FROM inventory_counts
             WHERE tenant_id = $1 AND items > 0
             UNION ALL
             SELECT policy_type, '', 0, seq
             FROM inventory_baselines
             WHERE tenant_id = $1",
            &args![tenant],
        )
        .await?;
    let mut known: BTreeMap<String, KnownType> = BTreeMap::new();
    let mut baselines = BTreeMap::new();
    for Count { policy_type, platform, items, baseline } in counts {
        if let Some(seq) = baseline {
            baselines.insert(policy_type, seq);
            continue;
        }
        let entry = known.entry(policy_type).or_default();
        entry.items += items;
        entry.platforms.insert(platform, items);
    }
    Ok((known, baselines))
}

/// A type that was first read to its end only after a time, so that nothing is known of its changes before.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct FirstRead {
    /// The key of the type.
    pub policy_type: String,
    /// When it was first read.
    #[sqlx(try_from = "i64")]
    pub at: Timestamp,
}

/// The types of a tenant that were first read to their end after a time, the last one first. Where the record of that run is
/// no longer kept, the oldest item of the type stands for it.
///
/// # Errors
/// When the database fails.
pub async fn first_read_after(
    db: &impl Readable,
    tenant: TenantId,
    time: Timestamp,
) -> Result<Vec<FirstRead>, StoreError> {
    let mut on = db.database();
    on.rows(
        "SELECT f.policy_type, f.at
         FROM (
             SELECT b.policy_type, COALESCE(
                 (SELECT r.finished_at FROM inventory_sync_runs r WHERE r.tenant_id = b.tenant_id AND r.seq = b.seq),
                 (SELECT r.started_at FROM inventory_sync_runs r WHERE r.tenant_id = b.tenant_id AND r.seq = b.seq),
                 (SELECT MIN(i.first_seen_at) FROM inventory_items i
                  WHERE i.tenant_id = b.tenant_id AND i.policy_type = b.policy_type)) AS at
             FROM inventory_baselines b
             WHERE b.tenant_id = $1) f
         WHERE f.at > $2
         ORDER BY f.at DESC, f.policy_type",
        &args![tenant, time],
    )
    .await
}

/// The keys of the policy types of which a tenant has items.
///
/// # Errors
/// When the database fails.
pub async fn known_types(mut on: impl Access, tenant: TenantId) -> Result<Vec<String>, StoreError> {
    let types: Vec<String> = on
        .values(
            "SELECT DISTINCT policy_type
             FROM inventory_counts
             WHERE tenant_id = $1 AND items > 0
             ORDER BY policy_type",
            &args![tenant],
        )
        .await?;
    Ok(types.into_iter().collect())
}

/// The last run of a scope that read a type to the end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, FromRow)]
pub struct FullRead {
    /// The run.
    #[sqlx(try_from = "Uuid")]
    pub run_id: SyncRunId,
    /// Its number.
    pub seq: i64,
    /// When it finished with the type.
    #[sqlx(rename = "finished_at", try_from = "i64")]
    pub at: Timestamp,
}

#[derive(FromRow)]
struct FullReadRow {
    policy_type: String,
    #[sqlx(flatten)]
    read: FullRead,
}

/// What the latest completed run of a scope says about one type.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct TypeState {
    /// How the run read the type; `None` when it did not hold it.
    pub run: Option<TypeRun>,
    /// How many items are known.
    pub known: KnownType,
    /// The last run of the scope, up to the latest completed one, that read the type to the end.
    pub last_full_read: Option<FullRead>,
    /// The number of the run that first read it to the end, of whatever selection; what was found until then is neither new
    /// nor changed.
    pub baseline: Option<i64>,
    /// How another selection read it to the end since then; `None` when none did.
    pub read_elsewhere: Option<OtherRead>,
}

impl TypeState {
    /// How the latest completed run ended for the type.
    #[must_use]
    pub fn outcome(&self) -> Option<TypeOutcome> {
        self.run.as_ref().and_then(|run| run.outcome)
    }

    /// Why it was not read to the end.
    #[must_use]
    pub fn reason(&self) -> Option<ReasonCode> {
        self.run.as_ref().and_then(|run| run.reason_code)
    }

    /// Items that the run saw.
    #[must_use]
    pub fn present(&self) -> u64 {
        self.run.as_ref().map_or(0, |run| run.items)
    }

    /// Whether an object came twice while the run read the list, so that one that it did not see may be there.
    #[must_use]
    pub fn was_unsteady(&self) -> bool {
        self.run.as_ref().is_some_and(|run| run.unsteady)
    }

    /// Items that are known and the run did not see.
    #[must_use]
    pub fn unseen(&self) -> u64 {
        self.known.items.saturating_sub(self.present())
    }

    /// Items that the run found new or changed; none in the first read of the type.
    #[must_use]
    pub fn changed(&self) -> u64 {
        let run = self.run.as_ref().filter(|run| self.baseline.is_some_and(|baseline| run.read_seq > baseline));
        run.map_or(0, |run| run.inserted + run.changed)
    }

    /// The number of the run that read it, which may be one that the latest completed run continues.
    #[must_use]
    pub fn read_seq(&self) -> Option<i64> {
        self.run.as_ref().map(|run| run.read_seq)
    }

    /// Whether the run read anything of the type; only then can it have seen an item.
    #[must_use]
    pub fn was_read(&self) -> bool {
        self.run.as_ref().is_some_and(TypeRun::was_read)
    }
}

impl TypeRun {
    /// The read of the type that it tells of, when that came to the end; `run` is the run that it is part of.
    pub(super) fn full_read(&self, run: SyncRunId) -> Option<FullRead> {
        let at = self.finished_at.filter(|_| self.outcome == Some(TypeOutcome::Succeeded))?;
        Some(FullRead { run_id: self.carried_from.unwrap_or(run), seq: self.read_seq, at })
    }

    /// Whether anything of the type was read: to the end, or at least one item.
    #[must_use]
    pub fn was_read(&self) -> bool {
        self.outcome == Some(TypeOutcome::Succeeded) || self.items > 0
    }
}

/// A tenant's inventory as one scope tells it.
#[derive(Clone, Debug, Serialize)]
pub struct ScopeView {
    /// The tenant.
    pub tenant_id: TenantId,
    /// The scope; `None` while no run of the tenant completed.
    pub scope: Option<Scope>,
    /// The latest completed run of the scope.
    pub run: Option<SyncRun>,
    /// Every type that is known in the tenant or was part of the run, by key.
    pub types: BTreeMap<String, TypeState>,
}

impl ScopeView {
    /// Loads the view of a scope, or of the main scope of the tenant (see [`scopes::main_of`]). A scope that is not of this
    /// tenant counts as none chosen.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn load(db: &impl Readable, tenant: TenantId, chosen: Option<ScopeId>) -> Result<Self, StoreError> {
        Ok(Self::load_among(db, tenant, chosen).await?.0)
    }

    /// The same with the scopes among which it was chosen: see [`scopes::offered`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn load_among(
        db: &impl Readable,
        tenant: TenantId,
        chosen: Option<ScopeId>,
    ) -> Result<(Self, Vec<Scope>), StoreError> {
        let db = db.database();
        // What does not wait for one another is asked at the same time: on a database server each question is a journey.
        let first = async { futures::try_join!(scopes::offered(db, tenant), known(db, tenant)) };
        let (offered, (known, baselines)) = Box::pin(first).await?;
        let scopes::Offered { scopes: offered, main } = offered;
        let scope = match chosen {
            None => main,
            Some(id) => match offered.iter().find(|scope| scope.id == id) {
                Some(scope) => Some(scope.clone()),
                None => scopes::get(db, tenant, id).await?.or(main),
            },
        };
        let mut types: BTreeMap<String, TypeState> =
            known.into_iter().map(|(key, known)| (key, TypeState { known, ..TypeState::default() })).collect();
        let mut run = None;
        if let Some((scope_id, latest)) = scope.as_ref().and_then(|scope| Some((scope.id, scope.latest?))) {
            let told = async {
                futures::try_join!(
                    sync_runs::get(db, tenant, latest.id),
                    sync_runs::list_types(db, tenant, latest.id),
                    async {
                        match offered.iter().any(|scope| scope.id != scope_id) {
                            true => scopes::reads_elsewhere(db, tenant, scope_id).await,
                            false => Ok(Vec::new()),
                        }
                    }
                )
            };
            let (found, rows, elsewhere) = Box::pin(told).await?;
            run = found;
            for row in rows {
                let state = types.entry(row.policy_type.clone()).or_default();
                state.last_full_read = row.full_read(latest.id);
                state.run = Some(row);
            }
            for row in Box::pin(earlier_full_reads(db, scope_id, latest.seq, &types)).await? {
                if let Some(state) = types.get_mut(&row.policy_type) {
                    state.last_full_read = Some(row.read);
                }
            }
            for (policy_type, read) in elsewhere {
                let state = types.entry(policy_type).or_default();
                let is_later = state.last_full_read.is_none_or(|known| known.at < read.at);
                state.read_elsewhere = Some(read).filter(|_| is_later);
            }
        }
        for (policy_type, seq) in baselines {
            if let Some(state) = types.get_mut(&policy_type) {
                state.baseline = Some(seq);
            }
        }
        Ok((Self { tenant_id: tenant, scope, run, types }, offered))
    }

    /// The number of the latest completed run.
    #[must_use]
    pub fn seq(&self) -> Option<i64> {
        self.run.as_ref().map(|run| run.seq)
    }

    /// The number of the run that tells of a type: the latest completed one, or the one from which it carried the outcome
    /// over.
    #[must_use]
    pub fn seq_of(&self, policy_type: &str) -> Option<i64> {
        self.types.get(policy_type).and_then(TypeState::read_seq).or_else(|| self.seq())
    }

    /// Whether an item was found, or found changed, after the first read of its type.
    pub(super) fn is_past_baseline(&self, item: &Item) -> bool {
        let baseline = self.types.get(&item.policy_type).and_then(|state| state.baseline);
        baseline.is_some_and(|baseline| item.changed_seq > baseline)
    }

    /// The state of an item of a type, given which runs of the scope saw it.
    pub(super) fn presence(&self, policy_type: &str, stretch: &Stretch) -> Presence {
        let state = self.types.get(policy_type);
        let run = self.run.as_ref();
        let reading = TypeReading {
            run_status: run.map_or(SyncRunStatus::Skipped, |run| run.status),
            had_errors: run.is_some_and(|run| run.had_errors),
            outcome: state.and_then(TypeState::outcome),
            reason: state.and_then(TypeState::reason),
            unsteady: state.is_some_and(TypeState::was_unsteady),
        };
        let seen =
            state.is_some_and(TypeState::was_read) && self.seq_of(policy_type).is_some_and(|seq| stretch.saw(seq));
        let last_full_read = state.and_then(|state| state.last_full_read).map(|read| LastFullRead {
            run_id: read.run_id,
            at: read.at,
            seen: stretch.saw(read.seq),
        });
        derive_presence(&reading, seen, last_full_read)
    }
}

/// The last full reads of the types of which the latest completed run does not tell one itself.
async fn earlier_full_reads(
    mut on: impl Access,
    scope: ScopeId,
    up_to: i64,
    types: &BTreeMap<String, TypeState>,
) -> Result<Vec<FullReadRow>, StoreError> {
    let lacking = types.iter().filter(|(_, state)| state.last_full_read.is_none());
    let lacking: Vec<String> = lacking.map(|(key, _)| key.clone()).collect();
    if lacking.is_empty() {
        return Ok(Vec::new());
    }
    let mut statement = Statement::new(
        "SELECT t.policy_type, COALESCE(t.carried_from, t.run_id) AS run_id, t.read_seq AS seq, t.finished_at
         FROM (
             SELECT r.policy_type, MAX(r.seq) AS seq
             FROM inventory_sync_run_types r",
    );
    statement
        .push(" WHERE r.scope_id = $1 AND r.seq <= $2 AND r.outcome = 'succeeded'", args![scope.0, up_to])
        .push_in(" AND r.policy_type", &lacking)
        .push(
            " GROUP BY r.policy_type) l
             JOIN inventory_sync_run_types t ON t.policy_type = l.policy_type AND t.seq = l.seq
             WHERE t.scope_id = $1",
            args![scope.0],
        );
    on.query(&statement).await
}

/// Which runs of a scope saw an item: those from the first to the last, without the absences.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stretch {
    /// The first and the last run that saw it.
    pub(crate) range: Option<(i64, i64)>,
    /// First run of an absence, and the run that ended it.
    pub(crate) absences: Vec<(i64, i64)>,
}

impl Stretch {
    pub(crate) fn saw(&self, seq: i64) -> bool {
        self.range.is_some_and(|(since, last)| since <= seq && seq <= last)
            && !self.absences.iter().any(|(from, until)| *from <= seq && seq < *until)
    }
}
