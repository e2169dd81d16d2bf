//! The audit logs over HTTP: their addresses, their filters, their pages and the form of their events.

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::audit::{AUTOMATION, Log, PEOPLE, Record, Verb, What, Who, now_ms};
use crate::graph::GraphRequest;
use crate::identity::guid_of;
use crate::instant::write_millis;
use crate::object::{CREDENTIAL_MARK, CREDENTIAL_MARK_BASE64, SECRET_MARK};
use crate::query::Query;
use crate::tenant::TenantState;

/// The address of Intune's log.
pub const INTUNE: &str = "deviceManagement/auditEvents";
/// The address of Entra's log.
pub const ENTRA: &str = "auditLogs/directoryAudits";

/// Events of a page where `$top` asks for none, and the most that it can ask for.
const PAGE: (usize, usize) = (100, 1_000);
/// How many days Entra keeps events with a premium licence, and without.
const ENTRA_KEEPS: (u64, u64) = (30, 7);
/// The application id of the Microsoft Intune portal, by which people work.
const PORTAL: &str = "5926fc8e-304e-4f59-8bed-58ca97cc39a4";

/// A comparison of the time of an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Bound {
    After(u64),
    From(u64),
    Until(u64),
    Before(u64),
}

impl Bound {
    fn holds(self, at_ms: u64) -> bool {
        match self {
            Self::After(bound) => at_ms > bound,
            Self::From(bound) => at_ms >= bound,
            Self::Until(bound) => at_ms <= bound,
            Self::Before(bound) => at_ms < bound,
        }
    }
}

/// What a filter asks: bounds of the time, and for Entra the service that logged.
#[derive(Debug, Default)]
struct Asked {
    bounds: Vec<Bound>,
    service: Option<String>,
}

impl Asked {
    /// Reads comparisons that are joined by `and`. Entra's documentation names `eq`, `ge` and `le` of the time, and
    /// `loggedByService eq`; of Intune's log clients use `gt`, `ge`, `lt` and `le`.
    fn parse(log: Log, text: &str) -> Option<Self> {
        let mut asked = Self::default();
        for part in text.split(" and ") {
            let part = part.trim().trim_start_matches('(').trim_end_matches(')');
            let mut words = part.splitn(3, ' ');
            let (name, operator, value) = (words.next()?, words.next()?, words.next()?.trim());
            if log == Log::Entra && name == "loggedByService" && operator == "eq" {
                asked.service = Some(value.trim_matches('\'').to_owned());
                continue;
            }
            if name != "activityDateTime" {
                return None;
            }
            let at = read_time(value)?;
            match (log, operator) {
                (_, "ge") => asked.bounds.push(Bound::From(at)),
                (_, "le") => asked.bounds.push(Bound::Until(at)),
                (Log::Entra, "eq") => asked.bounds.extend([Bound::From(at), Bound::Until(at)]),
                (Log::Intune, "gt") => asked.bounds.push(Bound::After(at)),
                (Log::Intune, "lt") => asked.bounds.push(Bound::Before(at)),
                _ => return None,
            }
        }
        Some(asked)
    }

    fn holds(&self, tenant: &TenantState, event: &Record) -> bool {
        self.bounds.iter().all(|bound| bound.holds(event.at_ms))
            && self.service.as_deref().is_none_or(|service| service == service_of(tenant, event))
    }
}

/// Milliseconds since 1970 of a time in UTC, with or without a fraction; a date alone is its midnight.
fn read_time(text: &str) -> Option<u64> {
    let text = text.trim_matches('\'');
    let (date, time) = text.split_once('T').unwrap_or((text, "00:00:00Z"));
    let mut parts = date.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let time = time.strip_suffix('Z')?;
    let (whole, fraction) = time.split_once('.').unwrap_or((time, "0"));
    let mut parts = whole.split(':').map(|part| part.parse::<i64>().ok());
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    let millis: i64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
    // Days from civil date after Howard Hinnant's algorithm.
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468;
    u64::try_from((((days * 24 + hour) * 60 + minute) * 60 + second) * 1_000 + millis).ok()
}

