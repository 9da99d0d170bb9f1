//! The HTTP interface: a face of the services in `app`, without powers of its own.
//!
//! Reading order: [`routes`] is the table of what can be asked, [`rights`] who may ask it, [`dispatch`]
//! what every request goes through, `answers` is one file for each group of routes, [`flow_service`] is
//! the same for scripts that know Adobe's, and [`pages`] are what people see of them.

mod about;
mod answers;
mod asker;
mod dispatch;
mod explorer;
mod flow_service;
mod limits;
mod listen;
mod misfit;
mod openapi;
mod pages;
mod problem;
mod request;
mod rights;
mod route;
mod routes;
mod sign_in;
#[cfg(test)]
mod tests;
mod unreadable;

use std::sync::Arc;

use tokio::sync::{Mutex, OwnedSemaphorePermit, Semaphore, watch};

pub(crate) use listen::{Door, open};
pub(crate) use openapi::document;
pub(crate) use rights::Role;

use crate::server::Shared;
use limits::Buckets;
use problem::{Code, Problem};

/// The most event streams that are open at once.
const STREAMS_MAX: usize = 64;
/// The most entries of the audit log that wait for the database to come back.
const ENTRIES_WAITING_MAX: usize = 1_000;

/// What answers have in common.
pub(crate) struct App {
    pub(crate) shared: Arc<Shared>,
    /// The names by which this server may be called.
    hosts: Vec<String>,
    routes: routes::Table,
    pages: pages::Table,
    requests: Buckets,
    sign_ins: Buckets,
    hashing: Arc<Semaphore>,
    /// Heavy questions, which read profiles, one at a time.
    pub(crate) heavy: Arc<Semaphore>,
    streams: Arc<Semaphore>,
    entries: Arc<Semaphore>,
    pub(crate) fields: answers::fields::KnownFields,
    /// One request with an idempotency key at a time.
    pub(crate) keyed: Mutex<()>,
    /// Whether nobody is let in any more.
    closing: watch::Sender<bool>,
}

impl App {
    fn new(shared: Arc<Shared>, hosts: Vec<String>) -> Self {
        Self {
            shared,
            hosts,
            routes: routes::Table::new(),
            pages: pages::Table::new(),
            requests: Buckets::new(400, 100.0),
            sign_ins: Buckets::new(5, 0.1),
            hashing: sign_in::hashing(),
            heavy: Arc::new(Semaphore::new(1)),
            streams: Arc::new(Semaphore::new(STREAMS_MAX)),
            entries: Arc::new(Semaphore::new(ENTRIES_WAITING_MAX)),
            fields: answers::fields::KnownFields::default(),
            keyed: Mutex::new(()),
            closing: watch::Sender::new(false),
        }
    }

    /// Waits until nobody is let in any more.
    fn closed(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut closing = self.closing.subscribe();
        async move {
            // It cannot be dropped before what answers.
            let _ = closing.wait_for(|closing| *closing).await;
        }
    }

    /// Takes the place of one event stream.
    ///
    /// # Errors
    /// All of them are taken.
    fn stream(&self) -> Result<OwnedSemaphorePermit, Problem> {
        Arc::clone(&self.streams).try_acquire_owned().map_err(|_| Problem {
            retry_after: Some(10),
            ..Problem::new(Code::TooManyRequests, "Too many streams are open.")
        })
    }
}
