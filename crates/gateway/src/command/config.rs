//! `nameplate config`: a commented example of the gateway's files, what each key is, and what is wrong in a file. All of it comes from the one table in
//! [`keys`](super::serve::config::keys).

use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};
use serde::Serialize;

use super::ask::{Kept, Site};
use super::serve::config::Config;
use super::serve::config::keys::{Key, SECTIONS, Section, Written};
use crate::cli::{Format, Options};
use crate::failure::{Code, Failure};
use crate::print;

/// Where the package has the desk's configuration.
pub const SERVE_FILE: &str = "/etc/nameplate/serve.toml";
/// Where it has the site file.
pub const SITE_FILE: &str = "/etc/nameplate/site.toml";
/// A site file to begin with. The site's keys are the options of `nameplate ask` and stand in docs/site.md; here are those that a gateway begins with.
const SITE_EXAMPLE: &str = include_str!("config/site.toml");
/// Columns of comments in the example.
const COMMENT_CHARS_MAX: usize = 100;

/// Write, explain and check the gateway's configuration.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  nameplate config init > serve.toml\n  nameplate config explain page.listen\n  nameplate config check")]
pub struct Configuration {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Print a commented example with every key, defaults commented out
    Init {
        /// Of the site file of the field side, and not of the desk's configuration
        #[arg(long)]
        site: bool,
    },
    /// Say what a key is, or all of them
    Explain {
        /// For example page.listen, or plan.every
        key: Option<String>,
    },
    /// Say every mistake in a file, with its line
    Check {
        /// The desk's configuration [default, where no file is named: what is there of /etc/nameplate/serve.toml and site.toml]
        file: Option<PathBuf>,
        /// A site file
        #[arg(long, value_name = "FILE")]
        site: Option<PathBuf>,
    },
}

/// A key as it is told.
#[derive(Serialize)]
struct Told<'k> {
    key: String,
    is: &'k str,
    default: Option<&'k str>,
    needed: bool,
    text: &'k str,
}

impl Configuration {
    /// Runs the command.
    ///
    /// # Errors
    /// A key that there is not, or a file with mistakes, each of which was said.
    pub fn run(&self, options: &Options) -> Result<(), Failure> {
        match &self.what {
            What::Init { site: true } => print::out(SITE_EXAMPLE),
            What::Init { site: false } => print::out(&example()),
            What::Explain { key } => explain(key.as_deref(), print::format(options)),
            What::Check { file, site } => check(file.as_deref(), site.as_deref(), options),
        }
    }
}

fn explain(wanted: Option<&str>, format: Format) -> Result<(), Failure> {
    let keys: Vec<Told<'_>> = SECTIONS.iter().flat_map(|section| section.keys.iter().map(|key| told(section, key))).collect();
    let keys: Vec<&Told<'_>> = keys.iter().filter(|key| wanted.is_none_or(|wanted| key.key == wanted)).collect();
    if keys.is_empty() {
        let why = format!("there is no key {:?}; `nameplate config explain` lists them", wanted.unwrap_or_default());
        return Err(Failure::new(Code::Usage, why));
    }
    if format == Format::Ndjson {
        return print::out(&keys.iter().map(print::json_line).collect::<String>());
    }
    let of = |key: &&Told<'_>| {
        let default = match (key.default, key.needed) {
            (Some(default), _) => format!("default: {default}"),
            (None, true) => "must be there".to_owned(),
            (None, false) => "no default".to_owned(),
        };
        format!("{}: {}; {default}\n    {}\n", key.key, key.is, key.text)
    };
    print::out(&keys.iter().map(of).collect::<String>())
}

fn told<'k>(section: &Section, key: &'k Key) -> Told<'k> {
    let name = if section.name.is_empty() { key.name.to_owned() } else { format!("{}.{}", section.name, key.name) };
    let (default, needed) = match key.written {
        Written::Default(default) => (Some(default), false),
        Written::Needed(_) => (None, true),
        Written::Optional(_) => (None, false),
    };
    Told { key: name, is: key.is, default, needed, text: key.text }
}