impl GraphRequest<'_> {
    /// Answers for a log: the list, or one event.
    #[must_use]
    pub fn audit_log(&self, log: Log, below: &[&str], query: &Query) -> Answer {
        if let Some(refused) = self.refuse_log(log) {
            return refused;
        }
        match below {
            [] => self.audit_page(log, query),
            [id] => match self.events(log).find(|event| event.id == *id) {
                Some(event) => Answer::ok(self.event(event).to_string().into_bytes()),
                None => self.not_found(),
            },
            [.., last] => self.unknown_segment(last),
        }
    }

    fn refuse_log(&self, log: Log) -> Option<Answer> {
        match log {
            Log::Intune if !self.tenant.config.intune => {
                let message = "Request not applicable to target tenant.";
                Some(Answer::intune_error(400, "BadRequest", message, self.request_id))
            }
            Log::Intune => self.lacks_all(&["DeviceManagementApps.Read.All"]),
            Log::Entra => self.lacks_all(&["AuditLog.Read.All"]),
        }
    }

    /// The events that the log still has, the newest first.
    fn events(&self, log: Log) -> impl Iterator<Item = &Record> {
        let (premium, free) = ENTRA_KEEPS;
        let days = match log {
            Log::Intune => 730,
            Log::Entra if self.tenant.config.entra_premium => premium,
            Log::Entra => free,
        };
        let oldest = now_ms().saturating_sub(days * 86_400_000);
        self.tenant.records.told(log).rev().filter(move |event| event.at_ms >= oldest)
    }

    fn audit_page(&self, log: Log, query: &Query) -> Answer {
        let Some(asked) = Asked::parse(log, query.filter.as_deref().unwrap_or("activityDateTime ge 1970-01-01")) else {
            return self.bad_request("Invalid filter clause");
        };
        let Ok(from) = query.skip_token.as_deref().unwrap_or("0").parse::<usize>() else {
            return self.bad_request("Badly formed token.");
        };
        let (usual, most) = PAGE;
        let top = query.top.and_then(|top| usize::try_from(top).ok());
        if log == Log::Entra && top.is_some_and(|top| top > most) {
            return self.bad_request("The page size must be between 1 and 1000.");
        }
        let top = top.unwrap_or(usual).clamp(1, most).min(self.tenant.config.audit_page.max(1));
        let mut found: Vec<&Record> = self
            .events(log)
            .filter(|event| asked.holds(self.tenant, event))
            .skip(if self.bent.endless { 0 } else { from })
            .take(top.saturating_add(1))
            .collect();
        let more = found.len() > top;
        found.truncate(top);
        let path = if log == Log::Intune { INTUNE } else { ENTRA };
        let value: Vec<Value> = found.into_iter().map(|event| self.event(event)).collect();
        let mut page = json!({"@odata.context": self.collection(path).context(query), "value": value});
        if let Some(link) = self.audit_link(path, query, from, top, more) {
            page["@odata.nextLink"] = json!(link);
        }
        Answer::ok(page.to_string().into_bytes())
    }

    fn audit_link(&self, path: &str, query: &Query, from: usize, top: usize, more: bool) -> Option<String> {
        let rest = if query.rest.is_empty() { String::new() } else { format!("{}&", query.rest) };
        if let Some(host) = self.bent.foreign {
            return Some(format!("{host}/{path}?{rest}$skiptoken={}", from + top));
        }
        if self.bent.looping {
            return Some(format!("{}/{path}?{rest}$skiptoken={from}", self.base));
        }
        if self.bent.endless {
            return Some(format!("{}/{path}?{rest}$skiptoken={}", self.base, from + 1));
        }
        more.then(|| format!("{}/{path}?{rest}$skiptoken={}", self.base, from + top))
    }

    fn event(&self, event: &Record) -> Value {
        match event.log {
            Log::Intune => intune_event(self.tenant, event),
            Log::Entra => entra_event(self.tenant, event),
        }
    }
}

