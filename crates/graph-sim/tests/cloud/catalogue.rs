//! Every type, and what OData options do to it.

use std::collections::{BTreeMap, BTreeSet};

use reqwest::StatusCode;
use serde_json::{Value, json};
use tenantatlas_graph_sim::{SECRET_MARK, SECRET_MARK_BASE64, path_of};

use crate::visitor::Visitor;

/// Paths of collections with the keys of what is in them.
fn collections(expected: &BTreeMap<String, Vec<String>>) -> BTreeMap<&'static str, Vec<&str>> {
    let mut collections: BTreeMap<&'static str, Vec<&str>> = BTreeMap::new();
    for key in expected.keys() {
        if let Some(path) = path_of(key) {
            collections.entry(path).or_default().push(key);
        }
    }
    collections
}

fn ids(objects: &[Value]) -> BTreeSet<String> {
    objects.iter().map(|object| object["id"].as_str().expect("an id").to_owned()).collect()
}

#[tokio::test]
async fn every_type_is_listed_whole_and_answers_by_id() {
    let visitor = Visitor::new(2_000, |_| {}).await;
    let expected = visitor.cloud.control().expected(&visitor.tenant.tenant_id);
    let mut listed = 0;
    for (path, keys) in collections(&expected) {
        let (status, first) = visitor.get(&format!("beta/{path}")).await;
        assert_eq!(status, StatusCode::OK, "{path}: {first}");
        if !first["value"].is_array() {
            continue;
        }
        if path == "policies/authorizationPolicy" {
            assert_eq!(first["value"].as_array().map(Vec::len), Some(1), "beta has an array");
            continue;
        }
        let objects = visitor.all(&format!("beta/{path}")).await;
        let wanted: BTreeSet<String> = keys.iter().flat_map(|key| expected[*key].iter().cloned()).collect();
        assert_eq!(ids(&objects), wanted, "{path}");
        assert_eq!(objects.len(), wanted.len(), "{path}: an object came twice");
        listed += objects.len();
        let id = objects[0]["id"].as_str().expect("an id");
        let (status, one) = visitor.get(&format!("beta/{path}/{id}")).await;
        assert_eq!((status, &one["id"]), (StatusCode::OK, &objects[0]["id"]), "{path}");
    }
    assert!(listed > 1_900, "{listed}");
    let (status, _) = visitor.get("v1.0/deviceManagement/configurationPolicies").await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "beta only");
}

#[tokio::test]
async fn what_comes_only_when_asked_for_does_not_come_otherwise() {
    let visitor = Visitor::new(3_000, |_| {}).await;
    for (path, property) in [
        ("deviceAppManagement/iosManagedAppProtections", "apps"),
        ("deviceManagement/notificationMessageTemplates", "localizedNotificationMessages"),
        ("identityGovernance/termsOfUse/agreements", "files"),
        ("deviceAppManagement/mdmWindowsInformationProtectionPolicies", "protectedAppLockerFiles"),
        ("deviceAppManagement/mobileApps", "categories"),
        ("deviceManagement/deviceCompliancePolicies", "scheduledActionsForRule"),
    ] {
        let (_, without) = visitor.get(&format!("beta/{path}?$top=3")).await;
        let (_, with) = visitor.get(&format!("beta/{path}?$top=3&$expand={property}")).await;
        assert!(without["value"][0].get(property).is_none(), "{path}");
        assert!(with["value"][0][property].is_array(), "{path}: {with}");
    }
    let path = "beta/deviceManagement/deviceCompliancePolicies?$top=1&$expand=scheduledActionsForRule";
    let actions = "scheduledActionConfigurations";
    let (_, flat) = visitor.get(path).await;
    assert!(flat["value"][0]["scheduledActionsForRule"][0].get(actions).is_none());
    let (_, nested) = visitor.get(&format!("{path}($expand={actions})")).await;
    assert!(nested["value"][0]["scheduledActionsForRule"][0][actions].is_array());

    let path = "beta/deviceManagement/reusablePolicySettings";
    assert!(visitor.get(path).await.1["value"][0].get("settingInstance").is_none());
    let (_, selected) = visitor.get(&format!("{path}?$select=id,settingInstance")).await;
    assert!(selected["value"][0]["settingInstance"].is_object());
    assert!(selected["value"][0].get("displayName").is_none());

    let path = "beta/deviceManagement/groupPolicyConfigurations";
    let (_, listed) = visitor.get(&format!("{path}?$top=1")).await;
    assert_ne!(listed["value"][0]["policyConfigurationIngestionType"], json!("unknown"));
    let (_, alone) = visitor.get(&format!("{path}/{}", listed["value"][0]["id"].as_str().expect("an id"))).await;
    assert_eq!(alone["policyConfigurationIngestionType"], json!("unknown"));

    let path = "beta/deviceManagement/configurationPolicies";
    let expected = visitor.cloud.control().expected(&visitor.tenant.tenant_id);
    let function =
        format!("{path}/{}/retrieveEnrollmentTimeDeviceMembershipTarget", expected["devicePreparationPolicy"][0]);
    let (_, target) = visitor.get(&function).await;
    assert!(target["enrollmentTimeDeviceMembershipTargetValidationStatuses"][0]["targetId"].is_string(), "{target}");
    let certificate = "microsoft.graph.iosVpnConfiguration/identityCertificate";
    let mut answers = BTreeSet::new();
    for id in &expected["deviceConfiguration"] {
        answers.insert(visitor.get(&format!("beta/deviceManagement/deviceConfigurations/{id}/{certificate}")).await.0);
    }
    assert_eq!(answers, BTreeSet::from([StatusCode::OK, StatusCode::NOT_FOUND]));

    let path = "beta/deviceAppManagement/policySets";
    let id = visitor.all(path).await[0]["id"].as_str().expect("an id").to_owned();
    assert_eq!(visitor.get(&format!("{path}?$expand=items")).await.0, StatusCode::BAD_REQUEST);
    let (_, set) = visitor.get(&format!("{path}/{id}?$expand=items,assignments")).await;
    assert!(set["items"].is_array() && set["assignments"].is_array(), "{set}");
}

