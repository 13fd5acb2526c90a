//! What somebody typed into a form: each field is known or refused, as with parameters of the API.

use super::Problem;

/// Fields and what they hold, as they came.
#[derive(Default)]
pub struct Said(Vec<(String, String)>);

impl Said {
    /// Fields of a form's body, all of which have one of these names.
    ///
    /// # Errors
    /// 400, with the name that is not known.
    pub fn of(body: &str, known: &[&str]) -> Result<Self, Problem> {
        let pairs: Vec<(String, String)> = form_urlencoded::parse(body.as_bytes()).into_owned().collect();
        match pairs.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((name, _)) => Err(Problem::bad(format!("there is no field {name:?} in this form"))),
            None => Ok(Self(pairs)),
        }
    }

    /// All values of a field, without those that are empty.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a String> {
        self.0.iter().filter(move |(own, value)| own == name && !value.trim().is_empty()).map(|(_, value)| value)
    }

    /// A field's text; empty where there is none.
    pub fn text(&self, name: &str) -> String {
        self.option(name).unwrap_or_default()
    }

    /// A field's text, where there is one.
    pub fn option(&self, name: &str) -> Option<String> {
        self.all(name).next().map(|value| value.trim().to_owned())
    }

    /// Whether a box was ticked so.
    pub fn has(&self, name: &str, value: &str) -> bool {
        self.all(name).any(|own| own == value)
    }

    /// Lines, without those that are empty.
    pub fn lines(&self, name: &str) -> Vec<String> {
        self.all(name).flat_map(|value| value.lines()).map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect()
    }

    /// Words between blanks, commas and line ends.
    pub fn words(&self, name: &str) -> Vec<String> {
        let words = |value: &'_ String| value.split([' ', ',', ';', '\n', '\r', '\t']).map(str::to_owned).collect::<Vec<_>>();
        self.all(name).flat_map(words).filter(|word| !word.is_empty()).collect()
    }

    /// A time as a browser's field for times has it, `2026-03-02T22:00`, which is meant in UTC; or as somebody wrote it in full.
    pub fn time(&self, name: &str) -> Option<String> {
        let text = self.option(name)?;
        let seconds = match text.len() {
            16 => ":00Z",
            19 => "Z",
            _ => "",
        };
        Some(text + seconds)
    }

    /// A number; 0 where there is none.
    ///
    /// # Errors
    /// 400: it is no number.
    pub fn number(&self, name: &str) -> Result<u32, Problem> {
        let text = self.option(name);
        text.map_or(Ok(0), |text| text.parse().map_err(|_| Problem::bad(format!("{name}: {text:?} is no number"))))
    }
}
