//! Which properties hold what must never be stored.

/// Names that are secret as a whole, in lower case: token and certificate
/// material, bodies of scripts and profiles, images, personal data.
const SECRET_NAMES: &[&str] = &[
    "appleid",
    "appleidentifier",
    "assertion",
    "authorization",
    "certificate",
    "clientassertion",
    "configurationfilecontent",
    "configurationxml",
    "content",
    "detectionscriptcontent",
    "encodedsettingxml",
    "encryptedtoken",
    "filedata",
    "kioskmodeexitcode",
    "landingpagecustomizedimage",
    "largecover",
    "largeicon",
    "lightbackgroundlogo",
    "payload",
    "payloadjson",
    "psk",
    "pwd",
    "qrcodecontent",
    "qrcodeimage",
    "remediationscriptcontent",
    "scriptcontent",
    "secrettext",
    "secretvalue",
    "sig",
    "signature",
    "themecolorlogo",
    "tokenvalue",
    "trustedrootcertificate",
];

/// Ends of names that are secret, in lower case.
const SECRET_ENDS: &[&str] = &[
    "accesskey",
    "apikey",
    "encryptionkey",
    "mackey",
    "passcode",
    "passphrase",
    "password",
    "pfxblob",
    "privatekey",
    "productkey",
    "recoverykey",
    "sasuri",
    "secret",
    "sharedkey",
    "token",
    "userprincipalname",
    "wepkey",
];

/// Whether a property of this name holds something that must never be stored: credentials, key material, bodies,
/// images, personal data (`docs/graph.md`, section Data never stored). Upper and lower case, `_` and `-` make no
/// difference. Settings *about* such things (`passwordRequired`, `tokenExpirationDateTime`) are none.
#[must_use]
pub fn is_secret_key(name: &str) -> bool {
    if !may_end_a_secret(name.as_bytes()) {
        return false;
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
    SECRET_ENDS.iter().any(|end| lower.ends_with(end.as_bytes()))
        || whole && SECRET_NAMES.iter().any(|secret| secret.as_bytes() == lower)
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
        for name in SECRET_NAMES.iter().chain(SECRET_ENDS) {
            assert!(is_secret_key(name), "{name}");
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
