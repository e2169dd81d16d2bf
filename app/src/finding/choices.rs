//! What people choose about findings: what follows each sync, what a sync is compared with, and how much a change matters.

use leptos::prelude::*;
use tenantatlas_domain::drift::{Severity, default_severity};
use tenantatlas_domain::registry::registry;
use tenantatlas_domain::role::Action;
use tenantatlas_store::tenants::AfterSync;

use super::functions::{PinDriftBaseline, SetAfterSync, SetDriftSeverity};
use super::load::Findings;
use crate::format;
use crate::inventory::labels::type_label;
use crate::scope::Inside;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::{hidden, options};

/// The choices. Whoever may not choose reads what was chosen.
pub(super) fn choices(inside: &Inside, shown: &Findings) -> AnyView {
    let may_choose = inside.role.allows(Action::EditSchedules);
    let content = view! {
        {after_sync(inside, may_choose)}
        {baseline(inside, shown, may_choose)}
        {severities(inside, shown, may_choose)}
    };
    view! {
        <details class="card comparing">
            <summary><h2>"How syncs are compared"</h2></summary>
            {content}
        </details>
    }
    .drawn()
}

/// The place of the choice of what follows a sync, on the page of findings.
pub const AFTER_SYNC: &str = "after-sync";

/// What can follow a sync: the name in a form, words, and whether it is wanted.
fn followers(wanted: AfterSync) -> [(&'static str, &'static str, bool); 3] {
    [
        ("drift", "Compare it with the run before", wanted.drift),
        ("capture", "Keep versions of what is new or changed", wanted.capture),
        ("audit_events", "Read the audit logs of Microsoft: who changed what", wanted.audit_events),
    ]
}

/// What follows each sync of the tenant, in a sentence.
#[must_use]
pub fn after_sync_words(wanted: AfterSync) -> String {
    let chosen: Vec<&str> =
        followers(wanted).iter().filter(|(.., wanted)| *wanted).map(|(_, words, _)| *words).collect();
    let words = if chosen.is_empty() { "nothing".to_owned() } else { chosen.join("; ") };
    format!("After each sync: {words}.")
}

fn after_sync(inside: &Inside, may_choose: bool) -> AnyView {
    let wanted = inside.tenant.after_sync;
    if !may_choose {
        return view! { <p class="quiet-text" id=AFTER_SYNC>{after_sync_words(wanted)}</p> }.drawn();
    }
    let boxes = followers(wanted).map(|(name, words, wanted)| {
        view! {
            <label class="check"><input type="checkbox" name=name value="true" checked=wanted autocomplete="off" />{words}</label>
        }
    });
    let action = inside.address().function::<SetAfterSync>();
    view! {
        <form class="form" id=AFTER_SYNC method="post" action=action>
            <fieldset class="form"><legend>"After each sync"</legend>{boxes.into_iter().collect_view()}</fieldset>
            <div class="form-foot"><button class="button">"Save"</button></div>
        </form>
    }
    .drawn()
}

fn baseline(inside: &Inside, shown: &Findings, may_choose: bool) -> Option<AnyView> {
    let scope = shown.scope.as_ref()?;
    let pinned = scope.drift_baseline;
    let name =
        |at: Option<tenantatlas_domain::time::Timestamp>| at.map_or_else(String::new, |at| format::utc(at.as_millis()));
    let known = pinned.and_then(|id| shown.baselines.iter().find(|run| run.id == id));
    if !may_choose {
        let words = match (pinned, known) {
            (None, _) => "Compared with: the run before the latest.".to_owned(),
            (Some(_), Some(run)) => format!("Compared with: the run that ended {}.", name(run.finished_at)),
            (Some(_), None) => "Compared with: a run that was chosen.".to_owned(),
        };
        return Some(view! { <p class="quiet-text">{words}</p> }.drawn());
    }
    let mut entries = vec![(String::new(), "The run before the latest".to_owned())];
    // One that is older than those that are offered stays what it is.
    entries.extend(pinned.filter(|_| known.is_none()).map(|id| (id.to_string(), "The run that was chosen".to_owned())));
    entries.extend(shown.baselines.iter().map(|run| (run.id.to_string(), format!("Ended {}", name(run.finished_at)))));
    let chosen = pinned.map(|id| id.to_string()).unwrap_or_default();
    let action = inside.address().function::<PinDriftBaseline>();
    Some(
        view! {
            <form class="form" method="post" action=action>
                <div class="field">
                    <label for="run">"Compare with"</label>
                    <select class="select" id="run" name="run" autocomplete="off">{options(entries, &chosen)}</select>
                </div>
                <div class="form-foot"><button class="button">"Save"</button></div>
            </form>
        }
        .drawn(),
    )
}

fn severities(inside: &Inside, shown: &Findings, may_choose: bool) -> AnyView {
    let own = shown.severities.iter().map(|(key, severity)| {
        let words = format!("{}: {}", type_label(key), severity.label());
        let back = may_choose.then(|| {
            let action = inside.address().function::<SetDriftSeverity>();
            let label = format!("Back to the usual: {}", type_label(key));
            view! {
                <form class="inline-form" method="post" action=action>
                    {hidden("policy_type", key.clone())}
                    <button class="button quiet small" aria-label=label>"Back to the usual"</button>
                </form>
            }
        });
        view! { <li>{words}" "{back}</li> }
    });
    let list = (!shown.severities.is_empty()).then(|| view! { <ul class="plain-list">{own.collect_view()}</ul> });
    if !may_choose {
        let words = list.is_some().then_some("How much a change matters, where this tenant says so:");
        return view! { {words.map(|words| view! { <p class="quiet-text">{words}</p> })}{list} }.drawn();
    }
    let types = registry().all().iter().map(|known| {
        (known.key.to_owned(), format!("{} ({})", known.label, default_severity(known).label().to_lowercase()))
    });
    let action = inside.address().function::<SetDriftSeverity>();
    let severities = Severity::ALL.iter().rev().map(|one| (one.to_string(), one.label().to_owned()));
    view! {
        {list}
        <form class="form" method="post" action=action>
            <div class="field">
                <label for="policy_type">"How much a change matters, of"</label>
                <select class="select" id="policy_type" name="policy_type" autocomplete="off">{options(types, "")}</select>
            </div>
            <div class="field">
                <label for="severity">"It is"</label>
                <select class="select" id="severity" name="severity" autocomplete="off">{options(severities, "")}</select>
            </div>
            <div class="form-foot"><button class="button">"Save"</button></div>
        </form>
    }
    .drawn()
}
