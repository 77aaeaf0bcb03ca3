//! Which ML operation a request asks for, by Elasticsearch's own route rules.

pub(super) mod percent;
pub(super) mod readings;
mod routes;
pub(super) mod segments;

use http::Method;

use super::operation::{Demand, Operation, UpgradeRule};
use super::perimeter;
use super::target::{Oddity, Target, TargetProblem};
use routes::Found;
use segments::{Letters, Segments};

/// What a request reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Classified {
    /// An endpoint of the table.
    Ml(&'static Operation),
    /// A request that reaches ML without an `_ml` path.
    Perimeter(Perimeter),
    /// Any other API.
    Other,
}

/// A rule of the perimeter that a request falls under.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Perimeter {
    /// The rule, such as `feature_reset` or `ml_index_write`, for logs and metrics.
    pub rule: &'static str,
    pub demand: Demand,
    pub upgrade_mode: UpgradeRule,
}

/// Why a request is answered by the gateway itself, without a caller being asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unroutable {
    /// 400: refused before or while classifying.
    Target(TargetProblem),
    /// 400 `no handler found for uri [..] and method [..]`.
    NoHandler,
    /// 405 with the methods that the path has, sorted.
    MethodNotAllowed(Vec<&'static str>),
    /// `OPTIONS` on a path of the table: 200 with `Allow`, sorted.
    Options(Vec<&'static str>),
}

/// Finds what `method` on `target` reaches.
///
/// An ML path outside the table is refused, whatever the method: below `/_ml` Elasticsearch would serve it as an index
/// API. So is a target that another parser could read as ML where Elasticsearch does not, or as an ML request that
/// asks for more than the one that Elasticsearch reads.
///
/// # Errors
/// Requests that Elasticsearch would refuse, or that another parser could read differently.
///
/// Source: `RestController.dispatchRequest`, `PathTrie.retrieve`.
pub fn classify(method: &Method, target: Target<'_>) -> Result<Classified, Unroutable> {
    let request = Request { method: method.as_str(), query: target.query() };
    let path = target.path().as_bytes();
    let segments = Segments::split(path);
    let found = request.reaches(&segments, Letters::Exact)?;
    let is_ambiguous = match target.oddity() {
        Oddity::None => false,
        Oddity::Letters => request.differs(&segments, found),
        Oddity::Structure => readings::any(path, |segments| request.differs(segments, found)),
    };
    if is_ambiguous { Err(Unroutable::Target(TargetProblem::AmbiguousMl)) } else { Ok(found) }
}

struct Request<'a> {
    method: &'a str,
    query: Option<&'a str>,
}

impl Request<'_> {
    fn reaches(&self, segments: &Segments<'_>, letters: Letters) -> Result<Classified, Unroutable> {
        let unknown = match Area::of(segments, letters) {
            Area::Elsewhere => return Ok(self.reaches_outside(segments, letters)),
            Area::OnlyMl => Err(Unroutable::NoHandler),
            Area::Shared => Ok(Classified::Other),
        };
        match routes::find(self.method, segments, letters) {
            Found::Operation(operation) => Ok(Classified::Ml(operation)),
            Found::OtherMethods(methods) if self.method == "OPTIONS" => Err(Unroutable::Options(methods)),
            Found::OtherMethods(methods) => Err(Unroutable::MethodNotAllowed(methods)),
            Found::Nothing => unknown,
        }
    }

    fn reaches_outside(&self, segments: &Segments<'_>, letters: Letters) -> Classified {
        perimeter::find(self.method, segments, self.query, letters).map_or(Classified::Other, Classified::Perimeter)
    }

    /// Whether another reading of the path reaches ML where the path as it stands does not, or asks for more than it.
    fn differs(&self, segments: &Segments<'_>, found: Classified) -> bool {
        match self.reaches(segments, Letters::Folded) {
            Ok(reading) => asks_for_more(reading, found),
            Err(Unroutable::NoHandler | Unroutable::Target(_)) => false,
            Err(Unroutable::MethodNotAllowed(_) | Unroutable::Options(_)) => !matches!(found, Classified::Ml(_)),
        }
    }
}

/// Whether there may be callers who may do `found` and may not do `reading`.
fn asks_for_more(reading: Classified, found: Classified) -> bool {
    let asks = |classified| match classified {
        Classified::Ml(operation) => Some((operation.demand, operation.upgrade_mode)),
        Classified::Perimeter(perimeter) => Some((perimeter.demand, perimeter.upgrade_mode)),
        Classified::Other => None,
    };
    match (asks(reading), asks(found)) {
        (None, _) => false,
        (Some(_), None) => true,
        (Some((demand, rule)), Some((found_demand, found_rule))) => {
            let is_granted_with_it = || {
                let names = demand.granting_privileges();
                found_demand.granting_privileges().iter().all(|name| names.contains(name))
            };
            (rule != found_rule && rule != UpgradeRule::Passes) || (demand != found_demand && !is_granted_with_it())
        }
    }
}

/// The part of the path space that a path lies in.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Area {
    /// Only the table counts: what is not in it is refused.
    OnlyMl,
    /// The table counts first; the rest are other APIs.
    Shared,
    /// No route of the table begins so.
    Elsewhere,
}

impl Area {
    fn of(segments: &Segments<'_>, letters: Letters) -> Self {
        let Some(first) = segments.get(0).filter(|first| first.starts_with(b"_")) else { return Self::Elsewhere };
        let second = segments.get(1).unwrap_or_default();
        let is = |literal: &[u8]| letters.equal(first, literal);
        if is(b"_ml") || (is(b"_xpack") && letters.equal(second, b"ml")) {
            Self::OnlyMl
        } else if is(b"_inference") {
            // No endpoint or task type begins so, but index APIs do: Elasticsearch tries `/{index}/_bulk` first.
            let is_index_api = second.starts_with(b"_") && !routes::is_literal_below("_inference", second, letters);
            if is_index_api { Self::Elsewhere } else { Self::Shared }
        } else if is(b"_cat") && letters.equal(second, b"ml") {
            Self::Shared
        } else {
            Self::Elsewhere
        }
    }
}

#[cfg(test)]
mod tests;
