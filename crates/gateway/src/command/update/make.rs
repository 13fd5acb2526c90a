//! `nameplate update key` and `make`: the publisher's side, on a machine that the plant never sees.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use nameplate_core::advisory::exploitation::ListKind;
use nameplate_core::observation::rfc3339;
use nameplate_core::update::{Kind, is_publisher};

use crate::failure::{Code, Failure};
use crate::print;
use crate::store::now_ns;
use crate::update::make::{Files, Said, make_key, of_advisories, of_profiles, of_program, pack, read_key};
use crate::update::{Fitting, Publishers, Sealed};

/// Seconds of a day.
const DAY_SECONDS: u64 = 86_400;
const SECOND_NS: u64 = 1_000_000_000;

/// Make a publisher's key, and print the file that says who is trusted.
#[derive(Debug, Args)]
#[command(
    after_help = "The key signs updates: keep it off the gateway, and its copy in a safe. What is printed goes to the owner of the gateway, who puts\n\
                        it into /etc/nameplate/publishers/NAME.pub, and compares its fingerprint with you on another way.\n\n\
                        Example:\n  nameplate update key acme.key --kinds advisories,profiles >acme.pub"
)]
pub struct Key {
    /// The private key's file, which must not be there yet
    #[arg(value_name = "FILE")]
    file: PathBuf,
    /// What it may sign
    #[arg(long, value_name = "KINDS", value_delimiter = ',', default_value = "advisories,profiles", value_enum)]
    kinds: Vec<KindWord>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum KindWord {
    /// Advisories, and lists of what is exploited
    Advisories,
    /// Device profiles
    Profiles,
    /// The program itself
    Program,
}

impl KindWord {
    const fn kind(self) -> Kind {
        match self {
            Self::Advisories => Kind::Advisories,
            Self::Profiles => Kind::Profiles,
            Self::Program => Kind::Program,
        }
    }
}

impl Key {
    /// Runs the command.
    ///
    /// # Errors
    /// There is such a file, or it cannot be written.
    pub fn run(&self) -> Result<(), Failure> {
        let key = make_key(&self.file)?;
        let kinds: Vec<Kind> = self.kinds.iter().map(|word| word.kind()).collect();
        eprintln!("{} holds the private key; its fingerprint is {}", self.file.display(), key.public().fingerprint());
        print::out(&Publishers::file_of(&key.public(), &kinds))
    }
}

/// Pack and sign an update.
#[derive(Debug, Args)]
#[command(
    after_help = "All documents and lists in it can be read, or nothing is packed. Whoever applies it needs no network and no state of yours.\n\n\
                        Example:\n  nameplate update make --key acme.key --publisher acme --version 7 --advisories csaf/ --kev kev.json --out acme-7.npu"
)]
pub struct Make {
    /// The publisher's private key
    #[arg(long, value_name = "FILE")]
    key: PathBuf,
    /// The publisher's name, as the owners of gateways name its key: small letters, digits, hyphens
    #[arg(long, value_name = "NAME", value_parser = publisher)]
    publisher: String,
    /// Its version: higher than all before of this publisher and kind; a date such as 20261123 will do
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    version: u64,
    /// How long it is good
    #[arg(long, value_name = "DAYS", default_value_t = 90, value_parser = clap::value_parser!(u64).range(1..=731))]
    days: u64,
    /// The file; it must not be there yet
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    #[command(flatten)]
    content: Content,
}

/// What goes in.
#[derive(Debug, Args)]
#[group(required = true, multiple = true)]
struct Content {
    /// A directory of profiles, <vendor>/<family>.toml, for this version of the program; and nothing else
    #[arg(long, value_name = "DIR", conflicts_with_all = ["advisories", "kev", "ssvc", "epss"])]
    profile_set: Option<PathBuf>,
    /// The program: its Debian package, and nothing else
    #[arg(long, value_name = "FILE", conflicts_with_all = ["profile_set", "advisories", "kev", "ssvc", "epss"])]
    program: Option<PathBuf>,
    /// A directory of advisories, as `import advisories` takes one
    #[arg(long, value_name = "DIR")]
    advisories: Option<PathBuf>,
    /// CISA's Known Exploited Vulnerabilities
    #[arg(long, value_name = "FILE")]
    kev: Option<PathBuf>,
    /// CISA's SSVC points
    #[arg(long, value_name = "FILE")]
    ssvc: Option<PathBuf>,
    /// FIRST's EPSS scores
    #[arg(long, value_name = "FILE")]
    epss: Option<PathBuf>,
}

impl Content {
    /// What it is, what it fits, and its files.
    fn files(&self) -> Result<(Kind, Option<Fitting>, Files), Failure> {
        let Self { profile_set, program, advisories, kev, ssvc, epss } = self;
        if let Some(package) = program {
            let (fitting, files) = of_program(package)?;
            return Ok((Kind::Program, Some(fitting), files));
        }
        if let Some(directory) = profile_set {
            return Ok((Kind::Profiles, Some(Fitting::For(env!("CARGO_PKG_VERSION").to_owned())), of_profiles(directory)?));
        }
        let lists = [(ListKind::Kev, kev), (ListKind::Ssvc, ssvc), (ListKind::Epss, epss)];
        let lists: Vec<_> = lists.into_iter().filter_map(|(kind, path)| path.as_deref().map(|path| (kind, path))).collect();
        Ok((Kind::Advisories, None, of_advisories(advisories.as_deref(), &lists)?))
    }
}

fn publisher(name: &str) -> Result<String, String> {
    if is_publisher(name) { Ok(name.to_owned()) } else { Err("a publisher's name has small letters, digits and hyphens".into()) }
}

impl Make {
    /// Runs the command.
    ///
    /// # Errors
    /// The key, a document that cannot be read, or the file.
    pub fn run(&self) -> Result<(), Failure> {
        let key = read_key(&self.key)?;
        let (kind, fitting, files) = self.content.files()?;
        let said = Said {
            publisher: self.publisher.clone(),
            kind,
            version: self.version,
            made_s: now_ns() / SECOND_NS,
            good_s: self.days * DAY_SECONDS,
            fitting,
        };
        let bytes = pack(said, files, &key)?;
        let cannot = |e| Failure::input(self.out.display(), e);
        let mut file = OpenOptions::new().write(true).create_new(true).open(&self.out).map_err(cannot)?;
        file.write_all(&bytes).and_then(|()| file.sync_all()).map_err(cannot)?;
        let sealed = Sealed::open(&bytes).map_err(|why| Failure::new(Code::Failed, why))?;
        eprintln!(
            "{}: {} {} of {}, {}, good until {}, signed by {}",
            self.out.display(),
            sealed.offer.kind,
            self.version,
            self.publisher,
            print::count(sealed.manifest.files.len() as u64, "file"),
            rfc3339(sealed.offer.expires_ns),
            sealed.offer.key
        );
        Ok(())
    }
}
