//! A new tenant.

use leptos::prelude::*;
use tenantatlas_domain::app_registration::PublicCertificate;
use tenantatlas_engine::Engine;
use tenantatlas_store::pending_certificates::PendingCertificate;

use super::connection_form::{connection_fields, credential_fields, credential_of_new_tenant};
use super::consent_page::return_address;
use super::functions::{AddTenant, MakeCertificate};
use super::set_up::preparation;
use crate::error::AppError;
use crate::page::{plain_page, query, refusal};
use crate::session::current::CurrentSession;
use crate::ui::active_form::ActiveForm;
use crate::ui::card::section_card;
use crate::ui::drawn::Drawn as _;
use crate::ui::form::{FormRefusal, hidden_as_sent};
use crate::ui::note::confirm_note;
use crate::ui::time::moment;
use crate::{address, scope};

/// The form outside of the large one to which the button for a certificate belongs.
const MAKE: &str = "make-certificate";

/// What has to be prepared at Microsoft, and the form for what comes of it.
#[component]
pub fn AddTenantPage() -> impl IntoView {
    let query = query();
    let error = refusal::<AddTenant>(&query);
    let wanted = query("certificate");
    plain_page(move || async move {
        let session = scope::administrator()?;
        let engine = scope::engine()?;
        let (made, return_to) = (made(&engine, &session, wanted).await?, return_address(&engine));
        let action = address::function::<AddTenant>().to_owned();
        let make = address::function::<MakeCertificate>();
        let content = view! {
            <div class="page-head">
                <div>
                    <nav class="crumbs" aria-label="Breadcrumbs"><a href=address::HOME>"Tenants"</a></nav>
                    <h1>"Add a tenant"</h1>
                    <p class="lead">"TenantAtlas signs in as an application of the tenant, and only reads."</p>
                </div>
            </div>
            {confirm_note(&session, address::ADD_TENANT, "add a tenant")}
            <form id=MAKE method="post" action=make></form>
            <ActiveForm action class="form wide-form" error>
                {section_card("prepare", "1. Register the application at Microsoft", view! {
                    {credential_of_new_tenant()}
                    {certificate(made.as_ref())}
                    {preparation(made.as_ref().map(|(_, public)| public), return_to.as_deref())}
                })}
                {section_card("connect", "2. Enter what the script printed", view! {
                    <div class="form">
                        {connection_fields(None, true)}
                        {credential_fields()}
                        <div class="form-foot">
                            <button class="button primary">"Add the tenant"</button>
                            <span class="quiet-text">"The connection is checked at once. Then start the first sync."</span>
                        </div>
                    </div>
                })}
            </ActiveForm>
        }
        .drawn();
        Ok(("Add a tenant".to_owned(), content))
    })
}

/// The certificate that waits for this tenant: the one that the address names, else the newest of the person.
async fn made(
    engine: &Engine,
    session: &CurrentSession,
    wanted: Option<String>,
) -> Result<Option<(PendingCertificate, PublicCertificate)>, AppError> {
    let mut waiting = engine.made_certificates(session.user_id).await?;
    let named = wanted.and_then(|id| waiting.iter().position(|one| one.id.to_string() == id)).unwrap_or_default();
    if waiting.is_empty() {
        return Ok(None);
    }
    let one = waiting.swap_remove(named);
    Ok(PublicCertificate::of_pem(&one.certificate).map(|public| (one, public)))
}

/// The button that makes the certificate, or what there is to know of the one that was made.
fn certificate(made: Option<&(PendingCertificate, PublicCertificate)>) -> AnyView {
    let (class, label) = if made.is_some() {
        ("button small", "Make another certificate")
    } else {
        ("button primary", "Make the certificate")
    };
    let button = view! { <button class=class form=MAKE>{label}</button> };
    let content = match made {
        None => view! {
            <p>"This server makes a key and its certificate, and keeps the key sealed. The scripts then hold the public certificate."</p>
            <div class="actions">{button}</div>
        }
        .drawn(),
        Some((one, public)) => view! {
            {hidden_as_sent("made_certificate", one.id.to_string())}
            <p>
                "The certificate "<strong>{public.label()}</strong>" was made "{moment(one.created_at.as_millis())}
                " and is in the scripts below. It is for one tenant, and has to be used within a day."
            </p>
            <div class="actions">{button}</div>
        }
        .drawn(),
    };
    let refusal = use_context::<FormRefusal>().and_then(|FormRefusal(refusal)| refusal);
    let problem = refusal.and_then(|refusal| refusal.problem_of("made_certificate").map(ToOwned::to_owned));
    view! {
        <div class="stack" data-when="made">
            {content}
            <span class="field-error" id="made_certificate-error">{problem}</span>
        </div>
    }
    .drawn()
}
