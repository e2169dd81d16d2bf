//! Bytes of answers, bounded in sum: over all tenants of a process, not only for each answer.
//!
//! An [`Account`] takes memory *before* it reads on, and gives it back when what was read is gone. Two rules keep readers
//! from waiting for one another for ever:
//! - **taking never waits**. Where there is no memory the reader lets its answer go, connection and all, and waits for the
//!   right to read the largest answer there may be; then it asks again. A wait holds up no connection, no stream of
//!   HTTP/2 and no place among the requests under way;
//! - **one account at a time may go on whatever the others hold**: a part of the budget of the size of the largest
//!   account is kept for it. So of all that hold some and wait for more, one always comes to its end and gives back.
//!
//! Whoever holds memory of one budget may wait for another budget, but always in the same order: a page first, then what is
//! read below it (see [`crate::GraphSession::on_workbench`]).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::value_size::value_size;

/// The grain of the budget, in bytes.
const GRAIN: usize = 1024;
/// Memory is taken in steps of this many bytes, so that a small answer costs one step.
const STEP: usize = 64 * 1024;

/// Memory for answers, shared by a process.
#[derive(Debug)]
pub(crate) struct ByteBudget {
    /// Grains that any account may take.
    common: Arc<Semaphore>,
    /// The right to go on when there is no memory: the part of the budget that is kept for one account.
    last: Arc<Semaphore>,
    common_bytes: usize,
    /// The most that one account may hold, in bytes.
    limit: usize,
}

/// Why no memory was taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoMemory {
    /// Others hold it: see [`Account::wait`].
    Now,
    /// More than one account may ever hold, in bytes.
    Ever(usize),
}

impl ByteBudget {
    /// In all `common + limit` bytes, of which one account holds at most `limit`.
    pub(crate) fn new(common: usize, limit: usize) -> Arc<Self> {
        let grains = (common / GRAIN).clamp(1, Semaphore::MAX_PERMITS);
        let (shared, last) = (Arc::new(Semaphore::new(grains)), Arc::new(Semaphore::new(1)));
        Arc::new(Self { common: shared, last, common_bytes: grains * GRAIN, limit })
    }

    /// An account that holds nothing yet.
    pub(crate) fn open(self: &Arc<Self>) -> Arc<Account> {
        Arc::new(Account { budget: Arc::clone(self), held: Mutex::default(), waiting: tokio::sync::Mutex::default() })
    }
}

/// What one page, or all that is read below some items, holds of a budget. Everything is given back when it is dropped.
#[derive(Debug)]
pub(crate) struct Account {
    budget: Arc<ByteBudget>,
    held: Mutex<Held>,
    /// Readers of one account wait once for all of them.
    waiting: tokio::sync::Mutex<()>,
}

#[derive(Debug, Default)]
struct Held {
    /// Bytes that are in use.
    used: usize,
    /// What covers them.
    common: Option<OwnedSemaphorePermit>,
    last: Option<OwnedSemaphorePermit>,
}

impl Held {
    fn granted(&self, limit: usize) -> usize {
        let common = self.common.as_ref().map_or(0, |permit| permit.num_permits() * GRAIN);
        if self.last.is_some() { limit } else { common.min(limit) }
    }
}

impl Account {
    /// Takes memory for so many more bytes, at once or not at all.
    pub(crate) fn take(&self, bytes: usize) -> Result<(), NoMemory> {
        let limit = self.budget.limit;
        let mut held = self.held();
        let wanted = held.used.saturating_add(bytes);
        if wanted > limit {
            return Err(NoMemory::Ever(limit));
        }
        let granted = held.granted(limit);
        if wanted > granted {
            let step = (wanted - granted).next_multiple_of(STEP).min((limit - granted).next_multiple_of(GRAIN));
            let permit =
                Arc::clone(&self.budget.common).try_acquire_many_owned(grains(step)).map_err(|_| NoMemory::Now)?;
            merge(&mut held.common, permit);
        }
        held.used = wanted;
        Ok(())
    }

