//! As asyncua 2.1.0, node-opcua 2.186 and tshark 4.0 read them; broken down after OPC 10000-6 by hand.

use super::*;

fn check(question: &Question<'_>, line: &Line, n: u8, expected: &str) {
    let digits: String = question.encode(line, n).iter().map(|byte| format!("{byte:02x}")).collect();
    let expected: String = expected.chars().filter(|c| !c.is_whitespace()).collect();
    assert_eq!(digits, expected, "{question:?}");
}

/// What stands behind the session in a header with this handle.
fn header(n: u8) -> String {
    format!("0000000000000000 {n:02x}000000 00000000 ffffffff 10270000 000000")
}

#[test]
fn questions_are_written_as_the_standard_has_them() {
    let mut line = Line::plain("opc.tcp://a:1");
    let url = "0d000000 6f70632e7463703a2f2f613a31";
    check(&Question::Hello, &line, 0, &format!("48454c46 2d000000 00000000 00000100 00000100 00000400 10000000 {url}"));
    let none = "2f000000 687474703a2f2f6f7063666f756e646174696f6e2e6f72672f55412f5365637572697479506f6c696379234e6f6e65";
    let open = format!(
        "4f504e46 84000000 00000000 {none} ffffffff ffffffff 01000000 01000000 0100be01 0000 {} 00000000 00000000 01000000 ffffffff 60ea0000",
        header(1)
    );
    check(&Question::Open, &line, 1, &open);
    (line.channel, line.session) = ([7, 0, 0, 0, 13, 0, 0, 0], vec![1, 0, 0xe9, 3]);
    let on = |n: u8| format!("07000000 0d000000 {n:02x}000000 {n:02x}000000");
    check(&Question::Servers, &line, 2, &format!("4d534746 52000000 {} 0100a601 0000 {} {url} ffffffff ffffffff", on(2), header(2)));
    check(&Question::Endpoints, &line, 2, &format!("4d534746 52000000 {} 0100ac01 0000 {} {url} ffffffff ffffffff", on(2), header(2)));
    let us = "14000000 75726e3a6e616d65706c6174653a636c69656e74";
    let create = format!(
        "4d534746 bd000000 {} 0100cd01 0000 {} {us} {us} 02 09000000 6e616d65706c617465 01000000 ffffffff ffffffff ffffffff ffffffff {url} \
         09000000 6e616d65706c617465 ffffffff ffffffff 00000000004cdd40 00000400",
        on(3),
        header(3)
    );
    check(&Question::Create, &line, 3, &create);
    let policy = [1, 0, 0, 0, b'p'];
    let activate = |size: &str, token: &str| {
        let none = "ffffffff ffffffff ffffffff ffffffff";
        format!("4d534746 {size}000000 {} 0100d301 0100e903 {} {none} {token} ffffffff ffffffff", on(4), header(4))
    };
    check(&Question::Activate(&policy, Token::Anonymous), &line, 4, &activate("61", "01004101 01 05000000 01000000 70"));
    let user = "01004401 01 17000000 01000000 70 02000000 6f74 04000000 70617373 ffffffff";
    // An X509IdentityToken, i=327 (NodeIds.csv): policy, certificate.
    let certificate = "01004701 01 09000000 01000000 70 00000000";
    check(&Question::Activate(&policy, Token::Certificate(b"")), &line, 4, &activate("65", certificate));
    check(&Question::Activate(&policy, Token::Password(b"ot", b"pass")), &line, 4, &activate("73", user));
    let value = "0d000000 ffffffff 0000 ffffffff";
    let nodes: String = [0xcf, 0xd5, 0xd6, 0xd7, 0xd8, 0xd9, 0xda].map(|low: u8| format!("0100{low:02x}08 {value}")).concat();
    let read = |size: &str, n: u8, nodes: &str| {
        format!("4d534746 {size}000000 {} 01007702 0100e903 {} 0000000000000000 03000000 {nodes}", on(n), header(n))
    };
    check(&Question::Build, &line, 5, &read("c9", 5, &format!("07000000 {nodes}")));
    let node = vec![3, 2, 0, 1, 0, 0, 0, b'a'];
    check(&Question::Device(core::slice::from_ref(&node)), &line, 8, &read("61", 8, &format!("01000000 0302000100000061 {value}")));
    let browse = |size: &str, n: u8, most: &str, node: &str, kind: &str, class: &str| {
        let view = "0000 0000000000000000 00000000";
        let asks = format!("{most}000000 01000000 {node} 00000000 00{kind} 01 {class}000000 0a000000");
        format!("4d534746 {size}000000 {} 01000f02 0100e903 {} {view} {asks}", on(n), header(n))
    };
    check(&Question::Devices(2), &line, 6, &browse("64", 6, "32", "01028913", "21", "01"));
    check(&Question::Parts(&[node]), &line, 7, &browse("68", 7, "10", "0302000100000061", "2e", "02"));
    check(&Question::Close, &line, 9, &format!("4d534746 3c000000 {} 0100d901 0100e903 {} 01", on(9), header(9)));
    check(&Question::CloseChannel, &line, 10, &format!("434c4f46 39000000 {} 0100c401 0000 {}", on(10), header(10)));
}

#[test]
fn zeros_stand_where_the_guard_writes() {
    let policy = "http://opcfoundation.org/UA/SecurityPolicy#Basic256Sha256".to_owned();
    let (certificate, thumbprint) = (Some(vec![0x30, 1, 2]), Some(vec![7; 20]));
    let line = Line { policy, mode: 3, certificate, thumbprint, nonce_bytes: 32, ..Line::plain("opc.tcp://a:1") };
    let open = Question::Open.encode(&line, 1);
    let nonce = [&[32, 0, 0, 0][..], &[0; 32]].concat();
    assert!(open.ends_with(&[&[3, 0, 0, 0][..], &nonce, &[0x60, 0xea, 0, 0]].concat()));
    let named = [&[3, 0, 0, 0, 0x30, 1, 2, 20, 0, 0, 0][..], &[7; 20]].concat();
    assert!(open.windows(named.len()).any(|window| window == named));
    let create = Question::Create.encode(&line, 2);
    let both = [&nonce[..], &[3, 0, 0, 0, 0x30, 1, 2]].concat();
    assert!(create.windows(both.len()).any(|window| window == both));
}
