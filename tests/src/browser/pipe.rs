//! The pipes to a browser: JSON with a NUL behind each message, answers by their number, events as they come.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

/// An answer that is not there by then never will be; a busy machine takes a tenth of it for the longest.
const ANSWER_SECONDS_MAX: Duration = Duration::from_secs(60);
/// How long it may take to put its profile away.
const END_SECONDS_MAX: Duration = Duration::from_secs(5);

/// Both pipes, and what came in that nobody asked for.
#[derive(Debug)]
pub struct Pipe {
    child: RefCell<Child>,
    asks: RefCell<ChildStdin>,
    says: Receiver<Value>,
    number: Cell<u64>,
    /// Events by the session that they belong to.
    events: RefCell<HashMap<String, Vec<Value>>>,
}

impl Pipe {
    /// Starts the command and listens to it.
    pub fn to(command: &mut Command) -> Result<Self, String> {
        let spawned = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut child = spawned.map_err(|error| format!("chromium: {error}"))?;
        let (Some(asks), Some(out)) = (child.stdin.take(), child.stdout.take()) else { return Err("chromium: no pipes".to_owned()) };
        let (heard, says) = mpsc::channel();
        thread::spawn(move || {
            for message in BufReader::new(out).split(0).map_while(Result::ok) {
                let Ok(message) = serde_json::from_slice(&message) else { break };
                if heard.send(message).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child: RefCell::new(child), asks: RefCell::new(asks), says, number: Cell::new(0), events: RefCell::default() })
    }

    /// Sends a command, to a page or to the browser itself; gives its number.
    fn send(&self, session: Option<&str>, method: &str, parameters: &Value) -> Result<u64, String> {
        let number = self.number.get() + 1;
        self.number.set(number);
        let mut message = json!({"id": number, "method": method, "params": parameters});
        if let Some(session) = session {
            message["sessionId"] = session.into();
        }
        let bytes = [message.to_string().as_bytes(), b"\0"].concat();
        self.asks.borrow_mut().write_all(&bytes).map_err(|error| format!("{method}: the browser is gone: {error}"))?;
        Ok(number)
    }

    /// Sends a command and waits for its answer; events that come in between are kept.
    ///
    /// # Errors
    /// What the browser says against it, or that it says nothing.
    pub fn ask(&self, session: Option<&str>, method: &str, parameters: &Value) -> Result<Value, String> {
        let number = self.send(session, method, parameters)?;
        loop {
            let mut message = self.next(method)?;
            if message["id"] != number {
                self.keep(message)?;
            } else if message["error"].is_null() {
                return Ok(message["result"].take());
            } else {
                return Err(format!("{method}: {}", message["error"]["message"]));
            }
        }
    }

    /// Waits for an event of a page, which may be here already.
    pub fn wait(&self, session: &str, event: &str) -> Result<(), String> {
        let there = || self.events.borrow().get(session).is_some_and(|events| events.iter().any(|one| one["method"] == event));
        while !there() {
            self.keep(self.next(event)?)?;
        }
        Ok(())
    }

    /// The events of a page since they were last forgotten.
    pub fn events(&self, session: &str) -> Vec<Value> {
        self.events.borrow().get(session).cloned().unwrap_or_default()
    }

    /// Forgets them.
    pub fn forget(&self, session: &str) {
        self.events.borrow_mut().remove(session);
    }

    fn next(&self, waited_for: &str) -> Result<Value, String> {
        self.says.recv_timeout(ANSWER_SECONDS_MAX).map_err(|why| format!("{waited_for}: the browser does not answer: {why}"))
    }

    /// Keeps an event. A dialog is closed at once: the page stands still until then, and nothing else would be answered.
    fn keep(&self, event: Value) -> Result<(), String> {
        let Some(session) = event["sessionId"].as_str().map(str::to_owned) else { return Ok(()) };
        if event["method"] == "Page.javascriptDialogOpening" {
            self.send(Some(&session), "Page.handleJavaScriptDialog", &json!({"accept": false}))?;
        }
        self.events.borrow_mut().entry(session).or_default().push(event);
        Ok(())
    }

    /// Asks it to end, waits for the end of its pipe, and ends the process if it is still there.
    pub fn end(&self) {
        let _ = self.send(None, "Browser.close", &json!({}));
        while self.says.recv_timeout(END_SECONDS_MAX).is_ok() {}
        let mut child = self.child.borrow_mut();
        let _ = child.kill();
        let _ = child.wait();
    }
}
