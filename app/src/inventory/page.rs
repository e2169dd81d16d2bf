//! The inventory of a tenant.

use super::assigned::assigned_words;
use super::coverage_strip::coverage_strip;
use super::elsewhere::scope_words;
use super::group_hits::{assigned_choice, group_hits};
use super::labels::{platform_label, type_label};
use super::load::{CoverageMark, InventoryView, load};
use crate::filter::ListFilter as _;
use crate::filter::inventory::{InventoryFilter, sort_name, state_name};
use crate::format;
use crate::frame::view::Section;
use crate::page::{done, query, tenant_page};
use crate::scope::Inside;
use crate::sync::button::SyncButton;
use crate::ui::form::{hidden, options};
use crate::ui::icon::Icon;
use crate::ui::note::{done_note, empty};
use crate::ui::state::{presence_state, state, sync_state};
use crate::ui::time::moment;
use leptos::prelude::*;
use tenantatlas_domain::item_name::shown_name;
use tenantatlas_domain::presence::Confidence;
use tenantatlas_domain::registry::{Category, Platform, registry};
use tenantatlas_domain::role::Action;
use tenantatlas_domain::since::Since;
use tenantatlas_store::inventory::{ItemRow, Sort, StateFilter};
use tenantatlas_store::scopes::ScopeId;

/// In the place of a figure that only a completed run can give.
const NO_RUN: &str = "no sync has completed yet";

/// Figures, coverage, filters, and the list.
#[component]
pub fn InventoryPage() -> impl IntoView {
    let query = query();
    let address = InventoryFilter::read(&query);
    let done = done(&query);
    tenant_page(Section::Inventory, move |inside| async move {
        let shown = load(&inside, &address).await?;
        let content = if shown.view.run.is_none() && shown.counts.known == 0 && !address.is_filtered() {
            first_time(&inside)
        } else {
            view! {
                {head(&inside, &shown)}
                {figures(&inside, &shown)}
                {coverage_strip(&shown.coverage, &inside.address())}
                {list(&inside, &address, &shown)}
            }
            .into_any()
        };
        let content = view! { {done_note(done)} {content} }.into_any();
        Ok(("Inventory".to_owned(), content))
    })
}

fn first_time(inside: &Inside) -> AnyView {
    let can_sync = inside.role.allows(Action::Sync);
    let words = if can_sync {
        "Start the first sync: it reads every policy type of Intune and Entra, changes nothing in the tenant, and shows here what it found."
    } else {
        "Nobody has read this tenant yet. Somebody with the role of operator or more can start the first sync."
    };
    let id = inside.id();
    let action =
        can_sync.then(|| view! { <SyncButton tenant=id label="Start the first sync".to_owned() /> }.into_any());
    view! {
        <div id="inventory-empty" data-live="">
            <h1 class="visually-hidden">"Inventory"</h1>
            {empty(Icon::Inventory, "Nothing read yet", words, action)}
        </div>
    }
    .into_any()
}

fn head(inside: &Inside, shown: &InventoryView) -> AnyView {
    let lead = match &shown.view.run {
        Some(run) => view! {
            <p class="lead" id="as-of" data-live="">
                "As of the sync "
                {moment(run.finished_at.unwrap_or(run.started_at).as_millis())}
                {shown.view.scope.as_ref().map(|scope| format!(" · {}", scope_words(scope)))}
            </p>
        }
        .into_any(),
        None => {
            view! { <p class="lead" id="as-of" data-live="">"No sync of this tenant has completed yet."</p> }.into_any()
        }
    };
    let sync =
        inside.role.allows(Action::Sync).then(|| view! { <SyncButton tenant=inside.id() label="Sync".to_owned() /> });
    view! {
        <div class="page-head">
            <div><h1>"Inventory"</h1>{lead}</div>
            <div class="actions">{sync}</div>
        </div>
    }
    .into_any()
}

