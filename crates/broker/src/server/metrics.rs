//! Serves `GET /metrics` on a listener of its own.
//!
//! One request a connection, one scrape at a time, few connections; whoever takes too long is cut off.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::header::{ALLOW, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, Semaphore, watch};
use tokio::task::JoinSet;
use tracing::{debug, warn};

use super::listener::{ACCEPT_PAUSE, bind};
use crate::error::OpenError;
use crate::metrics;
use crate::settings::ListenerAddress;
use crate::shard::Shard;

/// Connections at once; further ones wait to be accepted.
const CONNECTIONS_MAX: usize = 16;

/// Bytes of a request's head, and of what is buffered of an answer.
const BUFFER_BYTES_MAX: usize = 16 * 1024;

/// Fields of a request's head.
const HEADERS_MAX: usize = 64;

/// How long a connection may last, from its acceptance to the last byte of the answer.
const CONNECTION_PATIENCE: Duration = Duration::from_secs(60);

const PLAIN_TEXT: &str = "text/plain; charset=utf-8";

/// A bound listener for metrics.
pub(crate) struct MetricsListener {
    socket: TcpListener,
    /// Where it listens, with the real port.
    pub(crate) address: SocketAddr,
}

impl MetricsListener {
    /// Binds.
    pub(crate) fn bind(address: &ListenerAddress, backlog: i32) -> Result<Self, OpenError> {
        let (socket, address) = bind(address, backlog)?;
        Ok(Self { socket, address })
    }

    /// Answers until told to stop.
    pub(crate) async fn serve(self, shard: Arc<Shard>, mut stop: watch::Receiver<bool>) {
        let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
        let turn = Arc::new(Mutex::new(()));
        let mut tasks = JoinSet::new();
        loop {
            let accepted = tokio::select! {
                _ = stop.changed() => break,
                accepted = self.accept(&connections) => accepted,
                Some(_) = tasks.join_next() => continue,
            };
            let Some((stream, permit)) = accepted else { continue };
            let (shard, turn) = (Arc::clone(&shard), Arc::clone(&turn));
            tasks.spawn(async move {
                let answered = tokio::time::timeout(CONNECTION_PATIENCE, answer(stream, shard, turn)).await;
                if answered.is_err() {
                    debug!("a connection for metrics took too long");
                }
                drop(permit);
            });
        }
        // What is being answered is not worth waiting for.
        tasks.shutdown().await;
    }

    async fn accept(
        &self,
        connections: &Arc<Semaphore>,
    ) -> Option<(TcpStream, tokio::sync::OwnedSemaphorePermit)> {
        let permit = Arc::clone(connections).acquire_owned().await.ok()?;
        match self.socket.accept().await {
            Ok((stream, _)) => Some((stream, permit)),
            Err(error) => {
                warn!(%error, "cannot accept a connection for metrics; trying again");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                None
            }
        }
    }
}

async fn answer(stream: TcpStream, shard: Arc<Shard>, turn: Arc<Mutex<()>>) {
    let service = service_fn(move |request| {
        let (shard, turn) = (Arc::clone(&shard), Arc::clone(&turn));
        async move { Ok::<_, Infallible>(respond(&request, &shard, &turn).await) }
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.keep_alive(false).max_buf_size(BUFFER_BYTES_MAX).max_headers(HEADERS_MAX);
    if let Err(error) = http.serve_connection(TokioIo::new(stream), service).await {
        debug!(%error, "connection for metrics lost");
    }
}

async fn respond(request: &Request<Incoming>, shard: &Arc<Shard>, turn: &Mutex<()>) -> Response<Full<Bytes>> {
    if request.uri().path() != "/metrics" {
        return plain(StatusCode::NOT_FOUND, "metrics are at /metrics\n");
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let mut response = plain(StatusCode::METHOD_NOT_ALLOWED, "GET only\n");
        response.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return response;
    }
    let taken = turn.lock().await;
    let text = metrics::scrape(shard).await;
    drop(taken);
    match text {
        Some(text) => written(StatusCode::OK, metrics::CONTENT_TYPE, text.into()),
        None => plain(StatusCode::INTERNAL_SERVER_ERROR, "metrics cannot be read\n"),
    }
}

fn plain(status: StatusCode, text: &'static str) -> Response<Full<Bytes>> {
    written(status, PLAIN_TEXT, Bytes::from_static(text.as_bytes()))
}

fn written(status: StatusCode, content_type: &'static str, body: Bytes) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(body));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
