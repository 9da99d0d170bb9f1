//! Connections: accepted, bounded in number and time, and answered one request after another.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpListener;
use tokio::sync::Semaphore;
use tokio::task::JoinHandle;

use super::unreadable::Explained;
use super::{App, dispatch};
use crate::failure::{Failure, Kind};
use crate::server::Shared;

/// The most connections at once; further ones wait to be accepted.
const CONNECTIONS_MAX: u32 = 256;
/// How long a client may take for the head of a request.
const HEAD_TIME_MAX: Duration = Duration::from_secs(10);
/// How long a stop waits for the answers to requests that are under way.
const ANSWERS_TIME_MAX: Duration = Duration::from_secs(5);
/// The most bytes of a request's head.
const HEAD_BYTES_MAX: usize = 16 << 10;

/// Where to listen, and by which names.
#[derive(Debug, Clone)]
pub(crate) struct Door {
    pub(crate) address: SocketAddr,
    /// Other names than the address and `localhost`.
    pub(crate) hosts: Vec<String>,
    /// Whether something in front of this server takes care of TLS.
    pub(crate) behind_proxy: bool,
}

/// A server that answers.
pub(crate) struct Answering {
    pub(crate) url: String,
    app: Arc<App>,
    accepting: JoinHandle<()>,
    /// A permit for each further connection.
    room: Arc<Semaphore>,
}

impl Answering {
    /// Lets nobody in any more, and waits until everybody who is in has an answer: what they asked for
    /// needs the ledger, which is closed behind this.
    pub(crate) async fn end(self) {
        self.accepting.abort();
        self.app.closing.send_replace(true);
        let everybody = self.room.acquire_many(CONNECTIONS_MAX);
        if tokio::time::timeout(ANSWERS_TIME_MAX, everybody).await.is_err() {
            tracing::warn!("some requests were not answered in time");
        }
    }
}

/// Listens, and answers from then on.
///
/// # Errors
/// The address would show the server to others without TLS, or cannot be had.
pub(crate) async fn open(shared: &Arc<Shared>, door: &Door) -> Result<Answering, Failure> {
    if !door.address.ip().is_loopback() && !door.behind_proxy {
        let message =
            format!("{} can be reached by others, and this server speaks no TLS", door.address);
        return Err(Failure::usage(message).hint(
            "Put a proxy with TLS in front of it and say --behind-proxy, with --host for the name by which it is called; or listen on 127.0.0.1.",
        ));
    }
    let listener = TcpListener::bind(door.address).await.map_err(|error| {
        Failure::from_error(Kind::Usage, &error)
            .context(format!("failed to listen on {}", door.address))
            .hint("Choose another address with --listen.")
    })?;
    let address = listener.local_addr().unwrap_or(door.address);
    let app = Arc::new(App::new(Arc::clone(shared), hosts(address, &door.hosts)));
    let room = Arc::new(Semaphore::new(CONNECTIONS_MAX as usize));
    let accepting = tokio::spawn(accept(listener, Arc::clone(&app), Arc::clone(&room)));
    Ok(Answering { url: format!("http://{address}"), app, accepting, room })
}

fn hosts(address: SocketAddr, more: &[String]) -> Vec<String> {
    let port = address.port();
    let mut hosts: Vec<String> =
        ["localhost", "127.0.0.1", "[::1]"].iter().map(|host| format!("{host}:{port}")).collect();
    hosts.push(address.to_string());
    for host in more {
        hosts.push(host.to_lowercase());
        hosts.push(format!("{}:{port}", host.to_lowercase()));
    }
    hosts
}

async fn accept(listener: TcpListener, app: Arc<App>, room: Arc<Semaphore>) {
    loop {
        let Ok(permit) = Arc::clone(&room).acquire_owned().await else { return };
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let app = Arc::clone(&app);
        tokio::spawn(async move {
            let of_answers = Arc::clone(&app);
            let service = service_fn(move |request| {
                let app = Arc::clone(&of_answers);
                async move { Ok::<_, Infallible>(dispatch::answer(app, peer.ip(), request).await) }
            });
            let mut server = http1::Builder::new();
            server
                .timer(TokioTimer::new())
                .header_read_timeout(HEAD_TIME_MAX)
                .max_buf_size(HEAD_BYTES_MAX);
            let connection = server.serve_connection(Explained::new(TokioIo::new(stream)), service);
            let mut connection = std::pin::pin!(connection);
            let ended = tokio::select! {
                ended = connection.as_mut() => ended,
                () = app.closed() => {
                    // The request that is under way is answered, and no other one is taken.
                    connection.as_mut().graceful_shutdown();
                    connection.await
                }
            };
            if let Err(error) = ended {
                tracing::debug!(%error, "a connection ended early");
            }
            drop(permit);
        });
    }
}
