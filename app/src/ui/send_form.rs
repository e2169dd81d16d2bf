//! What an [form](super::active_form::ActiveForm) does when it is submitted.

use leptos::mount::mount_to;
use leptos::prelude::*;
use leptos::wasm_bindgen::{JsCast as _, JsValue};
use wasm_bindgen_futures::JsFuture;
use web_sys::{Element, FormData, Headers, HtmlElement, HtmlFormElement, RequestInit, Response, UrlSearchParams};

use super::icon::Icon;
use crate::address;
use crate::error::{AppError, ErrorKind};
use crate::island::go_to;
use crate::live::parts;

/// The attribute of a form that is being sent.
pub const BUSY: &str = "aria-busy";

/// Sends the form in the background: follows the redirect, or shows the refusal and lets the form be sent again.
pub async fn send(form: HtmlFormElement, submitter: Option<HtmlElement>) {
    match sent(&form, submitter.as_ref()).await {
        Ok(address) => go_to(&address),
        Err(error) => {
            let _ = form.remove_attribute(BUSY);
            parts::catch_up();
            mark_fields(&form, &error);
            show(&form, error);
        }
    }
}

/// The words of a refusal, above the fields. What is about one field is told there: here stands that there is one, with a
/// link to it, and the words themselves only where the form has no such field (the style chooses).
pub fn refusal(error: AppError) -> impl IntoView + use<> {
    let one = error.field_alone().map(|name| format!("#{name}"));
    let class = if one.is_some() { "of-form" } else { "" };
    view! {
        <div class="note" data-tone="bad">
            {Icon::Warning.view()}
            <p>
                <span class=class>{error.message}</span>
                {one.map(|field| view! { <span class="of-field">"One field needs attention. "<a href=field>"Go to it"</a></span> })}
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

/// Marks the refused fields, says below each what is wrong with it, and goes to the first.
fn mark_fields(form: &HtmlFormElement, error: &AppError) {
    let mut first = None;
    for field in found(form, "[name]") {
        let problem = field.get_attribute("name").and_then(|name| error.problem_of(&name).map(ToOwned::to_owned));
        let below = document().get_element_by_id(&format!("{}-error", field.id()));
        if let Some(below) = below.filter(|below| form.contains(Some(below))) {
            below.set_text_content(problem.as_deref());
        }
        match problem {
            Some(_) => {
                let _ = field.set_attribute("aria-invalid", "true");
                first = first.or_else(|| field.dyn_into::<HtmlElement>().ok());
            }
            None => {
                let _ = field.remove_attribute("aria-invalid");
            }
        }
    }
    if let Some(field) = first {
        let _ = field.focus();
    }
}

/// The elements of the form that a selector finds.
fn found(form: &HtmlFormElement, selector: &str) -> Vec<Element> {
    let Ok(list) = form.query_selector_all(selector) else { return Vec::new() };
    (0..list.length()).filter_map(|index| list.item(index)?.dyn_into().ok()).collect()
}
