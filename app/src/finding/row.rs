//! One object with all that was found of it.

use leptos::prelude::*;
use tenantatlas_domain::drift::{ChangeKind, FindingStatus, Reopened, Severity};
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::item_name::shown_name;
use tenantatlas_domain::role::Action;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{Explained, SettingsTold};
use tenantatlas_store::findings::Finding;
use tenantatlas_store::inventory::KnownNames;

use super::list::PICKED;
use super::told::{assignment_sides, fact_lines, setting_line, since_accepted};
use crate::format::counted;
use crate::inventory::changed_by::attribution;
use crate::inventory::labels::type_label;
use crate::scope::Inside;
use crate::ui::drawn::Drawn as _;
use crate::ui::icon::Icon;
use crate::ui::time::moment;

/// Settings that are named in a row; the page of the difference has all of them.
const NAMED: usize = 5;

/// The row of an object: what was found of it stands together, such as that it was renamed and modified.
pub fn row(inside: &Inside, names: &KnownNames, findings: &[(&Finding, &Explained)], may_pick: bool) -> AnyView {
    let Some((first, known)) = findings.first() else { return ().drawn() };
    let name = shown_name(&first.display_name, &first.subject_external_id).into_owned();
    let href = inside.address().item(first.item_id);
    let now = inside.engine.now();
    let accepted = findings.iter().all(|(one, _)| is_accepted(one, now)).then_some("");
    let pick = may_pick.then(|| {
        let kinds: Vec<&str> = findings.iter().map(|(one, _)| one.kind.label()).collect();
        let ids: Vec<String> = findings.iter().map(|(one, _)| one.id.to_string()).collect();
        let label = format!("Pick: {}, {name}", kinds.join(", "));
        view! {
            <td class="pick">
                <input type="checkbox" name="findings[]" value=ids.join(",") form=PICKED aria-label=label autocomplete="off" />
            </td>
        }
    });
    let worst = findings.iter().map(|(one, _)| one.severity).max().map(severity);
    let one_actor = findings.iter().all(|(_, other)| other.changed_by == known.changed_by);
    let changes = findings.iter().enumerate().map(|(place, (one, explained))| {
        let by = (place == 0 || !one_actor).then(|| who(one, explained)).flatten();
        let told = matches!(explained.settings, SettingsTold::Told { .. });
        view! { <div>{change(names, one, told)}{settings(inside, names, one, explained)}{by}</div> }
    });
    let statuses = findings.iter().map(|(one, explained)| {
        let kind = (findings.len() > 1).then(|| view! { <span class="under">{one.kind.label()}": "</span> });
        view! { <div>{kind}{status(inside, names, one, explained)}</div> }
    });
    let since = findings.iter().map(|(one, _)| one.since_at).min().map(|at| moment(at.as_millis()));
    view! {
        <tr id=format!("finding-{}", first.id) data-row="" data-accepted=accepted tabindex="-1">
            {pick}
            <th scope="row" class="title">
                <a href=href>{name.clone()}</a><span class="under">{type_label(&first.subject_type)}</span>
            </th>
            <td data-label="Severity">{worst}</td>
            <td data-label="Change" class="wide">{changes.collect_view()}</td>
            <td data-label="Status" class="wide">{statuses.collect_view()}</td>
            <td data-label="Since" class="quiet">{since}</td>
        </tr>
    }
    .drawn()
}

/// Whether a finding goes on and is accepted.
pub(super) fn is_accepted(finding: &Finding, now: Timestamp) -> bool {
    finding.resolved_at.is_none() && finding.status_at(now) == FindingStatus::Acknowledged
}

pub(super) fn severity(severity: Severity) -> AnyView {
    let icon = match severity {
        Severity::Critical | Severity::High => Icon::Warning,
        Severity::Medium => Icon::Partly,
        Severity::Low => Icon::Skipped,
    };
    let tone = match severity {
        Severity::Critical => "bad",
        Severity::High => "warn",
        Severity::Medium | Severity::Low => "quiet",
    };
    view! { <span class="state" data-tone=tone>{icon.view()}{severity.label()}</span> }.drawn()
}

/// What changed, in words and with the facts that are kept.
fn change(names: &KnownNames, finding: &Finding, told: bool) -> AnyView {
    let evidence = &finding.evidence;
    let name =
        |name: &Option<String>| name.as_deref().map(|name| visible_on_page(name).into_owned()).unwrap_or_default();
    let detail = match finding.kind {
        ChangeKind::Renamed => Some(format!("{} → {}", name(&evidence.name_before), name(&evidence.name_now))),
        ChangeKind::Migrated => evidence.from_type.as_deref().map(|key| format!("It was: {}", type_label(key))),
        ChangeKind::Modified if evidence.parts_unknown => {
            Some("Settings or assignments: it was last read before they were told apart.".to_owned())
        }
        _ => None,
    };
    // What the versions tell says more, and the same.
    let facts = if told { &[][..] } else { &evidence.facts[..] };
    let is_empty = facts.is_empty();
    let lines = facts.iter().flat_map(|fact| fact_lines(names, fact));
    let facts = lines.map(|line| view! { <li>{visible_on_page(&line).into_owned()}</li> });
    view! {
        <strong>{finding.kind.label()}</strong>
        {detail.map(|detail| view! { <span class="under">{detail}</span> })}
        {(!is_empty).then(|| view! { <ul class="plain-list">{facts.collect_view()}</ul> })}
    }
    .drawn()
}

