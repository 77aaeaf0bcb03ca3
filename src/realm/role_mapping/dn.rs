//! Distinguished names, compared as LDAP does: `CN=Jane, DC=example` is `cn=jane,dc=Example`.

/// A distinguished name (RFC 4514): the attributes of each relative name sorted, types and values in lower case,
/// white space collapsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dn(Vec<Vec<(String, String)>>);

impl Dn {
    /// Reads `cn=Jane Doe,ou=people,dc=example,dc=com`; `None` for what is no distinguished name.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let mut names = Vec::new();
        for name in split(text, &[',', ';']) {
            let mut attributes = split(name, &['+']).into_iter().map(attribute).collect::<Option<Vec<_>>>()?;
            attributes.sort();
            names.push(attributes);
        }
        Some(Self(names))
    }

    /// `cn=jane doe,ou=people,dc=example,dc=com`.
    pub(super) fn normalized(&self) -> String {
        let name = |attributes: &Vec<(String, String)>| {
            let parts: Vec<_> = attributes.iter().map(|(kind, value)| format!("{kind}={}", escaped(value))).collect();
            parts.join("+")
        };
        self.0.iter().map(name).collect::<Vec<_>>().join(",")
    }

    /// Whether it stands below `other`, at any depth.
    pub(super) fn is_below(&self, other: &Self) -> bool {
        self.0.len() > other.0.len() && self.0.ends_with(&other.0)
    }
}

fn attribute(text: &str) -> Option<(String, String)> {
    let (kind, value) = text.split_once('=')?;
    let kind = kind.trim();
    let named = kind.starts_with(|first: char| first.is_ascii_alphanumeric())
        && kind.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
    if !named {
        return None;
    }
    Some((kind.to_ascii_lowercase(), unescaped(value.trim())?))
}

/// Splits at separators that are neither escaped nor quoted.
fn split<'a>(text: &'a str, separators: &[char]) -> Vec<&'a str> {
    let (mut escaped, mut quoted) = (false, false);
    text.split(|character: char| {
        let separates = separators.contains(&character) && !escaped && !quoted;
        quoted ^= character == '"' && !escaped;
        escaped = character == '\\' && !escaped;
        separates
    })
    .collect()
}

/// The value without escapes and quotes, in lower case, white space collapsed.
fn unescaped(value: &str) -> Option<String> {
    let value = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(value);
    let mut bytes = Vec::with_capacity(value.len());
    let mut characters = value.chars();
    while let Some(character) = characters.next() {
        if character != '\\' {
            bytes.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
            continue;
        }
        let next = characters.next()?;
        match next.to_digit(16) {
            Some(high) => bytes.push(u8::try_from(high * 16 + characters.next()?.to_digit(16)?).ok()?),
            None => bytes.extend_from_slice(next.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    let text = String::from_utf8(bytes).ok()?;
    Some(text.split_whitespace().collect::<Vec<_>>().join(" ").to_lowercase())
}

fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for character in value.chars() {
        if matches!(character, ',' | ';' | '+' | '"' | '\\' | '<' | '>' | '=') {
            text.push('\\');
        }
        text.push(character);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compares_as_ldap_does() {
        #[rustfmt::skip] // a table
        let same = [
            ("cn=Jane Doe,dc=example,dc=com", "CN = jane  doe , DC=Example,dc=COM"),
            (r"cn=Doe\, Jane,dc=com", r#"cn="Doe, Jane",dc=com"#),
            (r"cn=a\2cb", r"cn=a\,b"), ("cn=a+uid=1,dc=x", "UID=1+CN=A,DC=X"), ("cn=é", r"cn=\c3\a9"),
        ];
        for (left, right) in same {
            assert_eq!(Dn::parse(left).unwrap(), Dn::parse(right).unwrap(), "{left} {right}");
        }
        assert_ne!(Dn::parse("cn=a,dc=x"), Dn::parse("dc=x,cn=a"));
        assert_ne!(Dn::parse(r"cn=a\,dc=x"), Dn::parse("cn=a,dc=x"));
    }

    #[test]
    fn refuses_what_is_no_distinguished_name() {
        for text in ["", "admins", "cn=a,", "=a", r"cn=a\", r"cn=\zz\", "c n=a", r"cn=\ff"] {
            assert_eq!(Dn::parse(text), None, "{text}");
        }
    }

    #[test]
    fn knows_what_stands_below() {
        let top = Dn::parse("dc=example,dc=com").unwrap();
        assert!(Dn::parse("cn=a,DC=Example,dc=com").unwrap().is_below(&top));
        assert!(!top.is_below(&top));
        assert!(!Dn::parse("cn=a,dc=badexample,dc=com").unwrap().is_below(&top));
    }
}
