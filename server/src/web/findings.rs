//! Downloads of the findings that a page shows, by its filter.

use std::collections::HashMap;
use std::io;

use axum::body::Bytes;
use axum::extract::{Path, Query};
use axum::response::Response;
use futures::{Stream, StreamExt as _, stream};
use serde_json::{Value, json};
use tenantatlas_app::error::AppError;
use tenantatlas_app::filter::ListFilter as _;
use tenantatlas_app::filter::finding::FindingsFilter;
use tenantatlas_app::finding::told::lines;
use tenantatlas_app::inventory::labels::type_label;
use tenantatlas_app::scope::Inside;
use tenantatlas_domain::audit_event::Attribution;
use tenantatlas_domain::drift::GapNow;
use tenantatlas_domain::ids::FindingId;
use tenantatlas_domain::role::Action;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{EngineError, Explanations};
use tenantatlas_store::findings::{self, Finding};
use tenantatlas_store::scopes;

use super::answer::refuse;
use super::export::{Exported, attachment, file_name};
use super::inside::InTenant;
use super::spreadsheet::{self, Cell};
use crate::finding_document;

/// Findings that are read at once.
const PAGE: u32 = 100;

/// `GET /t/{tenant}/findings/export.csv` and `.json`, with the parameters of the page. What could not be compared stands in the
/// file as well, first.
pub async fn download(
    InTenant(inside): InTenant,
    Path((_, kind)): Path<(String, String)>,
    Query(parameters): Query<HashMap<String, String>>,
) -> Response {
    let is_csv = match kind.as_str() {
        "csv" => true,
        "json" => false,
        _ => return refuse(&AppError::not_found("This kind of export")),
    };
    let filter = FindingsFilter::read(|name| parameters.get(name).cloned()).first_page();
    let (scope, gaps) = match begun(&inside).await {
        Ok(begun) => begun,
        Err(error) => return refuse(&error.into()),
    };
    let name = file_name(&inside, "findings");
    let pages = pages(inside, scope, filter);
    match is_csv {
        true => {
            let mut head = vec![COLUMNS.into_iter().map(Cell::from).collect::<Vec<_>>()];
            head.extend(gaps.iter().map(gap_fields));
            let head = stream::once(async move { spreadsheet::lines(&head) });
            let body = pages.map(|page| spreadsheet::lines(&page.map_err(io::Error::other)?.fields()));
            attachment(Exported::findings("csv"), &name, "text/csv; charset=utf-8", head.chain(body))
        }
        false => {
            let gaps: Vec<Value> = gaps.iter().map(finding_document::gap).collect();
            let head = format!("{{\"not_comparable\":{},\n\"findings\":[", json!(gaps));
            attachment(Exported::findings("json"), &name, "application/json", json_of(head, pages))
        }
    }
}

/// The key of the main scope, and what its latest comparison could not compare.
async fn begun(inside: &Inside) -> Result<(Option<String>, Vec<GapNow>), EngineError> {
    let (db, tenant) = (inside.engine.reader(), inside.id());
    let Some(scope) = scopes::main_of(db, tenant).await? else { return Ok((None, Vec::new())) };
    let key = scope.selection_hash.to_string();
    let gaps = match findings::latest_comparison(db, tenant, &key).await? {
        Some(comparison) => findings::gaps_now(db, &comparison).await?,
        None => Vec::new(),
    };
    Ok((Some(key), gaps))
}

/// Findings with what is known of them.
struct Page {
    findings: Vec<Finding>,
    known: Explanations,
    may_see: bool,
    now: Timestamp,
}

fn pages(
    inside: Inside,
    scope: Option<String>,
    filter: FindingsFilter,
) -> impl Stream<Item = Result<Page, EngineError>> + Send + 'static {
    let begin: Option<(Inside, String, Option<FindingId>)> = scope.map(|scope| (inside, scope, None));
    stream::try_unfold(begin, move |at| {
        let asked = filter.asked();
        async move {
            let Some((inside, scope, after)) = at else { return Ok::<_, EngineError>(None) };
            let (db, now) = (inside.engine.reader(), inside.engine.now());
            let page = findings::list(db, inside.id(), &scope, &asked, (after, PAGE), now).await?;
            let actor = inside.session.actor();
            let known = inside.engine.explain_findings(&actor, inside.id(), &page.findings).await?;
            let may_see = inside.role.allows(Action::SeeBodies);
            let next = page.next.map(|next| (inside, scope, Some(next)));
            Ok(Some((Page { findings: page.findings, known, may_see, now }, next)))
        }
    })
}

