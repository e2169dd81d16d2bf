//! The audit logs of Intune and Entra.

use std::collections::BTreeSet;

use reqwest::StatusCode;
use serde_json::Value;
use tenantatlas_graph_sim::{CREDENTIAL_MARK, Log};

use crate::visitor::Visitor;

const INTUNE: &str = "v1.0/deviceManagement/auditEvents";
const ENTRA: &str = "v1.0/auditLogs/directoryAudits";

fn ids(events: &[Value]) -> BTreeSet<String> {
    events.iter().map(|event| event["id"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test]
async fn both_logs_are_read_page_by_page_and_tell_what_happened_with_whoever_did_it() {
    let visitor = Visitor::new(400, |_| {}).await;
    let control = visitor.cloud.control();
    let told = control.evolve(&visitor.tenant.tenant_id, 1).remove(0);
    let wanted = |log: Log| -> BTreeSet<String> {
        let events = control.audit_events(&visitor.tenant.tenant_id);
        events.into_iter().filter(|event| event.log == log).map(|event| event.id).collect()
    };
    let intune = visitor.all(&format!("{INTUNE}?$top=9")).await;
    assert_eq!(ids(&intune), wanted(Log::Intune));
    assert_eq!(ids(&visitor.all(&format!("{ENTRA}?$top=9")).await), wanted(Log::Entra));
    let edited = &told.edited["settingsCatalogPolicy"][0];
    let about: Vec<&Value> = intune.iter().filter(|event| event["resources"][0]["resourceId"] == **edited).collect();
    assert!(about.iter().any(|event| event["activityResult"] == "Success"), "{about:?}");
    assert!(about.iter().all(|event| event["actor"]["applicationId"].is_string()));
    let value = about[0]["resources"][0]["modifiedProperties"][0]["newValue"].as_str().expect("a value");
    assert!(value.contains(CREDENTIAL_MARK));
    let one = visitor.get(&format!("{INTUNE}/{}", about[0]["id"].as_str().expect("an id"))).await;
    assert_eq!((one.0, &one.1["id"]), (StatusCode::OK, &about[0]["id"]));
}

#[tokio::test]
async fn the_logs_compare_the_time_and_refuse_what_they_do_not_know() {
    let visitor = Visitor::new(400, |_| {}).await;
    let all = visitor.all(ENTRA).await;
    let middle = all[all.len() / 2]["activityDateTime"].as_str().expect("a time").to_owned();
    let since = visitor.all(&format!("{ENTRA}?$filter=activityDateTime%20ge%20{middle}")).await;
    let until = visitor.all(&format!("{ENTRA}?$filter=activityDateTime%20le%20{middle}&$top=3")).await;
    assert_eq!(since.len() + until.len(), all.len() + 1, "the event of that moment is in both");
    let both = "loggedByService%20eq%20'Conditional%20Access'%20and%20activityDateTime%20ge%202020-01-01";
    let some = visitor.all(&format!("{ENTRA}?$filter={both}")).await;
    assert!(!some.is_empty() && some.len() < all.len());
    for refused in [
        format!("{ENTRA}?$filter=activityDateTime%20gt%20{middle}"),
        format!("{ENTRA}?$top=1001"),
        format!("{ENTRA}?$filter=category%20eq%20'Policy'"),
        format!("{INTUNE}?$skiptoken=x"),
    ] {
        assert_eq!(visitor.get(&refused).await.0, StatusCode::BAD_REQUEST, "{refused}");
    }
    let after = visitor.all(&format!("{INTUNE}?$filter=activityDateTime%20gt%202020-01-01T00:00:00Z&$top=5000")).await;
    assert_eq!(after.len(), visitor.all(INTUNE).await.len());
}

#[tokio::test]
async fn a_log_is_closed_without_its_permission_or_licence_and_forgets() {
    let visitor = Visitor::new(400, |config| {
        config.tenants[0].roles = Some(vec!["AuditLog.Read.All".to_owned()]);
        config.tenants[0].entra_premium = false;
    })
    .await;
    let (status, body) = visitor.get(INTUNE).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(body["error"]["message"].as_str().expect("text").contains("DeviceManagementApps.Read.All"));
    let told = visitor.all(ENTRA).await.len();
    let events = visitor.cloud.control().audit_events(&visitor.tenant.tenant_id);
    let entra = events.iter().filter(|event| event.log == Log::Entra).count();
    assert!(0 < told && told < entra / 2, "{told} of {entra}");
    let visitor = Visitor::new(100, |config| config.tenants[0].intune = false).await;
    let (status, body) = visitor.get(INTUNE).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(body["error"]["message"].as_str().expect("text").contains("not applicable to target tenant"));
}

#[tokio::test]
async fn events_can_come_late() {
    let visitor = Visitor::new(300, |_| {}).await;
    let (control, tenant) = (visitor.cloud.control(), visitor.tenant.tenant_id.as_str());
    let before = visitor.all(INTUNE).await.len();
    control.withhold_audit_events(tenant, true);
    control.evolve(tenant, 1);
    assert_eq!(visitor.all(INTUNE).await.len(), before);
    control.withhold_audit_events(tenant, false);
    assert!(visitor.all(INTUNE).await.len() > before);
}
