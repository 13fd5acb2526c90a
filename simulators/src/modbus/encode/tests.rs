use super::*;

/// The device of the standard's example (V1.1b3, 6.21). The standard prints length 0D for its product code of 15 characters; 0F here.
fn example() -> Persona {
    let mut persona =
        Persona::from_objects([(0, b"Company identification".to_vec()), (1, b"Product code XX".to_vec()), (2, b"V2.11".to_vec())]);
    persona.conformity = Some(0x01);
    persona
}

fn check(what: &str, got: &[u8], expected: &[&[u8]]) {
    assert_eq!(got, expected.concat(), "{what}");
}

#[test]
fn the_standards_example_comes_out_as_printed() {
    let objects: [&[u8]; 3] = [b"\x00\x16Company identification", b"\x01\x0FProduct code XX", b"\x02\x05V2.11"];
    let head: &[u8] = &[0x2B, 0x0E, 0x01, 0x01, 0x00, 0x00, 0x03];
    check("one page", &encode_identification(&example(), 1, 0), &[head, objects[0], objects[1], objects[2]]);

    let paged = Persona { page_bytes: 7 + 24 + 17, ..example() };
    let question = [0x00, 0x09, 0, 0, 0, 5, 0xFF, 0x2B, 0x0E, 0x01, 0x00];
    let pages = exchanges(&paged, &question);
    let [(first, answer), (second, last)] = pages.as_slice() else { panic!("two pages, got {pages:?}") };
    assert_eq!(first.as_slice(), question);
    check("first page", answer, &[&[0, 9, 0, 0, 0, 0x31, 0xFF, 0x2B, 0x0E, 1, 1, 0xFF, 2, 2], objects[0], objects[1]]);
    check("second question", second, &[&[0, 10, 0, 0, 0, 5, 0xFF, 0x2B, 0x0E, 1, 2]]);
    check("second page", last, &[&[0, 10, 0, 0, 0, 0x0F, 0xFF, 0x2B, 0x0E, 1, 1, 0, 0, 1], objects[2]]);
}

#[test]
fn every_read_code_gets_what_the_standard_says() {
    let persona = Persona::from_objects([(0, b"A".to_vec()), (2, b"C".to_vec()), (4, b"E".to_vec()), (0x80, b"P".to_vec())]);
    let table: &[(&str, u8, u8, &[u8])] = &[
        ("basic", 1, 0, &[0x2B, 0x0E, 1, 0x83, 0, 0, 2, 0, 1, b'A', 2, 1, b'C']),
        ("regular", 2, 0, &[0x2B, 0x0E, 2, 0x83, 0, 0, 3, 0, 1, b'A', 2, 1, b'C', 4, 1, b'E']),
        ("extended from 4", 3, 4, &[0x2B, 0x0E, 3, 0x83, 0, 0, 2, 4, 1, b'E', 0x80, 1, b'P']),
        ("basic from an object that is not basic starts again", 1, 4, &[0x2B, 0x0E, 1, 0x83, 0, 0, 2, 0, 1, b'A', 2, 1, b'C']),
        ("stream from an object that is not there starts again", 2, 3, &[0x2B, 0x0E, 2, 0x83, 0, 0, 3, 0, 1, b'A', 2, 1, b'C', 4, 1, b'E']),
        ("single", 4, 4, &[0x2B, 0x0E, 4, 0x83, 0, 0, 1, 4, 1, b'E']),
        ("single that is not there", 4, 5, &[0xAB, 2]),
        ("no such read code", 5, 0, &[0xAB, 3]),
        ("read code 0", 0, 0, &[0xAB, 3]),
    ];
    for (what, code, object, expected) in table {
        check(what, &encode_identification(&persona, *code, *object), &[expected]);
    }
    check("no identity", &encode_identification(&Persona::without_identity(), 1, 0), &[&[0xAB, 1]]);
}

#[test]
fn liberties_of_real_devices_can_be_taken() {
    let mut persona = Persona::from_objects([(0, b"A".to_vec()), (4, b"E".to_vec())]);
    persona.quirks.answers_regular_to_basic = true;
    persona.quirks.objects_missing = 2;
    persona.quirks.trailing = vec![0xEE, 0xEE];
    persona.conformity = Some(0xC7);
    check("all of them", &encode_identification(&persona, 1, 0), &[&[0x2B, 0x0E, 1, 0xC7, 0, 0, 4, 0, 1, b'A', 4, 1, b'E', 0xEE, 0xEE]]);
}

#[test]
fn an_object_is_cut_at_255_bytes_and_stands_alone_where_it_does_not_fit() {
    let persona = Persona::from_objects([(0, vec![b'x'; 300]), (1, b"B".to_vec())]);
    let page = encode_identification(&persona, 1, 0);
    assert_eq!(page.get(..9), Some([0x2B, 0x0E, 1, 0x81, 0xFF, 1, 1, 0, 0xFF].as_slice()));
    assert_eq!(page.len(), 9 + 255);
}

/// What, the question, the answer if any.
type Exchange<'a> = (&'a str, &'a [u8], Option<&'a [u8]>);

#[test]
fn other_functions_answer_as_the_standard_says() {
    let mut persona = Persona::without_identity();
    persona.unit = Some(3);
    persona.server_id = Some(b"\x2A\xFFPM710".to_vec());
    persona.registers = [(10, 0x022B), (11, 0), (12, 0x64)].into();
    let table: &[Exchange] = &[
        // V1.1b3, 6.3: the example's registers 108 to 110, here at 10 to 12.
        ("registers", &[0, 1, 0, 0, 0, 6, 3, 3, 0, 10, 0, 3], Some(&[0, 1, 0, 0, 0, 9, 3, 3, 6, 0x02, 0x2B, 0, 0, 0, 0x64])),
        ("a register that is not there", &[0, 1, 0, 0, 0, 6, 3, 3, 0, 11, 0, 3], Some(&[0, 1, 0, 0, 0, 3, 3, 0x83, 2])),
        ("no register at all", &[0, 1, 0, 0, 0, 6, 3, 3, 0, 10, 0, 0], Some(&[0, 1, 0, 0, 0, 3, 3, 0x83, 3])),
        ("126 registers", &[0, 1, 0, 0, 0, 6, 3, 3, 0, 10, 0, 126], Some(&[0, 1, 0, 0, 0, 3, 3, 0x83, 3])),
        (
            "server id",
            &[0xAB, 0xCD, 0, 0, 0, 2, 3, 0x11],
            Some(&[0xAB, 0xCD, 0, 0, 0, 10, 3, 0x11, 7, 0x2A, 0xFF, b'P', b'M', b'7', b'1', b'0']),
        ),
        ("a write", &[0, 1, 0, 0, 0, 6, 3, 6, 0, 10, 0, 1], Some(&[0, 1, 0, 0, 0, 3, 3, 0x86, 1])),
        ("another unit", &[0, 1, 0, 0, 0, 2, 4, 0x11], None),
        ("another protocol", &[0, 1, 0, 1, 0, 2, 3, 0x11], None),
        ("too short", &[0, 1, 0, 0, 0, 2, 3], None),
    ];
    for (what, question, expected) in table {
        assert_eq!(respond(&persona, question).as_deref(), *expected, "{what}");
    }
    persona.other_units = OtherUnits::GATEWAY;
    assert_eq!(respond(&persona, &[0, 1, 0, 0, 0, 2, 4, 0x11]).as_deref(), Some([0, 1, 0, 0, 0, 3, 4, 0x91, 0x0B].as_slice()));
    persona.server_id = None;
    assert_eq!(encode_server_id(&persona), [0x91, 1]);
}
