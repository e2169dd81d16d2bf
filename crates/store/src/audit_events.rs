//! What the audit logs of Microsoft told of who changed what, which stretch of time of each log is known, and how each log went
//! in a run (`docs/rules.md`, section Who changed it). Not to be taken for the audit log of this program ([`crate::audit`]).

mod reads;

use std::borrow::Cow;

use serde::Serialize;
use sqlx::FromRow;
use tenantatlas_domain::audit_event::{Actor, AuditFacts, AuditObject, AuditSource, Coverage, ReadWindow, Span};
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::time::Timestamp;

pub use reads::{SourceEnd, SourceRead, begin_source, count_events, finish_source, reads_of};

use crate::bulk::InsertRows;
use crate::database::{Access, Run as _};
use crate::operation_runs::{Fence, hold};
use crate::record::Nullable;
use crate::sql::{Statement, Value, args, json};
use crate::{StoreError, Tx};

/// Events that are answered at once, at most.
const MOST: u32 = 1_000;
/// Rows of one table that are deleted in one transaction, at most.
const PIECE: i64 = 500;

const EVENTS: InsertRows = InsertRows {
    table: "audit_events",
    columns: Cow::Borrowed(&[
        "tenant_id",
        "source",
        "event_id",
        "at",
        "activity",
        "operation",
        "correlation_id",
        "user_id",
        "user_name",
        "application_id",
        "application_name",
        "objects",
        "changed",
    ]),
    on_conflict: Cow::Borrowed("(tenant_id, source, event_id) DO NOTHING"),
};
const OBJECTS: InsertRows = InsertRows {
    table: "audit_event_objects",
    columns: Cow::Borrowed(&["tenant_id", "object_id", "at", "source", "event_id"]),
    on_conflict: Cow::Borrowed("(tenant_id, object_id, at, source, event_id) DO NOTHING"),
};

#[derive(FromRow)]
struct EventRow {
    #[sqlx(try_from = "String")]
    source: AuditSource,
    event_id: String,
    #[sqlx(try_from = "i64")]
    at: Timestamp,
    activity: String,
    operation: String,
    correlation_id: Option<String>,
    user_id: Option<String>,
    user_name: Option<String>,
    application_id: Option<String>,
    application_name: Option<String>,
    #[sqlx(json)]
    objects: Vec<AuditObject>,
    #[sqlx(json)]
    changed: Vec<String>,
}

impl From<EventRow> for AuditFacts {
    fn from(row: EventRow) -> Self {
        let EventRow { user_id, user_name, application_id, application_name, .. } = row;
        Self {
            source: row.source,
            event_id: row.event_id,
            at: row.at,
            activity: row.activity,
            operation: row.operation,
            correlation_id: row.correlation_id,
            actor: Actor { user_id, user_name, application_id, application_name },
            objects: row.objects,
            changed: row.changed,
        }
    }
}

/// What is known of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, FromRow)]
pub struct SourceState {
    /// The log.
    #[sqlx(try_from = "String")]
    pub source: AuditSource,
    /// The beginning of the stretch of which every event was read.
    #[sqlx(try_from = "Nullable<i64>")]
    pub read_from: Option<Timestamp>,
    /// Its end.
    #[sqlx(try_from = "Nullable<i64>")]
    pub read_to: Option<Timestamp>,
    /// Why the last reading did not come to its end, when it did not.
    #[sqlx(try_from = "Nullable<String>")]
    pub reason_code: Option<ReasonCode>,
    /// The same in a sanitised sentence.
    pub message: Option<String>,
    /// When it was last tried to read it.
    #[sqlx(try_from = "i64")]
    pub attempted_at: Timestamp,
}

impl SourceState {
    /// The stretch of which every event was read.
    #[must_use]
    pub fn window(&self) -> Option<ReadWindow> {
        Some(ReadWindow { from: self.read_from?, to: self.read_to? })
    }

    /// The same in the form in which it is asked who changed something.
    #[must_use]
    pub fn coverage(&self) -> Coverage {
        let sentence = |code: ReasonCode| self.message.clone().unwrap_or_else(|| code.sentence().to_owned());
        Coverage { window: self.window(), reason: self.reason_code.map(|code| (code, sentence(code))) }
    }
}

