//! Which relations of an item are drawn, and where each stands: what it refers to on its right, what refers to it on its
//! left, and what refers to that further left. Bounded, with what is left out in numbers.

use std::collections::{HashMap, HashSet};

use tenantatlas_domain::ids::ItemId;
use tenantatlas_domain::item_name::shown_name;
use tenantatlas_domain::references::{Assigned, Relationship};
use tenantatlas_store::inventory::{Dependant, Item, Outgoing, Relations, Standing};

use super::words::{incoming_words, outgoing_words, source_name, standing_words, target_kind, target_name};
use crate::address::TenantAddress;
use crate::format;
use crate::inventory::labels::type_label;

/// Lines that are drawn, at most.
pub const MAX_LINES: usize = 50;
/// Boxes of one column, at most.
const MAX_IN_COLUMN: usize = 24;
/// Steps that are drawn to the left, at most.
const MAX_STEPS: u32 = 3;

/// What a box stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Look {
    /// The item that is shown.
    Self_,
    /// Something that it is related to.
    Other,
    /// More than is drawn.
    More,
}

impl Look {
    /// Its name in the markup.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Self_ => "self",
            Self::Other => "other",
            Self::More => "more",
        }
    }
}

/// A box.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Drawn {
    /// Its name.
    pub name: String,
    /// How it is related, and what it is.
    pub words: String,
    /// Where it leads.
    pub href: Option<String>,
    /// What it stands for.
    pub look: Look,
    /// What is known of it.
    pub state: Standing,
}

/// What is drawn.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Picture {
    /// The boxes, that of the item first.
    pub boxes: Vec<Drawn>,
    /// The column of each.
    pub columns: Vec<usize>,
    /// From which box to which.
    pub lines: Vec<(usize, usize)>,
    /// Of each line whether it only excludes.
    pub excludes: Vec<bool>,
}

/// What is drawn of the relations of an item; nothing where it has none.
#[must_use]
pub fn picture(address: &TenantAddress, item: &Item, relations: &Relations) -> Option<Picture> {
    if relations.is_empty() {
        return None;
    }
    let mut sketch =
        Sketch { address, relations, boxes: Vec::new(), columns: Vec::new(), lines: Vec::new(), known: HashMap::new() };
    let name = shown_name(&item.display_name, &item.external_id).into_owned();
    let own =
        Drawn { name, words: type_label(&item.policy_type), href: None, look: Look::Self_, state: Standing::Present };
    sketch.put(0, own, Some(item.id));
    sketch.references(item.id);
    sketch.dependants();
    let first = sketch.columns.iter().min().copied().unwrap_or_default();
    Some(Picture {
        columns: sketch.columns.iter().map(|column| usize::try_from(column - first).unwrap_or_default()).collect(),
        lines: sketch.lines.iter().map(|(from, to, _)| (*from, *to)).collect(),
        excludes: sketch.lines.iter().map(|(_, _, excludes)| *excludes).collect(),
        boxes: sketch.boxes,
    })
}

struct Sketch<'a> {
    address: &'a TenantAddress,
    relations: &'a Relations,
    boxes: Vec<Drawn>,
    /// The columns, counted from the item: what it refers to stands in 1, what refers to it in -1.
    columns: Vec<i64>,
    lines: Vec<(usize, usize, bool)>,
    /// The boxes of items.
    known: HashMap<ItemId, usize>,
}

