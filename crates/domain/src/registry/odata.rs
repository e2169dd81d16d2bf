//! What OData writes into every object.

use serde_json::Value;

/// The own `@odata.type` of an object, without `#microsoft.graph.`.
pub(crate) fn odata_type(object: &Value) -> Option<&str> {
    let name = object.get("@odata.type")?.as_str()?;
    let name = name.trim_start_matches('#');
    Some(name.strip_prefix("microsoft.graph.").unwrap_or(name))
}
