//! A webhook: POST of one CloudEvent, in the order of the ledger, one connection for as long as it lasts.
//!
//! Sources: CloudEvents 1.0.2, HTTP protocol binding 3.2 (structured content); Standard Webhooks 1.0.0 (standardwebhooks.com), sections "Payload structure",
//! "Symmetric signature": `webhook-signature` is `v1,` and the base64 of HMAC-SHA256 over `id.timestamp.body`, several of them with a space between while a secret is
//! being changed. Event-Driven Ansible and others know the older `x-hub-signature-256` alone (WebSub, section 7: `sha256=` and the hexadecimal HMAC of the body), so each
//! message has that, too, with the text of the first secret as it stands in the file; it says nothing about when.

use std::fs;
use std::path::Path;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use nameplate_core::observation::{hex, rfc3339};
use nameplate_core::text::printable;
use ring::hmac;
use tokio::time::timeout;

use super::courier::{Said, Trouble};
use super::dial::dial;
use super::event::Outward;
use super::{Target, standing::Dead};
use crate::house::House;
use crate::print::json_line;
use crate::store::now_ns;

/// A target answers within that, or it is taken for one that does not.
const ANSWER_SECONDS_MAX: Duration = Duration::from_secs(30);
/// What is read of an answer; nobody needs it but whoever looks for a mistake.
const ANSWER_BYTES_MAX: usize = 16 << 10;
/// What is told of an answer.
const ANSWER_CHARS_MAX: usize = 200;
/// Longest `retry-after` that is obeyed; beyond it the target is asked again all the same.
const RETRY_SECONDS_MAX: u64 = 3_600;
/// Secrets that hold at once: the old one and the new one.
const SECRETS_MAX: usize = 2;
/// Bytes of a secret (Standard Webhooks, "Secret": 24 to 64).
const SECRET_BYTES: std::ops::RangeInclusive<usize> = 24..=64;
/// What a secret begins with.
const SECRET_PREFIX: &str = "whsec_";

/// A target's answer says no to this very message, and would tomorrow.
const REFUSES_IT: [StatusCode; 6] = [
    StatusCode::BAD_REQUEST,
    StatusCode::CONFLICT,
    StatusCode::PAYLOAD_TOO_LARGE,
    StatusCode::UNSUPPORTED_MEDIA_TYPE,
    StatusCode::UNPROCESSABLE_ENTITY,
    StatusCode::NOT_ACCEPTABLE,
];

/// A connection to a target, where there is one.
#[derive(Default)]
pub struct Webhook {
    open: Option<SendRequest<Body>>,
}

/// What a message is signed with. Never printed.
pub struct Secrets {
    secrets: Vec<Vec<u8>>,
    /// The first as it is written.
    text: String,
}

impl Secrets {
    /// The secrets of a file: one a line, `whsec_` and base64.
    ///
    /// # Errors
    /// The file, or the line that is none; never what stands there.
    pub fn read(path: &Path) -> Result<Self, String> {
        let text = fs::read_to_string(path).map_err(|e| format!("secret {}: {e}", path.display()))?;
        let (mut secrets, mut first) = (Vec::new(), None);
        for (number, line) in (1..).zip(text.lines()).filter(|(_, line)| !line.trim().is_empty()) {
            let wrong = |why: &str| format!("secret {}: line {number}: {why}", path.display());
            let digits = line.trim().strip_prefix(SECRET_PREFIX).ok_or_else(|| wrong("it begins with whsec_"))?;
            let secret = STANDARD.decode(digits).map_err(|_| wrong("behind whsec_ stands base64"))?;
            if !SECRET_BYTES.contains(&secret.len()) {
                return Err(wrong("a secret has 24 to 64 bytes"));
            }
            secrets.push(secret);
            first.get_or_insert_with(|| line.trim().to_owned());
        }
        match (secrets.len(), first) {
            (1..=SECRETS_MAX, Some(text)) => Ok(Self { secrets, text }),
            (0, _) => Err(format!("secret {}: it is empty", path.display())),
            _ => Err(format!("secret {}: {SECRETS_MAX} secrets hold at once, an old and a new one", path.display())),
        }
    }

    /// The value of `webhook-signature`.
    fn sign(&self, id: &str, seconds: u64, body: &str) -> String {
        let signed = self.secrets.iter().map(|secret| {
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), format!("{id}.{seconds}.{body}").as_bytes());
            format!("v1,{}", STANDARD.encode(tag))
        });
        signed.collect::<Vec<_>>().join(" ")
    }

    /// The value of `x-hub-signature-256`.
    fn sign_body(&self, body: &str) -> String {
        let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, self.text.as_bytes()), body.as_bytes());
        format!("sha256={}", hex(tag.as_ref()))
    }
}

