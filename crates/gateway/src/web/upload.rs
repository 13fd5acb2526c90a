//! Files that people send: they go to the disk as they come, no longer than allowed, and are gone when the request is over. Nothing is ever fetched from
//! where somebody says.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::future::poll_fn;
use std::io::Write;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::body::{Body, HttpBody};
use axum::http::{HeaderMap, StatusCode, header};
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::timeout;

use super::Web;
use super::problem::Problem;

/// Bytes of a file: the largest sheet that is read. Sets of advisories come on a stick where they are larger.
pub const UPLOAD_BYTES_MAX: u64 = 64 << 20;
/// What stands around a file in a form.
const FORM_BYTES_MAX: u64 = 64 * 1024;
/// Files that come in at once: each takes its size on the disk.
pub const UPLOADS_AT_ONCE_MAX: usize = 2;
/// Who sends slower than that keeps others out.
const UPLOAD_SECONDS_MAX: Duration = Duration::from_secs(300);
/// Seconds until it is worth trying again.
const RETRY_SECONDS: u64 = 5;
/// Characters of a file's name: it stands in the ledger.
const NAME_CHARS_MAX: usize = 200;
/// Fields of a form beside its file.
const FIELDS_MAX: usize = 16;
/// The folder in the state directory.
const FOLDER: &str = "incoming";

/// A file that came in; dropping it deletes it.
pub struct Upload {
    /// Its name, as its sender has it, without folders.
    pub name: String,
    /// Where it is.
    pub path: PathBuf,
    /// The other fields of its form.
    pub fields: BTreeMap<String, String>,
    _place: OwnedSemaphorePermit,
}

impl Drop for Upload {
    fn drop(&mut self) {
        // What stays behind is swept away at the next start.
        let _ = fs::remove_file(&self.path);
    }
}

/// Deletes what a crash left behind.
pub fn sweep(state: &Path) {
    let _ = fs::remove_dir_all(state.join(FOLDER));
}

impl Web {
    /// Takes a file in that is the whole body of a request, under the name that its sender gives.
    ///
    /// # Errors
    /// 400: a name that is none; 413; 429: others send already; 408: too slow.
    pub async fn file(&self, name: &str, body: Body) -> Result<Upload, Problem> {
        let name = checked_name(name)?;
        let mut upload = self.received(body, UPLOAD_BYTES_MAX).await?;
        upload.name = name;
        Ok(upload)
    }

    /// Takes a file in that a form of ours brings (RFC 7578).
    ///
    /// # Errors
    /// As [`Web::file`]; 400: it is no such form, or has no file.
    pub async fn file_of_form(&self, headers: &HeaderMap, body: Body) -> Result<Upload, Problem> {
        let said = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let boundary = boundary(said).ok_or_else(|| Problem::of(StatusCode::UNSUPPORTED_MEDIA_TYPE, "this form sends a file"))?.to_owned();
        let upload = self.received(body, UPLOAD_BYTES_MAX + FORM_BYTES_MAX).await?;
        self.apart(move |_| cut(upload, &boundary)).await
    }

    async fn received(&self, body: Body, bytes_max: u64) -> Result<Upload, Problem> {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let busy = |_| Problem::too_many("other files are coming in; try again in a moment", RETRY_SECONDS);
        let place = self.0.uploads.clone().try_acquire_owned().map_err(busy)?;
        let folder = self.house().directory.join(FOLDER);
        let path = folder.join(NUMBER.fetch_add(1, Ordering::Relaxed).to_string());
        // From here on the file goes when the request does.
        let upload = Upload { name: String::new(), path, fields: BTreeMap::new(), _place: place };
        let file = fs::create_dir_all(&folder).and_then(|()| File::create(&upload.path)).map_err(unwritten)?;
        match timeout(UPLOAD_SECONDS_MAX, written(body, file, bytes_max)).await {
            Ok(done) => done.map(|()| upload),
            Err(_) => Err(Problem::of(StatusCode::REQUEST_TIMEOUT, "the file comes in too slowly")),
        }
    }
}

