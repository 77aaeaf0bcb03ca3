//! Requests whose body decides whether they reach ML, and what in the body decides it.
//!
//! Nothing here reads JSON: `inspection` does, and tells a [`Judge`] what it finds.

mod document;
mod judge;
mod restore;
mod routes;
mod script;
mod settings;

use http::Method;

pub use document::Document;
pub use judge::{Judge, Scalar, shown};

use super::index_names::{Hidden, list_reaches_ml};
use super::query::{hidden, values};
use crate::policy::classify::segments::{Letters, Segments};
use crate::policy::classify::{Perimeter, readings};
use crate::policy::target::{Oddity, Target};

/// A request that reaches ML if its body says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// What it falls under then.
    pub rule: Perimeter,
    pub reading: Reading,
    /// Why reading the body would not be enough.
    pub doubt: Option<Doubt>,
    hidden: Hidden,
}

/// What no reading of the body can settle.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Doubt {
    /// The body may stand in the query, as `source`.
    SourceInQuery,
    /// Another parser may read a path whose body means something else.
    OtherPath,
}

/// How the body is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Lines: actions that may name an index, and sources that do not count.
    Bulk,
    /// One JSON value.
    Document(&'static Document),
}

/// What the body of `method` on `target` may decide; `None` for all requests that write to no index by their body.
///
/// Where another parser may read another path, what that one would do counts as well.
pub fn inspection(method: &Method, target: Target<'_>) -> Option<Inspection> {
    if !matches!(*method, Method::POST | Method::PUT) {
        return None;
    }
    let path = target.path().as_bytes();
    let as_it_stands = Segments::split(path);
    let mut found = routes::find(&as_it_stands, Letters::Exact);
    let mut differs = false;
    let mut consider = |segments: &Segments<'_>| match (found, routes::find(segments, Letters::Folded)) {
        (None, other) => found = other,
        (Some(one), Some(other)) => differs |= one != other,
        (Some(_), None) => {}
    };
    match target.oddity() {
        Oddity::None => {}
        Oddity::Letters => consider(&as_it_stands),
        Oddity::Structure => readings::each(path, consider),
    }
    let (reading, rule) = found?;
    let in_query = values(target.query(), "source").next().is_some();
    let doubt = if differs { Some(Doubt::OtherPath) } else { in_query.then_some(Doubt::SourceInQuery) };
    Some(Inspection { rule, reading, doubt, hidden: hidden(target.query()) })
}

impl Inspection {
    /// Whether an action line of a bulk that names `index` writes to ML. The empty name is none.
    pub fn bulk_index_reaches_ml(&self, index: &str) -> bool {
        !index.is_empty() && list_reaches_ml(index.as_bytes(), self.hidden, Letters::Exact)
    }

    /// Whether a request without a body is to be judged too.
    pub fn judges_no_body(&self) -> bool {
        self.doubt.is_some()
            || match self.reading {
                Reading::Bulk => false,
                Reading::Document(document) => document.restores,
            }
    }
}

#[cfg(test)]
mod tests;
