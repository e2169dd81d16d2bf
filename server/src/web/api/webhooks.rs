//! Endpoints to which news of a tenant are sent, and the log of what was sent: webhooks, Teams, Slack, mail.

use secrecy::ExposeSecret as _;
use tenantatlas_app::access::Rule;
use tenantatlas_domain::endpoint::{EndpointKind, EventKind, Wanted};
use tenantatlas_domain::ids::{DeliveryId, EndpointId};
use tenantatlas_domain::operation::OperationBucket;
use tenantatlas_domain::role::Action;
use tenantatlas_engine::{EndpointChange, EndpointDetails};
use tenantatlas_store::deliveries::{self, Delivery};
use tenantatlas_store::endpoints;

use super::call::{Call, dated_place};
use super::endpoint::{AFTER, Answer, Endpoint, LIMIT, Parameter, Verb, Work, shape};
use super::problem::Problem;
use super::reply::Reply;
use super::wire;

const RULE: Rule = Rule::Member(Action::EditEndpoints);

/// An address of this noun that is not begun by it.
const fn at(verb: Verb, path: &'static str, id: &'static str, summary: &'static str, work: Work) -> Endpoint {
    Endpoint {
        verb,
        path,
        id,
        tag: "Webhooks",
        summary,
        about: "",
        rule: RULE,
        query: &[],
        body: None,
        answer: Answer::One("The endpoint.", shape::<wire::WebhookEndpoint>()),
        work,
    }
}

/// The parameters of a log.
const PAGE: &[Parameter] = &[LIMIT, AFTER];

/// Its addresses.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        about: "Of the address, which may hold a right, only the host is told, and no secret is.",
        answer: Answer::One("The endpoints.", shape::<wire::WebhookEndpoints>()),
        ..at(
            Verb::Get,
            "/api/v1/tenants/{tenant}/endpoints",
            "list_endpoints",
            "Where news of the tenant are sent",
            |call| Box::pin(list(call)),
        )
    },
    Endpoint {
        about: "The answer tells the secret of a webhook, this once. 20 at most of a tenant.",
        body: Some(shape::<wire::AddEndpoint>()),
        answer: Answer::One("The endpoint with its secret.", shape::<wire::AddedEndpoint>()),
        ..at(Verb::Post, "/api/v1/tenants/{tenant}/endpoints", "add_endpoint", "Add an endpoint", |call| {
            Box::pin(add(call))
        })
    },
    at(Verb::Get, "/api/v1/tenants/{tenant}/endpoints/{endpoint}", "get_endpoint", "An endpoint", |call| {
        Box::pin(one(call))
    }),
    Endpoint {
        about: "What is left out stays. A secret is replaced on the page or by the command line.",
        body: Some(shape::<wire::ChangeEndpoint>()),
        answer: Answer::One("The endpoint as it is now.", shape::<wire::WebhookEndpoint>()),
        ..at(
            Verb::Patch,
            "/api/v1/tenants/{tenant}/endpoints/{endpoint}",
            "change_endpoint",
            "Change an endpoint, or switch it on or off",
            |call| Box::pin(change(call)),
        )
    },
    Endpoint {
        about: "With what is known of its deliveries.",
        answer: Answer::One("The endpoint as it was.", shape::<wire::WebhookEndpoint>()),
        ..at(
            Verb::Post,
            "/api/v1/tenants/{tenant}/endpoints/{endpoint}/remove",
            "remove_endpoint",
            "Remove an endpoint",
            |call| Box::pin(remove(call)),
        )
    },
    Endpoint {
        about: "Also to one that is switched off. The delivery tells how it went once it is not waiting any more.",
        answer: Answer::Begun("The delivery, which waits.", shape::<wire::Delivery>()),
        ..at(
            Verb::Post,
            "/api/v1/tenants/{tenant}/endpoints/{endpoint}/test",
            "test_endpoint",
            "Send a test message",
            |call| Box::pin(test(call)),
        )
    },
    Endpoint {
        about: "Newest first, each with its attempts.",
        query: PAGE,
        answer: Answer::One("A page of deliveries.", shape::<wire::Deliveries>()),
        ..at(
            Verb::Get,
            "/api/v1/tenants/{tenant}/endpoints/{endpoint}/deliveries",
            "list_deliveries",
            "What was sent to an endpoint",
            |call| Box::pin(log(call)),
        )
    },
    Endpoint {
        answer: Answer::One("The delivery.", shape::<wire::Delivery>()),
        ..at(Verb::Get, "/api/v1/tenants/{tenant}/deliveries/{delivery}", "get_delivery", "A delivery", |call| {
            Box::pin(delivery(call))
        })
    },
    Endpoint {
        about: "Under the same id, from the first attempt on. One that waits is refused.",
        answer: Answer::Begun("The delivery, which waits.", shape::<wire::Delivery>()),
        ..at(
            Verb::Post,
            "/api/v1/tenants/{tenant}/deliveries/{delivery}/replay",
            "replay_delivery",
            "Send a message once more",
            |call| Box::pin(replay(call)),
        )
    },
];

async fn list(call: Call) -> Result<Reply, Problem> {
    let found = endpoints::list(call.db(), call.tenant()?).await?;
    Ok(Reply::json(&wire::WebhookEndpoints { items: found.iter().map(wire::WebhookEndpoint::from).collect() }))
}

/// The endpoint of the address.
async fn found(call: &Call) -> Result<endpoints::Endpoint, Problem> {
    of_id(call, call.id("endpoint", "The endpoint")?).await
}

async fn of_id(call: &Call, id: EndpointId) -> Result<endpoints::Endpoint, Problem> {
    let found = endpoints::get(call.db(), call.tenant()?, id).await?;
    found.ok_or_else(|| Problem::not_found("The endpoint"))
}

