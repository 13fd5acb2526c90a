//! Between the two processes: all that the field side tells and the desk acknowledges passes here, and is remembered.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;

use nameplate::hatch::{Report, Request};
use nameplate_core::observation::{Observation, hex};

/// What an observation is known by on both sides: all of it but its messages, of which the ledger has the digests.
pub fn key_of(mut observation: Observation) -> String {
    observation.messages.clear();
    hex(&observation.digest())
}

/// A hatch of its own before the field side's.
pub struct Between {
    acknowledged: Arc<Mutex<Vec<String>>>,
}

impl Between {
    /// Opens it at `outer`, and leads to `inner`; its threads end with the process.
    ///
    /// # Panics
    /// The socket cannot be made.
    pub fn open(outer: &Path, inner: PathBuf) -> Self {
        let listener = UnixListener::bind(outer).expect("a socket");
        let acknowledged: Arc<Mutex<Vec<String>>> = Arc::default();
        let all = Arc::clone(&acknowledged);
        thread::spawn(move || {
            for desk in listener.incoming().map_while(Result::ok) {
                // Where nobody is, the connection is closed at once, and the desk tries again.
                let Ok(field) = UnixStream::connect(&inner) else { continue };
                lead(&desk, &field, &all);
            }
        });
        Self { acknowledged }
    }

    /// Ids of observations that the desk said it has.
    pub fn acknowledged(&self) -> Vec<String> {
        self.acknowledged.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Observations by the field side's number, as long as the conversation lasts.
type Told = Arc<Mutex<BTreeMap<u64, String>>>;

fn lead(desk: &UnixStream, field: &UnixStream, all: &Arc<Mutex<Vec<String>>>) {
    let ends = || Some((desk.try_clone().ok()?, field.try_clone().ok()?));
    let (Some((from_desk, to_field)), Some((to_desk, from_field))) = (ends(), ends()) else { return };
    let (told, all) = (Told::default(), Arc::clone(all));
    let telling = Arc::clone(&told);
    thread::spawn(move || {
        pass(from_field, to_desk, |line| {
            if let Ok(Report::Said { number, observation, .. }) = serde_json::from_slice(line) {
                telling.lock().unwrap_or_else(PoisonError::into_inner).insert(number, key_of(*observation));
            }
        });
    });
    thread::spawn(move || {
        pass(from_desk, to_field, |line| {
            if let Ok(Request::Kept { number }) = serde_json::from_slice(line) {
                let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
                let rest = told.split_off(&number.saturating_add(1));
                let kept = std::mem::replace(&mut *told, rest);
                all.lock().unwrap_or_else(PoisonError::into_inner).extend(kept.into_values());
            }
        });
    });
}

/// Hands lines on; when one side goes, the other is told.
fn pass(from: UnixStream, mut to: UnixStream, mut look: impl FnMut(&[u8])) {
    let mut reader = BufReader::new(from);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line).is_ok_and(|bytes| bytes > 0) {
        look(&line);
        if to.write_all(&line).is_err() {
            break;
        }
        line.clear();
    }
    let _ = to.shutdown(std::net::Shutdown::Both);
    let _ = reader.get_ref().shutdown(std::net::Shutdown::Both);
}
