//! Does the connection work at all?

use serde::Deserialize;
use tenantatlas_domain::reason::ReasonCode;

use crate::endpoints::GraphVersion;
use crate::error::GraphError;
use crate::session::GraphSession;

/// The tenant, in its own words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Organization {
    /// Entra tenant id.
    pub id: String,
    /// Name.
    pub display_name: String,
    /// Verified domains, the initial one included.
    pub verified_domains: Vec<String>,
}

impl GraphSession {
    /// Signs in and reads the tenant's own record (`Organization.Read.All` or `Directory.Read.All`).
    ///
    /// # Errors
    /// `auth_failed` for a wrong credential, `consent_missing` when the token carries no permission and Graph refuses,
    /// `permission_missing` when only this permission is lacking, and as every read.
    pub async fn probe(&self) -> Result<Organization, GraphError> {
        #[derive(Deserialize)]
        struct Rows {
            value: Vec<Row>,
        }
        #[derive(Deserialize)]
        #[serde(rename_all = "camelCase")]
        struct Row {
            id: String,
            display_name: Option<String>,
            #[serde(default)]
            verified_domains: Vec<Domain>,
        }
        #[derive(Deserialize)]
        struct Domain {
            name: Option<String>,
        }
        // Its rows are values: they are counted as such for as long as they are here.
        let workbench = self.on_workbench();
        let document = workbench.get(GraphVersion::V1, "organization?$select=id,displayName,verifiedDomains").await?;
        let row =
            document.parse::<Rows>()?.value.into_iter().next().ok_or_else(|| {
                GraphError::new(ReasonCode::ContractInvalid, "Graph does not say which tenant this is")
            })?;
        Ok(Organization {
            id: row.id,
            display_name: row.display_name.unwrap_or_default(),
            verified_domains: row.verified_domains.into_iter().filter_map(|domain| domain.name).collect(),
        })
    }
}