async fn one(call: Call) -> Result<Reply, Problem> {
    Ok(Reply::json(&wire::WebhookEndpoint::from(&found(&call).await?)))
}

/// What is named by words, each of which must be one of these.
fn named<T: Copy>(
    field: &'static str,
    words: &[String],
    all: &[T],
    word: fn(T) -> &'static str,
) -> Result<Vec<T>, Problem> {
    let read = |text: &String| {
        all.iter().copied().find(|one| word(*one) == text).ok_or_else(|| {
            let known: Vec<&str> = all.iter().map(|one| word(*one)).collect();
            Problem::field(field, format!("{field}: expected of {}.", known.join(", ")))
        })
    };
    words.iter().map(read).collect()
}

fn events(words: &[String]) -> Result<Vec<EventKind>, Problem> {
    named("events", words, EventKind::CHOICES, EventKind::as_str)
}

fn states(words: &[String]) -> Result<Vec<OperationBucket>, Problem> {
    const ENDS: &[OperationBucket] =
        &[OperationBucket::Succeeded, OperationBucket::PartiallySucceeded, OperationBucket::Failed];
    named("states", words, ENDS, OperationBucket::as_str)
}

async fn add(call: Call) -> Result<Reply, Problem> {
    let asked: wire::AddEndpoint = call.read()?;
    let kind = named("kind", std::slice::from_ref(&asked.kind), EndpointKind::ALL, EndpointKind::as_str)?;
    let [kind] = kind[..] else { return Err(Problem::field("kind", "kind: expected one.")) };
    let (events, states) = (events(&asked.events)?, states(&asked.states)?);
    let wanted = Wanted { events, operations: asked.operations, states };
    let details = EndpointDetails { kind, name: asked.name, address: asked.address, wanted, digest: asked.digest };
    let added = call.engine().add_endpoint(&call.actor(), call.tenant()?, &details).await?;
    let endpoint = of_id(&call, added.id).await?;
    let told = |secret| wire::AddedEndpoint { endpoint: wire::WebhookEndpoint::from(&endpoint), secret };
    let secret = added.secret.map(|secret| secret.expose_secret().to_owned());
    Ok(Reply::json(&told(secret)).told_once(&told(None)))
}

async fn change(call: Call) -> Result<Reply, Problem> {
    let known = found(&call).await?;
    let asked: wire::ChangeEndpoint = call.read()?;
    let listens = asked.events.is_some() || asked.operations.is_some() || asked.states.is_some();
    let wanted = Wanted {
        events: asked.events.as_deref().map_or(Ok(known.wanted.events), events)?,
        operations: asked.operations.unwrap_or(known.wanted.operations),
        states: asked.states.as_deref().map_or(Ok(known.wanted.states), states)?,
    };
    let (digest, enabled) = (asked.digest, asked.enabled);
    let change = EndpointChange { name: asked.name, wanted: listens.then_some(wanted), digest, enabled };
    call.engine().change_endpoint(&call.actor(), call.tenant()?, known.id, &change).await?;
    Ok(Reply::json(&wire::WebhookEndpoint::from(&found(&call).await?)))
}

async fn remove(call: Call) -> Result<Reply, Problem> {
    let known = found(&call).await?;
    call.engine().remove_endpoint(&call.actor(), call.tenant()?, known.id).await?;
    Ok(Reply::json(&wire::WebhookEndpoint::from(&known)))
}

async fn test(call: Call) -> Result<Reply, Problem> {
    let known = found(&call).await?;
    let id = call.engine().test_endpoint(&call.actor(), call.tenant()?, known.id).await?;
    Ok(Reply::begun(&told(&call, id).await?))
}

/// A delivery of the tenant with its attempts.
async fn told(call: &Call, id: DeliveryId) -> Result<wire::Delivery, Problem> {
    let tenant = call.tenant()?;
    let found = deliveries::get(call.db(), tenant, id).await?;
    let found = found.ok_or_else(|| Problem::not_found("The delivery"))?;
    let attempts = deliveries::attempts(call.db(), tenant, &[id]).await?;
    Ok(wire::Delivery::of(&found, &attempts))
}

async fn delivery(call: Call) -> Result<Reply, Problem> {
    Ok(Reply::json(&told(&call, call.id("delivery", "The delivery")?).await?))
}

async fn replay(call: Call) -> Result<Reply, Problem> {
    let id = call.id("delivery", "The delivery")?;
    call.engine().replay_delivery(&call.actor(), call.tenant()?, id).await?;
    Ok(Reply::begun(&told(&call, id).await?))
}

async fn log(call: Call) -> Result<Reply, Problem> {
    let (known, tenant, limit) = (found(&call).await?, call.tenant()?, call.limit());
    let before = call.place_by_moment()?;
    // The store gives no more than a page: whether there are more is asked of it behind the last one.
    let page = deliveries::list(call.db(), tenant, known.id, before, limit).await?;
    let place = |last: &Delivery| (last.created_at, last.id);
    let more = match page.last().map(place).filter(|_| page.len() >= limit as usize) {
        Some(last) => !deliveries::list(call.db(), tenant, known.id, Some(last), 1).await?.is_empty(),
        None => false,
    };
    let ids: Vec<DeliveryId> = page.iter().map(|one| one.id).collect();
    let attempts = deliveries::attempts(call.db(), tenant, &ids).await?;
    let last = page.last().filter(|_| more).map(|last| dated_place(last.created_at, last.id));
    let (next, address) = call.next(last);
    let items = page.iter().map(|one| wire::Delivery::of(one, &attempts)).collect();
    Ok(Reply::json(&wire::Deliveries { items, next }).followed_by(address))
}
