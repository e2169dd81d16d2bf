//! The rate limiter of one tenant and application: when the next request may leave.
//!
//! It holds three things together (`docs/rules.md`, section Inventory sync, Throttling):
//! - a **pause** for everyone after a 429: the quota belongs to tenant and application, not to the one request that
//!   happened to meet its end, and refused requests count too;
//! - an adaptive **number of requests under way**: doubling while nothing complains, then one more per round, halved
//!   by a 429, never growing while it is not what holds the work back;
//! - the **quota**: no more than so many requests in any window. A request counts from its start until one window
//!   after its *end*, so that whatever happens between here and there, the cloud never sees one too many.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::options::{Concurrency, QuotaRule, RequestQuota};

/// The window is kept in this many slices, so that it needs little memory at any rate.
const SLICES: u32 = 200;
/// The quota is never believed to be below one in this many of the documented one.
const SMALLEST_SHARE: u32 = 10;

pub(crate) struct RateLimiter {
    /// Held by whoever is next; fair, so that nobody is overtaken for ever.
    turnstile: tokio::sync::Mutex<()>,
    state: Mutex<State>,
    /// Tells the one who is next that something changed.
    changed: Notify,
}

struct State {
    concurrency: Concurrency,
    limit: f64,
    doubling: bool,
    /// When the limit was last reached: only then is it what holds the work back.
    last_full: Option<Instant>,
    under_way: u32,
    weight_under_way: u32,
    paused_until: Option<Instant>,
    /// Answers to requests that started before this were caused by the old limit.
    last_cut: Option<Instant>,
    full_quota: RequestQuota,
    /// `None` as long as nothing shows that the cloud enforces a quota.
    quota: Option<u32>,
    quota_changed: Instant,
    spent: VecDeque<Slice>,
    weight_spent: u32,
}

struct Slice {
    opened: Instant,
    latest: Instant,
    weight: u32,
}

enum Wait {
    Until(Instant),
    ForChange,
}

/// The right to have one request under way. Dropping it gives the place back.
pub(crate) struct Permit {
    rate_limiter: Arc<RateLimiter>,
    weight: u32,
    started: Instant,
}

impl RateLimiter {
    pub(crate) fn new(concurrency: Concurrency, rule: QuotaRule) -> Self {
        let (full_quota, quota) = match rule {
            QuotaRule::Fixed(quota) => (quota, Some(quota.requests)),
            QuotaRule::Learned | QuotaRule::ByCloud => (RequestQuota::DOCUMENTED, None),
        };
        Self {
            turnstile: tokio::sync::Mutex::default(),
            state: Mutex::new(State {
                concurrency,
                limit: f64::from(concurrency.initial.clamp(1, concurrency.max.max(1))),
                doubling: true,
                last_full: None,
                under_way: 0,
                weight_under_way: 0,
                paused_until: None,
                last_cut: None,
                full_quota,
                quota,
                quota_changed: Instant::now(),
                spent: VecDeque::new(),
                weight_spent: 0,
            }),
            changed: Notify::new(),
        }
    }

    /// Waits for a place for a request that costs `weight` of the quota. First come, first served.
    pub(crate) async fn enter(self: &Arc<Self>, weight: u32) -> Permit {
        let _next = self.turnstile.lock().await;
        loop {
            let now = Instant::now();
            let wait = self.state().enter(now, weight);
            match wait {
                Ok(()) => return Permit { rate_limiter: Arc::clone(self), weight, started: now },
                Err(Wait::Until(moment)) => {
                    tokio::select! {
                        () = sleep_until(moment) => {}
                        () = self.changed.notified() => {}
                    }
                }
                Err(Wait::ForChange) => self.changed.notified().await,
            }
        }
    }

    /// Lets nobody in for this long. A longer pause that is already set stays. Answers how long nobody is let in.
    fn pause(&self, length: Duration) -> Duration {
        let now = Instant::now();
        let until = now + length;
        let mut state = self.state();
        let until = state.paused_until.map_or(until, |already| already.max(until));
        state.paused_until = Some(until);
        until.saturating_duration_since(now)
    }

