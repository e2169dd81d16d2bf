//! An entry of the audit log as a sentence: who did what, or tried to.

use std::collections::HashMap;

use serde_json::Value;
use tenantatlas_domain::audit::AuditAction;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::operation::OperationStatus;
use tenantatlas_domain::role::Role;
use tenantatlas_engine::Operations;
use tenantatlas_store::audit::{Entry, Outcome};

use crate::format::counted;

/// What people and runs are called now, by their id.
pub type Names = HashMap<String, String>;

/// What the actor of an entry did, as the rest of a sentence that begins with their name. None for what has no words: the
/// name of the action says it then.
#[must_use]
pub fn deed(entry: &Entry, names: &Names, operations: &Operations) -> Option<String> {
    let (done, to_do) = match entry.action.parse::<AuditAction>() {
        Ok(action) => words(action, &entry.resource_id, &entry.context, names)?,
        Err(_) => of_run(entry, names, operations)?,
    };
    Some(match entry.outcome {
        Outcome::Success => done,
        Outcome::Failure => format!("tried to {to_do}, which failed"),
        Outcome::Denied => format!("tried to {to_do}, which was not allowed"),
    })
}

/// What was done with a schedule, and what is tried.
fn of_schedule(context: &Value, done: &str, to_do: &str) -> (String, String) {
    let name =
        context["name"].as_str().map_or("a schedule".into(), |name| format!("the schedule {}", visible_on_page(name)));
    (format!("{done} {name}"), format!("{to_do} {name}"))
}

/// What was done, and what is tried: `removed Ada`, `remove Ada`.
fn words(action: AuditAction, resource: &str, context: &Value, names: &Names) -> Option<(String, String)> {
    let who = || names.get(resource).cloned().unwrap_or_else(|| "somebody who is not here any more".to_owned());
    let role = || context["role"].as_str().and_then(|role| role.parse().ok()).map_or("a member", with_article);
    let email = || context["email"].as_str().map_or("somebody".into(), visible_on_page);
    let same = |done: &str, to_do: &str| Some((done.to_owned(), to_do.to_owned()));
    match action {
        AuditAction::MemberAdded if resource == "unknown" => {
            same("tried an e-mail address that nobody has", "add a member")
        }
        AuditAction::MemberAdded => Some((format!("added {} as {}", who(), role()), format!("add {}", who()))),
        AuditAction::MemberInvited => {
            Some((format!("invited {} as {}", email(), role()), format!("invite {}", email())))
        }
        AuditAction::InvitationAccepted => {
            Some((format!("accepted the invitation as {}", role()), "accept an invitation".to_owned()))
        }
        AuditAction::InvitationRevoked => {
            Some((format!("took the invitation of {} back", email()), "take an invitation back".to_owned()))
        }
        AuditAction::MemberRemoved => Some((format!("removed {}", who()), format!("remove {}", who()))),
        AuditAction::MemberSet => Some((format!("made {} {}", who(), role()), format!("make {} {}", who(), role()))),
        AuditAction::AuditExported => same("downloaded the audit log", "download the audit log"),
        AuditAction::FindingsExported => same("downloaded findings", "download findings"),
        AuditAction::InventoryExported => same("downloaded the inventory", "download the inventory"),
        AuditAction::EndpointAdded => same("added an endpoint", "add an endpoint"),
        AuditAction::EndpointChanged => same("changed an endpoint", "change an endpoint"),
        AuditAction::EndpointSwitched => same("switched an endpoint on or off", "switch an endpoint on or off"),
        AuditAction::EndpointSwitchedOff => {
            same("switched an endpoint off, since nothing could be delivered", "switch an endpoint off")
        }
        AuditAction::EndpointSecretRotated => {
            same("replaced the secret of an endpoint", "replace the secret of an endpoint")
        }
        AuditAction::EndpointTested => same("tested an endpoint", "test an endpoint"),
        AuditAction::EndpointRemoved => same("removed an endpoint", "remove an endpoint"),
        AuditAction::DeliveryReplayed => same("sent a message once more", "send a message once more"),
        AuditAction::FindingsAccepted => {
            let (what, reason) = (findings(context), context["reason"].as_str().map(visible_on_page));
            let why = reason.map(|reason| format!(", since: {reason}")).unwrap_or_default();
            Some((format!("accepted {what}{why}"), format!("accept {what}")))
        }
        AuditAction::FindingsReopened => {
            Some((format!("took the acceptance of {0} back", findings(context)), "take an acceptance back".to_owned()))
        }
        AuditAction::SettingsExported => same("downloaded what policies set", "download what policies set"),
        AuditAction::PolicyExported => same("downloaded a version", "download a version"),
        AuditAction::ScriptSeen => same("looked at a script", "look at a script"),
        AuditAction::CancelRequested => same("cancelled a run", "cancel a run"),
        AuditAction::RetryRequested => same("tried a run again", "try a run again"),
        AuditAction::SavedViewChanged => same("changed a saved view", "change a saved view"),
        AuditAction::ScheduleAdded => Some(of_schedule(context, "added", "add")),
        AuditAction::ScheduleChanged => Some(of_schedule(context, "changed", "change")),
        AuditAction::SchedulePaused => Some(of_schedule(context, "paused", "pause")),
        AuditAction::ScheduleResumed => Some(of_schedule(context, "resumed", "resume")),
        AuditAction::ScheduleRemoved => Some(of_schedule(context, "removed", "remove")),
        AuditAction::ScheduleStopped => same("stopped by itself", "stop"),
        AuditAction::TokenCreated => {
            let name = context["name"].as_str().map_or("of the API".into(), visible_on_page);
            Some((format!("made the token {name}"), format!("make the token {name}")))
        }
        AuditAction::TokenRevoked => {
            let name = context["name"].as_str().map_or("of the API".into(), visible_on_page);
            Some((format!("revoked the token {name}"), format!("revoke the token {name}")))
        }
        AuditAction::TokenRefused => {
            let when = match context["reason"].as_str() {
                Some("revoked") => "after it was revoked",
                Some("owner_disabled") => "although its person can no longer sign in",
                _ => "after its end",
            };
            Some((format!("was used {when}"), format!("ask for something {when}")))
        }
        AuditAction::TenantAdded => same("added this tenant", "add this tenant"),
        AuditAction::CertificateMade => {
            same("made a certificate for a new tenant", "make a certificate for a new tenant")
        }
        AuditAction::TenantUpdated => same("changed the connection", "change the connection"),
        AuditAction::CredentialRotated => same("replaced the credential", "replace the credential"),
        AuditAction::CredentialRemoved => {
            same("removed the credential by changing the connection", "change the connection")
        }
        AuditAction::TenantFavourite => same("changed a favorite", "change a favorite"),
        _ => None,
    }
}

