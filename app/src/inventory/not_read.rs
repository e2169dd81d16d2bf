//! What was not read to the end, so that nobody takes a part for the whole.

use leptos::prelude::*;
use tenantatlas_domain::invisible::visible_on_page;
use tenantatlas_store::inventory::NotRead;

use super::labels::type_label;
use crate::format::counted;
use crate::ui::drawn::Drawn as _;
use crate::ui::icon::Icon;

/// Says which types were not read to the end and why; `so` is what follows from it. Nothing where all were.
pub fn not_read_note(not_read: &[NotRead], so: &'static str) -> Option<AnyView> {
    if not_read.is_empty() {
        return None;
    }
    let words = format!("{} not read to the end: {so}.", counted(not_read.len() as u64, "type was", "types were"));
    let types = not_read
        .iter()
        .map(|one| view! { <li><strong>{type_label(&one.policy_type)}</strong>": "{visible_on_page(&one.reason).into_owned()}</li> })
        .collect_view();
    Some(
        view! {
            <div class="note" data-tone="warn">
                {Icon::Warning.view()}
                <details><summary>{words}</summary><ul>{types}</ul></details>
            </div>
        }
        .drawn(),
    )
}
