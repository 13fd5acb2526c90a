//! What tshark reads in the fields in which devices tell who they are, frame by frame beside what we read. `referee/fields.tsv` says which
//! of its fields is which of our facts and how they compare; `referee/disagreements.tsv` says of each difference who is right. A
//! difference that has no line there fails, and so does a line without a difference.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::thread;

use nameplate_core::observation::hex;
use nameplate_core::text::decode_fact;
use nameplate_tests::corpus::{captures, frames_of};
use nameplate_tests::place::{needed, root, shared};
use nameplate_tests::record::{self, AND};
use nameplate_wire::listen::{Event, Listener};
use nameplate_wire::{Address, Authority, Fact, Shape};

/// tshark takes longer to start than to read most captures; the smallest machines that run this have two cores.
const THREADS: usize = 2;
/// tshark asks for a port of Modbus TCP; this is the one that it has by itself.
const MODBUS_PORT: u16 = 502;
/// Where the frame stands and who sent it: the first columns of what tshark is asked for.
const FRAME: [&str; 4] = ["frame.number", "eth.src", "ip.src", "ipv6.src"];
/// tshark's name for lines of its tree that are no field of their own; `text:` and how such a line begins is a field of the table.
const LABELS: &str = "text";
const LABEL: &str = "text:";
/// What tshark writes where there is no value.
const NOTHING: [&str; 2] = ["<MISSING>", "Value (Null)"];
/// Between several values in one cell of disagreements.tsv.
const ALSO: &str = " | ";
/// Values of both in the public captures, a little less than there are: with far fewer the comparison compares no longer.
const VALUES_MIN: usize = 25_000;

/// How a fact's bytes and tshark's text are brought to one text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// Text, with each run of blanks and line ends as one blank.
    Text,
    /// As text, each line as a value of its own.
    Lines,
    /// As text; tshark has a quote behind it.
    Quoted,
    /// As text; tshark has its kind behind it (`NAME<20>`) or its domain (`name.local`).
    Before,
    /// A domain name, with or without the dot at its end.
    Domain,
    /// A number, in decimal or hexadecimal.
    Number,
    /// The bytes themselves, in hexadecimal.
    Bytes,
    /// Each byte a decimal number, with dots between.
    Dotted,
    /// Each two bytes a decimal number, with dots between.
    Words,
    /// An object identifier.
    Oid,
}

/// One of tshark's fields, or several with `+` between whose values are one with dots between, and all of our facts that stand in it.
struct Field {
    protocol: String,
    /// Our facts, and how each compares. One `*` in a fact's name stands for anything.
    facts: Vec<(String, How)>,
    /// True when tshark has other things in it, too: only what we read has to be there.
    only_ours: bool,
    /// Where it is a word about a device: other fields of tshark's, and the value that one of them has then. Empty: everywhere.
    only: Vec<(String, String)>,
}

/// fields.tsv.
struct Table {
    fields: BTreeMap<String, Field>,
    /// Facts for which tshark has no field.
    ours_alone: BTreeSet<String>,
}

/// A value that we read.
struct Told {
    fact: String,
    bytes: Vec<u8>,
    shown: String,
    frame: u64,
    speaker: Address,
    authority: Authority,
}

/// What one field says differently in a frame, and in all later ones of this capture where it is said the same way.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Difference {
    capture: String,
    protocol: String,
    field: String,
    ours: String,
    tsharks: String,
}

/// What all captures came to: differences with the first frame of each, and facts that stand in no line of fields.tsv.
#[derive(Default)]
struct Sum {
    captures: usize,
    values: usize,
    differences: BTreeMap<Difference, u64>,
    unknown: BTreeSet<String>,
}

/// The lines of a table, without comments and the line that names the columns.
fn lines_of<const COLUMNS: usize>(name: &str) -> Vec<[String; COLUMNS]> {
    let path = root().join("tests/tests/referee").join(name);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let cells = |line: &str| -> [String; COLUMNS] {
        let cells: Vec<String> = line.split('\t').map(str::to_owned).collect();
        cells.try_into().unwrap_or_else(|cells| panic!("{name}: {COLUMNS} columns, not {cells:?}"))
    };
    text.lines().filter(|line| !line.is_empty() && !line.starts_with('#')).skip(1).map(cells).collect()
}

impl How {
    fn named(name: &str) -> Option<Self> {
        use How::{Before, Bytes, Domain, Dotted, Lines, Number, Oid, Quoted, Text, Words};
        let all = [Text, Lines, Quoted, Before, Domain, Number, Bytes, Dotted, Words, Oid];
        all.into_iter().find(|how| format!("{how:?}").to_lowercase() == name)
    }