impl Sketch<'_> {
    fn put(&mut self, column: i64, drawn: Drawn, item: Option<ItemId>) -> usize {
        self.boxes.push(drawn);
        self.columns.push(column);
        let at = self.boxes.len() - 1;
        if let Some(item) = item {
            self.known.insert(item, at);
        }
        at
    }

    fn more(&mut self, column: i64, words: String, of: &str, href: &str) {
        let drawn = Drawn {
            name: words,
            words: of.to_owned(),
            href: Some(href.to_owned()),
            look: Look::More,
            state: Standing::Present,
        };
        self.put(column, drawn, None);
    }

    /// What the item refers to: a box for each target, however many references lead there.
    fn references(&mut self, own: ItemId) {
        let relations = self.relations;
        let mut targets: Vec<Vec<&Outgoing>> = Vec::new();
        for one in &relations.references {
            match targets.iter_mut().find(|others| is_same(others[0], one)) {
                Some(others) => others.push(one),
                None => targets.push(vec![one]),
            }
        }
        let mut hidden = relations.references_omitted;
        let mut drawn = 0;
        for target in targets {
            let excludes = target.iter().all(|one| one.link.relationship == Relationship::ExcludedFrom);
            if target[0].link.target_item_id == Some(own) {
                self.lines.push((0, 0, excludes));
            } else if drawn < MAX_IN_COLUMN {
                let at = self.put(1, self.target(&target), target[0].link.target_item_id);
                self.lines.push((0, at, excludes));
                drawn += 1;
            } else {
                hidden += 1;
            }
        }
        if hidden > 0 {
            self.more(1, format!("and {} more", format::number(hidden)), "that it refers to", "#outgoing-title");
        }
    }

    fn target(&self, references: &[&Outgoing]) -> Drawn {
        let Outgoing { link, state } = references[0];
        let mut ways: Vec<&str> = references.iter().map(|one| outgoing_words(one.link.relationship)).collect();
        ways.dedup();
        let href = match (link.target_item_id, Assigned::of(link.target_kind, &link.target_external_id)) {
            (Some(item), _) => Some(self.address.item(item)),
            (None, Some(group)) => Some(self.address.group(&group)),
            (None, None) => None,
        };
        let words = with_state(*state, &format!("{} · {}", ways.join(" and "), target_kind(link)));
        Drawn { name: target_name(link), words, href, look: Look::Other, state: *state }
    }

    /// What stands on the item, the nearest first and then by name, as long as there is room.
    fn dependants(&mut self) {
        let stands = &self.relations.stands_on_this;
        let mut items: Vec<&Dependant> = stands.items.iter().collect();
        items.sort_by_key(|one| (one.distance, one.display_name.to_lowercase(), one.item_id));
        let (mut near, mut further) = (0, 0);
        for one in items {
            let is_drawn = self.known.contains_key(&one.item_id) || self.dependant(one);
            if is_drawn && one.distance == 1 {
                near += 1;
            } else if !is_drawn && one.distance > 1 {
                further += 1;
            }
        }
        self.joints();
        let itself = u64::from(self.lines.iter().any(|(from, to, _)| (*from, *to) == (0, 0)));
        let hidden = self.relations.referenced_by_count.saturating_sub(near + itself);
        if hidden > 0 {
            self.more(-1, format!("and {} more", format::number(hidden)), "that refer to it", "#incoming-title");
        }
        if further > 0 || stands.deeper {
            let beyond = !stands.is_whole();
            let words = match further {
                0 => "and more".to_owned(),
                _ if beyond => format!("and {} and more", format::number(further)),
                _ => format!("and {} more", format::number(further)),
            };
            let column = self.columns.iter().min().copied().unwrap_or_default().min(-2);
            self.more(column, words, "that stand on it through others", "#stands-on-title");
        }
    }

    /// Draws an item, where there is room for it and its lines.
    fn dependant(&mut self, one: &Dependant) -> bool {
        let relations = self.relations;
        let mut targets: Vec<(usize, Relationship)> = Vec::new();
        for reference in relations.stands_on_this.references.iter().filter(|reference| reference.from == one.item_id) {
            if let Some(at) = self.known.get(&reference.to) {
                targets.push((*at, reference.relationship));
            }
        }
        let column = -i64::from(one.distance);
        let full = self.columns.iter().filter(|other| **other == column).count() >= MAX_IN_COLUMN;
        let ends: HashSet<usize> = targets.iter().map(|(at, _)| *at).collect();
        let Some((_, relationship)) = targets.first() else { return false };
        if full || one.distance > MAX_STEPS || self.lines.len() + ends.len() > MAX_LINES {
            return false;
        }
        let way = if one.distance == 1 { incoming_words(*relationship) } else { outgoing_words(*relationship) };
        let state = relations.states.get(&one.item_id).copied().unwrap_or(Standing::NotKnown);
        let drawn = Drawn {
            name: source_name(&one.display_name),
            words: with_state(state, &format!("{way} · {}", type_label(&one.policy_type))),
            href: Some(self.address.item(one.item_id)),
            look: Look::Other,
            state,
        };
        let from = self.put(column, drawn, Some(one.item_id));
        let mut ends: Vec<usize> = ends.into_iter().collect();
        ends.sort_unstable();
        self.lines.extend(ends.into_iter().map(|to| (from, to, false)));
        true
    }

    /// The references between boxes that are drawn anyway: those that close a circle, or lead on to what the item refers to.
    fn joints(&mut self) {
        let mut drawn: HashSet<(usize, usize)> = self.lines.iter().map(|(from, to, _)| (*from, *to)).collect();
        for reference in &self.relations.stands_on_this.references {
            let ends = self.known.get(&reference.from).zip(self.known.get(&reference.to));
            if let Some((from, to)) = ends
                && self.lines.len() < MAX_LINES
                && drawn.insert((*from, *to))
            {
                self.lines.push((*from, *to, false));
            }
        }
    }
}