    /// Waits for the right to take all that an account may hold. First come, first served.
    pub(crate) async fn wait(&self) {
        let _one_at_a_time = self.waiting.lock().await;
        let limit = self.budget.limit;
        let missing = {
            let mut held = self.held();
            // Who waits with nothing in use holds nothing.
            if held.used == 0 {
                held.common = None;
            }
            limit - held.granted(limit)
        };
        if missing == 0 {
            return;
        }
        // More than the whole common part cannot come from there.
        let from_common = async {
            if missing > self.budget.common_bytes {
                return std::future::pending().await;
            }
            Arc::clone(&self.budget.common).acquire_many_owned(grains(missing)).await
        };
        tokio::select! {
            biased;
            Ok(permit) = from_common => merge(&mut self.held().common, permit),
            Ok(permit) = Arc::clone(&self.budget.last).acquire_owned() => {
                let mut held = self.held();
                held.last = Some(permit);
                // The part that is kept covers everything.
                held.common = None;
            }
            else => {}
        }
    }

    /// Gives back what was taken for so many bytes.
    pub(crate) fn give_back(&self, bytes: usize) {
        let mut held = self.held();
        held.used = held.used.saturating_sub(bytes);
    }

    /// Keeps no more than what is in use, when nothing more will be taken.
    pub(crate) fn settle(&self) {
        let mut held = self.held();
        let needed = held.used.div_ceil(GRAIN);
        if held.last.is_some() {
            // What fits into the common part leaves the other to whoever waits for it.
            let Ok(permit) = Arc::clone(&self.budget.common).try_acquire_many_owned(grains(held.used)) else { return };
            held.common = Some(permit);
            held.last = None;
        }
        if let Some(permit) = &mut held.common {
            drop(permit.split(permit.num_permits().saturating_sub(needed)));
        }
    }

    fn held(&self) -> MutexGuard<'_, Held> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn merge(to: &mut Option<OwnedSemaphorePermit>, permit: OwnedSemaphorePermit) {
    match to {
        Some(already) => already.merge(permit),
        None => *to = Some(permit),
    }
}

fn grains(bytes: usize) -> u32 {
    u32::try_from(bytes.div_ceil(GRAIN)).unwrap_or(u32::MAX)
}

/// Where the bytes of answers are counted, while they are read and for as long as they are kept.
#[derive(Clone, Debug)]
pub(crate) struct Reservation {
    account: Arc<Account>,
    /// Whether the text becomes JSON values, which take memory of their own.
    values: bool,
}

impl Reservation {
    /// For one answer that stays text, and gives its bytes back when it is dropped.
    pub(crate) fn of_text(account: Arc<Account>) -> Self {
        Self { account, values: false }
    }

    /// For answers that become JSON values; these count until the account is dropped.
    pub(crate) fn of_values(account: Arc<Account>) -> Self {
        Self { account, values: true }
    }

    /// Takes memory for so many bytes, at once or not at all.
    pub(crate) fn take(&self, bytes: usize) -> Result<(), NoMemory> {
        self.account.take(bytes)
    }

    /// Takes the first step in advance, so that nothing is asked for in vain. `false` where there is no memory for it.
    pub(crate) fn begin(&self) -> bool {
        match self.take(1) {
            Ok(()) => {
                self.account.give_back(1);
                true
            }
            Err(NoMemory::Now) => false,
            // Whoever reads is told.
            Err(NoMemory::Ever(_)) => true,
        }
    }

    /// Waits for the right to read the largest answer there may be.
    pub(crate) async fn wait(&self) {
        self.account.wait().await;
    }

    /// Gives back what was taken in advance, when nothing is being read.
    pub(crate) fn settle(&self) {
        if !self.values {
            self.account.settle();
        }
    }
}

/// The memory that one answer takes. Given back when it is dropped, unless it is kept.
#[derive(Debug)]
pub(crate) struct Charge {
    reservation: Reservation,
    text: usize,
    /// What its JSON values take besides.
    values: AtomicUsize,
}

impl Charge {
    pub(crate) fn new(reservation: &Reservation) -> Self {
        Self { reservation: reservation.clone(), text: 0, values: AtomicUsize::new(0) }
    }

    /// Takes more, or gives some back, so that it is this much text.
    pub(crate) fn resize(&mut self, text: usize) -> Result<(), NoMemory> {
        if text > self.text {
            self.reservation.take(text - self.text)?;
        } else {
            self.reservation.account.give_back(self.text - text);
        }
        self.text = text;
        Ok(())
    }

