//! `@odata.context`: the address in the metadata of what an answer holds (OData JSON Format 4.01, section 4.6.2). Clients
//! recognise by it whose children an answer of a batch holds.

use std::io::Write as _;

use crate::query::Query;

/// A collection as an address and in the metadata.
#[derive(Debug, Clone, Copy)]
pub struct Collection<'a> {
    /// `https://…/beta`
    pub base: &'a str,
    /// `deviceManagement/intents`
    pub path: &'a str,
}

impl Collection<'_> {
    /// The context of the collection itself.
    #[must_use]
    pub fn context(&self, query: &Query) -> String {
        format!("{}/$metadata#{}{}", self.base, self.path, chosen(query))
    }

    /// The context of one of its objects.
    #[must_use]
    pub fn entity(&self, query: &Query) -> String {
        format!("{}/$entity", self.context(query))
    }

    /// The context of what is below one of its objects: a path such as `assignments` or `categories('…')/settings`.
    #[must_use]
    pub fn below(&self, id: &str, path: &str) -> String {
        format!("{}/$metadata#{}('{id}')/{path}", self.base, self.path)
    }

    /// Writes the context of a property that was expanded in an object; `id` writes the id of that object.
    pub fn write_expanded(&self, out: &mut Vec<u8>, property: &str, suffix: &str, id: impl FnOnce(&mut Vec<u8>)) {
        let _ = write!(out, r#","{property}@odata.context":"{}/$metadata#{}('"#, self.base, self.path);
        id(out);
        let _ = write!(out, r#"')/{property}{suffix}""#);
    }
}

/// `(id,displayName,assignments())`: the selected and the expanded properties.
fn chosen(query: &Query) -> String {
    let expanded = query.expand.iter().map(|property| format!("{property}()"));
    let names: Vec<String> = query.select.iter().cloned().chain(expanded).collect();
    if names.is_empty() { String::new() } else { format!("({})", names.join(",")) }
}

/// Puts the context before the properties of an object.
#[must_use]
pub fn with_context(context: &str, object: &[u8]) -> Vec<u8> {
    let Some(rest) = object.strip_prefix(b"{") else { return object.to_vec() };
    let mut out = Vec::with_capacity(object.len() + context.len() + 32);
    let _ = write!(out, r#"{{"@odata.context":{}"#, serde_json::Value::from(context));
    if !rest.starts_with(b"}") {
        out.push(b',');
    }
    out.extend_from_slice(rest);
    out
}
