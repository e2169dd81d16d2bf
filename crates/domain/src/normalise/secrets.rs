//! Which values are secrets because of what they are called, how they look, or where they stand.
//!
//! One judgement for two readers: the normaliser, to which a secret counts by its fingerprint, and whoever makes a body of
//! a policy, in which no credential is kept.

use serde_json::{Map, Value};

use crate::sanitise::{SecretKind, secret_kind};

/// Settings of Defender that hold a blob made for one tenant, not a choice.
const DEFENDER_SETTINGS: &str = "device_vendor_msft_windowsadvancedthreatprotection_";

/// What Graph gives in place of an OMA value that it does not tell, `<a/>` in base64 (CIPP, issue 5410).
const PLACEHOLDER: &str = "PGEvPg==";

/// No private key with its frame is shorter, in bytes. Most texts are, and are not looked through.
const SHORTEST_KEY: usize = 60;

/// Names under which a value stands beside its own name, as app configurations have them (`mobileAppConfiguration`,
/// `keyValuePair`, the managed properties of Android).
const PAIRS: [(&str, &str); 4] =
    [("name", "value"), ("key", "value"), ("key", "valueString"), ("appConfigKey", "appConfigKeyValue")];

crate::names::named! {
    /// How a value looks that Graph does not tell.
    pub enum Unreadable: UnknownUnreadable, "form of an unreadable value" {
        /// Asterisks, or nothing where there must be something.
        Masked = "masked",
        /// A stand-in that is no value.
        Placeholder = "placeholder",
        /// A token for an encrypted value of the settings catalogue.
        Token = "token",
        /// The reference by which a value can be asked for with a permission to write.
        Reference = "reference",
    }
}

/// What a member of an object holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Held {
    /// Nothing special.
    Open,
    /// Something that an administrator wrote, compared by its fingerprint.
    Content,
    /// Something that is never kept.
    Kept(SecretKind),
    /// Something that Graph does not tell.
    Unreadable(Unreadable),
}

/// Objects whose members mean something special.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum ObjectKind {
    Plain,
    /// An OMA-URI setting: its value may be a secret even where nothing says so.
    OmaSetting {
        /// Whether Microsoft keeps the value as a secret.
        encrypted: bool,
    },
    /// A secret value of the settings catalogue.
    SecretSettingValue,
    /// A setting with a blob made for one tenant.
    DefenderBlob,
    /// A value beside its name, which is that of a credential; with the member that holds the value.
    NamedCredential(&'static str),
}

impl ObjectKind {
    pub(crate) fn of(members: &Map<String, Value>) -> Self {
        let text = |key: &str| members.get(key).and_then(Value::as_str);
        if let Some(definition) = text("settingDefinitionId") {
            let blob = definition.starts_with(DEFENDER_SETTINGS) && definition.contains("boarding");
            return if blob { Self::DefenderBlob } else { Self::Plain };
        }
        if text("@odata.type").is_some_and(|kind| kind.ends_with("SecretSettingValue")) {
            return Self::SecretSettingValue;
        }
        if members.contains_key("omaUri") {
            return Self::OmaSetting { encrypted: members.get("isEncrypted") == Some(&Value::Bool(true)) };
        }
        for (name, value) in PAIRS {
            let named = text(name).filter(|_| members.contains_key(value));
            let last = named.and_then(|named| named.rsplit(['.', '/', ':', ' ']).next());
            if last.and_then(secret_kind) == Some(SecretKind::Credential) {
                return Self::NamedCredential(value);
            }
        }
        Self::Plain
    }
}

/// What a member of an object of this kind holds.
pub(crate) fn held(kind: ObjectKind, members: &Map<String, Value>, key: &str, value: &Value) -> Held {
    if says_nothing(value) {
        let lost = key == "value" && kind == (ObjectKind::OmaSetting { encrypted: true });
        return if lost { Held::Unreadable(Unreadable::Masked) } else { Held::Open };
    }
    let credential = || match masked(value) {
        Some(form) => Held::Unreadable(form),
        None => Held::Kept(SecretKind::Credential),
    };
    match kind {
        _ if key == "secretReferenceValueId" => Held::Unreadable(Unreadable::Reference),
        ObjectKind::OmaSetting { encrypted } if key == "value" => match masked(value) {
            Some(form) if encrypted || form == Unreadable::Placeholder => Held::Unreadable(form),
            _ if encrypted => Held::Kept(SecretKind::Credential),
            _ => Held::Content,
        },
        ObjectKind::SecretSettingValue if key == "value" => {
            let state = members.get("valueState").and_then(Value::as_str);
            match state {
                Some("encryptedValueToken") => Held::Unreadable(Unreadable::Token),
                _ => credential(),
            }
        }
        ObjectKind::NamedCredential(member) if key == member => credential(),
        _ => match secret_kind(key).filter(|_| !value.is_boolean()) {
            Some(SecretKind::Credential) => credential(),
            Some(SecretKind::Content) => Held::Content,
            Some(kind) => Held::Kept(kind),
            None if is_private_key(value) => Held::Kept(SecretKind::Credential),
            None => Held::Open,
        },
    }
}

fn says_nothing(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(text) => text.is_empty(),
        Value::Array(elements) => elements.is_empty(),
        _ => false,
    }
}

/// Whether a text is what Graph gives in place of a value, and in which form.
fn masked(value: &Value) -> Option<Unreadable> {
    match value.as_str()? {
        PLACEHOLDER => Some(Unreadable::Placeholder),
        text if text.bytes().all(|byte| byte == b'*') => Some(Unreadable::Masked),
        _ => None,
    }
}

/// Whether a text holds a private key (RFC 7468).
fn is_private_key(value: &Value) -> bool {
    let long = value.as_str().filter(|text| text.len() >= SHORTEST_KEY);
    long.is_some_and(|text| text.contains("-----BEGIN ") && text.contains("PRIVATE KEY-----"))
}
