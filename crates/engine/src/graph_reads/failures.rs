//! Objects of a type that could not be read, and what follows for the type.

use std::collections::HashMap;

use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_domain::registry::PolicyType;
use tenantatlas_graph::GraphError;

use super::outcome::{TypeEnd, bounded, end_of};

/// Objects of a type that may fail below before nothing more is asked: what fails so often fails everywhere, and asking
/// costs quota.
const MOST_FAILED: u64 = 100;

/// Objects of a type that could not be read below: how many, and why the first of them.
#[derive(Debug)]
pub(crate) struct Failures {
    pub first: GraphError,
    pub count: u64,
}

impl Failures {
    /// Counts one more.
    pub(crate) fn count(failures: &mut HashMap<&'static str, Self>, key: &'static str, error: GraphError) {
        failures.entry(key).and_modify(|failures| failures.count += 1).or_insert(Self { first: error, count: 1 });
    }

    /// Whether reading on would only cost quota: what was refused is refused for every object, or too many failed.
    pub(crate) fn are_of_the_type(&self) -> bool {
        let refused = matches!(
            self.first.reason,
            ReasonCode::PermissionMissing | ReasonCode::ConsentMissing | ReasonCode::LicenseMissing
        );
        refused || self.count >= MOST_FAILED
    }

    /// The list itself was readable, so the type is not "nothing to read", whatever was answered below its objects.
    pub(crate) fn end(&self, policy_type: &PolicyType, granted: Option<&[String]>) -> TypeEnd {
        let mut error = self.first.clone();
        // The list accepted the token that was refused below it, and is in the cloud that does not know what is below it.
        if matches!(error.reason, ReasonCode::AuthFailed | ReasonCode::NotFoundInCloud) {
            error.reason = ReasonCode::ContractInvalid;
        }
        let end = end_of(policy_type, &error, granted);
        let (code, sentence) = end.reason.unwrap_or((error.reason, error.reason.sentence().to_owned()));
        if code == ReasonCode::PermissionMissing {
            return TypeEnd::failed(code, sentence);
        }
        TypeEnd::failed(code, bounded(&format!("Objects that could not be read whole: {}. {sentence}", self.count)))
    }
}
