//! What another selection says of a type that it read to the end more recently.

use leptos::prelude::*;
use tenantatlas_store::inventory::ScopeView;
use tenantatlas_store::scopes::{OtherRead, Scope};

use crate::address::TenantAddress;
use crate::format;
use crate::ui::drawn::Drawn as _;
use crate::ui::time::moment;

/// What the syncs of a scope read, in words.
#[must_use]
pub fn scope_words(scope: &Scope) -> String {
    scope.selection.words()
}

/// As of which sync of which selection a page is told, with the way to the main one where another was chosen.
pub fn as_of(view: &ScopeView, main: Option<String>) -> Option<AnyView> {
    let run = view.run.as_ref()?;
    let back = main.map(|href| view! { " · "<a href=href>"Show the main selection"</a> });
    Some(
        view! {
            <p class="lead" id="as-of" data-live="">
                "As of the sync "
                {moment(run.finished_at.unwrap_or(run.started_at).as_millis())}
                {view.scope.as_ref().map(|scope| format!(" · {}", scope_words(scope)))}
                {back}
            </p>
        }
        .drawn(),
    )
}

/// How many items a read saw, and how many of those that are known it did not.
#[must_use]
pub fn count_words(seen: u64, known: u64) -> String {
    let seen_words = format::counted(seen, "item", "items");
    match known.saturating_sub(seen) {
        0 => seen_words,
        1 => format!("{seen_words}, one more not there"),
        more => format!("{seen_words}, {} more not there", format::number(more)),
    }
}

/// "Read again 2 min ago by the sync of Conditional access: 12 items", with the way to that scope. `again` says whether
/// the scope that is shown has looked at the type at all; `told` is what the read says.
pub fn read_elsewhere(
    tenant: &TenantAddress,
    policy_type: &str,
    read: &OtherRead,
    again: bool,
    told: String,
) -> AnyView {
    let verb = if again { "Read again " } else { "Read " };
    let href = tenant.items_of_type_in(policy_type, read.scope.id.0);
    view! {
        <p class="quiet-text">
            {verb}{moment(read.at.as_millis())}" by the sync of "<a href=href>{scope_words(&read.scope)}</a>": "{told}"."
        </p>
    }
    .drawn()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_another_selection_did_not_see_is_said_beside_what_it_saw() {
        assert_eq!(count_words(12, 12), "12 items");
        assert_eq!(count_words(11, 12), "11 items, one more not there");
        assert_eq!(count_words(1, 4), "1 item, 3 more not there");
        assert_eq!(count_words(5, 4), "5 items", "it saw what the tenant was not known to have");
    }
}
