//! How the whole body of one object is read, and what a restore could do with it.

use serde_json::Value;

use super::detail::{Detail, DetailShape};
use super::policy_type::{Assignments, PolicyType, Source};

crate::names::named! {
    /// What a restore can do with objects of a type.
    pub enum RestoreClass: UnknownRestoreClass, "class of restore" {
        /// They can be created and changed whole.
        Full = "full",
        /// They are there in every tenant and can be changed.
        UpdateOnly = "update_only",
        /// They can be created or changed with what has to be added or cannot be.
        Conditional = "conditional",
        /// They can only be looked at.
        PreviewOnly = "preview_only",
    }
}

/// A property that holds the body of a script, in base64.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Script {
    /// The property.
    pub property: &'static str,
    /// Whether there always is one, so that null means that it was not told.
    pub required: bool,
}

/// Objects of another collection that belong to the body and that a property names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Referenced {
    /// The property with the names: a list of texts `{kind}_{id}`.
    pub property: &'static str,
    /// The collection that the ids belong to.
    pub path: &'static str,
    /// The query of their single read, without `?`.
    pub query: &'static str,
    /// The property that they become.
    pub becomes: &'static str,
}

/// How the whole body of an object is read.
///
/// A list row is not the object: some lists leave properties out, some of them null. What of a body is a collection, or the
/// body of a script, is kept in a slot of its own ([`Recipe::slots`]).
#[derive(Debug)]
pub struct Recipe {
    /// What a restore can do with it.
    pub class: RestoreClass,
    query: Option<&'static str>,
    reads: Option<&'static [Detail]>,
    /// What belongs to it in another collection.
    pub referenced: Option<Referenced>,
    /// Properties that hold bodies of scripts.
    pub scripts: &'static [Script],
    /// Properties that hold a file which only its maker can read, and of which a fingerprint is kept.
    pub binaries: &'static [&'static str],
    /// Properties of which the single read tells less than the list.
    pub told_by_list: &'static [&'static str],
}

impl Recipe {
    pub(super) const fn of(class: RestoreClass) -> Self {
        Self { class, query: None, reads: None, referenced: None, scripts: &[], binaries: &[], told_by_list: &[] }
    }

    /// With another query of the single read than that of the list.
    pub(super) const fn query(self, query: &'static str) -> Self {
        Self { query: Some(query), ..self }
    }

    /// With other reads below the object than those of a sync.
    pub(super) const fn reads(self, reads: &'static [Detail]) -> Self {
        Self { reads: Some(reads), ..self }
    }

    pub(super) const fn scripts(self, scripts: &'static [Script]) -> Self {
        Self { scripts, ..self }
    }

    pub(super) const fn referenced(self, referenced: Referenced) -> Self {
        Self { referenced: Some(referenced), ..self }
    }

