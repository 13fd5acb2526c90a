//! How many requests one asker has answered: a bucket of tokens for each, by account or token, else by address.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::PoisonError;
use std::time::Instant;

use axum::extract::{Extension, Request, State};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::Web;
use super::access::Known;
use super::problem::Problem;
use crate::account::Way;

/// Requests in one go: a page with all that belongs to it, several times.
const BURST_REQUESTS_MAX: f64 = 200.0;
/// Requests a second in the long run: a busy script; more than that is a mistake or an attack.
const REQUESTS_PER_SECOND_MAX: f64 = 50.0;
/// Askers that are remembered; beyond them those that have been quiet are forgotten.
const ASKERS_MAX: usize = 4_096;

/// Who asks.
#[derive(Clone, PartialEq, Eq, Hash)]
enum Asker {
    /// Somebody whom we know: the account's name, or the token's id.
    Person(String),
    Address(IpAddr),
}

/// What is left to each.
#[derive(Default)]
pub struct Rates(HashMap<Asker, (f64, Instant)>);

impl Rates {
    /// Takes one token; `false` where none is left.
    fn take(&mut self, asker: Asker, now: Instant) -> bool {
        let filled = |(left, at): (f64, Instant)| {
            (left + now.saturating_duration_since(at).as_secs_f64() * REQUESTS_PER_SECOND_MAX).min(BURST_REQUESTS_MAX)
        };
        if self.0.len() >= ASKERS_MAX && !self.0.contains_key(&asker) {
            self.0.retain(|_, bucket| filled(*bucket) < BURST_REQUESTS_MAX);
            if self.0.len() >= ASKERS_MAX {
                return false;
            }
        }
        let bucket = self.0.entry(asker).or_insert((BURST_REQUESTS_MAX, now));
        *bucket = (filled(*bucket), now);
        let is_left = bucket.0 >= 1.0;
        if is_left {
            bucket.0 -= 1.0;
        }
        is_left
    }
}

/// Answers nobody more than that. Strangers count by their address, whatever they send: proofs that are made up fill no memory. Who it is, is looked up here
/// for all that follows.
pub async fn limited(State(web): State<Web>, Extension(from): Extension<SocketAddr>, mut request: Request, next: Next) -> Response {
    let mut known = None;
    let asker = match web.person(request.headers()) {
        None => Asker::Address(from.ip()),
        Some(person) => {
            known = Some(Known::of(&person));
            let asker = if let Way::Token { id } = &person.way { id.clone() } else { person.name.clone() };
            request.extensions_mut().insert(person);
            Asker::Person(asker)
        }
    };
    let is_left = web.0.rates.lock().unwrap_or_else(PoisonError::into_inner).take(asker, Instant::now());
    let mut response = if is_left {
        next.run(request).await
    } else {
        Problem::too_many(format!("more than {REQUESTS_PER_SECOND_MAX} requests a second"), 1).into_response()
    };
    if let Some(known) = known {
        response.extensions_mut().insert(known);
    }
    response
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_bucket_empties_and_fills_and_is_nobody_elses() {
        let (mut rates, begin) = (Rates::default(), Instant::now());
        let asker = |number: u8| Asker::Address(IpAddr::from([10, 0, 0, number]));
        let taken = |rates: &mut Rates, number, now| (0..1_000).filter(|_| rates.take(asker(number), now)).count();
        assert_eq!(taken(&mut rates, 1, begin), 200);
        assert_eq!(taken(&mut rates, 2, begin), 200);
        assert_eq!(taken(&mut rates, 1, begin + Duration::from_secs(2)), 100);
        assert_eq!(taken(&mut rates, 1, begin + Duration::from_secs(3_600)), 200);
    }

    #[test]
    fn many_askers_fill_no_memory() {
        let (mut rates, begin) = (Rates::default(), Instant::now());
        for number in 0..100_000_u32 {
            rates.take(Asker::Address(IpAddr::from(number.to_be_bytes())), begin);
        }
        assert!(rates.0.len() <= ASKERS_MAX);
        assert!(rates.take(Asker::Address(IpAddr::from([255, 0, 0, 1])), begin + Duration::from_secs(60)));
    }
}
