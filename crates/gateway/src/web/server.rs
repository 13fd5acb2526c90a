//! The door: connections from people and programs, TLS, and what a slow or greedy one may cost.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Extension;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::{Web, tls};
use crate::account::Gate;
use crate::command::serve::config::Page;
use crate::failure::Failure;
use crate::house::House;
use crate::log::say;

/// Connections at once; one holds some ten kilobytes.
const CONNECTIONS_MAX: usize = 512;
/// A handshake, or the head of a request, that takes longer is a slow-loris.
const HEAD_SECONDS_MAX: Duration = Duration::from_secs(10);
/// Bytes of a request's head.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// How long answers that were begun may take once somebody asked to stop.
const LAST_SECONDS_MAX: Duration = Duration::from_secs(3);
/// How long is waited when no connection can be taken, because files are at an end.
const PAUSE: Duration = Duration::from_millis(100);

/// Opens the door, and answers until `stop` says so. Says where it is, once it is open.
///
/// # Errors
/// The certificate, the accounts, or the address cannot be had.
pub fn run(house: &Arc<House>, page: &Page, stop: watch::Receiver<bool>, opened: impl FnOnce(&str)) -> Result<(), Failure> {
    let cannot = |e: io::Error| Failure::input(page.listen, format!("no page can be opened there: {e}"));
    let sealed = page.tls.then(|| tls::acceptor(page, &house.directory)).transpose()?;
    let web = Web::new(Arc::clone(house), Gate::open(&house.directory)?, page, stop.clone());
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(cannot)?;
    runtime.block_on(async {
        let listener = TcpListener::bind(page.listen).await.map_err(cannot)?;
        let at = listener.local_addr().map_err(cannot)?;
        let url = format!("{}://{}", if page.tls { "https" } else { "http" }, name_of(page, at));
        if let Some((_, fingerprint)) = &sealed {
            say!(CERTIFICATE { fingerprint = %fingerprint }, "the page's certificate has the SHA-256 fingerprint {fingerprint}");
        }
        if let Some(path) = web.first_link() {
            // No event: it opens the gateway, and is for whoever stands before it.
            eprintln!("serve: there is no administrator yet; this link makes one, once, within a day: {url}{path}");
        }
        opened(&url);
        attend(&web, listener, sealed.map(|(acceptor, _)| acceptor), stop).await;
        Ok(())
    })
}

/// What people type: the first name of the configuration, else the address.
fn name_of(page: &Page, at: SocketAddr) -> String {
    match page.names.first() {
        Some(name) => format!("{name}:{}", at.port()),
        None if at.ip().is_unspecified() => format!("localhost:{}", at.port()),
        None => at.to_string(),
    }
}

async fn attend(web: &Web, listener: TcpListener, acceptor: Option<TlsAcceptor>, mut stop: watch::Receiver<bool>) {
    let (router, room) = (web.router(), Arc::new(Semaphore::new(CONNECTIONS_MAX)));
    loop {
        let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        let (stream, from) = match accepted {
            Ok(accepted) => accepted,
            Err(e) => {
                say!(CONNECTION_FAILED, "no connection could be taken: {e}");
                let _ = timeout(PAUSE, stop.wait_for(|stop| *stop)).await;
                continue;
            }
        };
        let (router, acceptor, stop) = (router.clone().layer(Extension(from)), acceptor.clone(), stop.clone());
        tokio::spawn(async move {
            let _place = place;
            answer(stream, acceptor, router, stop).await;
        });
    }
    // Each connection gives its place back when it is over.
    let _ = timeout(LAST_SECONDS_MAX, room.acquire_many(u32::try_from(CONNECTIONS_MAX).unwrap_or(u32::MAX))).await;
}

async fn answer(stream: TcpStream, acceptor: Option<TlsAcceptor>, router: axum::Router, stop: watch::Receiver<bool>) {
    // Small answers go at once.
    let _ = stream.set_nodelay(true);
    match acceptor {
        None => speak(stream, router, stop).await,
        Some(acceptor) => {
            // Who shakes no hand is gone without a word: strangers must not fill the log.
            if let Ok(Ok(stream)) = timeout(HEAD_SECONDS_MAX, acceptor.accept(stream)).await {
                speak(stream, router, stop).await;
            }
        }
    }
}

async fn speak(stream: impl AsyncRead + AsyncWrite + Unpin, router: axum::Router, mut stop: watch::Receiver<bool>) {
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEAD_SECONDS_MAX).max_buf_size(HEAD_BYTES_MAX);
    let mut connection = builder.serve_connection(TokioIo::new(stream), TowerToHyperService::new(router));
    let ended = tokio::select! {
        ended = &mut connection => Some(ended),
        _ = stop.wait_for(|stop| *stop) => None,
    };
    let ended = match ended {
        Some(ended) => ended,
        None => {
            Pin::new(&mut connection).graceful_shutdown();
            (&mut connection).await
        }
    };
    // Who was waited for in vain is told that it is over, and not cut off: TLS takes that for an attack.
    if ended.is_err() {
        let _ = timeout(HEAD_SECONDS_MAX, connection.into_parts().io.into_inner().shutdown()).await;
    }
}
