//! Objects as JSON, written straight into a buffer: the simulator must never be what a benchmark measures.

use std::io::Write as _;

use crate::catalogue::{Field, IdForm, Kind};
use crate::context::Collection;
use crate::identity::mix;
use crate::instant::write_time;
use crate::template::{Template, template};
use crate::tenant::{Changes, KindNumber, TenantState, number_of};

/// The mark of everything that must never be stored.
pub const SECRET_MARK: &str = "PLANTEDSECRET";

/// The mark of what lets somebody in, among these: passwords, keys and tokens. What an administrator wrote, such as a script,
/// carries [`SECRET_MARK`] alone. A multiple of three bytes, so that it shows in base64 too.
pub const CREDENTIAL_MARK: &str = "PLANTEDSECRET-CREDENTIAL";

/// What [`CREDENTIAL_MARK`] looks like at the beginning of base64.
pub const CREDENTIAL_MARK_BASE64: &str = "UExBTlRFRFNFQ1JFVC1DUkVERU5USUFM";

/// What [`SECRET_MARK`] looks like at the beginning of base64.
pub const SECRET_MARK_BASE64: &str = "UExBTlRFRFNFQ1JFV";

/// What comes along with an object.
#[derive(Debug, Clone, Copy, Default)]
pub struct Along<'a> {
    /// The properties in `$expand`.
    pub expand: &'a [String],
    /// Whether the actions of compliance policies come with their configurations.
    pub configurations: bool,
    /// The properties in `$select`.
    pub select: &'a [String],
    /// What only a single read tells: script bodies, scope tags of apps.
    pub detail: bool,
    /// Expanded collections come in part, with a next link.
    pub partial: bool,
    /// The type, where the collection holds several and the objects elsewhere carry none.
    pub odata: Option<&'static str>,
}

impl Along<'_> {
    fn has(&self, property: &str) -> bool {
        self.expand.iter().any(|expanded| expanded == property)
    }

    /// Whether a property comes that a list does not tell by itself.
    fn wants(&self, property: &str) -> bool {
        self.detail || self.select.iter().any(|selected| selected.eq_ignore_ascii_case(property))
    }
}

/// One object of one tenant.
#[derive(Clone, Copy)]
pub struct Object<'a> {
    /// Its tenant.
    pub tenant: &'a TenantState,
    /// Its kind.
    pub kind: &'static Kind,
    /// The number of its kind.
    pub number: KindNumber,
    /// Its index within the kind.
    pub index: u64,
}

const NOUNS: [&str; 12] = [
    "Baseline",
    "Pilot",
    "Production",
    "Kiosk",
    "Finance",
    "Field service",
    "Shared device",
    "Executive",
    "Classroom",
    "Warehouse",
    "Contractor",
    "Headquarters",
];
/// What objects are about.
pub const TOPICS: [&str; 10] =
    ["BitLocker", "Firewall", "Password", "Updates", "Edge", "Defender", "Wi-Fi", "VPN", "Restrictions", "Browser"];

