//! The server functions: all that a screen can ask for or do. Each only hands over to [`crate::service`], which
//! authorises, calls the engine or the store, and says what went wrong.
//!
//! Those behind forms take form encoding and answer with a redirect, so that they work without WebAssembly; those that
//! only islands call take JSON. Functions of a tenant are reached below the tenant's address
//! (`/t/{tenant}/api/…`), and what they name in their payload must lie in that tenant.
#![allow(missing_docs, reason = "the macro makes a type per function whose fields are the parameters")]

mod me;
mod members;
mod notifications;
mod runs;
mod second_factor;
mod session;
mod tenants;
mod users;

pub use me::{ChangePassword, EndSession, SetFavourite, SetTheme, UpdateProfile, set_theme};
pub use members::{AddMember, ChangeMember, RemoveMember};
pub use notifications::{MarkAllRead, MarkRead, mark_all_read, mark_read, notifications};
pub use runs::{CancelRun, RetryRun, StartSync, cancel_run, load_picker, load_run, start_sync};
pub use second_factor::{
    BeginSecondFactor, ConfirmSecondFactor, KeepRecoveryCodes, NewRecoveryCodes, RemoveSecondFactor, ResetSecondFactor,
};
pub use session::{
    CheckSession, ClaimFirstAdmin, Confirm, SignIn, SignInCode, SignInSetUp, SignOut, SignOutEverywhere, check_session,
};
pub use tenants::{AddTenant, EditConnection, RemoveTenant, RotateCredential, TestConnection, my_tenants};
pub use users::{AddUser, ChangeUser, RemoveUser, ResetPassword};
