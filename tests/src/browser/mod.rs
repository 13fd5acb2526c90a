//! A browser that we did not write: Chromium without a window, driven over the DevTools protocol
//! (chromedevtools.github.io/devtools-protocol) through two pipes, so that no port is opened.
//!
//! ```text
//! let browser = Browser::start()?;
//! let page = browser.page()?;
//! page.emulate(&View { width: 390, dark: true, ..View::default() })?;
//! page.open(&file_url(path))?;
//! assert_eq!(page.account().requests, [file_url(path)]);
//! ```
//!
//! It has no network of its own: no name is resolved but loopback's. One browser serves all pages of a test; each page forgets what the
//! one before kept.

pub mod axe;
mod page;
mod pipe;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use crate::place;
use pipe::Pipe;

pub use page::{Account, Page, View};

/// What the browser is told: no window, no profile but ours, nothing in the background, and no name but loopback's.
const WORDS: [&str; 16] = [
    "--headless",
    "--remote-debugging-pipe",
    "--no-first-run",
    "--no-default-browser-check",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-sync",
    "--disable-extensions",
    "--disable-breakpad",
    "--disable-gpu",
    "--hide-scrollbars",
    "--mute-audio",
    "--password-store=basic",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
];
/// The protocol is spoken on the descriptors 3 and 4, which only a shell can hand on without `unsafe`: what it got as standard input and
/// output. `exec`, so that the process that we started is the browser.
const SHELL: &str = "exec chromium \"$@\" 3<&0 4>&1 </dev/null >/dev/null 2>/dev/null";

/// A browser at work. Dropping it ends its process, by its id; it ends by itself where this process does, because its pipes close.
#[derive(Debug)]
pub struct Browser {
    pipe: Pipe,
    folder: PathBuf,
}

/// Whether there is one.
///
/// # Errors
/// What installs it.
pub fn available() -> Result<(), String> {
    let said = Command::new("chromium").arg("--version").output();
    match said {
        Ok(said) if said.status.success() => Ok(()),
        _ => Err("chromium is not installed: apt-get install chromium".to_owned()),
    }
}

impl Browser {
    /// Starts one, with a profile of its own that is gone with it.
    ///
    /// # Errors
    /// That there is none, or that it does not answer.
    pub fn start() -> Result<Self, String> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        available()?;
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let folder = place::scratch()?.join(format!("browser-{}-{number}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        let folder = folder.canonicalize().map_err(|error| format!("{}: {error}", folder.display()))?;
        let mut command = Command::new("sh");
        command.args(["-c", SHELL, "sh"]).args(WORDS).arg(format!("--user-data-dir={}", folder.display()));
        // It refuses to run as root inside its own sandbox; a machine of CI has no other account.
        if is_root() {
            command.arg("--no-sandbox");
        }
        for own in ["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"] {
            command.env(own, &folder);
        }
        let browser = Self { pipe: Pipe::to(&mut command)?, folder };
        browser.pipe.ask(None, "Browser.getVersion", &json!({}))?;
        Ok(browser)
    }

    /// A page in a context of its own: no cookie, store or cache of another. Gone with the value.
    ///
    /// # Errors
    /// What the browser says.
    pub fn page(&self) -> Result<Page<'_>, String> {
        let context = text(&self.pipe.ask(None, "Target.createBrowserContext", &json!({"disposeOnDetach": true}))?, "browserContextId")?;
        let made = self.pipe.ask(None, "Target.createTarget", &json!({"url": "about:blank", "browserContextId": context}))?;
        let joined = json!({"targetId": text(&made, "targetId")?, "flatten": true});
        let session = text(&self.pipe.ask(None, "Target.attachToTarget", &joined)?, "sessionId")?;
        Page::new(&self.pipe, session, context)
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.pipe.end();
        // What is left behind lies in target/tmp; there is nobody to tell here.
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

/// The address of a file, as the browser writes it.
#[must_use]
pub fn file_url(path: impl AsRef<Path>) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"/-_.~".contains(&byte);
    let written = |byte: u8| if plain(byte) { char::from(byte).to_string() } else { format!("%{byte:02X}") };
    format!("file://{}", path.as_ref().to_string_lossy().bytes().map(written).collect::<String>())
}

fn is_root() -> bool {
    Command::new("id").arg("-u").output().is_ok_and(|output| output.stdout.trim_ascii() == b"0")
}

/// A text in an answer.
fn text(answer: &Value, key: &str) -> Result<String, String> {
    answer[key].as_str().map(str::to_owned).ok_or_else(|| format!("no {key} in {answer}"))
}
