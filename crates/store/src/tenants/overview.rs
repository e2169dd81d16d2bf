//! The tenants of a person as a table: searched, sorted and page by page, in one question for however many there are.

use std::sync::LazyLock;

use sqlx::FromRow;
use tenantatlas_domain::ids::{OperationRunId, SyncRunId, UserId};
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::selection::{Selection, SelectionHash};
use tenantatlas_domain::sync::SyncRunStatus;
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use super::{Tenant, VisibleTenant, key};
use crate::StoreError;
use crate::database::{Access, Run as _};
use crate::record::Nullable;
use crate::sql::{Statement, args, contains_pattern};

/// The longest page.
const MAX_PAGE: u32 = 200;
/// Words of a search that count.
const MAX_WORDS: usize = 8;

/// In which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OverviewSort {
    /// Favourites first, then by name.
    #[default]
    Favourites,
    /// By name.
    Name,
    /// Those whose last sync failed, then those where a part of it did, then those never read.
    Failed,
    /// Those never read, then those whose last read lies furthest back.
    Oldest,
}

impl OverviewSort {
    /// What is compared first, and whether the usual direction is the descending one. Equal ones follow by name.
    const fn term(self) -> (&'static str, bool) {
        match self {
            Self::Favourites => ("seen.favourite", true),
            Self::Name => ("seen.name_key", false),
            Self::Failed => (
                "CASE WHEN r.status = 'failed' THEN 0 WHEN r.status = 'partial' THEN 1 WHEN r.status IS NULL THEN 2 ELSE 3 END",
                false,
            ),
            Self::Oldest => ("COALESCE(r.finished_at, 0)", false),
        }
    }
}

/// By what the list of all tenants is sorted; equal ones by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ListedSort {
    /// By name.
    #[default]
    Name,
    /// Connections that do not work, then those that lack something, those that were not checked, those that work.
    Connection,
    /// By when the connection was checked; never comes first.
    Checked,
    /// By when the credential was entered; none comes first.
    Credential,
    /// By when the tenant was added.
    Added,
}

impl ListedSort {
    const fn term(self) -> &'static str {
        match self {
            Self::Name => "t.name_key",
            Self::Connection => {
                "CASE t.connection_status
                     WHEN 'failed' THEN 0 WHEN 'degraded' THEN 1 WHEN 'unchecked' THEN 2 ELSE 3 END"
            }
            Self::Checked => "COALESCE(t.connection_checked_at, 0)",
            Self::Credential => "COALESCE(t.credential_updated_at, 0)",
            Self::Added => "t.created_at",
        }
    }
}

const fn direction(descending: bool) -> &'static str {
    if descending { " DESC" } else { "" }
}

/// Which tenants of a person, and in which order.
#[derive(Clone, Debug, Default)]
pub struct OverviewQuery {
    /// Words that the name or the Entra tenant id holds, in any order; eight of them count.
    pub search: String,
    /// In which order.
    pub sort: OverviewSort,
    /// Whether that order is reversed; equal ones are by name all the same.
    pub descending: bool,
    /// How many come before the page.
    pub offset: u32,
    /// At most so many; 1 to 200.
    pub limit: u32,
}

/// A tenant of a person, with the latest completed sync of its main scope (see [`crate::scopes::main_of`]).
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Overview {
    /// The tenant as the person sees it.
    #[sqlx(flatten)]
    pub visible: VisibleTenant,
    /// The sync run.
    #[sqlx(try_from = "Nullable<Uuid>")]
    pub latest_run_id: Option<SyncRunId>,
    /// The operation run that it belongs to.
    #[sqlx(try_from = "Nullable<Uuid>")]
    pub latest_operation_id: Option<OperationRunId>,
    /// How it ended.
    #[sqlx(try_from = "Nullable<String>")]
    pub latest_status: Option<SyncRunStatus>,
    /// When it ended.
    #[sqlx(try_from = "Nullable<i64>")]
    pub latest_finished_at: Option<Timestamp>,
    /// How many tenants the search finds in all.
    #[sqlx(try_from = "i64")]
    pub total: u64,
}

