//! Findings, the search of settings and the audit log.

use tenantatlas_app::access::Rule;
use tenantatlas_app::audit::load::unknown_action;
use tenantatlas_app::filter::ListFilter as _;
use tenantatlas_app::filter::audit::AuditFilter;
use tenantatlas_app::filter::finding::{FindingsFilter, Status};
use tenantatlas_app::filter::setting::SettingFilter;
use tenantatlas_domain::drift::{ChangeKind, Severity};
use tenantatlas_domain::ids::FindingId;
use tenantatlas_domain::role::Action;
use tenantatlas_domain::setting_query::LONGEST_QUERY;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::SearchRequest;
use tenantatlas_store::{audit, findings, scopes};

use super::call::Call;
use super::endpoint::{AFTER, Answer, Endpoint, Kind, LIMIT, Parameter, Verb, shape};
use super::problem::Problem;
use super::reply::Reply;
use super::wire;

/// Findings that are changed at once, at most.
const MOST_FINDINGS: usize = 500;

/// Its addresses.
pub const ENDPOINTS: &[Endpoint] = &[
    Endpoint {
        verb: Verb::Get,
        path: "/api/v1/tenants/{tenant}/findings",
        id: "list_findings",
        tag: "Findings",
        summary: "What drifted in the main scope",
        about: "Those that nobody accepted, where no status is asked for.",
        rule: Rule::Member(Action::View),
        query: &[
            Parameter::new(
                "status",
                Kind::Words(|| Status::ALL.iter().map(|(_, name, _)| *name).collect()),
                "Only in this state; new where it is left out.",
            ),
            Parameter::new(
                "kind",
                Kind::Words(|| ChangeKind::ALL.iter().map(|one| one.as_str()).collect()),
                "Only of this kind.",
            ),
            Parameter::new(
                "severity",
                Kind::Words(|| Severity::ALL.iter().map(|one| one.as_str()).collect()),
                "Only those that matter at least so much.",
            ),
            LIMIT,
            AFTER,
        ],
        body: None,
        answer: Answer::One("A page of findings.", shape::<wire::Findings>()),
        work: |call| Box::pin(list(call)),
    },
    Endpoint {
        verb: Verb::Post,
        path: "/api/v1/tenants/{tenant}/findings/accept",
        id: "accept_findings",
        tag: "Findings",
        summary: "Accept what findings show now",
        about: "Any other content makes a finding new again. Of more than 100 at once `confirm` must be their number.",
        rule: Rule::Member(Action::AcknowledgeFindings),
        query: &[],
        body: Some(shape::<wire::AcceptFindings>()),
        answer: Answer::One("How many were accepted.", shape::<wire::Changed>()),
        work: |call| Box::pin(accept(call)),
    },
    Endpoint {
        verb: Verb::Post,
        path: "/api/v1/tenants/{tenant}/findings/reopen",
        id: "reopen_findings",
        tag: "Findings",
        summary: "Take acceptances back",
        about: "",
        rule: Rule::Member(Action::AcknowledgeFindings),
        query: &[],
        body: Some(shape::<wire::ReopenFindings>()),
        answer: Answer::One("How many are new again.", shape::<wire::Changed>()),
        work: |call| Box::pin(reopen(call)),
    },
    Endpoint {
        verb: Verb::Get,
        path: "/api/v1/tenants/{tenant}/settings",
        id: "search_settings",
        tag: "Settings",
        summary: "Policies by what they set",
        about: "The query is that of the page: words, and setting:, value: and type: with words. `found.coverage` says what was searched and what not.",
        rule: Rule::Member(Action::SeeBodies),
        query: &[Parameter::required("q", Kind::Text(LONGEST_QUERY), "The query."), LIMIT, AFTER],
        body: None,
        answer: Answer::One("A page of what was found.", shape::<wire::FoundSettings>()),
        work: |call| Box::pin(settings(call)),
    },
    Endpoint {
        verb: Verb::Get,
        path: "/api/v1/settings",
        id: "search_all_settings",
        tag: "Settings",
        summary: "Policies of all tenants of the token by what they set",
        about: "As in one tenant, and tenant: with the name of one. `found.coverage` names the tenants in which the token may not see bodies.",
        rule: Rule::SignedIn,
        query: &[Parameter::required("q", Kind::Text(LONGEST_QUERY), "The query."), LIMIT, AFTER],
        body: None,
        answer: Answer::One("A page of what was found.", shape::<wire::FoundSettings>()),
        work: |call| Box::pin(settings(call)),
    },
    Endpoint {
        verb: Verb::Get,
        path: "/api/v1/tenants/{tenant}/audit",
        id: "list_audit_entries",
        tag: "Audit",
        summary: "The audit log of a tenant",
        about: "Newest first.",
        rule: Rule::Member(Action::View),
        query: &[
            Parameter::new("action", Kind::Text(100), "Only this action."),
            Parameter::new("resource", Kind::Text(100), "Only about this kind of thing."),
            Parameter::new("from", Kind::Day, "Only from this UTC day on."),
            Parameter::new("until", Kind::Day, "Only up to this UTC day."),
            LIMIT,
            AFTER,
        ],
        body: None,
        answer: Answer::One("A page of entries.", shape::<wire::AuditEntries>()),
        work: |call| Box::pin(entries(call)),
    },
];

