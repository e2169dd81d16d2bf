//! What says nothing when it changes, and what has no order.

use serde_json::{Map, Value};

use crate::registry::PolicyType;

/// Whether Microsoft made an object of a type of which it makes some itself.
pub(crate) fn is_built_in(policy_type: &PolicyType, object: &Value) -> bool {
    !policy_type.built_in_volatile.is_empty() && object.get("isBuiltIn") == Some(&Value::Bool(true))
}

/// Whether a property of an object counts, of the object itself (`top`) or of one `inside` it.
pub(crate) fn counts(
    policy_type: &PolicyType,
    key: &str,
    members: &Map<String, Value>,
    top: bool,
    inside: bool,
    built_in: bool,
) -> bool {
    if is_noise_everywhere(key) {
        // `{id, targetType}` points to a group or a user.
        return key == "id" && inside && members.contains_key("targetType");
    }
    if top && built_in && policy_type.built_in_volatile.contains(&key) {
        return false;
    }
    !is_noise_of(policy_type, key)
}

/// Properties that count for no type, at any depth (`docs/graph.md`, section Volatile and noisy properties, Global).
pub(crate) fn is_noise_everywhere(key: &str) -> bool {
    matches!(
        key,
        "id" | "createdDateTime"
            | "lastModifiedDateTime"
            | "modifiedDateTime"
            | "lastUpdateDateTime"
            | "version"
            | "topicIdentifier"
            | "certificate"
            | "token"
            | "sourceId"
            | "supportsScopeTags"
            | "isAssigned"
            | "isReadOnly"
            | "companyCodes"
            | "isGlobalScript"
            | "highestAvailableVersion"
            | "deployedAppCount"
            | "deviceHealthScriptType"
            | "isEncrypted"
            | "secretReferenceValueId"
            | "creationSource"
            | "settingCount"
            | "priorityMetaData"
            | "isSynced"
            | "lastSyncDateTime"
            | "lastSuccessfulSyncDateTime"
            | "locationInfo"
            | "agents"
            | "package"
    ) || is_annotation(key)
}

/// Annotations of OData, advertised actions, and our own notes. The type of an
/// object is no annotation in this sense: it is what the object is.
fn is_annotation(key: &str) -> bool {
    match key.as_bytes() {
        [b'#', ..] => true,
        [b'@', ..] => key != "@odata.type",
        _ => key.contains('@') && (key.contains("@odata.") || key.contains("@microsoft.graph.")),
    }
}

/// Properties that count for no object of this type, at any depth.
pub(crate) fn is_noise_of(policy_type: &PolicyType, key: &str) -> bool {
    policy_type.volatile.iter().any(|pattern| match (pattern.strip_suffix('*'), pattern.strip_prefix('*')) {
        (Some(start), _) => key.starts_with(start),
        (_, Some(end)) => key.ends_with(end),
        _ => key == *pattern,
    })
}

/// Whether the elements of a list of this name have no order. Lists of ids are
/// sets; so are the lists that say whom or what something is for.
pub(crate) fn is_set(key: &str) -> bool {
    key.ends_with("Ids")
        || key.starts_with("include")
        || key.starts_with("exclude")
        || matches!(
            key,
            "allowedCombinations"
                | "allowedResourceActions"
                | "apps"
                | "assignments"
                | "authenticationMethodConfigurations"
                | "builtInControls"
                | "categories"
                | "children"
                | "choiceSettingCollectionValue"
                | "clientAppTypes"
                | "countriesAndRegions"
                | "definitionValues"
                | "exemptAppLockerFiles"
                | "groupAssignments"
                | "groupSettingCollectionValue"
                | "ipRanges"
                | "items"
                | "localizedNotificationMessages"
                | "members"
                | "notAllowedResourceActions"
                | "notificationMessageCCList"
                | "notificationTemplates"
                | "omaSettings"
                | "presentationValues"
                | "protectedAppLockerFiles"
                | "relationships"
                | "resourceScopes"
                | "roleScopeTags"
                | "scheduledActionConfigurations"
                | "scheduledActionsForRule"
                | "servicePrincipalRiskLevels"
                | "settings"
                | "signInRiskLevels"
                | "simpleSettingCollectionValue"
                | "targetedMobileApps"
                | "templates"
                | "termsOfUse"
                | "userRiskLevels"
        )
        || key.ends_with("EnrollmentAssignments")
}

/// Whether the elements of a list of this name are assignments.
pub(crate) fn holds_assignments(key: &str) -> bool {
    matches!(key, "assignments" | "groupAssignments") || key.ends_with("EnrollmentAssignments")
}