fn with_state(state: Standing, words: &str) -> String {
    standing_words(state).map_or_else(|| words.to_owned(), |(_, _, word)| format!("{word} · {words}"))
}

/// Whether two references lead to the same thing.
fn is_same(one: &Outgoing, other: &Outgoing) -> bool {
    let key = |one: &Outgoing| {
        (one.link.target_kind, one.link.target_policy_type.clone(), one.link.target_external_id.clone())
    };
    match (one.link.target_item_id, other.link.target_item_id) {
        (Some(one), Some(other)) => one == other,
        (None, None) => key(one) == key(other),
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use tenantatlas_domain::references::TargetKind;
    use tenantatlas_store::inventory::{Dependants, Dependence, OutgoingLink};
    use uuid::Uuid;

    use super::*;

    fn id(number: u128) -> ItemId {
        Uuid::from_u128(number).into()
    }

    fn reference(relationship: Relationship, kind: TargetKind, target: &str, item: Option<ItemId>) -> Outgoing {
        let link = OutgoingLink {
            relationship,
            target_kind: kind,
            target_policy_type: None,
            target_external_id: target.to_owned(),
            target_item_id: item,
            name: Some(format!("Name of {target}")),
            unnamed: None,
            filter_id: None,
            filter_name: None,
            filter_mode: None,
            raw: String::new(),
        };
        Outgoing { link, state: item.map_or(Standing::Outside, |_| Standing::Present) }
    }

    fn relations(references: Vec<Outgoing>, edges: &[(u128, u128)], distances: &[(u128, u32)]) -> Relations {
        let dependant = |(number, distance): &(u128, u32)| Dependant {
            item_id: id(*number),
            policy_type: "mobileApp".to_owned(),
            external_id: number.to_string(),
            display_name: format!("Item {number:04}"),
            distance: *distance,
        };
        let edge =
            |(from, to): &(u128, u128)| Dependence { from: id(*from), to: id(*to), relationship: Relationship::Uses };
        let stands_on_this = Dependants {
            items: distances.iter().map(dependant).collect(),
            references: edges.iter().map(edge).collect(),
            more: false,
            deeper: false,
        };
        let direct: HashSet<u128> = edges.iter().filter(|(_, to)| *to == 0).map(|(from, _)| *from).collect();
        Relations {
            references,
            references_omitted: 0,
            referenced_by: Vec::new(),
            referenced_by_next: None,
            referenced_by_count: direct.len() as u64,
            states: distances.iter().map(|(number, _)| (id(*number), Standing::Present)).collect(),
            stands_on_this,
        }
    }

    fn drawn(relations: &Relations) -> Picture {
        let item = Item { id: id(0), ..Item::example("0", "Own") };
        let mut relations = relations.clone();
        // A relation that only this test's edges tell of is one all the same.
        if relations.referenced_by_count > 0 && relations.references.is_empty() {
            relations.references_omitted = 1;
        }
        picture(&crate::address::tenant(Uuid::nil()), &item, &relations).expect("a picture")
    }

    fn named<'a>(picture: &'a Picture, name: &str) -> (usize, &'a Drawn) {
        picture
            .boxes
            .iter()
            .enumerate()
            .find(|(_, one)| one.name.contains(name))
            .unwrap_or_else(|| panic!("{name}: {picture:#?}"))
    }

    #[test]
    fn what_is_referred_to_stands_on_the_right_and_what_refers_on_the_left() {
        use Relationship::{AssignedTo, ExcludedFrom};
        let group = "11111111-1111-4111-8111-111111111111";
        let references = vec![
            reference(AssignedTo, TargetKind::Group, group, None),
            reference(ExcludedFrom, TargetKind::Group, group, None),
            reference(ExcludedFrom, TargetKind::User, "somebody", None),
        ];
        let picture = drawn(&relations(references, &[(1, 0), (2, 1), (2, 0)], &[(1, 1), (2, 1)]));
        assert_eq!(picture.columns[0], 1);
        let (at, of_group) = named(&picture, group);
        assert_eq!(of_group.words, "assigned to and excluded from · group");
        assert!(of_group.href.as_deref().is_some_and(|href| href.ends_with(&format!("/groups/{group}"))));
        assert_eq!(picture.columns[at], 2);
        let (left, one) = named(&picture, "Item 0001");
        assert_eq!((picture.columns[left], one.words.as_str()), (0, "uses it · Apps"));
        assert_eq!(picture.lines.len(), picture.excludes.len());
        let excludes: Vec<bool> = picture
            .lines
            .iter()
            .zip(&picture.excludes)
            .filter(|((from, _), _)| *from == 0)
            .map(|(_, one)| *one)
            .collect();
        assert_eq!(excludes, [false, true], "what only excludes is told apart");
        assert_eq!(picture.lines.len(), 5, "one line for each pair, that between the two on the left included");
    }

    #[test]
    fn a_circle_stands_once_and_leads_back() {
        let references = vec![
            reference(Relationship::Uses, TargetKind::Item, "0", Some(id(0))),
            reference(Relationship::Uses, TargetKind::Item, "1", Some(id(1))),
        ];
        let picture = drawn(&relations(references, &[(0, 0), (1, 0), (0, 1), (2, 1)], &[(1, 1), (2, 2)]));
        assert_eq!(picture.boxes.len(), 3, "{picture:#?}");
        let mut lines = picture.lines.clone();
        lines.sort_unstable();
        assert_eq!(lines, [(0, 0), (0, 1), (1, 0), (2, 1)]);
    }

    #[test]
    fn more_than_fifty_lines_are_told_in_numbers_that_add_up() {
        let references: Vec<Outgoing> =
            (0..40).map(|one| reference(Relationship::Uses, TargetKind::User, &format!("user {one}"), None)).collect();
        let edges: Vec<(u128, u128)> = (1..=60).map(|one| (one, 0)).chain([(100, 1), (101, 60)]).collect();
        let distances: Vec<(u128, u32)> = (1..=60).map(|one| (one, 1)).chain([(100, 2), (101, 2)]).collect();
        let picture = drawn(&relations(references, &edges, &distances));
        assert!(picture.lines.len() <= MAX_LINES, "{}", picture.lines.len());
        let count = |look: Look| picture.boxes.iter().filter(|one| one.look == look).count();
        assert_eq!((count(Look::Self_), count(Look::Other), count(Look::More)), (1, 24 + 24 + 1, 3));
        assert_eq!(named(&picture, "and 16 more").1.words, "that it refers to");
        assert_eq!(named(&picture, "and 36 more").1.words, "that refer to it");
        assert_eq!(named(&picture, "and 1 more").1.words, "that stand on it through others");
    }

    #[test]
    fn what_is_missing_and_what_was_not_read_are_told_apart() {
        let with =
            |state| Outgoing { state, ..reference(Relationship::Uses, TargetKind::Item, state_name(state), None) };
        let picture = drawn(&relations(
            vec![with(Standing::Missing), with(Standing::NotRead), with(Standing::NotKnown)],
            &[],
            &[],
        ));
        for (state, word) in
            [(Standing::Missing, "missing"), (Standing::NotRead, "not read"), (Standing::NotKnown, "not known")]
        {
            let (_, one) = named(&picture, state_name(state));
            assert!(one.words.starts_with(word) && one.state == state && one.href.is_none(), "{one:?}");
        }
    }

    fn state_name(state: Standing) -> &'static str {
        state.as_str()
    }
}
