//! The session in which a run reads, and what becomes of it when Graph refuses the sign-in.

use std::sync::{Arc, OnceLock};

use tenantatlas_domain::reason::ReasonCode;
use tenantatlas_graph::{GraphClient, GraphError, GraphSession, RequestCounter};
use tenantatlas_runs::{RunContext, Stop};
use tenantatlas_store::Vault;

use crate::tenants::connection;

/// Whether the sign-in of a run was refused: nothing more is asked then.
#[derive(Debug, Default)]
pub(crate) struct SignIn(OnceLock<GraphError>);

impl SignIn {
    /// Why it was refused.
    pub(crate) fn refused(&self) -> Option<&GraphError> {
        self.0.get()
    }

    /// Tells a sign-in that is lost, after which nothing more is asked, from a refusal of one address: a 401 of one service
    /// while others accept the token. `accepted` is how often it was accepted before the address was asked.
    pub(crate) async fn judge(&self, session: &GraphSession, mut error: GraphError, accepted: u64) -> GraphError {
        if error.reason != ReasonCode::AuthFailed {
            return error;
        }
        if error.by_graph && self.refused().is_none() {
            match session.is_accepted_elsewhere(accepted).await {
                Err(cancelled) => return cancelled,
                Ok(true) => {
                    error.reason = ReasonCode::ContractInvalid;
                    error.message = format!("This address alone refuses the sign-in: {}", error.message);
                    return error;
                }
                Ok(false) => {}
            }
        }
        let _ = self.0.set(error.clone());
        error
    }
}

/// A counter of the requests of a run, which keeps with the run when Microsoft let nothing in.
pub(crate) fn counter(context: &Arc<RunContext>) -> RequestCounter {
    let context = Arc::clone(context);
    RequestCounter::telling_pauses(move |length| context.paused(length))
}

/// Opens the session of a run and asks for a token; with the application permissions of it, where it shows them. A refused
/// sign-in is no stop: every type is settled with that reason.
///
/// # Errors
/// [`Stop::Cancelled`], and what [`connection::open_for`] says.
pub(crate) async fn sign_in(
    graph: &GraphClient,
    vault: &Vault,
    context: &Arc<RunContext>,
) -> Result<(GraphSession, SignIn, Option<Vec<String>>), Stop> {
    let (_, connection) = connection::open_for(context, vault).await?;
    let session = graph.session(connection, counter(context), context.cancellation().clone());
    let sign_in = SignIn::default();
    let granted = match session.granted_roles().await {
        // Where the token shows no roles, Graph itself will tell what is missing.
        Ok(granted) => granted,
        Err(error) if error.reason == ReasonCode::Cancelled => return Err(Stop::Cancelled),
        Err(error) => {
            let _ = sign_in.0.set(error);
            None
        }
    };
    Ok((session, sign_in, granted))
}

/// Counts what a session has asked of Graph for whoever watches the process, once its attempt ends.
pub(crate) fn count_requests(session: &GraphSession) {
    let cost = session.counter().read();
    metrics::counter!("graph_requests_total").increment(cost.requests);
    metrics::counter!("graph_retries_total").increment(cost.retries);
    metrics::counter!("graph_throttled_total").increment(cost.throttled);
}
