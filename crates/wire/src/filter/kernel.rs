//! A [`Filter`] for the kernel, as classic BPF (McCanne and Jacobson 1993; Linux, Documentation/networking/filter.rst): it lets through all that
//! the filter does, and more. Plain IPv4 and IPv6 frames are judged; what has VLAN tags in its bytes, extension headers or a tunnel, or is
//! cut short, passes and is judged exactly behind it.

use core::net::IpAddr;

use super::{Filter, Net};
use crate::capture::FRAME_BYTES_MAX;
use crate::ip::{PROTOCOL_TCP, PROTOCOL_UDP};
use crate::tunnel::{PROTOCOL_GRE, PROTOCOL_IPV4, PROTOCOL_IPV6, VXLAN_PORT};

/// One instruction, as the kernel's `struct sock_filter`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instruction {
    /// Operation.
    pub code: u16,
    /// Instructions to pass over where a test holds.
    pub jump_true: u8,
    /// Instructions to pass over where it does not.
    pub jump_false: u8,
    /// Operand.
    pub operand: u32,
}

/// Instructions of a program: 8 KiB of the 20 KiB that a socket may hold at least (net.core.optmem_max). A filter that needs more is judged
/// behind the kernel alone.
pub const PROGRAM_INSTRUCTIONS_MAX: usize = 1024;
/// Lets nothing pass.
pub const NOTHING: [Instruction; 1] = [step(RETURN, 0)];

const LOAD_WORD: u16 = 0x20;
const LOAD_HALF: u16 = 0x28;
const LOAD_BYTE: u16 = 0x30;
const LOAD_LENGTH: u16 = 0x80;
/// Of the byte at an offset the lower half times four, into the index: the length of an IPv4 header.
const INDEX_IPV4_HEADER: u16 = 0xb1;
const LOAD_HALF_INDEXED: u16 = 0x48;
const AND: u16 = 0x54;
const SUBTRACT_INDEX: u16 = 0x1c;
const JUMP: u16 = 0x05;
const IF_EQUAL: u16 = 0x15;
const IF_AT_LEAST: u16 = 0x35;
const IF_ANY_BIT: u16 = 0x45;
const RETURN: u16 = 0x06;
/// Where the kernel shows what it took off a frame (SKF_AD_OFF with SKF_AD_VLAN_TAG, SKF_AD_VLAN_TAG_PRESENT).
pub const VLAN_TAG: u32 = 0xffff_f000 + 44;
/// See [`VLAN_TAG`].
pub const VLAN_TAG_PRESENT: u32 = 0xffff_f000 + 48;

/// Offsets in an Ethernet frame.
const ETHERTYPE_AT: u32 = 12;
const IP_AT: u32 = 14;
const IPV4_PART_AT: u32 = IP_AT + 6;
const IPV4_PROTOCOL_AT: u32 = IP_AT + 9;
const IPV4_ENDS_AT: [u32; 2] = [IP_AT + 12, IP_AT + 16];
const IPV4_HEADER_BYTES: u32 = 20;
const IPV6_PROTOCOL_AT: u32 = IP_AT + 6;
const IPV6_ENDS_AT: [u32; 2] = [IP_AT + 8, IP_AT + 24];
const IPV6_HEADER_BYTES: u32 = 40;
const ETHERTYPE_IPV4: u32 = 0x0800;
const ETHERTYPE_IPV6: u32 = 0x86dd;
const PROTOCOL_ICMPV6: u8 = 58;
/// Source and destination port.
const PORTS_BYTES: u32 = 4;
const PART_OFFSET: u32 = 0x1fff;
const VLAN_ID: u32 = 0x0fff;

const fn step(code: u16, operand: u32) -> Instruction {
    Instruction { code, jump_true: 0, jump_false: 0, operand }
}

/// The program for a filter on Ethernet frames. `None` where there is nothing to judge, or too much.
#[must_use]
pub fn compile(filter: &Filter) -> Option<Vec<Instruction>> {
    if filter.is_empty() {
        return None;
    }
    let mut program = Program { lines: Vec::new(), labels: 2 };
    let (four, six) = (program.label(), program.label());
    program.load(LOAD_HALF, ETHERTYPE_AT);
    program.jump_if(IF_EQUAL, ETHERTYPE_IPV4, four);
    program.jump_if(IF_EQUAL, ETHERTYPE_IPV6, six);
    program.lines.push(Line::Jump(PASS));
    program.lines.push(Line::Here(four));
    program.ipv4(filter);
    program.lines.push(Line::Here(six));
    program.ipv6(filter);
    Some(program.assembled()).filter(|program| program.len() <= PROGRAM_INSTRUCTIONS_MAX)
}

