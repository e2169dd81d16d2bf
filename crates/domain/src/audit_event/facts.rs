//! From an event as Graph tells it to the facts that are kept.

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::AuditSource;
use crate::sanitise::redact;
use crate::time::Timestamp;

/// Names of changed properties that are kept of an event, at most.
pub const MAX_CHANGED: usize = 50;
/// Objects that are kept of an event, at most.
const MAX_OBJECTS: usize = 50;
/// The longest text that is kept, in characters.
const MAX_TEXT: usize = 200;
/// The longest id that is kept, in characters. A longer one is none.
const MAX_ID: usize = 256;
/// The longest name of a property that is kept, in characters. A longer one may be a value and is left out.
const MAX_PROPERTY: usize = 100;

/// Kinds of objects of Entra's log that are nothing that the inventory holds: people, groups, devices, applications.
const ELSEWHERE: [&str; 6] = ["user", "group", "device", "application", "serviceprincipal", "role"];

/// Who did something.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// The person's id at Microsoft.
    pub user_id: Option<String>,
    /// The name by which the person signs in, or the one by which people know them.
    pub user_name: Option<String>,
    /// The id of the application: what acted by itself, or what the person acted by.
    pub application_id: Option<String>,
    /// Its name.
    pub application_name: Option<String>,
}

impl Actor {
    /// Whether nothing is told of whoever it was.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        *self == Self::default()
    }

    /// Whether it was a person.
    #[must_use]
    pub fn is_person(&self) -> bool {
        self.user_id.is_some() || self.user_name.is_some()
    }

    /// Whether it is the application with this id that acted by itself.
    #[must_use]
    pub fn is_application(&self, id: &str) -> bool {
        !self.is_person() && self.application_id.as_deref().is_some_and(|own| own.eq_ignore_ascii_case(id))
    }

    /// What tells it from others: the id where there is one, else the name. A person is one whatever they acted by.
    #[must_use]
    pub fn key(&self) -> (bool, String) {
        let (id, name) = match self.is_person() {
            true => (&self.user_id, &self.user_name),
            false => (&self.application_id, &self.application_name),
        };
        (self.is_person(), id.as_deref().or(name.as_deref()).unwrap_or_default().to_ascii_lowercase())
    }
}

/// An object that an event names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditObject {
    /// Its id in lower case, as ids are compared.
    pub id: String,
    /// Its kind as the log calls it.
    pub kind: Option<String>,
}

/// What is kept of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditFacts {
    /// The log.
    pub source: AuditSource,
    /// The id of the event in its log.
    pub event_id: String,
    /// When it was done.
    pub at: Timestamp,
    /// What was done, in the words of the log.
    pub activity: String,
    /// The kind of operation: `Create`, `Patch`, `Delete`.
    pub operation: String,
    /// Ties it to other events of the same request.
    pub correlation_id: Option<String>,
    /// Who did it.
    pub actor: Actor,
    /// What it was done to.
    pub objects: Vec<AuditObject>,
    /// The names of the properties that changed, never their values.
    pub changed: Vec<String>,
}

/// The facts of an event; `None` for one of which nothing is kept: it changed nothing (somebody looked at something, or was
/// refused), it is about nothing that the inventory holds, or it cannot be understood.
#[must_use]
pub fn event_of(source: AuditSource, event: &Value) -> Option<AuditFacts> {
    let result = text(event, &["activityResult", "result"]).unwrap_or_default();
    let operation = text(event, &["activityOperationType", "operationType"]).unwrap_or_default();
    if result.to_ascii_lowercase().starts_with("fail") || operation.eq_ignore_ascii_case("get") {
        return None;
    }
    let objects = match source {
        AuditSource::Intune => event.get("resources"),
        AuditSource::Entra => event.get("targetResources"),
    };
    let objects = objects.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let changed = changed(objects);
    let objects: Vec<AuditObject> = objects.iter().filter_map(|one| object(source, one)).take(MAX_OBJECTS).collect();
    if objects.is_empty() {
        return None;
    }
    Some(AuditFacts {
        source,
        event_id: id(event, &["id"])?,
        at: event.get("activityDateTime").and_then(Value::as_str).and_then(Timestamp::parse_rfc3339)?,
        activity: text(event, &["activityType", "activityDisplayName", "displayName"]).unwrap_or_default(),
        operation,
        correlation_id: id(event, &["correlationId"]),
        actor: actor(source, event),
        objects,
        changed,
    })
}

/// The first of these properties that is a text with something in it, sanitised and bounded.
fn text(place: &Value, names: &[&str]) -> Option<String> {
    let found =
        names.iter().find_map(|name| place.get(name)?.as_str().map(str::trim).filter(|text| !text.is_empty()))?;
    let bounded: String = found.chars().filter(|character| *character != '\0').take(MAX_TEXT).collect();
    Some(redact(&bounded))
}

/// The same for an id. What is too long to be one is none.
fn id(place: &Value, names: &[&str]) -> Option<String> {
    let found =
        names.iter().find_map(|name| place.get(name)?.as_str().map(str::trim).filter(|text| !text.is_empty()))?;
    let is_id = found.len() <= MAX_ID && found.chars().all(|one| one.is_ascii_graphic());
    is_id.then(|| found.to_owned())
}

/// A name of a person or an application, bounded. Addresses are names, so they are not taken out.
fn name(place: &Value, names: &[&str]) -> Option<String> {
    let found =
        names.iter().find_map(|name| place.get(name)?.as_str().map(str::trim).filter(|text| !text.is_empty()))?;
    Some(found.chars().filter(|character| *character != '\0').take(MAX_TEXT).collect())
}