fn instant(at_ms: u64) -> String {
    let mut out = Vec::with_capacity(28);
    write_millis(&mut out, at_ms);
    String::from_utf8(out).unwrap_or_default()
}

/// The id of a person and the address by which they sign in.
fn person(tenant: &TenantState, number: usize) -> (String, String) {
    let (local, _) = PEOPLE[number % PEOPLE.len()];
    let seed = tenant.config.seed.to_string();
    (guid_of(&["person", local, &seed]), format!("{local}@{}.example", tenant.config.name.to_lowercase()))
}

/// The application id of what runs by itself.
fn automation(tenant: &TenantState) -> String {
    guid_of(&["automation", &tenant.config.seed.to_string()])
}

/// The component of Intune that logs for a kind.
fn component(event: &Record) -> &'static str {
    match &event.what {
        What::Other(_) => "ManagedDevices",
        What::Object { key, .. } => match *key {
            key if key.contains("ompliance") => "DeviceCompliancePolicy",
            "endpointSecurityIntent" => "DeviceIntent",
            key if key.starts_with("windowsUpdate") || key.starts_with("iosUpdate") => "SoftwareUpdateConfiguration",
            key if key.starts_with("enrollment") || key.starts_with("autopilot") => "Enrollment",
            "mobileApp" => "MobileApp",
            key if key.starts_with("appProtection") => "ManagedAppProtection",
            "assignmentFilter" => "AssignmentFilter",
            key if key.starts_with("role") || key.starts_with("intuneRole") => "RoleBasedAccessControl",
            _ => "DeviceConfiguration",
        },
    }
}

/// The service of Entra that logs for a kind.
fn service_of(_tenant: &TenantState, event: &Record) -> &'static str {
    match &event.what {
        What::Object { key: "conditionalAccessPolicy" | "namedLocation", .. } => "Conditional Access",
        What::Object { key, .. } if key.starts_with("authentication") => "Authentication Methods",
        What::Object { .. } | What::Other(_) => "Core Directory",
    }
}

fn object_of(event: &Record) -> (&str, &'static str) {
    match &event.what {
        What::Object { key, id } => (id, key),
        What::Other(id) => (id, if event.log == Log::Intune { "ManagedDevice" } else { "User" }),
    }
}

/// What changed, with the values before and after: they hold what must never be kept.
fn modified(event: &Record) -> Value {
    if event.verb == Verb::Get {
        return json!([]);
    }
    let names: &[&str] = match event.verb {
        Verb::Assign => &["Assignments", "DeviceManagementAPIVersion"],
        _ => &["Description", "SettingValue", "DeviceManagementAPIVersion"],
    };
    let rows = names.iter().map(|name| {
        json!({
            "displayName": name,
            "oldValue": format!("{SECRET_MARK} before {}", event.id),
            "newValue": format!("{{\"password\":\"{CREDENTIAL_MARK}-{}\",\"key\":\"{CREDENTIAL_MARK_BASE64}\"}}", event.id),
        })
    });
    rows.collect()
}

