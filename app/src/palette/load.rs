//! What the palette finds, and in which order.

use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::item_name::shown_name;
use tenantatlas_domain::references::Assigned;
use tenantatlas_domain::registry::{aliases, registry};
use tenantatlas_domain::role::Action;
use tenantatlas_engine::Engine;
use tenantatlas_store::inventory::{self, ItemFilter, ItemQuery, ScopeView};
use tenantatlas_store::{saved_views, tenants};

use super::model::PaletteEntry;
use crate::address;
use crate::error::AppError;
use crate::filter::inventory::InventoryFilter;
use crate::filter::{ListFilter as _, read_query};
use crate::inventory::group_hits::assigned_label;
use crate::inventory::labels::type_label;
use crate::scope::Inside;
use crate::session::current::CurrentSession;

/// More of a kind than these are not shown.
const MAX_OF_KIND: usize = 8;
/// The longest text that is looked for, characters.
const MAX_TEXT: usize = 200;
/// Items are looked for from so many characters on.
const MIN_TEXT: usize = 2;
/// Words that are shorter are looked for at the beginning of words only.
const MIN_INNER: usize = 3;
/// Of so many types a sync of that type alone is offered.
const MAX_SYNCS: usize = 3;

/// Everything that fits, what is called exactly so first.
///
/// # Errors
/// When the database fails.
pub async fn entries(
    engine: &Engine,
    session: &CurrentSession,
    inside: Option<&Inside>,
    text: &str,
) -> Result<Vec<PaletteEntry>, AppError> {
    let text: String = text.trim().chars().take(MAX_TEXT).collect();
    let sought = Sought::new(&text);
    let mut offered = inside.map(actions).unwrap_or_default();
    offered.extend(pages(session, inside));
    if let Some(inside) = inside.filter(|_| !sought.words.is_empty()) {
        offered.extend(targets(inside));
    }
    let mut found: Vec<(Rank, PaletteEntry)> = offered.into_iter().filter_map(|one| one.ranked(&sought)).collect();
    found.extend(tenants(engine, session, &sought).await?);
    if let Some(inside) = inside {
        found.extend(views(inside, &sought).await?);
        if !sought.words.is_empty() {
            found.extend(types(inside, &sought));
        }
        if text.chars().count() >= MIN_TEXT {
            let named = groups(inside, &text).await?.into_iter().chain(items(inside, &text).await?);
            found.extend(named.map(|one| (sought.rank(&one.label, &[]).unwrap_or(Rank::Holds), one)));
        }
    }
    // What is equally near stays in the order above: what can be done, pages, tenants, views, types, groups, items.
    found.sort_by_key(|(rank, _)| *rank);
    Ok(found.into_iter().map(|(_, entry)| entry).collect())
}

/// How near a name is to what is looked for, the nearest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Rank {
    /// It is called so.
    Is,
    /// Its words begin so.
    Begins,
    /// It holds it somewhere.
    Holds,
}

/// What is looked for, in small letters.
struct Sought {
    whole: String,
    words: Vec<String>,
}

impl Sought {
    fn new(text: &str) -> Self {
        let whole = text.to_lowercase();
        let words = whole.split_whitespace().map(ToOwned::to_owned).collect();
        Self { whole, words }
    }

    /// How near a name is, or one of its other names; `None` where none has all of the words. Short words are abbreviations: in
    /// the middle of another word they mean nothing.
    fn rank(&self, name: &str, others: &[&str]) -> Option<Rank> {
        let name = name.to_lowercase();
        if name == self.whole || others.contains(&self.whole.as_str()) {
            return Some(Rank::Is);
        }
        let names = || std::iter::once(name.as_str()).chain(others.iter().copied());
        let begins = |word: &String| names().any(|name| has_word_that_begins(name, word));
        let holds =
            |word: &String| word.chars().count() >= MIN_INNER && names().any(|name| name.contains(word.as_str()));
        if self.words.iter().all(begins) {
            return Some(Rank::Begins);
        }
        self.words.iter().all(|word| begins(word) || holds(word)).then_some(Rank::Holds)
    }
}

fn has_word_that_begins(name: &str, with: &str) -> bool {
    name.starts_with(with) || name.split(|one: char| !one.is_alphanumeric()).any(|part| part.starts_with(with))
}

/// Somewhere to go, with the other names by which it is found.
struct Offer {
    entry: PaletteEntry,
    others: &'static [&'static str],
}

impl Offer {
    fn ranked(self, sought: &Sought) -> Option<(Rank, PaletteEntry)> {
        Some((sought.rank(&self.entry.label, self.others)?, self.entry))
    }
}

fn offer(entry: PaletteEntry, others: &'static [&'static str]) -> Offer {
    Offer { entry, others }
}

/// Whatever it is called, all of it can be seen.
fn entry(kind: &str, label: impl Into<String>, detail: impl Into<String>, href: String) -> PaletteEntry {
    let seen = |text: String| visible_on_page(&text).into_owned();
    PaletteEntry { kind: kind.to_owned(), label: seen(label.into()), detail: seen(detail.into()), href }
}