fn figures(inside: &Inside, shown: &InventoryView) -> AnyView {
    let base = inside.address().inventory();
    let scope = shown.view.scope.as_ref().map(|scope| scope.id);
    let to = |state: Option<StateFilter>| InventoryFilter { state, scope, ..InventoryFilter::default() }.address(&base);
    let counts = &shown.counts;
    let sure = match counts.missing_confidence {
        Some(Confidence::High) => "certain",
        Some(Confidence::Low) => "unsure: the sync had errors",
        None => "nothing is missing",
    };
    let last = shown.view.run.as_ref();
    // Without a completed run there is nothing to count, and a nought would claim that something was read.
    let told = |href: String, label: &'static str, value: String, detail: String| match last {
        Some(_) => figure(href, label, value, detail),
        None => figure(href, label, "–".to_owned(), NO_RUN.to_owned()),
    };
    let present = match last {
        Some(_) => format!("{} present", format::number(counts.present)),
        None => NO_RUN.to_owned(),
    };
    let last_href = last.map_or_else(|| inside.address().runs(), |run| inside.address().run(run.operation_run_id));
    view! {
        <section class="figures" id="figures" data-live="" aria-label="Figures">
            {figure(to(None), "Items", format::number(counts.known), present)}
            {told(
                "#coverage".to_owned(),
                "Types read",
                format!("{} / {}", format::number(counts.types_read), format::number(counts.types_selected)),
                types_unread(shown),
            )}
            {told(to(Some(StateFilter::Missing)), "Missing", format::number(counts.missing), sure.to_owned())}
            {told(to(Some(StateFilter::NotRead)), "Not read", format::number(counts.not_read), items_unread(shown))}
            {told(to(Some(StateFilter::Changed)), "Changed", format::number(counts.changed), "new or changed in the last sync".to_owned())}
            <a class="figure" href=last_href>
                <span class="label">"Last sync"</span>
                {match last {
                    Some(run) => view! {
                        <span class="detail">{sync_state(run.status)}</span>
                        <span class="detail">{moment(run.finished_at.unwrap_or(run.started_at).as_millis())}</span>
                    }.into_any(),
                    None => view! { <span class="value">"never"</span> }.into_any(),
                }}
            </a>
        </section>
    }
    .into_any()
}

/// What became of the types that were not read to the end.
fn types_unread(shown: &InventoryView) -> String {
    let of = |mark: CoverageMark| shown.coverage.iter().filter(|one| one.mark == mark).count();
    match (of(CoverageMark::Failed), of(CoverageMark::Skipped)) {
        (0, 0) if shown.counts.types_read == shown.counts.types_selected => "all that were asked for".to_owned(),
        (0, 0) => "the others were not reached".to_owned(),
        (0, skipped) => format!("{skipped} skipped, nothing to read"),
        (failed, 0) => format!("{failed} could not be read"),
        (failed, skipped) => format!("{failed} could not be read, {skipped} skipped"),
    }
}

/// Why nothing can be said of the items that were not read, as far as that is their type's absence from the selection.
fn items_unread(shown: &InventoryView) -> String {
    let outside = shown.coverage.iter().filter(|cell| cell.mark == CoverageMark::Outside);
    match outside.map(|cell| cell.not_read).sum::<u64>() {
        0 => "nothing can be said of them".to_owned(),
        outside => format!("{} not in this selection", format::number(outside)),
    }
}

fn figure(href: String, label: &'static str, value: String, detail: String) -> AnyView {
    view! {
        <a class="figure" href=href>
            <span class="label">{label}</span>
            <span class="value">{value}</span>
            <span class="detail">{detail}</span>
        </a>
    }
    .into_any()
}

fn list(inside: &Inside, address: &InventoryFilter, shown: &InventoryView) -> AnyView {
    let base = inside.address().inventory();
    let export = |kind: &str| address.first_page().address(&inside.address().inventory_export(kind));
    view! {
        <section class="stack" aria-labelledby="list-title">
            <div class="section-head">
                <h2 id="list-title">"Items"</h2>
                <div class="actions">
                    <a class="button quiet small" href=export("csv") download="">{Icon::Download.view()}"CSV"</a>
                    <a class="button quiet small" href=export("json") download="">{Icon::Download.view()}"JSON"</a>
                </div>
            </div>
            {filters(&base, address, shown)}
            <div id="items" data-live="">
                {group_hits(inside, &shown.groups)}
                {rows(inside, address, shown)}
            </div>
        </section>
    }
    .into_any()
}

