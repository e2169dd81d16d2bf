//! What a person is told of sign-ins that had their password and came to no session: somebody else may know it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use tenantatlas_commands::Rate;
use tenantatlas_domain::ids::UserId;
use tenantatlas_domain::time::Timestamp;
use tenantatlas_store::pending_sign_ins::{self, Unfinished};
use tenantatlas_store::sessions::TokenHash;
use tenantatlas_store::{StoreError, Tx};

use super::Visitor;
use crate::account_notice::AccountNotice;
use crate::engine::Core;

/// Notices to one person: whoever goes on does not bury the others. The audit log has each sign-in.
const NOTICE_RATE: Rate = Rate { burst: 10, every: Duration::from_secs(600) };

impl Core {
    /// Tells people of sign-ins that ended without their second step, each person once. Answers whom.
    pub(crate) async fn tell_of_unfinished(
        &self,
        tx: &mut Tx,
        ended: Vec<Unfinished>,
        at: Timestamp,
    ) -> Result<BTreeSet<UserId>, StoreError> {
        let mut of_people: BTreeMap<UserId, (u32, Unfinished)> = BTreeMap::new();
        for one in ended {
            let times = of_people.get(&one.user_id).map_or(0, |(times, _)| *times);
            of_people.insert(one.user_id, (times + 1, one));
        }
        let mut told = BTreeSet::new();
        for (user, (times, Unfinished { address, user_agent, .. })) in of_people {
            if self.commands.take_rate(("second step missing", user), NOTICE_RATE).is_ok() {
                AccountNotice::SecondStepMissing { address, user_agent, times }.write(tx, user, at).await?;
                told.insert(user);
            }
        }
        Ok(told)
    }

    /// Tells a person at the first code of a waiting sign-in that does not fit.
    pub(super) async fn tell_of_wrong_code(
        &self,
        tx: &mut Tx,
        visitor: &Visitor,
        user: UserId,
        waiting: &TokenHash,
    ) -> Result<(), StoreError> {
        if !pending_sign_ins::tell(tx, waiting).await?
            || self.commands.take_rate(("second step missing", user), NOTICE_RATE).is_err()
        {
            return Ok(());
        }
        let address = visitor.address.to_string();
        let user_agent = visitor.user_agent.chars().take(300).collect();
        let notice = AccountNotice::SecondStepMissing { address, user_agent, times: 1 };
        notice.write(tx, user, self.commands.clock.now()).await
    }
}
