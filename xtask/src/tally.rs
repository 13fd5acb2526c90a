//! What passed, what failed, and what could not run; the closing line.

use std::collections::BTreeMap;

/// The count of one run. A test counts as one, and so does a lint step.
#[derive(Default)]
pub struct Tally {
    passed: u64,
    failed: u64,
    /// Tests that the runner left out (`#[ignore]`).
    ignored: u64,
    ignored_names: Vec<String>,
    /// What could not run here, and why.
    not_run: BTreeMap<String, String>,
    /// What failed besides tests, which the runner names itself.
    failures: Vec<String>,
    /// In CI what could not run has failed.
    strict: bool,
}

impl Tally {
    pub fn new(strict: bool) -> Self {
        Self { strict, ..Self::default() }
    }

    /// Takes in a step that either went well or did not.
    pub fn step(&mut self, outcome: Result<(), String>) {
        match outcome {
            Ok(()) => self.passed += 1,
            Err(why) => self.failure(why),
        }
    }

    /// Something failed that no test runner counts.
    pub fn failure(&mut self, why: String) {
        self.failed += 1;
        self.failures.push(why);
    }

    /// Something could not run on this machine.
    pub fn not_run(&mut self, what: &str, why: &str) {
        self.not_run.insert(what.to_owned(), why.to_owned());
    }

    /// Takes in what a test runner counted. A runner that ended badly without a failed test (it did not
    /// compile, it was killed) is a failure of its own.
    pub fn tests(&mut self, runner: Result<(), String>, counted: Counted) {
        self.passed += counted.passed;
        self.failed += counted.failed;
        self.ignored += counted.ignored;
        self.ignored_names.extend(counted.ignored_names);
        if let Err(why) = runner
            && counted.failed == 0
        {
            self.failure(why);
        }
    }

    /// Takes in the lines that tests left because they could not run: the runner counted those as passed.
    pub fn skips(&mut self, text: &str) {
        for line in text.lines().filter_map(|line| line.trim().strip_prefix("skipped:")) {
            let (test, why) = line.trim().split_once(": ").unwrap_or((line.trim(), ""));
            if self.not_run.insert(test.to_owned(), why.to_owned()).is_none() {
                self.passed = self.passed.saturating_sub(1);
            }
        }
    }

    /// Names what failed and what could not run, then the closing line; whether all is well.
    pub fn close(&self) -> (String, bool) {
        let mut text = String::new();
        for why in &self.failures {
            text.push_str(&format!("failed: {why}\n"));
        }
        for (what, why) in &self.not_run {
            text.push_str(&format!("skipped: {what}: {why}\n"));
        }
        for name in &self.ignored_names {
            text.push_str(&format!("skipped: {name}: left out by its author\n"));
        }
        let could_not = self.not_run.len() as u64;
        let (mut failed, mut skipped) = (self.failed, self.ignored);
        if self.strict && could_not > 0 {
            text.push_str("failed: CI is set, and something could not run\n");
            failed += could_not;
        } else {
            skipped += could_not;
        }
        text.push_str(&format!("{} passed, {failed} failed, {skipped} skipped", self.passed));
        (text, failed == 0)
    }
}

/// What one test runner said about itself.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Counted {
    pub passed: u64,
    pub failed: u64,
    pub ignored: u64,
    pub ignored_names: Vec<String>,
}

impl Counted {
    /// One line of `cargo nextest run`: its summary (`Summary [ 1.2s] 5 tests run: 4 passed (1 slow), 1 timed out, 2 skipped`), or a
    /// test it left out (`SKIP [ ] (1/2) nameplate-wire::reading a_name`).
    pub fn nextest(&mut self, line: &str) {
        let line = line.trim();
        if let Some(rest) = line.strip_prefix("SKIP [") {
            let name = rest.split_once(']').map_or(rest, |(_, name)| name).trim();
            self.ignored_names.push(name.rsplit(") ").next().unwrap_or(name).trim().to_owned());
        } else if let Some((_, counts)) = line.strip_prefix("Summary [").and_then(|rest| rest.split_once("run: ")) {
            (self.passed, self.failed, self.ignored) = (0, 0, 0);
            for (count, word) in counts.split(',').filter_map(|part| part.trim().split_once(' ')) {
                // Inside brackets stands what is counted already: `4 passed (1 slow, 1 leaky)`.
                self.add(count.parse().unwrap_or(0), word.split(" (").next().unwrap_or(word));
            }
        }
    }

    /// One line of `cargo test`: `test result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s`, or
    /// `test a_name ... ignored`. One such result a test binary; they add up.
    pub fn libtest(&mut self, line: &str) {
        if let Some((_, counts)) = line.strip_prefix("test result: ").and_then(|rest| rest.split_once(". ")) {
            for (count, word) in counts.split(';').filter_map(|part| part.trim().split_once(' ')) {
                self.add(count.parse().unwrap_or(0), word);
            }
        } else if let Some((name, _)) = line.strip_prefix("test ").and_then(|rest| rest.split_once(" ... ignored")) {
            self.ignored_names.push(name.to_owned());
        }
    }

