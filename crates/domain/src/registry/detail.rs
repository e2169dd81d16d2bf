//! Extra reads that complete the content of one item.

use serde_json::Value;

use super::odata::odata_type;

/// What an extra read of one item returns.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DetailShape {
    /// A collection, all pages of it: becomes the array `property` of the item.
    Collection,
    /// The item itself, more fully: its properties replace those of the list row.
    Merge,
    /// One object: becomes the property as it is. Where there is none, the property stays absent.
    Object,
}

/// An extra read that completes the content of one item. Only needed when
/// [`revision_of`](super::revision_of) (or the content of the list row) differs from the last read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Detail {
    /// The property that the answer becomes; empty for [`DetailShape::Merge`].
    pub property: &'static str,
    /// The path below the item, without slashes at its ends; empty for the item itself.
    pub path: &'static str,
    /// The query without `?`; may be empty.
    pub query: &'static str,
    /// What the answer is.
    pub shape: DetailShape,
    /// Numeric properties of the list row of which one must be above zero for
    /// the read to be worth it; empty: always.
    pub when_positive: &'static [&'static str],
    /// Properties that an answer holds as a text, of which null says nothing: the bodies of scripts.
    pub bodies: &'static [&'static str],
    /// Subtypes (`@odata.type` without `#microsoft.graph.`) that have it; empty: all.
    pub subtypes: &'static [&'static str],
    /// A further read for each element of the answer, at
    /// `{item}/{path}/{element id}/{each.path}`.
    pub each: Option<&'static Detail>,
}

impl Detail {
    /// What every kind of detail starts from.
    const NOTHING: Self = Self {
        property: "",
        path: "",
        query: "",
        shape: DetailShape::Merge,
        when_positive: &[],
        bodies: &[],
        subtypes: &[],
        each: None,
    };

    /// A collection below the item.
    #[must_use]
    pub const fn collection(property: &'static str, path: &'static str, query: &'static str) -> Self {
        Self { property, path, query, shape: DetailShape::Collection, ..Self::NOTHING }
    }

    /// The single read of the item.
    #[must_use]
    pub const fn merge(query: &'static str) -> Self {
        Self { query, ..Self::NOTHING }
    }

    /// The single read of the item, by which these bodies come.
    #[must_use]
    pub const fn bodies(bodies: &'static [&'static str]) -> Self {
        Self { bodies, ..Self::merge("") }
    }

    /// A body that did not come with an item, although it has one. Microsoft's own scripts (`isGlobalScript`) may have none
    /// to show.
    #[must_use]
    pub fn lacking_body(&self, item: &Value) -> Option<&'static str> {
        if item.get("isGlobalScript").and_then(Value::as_bool) == Some(true) {
            return None;
        }
        self.bodies.iter().copied().find(|property| !item.get(*property).is_some_and(Value::is_string))
    }

    /// One object below the item.
    #[must_use]
    pub const fn object(property: &'static str, path: &'static str, query: &'static str) -> Self {
        Self { property, path, query, shape: DetailShape::Object, ..Self::NOTHING }
    }

    /// The same, of these subtypes alone.
    #[must_use]
    pub const fn of(self, subtypes: &'static [&'static str]) -> Self {
        Self { subtypes, ..self }
    }

    /// Whether the row says that there is something to read.
    #[must_use]
    pub fn is_wanted(&self, row: &Value) -> bool {
        let positive = |property: &&str| row.get(property).and_then(Value::as_i64).is_some_and(|count| count > 0);
        let counted = self.when_positive.is_empty() || self.when_positive.iter().any(positive);
        let has_it =
            || odata_type(row).is_some_and(|own| self.subtypes.iter().any(|kind| own.eq_ignore_ascii_case(kind)));
        counted && (self.subtypes.is_empty() || has_it())
    }

    /// The address below the version, for the item (or element) at `item_path`.
    #[must_use]
    pub fn url(&self, item_path: &str) -> String {
        let path = if self.path.is_empty() { item_path.to_owned() } else { format!("{item_path}/{}", self.path) };
        if self.query.is_empty() { path } else { format!("{path}?{}", self.query) }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::Detail;

    #[test]
    fn a_body_that_is_null_or_was_left_out_is_lacking_and_an_empty_one_is_not() {
        let detail = Detail::bodies(&["detectionScriptContent"]);
        let lacking = |item| detail.lacking_body(&item);
        assert_eq!(lacking(json!({"detectionScriptContent": null})), Some("detectionScriptContent"));
        assert_eq!(lacking(json!({"id": "x"})), Some("detectionScriptContent"));
        assert_eq!(lacking(json!({"detectionScriptContent": ""})), None);
        assert_eq!(lacking(json!({"detectionScriptContent": "YQ==", "remediationScriptContent": null})), None);
        assert_eq!(lacking(json!({"isGlobalScript": true, "detectionScriptContent": null})), None);
        assert_eq!(Detail::merge("").lacking_body(&json!({})), None);
    }
}
