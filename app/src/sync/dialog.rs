//! The type picker over a page of the tenant.

use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use tenantatlas_domain::ids::TenantId;
use wasm_split_helpers::{SplitLoaderError, wasm_split};
use web_sys::{HtmlDialogElement, HtmlElement};

use super::functions::load_picker;
use super::model::{Picker, StartedSync};
use super::picker::{PickerFields, go_to_run};
use crate::island::{close_on_backdrop, draw_dialog};
use crate::live::stream;
use crate::run::functions::load_run;
use crate::ui::icon::Icon;

/// Draws the dialog and fetches what the picker shows; what it returns opens the dialog.
///
/// # Errors
/// When this part of the program cannot be loaded.
#[wasm_split(picker, fallible)]
pub fn draw(tenant: TenantId) -> Result<Callback<()>, SplitLoaderError> {
    Ok(draw_dialog(move || picker_dialog(tenant)))
}

/// Goes to the search, once it is there and the dialog is open.
fn focus_search(dialog: NodeRef<leptos::html::Dialog>) {
    let Some(dialog) = dialog.get_untracked().filter(HtmlDialogElement::open) else { return };
    let field = dialog.query_selector("[type=search]").ok().flatten();
    if let Some(field) = field.and_then(|field| field.dyn_into::<HtmlElement>().ok()) {
        let _ = field.focus();
    }
}

fn picker_dialog(tenant: TenantId) -> (impl IntoView + use<>, Callback<()>) {
    let dialog = NodeRef::<leptos::html::Dialog>::new();
    let picker = RwSignal::new(None::<Picker>);
    let trouble = RwSignal::new(None::<String>);
    let asked = RwSignal::new(false);
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
                    request_animation_frame(move || focus_search(dialog));
                }
                Err(error) => {
                    asked.set(false);
                    trouble.set(Some(error.message));
                }
            }
        });
    };
    let open = Callback::new(move |()| {
        load();
        if let Some(element) = dialog.get_untracked() {
            let _ = element.show_modal();
        }
        focus_search(dialog);
    });
    let close = move || {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let done = Callback::new(move |started: StartedSync| {
        close();
        if started.done().is_some() {
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
    load();
    let view = view! {
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
    };
    (view, open)
}
