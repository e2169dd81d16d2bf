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
use crate::dialect::{self, Held};
use crate::inventory::{Stretch, absences_of};
use crate::sql::{Statement, args};
use crate::{Backend, StoreError, Tx};

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
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let ids: Vec<Uuid> = rows.iter().map(|(row, _)| row.state.id).collect();
    let mut findings = findings_of(tx, plan, &ids).await?;
    let replaced = replaced(tx, plan, &ids).await?;
    let mut absences = absences_of(&mut *tx, plan.scope.id.0, &ids).await?;
    let placed: Vec<Placed<'_>> = rows
        .into_iter()
        .map(|(row, compared)| {
            let range = row.since_seq.zip(row.last_seq);
            let absences = absences.remove(&row.state.id).unwrap_or_default();
            let findings = findings.remove(&row.state.id).unwrap_or_default();
            let baseline = baseline(plan, compared, &findings);
            Placed { row, compared, stretch: Stretch { range, absences }, baseline, findings }
        })
        .collect();
    let earlier = states(tx, plan, &placed).await?;
    Ok(placed.into_iter().map(|placed| placed.subject(&earlier, &replaced)).collect())
}

/// An object with what tells where it is to be looked at.
struct Placed<'a> {
    row: Row,
    compared: &'a ComparedType,
    stretch: Stretch,
    baseline: (SyncRunId, i64),
    findings: Vec<Finding>,
}

impl Placed<'_> {
    /// The reads as of which its state is not the one of today.
    fn places(&self) -> impl Iterator<Item = (Uuid, i64)> {
        let is_earlier = |seq: &i64| self.row.state.from_seq > *seq && self.stretch.saw(*seq);
        [self.baseline.1, self.compared.current.seq].into_iter().filter(is_earlier).map(|seq| (self.row.state.id, seq))
    }

    fn subject(self, earlier: &HashMap<Uuid, Vec<EarlierState>>, replaced: &BTreeSet<Uuid>) -> Subject {
        let Self { row, compared, stretch, baseline, findings } = self;
        let id = row.state.id;
        let as_of = |seq: i64| {
            let state = match row.state.from_seq <= seq {
                true => Some(&row.state),
                false => {
                    earlier.get(&id).and_then(|states| states.iter().find(|one| one.held(seq)).map(|one| &one.state))
                }
            };
            state.filter(|_| stretch.saw(seq)).cloned().map(State::split)
        };
        let (before, facts_before) = as_of(baseline.1).unzip();
        let (now, facts_now) = as_of(compared.current.seq).unzip();
        Subject {
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
            findings,
        }
    }
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
    let mut statement = Statement::new("WITH wanted (id) AS (");
    statement.push_ids(tx.backend(), ids.iter().map(|id| id.as_uuid())).push(
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

/// A state that an object had until a run.
#[derive(FromRow)]
struct EarlierState {
    until_seq: i64,
    #[sqlx(flatten)]
    state: State,
}

impl EarlierState {
    /// Whether it was the state as of a run.
    fn held(&self, seq: i64) -> bool {
        self.state.from_seq <= seq && seq < self.until_seq
    }
}

/// The states that objects had as of the reads, where these are not those of today.
async fn states(
    tx: &mut Tx,
    plan: &Plan,
    placed: &[Placed<'_>],
) -> Result<HashMap<Uuid, Vec<EarlierState>>, StoreError> {
    let places: Vec<(Uuid, i64)> = placed.iter().flat_map(Placed::places).collect();
    if places.is_empty() {
        return Ok(HashMap::new());
    }
    let mut statement = Statement::new("WITH wanted (id, seq) AS (");
    statement.push_places(tx.backend(), &places).push(
        ") SELECT v.item_id AS id, v.from_seq, v.until_seq, v.content_hash, v.normaliser_version, v.display_name,
             v.settings_digest, v.assignments_digest, v.meta
         FROM wanted w
         CROSS JOIN inventory_item_versions v
         WHERE v.item_id = w.id AND v.from_seq <= w.seq AND v.until_seq > w.seq AND v.tenant_id = $1",
        args![plan.tenant_id],
    );
    let rows: Vec<EarlierState> = tx.rows(statement.text(), statement.values()).await?;
    let mut states: HashMap<Uuid, Vec<EarlierState>> = HashMap::with_capacity(rows.len());
    for row in rows {
        states.entry(row.state.id).or_default().push(row);
    }
    Ok(states)
}

/// The findings of objects, held against change.
async fn findings_of(tx: &mut Tx, plan: &Plan, ids: &[Uuid]) -> Result<HashMap<Uuid, Vec<Finding>>, StoreError> {
    let of_object = Statement::of(
        "f.tenant_id = $1 AND f.item_id = w.id AND f.scope_key = $2 AND f.finding_type = 'drift'",
        args![plan.tenant_id, plan.scope.selection_hash.to_string()],
    );
    let statement = probing(tx.backend(), "f.id AS value", ids, of_object, Held::Not);
    let mut known: Vec<Uuid> = tx.values(statement.text(), statement.values()).await?;
    if known.is_empty() {
        return Ok(HashMap::new());
    }
    // In one order, so that two transactions meet them in the same.
    known.sort_unstable();
    let itself = Statement::of("f.id = w.id AND f.tenant_id = $1", args![plan.tenant_id]);
    let statement = probing(tx.backend(), "f.*", &known, itself, Held::ForUpdate);
    let rows: Vec<Finding> = tx.rows(statement.text(), statement.values()).await?;
    let mut findings: HashMap<Uuid, Vec<Finding>> = HashMap::new();
    for row in rows {
        findings.entry(row.item_id.as_uuid()).or_default().push(row);
    }
    Ok(findings)
}

/// Those of the objects in whose place another one is, as an open finding says.
async fn replaced(tx: &mut Tx, plan: &Plan, ids: &[Uuid]) -> Result<BTreeSet<Uuid>, StoreError> {
    let in_its_place = Statement::of(
        "f.tenant_id = $1 AND f.related_item_id IS NOT NULL AND f.related_item_id = w.id AND f.resolved_at IS NULL
             AND f.scope_key = $2 AND f.finding_type = 'drift'",
        args![plan.tenant_id, plan.scope.selection_hash.to_string()],
    );
    let statement = probing(tx.backend(), "f.related_item_id AS value", ids, in_its_place, Held::Not);
    let rows: Vec<Uuid> = tx.values(statement.text(), statement.values()).await?;
    Ok(rows.into_iter().collect())
}

/// What of the findings `f` that a condition tells for each of these ids, which it calls `w.id`.
fn probing(backend: Backend, what: &str, ids: &[Uuid], condition: Statement, held: Held) -> Statement {
    let mut statement = Statement::new("WITH wanted (id) AS (");
    statement
        .push_ids(backend, ids.iter().copied())
        .push(&format!(") SELECT {what} FROM wanted w"), [])
        .push_statement(dialect::probe(backend, ("findings", "f"), condition, held));
    statement
}
