//! Classification a second time: slow, obvious, on strings, from the rules of `RestController` and `PathTrie`.
//!
//! Also the body of the fuzz target, which includes this file by its path. It knows the perimeter only by name: the
//! perimeter has its own tests.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use http::Method;
use mlgate::policy::catalog;
use mlgate::policy::classify::{Classified, Unroutable, classify};
use mlgate::policy::operation::{Operation, UpgradeRule};
use mlgate::policy::target::{Target, TargetProblem};

/// What a path and a method reach, as far as ML goes.
#[derive(Clone, Debug, PartialEq)]
enum Reached {
    Ml(&'static Operation),
    WrongMethod(Vec<&'static str>),
    NoHandler,
    NotMl,
}

const METHODS: [&str; 8] = ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "get"];

/// A fuzz input: the first byte chooses the method, the rest is the target.
pub(crate) fn check_bytes(input: &[u8]) {
    let Some((method, target)) = input.split_first() else { return };
    let method = METHODS[usize::from(*method) % METHODS.len()];
    if let Ok(target) = std::str::from_utf8(target) {
        check(method, target);
    }
}

/// Holds the twin against the product on one request.
pub(crate) fn check(method: &str, raw: &str) {
    let real = Target::parse(raw).map(|target| classify(&Method::from_bytes(method.as_bytes()).unwrap(), target));
    if !is_well_formed(raw) {
        assert!(real.is_err(), "{method} {raw:?} is malformed and passes as {real:?}");
        return;
    }
    let real = real.unwrap_or_else(|problem| panic!("{method} {raw:?} is well-formed and refused: {problem:?}"));
    let path = raw.split('?').next().unwrap();
    let expected = reached(method, path.as_bytes());
    let as_it_stands = match &real {
        Err(Unroutable::Target(problem)) => {
            assert_eq!(*problem, TargetProblem::AmbiguousMl, "{method} {raw:?}");
            assert!(matches!(expected, Reached::Ml(_) | Reached::NotMl), "{method} {raw:?} is {expected:?} first");
            assert!(may_differ(method, path, &expected), "{method} {raw:?} is refused, but has no other reading");
            return;
        }
        Ok(Classified::Ml(operation)) => Reached::Ml(operation),
        Ok(Classified::Perimeter(_)) => {
            assert!(!matches!(method, "GET" | "HEAD" | "OPTIONS"), "{method} {raw:?} reads");
            Reached::NotMl
        }
        Ok(Classified::Other) => Reached::NotMl,
        Err(Unroutable::NoHandler) => Reached::NoHandler,
        Err(Unroutable::MethodNotAllowed(methods)) => {
            assert_ne!(method, "OPTIONS");
            Reached::WrongMethod(methods.clone())
        }
        Err(Unroutable::Options(methods)) => {
            assert_eq!(method, "OPTIONS");
            Reached::WrongMethod(methods.clone())
        }
    };
    assert_eq!(as_it_stands, expected, "{method} {raw:?}");
    if matches!(expected, Reached::Ml(_) | Reached::NotMl) {
        let differing = other_reading(method, path, &expected);
        assert_eq!(differing, None, "{method} {raw:?} passes as {expected:?}, but may be read so");
    }
}

fn is_well_formed(raw: &str) -> bool {
    let bytes = raw.as_bytes();
    let is_escape = |at: usize| {
        bytes.get(at + 1).is_some_and(u8::is_ascii_hexdigit) && bytes.get(at + 2).is_some_and(u8::is_ascii_hexdigit)
    };
    raw.starts_with('/')
        && bytes.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'#')
        && bytes.iter().enumerate().all(|(at, byte)| *byte != b'%' || is_escape(at))
}

// --- How Elasticsearch finds a handler ----------------------------------------------------------------------------

