//! Items of the inventory and their assignments.

use tenantatlas_app::access::Rule;
use tenantatlas_app::filter::ListFilter as _;
use tenantatlas_app::filter::inventory::InventoryFilter;
use tenantatlas_app::inventory::coverage::CoverageMark;
use tenantatlas_app::inventory::load;
use tenantatlas_domain::ids::ItemId;
use tenantatlas_domain::item_column::ItemColumn;
use tenantatlas_domain::references::Assigned;
use tenantatlas_domain::registry::{Category, Platform, registry};
use tenantatlas_domain::role::Action;
use tenantatlas_domain::since::Since;
use tenantatlas_store::inventory::{self, Cursor, ItemRow, ScopeView};
use uuid::Uuid;

use super::call::Call;
use super::endpoint::{AFTER, Answer, Endpoint, Kind, LIMIT, Parameter, Verb, shape};
use super::problem::Problem;
use super::reply::Reply;
use super::wire;

/// The scope in which states are told.
pub(super) const SCOPE: Parameter = Parameter::new(
    "scope",
    Kind::Form(|text| text.parse::<i64>().is_ok_and(|id| id > 0), "the number of a scope, above 0"),
    "The scope in which states are told; the main one where it is left out.",
);

/// What a list of items is filtered by: that of the page of the inventory.
const FILTERS: &[Parameter] = &[
    Parameter::new("q", Kind::Text(200), "Only those whose name holds these words."),
    Parameter::new(
        "category",
        Kind::Words(|| Category::ALL.iter().map(|one| one.slug()).collect()),
        "Only this category.",
    ),
    Parameter::new(
        "type",
        Kind::Words(|| registry().all().iter().map(|one| one.key).collect()),
        "Only this policy type.",
    ),
    Parameter::new(
        "platform",
        Kind::Words(|| Platform::ALL.iter().map(|one| one.as_str()).collect()),
        "Only this platform.",
    ),
    Parameter::new("state", Kind::Words(|| vec!["present", "missing", "not_read", "changed"]), "Only in this state."),
    Parameter::new(
        "since",
        Kind::Form(
            |text| text.parse::<Since>().is_ok(),
            "days such as 7d, a day, a time as in RFC 3339, or run- and the id of a sync run",
        ),
        "Only what was found new or changed since then.",
    ),
    Parameter::new("tag", Kind::Text(40), "Only with this scope tag, by id."),
    Parameter::new(
        "assigned",
        Kind::Form(|text| text.parse::<Assigned>().is_ok(), "the id of a group, all-users, all-devices or nobody"),
        "Only what is assigned directly to this group, or to nobody.",
    ),
    Parameter::new(
        "excluded",
        Kind::Form(|text| text.parse::<Assigned>().is_ok_and(|whom| whom.group().is_some()), "the id of a group"),
        "Only what excludes this group.",
    ),
    Parameter::new(
        "coverage",
        Kind::Words(|| CoverageMark::ALL.iter().map(|one| one.as_str()).collect()),
        "Only of types that were read like this.",
    ),
    Parameter::new(
        "sort",
        Kind::Words(|| ItemColumn::ALL.iter().map(|one| one.as_str()).collect()),
        "In the order of this column; by name where it is left out.",
    ),
    Parameter::new("dir", Kind::Words(|| vec!["desc"]), "Whether the order is reversed."),
    SCOPE,
    LIMIT,
    AFTER,
];

