//! What the pages of versions read.

use tenantatlas_domain::ids::ItemId;
use tenantatlas_store::inventory::{self, Item, ScopeView};
use tenantatlas_store::policies::{self, Version};

use crate::error::AppError;
use crate::scope::Inside;

/// Versions among which one is chosen, at most.
const MOST: u32 = 200;

/// The item of an address.
///
/// # Errors
/// Not found; when the database fails.
pub async fn item(inside: &Inside, id: &str) -> Result<Item, AppError> {
    let missing = || AppError::not_found("The item");
    let id: ItemId = id.parse().map_err(|_| missing())?;
    let db = inside.engine.reader();
    let view = ScopeView::load(db, inside.id(), None).await?;
    Ok(inventory::find(db, &view, id).await?.ok_or_else(missing)?.item)
}

/// The two versions that are compared: those of the address, else the latest of the `versions` and the one before it.
#[must_use]
pub fn pair(versions: &[Version], from: Option<u64>, to: Option<u64>) -> (u64, u64) {
    let to = to.unwrap_or_else(|| versions.first().map_or(1, |version| version.number));
    (from.unwrap_or_else(|| to.saturating_sub(1).max(1)), to)
}

/// The newest versions of an item, newest first.
///
/// # Errors
/// Not found where there is none; when the database fails.
pub async fn versions(inside: &Inside, item: &Item) -> Result<Vec<Version>, AppError> {
    let db = inside.engine.reader();
    let versions = policies::versions_of(db, inside.id(), &item.policy_type, &item.external_id, None, MOST).await?;
    if versions.is_empty() { Err(AppError::not_found("The version")) } else { Ok(versions) }
}
