//! Answers that are held back until somebody lets them go: with it a test stops a reader at a place of its choice, for
//! as long as it likes, instead of guessing how long something takes.

use tokio::sync::watch;

/// Holds back answers by their address.
pub(crate) struct Hold {
    /// Answers to requests whose version, path and query contain this wait; `None` when none does.
    path: watch::Sender<Option<String>>,
    /// How many wait now.
    waiting: watch::Sender<usize>,
}

/// A request waits until this is dropped, also when its client goes away first.
struct Waiting<'a>(&'a watch::Sender<usize>);

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        self.0.send_modify(|count| *count -= 1);
    }
}

impl Hold {
    pub(crate) fn new() -> Self {
        Self { path: watch::Sender::new(None), waiting: watch::Sender::new(0) }
    }

    pub(crate) fn begin(&self, path: &str) {
        self.path.send_replace(Some(path.to_owned()));
    }

    /// What is held back.
    pub(crate) fn path(&self) -> Option<String> {
        self.path.borrow().clone()
    }

    pub(crate) fn end(&self) {
        self.path.send_replace(None);
    }

    /// Waits as long as answers to this address are held back.
    pub(crate) async fn pass(&self, address: &str) {
        let mut path = self.path.subscribe();
        let free = |held: &Option<String>| held.as_ref().is_none_or(|held| !address.contains(held));
        if free(&path.borrow_and_update()) {
            return;
        }
        self.waiting.send_modify(|count| *count += 1);
        let _waiting = Waiting(&self.waiting);
        // It fails only when the sender is gone, which lives as long as this.
        let _ = path.wait_for(free).await;
    }

    /// Waits until at least so many requests wait.
    pub(crate) async fn reached(&self, count: usize) {
        let _ = self.waiting.subscribe().wait_for(|waiting| *waiting >= count).await;
    }
}
