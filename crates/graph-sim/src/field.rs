//! The values of properties.

use std::io::Write as _;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::catalogue::{Field, IdForm};
use crate::instant::write_time;
use crate::object::{CREDENTIAL_MARK, Object, SECRET_MARK, TOPICS};
use crate::tenant::{GROUPS, form_of, kind_of, number_of};

macro_rules! push {
    ($out:expr, $($part:tt)*) => {{ let _ = write!($out, $($part)*); }};
}

impl Object<'_> {
    /// The object of another kind that a property of this one speaks of.
    pub(crate) fn referred(&self, key: &str, salt: u64) -> Option<Self> {
        let number = number_of(key)?;
        let index = self.noise(salt) % self.tenant.first_extent(number).max(1);
        Some(Self { tenant: self.tenant, kind: kind_of(number)?, number, index })
    }

    /// Writes the id of one object of a kind.
    pub fn write_reference(&self, out: &mut Vec<u8>, key: &str, salt: u64) {
        let Some(number) = number_of(key) else { return };
        let extent = self.tenant.first_extent(number).max(1);
        self.tenant.write_id(out, number, form_of(number), self.noise(salt) % extent);
    }

    fn write_named(&self, out: &mut Vec<u8>, key: &str, salt: u64) {
        let Some(other) = self.referred(key, salt) else { return };
        out.extend_from_slice(br#"{"id":""#);
        self.tenant.write_id(out, other.number, other.kind.id, other.index);
        out.extend_from_slice(br#"","displayName":""#);
        other.write_name(out);
        out.extend_from_slice(b"\"}");
    }

    fn write_group(&self, out: &mut Vec<u8>, noise: u64) {
        self.tenant.write_id(out, GROUPS, IdForm::Guid, noise % self.tenant.groups());
    }

    /// Writes a value. `detail`: on a single read, which tells what a list leaves out.
    pub fn write_field(&self, out: &mut Vec<u8>, field: Field, salt: u64, detail: bool) {
        // Only the first property of a kind follows its edits: one edit is one changed field.
        let changes = self.changes();
        let edits = if salt == 100 { u64::from(changes.edits) } else { 0 };
        let noise = self.noise(salt).wrapping_add(edits);
        let restless = noise % 9_000 + self.tenant.step() * 17 + u64::from(changes.volatile);
        let is_script = detail && self.kind.fields.iter().any(|(name, _)| name.ends_with("riptContent"));
        match field {
            // Resolved where the property is written.
            Field::On(_, field) => self.write_field(out, *field, salt, detail),
            Field::Null if is_script => {
                let script = format!("## {SECRET_MARK}-script-{noise:x} revision {}", changes.edits);
                push!(out, r#""{}""#, STANDARD.encode(script));
            }
            field => {
                let _ = self.write_scalar(out, field, noise, restless, detail)
                    || self.write_secret(out, field, salt, noise)
                    || self.write_references(out, field, salt, noise)
                    || self.write_structure(out, field, salt, noise, restless);
            }
        }
    }

    /// Writes a text, a number, an instant or JSON as it stands; false when the field is none.
    fn write_scalar(&self, out: &mut Vec<u8>, field: Field, noise: u64, restless: u64, detail: bool) -> bool {
        let instant = |out: &mut Vec<u8>, seconds: u64| {
            out.push(b'"');
            write_time(out, seconds);
            out.push(b'"');
        };
        match field {
            Field::Text => {
                push!(out, r#""Value {} of {}""#, noise % 9_973, TOPICS[(noise >> 9) as usize % TOPICS.len()]);
            }
            Field::Name => {
                out.push(b'"');
                self.write_name(out);
                out.push(b'"');
            }
            Field::Is(text) => {
                let _ = serde_json::to_writer(&mut *out, text);
            }
            Field::Bool => out.extend_from_slice(if noise.is_multiple_of(2) { b"true" } else { b"false" }),
            Field::Number(below) => push!(out, "{}", noise % below),
            Field::Enum(values) => push!(out, r#""{}""#, values[noise as usize % values.len()]),
            // Far away: what ends on such a date must not come near while tests run on a later day.
            Field::Date => instant(out, 4_000_000_000 + noise % 20_000_000),
            Field::Heartbeat => instant(out, 1_790_000_000 + restless * 61),
            Field::Counter => push!(out, "{restless}"),
            Field::SettingCount => push!(out, "{}", self.setting_count()),
            Field::UnknownAlone(_) if detail => out.extend_from_slice(br#""unknown""#),
            Field::UnknownAlone(values) => push!(out, r#""{}""#, values[noise as usize % values.len()]),
            Field::Null => out.extend_from_slice(b"null"),
            Field::Raw(json) => out.extend_from_slice(json.as_bytes()),
            _ => return false,
        }
        true
    }

    /// Writes something that must never be stored; false when the field is none.
    fn write_secret(&self, out: &mut Vec<u8>, field: Field, salt: u64, noise: u64) -> bool {
        match field {
            Field::Secret => push!(out, r#""{CREDENTIAL_MARK}-{noise:x}""#),
            Field::SecretBase64 => {
                push!(out, r#""{}""#, STANDARD.encode(format!("{SECRET_MARK}-{noise:x}-and-some-more-bytes")));
            }
            Field::SecretJson => {
                // The mark begins at a multiple of three bytes, so that it can be seen in the base64 too.
                let json = format!(
                    r#"{{"kind": "androidenterprise#managedConfiguration", "adminPassword": "{CREDENTIAL_MARK}-{noise:x}"}}"#
                );
                push!(out, r#""{}""#, STANDARD.encode(json));
            }
            Field::Person => push!(out, r#""{SECRET_MARK}-person-{:x}@example.com""#, noise % 4_096),
            Field::ComplianceScript if !noise.is_multiple_of(4) => out.extend_from_slice(b"null"),
            Field::ComplianceScript => {
                out.extend_from_slice(br#"{"deviceComplianceScriptId":""#);
                self.write_reference(out, "deviceComplianceScript", salt);
                let rules = STANDARD.encode(format!("{SECRET_MARK}-rules-{noise:x}-and-more"));
                push!(out, r#"","rulesContent":"{rules}"}}"#);
            }
            _ => return false,
        }
        true
    }

    /// Writes what leads to other objects; false when the field is none.
    fn write_references(&self, out: &mut Vec<u8>, field: Field, salt: u64, noise: u64) -> bool {
        match field {
            Field::Ids(key) => {
                for nth in 0..=(noise % 3) {
                    out.extend_from_slice(if nth == 0 { b"[\"" } else { b"\",\"" });
                    self.write_reference(out, key, salt + 1_000 * (nth + 1));
                }
                out.extend_from_slice(b"\"]");
            }
            Field::Groups => {
                out.extend_from_slice(b"[\"");
                self.write_group(out, noise);
                out.extend_from_slice(b"\"]");
            }
            Field::OptionalId(_) if noise.is_multiple_of(3) => out.extend_from_slice(b"null"),
            Field::OptionalId(key) => {
                out.push(b'"');
                self.write_reference(out, key, salt);
                out.push(b'"');
            }
            Field::Named(key) => {
                out.push(b'[');
                if !noise.is_multiple_of(3) {
                    self.write_named(out, key, salt);
                }
                out.push(b']');
            }
            Field::NamedOne(key) => self.write_named(out, key, salt),
            Field::NotificationTemplates => {
                for (before, salt) in [("[\"email_", salt), ("\",\"push_", salt + 1_000)] {
                    out.extend_from_slice(before.as_bytes());
                    self.write_reference(out, "notificationMessageTemplate", salt);
                }
                out.extend_from_slice(b"\"]");
            }
            _ => return false,
        }
        true
    }
}
