//! `cargo xtask deb`: dist/nameplate_VERSION_amd64.deb and a tarball with the same. Two runs over one build are equal byte for byte: owners, modes, times and
//! the order of files are set here and not taken from the machine.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::run::{Tree, shown};

/// Where Debian has these.
const UNITS: &str = "usr/lib/systemd/system";
const DOC: &str = "usr/share/doc/nameplate";
/// Documents that go along.
const DOCS: [&str; 7] = [
    "docs/operating.md",
    "docs/updates.md",
    "docs/configuration.md",
    "docs/site.md",
    "docs/read-only.md",
    "docs/gateway.md",
    "docs/logs.md",
];
/// Goals of the gateway (issue 9, bar 7), printed beside what came out.
const GOAL_DEB_MB: u64 = 15;
const GOAL_BINARY_MB: u64 = 25;

/// Profiles that are packaged: the one for gateways, and the one that the tests run and share with all else.
const SHIPPED: &str = "dist";
const TESTED: &str = "release";

/// What was built.
pub struct Built {
    pub deb: PathBuf,
    pub tarball: PathBuf,
}

/// The package for gateways.
pub fn shipped(tree: &Tree) -> Result<(), String> {
    deb(tree, SHIPPED).map(drop)
}

/// Builds both, and says how large they are.
fn deb(tree: &Tree, profile: &str) -> Result<Built, String> {
    shown("build", &mut tree.cargo(&["build", "--profile", profile, "-p", "nameplate", "--bins", "--example", "papers"]))?;
    let built = pack(tree, profile)?;
    let size = |path: &Path| fs::metadata(path).map_or(0, |of| of.len());
    let binary = size(&stage(tree).join("usr/bin/nameplate"));
    println!("{}: {:.1} MB (goal {GOAL_DEB_MB})", built.deb.display(), megabytes(size(&built.deb)));
    println!("{}: {:.1} MB", built.tarball.display(), megabytes(size(&built.tarball)));
    println!("the program in it: {:.1} MB (goal {GOAL_BINARY_MB})", megabytes(binary));
    Ok(built)
}

/// The package that is tested, twice; an error where one byte differs.
pub fn twice(tree: &Tree) -> Result<(), String> {
    let read = |built: &Built| -> Result<_, String> { Ok((bytes(&built.deb)?, bytes(&built.tarball)?)) };
    let first = read(&deb(tree, TESTED)?)?;
    fs::remove_dir_all(stage(tree)).map_err(|error| error.to_string())?;
    if read(&pack(tree, TESTED)?)? == first { Ok(()) } else { Err("two packages of one build differ".to_owned()) }
}

/// To be read, with one digit behind the point.
fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / 1e6
}

/// Where the package's files are laid out.
fn stage(tree: &Tree) -> PathBuf {
    tree.target.join("package/root")
}

/// Lays out and packs what is built.
fn pack(tree: &Tree, profile: &str) -> Result<Built, String> {
    let (root, papers, dist) = (stage(tree), tree.target.join("package/papers"), tree.root.join("dist"));
    for folder in [&root, &papers] {
        let _ = fs::remove_dir_all(folder);
    }
    fs::create_dir_all(&dist).map_err(|error| format!("{}: {error}", dist.display()))?;
    let packer = Packer { tree, profile, root, papers, epoch: epoch(tree)? };
    packer.papers()?;
    packer.files()?;
    let name = format!("nameplate_{}_amd64", env!("CARGO_PKG_VERSION"));
    let built = Built { deb: dist.join(format!("{name}.deb")), tarball: dist.join(format!("{name}.tar.gz")) };
    packer.tarball(&built.tarball)?;
    packer.control()?;
    let words = ["--root-owner-group", "-Zxz", "--threads-max=1", "--build"];
    quiet(packer.command("dpkg-deb").args(words).arg(&packer.root).arg(&built.deb))?;
    Ok(built)
}

