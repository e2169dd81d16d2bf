//! The type picker as a page: it works without script, and the sync button leads here then.

use leptos::prelude::*;

use super::functions::StartSync;
use super::load as picker;
use super::picker::PickerPage;
use crate::frame::view::Section;
use crate::page::{query, refusal, tenant_page};
use crate::ui::drawn::Drawn as _;
use crate::ui::note::note;

/// The picker. `?preset=` marks a ready-made selection.
#[component]
pub fn SyncPage() -> impl IntoView {
    let query = query();
    let preset = query("preset").unwrap_or_default();
    let error = refusal::<StartSync>(&query);
    tenant_page(Section::Inventory, move |inside| async move {
        let picker = picker::of(&inside, &preset).await?;
        let content = view! {
            <div class="page-head">
                <div>
                    <nav class="crumbs" aria-label="Breadcrumbs"><a href=inside.address().inventory()>"Inventory"</a></nav>
                    <h1>"Sync inventory"</h1>
                    <p class="lead">"Choose what to read. A sync changes nothing in the tenant."</p>
                </div>
            </div>
            {error.map(|error| note("bad", error.message))}
            <div class="card flush" data-hydrate="lazy"><PickerPage tenant=inside.id() picker /></div>
        }
        .drawn();
        Ok(("Sync inventory".to_owned(), content))
    })
}
