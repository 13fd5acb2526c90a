//! Views of the devices that people keep: filter, order and columns under a name, each account its own. They are a convenience, so the ledger knows nothing
//! of them; they stand in `views.json` of the state directory.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;

use nameplate_core::account::key;
use nameplate_core::text::printable;

use super::problem::Problem;
use crate::key::write_private;

/// The file in the state directory.
const FILE: &str = "views.json";
/// Where it is written before it gets its name.
const NEW: &str = "views.json.new";
/// Views of one account: a list that is still read.
const VIEWS_MAX: usize = 30;
/// Characters of a name.
const TITLE_CHARS_MAX: usize = 60;
/// Bytes of filter, order and columns, as they stand in an address.
const QUERY_BYTES_MAX: usize = 2_000;
/// What a view is made of.
const PARTS: [&str; 3] = ["filter", "sort", "column"];

/// Names and addresses of one account's views.
pub type Own = BTreeMap<String, String>;

/// All of them.
pub struct Views {
    directory: PathBuf,
    /// By the account's key.
    all: BTreeMap<String, Own>,
}

impl Views {
    /// Those that are kept. A file that cannot be read holds none, and is written anew with the next: it is nobody's proof.
    pub fn read(directory: PathBuf) -> Self {
        let text = fs::read_to_string(directory.join(FILE)).unwrap_or_default();
        let all = serde_json::from_str(&text).unwrap_or_default();
        Self { directory, all }
    }

    /// An account's views, by their names.
    pub fn of(&self, account: &str) -> Own {
        self.all.get(&key(account)).cloned().unwrap_or_default()
    }

    /// Keeps a view under a name; what had that name before is gone.
    ///
    /// # Errors
    /// 400: a name or a view that is none; 409: too many; the disk.
    pub fn keep(&mut self, account: &str, title: &str, query: &str) -> Result<(), Problem> {
        let title = title.trim();
        if title.is_empty() || title.chars().count() > TITLE_CHARS_MAX || printable(title) != title {
            return Err(Problem::bad(format!("a view's name has 1 to {TITLE_CHARS_MAX} characters that can be seen")));
        }
        let pairs = form_urlencoded::parse(query.as_bytes()).filter(|(name, value)| PARTS.contains(&&**name) && !value.is_empty());
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        if query.len() > QUERY_BYTES_MAX {
            return Err(Problem::bad(format!("a view has at most {QUERY_BYTES_MAX} bytes of filters and columns")));
        }
        let own = self.all.entry(key(account)).or_default();
        if own.len() >= VIEWS_MAX && !own.contains_key(title) {
            return Err(Problem::conflict(format!("{VIEWS_MAX} views are kept already; forget one")));
        }
        own.insert(title.to_owned(), query);
        self.write()
    }

    /// Forgets a view.
    ///
    /// # Errors
    /// The disk.
    pub fn forget(&mut self, account: &str, title: &str) -> Result<(), Problem> {
        self.all.entry(key(account)).or_default().remove(title);
        self.write()
    }

    fn write(&self) -> Result<(), Problem> {
        let new = self.directory.join(NEW);
        let text = serde_json::to_vec(&self.all).map_err(|_| Problem::own_fault())?;
        write_private(&new, &text).and_then(|()| fs::rename(&new, self.directory.join(FILE))).map_err(|error| {
            crate::log::say!(FILE_UNWRITTEN, "{FILE} could not be written: {error}");
            Problem::unavailable("the view could not be kept")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_is_kept_under_its_name_for_its_account_alone() {
        let folder = std::env::temp_dir().join(format!("nameplate-views-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder");
        let mut views = Views::read(folder.clone());
        for (title, query, expected) in [
            ("Old ones", "filter=firmware%3C3.2&sort=tag&after=x&column=&column=model", Ok("filter=firmware%3C3.2&sort=tag&column=model")),
            ("Old ones", "sort=ip", Ok("sort=ip")),
            ("", "sort=ip", Err("a view's name")),
            ("a\u{202e}b", "sort=ip", Err("a view's name")),
            ("long", &format!("filter={}", "a".repeat(QUERY_BYTES_MAX)), Err("at most")),
        ] {
            match (views.keep("Ada", title, query), expected) {
                (Ok(()), Ok(query)) => assert_eq!(views.of("ADA").get(title).map(String::as_str), Some(query)),
                (Err(problem), Err(part)) => assert!(problem.words().1.contains(part), "{problem:?}"),
                (got, expected) => panic!("{title:?}: {got:?}, expected {expected:?}"),
            }
        }
        assert_eq!((views.of("Bo").len(), Views::read(folder.clone()).of("Ada")), (0, views.of("Ada")));
        (1..VIEWS_MAX).for_each(|number| views.keep("Ada", &number.to_string(), "").expect("room"));
        assert!(views.keep("Ada", "one more", "").is_err());
        views.forget("Ada", "Old ones").expect("forgotten");
        assert_eq!(Views::read(folder.clone()).of("Ada").len(), VIEWS_MAX - 1);
        fs::write(folder.join(FILE), "{").expect("damaged");
        assert!(Views::read(folder.clone()).of("Ada").is_empty());
        fs::remove_dir_all(folder).expect("swept");
    }
}
