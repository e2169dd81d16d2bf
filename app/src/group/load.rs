//! A group with what it gets.

use tenantatlas_domain::references::{Assigned, TargetKind};
use tenantatlas_store::inventory::{self, AssignedPage, AssignedTypes, Group, ItemFilter, NotRead, ScopeView};

use crate::error::AppError;
use crate::filter::group::GroupFilter;
use crate::scope::Inside;

/// Everything the page of a group shows.
#[derive(Debug, Clone)]
pub struct GroupDetail {
    /// The group, all users, all devices, or nobody.
    pub assigned: Assigned,
    /// What is known of it, where it is a group.
    pub group: Option<Group>,
    /// The view in which its items are told.
    pub view: ScopeView,
    /// What it gets, by type.
    pub types: AssignedTypes,
    /// The items of the page.
    pub page: AssignedPage,
    /// The types that were not read to the end: of these it may get more.
    pub not_read: Vec<NotRead>,
}

/// Loads what a group gets, for its page.
///
/// # Errors
/// Not found, when nothing that was read names the group; when the database fails.
pub async fn load(inside: &Inside, assigned: Assigned, filter: &GroupFilter) -> Result<GroupDetail, AppError> {
    of(inside, assigned, filter, None).await
}

/// The same with a page of so many items.
///
/// # Errors
/// Those of [`load`].
pub async fn of(
    inside: &Inside,
    assigned: Assigned,
    filter: &GroupFilter,
    limit: Option<u32>,
) -> Result<GroupDetail, AppError> {
    let db = inside.engine.reader();
    let group = match (assigned.kind(), assigned.external_id()) {
        (Some(TargetKind::Group), Some(id)) => {
            let group = inventory::group(db, inside.id(), &id).await?;
            Some(group.ok_or_else(|| AppError::not_found("The group"))?)
        }
        _ => None,
    };
    let (view, types) = futures::try_join!(
        ScopeView::load(db, inside.id(), filter.scope),
        inventory::assigned_types(db, inside.id(), &assigned)
    )?;
    let policy_types = filter.policy_type.iter().cloned().collect();
    let asked = ItemFilter { policy_types, assigned: Some(assigned.clone()), ..ItemFilter::default() };
    let mut query = filter.query(assigned.clone());
    query.limit = limit.unwrap_or(query.limit);
    let (page, not_read) = futures::try_join!(
        inventory::assigned_items(db, &view, &types, &query),
        inventory::not_read(db, &view, &asked)
    )?;
    Ok(GroupDetail { assigned, group, view, types, page, not_read })
}
