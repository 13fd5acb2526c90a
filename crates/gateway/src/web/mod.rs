//! The page and the API: what `nameplate serve` shows to people and to other programs. It looks at the [`House`], enters what people do into the ledger, and
//! has no way to a device.
//!
//! A request is told to the log ([`access`]), and passes, in this order: limits of its connection ([`server`]), the name it came to and what a browser may do with the answer
//! ([`manners`]), its rate ([`rate`]), whether anything can be written, who asks and whether they may ([`who`]), and the one function that answers it.

mod access;
pub mod api;
pub mod judged;
mod manners;
pub mod news;
mod page;
mod problem;
mod rate;
pub mod server;
mod tls;
pub mod upload;
mod views;
mod who;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use tokio::sync::{Semaphore, watch};

use self::judged::Judged;
use self::manners::Names;
use self::news::Newsroom;
use self::problem::Problem;
use self::rate::Rates;
use self::views::Views;
use crate::account::Gate;
use crate::command::serve::config::Page;
use crate::house::{House, Known};

/// Requests that are answered at once; the others wait. Two processors do no more, and each may hold a page in memory.
const REQUESTS_AT_ONCE_MAX: usize = 4;

/// What every request has at hand.
#[derive(Clone)]
pub struct Web(Arc<Shared>);

struct Shared {
    house: Arc<House>,
    gate: Mutex<Gate>,
    judged: Arc<Judged>,
    news: Newsroom,
    /// Whether it is ending.
    stop: watch::Receiver<bool>,
    names: Names,
    rates: Mutex<Rates>,
    views: Mutex<Views>,
    /// Cookies are for TLS alone.
    tls: bool,
    at_once: Semaphore,
    /// Files that come in.
    uploads: Arc<Semaphore>,
    /// What goes through the whole log again takes as much memory as the catalog does: one at a time.
    one_fold: Semaphore,
    /// One password at a time: each takes 19 MiB and a tenth of a second.
    one_password: Semaphore,
}

impl Web {
    /// Over a house; `gate` says who people are, and `stop` when it is over.
    pub fn new(house: Arc<House>, gate: Gate, page: &Page, stop: watch::Receiver<bool>) -> Self {
        upload::sweep(&house.directory);
        let views = Mutex::new(Views::read(house.directory.clone()));
        Self(Arc::new(Shared {
            house,
            views,
            gate: Mutex::new(gate),
            judged: Arc::default(),
            news: Newsroom::default(),
            stop,
            names: Names::of(page),
            rates: Mutex::default(),
            tls: page.tls,
            at_once: Semaphore::new(REQUESTS_AT_ONCE_MAX),
            uploads: Arc::new(Semaphore::new(upload::UPLOADS_AT_ONCE_MAX)),
            one_fold: Semaphore::new(1),
            one_password: Semaphore::new(1),
        }))
    }

    /// All that is answered.
    pub fn router(&self) -> Router {
        let (api, description) = api::router();
        page::router()
            .merge(api)
            .merge(description)
            .layer(from_fn_with_state(self.clone(), manners::held))
            .layer(from_fn_with_state(self.clone(), rate::limited))
            .layer(from_fn_with_state(self.clone(), manners::kept))
            .layer(from_fn(manners::taught))
            .layer(from_fn(access::told))
            .with_state(self.clone())
    }

    /// The house.
    pub fn house(&self) -> &Arc<House> {
        &self.0.house
    }

    /// Findings.
    pub fn judged(&self) -> Arc<Judged> {
        Arc::clone(&self.0.judged)
    }

    /// Views of the devices that people keep.
    fn views(&self) -> MutexGuard<'_, Views> {
        self.0.views.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who waits for news.
    pub fn news(&self) -> &Newsroom {
        &self.0.news
    }

    /// Whether it is ending.
    pub fn stop(&self) -> watch::Receiver<bool> {
        self.0.stop.clone()
    }

    /// Who people are. Held for moments: no password is tried under it.
    pub fn gate(&self) -> MutexGuard<'_, Gate> {
        self.0.gate.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Answers from what is known, on a thread that may take its time.
    ///
    /// # Errors
    /// What `look` says; or it panicked, which is said without its words.
    pub async fn known<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Known<'_>) -> Result<T, Problem> + Send + 'static,
    ) -> Result<T, Problem> {
        self.apart(move |house| house.known(look)).await
    }

    /// Does something with the house, on a thread that may take its time.
    ///
    /// # Errors
    /// As [`Web::known`].
    pub async fn apart<T: Send + 'static>(&self, act: impl FnOnce(&House) -> Result<T, Problem> + Send + 'static) -> Result<T, Problem> {
        let _one_of_few = self.0.at_once.acquire().await.map_err(|_| Problem::unavailable("it is ending"))?;
        let house = Arc::clone(&self.0.house);
        tokio::task::spawn_blocking(move || act(&house)).await.unwrap_or_else(|_| Err(Problem::own_fault()))
    }

    /// As [`Web::apart`], for what goes through the whole log: one at a time, beside those that look.
    ///
    /// # Errors
    /// As [`Web::known`].
    pub async fn folded<T: Send + 'static>(&self, act: impl FnOnce(&House) -> Result<T, Problem> + Send + 'static) -> Result<T, Problem> {
        let _the_one = self.0.one_fold.acquire().await.map_err(|_| Problem::unavailable("it is ending"))?;
        self.apart(act).await
    }
}
