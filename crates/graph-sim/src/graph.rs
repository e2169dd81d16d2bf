//! Graph itself: which path is what, page by page.

use crate::{
    answer::Answer,
    catalogue::{Kind, RESOURCES, Resource},
    filter::Filter,
    object::{Along, Object},
    query::{Query, decode},
    tenant::{KindNumber, TenantState, first_number, kind_of, number_of},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::io::Write as _;

/// Addresses that lead to the same collection.
const ALIASES: [(&str, &str); 2] = [
    ("identity/conditionalAccess/authenticationStrengths/policies", "policies/authenticationStrengthPolicies"),
    ("identity/conditionalAccess/authenticationStrength/policies", "policies/authenticationStrengthPolicies"),
];

/// What `managedAppPolicies` lists, with the types that it tells.
const APP_POLICIES: [(&str, &str); 7] = [
    ("appProtectionIos", "iosManagedAppProtection"),
    ("appProtectionAndroid", "androidManagedAppProtection"),
    ("appProtectionWindows", "windowsManagedAppProtection"),
    ("wipPolicyMdm", "mdmWindowsInformationProtectionPolicy"),
    ("wipPolicy", "windowsInformationProtectionPolicy"),
    ("appProtectionDefault", "defaultManagedAppProtection"),
    ("mamAppConfiguration", "targetedManagedAppConfiguration"),
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

impl GraphRequest<'_> {
    /// Answers a GET.
    #[must_use]
    pub fn get(&self) -> Answer {
        let query = match Query::parse(self.query) {
            Ok(query) => query,
            Err(message) => return self.bad_request(&message),
        };
        let path = self.path.trim_end_matches('/');
        let path = ALIASES.iter().find(|(alias, _)| *alias == path).map_or(path, |(_, path)| path);
        match path.split('/').next() {
            Some("groups") => return self.groups(path.trim_start_matches("groups"), &query),
            Some("organization") => return self.organization(path),
            _ => {}
        }
        if path == "deviceAppManagement/managedAppPolicies" {
            return self.app_policies(&query);
        }
        if let Some(id) = path.strip_prefix("deviceManagement/templates/") {
            return self.template(id);
        }
        // The longest resource whose path this begins with.
        let found = RESOURCES
            .iter()
            .filter(|resource| {
                path == resource.path || path.strip_prefix(resource.path).is_some_and(|rest| rest.starts_with('/'))
            })
            .max_by_key(|resource| resource.path.len());
        let Some(resource) = found.filter(|resource| self.beta || resource.v1) else {
            return self.unknown_segment(path.rsplit('/').next().unwrap_or_default());
        };
        if let Some(refused) = self.refuse(resource) {
            return refused;
        }
        let below: Vec<String> =
            path[resource.path.len()..].split('/').filter(|part| !part.is_empty()).map(decode).collect();
        if resource.single {
            return if below.is_empty() { self.singleton(resource, &query) } else { self.not_found() };
        }
        match below.as_slice() {
            [] => self.list(resource, &query),
            [id] => self.one(resource, id, &query),
            [id, child @ ..] => self.child(resource, id, child, &query),
        }
    }

    fn refuse(&self, resource: &Resource) -> Option<Answer> {
        let licence = &self.tenant.config;
        if resource.path.contains("virtualEndpoint") && !licence.windows365 {
            return Some(Answer::error(
                403,
                "Forbidden",
                "The tenant does not have a Windows 365 license.",
                self.request_id,
            ));
        }
        if resource.path.ends_with("cloudCertificationAuthority") && !licence.cloud_pki {
            return Some(Answer::error(
                403,
                "Forbidden",
                "The tenant does not have a license for Microsoft Cloud PKI.",
                self.request_id,
            ));
        }
        if resource.path.starts_with("device") && !licence.intune {
            return Some(Answer::intune_error(
                400,
                "BadRequest",
                "Request not applicable to target tenant.",
                self.request_id,
            ));
        }
        if !resource.permissions.iter().any(|permission| self.roles.iter().any(|role| role == permission)) {
            let message = format!(
                "Application is not authorized to perform this operation. Application must have one of the following scopes: {}",
                resource.permissions.join(", ")
            );
            return Some(Answer::intune_error(403, "Forbidden", &message, self.request_id));
        }
        None
    }

    /// A 400 with a message.
    pub fn bad_request(&self, message: &str) -> Answer {
        Answer::error(400, "BadRequest", message, self.request_id)
    }

    /// What Graph says about a segment that it does not have.
    pub fn unknown_segment(&self, segment: &str) -> Answer {
        self.bad_request(&format!("Resource not found for the segment '{segment}'."))
    }

    /// A 404 for an object.
    pub fn not_found(&self) -> Answer {
        Answer::error(404, "ResourceNotFound", "The resource could not be found.", self.request_id)
    }

    fn along<'a>(
        &self,
        expand: &[&str],
        kinds: &[(KindNumber, &'static Kind)],
        query: &'a Query,
        detail: bool,
    ) -> Result<Along<'a>, Answer> {
        for property in &query.expand {
            // A single read expands more than a list does.
            let single = |kind: &Kind| {
                (property == "assignments" && kind.assigned) || kind.expandable.iter().any(|(name, _)| name == property)
            };
            let allowed = expand.contains(&property.as_str()) || (detail && kinds.iter().any(|(_, kind)| single(kind)));
            if !allowed || self.bent.refuse_expand {
                return Err(self.bad_request(&format!(
                    "Parsing OData Select and Expand failed: Could not find a property named '{property}'."
                )));
            }
        }
        Ok(Along {
            expand: &query.expand,
            configurations: query.expand_text.contains("scheduledActionConfigurations"),
            select: &query.select,
            detail,
            partial: self.bent.partial,
            odata: None,
        })
    }

    fn list(&self, resource: &'static Resource, query: &Query) -> Answer {
        let first = first_number(resource);
        let kinds: Vec<_> = (first..).zip(&resource.kinds).collect();
        let along = match self.along(resource.expand, &kinds, query, false) {
            Ok(along) => along,
            Err(refused) => return refused,
        };
        if let Some(top) = query.top.filter(|top| resource.strict && *top > resource.most) {
            return self.bad_request(&format!(
                "The limit of '{}' for Top query has been exceeded. The value from the incoming request is '{top}'.",
                resource.most
            ));
        }
        self.page(resource.path, &kinds, query.top.unwrap_or(resource.page).clamp(1, resource.most), query, along)
    }

    /// One page of some kinds, one after the other.
    fn page(
        &self,
        path: &str,
        kinds: &[(KindNumber, &'static Kind)],
        top: u64,
        query: &Query,
        along: Along<'_>,
    ) -> Answer {
        let Some((mut kind_at, mut index)) = self.place(query) else {
            return self.bad_request("Badly formed token.");
        };
        let turn = index;
        if self.bent.endless {
            (kind_at, index) = (0, 0);
        }
        let filter = match query.filter.as_deref().map(Filter::parse).transpose() {
            Ok(filter) => filter,
            Err(message) => return self.bad_request(&message),
        };
        let mut out = Vec::with_capacity(usize::try_from(top).unwrap_or(100).min(1_000) * 2_048 + 256);
        let _ = write!(out, r#"{{"@odata.context":"{}/$metadata#{path}","#, self.base);
        if query.count {
            let count: u64 = kinds.iter().map(|(number, _)| self.tenant.present(*number)).sum();
            let _ = write!(out, r#""@odata.count":{count},"#);
        }
        out.extend_from_slice(br#""value":["#);
        let link = format!("{}/{path}", self.base);
        let mut written = 0;
        let mut whole = Vec::new();
        while written < top && kind_at < kinds.len() && !self.bent.empty_page {
            let (number, kind) = kinds[kind_at];
            if index >= self.tenant.extent(number) {
                kind_at += 1;
                index = 0;
                continue;
            }
            if self.tenant.exists(number, index) {
                let object = Object { tenant: self.tenant, kind, number, index };
                let along = Along { odata: along.odata.and(app_policy_type(kind.key)), ..along };
                let before = out.len();
                if written > 0 {
                    out.push(b',');
                }
                if query.select.is_empty() && filter.is_none() {
                    object.write(&mut out, along, &link);
                    written += 1;
                } else {
                    whole.clear();
                    object.write(&mut whole, along, &link);
                    if write_chosen(&whole, filter.as_ref(), &query.select, &mut out) {
                        written += 1;
                    } else {
                        out.truncate(before);
                    }
                }
            }
            index += 1;
        }
        // Whether anything is left: the rest of this kind may be deleted.
        while kind_at < kinds.len() {
            let number = kinds[kind_at].0;
            if index >= self.tenant.extent(number) {
                kind_at += 1;
                index = 0;
            } else if self.tenant.exists(number, index) {
                break;
            } else {
                index += 1;
            }
        }
        out.push(b']');
        // A small `$top` cuts conditional access policies off without a word (IntuneManagement, issue 364).
        let silent = path == "identity/conditionalAccess/policies" && query.top.is_some_and(|top| top < 100);
        let bent = self.bent.looping
            || self.bent.foreign.is_some()
            || self.bent.empty_page
            || self.bent.endless
            || self.bent.link.is_some();
        if (kind_at < kinds.len() && !silent) || bent {
            let place = if self.bent.looping {
                query.skip_token.clone().unwrap_or_else(|| token(0, 0))
            } else if self.bent.endless {
                token(0, turn + 1)
            } else {
                token(kind_at, index)
            };
            let host = self.bent.foreign.map_or_else(|| link.clone(), |host| format!("{host}/{path}"));
            let rest = if query.rest.is_empty() { String::new() } else { format!("{}&", query.rest) };
            let next = self
                .bent
                .link
                .map_or_else(|| format!("{host}?{rest}$skiptoken={place}"), |link| self.filled(link, path));
            let _ = write!(out, r#","@odata.nextLink":{}"#, Value::String(next));
        }
        out.push(b'}');
        Answer::ok(out)
    }

    /// A link as a fault wants it.
    fn filled(&self, link: &str, path: &str) -> String {
        let host = self.base.split('/').nth(2).unwrap_or_default();
        link.replace("{base}", self.base).replace("{host}", host).replace("{path}", path)
    }

    /// All kinds of app protection in one list, with their types and without assignments.
    fn app_policies(&self, query: &Query) -> Answer {
        let kinds: Vec<_> = APP_POLICIES
            .iter()
            .filter_map(|(key, _)| number_of(key))
            .filter_map(|number| kind_of(number).map(|kind| (number, kind)))
            .collect();
        let resource =
            RESOURCES.iter().find(|resource| resource.path == "deviceAppManagement/iosManagedAppProtections");
        if let Some(refused) = resource.and_then(|resource| self.refuse(resource)) {
            return refused;
        }
        match self.along(&[], &kinds, query, false) {
            Ok(along) => {
                let along = Along { odata: Some(""), ..along };
                self.page(
                    "deviceAppManagement/managedAppPolicies",
                    &kinds,
                    query.top.unwrap_or(100).clamp(1, 1_000),
                    query,
                    along,
                )
            }
            Err(refused) => refused,
        }
    }

    /// A template of the legacy endpoint security.
    fn template(&self, id: &str) -> Answer {
        let Some(intents) = RESOURCES.iter().find(|resource| resource.path == "deviceManagement/intents") else {
            return self.not_found();
        };
        self.refuse(intents).unwrap_or_else(|| {
            let body = json!({"id": id, "displayName": "Endpoint security", "templateType": "securityTemplate", "isDeprecated": true});
            Answer::ok(body.to_string().into_bytes())
        })
    }

    fn place(&self, query: &Query) -> Option<(usize, u64)> {
        let Some(text) = &query.skip_token else { return Some((0, 0)) };
        let decoded = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (kind, index) = decoded.strip_prefix("at:")?.split_once(':')?;
        Some((kind.parse().ok()?, index.parse().ok()?))
    }

    fn singleton(&self, resource: &'static Resource, query: &Query) -> Answer {
        let number = first_number(resource);
        if !self.tenant.exists(number, 0) {
            return self.not_found();
        }
        let mut whole = Vec::with_capacity(512);
        let object = Object { tenant: self.tenant, kind: &resource.kinds[0], number, index: 0 };
        object.write(&mut whole, Along { detail: true, ..Along::default() }, self.base);
        let mut out = Vec::with_capacity(512);
        // Beta has an array of one where v1.0 has the object.
        let array = self.beta && resource.path == "policies/authorizationPolicy";
        out.extend_from_slice(if array { br#"{"value":["# } else { b"" });
        write_chosen(&whole, None, &query.select, &mut out);
        out.extend_from_slice(if array { b"]}" } else { b"" });
        Answer::ok(self.in_context(resource.path, &out))
    }

    fn one(&self, resource: &'static Resource, id: &str, query: &Query) -> Answer {
        let Some((number, kind, index)) = self.tenant.find(resource, id) else { return self.not_found() };
        let along = match self.along(resource.expand, &[(number, kind)], query, true) {
            Ok(along) => along,
            Err(refused) => return refused,
        };
        let mut whole = Vec::with_capacity(2_048);
        Object { tenant: self.tenant, kind, number, index }.write(
            &mut whole,
            along,
            &format!("{}/{}", self.base, resource.path),
        );
        let mut out = Vec::new();
        write_chosen(&whole, None, &query.select, &mut out);
        Answer::ok(self.in_context(&format!("{}/$entity", resource.path), &out))
    }

    /// An object as it stands for itself, with the address of what describes it.
    fn in_context(&self, path: &str, object: &[u8]) -> Vec<u8> {
        let Some(rest) = object.strip_prefix(b"{") else { return object.to_vec() };
        let mut out = Vec::with_capacity(object.len() + 128);
        let _ = write!(out, r#"{{"@odata.context":"{}/$metadata#{path}""#, self.base);
        if !rest.starts_with(b"}") {
            out.push(b',');
        }
        out.extend_from_slice(rest);
        out
    }
}

/// The path of the collection of the kind that a key names, for faults and tests.
#[must_use]
pub fn path_of(key: &str) -> Option<&'static str> {
    let number = number_of(key)?;
    crate::tenant::kinds().nth(usize::from(number)).map(|(_, resource, _)| resource.path)
}

fn token(kind: usize, index: u64) -> String {
    URL_SAFE_NO_PAD.encode(format!("at:{kind}:{index}"))
}

/// The type of an object in the list of all kinds of app protection.
fn app_policy_type(key: &str) -> Option<&'static str> {
    APP_POLICIES.iter().find(|(policy, _)| *policy == key).map(|(_, odata)| *odata)
}

/// Writes an object with the properties that were selected, when it passes the filter; tells whether it did.
fn write_chosen(whole: &[u8], filter: Option<&Filter>, properties: &[String], out: &mut Vec<u8>) -> bool {
    if filter.is_none() && properties.is_empty() {
        out.extend_from_slice(whole);
        return true;
    }
    let Ok(Value::Object(object)) = serde_json::from_slice(whole) else { return false };
    if !filter.is_none_or(|filter| filter.matches(&object)) {
        return false;
    }
    if properties.is_empty() {
        out.extend_from_slice(whole);
        return true;
    }
    let kept: serde_json::Map<String, Value> = object
        .into_iter()
        .filter(|(name, _)| name == "@odata.type" || name == "id" || properties.contains(name))
        .collect();
    serde_json::to_writer(out, &kept).is_ok()
}
