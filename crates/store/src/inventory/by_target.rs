//! The list of items grouped by whom they are assigned to.
//!
//! An item stands once below each target that its assignments name, below one heading where the target is included and
//! below another where it is excluded; so a page is a page of *places*, of which an item may have several. Places have one
//! order over the whole list (heading, name, item), so that a heading goes on where the page before it ended and no place
//! is told twice or left out. No index has that order: everything that the filter finds is looked at, which is done for as
//! many items as are counted ([`super::MAX_COUNTED`]).

use sqlx::FromRow;
use uuid::Uuid;

use super::assignment::Assignment;
use super::item::ItemRow;
use super::query::{Cursor, ItemQuery, MAX_PAGE};
use super::rows::rows;
use super::search::Search;
use super::total::Total;
use super::view::ScopeView;
use crate::database::Run as _;
use crate::reader::Readable;
use crate::sql::{Statement, args};
use crate::{Backend, StoreError};

/// The part of the order that cursors of this list name.
const PART: &str = "target";
/// Edges that say whom an item is for: not what Conditional Access protects, which is an assignment in name only.
const IS_WHOM: &str = "l.relationship IN ('assigned_to', 'excluded_from')
    AND l.target_kind NOT IN ('application', 'item', 'foundation')";
/// Ends a part of a sort key; no name of Microsoft holds it.
const END: char = '\u{1}';
/// Stands behind every name.
const LAST: char = '\u{10ffff}';

/// What a place stands below.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heading {
    /// A target that is included, or one that is excluded, as the item names it.
    Target(Assignment),
    /// The item is assigned to nobody.
    NotAssigned,
    /// The item has more references than are kept of one, so that it may stand below other targets too.
    NotKept,
    /// The item tells no assignments.
    Untold,
}

impl Heading {
    /// Whether two places stand below the same heading, whatever filters narrow their assignments.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Target(one), Self::Target(two)) => {
                (one.relationship, one.target_kind, &one.target_id)
                    == (two.relationship, two.target_kind, &two.target_id)
            }
            _ => self == other,
        }
    }
}

/// An item below one of its headings.
#[derive(Clone, Debug, PartialEq)]
pub struct Place {
    /// What it stands below.
    pub heading: Heading,
    /// How many items stand there, on all pages.
    pub items: u64,
    /// The item.
    pub row: ItemRow,
}

/// A page of the list.
#[derive(Clone, Debug, PartialEq)]
pub struct TargetPage {
    /// The places in order: all users, all devices, others by name with the excluded behind the included ones, nobody, more
    /// than is kept, and what tells no assignments.
    pub places: Vec<Place>,
    /// Where the next page begins; `None` on the last page.
    pub next: Option<Cursor>,
    /// Where the previous page ends; `None` on the first page.
    pub previous: Option<Cursor>,
    /// How many items the filter finds, each counted once.
    pub total: Total,
}

#[derive(FromRow)]
struct Found {
    id: Uuid,
    sort_key: String,
    kind: String,
    relationship: String,
    target_kind: String,
    target_id: String,
    #[sqlx(try_from = "i64")]
    items: u64,
}

impl Found {
    /// The heading, by the edges of its item; `None` where that has lost the edge since.
    fn heading(&self, row: &ItemRow) -> Option<Heading> {
        match self.kind.as_str() {
            "none" => Some(Heading::NotAssigned),
            "not_kept" => Some(Heading::NotKept),
            "untold" => Some(Heading::Untold),
            _ => {
                let is_it = |one: &&Assignment| {
                    one.relationship.as_str() == self.relationship
                        && one.target_kind.as_str() == self.target_kind
                        && one.target_id == self.target_id
                };
                row.assignments.iter().find(is_it).cloned().map(Heading::Target)
            }
        }
    }
}

