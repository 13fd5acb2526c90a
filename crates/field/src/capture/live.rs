//! Live capture on an interface of Linux, without libpcap (docs/decisions/0017). It hears; nothing is sent.

use std::io::{self, ErrorKind};
use std::mem;

use nameplate_wire::capture::{Frame, LinkType};
use nameplate_wire::filter::{Filter, kernel};

use super::block::{Slot, slots};
use super::interface::Interface;
pub use super::interface::Voice;
use super::ring::{Ring, give_up_capabilities};

/// Mebibytes of the ring of somebody who only listens: at 100,000 frames/s of 200 bytes more than a second in which a slow disk may hold us up.
pub const RING_MIB: u16 = 32;
/// Milliseconds of one wait: how late a request to stop is noticed on a quiet wire.
pub const WAIT_MS_MAX: u16 = 200;
/// Waits for what is still in the ring at the end. The kernel hands over the last block within one.
const LAST_WAITS_MAX: usize = 10;
/// Destination and source: a VLAN tag stands behind them (IEEE 802.1Q, 9.1).
const ADDRESSES_BYTES: usize = 12;
const TAG_BYTES: u32 = 4;

/// What the kernel counted since the interface was opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Frames that were put into the ring. With those dropped they are all that arrived and that the kernel's part of the filter let through.
    pub received: u64,
    /// Frames for which there was no room, because we were too slow.
    pub dropped: u64,
    /// How often the ring was full.
    pub frozen: u64,
}

/// An interface that is listened to.
pub struct Live {
    interface: Interface,
    ring: Ring,
    counters: Counters,
    /// Frames handed on.
    frames: u64,
    /// A frame with its tag put back.
    tagged: Vec<u8>,
}

impl Live {
    /// Opens an interface, promiscuous, with a ring of so many mebibytes, and gives up the capability that this takes, CAP_NET_RAW, in the whole process. Called before other
    /// threads are started. The kernel lets through what the filter does, and more: who calls judges exactly, with [`Filter::passes`].
    ///
    /// # Errors
    /// No such interface, not Ethernet, down, no permission: each says what to do.
    pub fn open(interface: &str, filter: &Filter, ring_mib: u16) -> io::Result<Self> {
        let live = Self::opened(interface, filter, ring_mib)?;
        give_up_capabilities()?;
        Ok(live)
    }

    /// As [`Live::open`], of several interfaces, each with a ring of its own: the capability is given up behind the last. An error names its interface.
    ///
    /// # Errors
    /// As [`Live::open`].
    pub fn open_all(interfaces: &[String], filter: &Filter, ring_mib: u16) -> io::Result<Vec<Self>> {
        let named = |interface: &String| {
            Self::opened(interface, filter, ring_mib).map_err(|e| io::Error::new(e.kind(), format!("{interface}: {e}")))
        };
        let all = interfaces.iter().map(named).collect::<io::Result<Vec<Self>>>()?;
        if !all.is_empty() {
            give_up_capabilities()?;
        }
        Ok(all)
    }

    fn opened(interface: &str, filter: &Filter, ring_mib: u16) -> io::Result<Self> {
        let interface = Interface::find(interface)?;
        let ring = Ring::new(ring_mib).map_err(|e| match e.kind() {
            ErrorKind::PermissionDenied => {
                let why = "listening to an interface takes the capability CAP_NET_RAW: \
                           give it to the program once (setcap cap_net_raw+ep FILE), or start it as root";
                io::Error::new(ErrorKind::PermissionDenied, why)
            }
            _ => e,
        })?;
        if let Some(program) = kernel::compile(filter) {
            ring.filter(&program)?;
        }
        ring.bind(interface.index)?;
        Ok(Self { interface, ring, counters: Counters::default(), frames: 0, tagged: Vec::new() })
    }

    /// The interface's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.interface.name
    }

    /// By what the interface would be noticed where it should only hear; empty where it is silent.
    #[must_use]
    pub fn voices(&self) -> Vec<Voice> {
        self.interface.voices()
    }

    /// Hands on the frames of one block, or waits up to [`WAIT_MS_MAX`] milliseconds for one. A frame that another link layer held is one of
    /// Ethernet here, with its VLAN tag where it had one. `each` says whether it wants more; the rest of a block goes if it does not.
    ///
    /// # Errors
    /// The interface went down or is gone; the operating system's.
    pub fn hear(&mut self, each: &mut dyn FnMut(&Frame<'_>) -> bool) -> io::Result<()> {
        if self.block(each) { Ok(()) } else { self.ring.wait(WAIT_MS_MAX) }
    }

    /// Lets nothing more in and hands on what is waiting, so that afterwards frames handed on and frames received are the same number.
    ///
    /// # Errors
    /// The operating system's.
    pub fn finish(&mut self, each: &mut dyn FnMut(&Frame<'_>) -> bool) -> io::Result<()> {
        self.ring.filter(&kernel::NOTHING)?;
        for _ in 0..LAST_WAITS_MAX {
            while self.block(each) {}
            if self.frames >= self.counters()?.received {
                break;
            }
            // The interface may be gone by now; what is in the ring is not.
            if let Err(e) = self.ring.wait(WAIT_MS_MAX)
                && e.kind() != ErrorKind::NetworkDown
            {
                return Err(e);
            }
        }
        Ok(())
    }

    /// The counters up to now. The kernel's own begin again at each call and have 32 bits: this is called at least every few minutes.
    ///
    /// # Errors
    /// The operating system's.
    pub fn counters(&mut self) -> io::Result<Counters> {
        let [passed, dropped, frozen] = self.ring.statistics()?.map(u64::from);
        let counters = &mut self.counters;
        // The kernel counts a frame that it drops among those that passed.
        counters.received = counters.received.saturating_add(passed.saturating_sub(dropped));
        (counters.dropped, counters.frozen) = (counters.dropped.saturating_add(dropped), counters.frozen.saturating_add(frozen));
        Ok(*counters)
    }

    /// Hands on the frames of one block; false where the kernel has none for us.
    fn block(&mut self, each: &mut dyn FnMut(&Frame<'_>) -> bool) -> bool {
        let (frames, mut tagged, mut more) = (&mut self.frames, mem::take(&mut self.tagged), true);
        let there = self.ring.take(&mut |block| {
            for slot in slots(block) {
                *frames += 1;
                more = more && each(&frame(*frames, &slot, &mut tagged));
            }
        });
        self.tagged = tagged;
        there
    }
}

/// A frame as it was on the wire: the tag that the kernel took off stands in it again.
fn frame<'a>(number: u64, slot: &Slot<'a>, tagged: &'a mut Vec<u8>) -> Frame<'a> {
    let Slot { time_ns, mut wire_len, mut bytes, tag } = *slot;
    if let (Some(tag), Some((addresses, rest))) = (tag, bytes.split_at_checked(ADDRESSES_BYTES)) {
        tagged.clear();
        [addresses, &tag, rest].into_iter().for_each(|part| tagged.extend_from_slice(part));
        (bytes, wire_len) = (tagged, wire_len.saturating_add(TAG_BYTES));
    }
    Frame { number, time_ns, link: LinkType::ETHERNET, bytes, wire_len }
}
