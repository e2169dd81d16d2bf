//! Which version an object was found to be while the inventory knew it by a content.

use sqlx::FromRow;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::normalise::ContentHash;

use crate::StoreError;
use crate::database::{Access, Run as _};
use crate::sql::{Statement, args};

/// A version, and a content by which the inventory knew the object when that was the latest.
#[derive(Clone, Debug, PartialEq, Eq, FromRow)]
pub struct VersionAt {
    /// The key of the type.
    pub policy_type: String,
    /// The id Microsoft gave the object.
    pub external_id: String,
    /// The number of the version.
    #[sqlx(try_from = "i64")]
    pub number: u64,
    /// The hash of the content that the inventory knew.
    #[sqlx(try_from = "Vec<u8>")]
    pub item_hash: ContentHash,
}

/// The versions of a tenant that were found at these contents. Two captures at one content may have found two versions: lists
/// do not tell everything. Ask for some hundred contents at once.
///
/// # Errors
/// When the database fails.
pub async fn versions_at(
    mut on: impl Access,
    tenant: TenantId,
    contents: &[ContentHash],
) -> Result<Vec<VersionAt>, StoreError> {
    if contents.is_empty() {
        return Ok(Vec::new());
    }
    let mut statement = Statement::new(
        "SELECT v.policy_type, v.external_id, v.number, i.item_hash
         FROM policy_version_items i JOIN policy_versions v ON v.id = i.version_id AND v.tenant_id = i.tenant_id",
    );
    statement.push(" WHERE i.tenant_id = $1", args![tenant]).push_in(" AND i.item_hash", contents);
    on.query(&statement).await
}