/// Where Elasticsearch would take `method` on `path`, and what of it the gateway lets through.
fn reached(method: &str, path: &[u8]) -> Reached {
    let segments = split(path);
    let first = segments.first().map_or(&b""[..], |segment| *segment);
    let second = segments.get(1).map_or(&b""[..], |segment| *segment);
    let only_ml = first == b"_ml" || (first == b"_xpack" && second == b"ml");
    let index_api_before_inference = first == b"_inference"
        && second.starts_with(b"_")
        && ![&b"_all"[..], b"_ccm", b"_region_policy", b"_services", b"_stats"].contains(&second);
    if index_api_before_inference {
        return Reached::NotMl;
    }
    let passes: Vec<Vec<&'static Operation>> = (1..=4).map(|pass| handlers(pass, "", &segments, 0)).collect();
    if let Some(found) = passes.iter().flatten().find(|operation| operation.method == method) {
        return Reached::Ml(found);
    }
    let mut methods: Vec<&'static str> = passes.iter().flatten().map(|operation| operation.method).collect();
    methods.sort_unstable();
    methods.dedup();
    match (methods.is_empty(), only_ml) {
        (false, _) => Reached::WrongMethod(methods),
        (true, true) => Reached::NoHandler,
        (true, false) => Reached::NotMl,
    }
}

/// Java's `split("/")`, without the empty segment in front of the first slash.
fn split(path: &[u8]) -> Vec<&[u8]> {
    let mut segments: Vec<&[u8]> = path.split(|byte| *byte == b'/').collect();
    while segments.last().is_some_and(|last| last.is_empty()) {
        segments.pop();
    }
    if !segments.is_empty() && segments[0].is_empty() {
        segments.remove(0);
    }
    segments
}

/// The handlers that one pass finds below the node `prefix`, a template cut short, with `*` for every parameter.
fn handlers(pass: u8, prefix: &str, segments: &[&[u8]], index: usize) -> Vec<&'static Operation> {
    let Some((segment, rest)) = segments.split_first() else { return Vec::new() };
    let is_last = rest.is_empty();
    let literal =
        std::str::from_utf8(segment).ok().map(|segment| format!("{prefix}/{segment}")).filter(|node| exists(node));
    let wildcard = Some(format!("{prefix}/*")).filter(|node| exists(node));
    let allowed = pass == 4 || (pass == 2 && index == 0) || (pass == 3 && is_last);
    let tried: Vec<String> = match literal {
        _ if *segment == b"*" => wildcard.into_iter().collect(),
        // A sibling wildcard comes after the literal; for the last segment only where wildcards may stand there.
        Some(literal) if pass > 1 && (!is_last || pass > 2) => {
            [Some(literal), wildcard].into_iter().flatten().collect()
        }
        Some(literal) => vec![literal],
        None if allowed => wildcard.into_iter().collect(),
        None => Vec::new(),
    };
    let found = tried.iter().map(|node| if is_last { served_by(node) } else { handlers(pass, node, rest, index + 1) });
    found.into_iter().find(|operations| !operations.is_empty()).unwrap_or_default()
}

fn exists(node: &str) -> bool {
    NODES.contains_key(node)
}

fn served_by(node: &str) -> Vec<&'static Operation> {
    NODES.get(node).cloned().unwrap_or_default()
}

/// Every template and every beginning of one, with `*` for parameters, which is what the tree calls them.
static NODES: LazyLock<BTreeMap<String, Vec<&'static Operation>>> = LazyLock::new(|| {
    let mut nodes: BTreeMap<String, Vec<&'static Operation>> = BTreeMap::new();
    for operation in catalog::operations() {
        let mut node = String::new();
        for segment in operation.template.split('/').skip(1) {
            node.push('/');
            node.push_str(if segment.starts_with('{') { "*" } else { segment });
            nodes.entry(node.clone()).or_default();
        }
        nodes.entry(node).or_default().push(operation);
    }
    nodes
});

// --- What some other parser may do ---------------------------------------------------------------------------------