/// A page of the tenants that a person sees: those they are a member of, and for a platform administrator all. The total
/// stands in each row; beyond the last page there is none.
///
/// # Errors
/// When the database fails.
pub async fn overview(mut on: impl Access, user: UserId, query: &OverviewQuery) -> Result<Vec<Overview>, StoreError> {
    static FULL: LazyLock<SelectionHash> = LazyLock::new(|| Selection::full(registry()).hash());
    let mut statement = Statement::default();
    statement.push(
        "WITH seen AS (
             SELECT t.*, CASE WHEN u.platform_admin = TRUE THEN 'owner' ELSE m.role END AS role,
                 COALESCE(p.favourite, FALSE) AS favourite, p.last_used_at, (
                     SELECT s.latest_run_id
                     FROM inventory_scopes s
                     WHERE s.tenant_id = t.id AND s.latest_run_seq IS NOT NULL
                     ORDER BY CASE WHEN s.selection_hash = $2 THEN 0 ELSE 1 END, s.latest_types DESC,
                         s.latest_finished_at DESC, s.id DESC
                     LIMIT 1) AS main_run_id
             FROM users u
             CROSS JOIN tenants t
             LEFT JOIN tenant_members m ON m.tenant_id = t.id AND m.user_id = u.id
             LEFT JOIN user_tenant_preferences p ON p.tenant_id = t.id AND p.user_id = u.id
             WHERE u.id = $1 AND u.disabled_at IS NULL AND t.removed_at IS NULL
                 AND (m.role IS NOT NULL OR u.platform_admin = TRUE)",
        args![user, FULL.to_string()],
    );
    for word in key(&query.search).split_whitespace().take(MAX_WORDS) {
        statement.push(
            r" AND (t.name_key LIKE $1 ESCAPE '\' OR t.entra_tenant_id LIKE $1 ESCAPE '\')",
            args![contains_pattern(word)],
        );
    }
    statement.push(
        ") SELECT seen.*, r.id AS latest_run_id, r.operation_run_id AS latest_operation_id, r.status AS latest_status,
               r.finished_at AS latest_finished_at, COUNT(*) OVER () AS total
           FROM seen
           LEFT JOIN inventory_sync_runs r ON r.id = seen.main_run_id AND r.tenant_id = seen.id",
        [],
    );
    let (term, usually) = query.sort.term();
    let order = direction(query.descending != usually);
    statement.push(&format!(" ORDER BY {term}{order}, seen.name_key, seen.id"), []);
    statement.push(" LIMIT $1 OFFSET $2", args![query.limit.clamp(1, MAX_PAGE), query.offset]);
    on.query(&statement).await
}

/// Which of all tenants, and in which order.
#[derive(Clone, Debug, Default)]
pub struct ListedQuery {
    /// Words that the name or the Entra tenant id holds, in any order; eight of them count.
    pub search: String,
    /// In which order.
    pub sort: ListedSort,
    /// Whether that order is reversed; equal ones are by name all the same.
    pub descending: bool,
    /// How many come before the page.
    pub offset: u32,
    /// At most so many; 1 to 200.
    pub limit: u32,
}

/// A page of all tenants, for those who administer the platform, each with how many there are in all.
///
/// # Errors
/// When the database fails.
pub async fn page(mut on: impl Access, query: &ListedQuery) -> Result<Vec<Listed>, StoreError> {
    let mut statement =
        Statement::new("SELECT t.*, COUNT(*) OVER () AS total FROM tenants t WHERE t.removed_at IS NULL");
    for word in key(&query.search).split_whitespace().take(MAX_WORDS) {
        statement.push(
            r" AND (t.name_key LIKE $1 ESCAPE '\' OR t.entra_tenant_id LIKE $1 ESCAPE '\')",
            args![contains_pattern(word)],
        );
    }
    let (term, order) = (query.sort.term(), direction(query.descending));
    statement.push(&format!(" ORDER BY {term}{order}, t.name_key, t.id"), []);
    statement.push(" LIMIT $1 OFFSET $2", args![query.limit.clamp(1, MAX_PAGE), query.offset]);
    on.query(&statement).await
}

/// A tenant of the list of all.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct Listed {
    /// The tenant.
    #[sqlx(flatten)]
    pub tenant: Tenant,
    /// How many tenants the search finds in all.
    #[sqlx(try_from = "i64")]
    pub total: u64,
}
