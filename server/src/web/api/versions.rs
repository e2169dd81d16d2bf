//! Versions of policies, and what differs between two. Scripts and payloads are left out, as in downloads.

use serde_json::json;
use tenantatlas_app::access::Rule;
use tenantatlas_domain::role::Action;
use tenantatlas_store::policies;

use super::call::Call;
use super::endpoint::{AFTER, Answer, Endpoint, Kind, LIMIT, Parameter, Verb, shape};
use super::items::found;
use super::problem::Problem;
use super::reply::Reply;
use super::wire;

/// The largest number of a version that can be asked for.
const MOST: u32 = 1_000_000_000;

/// Its addresses.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        verb: Verb::Get,
        path: "/api/v1/tenants/{tenant}/items/{item}/versions",
        id: "list_versions",
        tag: "Versions",
        summary: "The versions of a policy",
        about: "Newest first. An item of which no body was captured has none.",
        rule: Rule::Member(Action::View),
        query: &[LIMIT, AFTER],
        body: None,
        answer: Answer::One("A page of versions.", shape::<wire::Versions>()),
        work: |call| Box::pin(list(call)),
    },
    Endpoint {
        verb: Verb::Get,
        path: "/api/v1/tenants/{tenant}/items/{item}/versions/{version}",
        id: "get_version",
        tag: "Versions",
        summary: "A version with its body",
        about: "By its number. Scripts are left out and payloads masked: they are looked at on the page or by the command line.",
        rule: Rule::Member(Action::SeeBodies),
        query: &[],
        body: None,
        answer: Answer::One("The version.", shape::<wire::VersionBody>()),
        work: |call| Box::pin(one(call)),
    },
    Endpoint {
        verb: Verb::Get,
        path: "/api/v1/tenants/{tenant}/items/{item}/difference",
        id: "get_difference",
        tag: "Versions",
        summary: "What differs between two versions of a policy",
        about: "Setting by setting, with what could not be compared.",
        rule: Rule::Member(Action::SeeBodies),
        query: &[
            Parameter::required("from", Kind::Number(1, MOST), "The number of the older version."),
            Parameter::required("to", Kind::Number(1, MOST), "The number of the newer version."),
        ],
        body: None,
        answer: Answer::One("What differs.", shape::<wire::Difference>()),
        work: |call| Box::pin(difference(call)),
    },
];

async fn list(call: Call) -> Result<Reply, Problem> {
    let item = found(&call).await?.item;
    let below = call.place(|place| place.parse::<u64>().ok())?;
    let limit = call.limit();
    let (key, id) = (&item.policy_type, &item.external_id);
    let mut versions = policies::versions_of(call.db(), call.tenant()?, key, id, below, limit + 1).await?;
    let more = versions.len() > limit as usize;
    versions.truncate(limit as usize);
    let last = versions.last().filter(|_| more).map(|version| version.number.to_string());
    let (next, address) = call.next(last);
    Ok(Reply::json(&wire::Versions { items: versions.iter().map(wire::Version::from).collect(), next })
        .followed_by(address))
}

async fn one(call: Call) -> Result<Reply, Problem> {
    let item = found(&call).await?.item;
    let number: u32 = call.id("version", "The version")?;
    let policy = (item.policy_type.as_str(), item.external_id.as_str());
    let opened = call.engine().open_version(&call.actor(), call.tenant()?, policy, number.into(), false).await?;
    let version = wire::Version::from(&opened.version);
    Ok(Reply::json(&wire::VersionBody { version, body: opened.body, left_out: opened.left_out }))
}

async fn difference(call: Call) -> Result<Reply, Problem> {
    let item = found(&call).await?.item;
    let number = |name| call.parsed::<u64>(name).unwrap_or_default();
    let numbers @ (from, to) = (number("from"), number("to"));
    let policy = (item.policy_type.as_str(), item.external_id.as_str());
    let compared = call.engine().compare_versions(&call.actor(), call.tenant()?, policy, numbers, false).await?;
    let difference = compared.document(false);
    let same = difference["same"] == json!(true);
    Ok(Reply::json(&wire::Difference { from, to, same, difference }))
}
