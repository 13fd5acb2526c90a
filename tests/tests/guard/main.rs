//! Bar 4 of the first issue: random interleavings and splittings of allowed and forbidden messages are written into the guard. None of the forbidden
//! comes out, none of the allowed before the first forbidden is lost. The judge of what is forbidden is tshark with read-only.md, for what went in as
//! for what came out; the generator's labels only choose what to try, and are counted.

mod flows;
mod oracle;

use std::{
    collections::BTreeMap,
    io::{self, BufWriter},
    path::{Path, PathBuf},
    pin::pin,
    sync::Arc,
    task::{Context, Poll, Waker},
    time::{Instant, SystemTime},
};

use flows::{Pcap, Segment, Side};
use nameplate_field::{
    guard::{
        Guarded, Permit,
        generate::{Conversation, Label, MAKERS, Maker, Random},
    },
    touch::TouchRecord,
};
use nameplate_tests::place;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt, DuplexStream, ReadBuf, duplex};

/// Conversations; each ends at its first forbidden message.
const CONVERSATIONS: u16 = 10_000;
/// Fewest first-forbidden messages of each cell: 19 cells share the conversations.
const CELL_MIN: u32 = 500;
/// The interleavings are tried on this one; all others go through the same judge, message by message, in `nameplate prove`.
fn modbus() -> &'static Maker {
    MAKERS.iter().find(|maker| maker.protocol == "modbus").expect("Modbus is asked")
}

const SEED: u64 = 0x6e61_6d65_706c_6174;

#[test]
fn nothing_forbidden_comes_out_and_nothing_allowed_before_it_is_lost() {
    let tshark = std::process::Command::new("tshark").arg("-v").output();
    let tshark = tshark.map_err(|error| format!("tshark not installed ({error}): apt-get install tshark"));
    let Some(_) = place::needed("nothing_forbidden_comes_out_and_nothing_allowed_before_it_is_lost", tshark) else { return };
    let began = Instant::now();
    let folder = Folder::new().expect("a folder under target");
    let file = folder.0.join("guard.pcap");
    let touch = Arc::new(TouchRecord::open(&folder.0, SystemTime::now).expect("a touch record"));
    let runs = run_all(&file, &touch).expect("a capture");
    let written = began.elapsed();
    let flows = oracle::read(&file).expect("tshark's reading");
    let verdict = judge(&runs, &flows);
    let (sent, refused) = (touch.summary().requests, touch.summary().refused);
    println!(
        "{CONVERSATIONS} conversations, {} messages in, {} out; {} forbidden came out, {} allowed lost; touch record: {sent} sent, {refused} refused; \
         guard {written:.1?}, all {:.1?}",
        verdict.messages_in,
        verdict.messages_out,
        verdict.forbidden_out,
        verdict.allowed_lost,
        began.elapsed()
    );
    println!("first forbidden, by cell: {:?}", verdict.cells);
    println!("first forbidden, by tshark's reason: {:?}", verdict.reasons);
    assert_eq!(verdict.forbidden_out, 0, "{:?}", verdict.examples);
    assert_eq!(verdict.allowed_lost, 0, "{:?}", verdict.examples);
    assert_eq!(verdict.label_wrong, 0, "the generator means what tshark reads: {:?}", verdict.examples);
    assert_eq!(sent, verdict.messages_out as u64, "a line for each message");
    assert_eq!(refused, u64::from(CONVERSATIONS), "a line for each first refusal");
    for cell in modbus().all_cells() {
        let count = verdict.cells.get(cell).copied().unwrap_or(0);
        assert!(count >= CELL_MIN, "cell {cell:?} has {count} first forbidden messages");
    }
}

/// One conversation and what came out of it.
struct Run {
    conversation: Conversation,
    out: Vec<u8>,
}

/// What is done to the guard.
enum Step {
    Write(Vec<u8>),
    ReadAnswer,
}

fn run_all(file: &Path, touch: &Arc<TouchRecord>) -> io::Result<Vec<Run>> {
    let mut pcap = Pcap::new(BufWriter::new(std::fs::File::create(file)?))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let mut runs = Vec::new();
    for number in 0..CONVERSATIONS {
        let conversation = modbus().generate(SEED, u64::from(number)).map_err(io::Error::from)?;
        let mut random = Random(SEED ^ u64::from(number) << 32);
        let (steps, went_in) = interleave(&conversation, &mut random);
        let (out, came_out) = runtime.block_on(play(&conversation.permit, &steps, touch))?;
        pcap.flow(Side::In, number, &went_in)?;
        pcap.flow(Side::Out, number, &came_out)?;
        runs.push(Run { conversation, out });
    }
    pcap.finish()?;
    Ok(runs)
}

/// Cuts the messages at random places into writes, some of which hold the end of one message and the beginning (or all) of the next. The answer to a
/// message is read before the last byte of the next is written, unless that one is meant to be pipelined. Beside it the same as segments for tshark.
fn interleave(conversation: &Conversation, random: &mut Random) -> (Vec<Step>, Vec<Segment>) {
    let (mut steps, mut segments) = (Vec::new(), Vec::new());
    for (index, message) in conversation.messages.iter().enumerate() {
        let mut pieces = split(&message.bytes, random);
        let glue = random.one_in(3) && (pieces.len() > 1 || !message.after_answer);
        if let (true, Some(Step::Write(last))) = (glue, steps.last_mut()) {
            last.extend(pieces.remove(0));
        }
        if index > 0 && message.after_answer {
            steps.push(Step::ReadAnswer);
            segments.push(Segment::Answer);
        }
        steps.extend(pieces.into_iter().map(Step::Write));
        segments.push(Segment::Question(message.bytes.clone()));
    }
    (steps, segments)
}

