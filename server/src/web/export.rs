//! Downloads of exactly what a list shows, streamed: memory stays flat however long the list is.

use std::collections::{BTreeSet, HashMap};
use std::io;

use axum::body::{Body, Bytes};
use axum::extract::{Path, Query, RawQuery, Request, State as Extract};
use axum::http::{HeaderValue, Method, header};
use axum::middleware::Next;
use axum::response::Response;
use futures::stream::{self, BoxStream};
use futures::{Stream, StreamExt as _, TryStreamExt as _};
use serde_json::{Value, json};
use tenantatlas_app::error::AppError;
use tenantatlas_app::filter::ListFilter;
use tenantatlas_app::filter::audit::AuditFilter;
use tenantatlas_app::filter::finding::FindingsFilter;
use tenantatlas_app::filter::inventory::InventoryFilter;
use tenantatlas_app::filter::setting::SettingFilter;
use tenantatlas_app::format;
use tenantatlas_app::inventory::assigned::{assigned_words, target_cell};
use tenantatlas_app::inventory::labels::{platform_label, type_label};
use tenantatlas_app::inventory::load::{picked, query, view};
use tenantatlas_app::scope::{Inside, TenantScope};
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::sync::TypeOutcome;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::AuditEvent;
use tenantatlas_store::StoreError;
use tenantatlas_store::audit::{self, Entry, Outcome};
use tenantatlas_store::inventory::{self, ItemFilter, ItemRow, NotRead, ScopeView};

use super::State;
use super::answer::refuse;
use super::inside::{InTenant, SignedIn};
use super::spreadsheet::{self, Cell};
use crate::item_document;

/// Rows that are put together into one piece of the answer.
const PIECE: usize = 200;

type Parameters = Query<HashMap<String, String>>;

/// What a download holds; in the extensions of its answer.
#[derive(Debug, Clone)]
pub(super) struct Exported {
    list: &'static str,
    /// The one thing that it holds; `None` for a list of the tenant.
    resource: Option<String>,
    action: AuditAction,
    format: &'static str,
    facts: Facts,
    /// The tenants whose logs tell of it, where these are not that of the address alone.
    tenants: Option<Vec<TenantId>>,
}

/// What the audit log tells of a download beside its format.
#[derive(Debug, Clone)]
enum Facts {
    /// The filter of a list, from the parameters of the address.
    Filter(fn(&str) -> Value),
    /// These.
    Told(Value),
}

impl Exported {
    /// What comes of versions of one item.
    pub(super) fn policy(item: String, facts: Value) -> Self {
        let (action, facts) = (AuditAction::PolicyExported, Facts::Told(facts));
        Self { list: "item", resource: Some(item), action, format: "json", facts, tenants: None }
    }

    fn inventory(format: &'static str) -> Self {
        Self {
            list: "inventory",
            resource: None,
            action: AuditAction::InventoryExported,
            format,
            facts: Facts::Filter(filter_facts::<InventoryFilter>),
            tenants: None,
        }
    }

    /// What a search of settings finds in these tenants.
    pub(super) fn settings(format: &'static str, tenants: Vec<TenantId>) -> Self {
        Self {
            list: "settings",
            resource: None,
            action: AuditAction::SettingsExported,
            format,
            facts: Facts::Filter(filter_facts::<SettingFilter>),
            tenants: Some(tenants),
        }
    }

    /// The findings that a filter finds.
    pub(super) fn findings(format: &'static str) -> Self {
        let facts = Facts::Filter(filter_facts::<FindingsFilter>);
        Self { list: "findings", resource: None, action: AuditAction::FindingsExported, format, facts, tenants: None }
    }

    fn audit(format: &'static str) -> Self {
        let facts = Facts::Filter(filter_facts::<AuditFilter>);
        Self { list: "audit", resource: None, action: AuditAction::AuditExported, format, facts, tenants: None }
    }
}

