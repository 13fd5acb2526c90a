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

    /// A place to go on from, which an answer before named.
    ///
    /// # Errors
    /// 404: there is no such place.
    pub fn place<T: FromStr<Err: std::fmt::Display>>(&self, name: &str) -> Result<Option<T>, Problem> {
        let said = self.one::<String>(name)?.filter(|said| !said.is_empty());
        said.map(|said| said.parse().map_err(|e| Problem::missing(format!("{name}={said:?}: {e}")))).transpose()
    }

    /// A number, as JSON's readers elsewhere can hold it: 0 to 2^63 - 1.
    ///
    /// # Errors
    /// 400: it is twice there, or is no such number.
    pub fn number(&self, name: &str) -> Result<Option<u64>, Problem> {
        let number = self.one::<i64>(name)?;
        number.map(|number| u64::try_from(number).map_err(|_| Problem::bad(format!("{name} is 0 or more")))).transpose()
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