async fn list(call: Call) -> Result<Reply, Problem> {
    let (db, tenant) = (call.db(), call.tenant()?);
    let filter = FindingsFilter::read(|name| call.asked(name).map(str::to_owned));
    let after: Option<FindingId> = call.place(|place| place.parse().ok())?;
    let Some(scope) = scopes::main_of(db, tenant).await? else {
        return Ok(Reply::json(&wire::Findings { items: Vec::new(), next: None }));
    };
    let key = scope.selection_hash.to_string();
    let now = call.engine().now();
    let page = findings::list(db, tenant, &key, &filter.asked(), (after, call.limit()), now).await?;
    let (next, address) = call.next(page.next.map(|id| id.to_string()));
    let items = page.findings.iter().map(wire::Finding::from).collect();
    Ok(Reply::json(&wire::Findings { items, next }).followed_by(address))
}

/// The ids of findings that a body names. What is no id names nothing.
fn named(findings: &[String]) -> Result<Vec<FindingId>, Problem> {
    if findings.is_empty() || findings.len() > MOST_FINDINGS {
        return Err(Problem::field("findings", format!("findings: expected 1 to {MOST_FINDINGS} ids of findings.")));
    }
    findings.iter().map(|id| id.parse().map_err(|_| Problem::not_found("The finding"))).collect()
}

async fn accept(call: Call) -> Result<Reply, Problem> {
    let asked: wire::AcceptFindings = call.read()?;
    let ids = named(&asked.findings)?;
    let until = match asked.until.as_deref() {
        None => None,
        Some(text) => {
            let at = Timestamp::parse_rfc3339(text).or_else(|| Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z")));
            Some(at.ok_or_else(|| {
                Problem::field("until", "until: expected a day such as 2027-01-31, or a time as in RFC 3339.")
            })?)
        }
    };
    let typed = asked.confirm.map(|count| count.to_string()).unwrap_or_default();
    let engine = call.engine();
    let count = engine.accept_findings(&call.actor(), call.tenant()?, &ids, &asked.reason, until, &typed).await?;
    Ok(Reply::json(&wire::Changed { count }))
}

async fn reopen(call: Call) -> Result<Reply, Problem> {
    let asked: wire::ReopenFindings = call.read()?;
    let ids = named(&asked.findings)?;
    let count = call.engine().reopen_findings(&call.actor(), call.tenant()?, &ids).await?;
    Ok(Reply::json(&wire::Changed { count }))
}

async fn settings(call: Call) -> Result<Reply, Problem> {
    let place = |text: &str| SettingFilter::read(|name| (name == "after").then(|| text.to_owned())).after;
    let request = SearchRequest {
        query: call.asked("q").unwrap_or_default().to_owned(),
        tenants: call.scope.iter().map(|scope| scope.tenant.id).collect(),
        after: call.place(place)?,
        limit: call.limit(),
    };
    let found = call.engine().search_settings(&call.actor(), &request).await?;
    let (next, address) = call.next(found.next.map(|place| format!("{}.{}", place.tenant, place.line)));
    Ok(Reply::json(&wire::FoundSettings { found: found.document(), next }).followed_by(address))
}

async fn entries(call: Call) -> Result<Reply, Problem> {
    let inside = call.inside()?;
    if let Some(words) = call.asked("action").and_then(|one| unknown_action(one, call.engine().runs().operations())) {
        return Err(Problem::parameter("action", words));
    }
    let mut filter = AuditFilter::read(|name| call.asked(name).map(str::to_owned));
    filter.before = call.place(|place| place.parse().ok())?;
    let limit = call.limit();
    let mut entries = audit::list(call.db(), &filter.query(&inside, limit + 1)).await?;
    let more = entries.len() > limit as usize;
    entries.truncate(limit as usize);
    let (next, address) = call.next(entries.last().filter(|_| more).map(|entry| entry.seq.to_string()));
    let items = entries.iter().map(wire::AuditEntry::from).collect();
    Ok(Reply::json(&wire::AuditEntries { items, next }).followed_by(address))
}