/// A place in a program.
type Label = usize;
const PASS: Label = 0;
const REFUSE: Label = 1;

enum Line {
    Do(Instruction),
    /// Jumps of a test reach 255 instructions far, so each stands before a jump of its own, which reaches anywhere.
    JumpIf(u16, u32, Label),
    JumpUnless(u16, u32, Label),
    Jump(Label),
    Here(Label),
}

struct Program {
    lines: Vec<Line>,
    labels: usize,
}

impl Program {
    fn label(&mut self) -> Label {
        self.labels += 1;
        self.labels - 1
    }

    fn load(&mut self, code: u16, operand: u32) {
        self.lines.push(Line::Do(step(code, operand)));
    }

    fn jump_if(&mut self, code: u16, operand: u32, label: Label) {
        self.lines.push(Line::JumpIf(code, operand, label));
    }

    fn jump_unless(&mut self, code: u16, operand: u32, label: Label) {
        self.lines.push(Line::JumpUnless(code, operand, label));
    }

    fn ipv4(&mut self, filter: &Filter) {
        let (judge, judge_ports) = (self.label(), self.label());
        self.load(LOAD_LENGTH, 0);
        self.jump_unless(IF_AT_LEAST, IP_AT + IPV4_HEADER_BYTES, PASS);
        self.load(LOAD_BYTE, IPV4_PROTOCOL_AT);
        [PROTOCOL_IPV4, PROTOCOL_IPV6, PROTOCOL_GRE].into_iter().for_each(|tunnel| self.jump_if(IF_EQUAL, tunnel.into(), PASS));
        self.jump_unless(IF_EQUAL, PROTOCOL_UDP.into(), judge);
        self.load(LOAD_HALF, IPV4_PART_AT);
        self.jump_if(IF_ANY_BIT, PART_OFFSET, judge);
        // A datagram: is it a tunnel's?
        self.load(INDEX_IPV4_HEADER, IP_AT);
        self.load(LOAD_LENGTH, 0);
        self.load(SUBTRACT_INDEX, 0);
        self.jump_unless(IF_AT_LEAST, IP_AT + PORTS_BYTES, PASS);
        self.load(LOAD_HALF_INDEXED, IP_AT + 2);
        self.jump_if(IF_EQUAL, VXLAN_PORT.into(), PASS);
        self.lines.push(Line::Here(judge));
        self.hosts(filter, &IPV4_ENDS_AT);
        self.vlans(filter);
        if !filter.ports.is_empty() {
            self.load(LOAD_BYTE, IPV4_PROTOCOL_AT);
            self.jump_if(IF_EQUAL, PROTOCOL_TCP.into(), judge_ports);
            self.jump_unless(IF_EQUAL, PROTOCOL_UDP.into(), REFUSE);
            self.lines.push(Line::Here(judge_ports));
            self.load(LOAD_HALF, IPV4_PART_AT);
            self.jump_if(IF_ANY_BIT, PART_OFFSET, PASS);
            self.load(INDEX_IPV4_HEADER, IP_AT);
            self.ports(filter, LOAD_HALF_INDEXED, IP_AT);
        }
        self.lines.push(Line::Jump(PASS));
    }

    fn ipv6(&mut self, filter: &Filter) {
        let (judge, datagram, judge_ports) = (self.label(), self.label(), self.label());
        self.load(LOAD_LENGTH, 0);
        self.jump_unless(IF_AT_LEAST, IP_AT + IPV6_HEADER_BYTES, PASS);
        self.load(LOAD_BYTE, IPV6_PROTOCOL_AT);
        self.jump_if(IF_EQUAL, PROTOCOL_UDP.into(), datagram);
        self.jump_if(IF_EQUAL, PROTOCOL_TCP.into(), judge);
        // Extension headers and tunnels are walked behind the kernel.
        self.jump_if(IF_EQUAL, PROTOCOL_ICMPV6.into(), judge);
        self.lines.push(Line::Jump(PASS));
        self.lines.push(Line::Here(datagram));
        self.load(LOAD_LENGTH, 0);
        self.jump_unless(IF_AT_LEAST, IP_AT + IPV6_HEADER_BYTES + PORTS_BYTES, PASS);
        self.load(LOAD_HALF, IP_AT + IPV6_HEADER_BYTES + 2);
        self.jump_if(IF_EQUAL, VXLAN_PORT.into(), PASS);
        self.lines.push(Line::Here(judge));
        self.hosts(filter, &IPV6_ENDS_AT);
        self.vlans(filter);
        if !filter.ports.is_empty() {
            self.load(LOAD_BYTE, IPV6_PROTOCOL_AT);
            self.jump_if(IF_EQUAL, PROTOCOL_TCP.into(), judge_ports);
            self.jump_unless(IF_EQUAL, PROTOCOL_UDP.into(), REFUSE);
            self.lines.push(Line::Here(judge_ports));
            self.ports(filter, LOAD_HALF, IP_AT + IPV6_HEADER_BYTES);
        }
        self.lines.push(Line::Jump(PASS));
    }

