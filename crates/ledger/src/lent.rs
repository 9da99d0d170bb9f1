//! A transaction on a connection of the pool, no step of which is broken off in the middle.
//!
//! Whoever waits for a step may be dropped: a run that ends while its lease is renewed, a request whose
//! client is gone. A connection that goes back to the pool in such a moment may still be in a transaction
//! that nobody knows of, and owes answers that the next one takes for its own; behind a pooler it keeps a
//! connection of the server from all others. So a transaction begins and ends in tasks of their own, and
//! one that was not committed is rolled back before its connection is lent again.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use sqlx::postgres::{PgConnection, PgPool, Postgres};
use sqlx::{AssertSqlSafe, Transaction};
use tokio::runtime::Handle;

use crate::error::{Error, Result};
use crate::sql::answered;

/// An open transaction; rolled back when it is dropped.
pub(crate) struct Lent {
    /// Until it ends.
    open: Option<Transaction<'static, Postgres>>,
}

impl Lent {
    pub(crate) async fn begin(pool: &PgPool, statements: &Arc<str>) -> Result<Self> {
        let (pool, statements) = (pool.clone(), AssertSqlSafe(Arc::clone(statements)));
        to_its_end(async move {
            let open = answered(pool.begin_with(statements)).await?;
            Ok(Self { open: Some(open) })
        })
        .await
    }

    /// Ends the transaction; what it wrote is durable when this returns.
    pub(crate) async fn commit(mut self) -> Result<()> {
        match self.open.take() {
            Some(open) => to_its_end(answered(open.commit())).await,
            None => Ok(()),
        }
    }
}

impl Deref for Lent {
    type Target = PgConnection;

    fn deref(&self) -> &PgConnection {
        self.open.as_deref().expect("a transaction is open until it is given up")
    }
}

impl DerefMut for Lent {
    fn deref_mut(&mut self) -> &mut PgConnection {
        self.open.as_deref_mut().expect("a transaction is open until it is given up")
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        // Without a runtime the process ends, and the server rolls back by itself.
        if let Some(open) = self.open.take()
            && let Ok(runtime) = Handle::try_current()
        {
            // An error means that the connection is lost, and the transaction with it.
            runtime.spawn(async { answered(open.rollback()).await.ok() });
        }
    }
}

/// Does something to its end, also when whoever waits for it does not wait any longer.
async fn to_its_end<T: Send + 'static>(
    step: impl Future<Output = Result<T>> + Send + 'static,
) -> Result<T> {
    match tokio::spawn(step).await {
        Ok(done) => done,
        Err(error) => Err(Error::Unreachable(error.into())),
    }
}
