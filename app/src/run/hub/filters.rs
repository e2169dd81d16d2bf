//! What of the runs is shown: choices, those that are in force, and how many runs there are in each state.

use leptos::prelude::*;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::operation::OperationBucket;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_store::operation_runs::{Counted, Initiator, MOST_COUNTED, StartedBy};

use super::load::{Hub, Place};
use crate::filter::ListFilter as _;
use crate::filter::run::{BUCKETS, RunFilter, starter_text};
use crate::format::number;
use crate::run::initiator::token_words;
use crate::ui::chips::chip_list;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::options;
use crate::ui::icon::Icon;

const KINDS: [(&str, &str); 6] = [
    ("", "Anybody"),
    ("me", "Me"),
    ("person", "A person"),
    ("schedule", "A schedule"),
    ("nobody", "Nobody who signs in"),
    ("token", "A token of the API"),
];
const SPANS: [(&str, &str); 4] =
    [("", "Any time"), ("1", "Last 24 hours"), ("7", "Last 7 days"), ("30", "Last 30 days")];

pub(super) fn filters(place: &Place, filter: &RunFilter, hub: &Hub) -> AnyView {
    let states = std::iter::once((String::new(), "Any state".to_owned()))
        .chain(BUCKETS.map(|one| (one.as_str().to_owned(), one.label().to_owned())));
    let operations = place.engine.runs().operations();
    let mut kinds: Vec<(String, String)> = operations
        .kinds()
        .into_iter()
        .map(|kind| (kind.to_string(), operations.words(kind.resource, kind.action).operation))
        .collect();
    kinds.sort_by(|one, other| one.1.cmp(&other.1));
    let kinds = std::iter::once((String::new(), "Any operation".to_owned())).chain(kinds);
    let me = StartedBy::Person(place.session.user_id);
    // Over all tenants the schedules of many of them may have one name: there each is chosen on the page of its tenant.
    let is_offered = |one: &&Initiator| place.tenant.is_some() || !matches!(one.by, StartedBy::Schedule(_));
    let others = hub.initiators.iter().filter(|one| one.by != me).filter(is_offered);
    let initiators = KINDS
        .map(|(value, words)| (value.to_owned(), words.to_owned()))
        .into_iter()
        .chain(others.map(|one| (starter_text(one.by), starter_words(one))));
    let reasons = std::iter::once((String::new(), "Any reason".to_owned()))
        .chain(ReasonCode::ALL.iter().map(|one| (one.as_str().to_owned(), capital(one.words()))));
    let days = filter.days.map(|days| days.to_string()).unwrap_or_default();
    let tenant = place.tenant.is_none().then(|| tenant_field(filter, hub));
    view! {
        <form class="filters" id="filters" data-part="" method="get" action=place.base.clone() data-auto="">
            {tenant}
            <select class="select" name="operation" id="filter-operation" aria-label="Operation">{options(kinds, &filter.operation_name())}</select>
            <select class="select" name="state" id="filter-state" aria-label="State">
                {options(states, filter.bucket.map(OperationBucket::as_str).unwrap_or_default())}
            </select>
            <select class="select" name="by" id="filter-by" aria-label="Started by">{options(initiators, &filter.initiator())}</select>
            <select class="select" name="reason" id="filter-reason" aria-label="Reason">
                {options(reasons, filter.reason.map(ReasonCode::as_str).unwrap_or_default())}
            </select>
            <select class="select" name="days" id="filter-days" aria-label="Time">{options(SPANS, &days)}</select>
            <label class="day-field"><span>"From"</span><input class="input" type="date" name="from" value=filter.first_day() /></label>
            <label class="day-field"><span>"To"</span><input class="input" type="date" name="until" value=filter.last_day() /></label>
            <button class="button">"Apply"</button>
        </form>
    }
    .drawn()
}

/// Who or what started runs, for the choice: schedules call themselves so.
fn starter_words(one: &Initiator) -> String {
    match one.by {
        StartedBy::Token(_) => token_words(&one.name),
        StartedBy::Person(_) | StartedBy::Schedule(_) => one.name.clone(),
    }
}

