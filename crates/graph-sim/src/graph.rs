//! Graph itself: which path is what.

use serde_json::json;

use crate::answer::Answer;
use crate::audit::Log;
use crate::catalogue::{RESOURCES, Resource};
use crate::context::{Collection, with_context};
use crate::listing::write_chosen;
use crate::object::{Along, Object};
use crate::query::{Query, decode_path};
use crate::tenant::{TenantState, first_number, number_of};

/// Addresses that lead to the same collection.
const ALIASES: [(&str, &str); 2] = [
    ("identity/conditionalAccess/authenticationStrengths/policies", "policies/authenticationStrengthPolicies"),
    ("identity/conditionalAccess/authenticationStrength/policies", "policies/authenticationStrengthPolicies"),
];

/// What bends an answer.
#[derive(Debug, Clone, Copy, Default)]
pub struct Bent<'a> {
    /// Expanded collections come in part.
    pub partial: bool,
    /// The page is empty but has a link.
    pub empty_page: bool,
    /// The next link leads here again.
    pub looping: bool,
    /// The next link leads to this host.
    pub foreign: Option<&'a str>,
    /// The next link is this text.
    pub link: Option<&'a str>,
    /// Every page is the first, and has another link.
    pub endless: bool,
    /// `$expand` is refused.
    pub refuse_expand: bool,
    /// A list with `$top` has no next link.
    pub cut_at_top: bool,
}

/// A request below a version.
pub struct GraphRequest<'a> {
    /// The tenant of the token.
    pub tenant: &'a TenantState,
    /// The permissions of the token.
    pub roles: &'a [String],
    /// `http://…/graph/beta`
    pub base: &'a str,
    /// Whether the version is beta.
    pub beta: bool,
    /// The path without leading slash.
    pub path: &'a str,
    /// The query string.
    pub query: &'a str,
    /// What bends the answer.
    pub bent: Bent<'a>,
    /// The id of the request.
    pub request_id: &'a str,
}