/// Frames have some kilobytes, and go to the system's memory: nobody waits for the disk here.
async fn written(mut body: Body, mut file: File, bytes_max: u64) -> Result<(), Problem> {
    let mut bytes = 0_u64;
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        let frame = frame.map_err(|_| Problem::bad("the file ended in the middle"))?;
        let Ok(data) = frame.into_data() else { continue };
        bytes = bytes.saturating_add(data.len() as u64);
        if bytes > bytes_max {
            let why =
                format!("a file has at most {UPLOAD_BYTES_MAX} bytes here; larger ones are taken in at the machine: nameplate import");
            return Err(Problem::of(StatusCode::PAYLOAD_TOO_LARGE, why));
        }
        file.write_all(&data).map_err(unwritten)?;
    }
    Ok(())
}

#[expect(clippy::needless_pass_by_value, reason = "it stands behind map_err")]
fn unwritten(error: std::io::Error) -> Problem {
    crate::log::say!(FILE_UNWRITTEN, "a file that somebody sent could not be written: {error}");
    Problem::unavailable("there is no room for the file")
}

/// A name without folders, that can be shown.
fn checked_name(name: &str) -> Result<String, Problem> {
    let name = name.rsplit(['/', '\\']).next().unwrap_or_default().trim();
    let is_one = !name.is_empty() && name.chars().count() <= NAME_CHARS_MAX && !name.chars().any(char::is_control);
    if is_one {
        Ok(name.to_owned())
    } else {
        Err(Problem::bad(format!("name: a file's name has 1 to {NAME_CHARS_MAX} characters that can be printed")))
    }
}

/// The boundary of a form's parts.
fn boundary(content_type: &str) -> Option<&str> {
    let (kind, rest) = content_type.split_once(';')?;
    let said = rest.split(';').find_map(|part| part.trim().strip_prefix("boundary="))?.trim_matches('"');
    // RFC 2046, 5.1.1: 1 to 70 characters.
    (kind.trim().eq_ignore_ascii_case("multipart/form-data") && (1..=70).contains(&said.len())).then_some(said)
}

/// Leaves the file of the form alone on the disk.
fn cut(mut upload: Upload, boundary: &str) -> Result<Upload, Problem> {
    let bytes = fs::read(&upload.path).map_err(unwritten)?;
    let mut fields = BTreeMap::new();
    let mut found = None;
    for Part { name, file, content } in parts(&bytes, boundary)? {
        let content = bytes.get(content).unwrap_or_default();
        match file {
            Some(file) if found.is_none() && !file.is_empty() => {
                found = Some(checked_name(&file)?);
                fs::write(&upload.path, content).map_err(unwritten)?;
            }
            Some(_) => {}
            None => drop(fields.insert(name, String::from_utf8_lossy(content).into_owned())),
        }
    }
    let name = found.ok_or_else(|| Problem::bad("choose a file"))?;
    (upload.name, upload.fields) = (name, fields);
    Ok(upload)
}

/// A part of a form.
#[derive(Debug, PartialEq, Eq)]
struct Part {
    name: String,
    file: Option<String>,
    content: Range<usize>,
}

/// The parts of a form: `--B CRLF heads CRLF CRLF content CRLF --B ... --B--`.
fn parts(bytes: &[u8], boundary: &str) -> Result<Vec<Part>, Problem> {
    let none = || Problem::bad("the form is cut short, or none");
    let (open, between) = (format!("--{boundary}"), format!("\r\n--{boundary}"));
    let mut at = bytes.starts_with(open.as_bytes()).then_some(open.len()).ok_or_else(none)?;
    let mut parts = Vec::new();
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        if rest.starts_with(b"--") {
            return Ok(parts);
        }
        if !rest.starts_with(b"\r\n") || parts.len() >= FIELDS_MAX {
            return Err(none());
        }
        let from = at + 2;
        let heads = find(bytes, from, b"\r\n\r\n").ok_or_else(none)?;
        let end = find(bytes, heads + 2, between.as_bytes()).ok_or_else(none)?;
        let content = (heads + 4).min(end)..end;
        let head = String::from_utf8_lossy(bytes.get(from..heads).unwrap_or_default());
        let disposition = head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:")).ok_or_else(none)?;
        let value =
            |key: &str| disposition.split_once(&format!("; {key}=\"")).and_then(|(_, rest)| rest.split('"').next()).map(str::to_owned);
        parts.push(Part { name: value("name").ok_or_else(none)?, file: value("filename"), content });
        at = end + between.len();
    }
}

