//! By whom runs were started, as it is chosen: what is typed is completed from those who started some lately.

use leptos::prelude::*;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_store::operation_runs::{Initiator, StartedBy};

use super::load::Place;
use crate::filter::run::{RunFilter, starter_text};
use crate::run::initiator::token_words;
use crate::ui::drawn::Drawn as _;
use crate::ui::note::note;

const KINDS: [(&str, &str); 5] = [
    ("me", "Me"),
    ("person", "A person"),
    ("schedule", "A schedule"),
    ("nobody", "Nobody who signs in"),
    ("token", "A token of the API"),
];

/// Why what was typed chooses nobody.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Unmatched {
    /// Nobody and nothing of this name started a run lately.
    Nobody(String),
    /// Several did.
    Several(String),
}

impl Unmatched {
    /// What was typed.
    pub(super) fn typed(&self) -> &str {
        match self {
            Self::Nobody(typed) | Self::Several(typed) => typed,
        }
    }
}

/// Whoever started runs, by the words of their kind; schedules call themselves so.
fn starter_words(one: &Initiator) -> String {
    match one.by {
        StartedBy::Token(_) => token_words(&one.name),
        StartedBy::Person(_) | StartedBy::Schedule(_) => one.name.clone(),
    }
}

/// Those that can be chosen, with their words. Over all tenants the schedules of many of them may have one name: there each is
/// chosen on the page of its tenant.
fn offered(place: &Place, initiators: &[Initiator]) -> Vec<(StartedBy, String)> {
    let me = StartedBy::Person(place.session.user_id);
    let is_offered =
        |one: &&Initiator| one.by != me && (place.tenant.is_some() || !matches!(one.by, StartedBy::Schedule(_)));
    initiators.iter().filter(is_offered).map(|one| (one.by, starter_words(one))).collect()
}

fn is_same(one: &str, other: &str) -> bool {
    one.trim().to_lowercase() == other.trim().to_lowercase()
}

/// The kind that is in force, in words.
fn kind_words(filter: &RunFilter) -> Option<&'static str> {
    KINDS.iter().find(|(value, _)| *value == filter.initiator()).map(|(_, words)| *words)
}

/// What of the initiator is in force, in words: `None` for anybody.
pub(super) fn in_words(filter: &RunFilter, initiators: &[Initiator]) -> Option<String> {
    let Some(by) = filter.starter else {
        return kind_words(filter).map(|words| format!("By {}", words.to_lowercase()));
    };
    let known = initiators.iter().find(|one| one.by == by);
    let unknown = || match by {
        StartedBy::Person(_) => "a person".to_owned(),
        StartedBy::Schedule(_) => "a schedule".to_owned(),
        StartedBy::Token(_) => "a token".to_owned(),
    };
    Some(format!("By {}", known.map_or_else(unknown, starter_words)))
}

/// Takes the words of somebody for them.
pub(super) fn resolve(
    place: &Place,
    filter: &mut RunFilter,
    typed: &str,
    initiators: &[Initiator],
) -> Result<(), Unmatched> {
    if let Some((value, _)) = KINDS.iter().find(|(_, words)| is_same(words, typed)) {
        filter.start_by(Some(value));
        return Ok(());
    }
    let offered = offered(place, initiators);
    let mut found = offered.iter().filter(|(_, words)| is_same(words, typed)).map(|(by, _)| *by);
    match (found.next(), found.next()) {
        (Some(by), None) => filter.starter = Some(by),
        (Some(_), Some(_)) => return Err(Unmatched::Several(typed.to_owned())),
        (None, _) => return Err(Unmatched::Nobody(typed.to_owned())),
    }
    Ok(())
}

/// Says why what was typed chooses nobody.
pub(super) fn unmatched_note(unmatched: &Unmatched) -> AnyView {
    let words = match unmatched {
        Unmatched::Nobody(typed) => format!(
            "Nobody and nothing called \"{}\" started one of the newest 1,000 runs here, so those of everybody are shown. Choose one of the suggestions of Started by.",
            visible_on_page(typed)
        ),
        Unmatched::Several(typed) => format!(
            "Several of those who started runs here are called \"{}\", so those of everybody are shown. Choose one of the suggestions of Started by, which tell them apart by their ids.",
            visible_on_page(typed)
        ),
    };
    note("warn", view! { <p>{words}</p> })
}

/// The field, with suggestions, and with what was typed where that names nobody. Of several with one name each is suggested by its
/// id.
pub(super) fn field(place: &Place, filter: &RunFilter, initiators: &[Initiator], typed: Option<String>) -> AnyView {
    let offered = offered(place, initiators);
    let is_taken = |words: &str| {
        KINDS.iter().any(|(_, kind)| is_same(kind, words))
            || offered.iter().filter(|(_, other)| is_same(other, words)).count() > 1
    };
    let value_of = |by: StartedBy, words: &str| if is_taken(words) { starter_text(by) } else { words.to_owned() };
    let value = match filter.starter {
        Some(by) => {
            let known = offered.iter().find(|(one, _)| *one == by);
            known.map_or_else(|| starter_text(by), |(by, words)| value_of(*by, words))
        }
        None => kind_words(filter).map(str::to_owned).or(typed).unwrap_or_default(),
    };
    let kinds = KINDS.map(|(_, words)| view! { <option value=words></option> });
    let others = offered.iter().map(|(by, words)| {
        let value = value_of(*by, words);
        let label = is_taken(words).then(|| visible_on_page(words).into_owned());
        view! { <option value=value label=label></option> }
    });
    let others = others.collect_view();
    view! {
        <input class="input" name="by" id="filter-by" value=value list="initiators" placeholder="Started by" aria-label="Started by" maxlength="200" autocomplete="off" spellcheck="false" />
        <datalist id="initiators">{kinds.into_iter().collect_view()}{others}</datalist>
    }
    .drawn()
}
