use serde_json::{Value, json};

use super::*;

const GROUP: &str = "11111111-1111-4111-8111-111111111111";
const OTHER: &str = "22222222-2222-4222-8222-222222222222";

/// The edges as short lines: relationship, kind, type, id.
fn edges(key: &str, object: &Value) -> Vec<String> {
    extract(registry().get(key).unwrap(), object)
        .kept
        .into_iter()
        .map(|edge| {
            let Target { kind, policy_type, external_id } = edge.target;
            format!("{} {kind} {} {external_id}", edge.relationship, policy_type.unwrap_or("-"))
        })
        .collect()
}

#[test]
fn assignments_and_scope_tags_are_edges() {
    let target = |kind: &str, group: Option<&str>, filter: &str, mode: &str| {
        json!({"target": {"@odata.type": format!("#microsoft.graph.{kind}"), "groupId": group,
            "deviceAndAppManagementAssignmentFilterId": filter, "deviceAndAppManagementAssignmentFilterType": mode}})
    };
    let object = json!({
        "roleScopeTagIds": ["0", "3"],
        "assignments": [
            target("groupAssignmentTarget", Some(GROUP), OTHER, "include"),
            target("groupAssignmentTarget", Some(GROUP), ZERO_GUID, "none"),
            target("exclusionGroupAssignmentTarget", Some(OTHER), "", "none"),
            target("allDevicesAssignmentTarget", None, "", "none"),
            target("groupAssignmentTarget", Some(ALL_USERS), "", "none"),
            target("configurationManagerCollectionAssignmentTarget", None, "", "none"),
            json!({}),
        ],
    });
    assert_eq!(
        edges("deviceConfiguration", &object),
        [
            format!("assigned_to group - {GROUP}"),
            format!("filtered_by foundation assignmentFilter {OTHER}"),
            format!("excluded_from group - {OTHER}"),
            format!("assigned_to all_devices - {ALL_DEVICES}"),
            format!("assigned_to all_users - {ALL_USERS}"),
            "assigned_to unknown_target - configurationManagerCollectionAssignmentTarget".to_owned(),
            "assigned_to unknown_target - target".to_owned(),
            "scoped_by foundation roleScopeTag 0".to_owned(),
            "scoped_by foundation roleScopeTag 3".to_owned(),
        ]
    );
}

#[test]
fn no_target_of_an_assignment_is_told_as_not_assigned() {
    let target = |target: Value| json!({"assignments": [{"target": target}]});
    for (object, expected, assigned) in [
        (json!({}), &[][..], None),
        (json!({"assignments": []}), &[], Some(false)),
        (
            target(
                json!({"@odata.type": "#microsoft.graph.configurationManagerCollectionAssignmentTarget", "collectionId": "SMS00001"}),
            ),
            &["assigned_to collection - SMS00001"],
            Some(true),
        ),
        (
            target(json!({"@odata.type": "#microsoft.graph.targetOfNextYear", "squadId": "7"})),
            &["assigned_to unknown_target - targetOfNextYear"],
            Some(true),
        ),
        (
            target(json!({"@odata.type": "#microsoft.graph.exclusionSquadAssignmentTarget", "squadId": "7"})),
            &["excluded_from unknown_target - exclusionSquadAssignmentTarget"],
            Some(false),
        ),
        (
            target(json!({"@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": "not a group"})),
            &["assigned_to unknown_target - target"],
            Some(true),
        ),
        (
            target(
                json!({"@odata.type": "#microsoft.graph.scopeTagGroupAssignmentTarget", "entraObjectId": GROUP, "targetType": "user"}),
            ),
            &["assigned_to group - 11111111-1111-4111-8111-111111111111"],
            Some(true),
        ),
    ] {
        assert_eq!(edges("deviceConfiguration", &object), expected);
        assert_eq!(extract(registry().get("deviceConfiguration").unwrap(), &object).assigned, assigned, "{object}");
    }
}

