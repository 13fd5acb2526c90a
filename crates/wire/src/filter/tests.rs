use super::kernel::{self, PROGRAM_INSTRUCTIONS_MAX};
use super::*;
use crate::capture::LinkType;

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u32> = text.chars().filter_map(|c| c.to_digit(16)).collect();
    digits.chunks(2).map(|pair| (pair[0] << 4 | pair[1]) as u8).collect()
}

const MACS: &str = "020000000002 020000000001";

/// 192.0.2.1 to 198.51.100.2; `protocol`, then what stands behind the header; `part` is the field of flags and offset.
fn v4(protocol: u8, part: &str, payload: &str) -> String {
    format!("45000000 0001{part} 40{protocol:02x}0000 c0000201 c6336402 {payload}")
}

/// 2001:db8::1 to 2001:db8:1::2.
fn v6(next: u8, payload: &str) -> String {
    format!("60000000 0000{next:02x}40 20010db8000000000000000000000001 20010db8000100000000000000000002 {payload}")
}

/// TCP from 1024 to 502; UDP from 1025 to 161.
const TCP: &str = "0400 01f6 00000000 00000000 5010 0000 0000 0000";
const UDP: &str = "0401 00a1 0000 0000";

/// A filter in words: `host 192.0.2.1 vlan 7`.
fn filter(words: &str) -> Filter {
    let (mut filter, words) = (Filter::default(), words.split_whitespace().collect::<Vec<_>>());
    for pair in words.chunks(2) {
        match pair {
            ["host", host] => filter.hosts.push(host.parse().unwrap()),
            ["net", net] => filter.nets.push(net.parse().unwrap()),
            ["port", port] => filter.ports.push(port.parse().unwrap()),
            ["vlan", vlan] => filter.vlans.push(vlan.parse().unwrap()),
            other => panic!("{other:?}"),
        }
    }
    filter
}

/// These filters let an Ethernet frame pass, and those do not.
fn check(frame: &str, passes: &[&str], refuses: &[&str]) {
    let bytes = hex(&format!("{MACS} {frame}"));
    let whole = Frame { number: 1, time_ns: 0, link: LinkType::ETHERNET, bytes: &bytes, wire_len: bytes.len() as u32 };
    for (words, expected) in passes.iter().map(|words| (words, true)).chain(refuses.iter().map(|words| (words, false))) {
        assert_eq!(filter(words).passes(&whole), expected, "{words}: {frame}");
        for end in 0..bytes.len() {
            // A frame that the capture cut never passes where the whole one did not.
            let cut = Frame { bytes: &bytes[..end], ..whole };
            assert!(expected || !filter(words).passes(&cut), "{words}: {frame} cut at {end}");
        }
    }
    assert!(filter("").passes(&whole));
}

#[test]
fn a_frame_passes_by_one_of_each_kind() {
    let tcp = format!("0800 {}", v4(6, "0000", TCP));
    check(
        &tcp,
        &[
            "host 192.0.2.1",
            "host 198.51.100.2",
            "host 10.0.0.1 host 192.0.2.1",
            "net 192.0.2.0/24",
            "net 198.51.100.2/32",
            "net 0.0.0.0/0",
            "port 502",
            "port 1024",
            "port 1 port 502",
            "host 192.0.2.1 net 198.51.100.0/24 port 502",
        ],
        &["host 192.0.2.2", "net 192.0.2.2/31", "net ::/0", "port 503", "vlan 1", "host 192.0.2.1 port 503", "net 10.0.0.0/8 port 502"],
    );
    let udp = format!("86dd {}", v6(17, UDP));
    check(
        &udp,
        &["host 2001:db8::1", "host 2001:db8:1::2", "net 2001:db8:1::/48", "net ::/0", "port 161", "net 2001:db8::/32 port 1025"],
        &["host 2001:db8::2", "net 2001:db8:2::/47", "net 0.0.0.0/0", "port 502", "host ::1"],
    );
    // Ports are those of TCP and UDP: what ICMP says there is none.
    check(&format!("0800 {}", v4(1, "0000", TCP)), &["host 192.0.2.1"], &["port 502"]);
}

