//! The reading of bodies a second time: slow, obvious, the whole body at once, by a JSON reader of its own.
//!
//! Also the body of a fuzz target, which includes this file by its path. What a member means is the policy's to say, in
//! both: this is about what is read.

use std::io::Write as _;

use bytes::Bytes;
use http::Method;
use mlgate::inspection::{BulkReader, Encoding, Finding, Unread, read_document};
use mlgate::policy::{Inspection, Judge, Reading, Scalar, Target, inspection, shown};

/// One request of each kind whose body decides.
pub(crate) const REQUESTS: [(Method, &str); 14] = [
    (Method::POST, "/_bulk"),
    (Method::PUT, "/logs/_bulk?expand_wildcards=all"),
    (Method::POST, "/_reindex"),
    (Method::POST, "/_aliases"),
    (Method::PUT, "/logs/_alias/a"),
    (Method::PUT, "/logs"),
    (Method::POST, "/logs/_rollover"),
    (Method::PUT, "/_index_template/t"),
    (Method::POST, "/_snapshot/r/s/_restore"),
    (Method::POST, "/_snapshot/r/s/_mount"),
    (Method::PUT, "/_cluster/settings"),
    (Method::PUT, "/_transform/t"),
    (Method::PUT, "/_ingest/pipeline/p"),
    (Method::POST, "/_data_stream/_modify"),
];

const BYTES_MAX: usize = 1 << 20;

/// An input of the fuzzer: which request, whether compressed, in pieces of which size, and the body.
pub(crate) fn check_bytes(input: &[u8]) {
    let [request, how, body @ ..] = input else { return };
    let (method, target) = &REQUESTS[usize::from(*request) % REQUESTS.len()];
    let encoding = if how & 1 == 0 { Encoding::Plain } else { Encoding::Gzip };
    check(method, target, body, encoding, usize::from(how >> 1) + 1);
}