fn actor(source: AuditSource, event: &Value) -> Actor {
    match source {
        AuditSource::Intune => {
            let actor = event.get("actor").unwrap_or(&Value::Null);
            Actor {
                user_id: id(actor, &["userId"]),
                user_name: name(actor, &["userPrincipalName"]),
                application_id: id(actor, &["applicationId"]),
                application_name: name(actor, &["applicationDisplayName", "servicePrincipalName"]),
            }
        }
        AuditSource::Entra => {
            let by = |who: &str| event.get("initiatedBy").and_then(|by| by.get(who)).unwrap_or(&Value::Null);
            let (user, app) = (by("user"), by("app"));
            Actor {
                user_id: id(user, &["id"]),
                user_name: name(user, &["userPrincipalName", "displayName"]),
                application_id: id(app, &["appId"]),
                application_name: name(app, &["displayName", "servicePrincipalName"]),
            }
        }
    }
}

fn object(source: AuditSource, object: &Value) -> Option<AuditObject> {
    let (ids, kinds) = match source {
        AuditSource::Intune => (["resourceId"], &["auditResourceType", "type"][..]),
        AuditSource::Entra => (["id"], &["type"][..]),
    };
    let kind = text(object, kinds);
    let elsewhere = |kind: &String| ELSEWHERE.contains(&kind.to_ascii_lowercase().as_str());
    if source == AuditSource::Entra && kind.as_ref().is_some_and(elsewhere) {
        return None;
    }
    Some(AuditObject { id: id(object, &ids)?.to_ascii_lowercase(), kind })
}

/// The names of the properties that changed. Only what has the form of a name is kept: some logs put values in its place.
fn changed(objects: &[Value]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let rows = objects.iter().filter_map(|object| object.get("modifiedProperties")?.as_array()).flatten();
    for name in rows.filter_map(|row| row.get("displayName")?.as_str()) {
        let is_name = !name.is_empty()
            && name.len() <= MAX_PROPERTY
            && name.chars().all(|one| one.is_ascii_alphanumeric() || matches!(one, '_' | '.' | '-' | ' ' | '[' | ']'));
        if is_name && names.len() < MAX_CHANGED && redact(name) == name && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn intune() -> Value {
        json!({
            "id": "e-1", "displayName": "Patch DeviceConfiguration", "activityType": "Patch DeviceConfiguration",
            "activityDateTime": "2026-11-20T22:00:00.1234567Z", "activityOperationType": "Patch",
            "activityResult": "Success", "correlationId": "c-1",
            "actor": {
                "userPrincipalName": "kim@contoso.example", "userId": "u-1", "applicationId": "a-1",
                "applicationDisplayName": "Portal", "ipAddress": "203.0.113.9", "userPermissions": ["*"],
            },
            "resources": [{
                "displayName": "SECRET name", "resourceId": "ABC-1", "auditResourceType": "DeviceConfiguration",
                "modifiedProperties": [
                    {"displayName": "Password", "oldValue": "SECRET old", "newValue": "SECRET new"},
                    {"displayName": "x = SECRET", "newValue": "SECRET"},
                    {"displayName": "Password", "newValue": "SECRET"},
                ],
            }],
        })
    }

    #[test]
    fn of_an_event_only_facts_are_kept_and_never_a_value() {
        let facts = event_of(AuditSource::Intune, &intune()).expect("a change");
        assert_eq!((facts.event_id.as_str(), facts.operation.as_str()), ("e-1", "Patch"));
        assert_eq!(facts.at.to_string(), "2026-11-20T22:00:00.123Z");
        assert_eq!(facts.objects, [AuditObject { id: "abc-1".into(), kind: Some("DeviceConfiguration".into()) }]);
        assert_eq!(facts.changed, ["Password"]);
        let kept = serde_json::to_string(&facts).unwrap();
        assert!(!kept.contains("SECRET") && !kept.contains("203.0.113.9"), "{kept}");
    }

    #[test]
    fn what_changed_nothing_is_no_change() {
        for (property, value) in
            [("activityResult", "Failure"), ("activityOperationType", "Get"), ("id", ""), ("activityDateTime", "x")]
        {
            let mut event = intune();
            event[property] = json!(value);
            assert_eq!(event_of(AuditSource::Intune, &event), None, "{property}");
        }
        assert_eq!(event_of(AuditSource::Entra, &json!({"id": "x"})), None);
        assert_eq!(event_of(AuditSource::Intune, &json!(7)), None);
    }

    #[test]
    fn people_and_applications_of_entra_are_told_apart() {
        let event = |by: Value, kind: &str| {
            json!({
                "id": "e", "activityDateTime": "2026-11-20T22:00:00Z", "activityDisplayName": "Update policy",
                "operationType": "Update", "result": "success", "initiatedBy": by,
                "targetResources": [{"id": "P", "type": kind, "modifiedProperties": null}],
            })
        };
        let user = json!({"user": {"id": "u", "displayName": null, "userPrincipalName": "kim@x.example"}, "app": null});
        let app = json!({"user": null, "app": {"appId": "A-1", "displayName": "Robot"}});
        let person = event_of(AuditSource::Entra, &event(user.clone(), "Policy")).unwrap().actor;
        assert!(person.is_person() && person.key() == (true, "u".to_owned()));
        let robot = event_of(AuditSource::Entra, &event(app, "Policy")).unwrap().actor;
        assert!(robot.is_application("a-1") && !robot.is_application("u"));
        assert_eq!(event_of(AuditSource::Entra, &event(user, "User")), None);
    }
}
