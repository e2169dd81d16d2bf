//! What changes without anybody changing anything (`docs/graph.md`, section Volatile and noisy properties), type by type.

use serde_json::json;

use super::{different, same};

/// Properties of a type that are no part of its content, as public tools leave them out of their comparisons.
const NOISE: &[(&str, &[&str])] = &[
    (
        "windowsUpdateRing",
        &[
            "featureUpdatesPauseStartDate",
            "qualityUpdatesPauseStartDate",
            "featureUpdatesPauseExpiryDateTime",
            "qualityUpdatesPauseExpiryDateTime",
            "featureUpdatesRollbackStartDateTime",
            "qualityUpdatesRollbackStartDateTime",
            "featureUpdatesWillBeRolledBack",
            "qualityUpdatesWillBeRolledBack",
        ],
    ),
    (
        "windowsFeatureUpdateProfile",
        &["deployableContentDisplayName", "endOfSupportDate", "installLatestWindows10OnWindows11IneligibleDevice"],
    ),
    ("windowsQualityUpdateProfile", &["releaseDateDisplayName", "deployableContentDisplayName"]),
    ("windowsDriverUpdateProfile", &["newUpdates", "inventorySyncStatus", "deviceReporting"]),
    ("enrollmentStatusPage", &["priority", "deviceEnrollmentConfigurationType", "platformType"]),
    ("autopilotProfile", &["managementServiceAppId"]),
    (
        "appleEnrollmentToken",
        &[
            "tokenExpirationDateTime",
            "lastSyncTriggeredDateTime",
            "lastSyncErrorCode",
            "syncedDeviceCount",
            "isDefault",
        ],
    ),
    (
        "vppToken",
        &["expirationDateTime", "usedLicenseCount", "totalLicenseCount", "lastSyncDateTime", "lastSyncStatus", "state"],
    ),
    ("applePushCertificate", &["expirationDateTime"]),
    ("androidManagedStore", &["lastAppSyncDateTime"]),
    ("androidEnrollmentProfile", &["enrolledDeviceCount", "enrollmentTokenUsageCount", "tokenExpirationDateTime"]),
    ("complianceManagementPartner", &["lastHeartbeatDateTime"]),
    ("deviceManagementPartner", &["lastHeartbeatDateTime"]),
    ("mobileThreatDefenseConnector", &["lastHeartbeatDateTime"]),
    ("remoteAssistancePartner", &["lastConnectionDateTime"]),
    ("ndesConnector", &["lastConnectionDateTime", "state", "connectorVersion"]),
    ("domainJoinConnector", &["lastConnectionDateTime", "state", "version"]),
    ("assignmentFilter", &["payloads", "platform"]),
    ("deviceHealthScript", &["version", "isGlobalScript", "highestAvailableVersion", "deviceHealthScriptType"]),
    (
        "mobileApp",
        &[
            "uploadState",
            "publishingState",
            "dependentAppCount",
            "supersedingAppCount",
            "supersededAppCount",
            "committedContentVersion",
            "isFeatured",
            "size",
            "largeIcon",
            "usedLicenseCount",
        ],
    ),
    ("appProtectionIos", &["deployedAppCount", "isAssigned"]),
    (
        "groupPolicyUploadedDefinitionFile",
        &["languageCodes", "targetPrefix", "targetNamespace", "policyType", "revision", "status", "uploadDateTime"],
    ),
    ("intuneBrandingProfile", &["isDefaultProfile", "disableClientTelemetry"]),
    ("policySet", &["status", "errorCode"]),
    ("conditionalAccessPolicy", &["templateId"]),
    ("authenticationMethodsPolicy", &["policyMigrationState", "numberMatchingRequiredState"]),
    ("securityDefaults", &["securityDefaultsUpsell"]),
    ("reusablePolicySetting", &["referencingConfigurationPolicyCount", "version"]),
    ("settingsCatalogPolicy", &["settingCount", "creationSource", "priorityMetaData", "isAssigned"]),
];

#[test]
fn what_moves_by_itself_in_a_type_is_no_change_of_it_and_what_people_set_beside_it_is() {
    for (key, properties) in NOISE {
        for property in *properties {
            let at = |value: &str, set: u32| json!({"displayName": "n", "x": set, *property: value});
            same(key, &at("one", 1), &at("another", 1));
            same(key, &at("one", 1), &json!({"displayName": "n", "x": 1}));
            different(key, &at("one", 1), &at("one", 2));
        }
    }
}

#[test]
fn rows_that_graph_made_anew_are_the_rows_that_were() {
    let action = |row: &str| {
        json!({"scheduledActionsForRule": [{
            "id": row, "ruleName": "PasswordRequired",
            "scheduledActionConfigurations@odata.context": format!("https://graph.microsoft.com/{row}"),
            "scheduledActionConfigurations": [{"id": row, "actionType": "block", "gracePeriodHours": 0}],
        }]})
    };
    same("deviceCompliancePolicy", &action("1"), &action("2"));
    let template = |row: &str| {
        json!({"definitionValues": [{
            "id": row, "enabled": true, "definition": {"id": "d", "displayName": "x"},
            "presentationValues": [{"id": row, "value": "v", "presentation": {"id": "p", "label": "l"}}],
        }]})
    };
    same("groupPolicyConfiguration", &template("1"), &template("2"));
    let strength = |row: &str| {
        json!({"grantControls": {"authenticationStrength": {"id": "s", "displayName": "x"},
            "authenticationStrength@odata.context": row}})
    };
    same("conditionalAccessPolicy", &strength("1"), &strength("2"));
}

#[test]
fn zero_that_somebody_set_is_not_taken_for_unset() {
    let grace = |hours: serde_json::Value| json!({"scheduledActionsForRule": [{"scheduledActionConfigurations": [{"actionType": "block", "gracePeriodHours": hours}]}]});
    different("deviceCompliancePolicy", &grace(json!(0)), &grace(json!(null)));
    different("deviceCompliancePolicy", &grace(json!(0)), &grace(json!(24)));
    different("deviceConfiguration", &json!({"cameraBlocked": false}), &json!({"cameraBlocked": null}));
}
