//! Whether the pages of a collection still bring something new.

use std::collections::HashSet;
use std::hash::{BuildHasher, RandomState};

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::page::Page;

/// Pages in a row that hold objects, and none that was not on a page before, until a collection leads nowhere.
const MOST_REPEATING: u32 = 3;
/// Empty pages in a row until a collection leads nowhere. A filter on the server may leave many pages empty.
const MOST_EMPTY: u32 = 1_000;

/// What came of a collection so far.
#[derive(Default)]
pub(crate) struct Course {
    /// Hashes of the ids that came, of the text of objects that have none. Eight bytes each, keyed at random: that three pages
    /// in a row are taken for others is less likely than a broken memory cell.
    seen: HashSet<u64>,
    hasher: RandomState,
    repeating: u32,
    empty: u32,
}

impl Course {
    /// Notes a page that another one follows; tells whether the collection still gets anywhere.
    pub(crate) fn goes_on(&mut self, page: &Page) -> bool {
        let before = self.seen.len();
        for item in page.items() {
            let key = match id_of(item) {
                Some(id) => self.hasher.hash_one(id),
                None => self.hasher.hash_one(item),
            };
            self.seen.insert(key);
        }
        self.note(page.len(), self.seen.len() - before)
    }

    /// Notes a page that held so many objects, of which so many had not come before.
    fn note(&mut self, objects: usize, fresh: usize) -> bool {
        (self.empty, self.repeating) = match (objects, fresh) {
            (0, _) => (self.empty + 1, self.repeating),
            (_, 0) => (0, self.repeating + 1),
            _ => (0, 0),
        };
        self.repeating < MOST_REPEATING && self.empty < MOST_EMPTY
    }
}

/// The id of an object as it stands in its text. Nothing of it becomes a value.
fn id_of(item: &str) -> Option<&str> {
    #[derive(Deserialize)]
    struct Named<'a> {
        #[serde(borrow)]
        id: Option<&'a RawValue>,
    }
    let named: Named<'_> = serde_json::from_str(item).ok().filter(|_| item.starts_with('{'))?;
    named.id.map(RawValue::get).filter(|id| id.len() > r#""""#.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_that_bring_nothing_new_end_a_collection_and_one_that_does_begins_anew() {
        let mut course = Course::default();
        for _ in 0..5 {
            assert!(course.note(2, 1));
            assert!(course.note(2, 0));
            assert!(course.note(0, 0));
            assert!(course.note(2, 0));
        }
        assert!(!course.note(2, 0));
        let mut course = Course::default();
        assert_eq!((0..=MOST_EMPTY).find(|_| !course.note(0, 0)), Some(MOST_EMPTY - 1));
    }

    #[test]
    fn an_object_is_told_from_others_by_its_own_id_and_by_no_id_within_it() {
        assert_eq!(id_of(r#"{"parent":{"id":"b"},"id":"a"}"#), Some(r#""a""#));
        for text in [r#"{"parent":{"id":"b"}}"#, r#"{"id":""}"#, r#"["id"]"#, r#"{"id":null}"#, "1"] {
            assert_eq!(id_of(text), None, "{text}");
        }
    }
}