fn filters(base: &str, address: &InventoryFilter, shown: &InventoryView) -> AnyView {
    let any = |words: &str| (String::new(), words.to_owned());
    let categories = Category::ALL.iter().map(|one| (one.slug().to_owned(), one.label().to_owned()));
    let types = shown
        .coverage
        .iter()
        .filter(|cell| {
            address
                .category
                .is_none_or(|category| registry().get(&cell.key).is_some_and(|known| known.category == category))
        })
        .map(|cell| (cell.key.clone(), cell.label.clone()));
    let platforms = Platform::ALL.iter().map(|one| (one.as_str().to_owned(), one.label().to_owned()));
    let states = [
        (StateFilter::Present, "Present"),
        (StateFilter::Missing, "Missing"),
        (StateFilter::NotRead, "Not read"),
        (StateFilter::Changed, "Changed in the last sync"),
    ]
    .map(|(one, words)| (state_name(one).to_owned(), words.to_owned()));
    let chosen_state = address.state.map(state_name).unwrap_or_default();
    let tags = (!shown.scope_tags.is_empty()).then(|| {
        let entries = std::iter::once(any("Any scope tag")).chain(shown.scope_tags.iter().cloned());
        view! {
            <select class="select" name="tag" aria-label="Scope tag">
                {options(entries, address.scope_tag.as_deref().unwrap_or_default())}
            </select>
        }
    });
    view! {
        <form class="filters" method="get" action=base.to_owned() role="search" data-auto="">
            <div class="search">
                {Icon::Search.view()}
                <input
                    class="input" type="search" name="q" value=address.search.clone() placeholder="Search name or id"
                    aria-label="Search name or id" data-search="" maxlength="200"
                />
            </div>
            <select class="select" name="category" aria-label="Category">
                {options(std::iter::once(any("Any category")).chain(categories), address.category.map(Category::slug).unwrap_or_default())}
            </select>
            <select class="select" name="type" aria-label="Policy type">
                {options(std::iter::once(any("Any type")).chain(types), address.policy_type.as_deref().unwrap_or_default())}
            </select>
            <select class="select" name="platform" aria-label="Platform">
                {options(std::iter::once(any("Any platform")).chain(platforms), address.platform.map(Platform::as_str).unwrap_or_default())}
            </select>
            <select class="select" name="state" aria-label="State">
                {options(std::iter::once(any("Any state")).chain(states), chosen_state)}
            </select>
            {since_choice(address)}{assigned_choice(address, shown.assigned_group.as_ref())}
            {tags}
            {scope_choice(address, shown)}
            {sort_name(address.sort).map(|sort| hidden("sort", sort))}
            <button class="button">"Apply"</button>
            {address.is_filtered().then(|| view! { <a class="button quiet" href=base.to_owned()>"Clear"</a> })}
        </form>
    }
    .into_any()
}

/// Since when changes are shown. A date or a run that the address names stays as an entry of its own.
fn since_choice(address: &InventoryFilter) -> AnyView {
    let mut entries = vec![
        (String::new(), "Changed at any time".to_owned()),
        ("1d".to_owned(), "Changed since yesterday".to_owned()),
        ("7d".to_owned(), "Changed in 7 days".to_owned()),
        ("30d".to_owned(), "Changed in 30 days".to_owned()),
    ];
    let chosen = address.since.map(|since| since.to_string()).unwrap_or_default();
    if let Some(since) = address.since.filter(|_| entries.iter().all(|(value, _)| *value != chosen)) {
        let words = match since {
            Since::Run(_) => "Changed since a sync".to_owned(),
            Since::Moment(_) | Since::Days(_) => format!("Changed since {since}"),
        };
        entries.push((chosen.clone(), words));
    }
    view! { <select class="select" name="since" aria-label="Changed since">{options(entries, &chosen)}</select> }
        .into_any()
}

/// The scope can be switched where there is more than one.
fn scope_choice(address: &InventoryFilter, shown: &InventoryView) -> Option<AnyView> {
    if shown.scopes.len() < 2 {
        return address.scope.map(|ScopeId(id)| hidden("scope", id.to_string()));
    }
    let entries = std::iter::once((String::new(), "Main selection of the tenant".to_owned()))
        .chain(shown.scopes.iter().map(|scope| (scope.id.0.to_string(), format!("Syncs of {}", scope_words(scope)))));
    let chosen = address.scope.map(|ScopeId(id)| id.to_string()).unwrap_or_default();
    Some(
        view! {
            <select class="select" name="scope" aria-label="Relative to">{options(entries, &chosen)}</select>
        }
        .into_any(),
    )
}

