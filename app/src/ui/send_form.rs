//! What an [form](super::active_form::ActiveForm) does when it is submitted.

use super::icon::Icon;
use crate::address;
use crate::error::{AppError, ErrorKind};
use crate::island::go_to;
use leptos::mount::mount_to;
use leptos::prelude::*;
use leptos::wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{FormData, Headers, HtmlElement, HtmlFormElement, RequestInit, Response, UrlSearchParams};

/// The attribute of a form that is being sent.
pub const BUSY: &str = "aria-busy";

/// Sends the form in the background: follows the redirect, or shows the refusal and lets the form be sent again.
pub async fn send(form: HtmlFormElement, submitter: Option<HtmlElement>) {
    match sent(&form, submitter.as_ref()).await {
        Ok(address) => go_to(&address),
        Err(error) => {
            let _ = form.remove_attribute(BUSY);
            mark_field(&form, error.field.as_deref());
            show(&form, error);
        }
    }
}

/// The words of a refusal, above the fields.
pub fn refusal(error: AppError) -> impl IntoView + use<> {
    view! {
        <div class="note" data-tone="bad">
            {Icon::Warning.view()}
            <p>
                {error.message}
                {(error.kind == ErrorKind::Confirm).then(|| view! { " "<a href=address::CONFIRM target="_blank">"Confirm it in a new tab"</a>", then try again." })}
            </p>
        </div>
    }
}

fn show(form: &HtmlFormElement, error: AppError) {
    let place = form.query_selector(".form-error").ok().flatten();
    if let Some(place) = place.and_then(|place| place.dyn_into::<HtmlElement>().ok()) {
        place.replace_children_with_node_0();
        mount_to(place, move || refusal(error)).forget();
    }
}

/// Posts the form and returns the address to go to.
async fn sent(form: &HtmlFormElement, submitter: Option<&HtmlElement>) -> Result<String, AppError> {
    use leptos::server_fn::error::{FromServerFnError as _, ServerFnErrorErr};
    let unreachable = |_: JsValue| AppError::from_server_fn_error(ServerFnErrorErr::Request(String::new()));
    let response = post(form, submitter).await.map_err(unreachable)?;
    if response.ok() {
        let headers = response.headers();
        let here = window().location().href().unwrap_or_default();
        return Ok(headers.get("location").ok().flatten().unwrap_or(here));
    }
    let text = JsFuture::from(response.text().map_err(unreachable)?).await.map_err(unreachable)?;
    let error: Option<AppError> = text.as_string().and_then(|text| serde_json::from_slice(text.as_bytes()).ok());
    Err(error.unwrap_or_else(|| AppError::from_server_fn_error(ServerFnErrorErr::Args(String::new()))))
}

async fn post(form: &HtmlFormElement, submitter: Option<&HtmlElement>) -> Result<Response, JsValue> {
    let data = FormData::new_with_form(form)?;
    // The button that was pressed belongs to the form too, when it has a name.
    if let Some(button) = submitter.filter(|button| button.has_attribute("name")) {
        let value = button.get_attribute("value").unwrap_or_default();
        data.append_with_str(&button.get_attribute("name").unwrap_or_default(), &value)?;
    }
    let body = UrlSearchParams::new_with_str_sequence_sequence(&data)?;
    let headers = Headers::new()?;
    headers.set("accept", "application/json")?;
    let request = RequestInit::new();
    request.set_method("POST");
    request.set_headers(&headers);
    request.set_body(&body);
    let address = form.get_attribute("action").unwrap_or_default();
    Ok(JsFuture::from(window().fetch_with_str_and_init(&address, &request)).await?.unchecked_into())
}

/// Marks the refused field and goes to it.
fn mark_field(form: &HtmlFormElement, name: Option<&str>) {
    if let Ok(marked) = form.query_selector_all("[aria-invalid]") {
        for node in (0..marked.length()).filter_map(|index| marked.item(index)) {
            if let Some(element) = node.dyn_ref::<web_sys::Element>() {
                let _ = element.remove_attribute("aria-invalid");
            }
        }
    }
    let Some(name) =
        name.filter(|name| name.chars().all(|character| character.is_ascii_alphanumeric() || character == '_'))
    else {
        return;
    };
    if let Some(field) = form.query_selector(&format!("[name=\"{name}\"]")).ok().flatten() {
        let _ = field.set_attribute("aria-invalid", "true");
        if let Some(field) = field.dyn_ref::<HtmlElement>() {
            let _ = field.focus();
        }
    }
}
