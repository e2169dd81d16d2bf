//! Who reads a tenant now: a line for each sync of others, for whoever looks at the inventory meanwhile.

use leptos::prelude::*;
use tenantatlas_domain::live::RunWords;
use tenantatlas_store::operation_runs::{self, OperationRun};

use crate::address::TenantAddress;
use crate::ui::icon::Icon;
use crate::{format, scope};

/// Lines that are shown; of more runs the rest is counted.
const SHOWN: usize = 3;

/// "Olivia is reading Everything: 33 of 90 types", for each run of others; one's own are in the progress widget. It is there
/// without script as of the moment the page was made, and is fetched anew with the other live parts.
#[component]
pub fn Readers() -> impl IntoView {
    Suspend::new(async {
        let lines = lines().await;
        view! { <div id="readers" class="readers" data-live="">{lines}</div> }
    })
}

/// Nothing where it cannot be found out: it is a note beside what the page is for.
async fn lines() -> Option<AnyView> {
    let inside = scope::inside().ok()?;
    let active = operation_runs::active(inside.engine.reader(), Some(inside.id()), None).await;
    let active = active.inspect_err(|error| tracing::warn!(%error, "active runs could not be listed")).ok()?;
    let others: Vec<&OperationRun> = active.iter().filter(|run| run.user_id != Some(inside.session.user_id)).collect();
    let more = others.len().saturating_sub(SHOWN);
    let at = inside.address();
    let rows = others
        .iter()
        .take(SHOWN)
        .map(|run| line(&at, run, &inside.engine.runs().operations().words_of(run)))
        .collect_view();
    let more = (more > 0).then(|| {
        let words = format!("{} more", format::number(more as u64));
        view! { <p><a href=at.runs()>{words}</a></p> }
    });
    Some(view! { {rows} {more} }.into_any())
}

fn line(at: &TenantAddress, run: &OperationRun, words: &RunWords) -> AnyView {
    let who = run.initiator.clone();
    let (done, total) = (run.counters.processed, u64::from(run.counters.total));
    let doing =
        if run.started_at.is_some() { format!(" is {} ", words.doing) } else { format!(" will be {} ", words.doing) };
    view! {
        <p>
            {Icon::Turning.view()}
            <strong>{who}</strong>{doing}<a href=at.run(run.id)>{words.name.clone()}</a>
            {format!(": {} of {}", format::number(u64::from(done)), format::counted(total, &words.units.0, &words.units.1))}
        </p>
    }
    .into_any()
}
