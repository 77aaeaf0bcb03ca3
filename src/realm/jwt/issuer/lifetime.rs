//! How long an answer may be used, by what its headers say (RFC 9111).

use std::time::Duration;

use http::header::{AGE, CACHE_CONTROL, HeaderMap, HeaderName};

/// What the headers say of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Lifetime {
    /// How old it was when it came: a cache may have kept it.
    pub(super) age: Duration,
    /// How long it is fresh from now on; `None` where the issuer does not say.
    pub(super) fresh: Option<Duration>,
}

impl Lifetime {
    /// Reads `Cache-Control` (`max-age`, `no-cache`, `no-store`) and `Age`. What cannot be read counts as not said.
    pub(super) fn read(headers: &HeaderMap) -> Self {
        let age = number(headers, &AGE).unwrap_or_default();
        let mut fresh: Option<Duration> = None;
        let values = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
        for directive in values.flat_map(|value| value.split(',')).map(str::trim) {
            let (name, argument) = directive.split_once('=').unwrap_or((directive, ""));
            let said = if name.eq_ignore_ascii_case("max-age") {
                seconds(argument.trim_matches('"')).map(|most| most.saturating_sub(age))
            } else if name.eq_ignore_ascii_case("no-cache") || name.eq_ignore_ascii_case("no-store") {
                Some(Duration::ZERO)
            } else {
                None
            };
            // The shortest counts: directives that contradict each other must not make keys live longer.
            fresh = said.map_or(fresh, |said| Some(fresh.map_or(said, |fresh| fresh.min(said))));
        }
        Self { age, fresh }
    }
}

fn number(headers: &HeaderMap, name: &HeaderName) -> Option<Duration> {
    seconds(headers.get(name)?.to_str().ok()?)
}

/// Whole seconds, at most those of a 32-bit number (RFC 9111, 1.2.2).
fn seconds(text: &str) -> Option<Duration> {
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| Duration::from_secs(u64::from(text.parse().unwrap_or(u32::MAX))))
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn read(cache_control: &[&str], age: Option<&str>) -> (u64, Option<u64>) {
        let mut headers = HeaderMap::new();
        for value in cache_control {
            headers.append(CACHE_CONTROL, HeaderValue::from_str(value).unwrap());
        }
        age.map(|age| headers.insert(AGE, HeaderValue::from_str(age).unwrap()));
        let Lifetime { age, fresh } = Lifetime::read(&headers);
        (age.as_secs(), fresh.map(|fresh| fresh.as_secs()))
    }

    #[test]
    fn the_shortest_of_what_is_said_counts() {
        assert_eq!(read(&[], None), (0, None));
        assert_eq!(read(&["public, max-age=300"], None), (0, Some(300)));
        assert_eq!(read(&["Max-Age=\"300\""], Some("100")), (100, Some(200)));
        assert_eq!(read(&["max-age=300"], Some("400")), (400, Some(0)));
        assert_eq!(read(&["max-age=300", "max-age=60"], None), (0, Some(60)));
        assert_eq!(read(&["max-age=300, no-cache"], None), (0, Some(0)));
        assert_eq!(read(&["no-store"], None), (0, Some(0)));
        assert_eq!(read(&["max-age=99999999999999999999"], None), (0, Some(u64::from(u32::MAX))));
        for odd in ["max-age", "max-age=", "max-age=-1", "max-age=1.5", "s-maxage=10", "xmax-age=10", ",,="] {
            assert_eq!(read(&[odd], Some("-1")), (0, None), "{odd}");
        }
    }

    proptest! {
        #[test]
        fn is_total_on_any_header(value in "[ -~]{0,60}", age in "[ -~]{0,20}") {
            read(&[&value], Some(&age));
        }
    }
}
