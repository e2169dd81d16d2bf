//! The token endpoint: client credentials by secret or by a signed assertion.

use crate::{catalogue, config::SimTenant};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use ring::{hmac, signature};
use serde_json::{Value, json};
use std::{
    collections::HashMap,
    time::{SystemTime, UNIX_EPOCH},
};

/// What a token says.
#[derive(Debug, Clone)]
pub struct Claims {
    /// The directory.
    pub tenant_id: String,
    /// The application.
    pub client_id: String,
    /// The application permissions.
    pub roles: Vec<String>,
}

/// Seconds since 1970.
#[must_use]
pub fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |elapsed| elapsed.as_secs())
}

/// Issues and reads tokens.
#[derive(Debug)]
pub struct Issuer {
    key: hmac::Key,
    lifetime: u64,
}

impl Issuer {
    /// An issuer with a key that follows from a number.
    #[must_use]
    pub fn new(seed: u64, lifetime: u64) -> Self {
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, &seed.to_le_bytes()), lifetime }
    }

    /// Answers a request for a token: the HTTP status and the body.
    #[must_use]
    pub fn answer(
        &self,
        tenants: &[SimTenant],
        directory: &str,
        form: &HashMap<String, String>,
        token_url: &str,
        graph_url: &str,
        epoch: u64,
    ) -> (u16, Value) {
        let Some(tenant) = tenants.iter().find(|tenant| tenant.tenant_id.eq_ignore_ascii_case(directory)) else {
            return refuse(
                400,
                "invalid_request",
                90_002,
                &format!("Tenant '{directory}' not found. Check to make sure you have the correct tenant ID."),
            );
        };
        let field = |name: &str| form.get(name).map_or("", String::as_str);
        if field("grant_type") != "client_credentials" {
            return refuse(400, "unsupported_grant_type", 70_003, "The app requested an unsupported grant type.");
        }
        if !field("client_id").eq_ignore_ascii_case(&tenant.client_id) {
            return refuse(
                400,
                "unauthorized_client",
                700_016,
                &format!("Application with identifier '{}' was not found in the directory.", field("client_id")),
            );
        }
        if field("scope") != format!("{graph_url}/.default") {
            return refuse(
                400,
                "invalid_scope",
                70_011,
                "The provided value for the input parameter 'scope' is not valid.",
            );
        }
        let proven = if form.contains_key("client_assertion") {
            field("client_assertion_type") == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
                && tenant.certificate_der.as_deref().is_some_and(|certificate| {
                    assertion_is_valid(field("client_assertion"), certificate, &tenant.client_id, token_url)
                })
        } else {
            field("client_secret") == tenant.client_secret
        };
        if !proven && form.contains_key("client_assertion") {
            return refuse(
                401,
                "invalid_client",
                700_027,
                "The certificate with identifier used to sign the client assertion is not registered on application.",
            );
        }
        if !proven {
            return refuse(
                401,
                "invalid_client",
                7_000_215,
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID.",
            );
        }
        let roles = match (&tenant.roles, tenant.consent) {
            (_, false) => Vec::new(),
            (Some(roles), true) => roles.clone(),
            (None, true) => catalogue::all_permissions(),
        };
        let token = self.issue(tenant, &roles, graph_url, epoch);
        (
            200,
            json!({"token_type": "Bearer", "expires_in": self.lifetime, "ext_expires_in": self.lifetime, "access_token": token}),
        )
    }

    fn issue(&self, tenant: &SimTenant, roles: &[String], graph_url: &str, epoch: u64) -> String {
        let at = now();
        let header = json!({"typ": "JWT", "alg": "RS256", "kid": "simulated"});
        let mut payload = json!({
            "aud": graph_url, "iss": format!("https://sts.windows.net/{}/", tenant.tenant_id), "iat": at, "nbf": at,
            "exp": at + self.lifetime, "appid": tenant.client_id, "tid": tenant.tenant_id, "ver": "1.0", "sim_epoch": epoch,
        });
        if !roles.is_empty() {
            payload["roles"] = json!(roles);
        }
        let signed =
            format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(payload.to_string()));
        let signature = hmac::sign(&self.key, signed.as_bytes());
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }

    /// The directory that a token names, whatever it is worth: for the log.
    #[must_use]
    pub fn directory_of(token: &str) -> Option<String> {
        let payload = URL_SAFE_NO_PAD.decode(token.split('.').nth(1)?).ok()?;
        serde_json::from_slice::<Value>(&payload).ok()?["tid"].as_str().map(str::to_owned)
    }

    /// The claims of a token that this issuer signed, that has not expired, and that was not revoked.
    #[must_use]
    pub fn read(&self, token: &str, epoch: u64) -> Option<Claims> {
        let (signed, signature) = token.rsplit_once('.')?;
        hmac::verify(&self.key, signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
        let payload: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(signed.split_once('.')?.1).ok()?).ok()?;
        if payload["exp"].as_u64()? < now() || payload["sim_epoch"].as_u64()? < epoch {
            return None;
        }
        Some(Claims {
            tenant_id: payload["tid"].as_str()?.to_owned(),
            client_id: payload["appid"].as_str()?.to_owned(),
            roles: serde_json::from_value(payload["roles"].clone()).unwrap_or_default(),
        })
    }
}

