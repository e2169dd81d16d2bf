//! Expanded properties that were delivered only in part: `<property>@odata.nextLink` within an item.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use futures::StreamExt;
use serde_json::Value;
use tenantatlas_domain::reason::ReasonCode;

use crate::error::GraphError;
use crate::session::GraphSession;

const SUFFIX: &str = "@odata.nextLink";
/// Pages of one expanded property before something must be wrong: they are all held in memory, unlike those of a listing.
const MAX_PAGES: u32 = 500;
/// What was fetched may itself be delivered in part; this often is believed.
const MAX_ROUNDS: u32 = 8;

/// Whether an item's text may carry a property that was delivered in part. Cheap, so that it can be asked of every
/// item; the rare yes is settled by [`GraphSession::complete`].
#[must_use]
pub fn has_partial_collection(raw: &str) -> bool {
    raw.contains("@odata.nextLink\"")
}

/// A property that goes on elsewhere.
struct Partial {
    /// JSON pointer to the object that has it.
    owner: String,
    property: String,
    /// `None` where what stands there is no text, so that nobody knows where the rest is.
    link: Option<String>,
}

impl GraphSession {
    /// Follows every `<property>@odata.nextLink` in an item, at any depth, appends what it finds to the property and
    /// removes the link. Returns how many rows were added.
    ///
    /// # Errors
    /// As reading pages. The item is then incomplete and must not be compared (`docs/rules.md`, section Inventory sync,
    /// Reading).
    pub async fn complete(&self, item: &mut Value) -> Result<usize, GraphError> {
        let mut added = 0;
        for _ in 0..MAX_ROUNDS {
            let mut partial = Vec::new();
            take_links(item, &mut String::new(), &mut partial);
            if partial.is_empty() {
                return Ok(added);
            }
            for Partial { owner, property, link } in partial {
                let mut rows = Vec::new();
                let link = link.ok_or_else(unusable)?;
                let (mut seen, hasher) = (HashSet::new(), RandomState::new());
                let mut pages = self.follow(&link, MAX_PAGES);
                while let Some(page) = pages.next().await {
                    let page = page?;
                    let mut is_new = page.is_empty();
                    for raw in page.items() {
                        is_new |= seen.insert(hasher.hash_one(raw));
                        rows.push(serde_json::from_str(raw).map_err(|_| unusable())?);
                    }
                    if !is_new {
                        let message = "the pages of an expanded property repeat what came before";
                        return Err(GraphError::new(ReasonCode::NextlinkLoop, message));
                    }
                }
                added += rows.len();
                let owner = item.pointer_mut(&owner).and_then(Value::as_object_mut).ok_or_else(unusable)?;
                match owner.entry(property).or_insert_with(|| Value::Array(Vec::new())) {
                    Value::Array(already) => already.append(&mut rows),
                    empty @ Value::Null => *empty = Value::Array(rows),
                    _ => return Err(unusable()),
                }
            }
        }
        Err(GraphError::new(ReasonCode::PageLimit, "expanded properties go on within each other without end"))
    }
}

fn unusable() -> GraphError {
    GraphError::new(ReasonCode::ContractInvalid, "the rest of an expanded property does not fit to its beginning")
}

fn take_links(value: &mut Value, pointer: &mut String, found: &mut Vec<Partial>) {
    let length = pointer.len();
    match value {
        Value::Array(rows) => {
            for (place, row) in rows.iter_mut().enumerate() {
                pointer.push_str(&format!("/{place}"));
                take_links(row, pointer, found);
                pointer.truncate(length);
            }
        }
        Value::Object(object) => {
            let names: Vec<String> = object.keys().filter(|name| is_partial(name)).cloned().collect();
            for name in names {
                // As on a page, there is none where it is null or empty.
                let link = match object.remove(&name) {
                    None | Some(Value::Null) => continue,
                    Some(Value::String(link)) if link.is_empty() => continue,
                    Some(Value::String(link)) => Some(link),
                    Some(_) => None,
                };
                let property = name[..name.len() - SUFFIX.len()].to_owned();
                found.push(Partial { owner: pointer.clone(), property, link });
            }
            for (name, child) in object.iter_mut() {
                pointer.push('/');
                pointer.push_str(&name.replace('~', "~0").replace('/', "~1"));
                take_links(child, pointer, found);
                pointer.truncate(length);
            }
        }
        _ => {}
    }
}

fn is_partial(name: &str) -> bool {
    name.len() > SUFFIX.len() && name.ends_with(SUFFIX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn links_are_found_at_any_depth_and_taken_out() {
        let mut item = json!({
            "settings": [1],
            "settings@odata.nextLink": "http://a",
            "rules": [{"a/b~c": {"rows@odata.nextLink": "http://b"}}],
            "@odata.nextLink": "not of a property",
        });
        assert!(has_partial_collection(&item.to_string()));
        let mut found = Vec::new();
        take_links(&mut item, &mut String::new(), &mut found);
        let found: Vec<_> =
            found.iter().map(|one| (&*one.owner, &*one.property, one.link.as_deref().unwrap())).collect();
        assert_eq!(found, [("", "settings", "http://a"), ("/rules/0/a~1b~0c", "rows", "http://b")]);
        assert!(item.pointer("/rules/0/a~1b~0c").unwrap().as_object().unwrap().is_empty());
        assert!(item.get("@odata.nextLink").is_some());
    }

    #[test]
    fn a_link_that_is_no_text_never_makes_a_property_whole() {
        for link in [json!(7), json!({"href": "http://a"}), json!(["http://a"]), json!(true)] {
            let mut item = json!({"settings": [1], "settings@odata.nextLink": link});
            let mut found = Vec::new();
            take_links(&mut item, &mut String::new(), &mut found);
            assert_eq!(found.iter().map(|one| &one.link).collect::<Vec<_>>(), [&None], "{link}");
        }
        for none in [Value::Null, json!("")] {
            let mut item = json!({"settings": [1], "settings@odata.nextLink": none});
            let mut found = Vec::new();
            take_links(&mut item, &mut String::new(), &mut found);
            assert_eq!((found.len(), item), (0, json!({"settings": [1]})));
        }
    }
}
