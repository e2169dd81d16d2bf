//! One object with all that was found of it.

use leptos::prelude::*;
use serde_json::Value;
use tenantatlas_domain::drift::{ChangeKind, FindingStatus, Reopened, Severity};
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_domain::item_name::shown_name;
use tenantatlas_domain::live::humanise;
use tenantatlas_domain::role::Action;
use tenantatlas_domain::settings::{Row, SettingValue};
use tenantatlas_engine::{Explained, SettingsTold};
use tenantatlas_store::findings::Finding;
use tenantatlas_store::inventory::KnownNames;

use super::list::PICKED;
use crate::format::counted;
use crate::inventory::changed_by::attribution;
use crate::inventory::labels::type_label;
use crate::scope::Inside;
use crate::ui::drawn::Drawn as _;
use crate::ui::icon::Icon;
use crate::ui::time::moment;
use crate::version::words::{side_words, target_label};

/// Settings that are named in a row; the page of the difference has all of them.
const NAMED: usize = 5;
/// Characters of a value that are shown in a row.
const VALUE: usize = 60;

/// The rows of an object: its findings stand together.
pub fn rows(inside: &Inside, names: &KnownNames, findings: &[(&Finding, &Explained)], may_pick: bool) -> AnyView {
    let Some((first, _)) = findings.first() else { return ().drawn() };
    let name = shown_name(&first.display_name, &first.subject_external_id).into_owned();
    let href = inside.address().item(first.item_id);
    findings
        .iter()
        .enumerate()
        .map(|(place, (finding, explained))| {
            let pick = format!("Pick: {}, {name}", finding.kind.label());
            let accepted = finding.resolved_at.is_none()
                && finding.status_at(inside.engine.now()) == FindingStatus::Acknowledged;
            let title = match place {
                0 => view! { <a href=href.clone()>{name.clone()}</a><span class="under">{type_label(&first.subject_type)}</span> }.drawn(),
                _ => view! { <span class="quiet">{format!("{name}, too")}</span> }.drawn(),
            };
            view! {
                <tr id=format!("finding-{}", finding.id) data-row="" data-accepted=accepted.then_some("") tabindex="-1">
                    {may_pick.then(|| view! {
                        <td class="pick">
                            <input type="checkbox" name="findings[]" value=finding.id.to_string() form=PICKED aria-label=pick autocomplete="off" />
                        </td>
                    })}
                    <th scope="row" class="title">{title}</th>
                    <td data-label="Severity">{severity(finding.severity)}</td>
                    <td data-label="Change" class="wide">{change(finding, matches!(explained.settings, SettingsTold::Told { .. }))}{settings(inside, names, finding, explained)}{who(finding, explained)}</td>
                    <td data-label="Status" class="wide">{status(inside, finding)}</td>
                    <td data-label="Since" class="quiet">{moment(finding.since_at.as_millis())}</td>
                </tr>
            }
        })
        .collect_view()
        .drawn()
}

fn severity(severity: Severity) -> AnyView {
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
fn change(finding: &Finding, told: bool) -> AnyView {
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
    let facts = facts.iter().map(|fact| {
        let line = format!("{}: {} → {}", humanise(&fact.name), words_of(&fact.old), words_of(&fact.new));
        view! { <li>{visible_on_page(&line).into_owned()}</li> }
    });
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
    let named = rows.iter().take(NAMED).map(|row| view! { <li>{setting(row, may_see)}</li> }).collect_view();
    let moved = assignments.iter().take(NAMED).map(|one| {
        let side =
            |side: &Option<_>| side.as_ref().map_or_else(|| "not assigned".to_owned(), |side| side_words(names, side));
        let line = format!("{}: {} → {}", target_label(names, one.kind, &one.id), side(&one.old), side(&one.new));
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

/// A setting by its name, with its values for whoever may see them.
fn setting(row: &Row, may_see: bool) -> String {
    let title = row.above.iter().chain([&row.title]).cloned().collect::<Vec<_>>().join(" › ");
    let side = |side: &Option<SettingValue>| side.as_ref().map_or_else(|| "not set".to_owned(), SettingValue::words);
    let line = match may_see {
        true => format!("{title}: {} → {}", short(&side(&row.old)), short(&side(&row.new))),
        false => title,
    };
    visible_on_page(&line).into_owned()
}

/// The beginning of a value.
fn short(words: &str) -> String {
    match words.char_indices().nth(VALUE) {
        Some((end, _)) => format!("{}…", &words[..end]),
        None => words.to_owned(),
    }
}

/// Who changed it.
fn who(finding: &Finding, explained: &Explained) -> Option<AnyView> {
    if finding.resolved_at.is_some() {
        return None;
    }
    Some(view! { <span class="under">"By: "{attribution(&explained.changed_by)}</span> }.drawn())
}

/// The value of a fact in words.
fn words_of(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) => text.clone(),
        Value::Bool(is) => if *is { "yes" } else { "no" }.to_owned(),
        Value::Array(values) => values.iter().map(words_of).collect::<Vec<_>>().join(", "),
        Value::Object(parts) => {
            let words =
                parts.iter().map(|(name, part)| format!("{} {}", humanise(name).to_lowercase(), words_of(part)));
            words.collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}

fn status(inside: &Inside, finding: &Finding) -> AnyView {
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
        Some(Reopened::OtherValue) => Some(other_value(finding)),
        Some(Reopened::ByHand) => Some("The acceptance was taken back.".to_owned()),
        Some(Reopened::Expired) => Some("The acceptance has ended.".to_owned()),
        None if finding.status == FindingStatus::Acknowledged => Some("The acceptance has ended.".to_owned()),
        None => None,
    };
    let title = if again.is_some() { "New again" } else { "New" };
    let before = again.is_some().then_some(accepted).flatten();
    view! {
        <span class="state" data-tone="warn">{Icon::Waiting.view()}{title}</span>
        {again.map(|again| view! { <span class="under">{again}</span> })}
        {before.map(|before| view! { <span class="under">{before}</span> })}
    }
    .drawn()
}

/// What was accepted and what is there, by the beginnings of their hashes.
fn other_value(finding: &Finding) -> String {
    let short = |hash: Option<tenantatlas_domain::normalise::ContentHash>| {
        hash.map_or_else(|| "its absence".to_owned(), |hash| format!("content {}", &hash.to_string()[..8]))
    };
    let accepted = finding.accepted_evidence.as_ref().and_then(|evidence| evidence.content_now);
    format!("Accepted was {}, there is {}.", short(accepted), short(finding.evidence.content_now))
}
