//! What is below an object: assignments, settings, values, profiles.

use std::io::Write as _;

use serde_json::{Value, json};

use crate::answer::Answer;
use crate::catalogue::{IdForm, Resource};
use crate::context::with_context;
use crate::graph::GraphRequest;
use crate::object::{Along, Object};
use crate::query::Query;
use crate::tenant::{CHILDREN, GROUPS, kind_of, number_of};

/// Rows of a page of assignments (IntuneBackupAndRestore, pull request 94) and of settings.
const PAGE: u64 = 25;

/// A secret that is read in plain needs a permission to write (IntuneBackupAndRestore, issue 55).
const READ_SECRETS: &[&str] = &["DeviceManagementConfiguration.ReadWrite.All"];

/// What was found below an object.
enum Found {
    /// A JSON array, for `value`.
    Rows,
    /// A JSON array, and the row with which the next page begins.
    Part(u64),
    /// A JSON object, with the end of its context.
    One(&'static str),
    /// Nothing has this name.
    Nothing,
    /// An answer of its own, such as a refusal.
    Whole(Answer),
}

impl GraphRequest<'_> {
    /// Answers for what is below an object.
    #[must_use]
    pub fn child(&self, resource: &'static Resource, id: &str, child: &[String], query: &Query) -> Answer {
        let Some((number, kind, index)) = self.tenant.find(resource, id) else { return self.not_found() };
        let object = Object { tenant: self.tenant, kind, number, index };
        let segments: Vec<&str> = child.iter().map(String::as_str).collect();
        let mut rows = Vec::with_capacity(1_024);
        let found = match kind.key {
            "endpointSecurityIntent" => intent_child(&mut rows, &object, &segments),
            "groupPolicyConfiguration" => administrative_child(&mut rows, &object, &segments, query),
            "deviceConfiguration" => self.configuration_child(&mut rows, &object, &segments),
            "devicePreparationPolicy" => self.preparation_child(&mut rows, &object, &segments),
            "intuneRoleDefinition" => self.role_child(&mut rows, &object, &segments),
            "appleEnrollmentToken" => self.token_child(&mut rows, index, &segments),
            _ => Found::Nothing,
        };
        let found = match found {
            Found::Nothing => common_child(&mut rows, &object, resource, &segments, query),
            found => found,
        };
        let context = self.collection(resource.path).below(id, &below(&segments));
        match found {
            Found::Whole(answer) => answer,
            Found::Nothing => self.unknown_segment(segments.last().copied().unwrap_or_default()),
            Found::One(suffix) => Answer::ok(with_context(&format!("{context}{suffix}"), &rows)),
            Found::Rows | Found::Part(_) => {
                let mut out = Vec::with_capacity(rows.len() + 256);
                let _ = write!(out, r#"{{"@odata.context":{},"value":"#, Value::from(context));
                out.extend_from_slice(&rows);
                if let Found::Part(next) = found {
                    let rest = if query.rest.is_empty() { String::new() } else { format!("{}&", query.rest) };
                    let path = format!("{}/{}/{id}/{}", self.base, resource.path, segments.join("/"));
                    let _ =
                        write!(out, r#","@odata.nextLink":{}"#, Value::from(format!("{path}?{rest}$skiptoken={next}")));
                }
                out.push(b'}');
                Answer::ok(out)
            }
        }
    }

    /// What a policy for the preparation of devices tells by a function: the group that devices join (Microsoft Graph,
    /// deviceManagementConfigurationPolicy, retrieveEnrollmentTimeDeviceMembershipTarget).
    fn preparation_child(&self, out: &mut Vec<u8>, object: &Object<'_>, segments: &[&str]) -> Found {
        if segments != ["retrieveEnrollmentTimeDeviceMembershipTarget"] {
            return Found::Nothing;
        }
        out.extend_from_slice(
            br#"{"validationSucceeded":true,"enrollmentTimeDeviceMembershipTargetValidationStatuses":[{"targetId":""#,
        );
        self.tenant.write_id(out, GROUPS, IdForm::Guid, object.noise(70) % self.tenant.groups());
        out.extend_from_slice(br#"","targetValidationErrorCode":"unknown"}]}"#);
        Found::One("")
    }

    fn configuration_child(&self, out: &mut Vec<u8>, object: &Object<'_>, segments: &[&str]) -> Found {
        match segments {
            ["microsoft.graph.windows10GeneralConfiguration", "privacyAccessControls"] => {
                out.extend_from_slice(
                    br#"[{"id":"p1","accessLevel":"forceDeny","dataCategory":"camera","appPackageFamilyName":null}]"#,
                );
                return Found::Rows;
            }
            // Half of the profiles name a certificate; of the others there is none to be found.
            ["microsoft.graph.iosVpnConfiguration", "identityCertificate"] if object.noise(71).is_multiple_of(2) => {
                out.extend_from_slice(br##"{"@odata.type":"#microsoft.graph.iosScepCertificateProfile","id":""##);
                object.write_reference(out, "deviceConfiguration", 72);
                out.extend_from_slice(br#"","displayName":"Identity of devices"}"#);
                return Found::One("/$entity");
            }
            ["microsoft.graph.iosVpnConfiguration", "identityCertificate"] => return Found::Whole(self.not_found()),
            _ => {}
        }
        let [function] = segments else { return Found::Nothing };
        let secret = function
            .strip_prefix("getOmaSettingPlainTextValue(secretReferenceValueId='")
            .and_then(|rest| rest.strip_suffix("')"));
        let Some(secret) = secret else { return Found::Nothing };
        if let Some(refused) = self.lacks_all(READ_SECRETS) {
            return Found::Whole(refused);
        }
        match object.oma_secret(secret) {
            Some(value) => {
                let context = format!("{}/$metadata#Edm.String", self.base);
                Found::Whole(Answer::ok(json!({"@odata.context": context, "value": value}).to_string().into_bytes()))
            }
            None => Found::Whole(self.not_found()),
        }
    }

    /// The assignments of a role: those that name it.
    fn role_child(&self, out: &mut Vec<u8>, role: &Object<'_>, segments: &[&str]) -> Found {
        let (["roleAssignments"], Some(number)) = (segments, number_of("intuneRoleAssignment")) else {
            return Found::Nothing;
        };
        let Some(kind) = kind_of(number) else { return Found::Nothing };
        let collection = self.collection("deviceManagement/roleAssignments");
        out.push(b'[');
        for index in (0..self.tenant.extent(number)).filter(|index| self.tenant.exists(number, *index)) {
            let assignment = Object { tenant: self.tenant, kind, number, index };
            if assignment.refers_to(role) {
                if out.len() > 1 {
                    out.push(b',');
                }
                assignment.write(out, Along::default(), collection);
            }
        }
        out.push(b']');
        Found::Rows
    }

    fn token_child(&self, out: &mut Vec<u8>, token: u64, segments: &[&str]) -> Found {
        let ["enrollmentProfiles", rest @ ..] = segments else { return Found::Nothing };
        match rest {
            [] => {
                out.push(b'[');
                for nth in 0..2 {
                    if nth > 0 {
                        out.push(b',');
                    }
                    self.enrolment_profile(out, token, nth);
                }
                out.push(b']');
                Found::Rows
            }
            [id] => {
                let mine = (0..2).find(|nth| self.tenant.id(CHILDREN, IdForm::Guid, token * 2 + nth) == *id);
                let Some(nth) = mine else { return Found::Whole(self.not_found()) };
                self.enrolment_profile(out, token, nth);
                Found::One("/$entity")
            }
            _ => Found::Nothing,
        }
    }

    fn enrolment_profile(&self, out: &mut Vec<u8>, token: u64, nth: u64) {
        out.extend_from_slice(br##"{"@odata.type":"#microsoft.graph.depIOSEnrollmentProfile","id":""##);
        self.tenant.write_id(out, CHILDREN, IdForm::Guid, token * 2 + nth);
        let _ = write!(
            out,
            r#"","displayName":"Automated enrollment {nth}","requiresUserAuthentication":true,"isDefault":false,"supervisedModeEnabled":true}}"#
        );
    }
}

/// The path of a child in the metadata: every second segment is a key.
fn below(segments: &[&str]) -> String {
    let mut path = String::new();
    for (at, segment) in segments.iter().enumerate() {
        match at {
            0 => path.push_str(segment),
            at if at % 2 == 0 => path.push_str(&format!("/{segment}")),
            // The last key of a single object is told by `$entity`.
            at if at + 1 < segments.len() => path.push_str(&format!("('{segment}')")),
            _ => {}
        }
    }
    path
}

fn intent_child(out: &mut Vec<u8>, intent: &Object<'_>, segments: &[&str]) -> Found {
    let Some(template) = intent.template() else { return Found::Nothing };
    let written = match segments {
        ["categories"] => {
            template.write_categories(out);
            true
        }
        ["settings"] => template.write_settings(out, intent, None),
        ["categories", category, "settings"] => template.write_settings(out, intent, Some(category)),
        _ => false,
    };
    if written { Found::Rows } else { Found::Nothing }
}

/// What is below an administrative template.
fn administrative_child(out: &mut Vec<u8>, object: &Object<'_>, segments: &[&str], query: &Query) -> Found {
    let expanded = |property: &str| query.expand.iter().any(|expanded| expanded == property);
    match segments {
        ["definitionValues"] => definition_values(out, object, expanded("definition")),
        ["definitionValues", row, "definition"] => {
            write_definition(out, row.trim_start_matches('d'));
            return Found::One("/$entity");
        }
        ["definitionValues", _, "presentationValues"] => {
            out.extend_from_slice(br##"[{"@odata.type":"#microsoft.graph.groupPolicyPresentationValueText","id":"p1","value":"https://example.com""##);
            if expanded("presentation") {
                out.extend_from_slice(br##","presentation":{"@odata.type":"#microsoft.graph.groupPolicyPresentationTextBox","id":"9b8f7f3d-6a49-44f8-b6b3-5f0f8a5c0001","label":"Address","required":true}"##);
            }
            out.extend_from_slice(b"}]");
        }
        _ => return Found::Nothing,
    }
    Found::Rows
}

/// What objects of several kinds have below them.
fn common_child(
    out: &mut Vec<u8>,
    object: &Object<'_>,
    resource: &Resource,
    segments: &[&str],
    query: &Query,
) -> Found {
    let kind = object.kind;
    // Windows 365 tells assignments with the object only (IntuneAssignmentChecker, issue 88).
    let expanded_only = resource.path.contains("virtualEndpoint");
    match segments {
        ["assignments"] if kind.assigned && !expanded_only => object.write_assignments(out),
        ["settings"] if object.has_settings() => {
            let from = query.skip_token.as_deref().and_then(|text| text.parse().ok()).unwrap_or(0);
            if let Some(next) = object.write_settings(out, from, query.top.unwrap_or(PAGE)) {
                return Found::Part(next);
            }
        }
        ["scheduledActionsForRule"] if kind.key.ends_with("CompliancePolicy") => {
            object.write_actions(out, query.expand_text.contains("scheduledActionConfigurations"));
        }
        ["referencingConfigurationPolicies"] if kind.key == "reusablePolicySetting" => out.extend_from_slice(b"[]"),
        [property] if kind.expandable.iter().any(|(name, _)| name == property) => {
            object.write_expandable(out, property);
            if out.first() == Some(&b'{') {
                return Found::One("/$entity");
            }
        }
        _ => return Found::Nothing,
    }
    Found::Rows
}

fn definition_values(out: &mut Vec<u8>, object: &Object<'_>, with_definition: bool) {
    let edits = u64::from(object.changes().edits);
    out.push(b'[');
    for row in 0..(1 + object.index % 3) {
        if row > 0 {
            out.push(b',');
        }
        let enabled = (object.index + if row == 0 { edits } else { 0 }).is_multiple_of(2);
        let _ = write!(
            out,
            r#"{{"id":"d{row}","enabled":{enabled},"configurationType":"policy","createdDateTime":"2026-01-01T00:00:00Z","lastModifiedDateTime":"2026-01-01T00:00:00Z""#
        );
        if with_definition {
            out.extend_from_slice(br#","definition":"#);
            write_definition(out, &row.to_string());
        }
        out.push(b'}');
    }
    out.push(b']');
}

fn write_definition(out: &mut Vec<u8>, row: &str) {
    let _ = write!(
        out,
        r#"{{"id":"5f2e{row:0>4}-0000-4000-8000-000000000000","displayName":"Setting {row}","classType":"machine","categoryPath":"\\Windows Components","policyType":"admxBacked"}}"#
    );
}
