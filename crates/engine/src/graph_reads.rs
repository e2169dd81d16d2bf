//! How policy types are asked for at Microsoft Graph and what its answers mean for them, whoever reads: a sync, a
//! capture, or a check of a connection.

pub(crate) mod below;
mod failures;
mod outcome;
mod period;
mod query;
mod session;
mod whole_list;

use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::{ApiVersion, PolicyType};
use tenantatlas_graph::{GraphError, GraphVersion};

pub(crate) use failures::Failures;
pub(crate) use outcome::{TypeEnd, bounded, end_of, end_of_log};
pub(crate) use period::reading_period;
pub(crate) use query::{Expansion, ListQuery};
pub(crate) use session::{SignIn, count_requests, counter, sign_in};
pub(crate) use whole_list::whole_list;

/// The version of Graph as the client spells it.
pub(crate) fn version(policy_type: &PolicyType) -> GraphVersion {
    match policy_type.api_version {
        ApiVersion::V1 => GraphVersion::V1,
        ApiVersion::Beta => GraphVersion::Beta,
    }
}

/// Whether a refusal is about how the listing was asked for.
pub(crate) fn refuses_query(error: &GraphError) -> bool {
    matches!(error.status, Some(400 | 501))
        && matches!(error.reason, ReasonCode::ContractInvalid | ReasonCode::NotFoundInCloud)
}
