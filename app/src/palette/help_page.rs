//! Help: the keys, what the words mean, and which version this is.

use leptos::prelude::*;

use super::sheet::key_list;
use crate::address;
use crate::page::plain_page;
use crate::ui::card::section_card;
use crate::ui::drawn::Drawn as _;

/// The version of this program.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What the states of an item say (`docs/rules.md`, section Missing).
const STATES: [(&str, &str); 6] = [
    ("Present", "The last sync saw it."),
    (
        "New, changed",
        "The last sync found it for the first time, or with another content, after the first read of its type.",
    ),
    ("Missing", "The last sync read its type to the end and did not see it."),
    (
        "Missing, unsure",
        "The same, but the sync had errors or the list moved while it was read. Sync again to be sure.",
    ),
    ("Not read", "The last sync did not read its type to the end, so its state is unknown. The coverage shows why."),
    ("Newer than this sync", "It became known only after the sync that is shown began."),
];

/// The page of help.
#[component]
pub fn HelpPage() -> impl IntoView {
    plain_page(|| async {
        let states = STATES.map(|(state, words)| view! { <dt>{state}</dt><dd>{words}</dd> }).into_iter();
        let content = view! {
            <div class="page-head">
                <div><h1>"Help"</h1><p class="lead">"TenantAtlas "{VERSION}</p></div>
            </div>
            {section_card("keys", "Keys", view! {
                {key_list()}
                <p class="quiet-text">
                    "Keys without Ctrl do nothing while you type, and can be switched off in "
                    <a href=address::ACCOUNT>"your profile"</a>"."
                </p>
            })}
            {section_card("states", "What the states mean", view! { <dl class="facts">{states.collect_view()}</dl> })}
        }
        .drawn();
        Ok(("Help".to_owned(), content))
    })
}
