//! The progress widget in the corner of every page: the progress of this person's runs in all their tenants, and toasts for
//! those that ended.
#![allow(missing_docs, reason = "the island macro makes property types whose documentation is the property's")]

use std::time::Duration;

use leptos::prelude::*;
use tenantatlas_domain::ids::{OperationRunId, TenantId, UserId};
use tenantatlas_domain::live::RunState;

use super::functions::my_runs;
use super::run_card::{RunCard, summary, turning};
use super::toast::{self, Toast, ToastCard};
use crate::island::{erased, local_storage, session_storage};
use crate::live::{clock, stream};
use crate::packed::Packed;
use crate::ui::icon::Icon;

/// More cards than this fold away.
const CARDS_SHOWN: usize = 3;

/// Holds the event stream of the page and shows what it tells.
#[island]
pub fn ProgressWidget(
    /// The tenant of the page; `None` outside of any, where all runs concern what is shown.
    tenant: Option<TenantId>,
    /// This person: only their own runs are shown here.
    user: UserId,
    /// Their active runs when the page was made.
    #[prop(into)]
    runs: Packed<Vec<RunState>>,
    /// The clock of the server when the page was made, milliseconds.
    now: i64,
) -> impl IntoView {
    let runs = RwSignal::new(runs.0);
    let now = RwSignal::new(now);
    let toasts = RwSignal::new(Vec::<Toast>::new());
    let lost = RwSignal::new(false);
    let folded = RwSignal::new(false);
    let all_cards = RwSignal::new(false);
    let spoken = RwSignal::new(String::new());

    // Runs in the browser only, once.
    Effect::new(move |_| {
        folded.set(local_storage().and_then(|store| store.get_item(FOLDED).ok().flatten()).is_some());
        toasts.set(toast::stored(clock::server_now()));
        stream::connect(tenant);
        let _ = set_interval_with_handle(
            move || {
                now.set(clock::server_now());
                let clock = now.get_untracked();
                if toasts
                    .with_untracked(|toasts| toasts.iter().any(|toast| toast.until.is_some_and(|until| until <= clock)))
                {
                    toasts.update(|toasts| toasts.retain(|toast| toast.until.is_none_or(|until| until > clock)));
                }
            },
            Duration::from_secs(1),
        );
    });
    Effect::new(move |_| lost.set(stream::live().lost.get()));
    // The newest states: mine are shown, and the ended ones become toasts.
    Effect::new(move |before: Option<()>| {
        let newest = stream::live().runs.get();
        if before.is_none() && newest.is_empty() {
            return;
        }
        let clock = clock::server_now();
        let mine: Vec<RunState> = newest.into_iter().filter(|run| run.user_id == Some(user)).collect();
        let shown = runs.get_untracked();
        for run in mine.iter().filter(|run| run.ended() && is_watched(run.id, &shown)) {
            tell_end(run, user, clock, toasts, spoken);
        }
        let active: Vec<RunState> = mine.into_iter().filter(|run| !run.ended()).collect();
        speak_progress(&shown, &active, spoken);
        watch_active(&active);
        now.set(clock);
        runs.set(active);
    });
    // After a snapshot: what this tab watched and is no longer active has ended unseen.
    Effect::new(move |_| {
        if stream::live().snapshots.get() == 0 {
            return;
        }
        let active = stream::live().runs.get_untracked();
        let unseen: Vec<OperationRunId> =
            watched().into_iter().filter(|id| !active.iter().any(|run| run.id == *id)).collect();
        if !unseen.is_empty() {
            leptos::task::spawn_local(async move {
                for run in my_runs(unseen).await.unwrap_or_default() {
                    stream::announce(run);
                }
            });
        }
    });

    let close = Callback::new(move |run: String| {
        toasts.update(|toasts| toasts.retain(|toast| toast.run != run));
        toast::store(&toasts.get_untracked());
    });
    let fold = move |_| {
        folded.update(|folded| *folded = !*folded);
        if let Some(store) = local_storage() {
            let _ = if folded.get_untracked() { store.set_item(FOLDED, "1") } else { store.remove_item(FOLDED) };
        }
    };
    let ids = move || {
        let limit = if all_cards.get() { usize::MAX } else { CARDS_SHOWN };
        runs.with(|runs| runs.iter().take(limit).map(|run| run.id).collect::<Vec<_>>())
    };
    let hidden_cards = move || runs.with(|runs| runs.len().saturating_sub(CARDS_SHOWN));

    erased(view! {
        <div class="corner">
            <For each=move || toasts.get() key=|toast| toast.run.clone() let:toast>
                <ToastCard toast close />
            </For>
            <div class="reconnecting" hidden=move || !lost.get()>
                {Icon::Offline.view()}
                "Reconnecting. Figures may be behind."
            </div>
            <section
                class="progress-widget"
                aria-label="Runs in progress"
                hidden=move || runs.with(Vec::is_empty)
            >
                <button
                    class="progress-head"
                    type="button"
                    aria-expanded=move || if folded.get() { "false" } else { "true" }
                    on:click=fold
                >
                    {turning()}
                    <span class="grow">{move || runs.with(|runs| summary(runs))}</span>
                    {Icon::Down.with_class("turns")}
                </button>
                <div hidden=move || folded.get()>
                    <For each=ids key=|id| *id let:id>
                        <RunCard
                            run=Memo::new(move |_| runs.with(|runs| runs.iter().find(|run| run.id == id).cloned()))
                            now
                        />
                    </For>
                    <button
                        class="progress-head"
                        type="button"
                        hidden=move || hidden_cards() == 0
                        on:click=move |_| all_cards.update(|all| *all = !*all)
                    >
                        <span class="grow">
                            {move || if all_cards.get() { "Show fewer".to_owned() } else { format!("{} more", hidden_cards()) }}
                        </span>
                    </button>
                </div>
            </section>
            <p class="visually-hidden" role="status">{move || spoken.get()}</p>
        </div>
    })
}