/// The settings that changed, where the versions of both sides are kept, and else why they are not named.
fn settings(inside: &Inside, names: &KnownNames, finding: &Finding, explained: &Explained) -> Option<AnyView> {
    let SettingsTold::Told { from, to, rows, more, assignments, not_comparable } = &explained.settings else {
        let note = explained.settings.note()?;
        return Some(view! { <span class="under">{format!("Settings not named: {note}.")}</span> }.drawn());
    };
    let may_see = inside.role.allows(Action::SeeBodies);
    let named = rows
        .iter()
        .take(NAMED)
        .map(|row| view! { <li>{visible_on_page(&setting_line(row, may_see)).into_owned()}</li> })
        .collect_view();
    let moved = assignments.iter().take(NAMED).map(|one| {
        let (whom, old, new) = assignment_sides(names, one);
        let line = format!("{whom}: {old} → {new}");
        view! { <li>{visible_on_page(&line).into_owned()}</li> }
    });
    let left = more + rows.len().saturating_sub(NAMED) + assignments.len().saturating_sub(NAMED);
    let left = (left > 0).then(|| format!("{left} more. "));
    let apart = (*not_comparable > 0).then(|| {
        let parts = counted(*not_comparable as u64, "part", "parts");
        format!("{parts} could not be compared. ")
    });
    let same = (rows.is_empty() && assignments.is_empty()).then_some("Nothing that the versions tell differs. ");
    let words = format!("Versions {from} and {to}");
    let versions = match may_see {
        true => view! { <a href=inside.address().difference(finding.item_id, *from, *to)>{words}</a> }.drawn(),
        false => words.drawn(),
    };
    Some(
        view! {
            <ul class="plain-list">{named}{moved.collect_view()}</ul>
            <span class="under">{left}{apart}{same}{versions}</span>
        }
        .drawn(),
    )
}

/// Who changed it.
fn who(finding: &Finding, explained: &Explained) -> Option<AnyView> {
    if finding.resolved_at.is_some() {
        return None;
    }
    Some(view! { <span class="under">"By: "{attribution(&explained.changed_by)}</span> }.drawn())
}

fn status(inside: &Inside, names: &KnownNames, finding: &Finding, explained: &Explained) -> AnyView {
    if let Some(at) = finding.resolved_at {
        return view! { <span class="state" data-tone="ok">{Icon::Done.view()}"Resolved"</span><span class="under">{moment(at.as_millis())}</span> }.drawn();
    }
    let who = finding.acknowledged_by_name.as_deref().map(|name| visible_on_page(name).into_owned());
    let why = finding.acknowledged_reason.as_deref().map(|reason| visible_on_page(reason).into_owned());
    let accepted = who.zip(why).map(|(who, why)| format!("{who}: {why}"));
    let until = finding.accepted_until.map(|at| view! { " until "{moment(at.as_millis())} });
    if finding.status_at(inside.engine.now()) == FindingStatus::Acknowledged {
        return view! {
            <span class="state" data-tone="ok">{Icon::Done.view()}"Accepted"</span>
            <span class="under">{accepted}{until}</span>
        }
        .drawn();
    }
    let again = match finding.reopened {
        Some(Reopened::OtherValue) => Some("Something else is there than what was accepted."),
        Some(Reopened::ByHand) => Some("The acceptance was taken back."),
        Some(Reopened::Expired) => Some("The acceptance has ended."),
        None if finding.status == FindingStatus::Acknowledged => Some("The acceptance has ended."),
        None => None,
    };
    let other = finding.accepted_evidence.as_ref().filter(|_| finding.reopened == Some(Reopened::OtherValue));
    let since = other.map(|accepted| {
        let may_see = inside.role.allows(Action::SeeBodies);
        let (sides, since) = ((accepted, &finding.evidence), explained.since_accepted.as_ref());
        let lines = since_accepted(names, finding.kind, sides, since, may_see);
        let lines = lines.into_iter().map(|line| view! { <li>{line}</li> }).collect_view();
        view! { <ul class="plain-list">{lines}</ul> }
    });
    let title = if again.is_some() { "New again" } else { "New" };
    let before = again.is_some().then_some(accepted).flatten();
    view! {
        <span class="state" data-tone="warn">{Icon::Waiting.view()}{title}</span>
        {again.map(|again| view! { <span class="under">{again}</span> })}
        {since}
        {before.map(|before| view! { <span class="under">{before}</span> })}
    }
    .drawn()
}
