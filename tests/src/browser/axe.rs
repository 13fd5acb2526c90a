//! axe-core (npm, MPL-2.0), which knows what people who do not see, or use no mouse, need of a page: WCAG 2.2 as rules.

use serde_json::Value;

use super::Page;
use crate::rig;

/// What it found, with the elements.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// The rule: `color-contrast`.
    pub rule: String,
    /// How bad: minor, moderate, serious, critical.
    pub impact: String,
    /// Why, and where: the first elements.
    pub why: String,
}

impl Finding {
    /// Whether somebody is shut out by it.
    #[must_use]
    pub fn is_serious(&self) -> bool {
        ["serious", "critical"].contains(&self.impact.as_str())
    }
}

/// Its text, to be given to [`findings`].
///
/// # Errors
/// That the rig is not installed.
pub fn rules() -> Result<String, String> {
    let file = rig::modules().join("axe-core").join("axe.min.js");
    std::fs::read_to_string(&file).map_err(|error| format!("{}: {error}: cargo xtask rig", file.display()))
}

/// What is wrong with a page as it is shown now.
///
/// # Errors
/// What was thrown.
pub fn findings(page: &Page<'_>, rules: &str) -> Result<Vec<Finding>, String> {
    if page.evaluate("typeof axe")? == "undefined" {
        page.evaluate(&format!("{rules}\n;0"))?;
    }
    let told = page.evaluate("axe.run(document, {resultTypes: ['violations']}).then(said => said.violations)")?;
    let violations = told.as_array().ok_or_else(|| format!("axe-core told {told}"))?;
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let finding = |one: &Value| {
        let nodes = one["nodes"].as_array().into_iter().flatten().take(2);
        let nodes: Vec<String> = nodes.map(|node| format!("{} ({})", text(&node["html"]), text(&node["failureSummary"]))).collect();
        Finding { rule: text(&one["id"]), impact: text(&one["impact"]), why: format!("{}: {}", text(&one["help"]), nodes.join("; ")) }
    };
    Ok(violations.iter().map(finding).collect())
}
