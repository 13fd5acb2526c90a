//! Every path and method of the description, by everybody: exactly those with the right that the description names are let through.

use nameplate_tests::place::needed;
use nameplate_tests::product::Product;
use nameplate_tests::web::{Answered, Asker};
use serde_json::{Value, json};

use super::{Plant, ROLES, patient};

/// Pages, each with the right that it needs.
const PAGES: [(&str, &str); 19] = [
    ("/", "read"),
    ("/devices", "read"),
    ("/changes", "read"),
    ("/findings", "read"),
    ("/findings/7", "read"),
    ("/advisories", "read"),
    ("/advisories/7", "read"),
    ("/baselines", "read"),
    ("/baselines/7", "read"),
    ("/map", "read"),
    ("/settings", "audit"),
    ("/imports", "record"),
    ("/reports", "read"),
    ("/observations/7", "read"),
    ("/own", "read"),
    ("/questions", "audit"),
    ("/log", "audit"),
    ("/accounts", "audit"),
    ("/devices/7/questions", "audit"),
];
/// Forms of pages, each with the right that it needs.
const FORMS: [(&str, &str); 17] = [
    ("/devices/7/read", "ask"),
    ("/devices/7/evidence", "audit"),
    ("/changes/7/evidence", "audit"),
    ("/accounts", "administer"),
    ("/accounts/7", "administer"),
    ("/imports/devices", "record"),
    ("/imports/7", "record"),
    ("/imports/host-patches", "record"),
    ("/imports/update", "record"),
    ("/devices/compare", "read"),
    ("/devices/views", "read"),
    ("/changes", "record"),
    ("/changes/7", "read"),
    ("/baselines", "read"),
    ("/baselines/7", "read"),
    ("/own/tokens", "read"),
    ("/own/password", "read"),
];
/// What stands for the parts of a path; there is none of that name.
const NAMED: &str = "7";

/// A row of the description: method, path, and the right that it needs; `None` where nobody has to be known.
struct Row {
    method: String,
    path: String,
    right: Option<String>,
    /// Somebody with a token is taken, too.
    by_token: bool,
}

fn rows(description: &Value) -> Vec<Row> {
    let mut rows = Vec::new();
    for (path, methods) in description["paths"].as_object().expect("paths") {
        let mut filled = String::new();
        for part in path.split_inclusive(['{', '}']) {
            match part.strip_suffix('}') {
                Some(_) => filled += NAMED,
                None => filled += part.trim_end_matches('{'),
            }
        }
        for (method, operation) in methods.as_object().expect("methods") {
            let security = operation["security"].as_array().expect("each operation says who may");
            let right = |way: &str| security.iter().find_map(|one| one[way][0].as_str());
            rows.push(Row {
                method: method.to_uppercase(),
                path: filled.clone(),
                right: right("session").map(str::to_owned),
                by_token: right("token").is_some(),
            });
        }
    }
    rows
}

/// What was let through to the function that answers: whatever that says is no refusal of the person.
fn is_let_through(answered: &Answered) -> bool {
    !matches!(answered.status, 401 | 403)
}

