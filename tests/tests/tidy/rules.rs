//! The rules of the house, each a function from one file to what it breaks.

use crate::source::{Source, words};

/// A rule: what is wrong in a file, as `path:line: why`.
pub type Rule = fn(&Source) -> Vec<String>;

/// Lines of a file before its tests.
const FILE_LINES_MAX: usize = 400;

/// Lines above a unix-only word in which its `cfg` stands.
const CFG_LINES_MAX: usize = 20;

/// The one module that opens sockets towards devices.
pub const GUARD: &str = "crates/field/src/guard";

/// The one file of the desk that opens connections.
pub const DIAL: &str = "crates/gateway/src/outbox/dial.rs";

/// Live capture: unix only by its nature.
const CAPTURE: &str = "crates/field/src/capture";

/// The one file that may hold `unsafe`, and the one socket beside the guard's: it receives.
const RING: &str = "crates/field/src/capture/ring.rs";

fn at(source: &Source, line: usize, why: &str) -> String {
    format!("{}:{line}: {why}", source.path)
}

/// Lines, from 1, of `code` that hold `text`.
fn lines<'a>(code: &'a str, text: &'a str) -> impl Iterator<Item = usize> + 'a {
    code.lines().enumerate().filter(move |(_, line)| line.contains(text)).map(|(at, _)| at + 1)
}

fn is_quiet(path: &str) -> bool {
    path.starts_with("crates/wire/src/") || path.starts_with("crates/core/src/")
}

/// Rule 2: outside the guard nothing in crates/ names what opens a socket, or excuses itself from the lint that says so. Live capture's
/// packet socket names nothing that sends. Towards IT one file of the desk opens connections, over TCP alone, to nobody's device.
pub fn sockets(source: &Source) -> Vec<String> {
    if !source.path.starts_with("crates/") || source.path.starts_with(GUARD) {
        return vec![];
    }
    let opens = ["TcpStream::connect", "TcpSocket", "UdpSocket", "clippy::disallowed_methods", "SockType", "libc::socket("];
    let sends = ["send", "libc::write", "TX_RING", "TcpStream", "UdpSocket"];
    let opens = match source.path.as_str() {
        RING => &sends[..],
        DIAL => &["TcpSocket", "UdpSocket", "SockType", "libc::socket("],
        _ => &opens,
    };
    opens.iter().flat_map(|text| lines(&source.code, text).map(|line| at(source, line, "only the guard opens a socket"))).collect()
}

/// Rule 3: wire and core have no IO, no clock and no surroundings.
pub fn quiet(source: &Source) -> Vec<String> {
    if !is_quiet(&source.path) {
        return vec![];
    }
    let code = source.product();
    let named = ["SystemTime", "Instant", "TcpStream", "TcpListener", "UdpSocket", "tokio", "rusqlite"];
    let modules = ["fs", "env", "process", "thread"];
    let mut found: Vec<String> =
        words(code).filter(|(_, _, word)| named.contains(word)).map(|(line, _, word)| at(source, line, word)).collect();
    for module in modules {
        found.extend(lines(code, &format!("std::{module}")).map(|line| at(source, line, module)));
        let grouped = |group: &str| words(group.split('}').next().unwrap_or(group)).any(|(_, _, word)| word == module);
        if code.split("std::{").skip(1).any(grouped) {
            found.push(at(source, 1, module));
        }
    }
    found
}

/// Rule 3: wire and core forbid `unsafe` in their first file, and nothing but live capture's ring holds any.
pub fn unsafety(source: &Source) -> Vec<String> {
    let mut found = vec![];
    if is_quiet(&source.path) && source.path.ends_with("src/lib.rs") && !source.code.contains("#![forbid(unsafe_code)]") {
        found.push(at(source, 1, "no forbid(unsafe_code)"));
    }
    if source.path != RING {
        found.extend(words(&source.code).filter(|(_, _, word)| *word == "unsafe").map(|(line, _, word)| at(source, line, word)));
    }
    found
}

/// The guard reads with its own table: nothing comes in from `wire` or from the adapters around it.
pub fn guard_alone(source: &Source) -> Vec<String> {
    if !source.path.starts_with(GUARD) {
        return vec![];
    }
    let code = source.product();
    let mut found = wire_words(source, code);
    found.extend(lines(code, "super::super").map(|line| at(source, line, "the guard reads alone")));
    for (line, text) in code.lines().enumerate() {
        // The touch record is where it writes down what it let pass and what not.
        let foreign = |rest: &str| !rest.starts_with("guard::") && !rest.starts_with("touch::");
        if text.split("crate::").skip(1).any(foreign) {
            found.push(at(source, line + 1, "the guard reads alone"));
        }
    }
    found
}

