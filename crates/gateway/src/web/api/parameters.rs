//! A request's parameters behind the `?`: each name is known or refused, so that a mistyped filter never shows more than was asked for.

use std::str::FromStr;

use super::Problem;

/// What stands behind the `?`, decoded.
pub struct Parameters(Vec<(String, String)>);

impl Parameters {
    /// Parameters of a query, all of which have one of these names.
    ///
    /// # Errors
    /// 400, with the name that is not known.
    pub fn of(query: Option<&str>, known: &[&str]) -> Result<Self, Problem> {
        let pairs: Vec<(String, String)> = form_urlencoded::parse(query.unwrap_or_default().as_bytes()).into_owned().collect();
        match pairs.iter().find(|(name, _)| !known.contains(&name.as_str())) {
            Some((name, _)) => Err(Problem::bad(format!("there is no parameter {name:?}; there is {}", known.join(", ")))),
            None => Ok(Self(pairs)),
        }
    }

    /// A parameter that may stand there once.
    ///
    /// # Errors
    /// 400: it is twice there, or is no such value.
    pub fn one<T: FromStr<Err: std::fmt::Display>>(&self, name: &str) -> Result<Option<T>, Problem> {
        let mut all = self.all(name)?;
        let first = if all.is_empty() { None } else { Some(all.swap_remove(0)) };
        if all.is_empty() { Ok(first) } else { Err(Problem::bad(format!("{name} stands there more than once"))) }
    }

    /// A parameter that may be repeated.
    ///
    /// # Errors
    /// 400: one is no such value.
    pub fn all<T: FromStr<Err: std::fmt::Display>>(&self, name: &str) -> Result<Vec<T>, Problem> {
        let own = self.0.iter().filter(|(of, _)| of == name);
        own.map(|(_, value)| value.parse().map_err(|e| Problem::bad(format!("{name}={value:?}: {e}")))).collect()
    }
}