impl<'a> GraphRequest<'a> {
    /// Answers a GET.
    #[must_use]
    pub fn get(&self) -> Answer {
        let query = match Query::parse(self.query, self.beta) {
            Ok(query) => query,
            Err(message) => return self.bad_request(&message),
        };
        let path = self.path.trim_end_matches('/');
        let path = ALIASES.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(path)).map_or(path, |(_, path)| path);
        let segments = segments(path);
        let names: Vec<&str> = segments.iter().map(String::as_str).collect();
        match names.as_slice() {
            ["groups", below @ ..] => return self.groups(below, &query),
            ["organization", below @ ..] => return self.organization(below),
            ["deviceAppManagement", "managedAppPolicies"] => return self.app_policies(&query),
            ["deviceManagement", "templates", below @ ..] => return self.templates(below, &query),
            ["deviceManagement", name @ ("configurationSettings" | "configurationCategories"), below @ ..]
                if self.beta =>
            {
                return self.setting_definitions(name, below, &query);
            }
            ["deviceManagement", log, below @ ..] if log.eq_ignore_ascii_case("auditEvents") => {
                return self.audit_log(Log::Intune, below, &query);
            }
            ["auditLogs", log, below @ ..] if log.eq_ignore_ascii_case("directoryAudits") => {
                return self.audit_log(Log::Entra, below, &query);
            }
            [root @ ("deviceManagement" | "deviceAppManagement")] => return self.service(root),
            _ => {}
        }
        let Some((resource, below)) = find(&segments).filter(|(resource, _)| self.beta || resource.v1) else {
            return self.unknown_path(&segments);
        };
        if let Some(refused) = self.refuse(resource) {
            return refused;
        }
        match below {
            [] if resource.single => self.singleton(resource, &query),
            _ if resource.single => self.not_found(),
            [] => self.list(resource, &query),
            [id] => self.one(resource, id, &query),
            [id, child @ ..] => self.child(resource, id, child, &query),
        }
    }

    /// A collection of this version.
    #[must_use]
    pub fn collection(&self, path: &'a str) -> Collection<'a> {
        Collection { base: self.base, path }
    }

    /// The object that holds the collections of Intune.
    fn service(&self, root: &str) -> Answer {
        let context = format!("{}/$metadata#{root}/$entity", self.base);
        let body = json!({"@odata.context": context, "id": self.tenant.config.tenant_id});
        Answer::ok(body.to_string().into_bytes())
    }

    fn singleton(&self, resource: &'static Resource, query: &Query) -> Answer {
        let number = first_number(resource);
        if !self.tenant.exists(number, 0) {
            return self.not_found();
        }
        let mut whole = Vec::with_capacity(512);
        let object = Object { tenant: self.tenant, kind: &resource.kinds[0], number, index: 0 };
        let collection = self.collection(resource.path);
        object.write(&mut whole, Along { detail: true, ..Along::default() }, collection);
        let mut out = Vec::with_capacity(512);
        // Beta has an array of one where v1.0 has the object.
        let array = self.beta && resource.path == "policies/authorizationPolicy";
        out.extend_from_slice(if array { br#"{"value":["# } else { b"" });
        write_chosen(&whole, None, &query.chosen, &mut out);
        out.extend_from_slice(if array { b"]}" } else { b"" });
        let context = if array { collection.context(query) } else { collection.entity(query) };
        Answer::ok(with_context(&context, &out))
    }

    fn one(&self, resource: &'static Resource, id: &str, query: &Query) -> Answer {
        let Some((number, kind, index)) = self.tenant.find(resource, id) else { return self.not_found() };
        let along = match self.along(resource.expand, &[(number, kind)], query, true) {
            Ok(along) => along,
            Err(refused) => return refused,
        };
        let collection = self.collection(resource.path);
        let mut whole = Vec::with_capacity(2_048);
        Object { tenant: self.tenant, kind, number, index }.write(&mut whole, along, collection);
        let mut out = Vec::new();
        write_chosen(&whole, None, &query.chosen, &mut out);
        Answer::ok(with_context(&collection.entity(query), &out))
    }
}

/// The decoded segments of a path. A key in brackets is a segment of its own: `intents('1')` and `intents/1` are the same
/// (OData URL Conventions 4.01, section 4.3); the parameters of functions stay where they are.
fn segments(path: &str) -> Vec<String> {
    let mut found = Vec::new();
    for part in path.split('/').filter(|part| !part.is_empty()) {
        let part = decode_path(part);
        match part.strip_suffix("')").and_then(|rest| rest.split_once("('")) {
            Some((name, key)) => found.extend([name.to_owned(), key.replace("''", "'")]),
            None => found.push(part),
        }
    }
    found
}

/// The longest resource whose path the segments begin with, and what is below it. Names in paths have no case.
fn find(segments: &[String]) -> Option<(&'static Resource, &[String])> {
    RESOURCES
        .iter()
        .filter_map(|resource| {
            let mut length = 0;
            for name in resource.path.split('/') {
                if !segments.get(length)?.eq_ignore_ascii_case(name) {
                    return None;
                }
                length += 1;
            }
            Some((resource, length))
        })
        .max_by_key(|(_, length)| *length)
        .map(|(resource, length)| (resource, &segments[length..]))
}

/// The path of the collection of the kind that a key names, for faults and tests.
#[must_use]
pub fn path_of(key: &str) -> Option<&'static str> {
    let number = number_of(key)?;
    crate::tenant::kinds().nth(usize::from(number)).map(|(_, resource, _)| resource.path)
}

#[cfg(test)]
mod tests {
    use super::segments;

    #[test]
    fn a_key_in_brackets_is_a_segment_and_the_parameter_of_a_function_is_not() {
        assert_eq!(segments("a/b('x-1')/c"), ["a", "b", "x-1", "c"]);
        assert_eq!(segments("a/f(secret='x')"), ["a", "f(secret='x')"]);
        assert_eq!(segments("a%20b//c+d/"), ["a b", "c+d"]);
    }
}