/// The simulators judge our questions without `wire`, so that they are no mirror of it.
pub fn no_mirror(source: &Source) -> Vec<String> {
    if !source.path.starts_with("simulators/") {
        return vec![];
    }
    wire_words(source, &source.code)
}

/// Where code names the crate `wire`, by itself or as core hands it on.
fn wire_words(source: &Source, code: &str) -> Vec<String> {
    words(code).filter(|(_, _, word)| ["nameplate_wire", "wire"].contains(word)).map(|(line, _, word)| at(source, line, word)).collect()
}

/// Rule 4: a file fits a reader's head.
pub fn length(source: &Source) -> Vec<String> {
    let code = if source.is_test() { source.tests() } else { source.product() };
    let count = code.lines().count();
    if count > FILE_LINES_MAX { vec![at(source, count, "longer than 400 lines before its tests")] } else { vec![] }
}

/// Rule 5: a limit has its unit in its name, last but for the bound, and its reason beside it.
pub fn limits(source: &Source) -> Vec<String> {
    let mut found = vec![];
    let text: Vec<&str> = source.text.lines().collect();
    for (index, line) in source.product().lines().enumerate() {
        let Some((_, rest)) = line.split_once("const ") else { continue };
        let name = rest.split(':').next().unwrap_or_default().trim();
        let Some(stem) = name.strip_suffix("_MAX").or_else(|| name.strip_suffix("_MIN")) else { continue };
        // What is counted is a plural or a unit of time; a factor has none, and `quantity` is the standard's word for a count of registers.
        let unit = |part: &str| part.ends_with('S') || part == "FACTOR" || part == "QUANTITY";
        if !stem.split('_').any(unit) {
            found.push(at(source, index + 1, &format!("{name} says no unit")));
        }
        let above = index.checked_sub(1).and_then(|above| text.get(above)).is_some_and(|above| above.trim().starts_with("//"));
        if !above && !text.get(index).is_some_and(|line| line.contains("//")) {
            found.push(at(source, index + 1, &format!("{name} gives no reason")));
        }
    }
    found
}

/// Rule 10: no test sleeps, but on a clock that stands still and jumps (tokio's paused one) sleeping takes no time.
pub fn naps(source: &Source) -> Vec<String> {
    if source.code.contains("start_paused") {
        return vec![];
    }
    let before = source.code.lines().count() - source.tests().lines().count();
    let sleeps = |(_, _, word): &(usize, usize, &str)| ["sleep", "sleep_until", "sleep_ms"].contains(word);
    words(source.tests()).filter(sleeps).map(|(line, _, _)| at(source, before + line, "a test that sleeps")).collect()
}

/// What only unix has stands behind a `cfg`, outside live capture.
pub fn portable(source: &Source) -> Vec<String> {
    let ours = source.path.starts_with("crates/") || source.path.starts_with("simulators/");
    if !ours || source.path.starts_with(CAPTURE) {
        return vec![];
    }
    // The insides of strings are blank in `code`, so the attribute is read off the text.
    let text: Vec<&str> = source.text.lines().collect();
    let guarded = |line: usize| {
        let from = line.saturating_sub(CFG_LINES_MAX);
        text.get(from..line).unwrap_or_default().iter().any(|line| line.contains("cfg(unix)") || line.contains("cfg(target_os"))
    };
    let words = ["std::os::unix", "std::os::fd", "std::os::linux", "net::Unix", "signal::unix", "libc::"];
    let found = words.iter().flat_map(|word| lines(source.product(), word));
    found.filter(|line| !guarded(*line)).map(|line| at(source, line, "unix only, and no cfg says so")).collect()
}