/// Which events are listed.
#[derive(Clone, Debug, Default)]
pub struct EventFilter {
    /// Those that name the object with this id.
    pub object_id: Option<String>,
    /// Those after this moment.
    pub since: Option<Timestamp>,
    /// Those of this log.
    pub source: Option<AuditSource>,
    /// So many at most, the newest first; a thousand at most.
    pub limit: u32,
}

/// Keeps events that are not known yet, and answers how many these are.
///
/// # Errors
/// [`StoreError::LeaseLost`], or when the database fails.
pub async fn record(tx: &mut Tx, fence: &Fence, tenant: TenantId, events: &[AuditFacts]) -> Result<u64, StoreError> {
    hold(tx, fence).await?;
    let (mut rows, mut objects) = (Vec::with_capacity(events.len() * 13), Vec::with_capacity(events.len() * 5));
    for event in events {
        let actor = &event.actor;
        rows.extend([
            Value::from(tenant),
            event.source.as_str().into(),
            event.event_id.as_str().into(),
            event.at.into(),
            event.activity.as_str().into(),
            event.operation.as_str().into(),
            event.correlation_id.as_deref().into(),
            actor.user_id.as_deref().into(),
            actor.user_name.as_deref().into(),
            actor.application_id.as_deref().into(),
            actor.application_name.as_deref().into(),
            json(&event.objects),
            json(&event.changed),
        ]);
        for object in &event.objects {
            objects.extend([
                Value::from(tenant),
                object.id.as_str().into(),
                event.at.into(),
                event.source.as_str().into(),
                event.event_id.as_str().into(),
            ]);
        }
    }
    let new = EVENTS.run(tx, &rows).await?;
    OBJECTS.run(tx, &objects).await?;
    Ok(new)
}

/// The events that name an object, of a stretch of time, the newest first; a thousand at most.
///
/// # Errors
/// When the database fails.
pub async fn of_object(
    mut on: impl Access,
    tenant: TenantId,
    external_id: &str,
    span: Span,
) -> Result<Vec<AuditFacts>, StoreError> {
    let rows: Vec<EventRow> = on
        .rows(
            "SELECT e.* FROM audit_event_objects o
             JOIN audit_events e ON e.tenant_id = o.tenant_id AND e.source = o.source AND e.event_id = o.event_id
             WHERE o.tenant_id = $1 AND o.object_id = $2 AND o.at > $3 AND o.at <= $4
             ORDER BY o.at DESC LIMIT $5",
            &args![tenant, external_id.to_ascii_lowercase(), span.from, span.to, MOST],
        )
        .await?;
    Ok(rows.into_iter().map(AuditFacts::from).collect())
}

/// The events that name any of some objects, of a stretch of time, the newest first, so many at most. Ask for some hundred objects
/// at once.
///
/// # Errors
/// When the database fails.
pub async fn of_objects(
    mut on: impl Access,
    tenant: TenantId,
    external_ids: &[String],
    span: Span,
    limit: u32,
) -> Result<Vec<AuditFacts>, StoreError> {
    let ids: Vec<String> = external_ids.iter().map(|id| id.to_ascii_lowercase()).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let mut statement = Statement::new(
        "SELECT DISTINCT e.* FROM audit_event_objects o
         JOIN audit_events e ON e.tenant_id = o.tenant_id AND e.source = o.source AND e.event_id = o.event_id",
    );
    statement
        .push(" WHERE o.tenant_id = $1 AND o.at > $2 AND o.at <= $3", args![tenant, span.from, span.to])
        .push_in(" AND o.object_id", &ids)
        .push(" ORDER BY e.at DESC, e.source, e.event_id LIMIT $1", args![limit]);
    let rows: Vec<EventRow> = on.query(&statement).await?;
    Ok(rows.into_iter().map(AuditFacts::from).collect())
}

