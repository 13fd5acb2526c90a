//! What a protocol's decoder is to the listener: a [`Protocol`] says where it is spoken and how it looks, its [`Conversation`] hears what
//! two ends say to each other and tells what it [`Heard`]. One decoder reads a TCP connection, a pair that exchanges datagrams, or the
//! frames of one sender on a segment; it never knows whether they were captured or are live.

use core::fmt::Debug;
use core::net::IpAddr;

use crate::tcp::At;
use crate::{Address, Mac, Malformed, Reading};

/// What carries a protocol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Over {
    /// A stream: [`Said::bytes`] are the next bytes of one side.
    #[default]
    Tcp,
    /// Datagrams: [`Said::bytes`] is one of them, whole as far as it was captured.
    Udp,
    /// A serial line: [`Said::bytes`] are the next bytes of one side, as of a stream.
    Serial,
    /// Frames of a link layer: [`Said::bytes`] is what such a frame carries.
    Link(Kind),
}

/// How a link layer names what its frames carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// An EtherType (IEEE 802.3, 3.2.6), 0x0600 and more.
    Ethertype(u16),
    /// The destination service access point of an LLC header (IEEE 802.2); the bytes start at that header.
    Llc(u8),
    /// Organisation and protocol of a SNAP header (IEEE 802, 9.2.3); the bytes start behind it.
    Snap([u8; 3], u16),
    /// A link type that is one protocol altogether (a serial bus), by its LINKTYPE_ value; the bytes are the frame.
    Bus(u32),
}

/// One end of a conversation, as its frames show it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct End {
    /// Hardware address; behind a router the router's.
    pub mac: Option<Mac>,
    /// Network address.
    pub ip: Option<IpAddr>,
    /// Transport port; `None` where it is the client's, which says nothing about it.
    pub port: Option<u16>,
}

impl From<&End> for Address {
    fn from(end: &End) -> Self {
        Self { mac: end.mac, ip: end.ip, port: end.port, ..Self::default() }
    }
}

/// Bytes that one end sent.
#[derive(Clone, Copy, Debug)]
pub struct Said<'a> {
    /// The next bytes of its stream, one datagram, or what one frame carries.
    pub bytes: &'a [u8],
    /// Bytes that the datagram or frame had on the wire beyond `bytes`; 0 for a stream.
    pub missing: usize,
    /// The frame that brought them.
    pub at: At,
    /// Who sent them.
    pub from: &'a End,
    /// To whom; a multicast or broadcast address is one, too.
    pub to: &'a End,
    /// True where the sender is the server: it has the protocol's port, or took the SYN. Between two equal ports and on a link layer only
    /// the bytes can tell; then it is true for whoever spoke second.
    pub by_server: bool,
}

impl Said<'_> {
    /// Where the sender is.
    #[must_use]
    pub fn speaker(&self) -> Address {
        self.from.into()
    }
}

/// What somebody is in a protocol that he speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Role {
    /// Answers questions: server, slave, outstation, IO device, adapter.
    Server,
    /// Asks them: client, master, IO controller, scanner.
    Client,
    /// Sends without being asked: publisher, announcing neighbour.
    Publisher,
}

impl Role {
    /// The role in a word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Server => "server",
            Self::Client => "client",
            Self::Publisher => "publisher",
        }
    }

    /// The question that stands in a record of somebody who was only seen.
    #[must_use]
    pub const fn presence(self) -> &'static str {
        match self {
            Self::Server => "presence.server",
            Self::Client => "presence.client",
            Self::Publisher => "presence.publisher",
        }
    }
}

/// Something that changes a device and was seen from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Happening {
    /// A firmware transfer to the device began.
    FirmwareTransfer,
    /// The device was told to restart.
    Reset,
    /// Somebody wrote a name or an address into the device.
    Renamed,
    /// Somebody began to load a program, or started or stopped one.
    Programmed,
}

/// What a conversation tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// An identity answer, whole or as far as it was heard; or what somebody believes about a device, see [`Reading::authority`].
    Reading(Reading),
    /// Somebody takes part for the first time in this conversation, whether or not he tells what he is.
    Present {
        /// As in [`Reading::protocol`].
        protocol: &'static str,
        /// What he is there.
        role: Role,
        /// Where he is.
        speaker: Address,
        /// The message that showed it.
        at: At,
    },
    /// Something was done to a device.
    Happened {
        /// As in [`Reading::protocol`].
        protocol: &'static str,
        /// What.
        happening: Happening,
        /// To whom.
        device: Address,
        /// The message that showed it.
        at: At,
    },
    /// Bytes that break the protocol's rules.
    Malformed {
        /// Who sent them.
        speaker: Address,
        /// The frame in which they stand.
        at: At,
        /// Offsets count from the start of the message.
        malformed: Malformed,
    },
}

/// Messages of one protocol in one conversation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Coverage {
    /// Messages that were told apart.
    pub seen: u64,
    /// Those whose kind was read (its function, service, command), whether or not they hold identity.
    pub decoded: u64,
}

/// One conversation in one protocol. Its memory is bounded by named caps of the protocol.
pub trait Conversation: Debug + Send {
    /// Takes what one end said, in order.
    fn hear(&mut self, said: &Said<'_>, out: &mut dyn FnMut(Heard));

    /// Bytes of that side's stream are missing here: what is held of an unfinished message is read as far as it goes, or given up.
    fn lose(&mut self, by_server: bool, at: At, out: &mut dyn FnMut(Heard)) {
        let _ = (by_server, at, out);
    }

    /// The conversation, or the capture, is over.
    fn finish(&mut self, at: At, out: &mut dyn FnMut(Heard)) {
        let _ = (at, out);
    }

    /// How many messages of which protocol were seen and decoded; one call each.
    fn coverage(&self, each: &mut dyn FnMut(&'static str, Coverage));
}

/// Whether bytes look like the first words of a protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Likeness {
    /// They are something else.
    No,
    /// They can be: enough on the protocol's own port.
    Possible,
    /// Hardly anything else looks so: enough on any port. Needs a magic, a checksum, or several fields that agree with each other.
    Certain,
}

/// A protocol and where it is spoken.
#[derive(Debug)]
pub struct Protocol {
    /// Its name, as in docs/GLOSSARY.
    pub name: &'static str,
    /// Further names in what its conversations tell: protocols that it carries.
    pub carries: &'static [&'static str],
    /// Its TCP server ports.
    pub tcp: &'static [u16],
    /// Its UDP server ports.
    pub udp: &'static [u16],
    /// What its frames are called on a link layer.
    pub link: &'static [Kind],
    /// Judges the first bytes of either side of a conversation; they may be cut anywhere.
    pub likeness: fn(bytes: &[u8], over: Over) -> Likeness,
    /// Begins a conversation.
    pub start: fn(over: Over) -> Box<dyn Conversation>,
}
