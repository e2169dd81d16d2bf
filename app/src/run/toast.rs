//! Toasts: how a run that this person watched has ended. They survive going to another page.
#![allow(missing_docs, reason = "the island macro makes property types whose documentation is the property's")]

use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::live::RunState;
use tenantatlas_domain::operation::OperationBucket;

use super::bucket::{canceller, is_cancelled, look, word};
use super::model::{failed_words, news_words, progress, reached};
use crate::address;
use crate::island::{erased, session_storage};
use crate::ui::icon::Icon;

/// How long good news, and what a person stopped, stays, milliseconds. The rest stays until it is closed.
const GOOD_NEWS: i64 = 9_000;
/// Where the browser keeps them for the next page of a tab.
const KEY: &str = "toasts";

/// One toast.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Toast {
    /// The run it tells of.
    pub run: String,
    /// The address of the run's page.
    pub href: String,
    /// `ok`, `warn`, `bad`, or `idle` for what a person stopped.
    pub tone: String,
    /// What happened.
    pub title: String,
    /// In which tenant.
    pub tenant: String,
    /// The news, or why.
    pub detail: String,
    /// When it goes by itself, milliseconds of the browser's clock.
    pub until: Option<i64>,
}

impl Toast {
    /// The toast for a run that has ended, for this person; none for one that followed another by itself, did all it had to do
    /// and found nothing new: whoever asks for one thing is not told five.
    pub fn of(run: &RunState, viewer: UserId, now: i64) -> Option<Self> {
        let bucket = run.status.bucket();
        let has_news = run.news.is_some_and(|news| !news.is_empty());
        if run.follows && bucket == OperationBucket::Succeeded && !has_news {
            return None;
        }
        let (tone, _) = look(bucket, run.reason_code);
        let canceller = canceller(run.cancelled_by.as_ref(), viewer);
        Some(Self {
            run: run.id.to_string(),
            href: address::tenant(run.tenant_id).run(run.id),
            tone: tone.to_owned(),
            title: format!("{}: {}", run.words.name, word(bucket, run.reason_code, canceller.as_deref())),
            tenant: run.tenant_name.clone(),
            detail: detail(run),
            until: matches!(tone, "ok" | "idle").then_some(now + GOOD_NEWS),
        })
    }

    /// The drawing of its tone.
    pub fn icon(&self) -> Icon {
        match self.tone.as_str() {
            "ok" => Icon::Done,
            "warn" => Icon::Partly,
            "idle" => Icon::Skipped,
            _ => Icon::Failed,
        }
    }
}

/// What a run that ended has to tell: its news, how far it came, or why it went no further.
fn detail(run: &RunState) -> String {
    let bucket = run.status.bucket();
    if is_cancelled(bucket, run.reason_code) {
        return reached(&run.words, &run.counters);
    }
    if let (OperationBucket::Failed, Some(reason)) = (bucket, run.reason_code) {
        return reason.sentence().to_owned();
    }
    let told = run.news.map_or_else(|| progress(run), |news| news_words(&news, &run.words, &run.counters));
    [Some(told), failed_words(&run.words, &run.counters)].into_iter().flatten().collect::<Vec<_>>().join(" · ")
}

/// The toasts that an earlier page of this tab left.
pub fn stored(now: i64) -> Vec<Toast> {
    let text = session_storage().and_then(|storage| storage.get_item(KEY).ok().flatten());
    let mut toasts: Vec<Toast> = text.and_then(|text| serde_json::from_slice(text.as_bytes()).ok()).unwrap_or_default();
    toasts.retain(|toast| toast.until.is_none_or(|until| until > now));
    toasts
}

/// Leaves the toasts to the next page of this tab.
pub fn store(toasts: &[Toast]) {
    if let (Some(storage), Ok(text)) = (session_storage(), serde_json::to_string(toasts)) {
        let _ = storage.set_item(KEY, &text);
    }
}

/// One toast on the screen.
#[component]
pub fn ToastCard(
    /// What it tells.
    toast: Toast,
    /// Called when it is closed.
    close: Callback<String>,
) -> impl IntoView {
    let run = toast.run.clone();
    let icon = toast.icon();
    erased(view! {
        <section class="toast" data-tone=toast.tone.clone() aria-label=format!("{}, {}", toast.title, toast.tenant)>
            {icon.view()}
            <div>
                <strong>{toast.title.clone()}</strong>
                <p>{toast.tenant.clone()}" · "{toast.detail}</p>
                <a href=toast.href>"Open the run"</a>
            </div>
            <button class="icon-button" type="button" aria-label="Close" on:click=move |_| close.run(run.clone())>
                {Icon::Close.view()}
            </button>
        </section>
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::run::run_card::tests::run;
    use tenantatlas_domain::news::News;
    use tenantatlas_domain::operation::OperationStatus;

    #[test]
    fn what_follows_by_itself_and_finds_nothing_makes_no_toast() {
        let viewer = "00000000-0000-0000-0000-000000000007".parse().expect("an id");
        let told = |status, follows, news| {
            let ended = RunState { follows, news, ..run(status, false) };
            Toast::of(&ended, viewer, 0).is_some()
        };
        let (nothing, some) = (Some(News::default()), Some(News { changed: 1, ..News::default() }));
        assert!(told(OperationStatus::Completed, false, nothing), "somebody asked for it");
        assert!(told(OperationStatus::Completed, true, some));
        assert!(told(OperationStatus::Failed, true, None) && told(OperationStatus::CompletedWithErrors, true, nothing));
        assert!(!told(OperationStatus::Completed, true, nothing) && !told(OperationStatus::Completed, true, None));
    }
}
