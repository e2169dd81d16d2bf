//! What the page of the endpoints shows.

use secrecy::SecretString;
use tenantatlas_domain::ids::DeliveryId;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::deliveries::{self, Attempt, Delivery};
use tenantatlas_store::endpoints::{self, Endpoint};
use tenantatlas_store::retention;

use crate::error::AppError;
use crate::scope::Inside;
use crate::session::origin::link_to_show;

/// Deliveries on one page.
const PAGE: u32 = 50;

/// The place in a log behind which a page begins.
pub type Before = Option<(Timestamp, DeliveryId)>;

/// The endpoints, by name.
///
/// # Errors
/// When the database fails.
pub async fn list(inside: &Inside) -> Result<Vec<Endpoint>, AppError> {
    Ok(endpoints::list(inside.engine.reader(), inside.id()).await?)
}

/// A page of what was sent to an endpoint.
pub struct Log {
    /// The messages, newest first.
    pub deliveries: Vec<Delivery>,
    /// Their attempts.
    pub attempts: Vec<Attempt>,
    /// Where the next page begins.
    pub next: Before,
    /// For how many days they are kept.
    pub kept_days: u32,
}

/// What was sent to an endpoint.
///
/// # Errors
/// When the database fails.
pub async fn log(inside: &Inside, endpoint: &Endpoint, before: Before) -> Result<Log, AppError> {
    let (db, tenant) = (inside.engine.reader(), inside.id());
    let mut found = deliveries::list(db, tenant, endpoint.id, before, PAGE + 1).await?;
    let more = found.len() > PAGE as usize;
    found.truncate(PAGE as usize);
    let ids: Vec<DeliveryId> = found.iter().map(|delivery| delivery.id).collect();
    let attempts = deliveries::attempts(db, tenant, &ids).await?;
    let next = found.last().filter(|_| more).map(|last| (last.created_at, last.id));
    let kept_days = retention::get(db).await?.delivery_days;
    Ok(Log { deliveries: found, attempts, next, kept_days })
}

/// The secret that this browser has just had made, with its endpoint: the one time that it is shown. Nothing but the secret of
/// an endpoint of this tenant is, whatever a cookie says.
///
/// # Errors
/// When the database fails.
pub async fn new_secret(inside: &Inside) -> Result<Option<(Endpoint, String)>, AppError> {
    let Some(text) = link_to_show() else { return Ok(None) };
    let secret = SecretString::from(text.clone());
    let found = inside.engine.endpoint_of_secret(inside.id(), &secret).await?;
    Ok(found.map(|endpoint| (endpoint, text)))
}
