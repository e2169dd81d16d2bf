//! Pieces of forms.

use leptos::attr::custom::custom_attribute;
use leptos::prelude::*;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_engine::{MAX_PASSWORD_CHARACTERS, MIN_PASSWORD_CHARACTERS};

use crate::error::AppError;
use crate::ui::drawn::Drawn as _;
use crate::ui::icon::Icon;

/// The refusal with which a form came back, for its fields.
#[derive(Debug, Clone, Default)]
pub struct FormRefusal(pub Option<AppError>);

/// A labelled field: its hint, and below it what is wrong with it. `name` is the name of the input and its id.
pub fn field(
    name: &'static str,
    label: impl Into<String>,
    hint: Option<&'static str>,
    input: impl IntoView + 'static,
) -> AnyView {
    let label: String = label.into();
    let refusal = use_context::<FormRefusal>().and_then(|FormRefusal(refusal)| refusal);
    let problem = refusal.as_ref().and_then(|refusal| refusal.problem_of(name)).map(ToOwned::to_owned);
    let described = match hint {
        Some(_) => format!("{name}-hint {name}-error"),
        None => format!("{name}-error"),
    };
    let invalid = problem.is_some().then_some("true");
    // Whoever comes back to the form without a script is led to the first field that is not right, and hears what is.
    let first = refusal.as_ref().is_some_and(|refusal| refusal.field.as_deref() == Some(name)).then_some("");
    // Not drawn yet: a drawn view takes no further attributes.
    let input = input
        .into_any()
        .add_any_attr(custom_attribute("aria-describedby", described))
        .add_any_attr(custom_attribute("aria-invalid", invalid))
        .add_any_attr(custom_attribute("autofocus", first));
    view! {
        <div class="field">
            <label for=name>{label}</label>
            {input}
            {hint.map(|hint| view! { <span class="hint" id=format!("{name}-hint")>{hint}</span> })}
            <span class="field-error" id=format!("{name}-error")>{problem}</span>
        </div>
    }
    .drawn()
}

/// What a new password must be like.
const PASSWORD_HINT: &str =
    "At least 12 characters; a sentence is fine. Common ones, patterns and your own name are refused.";

/// A field for a new password. How strong it is the server says when it refuses it.
pub fn new_password(label: &'static str) -> AnyView {
    field(
        "password",
        label,
        Some(PASSWORD_HINT),
        view! {
            <input
                class="input" id="password" name="password" type="password" autocomplete="new-password" required
                minlength=MIN_PASSWORD_CHARACTERS maxlength=MAX_PASSWORD_CHARACTERS
            />
        },
    )
}

/// Shows the passwords of its form as they are typed. It needs a script, and is hidden without one.
pub fn reveal() -> AnyView {
    view! {
        <label class="check reveal">
            <input type="checkbox" data-reveal="" autocomplete="off" />
            "Show what I type"
        </label>
    }
    .drawn()
}

/// A field for a code of an authenticator; with `recovery` a recovery code does as well.
pub fn code_field(label: &'static str, hint: &'static str, recovery: bool) -> AnyView {
    field(
        "code",
        label,
        Some(hint),
        view! {
            <input
                class="input" id="code" name="code" type="text" autocomplete="one-time-code" required spellcheck="false"
                autocapitalize="off" inputmode=(!recovery).then_some("numeric") maxlength="64"
            />
        },
    )
}

/// A value that goes with the form.
pub fn hidden(name: &'static str, value: impl Into<String>) -> AnyView {
    let value: String = value.into();
    view! { <input type="hidden" name=name value=value /> }.drawn()
}

/// The same of what somebody saw when they began to type: a form that is refused keeps it, so that nobody undoes what they did
/// not see.
pub fn hidden_as_sent(name: &'static str, value: impl Into<String>) -> AnyView {
    let value: String = value.into();
    view! { <input type="hidden" name=name value=value data-as-sent="" /> }.drawn()
}

/// The options of a `<select>`: value and words.
pub fn options<V: Into<String>, W: Into<String>>(entries: impl IntoIterator<Item = (V, W)>, chosen: &str) -> AnyView {
    entries
        .into_iter()
        .map(|(value, words)| {
            let (value, words): (String, String) = (value.into(), words.into());
            let selected = value == chosen;
            view! { <option value=value selected=selected>{words}</option> }
        })
        .collect_view()
        .drawn()
}

/// The options of a `<select multiple>`. What is chosen and not among them, since this version does not know it, is one too: it
/// must not be dropped without a word.
pub fn several<V: Into<String>, W: Into<String>>(
    known: impl IntoIterator<Item = (V, W)>,
    chosen: &[String],
) -> AnyView {
    let mut all: Vec<(String, String)> = known.into_iter().map(|(key, words)| (key.into(), words.into())).collect();
    let unknown = chosen.iter().filter(|key| all.iter().all(|(known, _)| known != *key));
    let unknown: Vec<_> =
        unknown.map(|key| (key.clone(), format!("{} (not known to this version)", visible_on_page(key)))).collect();
    all.extend(unknown);
    let entries = all.into_iter().map(|(key, words)| {
        let selected = chosen.contains(&key);
        view! { <option value=key selected=selected>{words}</option> }
    });
    entries.collect_view().drawn()
}

/// A box to tick, with its words.
pub fn tick(name: &'static str, value: impl Into<String>, words: &'static str, checked: bool) -> AnyView {
    let value: String = value.into();
    view! {
        <label class="check">
            <input type="checkbox" name=name value=value checked=checked autocomplete="off" />
            {words}
        </label>
    }
    .drawn()
}

/// What a person calls a thing of theirs.
pub fn name_field(name: &str) -> AnyView {
    let name = name.to_owned();
    field(
        "name",
        "Name",
        None,
        view! { <input class="input" id="name" name="name" value=name maxlength="80" required autocomplete="off" /> },
    )
}

/// A choice among the filters of a list.
pub fn choice(
    name: &'static str,
    label: &'static str,
    entries: impl IntoIterator<Item = (String, String)>,
    chosen: &str,
) -> AnyView {
    view! {
        <select class="select" name=name id=format!("filter-{name}") aria-label=label>{options(entries, chosen)}</select>
    }
    .drawn()
}

/// The field that searches a list by name or id, and the choices beside it, which open on a phone when they are asked for.
pub fn search_and_choices(searched: String, choices: AnyView) -> AnyView {
    view! {
        <div class="search">
            {Icon::Search.view()}
            <input
                class="input" type="search" name="q" id="filter-q" value=searched placeholder="Search name or id"
                aria-label="Search name or id" aria-keyshortcuts="/" data-search="" maxlength="200"
            />
            <kbd aria-hidden="true">"/"</kbd>
        </div>
        <details class="folds" id="filter-choices">
            <summary class="button">{Icon::Down.view()}"Filters"</summary>
            <div class="choices">
                {choices}
                <button class="button">"Apply"</button>
            </div>
        </details>
    }
    .drawn()
}
