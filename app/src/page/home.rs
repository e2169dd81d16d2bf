//! The first page after sign-in: the person's tenants and how complete their inventory is.

use crate::session::{CurrentSession, TenantSummary};
use leptos::prelude::*;
use leptos_meta::Title;

/// The frame with the person's tenants.
#[component]
pub fn Home() -> impl IntoView {
    let session = use_context::<CurrentSession>().unwrap_or_default();
    let cards: Vec<_> = session.tenants.iter().map(card).collect();
    let empty = cards.is_empty();
    view! {
        <Title text="Tenants" />
        <a class="skip" href="#main">"Skip to the content"</a>
        <div class="frame plain">
            <header class="top">
                <a class="brand" href="/">"TenantAtlas"</a>
                <span class="spring"></span>
                <span class="person">{session.name}</span>
                <form method="post" action="/sign-out">
                    <button class="button quiet">"Sign out"</button>
                </form>
            </header>
            <main id="main" class="main">
                <h1>"Tenants"</h1>
                {empty
                    .then(|| {
                        view! {
                            <p>
                                "No tenant is yours yet. Somebody who administers the platform can add one: "
                                <code>"tenantatlas tenant add"</code>
                            </p>
                        }
                    })}
                <ul class="tenant-list">{cards}</ul>
                <crate::island::ThemeSwitch />
            </main>
        </div>
    }
}

fn card(tenant: &TenantSummary) -> impl IntoView + use<> {
    let read = match (tenant.types, &tenant.last_read) {
        (Some((read, of)), Some(at)) => {
            let (at, shown) = (at.clone(), utc(at));
            view! {
                <p>
                    {format!("{} items, {} missing, {read} of {of} types read", tenant.items, tenant.missing)}
                    <br />
                    <time datetime=at>{shown}</time>
                </p>
            }
            .into_any()
        }
        _ => view! { <p>"Never read to the end."</p> }.into_any(),
    };
    view! {
        <li class="card">
            <h2>{tenant.name.clone()}</h2>
            <p>
                <span class="badge">{tenant.environment.clone()}</span>
                " "
                {tenant.role.clone()}
            </p>
            {read}
        </li>
    }
}

/// `2026-11-20 22:15 UTC` from RFC 3339: the same text on every machine.
fn utc(rfc3339: &str) -> String {
    match (rfc3339.get(..10), rfc3339.get(11..16)) {
        (Some(day), Some(time)) => format!("{day} {time} UTC"),
        _ => rfc3339.to_owned(),
    }
}
