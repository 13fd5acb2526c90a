//! Live news: nothing is missed, streams are few, and they end with the session and with the desk.

use nameplate_tests::place::needed;
use nameplate_tests::product::Product;
use nameplate_tests::web::{Answered, Asker};
use serde_json::{Value, json};

use super::Plant;
use super::rooms::advised;

/// Events of a stream: their ids and what they tell.
fn events(answered: &Answered) -> Vec<(u64, Value)> {
    let mut id = 0;
    let mut all = Vec::new();
    for line in answered.body.lines() {
        if let Some(said) = line.strip_prefix("id: ") {
            id = said.parse().expect("a number");
        } else if let Some(said) = line.strip_prefix("data: ") {
            all.push((id, serde_json::from_str(said).expect("JSON")));
        }
    }
    all
}

#[test]
fn who_says_what_came_last_is_told_all_that_came_since() {
    let Some(product) = needed("who_says_what_came_last_is_told_all_that_came_since", Product::find()) else { return };
    let plant = advised(&product);
    let token = plant.token("viewer", &["read"]);
    let viewer = Asker::token(&token);
    let get = |path: &str| plant.gate.get(&viewer, path);
    let all = get("/api/v1/stream?seconds=0&after=0").expect(200);
    assert_eq!((all.header("content-type"), all.header("cache-control")), (Some("text/event-stream"), Some("no-store")));
    let told = events(&all);
    let [(last, news)] = told.as_slice() else { panic!("{told:?}") };
    assert_eq!((*last, news["devices"].as_array().map(Vec::len), news["size"].clone()), (plant.entries() - 1, Some(3), json!(last + 1)));
    // Nothing is new; then something is, and no device.
    assert_eq!(events(&get(&format!("/api/v1/stream?seconds=0&after={last}")).expect(200)), []);
    assert_eq!(events(&get("/api/v1/stream?seconds=0").expect(200)), []);
    let _ = plant.token("viewer", &["read"]);
    let raw = |last: &str| {
        let request = format!(
            "GET /api/v1/stream?seconds=0 HTTP/1.1\r\nHost: {}\r\nConnection: close\r\nAuthorization: Bearer {token}\r\nLast-Event-ID: {last}\r\n\r\n",
            plant.gate.at
        );
        plant.gate.raw(request.as_bytes())
    };
    let told = events(&raw(&last.to_string()).expect(200));
    assert_eq!((told.len(), told[0].0, told[0].1["devices"].clone()), (1, last + 1, json!([])), "{told:?}");
    // Who was told of more than there is had another ledger.
    assert_eq!(events(&raw("123456").expect(200))[0].1["devices"].as_array().map(Vec::len), Some(3));
    for (last, status) in [("x", 400), ("-1", 400), ("99999999999999999999999", 400)] {
        assert_eq!(raw(last).status, status, "{last}");
    }
    for (path, status) in [("/api/v1/stream?seconds=3601", 400), ("/api/v1/stream?seconds=-1", 400), ("/api/v1/stream?since=1", 400)] {
        assert_eq!(get(path).status, status, "{path}");
    }
}

#[test]
fn streams_are_few_and_end_with_the_session_and_with_the_desk() {
    let Some(product) = needed("streams_are_few_and_end_with_the_session_and_with_the_desk", Product::find()) else { return };
    let mut plant = Plant::new(&product);
    let open = |asker: &Asker| plant.gate.open(asker, "/api/v1/stream");
    let viewer = plant.session("viewer");
    let streams: Vec<_> = (0..4).map(|_| open(&viewer)).collect();
    assert!(streams.iter().all(|stream| stream.status == 200));
    assert_eq!(open(&viewer).status, 429, "a fifth of one account");
    let engineer = open(&plant.session("engineer"));
    assert_eq!(engineer.status, 200, "others have places of their own");
    // Who logs out is told nothing any more.
    assert_eq!(plant.gate.form(&viewer, "/logout", &[]).status, 303);
    for stream in streams {
        assert!(stream.rest().is_some(), "it ended");
    }
    plant.desk.ends(0);
    assert!(engineer.rest().is_some(), "it ended with the desk");
}