fn split(bytes: &[u8], random: &mut Random) -> Vec<Vec<u8>> {
    let pieces_max = [1, 1, 2, 3, bytes.len()][random.below(5)];
    let mut cuts: Vec<usize> = (1..pieces_max).map(|_| random.below(bytes.len())).filter(|cut| *cut > 0).collect();
    cuts.extend([0, bytes.len()]);
    cuts.sort_unstable();
    cuts.dedup();
    cuts.windows(2).map(|pair| bytes[pair[0]..pair[1]].to_vec()).collect()
}

/// Writes it all, whatever the guard says, and collects what reaches the far end, which answers whatever it gets.
async fn play(permit: &Permit, steps: &[Step], touch: &Arc<TouchRecord>) -> io::Result<(Vec<u8>, Vec<Segment>)> {
    let (near, mut far) = duplex(4096);
    let mut guarded = Guarded::over(near, permit.clone(), Arc::clone(touch));
    let (mut out, mut segments, mut owed) = (Vec::new(), Vec::new(), false);
    for step in steps {
        match step {
            Step::Write(bytes) => {
                // A refusal is an answer here; what counts is what comes out.
                let _refused = guarded.write_all(bytes).await;
                let _refused = guarded.flush().await;
                let had = arrived(&mut far)?;
                if !had.is_empty() {
                    owed = true;
                    out.extend_from_slice(&had);
                    segments.push(Segment::Question(had));
                }
            }
            Step::ReadAnswer if std::mem::take(&mut owed) => {
                far.write_all(&[0]).await?;
                guarded.read_u8().await?;
                segments.push(Segment::Answer);
            }
            Step::ReadAnswer => {}
        }
    }
    guarded.shutdown().await?;
    drop(guarded);
    let mut rest = Vec::new();
    far.read_to_end(&mut rest).await?;
    if !rest.is_empty() {
        out.extend_from_slice(&rest);
        segments.push(Segment::Question(rest));
    }
    Ok((out, segments))
}

/// What stands ready at the far end, without waiting.
fn arrived(far: &mut DuplexStream) -> io::Result<Vec<u8>> {
    let mut space = [0; 4096];
    let mut buffer = ReadBuf::new(&mut space);
    match pin!(far).as_mut().poll_read(&mut Context::from_waker(Waker::noop()), &mut buffer) {
        Poll::Ready(outcome) => outcome.map(|()| buffer.filled().to_vec()),
        Poll::Pending => Ok(Vec::new()),
    }
}

#[derive(Default)]
struct Verdict {
    messages_in: usize,
    messages_out: usize,
    forbidden_out: u32,
    allowed_lost: u32,
    label_wrong: u32,
    cells: BTreeMap<&'static str, u32>,
    reasons: BTreeMap<&'static str, u32>,
    examples: Vec<String>,
}

fn judge(runs: &[Run], flows: &oracle::Flows) -> Verdict {
    let mut verdict = Verdict::default();
    for (number, run) in (0..).zip(runs) {
        let conversation = &run.conversation;
        let [went_in, came_out] = [Side::In, Side::Out].map(|side| oracle::flow(flows, side, number));
        assert_eq!(oracle::questions(went_in), conversation.messages.len(), "tshark saw every message of conversation {number}");
        verdict.messages_in += oracle::questions(went_in);
        verdict.messages_out += oracle::questions(came_out);
        let mut complain = |what: String| {
            if verdict.examples.len() < 3 {
                verdict.examples.push(format!("conversation {number}: {what}: {conversation:02x?} gave {:02x?}", run.out));
            }
            1
        };
        if let Some(forbidden) = oracle::first_forbidden(came_out, conversation) {
            verdict.forbidden_out += complain(format!("{forbidden:?} came out"));
        }
        let first = oracle::first_forbidden(went_in, conversation);
        let meant = conversation.messages.iter().enumerate().find_map(|(index, made)| match made.label {
            Label::Forbidden(cell) => Some((index, cell)),
            _ => None,
        });
        match (first, meant) {
            (Some((index, why)), Some((meant, cell))) if index == meant => {
                *verdict.cells.entry(cell).or_default() += 1;
                *verdict.reasons.entry(why).or_default() += 1;
            }
            _ => verdict.label_wrong += complain(format!("meant {meant:?}, tshark says {first:?}")),
        }
        let allowed = first.map_or(conversation.messages.len(), |(index, _)| index);
        let expected: Vec<u8> = conversation.messages.iter().take(allowed).flat_map(|made| made.bytes.clone()).collect();
        if run.out.len() < expected.len() || !run.out.starts_with(&expected) {
            verdict.allowed_lost += complain("allowed lost".to_owned());
        } else if run.out.len() > expected.len() {
            verdict.forbidden_out += complain("more came out than was allowed".to_owned());
        }
    }
    verdict
}

/// Where capture and touch record lie, removed at the end. In memory where the system has such a place: 100,000 syncs are not what is measured here.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Result<Self, String> {
        let memory = PathBuf::from("/dev/shm");
        let parent = if memory.is_dir() { memory } else { place::scratch()? };
        let folder = parent.join(format!("nameplate-guard-{}", std::process::id()));
        std::fs::create_dir_all(&folder).map_err(|error| format!("{}: {error}", folder.display()))?;
        Ok(Self(folder))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}
