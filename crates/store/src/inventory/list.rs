//! Lists of items: filtered, sorted, page by page, relative to a scope.
//!
//! Three things keep a page fast however many items a tenant has. Which types can hold a match is known from the
//! numbers of the runs before a row is touched, and the others are left out. Each type (or the whole tenant, when
//! nothing is left out) is walked along an index in the order of the page, from the cursor on. And first only the ids
//! of the page are searched; its rows are read afterwards.

use serde::{Deserialize, Serialize};
use tenantatlas_domain::named;
use tenantatlas_domain::references::Assigned;
use tenantatlas_domain::registry::{Category, Platform};
use tenantatlas_domain::time::Timestamp;
use uuid::Uuid;

use super::item::ItemRow;
use super::rows::rows;
use super::search::{Hit, Search};
use super::total::Total;
use super::view::ScopeView;
use crate::StoreError;
use crate::reader::Readable;

/// The longest page.
pub(super) const MAX_PAGE: u32 = 500;

named! {
    /// A state to filter by.
    pub enum StateFilter: UnknownStateFilter, "state of items" {
        /// Seen in the latest completed run.
        Present = "present",
        /// Its type was read to the end and it was not there.
        Missing = "missing",
        /// Its type was not read to the end and it was not seen.
        NotRead = "not_read",
        /// Found new or changed by the latest completed run.
        Changed = "changed",
    }
}

named! {
    /// The order of a list.
    #[derive(Default)]
    pub enum Sort: UnknownSort, "order of items" {
        /// By name, then by id.
        #[default]
        Name = "name",
        /// By the words for the type, then by name.
        Type = "type",
        /// By the words for the category, then by name.
        Category = "category",
        /// What is missing first, then what was not read, then what is present; each by name.
        State = "state",
        /// By how much it is assigned to: nothing, groups by their number, all users or devices.
        Assigned = "assigned",
        /// By the words for the platform, then by name.
        Platform = "platform",
        /// By when Microsoft says that it was last modified; what has no such time first.
        Modified = "modified",
        /// What the latest completed run did not see first, the longest unseen before the rest; then what it saw, by
        /// name.
        LastSeen = "last_seen",
        /// By when any run first saw it.
        FirstSeen = "first_seen",
        /// By the id that Microsoft gave it.
        Id = "id",
    }
}

/// Which items. Everything that is set must hold; of a list, any.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemFilter {
    /// Keys of types.
    pub policy_types: Vec<String>,
    /// Categories.
    pub categories: Vec<Category>,
    /// Platforms.
    pub platforms: Vec<Platform>,
    /// Words, whatever their case and order: each stands in the name, in the id, in the name of the type, or in that of a
    /// group which the assignments of the item name.
    pub search: Option<String>,
    /// A state in the scope.
    pub state: Option<StateFilter>,
    /// The id of a scope tag.
    pub scope_tag: Option<String>,
    /// Whom its assignments name, included or excluded.
    pub assigned: Option<Assigned>,
    /// Found new or changed since then, by whatever run; what the first read of a type found does not count.
    pub changed_since: Option<Timestamp>,
}

/// Where a page begins: after this item.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cursor {
    /// The part of the order: a type key, or the part of the list sorted by last seen.
    #[serde(rename = "p", default, skip_serializing_if = "String::is_empty")]
    pub(super) part: String,
    /// The value sorted by.
    #[serde(rename = "k")]
    pub(super) key: String,
    /// The item.
    #[serde(rename = "i")]
    pub(super) id: Uuid,
}

impl Cursor {
    /// A form for addresses. It names no secret: what it holds the person has seen.
    #[must_use]
    pub fn encode(&self) -> String {
        use base64::Engine as _;
        let text = serde_json::to_string(self).unwrap_or_default();
        base64::engine::general_purpose::URL_SAFE_NO_PAD.encode(text)
    }

    /// Reads [`Cursor::encode`]; `None` for anything else.
    #[must_use]
    pub fn decode(text: &str) -> Option<Self> {
        use base64::Engine as _;
        let bytes = base64::engine::general_purpose::URL_SAFE_NO_PAD.decode(text).ok()?;
        serde_json::from_slice(&bytes).ok()
    }
}

/// A page of a list.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ItemQuery {
    /// Which items.
    pub filter: ItemFilter,
    /// In which order.
    pub sort: Sort,
    /// Whether that order is reversed.
    pub descending: bool,
    /// Where the page begins; at the beginning when absent.
    pub after: Option<Cursor>,
    /// Where the page ends; then `after` says nothing.
    pub before: Option<Cursor>,
    /// At most so many; 1 to 500.
    pub limit: u32,
}

/// The items of a page.
#[derive(Clone, Debug, PartialEq)]
pub struct ItemPage {
    /// The items in order.
    pub rows: Vec<ItemRow>,
    /// Where the next page begins; `None` on the last page.
    pub next: Option<Cursor>,
    /// Where the previous page ends; `None` on the first page.
    pub previous: Option<Cursor>,
    /// The order they are in: that by name where there are too many to be sorted otherwise, see [`Sort::is_sorted_whole`].
    pub sort: Sort,
    /// How many items the filter finds, where that became known on the way; otherwise [`super::total`] tells it.
    pub total: Option<Total>,
}

/// A page of the items of a view. A cursor of another order, or of a part of the list that is gone, begins at the
/// beginning; so does a page before a cursor that would not be full.
///
/// # Errors
/// When the database fails.
pub async fn list(db: &impl Readable, view: &ScopeView, query: &ItemQuery) -> Result<ItemPage, StoreError> {
    let db = db.database();
    let wanted = query.limit.clamp(1, MAX_PAGE) as usize;
    let _turn = if query.filter.searched_text().is_some() { Some(db.turn_to_search().await?) } else { None };
    let mut search = Search::prepare(db, view, &query.filter, wanted + 1).await?;
    let counted = if query.sort.is_sorted_whole() { Some(search.total().await?) } else { None };
    let sort = if counted.is_some_and(Total::is_large) { Sort::Name } else { query.sort };
    let parts = search.parts(sort);
    let mut backwards = query.before.is_some();
    let mut cursor = query.before.as_ref().or(query.after.as_ref());
    cursor = cursor.filter(|cursor| parts.iter().any(|part| part.name == cursor.part));
    backwards &= cursor.is_some();
    search.descending = query.descending != backwards;
    let mut hits = search.in_order(&parts, cursor).await?;
    if backwards && hits.len() < wanted {
        (backwards, cursor, search.descending) = (false, None, query.descending);
        hits = search.in_order(&parts, None).await?;
    }
    let more = hits.len() > wanted;
    hits.truncate(wanted);
    if backwards {
        hits.reverse();
    }
    let edge = |hit: Option<&(String, Hit)>| {
        hit.map(|(part, hit)| Cursor { part: part.clone(), key: hit.key.clone(), id: hit.id })
    };
    let next = edge(hits.last()).filter(|_| backwards || more);
    let previous = edge(hits.first()).filter(|_| if backwards { more } else { cursor.is_some() });
    let whole = cursor.is_none() && !more;
    let total = counted.or_else(|| whole.then(|| Total::exactly(hits.len() as u64)));
    let ids: Vec<Uuid> = hits.into_iter().map(|(_, hit)| hit.id).collect();
    Ok(ItemPage { rows: rows(db, view, &ids).await?, next, previous, sort, total })
}

impl ItemFilter {
    /// What is searched for in names and ids; `None` where only blanks are.
    pub(super) fn searched_text(&self) -> Option<&str> {
        self.search.as_deref().map(str::trim).filter(|text| !text.is_empty())
    }
}
