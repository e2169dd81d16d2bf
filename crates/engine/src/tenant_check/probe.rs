//! Asking Microsoft Graph what a connection can do.

use futures::StreamExt as _;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::{PolicyType, Source, registry};
use tenantatlas_domain::sync::TypeOutcome;
use tenantatlas_graph::{GraphError, GraphSession, GraphVersion, PageRequest};
use tenantatlas_store::permissions::Permission;
use tenantatlas_store::tenants::{ConnectionStatus, Licence};

use super::permissions;
use crate::graph_reads::{ListQuery, TypeEnd, bounded, end_of, refuses_query, version};

/// A read that needs nothing but an Intune licence and the permission that nearly every type needs.
const LICENCE_PROBE: &str = "deviceManagement/deviceConfigurations?$top=1&$select=id";

/// What is said of a token that cannot be read into, as those of a custom cloud may be.
const PERMISSIONS_UNSEEN: &str =
    "The token of this cloud does not show its permissions: what is missing will be seen in the first sync.";

/// What a sign-in showed.
#[derive(Debug)]
pub(super) struct Found {
    /// The result in one word, as kept with the tenant.
    pub status: ConnectionStatus,
    /// Why it is not `ok`.
    pub reason_code: Option<ReasonCode>,
    /// The same in a sentence.
    pub message: Option<String>,
    /// The name the tenant has at Microsoft, where it may be read.
    pub organization: Option<String>,
    /// The permissions of the full inventory; `None` when the token does not show them.
    pub permissions: Option<Vec<Permission>>,
    /// Whether the tenant has Intune.
    pub licence: Licence,
    /// Why nothing can be asked at all.
    pub refused: Option<GraphError>,
    /// The application permissions of the token, where it shows them.
    pub granted: Option<Vec<String>>,
}

impl Found {
    fn failed(error: GraphError, granted: Option<Vec<String>>) -> Self {
        Self {
            status: ConnectionStatus::Failed,
            reason_code: Some(error.reason),
            message: Some(bounded(&format!("{} {}", error.reason.sentence(), error.message))),
            organization: None,
            permissions: granted.as_deref().map(permissions::compare),
            licence: Licence::Unknown,
            refused: Some(error),
            granted,
        }
    }
}

/// Signs in anew and asks for what the token says and what Graph answers to it.
pub(super) async fn sign_in(session: &GraphSession) -> Found {
    // A token from before would show what was granted then.
    session.renew_token();
    let granted = match session.granted_roles().await {
        Ok(granted) => granted,
        Err(error) => return Found::failed(error, None),
    };
    let organization = session.probe().await;
    let licence = match (session.get(GraphVersion::V1, LICENCE_PROBE).await, &organization) {
        (Ok(_), _) => Licence::Present,
        (Err(error), _) if error.reason == ReasonCode::LicenseMissing => Licence::Missing,
        // A token is no use where nothing can be read with it, not even what it is refused.
        (Err(error), Err(other)) if !is_a_refusal(&error) && !is_a_refusal(other) => {
            return Found::failed(error, granted);
        }
        (Err(_), _) => Licence::Unknown,
    };
    let permissions = granted.as_deref().map(permissions::compare);
    let lacking =
        permissions.iter().flatten().any(|permission| !permission.granted && !permission.required_by.is_empty());
    let (status, reason_code) = match &granted {
        Some(granted) if granted.is_empty() => (ConnectionStatus::Degraded, Some(ReasonCode::ConsentMissing)),
        _ if lacking => (ConnectionStatus::Degraded, Some(ReasonCode::PermissionMissing)),
        _ if licence == Licence::Missing => (ConnectionStatus::Degraded, Some(ReasonCode::LicenseMissing)),
        _ => (ConnectionStatus::Ok, None),
    };
    let message = match reason_code {
        Some(code) => Some(code.sentence().to_owned()),
        None => granted.is_none().then(|| PERMISSIONS_UNSEEN.to_owned()),
    };
    let organization = organization.ok().map(|organization| organization.display_name);
    Found { status, reason_code, message, organization, permissions, licence, refused: None, granted }
}

/// Whether Graph answered, and only would not tell: the permissions of the token say why.
fn is_a_refusal(error: &GraphError) -> bool {
    matches!(error.reason, ReasonCode::LicenseMissing | ReasonCode::PermissionMissing | ReasonCode::ConsentMissing)
}

/// Asks for the first page of a type as a sync would, or of the objects below which it is read.
///
/// # Errors
/// When the check was cancelled meanwhile.
pub(super) async fn first_page(
    session: &GraphSession,
    policy_type: &'static PolicyType,
    granted: Option<&[String]>,
) -> Result<TypeEnd, GraphError> {
    let asked = ask_first_page(session, policy_type).await;
    match asked {
        Ok(()) => Ok(TypeEnd::succeeded()),
        Err(error) if error.reason == ReasonCode::Cancelled => Err(error),
        Err(error) => {
            let end = end_of(policy_type, &error, granted);
            debug_assert!(end.outcome == TypeOutcome::Succeeded || end.reason.is_some());
            Ok(end)
        }
    }
}

async fn ask_first_page(session: &GraphSession, policy_type: &'static PolicyType) -> Result<(), GraphError> {
    let listings = registry().listings_for(&[policy_type]);
    let Some(listing) = listings.first() else { return Ok(()) };
    let path = listing.path(None);
    let query = match listing.source {
        Source::Collection { .. } | Source::Singleton { .. } => listing.full_query(),
        Source::ChildrenOf { parent_query, .. } => parent_query.to_owned(),
    };
    if matches!(listing.source, Source::Singleton { .. }) {
        let address = if query.is_empty() { path } else { format!("{path}?{query}") };
        return session.get(version(policy_type), &address).await.map(drop);
    }
    let ways = ListQuery::parse(&query).fallbacks();
    let last = ways.len() - 1;
    for (index, (query, _)) in ways.into_iter().enumerate() {
        let request = PageRequest::new(version(policy_type), path.clone()).query(query.text()).max_pages(1);
        match session.pages(request).next().await {
            Some(Err(error)) if index < last && refuses_query(&error) => {}
            Some(Err(error)) => return Err(error),
            Some(Ok(_)) | None => return Ok(()),
        }
    }
    Ok(())
}
