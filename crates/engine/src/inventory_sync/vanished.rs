//! Objects that were listed and of which Graph says a moment later, below them, that they do not exist: somebody deleted
//! them meanwhile, or Graph does not say the same twice. The list, asked once more, tells which of the two it is.

use std::collections::BTreeMap;

use serde_json::value::RawValue;
use tenantatlas_domain::registry::Source;
use tenantatlas_graph::{GraphError, Page};

use super::observed::Row;

/// Objects of one listing for which the list is asked once more, at most. When more than these are not found below, it is no
/// deletion, and what fails so often costs no second walk.
pub(crate) const MOST_DOUBTFUL: usize = 20;

/// An object of a list that was not found below itself.
#[derive(Debug, Clone)]
pub(crate) struct Doubtful {
    /// Its id.
    pub id: String,
    /// The property that holds it.
    pub id_property: &'static str,
    /// The types that were not read to their end when it is there after all.
    pub types: Vec<&'static str>,
    /// What Graph said below it.
    pub error: GraphError,
}

impl Doubtful {
    /// A row below which something was not found.
    ///
    /// # Errors
    /// The same error, when it says nothing about whether the object is there, or no list does.
    pub(crate) fn of(row: &Row, error: GraphError) -> Result<Self, GraphError> {
        let policy_type = row.policy_type;
        if !error.absent || !matches!(policy_type.source, Source::Collection { .. }) {
            return Err(error);
        }
        let (id, types) = (row.external_id.clone(), vec![policy_type.key]);
        Ok(Self { id, id_property: policy_type.id_property, types, error })
    }

    /// Whether a page of the list shows it.
    pub(crate) fn is_on(&self, page: &Page) -> bool {
        page.items().any(|text| has_id(text, self.id_property, &self.id))
    }
}

/// Whether the text of an object has this id, whatever its case. Nothing else of it becomes a value.
fn has_id(text: &str, property: &str, id: &str) -> bool {
    let object: Option<BTreeMap<String, &RawValue>> = serde_json::from_str(text).ok();
    let found: Option<String> = object.and_then(|object| serde_json::from_str(object.get(property)?.get()).ok());
    found.is_some_and(|found| found.eq_ignore_ascii_case(id))
}

#[cfg(test)]
mod tests {
    use super::has_id;

    #[test]
    fn only_the_object_itself_has_the_id_and_none_that_names_it() {
        assert!(has_id(r#"{"name":"x","id":"A-1"}"#, "id", "a-1"));
        assert!(!has_id(r#"{"id":"b","parent":{"id":"a-1"}}"#, "id", "a-1"));
        assert!(!has_id(r#"{"id":"a-12"}"#, "id", "a-1"));
        assert!(!has_id(r#""a-1""#, "id", "a-1"));
    }
}
