//! The drawer of the bell: the newest notifications, over any page. Opening it marks what it shows as read.

use leptos::prelude::*;
use tenantatlas_domain::ids::TenantId;
use wasm_split_helpers::{SplitLoaderError, wasm_split};

use super::functions::{mark_all_read, mark_read, mark_shown, notifications};
use super::list::notification_list;
use super::model::NotificationPage;
use crate::address;
use crate::island::{close_on_backdrop, draw_dialog};
use crate::live::clock;
use crate::ui::icon::Icon;

/// Draws the drawer; what it returns opens it. `unread` is the count of the bell.
///
/// # Errors
/// When this part of the program cannot be loaded.
#[wasm_split(top_bar, fallible)]
pub fn draw(tenant: Option<TenantId>, unread: RwSignal<u64>) -> Result<Callback<()>, SplitLoaderError> {
    Ok(draw_dialog(move || drawer(tenant, unread)))
}

fn drawer(tenant: Option<TenantId>, unread: RwSignal<u64>) -> (impl IntoView + use<>, Callback<()>) {
    let page = RwSignal::new(None::<NotificationPage>);
    let trouble = RwSignal::new(None::<String>);
    let dialog = NodeRef::<leptos::html::Dialog>::new();
    let href = address::notifications(tenant);
    let load = move || {
        leptos::task::spawn_local(async move {
            match notifications().await {
                Ok(fresh) => {
                    unread.set(fresh.unread);
                    trouble.set(None);
                    let shown: Vec<_> = fresh.unread_ids().collect();
                    page.set(Some(fresh));
                    // They stay marked as new for as long as the drawer shows them, and are counted no more.
                    if !shown.is_empty()
                        && let Err(error) = mark_shown(shown).await
                    {
                        trouble.set(Some(error.message));
                    }
                }
                Err(error) => trouble.set(Some(error.message)),
            }
        });
    };
    let open = Callback::new(move |()| {
        if let Some(dialog) = dialog.get_untracked() {
            load();
            let _ = dialog.show_modal();
        }
    });
    let close = move || {
        if let Some(dialog) = dialog.get_untracked() {
            dialog.close();
        }
    };
    let read_all = move |_| {
        leptos::task::spawn_local(async move {
            match mark_all_read().await {
                Ok(()) => load(),
                Err(error) => trouble.set(Some(error.message)),
            }
        });
    };
    let read_one = Callback::new(move |notification: String| {
        page.update(|page| {
            for entry in page.iter_mut().flat_map(|page| &mut page.entries).filter(|entry| entry.id == notification) {
                entry.read = true;
            }
        });
        leptos::task::spawn_local(async move {
            if let Ok(notification) = notification.parse() {
                let _ = mark_read(notification).await;
            }
        });
    });
    let view = view! {
        <dialog
            node_ref=dialog
            class="drawer"
            aria-labelledby="drawer-title"
            on:click=move |event| if let Some(dialog) = dialog.get_untracked() { close_on_backdrop(&event, &dialog) }
        >
            <div class="dialog-head">
                <h2 id="drawer-title">"Notifications"</h2>
                <button class="button quiet small" type="button" hidden=move || unread.get() == 0 on:click=read_all>
                    "Mark all as read"
                </button>
                <button class="icon-button" type="button" aria-label="Close" on:click=move |_| close()>
                    {Icon::Close.view()}
                </button>
            </div>
            <div class="drawer-body">
                <div role="alert">
                    {move || trouble.get().map(|message| view! {
                        <div class="note" data-tone="bad">{Icon::Warning.view()}<p>{message}</p></div>
                    })}
                </div>
                {move || page.get().map(|page| notification_list(&page.entries, tenant, clock::server_now(), Some(read_one)))}
            </div>
            <div class="dialog-foot">
                <a href=href>"Show all notifications"</a>
            </div>
        </dialog>
    };
    (view, open)
}
