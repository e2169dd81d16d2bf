//! Both sides of objects, and what is known of their findings.

use std::collections::{BTreeSet, HashMap};

use serde_json::{Map, Value as Json};
use sqlx::FromRow;
use tenantatlas_domain::drift::{ChangeKind, ItemState, Sides};
use tenantatlas_domain::ids::{ItemId, SyncRunId};
use tenantatlas_domain::normalise::ContentHash;
use uuid::Uuid;

use super::plan::{ComparedType, Group, Plan};
use super::record::Finding;
use crate::inventory::{Stretch, absences_of};
use crate::sql::{Statement, args};
use crate::{StoreError, Tx, dialect};

/// An object that is compared.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The object.
    pub item: ItemId,
    /// The key of its type.
    pub policy_type: String,
    /// The id that Microsoft gave it.
    pub external_id: String,
    /// Its name, the last one that is known.
    pub display_name: String,
    /// The number of the run that last found it new or with another content.
    pub changed_seq: i64,
    /// The run that it is compared with, and its number: that of the comparison, or the one with which an open finding began.
    pub baseline: (SyncRunId, i64),
    /// What it was and what it is.
    pub sides: Sides,
    /// The facts that were kept of it as of the baseline.
    pub facts_before: Map<String, Json>,
    /// The facts that are kept of it now.
    pub facts_now: Map<String, Json>,
    /// Whether it was not seen by a read during which the list changed: it may be there.
    pub unsure: bool,
    /// Whether an open finding says that another object is in its place.
    pub replaced: bool,
    /// What was ever found of it in the scope, gone or not.
    pub findings: Vec<Finding>,
}

impl Subject {
    /// What was found of it in this way, gone or not.
    #[must_use]
    pub fn finding(&self, kind: ChangeKind) -> Option<&Finding> {
        self.findings.iter().find(|finding| finding.kind == kind)
    }

    /// The findings of it whose drift goes on as far as is known.
    pub fn open(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.resolved_at.is_none())
    }
}

/// A state of an object with its facts.
#[derive(Clone, FromRow)]
struct State {
    id: Uuid,
    from_seq: i64,
    #[sqlx(try_from = "Vec<u8>")]
    content_hash: ContentHash,
    #[sqlx(try_from = "i64")]
    normaliser_version: u32,
    display_name: String,
    settings_digest: Option<i64>,
    assignments_digest: Option<i64>,
    #[sqlx(json)]
    meta: Map<String, Json>,
}

impl State {
    fn split(self) -> (ItemState, Map<String, Json>) {
        let state = ItemState {
            content_hash: self.content_hash,
            normaliser_version: self.normaliser_version,
            display_name: self.display_name,
            settings: self.settings_digest,
            assignments: self.assignments_digest,
            since_seq: self.from_seq,
        };
        (state, self.meta)
    }
}

#[derive(FromRow)]
struct Row {
    policy_type: String,
    external_id: String,
    since_seq: Option<i64>,
    last_seq: Option<i64>,
    #[sqlx(flatten)]
    state: State,
}

/// Reads both sides of objects of a group, in the order of the ids; others are left out. Their findings are held against
/// change until the transaction ends.
///
/// # Errors
/// When the database fails.
pub async fn load(tx: &mut Tx, plan: &Plan, group: &Group, ids: &[ItemId]) -> Result<Vec<Subject>, StoreError> {
    let rows: Vec<(Row, &ComparedType)> = rows(tx, plan, ids)
        .await?
        .into_iter()
        .filter_map(|row| Some((group.find(&row.policy_type)?, row)))
        .map(|(compared, row)| (row, compared))
        .collect();
    let ids: Vec<Uuid> = rows.iter().map(|(row, _)| row.state.id).collect();
    let mut findings = findings_of(tx, plan, &ids).await?;
    let replaced = replaced(tx, plan, &ids).await?;
    let mut absences = match ids.is_empty() {
        true => HashMap::new(),
        false => absences_of(&mut *tx, plan.scope.id.0, &ids).await?,
    };
    let baselines: HashMap<Uuid, (SyncRunId, i64)> = rows
        .iter()
        .map(|(row, compared)| {
            let known = findings.get(&row.state.id).map_or(&[][..], Vec::as_slice);
            (row.state.id, baseline(plan, compared, known))
        })
        .collect();
    let places = |seq: &dyn Fn(Uuid) -> i64| ids.iter().map(|id| (*id, seq(*id))).collect::<Vec<_>>();
    let mut then = states(tx, plan, &places(&|id| baselines[&id].1)).await?;
    let mut since = states(tx, plan, &places(&|_| group.current().seq)).await?;
    let mut subjects = Vec::with_capacity(rows.len());
    for (row, compared) in rows {
        let id = row.state.id;
        let baseline = baselines[&id];
        let range = row.since_seq.zip(row.last_seq);
        let stretch = Stretch { range, absences: absences.remove(&id).unwrap_or_default() };
        let as_of = |seq: i64, kept: Option<State>| {
            let state = if row.state.from_seq <= seq { Some(row.state.clone()) } else { kept };
            state.filter(|_| stretch.saw(seq)).map(State::split)
        };
        let (before, facts_before) = as_of(baseline.1, then.remove(&id)).unzip();
        let (now, facts_now) = as_of(compared.current.seq, since.remove(&id)).unzip();
        subjects.push(Subject {
            item: ItemId::from_uuid(id),
            changed_seq: row.state.from_seq,
            unsure: now.is_none() && compared.unsteady,
            policy_type: row.policy_type,
            external_id: row.external_id,
            display_name: row.state.display_name,
            baseline,
            sides: Sides { before, now },
            facts_before: facts_before.unwrap_or_default(),
            facts_now: facts_now.unwrap_or_default(),
            replaced: replaced.contains(&id),
            findings: findings.remove(&id).unwrap_or_default(),
        });
    }
    Ok(subjects)
}

