//! `$filter`, as little of it as the real collections reliably understand.

use serde_json::{Map, Value};

/// A filter that is understood; everything else is refused, as the real collections do for most expressions.
#[derive(Debug, PartialEq)]
pub enum Filter {
    /// `id eq '…'` or `id in ('…','…')`
    Ids(Vec<String>),
    /// `property eq literal` for the few properties that can be asked for.
    Equals(String, Value),
    /// `isof('microsoft.graph.…')`, or not.
    IsOf(String, bool),
}

/// The properties that can be compared.
const COMPARABLE: [&str; 3] = ["isBuiltIn", "appSupportsOemConfig", "isAssigned"];

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// With the message of the 400.
    pub fn parse(text: &str) -> Result<Self, String> {
        let refused = || format!("Invalid filter clause: '{text}' is not supported.");
        let text = text.trim();
        let (is_of, negated) = text.strip_prefix("not ").map_or((text, false), |rest| (rest.trim(), true));
        if let Some(name) = is_of.strip_prefix("isof(").and_then(|rest| rest.strip_suffix(')')) {
            return Ok(Self::IsOf(format!("#{}", name.trim().trim_matches('\'')), negated));
        }
        if let Some(list) = text.strip_prefix("id in ") {
            let list = list.trim().strip_prefix('(').and_then(|list| list.strip_suffix(')')).ok_or_else(refused)?;
            return list.split(',').map(quoted).collect::<Option<_>>().map(Self::Ids).ok_or_else(refused);
        }
        let (property, literal) = text.split_once(" eq ").ok_or_else(refused)?;
        // A cast before the property says which subtype is meant.
        let property = property.trim().rsplit('/').next().unwrap_or_default();
        let value = match literal.trim() {
            "true" => Value::Bool(true),
            "false" => Value::Bool(false),
            text => Value::String(quoted(text).ok_or_else(refused)?),
        };
        match value {
            Value::String(id) if property == "id" => Ok(Self::Ids(vec![id])),
            value if COMPARABLE.contains(&property) => Ok(Self::Equals(property.to_owned(), value)),
            _ => Err(refused()),
        }
    }

    /// Whether an object passes.
    #[must_use]
    pub fn matches(&self, object: &Map<String, Value>) -> bool {
        match self {
            Self::Ids(ids) => {
                object.get("id").and_then(Value::as_str).is_some_and(|id| ids.iter().any(|one| one == id))
            }
            Self::Equals(property, value) => object.get(property) == Some(value),
            Self::IsOf(name, negated) => {
                (object.get("@odata.type").and_then(Value::as_str) == Some(name.as_str())) != *negated
            }
        }
    }
}

fn quoted(text: &str) -> Option<String> {
    text.trim().strip_prefix('\'')?.strip_suffix('\'').map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::Filter;
    use serde_json::{Value, json};

    fn passes(filter: &str, object: &Value) -> bool {
        Filter::parse(filter).expect("understood").matches(object.as_object().expect("an object"))
    }

    #[test]
    fn the_few_filters_that_are_understood_do_what_they_say() {
        let object = json!({"@odata.type": "#microsoft.graph.a", "id": "1", "isBuiltIn": true});
        assert!(passes("id eq '1'", &object) && passes("id in ('2', '1')", &object) && !passes("id in ('2')", &object));
        assert!(passes("isBuiltIn eq true", &object) && !passes("isBuiltIn eq false", &object));
        assert!(passes("isof('microsoft.graph.a')", &object) && !passes("not isof('microsoft.graph.a')", &object));
        assert!(!passes("microsoft.graph.b/appSupportsOemConfig eq true", &object));
    }

    #[test]
    fn all_others_are_refused() {
        for text in ["displayName eq 'x'", "endsWith(id,'x')", "id in 'x'", "id eq 1", "isBuiltIn"] {
            assert!(Filter::parse(text).is_err(), "{text}");
        }
    }
}