/// What this person may start.
fn actions(inside: &Inside) -> Vec<Offer> {
    let at = inside.address();
    let may = |action| inside.role.allows(action);
    let action = |label: &str, detail: &str, href: String| entry("Action", label, detail, href);
    let mut actions = Vec::new();
    if may(Action::Sync) {
        actions.push(offer(action("Start a sync", "choose what is read", at.sync()), &["read", "refresh", "run"]));
        actions.push(offer(action("Sync what failed last time", "", at.sync_preset("failed")), &["retry"]));
        actions.push(offer(action("Sync only foundations", "", at.sync_preset("foundations")), &[]));
        actions
            .push(offer(action("Compare two syncs", "on the findings page", at.findings()), &["drift", "difference"]));
    }
    if may(Action::Capture) {
        let capture = action("Capture policies", "pick them in the inventory, then keep versions", at.inventory());
        actions.push(offer(capture, &["keep versions", "backup"]));
    }
    if may(Action::EditConnection) {
        let check = action("Check the connection", "on the settings page", at.settings());
        actions.push(offer(check, &["test the connection", "permissions", "consent", "credential", "certificate"]));
    }
    if may(Action::EditSchedules) {
        actions.push(offer(action("Add a schedule", "", at.schedules()), &["cron", "daily"]));
    }
    let exports = &["download", "excel"];
    actions.push(offer(action("Export the inventory as CSV", "", at.inventory_export("csv")), exports));
    actions.push(offer(action("Export the inventory as JSON", "", at.inventory_export("json")), exports));
    actions
}

fn pages(session: &CurrentSession, inside: Option<&Inside>) -> Vec<Offer> {
    let page = |label: &str, detail: &str, href: String| entry("Page", label, detail, href);
    let mut pages = inside.map(pages_of_tenant).unwrap_or_default();
    pages.extend([
        offer(page("All tenants", "", address::HOME.to_owned()), &["home"]),
        offer(page("Policy settings", "in all tenants", address::SETTINGS.to_owned()), &["search"]),
        offer(page("Runs", "in all tenants", address::RUNS.to_owned()), &[]),
        offer(page("Schedules", "in all tenants", address::SCHEDULES.to_owned()), &["cron"]),
        offer(
            page("Profile and sessions", "", address::ACCOUNT.to_owned()),
            &["password", "account", "second factor", "mfa"],
        ),
        offer(page("Your tokens", "", address::TOKENS.to_owned()), &["api"]),
    ]);
    if inside.is_none() {
        pages.push(offer(page("Notifications", "", address::NOTIFICATIONS.to_owned()), &[]));
    }
    if session.platform_admin {
        pages.extend([
            offer(page("Users", "Administration", address::USERS.to_owned()), &["people", "administration"]),
            offer(
                page("All tenants of the platform", "Administration", address::ALL_TENANTS.to_owned()),
                &["administration"],
            ),
            offer(
                page("Add a tenant", "Administration", address::ADD_TENANT.to_owned()),
                &["new tenant", "app registration"],
            ),
            offer(page("Retention", "Administration", address::RETENTION.to_owned()), &["administration"]),
        ]);
    }
    pages.push(offer(page("Help and keys", "", address::HELP.to_owned()), &["shortcuts", "version"]));
    pages
}

fn pages_of_tenant(inside: &Inside) -> Vec<Offer> {
    let (at, name) = (inside.address(), inside.tenant.name.as_str());
    let page = |label: &str, href: String| entry("Page", label, name, href);
    let mut pages = vec![
        offer(page("Inventory", at.inventory()), &["items", "policies"]),
        offer(page("Runs", at.runs()), &["jobs", "operations"]),
        offer(page("Schedules", at.schedules()), &["cron"]),
        offer(page("Findings", at.findings()), &["drift", "compare", "changes"]),
        offer(page("Audit", at.audit()), &["log"]),
        offer(page("Settings", at.settings()), &["connection"]),
        offer(page("Members", at.members()), &["roles", "invite"]),
        offer(page("Notifications", at.notifications()), &[]),
    ];
    if inside.role.allows(Action::SeeBodies) {
        pages.push(offer(page("Policy settings", at.policy_settings()), &["search"]));
    }
    if inside.role.allows(Action::EditEndpoints) {
        pages.push(offer(page("Endpoints", at.endpoints()), &["webhook", "mail", "teams", "slack"]));
    }
    if inside.role.allows(Action::EditConnection) {
        pages.push(offer(page("Tokens", at.tokens()), &["api"]));
    }
    pages
}

/// What everybody gets, and what nobody does.
fn targets(inside: &Inside) -> Vec<Offer> {
    let target = |assigned: Assigned| {
        entry("Group", assigned_label(&assigned, None), "what it gets", inside.address().group(&assigned))
    };
    let nobody = PaletteEntry { detail: "what is not assigned".to_owned(), ..target(Assigned::Nobody) };
    vec![
        offer(target(Assigned::all_users()), &["everybody"]),
        offer(target(Assigned::all_devices()), &["everything"]),
        offer(nobody, &["not assigned", "unassigned"]),
    ]
}

