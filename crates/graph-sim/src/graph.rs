//! Graph itself: which path is what, page by page.

use crate::{
    answer::Answer,
    catalogue::{IdForm, RESOURCES, Resource},
    identity::read_guid,
    object::{Along, Object},
    query::{Query, decode},
    tenant::{CHILDREN, GROUPS, KindNumber, TenantState, first_number, number_of},
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde_json::{Value, json};
use std::io::Write as _;

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
        if let Some(rest) = path.strip_prefix("groups") {
            return self.groups(rest, &query);
        }
        if path == "organization" || path.starts_with("organization/") {
            return self.organization(path);
        }
        // The longest resource whose path this begins with.
        let found = RESOURCES
            .iter()
            .filter(|resource| {
                path == resource.path || path.strip_prefix(resource.path).is_some_and(|rest| rest.starts_with('/'))
            })
            .max_by_key(|resource| resource.path.len());
        let Some(resource) = found else {
            let segment = path.rsplit('/').next().unwrap_or_default();
            return Answer::error(
                400,
                "BadRequest",
                &format!("Resource not found for the segment '{segment}'."),
                self.request_id,
            );
        };
        if !self.beta && !resource.v1 {
            let segment = path.rsplit('/').next().unwrap_or_default();
            return Answer::error(
                400,
                "BadRequest",
                &format!("Resource not found for the segment '{segment}'."),
                self.request_id,
            );
        }
        if let Some(refused) = self.refuse(resource) {
            return refused;
        }
        let below: Vec<String> =
            path[resource.path.len()..].split('/').filter(|part| !part.is_empty()).map(decode).collect();
        if resource.single {
            return if below.is_empty() { self.singleton(resource) } else { self.not_found() };
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

    fn bad_request(&self, message: &str) -> Answer {
        Answer::error(400, "BadRequest", message, self.request_id)
    }

    fn not_found(&self) -> Answer {
        Answer::error(404, "ResourceNotFound", "The resource could not be found.", self.request_id)
    }

    fn along(&self, resource: &Resource, query: &Query, detail: bool) -> Result<Along, Answer> {
        let mut along = Along { detail, partial: self.bent.partial, ..Along::default() };
        for property in &query.expand {
            let allowed = resource.expand.contains(&property.as_str())
                || (detail && matches!(property.as_str(), "assignments" | "items" | "roleDefinition" | "definition"));
            if !allowed || self.bent.refuse_expand {
                return Err(self.bad_request(&format!(
                    "Parsing OData Select and Expand failed: Could not find a property named '{property}'."
                )));
            }
            match property.as_str() {
                "assignments" => along.assignments = true,
                "settings" => along.settings = true,
                "scheduledActionsForRule" => along.actions = true,
                _ => {}
            }
        }
        Ok(along)
    }

    fn list(&self, resource: &'static Resource, query: &Query) -> Answer {
        let along = match self.along(resource, query, false) {
            Ok(along) => along,
            Err(refused) => return refused,
        };
        let Some((mut kind_at, mut index)) = self.place(query) else {
            return self.bad_request("Badly formed token.");
        };
        let top = query.top.unwrap_or(resource.page).clamp(1, resource.most);
        let mut out = Vec::with_capacity(usize::try_from(top).unwrap_or(100).min(1_000) * 1_200 + 256);
        let _ = write!(out, r#"{{"@odata.context":"{}/$metadata#{}","value":["#, self.base, resource.path);
        let link = format!("{}/{}", self.base, resource.path);
        let first = first_number(resource);
        let mut written = 0;
        while written < top && kind_at < resource.kinds.len() && !self.bent.empty_page {
            let number = first + kind_at as KindNumber;
            if index >= self.tenant.extent(number) {
                kind_at += 1;
                index = 0;
                continue;
            }
            if self.tenant.exists(number, index) {
                if written > 0 {
                    out.push(b',');
                }
                let object = Object { tenant: self.tenant, kind: &resource.kinds[kind_at], number, index };
                if query.select.is_empty() {
                    object.write(&mut out, along, &link);
                } else {
                    let mut whole = Vec::new();
                    object.write(&mut whole, along, &link);
                    select(&whole, &query.select, &mut out);
                }
                written += 1;
            }
            index += 1;
        }
        // Whether anything is left: the rest of this kind may be deleted.
        while kind_at < resource.kinds.len() {
            let number = first + kind_at as KindNumber;
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
        if kind_at < resource.kinds.len() || self.bent.looping || self.bent.foreign.is_some() || self.bent.empty_page {
            let place = if self.bent.looping {
                query.skip_token.clone().unwrap_or_else(|| token(0, 0))
            } else {
                token(kind_at, index)
            };
            let host = self.bent.foreign.map_or_else(|| link.clone(), |host| format!("{host}/{}", resource.path));
            let rest = if query.rest.is_empty() { String::new() } else { format!("{}&", query.rest) };
            let next = format!("{host}?{rest}$skiptoken={place}");
            let _ = write!(out, r#","@odata.nextLink":{}"#, Value::String(next));
        }
        out.push(b'}');
        Answer::ok(out)
    }

    fn place(&self, query: &Query) -> Option<(usize, u64)> {
        let Some(text) = &query.skip_token else { return Some((0, 0)) };
        let decoded = String::from_utf8(URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        let (kind, index) = decoded.strip_prefix("at:")?.split_once(':')?;
        Some((kind.parse().ok()?, index.parse().ok()?))
    }

    fn singleton(&self, resource: &'static Resource) -> Answer {
        let mut out = Vec::with_capacity(512);
        Object { tenant: self.tenant, kind: &resource.kinds[0], number: first_number(resource), index: 0 }.write(
            &mut out,
            Along::default(),
            self.base,
        );
        Answer::ok(out)
    }

    fn one(&self, resource: &'static Resource, id: &str, query: &Query) -> Answer {
        let along = match self.along(resource, query, true) {
            Ok(along) => along,
            Err(refused) => return refused,
        };
        let Some((number, kind, index)) = self.tenant.find(resource, id) else { return self.not_found() };
        let mut whole = Vec::with_capacity(2_048);
        Object { tenant: self.tenant, kind, number, index }.write(
            &mut whole,
            along,
            &format!("{}/{}", self.base, resource.path),
        );
        if query.select.is_empty() {
            return Answer::ok(whole);
        }
        let mut out = Vec::new();
        select(&whole, &query.select, &mut out);
        Answer::ok(out)
    }

    fn child(&self, resource: &'static Resource, id: &str, child: &[String], query: &Query) -> Answer {
        let Some((number, kind, index)) = self.tenant.find(resource, id) else { return self.not_found() };
        let object = Object { tenant: self.tenant, kind, number, index };
        let mut out = br#"{"value":"#.to_vec();
        let segments: Vec<&str> = child.iter().map(String::as_str).collect();
        match segments.as_slice() {
            ["assignments"] if kind.assigned => object.write_assignments(&mut out),
            ["settings"] if kind.family.is_some() || matches!(kind.key, "linuxCompliancePolicy" | "endpointSecurityIntent") => {
                let from = query.skip_token.as_deref().and_then(|text| text.parse().ok()).unwrap_or(0);
                if let Some(next) = object.write_settings(&mut out, from, query.top.unwrap_or(25)) {
                    let next = format!("{}/{}/{id}/settings?$skiptoken={next}", self.base, resource.path);
                    let _ = write!(out, r#","@odata.nextLink":"{next}""#);
                }
            }
            ["categories"] if kind.key == "endpointSecurityIntent" => {
                out.extend_from_slice(br#"[{"id":"b1ee5f7b-0a11-4f2c-8f3e-1a2b3c4d5e6f","displayName":"Firewall","hasRequiredSetting":false}]"#);
            }
            ["categories", _, "settings"] if kind.key == "endpointSecurityIntent" => {
                let _ = object.write_settings(&mut out, 0, u64::MAX);
            }
            ["scheduledActionsForRule"] => object.write_actions(&mut out),
            ["relationships"] if kind.key == "mobileApp" => out.extend_from_slice(b"[]"),
            ["definitionValues"] if kind.key == "groupPolicyConfiguration" => self.definition_values(&mut out, &object),
            ["definitionValues", _, "presentationValues"] if kind.key == "groupPolicyConfiguration" => out.extend_from_slice(
                br##"[{"@odata.type":"#microsoft.graph.groupPolicyPresentationValueText","id":"p1","value":"https://example.com"}]"##,
            ),
            ["enrollmentProfiles"] if kind.key == "appleEnrollmentToken" => self.enrolment_profiles(&mut out, index),
            ["roleScopeTags"] => out.extend_from_slice(br#"[{"id":"0","displayName":"Default"}]"#),
            ["localizedNotificationMessages"] => out.extend_from_slice(b"[]"),
            ["roleDefinition"] if kind.key == "intuneRoleAssignment" => {
                return Answer::ok(br#"{"id":"0","displayName":"A role"}"#.to_vec());
            }
            [.., last] => {
                return self.bad_request(&format!("Resource not found for the segment '{last}'."));
            }
            [] => return self.not_found(),
        }
        out.push(b'}');
        Answer::ok(out)
    }

    fn definition_values(&self, out: &mut Vec<u8>, object: &Object<'_>) {
        let edits = self.tenant.changes(object.number, object.index).edits;
        out.push(b'[');
        for row in 0..(1 + object.index % 3) {
            if row > 0 {
                out.push(b',');
            }
            let _ = write!(
                out,
                r#"{{"id":"d{row}","enabled":{},"configurationType":"policy","createdDateTime":"2026-01-01T00:00:00Z","lastModifiedDateTime":"2026-01-01T00:00:00Z","definition":{{"id":"5f2e{row:04}-0000-4000-8000-000000000000","displayName":"Setting {row}","classType":"machine","categoryPath":"\\Windows Components"}}}}"#,
                (object.index + u64::from(edits)).is_multiple_of(2)
            );
        }
        out.push(b']');
    }

    fn enrolment_profiles(&self, out: &mut Vec<u8>, token: u64) {
        out.push(b'[');
        for nth in 0..2 {
            if nth > 0 {
                out.push(b',');
            }
            out.extend_from_slice(br##"{"@odata.type":"#microsoft.graph.depIOSEnrollmentProfile","id":""##);
            self.tenant.write_id(out, CHILDREN, IdForm::Guid, token * 2 + nth);
            let _ = write!(
                out,
                r#"","displayName":"Automated enrolment {nth}","requiresUserAuthentication":true,"isDefault":false,"supervisedModeEnabled":true}}"#
            );
        }
        out.push(b']');
    }

    fn group(&self, index: u64) -> Value {
        json!({"id": self.tenant.id(GROUPS, IdForm::Guid, index), "displayName": format!("Group {index:04} {}", self.tenant.config.name), "@odata.type": "#microsoft.graph.group"})
    }

    fn group_index(&self, id: &str) -> Option<u64> {
        read_guid(self.tenant.config.seed, id)
            .filter(|(kind, index)| *kind == GROUPS && *index < self.tenant.groups())
            .map(|found| found.1)
    }

    fn may_read_groups(&self) -> bool {
        self.roles
            .iter()
            .any(|role| matches!(role.as_str(), "Group.Read.All" | "GroupMember.Read.All" | "Directory.Read.All"))
    }

    fn groups(&self, rest: &str, query: &Query) -> Answer {
        if !self.may_read_groups() {
            return Answer::error(
                403,
                "Authorization_RequestDenied",
                "Insufficient privileges to complete the operation.",
                self.request_id,
            );
        }
        if let Some(id) = rest.strip_prefix('/') {
            return match self.group_index(id) {
                Some(index) => Answer::ok(self.group(index).to_string().into_bytes()),
                None => Answer::error(
                    404,
                    "Request_ResourceNotFound",
                    &format!("Resource '{id}' does not exist."),
                    self.request_id,
                ),
            };
        }
        let value: Vec<Value> = match &query.filter {
            Some(filter) => {
                filter.split('\'').filter_map(|part| self.group_index(part)).map(|index| self.group(index)).collect()
            }
            None => (0..self.tenant.groups().min(100)).map(|index| self.group(index)).collect(),
        };
        Answer::ok(json!({"value": value}).to_string().into_bytes())
    }

    fn organization(&self, path: &str) -> Answer {
        if !self.roles.iter().any(|role| matches!(role.as_str(), "Organization.Read.All" | "Directory.Read.All")) {
            return Answer::error(
                403,
                "Authorization_RequestDenied",
                "Insufficient privileges to complete the operation.",
                self.request_id,
            );
        }
        let config = &self.tenant.config;
        let segments: Vec<&str> = path.split('/').skip(1).collect();
        let body = match segments.as_slice() {
            [] => {
                json!({"value": [{"id": config.tenant_id, "displayName": config.name, "verifiedDomains": [{"name": "example.com", "isDefault": true}]}]})
            }
            [_] => json!({"id": config.tenant_id, "displayName": config.name}),
            [_, "branding"] => json!({"id": "0", "signInPageText": "Welcome"}),
            [_, "branding", "localizations"] => {
                json!({"value": [{"id": "0", "signInPageText": "Welcome"}, {"id": "de-DE", "signInPageText": "Willkommen"}]})
            }
            _ => return self.not_found(),
        };
        Answer::ok(body.to_string().into_bytes())
    }

    /// Answers `POST /directoryObjects/getByIds`.
    #[must_use]
    pub fn objects_by_ids(&self, body: &[u8]) -> Answer {
        if !self.may_read_groups() {
            return Answer::error(
                403,
                "Authorization_RequestDenied",
                "Insufficient privileges to complete the operation.",
                self.request_id,
            );
        }
        let ids: Vec<String> = serde_json::from_slice::<Value>(body)
            .ok()
            .and_then(|body| serde_json::from_value(body["ids"].clone()).ok())
            .unwrap_or_default();
        if ids.is_empty() || ids.len() > 1_000 {
            return self.bad_request("The collection 'ids' must hold 1 to 1000 ids.");
        }
        let value: Vec<Value> =
            ids.iter().filter_map(|id| self.group_index(id)).map(|index| self.group(index)).collect();
        Answer::ok(json!({"value": value}).to_string().into_bytes())
    }
}

/// The number of the kind that a key names, for faults and tests.
#[must_use]
pub fn path_of(key: &str) -> Option<&'static str> {
    let number = number_of(key)?;
    crate::tenant::kinds().nth(usize::from(number)).map(|(_, resource, _)| resource.path)
}

fn token(kind: usize, index: u64) -> String {
    URL_SAFE_NO_PAD.encode(format!("at:{kind}:{index}"))
}

fn select(whole: &[u8], properties: &[String], out: &mut Vec<u8>) {
    let Ok(Value::Object(object)) = serde_json::from_slice(whole) else { return };
    let kept: serde_json::Map<String, Value> = object
        .into_iter()
        .filter(|(name, _)| name == "@odata.type" || name == "id" || properties.contains(name))
        .collect();
    let _ = serde_json::to_writer(out, &kept);
}
