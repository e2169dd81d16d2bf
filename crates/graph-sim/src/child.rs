//! What is below an object: assignments, settings, values, profiles.

use crate::{
    answer::Answer,
    catalogue::{IdForm, Resource},
    graph::GraphRequest,
    object::Object,
    query::Query,
    tenant::CHILDREN,
};
use std::io::Write as _;

impl GraphRequest<'_> {
    /// Answers for what is below an object.
    pub fn child(&self, resource: &'static Resource, id: &str, child: &[String], query: &Query) -> Answer {
        let Some((number, kind, index)) = self.tenant.find(resource, id) else { return self.not_found() };
        let object = Object { tenant: self.tenant, kind, number, index };
        let mut out = br#"{"value":"#.to_vec();
        // Windows 365 tells assignments with the object only (IntuneAssignmentChecker, issue 88).
        let expanded_only = resource.path.contains("virtualEndpoint");
        let segments: Vec<&str> = child.iter().map(String::as_str).collect();
        match segments.as_slice() {
            ["assignments"] if kind.assigned && !expanded_only => object.write_assignments(&mut out),
            ["settings"]
                if kind.family.is_some() || matches!(kind.key, "linuxCompliancePolicy" | "endpointSecurityIntent") =>
            {
                let from = query.skip_token.as_deref().and_then(|text| text.parse().ok()).unwrap_or(0);
                if let Some(next) = object.write_settings(&mut out, from, query.top.unwrap_or(25)) {
                    let rest = if query.rest.is_empty() { String::new() } else { format!("{}&", query.rest) };
                    let next = format!("{}/{}/{id}/settings?{rest}$skiptoken={next}", self.base, resource.path);
                    let _ = write!(out, r#","@odata.nextLink":"{next}""#);
                }
            }
            ["categories"] if kind.key == "endpointSecurityIntent" => {
                out.extend_from_slice(br#"[{"id":"b1ee5f7b-0a11-4f2c-8f3e-1a2b3c4d5e6f","displayName":"Firewall","hasRequiredSetting":false}]"#);
            }
            ["categories", _, "settings"] if kind.key == "endpointSecurityIntent" => {
                let _ = object.write_settings(&mut out, 0, u64::MAX);
            }
            ["scheduledActionsForRule"] if kind.key.ends_with("CompliancePolicy") => {
                object.write_actions(&mut out, query.expand_text.contains("scheduledActionConfigurations"));
            }
            ["definitionValues"] if kind.key == "groupPolicyConfiguration" => {
                definition_values(&mut out, &object, query.expand.iter().any(|property| property == "definition"));
            }
            ["definitionValues", row, "definition"] if kind.key == "groupPolicyConfiguration" => {
                out.clear();
                write_definition(&mut out, row.trim_start_matches('d'));
                return Answer::ok(out);
            }
            ["definitionValues", _, "presentationValues"] if kind.key == "groupPolicyConfiguration" => {
                out.extend_from_slice(br##"[{"@odata.type":"#microsoft.graph.groupPolicyPresentationValueText","id":"p1","value":"https://example.com""##);
                if query.expand.iter().any(|property| property == "presentation") {
                    out.extend_from_slice(br##","presentation":{"@odata.type":"#microsoft.graph.groupPolicyPresentationTextBox","id":"9b8f7f3d-6a49-44f8-b6b3-5f0f8a5c0001","label":"Address","required":true}"##);
                }
                out.extend_from_slice(b"}]");
            }
            ["enrollmentProfiles"] if kind.key == "appleEnrollmentToken" => self.enrolment_profiles(&mut out, index),
            ["referencingConfigurationPolicies"] if kind.key == "reusablePolicySetting" => out.extend_from_slice(b"[]"),
            [property] if kind.expandable.iter().any(|(name, _)| name == property) => {
                let before = out.len();
                object.write_expandable(&mut out, property);
                if out.get(before) == Some(&b'{') {
                    return Answer::ok(out.split_off(before));
                }
            }
            [.., last] => {
                return self.unknown_segment(last);
            }
            [] => return self.not_found(),
        }
        out.push(b'}');
        Answer::ok(out)
    }

    fn enrolment_profiles(&self, out: &mut Vec<u8>, token: u64) {
        out.push(b'[');
        for nth in 0..2 {
            if nth > 0 {
                out.push(b',');
            }
            out.extend_from_slice(br##"{"@odata.type":"#microsoft.graph.depIOSEnrollmentProfile","id":""##);
            self.tenant.write_id(out, CHILDREN, IdForm::Guid, token * 2 + nth);
            let _ = write!(
                out,
                r#"","displayName":"Automated enrolment {nth}","requiresUserAuthentication":true,"isDefault":false,"supervisedModeEnabled":true}}"#
            );
        }
        out.push(b']');
    }
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
