//! A finding as it is stored.

use std::borrow::Cow;

use serde::{Deserialize, Serialize};
use sqlx::FromRow;
use tenantatlas_domain::drift::{
    Acceptance, ChangeKind, DriftValue, FactChange, FindingStatus, Reopened, Severity, Standing,
};
use tenantatlas_domain::ids::{FindingId, ItemId, OperationRunId, SyncRunId, TenantId, UserId};
use tenantatlas_domain::normalise::ContentHash;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use crate::bulk::InsertRows;
use crate::operation_runs::{Fence, hold};
use crate::record::Nullable;
use crate::sql::{Statement, Value, args, json};
use crate::{StoreError, Tx};

/// What speaks for a finding: names, hashes and allow-listed facts, never a setting.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Evidence {
    /// The name of the object as of the baseline; `None` where it was not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_before: Option<String>,
    /// Its name now; `None` where it is not there.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name_now: Option<String>,
    /// The hash of its content as of the baseline.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_before: Option<ContentHash>,
    /// The hash of its content now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub content_now: Option<ContentHash>,
    /// The facts that changed.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<FactChange>,
    /// Whether it is not known which part of the content changed, since the object was last read before parts were kept.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub parts_unknown: bool,
    /// The type of the object in whose place this one is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_type: Option<String>,
    /// The id that Microsoft gave that one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from_external_id: Option<String>,
}

/// A finding.
#[derive(Clone, Debug, PartialEq, Serialize, FromRow)]
pub struct Finding {
    /// The id.
    #[sqlx(try_from = "Uuid")]
    pub id: FindingId,
    /// The tenant.
    #[sqlx(try_from = "Uuid")]
    pub tenant_id: TenantId,
    /// The hash of the selection in which it was found.
    pub scope_key: String,
    /// What drifted, see `tenantatlas_domain::drift::fingerprint`.
    #[sqlx(try_from = "Vec<u8>")]
    pub fingerprint: ContentHash,
    /// In which way.
    #[sqlx(try_from = "String")]
    pub kind: ChangeKind,
    /// The key of the type of the object.
    pub subject_type: String,
    /// The id that Microsoft gave it.
    pub subject_external_id: String,
    /// The object.
    #[sqlx(try_from = "Uuid")]
    pub item_id: ItemId,
    /// The object in whose place it is, of one that moved to another type.
    #[sqlx(try_from = "Nullable<Uuid>")]
    pub related_item_id: Option<ItemId>,
    /// The name of the object when that was last looked at.
    pub display_name: String,
    /// How much it matters.
    #[sqlx(try_from = "String")]
    pub severity: Severity,
    /// New or accepted.
    #[sqlx(try_from = "String")]
    pub status: FindingStatus,
    /// Why it is new although it was accepted once.
    #[sqlx(try_from = "Nullable<String>")]
    pub reopened: Option<Reopened>,
    /// The run that the object is compared with.
    #[sqlx(try_from = "Uuid")]
    pub baseline_run_id: SyncRunId,
    /// The number of that run.
    pub baseline_seq: i64,
    /// The run that told of it last.
    #[sqlx(try_from = "Uuid")]
    pub current_run_id: SyncRunId,
    /// The number of the read of that run.
    pub checked_seq: i64,
    /// The value that was there then.
    #[serde(skip)]
    #[sqlx(try_from = "Nullable<Vec<u8>>")]
    pub current_value: Option<DriftValue>,
    /// Whether a value was accepted, be it there or not.
    pub accepted: bool,
    /// The value that was accepted; `None` stands for the absence of the object.
    #[serde(skip)]
    #[sqlx(try_from = "Nullable<Vec<u8>>")]
    pub accepted_value: Option<DriftValue>,
    /// When the acceptance ends.
    #[sqlx(try_from = "Nullable<i64>")]
    pub accepted_until: Option<Timestamp>,
    /// What spoke for it when it was accepted.
    #[sqlx(json(nullable))]
    pub accepted_evidence: Option<Evidence>,
    /// Who accepted it.
    #[sqlx(try_from = "Nullable<Uuid>")]
    pub acknowledged_by: Option<UserId>,
    /// Their name then.
    pub acknowledged_by_name: Option<String>,
    /// When.
    #[sqlx(try_from = "Nullable<i64>")]
    pub acknowledged_at: Option<Timestamp>,
    /// Why.
    pub acknowledged_reason: Option<String>,
    /// What speaks for it.
    #[sqlx(json)]
    pub evidence: Evidence,
    /// When it was first found.
    #[sqlx(try_from = "i64")]
    pub created_at: Timestamp,
    /// Since when it goes on, without what was before it was gone for a while.
    #[sqlx(try_from = "i64")]
    pub since_at: Timestamp,
    /// When it was last looked at or decided on.
    #[sqlx(try_from = "i64")]
    pub updated_at: Timestamp,
    /// When its drift was gone.
    #[sqlx(try_from = "Nullable<i64>")]
    pub resolved_at: Option<Timestamp>,
}

