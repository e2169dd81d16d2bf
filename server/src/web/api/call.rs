//! A request to the API once it is known who asks, in which tenant, and that its parameters are what they may be.

use std::collections::BTreeMap;
use std::fmt::Display;
use std::str::FromStr;

use axum::body::Bytes;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tenantatlas_app::scope::{Inside, TenantScope};
use tenantatlas_app::session::current::CurrentSession;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{Actor, AuthenticatedToken, Engine};
use tenantatlas_store::Reader;

use super::cursor;
use super::endpoint::USUAL_LIMIT;
use super::problem::Problem;
use crate::web::State;

/// A request to the API.
pub struct Call {
    /// What every handler works with.
    pub state: State,
    /// The token.
    pub token: AuthenticatedToken,
    /// Who asks, as loaders of pages know them.
    pub session: CurrentSession,
    /// The tenant of the address, and what the token allows there.
    pub scope: Option<TenantScope>,
    /// What stands in the address in place of names.
    pub path: BTreeMap<String, String>,
    /// The parameters; each is what it may be.
    pub query: BTreeMap<&'static str, String>,
    /// The body.
    pub body: Bytes,
    /// The path of the address.
    pub address: String,
}

impl Call {
    /// The engine.
    pub fn engine(&self) -> &Engine {
        &self.state.engine
    }

    /// The database, to be read.
    pub fn db(&self) -> &Reader {
        self.state.engine.reader()
    }

    /// Who acts.
    pub fn actor(&self) -> Actor {
        self.session.actor()
    }

    /// The tenant, as loaders of pages take it.
    pub fn inside(&self) -> Result<Inside, Problem> {
        let scope = self.scope.clone().ok_or_else(|| Problem::not_found("The tenant"))?;
        Ok(Inside::new(self.state.engine.clone(), self.session.clone(), scope))
    }

    /// The id of the tenant of the address.
    pub fn tenant(&self) -> Result<TenantId, Problem> {
        self.scope.as_ref().map(|scope| scope.tenant.id).ok_or_else(|| Problem::not_found("The tenant"))
    }

    /// What stands in the address in place of a name; empty where there is no such name.
    pub fn named(&self, name: &str) -> &str {
        self.path.get(name).map(String::as_str).unwrap_or_default()
    }

    /// The same, read. What is no id names nothing.
    pub fn id<T: FromStr>(&self, name: &str, what: &str) -> Result<T, Problem> {
        self.named(name).parse().map_err(|_| Problem::not_found(what))
    }

    /// A parameter.
    pub fn asked(&self, name: &str) -> Option<&str> {
        self.query.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// The same, read: it is known to be what it may be.
    pub fn parsed<T: FromStr>(&self, name: &str) -> Option<T> {
        self.asked(name)?.parse().ok()
    }

    /// Entries of a page.
    pub fn limit(&self) -> u32 {
        self.parsed("limit").unwrap_or(USUAL_LIMIT)
    }

    /// The list that is asked for, without the place in it: a cursor is good for this alone.
    fn list(&self) -> String {
        let filters = self.query.iter().filter(|(name, _)| !matches!(**name, "after" | "limit"));
        url::form_urlencoded::Serializer::new(format!("{}?", self.address)).extend_pairs(filters).finish()
    }

    /// Where the page begins.
    pub fn place<T>(&self, read: impl FnOnce(&str) -> Option<T>) -> Result<Option<T>, Problem> {
        let Some(cursor) = self.asked("after") else { return Ok(None) };
        let place = cursor::open(&self.list(), cursor)?;
        read(&place)
            .map(Some)
            .ok_or_else(|| Problem::parameter("after", "after: the place in the list is gone. Begin again without it."))
    }

    /// The same in a list that is ordered by a moment and an id, see [`dated_place`].
    pub fn place_by_moment<I: FromStr>(&self) -> Result<Option<(Timestamp, I)>, Problem> {
        self.place(|place| {
            let (at, id) = place.split_once('.')?;
            Some((Timestamp::from_millis(at.parse().ok()?), id.parse().ok()?))
        })
    }

    /// A place as a cursor, with the address of the page that begins there.
    pub fn next(&self, place: Option<String>) -> (Option<String>, Option<String>) {
        let Some(place) = place else { return (None, None) };
        let cursor = cursor::seal(&self.list(), &place);
        let pairs =
            self.query.iter().filter(|(name, _)| **name != "after").map(|(name, value)| (*name, value.as_str()));
        let mut query = url::form_urlencoded::Serializer::new(String::new());
        let query = query.extend_pairs(pairs).append_pair("after", &cursor).finish();
        (Some(cursor), Some(format!("{}?{query}", self.address)))
    }

    /// The body, read.
    pub fn read<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        let body: &[u8] = if self.body.is_empty() { b"{}" } else { &self.body };
        let refused = |error: serde_json::Error| {
            Problem::new("invalid_body", format!("The body is not what was expected: {error}."))
        };
        let value: Value = serde_json::from_slice(body).map_err(refused)?;
        if has_nul(&value) {
            let words = "The body is not what was expected: a text holds the character U+0000, which cannot be kept.";
            return Err(Problem::new("invalid_body", words));
        }
        if !value.is_object() {
            return Err(Problem::new("invalid_body", "The body is not what was expected: expected an object."));
        }
        serde_json::from_value(value).map_err(refused)
    }
}

/// Whether a text in a document holds U+0000, which PostgreSQL stores in no text. Bodies are at most 64 KiB, and nested no deeper
/// than their reader allows.
fn has_nul(value: &Value) -> bool {
    match value {
        Value::String(text) => text.contains('\0'),
        Value::Array(values) => values.iter().any(has_nul),
        Value::Object(fields) => fields.iter().any(|(name, value)| name.contains('\0') || has_nul(value)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The place behind an entry of a list that is ordered by a moment and an id.
pub fn dated_place(at: Timestamp, id: impl Display) -> String {
    format!("{}.{id}", at.as_millis())
}
