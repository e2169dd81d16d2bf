//! What the palette asks for.
#![allow(missing_docs, reason = "the macro makes a type per function whose fields are the parameters")]

use leptos::prelude::*;
use leptos::server_fn::codec::Json;

use super::model::PaletteEntry;
use crate::error::AppError;
#[cfg(feature = "ssr")]
use {
    super::load,
    crate::{access::Rule, scope},
};

/// What fits a text, of everything that this person may see: pages, actions, tenants, and in a tenant its saved views,
/// types, groups and items.
///
/// # Errors
/// Signed out; when the database fails.
#[server(prefix = "/api", endpoint = "palette", input = Json)]
pub async fn palette(text: String) -> Result<Vec<PaletteEntry>, AppError> {
    let session = scope::session()?;
    load::entries(&scope::engine()?, &session, scope::inside().ok().as_ref(), &text).await
}
rule!(Palette, Rule::SignedIn);
