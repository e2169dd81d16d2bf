//! What pages share. Each loads what it shows on the server and is sent whole, with the status that fits.

use std::future::Future;

use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use leptos::server_fn::error::ServerFnUrlError;
use leptos_axum::ResponseOptions;
use leptos_router::hooks::{use_params_map, use_query_map};

use crate::done::Done;
use crate::error::{AppError, ErrorKind};
use crate::frame::load as frame;
use crate::frame::view::{Place, Section, plain_frame, tenant_frame};
use crate::redirect::is_own_address;
use crate::scope::{self, Inside};
use crate::ui::note::{error_page, error_title};

/// What a page shows: its title and its content.
type Content = (String, AnyView);

/// A page of a tenant: loads frame and content side by side; what goes wrong becomes a page with its status.
pub(crate) fn tenant_page<F>(place: impl Into<Place>, load: impl FnOnce(Inside) -> F + Send + 'static) -> AnyView
where
    F: Future<Output = Result<Content, AppError>> + Send + 'static,
{
    let place = place.into();
    Suspend::new(async move {
        let inside = match scope::inside() {
            Ok(inside) => inside,
            Err(error) => return refused(error).await,
        };
        let content = load(inside.clone());
        match futures::join!(frame::load(&inside), content) {
            (Ok(frame), Ok((title, content))) => tenant_frame(&inside, frame, &place, &title, content),
            (Ok(frame), Err(error)) => {
                set_status(error.kind);
                let back = place.section.list(&inside.address());
                tenant_frame(&inside, frame, &place, error_title(error.kind), error_page(&error, back))
            }
            (Err(error), _) => refused(error).await,
        }
    })
    .into_any()
}

/// A page outside of any tenant.
pub(crate) fn plain_page<F>(load: impl FnOnce() -> F + Send + 'static) -> AnyView
where
    F: Future<Output = Result<Content, AppError>> + Send + 'static,
{
    Suspend::new(async move {
        match futures::join!(frame::live_of_person(), load()) {
            (Ok(live), Ok((title, content))) => {
                plain_frame(scope::session().ok().as_ref(), live, frame::theme(), title, content)
            }
            (_, Err(error)) | (Err(error), _) => refused(error).await,
        }
    })
    .into_any()
}

/// A page for an error outside of any tenant. What is live is there as on any other page, if it can be loaded at all.
pub(crate) async fn refused(error: AppError) -> AnyView {
    set_status(error.kind);
    let live = frame::live_of_person().await.ok().flatten();
    let title = error_title(error.kind).to_owned();
    plain_frame(scope::session().ok().as_ref(), live, frame::theme(), title, error_page(&error, None))
}

fn refused_outside(error: AppError) -> AnyView {
    set_status(error.kind);
    Suspend::new(refused(error)).into_any()
}

/// What is shown in the place of a page that the person may not see: within the frame of the tenant, if it is theirs.
pub(crate) fn refused_page(error: AppError) -> AnyView {
    match scope::inside() {
        Ok(_) => tenant_page(Section::None, move |_| async move { Err(error) }),
        Err(_) => refused_outside(error),
    }
}

fn set_status(kind: ErrorKind) {
    if let Some(response) = use_context::<ResponseOptions>()
        && let Ok(status) = http::StatusCode::from_u16(kind.status())
    {
        response.set_status(status);
    }
}

/// Leads to another address of this site in place of a page.
pub(crate) fn see_other(address: &str) -> AnyView {
    if let Some(response) = use_context::<ResponseOptions>()
        && is_own_address(address)
        && let Ok(address) = http::HeaderValue::from_str(address)
    {
        response.insert_header(http::header::LOCATION, address);
        response.set_status(http::StatusCode::SEE_OTHER);
    }
    ().into_any()
}

/// Whether the address names a parameter and says nothing of it.
pub(crate) fn has_empty_parameter() -> bool {
    let map = use_query_map().get_untracked();
    map.into_iter().any(|(name, value)| value.is_empty() && name != "__err")
}

/// What is shown for an address that does not exist. The server answers with 404.
pub fn missing() -> AnyView {
    refused_outside(AppError::not_found("This address"))
}

/// The parameters of the address, by name. A refusal comes back to the address of its form, which may still tell of
/// something done before: then only the refusal counts.
pub(crate) fn query() -> impl Fn(&str) -> Option<String> + Send + 'static {
    let map = use_query_map().get_untracked();
    move |name| if name == "done" && map.get("__err").is_some() { None } else { map.get(name) }
}

/// What was done before this page was shown, as its address says.
pub(crate) fn done(query: &impl Fn(&str) -> Option<String>) -> Option<Done> {
    Done::read(&query("done")?)
}

/// A part of the path, by name.
pub(crate) fn path_part(name: &str) -> String {
    use_params_map().with_untracked(|map| map.get(name)).unwrap_or_default()
}

/// The refusal with which the form of a server function came back (without WebAssembly it travels in the address).
pub(crate) fn refusal<F: ServerFn>(query: &impl Fn(&str) -> Option<String>) -> Option<AppError> {
    let path = query("__path")?;
    if path != F::PATH {
        return None;
    }
    let encoded = query("__err")?;
    Some(ServerFnUrlError::<AppError>::decode_err(&encoded))
}
