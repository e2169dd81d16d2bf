//! Groups and the organization.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::catalogue::IdForm;
use crate::context::with_context;
use crate::filter::{self, Filter};
use crate::graph::GraphRequest;
use crate::identity::read_guid;
use crate::listing::write_chosen;
use crate::query::Query;
use crate::tenant::GROUPS;

/// The most ids that a filter of groups takes.
const IDS: usize = 15;

/// Languages of the sign-in page with their text; the first is for all others.
const WELCOME: [(&str, &str); 2] = [("0", "Welcome"), ("de-DE", "Willkommen")];

impl GraphRequest<'_> {
    fn group(&self, index: u64) -> Value {
        let dynamic = index.is_multiple_of(5);
        json!({
            "id": self.tenant.id(GROUPS, IdForm::Guid, index),
            "displayName": format!("Ring {index:04} {}", self.tenant.config.name),
            "description": null,
            "groupTypes": if dynamic { vec!["DynamicMembership"] } else { Vec::new() },
            "membershipRule": dynamic.then_some("(device.deviceOwnership -eq \"Company\")"),
            "mailEnabled": false,
            "securityEnabled": true,
        })
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

    fn insufficient(&self) -> Answer {
        let message = "Insufficient privileges to complete the operation.";
        Answer::error(403, "Authorization_RequestDenied", message, self.request_id)
    }

    /// Answers for groups.
    #[must_use]
    pub fn groups(&self, below: &[&str], query: &Query) -> Answer {
        if !self.may_read_groups() {
            return self.insufficient();
        }
        match below {
            [] => self.group_list(query),
            [id] => match self.group_index(id) {
                Some(index) => {
                    let context = self.collection("groups").entity(query);
                    Answer::ok(with_context(&context, &chosen(&self.group(index), query)))
                }
                None => {
                    let message = format!(
                        "Resource '{id}' does not exist or one of its queried reference-property objects are not present."
                    );
                    Answer::error(404, "Request_ResourceNotFound", &message, self.request_id)
                }
            },
            [.., last] => self.unknown_segment(last),
        }
    }

    fn group_list(&self, query: &Query) -> Answer {
        let unsupported = |message: &str| Answer::error(400, "Request_UnsupportedQuery", message, self.request_id);
        let filter = match query.filter.as_deref().map(|text| Filter::parse(text, filter::GROUP)).transpose() {
            Ok(filter) => filter,
            Err(_) => {
                return unsupported(
                    "Unsupported or invalid query filter clause specified for property of resource 'Group'.",
                );
            }
        };
        if let Some(Filter::Ids(ids)) = &filter {
            if ids.len() > IDS {
                return unsupported(&format!(
                    "Too many child clauses specified in search filter expression containing 'OR' operators: {}. Max allowed: {IDS}.",
                    ids.len()
                ));
            }
            let found: Vec<Value> =
                ids.iter().filter_map(|id| self.group_index(id)).map(|index| self.group(index)).collect();
            return self.group_page(&found, None, query);
        }
        let Ok(from) = query.skip_token.as_deref().unwrap_or("0").parse::<u64>() else {
            return self.bad_request("Badly formed token.");
        };
        let most = usize::try_from(query.top.unwrap_or(100).clamp(1, 999)).unwrap_or(100);
        let passes = |group: &Value| {
            filter.as_ref().is_none_or(|filter| group.as_object().is_some_and(|group| filter.matches(group)))
        };
        let mut found: Vec<(u64, Value)> = (from..self.tenant.groups())
            .map(|index| (index, self.group(index)))
            .filter(|(_, group)| passes(group))
            .take(most + 1)
            .collect();
        let next = if found.len() > most { found.pop().map(|(index, _)| index) } else { None };
        let groups: Vec<Value> = found.into_iter().map(|(_, group)| group).collect();
        self.group_page(&groups, next, query)
    }

    fn group_page(&self, groups: &[Value], next: Option<u64>, query: &Query) -> Answer {
        let value: Vec<Value> =
            groups.iter().map(|group| serde_json::from_slice(&chosen(group, query)).unwrap_or_default()).collect();
        let mut page = json!({"@odata.context": self.collection("groups").context(query), "value": value});
        if let Some(next) = next {
            let rest = if query.rest.is_empty() { String::new() } else { format!("{}&", query.rest) };
            page["@odata.nextLink"] = json!(format!("{}/groups?{rest}$skiptoken={next}", self.base));
        }
        Answer::ok(page.to_string().into_bytes())
    }

    /// Answers for the organization and its branding.
    #[must_use]
    pub fn organization(&self, below: &[&str]) -> Answer {
        if !self.roles.iter().any(|role| matches!(role.as_str(), "Organization.Read.All" | "Directory.Read.All")) {
            return self.insufficient();
        }
        let config = &self.tenant.config;
        let context = |path: &str| format!("{}/$metadata#organization{path}", self.base);
        let id = &config.tenant_id;
        let body = match below {
            [] => json!({"@odata.context": context(""), "value": [{
                "id": id, "displayName": config.name, "verifiedDomains": [{"name": "example.com", "isDefault": true}],
            }]}),
            [_] => json!({"@odata.context": context("/$entity"), "id": id, "displayName": config.name}),
            [_, "branding"] => json!({
                "@odata.context": context(&format!("('{id}')/branding/$entity")), "id": "0", "signInPageText": "Welcome",
            }),
            [_, "branding", "localizations"] => json!({
                "@odata.context": context(&format!("('{id}')/branding/localizations")),
                "value": WELCOME.map(|(locale, text)| json!({"id": locale, "signInPageText": text})),
            }),
            [_, "branding", "localizations", locale] => {
                let Some(text) = WELCOME.iter().find(|(known, _)| known == locale).map(|(_, text)| *text) else {
                    return self.not_found();
                };
                let context = context(&format!("('{id}')/branding/localizations/$entity"));
                json!({"@odata.context": context, "id": locale, "signInPageText": text})
            }
            _ => return self.not_found(),
        };
        Answer::ok(body.to_string().into_bytes())
    }

    /// Answers `POST /directoryObjects/getByIds`.
    #[must_use]
    pub fn objects_by_ids(&self, body: &[u8]) -> Answer {
        if !self.may_read_groups() {
            return self.insufficient();
        }
        let ids: Vec<String> = serde_json::from_slice::<Value>(body)
            .ok()
            .and_then(|body| serde_json::from_value(body["ids"].clone()).ok())
            .unwrap_or_default();
        if ids.is_empty() || ids.len() > 1_000 {
            return self.bad_request("The collection 'ids' must hold 1 to 1000 ids.");
        }
        // Objects of any type are in one list: each says which it is.
        let typed = |index| {
            let mut group = self.group(index);
            group["@odata.type"] = json!("#microsoft.graph.group");
            group
        };
        let value: Vec<Value> = ids.iter().filter_map(|id| self.group_index(id)).map(typed).collect();
        let context = format!("{}/$metadata#directoryObjects", self.base);
        Answer::ok(json!({"@odata.context": context, "value": value}).to_string().into_bytes())
    }
}

/// The properties of `$select`, or all.
fn chosen(object: &Value, query: &Query) -> Vec<u8> {
    let mut out = Vec::new();
    write_chosen(object.to_string().as_bytes(), None, &query.select, &mut out);
    out
}
