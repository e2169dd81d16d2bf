//! Tenants and their connections.
#![allow(missing_docs, reason = "the macro makes a type per function whose fields are the parameters")]
#![expect(clippy::too_many_arguments, reason = "the arguments of a server function are the fields of its form")]

use leptos::prelude::*;
use leptos::server_fn::codec::Json;
use tenantatlas_domain::ids::TenantId;

use super::model::TenantEntry;
use crate::error::AppError;
#[cfg(feature = "ssr")]
use {
    super::connection_form::{ConnectionForm, CredentialForm, NewCredential, as_in_form, checked},
    super::load::entry,
    super::sync_answer::{Became, MOST_TENANTS, SyncAnswer},
    crate::{
        access::Rule,
        address,
        done::Done,
        filter::{ListFilter as _, tenant::TenantFilter},
        redirect::{go_to, go_to_with},
        scope,
    },
    tenantatlas_domain::{registry::registry, role::Action, selection::Selection},
    tenantatlas_engine::connection_problems,
    tenantatlas_store::tenants,
};

/// The tenants of this person, favourites first.
///
/// # Errors
/// Signed out; when the database fails.
#[server(prefix = "/api", endpoint = "my_tenants", input = Json)]
pub async fn my_tenants() -> Result<Vec<TenantEntry>, AppError> {
    let session = scope::session()?;
    let visible = tenants::list_visible(scope::engine()?.reader(), session.user_id).await?;
    Ok(visible.iter().map(entry).collect())
}
rule!(MyTenants, Rule::SignedIn);

/// Marks the tenant as favourite of this person, or not.
///
/// # Errors
/// Not found when the tenant does not exist for this person.
#[server(prefix = "/api", endpoint = "set_favourite")]
pub async fn set_favourite(#[server(default)] favourite: bool) -> Result<(), AppError> {
    let inside = scope::acting(Action::View)?;
    inside.engine.set_favourite(&inside.session.actor(), inside.id(), favourite).await?;
    go_to(address::HOME);
    Ok(())
}
rule!(SetFavourite, Rule::Member(Action::View));

/// Starts a sync of everything in each of these tenants: one command each, with its own right and its own audit entry, so
/// that one that is refused stops no other. Leads back to the list, which says what became of each.
///
/// # Errors
/// Signed out; none or too many were picked.
#[server(prefix = "/api", endpoint = "sync_tenants")]
pub async fn sync_tenants(
    #[server(default)] tenants: Vec<TenantId>,
    #[server(default)] back: String,
) -> Result<(), AppError> {
    let (engine, session) = (scope::engine()?, scope::session()?);
    if tenants.is_empty() {
        return Err(AppError::invalid("tenants", "Pick at least one tenant."));
    }
    if tenants.len() > MOST_TENANTS {
        return Err(AppError::invalid("tenants", format!("Pick {MOST_TENANTS} tenants at most.")));
    }
    let (actor, everything) = (session.actor(), Selection::full(registry()));
    let mut answer = SyncAnswer::default();
    for tenant in tenants {
        let outcome = engine.dispatch_sync(&actor, tenant, &everything).await;
        answer.0.push((Became::of(&outcome), tenant));
    }
    let filter = <TenantFilter>::of_address(&back);
    go_to(&address::with_query(address::HOME, filter.pairs().into_iter().chain(answer.pairs())));
    Ok(())
}
rule!(SyncTenants, Rule::SignedIn);

/// Makes a certificate for a tenant that this person is about to add, and leads to the page of adding, which has it in its
/// scripts. Platform administrators only.
///
/// # Errors
/// Forbidden; when the database fails.
#[server(prefix = "/api", endpoint = "make_certificate")]
pub async fn make_certificate() -> Result<(), AppError> {
    let session = scope::administrator()?;
    let id = scope::engine()?.make_certificate(&session.actor()).await?;
    go_to(&address::add_tenant_with(id));
    Ok(())
}
rule!(MakeCertificate, Rule::Administrator);