/// The events of a tenant, the newest first.
///
/// # Errors
/// When the database fails.
pub async fn list(mut on: impl Access, tenant: TenantId, filter: &EventFilter) -> Result<Vec<AuditFacts>, StoreError> {
    let since = filter.since.unwrap_or(Timestamp::from_millis(i64::MIN));
    let mut statement = Statement::new("SELECT e.* FROM audit_events e");
    match &filter.object_id {
        Some(id) => statement.push(
            " JOIN audit_event_objects o ON o.tenant_id = e.tenant_id AND o.source = e.source AND o.event_id = e.event_id
             WHERE o.tenant_id = $1 AND o.object_id = $2 AND o.at > $3",
            args![tenant, id.to_ascii_lowercase(), since],
        ),
        None => statement.push(" WHERE e.tenant_id = $1 AND e.at > $2", args![tenant, since]),
    };
    if let Some(source) = filter.source {
        statement.push(" AND e.source = $1", args![source.as_str()]);
    }
    statement.push(" ORDER BY e.at DESC, e.source, e.event_id LIMIT $1", args![filter.limit.min(MOST)]);
    let rows: Vec<EventRow> = on.query(&statement).await?;
    Ok(rows.into_iter().map(AuditFacts::from).collect())
}

/// What is known of the logs of a tenant; none of one that nobody tried to read.
///
/// # Errors
/// When the database fails.
pub async fn sources(mut on: impl Access, tenant: TenantId) -> Result<Vec<SourceState>, StoreError> {
    on.rows("SELECT * FROM audit_event_sources WHERE tenant_id = $1 ORDER BY source", &args![tenant]).await
}

/// What is known of one log of a tenant.
///
/// # Errors
/// When the database fails.
pub async fn source(
    mut on: impl Access,
    tenant: TenantId,
    source: AuditSource,
) -> Result<Option<SourceState>, StoreError> {
    on.row("SELECT * FROM audit_event_sources WHERE tenant_id = $1 AND source = $2", &args![tenant, source.as_str()])
        .await
}

/// Notes the stretch of time of which every event of a log was read.
///
/// # Errors
/// [`StoreError::LeaseLost`], or when the database fails.
pub async fn set_window(
    tx: &mut Tx,
    fence: &Fence,
    tenant: TenantId,
    source: AuditSource,
    window: ReadWindow,
    at: Timestamp,
) -> Result<(), StoreError> {
    hold(tx, fence).await?;
    tx.execute(
        "INSERT INTO audit_event_sources (tenant_id, source, read_from, read_to, attempted_at)
         VALUES ($1, $2, $3, $4, $5)
         ON CONFLICT (tenant_id, source) DO UPDATE
         SET read_from = $3, read_to = $4, attempted_at = $5",
        &args![tenant, source.as_str(), window.from, window.to, at],
    )
    .await
    .map(|_| ())
}

/// Removes events of a tenant that lie before a moment, some hundred at most. Answers whether there may be more.
///
/// # Errors
/// [`StoreError::LeaseLost`], or when the database fails.
pub async fn remove_old(tx: &mut Tx, fence: &Fence, tenant: TenantId, before: Timestamp) -> Result<bool, StoreError> {
    hold(tx, fence).await?;
    delete_piece(tx, tenant, before).await
}

/// Deletes the next piece of the events of a tenant that was removed. Answers whether there was any.
///
/// # Errors
/// When the database fails.
pub(crate) async fn purge_piece(tx: &mut Tx, tenant: TenantId) -> Result<bool, StoreError> {
    if delete_piece(tx, tenant, Timestamp::from_millis(i64::MAX)).await? {
        return Ok(true);
    }
    tx.execute("DELETE FROM audit_event_sources WHERE tenant_id = $1", &args![tenant]).await.map(|rows| rows > 0)
}

/// Objects first: an event whose objects are gone is found by nobody who asks for an object. A piece ends with the moment of
/// its last row, so that what happened together goes together.
async fn delete_piece(tx: &mut Tx, tenant: TenantId, before: Timestamp) -> Result<bool, StoreError> {
    for statement in [
        "DELETE FROM audit_event_objects
         WHERE tenant_id = $1 AND at < $2 AND at <= COALESCE(
             (SELECT o.at FROM audit_event_objects o WHERE o.tenant_id = $1 AND o.at < $2 ORDER BY o.at LIMIT 1 OFFSET $3), $2)",
        "DELETE FROM audit_events
         WHERE tenant_id = $1 AND at < $2 AND at <= COALESCE(
             (SELECT e.at FROM audit_events e WHERE e.tenant_id = $1 AND e.at < $2 ORDER BY e.at LIMIT 1 OFFSET $3), $2)",
    ] {
        if tx.execute(statement, &args![tenant, before, PIECE]).await? > 0 {
            return Ok(true);
        }
    }
    Ok(false)
}
