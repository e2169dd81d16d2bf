//! The one-time link that makes the first administrator of a server on which nobody can sign in yet.

use std::net::SocketAddr;
use std::time::Duration;

use tenantatlas_domain::time::Timestamp;
use tenantatlas_engine::{Engine, new_token};
use tenantatlas_store::one_time_links::FirstAdministrator;

use crate::exit::Exit;

/// How long the link works.
const LIFETIME: Duration = Duration::from_secs(24 * 3_600);
/// Processes that start within this time start together: one of them makes the link.
const TOGETHER: Duration = Duration::from_secs(30);

/// What is said at the start of a server on which nobody can sign in; `None` when somebody can. The link is said once, by
/// the process that made it, and kept nowhere: the database holds its hash. Earlier ones stop working.
///
/// # Errors
/// When the database fails.
pub async fn invitation(engine: &Engine, address: SocketAddr) -> Result<Option<String>, Exit> {
    let (token, hash) = new_token();
    let now = engine.now();
    let until = Timestamp::from_millis(now.as_millis() + i64::try_from(LIFETIME.as_millis()).unwrap_or_default());
    let made = engine.create_first_administrator_link(&hash, TOGETHER, until).await?;
    Ok(match made {
        FirstAdministrator::NotNeeded => None,
        FirstAdministrator::Made => Some(format!(
            "Nobody can sign in yet. Make the first administrator here, once, within a day:\n\n  http://{address}/welcome/{token}"
        )),
        FirstAdministrator::MadeElsewhere(at) => Some(format!(
            "Nobody can sign in yet. The link for the first administrator was printed at {} by the process that made it; for a new one, start again in {} seconds.",
            at.to_rfc3339(),
            TOGETHER.as_secs()
        )),
    })
}
