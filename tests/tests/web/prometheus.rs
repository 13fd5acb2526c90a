//! Prometheus, for real: it scrapes the gateway with a token of its own, raises the alerts that we ship, and its own tool finds nothing to say about the metrics.

use std::io::Write;
use std::process::{Command, Stdio};

use nameplate_tests::place::{needed, root};
use nameplate_tests::process::Process;
use nameplate_tests::product::Product;
use nameplate_tests::web::{Asker, Gate};

use super::Plant;

/// How often is looked whether it has scraped.
const TRIES_MAX: usize = 50_000;

#[test]
fn prometheus_scrapes_and_raises_the_alerts_that_we_ship() {
    let test = "prometheus_scrapes_and_raises_the_alerts_that_we_ship";
    let Some(product) = needed(test, Product::find()) else { return };
    let started = Command::new("prometheus").arg("--version").output().map(drop).map_err(|_| "prometheus is not installed".to_owned());
    let Some(()) = needed(test, started) else { return };
    let plant = Plant::new(&product);
    let token = plant.folder.file("token", plant.token("viewer", &["read"]));
    let rules = root().join("packaging/prometheus/nameplate.rules.yml");
    let scrape = format!(
        "global: {{ scrape_interval: 100ms, evaluation_interval: 100ms }}\nrule_files: [{rules:?}]\nscrape_configs:\n  - job_name: nameplate\n    \
         metrics_path: /api/v1/metrics\n    authorization: {{ credentials_file: {token:?} }}\n    static_configs: [{{ targets: [{:?}] }}]\n",
        plant.gate.at.to_string()
    );
    let config = plant.folder.file("prometheus.yml", scrape);
    let storage = plant.folder.path().join("prometheus");
    let mut command = Command::new("prometheus");
    command.arg(format!("--config.file={config}")).arg(format!("--storage.tsdb.path={}", storage.display()));
    command.arg("--web.listen-address=127.0.0.1:0");
    let mut prometheus = Process::start(command);
    let said = prometheus.says("msg=\"Listening on\"");
    let prometheus_at = Gate::of(said.rsplit("address=").next().expect("an address").trim());
    let value = |query: &str| {
        let answered = prometheus_at.get(&Asker::nobody(), &format!("/api/v1/query?query={query}"));
        // It listens before it has opened its storage, and until then answers so.
        if answered.status == 503 {
            return None;
        }
        answered.expect(200).json()["data"]["result"][0]["value"][1].as_str().map(str::to_owned)
    };
    let comes = |query: &str| std::iter::repeat_with(|| value(query)).take(TRIES_MAX).flatten().next();
    // The sheet's three devices, which nobody read.
    assert_eq!(comes("nameplate_devices").as_deref(), Some("3"));
    assert_eq!(value("up").as_deref(), Some("1"));
    assert_eq!(value("nameplate_ledger_writes").as_deref(), Some("1"));
    assert_eq!(value("nameplate_field_up").as_deref(), Some("0"), "there is no field side here");
    let alerting = comes("ALERTS%7Balertname=%22NameplateFieldSideGone%22%7D");
    assert_eq!(alerting.as_deref(), Some("1"), "and the alert for that waits its five minutes");

    let mut lint = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool");
    let metrics = plant.gate.get(&Asker::token(&plant.token("viewer", &["read"])), "/api/v1/metrics").expect(200).body;
    lint.stdin.take().expect("a pipe").write_all(metrics.as_bytes()).expect("written");
    let linted = lint.wait_with_output().expect("an end");
    assert!(linted.status.success() && linted.stderr.is_empty(), "{}", String::from_utf8_lossy(&linted.stderr));
    let checked = Command::new("promtool").args(["check", "rules"]).arg(&rules).output().expect("promtool");
    assert!(checked.status.success(), "{}", String::from_utf8_lossy(&checked.stdout));
}
