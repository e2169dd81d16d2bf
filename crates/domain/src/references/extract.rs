//! Finding the references in an object.

use std::collections::HashSet;

use serde_json::Value;

use super::summary::named_by;
use super::{AssignmentFilter, Edges, FilterMode, MAX_EDGES, Reference, Relationship, Target, TargetKind};
use crate::registry::{PolicyType, ReferenceRule, ReferenceTarget, odata_type, registry};
use crate::sanitise::{first_chars, redact};

/// The group that stands for all users, in tools and in older answers.
pub const ALL_USERS: &str = "acacacac-9df4-4c7d-9d50-4ef0226f57a9";
/// The group that stands for all devices.
pub const ALL_DEVICES: &str = "adadadad-808e-44e2-905a-0b7873a8a531";
/// Guests and external users, as an id: Microsoft gives them none.
const GUESTS: &str = "GuestsOrExternalUsers";
/// Written where nothing is meant.
pub(crate) const ZERO_GUID: &str = "00000000-0000-0000-0000-000000000000";

/// The word for the kind of a target that tells none.
pub(super) const NO_TARGET: &str = "target";

const MAX_RAW: usize = 200;
const MAX_EXTERNAL_ID: usize = 256;

/// Whom one assignment is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AssignmentTarget<'value> {
    AllUsers,
    AllDevices,
    Group(&'value str),
    ExcludedGroup(&'value str),
    /// A collection of Configuration Manager, by its id.
    Collection(&'value str),
    /// A kind that is not known here, or one that says less than it should: Microsoft's word for it.
    Unknown(&'value str),
}

impl<'value> AssignmentTarget<'value> {
    pub(crate) fn of(assignment: &'value Value) -> Self {
        let Some(target) = assignment.get("target") else { return Self::Unknown(NO_TARGET) };
        let kind = odata_type(target).filter(|kind| !kind.is_empty()).unwrap_or(NO_TARGET);
        let text = |property: &str| target.get(property).and_then(Value::as_str).filter(|id| !id.is_empty());
        // A scope tag names its group in another property (Microsoft Graph, scopeTagGroupAssignmentTarget).
        let group = text("groupId").or_else(|| text("entraObjectId"));
        match kind {
            "allLicensedUsersAssignmentTarget" => Self::AllUsers,
            "allDevicesAssignmentTarget" => Self::AllDevices,
            _ => match (group, text("collectionId")) {
                (Some(group), _) if kind.starts_with("exclusion") => Self::ExcludedGroup(group),
                (Some(group), _) if group.eq_ignore_ascii_case(ALL_USERS) => Self::AllUsers,
                (Some(group), _) if group.eq_ignore_ascii_case(ALL_DEVICES) => Self::AllDevices,
                (Some(group), _) => Self::Group(group),
                (None, Some(collection)) => Self::Collection(collection),
                (None, None) => Self::Unknown(kind),
            },
        }
    }

    /// The filter of the assignment and whether it includes or excludes.
    pub(crate) fn filter_of(assignment: &'value Value) -> Option<(&'value str, FilterMode)> {
        let target = assignment.get("target")?;
        let id = target.get("deviceAndAppManagementAssignmentFilterId")?.as_str()?;
        let kind = target.get("deviceAndAppManagementAssignmentFilterType").and_then(Value::as_str).unwrap_or("none");
        let mode = match kind {
            "include" => FilterMode::Include,
            "exclude" => FilterMode::Exclude,
            _ => FilterMode::Unknown,
        };
        (!id.is_empty() && id != ZERO_GUID && kind != "none").then_some((id, mode))
    }
}

/// The outgoing edges of an object: assignments, scope tags, and what the rules
/// of its type find. Each edge once, in that order.
#[must_use]
pub fn extract(policy_type: &PolicyType, object: &Value) -> Edges {
    let mut found = Found::default();
    found.assignments(object.get("assignments"));
    each_text(object, "roleScopeTagIds", &mut |id| {
        found.typed(Relationship::ScopedBy, "roleScopeTag", id, "roleScopeTagIds");
    });
    for rule in policy_type.references {
        found.rule(rule, object);
    }
    let rules = policy_type.references.iter().any(|rule| rule.relationship == Relationship::AssignedTo);
    let tells = rules || object.get("assignments").is_some_and(Value::is_array);
    found.edges.assigned = tells.then_some(found.assigned);
    found.edges
}

#[derive(Default)]
struct Found {
    edges: Edges,
    seen: HashSet<(Relationship, Target)>,
    /// Whether anybody was found to whom the object is assigned, kept or not.
    assigned: bool,
}

impl Found {
    /// What one rule of the type finds.
    fn rule(&mut self, rule: &ReferenceRule, object: &Value) {
        let (relationship, path) = (rule.relationship, rule.path);
        match rule.target {
            ReferenceTarget::Type(key) => {
                each_text(object, path, &mut |id| self.typed(relationship, key, id, path));
            }
            ReferenceTarget::PrefixedType(key) => each_text(object, path, &mut |text| {
                let id = text.rsplit_once('_').map_or(text, |(_, id)| id);
                self.typed(relationship, key, id, path);
            }),
            ReferenceTarget::Group => each_text(object, path, &mut |id| self.group(relationship, id, path)),
            ReferenceTarget::User => each_text(object, path, &mut |id| self.user(relationship, id, path)),
            ReferenceTarget::Guests => each_object(object, path, &mut |_| {
                self.push(relationship, TargetKind::Guests, None, GUESTS, path);
            }),
            ReferenceTarget::ServicePrincipal => each_text(object, path, &mut |id| {
                self.push(relationship, TargetKind::ServicePrincipal, None, id, path);
            }),
            ReferenceTarget::DirectoryRole => each_text(object, path, &mut |id| {
                if is_guid(id) {
                    self.push(relationship, TargetKind::DirectoryRole, None, id, path);
                }
            }),
            ReferenceTarget::Application => each_text(object, path, &mut |id| {
                if is_guid(id) {
                    self.push(relationship, TargetKind::Application, None, id, path);
                }
            }),
            ReferenceTarget::AnyItem => each_text(object, path, &mut |id| {
                self.push(relationship, TargetKind::Unresolved, None, id, path);
            }),
            ReferenceTarget::PolicySetItems => each_object(object, path, &mut |item| {
                if let Some(id) = item.get("payloadId").and_then(Value::as_str) {
                    let kind = odata_type(item).unwrap_or_default();
                    match policy_set_item_type(kind) {
                        Some(key) => self.typed(relationship, key, id, kind),
                        None => self.push(relationship, TargetKind::Unresolved, None, id, kind),
                    }
                }
            }),
            ReferenceTarget::AppRelationships => each_object(object, path, &mut |edge| {
                if edge.get("targetType").and_then(Value::as_str) != Some("parent")
                    && let Some(id) = edge.get("targetId").and_then(Value::as_str)
                {
                    self.typed(relationship, "mobileApp", id, odata_type(edge).unwrap_or(path));
                }
            }),
            ReferenceTarget::SettingReferences(key) => {
                if let Some(settings) = object.get(path) {
                    setting_references(settings, &mut |id| match key {
                        Some(key) => self.typed(relationship, key, id, path),
                        None => self.push(relationship, TargetKind::Unresolved, None, id, path),
                    });
                }
            }
            ReferenceTarget::AssignmentTargets => self.assignments(object.get(path)),
        }
    }

    fn assignments(&mut self, assignments: Option<&Value>) {
        for assignment in assignments.and_then(Value::as_array).into_iter().flatten() {
            let kind = assignment.get("target").and_then(odata_type).unwrap_or("target");
            let raw = match assignment.get("intent").and_then(Value::as_str) {
                Some(intent) => format!("{kind}, intent {intent}"),
                None => kind.to_owned(),
            };
            let filter = AssignmentTarget::filter_of(assignment);
            self.assignment(AssignmentTarget::of(assignment), filter, &raw);
            if let Some((filter, mode)) = filter {
                self.typed(Relationship::FilteredBy, "assignmentFilter", filter, mode.as_str());
            }
        }
    }

    fn assignment(&mut self, target: AssignmentTarget<'_>, filter: Option<(&str, FilterMode)>, raw: &str) {
        let (relationship, kind, id) = named_by(target);
        let filter = filter.filter(|(id, _)| is_identifier(id));
        let filter = filter.map(|(id, mode)| AssignmentFilter { id: id.to_owned(), mode });
        self.push_filtered(relationship, kind, None, id, filter, raw);
    }

    fn user(&mut self, relationship: Relationship, id: &str, raw: &str) {
        match id {
            "All" => self.group(relationship, ALL_USERS, raw),
            "None" => {}
            "GuestsOrExternalUsers" => self.push(relationship, TargetKind::Guests, None, GUESTS, raw),
            _ if is_guid(id) => self.push(relationship, TargetKind::User, None, id, raw),
            _ => self.push(relationship, TargetKind::UnknownTarget, None, id, raw),
        }
    }

    fn group(&mut self, relationship: Relationship, id: &str, raw: &str) {
        let id = if id == "all_users" { ALL_USERS } else { id };
        if !is_guid(id) {
            return;
        }
        let kind = if id.eq_ignore_ascii_case(ALL_USERS) {
            TargetKind::AllUsers
        } else if id.eq_ignore_ascii_case(ALL_DEVICES) {
            TargetKind::AllDevices
        } else {
            TargetKind::Group
        };
        self.push(relationship, kind, None, id, raw);
    }

    fn typed(&mut self, relationship: Relationship, key: &'static str, id: &str, raw: &str) {
        let foundation = registry().get(key).is_some_and(|policy_type| policy_type.foundation);
        let kind = if foundation { TargetKind::Foundation } else { TargetKind::Item };
        self.push(relationship, kind, Some(key), id, raw);
    }

    fn push(
        &mut self,
        relationship: Relationship,
        kind: TargetKind,
        policy_type: Option<&'static str>,
        id: &str,
        raw: &str,
    ) {
        self.push_filtered(relationship, kind, policy_type, id, None, raw);
    }

    fn push_filtered(
        &mut self,
        relationship: Relationship,
        kind: TargetKind,
        policy_type: Option<&'static str>,
        id: &str,
        filter: Option<AssignmentFilter>,
        raw: &str,
    ) {
        let id = id.trim();
        if !is_identifier(id) {
            return;
        }
        self.assigned |= relationship == Relationship::AssignedTo && kind != TargetKind::Application;
        // The page of a group is found by its id, however an object spells it.
        let external_id = if kind == TargetKind::Group { id.to_ascii_lowercase() } else { id.to_owned() };
        let target = Target { kind, policy_type, external_id };
        if !self.seen.insert((relationship, target.clone())) {
            self.filtered_again(relationship, &target, filter);
            return;
        }
        if self.edges.kept.len() < MAX_EDGES {
            let raw = first_chars(&redact(raw), MAX_RAW).to_owned();
            self.edges.kept.push(Reference { relationship, target, filter, raw });
        } else {
            self.edges.omitted += 1;
        }
    }

    /// The same target once more, such as an app that a group must have and may have: one edge, which tells no filter as
    /// its own that only one of the assignments has.
    fn filtered_again(&mut self, relationship: Relationship, target: &Target, filter: Option<AssignmentFilter>) {
        let mut kept = self.edges.kept.iter_mut();
        let Some(known) = kept.find(|edge| edge.relationship == relationship && edge.target == *target) else { return };
        if known.filter != filter {
            let first = known.filter.take().or(filter);
            known.filter = first.map(|filter| AssignmentFilter { mode: FilterMode::Several, ..filter });
        }
    }
}

/// Whether a text can be the id of something: no blank, no word that means
/// everything or nothing, and not so long that it must be something else.
pub(super) fn is_identifier(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= MAX_EXTERNAL_ID
        && id != ZERO_GUID
        && !matches!(id, "All" | "None" | "AllTrusted" | "all_users")
        && id.bytes().all(|byte| byte.is_ascii_graphic())
        && redact(id) == id
}

pub(super) fn is_guid(id: &str) -> bool {
    id.len() == 36 && uuid::Uuid::try_parse(id).is_ok()
}

/// Calls `visit` with each text at the end of a path. Lists are walked through.
fn each_text<'value>(value: &'value Value, path: &str, visit: &mut dyn FnMut(&'value str)) {
    each_value(value, path, &mut |end| {
        if let Value::String(text) = end {
            visit(text);
        }
    });
}

fn each_object<'value>(value: &'value Value, path: &str, visit: &mut dyn FnMut(&'value Value)) {
    each_value(value, path, &mut |end| {
        if end.is_object() {
            visit(end);
        }
    });
}

fn each_value<'value>(value: &'value Value, path: &str, visit: &mut dyn FnMut(&'value Value)) {
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| each_value(element, path, visit)),
        _ if path.is_empty() => visit(value),
        Value::Object(object) => {
            // An annotation is one segment though it has a dot.
            let (segment, rest) =
                if path.starts_with('@') { (path, "") } else { path.split_once('.').unwrap_or((path, "")) };
            if let Some(next) = object.get(segment) {
                each_value(next, rest, visit);
            }
        }
        _ => {}
    }
}

/// Calls `visit` with each value of reference type in setting instances, at any depth.
fn setting_references<'value>(value: &'value Value, visit: &mut dyn FnMut(&'value str)) {
    match value {
        Value::Array(elements) => elements.iter().for_each(|element| setting_references(element, visit)),
        Value::Object(object) => {
            if odata_type(value).is_some_and(|kind| kind.ends_with("ReferenceSettingValue"))
                && let Some(Value::String(id)) = object.get("value")
            {
                visit(id);
            }
            object.values().for_each(|member| setting_references(member, visit));
        }
        _ => {}
    }
}

/// The type that an element of a policy set points to. The elements for
/// enrolment restrictions and app protection stand for several types.
fn policy_set_item_type(odata_type: &str) -> Option<&'static str> {
    Some(match odata_type {
        "mobileAppPolicySetItem" => "mobileApp",
        "deviceConfigurationPolicySetItem" => "deviceConfiguration",
        "deviceCompliancePolicyPolicySetItem" => "deviceCompliancePolicy",
        "deviceManagementConfigurationPolicyPolicySetItem" => "settingsCatalogPolicy",
        "deviceManagementScriptPolicySetItem" => "deviceManagementScript",
        "iosLobAppProvisioningConfigurationPolicySetItem" => "iosLobProvisioningProfile",
        "managedDeviceMobileAppConfigurationPolicySetItem" => "managedDeviceAppConfiguration",
        "mdmWindowsInformationProtectionPolicyPolicySetItem" => "wipPolicyMdm",
        "targetedManagedAppConfigurationPolicySetItem" => "mamAppConfiguration",
        "windows10EnrollmentCompletionPageConfigurationPolicySetItem" => "enrollmentStatusPage",
        "windowsAutopilotDeploymentProfilePolicySetItem" => "autopilotProfile",
        _ => return None,
    })
}

#[cfg(test)]
mod tests;