/// The moment that all files are of: `SOURCE_DATE_EPOCH`, else that of the last commit.
fn epoch(tree: &Tree) -> Result<String, String> {
    match std::env::var("SOURCE_DATE_EPOCH") {
        Ok(seconds) => Ok(seconds),
        Err(_) => quiet(tree.command("git").args(["log", "-1", "--format=%ct"])).map(|said| said.trim().to_owned()),
    }
}

struct Packer<'t> {
    tree: &'t Tree,
    profile: &'t str,
    root: PathBuf,
    papers: PathBuf,
    epoch: String,
}

impl Packer<'_> {
    fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = self.tree.command(program);
        command.env("SOURCE_DATE_EPOCH", &self.epoch).env("LC_ALL", "C").env("TZ", "UTC");
        command
    }

    /// Manual, completions, bill of materials and licences, made by the program's own crate.
    fn papers(&self) -> Result<(), String> {
        let made = quiet(self.command(self.tree.target.join(self.profile).join("examples/papers")).arg(&self.papers));
        made.map(drop).map_err(|error| format!("papers: {error}"))
    }

    fn files(&self) -> Result<(), String> {
        let packaging = self.tree.root.join("packaging");
        let binary = self.put("usr/bin/nameplate", &bytes(&self.tree.built(self.profile))?, 0o755)?;
        quiet(self.command("strip").arg(&binary))?;
        for unit in ["nameplate-field.service", "nameplate-serve.service"] {
            self.put(&format!("{UNITS}/{unit}"), &bytes(&packaging.join("units").join(unit))?, 0o644)?;
        }
        for example in ["units/serial.conf", "prometheus/nameplate.rules.yml", "ansible/rulebook.yml", "ansible/verify.yml"] {
            let example = packaging.join(example);
            self.put(&format!("{DOC}/examples/{}", name(&example)), &bytes(&example)?, 0o644)?;
        }
        for (folder, file) in [("sysusers.d", "sysusers.conf"), ("tmpfiles.d", "tmpfiles.conf")] {
            self.put(&format!("usr/lib/{folder}/nameplate.conf"), &bytes(&packaging.join(file))?, 0o644)?;
        }
        for (file, words) in [("serve.toml", &["config", "init"][..]), ("site.toml", &["config", "init", "--site"])] {
            let text = quiet(self.command(self.tree.built(self.profile)).args(words))?;
            self.put(&format!("etc/nameplate/{file}"), text.as_bytes(), 0o644)?;
        }
        for page in sorted(&self.papers.join("man"))? {
            self.packed(&format!("usr/share/man/man1/{}.gz", name(&page)), &page)?;
        }
        let completions = [
            ("nameplate.bash", "bash-completion/completions/nameplate"),
            ("_nameplate", "zsh/vendor-completions/_nameplate"),
            ("nameplate.fish", "fish/vendor_completions.d/nameplate.fish"),
        ];
        for (file, place) in completions {
            self.put(&format!("usr/share/{place}"), &bytes(&self.papers.join("completions").join(file))?, 0o644)?;
        }
        for file in ["copyright", "sbom.cdx.json"] {
            self.put(&format!("{DOC}/{file}"), &bytes(&self.papers.join(file))?, 0o644)?;
        }
        for document in DOCS {
            let document = self.tree.root.join(document);
            self.put(&format!("{DOC}/{}", name(&document)), &bytes(&document)?, 0o644)?;
        }
        self.packed(&format!("{DOC}/changelog.gz"), &self.tree.root.join("CHANGELOG.md"))
    }

    /// DEBIAN/: what dpkg reads and runs.
    fn control(&self) -> Result<(), String> {
        let debian = self.tree.root.join("packaging/debian");
        let sums = quiet(self.command("sh").current_dir(&self.root).args(["-c", "find etc usr -type f | sort | xargs md5sum"]))?;
        let size = quiet(self.command("du").args(["--summarize", "--apparent-size", "--block-size=1024"]).arg(&self.root))?;
        let size = size.split_whitespace().next().unwrap_or_default().to_owned();
        let control = fs::read_to_string(debian.join("control")).map_err(|error| format!("control: {error}"))?;
        let control = control.replace("@VERSION@", env!("CARGO_PKG_VERSION")).replace("@SIZE@", &size).replace("@GLIBC@", &self.glibc()?);
        let states = quiet(self.command(self.tree.built(self.profile)).args(["update", "states"]))?;
        let control = control.replace("@STATE@", states.trim());
        self.put("DEBIAN/control", control.as_bytes(), 0o644)?;
        self.put("DEBIAN/md5sums", sums.as_bytes(), 0o644)?;
        self.put("DEBIAN/conffiles", &bytes(&debian.join("conffiles"))?, 0o644)?;
        for script in ["postinst", "prerm", "postrm"] {
            self.put(&format!("DEBIAN/{script}"), &bytes(&debian.join(script))?, 0o755)?;
        }
        Ok(())
    }

    /// The oldest C library with all that the program calls.
    fn glibc(&self) -> Result<String, String> {
        let said = quiet(self.command("objdump").arg("-T").arg(self.root.join("usr/bin/nameplate")))?;
        let versions =
            said.split("GLIBC_").skip(1).map(|rest| rest.split(|c: char| c != '.' && !c.is_ascii_digit()).next().unwrap_or_default());
        let parts = |version: &str| version.split('.').map(|part| part.parse().unwrap_or(0)).collect::<Vec<u32>>();
        versions.max_by_key(|version| parts(version)).map(str::to_owned).ok_or_else(|| "the program calls no C library".to_owned())
    }

    fn tarball(&self, to: &Path) -> Result<(), String> {
        let own = format!("--mtime=@{}", self.epoch);
        let words = ["--create", "--sort=name", "--owner=0", "--group=0", "--numeric-owner", "--format=gnu", own.as_str()];
        let packed = ["--use-compress-program=gzip -9n", "--file"];
        quiet(self.command("tar").args(words).args(packed).arg(to).arg("--directory").arg(&self.root).args(["etc", "usr"])).map(drop)
    }

    fn packed(&self, place: &str, from: &Path) -> Result<(), String> {
        let output = self.command("gzip").args(["-9n", "--stdout"]).arg(from).output().map_err(|error| format!("gzip: {error}"))?;
        if !output.status.success() {
            return Err(format!("gzip {}: {}", from.display(), output.status));
        }
        self.put(place, &output.stdout, 0o644).map(drop)
    }

    /// Writes a file and the folders on the way, with modes that do not depend on the account's mask.
    fn put(&self, place: &str, bytes: &[u8], mode: u32) -> Result<PathBuf, String> {
        let path = self.root.join(place);
        let failed = |error: std::io::Error| format!("{}: {error}", path.display());
        fs::create_dir_all(path.parent().unwrap_or(&self.root)).map_err(failed)?;
        for folder in path.ancestors().skip(1).take_while(|folder| folder.starts_with(&self.root)) {
            fs::set_permissions(folder, fs::Permissions::from_mode(0o755)).map_err(failed)?;
        }
        fs::write(&path, bytes).map_err(failed)?;
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).map_err(failed)?;
        Ok(path)
    }
}

fn bytes(path: &Path) -> Result<Vec<u8>, String> {
    fs::read(path).map_err(|error| format!("{}: {error}", path.display()))
}

fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn sorted(folder: &Path) -> Result<Vec<PathBuf>, String> {
    let entries = fs::read_dir(folder).map_err(|error| format!("{}: {error}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.sort();
    Ok(paths)
}

/// Runs a command to its end; what it says.
fn quiet(command: &mut Command) -> Result<String, String> {
    let output = command.output().map_err(|error| format!("{}: {error}", command.get_program().display()))?;
    if !output.status.success() {
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        return Err(format!("{}: {}: {words}", command.get_program().display(), output.status));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
