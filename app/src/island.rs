//! What islands share: the parts of a page that the browser takes over.
//!
//! An island is rendered on the server from its properties, which travel with the page; in the browser it begins with
//! the same properties and so with the same picture. What only the browser knows (clock, storage, stream) comes in
//! later, by effects.
//!
//! What only opens when it is asked for is a part of the program of its own (`wasm_split`), loaded then. It may fail to come,
//! and then whoever asked goes the way that works without any script: a link is followed, a menu or a form stays as it is.

use std::pin::Pin;

use leptos::ev::MouseEvent;
use leptos::mount::mount_to;
use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use wasm_split_helpers::SplitLoaderError;
use web_sys::{HtmlDialogElement, Storage};

/// On the server the type of an island's view ends here: the views of all islands of a page within each other would
/// be too much for the compiler. The browser keeps it: there it only makes the program smaller.
#[cfg(feature = "ssr")]
pub(crate) fn erased(view: impl IntoView + 'static) -> AnyView {
    crate::ui::drawn::Drawn::drawn(view.into_view())
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

/// Closes a modal dialog when its backdrop is clicked: the target of such a click is the dialog itself, at a point outside
/// of its box.
pub(crate) fn close_on_backdrop(event: &MouseEvent, dialog: &HtmlDialogElement) {
    let on_dialog = event.target().is_some_and(|target| target.dyn_ref::<HtmlDialogElement>() == Some(dialog));
    let bounds = dialog.get_bounding_client_rect();
    let (x, y) = (f64::from(event.client_x()), f64::from(event.client_y()));
    let inside = x >= bounds.left() && x <= bounds.right() && y >= bounds.top() && y <= bounds.bottom();
    if on_dialog && !inside {
        dialog.close();
    }
}

/// Whether a click on a link asks for it beside this page: then nothing may be opened over it.
pub(crate) fn asks_for_another_tab(event: &MouseEvent) -> bool {
    event.ctrl_key() || event.meta_key() || event.shift_key()
}

/// A part of the program on its way: once it has come it has drawn a dialog, and says how that is opened.
pub(crate) type Part = Pin<Box<dyn Future<Output = Result<Callback<()>, SplitLoaderError>>>>;

/// A dialog that a part of the program draws when it is first needed.
#[derive(Clone, Copy)]
pub(crate) struct DialogOnDemand {
    open: StoredValue<Option<Callback<()>>>,
    /// Whether the part is on its way or there.
    asked: StoredValue<bool>,
    /// Whether somebody waits for it.
    wanted: StoredValue<bool>,
}

impl DialogOnDemand {
    /// Nothing is asked for yet.
    pub(crate) fn new() -> Self {
        Self { open: StoredValue::new(None), asked: StoredValue::new(false), wanted: StoredValue::new(false) }
    }

    /// Opens it, as soon as it is there. When the part does not come, the browser goes to the address `instead`.
    pub(crate) fn open(self, part: impl FnOnce() -> Part, instead: &str) {
        match self.open.get_value() {
            Some(open) => open.run(()),
            None => {
                self.wanted.set_value(true);
                self.prepare(part, instead);
            }
        }
    }

    /// Fetches it, for the moment when it is opened.
    pub(crate) fn prepare(self, part: impl FnOnce() -> Part, instead: &str) {
        if !self.asked.get_value() {
            self.asked.set_value(true);
            leptos::task::spawn_local(self.arrive(part(), instead.to_owned()));
        }
    }

    async fn arrive(self, part: Part, instead: String) {
        let arrived = part.await;
        // Read now: somebody may have begun to wait meanwhile.
        let wanted = self.wanted.get_value();
        match arrived {
            Ok(open) => {
                self.open.set_value(Some(open));
                if wanted {
                    open.run(());
                }
            }
            Err(_) => {
                self.asked.set_value(false);
                if wanted {
                    go_to(&instead);
                }
            }
        }
    }
}

/// Draws a dialog at the end of the page, for as long as the page lives. `make` returns its view, and how it is opened.
pub(crate) fn draw_dialog<V: IntoView + 'static>(make: impl FnOnce() -> (V, Callback<()>)) -> Callback<()> {
    let owner = Owner::new();
    let (view, open) = owner.with(make);
    if let Some(body) = document().body() {
        mount_to(body, move || view).forget();
    }
    std::mem::forget(owner);
    open
}