/// Its addresses.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        verb: Verb::Get,
        path: "/api/v1/tenants/{tenant}/items",
        id: "list_items",
        tag: "Inventory",
        summary: "Items of the inventory",
        about: "With the filters of the page of the inventory. `not_read` names the types that were not read to the end: an item of them that is not listed may exist all the same.",
        rule: Rule::Member(Action::View),
        query: FILTERS,
        body: None,
        answer: Answer::One("A page of items.", shape::<wire::Items>()),
        work: |call| Box::pin(list(call)),
    },
    Endpoint {
        verb: Verb::Get,
        path: "/api/v1/tenants/{tenant}/items/{item}",
        id: "get_item",
        tag: "Inventory",
        summary: "An item",
        about: "",
        rule: Rule::Member(Action::View),
        query: &[SCOPE],
        body: None,
        answer: Answer::One("The item.", shape::<wire::Item>()),
        work: |call| Box::pin(one(call)),
    },
    Endpoint {
        verb: Verb::Get,
        path: "/api/v1/tenants/{tenant}/items/{item}/assignments",
        id: "list_assignments",
        tag: "Inventory",
        summary: "Whom an item is assigned to, and whom not",
        about: "",
        rule: Rule::Member(Action::View),
        query: &[],
        body: None,
        answer: Answer::One("The assignments.", shape::<wire::Assignments>()),
        work: |call| Box::pin(assignments(call)),
    },
    Endpoint {
        verb: Verb::Get,
        path: "/api/v1/tenants/{tenant}/items/{item}/relations",
        id: "list_relations",
        tag: "Inventory",
        summary: "What an item refers to, and what refers to it",
        about: "What refers to it comes in pages of some two hundred; the references of the item are told with each.",
        rule: Rule::Member(Action::View),
        query: &[SCOPE, AFTER],
        body: None,
        answer: Answer::One("The relations.", shape::<wire::Relations>()),
        work: |call| Box::pin(relations(call)),
    },
];

async fn list(call: Call) -> Result<Reply, Problem> {
    let inside = call.inside()?;
    let mut filter = InventoryFilter::read(|name| call.asked(name).map(str::to_owned));
    filter.after = call.place(Cursor::decode)?;
    let view = load::view(&inside, &filter).await?;
    let mut query = load::query(&inside, &filter, &view).await?;
    query.limit = call.limit();
    let page = inventory::list(call.db(), &view, &query).await?;
    let not_read = inventory::not_read(call.db(), &view, &query.filter).await?;
    let (next, address) = call.next(page.next.map(|next| next.encode()));
    let items = page.rows.iter().map(wire::Item::from).collect();
    let not_read = not_read.iter().map(wire::NotRead::from).collect();
    let later = load::first_read_later(call.db(), &view, &query.filter).await?;
    let first_read_later = later.iter().map(wire::FirstRead::from).collect();
    Ok(Reply::json(&wire::Items { items, not_read, first_read_later, next }).followed_by(address))
}

/// The item of an address.
pub async fn found(call: &Call) -> Result<ItemRow, Problem> {
    Ok(seen(call).await?.1)
}

/// The item of an address, and the view in which it is told.
async fn seen(call: &Call) -> Result<(ScopeView, ItemRow), Problem> {
    let item: Uuid = call.id("item", "The item")?;
    let scope = call.parsed("scope").map(tenantatlas_store::scopes::ScopeId);
    let view = ScopeView::load(call.db(), call.tenant()?, scope).await?;
    let row = inventory::find(call.db(), &view, ItemId::from_uuid(item)).await?;
    Ok((view, row.ok_or_else(|| Problem::not_found("The item"))?))
}

async fn one(call: Call) -> Result<Reply, Problem> {
    Ok(Reply::json(&wire::Item::from(&found(&call).await?)))
}

async fn assignments(call: Call) -> Result<Reply, Problem> {
    let row = found(&call).await?;
    let items = row.assignments.iter().map(wire::Assignment::from).collect();
    Ok(Reply::json(&wire::Assignments { assigned: row.item.assigned, items }))
}

async fn relations(call: Call) -> Result<Reply, Problem> {
    let (view, row) = seen(&call).await?;
    let after = call.place(|place| place.parse::<ItemId>().ok())?;
    let relations = inventory::relations(call.db(), &view, &row, after).await?;
    let (next, address) = call.next(relations.referenced_by_next.map(|item| item.to_string()));
    let answer = wire::Relations {
        references: relations.references.iter().map(wire::Reference::from).collect(),
        references_omitted: relations.references_omitted,
        referenced_by: relations.referenced_by.iter().map(wire::Referrer::from).collect(),
        referenced_by_count: relations.referenced_by_count,
        next,
    };
    Ok(Reply::json(&answer).followed_by(address))
}