fn refuse(status: u16, error: &str, number: u32, text: &str) -> (u16, Value) {
    let id = crate::identity::guid_of(&[error, text]);
    (
        status,
        json!({
            "error": error,
            "error_description": format!("AADSTS{number}: {text} Trace ID: {id} Correlation ID: {id} Timestamp: 2026-11-20 22:00:00Z"),
            "error_codes": [number], "timestamp": "2026-11-20 22:00:00Z", "trace_id": id, "correlation_id": id,
        }),
    )
}

/// Whether a client assertion (RFC 7523) is signed by the certificate's key, meant for this token endpoint, and fresh.
fn assertion_is_valid(assertion: &str, certificate: &[u8], client_id: &str, token_url: &str) -> bool {
    let check = || -> Option<bool> {
        let (signed, signature) = assertion.rsplit_once('.')?;
        let (header, payload) = signed.split_once('.')?;
        let header: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(header).ok()?).ok()?;
        let payload: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
        let algorithm: &signature::RsaParameters = match header["alg"].as_str()? {
            "PS256" => &signature::RSA_PSS_2048_8192_SHA256,
            "RS256" => &signature::RSA_PKCS1_2048_8192_SHA256,
            _ => return None,
        };
        let key = signature::UnparsedPublicKey::new(algorithm, rsa_public_key(certificate)?);
        key.verify(signed.as_bytes(), &URL_SAFE_NO_PAD.decode(signature).ok()?).ok()?;
        Some(
            payload["iss"] == client_id
                && payload["sub"] == client_id
                && payload["aud"] == token_url
                && payload["exp"].as_u64()? >= now()
                && payload["jti"].is_string(),
        )
    };
    check().unwrap_or(false)
}

/// The RSAPublicKey inside an X.509 certificate: the BIT STRING after the identifier of RSA encryption.
fn rsa_public_key(certificate: &[u8]) -> Option<&[u8]> {
    const RSA_ENCRYPTION: &[u8] = &[0x06, 0x09, 0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01, 0x05, 0x00, 0x03];
    let at = certificate.windows(RSA_ENCRYPTION.len()).position(|window| window == RSA_ENCRYPTION)?;
    let rest = &certificate[at + RSA_ENCRYPTION.len()..];
    let (length, rest) = match *rest.first()? {
        short @ 0..0x80 => (usize::from(short), &rest[1..]),
        long => {
            let digits = usize::from(long & 0x7F);
            let length = rest.get(1..=digits)?.iter().fold(0, |sum, byte| sum << 8 | usize::from(*byte));
            (length, &rest[1 + digits..])
        }
    };
    // The first byte of a BIT STRING counts unused bits.
    rest.get(1..length)
}