    /// The cloud said 429 to something that started at the given moment: fewer at once from now on, and nobody for the
    /// given time, or longer where that was said before. Answers how long nobody is let in.
    pub(crate) fn throttled(&self, started: Instant, pause: Duration) -> Duration {
        let pause = self.pause(pause);
        self.state().shrink(started, Instant::now());
        pause
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Permit {
    /// The cloud did the work.
    pub(crate) fn succeeded(&self) {
        self.rate_limiter.state().grow(self.started);
    }

    /// The cloud said 429: fewer at once from now on, and nobody for the given time. Answers how long nobody is
    /// let in.
    pub(crate) fn throttled(&self, pause: Duration) -> Duration {
        self.rate_limiter.throttled(self.started, pause)
    }
}

impl Permit {
    /// Leaves without having asked for anything: it costs nothing of the quota.
    pub(crate) fn give_up(mut self) {
        self.rate_limiter.state().weight_under_way -= self.weight;
        self.weight = 0;
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.rate_limiter.state().leave(Instant::now(), self.weight);
        self.rate_limiter.changed.notify_one();
    }
}

impl State {
    fn enter(&mut self, now: Instant, weight: u32) -> Result<(), Wait> {
        if let Some(until) = self.paused_until {
            if until > now {
                return Err(Wait::Until(until));
            }
            self.paused_until = None;
        }
        if f64::from(self.under_way + 1) > self.limit.max(1.0) {
            return Err(Wait::ForChange);
        }
        self.forget_old(now);
        self.restore_quota(now);
        let counted = self.weight_spent + self.weight_under_way;
        // A request that is heavier than the whole quota goes when nothing else counts.
        if counted > 0 && self.quota.is_some_and(|quota| counted + weight > quota) {
            return Err(match self.spent.front() {
                Some(oldest) => Wait::Until(oldest.latest + self.full_quota.window),
                None => Wait::ForChange,
            });
        }
        self.under_way += 1;
        self.weight_under_way += weight;
        if f64::from(self.under_way + 1) > self.limit {
            self.last_full = Some(now);
        }
        Ok(())
    }

    fn leave(&mut self, now: Instant, weight: u32) {
        self.under_way -= 1;
        self.weight_under_way -= weight;
        self.weight_spent += weight;
        let length = self.full_quota.window / SLICES;
        match self.spent.back_mut() {
            Some(slice) if now < slice.opened + length => {
                slice.latest = now;
                slice.weight += weight;
            }
            _ => self.spent.push_back(Slice { opened: now, latest: now, weight }),
        }
    }

    fn grow(&mut self, started: Instant) {
        if self.last_full.is_some_and(|full| started <= full) {
            self.limit += if self.doubling { 1.0 } else { 1.0 / self.limit };
            self.limit = self.limit.min(f64::from(self.concurrency.max.max(1)));
        }
    }

    fn shrink(&mut self, started: Instant, now: Instant) {
        if self.last_cut.is_some_and(|cut| started <= cut) {
            return;
        }
        self.last_cut = Some(now);
        self.doubling = false;
        self.limit = (self.limit / 2.0).max(1.0);

        self.forget_old(now);
        let seen = self.weight_spent + self.weight_under_way;
        let full = self.full_quota.requests;
        self.quota = match self.quota {
            Some(quota) => Some(seen.max(quota / 2).max(full / SMALLEST_SHARE).clamp(1, full)),
            // A refusal after a handful of requests says nothing about the documented quota; one after hundreds does.
            None if seen >= full / 2 => Some(full),
            None => None,
        };
        self.quota_changed = now;
    }

    /// Half as much again for every window without a refusal, up to the full quota.
    fn restore_quota(&mut self, now: Instant) {
        while let Some(quota) = self.quota.filter(|quota| *quota < self.full_quota.requests) {
            if now < self.quota_changed + self.full_quota.window {
                return;
            }
            self.quota_changed += self.full_quota.window;
            self.quota = Some((quota + quota.div_ceil(2)).min(self.full_quota.requests));
        }
    }

    fn forget_old(&mut self, now: Instant) {
        while let Some(oldest) = self.spent.front().filter(|slice| slice.latest + self.full_quota.window <= now) {
            self.weight_spent -= oldest.weight;
            self.spent.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures::future::join_all;
    use tokio::time::{advance, sleep, timeout};

    use super::*;

    fn rate_limiter(initial: u32, max: u32, rule: QuotaRule) -> Arc<RateLimiter> {
        Arc::new(RateLimiter::new(Concurrency { initial, max }, rule))
    }

    async fn shut(rate_limiter: &Arc<RateLimiter>) -> bool {
        timeout(Duration::from_millis(1), rate_limiter.enter(1)).await.is_err()
    }

    #[tokio::test(start_paused = true)]
    async fn no_more_than_the_limit_are_under_way_and_a_place_given_back_is_taken() {
        let rate_limiter = rate_limiter(2, 2, QuotaRule::Learned);
        let (first, _second) = (rate_limiter.enter(1).await, rate_limiter.enter(1).await);
        assert!(shut(&rate_limiter).await);
        drop(first);
        assert!(!shut(&rate_limiter).await);
    }

    #[tokio::test(start_paused = true)]
    async fn the_limit_doubles_each_round_up_to_its_maximum() {
        let rate_limiter = rate_limiter(4, 16, QuotaRule::Learned);
        let begun = Instant::now();
        let rounds = join_all((0..60).map(|_| async {
            let permit = rate_limiter.enter(1).await;
            let round = begun.elapsed().as_millis() / 100;
            sleep(Duration::from_millis(100)).await;
            permit.succeeded();
            round
        }))
        .await;
        let in_round = |round| rounds.iter().filter(|started| **started == round).count();
        assert_eq!([0, 1, 2, 3].map(in_round), [4, 8, 16, 16]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_limit_does_not_grow_while_it_holds_nothing_back() {
        let rate_limiter = rate_limiter(4, 16, QuotaRule::Learned);
        for _ in 0..50 {
            rate_limiter.enter(1).await.succeeded();
        }
        assert!((rate_limiter.state().limit - 4.0).abs() < 1e-9);
    }

    #[tokio::test(start_paused = true)]
    async fn a_refusal_pauses_everyone_and_halves_the_limit_once() {
        let rate_limiter = rate_limiter(8, 8, QuotaRule::Learned);
        let permits = join_all((0..8).map(|_| rate_limiter.enter(1))).await;
        for permit in &permits {
            permit.throttled(Duration::from_secs(3));
        }
        assert!((rate_limiter.state().limit - 4.0).abs() < 1e-9);
        drop(permits);
        let before = Instant::now();
        let _permit = rate_limiter.enter(1).await;
        assert_eq!(before.elapsed(), Duration::from_secs(3));
    }

    #[tokio::test(start_paused = true)]
    async fn a_shorter_pause_does_not_end_a_longer_one() {
        let rate_limiter = rate_limiter(4, 4, QuotaRule::Learned);
        rate_limiter.pause(Duration::from_secs(10));
        rate_limiter.pause(Duration::from_secs(1));
        let before = Instant::now();
        let _permit = rate_limiter.enter(1).await;
        assert_eq!(before.elapsed(), Duration::from_secs(10));
    }

    #[tokio::test(start_paused = true)]
    async fn the_documented_quota_is_used_up_at_once_and_never_exceeded() {
        let quota = RequestQuota::DOCUMENTED;
        let rate_limiter = rate_limiter(16, 16, QuotaRule::Fixed(quota));
        let sent = Arc::new(Mutex::new(Vec::new()));
        let begun = Instant::now();
        join_all((0..2_500).map(|_| {
            let (rate_limiter, sent) = (Arc::clone(&rate_limiter), Arc::clone(&sent));
            async move {
                let _permit = rate_limiter.enter(1).await;
                sleep(Duration::from_millis(75)).await;
                sent.lock().unwrap().push(begun.elapsed());
                sleep(Duration::from_millis(75)).await;
            }
        }))
        .await;
        let sent = sent.lock().unwrap();
        for pair in sent.windows(quota.requests as usize + 1) {
            assert!(pair[quota.requests as usize] - pair[0] >= quota.window);
        }
        // The first thousand go as fast as sixteen at once can: 1,000 / 16 × 150 ms = 9.4 s.
        assert!(sent[999] < Duration::from_secs(10), "{:?}", sent[999]);
        // And 2,500 need two further windows: at best 40 s and a little.
        assert!(begun.elapsed() < Duration::from_secs(48), "{:?}", begun.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn a_batch_costs_what_it_carries() {
        let rate_limiter =
            rate_limiter(4, 4, QuotaRule::Fixed(RequestQuota { requests: 40, window: Duration::from_secs(20) }));
        drop(rate_limiter.enter(20).await);
        drop(rate_limiter.enter(20).await);
        assert!(shut(&rate_limiter).await);
        advance(Duration::from_secs(20)).await;
        assert!(!shut(&rate_limiter).await);
    }

    #[tokio::test(start_paused = true)]
    async fn a_custom_cloud_is_free_until_it_shows_a_quota() {
        let rate_limiter = rate_limiter(4, 4, QuotaRule::Learned);
        for _ in 0..3 {
            drop(rate_limiter.enter(1).await);
        }
        rate_limiter.enter(1).await.throttled(Duration::ZERO);
        assert_eq!(rate_limiter.state().quota, None, "an early refusal teaches nothing");
        advance(Duration::from_millis(1)).await;
        for _ in 0..1_000 {
            drop(rate_limiter.enter(1).await);
        }
        rate_limiter.enter(1).await.throttled(Duration::ZERO);
        assert_eq!(rate_limiter.state().quota, Some(1_000));
    }

    #[tokio::test(start_paused = true)]
    async fn a_quota_shared_with_others_shrinks_and_comes_back() {
        let rate_limiter = rate_limiter(4, 4, QuotaRule::Fixed(RequestQuota::DOCUMENTED));
        for _ in 0..600 {
            drop(rate_limiter.enter(1).await);
        }
        rate_limiter.enter(1).await.throttled(Duration::ZERO);
        assert_eq!(rate_limiter.state().quota, Some(601));
        advance(Duration::from_secs(20)).await;
        drop(rate_limiter.enter(1).await);
        assert_eq!(rate_limiter.state().quota, Some(902));
        advance(Duration::from_secs(40)).await;
        drop(rate_limiter.enter(1).await);
        assert_eq!(rate_limiter.state().quota, Some(1_000));
    }

    #[tokio::test(start_paused = true)]
    async fn who_leaves_without_asking_costs_nothing() {
        let rate_limiter =
            rate_limiter(1, 1, QuotaRule::Fixed(RequestQuota { requests: 1, window: Duration::from_secs(20) }));
        for _ in 0..3 {
            rate_limiter.enter(1).await.give_up();
        }
        drop(rate_limiter.enter(1).await);
        assert!(shut(&rate_limiter).await);
    }

    #[tokio::test(start_paused = true)]
    async fn whoever_gives_up_waiting_blocks_nobody() {
        let rate_limiter = rate_limiter(1, 1, QuotaRule::Learned);
        let held = rate_limiter.enter(1).await;
        let entered = Arc::new(AtomicU32::new(0));
        for _ in 0..5 {
            assert!(shut(&rate_limiter).await);
        }
        let waiting = tokio::spawn({
            let (rate_limiter, entered) = (Arc::clone(&rate_limiter), Arc::clone(&entered));
            async move {
                let _permit = rate_limiter.enter(1).await;
                entered.fetch_add(1, Ordering::Relaxed);
            }
        });
        sleep(Duration::from_secs(1)).await;
        assert_eq!(entered.load(Ordering::Relaxed), 0);
        drop(held);
        waiting.await.unwrap();
        assert_eq!(entered.load(Ordering::Relaxed), 1);
    }
}
