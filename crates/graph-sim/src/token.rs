//! The token endpoint: client credentials by secret or by a signed assertion.

use std::collections::HashMap;
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::{hmac, signature};
use serde_json::{Value, json};

use crate::catalogue;
use crate::config::SimTenant;

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
    pub fn answer(&self, tenants: &[SimTenant], asked: &TokenRequest<'_>, epoch: u64) -> (u16, Value) {
        let Some(tenant) = find(tenants, asked.directory) else {
            return unknown_tenant("invalid_request", asked.directory);
        };
        if asked.field("grant_type") != "client_credentials" {
            return refuse(400, "unsupported_grant_type", 70_003, "The app requested an unsupported grant type.");
        }
        if !asked.field("client_id").eq_ignore_ascii_case(&tenant.client_id) {
            let text =
                format!("Application with identifier '{}' was not found in the directory.", asked.field("client_id"));
            return refuse(400, "unauthorized_client", 700_016, &text);
        }
        let graph = asked.field("scope").split(' ').find_map(|scope| scope.strip_suffix("/.default"));
        let Some(graph) = graph.filter(|graph| asked.graphs.iter().any(|known| known == graph)) else {
            let text = "The provided value for the input parameter 'scope' is not valid.";
            return refuse(400, "invalid_scope", 70_011, text);
        };
        if let Some(refused) = asked.unproven(tenant) {
            return refused;
        }
        let roles = match (&tenant.roles, tenant.consent) {
            (_, false) => Vec::new(),
            (Some(roles), true) => roles.clone(),
            (None, true) => catalogue::all_permissions(),
        };
        let token = self.issue(tenant, &roles, graph, epoch);
        let lifetime = self.lifetime;
        let body =
            json!({"token_type": "Bearer", "expires_in": lifetime, "ext_expires_in": lifetime, "access_token": token});
        (200, body)
    }

    /// The configuration of a directory: the HTTP status and the body.
    #[must_use]
    pub fn discovery(&self, tenants: &[SimTenant], login: &str, directory: &str) -> (u16, Value) {
        let Some(tenant) = find(tenants, directory) else { return unknown_tenant("invalid_tenant", directory) };
        let address = format!("{login}/{}", tenant.tenant_id);
        let body = json!({
            "issuer": format!("{address}/v2.0"),
            "authorization_endpoint": format!("{address}/oauth2/v2.0/authorize"),
            "token_endpoint": format!("{address}/oauth2/v2.0/token"),
            "token_endpoint_auth_methods_supported": ["client_secret_post", "private_key_jwt", "client_secret_basic"],
            "jwks_uri": format!("{address}/discovery/v2.0/keys"),
            "response_types_supported": ["code"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "tenant_region_scope": "EU",
        });
        (200, body)
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
    ///
    /// # Errors
    /// Why the token is not accepted.
    pub fn read(&self, token: Option<&str>, epoch: u64) -> Result<Claims, TokenFault> {
        let token = token.filter(|token| !token.is_empty()).ok_or(TokenFault::Missing)?;
        let (signed, signature) = token.rsplit_once('.').ok_or(TokenFault::Malformed)?;
        let (_, payload) = signed.split_once('.').ok_or(TokenFault::Malformed)?;
        let decoded = |text: &str| URL_SAFE_NO_PAD.decode(text).map_err(|_| TokenFault::Malformed);
        hmac::verify(&self.key, signed.as_bytes(), &decoded(signature)?).map_err(|_| TokenFault::Signature)?;
        let payload: Value = serde_json::from_slice(&decoded(payload)?).map_err(|_| TokenFault::Malformed)?;
        let text = |name: &str| payload[name].as_str().map(str::to_owned).ok_or(TokenFault::Malformed);
        if payload["exp"].as_u64().is_none_or(|end| end < now()) {
            return Err(TokenFault::Expired);
        }
        if payload["sim_epoch"].as_u64().is_none_or(|issued| issued < epoch) {
            return Err(TokenFault::Revoked);
        }
        Ok(Claims {
            tenant_id: text("tid")?,
            client_id: text("appid")?,
            roles: serde_json::from_value(payload["roles"].clone()).unwrap_or_default(),
        })
    }
}

/// A request for a token.
pub struct TokenRequest<'a> {
    /// The directory in the address.
    pub directory: &'a str,
    /// The form.
    pub form: &'a HashMap<String, String>,
    /// The address: the audience of client assertions.
    pub url: &'a str,
    /// The addresses of Graph that tokens are issued for.
    pub graphs: &'a [String],
}

impl TokenRequest<'_> {
    fn field(&self, name: &str) -> &str {
        self.form.get(name).map_or("", String::as_str)
    }

    /// The refusal, unless a secret or an assertion proves the application.
    fn unproven(&self, tenant: &SimTenant) -> Option<(u16, Value)> {
        if !self.form.contains_key("client_assertion") {
            let text = "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID.";
            let proven = self.field("client_secret") == tenant.client_secret;
            return (!proven).then(|| refuse(401, "invalid_client", 7_000_215, text));
        }
        let text =
            "The certificate with identifier used to sign the client assertion is not registered on application.";
        let proven = self.field("client_assertion_type") == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
            && tenant.certificate_der.as_deref().is_some_and(|certificate| {
                assertion_is_valid(self.field("client_assertion"), certificate, &tenant.client_id, self.url)
            });
        (!proven).then(|| refuse(401, "invalid_client", 700_027, text))
    }
}

/// Why a token is not accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenFault {
    /// There is none.
    Missing,
    /// It is no token.
    Malformed,
    /// Somebody else signed it, or it was changed.
    Signature,
    /// Its time is over.
    Expired,
    /// It was revoked.
    Revoked,
}

impl TokenFault {
    /// What Graph says.
    #[must_use]
    pub fn message(self) -> &'static str {
        match self {
            Self::Missing => "Access token is empty.",
            Self::Malformed => {
                "IDX14100: JWT is not well formed, there are no dots (.).\nThe token needs to be in JWS or JWE Compact Serialization Format."
            }
            Self::Signature => "Signing key is invalid.",
            Self::Expired => "Lifetime validation failed, the token is expired.",
            Self::Revoked => {
                "Continuous access evaluation resulted in challenge with result: InteractionRequired and code: TokenIssuedBeforeRevocationTimestamp"
            }
        }
    }
}

fn find<'a>(tenants: &'a [SimTenant], directory: &str) -> Option<&'a SimTenant> {
    tenants.iter().find(|tenant| tenant.tenant_id.eq_ignore_ascii_case(directory))
}

fn unknown_tenant(error: &str, directory: &str) -> (u16, Value) {
    let text = format!("Tenant '{directory}' not found. Check to make sure you have the correct tenant ID.");
    refuse(400, error, 90_002, &text)
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