fn check(file: Option<&Path>, site: Option<&Path>, options: &Options) -> Result<(), Failure> {
    let there = |path: &'static str| Some(Path::new(path)).filter(|path| path.exists());
    let (file, site) = if file.is_none() && site.is_none() { (there(SERVE_FILE), there(SITE_FILE)) } else { (file, site) };
    if file.is_none() && site.is_none() {
        return Err(Failure::new(Code::Usage, format!("there is neither {SERVE_FILE} nor {SITE_FILE}; name a file")));
    }
    let desk = file.map(|path| {
        let config = Config::read(path)?;
        let plans = print::count(config.plans.len() as u64, "plan");
        Ok(format!("{}: well: {plans}, the page on {}\n", path.display(), config.page.listen))
    });
    let field = site.map(|path| {
        let site = Site::read(path, &Kept { state: options.state.clone(), writes: false })?;
        let devices = print::count(site.devices().count() as u64, "device");
        let listens = match site.interfaces.as_slice() {
            [] => "no interface to listen on".to_owned(),
            interfaces => format!("listens on {}", interfaces.join(", ")),
        };
        Ok(format!("{}: well: {devices} may be asked, {listens}\n", path.display()))
    });
    let (well, bad): (Vec<_>, Vec<_>) = desk.into_iter().chain(field).partition(Result::is_ok);
    print::out(&well.into_iter().flatten().collect::<String>())?;
    let bad: Vec<String> = bad.into_iter().filter_map(Result::err).map(|failure: Failure| failure.why).collect();
    if bad.is_empty() { Ok(()) } else { Err(Failure::new(Code::Input, bad.join("\n"))) }
}

/// The commented example of the desk's configuration. What is a comment begins with `# `, what is a key commented out with `#`.
pub fn example() -> String {
    let mut text = String::new();
    for section in SECTIONS {
        text += &comment(section.text);
        let sign = if section.is_usual { "" } else { "#" };
        match (section.name, section.repeats) {
            ("", _) => {}
            (name, true) => text += &format!("{sign}[[{name}]]\n"),
            (name, false) => text += &format!("{sign}[{name}]\n"),
        }
        for key in section.keys {
            text += &format!("\n{}", comment(&format!("{} ({})", key.text, key.is)));
            text += &match key.written {
                Written::Needed(value) => format!("{sign}{} = {value}\n", key.name),
                Written::Default(value) | Written::Optional(value) => format!("#{} = {value}\n", key.name),
            };
        }
        text.push('\n');
    }
    text.truncate(text.trim_end().len());
    text + "\n"
}

/// Words as comment lines.
fn comment(words: &str) -> String {
    let (mut text, mut line) = (String::new(), String::from("#"));
    for word in words.split_whitespace() {
        if line.chars().count() + 1 + word.chars().count() > COMMENT_CHARS_MAX {
            text += &format!("{line}\n");
            "#".clone_into(&mut line);
        }
        line += &format!(" {word}");
    }
    format!("{text}{line}\n")
}

/// docs/configuration.md.
#[cfg(test)]
pub fn markdown() -> String {
    let mut text = String::from(
        "# The desk's configuration\n\nOne TOML file, `/etc/nameplate/serve.toml` in the package. `nameplate config init` prints a commented one, `nameplate config check` says\n\
         every mistake with its line. This page is made of the same table (`NAMEPLATE_GOLDEN=write cargo test --release -p nameplate --lib serve::config`).\n",
    );
    for section in SECTIONS {
        let head = match (section.name, section.repeats) {
            ("", _) => "Above all tables".to_owned(),
            (name, true) => format!("`[[{name}]]`"),
            (name, false) => format!("`[{name}]`"),
        };
        text += &format!("\n## {head}\n\n{}\n\n| key | is | default | does |\n|---|---|---|---|\n", section.text);
        for key in section.keys {
            let default = match key.written {
                Written::Default(value) => format!("`{value}`"),
                Written::Needed(value) => format!("none; must be there, as `{value}`"),
                Written::Optional(_) => "none".to_owned(),
            };
            text += &format!("| `{}` | {} | {default} | {} |\n", key.name, key.is, key.text);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written with a blank behind the sign, a line is a comment; else it is a key that is commented out.
    #[test]
    fn the_example_of_a_site_file_is_one_and_so_it_is_without_its_comment_signs() {
        let folder = std::env::temp_dir().join(format!("nameplate-config-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let read = |name: &str, text: &str| {
            let path = folder.join(name);
            std::fs::write(&path, text).expect("written");
            Site::read(&path, &Kept { state: Some(folder.clone()), writes: false }).unwrap_or_else(|failure| panic!("{failure}"))
        };
        let site = read("site.toml", SITE_EXAMPLE);
        assert_eq!((site.devices().count(), site.interfaces.len()), (0, 0));
        let bare = |line: &str| line.strip_prefix('#').filter(|rest| !rest.starts_with(' ')).unwrap_or(line).to_owned();
        let all = read("all.toml", &SITE_EXAMPLE.lines().map(bare).collect::<Vec<_>>().join("\n"));
        assert_eq!((all.devices().count(), all.interfaces), (2, vec!["eth1".to_owned(), "eth2".to_owned()]));
        std::fs::remove_dir_all(&folder).expect("removed");
    }
}
