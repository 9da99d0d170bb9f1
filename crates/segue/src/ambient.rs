//! What comes from outside without being asked for: the time, chance, variables, its own name, and Ctrl-C. Everything else
//! takes these as arguments.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{Duration, Instant};

use aws_lc_rs::rand::{SecureRandom as _, SystemRandom};
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretSlice;
use tokio::sync::watch;
use zeroize::Zeroizing;

use crate::failure::{Failure, Kind};

/// Names the variable that pins the time (`2026-01-04T06:30:00Z`), or puts the clock forward or back
/// (`+24h`), so that documentation and tests can be repeated.
pub(crate) const PINNED_TIME_VARIABLE: &str = "SEGUE_NOW";

/// How far the clock that this process goes by is ahead of its own, in microseconds.
static AHEAD: AtomicI64 = AtomicI64::new(0);

/// Returns the present instant, or the pinned one, to the microsecond: what the ledger keeps is no finer, so
/// nothing is told in one way at first and in another later.
pub(crate) fn now() -> Timestamp {
    if let Some(pinned) = pinned() {
        return pinned;
    }
    let ahead = SignedDuration::from_micros(AHEAD.load(Ordering::Relaxed));
    let own = own_clock();
    own.checked_add(ahead).unwrap_or(own)
}

/// Returns what requests are signed by: the clock of this machine, also where a time is pinned.
#[expect(clippy::disallowed_methods, reason = "this is a place that asks")]
pub(crate) fn signing_clock() -> Timestamp {
    Timestamp::now()
}

/// Returns what the clock of this machine says, whatever clock the process goes by.
#[expect(clippy::disallowed_methods, reason = "this is the place that asks")]
pub(crate) fn own_clock() -> Timestamp {
    let now = pinned().unwrap_or_else(Timestamp::now);
    let now = Timestamp::from_microsecond(now.as_microsecond()).unwrap_or(now);
    let shift = variable(PINNED_TIME_VARIABLE).and_then(|text| text.parse::<SignedDuration>().ok());
    shift.and_then(|shift| now.checked_add(shift).ok()).unwrap_or(now)
}

/// Lets the process go by another clock, which said `theirs` when its own said `own`. Differences below
/// a second are those of asking. Returns how far the two are apart, if that is new.
pub(crate) fn go_by(theirs: Timestamp, own: Timestamp) -> Option<SignedDuration> {
    let ahead = theirs.duration_since(own);
    let known = SignedDuration::from_micros(AHEAD.load(Ordering::Relaxed));
    if (ahead - known).abs() < SignedDuration::from_secs(1) {
        return None;
    }
    let microseconds = i64::try_from(ahead.as_micros()).unwrap_or_default();
    AHEAD.store(microseconds, Ordering::Relaxed);
    Some(ahead)
}

/// Tells whether the time was pinned.
pub(crate) fn is_pinned() -> bool {
    pinned().is_some()
}

fn pinned() -> Option<Timestamp> {
    variable(PINNED_TIME_VARIABLE)?.parse().ok()
}

/// Returns the name of this machine, if it has one.
pub(crate) fn machine() -> Option<String> {
    let name = std::fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let name = name.or_else(|| variable("HOSTNAME")).or_else(|| variable("COMPUTERNAME"))?;
    let name = name.trim();
    (!name.is_empty()).then(|| name.to_owned())
}

/// Returns a reading of a clock that only counts up.
pub(crate) fn instant() -> Instant {
    Instant::now()
}

/// Returns an environment variable.
#[expect(clippy::disallowed_methods, reason = "this is the place that asks")]
pub(crate) fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok()
}

/// How this program was called, for commands that a person may copy: whoever ran it out of its folder
/// does not have it on the path.
pub(crate) fn called() -> String {
    std::env::args().next().unwrap_or_else(|| env!("CARGO_PKG_NAME").to_owned())
}

/// Returns random letters that no other process will draw.
#[expect(clippy::disallowed_methods, reason = "this is the place that asks")]
pub(crate) fn nonce() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// Returns bytes that nobody can guess.
///
/// # Errors
/// The system has no randomness to give.
pub(crate) fn secret_bytes(count: usize) -> Result<SecretSlice<u8>, Failure> {
    let mut bytes = Zeroizing::new(vec![0; count]);
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| Failure::new(Kind::Internal, "the system gives no random bytes"))?;
    Ok(SecretSlice::from(bytes.to_vec()))
}

/// Returns a random id.
#[expect(clippy::disallowed_methods, reason = "this is the place that asks")]
pub(crate) fn id() -> uuid::Uuid {
    uuid::Uuid::new_v4()
}

/// Returns a random part of a pause, so that processes that failed together do not come back
/// together.
#[expect(clippy::disallowed_methods, reason = "this is the place that asks")]
pub(crate) fn part_of(pause: Duration) -> Duration {
    let chance = uuid::Uuid::new_v4().as_bytes()[0];
    pause.mul_f64(f64::from(chance) / 255.0)
}

/// Ctrl-C, and SIGTERM.
struct Signals {
    #[cfg(unix)]
    interrupt: tokio::signal::unix::Signal,
    #[cfg(unix)]
    terminate: tokio::signal::unix::Signal,
}

impl Signals {
    /// Takes the signals over at once: one that comes before the first [`Signals::next`] is kept, and
    /// does not end the process.
    fn new() -> std::io::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let interrupt = signal(SignalKind::interrupt())?;
            Ok(Self { interrupt, terminate: signal(SignalKind::terminate())? })
        }
        #[cfg(not(unix))]
        Ok(Self {})
    }

    /// Waits for one.
    async fn next(&mut self) -> std::io::Result<()> {
        #[cfg(unix)]
        {
            tokio::select! {
                _ = self.interrupt.recv() => Ok(()),
                _ = self.terminate.recv() => Ok(()),
            }
        }
        #[cfg(not(unix))]
        tokio::signal::ctrl_c().await
    }
}

/// Tells whether the user asked to stop.
#[derive(Debug, Clone)]
pub(crate) struct Interrupt {
    requested: watch::Receiver<bool>,
    /// What else ends the work that asks.
    also: Option<watch::Receiver<bool>>,
}

impl Interrupt {
    /// Listens for Ctrl-C, and for the signal by which service managers stop a process, from now on. It
    /// must be called inside the runtime.
    pub(crate) fn listen() -> Self {
        let (sender, requested) = watch::channel(false);
        let signals = Signals::new();
        tokio::spawn(async move {
            if let Ok(mut signals) = signals {
                while signals.next().await.is_ok() {
                    sender.send_replace(true);
                }
            }
            // Without signals the sender must stay, or waiting for it would end.
            std::future::pending::<()>().await;
        });
        Self { requested, also: None }
    }

    /// The same for work that something else may end as well.
    pub(crate) fn or(&self, also: watch::Receiver<bool>) -> Self {
        Self { requested: self.requested.clone(), also: Some(also) }
    }

    /// Waits until the user asks to stop.
    pub(crate) async fn requested(&self) {
        let also = async {
            match &self.also {
                Some(also) => is_true(also.clone()).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = is_true(self.requested.clone()) => {}
            () = also => {}
        }
    }

    /// Whether the user has asked to stop, or something else ends the work.
    pub(crate) fn is_requested(&self) -> bool {
        *self.requested.borrow() || self.also.as_ref().is_some_and(|also| *also.borrow())
    }
}

/// Waits until it is, for ever if nobody can say so any more.
async fn is_true(mut watched: watch::Receiver<bool>) {
    if watched.wait_for(|is_true| *is_true).await.is_err() {
        std::future::pending::<()>().await;
    }
}