    pub(super) const fn binaries(self, binaries: &'static [&'static str]) -> Self {
        Self { binaries, ..self }
    }

    pub(super) const fn told_by_list(self, told_by_list: &'static [&'static str]) -> Self {
        Self { told_by_list, ..self }
    }

    /// The query of the single read, without `?`; may be empty.
    #[must_use]
    pub fn single_query(&self, policy_type: &PolicyType) -> &'static str {
        self.query.unwrap_or(policy_type.query)
    }

    /// What is read below the object, in this order. What a sync reads to complete a row, the single read tells itself.
    #[must_use]
    pub fn reads_of(&self, policy_type: &PolicyType) -> Vec<&'static Detail> {
        let reads = self.reads.unwrap_or(policy_type.details);
        reads.iter().filter(|detail| detail.shape != DetailShape::Merge).collect()
    }

    /// Whether a list row, with what a sync reads below it, is as whole as the single read: then a list of many objects
    /// spares as many single reads.
    #[must_use]
    pub fn is_told_by_list(&self, policy_type: &PolicyType) -> bool {
        let more = self.query.is_some() || !self.scripts.is_empty();
        let merged = policy_type.details.iter().any(|detail| detail.shape == DetailShape::Merge);
        matches!(policy_type.source, Source::Collection { .. }) && !more && !merged
    }

    /// Whether a sync reads all that a body of this kind (`@odata.type` without `#microsoft.graph.`) holds: then an object that a
    /// sync finds unchanged is unchanged as a whole.
    #[must_use]
    pub fn is_read_by_sync(&self, policy_type: &'static PolicyType, kind: Option<&str>) -> bool {
        let merged: Vec<&Detail> =
            policy_type.details.iter().filter(|detail| detail.shape == DetailShape::Merge).collect();
        let below = policy_type.details.iter().map(|detail| detail.property);
        let seen: Vec<&str> =
            expanded(policy_type.query).chain(merged.iter().flat_map(|one| expanded(one.query))).chain(below).collect();
        // Of an object whose kind is not known it may have what some kinds have.
        let may_have = |detail: &&Detail| {
            let is_of = |kind: &str| detail.subtypes.iter().any(|one| one.eq_ignore_ascii_case(kind));
            detail.subtypes.is_empty() || kind.is_none_or(is_of)
        };
        let reads = self.reads_of(policy_type);
        let mut wanted = expanded(self.single_query(policy_type))
            .chain(reads.into_iter().filter(may_have).map(|detail| detail.property));
        let scripts = self.scripts.is_empty() || !merged.is_empty();
        self.referenced.is_none() && scripts && wanted.all(|property| seen.contains(&property))
    }

    /// The properties that are kept in a slot of their own: what is expanded, read below, or the body of a script; and the
    /// assignments.
    #[must_use]
    pub fn slots(&self, policy_type: &PolicyType) -> Vec<&'static str> {
        let expanded = expanded(self.single_query(policy_type));
        let below = self.reads_of(policy_type).into_iter().map(|detail| detail.property);
        let referenced = self.referenced.iter().map(|referenced| referenced.becomes);
        let scripts = self.scripts.iter().map(|script| script.property);
        let assignments = (policy_type.assignments == Assignments::Child).then_some("assignments");
        let mut slots: Vec<&str> = expanded.chain(below).chain(referenced).chain(scripts).chain(assignments).collect();
        slots.sort_unstable();
        slots.dedup();
        slots
    }

    /// Whether a slot holds the body of a script, which is shown on demand only and each time written down.
    #[must_use]
    pub fn is_script(&self, slot: &str) -> bool {
        self.scripts.iter().any(|script| script.property == slot)
    }

    /// The ids of the objects of another collection that belong to the body.
    #[must_use]
    pub fn referenced_ids<'object>(&self, object: &'object Value) -> Vec<&'object str> {
        let Some(referenced) = &self.referenced else { return Vec::new() };
        let names = object.get(referenced.property).and_then(Value::as_array).into_iter().flatten();
        let ids = names.filter_map(|name| name.as_str()?.split_once('_').map(|(_, id)| id));
        // An all-zero id stands for none.
        ids.filter(|id| id.bytes().any(|byte| byte.is_ascii_alphanumeric() && byte != b'0')).collect()
    }
}