    fn add(&mut self, count: u64, word: &str) {
        match word {
            "passed" => self.passed += count,
            "skipped" | "ignored" => self.ignored += count,
            "failed" | "timed out" | "exec failed" | "setup script failed" => self.failed += count,
            _ => {}
        }
    }
}

/// Seconds that the tests took whose binaries' names begin so, by a report of `cargo nextest` in JUnit's form: `<testcase name="a_name"
/// classname="nameplate-tests::browser" timestamp="..." time="2.207">`.
pub fn seconds(report: &str, binaries: &str) -> f64 {
    let value = |case: &str, key: &str| Some(case.split_once(&format!(" {key}=\""))?.1.split('"').next()?.to_owned());
    let cases = report.split("<testcase").skip(1).filter_map(|case| case.split('>').next());
    let of = cases.filter(|case| value(case, "classname").is_some_and(|name| name.starts_with(binaries)));
    of.filter_map(|case| value(case, "time")?.parse::<f64>().ok()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(read: fn(&mut Counted, &str), text: &str) -> (u64, u64, u64, Vec<String>) {
        let mut counted = Counted::default();
        text.lines().for_each(|line| read(&mut counted, line));
        (counted.passed, counted.failed, counted.ignored, counted.ignored_names)
    }

    #[test]
    fn what_a_runner_says_is_counted() {
        let nextest: fn(&mut Counted, &str) = Counted::nextest;
        let libtest: fn(&mut Counted, &str) = Counted::libtest;
        let cases = [
            (nextest, "     Summary [   0.003s] 2 tests run: 2 passed, 0 skipped", (2, 0, 0, vec![])),
            (
                nextest,
                "Summary [ 61.0s] 9/11 tests run: 5 passed (1 slow, 1 leaky), 2 failed, 1 timed out, 1 exec failed, 3 skipped",
                (5, 4, 3, vec![]),
            ),
            (
                nextest,
                "  SKIP [         ] (1/2) nameplate-wire reading::a_name\nSummary [ 1s] 1 test run: 1 passed, 1 skipped",
                (1, 0, 1, vec!["nameplate-wire reading::a_name".to_owned()]),
            ),
            (nextest, "a test's own output: 3 tests run: 3 passed", (0, 0, 0, vec![])),
            (
                libtest,
                "test a_name ... ignored\ntest result: ok. 3 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.01s",
                (3, 0, 1, vec!["a_name".to_owned()]),
            ),
            (
                libtest,
                "test result: ok. 3 passed; 0 failed; 0 ignored; 0 measured\ntest result: FAILED. 1 passed; 2 failed; 0 ignored",
                (4, 2, 0, vec![]),
            ),
        ];
        for (read, text, expected) in cases {
            assert_eq!(counted(read, text), expected, "{text}");
        }
    }

    #[test]
    fn the_time_of_some_binaries_is_added_up() {
        let report = r#"<testsuites time="9"><testsuite name="t::browser"><testcase name="a" classname="t::browser" time="1.500">
            </testcase></testsuite><testcase name="b" classname="t::browser_reports" timestamp="x" time="2.25"/><testcase name="c" classname="t::ask" time="4"/>"#;
        assert!((seconds(report, "t::browser") - 3.75).abs() < 1e-9);
        assert!(seconds("", "t::browser").abs() < 1e-9);
    }

    fn closing(strict: bool, passed: u64, failed: u64, skips: &str) -> (String, bool) {
        let mut tally = Tally::new(strict);
        tally.tests(if failed == 0 { Ok(()) } else { Err("runner".to_owned()) }, Counted { passed, failed, ..Counted::default() });
        tally.skips(skips);
        let (text, well) = tally.close();
        (text.lines().last().unwrap_or_default().to_owned(), well)
    }

    #[test]
    fn the_closing_line_counts_what_could_not_run_and_ci_forgives_none() {
        let cases = [
            (false, 5, 0, "", "5 passed, 0 failed, 0 skipped", true),
            (false, 5, 1, "", "5 passed, 1 failed, 0 skipped", false),
            (false, 5, 0, "skipped: heard: no ../shared\n", "4 passed, 0 failed, 1 skipped", true),
            (false, 5, 0, "skipped: heard: no ../shared\nskipped: heard: again\n", "4 passed, 0 failed, 1 skipped", true),
            (true, 5, 0, "skipped: heard: no ../shared\n", "4 passed, 1 failed, 0 skipped", false),
        ];
        for (strict, passed, failed, skips, line, well) in cases {
            assert_eq!(closing(strict, passed, failed, skips), (line.to_owned(), well), "{skips}");
        }
    }

    #[test]
    fn a_runner_that_dies_without_a_failed_test_is_a_failure() {
        let mut tally = Tally::new(false);
        tally.tests(Err("tests: exit status: 101".to_owned()), Counted::default());
        assert_eq!(tally.close(), ("failed: tests: exit status: 101\n0 passed, 1 failed, 0 skipped".to_owned(), false));
    }
}
