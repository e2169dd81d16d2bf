//! Spans on their way out: how many wait, and how many were dropped.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use opentelemetry::Context;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::OTelSdkResult;
use opentelemetry_sdk::trace::{BatchSpanProcessor, Span, SpanData, SpanProcessor};

use crate::export::is_watching;

/// Spans that may wait for the exporter.
pub(crate) const QUEUE: usize = 4_096;
/// How often it is said at most that spans were dropped.
const SAID_EVERY: Duration = Duration::from_secs(300);

/// What is known of the way out.
#[derive(Debug, Default)]
pub(crate) struct Account {
    waiting: AtomicUsize,
    dropped: AtomicU64,
    fails: AtomicBool,
    said: Mutex<Option<Instant>>,
}

impl Account {
    /// A place in the queue, if there is one.
    fn enter(&self) -> bool {
        let free = |waiting| (waiting < QUEUE).then_some(waiting + 1);
        let entered = self.waiting.fetch_update(Ordering::AcqRel, Ordering::Acquire, free).is_ok();
        if !entered {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
        entered
    }

    /// So many were taken out of the queue to be sent.
    pub(crate) fn left(&self, count: usize) {
        self.waiting.fetch_sub(count, Ordering::AcqRel);
    }

    /// Spans in the queue.
    pub(crate) fn waiting(&self) -> usize {
        self.waiting.load(Ordering::Acquire)
    }

    /// The collector took what it was sent.
    pub(crate) fn taken(&self) {
        if self.fails.swap(false, Ordering::Relaxed) {
            tracing::info!("the collector takes traces again");
        }
        if self.dropped.load(Ordering::Relaxed) > 0 {
            self.say("more came than could be sent");
        }
    }

    /// It did not take these.
    pub(crate) fn refused(&self, count: usize, why: &str) {
        self.fails.store(true, Ordering::Relaxed);
        self.dropped.fetch_add(count as u64, Ordering::Relaxed);
        self.say(why);
    }

    /// Says how many were dropped, now and then. On the thread of the exporter alone: who ends a span is within the layers.
    fn say(&self, why: &str) {
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.is_some_and(|at| at.elapsed() < SAID_EVERY) {
            return;
        }
        *said = Some(Instant::now());
        let spans = self.dropped.swap(0, Ordering::Relaxed);
        tracing::warn!(
            spans,
            why,
            "traces were dropped, since the collector did not take them; everything else goes on"
        );
    }
}

/// Spans that have ended, until the exporter takes them. Who ends one never waits.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) inner: BatchSpanProcessor,
    pub(crate) account: Arc<Account>,
}

impl SpanProcessor for Queue {
    fn on_start(&self, span: &mut Span, context: &Context) {
        self.inner.on_start(span, context);
    }

    fn on_end(&self, span: SpanData) {
        if span.span_context.is_sampled() && !is_watching(&span) && self.account.enter() {
            self.inner.on_end(span);
        }
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_queue_has_an_end_and_what_is_beyond_it_is_counted_and_dropped() {
        let account = Account::default();
        assert!((0..QUEUE).all(|_| account.enter()));
        assert!(!account.enter() && !account.enter());
        assert_eq!((account.waiting(), account.dropped.load(Ordering::Relaxed)), (QUEUE, 2));
        account.left(1);
        assert!(account.enter());
    }

    #[test]
    fn one_warning_in_a_while_tells_of_all_that_was_dropped() {
        let account = Account::default();
        account.refused(3, "no answer");
        assert_eq!(account.dropped.load(Ordering::Relaxed), 0, "it was said");
        account.refused(4, "no answer");
        account.refused(5, "no answer");
        assert_eq!(account.dropped.load(Ordering::Relaxed), 9, "it is kept for the next time");
        account.taken();
        assert!(!account.fails.load(Ordering::Relaxed));
    }
}