#[test]
fn exactly_those_with_the_right_are_let_through() {
    let Some(product) = needed("exactly_those_with_the_right_are_let_through", Product::find()) else { return };
    let plant = Plant::new(&product);
    let description = plant.gate.get(&Asker::nobody(), "/api/v1/openapi.json").expect(200).json();
    let rows = rows(&description);
    assert!(rows.len() >= 25, "{}", rows.len());
    let tokens: Vec<(String, &[&str])> = ROLES.iter().map(|(role, rights)| (plant.token(role, rights), *rights)).collect();
    let weak = plant.token("administrator", &["read"]);
    let foreign = |role: &str| Asker { origin: Some("https://evil.example".to_owned()), ..plant.session(role) };
    let once = |asker: &Asker, row: &Row| match row.method.as_str() {
        "GET" if row.path.ends_with("/stream") => plant.gate.get(asker, &format!("{}?seconds=0", row.path)),
        "GET" => plant.gate.get(asker, &row.path),
        method => plant.gate.json(method, asker, &row.path, &json!({})),
    };
    let send = |asker: &Asker, row: &Row| patient(|| once(asker, row));
    let before = plant.entries();
    let mut looked = 0;
    let mut check = |asker: &Asker, row: &Row, status: Option<u16>, who: &str| {
        looked += 1;
        let answered = send(asker, row);
        let told = || format!("{who}: {} {}: {answered:?}", row.method, row.path);
        match status {
            Some(status) => {
                assert_eq!(answered.status, status, "{}", told());
                assert_eq!(answered.header("content-type"), Some("application/problem+json"), "{}", told());
            }
            None => assert!(is_let_through(&answered) && answered.status < 500, "{}", told()),
        }
    };
    for row in &rows {
        let Some(right) = row.right.as_deref() else {
            check(&Asker::nobody(), row, None, "nobody");
            continue;
        };
        check(&Asker::nobody(), row, Some(401), "nobody");
        for wrong in ["np_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "", "np_", &tokens[0].0[1..]] {
            check(&Asker::token(wrong), row, Some(401), "a wrong token");
        }
        check(&Asker { cookie: Some("session=AAAA".to_owned()), ..Asker::nobody() }, row, Some(401), "a wrong cookie");
        // A token of ours behind a wrong one counts for nothing, and a cookie behind a wrong token neither.
        let both = Asker { authorization: Some("Bearer np_x".to_owned()), ..plant.session("administrator") };
        check(&both, row, Some(401), "a wrong token before a cookie");
        if right != "read" {
            check(&Asker::token(&weak), row, Some(403), "a token with fewer rights than its role");
        }
        for ((role, rights), (token, _)) in ROLES.iter().zip(&tokens) {
            let may = rights.contains(&right);
            if row.method != "GET" {
                // Who may not is refused as such; who may is refused for where it comes from.
                check(&foreign(role), row, Some(403), &format!("{role} from a foreign page"));
                check(&Asker { origin: None, ..plant.session(role) }, row, Some(403), &format!("{role} from nowhere"));
            }
            if !may {
                check(&plant.session(role), row, Some(403), role);
                check(&Asker::token(token), row, Some(403), &format!("token of {role}"));
            }
        }
    }
    assert_eq!(plant.entries(), before, "what is refused leaves no entry");
    for row in rows.iter().filter(|row| row.right.is_some()) {
        for ((role, rights), (token, _)) in ROLES.iter().zip(&tokens) {
            if row.right.as_deref().is_some_and(|right| rights.contains(&right)) {
                check(&plant.session(role), row, None, role);
                if row.by_token {
                    check(&Asker::token(token), row, None, &format!("token of {role}"));
                }
            }
        }
    }
    println!("{} rows of the description, {looked} requests by {} askers: 0 bypasses", rows.len(), ROLES.len() * 4 + 8);
}

#[test]
fn pages_and_their_forms_are_for_those_with_the_right() {
    let Some(product) = needed("pages_and_their_forms_are_for_those_with_the_right", Product::find()) else { return };
    let plant = Plant::new(&product);
    let foreign = |role: &str| Asker { origin: Some("https://evil.example".to_owned()), ..plant.session(role) };
    for (path, right) in PAGES {
        assert_eq!(plant.gate.get(&Asker::nobody(), path).status, 303, "{path}");
        for (role, rights) in ROLES {
            let answered = plant.gate.get(&plant.session(role), path);
            assert_eq!(answered.status != 403, rights.contains(&right), "{role}: {path}: {answered:?}");
        }
    }
    for (path, right) in FORMS {
        assert_eq!(plant.gate.form(&Asker::nobody(), path, &[]).status, 303, "{path}");
        for (role, rights) in ROLES {
            assert_eq!(plant.gate.form(&foreign(role), path, &[]).status, 403, "{role}: {path}");
            let answered = plant.gate.form(&plant.session(role), path, &[]);
            assert!((answered.status != 403) == rights.contains(&right) && answered.status < 500, "{role}: {path}: {answered:?}");
        }
    }
}