/// What the gateway says while it runs is an event (`say!`), whose fields are said by `Display`: `Debug` of a type shows all that is in it.
pub fn logged(source: &Source) -> Vec<String> {
    if !source.path.starts_with("crates/gateway/src/") || source.path.starts_with("crates/gateway/src/log") {
        return vec![];
    }
    let (code, mut found) = (source.product(), vec![]);
    found.extend(lines(code, "tracing::").map(|line| at(source, line, "events are said by say!")));
    let text: Vec<&str> = source.text.lines().collect();
    for (line, text) in text.iter().enumerate().take(code.lines().count()) {
        // The link of a first start is for whoever stands before the machine.
        let is_printed = text.contains("eprintln!(\"serve: ") || text.contains("eprintln!(\"field: ");
        if is_printed && !text.contains("this link makes one") {
            found.push(at(source, line + 1, "what serve and field say is an event"));
        }
    }
    for (start, _) in code.match_indices("say!(") {
        let (mut depth, mut length) = (0_usize, 0);
        for (offset, c) in code.get(start..).unwrap_or_default().char_indices() {
            depth = depth + usize::from(c == '(') - usize::from(c == ')' && depth > 0);
            length = offset;
            if c == ')' && depth == 0 {
                break;
            }
        }
        let first = code.get(..start).unwrap_or_default().matches('\n').count();
        let count = code.get(start..start + length).unwrap_or_default().matches('\n').count();
        let whole = text.get(first..=first + count).unwrap_or_default().join("\n");
        if ["= ?", ":?}", "{ ?", ", ?"].iter().any(|debug| whole.contains(debug)) {
            found.push(at(source, first + 1, "Debug in an event"));
        }
    }
    found
}

/// The words of the house: none that hides what a thing is.
pub fn naming(source: &Source) -> Vec<String> {
    const ANYWHERE: [&str; 10] = ["scan", "scans", "scanner", "agent", "manager", "helper", "helpers", "util", "utils", "common"];
    const ALONE: [&str; 3] = ["info", "data", "status"];
    let mut found = vec![];
    let mut check = |line: usize, name: &str| {
        let parts = parts(name);
        if parts.iter().any(|part| ANYWHERE.contains(&part.as_str())) || (parts.len() == 1 && ALONE.contains(&parts[0].as_str())) {
            found.push(at(source, line, name));
        }
    };
    if source.path.ends_with(".rs") {
        source.path.trim_end_matches(".rs").split('/').for_each(|part| check(1, part));
    }
    let all: Vec<_> = words(source.product()).collect();
    for pair in all.windows(2) {
        let [(line, column, word), (_, _, name)] = pair else { continue };
        let before = source.product().lines().nth(line - 1).and_then(|text| text.get(..*column)).unwrap_or_default();
        let public = words(before).any(|(_, _, word)| word == "pub");
        let item = ["fn", "struct", "enum", "trait", "type", "const", "static"].contains(word);
        if *word == "mod" || (item && public) {
            check(*line, name);
        }
    }
    found
}

/// `ReadDeviceId`, `read_device_id` -> read, device, id.
fn parts(name: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut before = ' ';
    for c in name.chars() {
        if c == '_' || c == '-' || (c.is_uppercase() && before.is_lowercase()) {
            parts.push(String::new());
        }
        if c != '_' && c != '-' {
            parts.last_mut().expect("never empty").extend(c.to_lowercase());
        }
        before = c;
    }
    parts
}

/// No file names a place on somebody's machine, and no lock file of npm the host it was made against.
pub fn no_place(source: &Source) -> Vec<String> {
    // Put together here, or this file would be the first to break its rule.
    let homes = ["root", "home", "work", "Users"].map(|name| format!("/{name}/"));
    let mut found = vec![];
    for (index, line) in source.text.lines().enumerate() {
        let begins = |home: &String| {
            line.match_indices(home.as_str()).any(|(at, _)| {
                let before = line.get(..at).and_then(|before| before.chars().next_back());
                before.is_none_or(|c| !(c.is_alphanumeric() || "._-}/*>)".contains(c)))
            })
        };
        if homes.iter().any(begins) {
            found.push(at(source, index + 1, "a path of one machine"));
        }
        if source.path.ends_with(".json") && line.contains("\"resolved\":") {
            found.push(at(source, index + 1, "a registry's host"));
        }
    }
    found
}

/// A device profile is TOML.
pub fn profile(source: &Source) -> Vec<String> {
    if !(source.path.starts_with("device-profiles/") && source.path.ends_with(".toml")) {
        return vec![];
    }
    source.text.parse::<toml::Table>().err().map(|error| at(source, 1, &error.to_string())).into_iter().collect()
}

/// A decision says what else was possible and how sure we are.
pub fn decision(source: &Source) -> Vec<String> {
    if !(source.path.starts_with("docs/decisions/") && source.path.ends_with(".md")) {
        return vec![];
    }
    let headings = ["Decision", "Context", "Alternatives", "Consequences", "Confidence"];
    let there: Vec<&str> = source.text.lines().filter_map(|line| line.strip_prefix("## ")).map(str::trim).collect();
    if there == headings { vec![] } else { vec![at(source, 1, &format!("headings are {there:?}, not {headings:?}"))] }
}
