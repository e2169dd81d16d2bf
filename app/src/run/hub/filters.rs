//! What of the runs is shown: choices, those that are in force, and how many runs there are in each state.

use leptos::prelude::*;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::operation::OperationBucket;
use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_store::operation_runs::{Counted, MOST_COUNTED};

use super::initiators::{self, Unmatched};
use super::load::{Hub, Place};
use crate::filter::ListFilter as _;
use crate::filter::run::{BUCKETS, RunFilter};
use crate::format::number;
use crate::ui::chips::chip_list;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::options;
use crate::ui::icon::Icon;

const SPANS: [(&str, &str); 4] =
    [("", "Any time"), ("1", "Last 24 hours"), ("7", "Last 7 days"), ("30", "Last 30 days")];

/// What was typed and is not understood. It stays in its field, where it can be mended.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub(super) struct Typed {
    by: Option<String>,
    reason: Option<String>,
}

impl Typed {
    pub(super) fn of(unmatched: Option<&Unmatched>, left_out: &[(&'static str, String)]) -> Self {
        let reason = left_out.iter().find(|(name, _)| *name == "reason").map(|(_, typed)| typed.clone());
        Self { by: unmatched.map(|one| one.typed().to_owned()), reason }
    }
}

pub(super) fn filters(place: &Place, filter: &RunFilter, hub: &Hub, typed: Typed) -> AnyView {
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
    let days = filter.days.map(|days| days.to_string()).unwrap_or_default();
    let tenant = place.tenant.is_none().then(|| tenant_field(filter, hub));
    view! {
        <form class="filters" id="filters" data-part="" method="get" action=place.base.clone() data-auto="">
            {tenant}
            <select class="select" name="operation" id="filter-operation" aria-label="Operation">{options(kinds, &filter.operation_name())}</select>
            <select class="select" name="state" id="filter-state" aria-label="State">
                {options(states, filter.bucket.map(OperationBucket::as_str).unwrap_or_default())}
            </select>
            {initiators::field(place, filter, &hub.initiators, typed.by)}
            {reason_field(filter, typed.reason)}
            <select class="select" name="days" id="filter-days" aria-label="Time">{options(SPANS, &days)}</select>
            <label class="day-field"><span>"From"</span><input class="input" type="date" name="from" value=filter.first_day() /></label>
            <label class="day-field"><span>"To"</span><input class="input" type="date" name="until" value=filter.last_day() /></label>
            <button class="button">"Apply"</button>
        </form>
    }
    .drawn()
}

/// The reason, in words or as its code, with suggestions.
fn reason_field(filter: &RunFilter, typed: Option<String>) -> AnyView {
    let value = filter.reason.map(|reason| capital(reason.words())).or(typed).unwrap_or_default();
    let known = ReasonCode::ALL.iter().map(|one| view! { <option value=capital(one.words())></option> }).collect_view();
    view! {
        <input class="input" name="reason" id="filter-reason" value=value list="reasons" placeholder="Reason" aria-label="Reason" maxlength="80" autocomplete="off" spellcheck="false" />
        <datalist id="reasons">{known}</datalist>
    }
    .drawn()
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
    let by = initiators::in_words(filter, &hub.initiators);
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