#[tokio::test]
async fn top_filter_and_count_keep_to_what_each_collection_understands() {
    let visitor = Visitor::new(6_000, |_| {}).await;
    let (status, _) = visitor.get("beta/deviceManagement/windowsFeatureUpdateProfiles?$top=201").await;
    assert_eq!(status, StatusCode::BAD_REQUEST, "above the limit");
    let (_, page) = visitor.get("beta/deviceManagement/configurationPolicies?$top=5000&$count=true").await;
    assert_eq!(page["value"].as_array().map(Vec::len), Some(1_000), "clamped");
    assert!(page["@odata.count"].as_u64().expect("a count") > 1_000);
    let (_, page) = visitor.get("v1.0/identity/conditionalAccess/policies?$top=5").await;
    assert!(page.get("@odata.nextLink").is_none(), "a small page is cut off without a word");

    let path = "beta/deviceAppManagement/mobileAppConfigurations";
    let oem = visitor
        .all(&format!(
            "{path}?$filter=microsoft.graph.androidManagedStoreAppConfiguration/appSupportsOemConfig eq true"
        ))
        .await;
    let expected = visitor.cloud.control().expected(&visitor.tenant.tenant_id);
    assert_eq!(ids(&oem), expected["oemConfigPolicy"].iter().cloned().collect());
    let (_, built_in) = visitor.get("beta/deviceManagement/roleDefinitions?$filter=isBuiltIn eq false").await;
    assert!(built_in["value"].as_array().expect("roles").iter().all(|role| role["isBuiltIn"] == json!(false)));
    for refused in ["$filter=endsWith(id,'x')", "$orderby=displayName", "$search=x", "$skiptoken=%25%25"] {
        let (status, _) = visitor.get(&format!("{path}?{refused}")).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{refused}");
    }
}

#[tokio::test]
async fn settings_come_page_by_page() {
    let visitor = Visitor::new(4_000, |_| {}).await;
    let policies = visitor.all("beta/deviceManagement/configurationPolicies?$top=1000").await;
    let long = policies.iter().find(|policy| policy["settingCount"] == json!(60)).expect("a long policy");
    let path = format!("beta/deviceManagement/configurationPolicies/{}/settings", long["id"].as_str().expect("an id"));
    assert_eq!(visitor.get(&path).await.1["value"].as_array().map(Vec::len), Some(25));
    let settings = visitor.all(&path).await;
    let definitions: BTreeSet<&str> =
        settings.iter().filter_map(|setting| setting["settingInstance"]["settingDefinitionId"].as_str()).collect();
    assert_eq!((settings.len(), definitions.len()), (60, 60));
}

