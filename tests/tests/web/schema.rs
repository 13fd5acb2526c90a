//! schemathesis, which reads the description and sends what it allows and what it forbids: no fault of the server, no answer that the description does
//! not have.

use std::process::Command;

use nameplate_tests::place::needed;
use nameplate_tests::product::{Product, run};
use nameplate_tests::rig;
use nameplate_tests::web::Asker;
use serde_json::json;

use super::Plant;

/// Seconds for each role; `NAMEPLATE_SCHEMA_SECONDS` has another number by hand, and then what is taken and refused is held against the description, too:
/// that differs with the chance of a run.
const SECONDS: &str = "15";
/// A fault of the server, or an answer that the description does not have.
const CHECKS: &str =
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,response_schema_conformance";

#[test]
fn no_request_that_schemathesis_makes_is_answered_otherwise_than_described() {
    let test = "no_request_that_schemathesis_makes_is_answered_otherwise_than_described";
    let tool = rig::python().with_file_name("schemathesis");
    let there = if tool.exists() { Ok(tool) } else { Err("schemathesis is not in the rig: cargo xtask rig".to_owned()) };
    let Some((product, tool)) = needed(test, Product::find().and_then(|product| Ok((product, there?)))) else { return };
    let plant = Plant::new(&product);
    let _ =
        plant.gate.json("POST", &plant.session("engineer"), "/api/v1/rounds", &json!({ "devices": ["x"], "order": "WO-1" })).expect(409);
    let by_hand = std::env::var("NAMEPLATE_SCHEMA_SECONDS").ok();
    let checks = if by_hand.is_some() { "all" } else { CHECKS };
    let seconds = by_hand.unwrap_or_else(|| SECONDS.to_owned());
    for (role, rights) in [
        ("engineer", &["read", "ask", "record"][..]),
        ("approver", &["read", "approve"]),
        ("administrator", &["read", "audit", "administer"]),
    ] {
        let token = plant.token(role, rights);
        let mut command = Command::new(&tool);
        command
            .args(["run", &format!("{}/api/v1/openapi.json", plant.gate.origin()), "--rate-limit", "45/s", "--max-time", &seconds])
            // It waits for the end of what has none; `news` has that one.
            .args(["--exclude-path", "/api/v1/stream"])
            .args([
                "--header",
                &format!("Authorization: Bearer {token}"),
                "--seed",
                "1",
                "--no-color",
                "--suppress-health-check",
                "all",
                "--checks",
                checks,
            ])
            .current_dir(plant.folder.path());
        let ended = run(&mut command);
        let summary: Vec<&str> = ended.out.lines().filter(|line| line.contains("generated") || line.contains("Tested")).collect();
        println!("{role}: {summary:?}");
        assert_eq!(ended.code, 0, "{role}: {}\n{}", ended.out, ended.err);
    }
    assert_eq!(plant.gate.get(&Asker::nobody(), "/api/v1/health/live").status, 200);
}
