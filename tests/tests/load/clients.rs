//! Programs and people who ask the gateway while it works: fifty of them, each about once a second, and now and then one wants a device read.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use nameplate_tests::web::{Asker, Gate};
use rusqlite::Connection;
use serde_json::json;

/// From one request of a client to its next.
const REQUEST_EVERY: Duration = Duration::from_secs(1);
/// What they ask for, in turn; the devices page is asked for as often as all the rest.
const PATHS: [&str; 8] = [
    "/devices",
    "/api/v1/devices?sort=tag&limit=100",
    "/devices",
    "/api/v1/deltas?after=0&limit=100",
    "/devices",
    "/api/v1/listeners",
    "/devices",
    "/",
];
/// Rows of a page, as the page itself has it.
const ROWS: usize = 100;

/// Where the page is, as long as there is one.
pub type Page = Arc<RwLock<Gate>>;

/// What came of it.
#[derive(Default)]
pub struct Account {
    /// How long answers took, by what was asked for.
    pub took: BTreeMap<&'static str, Vec<Duration>>,
    /// Answers that nobody should get, with what was asked for.
    pub wrong: Vec<String>,
    /// Requests that were not answered, because nobody was there.
    pub unanswered: usize,
    /// Work orders that the gateway said it has taken.
    pub wanted: Vec<String>,
}

/// They, at work.
pub struct Clients {
    threads: Vec<JoinHandle<()>>,
    over: Vec<Sender<()>>,
    account: Arc<Mutex<Account>>,
}

impl Clients {
    /// Begins with a client for each token. Each wants one of `devices` read this often.
    pub fn start(page: &Page, tokens: &[String], devices: &[String], wants_every: Duration) -> Self {
        let account: Arc<Mutex<Account>> = Arc::default();
        let (mut threads, mut over) = (Vec::new(), Vec::new());
        for (number, token) in tokens.iter().enumerate() {
            let client = Client {
                number,
                page: Arc::clone(page),
                asker: Asker::token(token),
                devices: devices.iter().skip(number).step_by(tokens.len()).cloned().collect(),
                wants_every,
                account: Arc::clone(&account),
            };
            let (end, ended) = mpsc::channel::<()>();
            // They begin spread over the second.
            let shift = REQUEST_EVERY.mul_f64(number as f64 / tokens.len() as f64);
            threads.push(thread::spawn(move || client.work(shift, &ended)));
            over.push(end);
        }
        Self { threads, over, account }
    }

