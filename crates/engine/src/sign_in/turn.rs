//! Whose turn it is to prove who they are. Comparing a password takes a core and 19 MiB, so few do it at a time, and the
//! others wait. The line is bounded: in all, so that nobody waits for long; for each network, so that one does not fill it;
//! and one account is tried once at a time from one place, so that a burst of guesses does not pass the throttle before the
//! first failure is noted, and whoever knows one password does not take all the turns.

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

/// Something of which only so many may stand in the line.
pub(crate) type Subject = [u8; 32];

/// The line.
pub(crate) struct Turns {
    at_once: Arc<Semaphore>,
    line: Mutex<Line>,
}

#[derive(Default)]
struct Line {
    all: usize,
    networks: HashMap<Subject, usize>,
    accounts: HashMap<Subject, Account>,
}

struct Account {
    standing: usize,
    one: Arc<Semaphore>,
}

/// A place in the line, and then the turn itself, for as long as this exists.
pub(crate) struct Turn {
    // In this order: whoever comes next finds a turn that is free.
    _turn: Option<OwnedSemaphorePermit>,
    _account: Option<OwnedSemaphorePermit>,
    place: Place,
}

struct Place {
    turns: Arc<Turns>,
    network: Subject,
    account: Subject,
}

impl Default for Turns {
    fn default() -> Self {
        Self { at_once: Arc::new(Semaphore::new(AT_ONCE)), line: Mutex::default() }
    }
}

impl Turns {
    /// Waits for the turn of an attempt at an account from a network.
    ///
    /// # Errors
    /// [`EngineError::TooMany`] at once when the line is full.
    pub(crate) async fn take(self: &Arc<Self>, network: Subject, account: Subject) -> Result<Turn, EngineError> {
        let one = self.stand(network, account)?;
        let place = Place { turns: Arc::clone(self), network, account };
        let mut turn = Turn { _turn: None, _account: None, place };
        // Neither semaphore is ever closed.
        turn._account = one.acquire_owned().await.ok();
        turn._turn = Arc::clone(&turn.place.turns.at_once).acquire_owned().await.ok();
        Ok(turn)
    }

    fn stand(&self, network: Subject, account: Subject) -> Result<Arc<Semaphore>, EngineError> {
        let too_many = |text: &str| Err(EngineError::TooMany(text.to_owned()));
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        if line.accounts.get(&account).is_some_and(|account| account.standing >= MOST_OF_AN_ACCOUNT) {
            return too_many("This account is being tried already. Wait for that answer and try again.");
        }
        if line.networks.get(&network).is_some_and(|standing| *standing >= MOST_OF_A_NETWORK) {
            return too_many(
                "Too many people of your network sign in at this moment. Wait a few seconds and try again.",
            );
        }
        if line.all >= MOST {
            return too_many("Too many people sign in at this moment. Wait a few seconds and try again.");
        }
        line.all += 1;
        *line.networks.entry(network).or_default() += 1;
        let account =
            line.accounts.entry(account).or_insert_with(|| Account { standing: 0, one: Arc::new(Semaphore::new(1)) });
        account.standing += 1;
        Ok(Arc::clone(&account.one))
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut line = self.turns.line.lock().unwrap_or_else(PoisonError::into_inner);
        line.all -= 1;
        if let Some(standing) = line.networks.get_mut(&self.network) {
            *standing -= 1;
            if *standing == 0 {
                line.networks.remove(&self.network);
            }
        }
        if let Some(account) = line.accounts.get_mut(&self.account) {
            account.standing -= 1;
            if account.standing == 0 {
                line.accounts.remove(&self.account);
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
    async fn who_tries_one_account_again_and_again_takes_one_turn_and_leaves_the_other_to_everybody() {
        let turns = Arc::new(Turns::default());
        let first = turns.take(subject(1), subject(1)).await.expect("a turn");
        let mut others: Vec<_> = (1..3).map(|_| Box::pin(turns.take(subject(1), subject(1)))).collect();
        assert!(others.iter_mut().all(|other| other.now_or_never().is_none()), "they wait");
        let refused = turns.take(subject(1), subject(1)).now_or_never().expect("at once");
        assert!(matches!(refused, Err(EngineError::TooMany(_))));
        let other = turns.take(subject(2), subject(2)).now_or_never().expect("at once");
        assert!(other.is_ok(), "somebody else does not wait for them");
        drop(first);
        assert!(others[0].as_mut().now_or_never().is_some_and(|turn| turn.is_ok()), "the next of them");
    }

    #[tokio::test]
    async fn the_line_is_bounded_for_a_network_and_in_all_and_forgets_who_has_gone() {
        let turns = Arc::new(Turns::default());
        let mut standing = Vec::new();
        let mut refused = 0;
        for network in 0..6 {
            for account in 0..20 {
                let mut attempt = Box::pin(turns.take(subject(network), subject(100 * network + account)));
                match attempt.as_mut().now_or_never() {
                    Some(Err(_)) => refused += 1,
                    Some(Ok(turn)) => standing.push((Some(turn), None)),
                    None => standing.push((None, Some(attempt))),
                }
            }
            assert_eq!(standing.len(), (16 * (usize::try_from(network).expect("small") + 1)).min(MOST));
        }
        assert_eq!(refused, 120 - MOST);
        drop(standing);
        let line = turns.line.lock().expect("whole");
        assert!(line.all == 0 && line.networks.is_empty() && line.accounts.is_empty());
        assert_eq!(turns.at_once.available_permits(), AT_ONCE);
    }
}
