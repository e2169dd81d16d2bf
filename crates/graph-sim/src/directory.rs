//! Groups and the organization.

use crate::{
    answer::Answer, catalogue::IdForm, filter::Filter, graph::GraphRequest, identity::read_guid, query::Query,
    tenant::GROUPS,
};
use serde_json::{Value, json};

impl GraphRequest<'_> {
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

    /// Answers for groups.
    pub fn groups(&self, rest: &str, query: &Query) -> Answer {
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
        let value: Vec<Value> = match query.filter.as_deref().map(Filter::parse) {
            Some(Ok(Filter::Ids(ids))) if ids.len() > 15 => {
                return self.bad_request(&format!(
                    "Too many child clauses specified in search filter expression containing 'OR' operators: {}. Max allowed: 15.",
                    ids.len()
                ));
            }
            Some(Ok(Filter::Ids(ids))) => {
                ids.iter().filter_map(|id| self.group_index(id)).map(|index| self.group(index)).collect()
            }
            Some(_) => return self.bad_request("Unsupported or invalid query filter clause specified."),
            None => return self.all_groups(query),
        };
        Answer::ok(json!({"value": value}).to_string().into_bytes())
    }

    fn all_groups(&self, query: &Query) -> Answer {
        let Ok(from) = query.skip_token.as_deref().unwrap_or("0").parse::<u64>() else {
            return self.bad_request("Badly formed token.");
        };
        let until = self.tenant.groups().min(from.saturating_add(query.top.unwrap_or(100).clamp(1, 999)));
        let value: Vec<Value> = (from..until).map(|index| self.group(index)).collect();
        let mut page = json!({"@odata.context": format!("{}/$metadata#groups", self.base), "value": value});
        if until < self.tenant.groups() {
            let rest = if query.rest.is_empty() { String::new() } else { format!("{}&", query.rest) };
            page["@odata.nextLink"] = json!(format!("{}/groups?{rest}$skiptoken={until}", self.base));
        }
        Answer::ok(page.to_string().into_bytes())
    }

    /// Answers for the organization and its branding.
    pub fn organization(&self, path: &str) -> Answer {
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
