//! What has to be prepared at Microsoft before a tenant can be read: the application, its permissions, their consent.

use leptos::prelude::*;
use tenantatlas_domain::app_registration::{PublicCertificate, ScriptCredential, ScriptShell, script};
use tenantatlas_domain::registry::registry;

use crate::ui::drawn::Drawn as _;
use crate::ui::icon::Icon;

/// App registrations in the Microsoft Entra admin center.
const APP_REGISTRATIONS: &str = "https://entra.microsoft.com/#view/Microsoft_AAD_RegisteredApps/ApplicationsListBlade/quickStartType~/null/sourceType/Microsoft_AAD_IAM";
/// A shell in the browser that has the Azure CLI.
const CLOUD_SHELL: &str = "https://shell.azure.com/bash";

/// A link to a site of Microsoft's.
fn at_microsoft(address: &'static str, words: &'static str) -> AnyView {
    view! { <a href=address target="_blank" rel="noopener noreferrer">{words}<span class="visually-hidden">" (Microsoft, new tab)"</span></a> }
        .drawn()
}

/// The scripts that do it, and how it is done by hand. Which one is shown follows the choice in the form around them; the one for
/// a certificate that is made here is there once it was made.
pub fn preparation(made: Option<&PublicCertificate>, return_to: Option<&str>) -> AnyView {
    let there = if made.is_some() { "made secret" } else { "secret" };
    view! {
        <div class="stack">
            <div class="stack" data-when=there>
                <p>
                    "Run this script, signed in to the tenant as a Global Administrator. It registers the application with its credential, grants the permissions with admin consent, and prints what to enter below. It opens in "
                    {at_microsoft(CLOUD_SHELL, "Azure Cloud Shell")}" without installing anything."
                </p>
                {ScriptShell::ALL.into_iter().map(|shell| scripts(shell, made, return_to)).collect_view()}
            </div>
            {by_hand(made, return_to)}
        </div>
    }
    .drawn()
}

/// The scripts for a shell, of which the style sheet shows the one that fits the chosen credential.
fn scripts(shell: ScriptShell, made: Option<&PublicCertificate>, return_to: Option<&str>) -> AnyView {
    let permissions = registry().connection_permissions();
    let name = match shell {
        ScriptShell::AzureCli => "azure-cli",
        ScriptShell::PowerShell => "powershell",
    };
    let certificate = made.map(|made| ("made", ScriptCredential::Certificate(made)));
    let texts = certificate
        .into_iter()
        .chain([("secret", ScriptCredential::Secret)])
        .map(|(kind, credential)| {
            let id = format!("script-{name}-{kind}");
            let with = if kind == "made" { "the certificate of this server" } else { "a client secret" };
            let label = format!("Script for {}, with {with}", shell.label());
            let text = script(shell, credential, &permissions, return_to);
            view! {
                <div class="script" data-when=kind>
                    <button class="button small copy" type="button" data-copy=id.clone()>{Icon::Copy.view()}<span aria-live="polite">"Copy"</span></button>
                    <pre id=id tabindex="0" role="region" aria-label=label><code>{text}</code></pre>
                </div>
            }
        })
        .collect_view();
    view! {
        <details name="script" open=shell == ScriptShell::AzureCli>
            <summary>{shell.label()}</summary>
            {texts}
        </details>
    }
    .drawn()
}

fn by_hand(made: Option<&PublicCertificate>, return_to: Option<&str>) -> AnyView {
    let permissions = registry().connection_permissions();
    let count = permissions.len();
    let rows =
        permissions.into_iter().map(|one| view! { <li><span class="identifier">{one.name}</span></li> }).collect_view();
    view! {
        <details>
            <summary>"By hand, in the Microsoft Entra admin center"</summary>
            <ol class="steps">
                <li>"Open "{at_microsoft(APP_REGISTRATIONS, "App registrations")}" and select New registration, for accounts in this directory only. Note its application (client) ID and the directory (tenant) ID."</li>
                <li>{format!("Under API permissions, add these {count} application permissions of Microsoft Graph, then select Grant admin consent.")}<ul class="rows">{rows}</ul></li>
                <li>"Under Certificates & secrets, upload a certificate or create a client secret."</li>
            </ol>
            {made.map(certificate_to_upload)}
            {return_to.map(|address| view! {
                <p>"Under Authentication, add this Web redirect URI, to which Microsoft leads back after admin consent: "<span class="identifier">{address.to_owned()}</span></p>
            })}
            <p class="quiet-text">"Without one of the permissions only the types that need it are left out. The connection check names them."</p>
        </details>
    }
    .drawn()
}

/// The public certificate, for who uploads it by hand.
fn certificate_to_upload(made: &PublicCertificate) -> AnyView {
    view! {
        <div class="script" data-when="made">
            <p>"The certificate to upload, as a file whose name ends in .pem:"</p>
            <button class="button small copy" type="button" data-copy="public-certificate">{Icon::Copy.view()}<span aria-live="polite">"Copy"</span></button>
            <pre id="public-certificate" tabindex="0" role="region" aria-label="Public certificate"><code>{made.pem()}</code></pre>
        </div>
    }
    .drawn()
}
