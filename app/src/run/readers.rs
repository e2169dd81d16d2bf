//! Who reads a tenant now: a line for each sync of others, for whoever looks at the inventory meanwhile.

use leptos::prelude::*;
use tenantatlas_domain::live::RunWords;
use tenantatlas_store::operation_runs::OperationRun;

use crate::address::TenantAddress;
use crate::format;
use crate::scope::Inside;
use crate::ui::drawn::Drawn as _;
use crate::ui::icon::Icon;

/// Lines that are shown; of more runs the rest is counted.
const SHOWN: usize = 3;

/// "Olivia is reading Everything: 33 of 90 types", for each run of others; one's own are in the progress widget. It is there
/// without script as of the moment the page was made, and is fetched anew with the other live parts. Nothing where it cannot
/// be found out: it is a note beside what the page is for.
pub async fn readers(inside: &Inside) -> AnyView {
    let live = inside.live().await.inspect_err(|error| tracing::warn!(%error, "active runs could not be listed"));
    let lines = live.ok().map(|live| lines(inside, &live.runs));
    view! { <div id="readers" class="readers" data-live="">{lines}</div> }.drawn()
}

fn lines(inside: &Inside, active: &[OperationRun]) -> AnyView {
    let of_others = |run: &&OperationRun| run.tenant_id == inside.id() && run.user_id != Some(inside.session.user_id);
    let others: Vec<&OperationRun> = active.iter().filter(of_others).collect();
    let more = others.len().saturating_sub(SHOWN);
    let at = inside.address();
    let words = |run: &OperationRun| inside.engine.runs().operations().words_of(run);
    let rows = others.iter().take(SHOWN).map(|run| line(&at, run, &words(run))).collect_view();
    let more = (more > 0).then(|| {
        let words = format!("{} more", format::number(more as u64));
        view! { <p><a href=at.runs()>{words}</a></p> }
    });
    view! { {rows} {more} }.drawn()
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
    .drawn()
}