    fn ours(self, told: &Told) -> Vec<String> {
        let value = match self {
            Self::Lines => return told.bytes.split(|byte| *byte == b'\n').map(|line| one_line(&String::from_utf8_lossy(line))).collect(),
            Self::Text | Self::Quoted | Self::Before | Self::Domain => one_line(&told.shown),
            Self::Oid => decode_fact(Shape::Oid, &told.bytes).unwrap_or_default(),
            Self::Number => number(&told.shown),
            Self::Bytes => hex(&told.bytes),
            Self::Dotted => told.bytes.iter().map(u8::to_string).collect::<Vec<_>>().join("."),
            Self::Words => {
                let word = |pair: &[u8]| pair.iter().fold(0_u16, |word, byte| word << 8 | u16::from(*byte)).to_string();
                told.bytes.chunks(2).map(word).collect::<Vec<_>>().join(".")
            }
        };
        vec![value]
    }

    fn tsharks(self, text: &str) -> String {
        match self {
            Self::Text | Self::Lines | Self::Dotted | Self::Words | Self::Oid => one_line(text),
            Self::Quoted => one_line(text.strip_suffix(['\'', '"']).unwrap_or(text)),
            Self::Domain => one_line(text.trim_end_matches('.')),
            Self::Before => one_line(text.split(['<', '.']).next().unwrap_or(text)),
            Self::Number => number(text),
            Self::Bytes => text.trim_start_matches("0x").replace(':', "").to_lowercase(),
        }
    }
}

/// tshark writes line ends as `\n`.
fn one_line(text: &str) -> String {
    let text = [r"\n", r"\r", r"\t"].iter().fold(text.to_owned(), |text, end| text.replace(end, " "));
    text.split(|c: char| c.is_whitespace() || c == '\0').filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

fn number(text: &str) -> String {
    let text = text.trim();
    let value = text.strip_prefix("0x").map_or_else(|| text.parse().ok(), |digits| u64::from_str_radix(digits, 16).ok());
    value.map_or_else(|| text.to_owned(), |value| value.to_string())
}

fn is_like(pattern: &str, fact: &str) -> bool {
    pattern.split_once('*').map_or(pattern == fact, |(before, behind)| fact.strip_prefix(before).is_some_and(|rest| rest.ends_with(behind)))
}

impl Table {
    fn read() -> Self {
        let (mut fields, mut ours_alone) = (BTreeMap::<String, Field>::new(), BTreeSet::new());
        for [protocol, fact, field, how, only] in lines_of("fields.tsv") {
            if field == "-" {
                ours_alone.insert(fact);
                continue;
            }
            let how = How::named(&how).unwrap_or_else(|| panic!("{how}: no way to compare {fact}"));
            let (only_ours, only) = (only == "ours", only.split(' ').filter_map(|only| only.split_once('=')));
            let only = only.map(|(field, value)| (field.to_owned(), value.to_owned())).collect();
            fields.entry(field).or_insert(Field { protocol, facts: Vec::new(), only_ours, only }).facts.push((fact, how));
        }
        Self { fields, ours_alone }
    }

    /// What tshark is asked for.
    fn columns(&self) -> Vec<&str> {
        let of_table = self.fields.keys().flat_map(|name| name.split('|'));
        let of_table = of_table.flat_map(|name| if name.starts_with(LABEL) { LABELS } else { name }.split('+'));
        let conditions = self.fields.values().flat_map(|field| &field.only).map(|(field, _)| field.as_str());
        let unique: BTreeSet<&str> = of_table.chain(conditions).filter(|name| !FRAME.contains(name)).collect();
        FRAME.into_iter().chain(unique).collect()
    }

    fn knows(&self, fact: &str) -> bool {
        let compared = self.fields.values().flat_map(|field| &field.facts).map(|(pattern, _)| pattern);
        compared.chain(&self.ours_alone).any(|pattern| is_like(pattern, fact))
    }
}

impl Field {
    /// tshark's values of this field in a frame, whose cells are found by their columns' names.
    fn tsharks(&self, name: &str, cell: &impl Fn(&str) -> Vec<String>) -> BTreeSet<String> {
        if !self.only.is_empty() && !self.only.iter().any(|(field, value)| cell(field).contains(value)) {
            return BTreeSet::new();
        }
        let one = |name: &str| match name.strip_prefix(LABEL) {
            Some(pattern) => labelled(pattern, &cell(LABELS)),
            None => joined(&name.split('+').map(cell).collect::<Vec<_>>()),
        };
        let values: Vec<String> = name.split('|').flat_map(one).collect();
        let how = self.facts.first().map_or(How::Text, |(_, how)| *how);
        let told = values.iter().filter(|value| !NOTHING.contains(&value.as_str()));
        told.map(|value| how.tsharks(value)).filter(|value| !value.is_empty()).collect()
    }
}

/// The first values of several fields with dots between, then the second ones, and so on.
fn joined(parts: &[Vec<String>]) -> Vec<String> {
    let values = parts.iter().map(Vec::len).min().unwrap_or(0);
    (0..values).map(|at| parts.iter().map(|part| part[at].as_str()).collect::<Vec<_>>().join(".")).collect()
}

/// What stands behind the pattern in labels; behind `SECTION>` only in sections that begin so. A section ends where the next of its kind
/// begins, its kind being its first word.
fn labelled(pattern: &str, labels: &[String]) -> Vec<String> {
    let (section, pattern) = pattern.split_once('>').unwrap_or(("", pattern));
    let kind = section.split_inclusive(' ').next().unwrap_or_default();
    let (begin, behind) = pattern.split_once('*').unwrap_or((pattern, ""));
    let mut inside = section.is_empty();
    let value = |label: &String| {
        inside = if kind.is_empty() || !label.starts_with(kind) { inside } else { label.starts_with(section) };
        let (_, value) = label.strip_prefix(begin)?.split_once(behind)?;
        inside.then(|| value.to_owned())
    };
    labels.iter().filter_map(value).collect()
}

/// What we read in a capture.
fn heard(file: &[u8]) -> Vec<Told> {
    let (mut listener, mut told) = (Listener::new(&[]), Vec::new());
    let mut keep = |event| {
        let Event::Reading(reading) = event else { return };
        for Fact { path, bytes, shape, message, .. } in reading.facts {
            let shown = decode_fact(shape, &bytes).unwrap_or_else(|unreadable| unreadable.shown);
            let (frame, speaker, authority) = (reading.messages[message].frame, reading.speaker.clone(), reading.authority);
            told.push(Told { fact: path, bytes, shown, frame, speaker, authority });
        }
    };
    for (frame, number) in frames_of(file).iter().zip(1..) {
        listener.frame(&frame.numbered(number), &mut keep);
    }
    listener.finish(&mut keep);
    told
}

/// A value in a capture: its frame, and the addresses of who told it; none where it is said about somebody else or from behind another.
struct Value {
    frame: u64,
    senders: Vec<String>,
}

/// All values of a capture, by tshark's field and the text.
type Values<'a> = BTreeMap<(&'a str, String), Vec<Value>>;

