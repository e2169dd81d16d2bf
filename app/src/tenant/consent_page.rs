//! Where Microsoft leads back to when an administrator has consented, or has not.

use leptos::prelude::*;
use tenantatlas_domain::ids::TenantId;
use tenantatlas_engine::Engine;

use crate::address;
use crate::page::{plain_page, query, see_other};
use crate::ui::drawn::Drawn as _;
use crate::ui::note::note;

/// The address of this page as applications register it. None where people reach this site by an address that is not known here
/// ([`Engine::public_url`]), or that Microsoft takes from no application: anything but https, this machine aside
/// (<https://learn.microsoft.com/entra/identity-platform/reply-url>).
#[must_use]
pub fn return_address(engine: &Engine) -> Option<String> {
    let site = engine.public_url()?;
    let own_machine = site.host_str().is_some_and(|host| host == "localhost");
    (site.scheme() == "https" || own_machine).then(|| site.join(address::CONSENT).ok().map(String::from)).flatten()
}

/// Leads on to the settings of the tenant that was named when the person left. What Microsoft says of it is no proof: the check of
/// the connection tells what is granted.
#[component]
pub fn ConsentPage() -> impl IntoView {
    let query = query();
    let settings = query("state").and_then(|id| id.parse::<TenantId>().ok()).map(|id| address::tenant(id).settings());
    let refused = query("error").is_some();
    match settings {
        Some(settings) if !refused => see_other(&settings),
        settings => plain_page(move || async move {
            let words = if refused {
                "Microsoft says that consent was not given. An administrator of the tenant can try again."
            } else {
                "This page is where Microsoft leads back to after admin consent. The settings of the tenant check what is granted."
            };
            let (label, href) =
                settings.map_or(("All tenants", address::HOME.to_owned()), |href| ("Settings of the tenant", href));
            let content = view! {
                <div class="page-head"><h1>"Admin consent"</h1></div>
                {note(if refused { "warn" } else { "info" }, words)}
                <p class="actions"><a class="button" href=href>{label}</a></p>
            }
            .drawn();
            Ok(("Admin consent".to_owned(), content))
        }),
    }
}
