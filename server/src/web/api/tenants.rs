//! The token, tenants and their types.

use tenantatlas_app::access::Rule;
use tenantatlas_app::inventory::coverage::coverage;
use tenantatlas_domain::role::Action;
use tenantatlas_store::inventory::ScopeView;

use super::call::Call;
use super::endpoint::{AFTER, Answer, Endpoint, LIMIT, Verb, shape};
use super::problem::Problem;
use super::reply::Reply;
use super::wire::{self, time};

/// Its addresses.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        verb: Verb::Get,
        path: "/api/v1/token",
        id: "get_token",
        tag: "Tokens",
        summary: "The token with which is asked",
        about: "What it is called, what it allows at most, and when it ends.",
        rule: Rule::SignedIn,
        query: &[],
        body: None,
        answer: Answer::One("The token.", shape::<wire::Token>()),
        work: |call| Box::pin(token(call)),
    },
    Endpoint {
        verb: Verb::Get,
        path: "/api/v1/tenants",
        id: "list_tenants",
        tag: "Tenants",
        summary: "The tenants that exist for the token",
        about: "By name, each with what the token allows in it: the lesser of its role and of what its person may do there now.",
        rule: Rule::SignedIn,
        query: &[LIMIT, AFTER],
        body: None,
        answer: Answer::One("A page of tenants.", shape::<wire::Tenants>()),
        work: |call| Box::pin(list(call)),
    },
    Endpoint {
        verb: Verb::Get,
        path: "/api/v1/tenants/{tenant}",
        id: "get_tenant",
        tag: "Tenants",
        summary: "A tenant",
        about: "",
        rule: Rule::Member(Action::View),
        query: &[],
        body: None,
        answer: Answer::One("The tenant.", shape::<wire::Tenant>()),
        work: |call| Box::pin(one(call)),
    },
    Endpoint {
        verb: Verb::Get,
        path: "/api/v1/tenants/{tenant}/types",
        id: "list_types",
        tag: "Inventory",
        summary: "How each policy type was read last",
        about: "Relative to the main scope of the tenant. What was not read to the end says why; it never counts as missing.",
        rule: Rule::Member(Action::View),
        query: &[],
        body: None,
        answer: Answer::One("The types.", shape::<wire::Types>()),
        work: |call| Box::pin(types(call)),
    },
];

async fn token(call: Call) -> Result<Reply, Problem> {
    Ok(Reply::json(&wire::Token::from(&call.token)))
}

async fn list(call: Call) -> Result<Reply, Problem> {
    let known = call.engine().token_tenants(&call.token).await?;
    // By name and id, as they are ordered.
    let after: Option<(String, String)> = call.place(|place| {
        let (id, name) = place.split_once(' ')?;
        Some((name.to_owned(), id.to_owned()))
    })?;
    let key = |name: &str, id: String| (name.to_lowercase(), id);
    let mut rest: Vec<_> = known
        .iter()
        .filter(|(tenant, _)| after.as_ref().is_none_or(|after| key(&tenant.name, tenant.id.to_string()) > *after))
        .collect();
    let limit = usize::try_from(call.limit()).unwrap_or(usize::MAX);
    let more = rest.len() > limit;
    rest.truncate(limit);
    let last = rest.last().filter(|_| more).map(|(tenant, _)| format!("{} {}", tenant.id, tenant.name.to_lowercase()));
    let (next, address) = call.next(last);
    let items = rest.iter().map(|(tenant, role)| wire::Tenant::of(tenant, *role)).collect();
    Ok(Reply::json(&wire::Tenants { items, next }).followed_by(address))
}

async fn one(call: Call) -> Result<Reply, Problem> {
    let inside = call.inside()?;
    Ok(Reply::json(&wire::Tenant::of(&inside.tenant, inside.role)))
}

async fn types(call: Call) -> Result<Reply, Problem> {
    let view = ScopeView::load(call.db(), call.tenant()?, None).await?;
    let items = coverage(&view).into_iter().map(|cell| wire::TypeState {
        policy_type: cell.key,
        label: cell.label,
        coverage: cell.mark.as_str().to_owned(),
        items: cell.items,
        not_read: cell.not_read,
        read_at: cell.at.map(time),
        reason_code: cell.reason.map(|code| code.as_str().to_owned()),
        reason: cell.message,
        last_full_read_at: cell.last_full_read.map(time),
    });
    Ok(Reply::json(&wire::Types { items: items.collect() }))
}
