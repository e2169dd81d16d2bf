//! Puts a text into everything that is stored and can be shown.

use std::time::Duration;

use serde_json::{Value, json};
use sqlx::{AssertSqlSafe, Row as _, SqlitePool};
use tenantatlas_domain::endpoint::{DeliveryStatus, EndpointKind, EventKind, Wanted};
use tenantatlas_domain::ids::{EndpointId, OperationRunId};
use tenantatlas_domain::role::Role;
use tenantatlas_domain::selection::Selection;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{Actor, CaptureOf};
use tenantatlas_graph_sim::{Fault, FaultKind};
use tenantatlas_store::audit::{NewEntry, Outcome};
use tenantatlas_store::deliveries::{self, Event, Settled};
use tenantatlas_store::endpoints::{self, NewEndpoint};
use tenantatlas_store::{Db, audit, preferences, tenants};
use uuid::Uuid;

use super::site::{Site, Who};

/// Columns of text that hold no text of others: words of ours that code reads back, and hashes. Every other column of text
/// gets the poison, so a new one that is forgotten here is either poisoned or breaks the pages, and the test with them.
const OURS: [(&str, &str); 79] = [
    ("_sqlx_migrations", "description"),
    ("schema_facts", "name"),
    ("schema_facts", "value"),
    ("tenants", "cloud"),
    ("tenants", "environment"),
    ("tenants", "credential_kind"),
    ("tenants", "connection_status"),
    ("tenants", "connection_reason"),
    ("users", "password_hash"),
    ("pending_certificates", "certificate"),
    ("tenant_members", "role"),
    ("one_time_links", "purpose"),
    ("invitations", "role"),
    ("inventory_scopes", "selection_hash"),
    ("inventory_scopes", "selection_payload"),
    ("inventory_sync_runs", "selection_hash"),
    ("inventory_sync_runs", "selection_payload"),
    ("inventory_sync_runs", "status"),
    ("inventory_sync_runs", "error_codes"),
    ("inventory_sync_run_types", "policy_type"),
    ("inventory_sync_run_types", "outcome"),
    ("inventory_sync_run_types", "reason_code"),
    ("inventory_items", "policy_type"),
    ("inventory_items", "category"),
    ("inventory_items", "platform"),
    ("inventory_item_versions", "platform"),
    ("inventory_counts", "policy_type"),
    ("inventory_counts", "platform"),
    ("inventory_links", "relationship"),
    ("inventory_links", "target_kind"),
    ("inventory_links", "target_policy_type"),
    ("inventory_links", "source_policy_type"),
    ("inventory_links", "filter_mode"),
    ("inventory_absences", "policy_type"),
    ("directory_names", "kind"),
    ("bulk_operation_runs", "resource"),
    ("bulk_operation_runs", "action"),
    ("bulk_operation_runs", "status"),
    ("bulk_operation_runs", "reason_code"),
    ("bulk_operation_runs", "idempotency_key"),
    ("operation_run_attempts", "ended_by"),
    ("operation_run_units", "unit"),
    ("notifications", "kind"),
    ("findings", "finding_type"),
    ("findings", "severity"),
    ("findings", "status"),
    // Append-only: entries with the poison are written instead, see `fill_audit_log`.
    ("audit_logs", "*"),
    ("schedules", "resource"),
    ("schedules", "action"),
    ("schedules", "options"),
    ("schedules", "cron"),
    ("schedules", "zone"),
    ("schedules", "state"),
    ("schedules", "due_local"),
    ("tenant_permissions", "required_by"),
    ("user_tenant_preferences", "last_selection"),
    ("bulk_operation_runs", "item_ids"),
    ("policy_captures", "status"),
    ("policy_captures", "stopped"),
    ("policy_capture_types", "policy_type"),
    ("policy_capture_types", "outcome"),
    ("policy_capture_types", "reason_code"),
    ("policy_versions", "policy_type"),
    ("policy_versions", "api_version"),
    ("policy_versions", "completeness"),
    ("policy_version_slots", "slot"),
    ("policy_heads", "policy_type"),
    ("policy_heads", "external_id"),
    ("audit_events", "source"),
    ("audit_event_objects", "source"),
    ("audit_event_sources", "source"),
    ("audit_event_sources", "reason_code"),
    ("audit_event_reads", "source"),
    ("audit_event_reads", "outcome"),
    ("audit_event_reads", "reason_code"),
    ("webhook_endpoints", "kind"),
    ("webhook_endpoints", "wanted"),
    ("webhook_deliveries", "event"),
    ("webhook_deliveries", "status"),
];
/// Keys of JSON whose values are words of ours.
const OUR_KEYS: [&str; 12] = [
    "action",
    "bucket",
    "policy_type",
    "policy_types",
    "reason_code",
    "resource",
    "run_id",
    "status",
    "tenant_id",
    "type",
    "types",
    // What a version lacks.
    "what",
];
/// More entries than a page of the audit log shows.
const ENTRIES: usize = 60;

