//! The orders of a list: parts that follow one another, each with an order of its own.

use std::collections::BTreeMap;

use tenantatlas_domain::registry::{Platform, registry};

use super::query::{Cursor, ItemFilter, Sort, StateFilter};
use super::search::{Hit, Search};
use crate::StoreError;
use crate::database::Run as _;
use crate::sql::{Statement, args};

/// The states that between them hold every item once.
const STATES: [StateFilter; 3] = [StateFilter::Missing, StateFilter::NotRead, StateFilter::Present];

/// A part of a list.
pub(super) struct Part {
    /// Names the part in cursors.
    pub(super) name: String,
    /// The types of its items, by key.
    types: Vec<String>,
    /// The state of its items, where they have one.
    state: Option<StateFilter>,
    /// The platform of its items, where they have one.
    platform: Option<Platform>,
    order: Order,
}

/// The order within a part; equal ones by id.
enum Order {
    /// By name, along an index.
    Name,
    /// By when any run last saw what the latest one did not, in these states.
    Unseen(Vec<StateFilter>),
    /// By a text made of the row `i`.
    Text(&'static str),
    /// By a number made of the row `i`.
    Number(&'static str),
}

const MODIFIED: &str = "COALESCE(i.meta ->> 'lastModifiedDateTime', '')";
/// Groups by their number, and everybody after all of them: an item keeps 50 links at most.
const ASSIGNED: &str = "(
    SELECT COALESCE(SUM(CASE WHEN l.target_kind IN ('all_users', 'all_devices') THEN 1000 ELSE 1 END), 0)
    FROM inventory_links l
    WHERE l.source_item_id = i.id AND l.relationship = 'assigned_to')";
/// When it was found new or changed; what the first read of its type found was not.
const CHANGED: &str = "(CASE WHEN i.changed_seq > COALESCE(
    (SELECT b.seq FROM inventory_baselines b WHERE b.tenant_id = i.tenant_id AND b.policy_type = i.policy_type),
    i.changed_seq) THEN i.changed_at ELSE 0 END)";

impl Sort {
    /// Whether everything that the filter finds is looked at and sorted, because no index has this order. That is done for
    /// as many items as are counted ([`super::MAX_COUNTED`]); more are shown by name.
    #[must_use]
    pub const fn is_sorted_whole(self) -> bool {
        matches!(self, Self::Assigned | Self::Modified | Self::FirstSeen | Self::Changed | Self::Id)
    }
}