#[test]
fn a_vlan_is_the_innermost_and_needs_no_packet() {
    let tcp = v4(6, "0000", TCP);
    check(&format!("8100 6007 0800 {tcp}"), &["vlan 7", "vlan 7 port 502"], &["vlan 8", "vlan 7 port 503"]);
    check(&format!("88a8 0064 8100 0007 0800 {tcp}"), &["vlan 7"], &["vlan 100"]);
    check(&format!("8100 0007 88cc {UDP}"), &["vlan 7"], &["vlan 8", "port 161", "host 192.0.2.1"]);
    check(&format!("0026 42420300 {UDP}"), &[], &["vlan 7", "net 0.0.0.0/0"]);
}

#[test]
fn a_part_behind_the_first_fits_any_port() {
    let first = format!("0800 {}", v4(6, "2000", TCP));
    check(&first, &["port 502", "host 192.0.2.1"], &["port 503"]);
    let later = format!("0800 {}", v4(6, "0002", TCP));
    check(&later, &["port 502", "port 503", "host 192.0.2.1 port 503"], &["host 192.0.2.9", "host 192.0.2.9 port 502"]);
    let later = format!("86dd {}", v6(44, &format!("06 00 0008 00000001 {TCP}")));
    check(&later, &["port 9", "host 2001:db8::1"], &["host 2001:db8::2"]);
    // Nothing can be told behind the first part of a tunnel's packet.
    check(&format!("0800 {}", v4(47, "0002", TCP)), &["host 203.0.113.9", "vlan 9"], &[]);
}

#[test]
fn what_a_tunnel_carries_passes_it() {
    let inner = v6(6, TCP);
    let behind = |header: &str| format!("{header} {inner}");
    let tunnels = [
        format!("0800 {}", v4(41, "0000", &inner)),
        format!("0800 {}", v4(47, "0000", &behind("0000 86dd"))),
        format!("0800 {}", v4(17, "0000", &behind(&format!("ffff 12b5 0000 0000 08000000 00002a00 {MACS} 8100 0009 86dd")))),
        format!("8847 000011ff {inner}"),
    ];
    for (index, frame) in tunnels.iter().enumerate() {
        check(frame, &["host 2001:db8::1", "port 502", "host 2001:db8::1 port 502"], &["host 203.0.113.9", "port 503", "vlan 7"]);
        // Outer address and inner port do not fit together: one packet has to have both.
        let outer: &[&str] = if index == 3 { &[] } else { &["host 192.0.2.1"] };
        check(frame, outer, &["host 192.0.2.1 port 502"]);
    }
    check(&tunnels[2], &["vlan 9", "vlan 9 port 502", "port 4789"], &["vlan 9 port 4789"]);
}

#[test]
fn a_network_is_an_address_and_bits() {
    for (text, expected) in [
        ("10.20.0.0/16", Ok(16)),
        ("2001:db8::/128", Ok(128)),
        ("0.0.0.0/0", Ok(0)),
        ("10.0.0.0", Err("give ADDRESS/BITS, as in 10.20.0.0/16")),
        ("10.0.0/8", Err("what stands before the / is no IP address")),
        ("10.0.0.0/33", Err("a prefix has 0 to 32 bits, with IPv6 0 to 128")),
        ("::/129", Err("a prefix has 0 to 32 bits, with IPv6 0 to 128")),
        ("::/-1", Err("a prefix has 0 to 32 bits, with IPv6 0 to 128")),
    ] {
        assert_eq!(text.parse::<Net>().map(|net| net.prefix_bits), expected, "{text}");
    }
}

#[test]
fn a_filter_that_is_too_long_for_the_kernel_is_judged_behind_it() {
    assert_eq!(kernel::compile(&Filter::default()), None);
    let mut filter = filter("host 2001:db8::1 net 10.0.0.0/8 port 502 vlan 7");
    assert!(kernel::compile(&filter).is_some_and(|program| program.len() < 200));
    filter.ports = (1..=PROGRAM_INSTRUCTIONS_MAX as u16).collect();
    assert_eq!(kernel::compile(&filter), None);
}
