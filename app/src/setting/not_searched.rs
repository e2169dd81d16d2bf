//! What was searched, and what was not and why.

use std::collections::BTreeMap;

use leptos::prelude::*;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_engine::{NotSearched, SearchCoverage};

use super::place::Place;
use crate::format::{counted, number};
use crate::inventory::labels::type_label;
use crate::ui::drawn::Drawn as _;
use crate::ui::icon::Icon;

/// Lines of one list; more are told by their number.
const MOST: usize = 200;

pub(super) fn not_searched(place: &Place, coverage: &SearchCoverage) -> AnyView {
    let searched = format!(
        "Searched: {} of {} in {}.",
        counted(coverage.settings, "setting", "settings"),
        counted(coverage.policies, "policy", "policies"),
        counted(coverage.tenants, "tenant", "tenants")
    );
    if coverage.is_whole() {
        return view! { <p class="quiet-text">{searched}" Nothing was left out."</p> }.drawn();
    }
    let mut lines: Vec<String> = coverage
        .left_out
        .iter()
        .map(|one| format!("{}: not searched, because {}", visible_on_page(&one.tenant), one.reason))
        .collect();
    lines.extend(
        coverage
            .without_versions
            .iter()
            .map(|key| format!("{}: not searched, because no versions of it are kept", type_label(key))),
    );
    lines.extend(if place.is_over_tenants() { by_type(&coverage.not_searched) } else { each(&coverage.not_searched) });
    let title = counted(lines.len() as u64, "part was not searched whole", "parts were not searched whole");
    let more = lines.len().saturating_sub(MOST);
    let more = (more > 0).then(|| view! { <li>{format!("and {} more", number(more as u64))}</li> });
    let lines = lines.into_iter().take(MOST).map(|line| view! { <li>{line}</li> }).collect_view();
    view! {
        <p class="quiet-text">{searched}</p>
        <details class="note" data-tone="warn">
            <summary>{Icon::Unread.view()}{title}</summary>
            <ul>{lines}{more}</ul>
        </details>
    }
    .drawn()
}

fn each(of: &[NotSearched]) -> Vec<String> {
    of.iter().map(|one| format!("{}: {}", type_label(&one.policy_type), one.words())).collect()
}

/// One line for each type, with its tenants: what is not captured is often the same in many.
fn by_type(of: &[NotSearched]) -> Vec<String> {
    let mut types: BTreeMap<String, Vec<&NotSearched>> = BTreeMap::new();
    for one in of {
        types.entry(type_label(&one.policy_type)).or_default().push(one);
    }
    let line = |(label, of): (String, Vec<&NotSearched>)| {
        let tenants: Vec<String> =
            of.iter().map(|one| format!("{} ({})", visible_on_page(&one.tenant), one.words())).collect();
        format!("{label}: {}", tenants.join("; "))
    };
    types.into_iter().map(line).collect()
}
