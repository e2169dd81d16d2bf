//! What the page of findings shows.

use std::collections::BTreeMap;

use tenantatlas_domain::drift::{GapNow, Severity};
use tenantatlas_domain::ids::FindingId;
use tenantatlas_engine::Explanations;
use tenantatlas_store::findings::{self, ComparisonRecord, FindingPage};
use tenantatlas_store::scopes::{self, Scope};
use tenantatlas_store::sync_runs::{self, SyncRun};

use crate::error::AppError;
use crate::filter::finding::FindingsFilter;
use crate::scope::Inside;

/// Findings of a page.
const PAGE: u32 = 50;
/// Findings that are put together by who changed what, at most.
pub(super) const MOST_BY_CHANGE: u32 = 200;
/// Findings that are accepted at once, at most.
const MOST: u32 = 10_000;
/// Runs among which a baseline is chosen, at most.
const BASELINES: u32 = 50;

/// The page.
#[derive(Default)]
pub struct Findings {
    /// The scope that is shown; `None` while nothing was read.
    pub scope: Option<Scope>,
    /// The comparison that ended last.
    pub comparison: Option<ComparisonRecord>,
    /// What could not be compared, and whether that still is so.
    pub gaps: Vec<GapNow>,
    /// The findings.
    pub page: FindingPage,
    /// What is known of each of them.
    pub explained: Explanations,
    /// How many the filter finds in all, up to 10,000.
    pub total: u64,
    /// How much changes of types matter, where the tenant says so.
    pub severities: BTreeMap<String, Severity>,
    /// The types of which there are findings.
    pub types: Vec<String>,
    /// The runs that may be the baseline, the latest first.
    pub baselines: Vec<SyncRun>,
}

/// The findings that a filter finds in the main scope of the tenant.
///
/// # Errors
/// When the database fails, or a body does not open.
pub async fn load(inside: &Inside, filter: &FindingsFilter) -> Result<Findings, AppError> {
    let (db, now, tenant) = (inside.engine.reader(), inside.engine.now(), inside.id());
    let severities = findings::severities(db, tenant).await?;
    let Some(scope) = scopes::main_of(db, tenant).await? else {
        return Ok(Findings { severities, ..Findings::default() });
    };
    let key = scope.selection_hash.to_string();
    let comparison = findings::latest_comparison(db, tenant, &key).await?;
    let gaps = match &comparison {
        Some(comparison) => findings::gaps_now(db, comparison).await?,
        None => Vec::new(),
    };
    let limit = if filter.by_object { PAGE } else { MOST_BY_CHANGE };
    let page = findings::list(db, tenant, &key, &filter.asked(), (filter.after, limit), now).await?;
    let total = findings::count(db, tenant, &key, &filter.asked(), MOST, now).await?;
    let explained = inside.engine.explain_findings(&inside.session.actor(), tenant, &page.findings).await?;
    let types = findings::types(db, tenant, &key).await?;
    let completed =
        sync_runs::Filter { scope: Some(scope.id), completed: true, limit: BASELINES, ..sync_runs::Filter::default() };
    let baselines = sync_runs::list(db, tenant, &completed).await?;
    Ok(Findings { scope: Some(scope), comparison, gaps, page, explained, total, severities, types, baselines })
}

/// The ids of all findings that a filter finds, up to 10,000.
///
/// # Errors
/// When the database fails.
pub async fn all(inside: &Inside, filter: &FindingsFilter) -> Result<Vec<FindingId>, AppError> {
    let (db, now) = (inside.engine.reader(), inside.engine.now());
    let Some(scope) = scopes::main_of(db, inside.id()).await? else { return Ok(Vec::new()) };
    let key = scope.selection_hash.to_string();
    Ok(findings::ids(db, inside.id(), &key, &filter.asked(), MOST, now).await?)
}