fn findings(context: &Value) -> String {
    counted(context["count"].as_u64().unwrap_or(1), "finding", "findings")
}

const fn with_article(role: Role) -> &'static str {
    match role {
        Role::Readonly => "a read-only member",
        Role::Operator => "an operator",
        Role::Manager => "a manager",
        Role::Owner => "an owner",
    }
}

/// The words for an entry of a run, whose name is made of its operation and what happened.
fn of_run(entry: &Entry, names: &Names, operations: &Operations) -> Option<(String, String)> {
    let (kind, event) = entry.action.rsplit_once('.')?;
    let known = operations.kinds().into_iter().find(|known| format!("{}.{}", known.resource, known.action) == kind)?;
    let operation = operations.words(known.resource, known.action).operation;
    let title = run_title(&operation, names.get(&entry.resource_id));
    match event {
        "dispatched" => Some((format!("started: {title}"), format!("start: {title}"))),
        "cancel_requested" => Some((format!("cancelled: {title}"), format!("cancel: {title}"))),
        ended => {
            let status: OperationStatus = ended.parse().ok()?;
            Some((format!("ran: {title}. {}", ended_words(status)), format!("run: {title}")))
        }
    }
}

/// `Conditional Access (inventory sync)`; the operation alone where the run has no name of its own, or is no longer kept.
fn run_title(operation: &str, name: Option<&String>) -> String {
    match name.filter(|name| name.as_str() != operation) {
        Some(name) => format!("{} ({})", visible_on_page(name), operation.to_lowercase()),
        None => operation.to_owned(),
    }
}

fn ended_words(status: OperationStatus) -> String {
    match status {
        OperationStatus::Aborted => "It was stopped".to_owned(),
        ended => format!("It {}", ended.bucket().label().to_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(action: AuditAction, context: &Value) -> Option<(String, String)> {
        let names = Names::from([("7".to_owned(), "Remy Reader".to_owned())]);
        words(action, "7", context, &names)
    }

    #[test]
    fn runs_of_one_operation_are_told_apart_by_their_names() {
        let named = run_title("Inventory sync", Some(&"Conditional Access".to_owned()));
        assert_eq!(named, "Conditional Access (inventory sync)");
        assert_eq!(run_title("Inventory sync", None), "Inventory sync");
        assert_eq!(ended_words(OperationStatus::CompletedWithErrors), "It partially succeeded");
        assert_eq!(ended_words(OperationStatus::Aborted), "It was stopped");
    }

    #[test]
    fn a_membership_is_told_with_the_name_and_the_role() {
        let made = told(AuditAction::MemberSet, &json!({ "role": "readonly" })).expect("words");
        assert_eq!(made.0, "made Remy Reader a read-only member");
        let added = told(AuditAction::MemberAdded, &json!({ "role": "owner" })).expect("words");
        assert_eq!(added.0, "added Remy Reader as an owner");
    }

    #[test]
    fn an_invitation_is_told_with_the_address_and_the_role() {
        let context = json!({ "email": "bea@example.com", "role": "operator" });
        let made = told(AuditAction::MemberInvited, &context).expect("words");
        assert_eq!(made, ("invited bea@example.com as an operator".to_owned(), "invite bea@example.com".to_owned()));
        let revoked = told(AuditAction::InvitationRevoked, &context).expect("words");
        assert_eq!(revoked.0, "took the invitation of bea@example.com back");
        let used = told(AuditAction::InvitationAccepted, &context).expect("words");
        assert_eq!(used.0, "accepted the invitation as an operator");
    }

    #[test]
    fn everything_that_concerns_a_tenant_and_that_somebody_did_has_words() {
        for action in AuditAction::ALL.iter().filter(|action| action.concerns_a_tenant()) {
            let says = told(*action, &json!({})).is_some();
            assert_eq!(says, *action != AuditAction::AccessRefused, "{action}");
        }
    }
}
