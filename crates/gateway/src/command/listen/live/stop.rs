//! Being asked to stop: by Ctrl-C, or by whoever started the service.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use tokio::runtime::Builder;

/// Whether somebody asked.
pub struct Stop(Arc<AtomicBool>);

impl Stop {
    pub fn is_asked(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// From here on a request to stop ends nothing by itself; it is remembered. A second thread waits for it.
pub fn when_asked() -> io::Result<Stop> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let asked = Arc::new(AtomicBool::new(false));
    #[cfg(unix)]
    let mut terminate = {
        let _entered = runtime.enter();
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?
    };
    #[cfg(unix)]
    let mut interrupt = {
        let _entered = runtime.enter();
        tokio::signal::unix::signal(tokio::signal::unix::SignalKind::interrupt())?
    };
    let told = Arc::clone(&asked);
    thread::spawn(move || {
        #[cfg(unix)]
        runtime.block_on(async {
            tokio::select! { _ = terminate.recv() => {}, _ = interrupt.recv() => {} }
        });
        #[cfg(not(unix))]
        runtime.block_on(async { drop(tokio::signal::ctrl_c().await) });
        told.store(true, Ordering::Relaxed);
    });
    Ok(Stop(asked))
}
