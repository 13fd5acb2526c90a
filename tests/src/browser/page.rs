//! One page: what it is shown as, what it did, and what a person does to it.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::pipe::Pipe;
use super::text;

/// Two frames later everything that a load sets off by itself has happened, events of elements too.
const SETTLED: &str = "new Promise(done => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done))))";

/// Who looks at a page, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct View {
    /// CSS pixels; a phone has 390, a desk 1440.
    pub width: u32,
    /// The same in height.
    pub height: u32,
    /// `prefers-color-scheme`.
    pub dark: bool,
    /// `prefers-reduced-motion`.
    pub still: bool,
    /// As it is printed.
    pub print: bool,
}

impl Default for View {
    fn default() -> Self {
        Self { width: 1280, height: 800, dark: false, still: false, print: false }
    }
}

/// What a page did since it was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Account {
    /// Addresses that it asked for, its own first.
    pub requests: Vec<String>,
    /// Dialogs that it opened, by their texts.
    pub dialogs: Vec<String>,
    /// Errors and warnings on its console, what its policy forbade, and exceptions that nobody caught.
    pub complaints: Vec<String>,
}

/// A page of a browser. Dropping it closes it.
#[derive(Debug)]
pub struct Page<'a> {
    pipe: &'a Pipe,
    session: String,
    context: String,
}

impl<'a> Page<'a> {
    pub(super) fn new(pipe: &'a Pipe, session: String, context: String) -> Result<Self, String> {
        let page = Self { pipe, session, context };
        for domain in ["Page", "Runtime", "Network", "Log"] {
            page.ask(&format!("{domain}.enable"), &json!({}))?;
        }
        Ok(page)
    }

    fn ask(&self, method: &str, parameters: &Value) -> Result<Value, String> {
        self.pipe.ask(Some(&self.session), method, parameters)
    }

    /// Opens an address and waits until all of it is there; its account begins anew.
    ///
    /// # Errors
    /// That it cannot be opened.
    pub fn open(&self, url: &str) -> Result<(), String> {
        self.open_still(url)?;
        self.evaluate(SETTLED).map(drop)
    }

    /// As [`Page::open`], of a page that its server lets run nothing (`sandbox`): no promise ever settles there.
    ///
    /// # Errors
    /// As [`Page::open`].
    pub fn open_still(&self, url: &str) -> Result<(), String> {
        self.pipe.forget(&self.session);
        let opened = self.ask("Page.navigate", &json!({"url": url}))?;
        if let Some(why) = opened["errorText"].as_str() {
            return Err(format!("{url}: {why}"));
        }
        self.pipe.wait(&self.session, "Page.loadEventFired").map(drop)
    }

    /// Does something that leads to another page, such as a click, and waits until all of that is there; the account begins anew.
    ///
    /// # Errors
    /// What was thrown, or that it led nowhere.
    pub fn follow(&self, expression: &str) -> Result<(), String> {
        self.pipe.forget(&self.session);
        self.evaluate(expression)?;
        self.pipe.wait(&self.session, "Page.loadEventFired")?;
        self.evaluate(SETTLED).map(drop)
    }

    /// Takes any certificate from now on: a gateway makes its own, and people compare its fingerprint.
    ///
    /// # Errors
    /// What the browser says.
    pub fn trust_any_certificate(&self) -> Result<(), String> {
        self.ask("Security.setIgnoreCertificateErrors", &json!({"ignore": true})).map(drop)
    }

    /// The value of an expression, or of the promise that it is. The page's own policy does not bind it.
    ///
    /// # Errors
    /// What was thrown.
    pub fn evaluate(&self, expression: &str) -> Result<Value, String> {
        let asked = json!({"expression": expression, "returnByValue": true, "awaitPromise": true});
        let mut said = self.ask("Runtime.evaluate", &asked)?;
        match &said["exceptionDetails"] {
            Value::Null => Ok(said["result"]["value"].take()),
            thrown => Err(format!("{}: {}", thrown["text"], thrown["exception"]["description"])),
        }
    }

