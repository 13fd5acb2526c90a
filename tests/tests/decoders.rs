//! What holds for every decoder, over all public captures: recorded messages read the same again, every prefix of an answer says the same
//! or less, and 100,000 damaged frames per protocol make none panic, hang or grow.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::time::{Duration, Instant};

use nameplate_tests::corpus::{Owned, captures, frames_of};
use nameplate_tests::place::needed;
use nameplate_wire::conversation::Protocol;
use nameplate_wire::listen::{Event, Listener};
use nameplate_wire::{Fact, Reading, protocols};

/// Damaged frames per protocol.
const FRAMES: usize = 100_000;
/// Frames of one capture that are damaged at a time.
const ROUND_FRAMES_MAX: usize = 300;
/// No frame may take longer; three times in a row, because the machine may be busy.
const FRAME_TIME_MAX: Duration = Duration::from_millis(100);
const TRIES: usize = 3;
/// Readings of one question whose prefixes are all tried.
const READINGS_MAX: usize = 40;
/// Longer answers are cut at every so many bytes, behind the first that are cut at each.
const CUT_EACH_BYTES: usize = 2_000;
/// Memory of the whole test in kilobytes: all captures, and what the decoders hold.
const MEMORY_KB_MAX: u64 = 1_500_000;

/// Lets a listener hear frames; returns the longest that one of them took.
fn hear(frames: &[Owned], each: &mut dyn FnMut(Event)) -> Duration {
    let (mut listener, mut longest) = (Listener::new(&[]), Duration::ZERO);
    for (frame, number) in frames.iter().zip(1..) {
        let begun = Instant::now();
        listener.frame(&frame.numbered(number), each);
        longest = longest.max(begun.elapsed());
    }
    let begun = Instant::now();
    listener.finish(each);
    longest.max(begun.elapsed())
}

/// Which of the table's protocols carries that name.
fn carrier(name: &str) -> &'static Protocol {
    protocols::named(name).unwrap_or_else(|| panic!("{name} is told and stands in no table"))
}

/// The captures' frames.
fn corpus(test: &str) -> Option<Vec<Vec<Owned>>> {
    let files = needed(test, captures())?;
    Some(files.iter().map(|file| frames_of(&fs::read(file).expect("read"))).collect())
}

/// splitmix64: the same damage in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % limit.max(1) as u64) as usize
    }

    /// Damages a frame, more often behind its first headers, where the protocols are.
    fn damage(&mut self, frame: &mut Owned, other: &Owned) {
        for _ in 0..=self.below(4) {
            let length = frame.bytes.len();
            let headers = 34.min(length);
            let at = if self.below(8) == 0 { self.below(length) } else { headers + self.below(length - headers) };
            match self.below(8) {
                0 => frame.bytes.truncate(at),
                1 => frame.bytes.insert(at, self.below(256) as u8),
                2 if at < length => drop(frame.bytes.remove(at)),
                3 if at < length => frame.bytes[at] = [0, 0xff, 0x7f, 0x80, 1][self.below(5)],
                4 => frame.bytes.extend_from_slice(other.bytes.get(at..).unwrap_or_default()),
                5 => {
                    let many = frame.bytes.get(at..).unwrap_or_default().repeat(1 + self.below(4));
                    frame.bytes.extend(many);
                }
                _ if at < length => frame.bytes[at] ^= 1 << self.below(8),
                _ => {}
            }
            frame.bytes.truncate(9_000);
        }
        frame.wire_len = frame.wire_len.max(frame.bytes.len() as u32);
    }
}

#[test]
fn damaged_frames_make_no_decoder_panic_hang_or_grow() {
    let Some(corpus) = corpus("damaged_frames_make_no_decoder_panic_hang_or_grow") else { return };
    // Beginnings of captures by the protocols that are told apart in them.
    let mut seeds: BTreeMap<&str, Vec<&[Owned]>> = BTreeMap::new();
    for frames in &corpus {
        let frames = &frames[..frames.len().min(ROUND_FRAMES_MAX)];
        let mut told = BTreeSet::new();
        hear(frames, &mut |event| {
            if let Event::Covered { protocol, coverage } = event
                && coverage.decoded > 0
            {
                told.insert(carrier(protocol).name);
            }
        });
        told.into_iter().for_each(|name| seeds.entry(name).or_default().push(frames));
    }
    let mut random = Random(1);
    for (protocol, seeds) in &seeds {
        let mut damaged = 0;
        while damaged < FRAMES {
            let mut frames = seeds[random.below(seeds.len())].to_vec();
            for at in 0..frames.len() {
                let other = frames[random.below(at + 1)].clone();
                if random.below(3) > 0 {
                    random.damage(&mut frames[at], &other);
                    damaged += 1;
                }
            }
            let slow = (0..TRIES).all(|_| hear(&frames, &mut |event| stands_where_it_says(&event)) > FRAME_TIME_MAX);
            assert!(!slow, "{protocol}: a frame took longer than {FRAME_TIME_MAX:?}, {TRIES} times");
        }
    }
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    assert!(peak.is_none_or(|peak| peak < MEMORY_KB_MAX), "{peak:?} kB at the peak");
}