fn writer(site: &Site) -> &SqlitePool {
    let Db::Sqlite { writer, .. } = &site.db else { panic!("the site lies in SQLite") };
    writer
}

impl Site {
    /// A site whose runs went well and wrong, with a text at the end of every stored text.
    pub async fn poisoned(text: &str) -> Self {
        let site = Self::start().await.scheduled().await;
        let refused = FaultKind::Status { status: 400, code: "BadRequest".to_owned(), message: "planted".to_owned() };
        site.cloud.control().add_fault(Fault::always("deviceManagement/deviceCompliancePolicies", refused));
        for who in [Who::Member(Role::Owner), Who::Member(Role::Operator), Who::Administrator] {
            site.sync(who).await;
        }
        site.capture(Who::Member(Role::Operator)).await;
        let reading = site.engine.read_audit_events(&Actor::command_line(), site.own).await.expect("dispatched");
        site.ended(reading.state.id).await;
        change_every_policy(writer(&site)).await;
        let begun = site.engine.now();
        for id in site.people.values() {
            let mut tx = site.db.write().await.expect("a transaction");
            // A first visit would be noted beside the answer, at some time.
            preferences::record_use(&mut tx, *id, site.own, begun).await.expect("noted");
            tx.commit().await.expect("committed");
        }
        let mended = "UPDATE tenants SET connection_status = 'failed', connection_reason = 'graph_unavailable', \
                      connection_message = 'planted', connection_checked_at = updated_at";
        sqlx::query(mended).execute(writer(&site)).await.expect("a check");
        plant_endpoint(&site).await;
        poison_columns(writer(&site), text).await;
        fill_audit_log(&site, text).await;
        site
    }

    /// Waits for the end of a run.
    pub(super) async fn ended(&self, run: OperationRunId) {
        use futures::StreamExt as _;
        let mut states = Box::pin(self.engine.runs().follow(self.own, run));
        while let Some(state) = states.next().await {
            state.expect("a state");
        }
    }

    /// A capture as a person starts it, to its end.
    async fn capture(&self, who: Who) {
        let actor = Actor::person(self.people[&who], "Person", "person@example.com");
        let what = CaptureOf::Types(vec!["settingsCatalogPolicy".to_owned(), "notificationMessageTemplate".to_owned()]);
        let outcome = self.engine.dispatch_capture(&actor, self.own, &what, false).await.expect("dispatched");
        self.ended(outcome.run_id).await;
    }

    /// A run as a person starts it, to its end.
    async fn sync(&self, who: Who) {
        let actor = Actor::person(self.people[&who], "Person", "person@example.com");
        let selection = Selection {
            policy_types: vec!["settingsCatalogPolicy".to_owned(), "deviceCompliancePolicy".to_owned()],
            categories: Vec::new(),
            include_foundations: true,
            include_dependencies: true,
        };
        let outcome = self.engine.dispatch_sync(&actor, self.own, &selection).await.expect("dispatched");
        self.ended(outcome.run_id).await;
    }
}

/// An endpoint that is switched off, with a message that failed.
async fn plant_endpoint(site: &Site) {
    let (tenant, at) = (site.own, site.engine.now());
    let new = NewEndpoint {
        id: EndpointId::from_uuid(Uuid::now_v7()),
        kind: EndpointKind::Webhook,
        name: "Hooks".to_owned(),
        wanted: Wanted { events: vec![EventKind::RunEnded], ..Wanted::default() },
        digest: false,
        address: "https://127.0.0.1/a-right".into(),
        address_shown: "127.0.0.1".to_owned(),
        secret: None,
        created_by_name: "Person".to_owned(),
    };
    let mut tx = site.db.write().await.expect("a transaction");
    endpoints::create(&mut tx, &site.vault, tenant, &new, at).await.expect("an endpoint");
    let event = Event { kind: EventKind::RunEnded, run_id: Some(site.run), run: None, payload: "{}".to_owned() };
    deliveries::enqueue_for(&mut tx, tenant, new.id, &event, at).await.expect("a message");
    let claimed =
        deliveries::claim(&mut tx, "test", Duration::from_secs(60), at).await.expect("asked").expect("it waits");
    let failed =
        Settled { status: DeliveryStatus::Failed, http_status: Some(500), reason: Some("Answered 500."), next_at: at };
    assert!(deliveries::settle(&mut tx, "test", &claimed, &failed, at).await.expect("settled"));
    endpoints::switch(&mut tx, tenant, new.id, false, Some("Nothing was delivered."), at).await.expect("switched");
    tx.commit().await.expect("committed");
}