/// Adds a tenant. Platform administrators only.
///
/// # Errors
/// Forbidden; a value that is not acceptable.
#[server(prefix = "/api", endpoint = "add_tenant")]
pub async fn add_tenant(
    name: String,
    environment: String,
    cloud: String,
    #[server(default)] login_url: String,
    #[server(default)] graph_url: String,
    entra_id: String,
    client_id: String,
    credential_kind: String,
    #[server(default)] secret: String,
    #[server(default)] certificate: String,
    #[server(default)] private_key: String,
    #[server(default)] made_certificate: String,
) -> Result<(), AppError> {
    let session = scope::administrator()?;
    let connection = ConnectionForm { name, environment, cloud, login_url, graph_url, entra_id, client_id };
    let credential = CredentialForm { kind: credential_kind, secret, certificate, private_key };
    let (details, credential) = checked(connection, credential, &made_certificate)?;
    let (engine, actor) = (scope::engine()?, session.actor());
    let added = match credential {
        NewCredential::Entered(credential) => engine.add_tenant(&actor, &details, &credential).await,
        NewCredential::Made(certificate) => engine.add_tenant_by_made_certificate(&actor, &details, certificate).await,
    };
    let id = added.map_err(as_in_form)?;
    // The tenant is there whether or not its check can be started; the page it leads to offers the check too.
    let done = match engine.check_tenant(&actor, id, false).await {
        Ok(_) => Done::TenantAdded,
        Err(error) => {
            tracing::warn!(%error, tenant = %id, "the check of a new tenant could not be started");
            Done::TenantAddedUnchecked
        }
    };
    go_to_with(&address::tenant(id).settings(), done);
    Ok(())
}
rule!(AddTenant, Rule::Administrator);

/// Changes the name and the connection of a tenant, not its credential.
///
/// # Errors
/// Forbidden below manager; a value that is not acceptable.
#[server(prefix = "/api", endpoint = "edit_connection")]
pub async fn edit_connection(
    name: String,
    environment: String,
    cloud: String,
    #[server(default)] login_url: String,
    #[server(default)] graph_url: String,
    entra_id: String,
    client_id: String,
) -> Result<(), AppError> {
    let inside = scope::acting(Action::EditConnection)?;
    let details = ConnectionForm { name, environment, cloud, login_url, graph_url, entra_id, client_id }.details()?;
    AppError::all(connection_problems(&details, None).into_iter().map(as_in_form).collect())?;
    let cleared =
        inside.engine.update_tenant(&inside.session.actor(), inside.id(), &details).await.map_err(as_in_form)?;
    go_to_with(&inside.address().settings(), if cleared { Done::ConnectionMoved } else { Done::ConnectionSaved });
    Ok(())
}
rule!(EditConnection, Rule::Member(Action::EditConnection));

/// Puts a new secret or certificate in the place of the old one.
///
/// # Errors
/// Forbidden below manager; a credential that cannot be read.
#[server(prefix = "/api", endpoint = "rotate_credential")]
pub async fn rotate_credential(
    credential_kind: String,
    #[server(default)] secret: String,
    #[server(default)] certificate: String,
    #[server(default)] private_key: String,
) -> Result<(), AppError> {
    let inside = scope::acting(Action::EditConnection)?;
    let form = CredentialForm { kind: credential_kind, secret, certificate, private_key };
    let credential = form.credential().map_err(AppError::together)?;
    inside.engine.rotate_credential(&inside.session.actor(), inside.id(), &credential).await.map_err(as_in_form)?;
    go_to_with(&inside.address().settings(), Done::CredentialReplaced);
    Ok(())
}
rule!(RotateCredential, Rule::Member(Action::EditConnection));

/// Starts a check of the connection, and leads to the settings, which show how it goes: it asks Microsoft for a token and compares the granted
/// permissions with the needed ones, and reads the first page of each type if asked to. What is found is kept and shown by
/// the settings page.
///
/// # Errors
/// Forbidden below manager; without a credential; when the database fails. A connection that Microsoft refuses is a
/// finding, not an error.
#[server(prefix = "/api", endpoint = "test_connection")]
pub async fn test_connection(#[server(default)] types: bool) -> Result<(), AppError> {
    let inside = scope::acting(Action::EditConnection)?;
    inside.engine.check_tenant(&inside.session.actor(), inside.id(), types).await?;
    go_to(&inside.address().settings());
    Ok(())
}
rule!(TestConnection, Rule::Member(Action::EditConnection));

/// Removes a tenant with all its data. The name must be typed. Platform administrators only.
///
/// # Errors
/// Forbidden; the typed name does not fit.
#[server(prefix = "/api", endpoint = "remove_tenant")]
pub async fn remove_tenant(confirmation: String) -> Result<(), AppError> {
    let inside = scope::acting(Action::ManageMembers)?;
    scope::administrator()?;
    inside.engine.remove_tenant(&inside.session.actor(), inside.id(), &confirmation).await?;
    go_to_with(address::HOME, Done::TenantRemoved);
    Ok(())
}
rule!(RemoveTenant, Rule::AdministratorInside);
