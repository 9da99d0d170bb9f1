//! Accepts connections and serves them until the lab stops.

use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::front::Front;
use crate::wire::{ResetSwitch, Wire};

/// How long requests that are under way may take to end once the lab stops.
const STOP_GRACE: Duration = Duration::from_millis(500);

/// Accepts until told to stop, then gives what is under way a little time.
pub(crate) async fn accept(
    listener: TcpListener,
    front: Front,
    mut stopping: watch::Receiver<bool>,
) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, front.clone(), stopping.clone()));
                }
                // Out of file descriptors, most likely: others may be closed meanwhile.
                Err(_) => tokio::time::sleep(Duration::from_millis(10)).await,
            },
            Some(_) = connections.join_next() => {}
            _ = stopping.changed() => break,
        }
    }
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(STOP_GRACE, ended).await;
    connections.shutdown().await;
}

async fn connection(stream: TcpStream, front: Front, mut stopping: watch::Receiver<bool>) {
    // Small answers are what tests wait for; without this they may wait for an acknowledgement first.
    let _ = stream.set_nodelay(true);
    let reset = ResetSwitch::default();
    let wire = TokioIo::new(Wire::new(stream, reset.clone()));
    let service = service_fn(move |request| {
        let (front, reset) = (front.clone(), reset.clone());
        async move { front.serve(request, &reset).await }
    });
    let served = http1::Builder::new().timer(TokioTimer::new()).serve_connection(wire, service);
    let mut served = std::pin::pin!(served);
    // Errors of a connection are the client's business, and what faults are made of.
    tokio::select! {
        _ = served.as_mut() => return,
        _ = stopping.changed() => served.as_mut().graceful_shutdown(),
    }
    let _ = served.await;
}
