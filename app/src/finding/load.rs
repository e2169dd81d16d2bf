//! What the page of findings shows.

use tenantatlas_domain::ids::FindingId;
use tenantatlas_store::findings::{self, ComparisonRecord, FindingPage};
use tenantatlas_store::scopes::{self, Scope};

use crate::error::AppError;
use crate::filter::finding::FindingsFilter;
use crate::scope::Inside;

/// Findings of a page.
const PAGE: u32 = 100;
/// Findings that are accepted at once, at most.
const MOST: u32 = 10_000;

/// The page.
pub struct Findings {
    /// The scope that is shown; `None` while nothing was read.
    pub scope: Option<Scope>,
    /// The comparison that ended last.
    pub comparison: Option<ComparisonRecord>,
    /// The findings.
    pub page: FindingPage,
    /// How many the filter finds in all, up to 10,000.
    pub total: usize,
}

/// The findings that a filter finds in the main scope of the tenant.
///
/// # Errors
/// When the database fails.
pub async fn load(inside: &Inside, filter: &FindingsFilter) -> Result<Findings, AppError> {
    let (db, now) = (inside.engine.reader(), inside.engine.now());
    let Some(scope) = scopes::main_of(db, inside.id()).await? else {
        let page = FindingPage { findings: Vec::new(), next: None };
        return Ok(Findings { scope: None, comparison: None, page, total: 0 });
    };
    let key = scope.selection_hash.to_string();
    let comparison = findings::latest_comparison(db, inside.id(), &key).await?;
    let page = findings::list(db, inside.id(), &key, &filter.asked(), (filter.after, PAGE), now).await?;
    let total = findings::ids(db, inside.id(), &key, &filter.asked(), MOST, now).await?.len();
    Ok(Findings { scope: Some(scope), comparison, page, total })
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
