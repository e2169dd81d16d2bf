//! The button that opens the type picker.
#![allow(missing_docs, reason = "the island macro makes property types whose documentation is the property's")]

use super::functions::load_picker;
use super::model::{Picker, StartedSync};
use super::picker::{PickerFields, go_to_run};
use crate::address;
use crate::island::{close_on_backdrop, erased};
use crate::live::stream;
use crate::run::functions::load_run;
use crate::ui::icon::Icon;
use leptos::prelude::*;
use tenantatlas_domain::ids::TenantId;

/// A link to the sync page that opens the picker over the page once WebAssembly is there. The picker is fetched when
/// the pointer comes near.
#[island]
pub fn SyncButton(
    /// The tenant.
    tenant: TenantId,
    /// The words on it.
    label: String,
) -> impl IntoView {
    let dialog = NodeRef::<leptos::html::Dialog>::new();
    let picker = RwSignal::new(None::<Picker>);
    let trouble = RwSignal::new(None::<String>);
    let asked = RwSignal::new(false);
    let href = address::tenant(tenant).sync();
    let load = move || {
        if asked.get_untracked() {
            return;
        }
        asked.set(true);
        leptos::task::spawn_local(async move {
            match load_picker().await {
                Ok(fresh) => {
                    trouble.set(None);
                    picker.set(Some(fresh));
                }
                Err(error) => {
                    asked.set(false);
                    trouble.set(Some(error.message));
                }
            }
        });
    };
    let open = move |event: leptos::ev::MouseEvent| {
        if event.ctrl_key() || event.meta_key() || event.shift_key() {
            return;
        }
        event.prevent_default();
        load();
        if let Some(dialog) = dialog.get_untracked() {
            let _ = dialog.show_modal();
        }
    };
    let close = move || {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let done = Callback::new(move |started: StartedSync| {
        close();
        if started.already_running {
            go_to_run(tenant, &started);
            return;
        }
        asked.set(false);
        picker.set(None);
        leptos::task::spawn_local(async move {
            if let Ok(run) = load_run(started.run_id).await {
                stream::announce(run);
            }
        });
    });
    erased(view! {
        <a class="button primary" href=href on:click=open on:pointerenter=move |_| load() on:focus=move |_| load()>
            {Icon::Turning.view()}
            {label}
        </a>
        <dialog
            node_ref=dialog
            class="picker-dialog"
            aria-labelledby="picker-title"
            on:click=move |event| if let Some(dialog) = dialog.get_untracked() { close_on_backdrop(&event, &dialog) }
        >
            <div class="dialog-head">
                <h2 id="picker-title">"Sync inventory"</h2>
                <button class="icon-button" type="button" aria-label="Close" on:click=move |_| close()>
                    {Icon::Close.view()}
                </button>
            </div>
            {move || trouble.get().map(|message| view! {
                <div class="dialog-body">
                    <div class="note" data-tone="bad" role="alert">{Icon::Warning.view()}<p>{message}</p></div>
                </div>
            })}
            {move || picker.get().map(|picker| view! { <PickerFields tenant picker done /> })}
        </dialog>
    })
}
