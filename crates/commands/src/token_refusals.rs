//! What tokens of the API are refused, in the audit log. A program that goes on with a token that is worth nothing any more does
//! so for years, in any number of places at once, and nobody can take entries back: the same refusal of a token is written once
//! an hour, whichever processes it meets, and how often it came again when the hour is over.

use std::time::Duration;

use serde_json::json;
use tenantatlas_store::api_token_refusals::{self, CountedRefusal, NotedRefusal};
use tenantatlas_store::{StoreError, Tx, api_tokens};
use uuid::Uuid;

use crate::actor::Actor;
use crate::audit_entry::AuditEntry;
use crate::commands::Commands;

/// The same refusal of a token is written once in this time.
const WINDOW: Duration = Duration::from_secs(3_600);
/// Refusals of which is told in one go, at most.
const AT_ONCE: u32 = 100;

impl Commands {
    /// Appends an entry that tells of so many refusals of a token, unless the same was written within the hour: then they are
    /// counted.
    pub(crate) async fn append_of_token(
        &self,
        actor: &Actor,
        token: Uuid,
        entry: AuditEntry,
        refusals: u64,
    ) -> Result<(), StoreError> {
        let mut tx = self.db.write().await?;
        let refusal = entry.refusal_of(token);
        let noted = api_token_refusals::note(&mut tx, &refusal, refusals, self.clock.now(), WINDOW).await?;
        if let NotedRefusal::Tell(before) = noted {
            if let Some(before) = before {
                self.tell_counted(&mut tx, actor, &before).await?;
            }
            self.record(&mut tx, actor, entry.with(json!({ "token": token }))).await?;
        }
        tx.commit().await
    }

    /// Writes how often tokens were refused the same again, of every hour that is over. For the housekeeping: a program that
    /// has stopped asking is told of as well.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn tell_counted_refusals(&self) -> Result<(), StoreError> {
        for id in api_token_refusals::over(&self.db, self.clock.now(), WINDOW, AT_ONCE).await? {
            let mut tx = self.db.write().await?;
            let over = api_token_refusals::close(&mut tx, id, self.clock.now(), WINDOW).await?;
            if let Some(over) = over.filter(|over| over.counted > 0)
                && let Some(token) = api_tokens::get(&mut tx, over.refusal.token_id).await?
            {
                let owner = token.user_id.zip(token.owner_email);
                self.tell_counted(&mut tx, &Actor::token(token.id, token.name, owner), &over).await?;
            }
            tx.commit().await?;
        }
        Ok(())
    }

    /// They may have come from anywhere: the entry names no address.
    async fn tell_counted(&self, tx: &mut Tx, actor: &Actor, counted: &CountedRefusal) -> Result<(), StoreError> {
        self.record(tx, &actor.clone().from_address(None), AuditEntry::of_counted(counted)).await
    }
}