fn rows(inside: &Inside, address: &InventoryFilter, shown: &InventoryView) -> AnyView {
    if shown.page.rows.is_empty() {
        return nothing(address, shown);
    }
    let base = inside.address().inventory();
    let pager = match (&shown.page.next, &address.after) {
        (None, None) => None,
        (next, after) => {
            let next =
                next.clone().map(|after| InventoryFilter { after: Some(after), ..address.clone() }.address(&base));
            let start = after.as_ref().map(|_| address.first_page().address(&base));
            Some(view! {
                <nav class="pager" aria-label="Pages">
                    <span>{format::counted(shown.page.rows.len() as u64, "item", "items")}" on this page"</span>
                    <span class="actions">
                        {start.map(|href| view! { <a class="button" href=href>{Icon::Previous.view()}"From the start"</a> })}
                        {next.map(|href| view! { <a class="button" href=href rel="next">"Next"{Icon::Next.view()}</a> })}
                    </span>
                </nav>
            })
        }
    };
    view! {
        <div class="table-wrap">
            <table class="table cards">
                <thead>
                    <tr>
                        {sort_head(&base, address, Sort::Name, "Name")}
                        {sort_head(&base, address, Sort::Type, "Type")}
                        <th scope="col">"Platform"</th>
                        <th scope="col">"Assigned to"</th>
                        <th scope="col">"State"</th>
                        {sort_head(&base, address, Sort::LastSeen, "Last seen")}
                    </tr>
                </thead>
                <tbody>{shown.page.rows.iter().map(|row| item_row(&base, address.scope, row)).collect_view()}</tbody>
            </table>
        </div>
        {pager}
    }
    .into_any()
}

/// What an empty list says: never more than was read and asked for.
fn nothing(address: &InventoryFilter, shown: &InventoryView) -> AnyView {
    match address.state.filter(|_| address.asks_for_state_alone()) {
        Some(StateFilter::Missing | StateFilter::NotRead | StateFilter::Changed) if shown.view.run.is_none() => empty(
            Icon::Waiting,
            "No sync has completed yet",
            "Only a completed sync can tell what is missing, not read or changed.",
            None,
        ),
        Some(StateFilter::Missing) => empty(
            Icon::Done,
            "Nothing is missing",
            "Every item of the types that were read to the end was seen in the last sync.",
            None,
        ),
        Some(StateFilter::NotRead) => {
            empty(Icon::Done, "Nothing is left open", "There is no item of which the last sync can say nothing.", None)
        }
        Some(StateFilter::Changed) => {
            empty(Icon::Done, "Nothing changed", "The last sync found no item new or changed.", None)
        }
        _ if address.is_filtered() || address.after.is_some() => empty(
            Icon::Search,
            "No item fits",
            "Take a filter away, or look at the coverage above: a type that was not read shows nothing. A search looks for every word in names, ids, types and groups.",
            None,
        ),
        _ => empty(
            Icon::Inventory,
            "No items",
            "The types that were read hold nothing. The coverage above says which were read.",
            None,
        ),
    }
}

fn sort_head(base: &str, address: &InventoryFilter, sort: Sort, words: &'static str) -> AnyView {
    let chosen = address.sort == sort;
    let href = InventoryFilter { sort, after: None, ..address.clone() }.address(base);
    let (order, icon) = if sort == Sort::LastSeen { ("descending", Icon::Down) } else { ("ascending", Icon::Up) };
    view! {
        <th scope="col" aria-sort=chosen.then_some(order)>
            <a href=href>{words}{chosen.then(|| icon.view())}</a>
        </th>
    }
    .into_any()
}

fn item_row(base: &str, scope: Option<ScopeId>, row: &ItemRow) -> AnyView {
    let item = &row.item;
    let name = shown_name(&item.display_name, &item.external_id).into_owned();
    let href = match scope {
        Some(ScopeId(scope)) => format!("{base}/{}?scope={scope}", item.id),
        None => format!("{base}/{}", item.id),
    };
    view! {
        <tr>
            <th scope="row" class="title"><a href=href>{name}</a></th>
            <td data-label="Type">{type_label(&item.policy_type)}</td>
            <td data-label="Platform">{platform_label(&item.platform)}</td>
            <td data-label="Assigned to">{assigned_words(row).unwrap_or_else(|| "–".to_owned())}</td>
            <td data-label="State">{row_state(row)}</td>
            <td data-label="Last seen" class="quiet">{moment(item.last_seen_at.as_millis())}</td>
        </tr>
    }
    .into_any()
}

/// The state of a row; what became known after the sync that is shown says so.
pub fn row_state(row: &ItemRow) -> AnyView {
    if row.newer_than_scope {
        return state("info", Icon::Add, "Newer than this sync");
    }
    if row.changed_in_last_run && row.item.first_seen_seq == row.item.changed_seq {
        return state("accent", Icon::Add, "New");
    }
    presence_state(&row.presence, row.changed_in_last_run)
}