/// Writes a download into the audit log before its first byte leaves; one that cannot be written down is refused (OWASP ASVS
/// 4.0.3, requirement 8.3.5), as is one too many in a short time. Bodies are streams that nobody has asked for anything yet
/// when their answer comes by here. HEAD takes nothing away and is not written down.
pub async fn record(
    Extract(state): Extract<State>,
    SignedIn(session): SignedIn,
    request: Request,
    next: Next,
) -> Response {
    if request.method() == Method::HEAD {
        return next.run(request).await;
    }
    let actor = session.actor();
    if let Err(error) = state.engine.begin_download(&actor).await {
        return refuse(&error.into());
    }
    let query = request.uri().query().unwrap_or_default().to_owned();
    let of_address = request.extensions().get::<TenantScope>().map(|scope| scope.tenant.id);
    let response = next.run(request).await;
    let Some(Exported { list, resource, action, format, facts, tenants }) = response.extensions().get().cloned() else {
        return response;
    };
    let facts = match facts {
        Facts::Filter(facts) => json!({ "format": format, "filter": facts(&query) }),
        Facts::Told(told) => json!({ "format": format, "of": told }),
    };
    for tenant in tenants.unwrap_or_else(|| of_address.into_iter().collect()) {
        let event = AuditEvent {
            action,
            tenant: Some(tenant),
            resource_type: list,
            resource_id: resource.clone().unwrap_or_else(|| tenant.to_string()),
            outcome: Outcome::Success,
            facts: facts.clone(),
        };
        if let Err(error) = state.engine.record_event(&actor, event).await {
            return refuse(&error.into());
        }
    }
    response
}

/// The filter of a list as the audit log keeps it: names, and the values that are no free text.
fn filter_facts<F: ListFilter>(query: &str) -> Value {
    let safe = |value: &str| {
        value.len() <= 64 && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let facts = url::form_urlencoded::parse(query.as_bytes()).filter(|(_, value)| !value.is_empty()).filter_map(
        |(name, value)| {
            let told =
                if F::WORDS.contains(&&*name) && safe(&value) { Value::from(&*value) } else { Value::from(true) };
            let known = F::WORDS.contains(&&*name) || F::TYPED.contains(&&*name);
            known.then(|| (name.into_owned(), told))
        },
    );
    Value::Object(facts.collect())
}

/// `GET /t/{tenant}/inventory/export.csv` and `.json`, with the parameters of the inventory page.
pub async fn items(
    InTenant(inside): InTenant,
    Path((_, kind)): Path<(String, String)>,
    Query(parameters): Parameters,
    RawQuery(raw): RawQuery,
) -> Response {
    let address = InventoryFilter::read(|name| parameters.get(name).cloned()).first_page();
    let (not_read, rows) = match rows(&inside, &address, &parameters, raw.as_deref().unwrap_or_default()).await {
        Ok(found) => found,
        Err(error) => return refuse(&error),
    };
    let name = file_name(&inside, "inventory");
    match kind.as_str() {
        "csv" => attachment(
            Exported::inventory("csv"),
            &name,
            "text/csv; charset=utf-8",
            csv_of(ITEM_COLUMNS.to_vec(), not_read.iter().map(not_read_fields).collect(), rows, item_fields),
        ),
        "json" => attachment(Exported::inventory("json"), &name, "application/json", json_of(not_read, rows)),
        _ => refuse(&AppError::not_found("This kind of export")),
    }
}

/// The items that a download holds: those that were picked on the page of the list, or all that its filter finds. With either the
/// types that were not read to the end.
async fn rows(
    inside: &Inside,
    address: &InventoryFilter,
    parameters: &HashMap<String, String>,
    raw: &str,
) -> Result<(Vec<NotRead>, BoxStream<'static, Result<ItemRow, StoreError>>), AppError> {
    if parameters.contains_key("picked") {
        let sent = url::form_urlencoded::parse(raw.as_bytes());
        let ids: Vec<_> = sent.filter(|(name, _)| name == "items[]").map(|(_, id)| id).collect();
        let picked = picked(inside, address.scope, ids.iter().map(AsRef::as_ref)).await?;
        let types: BTreeSet<String> = picked.iter().map(|row| row.item.policy_type.clone()).collect();
        let of_types = ItemFilter { policy_types: types.into_iter().collect(), ..ItemFilter::default() };
        let view = ScopeView::load(inside.engine.reader(), inside.id(), address.scope).await?;
        let not_read = inventory::not_read(inside.engine.reader(), &view, &of_types).await?;
        return Ok((not_read, stream::iter(picked.into_iter().map(Ok)).boxed()));
    }
    let view = view(inside, address).await?;
    let query = query(inside, address, &view).await?;
    let not_read = inventory::not_read(inside.engine.reader(), &view, &query.filter).await?;
    Ok((not_read, inventory::export(inside.engine.reader().clone(), view, query).boxed()))
}

/// `GET /t/{tenant}/audit/export.csv`, with the parameters of the audit page.
pub async fn audit_log(InTenant(inside): InTenant, Query(parameters): Parameters) -> Response {
    let filter = AuditFilter::read(|name| parameters.get(name).cloned()).first_page();
    let name = file_name(&inside, "audit");
    attachment(
        Exported::audit("csv"),
        &name,
        "text/csv; charset=utf-8",
        csv_of(AUDIT_COLUMNS.to_vec(), Vec::new(), entries(inside, filter), entry_fields),
    )
}

fn entries(inside: Inside, filter: AuditFilter) -> impl Stream<Item = Result<Entry, StoreError>> + Send + 'static {
    let pages = stream::try_unfold(Some((inside, filter)), |at| async move {
        let Some((inside, mut filter)) = at else { return Ok(None) };
        let page = audit::list(inside.engine.reader(), &filter.query(&inside, 200)).await?;
        let next = page.last().map(|entry| entry.seq);
        let kept: Vec<_> = page.into_iter().filter(|entry| filter.keeps(entry)).map(Ok).collect();
        filter.before = next;
        Ok::<_, StoreError>(Some((stream::iter(kept), next.map(|_| (inside, filter)))))
    });
    pages.try_flatten()
}