    /// Goes on where one of the hosts and one of the networks stands at an end.
    fn hosts(&mut self, filter: &Filter, ends_at: &[u32; 2]) {
        let whole = |address: &IpAddr| Net { address: *address, prefix_bits: if address.is_ipv4() { 32 } else { 128 } };
        let hosts: Vec<Net> = filter.hosts.iter().map(whole).collect();
        for nets in [&hosts, &filter.nets] {
            if nets.is_empty() {
                continue;
            }
            let fits = self.label();
            let of_this_version = nets.iter().filter(|net| net.address.is_ipv4() == (*ends_at == IPV4_ENDS_AT));
            for (net, at) in of_this_version.flat_map(|net| ends_at.iter().map(move |at| (net, *at))) {
                self.net(net, at, fits);
            }
            self.lines.push(Line::Jump(REFUSE));
            self.lines.push(Line::Here(fits));
        }
    }

    /// Jumps to `fits` where the address at `at` is in the network.
    fn net(&mut self, net: &Net, mut at: u32, fits: Label) {
        let (address, bits) = match net.address {
            IpAddr::V4(address) => (address.octets().to_vec(), net.prefix_bits),
            IpAddr::V6(address) => (address.octets().to_vec(), net.prefix_bits),
        };
        let (other, mut bits) = (self.label(), u32::from(bits));
        for word in address.as_chunks::<4>().0 {
            let mask = u32::MAX.checked_shr(bits).map_or(u32::MAX, |rest| !rest);
            if mask != 0 {
                self.load(LOAD_WORD, at);
                self.load(AND, mask);
                self.jump_unless(IF_EQUAL, u32::from_be_bytes(*word) & mask, other);
            }
            (at, bits) = (at + 4, bits.saturating_sub(32));
        }
        self.lines.push(Line::Jump(fits));
        self.lines.push(Line::Here(other));
    }

    /// Goes on where the tag that the kernel took off names one of the VLANs.
    fn vlans(&mut self, filter: &Filter) {
        if filter.vlans.is_empty() {
            return;
        }
        let fits = self.label();
        self.load(LOAD_BYTE, VLAN_TAG_PRESENT);
        self.jump_if(IF_EQUAL, 0, REFUSE);
        self.load(LOAD_HALF, VLAN_TAG);
        self.load(AND, VLAN_ID);
        filter.vlans.iter().for_each(|vlan| self.jump_if(IF_EQUAL, (*vlan).into(), fits));
        self.lines.push(Line::Jump(REFUSE));
        self.lines.push(Line::Here(fits));
    }

    /// Passes where one of the ports stands at an end. Reading behind the end of a frame refuses it.
    fn ports(&mut self, filter: &Filter, code: u16, at: u32) {
        for end in [at, at + 2] {
            self.load(code, end);
            filter.ports.iter().for_each(|port| self.jump_if(IF_EQUAL, (*port).into(), PASS));
        }
        self.lines.push(Line::Jump(REFUSE));
    }

    /// Instructions with the labels in place.
    fn assembled(mut self) -> Vec<Instruction> {
        for (label, kept_bytes) in [(PASS, FRAME_BYTES_MAX as u32), (REFUSE, 0)] {
            self.lines.push(Line::Here(label));
            self.load(RETURN, kept_bytes);
        }
        let (mut places, mut at) = (vec![0u32; self.labels], 0);
        for line in &self.lines {
            match line {
                Line::Here(label) => places[*label] = at,
                Line::Do(_) | Line::Jump(_) => at += 1,
                Line::JumpIf(..) | Line::JumpUnless(..) => at += 2,
            }
        }
        let mut program: Vec<Instruction> = Vec::with_capacity(at as usize);
        for line in &self.lines {
            let (test, label) = match line {
                Line::Here(_) => continue,
                Line::Do(step) => {
                    program.push(*step);
                    continue;
                }
                Line::Jump(label) => (None, *label),
                Line::JumpIf(code, operand, label) => (Some((*code, *operand, 0, 1)), *label),
                Line::JumpUnless(code, operand, label) => (Some((*code, *operand, 1, 0)), *label),
            };
            program.extend(test.map(|(code, operand, jump_true, jump_false)| Instruction { code, jump_true, jump_false, operand }));
            // All jumps go forward; one that did not would be refused by the kernel.
            program.push(step(JUMP, places[label].saturating_sub(program.len() as u32 + 1)));
        }
        program
    }
}
