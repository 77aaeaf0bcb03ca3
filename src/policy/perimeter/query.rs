//! Query parameters, read as Elasticsearch reads them.

use std::borrow::Cow;

use super::index_names::Hidden;
use crate::policy::classify::percent::decode_parameter;

/// Name and value of every parameter, decoded. `&` and `;` both separate, a name without `=` has an empty value, and a
/// name that comes twice is given twice: which of them counts depends on the version, so the caller looks at all.
///
/// Source: `RestUtils.decodeQueryString`.
pub fn parameters(query: Option<&str>) -> impl Iterator<Item = (Cow<'_, [u8]>, Cow<'_, [u8]>)> {
    query.unwrap_or_default().split(['&', ';']).filter(|part| !part.is_empty()).map(|part| {
        let (name, value) = part.split_once('=').unwrap_or((part, ""));
        (decode_parameter(name.as_bytes()), decode_parameter(value.as_bytes()))
    })
}

/// The values of all parameters of that name.
pub(super) fn values<'a>(query: Option<&'a str>, name: &'static str) -> impl Iterator<Item = Cow<'a, [u8]>> {
    parameters(query).filter(move |(found, _)| **found == *name.as_bytes()).map(|(_, value)| value)
}

/// Whether the request expands wildcards to hidden indices.
pub(super) fn hidden(query: Option<&str>) -> Hidden {
    let asks = |list: &[u8]| {
        list.split(|byte| *byte == b',')
            .any(|state| matches!(&*state.trim_ascii().to_ascii_lowercase(), b"hidden" | b"all"))
    };
    let included = values(query, "expand_wildcards").any(|list| asks(&list));
    if included { Hidden::Included } else { Hidden::LeftOut }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_value_of_a_name_is_seen() {
        let query = Some("a=1;b=2&a=%33&%61=4+5&a&A=6&=7&b=a=1");
        let found: Vec<_> = values(query, "a").map(|value| String::from_utf8(value.into_owned()).unwrap()).collect();
        assert_eq!(found, ["1", "3", "4 5", ""]);
        assert_eq!(values(None, "a").count(), 0);
    }
}