/// Another reading that reaches ML and asks for more.
fn other_reading(method: &str, path: &str, as_it_stands: &Reached) -> Option<String> {
    let differs = |reading: &Reached| match (as_it_stands, reading) {
        (_, Reached::NoHandler | Reached::NotMl) | (Reached::Ml(_), Reached::WrongMethod(_)) => false,
        (Reached::Ml(one), Reached::Ml(other)) => {
            let granting = other.demand.granting_privileges();
            let is_harder = one.demand.granting_privileges().iter().any(|name| !granting.contains(name));
            is_harder || (one.upgrade_mode != other.upgrade_mode && other.upgrade_mode != UpgradeRule::Passes)
        }
        (_, Reached::Ml(_) | Reached::WrongMethod(_)) => true,
    };
    let found = readings(path).into_iter().find(|reading| differs(&reached(method, reading)));
    found.map(|reading| String::from_utf8_lossy(&reading).into_owned())
}

/// Whether a refusal has a reason: an ML reading, or one that lies in the perimeter, told by names only.
fn may_differ(method: &str, path: &str, as_it_stands: &Reached) -> bool {
    if path.len() > 8192 || other_reading(method, path, as_it_stands).is_some() {
        return true;
    }
    let names =
        ["_features", "_migration", "_tasks", ".m", ".*", "*", "_all", "<", "_settings", "_mapping", "_close", "_open"];
    let mut texts = readings(path).into_iter().map(|reading| String::from_utf8_lossy(&decoded(&reading)).into_owned());
    !matches!(method, "GET" | "HEAD" | "OPTIONS") && texts.any(|text| names.iter().any(|name| text.contains(name)))
}

/// One thing that some parsers do to a path.
type Step = fn(&[u8]) -> Vec<u8>;

/// Every combination, one after the other on strings, all in lower case.
fn readings(path: &str) -> Vec<Vec<u8>> {
    let raw = path.as_bytes().to_vec();
    let once = decoded(&raw);
    let twice = decoded(&once);
    let steps: [Step; 6] = [
        ended_early,
        backslashes_as_slashes,
        without_parameters,
        with_single_slashes,
        without_dots,
        <[u8]>::to_ascii_lowercase,
    ];
    let mut all = vec![raw, once, twice];
    for step in steps {
        let mut changed: Vec<Vec<u8>> = all.iter().map(|text| step(text)).collect();
        all.append(&mut changed);
        all.sort_unstable();
        all.dedup();
    }
    all.iter().map(|text| text.to_ascii_lowercase()).collect()
}

fn decoded(text: &[u8]) -> Vec<u8> {
    let mut output = Vec::new();
    let mut at = 0;
    while at < text.len() {
        let digits = text.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        let value = digits.filter(|_| text[at] == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let value = value.filter(|_| text[at + 1] != b'+');
        output.push(value.unwrap_or(text[at]));
        at += if value.is_some() { 3 } else { 1 };
    }
    output
}

fn ended_early(text: &[u8]) -> Vec<u8> {
    text.iter().copied().take_while(|byte| !b"?#\0".contains(byte)).collect()
}

fn backslashes_as_slashes(text: &[u8]) -> Vec<u8> {
    text.iter().map(|byte| if *byte == b'\\' { b'/' } else { *byte }).collect()
}

fn without_parameters(text: &[u8]) -> Vec<u8> {
    let segments = text.split(|byte| *byte == b'/').map(|segment| segment.split(|byte| *byte == b';').next().unwrap());
    segments.collect::<Vec<_>>().join(&b'/')
}

fn with_single_slashes(text: &[u8]) -> Vec<u8> {
    let mut output = text.to_vec();
    output.dedup_by(|one, other| *one == b'/' && *other == b'/');
    output
}

fn without_dots(text: &[u8]) -> Vec<u8> {
    let mut output: Vec<&[u8]> = Vec::new();
    for segment in text.strip_prefix(b"/").unwrap_or(text).split(|byte| *byte == b'/') {
        match segment {
            b"." => {}
            b".." => drop(output.pop()),
            kept => output.push(kept),
        }
    }
    [&b"/"[..], &output.join(&b'/')].concat()
}
