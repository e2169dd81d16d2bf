//! Groups and the policies that they get.

use tenantatlas_app::access::Rule;
use tenantatlas_app::filter::ListFilter as _;
use tenantatlas_app::filter::group::GroupFilter;
use tenantatlas_app::group::load;
use tenantatlas_domain::references::Assigned;
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::role::Action;
use tenantatlas_store::inventory::{self, Cursor};

use super::call::Call;
use super::endpoint::{AFTER, Answer, Endpoint, Kind, LIMIT, Parameter, Verb, shape};
use super::items::SCOPE;
use super::problem::Problem;
use super::reply::Reply;
use super::wire;

/// Its addresses.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        verb: Verb::Get,
        path: "/api/v1/tenants/{tenant}/groups",
        id: "list_groups",
        tag: "Inventory",
        summary: "Groups that policies are assigned to",
        about: "By name. Without words those of which the inventory holds an assignment; with words all whose names hold them.",
        rule: Rule::Member(Action::View),
        query: &[Parameter::new("q", Kind::Text(200), "Only those whose name holds these words."), LIMIT],
        body: None,
        answer: Answer::One("The groups.", shape::<wire::Groups>()),
        work: |call| Box::pin(list(call)),
    },
    Endpoint {
        verb: Verb::Get,
        path: "/api/v1/tenants/{tenant}/groups/{group}",
        id: "get_group",
        tag: "Inventory",
        summary: "A group with the policies that it gets",
        about: "What is assigned to it directly, and what excludes it. Members of groups within groups are not known.",
        rule: Rule::Member(Action::View),
        query: &[
            Parameter::new(
                "type",
                Kind::Words(|| registry().all().iter().map(|one| one.key).collect()),
                "Only this policy type.",
            ),
            Parameter::new(
                "only",
                Kind::Words(|| vec!["included", "excluded"]),
                "Only what includes the group, or only what excludes it.",
            ),
            SCOPE,
            LIMIT,
            AFTER,
        ],
        body: None,
        answer: Answer::One("The group, and a page of what it gets.", shape::<wire::GroupItems>()),
        work: |call| Box::pin(one(call)),
    },
];

async fn list(call: Call) -> Result<Reply, Problem> {
    let (db, tenant, limit) = (call.db(), call.tenant()?, call.limit());
    let mut found = match call.asked("q") {
        Some(words) => inventory::groups_named(db, tenant, words, limit + 1).await?,
        None => inventory::assigned_groups(db, tenant, limit + 1).await?,
    };
    let more = found.len() > limit as usize;
    found.truncate(limit as usize);
    Ok(Reply::json(&wire::Groups { items: found.iter().map(wire::Group::from).collect(), more }))
}

async fn one(call: Call) -> Result<Reply, Problem> {
    let inside = call.inside()?;
    let assigned: Assigned = call.id("group", "The group")?;
    let mut filter = GroupFilter::read(|name| call.asked(name).map(str::to_owned));
    filter.after = call.place(Cursor::decode)?;
    let found = load::of(&inside, assigned, &filter, Some(call.limit())).await?;
    let (next, address) = call.next(found.page.next.map(|next| next.encode()));
    let types = found.types.types.iter().map(|one| wire::GroupType {
        policy_type: one.policy_type.clone(),
        included: one.included,
        excluded: one.excluded,
    });
    let answer = wire::GroupItems {
        group: found.group.as_ref().map(wire::Group::from),
        types: types.collect(),
        more: found.types.more,
        items: found.page.rows.iter().map(wire::Item::from).collect(),
        not_read: found.not_read.iter().map(wire::NotRead::from).collect(),
        next,
    };
    Ok(Reply::json(&answer).followed_by(address))
}