#[tokio::test]
async fn references_lead_to_objects() {
    let visitor = Visitor::new(3_000, |_| {}).await;
    let expected = visitor.cloud.control().expected(&visitor.tenant.tenant_id);
    let known = |key: &str, id: &Value| id.as_str().is_some_and(|id| expected[key].iter().any(|known| known == id));
    let pages = visitor.all("beta/deviceManagement/deviceEnrollmentConfigurations").await;
    let apps: Vec<&Value> = pages.iter().filter_map(|page| page["selectedMobileAppIds"].as_array()).flatten().collect();
    assert!(!apps.is_empty() && apps.iter().all(|app| known("mobileApp", app)));
    let policies = visitor.all("v1.0/identity/conditionalAccess/policies").await;
    assert!(policies.iter().all(|policy| {
        known("namedLocation", &policy["conditions"]["locations"]["excludeLocations"][0])
            && known("termsOfUse", &policy["grantControls"]["termsOfUse"][0])
    }));
    let apps = visitor.all("beta/deviceAppManagement/mobileApps?$expand=assignments,categories&$top=500").await;
    assert!(apps.iter().filter(|app| app["vppTokenId"].is_string()).all(|app| known("vppToken", &app["vppTokenId"])));
    let filters: Vec<&Value> = apps
        .iter()
        .flat_map(|app| app["assignments"].as_array().expect("assignments"))
        .map(|assignment| &assignment["target"]["deviceAndAppManagementAssignmentFilterId"])
        .filter(|filter| filter.is_string())
        .collect();
    assert!(!filters.is_empty() && filters.iter().all(|filter| known("assignmentFilter", filter)));
    let body = serde_json::to_string(
        &visitor.all("beta/deviceManagement/configurationPolicies?$expand=settings&$top=1000").await,
    )
    .expect("JSON");
    assert!(expected["reusablePolicySetting"].iter().any(|id| body.contains(id)));
}

#[tokio::test]
async fn all_kinds_of_app_protection_are_in_one_list_too() {
    let visitor = Visitor::new(3_000, |_| {}).await;
    let all = visitor.all("v1.0/deviceAppManagement/managedAppPolicies?$top=7").await;
    let expected = visitor.cloud.control().expected(&visitor.tenant.tenant_id);
    let wanted = ["appProtectionIos", "appProtectionAndroid", "appProtectionWindows", "mamAppConfiguration"];
    assert!(wanted.iter().flat_map(|key| &expected[*key]).all(|id| ids(&all).contains(id)));
    assert!(all.iter().all(|policy| {
        policy["@odata.type"].as_str().is_some_and(|name| name.ends_with("tion") || name.ends_with("Policy"))
    }));
}

#[tokio::test]
async fn an_object_of_another_type_takes_over_the_name() {
    let visitor = Visitor::new(3_000, |_| {}).await;
    let intents = visitor.all("beta/deviceManagement/intents").await;
    let told = visitor.cloud.control().evolve(&visitor.tenant.tenant_id, 2);
    for migration in told.iter().flat_map(|step| &step.migrated) {
        let before = intents.iter().find(|intent| intent["id"] == json!(migration.from_id)).expect("it was there");
        let path = format!("beta/deviceManagement/{}", "configurationPolicies");
        let (_, after) = visitor.get(&format!("{path}/{}", migration.to_id)).await;
        assert_eq!(before["displayName"], after["name"]);
        let gone = visitor.get(&format!("beta/deviceManagement/intents/{}", migration.from_id)).await.0;
        assert_eq!(gone, StatusCode::NOT_FOUND);
    }
    assert_eq!(told.iter().map(|step| step.migrated.len()).sum::<usize>(), 2);
}

#[tokio::test]
async fn the_list_of_planted_secrets_is_what_is_on_the_wire() {
    let visitor = Visitor::new(600, |_| {}).await;
    let secrets = visitor.cloud.control().planted_secrets(&visitor.tenant.tenant_id, usize::MAX);
    let properties: BTreeSet<&str> = secrets.iter().filter_map(|secret| secret.pointer.rsplit('/').next()).collect();
    for property in [
        "tokenValue",
        "qrCodeContent",
        "wifiPassword",
        "preSharedKey",
        "adDomainPassword",
        "scriptContent",
        "certificate",
        "token",
        "ownerUserPrincipalName",
    ] {
        assert!(properties.contains(property), "{property} in {properties:?}");
    }
    assert!(
        secrets
            .iter()
            .all(|secret| { secret.value.contains(SECRET_MARK) || secret.value.contains(SECRET_MARK_BASE64) })
    );
    let credentials: BTreeSet<&str> = secrets
        .iter()
        .filter(|secret| secret.credential)
        .filter_map(|secret| secret.pointer.rsplit('/').next())
        .collect();
    for property in ["tokenValue", "preSharedKey", "adDomainPassword", "productKey", "payloadJson", "value"] {
        assert!(credentials.contains(property), "{property} in {credentials:?}");
    }
    assert!(!credentials.contains("scriptContent") && !credentials.contains("largeIcon"), "{credentials:?}");
    let secret = secrets.iter().find(|secret| secret.pointer == "/scriptContent").expect("a script");
    let path = path_of(&secret.policy_type).expect("a path");
    let (_, script) = visitor.get(&format!("beta/{path}/{}", secret.id)).await;
    assert_eq!(script["scriptContent"], json!(secret.value));
}
