//! What Graph refuses, in its words.

use crate::answer::Answer;
use crate::catalogue::{RESOURCES, Resource};
use crate::graph::GraphRequest;

impl GraphRequest<'_> {
    /// Why this collection is closed to the tenant or to the application.
    #[must_use]
    pub fn refuse(&self, resource: &Resource) -> Option<Answer> {
        let licence = &self.tenant.config;
        if resource.path.contains("virtualEndpoint") && !licence.windows365 {
            return Some(self.forbidden("The tenant does not have a Windows 365 license."));
        }
        if resource.path.ends_with("cloudCertificationAuthority") && !licence.cloud_pki {
            return Some(self.forbidden("The tenant does not have a license for Microsoft Cloud PKI."));
        }
        if resource.path.starts_with("device") && !licence.intune {
            let message = "Request not applicable to target tenant.";
            return Some(Answer::intune_error(400, "BadRequest", message, self.request_id));
        }
        self.lacks_all(resource.permissions)
    }

    /// A 403 unless the token has one of these permissions. One that lets write lets read as well.
    #[must_use]
    pub fn lacks_all(&self, permissions: &[&str]) -> Option<Answer> {
        let has = |permission: &str| {
            self.roles.iter().any(|role| role == permission || *role == permission.replace(".Read.", ".ReadWrite."))
        };
        if permissions.iter().any(|permission| has(permission)) {
            return None;
        }
        let message = format!(
            "Application is not authorized to perform this operation. Application must have one of the following scopes: {}",
            permissions.join(", ")
        );
        Some(Answer::intune_error(403, "Forbidden", &message, self.request_id))
    }

    fn forbidden(&self, message: &str) -> Answer {
        Answer::error(403, "Forbidden", message, self.request_id)
    }

    /// A 400 with a message.
    #[must_use]
    pub fn bad_request(&self, message: &str) -> Answer {
        Answer::error(400, "BadRequest", message, self.request_id)
    }

    /// What Graph says about a segment that it does not have.
    #[must_use]
    pub fn unknown_segment(&self, segment: &str) -> Answer {
        self.bad_request(&format!("Resource not found for the segment '{segment}'."))
    }

    /// The same for a path: the first segment that leads nowhere is named.
    #[must_use]
    pub fn unknown_path(&self, segments: &[String]) -> Answer {
        let known = |length: usize| {
            RESOURCES.iter().filter(|resource| self.beta || resource.v1).any(|resource| {
                let mut path = resource.path.split('/');
                segments[..length]
                    .iter()
                    .all(|segment| path.next().is_some_and(|one| one.eq_ignore_ascii_case(segment)))
            })
        };
        let at = (1..=segments.len()).find(|length| !known(*length)).unwrap_or(segments.len());
        self.unknown_segment(at.checked_sub(1).and_then(|at| segments.get(at)).map_or("", String::as_str))
    }

    /// A 404 for an object.
    #[must_use]
    pub fn not_found(&self) -> Answer {
        Answer::error(404, "ResourceNotFound", "The resource could not be found.", self.request_id)
    }
}
