//! The parts of a page that the browser takes over.
//!
//! An island is rendered on the server from its properties, which travel with the page; in the browser it begins with
//! the same properties and so with the same picture. What only the browser knows (clock, storage, stream) comes in
//! later, by effects.
#![allow(missing_docs, reason = "the island macro makes property types whose documentation is the property's")]

mod bell;
mod corner;
mod form;
mod picker;
mod run_card;
mod switcher;
mod sync;
mod theme;
mod toast;

pub use bell::Bell;
pub use corner::Corner;
pub use form::ActiveForm;
pub use picker::{PickerFields, PickerPage};
pub use switcher::TenantSwitcher;
pub use sync::SyncButton;
pub use theme::ThemeSwitch;

use crate::address;
use crate::model::StartedSync;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use tenantatlas_domain::ids::TenantId;
use web_sys::{HtmlDialogElement, Storage};

/// On the server the type of an island's view ends here: the views of all islands of a page within each other would
/// be too much for the compiler. The browser keeps it: there it only makes the program smaller.
#[cfg(feature = "ssr")]
fn erased(view: impl IntoView + 'static) -> AnyView {
    view.into_any()
}

#[cfg(not(feature = "ssr"))]
fn erased<V: IntoView>(view: V) -> V {
    view
}

fn session_storage() -> Option<Storage> {
    window().session_storage().ok().flatten()
}

fn local_storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

fn go_to(address: &str) {
    let _ = window().location().set_href(address);
}

/// Goes to the page of the run that a sync was answered with; it says so when that run was under way already.
fn go_to_run(tenant: TenantId, started: &StartedSync) {
    let mut address = address::tenant(tenant).run(started.run_id);
    if started.already_running {
        address.push_str("?done=already");
    }
    go_to(&address);
}

/// A dialog closes when the ground around it is pressed: the event then has the dialog itself as its target, and lies
/// outside of its box.
fn close_on_backdrop(event: &leptos::ev::MouseEvent, dialog: &HtmlDialogElement) {
    let on_dialog = event.target().is_some_and(|target| target.dyn_ref::<HtmlDialogElement>() == Some(dialog));
    let bounds = dialog.get_bounding_client_rect();
    let (x, y) = (f64::from(event.client_x()), f64::from(event.client_y()));
    let inside = x >= bounds.left() && x <= bounds.right() && y >= bounds.top() && y <= bounds.bottom();
    if on_dialog && !inside {
        dialog.close();
    }
}