impl Search<'_> {
    /// The parts of a list in ascending order.
    pub(super) fn parts(&self, sort: Sort) -> Vec<Part> {
        let state = self.filter.state;
        let whole = |name: &str, order: Order| vec![self.part(name, self.types(state), state, order)];
        match sort {
            Sort::Name => whole("", Order::Name),
            Sort::Type => self.by_words(|key| {
                let words = registry().get(key).map_or(key, |known| known.label);
                (words.to_lowercase(), key.to_owned())
            }),
            Sort::Category => self.by_words(|key| {
                let category = registry().get(key).map(|known| known.category);
                category.map_or_else(
                    || ("\u{10ffff}".to_owned(), "other".to_owned()),
                    |category| (category.label().to_lowercase(), category.slug().to_owned()),
                )
            }),
            Sort::Platform => self.by_platform(),
            Sort::State => match state {
                Some(_) => whole("state", Order::Name),
                None => STATES.iter().map(|one| self.part_in_state(one.as_str(), *one)).collect(),
            },
            Sort::LastSeen => self.by_last_seen(),
            Sort::Assigned => whole("assigned", Order::Number(ASSIGNED)),
            Sort::Modified => whole("modified", Order::Text(MODIFIED)),
            Sort::FirstSeen => whole("first_seen", Order::Number("i.first_seen_at")),
            Sort::Changed => whole("changed", Order::Number(CHANGED)),
            Sort::Id => whole("id", Order::Text("i.external_id")),
        }
    }

    fn part(&self, name: &str, types: Vec<String>, state: Option<StateFilter>, order: Order) -> Part {
        Part { name: name.to_owned(), types, state, platform: None, order }
    }

    fn part_in_state(&self, name: &str, state: StateFilter) -> Part {
        self.part(name, self.types(Some(state)), Some(state), Order::Name)
    }

    /// One part for all types for which `words` gives the same sort key and name, in the order of the keys.
    fn by_words(&self, words: impl Fn(&str) -> (String, String)) -> Vec<Part> {
        let state = self.filter.state;
        let mut groups: BTreeMap<(String, String), Vec<String>> = BTreeMap::new();
        for key in self.types(state) {
            groups.entry(words(&key)).or_default().push(key);
        }
        groups.into_iter().map(|((_, name), types)| self.part(&name, types, state, Order::Name)).collect()
    }

    fn by_platform(&self) -> Vec<Part> {
        let state = self.filter.state;
        let wanted = |one: &Platform| self.filter.platforms.is_empty() || self.filter.platforms.contains(one);
        let mut platforms: Vec<Platform> = Platform::ALL.iter().copied().filter(wanted).collect();
        platforms.sort_by_key(|one| one.label().to_lowercase());
        let part = |platform: Platform| {
            let filter = ItemFilter { platforms: vec![platform], ..self.filter.clone() };
            let types = self.with_filter(&filter).types(state);
            let part = self.part(platform.as_str(), types, state, Order::Name);
            Part { platform: Some(platform), ..part }
        };
        platforms.into_iter().map(part).filter(|part| !part.types.is_empty()).collect()
    }

    /// First what the run did not see, by when it was last seen; then what it saw.
    fn by_last_seen(&self) -> Vec<Part> {
        let unseen = |states: Vec<StateFilter>| self.part("unseen", Vec::new(), None, Order::Unseen(states));
        match self.filter.state {
            None => vec![
                unseen(vec![StateFilter::NotRead, StateFilter::Missing]),
                self.part_in_state("seen", StateFilter::Present),
            ],
            // What the run changed it saw.
            Some(state @ (StateFilter::Present | StateFilter::Changed)) => vec![self.part_in_state("seen", state)],
            Some(state @ (StateFilter::Missing | StateFilter::NotRead)) => vec![unseen(vec![state])],
        }
    }

    /// As many items as are wanted, from the cursor on; its part is one of these.
    pub(super) async fn in_order(
        &self,
        parts: &[Part],
        cursor: Option<&Cursor>,
    ) -> Result<Vec<(String, Hit)>, StoreError> {
        let mut ordered: Vec<&Part> = parts.iter().collect();
        if self.descending {
            ordered.reverse();
        }
        let start = cursor.and_then(|cursor| ordered.iter().position(|part| part.name == cursor.part));
        let mut hits = Vec::new();
        for (index, part) in ordered.into_iter().enumerate().skip(start.unwrap_or_default()) {
            let after = cursor.filter(|_| start == Some(index));
            let rest = self.with_limit(self.limit - hits.len());
            hits.extend(rest.of_part(part, after).await?);
            if hits.len() >= self.limit {
                break;
            }
        }
        Ok(hits)
    }

    async fn of_part(&self, part: &Part, after: Option<&Cursor>) -> Result<Vec<(String, Hit)>, StoreError> {
        let Part { name, types, state, platform, order } = part;
        match order {
            Order::Unseen(states) => self.unseen(states, after, name).await,
            Order::Name => match platform {
                None => self.by_name(types, *state, after, name).await,
                Some(platform) => {
                    let filter = ItemFilter { platforms: vec![*platform], ..self.filter.clone() };
                    self.with_filter(&filter).by_name(types, *state, after, name).await
                }
            },
            Order::Text(_) | Order::Number(_) => {
                let Some(statement) = self.by_value(part, after) else { return Ok(Vec::new()) };
                let mut on = self.db;
                let hits: Vec<Hit> = on.query(&statement).await?;
                Ok(hits.into_iter().map(|hit| (name.clone(), hit)).collect())
            }
        }
    }

    /// Everything of the part, sorted by what is made of each row.
    pub(super) fn by_value(&self, part: &Part, after: Option<&Cursor>) -> Option<Statement> {
        let (term, is_number) = match part.order {
            Order::Text(term) => (term, false),
            Order::Number(term) => (term, true),
            Order::Name | Order::Unseen(_) => return None,
        };
        let walks = if part.types.is_empty() { return None } else { self.walks(&part.types, part.state) };
        let (behind, order) = self.direction();
        let mut statement = Statement::new("SELECT id, CAST(sort_value AS TEXT) AS sort_key FROM (");
        self.push_walks(&mut statement, &walks, part.state, &format!("i.id, {term} AS sort_value"));
        statement.push(") AS walks", []);
        if let Some(cursor) = after {
            let condition = format!(" WHERE (sort_value, id) {behind} ($1, $2)");
            if is_number {
                statement.push(&condition, args![cursor.key.parse::<i64>().unwrap_or_default(), cursor.id]);
            } else {
                statement.push(&condition, args![cursor.key.clone(), cursor.id]);
            }
        }
        statement.push(&format!(" ORDER BY sort_value{order}, id{order} LIMIT $1"), args![self.limit as u64]);
        Some(statement)
    }
}