/// A second version of every policy, and somebody who made it as the log of Microsoft tells.
async fn change_every_policy(db: &SqlitePool) {
    for statement in [
        "INSERT INTO policy_versions (id, tenant_id, policy_type, external_id, number, display_name, api_version, collection,
             odata_type, completeness, lacks, content_hash, normaliser_version, settings, withheld, read_at, capture_id)
         SELECT randomblob(16), tenant_id, policy_type, external_id, 2, display_name, api_version, collection, odata_type,
             completeness, lacks, content_hash, normaliser_version, settings, withheld, read_at + 1000, capture_id
         FROM policy_versions",
        "INSERT INTO policy_version_slots (version_id, slot, tenant_id, address, content_hash)
         SELECT w.id, s.slot, s.tenant_id, s.address, s.content_hash FROM policy_version_slots s
         JOIN policy_versions v ON v.id = s.version_id
         JOIN policy_versions w ON w.tenant_id = v.tenant_id AND w.policy_type = v.policy_type
             AND w.external_id = v.external_id AND w.number = 2",
        "INSERT INTO audit_events (tenant_id, source, event_id, at, activity, operation, correlation_id, user_id, user_name,
             application_id, application_name, objects, changed)
         SELECT tenant_id, 'intune', 'planted ' || external_id, read_at + 500, 'Patch', 'Patch', 'correlation', 'user', 'kim',
             'application', 'Portal', json_array(json_object('id', lower(external_id), 'kind', 'Policy')),
             json_array('Description')
         FROM policy_versions WHERE number = 1",
        "INSERT INTO audit_event_objects (tenant_id, object_id, at, source, event_id)
         SELECT tenant_id, lower(external_id), read_at + 500, 'intune', 'planted ' || external_id
         FROM policy_versions WHERE number = 1",
    ] {
        let planted = sqlx::query(statement).execute(db).await.expect("a statement of SQLite");
        assert!(planted.rows_affected() > 0, "{statement}");
    }
}

async fn poison_columns(db: &SqlitePool, text: &str) {
    // Versions are never changed but here.
    for trigger in ["policy_versions_refuse_update", "policy_version_slots_refuse_update"] {
        sqlx::query(AssertSqlSafe(format!("DROP TRIGGER {trigger}"))).execute(db).await.expect("the trigger is there");
    }
    let columns = "SELECT tables.name, columns.name FROM sqlite_master tables, pragma_table_info(tables.name) columns \
                   WHERE tables.type = 'table' AND columns.type = 'TEXT'";
    let columns = sqlx::query(columns).fetch_all(db).await.expect("columns");
    let columns: Vec<(String, String)> = columns.iter().map(|row| (row.get(0), row.get(1))).collect();
    assert!(columns.len() > 60, "the schema is there");
    for (table, column) in OURS {
        let known = columns.iter().any(|(in_table, name)| in_table == table && (name == column || column == "*"));
        assert!(known, "there is no {table}.{column} any more");
    }
    for (table, column) in &columns {
        if OURS.iter().any(|(of, name)| of == table && (name == column || *name == "*")) {
            continue;
        }
        let distinct = format!("SELECT DISTINCT {column} FROM {table} WHERE {column} IS NOT NULL");
        for row in sqlx::query(AssertSqlSafe(distinct)).fetch_all(db).await.expect("values") {
            let old: String = row.get(0);
            let update = format!("UPDATE {table} SET {column} = ? WHERE {column} = ?");
            let updated = sqlx::query(AssertSqlSafe(update)).bind(poisoned(&old, text)).bind(&old).execute(db).await;
            updated.unwrap_or_else(|error| panic!("{table}.{column}: {error}"));
        }
    }
}

/// A text with the poison at its end; in JSON each text, but for words of ours.
fn poisoned(old: &str, text: &str) -> String {
    match serde_json::from_str(old) {
        Ok(mut value @ (Value::Object(_) | Value::Array(_))) => {
            poison_json(&mut value, text);
            value.to_string()
        }
        _ => format!("{old} {text}"),
    }
}

fn poison_json(value: &mut Value, text: &str) {
    match value {
        Value::String(old) => *old = format!("{old} {text}"),
        Value::Array(values) => values.iter_mut().for_each(|value| poison_json(value, text)),
        Value::Object(values) => values
            .iter_mut()
            .filter(|(key, _)| !OUR_KEYS.contains(&key.as_str()))
            .for_each(|(_, value)| poison_json(value, text)),
        _ => {}
    }
}

async fn fill_audit_log(site: &Site, text: &str) {
    let runs = [None, Some(site.run.to_string())];
    let tenant = tenants::get(site.engine.reader(), site.own).await.expect("read").expect("a tenant");
    for number in 0..ENTRIES {
        let new = NewEntry {
            id: Uuid::now_v7(),
            tenant_id: Some(tenant.id),
            actor_id: None,
            actor_kind: format!("person {text}"),
            actor_name: format!("Person {text}"),
            actor_email: format!("person@example.com {text}"),
            action: format!("tenant.updated {text}"),
            resource_type: if number % 2 == 0 { format!("tenant {text}") } else { "operation_run".to_owned() },
            resource_id: runs[number % 2].clone().unwrap_or_else(|| text.to_owned()),
            outcome: Outcome::Failure,
            context: json!({ "reason": text, text: { "inside": [text] } }),
        };
        let mut tx = site.db.write().await.expect("a transaction");
        audit::append(&mut tx, &site.vault, &new, Timestamp::from_millis(1_700_000_000_000)).await.expect("an entry");
        tx.commit().await.expect("committed");
    }
}