/// The properties that a query expands, without the options in their parentheses.
fn expanded(query: &'static str) -> impl Iterator<Item = &'static str> {
    let list = query.split('&').find_map(|part| part.strip_prefix("$expand=")).unwrap_or_default();
    let mut depth = 0_usize;
    list.split(move |character| {
        match character {
            '(' => depth += 1,
            ')' => depth = depth.saturating_sub(1),
            _ => {}
        }
        character == ',' && depth == 0
    })
    .map(|part| part.split('(').next().unwrap_or(part))
    .filter(|property| !property.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use crate::registry::{recipe, registry};

    fn slots(key: &str) -> Vec<&'static str> {
        let policy_type = registry().get(key).unwrap();
        recipe(policy_type).unwrap().slots(policy_type)
    }

    #[test]
    fn every_type_has_a_recipe() {
        for policy_type in registry().all() {
            assert!(recipe(policy_type).is_some(), "{}", policy_type.key);
        }
    }

    #[test]
    fn what_is_a_collection_or_a_script_has_a_slot_of_its_own() {
        assert_eq!(slots("settingsCatalogPolicy"), ["assignments", "settings"]);
        assert_eq!(slots("deviceCompliancePolicy"), ["assignments", "scheduledActionsForRule"]);
        assert_eq!(slots("linuxCompliancePolicy"), ["assignments", "scheduledActionsForRule", "settings"]);
        assert_eq!(slots("groupPolicyConfiguration"), ["assignments", "definitionValues"]);
        assert_eq!(slots("notificationMessageTemplate"), ["localizedNotificationMessages"]);
        assert_eq!(slots("appProtectionIos"), ["apps", "assignments"]);
        assert_eq!(slots("deviceHealthScript"), ["assignments", "detectionScriptContent", "remediationScriptContent"]);
        assert_eq!(slots("conditionalAccessPolicy"), Vec::<&str>::new());
        assert_eq!(slots("policySet"), ["assignments", "items"]);
    }

    #[test]
    fn a_list_tells_the_whole_of_most_types_and_of_scripts_apps_and_sets_not() {
        let told = |key: &str| {
            let policy_type = registry().get(key).unwrap();
            recipe(policy_type).unwrap().is_told_by_list(policy_type)
        };
        for key in ["settingsCatalogPolicy", "deviceConfiguration", "groupPolicyConfiguration", "namedLocation"] {
            assert!(told(key), "{key}");
        }
        for key in [
            "deviceManagementScript",
            "hardwareConfiguration",
            "mobileApp",
            "policySet",
            "intuneRoleAssignment",
            "appProtectionWindows",
            "securityDefaults",
            "appleEnrollmentProfile",
        ] {
            assert!(!told(key), "{key}");
        }
    }

    #[test]
    fn what_no_sync_reads_is_known_of_each_kind() {
        let read = |key: &str, kind: Option<&str>| {
            let policy_type = registry().get(key).unwrap();
            recipe(policy_type).unwrap().is_read_by_sync(policy_type, kind)
        };
        for key in [
            "settingsCatalogPolicy",
            "deviceCompliancePolicy",
            "groupPolicyConfiguration",
            "endpointSecurityIntent",
            "deviceManagementScript",
            "policySet",
            "conditionalAccessPolicy",
        ] {
            assert!(read(key, None), "{key}");
        }
        // What a notification says is in a collection of its own, and what a kind of profile links to is behind the links.
        for key in ["enrollmentNotification", "devicePreparationPolicy", "deviceConfiguration"] {
            assert!(!read(key, None), "{key}");
        }
        assert!(read("deviceConfiguration", Some("windows10CustomConfiguration")));
        assert!(!read("deviceConfiguration", Some("iosVpnConfiguration")));
    }

    #[test]
    fn the_templates_of_a_notification_are_named_by_kind_and_id() {
        let recipe = recipe(registry().get("enrollmentNotification").unwrap()).unwrap();
        let named = json!({"notificationTemplates": ["Email_a-1", "Push_00000000-0000-0000-0000-000000000000", "x"]});
        assert_eq!(recipe.referenced_ids(&named), ["a-1"]);
    }

    #[test]
    fn a_certificate_of_a_profile_is_read_where_its_subtype_has_one() {
        let policy_type = registry().get("deviceConfiguration").unwrap();
        let wanted = |subtype: &str| {
            let object = json!({"@odata.type": format!("#microsoft.graph.{subtype}")});
            let reads = recipe(policy_type).unwrap().reads_of(policy_type);
            reads.into_iter().filter(|read| read.is_wanted(&object)).map(|read| read.path).collect::<Vec<_>>()
        };
        assert_eq!(wanted("iosVpnConfiguration"), ["microsoft.graph.iosVpnConfiguration/identityCertificate"]);
        assert!(wanted("iosGeneralDeviceConfiguration").is_empty());
    }
}