/// Where these bytes stand, from a place on.
fn find(bytes: &[u8], from: usize, wanted: &[u8]) -> Option<usize> {
    let (first, mut at) = (*wanted.first()?, from);
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == first)?;
        if bytes.get(at..)?.starts_with(wanted) {
            return Some(at);
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Names, file names and contents of the parts; `None` where it is no form.
    fn check(body: &str, expected: Option<&[(&str, Option<&str>, &str)]>) {
        let read = parts(body.as_bytes(), "B").ok();
        let told = read.as_ref().map(|parts| {
            let part = |part: &Part| (part.name.clone(), part.file.clone(), body[part.content.clone()].to_owned());
            parts.iter().map(part).collect::<Vec<_>>()
        });
        let expected = expected.map(|parts| {
            let part =
                |(name, file, content): &(&str, Option<&str>, &str)| ((*name).to_owned(), file.map(str::to_owned), (*content).to_owned());
            parts.iter().map(part).collect::<Vec<_>>()
        });
        assert_eq!(told, expected, "{body:?}");
    }

    #[test]
    fn a_form_is_cut_at_its_boundaries_alone() {
        let file = "--B\r\nContent-Disposition: form-data; name=\"sheet\"; filename=\"a.csv\"\r\nContent-Type: text/csv\r\n\r\n";
        check(&format!("{file}ip,tag\r\n--not B\r\n\r\n--B--\r\n"), Some(&[("sheet", Some("a.csv"), "ip,tag\r\n--not B\r\n")]));
        check(&format!("{file}\r\n--B--"), Some(&[("sheet", Some("a.csv"), "")]));
        let field = "\r\n--B\r\ncontent-disposition: form-data; name=\"as\"\r\n\r\nx\r\n--B--\r\n";
        check(&format!("{file}ip{field}"), Some(&[("sheet", Some("a.csv"), "ip"), ("as", None, "x")]));
        check("--B--", Some(&[]));
        for body in
            ["", "--B", "--C\r\n", "--B\r\n\r\n", "--B\r\nX: y\r\n\r\nx\r\n--B--", &format!("{file}cut"), &format!("{file}cut\r\n--B")]
        {
            check(body, None);
        }
        // Each shorter piece is refused, too, and nothing panics.
        let whole = format!("{file}ip{field}");
        let end = whole.rfind("--").expect("an end");
        (0..end).for_each(|length| check(&whole[..length], None));
    }

    #[test]
    fn a_name_has_no_folders() {
        for (name, expected) in [
            ("plant.csv", Some("plant.csv")),
            ("../../etc/passwd", Some("passwd")),
            ("C:\\Users\\x\\plant.xlsx", Some("plant.xlsx")),
            ("", None),
            ("a/", None),
            ("a\u{7}b", None),
        ] {
            assert_eq!(checked_name(name).ok().as_deref(), expected, "{name:?}");
        }
        assert!(checked_name(&"a".repeat(NAME_CHARS_MAX + 1)).is_err());
        for (said, expected) in [
            ("multipart/form-data; boundary=B", Some("B")),
            ("Multipart/Form-Data; charset=utf-8; boundary=\"B C\"", Some("B C")),
            ("text/csv; boundary=B", None),
            ("multipart/form-data", None),
            ("multipart/form-data; boundary=", None),
        ] {
            assert_eq!(boundary(said), expected, "{said:?}");
        }
    }
}