/// The name of a file: `contoso-inventory-2026-11-21`.
pub(super) fn file_name(inside: &Inside, what: &str) -> String {
    format!("{}-{what}-{}", safe_name(&inside.tenant.name), format::utc_day(inside.engine.now().as_millis()))
}

/// A name in characters that every file system takes: one dash for whatever stands between letters and digits, none at the
/// ends.
fn safe_name(name: &str) -> String {
    let words: Vec<String> = name
        .split(|character: char| !character.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .map(str::to_ascii_lowercase)
        .collect();
    let mut safe = words.join("-");
    safe.truncate(60);
    if safe.is_empty() { "tenant".to_owned() } else { safe.trim_end_matches('-').to_owned() }
}

pub(super) fn attachment(
    exported: Exported,
    name: &str,
    kind: &'static str,
    pieces: impl Stream<Item = io::Result<Bytes>> + Send + 'static,
) -> Response {
    // An error in the middle breaks the connection off: a download that ends early must not look whole.
    let pieces = pieces.inspect_err(|error| tracing::error!(%error, "an export broke off"));
    let mut response = Response::new(Body::from_stream(pieces));
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Ok(value) = HeaderValue::from_str(&format!("attachment; filename=\"{name}.{}\"", exported.format)) {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, value);
    }
    response.extensions_mut().insert(exported);
    response
}

/// The lines of a file: its columns, then `first`, then the rows.
fn csv_of<T: Send + 'static>(
    columns: Vec<&'static str>,
    mut first: Vec<Vec<Cell>>,
    rows: impl Stream<Item = Result<T, StoreError>> + Send + 'static,
    fields: fn(&T) -> Vec<Cell>,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    first.insert(0, columns.into_iter().map(Cell::from).collect());
    let head = stream::once(async move { spreadsheet::lines(&first) });
    let body = rows.map_err(io::Error::other).try_chunks(PIECE).map_err(|error| error.1).and_then(move |rows| {
        let lines: Vec<Vec<Cell>> = rows.iter().map(fields).collect();
        async move { spreadsheet::lines(&lines) }
    });
    head.chain(body)
}

/// `{"not_read": […], "items": […]}`: what was not read to the end comes first, since whoever reads the items must know.
fn json_of(
    not_read: Vec<NotRead>,
    rows: impl Stream<Item = Result<ItemRow, StoreError>> + Send + 'static,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let body =
        rows.map_err(io::Error::other).try_chunks(PIECE).map_err(|error| error.1).enumerate().map(|(index, rows)| {
            let mut text = Vec::new();
            for (at, row) in rows?.iter().enumerate() {
                text.extend_from_slice(if index == 0 && at == 0 { b"\n" } else { b",\n" });
                serde_json::to_writer(&mut text, &item_document::item(row))?;
            }
            Ok(Bytes::from(text))
        });
    let head = stream::once(async move {
        let mut text = b"{\"not_read\":".to_vec();
        let not_read: Vec<Value> = not_read.iter().map(item_document::not_read).collect();
        serde_json::to_writer(&mut text, &not_read)?;
        text.extend_from_slice(b",\n\"items\":[");
        Ok(Bytes::from(text))
    });
    head.chain(body).chain(stream::once(async { Ok(Bytes::from_static(b"\n]}\n")) }))
}

