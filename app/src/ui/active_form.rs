//! A form that keeps what was typed when the server refuses it.
#![allow(missing_docs, reason = "the island macro makes property types whose documentation is the property's")]

use leptos::prelude::*;
use leptos::wasm_bindgen::JsCast as _;
use web_sys::{HtmlElement, SubmitEvent};

use super::send_form::{BUSY, send};
use crate::island::erased;
#[cfg(feature = "ssr")]
use {super::form::FormRefusal, super::send_form::refusal, crate::error::AppError, leptos::context::Provider};

/// A form that posts to a server function. Without WebAssembly the browser posts it and follows the redirect; with it
/// the form is sent in the background, a refusal is shown beside what was typed, and the redirect is followed.
#[cfg(feature = "ssr")]
#[component]
pub fn ActiveForm(
    /// Where it is posted to.
    action: String,
    /// The class of the form.
    #[prop(into)]
    class: String,
    /// The refusal that the page was opened with (without WebAssembly it comes back in the address).
    error: Option<AppError>,
    /// The fields and buttons.
    children: Children,
) -> impl IntoView {
    let fields = FormRefusal(error.clone());
    view! {
        <Provider value=fields>
            <SentForm action class>
                <div class="form-error" role="alert">{error.map(refusal)}</div>
                {children()}
            </SentForm>
        </Provider>
    }
}

/// The form itself, which the browser takes over.
#[island]
pub fn SentForm(
    /// Where it is posted to.
    action: String,
    /// The class of the form.
    class: String,
    /// The place for a refusal, the fields and buttons.
    children: Children,
) -> impl IntoView {
    let form = NodeRef::<leptos::html::Form>::new();
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        let Some(form) = form.get_untracked().filter(|form| !form.has_attribute(BUSY)) else { return };
        let _ = form.set_attribute(BUSY, "true");
        let submitter = event.submitter().and_then(|element| element.dyn_into::<HtmlElement>().ok());
        leptos::task::spawn_local(send(form, submitter));
    };
    erased(view! {
        <form node_ref=form method="post" action=action class=class on:submit=submit>
            {children()}
        </form>
    })
}