impl Finding {
    /// What is known of it for judging it anew.
    #[must_use]
    pub fn standing(&self) -> Standing {
        let acceptance =
            self.accepted.then(|| Acceptance { value: self.accepted_value.clone(), until: self.accepted_until });
        Standing {
            acceptance,
            reopened: self.reopened,
            value: self.current_value.clone(),
            checked_seq: self.checked_seq,
        }
    }

    /// Its status at a time: an acceptance whose end has passed is none.
    #[must_use]
    pub fn status_at(&self, now: Timestamp) -> FindingStatus {
        match self.accepted_until {
            Some(until) if until <= now => FindingStatus::New,
            _ => self.status,
        }
    }
}

/// What is to be known of a finding after a comparison.
#[derive(Clone, Debug)]
pub struct NewFinding {
    /// The finding. Its id and when it was first found are kept where it is there already, and so is who accepted it and why.
    pub finding: Finding,
    /// The operation run that compared.
    pub checked_by: OperationRunId,
}

const COLUMNS: &[&str] = &[
    "id",
    "tenant_id",
    "finding_type",
    "scope_key",
    "fingerprint",
    "kind",
    "subject_type",
    "subject_external_id",
    "item_id",
    "related_item_id",
    "display_name",
    "severity",
    "severity_rank",
    "status",
    "reopened",
    "baseline_run_id",
    "baseline_seq",
    "current_run_id",
    "checked_seq",
    "checked_by",
    "current_value",
    "accepted",
    "accepted_value",
    "evidence",
    "created_at",
    "since_at",
    "updated_at",
    "resolved_at",
];

const UPSERT: InsertRows = InsertRows {
    table: "findings",
    columns: Cow::Borrowed(COLUMNS),
    on_conflict: Cow::Borrowed(
        "(tenant_id, fingerprint) DO UPDATE SET
             item_id = excluded.item_id, related_item_id = excluded.related_item_id,
             display_name = excluded.display_name, severity = excluded.severity,
             severity_rank = excluded.severity_rank, status = excluded.status, reopened = excluded.reopened,
             baseline_run_id = excluded.baseline_run_id, baseline_seq = excluded.baseline_seq,
             current_run_id = excluded.current_run_id, checked_seq = excluded.checked_seq,
             checked_by = excluded.checked_by, current_value = excluded.current_value,
             accepted_value = excluded.accepted_value, evidence = excluded.evidence,
             since_at = excluded.since_at, updated_at = excluded.updated_at, resolved_at = excluded.resolved_at",
    ),
};

/// 0 for the most severe.
pub(super) fn rank(severity: Severity) -> i64 {
    match severity {
        Severity::Critical => 0,
        Severity::High => 1,
        Severity::Medium => 2,
        Severity::Low => 3,
    }
}

/// Keeps findings by what drifted: those that are there already are brought up to date. Read them in the same transaction, with
/// [`super::load`], which holds them against those who accept.
///
/// # Errors
/// [`StoreError::LeaseLost`].
pub async fn record(tx: &mut Tx, fence: &Fence, findings: &[NewFinding]) -> Result<(), StoreError> {
    hold(tx, fence).await?;
    let bytes = |value: &Option<DriftValue>| Value::Bytes(value.as_ref().map(|value| Cow::Owned(value.to_bytes())));
    let mut values: Vec<Value<'_>> = Vec::with_capacity(findings.len() * COLUMNS.len());
    for NewFinding { finding, checked_by } in findings {
        values.extend(args![
            finding.id,
            finding.tenant_id,
            "drift",
            &finding.scope_key,
            finding.fingerprint,
            finding.kind.as_str(),
            &finding.subject_type,
            &finding.subject_external_id,
            finding.item_id,
            finding.related_item_id,
        ]);
        values.push(Value::Text(Some(crate::sql::without_nul(&finding.display_name))));
        values.extend(args![
            finding.severity.as_str(),
            rank(finding.severity),
            finding.status.as_str(),
            finding.reopened.map(Reopened::as_str),
            finding.baseline_run_id,
            finding.baseline_seq,
            finding.current_run_id,
            finding.checked_seq,
            *checked_by,
        ]);
        values.extend([
            bytes(&finding.current_value),
            finding.accepted.into(),
            bytes(&finding.accepted_value),
            json(&finding.evidence),
        ]);
        values.extend(args![finding.created_at, finding.since_at, finding.updated_at, finding.resolved_at]);
    }
    UPSERT.run(tx, &values).await.map(|_| ())
}

/// Notes that the drift of findings is gone.
///
/// # Errors
/// [`StoreError::LeaseLost`].
pub async fn resolve(
    tx: &mut Tx,
    fence: &Fence,
    tenant: TenantId,
    findings: &[FindingId],
    run: (OperationRunId, SyncRunId),
    at: Timestamp,
) -> Result<(), StoreError> {
    hold(tx, fence).await?;
    if findings.is_empty() {
        return Ok(());
    }
    let mut statement = Statement::default();
    statement.push(
        "UPDATE findings
         SET resolved_at = $1, updated_at = $1, checked_by = $2, current_run_id = $3
         WHERE tenant_id = $4 AND resolved_at IS NULL",
        args![at, run.0, run.1, tenant],
    );
    statement.push_in(" AND id", findings);
    tx.run(&statement).await.map(|_| ())
}