    /// Ends them; what came of it.
    ///
    /// # Panics
    /// A client did.
    pub fn end(self) -> Account {
        drop(self.over);
        for thread in self.threads {
            thread.join().expect("a client that ends well");
        }
        std::mem::take(&mut *self.account.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

struct Client {
    number: usize,
    page: Page,
    asker: Asker,
    devices: Vec<String>,
    wants_every: Duration,
    account: Arc<Mutex<Account>>,
}

impl Client {
    fn work(&self, shift: Duration, ended: &mpsc::Receiver<()>) {
        let begun = Instant::now() + shift;
        let (mut wants_at, mut wanted) = (begun + self.wants_every.mul_f64(self.number as f64 / 50.0), 0);
        for turn in 0.. {
            let due = begun + REQUEST_EVERY * turn;
            if ended.recv_timeout(due.saturating_duration_since(Instant::now())) != Err(mpsc::RecvTimeoutError::Timeout) {
                return;
            }
            if Instant::now() >= wants_at && !self.devices.is_empty() {
                wants_at += self.wants_every;
                self.want(wanted);
                wanted += 1;
            }
            self.ask(PATHS[(self.number + usize::try_from(turn).unwrap_or(0)) % PATHS.len()]);
        }
    }

    fn ask(&self, path: &'static str) {
        let (gate, asked) = (self.gate(), Instant::now());
        let answered = gate.try_send("GET", &self.asker, path, None);
        let took = asked.elapsed();
        let mut account = self.account.lock().unwrap_or_else(PoisonError::into_inner);
        match answered {
            Err(_) => account.unanswered += 1,
            Ok(answered) if answered.status == 200 => account.took.entry(path).or_default().push(took),
            Ok(answered) => account.wrong.push(format!("{path}: {} {}", answered.status, answered.body)),
        }
    }

    /// Wants a device read. That is refused where the field side is not there, or too many wait.
    fn want(&self, number: usize) {
        let Some(device) = self.devices.get(number % self.devices.len()) else { return };
        let order = format!("WO-{}-{number}", self.number);
        let body = json!({ "devices": [device], "order": order });
        let answered = self.gate().try_send("POST", &self.asker, "/api/v1/rounds", Some(&body));
        let mut account = self.account.lock().unwrap_or_else(PoisonError::into_inner);
        match answered {
            Err(_) => account.unanswered += 1,
            Ok(answered) if answered.status == 202 => account.wanted.push(order),
            Ok(answered) if answered.status == 409 || answered.status == 503 => {}
            Ok(answered) => account.wrong.push(format!("{order}: {} {}", answered.status, answered.body)),
        }
    }

    fn gate(&self) -> Gate {
        self.page.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// The same rows in a plain SQLite table, asked for beside the page: what a database takes for the first page, and to count all of them.
pub struct Plain {
    thread: JoinHandle<Vec<Duration>>,
    over: Sender<()>,
}

impl Plain {
    /// Fills the table from a list of devices as CSV, and asks as often as one client does.
    ///
    /// # Panics
    /// SQLite does not do what it should.
    pub fn start(file: &Path, csv: &str) -> Self {
        let connection = Connection::open(file).expect("a database");
        let mut lines = csv.lines();
        let columns: Vec<String> = lines.next().expect("a header").split(',').map(|name| format!("\"{name}\" TEXT")).collect();
        connection.execute_batch(&format!("CREATE TABLE device ({}); BEGIN", columns.join(", "))).expect("a table");
        let marks = vec!["?"; columns.len()].join(", ");
        for line in lines {
            // Values with commas are cut here; their number and their length are what counts.
            let mut values: Vec<&str> = line.split(',').collect();
            values.resize(columns.len(), "");
            connection.execute(&format!("INSERT INTO device VALUES ({marks})"), rusqlite::params_from_iter(values)).expect("a row");
        }
        connection.execute_batch("COMMIT").expect("rows");
        let (over, ended) = mpsc::channel::<()>();
        let thread = thread::spawn(move || {
            let mut took = Vec::new();
            while ended.recv_timeout(REQUEST_EVERY / 4) == Err(mpsc::RecvTimeoutError::Timeout) {
                let asked = Instant::now();
                let mut select = connection.prepare_cached("SELECT * FROM device ORDER BY tag LIMIT ?1").expect("SQL");
                let mut rows = select.query([ROWS]).expect("rows");
                let mut bytes = 0;
                while let Some(row) = rows.next().expect("a row") {
                    bytes += (0..columns.len()).filter_map(|at| row.get_ref(at).ok()?.as_str().ok().map(str::len)).sum::<usize>();
                }
                let all: i64 = connection.query_row("SELECT count(*) FROM device", [], |row| row.get(0)).expect("a count");
                assert!(bytes > 0 && all > 0);
                took.push(asked.elapsed());
            }
            took
        });
        Self { thread, over }
    }

    /// Ends it; how long each took.
    ///
    /// # Panics
    /// It did.
    pub fn end(self) -> Vec<Duration> {
        drop(self.over);
        self.thread.join().expect("a thread that ends well")
    }
}

/// The time that 50 and 99 of 100 stayed within (nearest rank), and the longest; all nothing where there is none.
pub fn ranks(took: &[Duration]) -> [Duration; 3] {
    let mut sorted = took.to_vec();
    sorted.sort_unstable();
    let rank = |hundredths: usize| sorted.get((sorted.len() * hundredths).div_ceil(100).saturating_sub(1)).copied().unwrap_or_default();
    [rank(50), rank(99), rank(100)]
}
