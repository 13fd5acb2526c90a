//! Every protocol that is read: under which names tshark knows it, and what shows that it is read beside the public captures.

/// What shows that a protocol is read as it is spoken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// The public captures.
    Captures,
    /// The public captures, and a server that we did not write, recorded by the tests.
    Recorded,
    /// Only frames that were written by hand after the standard: that is no proof.
    ByHand,
}

/// One protocol.
#[derive(Clone, Copy, Debug)]
pub struct Protocol {
    /// Our name.
    pub name: &'static str,
    /// tshark's names; `carrier>name` where only what stands directly on the carrier is a message. None where it has no dissector.
    pub tshark: &'static [&'static str],
    /// What shows that it is read.
    pub proof: Proof,
    /// What a reader should know.
    pub note: &'static str,
}

const fn of(name: &'static str, tshark: &'static [&'static str], note: &'static str) -> Protocol {
    Protocol { name, tshark, proof: Proof::Captures, note }
}

const fn by_hand(name: &'static str, tshark: &'static [&'static str], note: &'static str) -> Protocol {
    Protocol { name, tshark, proof: Proof::ByHand, note }
}

/// In the order of their names.
#[rustfmt::skip]
pub static PROTOCOLS: &[Protocol] = &[
    of("ads", &["ams"], ""),
    of("bacnet", &["bacnet"], "BACnet/IP, Ethernet and MS/TP"),
    of("c37.118", &["synphasor"], ""),
    of("cdp", &["cdp"], ""),
    of("cip", &["enip>cip"], "a message may hold several requests; it counts once"),
    of("dhcp", &["dhcp"], "tshark names damaged ones in wireless frames, too"),
    of("dhcpv6", &["dhcpv6"], ""),
    Protocol { proof: Proof::Recorded, ..of("dnp3", &["dnp3"], "group 0 stands in no capture: from py1815, tests/tests/recorded.rs") },
    of("enip", &["enip", "udp>cipio"], "with cyclic data over UDP"),
    by_hand("codesys-v2", &[], "no capture; fixed places that a public script reads"),
    by_hand("codesys-v3", &[], "no capture; a public library's layout"),
    by_hand("ethercat", &["ecatf"], "no capture, no independent server"),
    of("fins", &["omron"], ""),
    by_hand("fox", &[], "no capture, no independent server"),
    of("ftp", &["ftp"], "one capture damaged on purpose has half of all messages; greetings are read, the rest is passed over"),
    by_hand("ge-srtp", &[], "no capture, no independent server"),
    of("goose", &["ethertype>goose", "udp>goose"], ""),
    of("hart-ip", &["hart_ip"], ""),
    of("http", &["http"], ""),
    of("https", &["tcp>tls"], "the handshake up to the certificate is read, what is encrypted is not counted; tshark names both `tls`"),
    of("iec104", &["iec60870_104"], ""),
    of("imap", &["imap"], "the server's greeting is read, nothing of the rest"),
    of("iso", &["tpkt>cotp"], "what carries s7comm, s7comm-plus and mms"),
    of("lldp", &["lldp"], "the rest are damaged on purpose"),
    of("mdns", &["mdns"], ""),
    of("melsoft", &[], "tshark has no dissector"),
    of("mms", &["mms"], ""),
    of("modbus", &["mbtcp>modbus"], ""),
    by_hand("modbus-rtu", &["mbrtu"], "no capture; pymodbus serves it, not yet recorded by the tests"),
    of("netbios-browser", &["browser"], ""),
    of("netbios-ns", &["nbns"], ""),
    of("opcua", &["opcua"], "BuildInfo and DI stand in no public capture; asyncua and node-opcua are asked for them in the tests"),
    of("pccc", &["cippccc"], ""),
    of("pn-dcp", &["pn_dcp"], "asked, no station of others could be had: a script answers with a recorded one's blocks, tests/tests/ask_pn_dcp.rs"),
    of("pn-io", &[], "connection management, counted by the interface of the call; tshark's `pn_io` is cyclic data, our pn-rt; asked, no server of others could be had: the questions are those of nmap and profinet-py, the answers a simulator's that tshark reads"),
    of("pn-rt", &["pn_rt>pn_io", "pn_rt>pn_ptcp"], ""),
    by_hand("pcworx", &[], "no capture at hand; a session of an ILC 151 ETH is quoted message by message"),
    by_hand("pop3", &["pop"], "no capture"),
    by_hand("powerlink", &["epl"], "no capture, no independent server"),
    by_hand("rtsp", &["rtsp"], "no capture"),
    of("s7comm", &["cotp>s7comm"], ""),
    of("s7comm-plus", &["s7comm-plus"], "tshark 4.0 has no dissector; I&M records are quoted message by message from public captures"),
    by_hand("sel-ascii", &[], "no capture, no independent server; lines of real relays are quoted"),
    of("sip", &["sip"], ""),
    of("slmp", &[], "tshark has no dissector"),
    of("smtp", &["smtp"], ""),
    of("snmp", &["udp>snmp"], "the rest are damaged on purpose"),
    of("ssdp", &["ssdp"], ""),
    of("ssh", &["ssh"], "both identifications are read, what is encrypted is not counted"),
    by_hand("sv", &["sv"], "no capture, no independent server"),
    by_hand("telnet", &["telnet"], "no capture"),
    of("tls", &[], "on ports of no other protocol; see https"),
    of("umas", &[], "counted by Modbus function code 90"),
    by_hand("veeder-root", &[], "no capture; the samples of the maker's manuals"),
    by_hand("vnc", &["vnc"], "no capture"),
];
