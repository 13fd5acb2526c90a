//! A desk at work, and people in front of its page.

use std::path::Path;

use nameplate_tests::browser::{Browser, Page};
use nameplate_tests::process::Process;
use nameplate_tests::product::{Product, State};
use serde_json::{Value, json};

/// A password that nobody guesses.
pub const PASSWORD: &str = "correct horse battery";

/// A desk that answers over TLS; there is no field side.
pub struct Gateway {
    _desk: Process,
    _folder: State,
    /// Where its page is.
    pub url: String,
    /// The link that makes the first administrator.
    pub link: String,
}

impl Gateway {
    /// Over a state that is there already.
    pub fn over(product: &Product, state: &str) -> Self {
        let folder = State::new();
        let hatch = folder.path().join("hatch");
        let config = folder.file("serve.toml", format!("hatch = {hatch:?}\n[page]\nlisten = \"127.0.0.1:0\"\n"));
        let mut desk = Process::start(product.command(["serve", "--config", &config, "--state", state]));
        let link = last_word(&desk.says("this link makes one"));
        let url = last_word(&desk.says("the page is"));
        assert!(url.starts_with("https://127.0.0.1:"), "{url}");
        Self { _desk: desk, _folder: folder, url, link }
    }

    /// Somebody with a browser of their own, who did nothing yet.
    pub fn visitor<'a>(&'a self, browser: &'a Browser) -> Visitor<'a> {
        let page = browser.page().expect("a page");
        page.trust_any_certificate().expect("a browser that asks nobody");
        Visitor { page, url: &self.url }
    }

    /// Somebody who logged in.
    pub fn person<'a>(&'a self, browser: &'a Browser, name: &str) -> Visitor<'a> {
        let visitor = self.visitor(browser);
        visitor.log_in(name, PASSWORD);
        assert_eq!(visitor.path(), "/", "{name} is let in");
        visitor
    }
}

fn last_word(line: &str) -> String {
    line.split_whitespace().last().unwrap_or_default().to_owned()
}

/// Somebody with a browser.
pub struct Visitor<'a> {
    pub page: Page<'a>,
    url: &'a str,
}

impl Visitor<'_> {
    pub fn open(&self, path: &str) {
        self.page.open(&self.at(path)).expect(path);
    }

    /// A page that may run nothing.
    pub fn open_still(&self, path: &str) {
        self.page.open_still(&self.at(path)).expect(path);
    }

    fn at(&self, path: &str) -> String {
        if path.starts_with('/') { format!("{}{path}", self.url) } else { path.to_owned() }
    }

    pub fn value(&self, expression: &str) -> Value {
        self.page.evaluate(expression).expect(expression)
    }

    /// Where the page is, behind the host.
    pub fn path(&self) -> String {
        self.value("location.pathname + location.search").as_str().unwrap_or_default().to_owned()
    }

    /// The status with which it was answered.
    pub fn status(&self) -> u64 {
        self.value("performance.getEntriesByType('navigation')[0].responseStatus").as_u64().unwrap_or_default()
    }

    /// All that is to be read on it.
    pub fn text(&self) -> String {
        self.value("document.querySelector('main').innerText").as_str().unwrap_or_default().to_owned()
    }

    pub fn has(&self, selector: &str) -> bool {
        self.value(&format!("document.querySelector({}) !== null", json!(selector))) == true
    }

    /// Fills in a field.
    pub fn fill(&self, selector: &str, text: &str) {
        self.value(&format!("document.querySelector({}).value = {}", json!(selector), json!(text)));
    }

    /// Presses what leads on.
    pub fn press(&self, selector: &str) {
        self.page.follow(&format!("document.querySelector({}).click()", json!(selector))).expect(selector);
    }

    pub fn log_in(&self, name: &str, password: &str) {
        self.open("/login");
        self.fill("#name", name);
        self.fill("#password", password);
        self.press("form.fields button");
    }

    /// Sets a password with a link.
    pub fn redeem(&self, link: &str, name: Option<&str>) {
        self.open(link);
        if let Some(name) = name {
            self.fill("#name", name);
        }
        self.fill("#password", PASSWORD);
        self.fill("#again", PASSWORD);
        self.press("form.fields button");
        assert_eq!(self.path(), "/login", "{}", self.text());
    }

    /// As an administrator: an account, and the link for its person.
    pub fn makes(&self, name: &str, role: &str) -> String {
        self.open("/accounts");
        self.fill("#name", name);
        self.fill("#role", role);
        self.press("form.fields button");
        self.value("document.querySelector('.note code').textContent").as_str().unwrap_or_default().to_owned()
    }

    /// Keeps a picture, where somebody wants to look.
    pub fn picture(&self, name: &str) {
        if let Some(folder) = std::env::var_os("NAMEPLATE_SHOTS") {
            let file = Path::new(&folder).join(format!("{name}.png"));
            std::fs::write(&file, self.page.screenshot().expect(name)).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        }
    }
}