fn tenant_field(filter: &RunFilter, hub: &Hub) -> AnyView {
    let names = hub.tenants.iter().map(|name| view! { <option value=name.clone()></option> }).collect_view();
    view! {
        <div class="search">
            {Icon::Tenant.view()}
            <input class="input" type="search" name="tenant" value=filter.tenant.clone() placeholder="Tenant" aria-label="Tenant" list="tenant-names" data-search="" maxlength="200" autocomplete="off" />
        </div>
        <datalist id="tenant-names">{names}</datalist>
    }
    .drawn()
}

fn capital(words: &str) -> String {
    let mut words = words.to_owned();
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    words
}

/// The filters in force, each with what takes it away.
pub(super) fn in_force(place: &Place, filter: &RunFilter, hub: &Hub) -> AnyView {
    let from_start = filter.first_page();
    let without = |change: &dyn Fn(&mut RunFilter)| {
        let mut rest = from_start.clone();
        change(&mut rest);
        rest.address(&place.base)
    };
    let operations = place.engine.runs().operations();
    let operation = filter.operation.as_ref().map(|(resource, action)| operations.words(resource, action).operation);
    let days = filter.days.map(|days| match days {
        1 => "Last 24 hours".to_owned(),
        days => format!("Last {days} days"),
    });
    let person = filter.starter.map(|by| {
        let known = hub.initiators.iter().find(|one| one.by == by);
        let unknown = || match by {
            StartedBy::Person(_) => "a person".to_owned(),
            StartedBy::Schedule(_) => "a schedule".to_owned(),
            StartedBy::Token(_) => "a token".to_owned(),
        };
        format!("By {}", known.map_or_else(unknown, starter_words))
    });
    let kind = KINDS.iter().find(|(value, _)| *value == filter.initiator() && !value.is_empty());
    let by = person.or_else(|| kind.map(|(_, words)| format!("By {}", words.to_lowercase())));
    let entries = [
        (
            Some(visible_on_page(&filter.tenant).into_owned())
                .filter(|name| !name.is_empty() && place.tenant.is_none()),
            without(&|rest| rest.tenant = String::new()),
        ),
        (operation, without(&|rest| rest.operation = None)),
        (filter.bucket.map(|bucket| bucket.label().to_owned()), without(&|rest| rest.bucket = None)),
        (by, without(&RunFilter::by_anybody)),
        (filter.reason.map(|reason| capital(reason.words())), without(&|rest| rest.reason = None)),
        (days, without(&|rest| rest.days = None)),
        (filter.from.map(|_| format!("From {}", filter.first_day())), without(&|rest| rest.from = None)),
        (filter.until.map(|_| format!("To {}", filter.last_day())), without(&|rest| rest.until = None)),
    ];
    view! { <div id="chips" data-part="">{chip_list(&place.base, entries)}</div> }.drawn()
}

/// How many runs there are in each state, each a link to them.
pub(super) fn buckets(place: &Place, filter: &RunFilter, counted: &Counted) -> AnyView {
    let entry = |bucket: Option<OperationBucket>, words: &'static str, count: u64| {
        let href = RunFilter { bucket, ..filter.first_page() }.address(&place.base);
        let current = (filter.bucket == bucket).then_some("true");
        view! {
            <li><a class="chip" href=href data-stay="" aria-current=current>{words}" "<strong>{number(count)}</strong></a></li>
        }
    };
    let states = BUCKETS.map(|bucket| entry(Some(bucket), bucket.label(), counted.of(bucket)));
    let more = counted.more.then(|| {
        let words = format!("Of the newest {} runs", number(u64::from(MOST_COUNTED)));
        view! { <li class="quiet-text">{words}</li> }
    });
    view! {
        <ul class="chips buckets" aria-label="Runs by state">
            {entry(None, "All", counted.all())}
            {states.into_iter().collect_view()}
            {more}
        </ul>
    }
    .drawn()
}