#[test]
fn an_assignment_keeps_its_filter_and_one_that_is_told_twice_claims_none_of_two() {
    let target = |group: &str, filter: Value, mode: &str| {
        json!({"target": {"@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": group,
            "deviceAndAppManagementAssignmentFilterId": filter, "deviceAndAppManagementAssignmentFilterType": mode}})
    };
    let filters = |assignments: Value| -> Vec<Option<AssignmentFilter>> {
        let edges = extract(registry().get("mobileApp").unwrap(), &json!({"assignments": assignments}));
        let kept = edges.kept.into_iter().filter(|edge| edge.relationship == Relationship::AssignedTo);
        kept.map(|edge| edge.filter).collect()
    };
    let filter = |mode| Some(AssignmentFilter { id: "f".to_owned(), mode });
    let include = target(GROUP, json!("f"), "include");
    assert_eq!(
        filters(json!([include, target(OTHER, json!("f"), "exclude")])),
        [filter(FilterMode::Include), filter(FilterMode::Exclude)]
    );
    assert_eq!(filters(json!([include, include])), [filter(FilterMode::Include)]);
    assert_eq!(filters(json!([include, target(GROUP, Value::Null, "none")])), [filter(FilterMode::Several)]);
    assert_eq!(filters(json!([target(GROUP, Value::Null, "none"), include])), [filter(FilterMode::Several)]);
    assert_eq!(filters(json!([target(GROUP, json!("f"), "modeOfNextYear")])), [filter(FilterMode::Unknown)]);
}

#[test]
fn guests_and_service_principals_are_somebody_whom_conditional_access_is_for() {
    let users = |users: Value| edges("conditionalAccessPolicy", &json!({"conditions": {"users": users}}));
    assert_eq!(users(json!({"includeUsers": ["None"]})), Vec::<String>::new());
    assert_eq!(
        users(json!({"includeUsers": ["GuestsOrExternalUsers"]})),
        ["assigned_to guests - GuestsOrExternalUsers"]
    );
    assert_eq!(
        users(
            json!({"includeUsers": ["WordOfNextYear"], "excludeGuestsOrExternalUsers": {"guestOrExternalUserTypes": "serviceProvider"}})
        ),
        ["assigned_to unknown_target - WordOfNextYear", "excluded_from guests - GuestsOrExternalUsers"]
    );
    let workloads =
        json!({"conditions": {"clientApplications": {"includeServicePrincipals": ["ServicePrincipalsInMyTenant"]}}});
    assert_eq!(
        edges("conditionalAccessPolicy", &workloads),
        ["assigned_to service_principal - ServicePrincipalsInMyTenant"]
    );
    let apps = json!({"conditions": {"applications": {"includeApplications": [OTHER]}}});
    assert_eq!(extract(registry().get("conditionalAccessPolicy").unwrap(), &apps).assigned, Some(false));
}

#[test]
fn conditional_access_points_to_all_that_it_names() {
    let object = json!({
        "conditions": {
            "users": {"includeUsers": ["All"], "excludeGroups": [GROUP], "includeRoles": [OTHER]},
            "locations": {"includeLocations": ["All"], "excludeLocations": [GROUP, "AllTrusted"]},
            "applications": {"includeApplications": ["Office365"], "includeAuthenticationContextClassReferences": ["c1"]},
        },
        "grantControls": {"authenticationStrength": {"id": OTHER}, "termsOfUse": [GROUP]},
    });
    assert_eq!(
        edges("conditionalAccessPolicy", &object),
        [
            format!("excluded_from group - {GROUP}"),
            format!("assigned_to all_users - {ALL_USERS}"),
            format!("assigned_to directory_role - {OTHER}"),
            format!("uses foundation authenticationStrength {OTHER}"),
            format!("uses foundation termsOfUse {GROUP}"),
            format!("uses foundation namedLocation {GROUP}"),
            "uses foundation authenticationContext c1".to_owned(),
        ]
    );
}

#[test]
fn compliance_points_to_notifications_and_scripts() {
    let object = json!({
        "deviceCompliancePolicyScript": {"deviceComplianceScriptId": OTHER},
        "scheduledActionsForRule": [{"scheduledActionConfigurations": [
            {"notificationTemplateId": ZERO_GUID, "notificationMessageCCList": []},
            {"notificationTemplateId": GROUP, "notificationMessageCCList": [OTHER]},
        ]}],
    });
    assert_eq!(
        edges("deviceCompliancePolicy", &object),
        [
            format!("uses foundation notificationMessageTemplate {GROUP}"),
            format!("uses group - {OTHER}"),
            format!("uses foundation deviceComplianceScript {OTHER}"),
        ]
    );
}