impl Webhook {
    /// Tells one event.
    ///
    /// # Errors
    /// Why it was not told, and whether it is the message's fault.
    pub async fn tell(&mut self, house: &House, target: &Target, (origin, site): (&str, &str), event: &Outward) -> Result<Said, Trouble> {
        let secrets = target.secret.as_deref().map(Secrets::read).transpose().map_err(Trouble::of)?;
        let body = json_line(&event.cloud_event(origin, site)).trim_end().to_owned();
        let (id, seconds) = (format!("{}-{}", origin.replace('/', "-"), event.id), now_ns() / 1_000_000_000);
        let mut request = Request::post(&target.url.path)
            .header(header::HOST, target.url.authority())
            .header(header::CONTENT_TYPE, "application/cloudevents+json; charset=utf-8")
            .header(header::USER_AGENT, concat!("nameplate/", env!("CARGO_PKG_VERSION")))
            .header("webhook-id", &id)
            .header("webhook-timestamp", seconds);
        if let Some(secrets) = &secrets {
            request = request.header("webhook-signature", secrets.sign(&id, seconds, &body));
            request = request.header("x-hub-signature-256", secrets.sign_body(&body));
        }
        let request = request.body(body).map_err(|e| Trouble::of(e.to_string()))?;
        let (status, retry, text) = self.exchanged(house, target, &request).await.map_err(Trouble::of)?;
        if status.is_success() {
            return Ok(Said);
        }
        let says = printable(&text.chars().take(ANSWER_CHARS_MAX).collect::<String>());
        let why = if says.is_empty() { format!("it answers {status}") } else { format!("it answers {status}: {says}") };
        let dead = REFUSES_IT.contains(&status).then(|| {
            let (id, kind, time) = (event.id.clone(), event.kind.clone(), rfc3339(now_ns()));
            Box::new(Dead { id, entry: event.index, kind, time, why: why.clone() })
        });
        Err(Trouble { why, wait: retry, dead })
    }

    /// The answer to a request. A connection that was left open may be gone, which says nothing about the target: then it is asked on a new one.
    async fn exchanged(&mut self, house: &House, target: &Target, request: &Request<String>) -> Result<Answer, String> {
        if let Some(mut open) = self.open.take()
            && open.ready().await.is_ok()
            && let Ok(Ok(answer)) = timeout(ANSWER_SECONDS_MAX, exchange(&mut open, request)).await
        {
            self.open = Some(open);
            return Ok(answer);
        }
        let line = dial(house, target).await?;
        let (mut new, connection) = handshake(TokioIo::new(line)).await.map_err(|e| e.to_string())?;
        // It ends with its sender.
        tokio::spawn(connection);
        let answer = timeout(ANSWER_SECONDS_MAX, exchange(&mut new, request)).await;
        let answer = answer.unwrap_or_else(|_| Err(format!("no answer within {ANSWER_SECONDS_MAX:?}")))?;
        self.open = Some(new);
        Ok(answer)
    }
}

/// Status, seconds to wait where it says so, and what else it says.
type Answer = (StatusCode, Option<Duration>, String);

async fn exchange(sender: &mut SendRequest<Body>, request: &Request<String>) -> Result<Answer, String> {
    let request = request.clone().map(Body::from);
    let (head, body) = sender.send_request(request).await.map_err(|e| e.to_string())?.into_parts();
    let seconds = head.headers.get(header::RETRY_AFTER).and_then(|value| value.to_str().ok()?.trim().parse::<u64>().ok());
    let retry = seconds.map(|seconds| Duration::from_secs(seconds.min(RETRY_SECONDS_MAX)));
    // An answer without end is no answer; what it says is of no use where it was content.
    let text = to_bytes(Body::new(body), ANSWER_BYTES_MAX).await.map_err(|e| e.to_string());
    match text {
        Ok(text) => Ok((head.status, retry, String::from_utf8_lossy(&text).into_owned())),
        Err(_) if head.status.is_success() => Ok((head.status, retry, String::new())),
        Err(why) => Err(why),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_is_the_one_of_the_standards_own_example() {
        // standard-webhooks/standard-webhooks, spec/standard-webhooks.md and its libraries' tests.
        let secret = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let secrets = Secrets { secrets: vec![STANDARD.decode(secret).expect("base64")], text: "It's a Secret to Everybody".to_owned() };
        let signed = secrets.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, "{\"test\": 2432232314}");
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
        // GitHub's documentation, "Validating webhook deliveries", "Testing the webhook payload validation".
        let signed = secrets.sign_body("Hello, World!");
        assert_eq!(signed, "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17");
    }

    #[test]
    fn a_file_of_secrets_that_is_none_says_which_line_and_never_what() {
        let path = std::env::temp_dir().join(format!("nameplate-secret-{}", std::process::id()));
        let good = format!("whsec_{}", STANDARD.encode([7; 32]));
        for (text, expected) in [
            (good.clone(), None),
            (format!("{good}\n\n{good}\n"), None),
            (format!("{good}\n{good}\n{good}\n"), Some("old and a new")),
            (String::new(), Some("empty")),
            ("hunter2".to_owned(), Some("line 1: it begins with whsec_")),
            (format!("{good}\nwhsec_hunter2!\n"), Some("line 2: behind whsec_ stands base64")),
            (format!("whsec_{}", STANDARD.encode([7; 23])), Some("24 to 64 bytes")),
        ] {
            fs::write(&path, &text).expect("written");
            let said = Secrets::read(&path).err();
            assert_eq!(said.is_some(), expected.is_some(), "{text}: {said:?}");
            assert!(said.iter().zip(expected).all(|(said, expected)| said.contains(expected) && !said.contains("hunter2")), "{said:?}");
        }
        fs::remove_file(&path).expect("removed");
    }
}
