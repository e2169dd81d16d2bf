//! A server function acts on the tenant that its address names, and none takes a tenant in its payload. A payload that
//! names a tenant all the same may name that one; any other is refused with 403, whether it was sent by mistake or to probe
//! for access to another tenant.

use std::fmt;

use axum::body::Bytes;
use axum::http::{HeaderMap, header};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::Value;
use tenantatlas_app::error::{AppError, ErrorKind};
use tenantatlas_domain::ids::TenantId;

/// The field that would name a tenant; no server function takes it.
const TENANT: &str = "tenant";

/// Refuses a payload that names a tenant other than that of its address, in whatever way and however often it does.
/// One that cannot be read names none: the function itself refuses it.
///
/// # Errors
/// Forbidden.
pub fn check(tenant: TenantId, headers: &HeaderMap, body: &Bytes) -> Result<(), AppError> {
    // A function reads its one format, whatever the request calls it: what is no object of JSON may be read as a form.
    let named = match serde_json::from_slice(body) {
        Ok(Named(names)) if media_type(headers).eq_ignore_ascii_case("application/json") => names,
        Ok(Named(names)) => names.into_iter().chain(named_in_form(body)).collect(),
        Err(_) => named_in_form(body),
    };
    if named.iter().all(|name| name.parse() == Ok(tenant)) {
        return Ok(());
    }
    Err(AppError::new(ErrorKind::Forbidden, "The request names another tenant than its address. Nothing was done."))
}

/// The kind of body that a request says it has, without parameters; empty when it says nothing.
pub fn media_type(headers: &HeaderMap) -> &str {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    kind.split(';').next().unwrap_or_default().trim()
}

/// `tenant`, and what the reader of forms takes for a part of it: `tenant[]`, `tenant[id]`.
fn named_in_form(body: &Bytes) -> Vec<String> {
    let is_tenant = |name: &str| name.strip_prefix(TENANT).is_some_and(|rest| rest.is_empty() || rest.starts_with('['));
    url::form_urlencoded::parse(body).filter(|(name, _)| is_tenant(name)).map(|(_, value)| value.into_owned()).collect()
}

/// The values of every key `tenant` of an object: readers differ in which of several they take.
struct Named(Vec<String>);

impl<'de> Deserialize<'de> for Named {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;
        impl<'de> Visitor<'de> for Keys {
            type Value = Named;

            fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
                formatter.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Named, A::Error> {
                let mut names = Vec::new();
                while let Some(key) = fields.next_key::<String>()? {
                    if key == TENANT {
                        let value: Value = fields.next_value()?;
                        names.push(value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned));
                    } else {
                        fields.next_value::<IgnoredAny>()?;
                    }
                }
                Ok(Named(names))
            }
        }
        deserializer.deserialize_map(Keys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use uuid::Uuid;

    fn refused(kind: &'static str, body: &str) -> bool {
        let headers = [(header::CONTENT_TYPE, kind.parse().expect("a value"))].into_iter().collect();
        let body = body.replace("OWN", &own().to_string()).replace("OTHER", &Uuid::from_u128(2).to_string());
        check(own(), &headers, &body.into()).is_err()
    }

    fn own() -> TenantId {
        TenantId::from_uuid(Uuid::from_u128(1))
    }

    #[test]
    fn no_way_of_writing_another_tenant_into_a_payload_is_overlooked() {
        for body in [
            "tenant=OTHER",
            "run=x&tenant=OTHER",
            "tenant=OWN&tenant=OTHER",
            "tenant[]=OTHER",
            "tenant%5Bid%5D=OTHER",
            "tenant=nonsense",
            "tenant=",
            r#"{"tenant":"OTHER"}"#,
        ] {
            assert!(refused("application/x-www-form-urlencoded", body), "{body}");
        }
        for body in [
            r#"{"tenant":"OTHER"}"#,
            r#"{"run":{"a":[1]},"tenant":"OTHER"}"#,
            r#"{"tenant":"OTHER","tenant":"OWN"}"#,
            r#"{"tenant":"OWN","tenant":"OTHER"}"#,
            r#"{"\u0074enant":"OTHER"}"#,
            r#"{"tenant":null}"#,
            r#"{"tenant":["OWN"]}"#,
            "run=x&tenant=OTHER",
        ] {
            assert!(refused("application/json; charset=utf-8", body), "{body}");
        }
    }

    #[test]
    fn a_payload_that_names_its_own_tenant_or_none_goes_on() {
        for body in ["", "run=x", "tenant=OWN", "tenants=OTHER&name=tenant", "policy_types[]=OTHER"] {
            assert!(!refused("application/x-www-form-urlencoded", body), "{body}");
        }
        for body in ["", "{}", "[1]", r#"{"tenant":"OWN"}"#, r#"{"name":{"tenant":"OTHER"}}"#, "{nonsense"] {
            assert!(!refused("application/json", body), "{body}");
        }
    }
}
