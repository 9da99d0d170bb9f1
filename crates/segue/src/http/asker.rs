//! Whether somebody still waits for an answer.

use tokio::sync::watch;

/// Held for as long as an answer is waited for; goes when the connection of whoever asked is closed.
pub(super) struct Presence(watch::Sender<()>);

impl Presence {
    pub(super) fn new() -> Self {
        Self(watch::Sender::new(()))
    }

    pub(super) fn asker(&self) -> Asker {
        Asker(self.0.subscribe())
    }
}

/// Whoever asked something.
#[derive(Clone)]
pub(crate) struct Asker(watch::Receiver<()>);

impl Asker {
    /// Returns when nobody waits for the answer any more.
    pub(crate) async fn leaves(mut self) {
        // Nothing is ever sent: an error says that the other side is gone.
        while self.0.changed().await.is_ok() {}
    }
}

#[cfg(test)]
mod tests {
    use super::Presence;

    #[tokio::test]
    async fn whoever_asked_leaves_when_nothing_waits() {
        let presence = Presence::new();
        let (asker, another) = (presence.asker(), presence.asker());
        let early = std::time::Duration::from_millis(10);
        assert!(tokio::time::timeout(early, asker.leaves()).await.is_err(), "still there");
        drop(presence);
        another.leaves().await;
    }
}
