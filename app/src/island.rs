//! What islands share: the parts of a page that the browser takes over.
//!
//! An island is rendered on the server from its properties, which travel with the page; in the browser it begins with
//! the same properties and so with the same picture. What only the browser knows (clock, storage, stream) comes in
//! later, by effects.

use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use web_sys::{HtmlDialogElement, Storage};

/// On the server the type of an island's view ends here: the views of all islands of a page within each other would
/// be too much for the compiler. The browser keeps it: there it only makes the program smaller.
#[cfg(feature = "ssr")]
pub(crate) fn erased(view: impl IntoView + 'static) -> AnyView {
    view.into_any()
}

#[cfg(not(feature = "ssr"))]
pub(crate) fn erased<V: IntoView>(view: V) -> V {
    view
}

/// What the browser keeps for this tab.
pub(crate) fn session_storage() -> Option<Storage> {
    window().session_storage().ok().flatten()
}

/// What the browser keeps for this site.
pub(crate) fn local_storage() -> Option<Storage> {
    window().local_storage().ok().flatten()
}

/// Leaves the page for another address.
pub(crate) fn go_to(address: &str) {
    let _ = window().location().set_href(address);
}

/// A dialog closes when the ground around it is pressed: the event then has the dialog itself as its target, and lies
/// outside of its box.
pub(crate) fn close_on_backdrop(event: &leptos::ev::MouseEvent, dialog: &HtmlDialogElement) {
    let on_dialog = event.target().is_some_and(|target| target.dyn_ref::<HtmlDialogElement>() == Some(dialog));
    let bounds = dialog.get_bounding_client_rect();
    let (x, y) = (f64::from(event.client_x()), f64::from(event.client_y()));
    let inside = x >= bounds.left() && x <= bounds.right() && y >= bounds.top() && y <= bounds.bottom();
    if on_dialog && !inside {
        dialog.close();
    }
}