fn our_values<'a>(table: &'a Table, told: &[Told]) -> Values<'a> {
    let mut values = Values::new();
    for told in told {
        let Address { mac, ip, .. } = told.speaker;
        let senders = [mac.map(|mac| mac.to_string()), ip.map(|ip| ip.to_string())].into_iter().flatten();
        let senders: Vec<String> = senders.filter(|_| told.authority != Authority::Belief).collect();
        for (name, field) in &table.fields {
            let how = field.facts.iter().find(|(pattern, _)| is_like(pattern, &told.fact)).map(|(_, how)| *how);
            for value in how.map(|how| how.ours(told)).into_iter().flatten().filter(|value| !value.is_empty()) {
                values.entry((name, value)).or_default().push(Value { frame: told.frame, senders: senders.clone() });
            }
        }
    }
    values
}

fn tsharks_values<'a>(table: &'a Table, file: &Path) -> Result<Values<'a>, String> {
    let columns = table.columns();
    let mut values = Values::new();
    for row in record::tshark(file, &columns, "frame", MODBUS_PORT)? {
        let cell = |name: &str| -> Vec<String> {
            let text = columns.iter().position(|column| *column == name).and_then(|at| row.get(at));
            text.filter(|text| !text.is_empty()).map(|text| text.split(AND).map(str::to_owned).collect()).unwrap_or_default()
        };
        let frame = cell(FRAME[0]).concat().parse().map_err(|error| format!("a frame's number: {error}"))?;
        let senders: Vec<String> = FRAME[1..].iter().flat_map(|name| cell(name)).collect();
        for (name, field) in &table.fields {
            for value in field.tsharks(name, &cell) {
                values.entry((name, value)).or_default().push(Value { frame, senders: senders.clone() });
            }
        }
    }
    Ok(values)
}

