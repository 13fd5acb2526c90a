//! What strangers send: a clear refusal, nothing lost, and the process goes on.

use nameplate_tests::place::needed;
use nameplate_tests::product::Product;
use nameplate_tests::web::Asker;

use super::{PASSWORD, Plant};

#[test]
fn whatever_strangers_send_is_refused_and_the_page_stays() {
    let Some(product) = needed("whatever_strangers_send_is_refused_and_the_page_stays", Product::find()) else { return };
    let mut plant = Plant::new(&product);
    let (at, before) = (plant.gate.at, plant.entries());
    let request = |line: &str, headers: &str, body: &str| {
        plant.gate.raw(format!("{line} HTTP/1.1\r\nHost: {at}\r\nConnection: close\r\n{headers}\r\n{body}").as_bytes()).status
    };
    // Under another's name (DNS rebinding), or none.
    assert_eq!(plant.gate.raw(b"GET /login HTTP/1.1\r\nHost: evil.example\r\nConnection: close\r\n\r\n").status, 421);
    assert_eq!(plant.gate.raw(b"GET /login HTTP/1.1\r\nConnection: close\r\n\r\n").status, 421);
    for path in [
        "/../../etc/passwd",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/style.css/../../../etc/passwd",
        "/first/..%2f..%2fetc%2fpasswd",
        "/.git/config",
    ] {
        let status = request(&format!("GET {path}"), "", "");
        assert!(matches!(status, 303 | 404 | 400), "{path}: {status}");
    }
    let long = "a".repeat(100_000);
    assert!(matches!(request(&format!("GET /{long}"), "", ""), 414 | 431), "a long path");
    let status = request("GET /login", &format!("X: {}\r\n", long.repeat(10)), "");
    assert!(matches!(status, 400 | 431), "a long header: {status}");
    let token = plant.token("administrator", &["read", "administer"]);
    let authorized = format!("Authorization: Bearer {token}\r\nContent-Type: application/json\r\n");
    for (body, status) in [
        (format!("{{\"name\":\"{}\",\"role\":\"viewer\"}}", "a".repeat(3_000_000)), 413),
        ("[".repeat(100_000), 422),
        ("{\"name\":".repeat(100_000), 422),
        ("{".to_owned(), 400),
        (String::new(), 400),
        ("{\"name\":\"x\",\"role\":\"king\"}".to_owned(), 422),
        ("{\"name\":\"x\",\"role\":\"viewer\",\"more\":1}".to_owned(), 422),
        ("{\"name\":7,\"role\":\"viewer\"}".to_owned(), 422),
        ("{\"name\":\"a\\u202eb\",\"role\":\"viewer\"}".to_owned(), 409),
    ] {
        let headers = format!("{authorized}Content-Length: {}\r\n", body.len());
        assert_eq!(request("POST /api/v1/accounts", &headers, &body), status, "{}", &body[..body.len().min(60)]);
    }
    assert_eq!(request("POST /api/v1/accounts", &format!("Authorization: Bearer {token}\r\nContent-Length: 2\r\n"), "{}"), 415);
    for (path, status) in [
        ("/api/v1/devices?limit=0", 400),
        ("/api/v1/devices?limit=1001", 400),
        ("/api/v1/devices?limit=x", 400),
        ("/api/v1/devices?filters=a", 400),
        ("/api/v1/devices?filter=nothing", 400),
        ("/api/v1/devices?after=zz", 404),
        ("/api/v1/devices/a-000000000000", 404),
        ("/api/v1/events?kind=party", 400),
        ("/api/v1/changes/WO-1", 404),
        ("/api/v1/nothing", 404),
        ("/api/v2/devices", 404),
        ("/api/v1/changes/a/rings/b/open", 405),
    ] {
        let answered = plant.gate.get(&Asker::token(&token), path);
        assert_eq!((answered.status, answered.header("content-type")), (status, Some("application/problem+json")), "{path}: {answered:?}");
    }
    // Nobody asks faster than that; others go on.
    let fast = plant.token("viewer", &["read"]);
    let statuses: Vec<u16> = (0..600).map(|_| plant.gate.get(&Asker::token(&fast), "/api/v1/me").status).collect();
    assert!(statuses.contains(&429) || statuses.iter().all(|status| *status == 200), "{statuses:?}");
    assert_eq!(plant.gate.get(&Asker::token(&token), "/api/v1/me").status, 200);
    // Three tokens were made, two of them here; nothing else left an entry.
    assert_eq!(plant.entries(), before + 2);
    plant.desk.ends(0);
}

#[test]
fn many_wrong_passwords_lock_the_account_for_a_while_and_fill_no_ledger() {
    let Some(product) = needed("many_wrong_passwords_lock_the_account_for_a_while_and_fill_no_ledger", Product::find()) else { return };
    let plant = Plant::new(&product);
    let before = plant.entries();
    let said: Vec<String> =
        (0..8).map(|number| plant.gate.log_in("engineer", &format!("wrong horse {number:4}")).expect_err("refused").body).collect();
    assert!(said[0].contains("name or password is wrong"), "{}", said[0]);
    assert!(said[7].contains("too many"), "{}", said[7]);
    // The right one helps nobody now, and the others are not held up.
    assert!(plant.gate.log_in("engineer", PASSWORD).expect_err("refused").body.contains("too many"));
    assert!(plant.gate.get(&plant.session("engineer"), "/api/v1/me").status == 200, "who is in stays in");
    let entries = plant.entries() - before;
    assert!(entries <= 4, "{entries} entries for 9 attempts");
    // An account that there is not is refused in the same words.
    let unknown = plant.gate.log_in("nobody", PASSWORD).expect_err("refused");
    assert!(unknown.body.contains("wrong") || unknown.body.contains("too many"), "{}", unknown.body);
}
