//! Toasts: how a run that this person watched has ended. They survive going to another page.
#![allow(missing_docs, reason = "the island macro makes property types whose documentation is the property's")]

use super::bucket::{is_cancelled, look, word};
use super::model::{progress, reached};
use crate::island::{erased, session_storage};
use crate::ui::icon::Icon;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use tenantatlas_domain::{ids::TenantId, live::RunState, operation::OperationBucket};

/// How long good news, and what a person stopped, stays, milliseconds. The rest stays until it is closed.
const GOOD_NEWS: i64 = 9_000;

/// One toast.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Toast {
    /// The run it tells of.
    pub run: String,
    /// `ok`, `warn`, `bad`, or `idle` for what a person stopped.
    pub tone: String,
    /// What happened.
    pub title: String,
    /// Counts, or why.
    pub detail: String,
    /// When it goes by itself, milliseconds of the browser's clock.
    pub until: Option<i64>,
}

impl Toast {
    /// The toast for a run that has ended.
    pub fn of(run: &RunState, now: i64) -> Self {
        let bucket = run.status.bucket();
        let (tone, _) = look(bucket, run.reason_code);
        let mut detail = progress(run);
        if run.counters.failed > 0 {
            detail.push_str(&format!(" · {} failed", run.counters.failed));
        }
        if is_cancelled(bucket, run.reason_code) {
            detail = reached(&run.words, &run.counters);
        } else if let (OperationBucket::Failed, Some(reason)) = (bucket, run.reason_code) {
            reason.sentence().clone_into(&mut detail);
        }
        Self {
            run: run.id.to_string(),
            tone: tone.to_owned(),
            title: format!("{} {}", run.words.title, word(bucket, run.reason_code)),
            detail,
            until: matches!(tone, "ok" | "idle").then_some(now + GOOD_NEWS),
        }
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

fn key(tenant: TenantId) -> String {
    format!("toasts.{tenant}")
}

/// The toasts that an earlier page of this tab left.
pub fn stored(tenant: TenantId, now: i64) -> Vec<Toast> {
    let text = session_storage().and_then(|storage| storage.get_item(&key(tenant)).ok().flatten());
    let mut toasts: Vec<Toast> = text.and_then(|text| serde_json::from_slice(text.as_bytes()).ok()).unwrap_or_default();
    toasts.retain(|toast| toast.until.is_none_or(|until| until > now));
    toasts
}

/// Leaves the toasts to the next page of this tab.
pub fn store(tenant: TenantId, toasts: &[Toast]) {
    if let (Some(storage), Ok(text)) = (session_storage(), serde_json::to_string(toasts)) {
        let _ = storage.set_item(&key(tenant), &text);
    }
}

/// One toast on the screen.
#[component]
pub fn ToastCard(
    /// What it tells.
    toast: Toast,
    /// The address of the run's page.
    href: String,
    /// Called when it is closed.
    close: Callback<String>,
) -> impl IntoView {
    let run = toast.run.clone();
    let icon = toast.icon();
    erased(view! {
        <section class="toast" data-tone=toast.tone.clone() aria-label=toast.title.clone()>
            {icon.view()}
            <div>
                <strong>{toast.title.clone()}</strong>
                <p>{toast.detail}</p>
                <a href=href>"Open the run"</a>
            </div>
            <button class="icon-button" type="button" aria-label="Close" on:click=move |_| close.run(run.clone())>
                {Icon::Close.view()}
            </button>
        </section>
    })
}
