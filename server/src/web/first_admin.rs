//! The one-time link that makes the first administrator of a server on which nobody can sign in yet.

use crate::exit::Exit;
use std::{net::SocketAddr, time::Duration};
use tenantatlas_app::auth;
use tenantatlas_engine::Engine;
use tenantatlas_store::{
    one_time_links::{self, Purpose},
    users,
};

/// How long the link works.
const LIFETIME: Duration = Duration::from_secs(24 * 3_600);

/// Makes a new link when there is nobody yet; earlier ones stop working. The link is printed once and kept nowhere: the
/// database holds its hash.
///
/// # Errors
/// When the database fails.
pub async fn link(engine: &Engine, address: SocketAddr) -> Result<Option<String>, Exit> {
    if !users::list(engine.db()).await?.is_empty() {
        return Ok(None);
    }
    let (token, hash) = auth::new_token();
    let now = engine.now();
    let mut tx = engine.db().write().await?;
    let until = auth::after(now, LIFETIME);
    one_time_links::create(&mut tx, &hash, Purpose::FirstAdministrator, None, now, until).await?;
    tx.commit().await?;
    Ok(Some(format!("http://{address}/welcome/{token}")))
}