/// With which run an object is compared: as long as a finding of it is open and nobody chose another, with that with which the
/// first of these began.
fn baseline(plan: &Plan, compared: &ComparedType, known: &[Finding]) -> (SyncRunId, i64) {
    let chosen = (compared.baseline.run_id, compared.baseline.seq);
    if plan.pinned {
        return chosen;
    }
    let open = known.iter().filter(|finding| finding.resolved_at.is_none());
    let began = open.map(|finding| (finding.baseline_run_id, finding.baseline_seq)).min_by_key(|(_, seq)| *seq);
    began.unwrap_or(chosen)
}

async fn rows(tx: &mut Tx, plan: &Plan, ids: &[ItemId]) -> Result<Vec<Row>, StoreError> {
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    dialect::prefer_indexes(tx).await?;
    // A join with the ids, and not a list: SQLite takes a tenant for smaller than a list of ids.
    let mut statement = Statement::new("WITH wanted (id) AS (VALUES ");
    statement.push_rows(ids).push(
        ") SELECT i.id, i.policy_type, i.external_id, i.changed_seq AS from_seq, i.content_hash, i.normaliser_version,
             i.display_name, i.settings_digest, i.assignments_digest, i.meta, s.since_seq, s.last_seq
         FROM (SELECT DISTINCT id FROM wanted) w
         CROSS JOIN inventory_items i
         LEFT JOIN inventory_sightings s ON s.item_id = i.id AND s.scope_id = $1
         WHERE i.id = w.id AND i.tenant_id = $2",
        args![plan.scope.id.0, plan.tenant_id],
    );
    tx.rows(statement.text(), statement.values()).await
}

/// The states that objects had as of runs, where these are not those of today.
async fn states(tx: &mut Tx, plan: &Plan, places: &[(Uuid, i64)]) -> Result<HashMap<Uuid, State>, StoreError> {
    let Some(last) = places.last() else { return Ok(HashMap::new()) };
    let mut statement = Statement::new("WITH wanted (id, seq) AS (VALUES ");
    // Filled up to one of few lengths, so that the databases meet few different texts.
    for index in 0..places.len().next_power_of_two() {
        let (id, seq) = places.get(index).unwrap_or(last);
        statement.push(if index == 0 { "($1, $2)" } else { ", ($1, $2)" }, args![*id, *seq]);
    }
    statement.push(
        ") SELECT v.item_id AS id, v.from_seq, v.content_hash, v.normaliser_version, v.display_name, v.settings_digest,
             v.assignments_digest, v.meta
         FROM (SELECT DISTINCT id, seq FROM wanted) w
         CROSS JOIN inventory_item_versions v
         WHERE v.item_id = w.id AND v.from_seq <= w.seq AND v.until_seq > w.seq AND v.tenant_id = $1
         ORDER BY v.from_seq",
        args![plan.tenant_id],
    );
    let states: Vec<State> = tx.rows(statement.text(), statement.values()).await?;
    Ok(states.into_iter().map(|state| (state.id, state)).collect())
}

async fn findings_of(tx: &mut Tx, plan: &Plan, ids: &[Uuid]) -> Result<HashMap<Uuid, Vec<Finding>>, StoreError> {
    let mut statement = Statement::default();
    statement
        .push(
            "SELECT * FROM findings WHERE tenant_id = $1 AND scope_key = $2 AND finding_type = 'drift'",
            args![plan.tenant_id, plan.scope.selection_hash.to_string()],
        )
        .push_in(" AND item_id", ids)
        .push(&format!(" ORDER BY id{}", dialect::for_update(tx.backend())), []);
    let rows: Vec<Finding> = tx.rows(statement.text(), statement.values()).await?;
    let mut findings: HashMap<Uuid, Vec<Finding>> = HashMap::new();
    for row in rows {
        findings.entry(row.item_id.as_uuid()).or_default().push(row);
    }
    Ok(findings)
}

/// Those of the objects in whose place another one is, as an open finding says.
async fn replaced(tx: &mut Tx, plan: &Plan, ids: &[Uuid]) -> Result<BTreeSet<Uuid>, StoreError> {
    let mut statement = Statement::default();
    statement
        .push(
            "SELECT related_item_id
             FROM findings
             WHERE tenant_id = $1 AND scope_key = $2 AND finding_type = 'drift' AND resolved_at IS NULL
                 AND related_item_id IS NOT NULL",
            args![plan.tenant_id, plan.scope.selection_hash.to_string()],
        )
        .push_in(" AND related_item_id", ids);
    let rows: Vec<Uuid> = tx.values(statement.text(), statement.values()).await?;
    Ok(rows.into_iter().collect())
}
