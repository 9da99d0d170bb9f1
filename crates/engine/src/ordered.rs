//! Parallel work with results in order.
//!
//! Jobs are numbered. Several run at once, each on a blocking thread, and send results through a
//! bounded queue of their own; the stream drains the queues in the order of the numbers. So the
//! results are the same whatever the number of threads, and what waits in memory is bounded by the
//! jobs under way times the length of a queue.
//!
//! The threads stay until the last job is done: the memory that one job has given back to a thread is
//! there for the next one, and a machine has few of them.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};

use futures::Stream;
use tokio::sync::mpsc::{Receiver, Sender, channel};

use crate::error::Error;

/// The most results of one job that wait to be taken.
pub(crate) const QUEUE_LENGTH: usize = 16;
/// Jobs that may have finished, or wait for their turn to be taken, beyond those that run.
pub(crate) const JOBS_WAITING: usize = 2;

/// Where a job sends its results.
pub(crate) struct Outlet<T, E>(Sender<Result<T, E>>);

/// Nobody takes the results any more; the job should return.
#[derive(Debug)]
pub(crate) struct Closed;

impl<T, E> Outlet<T, E> {
    /// Sends a result, waiting while the queue is full.
    pub(crate) fn send(&self, result: T) -> Result<(), Closed> {
        self.0.blocking_send(Ok(result)).map_err(|_| Closed)
    }
}

/// What ends a job early.
pub(crate) enum Stop<E> {
    /// An error, which the stream yields as its last item.
    Failed(E),
    /// Nobody takes the results any more.
    Closed,
}

impl<E> From<Closed> for Stop<E> {
    fn from(_: Closed) -> Self {
        Self::Closed
    }
}

type Job<T, E> = dyn Fn(usize, &Outlet<T, E>) -> Result<(), Stop<E>> + Send + Sync;

/// The results of all jobs in order; ends behind the first error. Dropping it stops the jobs.
pub(crate) struct Ordered<T, E> {
    job: Arc<Job<T, E>>,
    next: usize,
    count: usize,
    running: VecDeque<Receiver<Result<T, E>>>,
    threads: usize,
    /// Where the threads take their jobs from, once there are any.
    queue: Option<mpsc::Sender<Task<T, E>>>,
}

/// A job that waits for a thread.
struct Task<T, E> {
    job: Arc<Job<T, E>>,
    number: usize,
    outlet: Outlet<T, E>,
}

impl<T, E> Ordered<T, E>
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    /// Makes jobs `0..count` run, at most `threads` at once, as the stream is polled.
    pub(crate) fn new(
        count: usize,
        threads: usize,
        job: impl Fn(usize, &Outlet<T, E>) -> Result<(), Stop<E>> + Send + Sync + 'static,
    ) -> Self {
        let (job, running) = (Arc::new(job), VecDeque::new());
        Self { job, next: 0, count, running, threads: threads.max(1), queue: None }
    }

    /// Lets as many jobs begin as may be under way. Threads take them in their order, so the job whose
    /// results are awaited always has one.
    fn start_jobs(&mut self) {
        while self.next < self.count && self.running.len() < self.threads + JOBS_WAITING {
            let threads = self.threads.min(self.count);
            let queue = self.queue.get_or_insert_with(|| start_threads(threads));
            let (sender, receiver) = channel(QUEUE_LENGTH);
            let (job, outlet) = (Arc::clone(&self.job), Outlet(sender));
            // Threads outlive the queue, whose end is what they wait for.
            drop(queue.send(Task { job, number: self.next, outlet }));
            self.running.push_back(receiver);
            self.next += 1;
        }
        if self.next == self.count {
            self.queue = None;
        }
    }
}

/// Starts threads that do jobs until no more can come.
fn start_threads<T, E>(threads: usize) -> mpsc::Sender<Task<T, E>>
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    let (queue, tasks) = mpsc::channel();
    let tasks = Arc::new(Mutex::new(tasks));
    for _ in 0..threads {
        let tasks: Arc<Mutex<mpsc::Receiver<Task<T, E>>>> = Arc::clone(&tasks);
        let next = move || tasks.lock().unwrap_or_else(PoisonError::into_inner).recv();
        tokio::task::spawn_blocking(move || {
            while let Ok(task) = next() {
                task.run();
            }
        });
    }
    queue
}

impl<T, E: From<Error>> Task<T, E> {
    fn run(self) {
        let Self { job, number, outlet } = self;
        if outlet.0.is_closed() {
            return;
        }
        // The libraries that decode files may panic on hostile input; that ends this job only.
        let outcome = catch_unwind(AssertUnwindSafe(|| job(number, &outlet)));
        // Before the queue closes: who sees the end of the stream may rely on the job being gone.
        drop(job);
        let error = match outcome {
            Ok(Ok(()) | Err(Stop::Closed)) => return,
            Ok(Err(Stop::Failed(error))) => error,
            Err(_) => Error::internal("the reader of an input panicked").into(),
        };
        // If nobody listens any more, nobody misses the error.
        drop(outlet.0.blocking_send(Err(error)));
    }
}

impl<T, E> Stream for Ordered<T, E>
where
    T: Send + 'static,
    E: From<Error> + Send + 'static,
{
    type Item = Result<T, E>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        loop {
            self.start_jobs();
            let Some(front) = self.running.front_mut() else { return Poll::Ready(None) };
            match front.poll_recv(context) {
                Poll::Pending => return Poll::Pending,
                Poll::Ready(Some(Ok(result))) => return Poll::Ready(Some(Ok(result))),
                Poll::Ready(Some(Err(error))) => {
                    self.next = self.count;
                    self.running.clear();
                    self.queue = None;
                    return Poll::Ready(Some(Err(error)));
                }
                Poll::Ready(None) => drop(self.running.pop_front()),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::TryStreamExt;

    use super::*;

    fn run(threads: usize) -> Ordered<usize, Error> {
        Ordered::new(20, threads, |job, outlet| {
            for part in 0..20 {
                outlet.send(job * 100 + part)?;
            }
            Ok(())
        })
    }

    #[tokio::test]
    async fn results_come_in_order_whatever_the_threads() {
        let expected: Vec<usize> =
            (0..20).flat_map(|job| (0..20).map(move |part| job * 100 + part)).collect();
        for threads in [1, 2, 7] {
            let found: Vec<usize> = run(threads).try_collect().await.expect("no job fails");
            assert_eq!(found, expected, "{threads} threads");
        }
    }

    #[tokio::test]
    async fn an_error_or_a_panic_is_the_last_item() {
        for panics in [false, true] {
            let jobs: Ordered<usize, Error> = Ordered::new(9, 3, move |job, outlet| {
                assert!(!panics || job != 4, "a panic on purpose");
                if job == 4 {
                    return Err(Stop::Failed(Error::internal("on purpose")));
                }
                Ok(outlet.send(job)?)
            });
            let mut found = Vec::new();
            let outcome = jobs
                .try_for_each(|job| {
                    std::future::ready({
                        found.push(job);
                        Ok(())
                    })
                })
                .await;
            assert!(outcome.is_err());
            assert_eq!(found, [0, 1, 2, 3]);
        }
    }
}
