//! What the palette finds, and in which order.

use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::item_name::shown_name;
use tenantatlas_domain::registry::registry;
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

/// Everything that fits, the shortest ways first.
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
    let sought = text.to_lowercase();
    let words: Vec<&str> = sought.split_whitespace().collect();
    let mut found = inside.map(actions).unwrap_or_default();
    found.extend(pages(session, inside));
    found.retain(|entry| fits(&words, &entry.label));
    found.extend(tenants(engine, session, &words).await?);
    if let Some(inside) = inside {
        found.extend(views(inside, &words).await?);
        if !words.is_empty() {
            found.extend(types(inside, &words));
        }
        if text.chars().count() >= MIN_TEXT {
            found.extend(groups(inside, &text).await?);
            found.extend(items(inside, &text).await?);
        }
    }
    Ok(found)
}

/// Whether a name has all of these words, in any order.
fn fits(words: &[&str], name: &str) -> bool {
    let name = name.to_lowercase();
    words.iter().all(|word| name.contains(word))
}

/// Whatever it is called, all of it can be seen.
fn entry(kind: &str, label: impl Into<String>, detail: impl Into<String>, href: String) -> PaletteEntry {
    let seen = |text: String| visible_on_page(&text).into_owned();
    PaletteEntry { kind: kind.to_owned(), label: seen(label.into()), detail: seen(detail.into()), href }
}

/// What this person may start.
fn actions(inside: &Inside) -> Vec<PaletteEntry> {
    let at = inside.address();
    let mut actions = Vec::new();
    if inside.role.allows(Action::Sync) {
        actions.push(entry("Action", "Start a sync", "choose what is read", at.sync()));
        actions.push(entry("Action", "Sync what failed last time", "", at.sync_preset("failed")));
        actions.push(entry("Action", "Sync only foundations", "", at.sync_preset("foundations")));
    }
    if inside.role.allows(Action::EditConnection) {
        actions.push(entry("Action", "Test the connection", "on the settings page", at.settings()));
    }
    actions.push(entry("Action", "Export the inventory as CSV", "", at.inventory_export("csv")));
    actions.push(entry("Action", "Export the inventory as JSON", "", at.inventory_export("json")));
    actions
}

fn pages(session: &CurrentSession, inside: Option<&Inside>) -> Vec<PaletteEntry> {
    let mut pages = Vec::new();
    if let Some(inside) = inside {
        let (at, name) = (inside.address(), inside.tenant.name.as_str());
        for (label, href) in [
            ("Inventory", at.inventory()),
            ("Runs", at.runs()),
            ("Findings", at.findings()),
            ("Audit", at.audit()),
            ("Settings", at.settings()),
            ("Members", at.members()),
            ("Notifications", at.notifications()),
        ] {
            pages.push(entry("Page", label, name, href));
        }
        if inside.role.allows(Action::SeeBodies) {
            pages.push(entry("Page", "Policy settings", name, at.policy_settings()));
        }
    }
    pages.push(entry("Page", "All tenants", "", address::HOME.to_owned()));
    pages.push(entry("Page", "Policy settings", "in all tenants", address::SETTINGS.to_owned()));
    pages.push(entry("Page", "Profile and sessions", "", address::ACCOUNT.to_owned()));
    if session.platform_admin {
        pages.push(entry("Page", "Users", "Administration", address::USERS.to_owned()));
        pages.push(entry("Page", "Add a tenant", "Administration", address::ADD_TENANT.to_owned()));
        pages.push(entry("Page", "Retention", "Administration", address::RETENTION.to_owned()));
    }
    pages.push(entry("Page", "Help and keys", "", address::HELP.to_owned()));
    pages
}

async fn tenants(engine: &Engine, session: &CurrentSession, words: &[&str]) -> Result<Vec<PaletteEntry>, AppError> {
    let visible = tenants::list_visible(engine.reader(), session.user_id).await?;
    let found = visible.into_iter().map(|one| one.tenant).filter(|tenant| fits(words, &tenant.name));
    Ok(found
        .take(MAX_OF_KIND)
        .map(|tenant| entry("Tenant", tenant.name, "", address::tenant(tenant.id).inventory()))
        .collect())
}

async fn views(inside: &Inside, words: &[&str]) -> Result<Vec<PaletteEntry>, AppError> {
    let views = saved_views::list(inside.engine.reader(), inside.session.user_id, inside.id()).await?;
    let base = inside.address().inventory();
    let found = views.into_iter().filter(|view| fits(words, &view.name)).take(MAX_OF_KIND);
    Ok(found
        .map(|view| {
            let href = read_query::<InventoryFilter>(&view.query).address(&base);
            entry("View", view.name, "saved view of the inventory", href)
        })
        .collect())
}

fn types(inside: &Inside, words: &[&str]) -> Vec<PaletteEntry> {
    let found = registry().all().iter().filter(|known| fits(words, known.label)).take(MAX_OF_KIND);
    found
        .map(|known| entry("Type", known.label, known.category.label(), inside.address().items_of_type(known.key)))
        .collect()
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
    use super::fits;

    #[test]
    fn words_are_found_in_any_order_and_case() {
        assert!(fits(&["policies", "compl"], "Compliance policies"));
        assert!(!fits(&["policies", "apps"], "Compliance policies"));
        assert!(fits(&[], "anything"));
    }
}