/// Holds the twin against the product; the body comes in pieces of `piece` bytes.
pub(crate) fn check(method: &Method, target: &str, body: &[u8], encoding: Encoding, piece: usize) {
    let inspection = inspection(method, Target::parse(target).unwrap()).unwrap();
    let wire = match encoding {
        Encoding::Plain => body.to_vec(),
        Encoding::Gzip => gzip(body),
    };
    let (real, allowed) = match inspection.reading {
        Reading::Bulk => (read_bulk(inspection, &wire, encoding, piece), bulk(&inspection, body)),
        Reading::Document(_) => (read_document(&inspection, &wire, encoding, BYTES_MAX), document(&inspection, body)),
    };
    let said = || format!("{method} {target} says {real:?} of {:?}", String::from_utf8_lossy(body));
    assert!(allowed.contains(&real), "{}, expected one of {allowed:?}", said());
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

fn read_bulk(inspection: Inspection, wire: &[u8], encoding: Encoding, piece: usize) -> Result<(), Finding> {
    let mut reader = BulkReader::new(inspection, encoding, BYTES_MAX, BYTES_MAX);
    for piece in wire.chunks(piece) {
        reader.give(Bytes::copy_from_slice(piece));
        while !reader.work()? {}
    }
    reader.end()
}

/// What may be said of a bulk: one answer, and before it "malformed" for lines with an oddity in what nobody looks at.
fn bulk(inspection: &Inspection, body: &[u8]) -> Vec<Result<(), Finding>> {
    let mut allowed = Vec::new();
    let mut lines = body.split(|byte| *byte == b'\n').enumerate();
    while let Some((index, line)) = lines.next() {
        if line.iter().all(|byte| b" \t\r".contains(byte)) {
            continue;
        }
        let malformed = Err(Finding::Unread(Unread::MalformedAction { line: index as u64 + 1 }));
        let read = Json::read(without_mark(line));
        let Some((name, metadata)) = read.as_ref().and_then(|(json, _)| action(json)) else {
            return [allowed, vec![malformed]].concat();
        };
        if read.as_ref().is_some_and(|(_, odd)| *odd) {
            allowed.push(malformed.clone());
        }
        let mut reached = None;
        for (member, value) in metadata.iter().filter(|(member, _)| member == "_index" || member == "index") {
            match value {
                Json::Text(text) if inspection.bulk_index_reaches_ml(text) => reached = reached.or(Some(text)),
                Json::List(_) | Json::Object(_) => return [allowed, vec![malformed]].concat(),
                _ => assert!(member.ends_with("index")),
            }
        }
        if let Some(index) = reached {
            return [allowed, vec![Err(Finding::Reaches(shown(index)))]].concat();
        }
        if name != "delete" {
            lines.next();
        }
    }
    allowed.push(Ok(()));
    allowed
}

/// `{"index": {...}}`, and nothing beside it.
fn action(json: &Json) -> Option<(&str, &[(String, Json)])> {
    let Json::Object(members) = json else { return None };
    match members.as_slice() {
        [(name, Json::Object(metadata))] => {
            ["index", "create", "update", "delete"].contains(&name.as_str()).then_some((name, metadata))
        }
        _ => None,
    }
}

fn document(inspection: &Inspection, body: &[u8]) -> Vec<Result<(), Finding>> {
    let mut judge = Judge::new(inspection).unwrap();
    let text = without_mark(body);
    let mut allowed = Vec::new();
    if !text.trim_ascii().is_empty() {
        let malformed = Err(Finding::Unread(Unread::Malformed));
        match Json::read(text) {
            None | Some((_, true)) => return vec![malformed],
            Some((json, false)) => {
                // A reader may give up on what is nested deeper.
                if json.depth() > 100 {
                    allowed.push(malformed);
                }
                json.tell(&mut judge, "");
            }
        }
    }
    allowed.push(judge.verdict().map_or(Ok(()), |name| Err(Finding::Reaches(name))));
    allowed
}

fn without_mark(text: &[u8]) -> &[u8] {
    text.strip_prefix(b"\xef\xbb\xbf").unwrap_or(text)
}

/// A value, with every member of an object, in order.
#[derive(Debug)]
enum Json {
    Null,
    Bool(bool),
    Number,
    Text(String),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    /// The one value of a text by RFC 8259. True: something in it is well-formed, and no Unicode text or no number.
    fn read(text: &[u8]) -> Option<(Self, bool)> {
        let mut reader = Reader { text, at: 0, odd: false };
        let value = reader.value()?;
        reader.space();
        (reader.at == text.len()).then_some((value, reader.odd))
    }

    fn depth(&self) -> usize {
        match self {
            Self::List(values) => 1 + values.iter().map(Self::depth).max().unwrap_or(0),
            Self::Object(members) => 1 + members.iter().map(|(_, value)| value.depth()).max().unwrap_or(0),
            Self::Null | Self::Bool(_) | Self::Number | Self::Text(_) => 0,
        }
    }

    fn tell(&self, judge: &mut Judge, path: &str) {
        match self {
            Self::Null => judge.scalar(path, Scalar::Null),
            Self::Bool(value) => judge.scalar(path, Scalar::Bool(*value)),
            Self::Number => judge.scalar(path, Scalar::Number),
            Self::Text(text) => judge.scalar(path, Scalar::Text(text)),
            Self::List(values) => values.iter().for_each(|value| value.tell(judge, path)),
            Self::Object(members) => {
                for (name, value) in members {
                    let path = if path.is_empty() { name.clone() } else { format!("{path}.{name}") };
                    judge.member(&path);
                    value.tell(judge, &path);
                }
            }
        }
    }
}

struct Reader<'a> {
    text: &'a [u8],
    at: usize,
    odd: bool,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn take(&mut self, wanted: &[u8]) -> Option<()> {
        self.text[self.at..].starts_with(wanted).then(|| self.at += wanted.len())
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|byte| b" \t\r\n".contains(&byte)) {
            self.at += 1;
        }
    }

    fn value(&mut self) -> Option<Json> {
        self.space();
        match self.peek()? {
            b'n' => self.take(b"null").map(|()| Json::Null),
            b't' => self.take(b"true").map(|()| Json::Bool(true)),
            b'f' => self.take(b"false").map(|()| Json::Bool(false)),
            b'"' => self.string().map(Json::Text),
            b'[' => self.all(b']', Self::value).map(Json::List),
            b'{' => self.all(b'}', Self::member).map(Json::Object),
            _ => self.number(),
        }
    }

    fn member(&mut self) -> Option<(String, Json)> {
        self.space();
        let name = self.string()?;
        self.space();
        self.take(b":")?;
        Some((name, self.value()?))
    }

    /// What stands between brackets, with commas.
    fn all<T>(&mut self, end: u8, mut one: impl FnMut(&mut Self) -> Option<T>) -> Option<Vec<T>> {
        self.at += 1;
        let mut all = Vec::new();
        self.space();
        if self.peek()? == end {
            self.at += 1;
            return Some(all);
        }
        loop {
            all.push(one(self)?);
            self.space();
            let next = self.peek()?;
            self.at += 1;
            match next {
                b',' => {}
                next if next == end => return Some(all),
                _ => return None,
            }
        }
    }

    fn digits(&mut self) -> usize {
        let begin = self.at;
        while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - begin
    }

    fn number(&mut self) -> Option<Json> {
        let begin = self.at;
        let _sign = self.take(b"-");
        if self.take(b"0").is_none() && self.digits() == 0 {
            return None;
        }
        if self.take(b".").is_some() && self.digits() == 0 {
            return None;
        }
        if self.take(b"e").or_else(|| self.take(b"E")).is_some() {
            let _sign = self.take(b"+").or_else(|| self.take(b"-"));
            if self.digits() == 0 {
                return None;
            }
        }
        let number: f64 = std::str::from_utf8(&self.text[begin..self.at]).unwrap().parse().unwrap();
        self.odd |= number.is_infinite();
        Some(Json::Number)
    }

    fn string(&mut self) -> Option<String> {
        self.take(b"\"")?;
        let mut units = Vec::new();
        loop {
            let begin = self.at;
            while self.peek().is_some_and(|byte| byte >= b' ' && byte != b'"' && byte != b'\\') {
                self.at += 1;
            }
            let plain = String::from_utf8_lossy(&self.text[begin..self.at]);
            self.odd |= matches!(plain, std::borrow::Cow::Owned(_));
            units.extend(plain.encode_utf16());
            match self.peek()? {
                b'"' => break,
                b'\\' => units.push(self.escape()?),
                _ => return None,
            }
        }
        self.at += 1;
        self.odd |= String::from_utf16(&units).is_err();
        Some(String::from_utf16_lossy(&units))
    }

    fn escape(&mut self) -> Option<u16> {
        let kind = *self.text.get(self.at + 1)?;
        self.at += 2;
        if kind == b'u' {
            let digits = std::str::from_utf8(self.text.get(self.at..self.at + 4)?).ok()?;
            self.at += 4;
            return digits
                .bytes()
                .all(|byte| byte.is_ascii_hexdigit())
                .then(|| u16::from_str_radix(digits, 16).unwrap());
        }
        let known = [b"\"\\/bfnrt", b"\"\\/\x08\x0c\n\r\t"];
        let at = known[0].iter().position(|known| *known == kind)?;
        Some(u16::from(known[1][at]))
    }
}