async fn tenants(
    engine: &Engine,
    session: &CurrentSession,
    sought: &Sought,
) -> Result<Vec<(Rank, PaletteEntry)>, AppError> {
    let visible = tenants::list_visible(engine.reader(), session.user_id).await?;
    let found = visible.into_iter().filter_map(|one| Some((sought.rank(&one.tenant.name, &[])?, one.tenant)));
    Ok(found
        .take(MAX_OF_KIND)
        .map(|(rank, tenant)| (rank, entry("Tenant", tenant.name, "", address::tenant(tenant.id).inventory())))
        .collect())
}

async fn views(inside: &Inside, sought: &Sought) -> Result<Vec<(Rank, PaletteEntry)>, AppError> {
    let views = saved_views::list(inside.engine.reader(), inside.session.user_id, inside.id()).await?;
    let base = inside.address().inventory();
    let found = views.into_iter().filter_map(|view| Some((sought.rank(&view.name, &[])?, view))).take(MAX_OF_KIND);
    Ok(found
        .map(|(rank, view)| {
            let href = read_query::<InventoryFilter>(&view.query).address(&base);
            (rank, entry("View", view.name, "saved view of the inventory", href))
        })
        .collect())
}

/// The items of a type, and a sync of that type alone for whoever may start one. An abbreviation is found in no other name, as in
/// the picker.
fn types(inside: &Inside, sought: &Sought) -> Vec<(Rank, PaletteEntry)> {
    let mut found: Vec<_> =
        registry().all().iter().filter_map(|known| Some((sought.rank(known.label, aliases(known))?, known))).collect();
    found.sort_by_key(|(rank, _)| *rank);
    found.truncate(MAX_OF_KIND);
    let at = inside.address();
    let syncs = found.iter().filter(|_| inside.role.allows(Action::Sync)).take(MAX_SYNCS).map(|(rank, known)| {
        // Below the types themselves, where both are equally near.
        let label = format!("Sync only {}", known.label);
        (*rank, entry("Action", label, "", at.sync_preset(known.key)))
    });
    let items = found
        .iter()
        .map(|(rank, known)| (*rank, entry("Type", known.label, known.category.label(), at.items_of_type(known.key))));
    items.chain(syncs).collect()
}

/// Groups lead to what they get.
async fn groups(inside: &Inside, text: &str) -> Result<Vec<PaletteEntry>, AppError> {
    let many = u32::try_from(MAX_OF_KIND).unwrap_or(u32::MAX);
    let named = inventory::groups_named(inside.engine.reader(), inside.id(), text, many).await?;
    Ok(named
        .iter()
        .filter_map(|group| {
            let assigned = group.external_id.parse().ok()?;
            let label = assigned_label(&assigned, Some(group));
            Some(entry("Group", label, "what it gets", inside.address().group(&assigned)))
        })
        .collect())
}

async fn items(inside: &Inside, text: &str) -> Result<Vec<PaletteEntry>, AppError> {
    let db = inside.engine.reader();
    let view = ScopeView::load(db, inside.id(), None).await?;
    let query = ItemQuery {
        filter: ItemFilter { search: Some(text.to_owned()), ..ItemFilter::default() },
        limit: u32::try_from(MAX_OF_KIND).unwrap_or(u32::MAX),
        ..ItemQuery::default()
    };
    let page = inventory::list(db, &view, &query).await?;
    Ok(page
        .rows
        .into_iter()
        .map(|row| {
            let item = row.item;
            let name = shown_name(&item.display_name, &item.external_id);
            entry("Item", name, type_label(&item.policy_type), inside.address().item(item.id))
        })
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rank(text: &str, name: &str, others: &[&str]) -> Option<Rank> {
        Sought::new(text).rank(name, others)
    }

    #[test]
    fn words_are_found_in_any_order_and_case() {
        assert!(rank("policies COMPL", "Compliance policies", &[]).is_some());
        assert_eq!(rank("policies apps", "Compliance policies", &[]), None);
        assert!(rank("", "anything", &[]).is_some());
    }

    #[test]
    fn an_abbreviation_is_not_found_in_the_middle_of_other_words() {
        assert_eq!(rank("ca", "Notifications", &[]), None);
        assert_eq!(rank("ca", "Apple tokens", &["dep"]), None);
        assert_eq!(rank("CA", "Conditional Access policies", &["ca", "mfa"]), Some(Rank::Is));
    }

    #[test]
    fn a_page_of_that_name_is_nearer_than_what_only_holds_it() {
        assert!(rank("endpoints", "Endpoints", &[]) < rank("endpoints", "My endpoints here", &[]));
        assert!(rank("point", "Endpoints", &[]) == Some(Rank::Holds));
        assert!(rank("not assigned", "Nobody", &["not assigned"]) == Some(Rank::Is));
    }
}