/// Both readings of a capture. What is announced again and again we tell once, and tshark tells a value where its message ends: a value of
/// ours is tshark's if it has the same from the same sender in that frame or a later one.
fn compare(table: &Table, capture: &str, file: &Path, sum: &mut Sum) {
    let told = heard(&fs::read(file).expect("a capture"));
    sum.unknown.extend(told.iter().filter(|told| !table.knows(&told.fact)).map(|told| told.fact.clone()));
    let ours = our_values(table, &told);
    if ours.is_empty() {
        return;
    }
    let tsharks = tsharks_values(table, file).unwrap_or_else(|why| panic!("{capture}: {why}"));
    let same = |ours: &Value, tsharks: &Value| {
        let one_sender = || ours.senders.is_empty() || ours.senders.iter().any(|sender| tsharks.senders.contains(sender));
        ours.frame == tsharks.frame || ours.frame < tsharks.frame && one_sender()
    };
    let (mut differences, mut values) = (BTreeMap::<(&str, u64), [BTreeSet<&str>; 2]>::new(), 0);
    let none = Vec::new();
    for (key @ (name, value), told) in &ours {
        values += told.len();
        let theirs = tsharks.get(key).unwrap_or(&none);
        for told in told.iter().filter(|told| !theirs.iter().any(|theirs| same(told, theirs))) {
            differences.entry((name, told.frame)).or_default()[0].insert(value);
        }
    }
    for (key @ (name, value), told) in tsharks.iter().filter(|((name, _), _)| !table.fields[*name].only_ours) {
        values += told.len();
        let ours = ours.get(key).unwrap_or(&none);
        for told in told.iter().filter(|told| !ours.iter().any(|ours| same(ours, told))) {
            differences.entry((name, told.frame)).or_default()[1].insert(value);
        }
    }
    sum.captures += 1;
    sum.values += values;
    for ((field, frame), both) in differences {
        let [ours, tsharks] = both.map(|values| values.into_iter().collect::<Vec<_>>().join(ALSO));
        let protocol = table.fields[field].protocol.clone();
        let difference = Difference { capture: capture.to_owned(), protocol, field: field.to_owned(), ours, tsharks };
        let first = sum.differences.entry(difference).or_insert(frame);
        *first = frame.min(*first);
    }
}

/// Both readings of all captures.
fn compared(table: &Table, files: &[PathBuf], below: &Path) -> Sum {
    let share = |first: usize| {
        let mut sum = Sum::default();
        for file in files.iter().skip(first).step_by(THREADS) {
            let name = file.strip_prefix(below).unwrap_or(file).to_string_lossy();
            compare(table, &name, file, &mut sum);
        }
        sum
    };
    let share = &share;
    let shares = thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS).map(|first| scope.spawn(move || share(first))).collect();
        threads.into_iter().map(|thread| thread.join().expect("a share of the captures")).collect::<Vec<_>>()
    });
    shares.into_iter().fold(Sum::default(), |mut sum, share| {
        sum.captures += share.captures;
        sum.values += share.values;
        sum.differences.extend(share.differences);
        sum.unknown.extend(share.unknown);
        sum
    })
}

#[test]
fn each_difference_from_tsharks_reading_is_a_line_that_says_who_is_right() {
    let test = "each_difference_from_tsharks_reading_is_a_line_that_says_who_is_right";
    let there = || Ok((captures()?, shared()?.join("captures")));
    let Some((files, below)) = needed(test, record::available().and_then(|()| there())) else { return };
    let Sum { captures, values, differences, unknown } = compared(&Table::read(), &files, &below);
    assert!(unknown.is_empty(), "facts that no line of fields.tsv names: {unknown:?}");
    let mut lines = BTreeMap::new();
    for [capture, frame, protocol, field, ours, tsharks, right, why] in lines_of("disagreements.tsv") {
        assert!(
            ["ours", "tshark", "both"].contains(&right.as_str()) && !why.is_empty(),
            "{capture}, frame {frame}: who is right, and why?"
        );
        let again = lines.insert(Difference { capture, protocol, field, ours, tsharks }, frame);
        assert_eq!(again, None, "a line twice");
    }
    let line = |difference: &Difference, frame: &str| {
        let Difference { capture, protocol, field, ours, tsharks } = difference;
        [capture, frame, protocol, field, ours, tsharks].join("\t")
    };
    let said = |(difference, frame): &(&Difference, &u64)| lines.get(*difference).is_none_or(|known| *known != frame.to_string());
    let new: Vec<String> = differences.iter().filter(said).map(|(difference, frame)| line(difference, &frame.to_string())).collect();
    let gone = lines.iter().filter(|(difference, _)| !differences.contains_key(difference));
    let gone: Vec<String> = gone.map(|(difference, frame)| line(difference, frame)).collect();
    eprintln!("{captures} captures, {values} values, {} differences", differences.len());
    let (new, gone) = (new.join("\n"), gone.join("\n"));
    assert!(
        new.is_empty() && gone.is_empty(),
        "to add to disagreements.tsv, with who is right and why:\n{new}\nno longer different:\n{gone}"
    );
    assert!(values >= VALUES_MIN, "{values} values in {captures} captures");
}