    /// Takes memory for the JSON values that the text becomes, before they are made. Where it stays text nothing is taken.
    pub(crate) fn value(&mut self, text: &str) -> Result<(), NoMemory> {
        if self.reservation.values {
            let size = value_size(text);
            self.reservation.take(size)?;
            *self.values.get_mut() += size;
        }
        Ok(())
    }

    /// The answer was understood: its JSON values count to the account from now on, whatever happens to the text.
    pub(crate) fn keep_values(&self) {
        self.values.store(0, Ordering::Relaxed);
    }
}

impl Drop for Charge {
    fn drop(&mut self) {
        self.reservation.account.give_back(self.text + *self.values.get_mut());
    }
}

/// Memory that bytes of answers take, held for whatever was made of them: it goes back when the last clone is dropped.
#[derive(Clone, Debug)]
pub struct HeldBytes(#[allow(dead_code, reason = "held, not read")] Holder);

#[derive(Clone, Debug)]
#[allow(dead_code, reason = "held, not read")]
enum Holder {
    Answer(Arc<Charge>),
    Workbench(Arc<Account>),
}

impl HeldBytes {
    pub(crate) fn of_answer(charge: Arc<Charge>) -> Self {
        Self(Holder::Answer(charge))
    }

    pub(crate) fn of_workbench(account: Arc<Account>) -> Self {
        Self(Holder::Workbench(account))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicUsize;
    use std::time::Duration;

    use futures::future::join_all;
    use proptest::prelude::*;
    use tokio::time::timeout;

    use super::*;

    const KIB: usize = 1024;

    fn is_free(budget: &ByteBudget) -> bool {
        budget.common.available_permits() * GRAIN == budget.common_bytes && budget.last.available_permits() == 1
    }

    /// Bytes that the accounts of a budget hold together.
    fn held(budget: &ByteBudget) -> usize {
        let last = (1 - budget.last.available_permits()) * budget.limit;
        budget.common_bytes - budget.common.available_permits() * GRAIN + last
    }

    /// Reads so much as a body is read: in steps, letting everything go and beginning anew where there is no memory.
    async fn read(account: &Account, total: usize) -> Result<(), usize> {
        loop {
            let mut have = 0;
            while have < total {
                let step = (total - have).min(64 * KIB);
                match account.take(step) {
                    Ok(()) => have += step,
                    Err(NoMemory::Ever(limit)) => return Err(limit),
                    Err(NoMemory::Now) => break,
                }
                tokio::task::yield_now().await;
            }
            if have == total {
                account.settle();
                return Ok(());
            }
            account.give_back(have);
            account.wait().await;
        }
    }

    #[test]
    fn what_is_taken_is_given_back_in_every_way() {
        let budget = ByteBudget::new(1024 * KIB, 512 * KIB);
        let account = budget.open();
        assert_eq!(account.take(100 * KIB), Ok(()));
        assert_eq!(held(&budget), 128 * KIB, "memory is taken in steps");
        account.settle();
        assert_eq!(held(&budget), 100 * KIB);
        account.give_back(60 * KIB);
        account.settle();
        assert_eq!(held(&budget), 40 * KIB);
        drop(account);
        assert!(is_free(&budget));
    }

    #[test]
    fn more_than_one_may_ever_hold_is_refused_and_not_waited_for() {
        let budget = ByteBudget::new(1024 * KIB, 100 * KIB);
        let account = budget.open();
        assert_eq!(account.take(100 * KIB), Ok(()));
        assert_eq!(account.take(1), Err(NoMemory::Ever(100 * KIB)));
    }

    #[tokio::test]
    async fn many_large_readers_in_a_tiny_budget_all_come_to_their_end() {
        // Three of them fit into the common part; each holds its bytes for a while, as a page that is worked through.
        let budget = ByteBudget::new(300 * KIB, 100 * KIB);
        let most = AtomicUsize::new(0);
        let readers = (0..200).map(|number| {
            let (budget, most) = (Arc::clone(&budget), &most);
            async move {
                let account = budget.open();
                assert_eq!(read(&account, (number % 10 + 1) * 10 * KIB).await, Ok(()));
                most.fetch_max(held(&budget), Ordering::Relaxed);
                tokio::task::yield_now().await;
            }
        });
        timeout(Duration::from_secs(20), join_all(readers)).await.expect("nobody waits for ever");
        assert!(most.into_inner() <= 400 * KIB);
        assert!(is_free(&budget));
    }

    #[tokio::test]
    async fn readers_that_keep_what_they_have_and_want_more_all_come_to_their_end() {
        // As workbenches do: nothing is let go while more is waited for.
        let budget = ByteBudget::new(64 * KIB, 100 * KIB);
        let readers = (0..50).map(|_| {
            let budget = Arc::clone(&budget);
            async move {
                let account = budget.open();
                for _ in 0..10 {
                    while account.take(10 * KIB).is_err() {
                        account.wait().await;
                    }
                    tokio::task::yield_now().await;
                }
            }
        });
        timeout(Duration::from_secs(20), join_all(readers)).await.expect("nobody waits for ever");
        assert!(is_free(&budget));
    }

    #[tokio::test]
    async fn who_gives_up_waiting_leaves_nothing_behind_and_blocks_nobody() {
        let budget = ByteBudget::new(64 * KIB, 64 * KIB);
        let (first, second) = (budget.open(), budget.open());
        for account in [&first, &second] {
            while account.take(64 * KIB).is_err() {
                account.wait().await;
            }
        }
        for _ in 0..20 {
            let third = budget.open();
            assert_eq!(third.take(1), Err(NoMemory::Now));
            assert!(timeout(Duration::from_millis(1), third.wait()).await.is_err());
        }
        drop(first);
        let fourth = budget.open();
        timeout(Duration::from_secs(5), fourth.wait()).await.expect("a place is free");
        assert_eq!(fourth.take(64 * KIB), Ok(()));
        drop((second, fourth));
        assert!(is_free(&budget));
    }

    #[tokio::test]
    async fn what_fits_into_the_common_part_leaves_the_last_place_to_others() {
        let budget = ByteBudget::new(64 * KIB, 64 * KIB);
        let first = budget.open();
        assert_eq!(first.take(64 * KIB), Ok(()));
        let second = budget.open();
        second.wait().await;
        assert_eq!((second.take(32 * KIB), budget.last.available_permits()), (Ok(()), 0));
        drop(first);
        second.settle();
        assert_eq!((budget.last.available_permits(), held(&budget)), (1, 32 * KIB));
    }

    #[test]
    fn an_answer_that_fails_gives_back_its_memory_and_one_that_is_kept_does_not() {
        let budget = ByteBudget::new(1024 * KIB, 1024 * KIB);
        let workbench = budget.open();
        let reservation = Reservation::of_values(Arc::clone(&workbench));
        let text = format!("[{}0]", r#"{"a":0},"#.repeat(100));
        let charge = || {
            let mut charge = Charge::new(&reservation);
            charge.resize(text.len()).unwrap();
            charge.value(&text).unwrap();
            charge
        };
        drop(charge());
        assert_eq!(workbench.held().used, 0);
        let kept = charge();
        kept.keep_values();
        assert_eq!(workbench.held().used, text.len() + value_size(&text));
        drop(kept);
        assert_eq!(workbench.held().used, value_size(&text), "the text is gone, its values are not");
        let page = budget.open();
        let mut text = Charge::new(&Reservation::of_text(Arc::clone(&page)));
        text.resize(10 * KIB).unwrap();
        text.value("[0]").unwrap();
        text.keep_values();
        let held = HeldBytes::of_answer(Arc::new(text));
        assert_eq!(page.held().used, 10 * KIB);
        drop(held);
        assert_eq!(page.held().used, 0);
    }

    proptest! {
        #[test]
        fn the_sum_is_kept_and_comes_back_whatever_is_done(steps in proptest::collection::vec((0_usize..6, 0_u8..4, 1_usize..200_000), 0..60)) {
            let budget = ByteBudget::new(512 * KIB, 128 * KIB);
            let mut accounts: Vec<_> = (0..6).map(|_| (budget.open(), 0_usize)).collect();
            for (which, what, bytes) in steps {
                let (account, used) = &mut accounts[which];
                match what {
                    0 | 1 => if account.take(bytes).is_ok() { *used += bytes },
                    2 => { let less = bytes.min(*used); account.give_back(less); *used -= less; }
                    _ => account.settle(),
                }
                let sum: usize = accounts.iter().map(|(_, used)| used).sum();
                prop_assert!(sum <= held(&budget) && held(&budget) <= 640 * KIB, "{} of {}", sum, held(&budget));
            }
            drop(accounts);
            prop_assert!(is_free(&budget));
        }
    }
}
