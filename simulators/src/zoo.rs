//! Every protocol before the frame: each fault changes what it is named for, and a device answers on its sockets what it rehearsed.

use std::future::Future;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::device::Device;
use crate::fault::{Fault, More, Step, crooked, steps_on_question};
use crate::judge::Manners;
use crate::language::{Carrier, Language};
use crate::rehearsal::{Rehearsal, rehearse};
use crate::report::Ended;
use crate::sockets;
use crate::tap::{Station, Tap};
use crate::{bacnet, dnp3, enip, fins, greeting, hart_ip, http, mms, modbus, opcua, pn_dcp, pn_io, s7, sel, slmp, snmp};

fn all() -> Vec<Arc<dyn Language>> {
    let text = || b"Acme".to_vec();
    let identity = enip::Identity {
        vendor: 1,
        device_type: 14,
        product_code: 54,
        revision: (20, 11),
        condition: 0,
        serial: 7,
        name: text(),
        state: 3,
    };
    let module = s7::Module { index: 1, order_number: text(), kind: 0xC0, version: [0, 1, 0, 0] };
    let transmitter = hart_ip::Persona {
        device_type: 1,
        device_id: 2,
        universal_revision: 7,
        device_revision: 1,
        software_revision: 1,
        hardware_revision: 1,
        manufacturer: 1,
        distributor: 1,
        profile: 1,
        tag: String::new(),
        descriptor: String::new(),
        date: [1, 1, 100],
        long_tag: text(),
        refuses: [].into(),
        listed: [].into(),
    };
    vec![
        Arc::new(modbus::Persona::from_objects([(0, text())])),
        Arc::new(modbus::OnLine(modbus::Persona::from_objects([(0, text())]))),
        Arc::new(enip::Persona::new(identity)),
        Arc::new(s7::Persona::new([module], [(1, text())])),
        Arc::new(snmp::Persona::new(b"Acme", &[1, 3, 6], b"x", 1)),
        Arc::new(bacnet::Persona::new(1, [(44, text())])),
        Arc::new(dnp3::Persona::new([(252, text())])),
        Arc::new(hart_ip::Persona::clone(&transmitter)),
        Arc::new(fins::Persona::new(b"CP1L", b"01.00")),
        Arc::new(mms::Persona::new("LD0", [("vendor", text())], [])),
        Arc::new(opcua::Persona::new([const { String::new() }; 3], [const { String::new() }; 5])),
        Arc::new(pn_dcp::Persona::new(b"acme", b"Acme")),
        Arc::new(pn_io::Persona::new(b"Acme", b"1", b"2")),
        Arc::new(sel::Persona::new(&["FID=SEL-1-R1-V0-Z1-D1"])),
        Arc::new(greeting::Persona::new(greeting::Server::Ftp, &[b"Acme"], b"")),
        Arc::new(greeting::Persona::new(greeting::Server::Ssh, &[b"SSH-2.0-Acme"], b"")),
        Arc::new(greeting::Persona::new(greeting::Server::Telnet, &[b"Acme"], b"login: ")),
        Arc::new(http::Persona::new(b"Acme/1", b"Acme")),
        Arc::new(slmp::Persona { name: text(), code: 1, refuses: None }),
    ]
}

/// What a device with this fault sends when it is asked its sample.
fn steps(persona: &Arc<dyn Language>, fault: &Fault) -> Vec<Step> {
    let persona = crooked(Arc::clone(persona), Some(fault));
    let over = persona.carriers()[0];
    let heard = rehearse(&*persona, over, &[persona.sample()]);
    steps_on_question(Some(fault), &*persona, told(&*persona, &heard), 1)
}

/// What a device tells: by itself, or in answers.
fn told(persona: &dyn Language, heard: &Rehearsal) -> Vec<Vec<u8>> {
    if persona.speaks_first() { heard.greeting.clone() } else { heard.answers() }
}

#[test]
fn every_sample_is_answered_and_trips_nothing_but_an_open_session() {
    for persona in all() {
        for &over in persona.carriers() {
            // FINS by datagrams has no question that stands without the plant's word.
            if persona.port() == 9_600 && over == Carrier::Udp {
                continue;
            }
            let heard = rehearse(&*persona, over, &[persona.sample()]);
            assert!(!told(&*persona, &heard).is_empty(), "{persona:?}");
            let whys: Vec<&str> = heard.trips.iter().map(|trip| trip.why).filter(|why| !why.contains("session was not closed")).collect();
            assert_eq!(whys, Vec::<&str>::new(), "{persona:?}");
        }
    }
}

#[test]
fn every_fault_of_a_field_changes_the_field_and_nothing_that_is_not_there() {
    for persona in all() {
        let sound = steps(&persona, &Fault::SingleClient);
        let Some(Step::Send(answer)) = sound.first() else { panic!("{persona:?} does not answer") };
        let layout = persona.layout(answer);
        let table = [
            (Fault::WrongTransaction, layout.transaction.is_some()),
            (Fault::WrongUnit, layout.unit.is_some()),
            (Fault::WrongProtocolId, layout.protocol.is_some()),
            (Fault::LengthZero, layout.length.is_some()),
            (Fault::LengthHuge, layout.length.is_some()),
            (Fault::FinMidPdu, true),
        ];
        for (fault, changes) in table {
            let told = steps(&persona, &fault);
            assert_eq!(told.first() != sound.first(), changes, "{fault:?} of {persona:?}");
        }
        assert_eq!(steps(&persona, &Fault::AnswerTwice), [sound.clone(), sound.clone()].concat());
        assert_eq!(steps(&persona, &Fault::Silent), []);
        assert_eq!(steps(&persona, &Fault::ZeroBytes), [Step::Fin]);
        assert_eq!(steps(&persona, &Fault::ResetAfter(1)).last(), Some(&Step::Reset));
        assert!(!steps(&persona, &Fault::HostileText).is_empty() && !steps(&persona, &Fault::EndlessMore(More::Rising)).is_empty());
    }
}