/// Columns of the inventory as a file. Of a row of the kind `not_read`, which stands for a type that was not read to the
/// end, only the type, its outcome as the state, and the reason are filled (`docs/rules.md`, section Exports).
const ITEM_COLUMNS: [&str; 17] = [
    "kind",
    "name",
    "type",
    "type_key",
    "category",
    "platform",
    "assigned_to",
    "included",
    "excluded",
    "state",
    "confidence",
    "external_id",
    "first_seen_at",
    "last_seen_at",
    "changed_at",
    "reason_code",
    "reason",
];

fn not_read_fields(one: &NotRead) -> Vec<Cell> {
    let category = registry().get(&one.policy_type).map_or("", |known| known.category.slug());
    let mut fields: Vec<Cell> = vec![Cell::from(""); ITEM_COLUMNS.len()];
    for (column, value) in [
        ("kind", "not_read"),
        ("type", &type_label(&one.policy_type)),
        ("type_key", &one.policy_type),
        ("category", category),
        ("state", one.outcome.map_or("not_selected", TypeOutcome::as_str)),
        ("last_seen_at", &one.last_full_read_at.map(Timestamp::to_rfc3339).unwrap_or_default()),
        ("reason_code", one.reason_code.map_or("", ReasonCode::as_str)),
        ("reason", &one.reason),
    ] {
        if let Some(field) = ITEM_COLUMNS.iter().position(|name| *name == column).and_then(|at| fields.get_mut(at)) {
            *field = value.into();
        }
    }
    fields
}

fn item_fields(row: &ItemRow) -> Vec<Cell> {
    use tenantatlas_domain::presence::{Confidence, Presence};
    let item = &row.item;
    let confidence = match row.presence {
        // The run could not see what was discovered only afterwards.
        _ if row.newer_than_scope => "",
        Presence::Missing { confidence: Confidence::High } => "high",
        Presence::Missing { confidence: Confidence::Low } => "low",
        _ => "",
    };
    vec![
        "item".into(),
        item.display_name.clone().into(),
        type_label(&item.policy_type).into(),
        item.policy_type.clone().into(),
        item.category.clone().into(),
        platform_label(&item.platform).into(),
        assigned_words(row).unwrap_or_default().into(),
        target_cell(row, true).into(),
        target_cell(row, false).into(),
        row.state().into(),
        confidence.into(),
        item.external_id.clone().into(),
        item.first_seen_at.to_rfc3339().into(),
        item.last_seen_at.to_rfc3339().into(),
        item.changed_at.to_rfc3339().into(),
        "".into(),
        row.since_words().unwrap_or_default().into(),
    ]
}

const AUDIT_COLUMNS: [&str; 11] = [
    "seq",
    "at",
    "actor",
    "actor_email",
    "actor_kind",
    "action",
    "resource_type",
    "resource_id",
    "outcome",
    "context",
    "hash",
];

fn entry_fields(entry: &Entry) -> Vec<Cell> {
    vec![
        entry.seq.into(),
        entry.at.to_rfc3339().into(),
        entry.actor_name.clone().into(),
        entry.actor_email.clone().into(),
        entry.actor_kind.clone().into(),
        entry.action.clone().into(),
        entry.resource_type.clone().into(),
        entry.resource_id.clone().into(),
        entry.outcome.as_str().into(),
        entry.context.to_string().into(),
        entry.hash.to_string().into(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_named_after_its_tenant_without_rows_of_dashes() {
        assert_eq!(safe_name("Slow & Co. (Berlin)"), "slow-co-berlin");
        assert_eq!(safe_name("日本"), "tenant");
        assert_eq!(safe_name(&"ab ".repeat(40)).len(), 59);
    }

    #[test]
    fn a_filter_is_written_down_without_what_was_typed() {
        let facts =
            filter_facts::<InventoryFilter>("q=secret+name&type=deviceConfiguration&state=a+b&after=x&sort=&unknown=1");
        assert_eq!(facts, json!({ "q": true, "type": "deviceConfiguration", "state": true }));
    }
}
