//! Which properties hold what must never be stored.

/// Why a property is never stored as metadata.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SecretKind {
    /// It lets somebody in, or signs in somebody's name: passwords, keys, tokens, certificates of trust.
    Credential,
    /// It names a person.
    Personal,
    /// A picture.
    Image,
    /// What an administrator wrote: bodies of scripts, profiles and payloads. Content of a policy, and too much for metadata.
    Content,
}

/// Names that are secret as a whole, in lower case.
const SECRET_NAMES: &[(&str, SecretKind)] = &[
    ("appleid", SecretKind::Personal),
    ("appleidentifier", SecretKind::Personal),
    ("assertion", SecretKind::Credential),
    ("authorization", SecretKind::Credential),
    ("certificate", SecretKind::Credential),
    ("clientassertion", SecretKind::Credential),
    ("configurationfilecontent", SecretKind::Content),
    ("configurationxml", SecretKind::Content),
    ("content", SecretKind::Content),
    ("detectionscriptcontent", SecretKind::Content),
    ("encodedsettingxml", SecretKind::Content),
    ("encryptedtoken", SecretKind::Credential),
    ("filedata", SecretKind::Content),
    ("kioskmodeexitcode", SecretKind::Credential),
    ("landingpagecustomizedimage", SecretKind::Image),
    ("largecover", SecretKind::Image),
    ("largeicon", SecretKind::Image),
    ("lightbackgroundlogo", SecretKind::Image),
    ("payload", SecretKind::Content),
    ("payloadjson", SecretKind::Content),
    ("psk", SecretKind::Credential),
    ("pwd", SecretKind::Credential),
    ("qrcodecontent", SecretKind::Credential),
    ("qrcodeimage", SecretKind::Credential),
    ("remediationscriptcontent", SecretKind::Content),
    ("scriptcontent", SecretKind::Content),
    ("secrettext", SecretKind::Credential),
    ("secretvalue", SecretKind::Credential),
    ("sig", SecretKind::Credential),
    ("signature", SecretKind::Credential),
    ("themecolorlogo", SecretKind::Image),
    ("tokenvalue", SecretKind::Credential),
    ("trustedrootcertificate", SecretKind::Content),
];

/// Ends of names that are secret, in lower case.
const SECRET_ENDS: &[(&str, SecretKind)] = &[
    ("accesskey", SecretKind::Credential),
    ("apikey", SecretKind::Credential),
    ("encryptionkey", SecretKind::Credential),
    ("mackey", SecretKind::Credential),
    ("passcode", SecretKind::Credential),
    ("passphrase", SecretKind::Credential),
    ("password", SecretKind::Credential),
    ("pfxblob", SecretKind::Credential),
    ("privatekey", SecretKind::Credential),
    ("productkey", SecretKind::Credential),
    ("recoverykey", SecretKind::Credential),
    ("sasuri", SecretKind::Credential),
    ("secret", SecretKind::Credential),
    ("sharedkey", SecretKind::Credential),
    ("token", SecretKind::Credential),
    ("userprincipalname", SecretKind::Personal),
    ("wepkey", SecretKind::Credential),
];

/// Whether a property of this name holds something that must never be stored as metadata: credentials, key material,
/// bodies, images, personal data (`docs/graph.md`, section Data never stored). Upper and lower case, `_` and `-` make no
/// difference. Settings *about* such things (`passwordRequired`, `tokenExpirationDateTime`) are none.
#[must_use]
pub fn is_secret_key(name: &str) -> bool {
    secret_kind(name).is_some()
}

/// The same, and why.
#[must_use]
pub fn secret_kind(name: &str) -> Option<SecretKind> {
    if !may_end_a_secret(name.as_bytes()) {
        return None;
    }
    // Long enough for every name above; of longer names only the end counts.
    let mut buffer = [0u8; 48];
    let mut length = 0;
    let mut whole = true;
    for byte in name.bytes().rev() {
        if matches!(byte, b'_' | b'-') {
            continue;
        }
        if length == buffer.len() {
            whole = false;
            break;
        }
        buffer[buffer.len() - 1 - length] = byte.to_ascii_lowercase();
        length += 1;
    }
    let lower = &buffer[buffer.len() - length..];
    let named = || SECRET_NAMES.iter().find(|(secret, _)| whole && secret.as_bytes() == lower);
    let found = SECRET_ENDS.iter().find(|(end, _)| lower.ends_with(end.as_bytes())).or_else(named)?;
    Some(found.1)
}

/// Whether the last letters are those of any name or end above. Asked for every
/// property of every object, and for nearly all of them the answer is no.
fn may_end_a_secret(name: &[u8]) -> bool {
    let [.., third, second, last] = name else { return false };
    let is_mark = |byte: &u8| matches!(byte, b'_' | b'-');
    let lower = [third, second, last].map(u8::to_ascii_lowercase);
    [third, second, last].into_iter().any(is_mark)
        || matches!(
            &lower,
            b"key"
                | b"ode"
                | b"ase"
                | b"ord"
                | b"lob"
                | b"uri"
                | b"ret"
                | b"ken"
                | b"ame"
                | b"eid"
                | b"ier"
                | b"ion"
                | b"ate"
                | b"ent"
                | b"xml"
                | b"ata"
                | b"age"
                | b"ver"
                | b"con"
                | b"ogo"
                | b"oad"
                | b"son"
                | b"psk"
                | b"pwd"
                | b"lue"
                | b"ext"
                | b"sig"
                | b"ure"
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_must_never_be_stored_is_recognised_in_any_spelling() {
        for name in [
            "tokenValue",
            "encryptedToken",
            "certificate",
            "qrCodeContent",
            "qrCodeImage",
            "adDomainPassword",
            "preSharedKey",
            "wifiPassword",
            "sharedSecret",
            "ownerUserPrincipalName",
            "scriptContent",
            "client_secret",
            "CLIENT-SECRET",
            "access_token",
            "detectionScriptContent",
            "largeIcon",
            "payloadJson",
            "productKey",
            "averyveryveryveryveryveryveryveryveryveryveryverylongnameofapassword",
        ] {
            assert!(is_secret_key(name), "{name}");
        }
    }

    #[test]
    fn every_name_of_the_tables_is_recognised() {
        for (name, kind) in SECRET_NAMES.iter().chain(SECRET_ENDS) {
            assert_eq!(secret_kind(name), Some(*kind), "{name}");
            assert!(is_secret_key(&name.to_uppercase()), "{name}");
        }
    }

    #[test]
    fn settings_about_secrets_are_no_secrets() {
        for name in [
            "passwordRequired",
            "passwordMinimumLength",
            "tokenExpirationDateTime",
            "tokenName",
            "tokenType",
            "enrollmentTokenUsageCount",
            "secretReferenceValueId",
            "certificateStore",
            "contentFileName",
            "vppTokenId",
            "",
        ] {
            assert!(!is_secret_key(name), "{name}");
        }
    }
}
