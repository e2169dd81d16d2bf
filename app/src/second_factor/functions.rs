//! One's own second factor.
#![allow(missing_docs, reason = "the macro makes a type per function whose fields are the parameters")]

use crate::error::AppError;
#[cfg(feature = "ssr")]
use crate::{
    access::Rule,
    address,
    done::Done,
    redirect::{go_to, go_to_with},
    scope,
    session::origin::origin,
};
use leptos::prelude::*;

/// Begins to set it up.
///
/// # Errors
/// Signed out; to be confirmed; there is one already.
#[server(prefix = "/api", endpoint = "begin_second_factor")]
pub async fn begin_second_factor() -> Result<(), AppError> {
    let session = scope::session()?;
    scope::engine()?.begin_second_factor(&session.actor()).await?;
    go_to(address::SECOND_FACTOR);
    Ok(())
}
rule!(BeginSecondFactor, Rule::SignedIn);

/// Puts it in force with its first code.
///
/// # Errors
/// Signed out; to be confirmed; the code does not fit.
#[server(prefix = "/api", endpoint = "confirm_second_factor")]
pub async fn confirm_second_factor(code: String) -> Result<(), AppError> {
    let session = scope::session()?;
    scope::engine()?.confirm_second_factor(&session.actor(), &origin()?.visitor, &code).await?;
    go_to_with(address::SECOND_FACTOR, Done::SecondFactorAdded);
    Ok(())
}
rule!(ConfirmSecondFactor, Rule::SignedIn);

/// Takes it away, with a code.
///
/// # Errors
/// Signed out; to be confirmed; the code does not fit; the rules of the server want one.
#[server(prefix = "/api", endpoint = "remove_second_factor")]
pub async fn remove_second_factor(code: String) -> Result<(), AppError> {
    let session = scope::session()?;
    scope::engine()?.remove_second_factor(&session.actor(), &origin()?.visitor, &code).await?;
    go_to_with(address::SECOND_FACTOR, Done::SecondFactorRemoved);
    Ok(())
}
rule!(RemoveSecondFactor, Rule::SignedIn);

/// Makes new recovery codes and shows them.
///
/// # Errors
/// Signed out; to be confirmed; there is no second factor.
#[server(prefix = "/api", endpoint = "new_recovery_codes")]
pub async fn new_recovery_codes() -> Result<(), AppError> {
    let session = scope::session()?;
    scope::engine()?.new_recovery_codes(&session.actor()).await?;
    go_to(address::SECOND_FACTOR);
    Ok(())
}
rule!(NewRecoveryCodes, Rule::SignedIn);

/// Puts the recovery codes that are shown in force.
///
/// # Errors
/// Signed out; to be confirmed; none are shown.
#[server(prefix = "/api", endpoint = "keep_recovery_codes")]
pub async fn keep_recovery_codes() -> Result<(), AppError> {
    let session = scope::session()?;
    scope::engine()?.keep_recovery_codes(&session.actor()).await?;
    go_to_with(address::SECOND_FACTOR, Done::RecoveryCodesReplaced);
    Ok(())
}
rule!(KeepRecoveryCodes, Rule::SignedIn);
