//! A root of its own: this machine's files with a layer above them that is gone with the value, in mounts that nobody else sees, on a network of its own.
//! What is installed here is installed nowhere else.

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use nameplate_tests::product::{Ended, State, run};
use nameplate_tests::segment::Segment;

/// Makes the root in a folder. Lives until its input ends. /run is empty: no systemd runs here, as the package's scripts see.
const MOUNTS: &str = "set -e; mount -t tmpfs none \"$1\"; cd \"$1\"; mkdir upper work root
    mount -t overlay overlay -o lowerdir=/,upperdir=upper,workdir=work root; cd root
    mount --rbind /proc proc; mount -t sysfs none sys; mount --rbind /dev dev; mount -t tmpfs none run; mount -t tmpfs -o mode=1777 none tmp
    cp \"$2\" nameplate.deb; echo there; read wait";

/// The root.
#[derive(Debug)]
pub struct Room {
    holder: Child,
    network: [String; 2],
    /// A folder outside of it, for what other programs read.
    pub scratch: State,
    root: PathBuf,
}

impl Room {
    /// Makes one, with a package in it as /nameplate.deb.
    ///
    /// # Errors
    /// What is missing: root, overlayfs, or a program of Debian's.
    pub fn new(segment: &Segment, package: &Path) -> Result<Self, String> {
        for (program, word) in [("dpkg", "--version"), ("systemd-sysusers", "--version"), ("setpriv", "--version"), ("strace", "-V")] {
            let there = Command::new(program).arg(word).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
            there.map_err(|error| format!("{program}: {error}"))?;
        }
        let scratch = State::new();
        let place = scratch.path().join("mounts");
        std::fs::create_dir_all(&place).map_err(|error| error.to_string())?;
        let mut command = segment.command("unshare");
        command.args(["--mount", "--propagation", "private", "sh", "-c", MOUNTS, "sh"]).arg(&place).arg(package);
        let mut holder = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().map_err(|error| format!("unshare: {error}"))?;
        let mut line = String::new();
        let said = holder.stdout.take().map(|out| BufReader::new(out).read_line(&mut line));
        let room = Self { holder, network: segment.words(), scratch, root: place.join("root") };
        match said {
            Some(Ok(_)) if line == "there\n" => Ok(room),
            _ => Err("no root of its own can be made here (it takes root and overlayfs)".to_owned()),
        }
    }

    /// A command in it, as root, with nothing of this account's environment.
    fn command(&self, words: &[&str]) -> Command {
        let [enter, network] = &self.network;
        let mut command = Command::new(enter);
        command.arg(network).arg(format!("--mount=/proc/{}/ns/mnt", self.holder.id())).arg("chroot").arg(&self.root).args(words);
        command.env_clear().env("PATH", "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin").env("LC_ALL", "C.UTF-8");
        command.stdin(Stdio::null());
        command
    }

    /// A line of shell in it.
    pub fn shell(&self, line: &str) -> Command {
        self.command(&["sh", "-c", line])
    }

    fn ended(&self, line: &str) -> Ended {
        run(&mut self.shell(line))
    }

    /// Runs a line of shell in it; what it says.
    ///
    /// # Panics
    /// When it fails.
    #[track_caller]
    pub fn run(&self, line: &str) -> String {
        self.ended(line).expect(0).out
    }

    /// Runs a line of shell that does not succeed; what it says.
    ///
    /// # Panics
    /// When it succeeds.
    #[track_caller]
    pub fn fails(&self, line: &str) -> String {
        let ended = self.ended(line);
        assert_ne!(ended.code, 0, "{line}: {}", ended.out);
        ended.out
    }

    /// Writes a file in it, over what is there.
    ///
    /// # Panics
    /// When that fails.
    pub fn write(&self, path: &str, text: &str) {
        self.put(path, text.as_bytes());
    }

    /// Copies a file into it.
    ///
    /// # Panics
    /// When that fails.
    pub fn copy(&self, from: &Path, path: &str) {
        self.put(path, &std::fs::read(from).expect("a file"));
    }

    fn put(&self, path: &str, bytes: &[u8]) {
        let mut command = self.command(&["tee", path]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).spawn().expect("tee");
        child.stdin.take().expect("a pipe").write_all(bytes).expect("written");
        assert!(child.wait().expect("an end").success(), "{path}");
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        drop(self.holder.stdin.take());
        // It ends by itself now, and its mounts with it; there is nobody to tell if it does not.
        let _ = self.holder.wait();
    }
}