#[test]
fn settings_point_to_reusable_settings_and_templates() {
    let object = json!({
        "templateReference": {"templateId": "t_1"},
        "settings": [{"settingInstance": {"groupSettingCollectionValue": [{"children": [{"simpleSettingCollectionValue": [
            {"@odata.type": "#microsoft.graph.deviceManagementConfigurationReferenceSettingValue", "value": GROUP},
            {"@odata.type": "#microsoft.graph.deviceManagementConfigurationStringSettingValue", "value": OTHER},
        ]}]}]}}],
    });
    let reusable = format!("uses foundation reusablePolicySetting {GROUP}");
    assert_eq!(edges("endpointSecurityPolicy", &object), ["uses unresolved - t_1".to_owned(), reusable]);
    assert_eq!(
        edges("settingsCatalogPolicy", &object),
        ["uses unresolved - t_1".to_owned(), format!("uses unresolved - {GROUP}")]
    );
}

#[test]
fn apps_sets_roles_and_notifications_point_to_what_they_need() {
    let app = json!({"vppTokenId": GROUP, "relationships": [
        {"@odata.type": "#microsoft.graph.mobileAppDependency", "targetId": OTHER, "targetType": "child"},
        {"@odata.type": "#microsoft.graph.mobileAppSupersedence", "targetId": GROUP, "targetType": "parent"},
    ]});
    assert_eq!(
        edges("mobileApp", &app),
        [format!("depends_on item mobileApp {OTHER}"), format!("uses foundation vppToken {GROUP}")]
    );
    let set = json!({"roleScopeTags": ["0"], "items": [
        {"@odata.type": "#microsoft.graph.mobileAppPolicySetItem", "payloadId": GROUP},
        {"@odata.type": "#microsoft.graph.managedAppProtectionPolicySetItem", "payloadId": "T_1"},
    ]});
    assert_eq!(
        edges("policySet", &set),
        [
            "scoped_by foundation roleScopeTag 0".to_owned(),
            format!("uses item mobileApp {GROUP}"),
            "uses unresolved - T_1".to_owned(),
        ]
    );
    let role = json!({"roleDefinition": {"id": GROUP}, "members": [OTHER], "resourceScopes": ["/"]});
    assert_eq!(
        edges("intuneRoleAssignment", &role),
        [format!("uses foundation intuneRoleDefinition {GROUP}"), format!("assigned_to group - {OTHER}")]
    );
    let notification = json!({"notificationTemplates": [format!("email_{GROUP}"), format!("push_{ZERO_GUID}")]});
    assert_eq!(
        edges("enrollmentNotification", &notification),
        [format!("uses foundation notificationMessageTemplate {GROUP}")]
    );
}

#[test]
fn a_child_depends_on_its_parent() {
    let mut profile = json!({"displayName": "p"});
    crate::registry::attach_parent(&mut profile, GROUP);
    assert_eq!(
        edges("appleEnrollmentProfile", &profile),
        [format!("depends_on foundation appleEnrollmentToken {GROUP}")]
    );
}

#[test]
fn edges_beyond_the_limit_are_counted_and_doubles_are_not() {
    let groups: Vec<Value> = (0..60)
        .chain(0..60)
        .map(|number| {
            json!({"target": {"@odata.type": "#microsoft.graph.groupAssignmentTarget",
                "groupId": format!("11111111-1111-4111-8111-{number:012}")}})
        })
        .collect();
    let edges = extract(registry().get("deviceConfiguration").unwrap(), &json!({ "assignments": groups }));
    assert_eq!(edges.kept.len(), MAX_EDGES);
    assert_eq!(edges.omitted, 10);
}

#[test]
fn what_cannot_be_an_id_is_no_edge() {
    let object = json!({"selectedMobileAppIds": ["", "two words", "Bearer x", "x".repeat(300), "a@b.co", "ok"]});
    assert_eq!(edges("enrollmentStatusPage", &object), ["uses item mobileApp ok"]);
}
