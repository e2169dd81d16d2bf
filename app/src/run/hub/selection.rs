//! What is done with the runs that are picked, or with all that the filter finds.

use leptos::prelude::*;
use tenantatlas_engine::LONGEST_WHY;

use super::load::{Hub, Place};
use super::rows::may_pick;
use crate::address;
use crate::filter::ListFilter as _;
use crate::filter::run::RunFilter;
use crate::format::number;
use crate::run::functions::{CancelRuns, RetryRuns};
use crate::ui::drawn::Drawn as _;
use crate::ui::form::hidden;
use crate::ui::icon::Icon;

/// The form of the boxes in the rows.
pub(super) const PICKED: &str = "picked";

pub(super) fn selection(place: &Place, filter: &RunFilter, hub: &Hub, is_understood: bool) -> Option<AnyView> {
    if hub.runs.is_empty() || !may_pick(place) {
        return None;
    }
    let cancel = address::function_in::<CancelRuns>(place.tenant_id());
    let retry = address::function_in::<RetryRuns>(place.tenant_id());
    let (active, retryable) = (hub.cancellable(filter), hub.retryable(filter));
    let everything = format!(
        "All that the filter finds, not only the picked ones: {} to cancel, {} to retry",
        number(active),
        number(retryable)
    );
    let everything = (is_understood && active + retryable > 0).then(|| {
        view! { <label class="check"><input type="checkbox" name="everything" value="true" autocomplete="off" />{everything}</label> }
    });
    Some(
        view! {
            <form class="form card" id=PICKED method="post" action=retry.clone()>
                <p class="quiet-text"><span data-picked="" data-unit="run" data-picked-end=" picked" role="status">"Picked runs"</span></p>
                {hidden("query", filter.query_text())}
                {hidden("to_cancel", active.to_string())}
                {hidden("to_retry", retryable.to_string())}
                <div class="field">
                    <label for="why">"Why (for the audit log, may be left empty)"</label>
                    <input class="input" id="why" name="why" maxlength=LONGEST_WHY.to_string() autocomplete="off" />
                </div>
                {everything}
                <div class="form-foot">
                    <button class="button primary" name="only_failed" value="true" data-retry="">{Icon::Turning.view()}"Retry what failed"</button>
                    <button class="button" name="only_failed" value="false">"Run again"</button>
                    <button class="button" formaction=cancel data-cancel="">{Icon::Close.view()}"Cancel"</button>
                </div>
            </form>
        }
        .drawn(),
    )
}