impl Object<'_> {
    /// A number that belongs to this object and a purpose.
    #[must_use]
    pub fn noise(&self, salt: u64) -> u64 {
        mix(self.tenant.config.seed.wrapping_add(salt), u64::from(self.number), self.index)
    }

    /// How it differs from its seed.
    #[must_use]
    pub fn changes(&self) -> Changes {
        self.tenant.changes(self.number, self.index)
    }

    /// Writes the object as one of a collection.
    pub fn write(&self, out: &mut Vec<u8>, along: Along<'_>, collection: Collection<'_>) {
        out.push(b'{');
        self.write_identity(out, along.odata);
        self.write_times(out);
        // The list of apps does not tell their scope tags.
        if self.kind.tagged || (self.kind.key == "mobileApp" && along.wants("roleScopeTagIds")) {
            self.write_scope_tags(out);
        }
        if let Some(family) = self.kind.family {
            self.write_policy_head(out, family);
        }
        for (salt, (name, field)) in (100..).zip(self.kind.fields) {
            self.write_property(out, name, *field, salt, along);
        }
        for (salt, (name, field)) in (300..).zip(self.kind.selectable) {
            if along.wants(name) {
                self.write_property(out, name, *field, salt, along);
            }
        }
        self.write_expanded(out, along, collection);
        out.push(b'}');
    }

    fn write_identity(&self, out: &mut Vec<u8>, odata: Option<&str>) {
        if let Some(odata) = self.subtype().or(odata) {
            out.extend_from_slice(br##""@odata.type":"#microsoft.graph."##);
            out.extend_from_slice(odata.as_bytes());
            out.extend_from_slice(b"\",");
        }
        if self.kind.id != IdForm::Fixed("") {
            out.extend_from_slice(br#""id":""#);
            self.write_own_id(out);
            out.extend_from_slice(b"\",");
        }
        if self.kind.key == "crossTenantAccessPartner" {
            out.extend_from_slice(br#""tenantId":""#);
            self.write_own_id(out);
            out.extend_from_slice(b"\",");
        }
        if !self.kind.name.is_empty() {
            let _ = write!(out, r#""{}":""#, self.kind.name);
            self.write_name(out);
            out.extend_from_slice(b"\",");
        }
    }

    fn write_times(&self, out: &mut Vec<u8>) {
        let changes = self.changes();
        let _ = write!(out, r#""description":"Managed by the endpoint team, revision {}","#, changes.edits);
        let created = self.noise(2) % 80_000_000;
        out.extend_from_slice(br#""createdDateTime":""#);
        write_time(out, 1_700_000_000 + created);
        // As their resource types call it.
        let modified = match self.kind.key {
            "conditionalAccessPolicy" | "namedLocation" | "authenticationStrength" => "modifiedDateTime",
            _ => "lastModifiedDateTime",
        };
        let _ = write!(out, r#"","{modified}":""#);
        let touches = u64::from(changes.edits + changes.renames) * 86_400 + u64::from(changes.volatile) * 61;
        let modified_at = match changes.modified_at {
            0 => 1_700_000_000 + created + 3_600 + touches,
            at => at,
        };
        write_time(out, modified_at);
        out.push(b'"');
    }

    fn write_scope_tags(&self, out: &mut Vec<u8>) {
        let tags = self.tenant.first_extent(number_of("roleScopeTag").unwrap_or(0)).max(1);
        let second = self.noise(4) % tags;
        let _ = match self.noise(3) % 4 {
            0 if second > 0 => write!(out, r#","roleScopeTagIds":["0","{second}"]"#),
            _ => write!(out, r#","roleScopeTagIds":["0"]"#),
        };
    }

    /// The properties of `$expand`, each after its context.
    fn write_expanded(&self, out: &mut Vec<u8>, along: Along<'_>, collection: Collection<'_>) {
        let context = |out: &mut Vec<u8>, property: &str, suffix: &str| {
            collection.write_expanded(out, property, suffix, |out| self.write_own_id(out));
        };
        for (salt, (name, field)) in (400..).zip(self.kind.expandable) {
            if along.has(name) {
                context(out, name, if matches!(field, Field::NamedOne(_)) { "/$entity" } else { "" });
                self.write_property(out, name, *field, salt, along);
            }
        }
        if along.has("settings") {
            context(out, "settings", "");
            self.write_settings_property(out, along.partial, collection);
        }
        if along.has("scheduledActionsForRule") {
            let suffix = if along.configurations { "(scheduledActionConfigurations())" } else { "" };
            context(out, "scheduledActionsForRule", suffix);
            out.extend_from_slice(br#","scheduledActionsForRule":"#);
            self.write_actions(out, along.configurations);
        }
        if along.has("assignments") {
            context(out, "assignments", "");
            out.extend_from_slice(br#","assignments":"#);
            self.write_assignments(out);
        }
    }

    /// Writes the id.
    pub fn write_own_id(&self, out: &mut Vec<u8>) {
        self.tenant.write_id(out, self.number, self.kind.id, self.index);
    }

    /// Writes the name without quotes. Who was migrated keeps the name it had in its former type.
    pub fn write_name(&self, out: &mut Vec<u8>) {
        let (number, index) = self.tenant.named_after(self.number, self.index);
        let noise = mix(self.tenant.config.seed.wrapping_add(1), u64::from(number), index);
        let noun = NOUNS[noise as usize % NOUNS.len()];
        let topic = TOPICS[(noise >> 8) as usize % TOPICS.len()];
        let _ = write!(out, "{noun} {topic} {index:05}");
        let renames =
            self.tenant.changes(number, index).renames + if number == self.number { 0 } else { self.changes().renames };
        if renames > 0 {
            let _ = write!(out, " (renamed {renames})");
        }
    }

    /// Whether it has settings of the settings catalogue.
    #[must_use]
    pub fn has_settings(&self) -> bool {
        self.kind.family.is_some() || matches!(self.kind.key, "linuxCompliancePolicy" | "deviceInventoryPolicy")
    }

    /// The template that an intent was made of.
    #[must_use]
    pub fn template(&self) -> Option<&'static Template> {
        let (salt, (_, field)) = (100..).zip(self.kind.fields).find(|(_, (name, _))| *name == "templateId")?;
        let mut id = Vec::with_capacity(40);
        self.write_field(&mut id, *field, salt, false);
        template(std::str::from_utf8(&id).ok()?.trim_matches('"'))
    }

    /// Whether a role assignment names this role.
    #[must_use]
    pub fn refers_to(&self, role: &Self) -> bool {
        let salt =
            (400..).zip(self.kind.expandable).find(|(_, (name, _))| *name == "roleDefinition").map(|found| found.0);
        let named = salt.and_then(|salt| self.referred(role.kind.key, salt));
        named.is_some_and(|named| (named.number, named.index) == (role.number, role.index))
    }

    fn subtype(&self) -> Option<&'static str> {
        let subtypes = self.kind.odata;
        (!subtypes.is_empty()).then(|| subtypes[self.noise(5) as usize % subtypes.len()])
    }

    fn write_property(&self, out: &mut Vec<u8>, name: &str, field: Field, salt: u64, along: Along<'_>) {
        let field = match field {
            Field::On(subtypes, field) => {
                if !self.subtype().is_some_and(|subtype| subtypes.contains(&subtype)) {
                    return;
                }
                *field
            }
            field => field,
        };
        out.extend_from_slice(b",\"");
        out.extend_from_slice(name.as_bytes());
        out.extend_from_slice(b"\":");
        self.write_field(out, field, salt, along.detail);
    }

    /// Writes the value of a property that comes only below the object's address or with `$expand`.
    pub fn write_expandable(&self, out: &mut Vec<u8>, property: &str) -> bool {
        let found = (400..).zip(self.kind.expandable).find(|(_, (name, _))| *name == property);
        if let Some((salt, (_, field))) = found {
            self.write_field(out, *field, salt, true);
        }
        found.is_some()
    }
}