impl Page {
    fn fields(&self) -> Vec<Vec<Cell>> {
        let each = self.findings.iter().zip(&self.known.of);
        let rows = each.map(|(finding, known)| {
            let by = match &known.changed_by {
                Attribution::Found { actors, .. } => {
                    let name = |one: &tenantatlas_domain::audit_event::Actors| {
                        let actor = &one.actor;
                        actor.user_name.clone().or_else(|| actor.application_name.clone()).unwrap_or_default()
                    };
                    actors.iter().map(name).collect::<Vec<_>>().join("; ")
                }
                other => other.note().unwrap_or_default(),
            };
            let status = match finding.resolved_at {
                Some(_) => "resolved".to_owned(),
                None => finding.status_at(self.now).to_string(),
            };
            let time = |at: Option<Timestamp>| Cell::from(at.map(Timestamp::to_rfc3339).unwrap_or_default());
            vec![
                "finding".into(),
                finding.severity.to_string().into(),
                finding.kind.to_string().into(),
                status.into(),
                type_label(&finding.subject_type).into(),
                finding.subject_type.clone().into(),
                finding.display_name.clone().into(),
                finding.subject_external_id.clone().into(),
                lines(&self.known.names, finding, known, self.may_see).join("; ").into(),
                by.into(),
                time(Some(finding.since_at)),
                time(finding.resolved_at),
                finding.acknowledged_by_name.clone().unwrap_or_default().into(),
                finding.acknowledged_reason.clone().unwrap_or_default().into(),
                time(finding.accepted_until),
                finding.fingerprint.to_string().into(),
                "".into(),
                "".into(),
            ]
        });
        rows.collect()
    }

    fn documents(&self) -> Vec<Value> {
        let told = finding_document::known(&self.known);
        let each = self.findings.iter().zip(&told);
        each.map(|(finding, told)| finding_document::finding(self.now, finding, told)).collect()
    }
}

/// Columns of findings as a file. Of a row of the kind `not_comparable` only the type and the reason are filled.
const COLUMNS: [&str; 18] = [
    "kind",
    "severity",
    "change",
    "status",
    "type",
    "type_key",
    "name",
    "external_id",
    "what",
    "changed_by",
    "since",
    "resolved_at",
    "accepted_by",
    "accepted_reason",
    "accepted_until",
    "fingerprint",
    "reason_code",
    "reason",
];

fn gap_fields(now: &GapNow) -> Vec<Cell> {
    let gap = &now.gap;
    let mut fields: Vec<Cell> = vec![Cell::from(""); COLUMNS.len()];
    for (column, value) in [
        ("kind", "not_comparable".to_owned()),
        ("type", type_label(&gap.policy_type)),
        ("type_key", gap.policy_type.clone()),
        ("reason_code", gap.reason_code().to_owned()),
        ("reason", format!("{} {}", gap.because(), now.now())),
    ] {
        if let Some(field) = COLUMNS.iter().position(|name| *name == column).and_then(|at| fields.get_mut(at)) {
            *field = value.into();
        }
    }
    fields
}

/// `{"not_comparable": […], "findings": […]}`; `head` is what comes before the findings.
fn json_of(
    head: String,
    pages: impl Stream<Item = Result<Page, EngineError>> + Send + 'static,
) -> impl Stream<Item = io::Result<Bytes>> + Send + 'static {
    let body = pages.enumerate().map(|(index, page)| {
        let mut text = String::new();
        for (at, document) in page.map_err(io::Error::other)?.documents().iter().enumerate() {
            text.push_str(if index == 0 && at == 0 { "\n" } else { ",\n" });
            text.push_str(&document.to_string());
        }
        Ok(Bytes::from(text))
    });
    let foot = stream::once(async { Ok(Bytes::from_static(b"\n]}\n")) });
    stream::once(async move { Ok(Bytes::from(head)) }).chain(body).chain(foot)
}