fn stands_where_it_says(event: &Event) {
    let Event::Reading(reading) = event else { return };
    for Fact { path, bytes, message, offset, .. } in &reading.facts {
        let there = reading.messages.get(*message).and_then(|message| message.bytes.get(*offset..*offset + bytes.len()));
        assert_eq!(there, Some(&bytes[..]), "{path} does not stand where it says");
    }
}

/// Facts of a reading in a form that can be compared.
fn facts<'a>(readings: impl IntoIterator<Item = &'a Reading>) -> BTreeSet<(String, Vec<u8>)> {
    readings.into_iter().flat_map(|reading| reading.facts.iter().map(|fact| (fact.path.clone(), fact.bytes.clone()))).collect()
}

/// What its messages say when they are heard again, the last of them cut to `length`: all answers to its question, the last one last.
fn again(reading: &Reading, length: usize) -> Vec<Reading> {
    let (asked, answers) = reading.messages.split_at(reading.asked);
    let last = answers.len().saturating_sub(1);
    let answers = answers.iter().enumerate().map(|(at, message)| if at == last { &message.bytes[..length] } else { &message.bytes[..] });
    let missing = reading.cut + reading.messages.last().map_or(0, |last| last.bytes.len() - length);
    let asked = asked.iter().map(|message| &message.bytes[..]);
    let readings = carrier(reading.protocol).replay_cut(reading.over, asked, answers, if reading.cut == 0 { 0 } else { missing });
    // Questions alone may tell something, too. An answer that does not say to which question it is has another question's name without it.
    let own = |again: &Reading| again.protocol == reading.protocol && (again.question == reading.question || reading.asked == 0);
    readings.into_iter().filter(own).collect()
}

#[test]
fn recorded_messages_read_the_same_again_and_every_prefix_says_the_same_or_less() {
    let Some(corpus) = corpus("recorded_messages_read_the_same_again_and_every_prefix_says_the_same_or_less") else { return };
    let mut known: BTreeMap<(&str, &str), Vec<Reading>> = BTreeMap::new();
    for frames in &corpus {
        hear(frames, &mut |event| {
            stands_where_it_says(&event);
            if let Event::Reading(reading) = event {
                let readings = known.entry((reading.protocol, reading.question)).or_default();
                let new = readings.iter().all(|other| other.facts != reading.facts);
                if new && readings.len() < READINGS_MAX {
                    readings.push(reading);
                }
            }
        });
    }
    let (mut different, mut cuts) = (BTreeSet::new(), 0_u64);
    for ((protocol, question), readings) in &known {
        for reading in readings {
            let length = reading.messages.last().map_or(0, |message| message.bytes.len());
            let told = again(reading, length);
            // A set that grows is told as it grows: all messages make the last.
            let (whole, last) = (facts(&told), facts(told.last()));
            let frame = reading.messages.last().map_or(0, |message| message.frame);
            if last != facts([reading]) {
                different.insert(format!("{protocol} {question}, frame {frame}: again {last:02x?}, heard {:02x?}", facts([reading])));
                continue;
            }
            let step = if length > CUT_EACH_BYTES { length / CUT_EACH_BYTES } else { 1 };
            for cut in (0..length).filter(|cut| *cut < 200 || cut % step == 0) {
                cuts += 1;
                for fact in facts(&again(reading, cut)).difference(&whole) {
                    different.insert(format!("{protocol} {question}, frame {frame} cut to {cut}: {fact:02x?}"));
                }
            }
        }
    }
    assert!(different.is_empty(), "{} differ:\n{}", different.len(), different.into_iter().take(20).collect::<Vec<_>>().join("\n"));
    assert!(cuts > 100, "{cuts} cuts");
}