/// A page of the items of a view, grouped by whom they are assigned to; the order that the query names is not used. `None`
/// where there are too many items to be grouped. A cursor of another list begins at the beginning.
///
/// # Errors
/// When the database fails.
pub async fn list_by_target(
    db: &impl Readable,
    view: &ScopeView,
    query: &ItemQuery,
) -> Result<Option<TargetPage>, StoreError> {
    let db = db.database();
    let wanted = query.limit.clamp(1, MAX_PAGE) as usize;
    let _turn = if query.filter.searched_text().is_some() { Some(db.turn_to_search().await?) } else { None };
    let mut search = Search::prepare(db, view, &query.filter, wanted + 1).await?;
    let total = search.total().await?;
    if total.is_large() {
        return Ok(None);
    }
    let mut cursor = query.before.as_ref().or(query.after.as_ref()).filter(|cursor| cursor.part == PART);
    let mut backwards = query.before.is_some() && cursor.is_some();
    search.descending = query.descending != backwards;
    let mut found = search.places(cursor).await?;
    if backwards && found.len() < wanted {
        (backwards, cursor, search.descending) = (false, None, query.descending);
        found = search.places(None).await?;
    }
    let more = found.len() > wanted;
    found.truncate(wanted);
    if backwards {
        found.reverse();
    }
    let edge =
        |hit: Option<&Found>| hit.map(|hit| Cursor { part: PART.to_owned(), key: hit.sort_key.clone(), id: hit.id });
    let next = edge(found.last()).filter(|_| backwards || more);
    let previous = edge(found.first()).filter(|_| if backwards { more } else { cursor.is_some() });
    let mut ids: Vec<Uuid> = found.iter().map(|hit| hit.id).collect();
    ids.sort_unstable();
    ids.dedup();
    let rows = rows(db, view, &ids).await?;
    let place = |hit: &Found| {
        let row = rows.iter().find(|row| row.item.id.as_uuid() == hit.id)?;
        Some(Place { heading: hit.heading(row)?, items: hit.items, row: row.clone() })
    };
    Ok(Some(TargetPage { places: found.iter().filter_map(place).collect(), next, previous, total }))
}

impl Search<'_> {
    async fn places(&self, after: Option<&Cursor>) -> Result<Vec<Found>, StoreError> {
        let types = self.types(self.filter.state);
        if types.is_empty() {
            return Ok(Vec::new());
        }
        let mut statement = Statement::new("WITH found AS (");
        let state = self.filter.state;
        let columns = "i.id, i.name_key, i.assigned, i.links_omitted";
        self.push_walks(&mut statement, &self.walks(&types, state), state, columns);
        self.push_places(&mut statement);
        let (behind, order) = self.direction();
        statement.push(
            " SELECT p.id, p.sort_key, p.kind, p.relationship, p.target_kind, p.target_id, p.items
             FROM (
                 SELECT o.*, COUNT(*) OVER (PARTITION BY o.kind, o.relationship, o.target_kind, o.target_id) AS items
                 FROM placed o) AS p",
            [],
        );
        if let Some(cursor) = after {
            statement
                .push(&format!(" WHERE (p.sort_key, p.id) {behind} ($1, $2)"), args![cursor.key.clone(), cursor.id]);
        }
        statement.push(&format!(" ORDER BY p.sort_key{order}, p.id{order} LIMIT $1"), args![self.limit as u64]);
        let mut on = self.db;
        on.query(&statement).await
    }

    /// The places of what was found. Texts are compared byte by byte on both databases.
    fn push_places(&self, statement: &mut Statement) {
        let by_bytes = if self.db.backend() == Backend::Postgres { r#" COLLATE "C""# } else { "" };
        let included = format!(
            "EXISTS (
                 SELECT 1
                 FROM inventory_links l
                 WHERE l.source_item_id = f.id AND l.relationship = 'assigned_to' AND {IS_WHOM})"
        );
        let named = format!("EXISTS (SELECT 1 FROM inventory_links l WHERE l.source_item_id = f.id AND {IS_WHOM})");
        statement.push(
            &format!(
                "), placed AS (
                     SELECT DISTINCT f.id, 'target' AS kind, l.relationship, l.target_kind,
                         l.target_external_id AS target_id,
                         (CASE l.target_kind WHEN 'all_users' THEN '0' WHEN 'all_devices' THEN '1' ELSE '2' END
                             || COALESCE(NULLIF(d.name_key, ''), NULLIF(lower(l.last_known_name), ''), '{LAST}')
                             || '{END}' || l.target_external_id || '{END}' || l.target_kind || '{END}' || l.relationship
                             || '{END}' || f.name_key){by_bytes} AS sort_key
                     FROM found f
                     CROSS JOIN inventory_links l
                     LEFT JOIN directory_names d
                         ON d.tenant_id = l.tenant_id AND d.external_id = l.target_external_id
                     WHERE l.source_item_id = f.id AND l.tenant_id = $1 AND {IS_WHOM}"
            ),
            args![self.view.tenant_id],
        );
        for (rank, kind, condition) in [
            ("3", "none", format!("f.assigned IS NOT TRUE AND (f.assigned IS NOT NULL OR {named}) AND NOT {included}")),
            ("4", "not_kept", format!("f.links_omitted > 0 OR (f.assigned IS TRUE AND NOT {included})")),
            ("5", "untold", format!("f.assigned IS NULL AND NOT {named}")),
        ] {
            statement.push(
                &format!(
                    " UNION ALL
                     SELECT f.id, '{kind}', '', '', '', ('{rank}' || f.name_key){by_bytes}
                     FROM found f
                     WHERE {condition}"
                ),
                [],
            );
        }
        statement.push(")", []);
    }
}
