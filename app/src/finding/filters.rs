//! What narrows the findings, in the manner of the inventory, and what of it is in force.

use leptos::prelude::*;
use tenantatlas_domain::drift::{ChangeKind, Severity};
use tenantatlas_domain::invisible::visible_on_page;

use super::load::Findings;
use crate::filter::ListFilter as _;
use crate::filter::finding::{BY_OBJECT, FindingsFilter, Status};
use crate::inventory::labels::type_label;
use crate::scope::Inside;
use crate::ui::chips::chip_list;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::{choice, search_and_choices};
use crate::ui::icon::Icon;

/// The field that searches, the choices, and the downloads of what they find.
pub(super) fn filters(inside: &Inside, filter: &FindingsFilter, shown: &Findings) -> AnyView {
    let export = |kind: &str| filter.first_page().address(&inside.address().findings_export(kind));
    view! {
        <form class="filters" id="filters" data-part="" method="get" action=inside.address().findings() role="search" data-auto="">
            {search_and_choices(filter.search.clone(), choices(filter, shown))}
            <a class="button quiet" href=export("csv") download="">{Icon::Download.view()}"CSV"</a>
            <a class="button quiet" href=export("json") download="">{Icon::Download.view()}"JSON"</a>
        </form>
    }
    .drawn()
}

fn choices(filter: &FindingsFilter, shown: &Findings) -> AnyView {
    let any = |words: &str| std::iter::once((String::new(), words.to_owned()));
    let statuses = Status::ALL.map(|(_, name, words)| (name.to_owned(), words.to_owned()));
    let kinds = any("Any change").chain(ChangeKind::ALL.iter().map(|kind| (kind.to_string(), kind.label().to_owned())));
    let severities = Severity::ALL.iter().rev().map(|one| (one.to_string(), severity_words(*one)));
    let mut types: Vec<(String, String)> = shown.types.iter().map(|key| (key.clone(), type_label(key))).collect();
    if let Some(chosen) = filter.policy_type.as_ref().filter(|key| !shown.types.contains(key)) {
        types.push((chosen.clone(), type_label(chosen)));
    }
    types.sort_by(|one, other| one.1.cmp(&other.1));
    let groups = [(String::new(), "By change".to_owned()), (BY_OBJECT.to_owned(), "By object".to_owned())];
    view! {
        {choice("status", "Status", statuses, filter.status.name())}
        {choice("severity", "Severity", any("Any severity").chain(severities), filter.severity.map(Severity::as_str).unwrap_or_default())}
        {choice("kind", "Change", kinds, filter.kind.map(ChangeKind::as_str).unwrap_or_default())}
        {choice("type", "Policy type", any("Any type").chain(types), filter.policy_type.as_deref().unwrap_or_default())}
        {choice("group", "Grouped by", groups, if filter.by_object { BY_OBJECT } else { "" })}
    }
    .drawn()
}

fn severity_words(severity: Severity) -> String {
    let above = if Severity::ALL.iter().max() == Some(&severity) { "" } else { " and above" };
    format!("{}{above}", severity.label())
}

/// The filters in force, each with what takes it away. How findings are put together is none.
pub(super) fn in_force(inside: &Inside, filter: &FindingsFilter) -> AnyView {
    let base = inside.address().findings();
    view! { <div id="chips" data-part="">{chip_list(&base, entries(&base, filter))}</div> }.drawn()
}

/// The words of each filter where it is in force, and the address of the findings without it.
fn entries(base: &str, filter: &FindingsFilter) -> [(Option<String>, String); 5] {
    let from_start = filter.first_page();
    let without = |change: &dyn Fn(&mut FindingsFilter)| {
        let mut rest = from_start.clone();
        change(&mut rest);
        rest.address(base)
    };
    let status = Status::ALL.iter().find(|(one, ..)| *one == filter.status && filter.status != Status::New);
    let search = visible_on_page(&filter.search);
    [
        ((!search.is_empty()).then(|| format!("“{search}”")), without(&|rest| rest.search = String::new())),
        (status.map(|(.., words)| (*words).to_owned()), without(&|rest| rest.status = Status::New)),
        (filter.severity.map(severity_words), without(&|rest| rest.severity = None)),
        (filter.kind.map(|kind| kind.label().to_owned()), without(&|rest| rest.kind = None)),
        (filter.policy_type.as_deref().map(type_label), without(&|rest| rest.policy_type = None)),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_filter_in_force_can_be_taken_away_alone_and_leaves_the_others() {
        let filter = FindingsFilter {
            status: Status::Open,
            kind: Some(ChangeKind::Renamed),
            severity: Some(Severity::High),
            policy_type: Some("settingsCatalogPolicy".to_owned()),
            search: "wi-fi".to_owned(),
            by_object: true,
            after: None,
        };
        let entries = entries("/f", &filter);
        assert!(entries.iter().all(|(words, _)| words.is_some()), "{entries:?}");
        let parts = ["q=wi-fi", "status=open", "severity=high", "kind=renamed", "type=settingsCatalogPolicy"];
        for ((_, rest), own) in entries.iter().zip(parts) {
            let kept = parts.iter().filter(|part| rest.contains(**part)).count();
            assert!(!rest.contains(own) && kept == parts.len() - 1 && rest.contains("group=object"), "{rest}");
        }
        let none = super::entries("/f", &FindingsFilter::default());
        assert!(none.iter().all(|(words, _)| words.is_none()), "{none:?}");
    }
}