const FOLDED: &str = "progress.folded";
const WATCHED: &str = "runs.watched";

/// The runs that this tab has seen active.
fn watched() -> Vec<OperationRunId> {
    let text = session_storage().and_then(|storage| storage.get_item(WATCHED).ok().flatten()).unwrap_or_default();
    text.split(' ').filter_map(|id| id.parse().ok()).collect()
}

fn is_watched(id: OperationRunId, shown: &[RunState]) -> bool {
    shown.iter().any(|run| run.id == id) || watched().contains(&id)
}

fn keep_watched(ids: &[OperationRunId]) {
    if let Some(storage) = session_storage() {
        let text: Vec<String> = ids.iter().map(ToString::to_string).collect();
        let _ = storage.set_item(WATCHED, &text.join(" "));
    }
}

fn watch_active(active: &[RunState]) {
    let mut ids = watched();
    let before = ids.len();
    for run in active {
        if !ids.contains(&run.id) {
            ids.push(run.id);
        }
    }
    if ids.len() != before {
        keep_watched(&ids);
    }
}

fn tell_end(run: &RunState, user: UserId, clock: i64, toasts: RwSignal<Vec<Toast>>, spoken: RwSignal<String>) {
    let mut ids = watched();
    ids.retain(|id| *id != run.id);
    keep_watched(&ids);
    let Some(toast) = Toast::of(run, user, clock) else { return };
    spoken.set(format!("{}. {}: {}", toast.title, toast.tenant, toast.detail));
    toasts.update(|toasts| {
        toasts.retain(|known| known.run != toast.run);
        toasts.push(toast);
    });
    toast::store(&toasts.get_untracked());
}

/// Speaks the start and each quarter, not every step.
fn speak_progress(before: &[RunState], after: &[RunState], spoken: RwSignal<String>) {
    let quarter = |run: &RunState| run.counters.processed * 4 / run.counters.total.max(1);
    for run in after {
        match before.iter().find(|known| known.id == run.id) {
            None => spoken.set(format!("{} started, {}", run.words.name, run.tenant_name)),
            Some(known) if quarter(known) != quarter(run) => {
                spoken.set(format!("{}, {}: {} percent", run.words.name, run.tenant_name, quarter(run) * 25));
            }
            Some(_) => {}
        }
    }
}
