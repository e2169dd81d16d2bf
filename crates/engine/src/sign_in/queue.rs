//! The queue of those who prove who they are. Comparing a password takes a core and 19 MiB, so few are compared at a time,
//! and the others wait. The queue is bounded: in all, so that nobody waits for long; for each network, so that one does not
//! fill it; and one account is tried once at a time from one place, so that a burst of guesses does not pass the throttle
//! before the first failure is noted, and whoever knows one password does not take every place.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::error::EngineError;

/// Attempts that are worked on at the same time.
const AT_ONCE: usize = 2;
/// Attempts that are worked on or wait, over all: at some forty a second the last of them waits for less than two seconds.
const MOST: usize = 64;
/// Of these, from one network.
const MOST_OF_A_NETWORK: usize = 16;
/// Of these, at one account from one network or browser: a form that is sent twice waits, a loop does not.
const MOST_OF_AN_ACCOUNT: usize = 3;

/// A network, account or browser of which only so many attempts may be in the queue.
pub(crate) type Subject = [u8; 32];

/// The queue of a process.
pub(crate) struct SignInQueue {
    at_once: Arc<Semaphore>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    all: usize,
    networks: HashMap<Subject, usize>,
    accounts: HashMap<Subject, Account>,
}

struct Account {
    waiting: usize,
    one: Arc<Semaphore>,
}

/// A place in the queue and the right to be worked on, for as long as this exists.
pub(crate) struct Admission {
    // In this order: whoever comes next finds a permit that is free.
    _permit: Option<OwnedSemaphorePermit>,
    _account: Option<OwnedSemaphorePermit>,
    place: Place,
}

struct Place {
    queue: Arc<SignInQueue>,
    network: Subject,
    account: Subject,
}

impl Default for SignInQueue {
    fn default() -> Self {
        Self { at_once: Arc::new(Semaphore::new(AT_ONCE)), state: Mutex::default() }
    }
}

impl SignInQueue {
    /// Waits until an attempt at an account from a network may be worked on.
    ///
    /// # Errors
    /// [`EngineError::TooMany`] at once when the queue is full.
    pub(crate) async fn enter(self: &Arc<Self>, network: Subject, account: Subject) -> Result<Admission, EngineError> {
        let one = self.admit(network, account)?;
        let place = Place { queue: Arc::clone(self), network, account };
        let mut admission = Admission { _permit: None, _account: None, place };
        // Neither semaphore is ever closed.
        admission._account = one.acquire_owned().await.ok();
        admission._permit = Arc::clone(&admission.place.queue.at_once).acquire_owned().await.ok();
        Ok(admission)
    }

    fn admit(&self, network: Subject, account: Subject) -> Result<Arc<Semaphore>, EngineError> {
        let too_many = |text: &str| Err(EngineError::TooMany(text.to_owned()));
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.accounts.get(&account).is_some_and(|account| account.waiting >= MOST_OF_AN_ACCOUNT) {
            return too_many("This account is being tried already. Wait for that answer and try again.");
        }
        if state.networks.get(&network).is_some_and(|waiting| *waiting >= MOST_OF_A_NETWORK) {
            return too_many(
                "Too many people of your network sign in at this moment. Wait a few seconds and try again.",
            );
        }
        if state.all >= MOST {
            return too_many("Too many people sign in at this moment. Wait a few seconds and try again.");
        }
        state.all += 1;
        *state.networks.entry(network).or_default() += 1;
        let account =
            state.accounts.entry(account).or_insert_with(|| Account { waiting: 0, one: Arc::new(Semaphore::new(1)) });
        account.waiting += 1;
        Ok(Arc::clone(&account.one))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut state = self.queue.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.all -= 1;
        if let Some(waiting) = state.networks.get_mut(&self.network) {
            *waiting -= 1;
            if *waiting == 0 {
                state.networks.remove(&self.network);
            }
        }
        if let Some(account) = state.accounts.get_mut(&self.account) {
            account.waiting -= 1;
            if account.waiting == 0 {
                state.accounts.remove(&self.account);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;

    fn subject(number: u64) -> Subject {
        let mut subject = [0; 32];
        subject[..8].copy_from_slice(&number.to_be_bytes());
        subject
    }

    #[tokio::test]
    async fn who_tries_one_account_again_and_again_takes_one_place_and_leaves_the_other_to_everybody() {
        let queue = Arc::new(SignInQueue::default());
        let first = queue.enter(subject(1), subject(1)).await.expect("admitted");
        let mut others: Vec<_> = (1..3).map(|_| Box::pin(queue.enter(subject(1), subject(1)))).collect();
        assert!(others.iter_mut().all(|other| other.now_or_never().is_none()), "they wait");
        let refused = queue.enter(subject(1), subject(1)).now_or_never().expect("at once");
        assert!(matches!(refused, Err(EngineError::TooMany(_))));
        let other = queue.enter(subject(2), subject(2)).now_or_never().expect("at once");
        assert!(other.is_ok(), "somebody else does not wait for them");
        drop(first);
        assert!(others[0].as_mut().now_or_never().is_some_and(|admission| admission.is_ok()), "the next of them");
    }

    #[tokio::test]
    async fn the_queue_is_bounded_for_a_network_and_in_all_and_forgets_who_has_gone() {
        let queue = Arc::new(SignInQueue::default());
        let mut waiting = Vec::new();
        let mut refused = 0;
        for network in 0..6 {
            for account in 0..20 {
                let mut attempt = Box::pin(queue.enter(subject(network), subject(100 * network + account)));
                match attempt.as_mut().now_or_never() {
                    Some(Err(_)) => refused += 1,
                    Some(Ok(admission)) => waiting.push((Some(admission), None)),
                    None => waiting.push((None, Some(attempt))),
                }
            }
            assert_eq!(waiting.len(), (16 * (usize::try_from(network).expect("small") + 1)).min(MOST));
        }
        assert_eq!(refused, 120 - MOST);
        drop(waiting);
        let state = queue.state.lock().expect("whole");
        assert!(state.all == 0 && state.networks.is_empty() && state.accounts.is_empty());
        assert_eq!(queue.at_once.available_permits(), AT_ONCE);
    }
}
