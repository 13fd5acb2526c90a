//! A process that goes on until it is told to end, and what it says meanwhile.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

/// What it does not say by then it never will.
const SAYS_SECONDS_MAX: Duration = Duration::from_secs(60);

/// It. Dropping it ends it, by its process id.
#[derive(Debug)]
pub struct Process {
    /// As the system knows it.
    pub child: Child,
    lines: Receiver<String>,
    said: Vec<String>,
}

impl Process {
    /// Starts it; what it says on standard error is kept, the rest goes nowhere.
    ///
    /// # Panics
    /// When it cannot be started.
    pub fn start(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("it starts");
        let err = BufReader::new(child.stderr.take().expect("a pipe"));
        let (hand, lines) = mpsc::channel();
        thread::spawn(move || err.lines().map_while(Result::ok).try_for_each(|line| hand.send(line)));
        Self { child, lines, said: Vec::new() }
    }

    /// Waits until it says this; the line.
    ///
    /// # Panics
    /// When it does not, or panicked itself.
    pub fn says(&mut self, part: &str) -> String {
        loop {
            let line =
                self.lines.recv_timeout(SAYS_SECONDS_MAX).unwrap_or_else(|_| panic!("it does not say {part:?}, but {:#?}", self.said));
            assert!(!line.contains("panicked"), "{line}: {:#?}", self.said);
            self.said.push(line.clone());
            if line.contains(part) {
                return line;
            }
        }
    }

    /// Whether it still runs.
    ///
    /// # Panics
    /// When the system does not know it.
    pub fn runs(&mut self) -> bool {
        self.child.try_wait().expect("a process").is_none()
    }

    /// SIGTERM, and the code with which it ends.
    ///
    /// # Panics
    /// When it ends with another.
    pub fn ends(&mut self, code: i32) {
        self.asked_to_end();
        let ended = self.child.wait().expect("an end");
        self.said.extend(self.lines.iter());
        assert_eq!(ended.code(), Some(code), "{:#?}", self.said);
    }

    /// SIGTERM; it goes on until it has ended what is under way.
    ///
    /// # Panics
    /// When nobody can tell it.
    pub fn asked_to_end(&self) {
        let asked = Command::new("kill").arg(self.child.id().to_string()).status();
        assert!(asked.is_ok_and(|status| status.success()));
    }

    /// All that it said, once it has ended.
    #[must_use]
    pub fn said(&self) -> &[String] {
        &self.said
    }

    /// SIGKILL.
    ///
    /// # Panics
    /// When it cannot be killed.
    pub fn kill(&mut self) {
        self.child.kill().expect("killed");
        self.child.wait().expect("an end");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended already; there is nobody to tell here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
