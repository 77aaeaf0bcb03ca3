//! Which ML operation a request asks for, by Elasticsearch's own route rules.

use http::Method;

use super::operation::{Demand, Operation, UpgradeRule};
use super::target::{Target, TargetProblem};

/// What a request reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Classified {
    /// An endpoint of the table.
    Ml(&'static Operation),
    /// A request that reaches ML without an `_ml` path (INTERFACE.md, section 6).
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
/// # Errors
/// Requests that Elasticsearch would refuse, or that another parser could read differently.
pub fn classify(_method: &Method, _target: Target<'_>) -> Result<Classified, Unroutable> {
    Err(Unroutable::NoHandler)
}