    /// Shows it in this way from now on, without opening it again.
    ///
    /// # Errors
    /// What the browser says.
    pub fn emulate(&self, view: &View) -> Result<(), String> {
        let View { width, height, dark, still, print } = *view;
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1, "mobile": false});
        self.ask("Emulation.setDeviceMetricsOverride", &size)?;
        let scheme = json!({"name": "prefers-color-scheme", "value": if dark { "dark" } else { "light" }});
        let motion = json!({"name": "prefers-reduced-motion", "value": if still { "reduce" } else { "no-preference" }});
        let medium = json!({"media": if print { "print" } else { "" }, "features": [scheme, motion]});
        self.ask("Emulation.setEmulatedMedia", &medium).map(drop)
    }

    /// From the next opening on its own policy forbids it nothing: what then still does not run was never a script.
    ///
    /// # Errors
    /// What the browser says.
    pub fn without_policy(&self) -> Result<(), String> {
        self.ask("Page.setBypassCSP", &json!({"enabled": true})).map(drop)
    }

    /// All of it as PNG, also what a person scrolls to.
    ///
    /// # Errors
    /// What the browser says.
    pub fn screenshot(&self) -> Result<Vec<u8>, String> {
        let size = self.ask("Page.getLayoutMetrics", &json!({}))?;
        let clip =
            json!({"x": 0, "y": 0, "width": size["cssContentSize"]["width"], "height": size["cssContentSize"]["height"], "scale": 1});
        let asked = json!({"format": "png", "captureBeyondViewport": true, "clip": clip});
        bytes(&self.ask("Page.captureScreenshot", &asked)?)
    }

    /// As it goes to paper: PDF, on the page that its own style asks for.
    ///
    /// # Errors
    /// What the browser says.
    pub fn pdf(&self) -> Result<Vec<u8>, String> {
        bytes(&self.ask("Page.printToPDF", &json!({"printBackground": true, "preferCSSPageSize": true}))?)
    }

    /// Presses and lets go a key that has a name: `Tab`, `Enter`, `Escape`, `ArrowDown`, ` ` (UI Events KeyboardEvent key Values).
    ///
    /// # Errors
    /// What the browser says.
    pub fn press(&self, key: &str) -> Result<(), String> {
        // What a key does by itself hangs on its number (UI Events, appendix A.3), and on the text that it enters.
        let (code, entered) = match key {
            "Tab" => (9, None),
            "Enter" => (13, Some("\r")),
            "Escape" => (27, None),
            " " => (32, Some(" ")),
            "PageUp" => (33, None),
            "PageDown" => (34, None),
            "End" => (35, None),
            "Home" => (36, None),
            "ArrowLeft" => (37, None),
            "ArrowUp" => (38, None),
            "ArrowRight" => (39, None),
            "ArrowDown" => (40, None),
            other => return Err(format!("no key is called {other}; a text is typed")),
        };
        let mut event =
            json!({"type": "keyDown", "key": key, "code": if key == " " { "Space" } else { key }, "windowsVirtualKeyCode": code});
        if let Some(entered) = entered {
            event["text"] = entered.into();
        }
        self.ask("Input.dispatchKeyEvent", &event)?;
        event["type"] = "keyUp".into();
        self.ask("Input.dispatchKeyEvent", &event)?;
        self.evaluate(SETTLED).map(drop)
    }

    /// Types a text where the focus is.
    ///
    /// # Errors
    /// What the browser says.
    pub fn enter(&self, entered: &str) -> Result<(), String> {
        self.ask("Input.insertText", &json!({"text": entered})).map(drop)
    }

    /// What it did since it was opened.
    ///
    /// # Errors
    /// That the browser is gone.
    pub fn account(&self) -> Result<Account, String> {
        // What happened before this answer was told before it.
        self.evaluate("0")?;
        let mut account = Account::default();
        for event in self.pipe.events(&self.session) {
            let said = &event["params"];
            let plain = |value: &Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            match event["method"].as_str().unwrap_or_default() {
                "Network.requestWillBeSent" => account.requests.push(plain(&said["request"]["url"])),
                "Page.javascriptDialogOpening" => account.dialogs.push(plain(&said["message"])),
                "Runtime.exceptionThrown" => account.complaints.push(plain(&said["exceptionDetails"]["exception"]["description"])),
                "Log.entryAdded" if is_bad(&said["entry"]["level"]) => account.complaints.push(plain(&said["entry"]["text"])),
                "Runtime.consoleAPICalled" if is_bad(&said["type"]) => account.complaints.push(plain(&said["args"][0]["value"])),
                _ => {}
            }
        }
        Ok(account)
    }
}

impl Drop for Page<'_> {
    fn drop(&mut self) {
        // The browser may be gone; there is nobody to tell here.
        let _ = self.pipe.ask(None, "Target.disposeBrowserContext", &json!({"browserContextId": self.context}));
        self.pipe.forget(&self.session);
    }
}

fn is_bad(level: &Value) -> bool {
    ["error", "warning", "assert"].iter().any(|bad| level == bad)
}

fn bytes(answer: &Value) -> Result<Vec<u8>, String> {
    STANDARD.decode(text(answer, "data")?).map_err(|error| format!("no base64: {error}"))
}