fn intune_event(tenant: &TenantState, event: &Record) -> Value {
    let operation = match event.verb {
        Verb::Create => "Create",
        Verb::Update => "Patch",
        Verb::Assign => "Action",
        Verb::Delete => "Delete",
        Verb::Get => "Get",
    };
    let component = component(event);
    let (id, key) = object_of(event);
    let word = if event.verb == Verb::Assign { "Assign" } else { operation };
    let activity = format!("{word} {component}");
    let actor = match event.who {
        Who::Person(number) => {
            let (id, address) = person(tenant, number);
            json!({
                "auditActorType": "ItPro", "userPermissions": ["*"], "applicationId": PORTAL,
                "applicationDisplayName": "Microsoft Intune portal extension", "userPrincipalName": address,
                "servicePrincipalName": null, "ipAddress": "203.0.113.9", "userId": id,
            })
        }
        Who::Application => json!({
            "auditActorType": "Application", "userPermissions": [], "applicationId": automation(tenant),
            "applicationDisplayName": AUTOMATION, "userPrincipalName": null,
            "servicePrincipalName": AUTOMATION, "ipAddress": null, "userId": null,
        }),
    };
    json!({
        "id": event.id, "displayName": activity, "componentName": component, "activity": null,
        "activityDateTime": instant(event.at_ms), "activityType": activity, "activityOperationType": operation,
        "activityResult": if event.failed { "Failure" } else { "Success" },
        "correlationId": guid_of(&["correlation", &event.id]), "category": component, "actor": actor,
        "resources": [{
            "displayName": format!("{SECRET_MARK} name"), "auditResourceType": format!("Microsoft.Management.Services.Api.{key}"),
            "resourceId": id, "modifiedProperties": modified(event),
        }],
    })
}

fn entra_event(tenant: &TenantState, event: &Record) -> Value {
    let (operation, word) = match event.verb {
        Verb::Create => ("Add", "Add"),
        Verb::Update | Verb::Assign => ("Update", "Update"),
        Verb::Delete => ("Delete", "Delete"),
        Verb::Get => ("Get", "Read"),
    };
    let (id, key) = object_of(event);
    let noun = match key {
        "conditionalAccessPolicy" => "conditional access policy",
        "namedLocation" => "named location",
        "User" => "user",
        _ => "policy",
    };
    let by = match event.who {
        Who::Person(number) => {
            let (id, address) = person(tenant, number);
            let user = json!({
                "id": id, "displayName": null, "userPrincipalName": address, "ipAddress": "203.0.113.9", "roles": [],
            });
            json!({"user": user, "app": null})
        }
        Who::Application => {
            let app = json!({
                "appId": automation(tenant), "displayName": AUTOMATION, "servicePrincipalId": guid_of(&["principal"]),
                "servicePrincipalName": null,
            });
            json!({"user": null, "app": app})
        }
    };
    json!({
        "id": event.id, "category": if key == "User" { "UserManagement" } else { "Policy" },
        "correlationId": guid_of(&["correlation", &event.id]), "result": if event.failed { "failure" } else { "success" },
        "resultReason": format!("{SECRET_MARK} reason"), "activityDisplayName": format!("{word} {noun}"),
        "activityDateTime": instant(event.at_ms), "loggedByService": service_of(tenant, event), "operationType": operation,
        "initiatedBy": by,
        "targetResources": [{
            "id": id, "displayName": format!("{SECRET_MARK} name"), "type": if key == "User" { "User" } else { "Policy" },
            "userPrincipalName": null, "groupType": null, "modifiedProperties": modified(event),
        }],
        "additionalDetails": [{"key": "User-Agent", "value": format!("{SECRET_MARK} agent")}],
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_compares_the_time_as_its_log_allows() {
        let at = read_time("2026-11-20T22:00:00.5Z").expect("a time");
        assert_eq!(instant(at), "2026-11-20T22:00:00.5000000Z");
        assert_eq!(read_time("1970-01-02"), Some(86_400_000));
        let both = "activityDateTime ge 2026-11-20T22:00:00Z and activityDateTime le 2026-11-21T22:00:00Z";
        let asked = Asked::parse(Log::Entra, both).expect("understood");
        assert!(asked.bounds.iter().all(|bound| bound.holds(at)));
        assert!(Asked::parse(Log::Intune, "activityDateTime gt 2026-11-20T22:00:00Z").is_some());
        for refused in ["activityDateTime gt 2026-11-20T22:00:00Z", "category eq 'Policy'", "", "activityDateTime ge x"]
        {
            assert!(Asked::parse(Log::Entra, refused).is_none(), "{refused}");
        }
    }
}