fn run<T>(story: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async { tokio::time::timeout(Duration::from_secs(20), story).await.expect("a story ends within 20 s") })
}

fn station(last: u8) -> Station {
    Station { mac: [0x02, 0, 0, 0, 0, last], ip: Ipv4Addr::new(192, 168, 10, last) }
}

fn switch() -> snmp::Persona {
    snmp::Persona::new(b"Acme", &[1, 3, 6], b"x", 1)
}

/// What this agent sends back to these datagrams of one peer, sent without waiting; its account; and what the tap has.
async fn by_datagrams(fault: Option<Fault>, datagrams: &[Vec<u8>], wanted: usize) -> (Vec<Vec<u8>>, crate::report::Report, Vec<u8>) {
    let tap = Tap::new(SystemTime::UNIX_EPOCH);
    let link = Some(tap.link(station(9), station(2), station(1)));
    let running = Device { fault, link, ..Device::new(switch()) }.start(snmp::Device::ANYWHERE).await.expect("a port");
    let peer = sockets::listen(snmp::Device::ANYWHERE, &[Carrier::Udp]).await.expect("a port").0.datagrams.expect("a socket");
    for datagram in datagrams {
        peer.send_to(datagram, running.address).await.expect("sent");
    }
    let (mut heard, mut buffer) = (Vec::new(), [0; 2048]);
    while heard.len() < wanted {
        let length = peer.recv(&mut buffer).await.expect("received");
        heard.push(buffer[..length].to_vec());
    }
    (heard, running.stop().await, tap.pcap())
}

#[test]
fn a_device_by_datagrams_answers_keeps_account_and_is_recorded() {
    let question = switch().sample();
    let answer = rehearse(&switch(), Carrier::Udp, std::slice::from_ref(&question)).answers();
    let (heard, report, pcap) = run(by_datagrams(None, std::slice::from_ref(&question), 1));
    assert_eq!(heard, answer);
    let [session] = report.sessions.as_slice() else { panic!("one peer") };
    assert_eq!((session.requests, session.bytes_in, session.ended), (1, question.len() as u64, Ended::Datagrams));
    assert_eq!((session.bytes_out, report.trips.len(), report.most_at_once), (answer[0].len() as u64, 0, 0));
    // File header, record header, Ethernet, then IPv4 with UDP, to port 161 of the station.
    let frame = &pcap[24 + 16 + 14..];
    assert_eq!((frame[9], &frame[16..20], &frame[22..24]), (17, &[192, 168, 10, 9][..], &[0, 161][..]));
    assert!(pcap.windows(answer[0].len()).any(|window| window == answer[0]));
}

#[test]
fn datagrams_have_faults_and_are_judged() {
    let question = switch().sample();
    let (heard, report, _) = run(by_datagrams(Some(Fault::AnswerTwice), &[question.clone(), question.clone()], 4));
    assert!(heard.iter().all(|answer| *answer == heard[0]));
    let whys: Vec<&str> = report.trips.iter().map(|trip| trip.why).collect();
    assert_eq!(whys, ["sent before the answer to the question before it"]);
    // Nobody can close on a flood of datagrams: it ends by itself.
    let (heard, ..) = run(by_datagrams(Some(Fault::AnswersForever), std::slice::from_ref(&question), 100));
    assert_eq!(heard.len(), 100);
    // A datagram that was not read yet when the device was stopped happened all the same.
    let (_, report, _) = run(by_datagrams(None, &[b"\x30\x00".to_vec()], 0));
    assert_eq!((report.requests(), report.trips.len()), (1, 1));
}

#[test]
fn a_stream_is_reset_after_so_many_answers_and_a_late_answer_comes_late() {
    let persona = dnp3::Persona::new([(252, b"Acme".to_vec())]);
    let answer = rehearse(&persona, Carrier::Tcp, &[persona.sample()]).answers().concat();
    run(async {
        let delay = Duration::from_millis(20);
        for fault in [Fault::ResetAfter(1), Fault::LateAnswer { delay }] {
            let resets = fault == Fault::ResetAfter(1);
            let manners = Manners { questions_max: Some(1), ..Manners::default() };
            let device = Device { manners, ..Device::with_fault(persona.clone(), fault) };
            let running = device.start(dnp3::Device::ANYWHERE).await.expect("a port");
            let mut stream = sockets::dial(running.address, |_| ()).await.expect("a connection");
            let begun = tokio::time::Instant::now();
            stream.write_all(&persona.sample()).await.expect("written");
            let mut heard = vec![0; answer.len()];
            stream.read_exact(&mut heard).await.expect("an answer");
            assert_eq!(heard, answer);
            assert!(resets || begun.elapsed() >= delay);
            if resets {
                assert!(stream.read(&mut [0]).await.is_err(), "a reset, not the end of the stream");
                running.settled().await;
                assert_eq!(running.stop().await.sessions[0].ended, Ended::Device);
            } else {
                stream.write_all(&persona.sample()).await.expect("written");
                stream.read_exact(&mut heard).await.expect("an answer");
                let whys: Vec<&str> = running.stop().await.trips.iter().map(|trip| trip.why).collect();
                assert_eq!(whys, ["more questions than one connection may bring", "variation 254 a second time"]);
            }
        }
    });
}
