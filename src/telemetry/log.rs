//! The log on standard error: ECS JSON, one event a line, or text for people.
//!
//! Source: Elastic Common Schema, `log.*`, `message`, `@timestamp`.

use std::fmt;

use serde_json::{Map, Value, json};
use tracing::field::{Field, Visit};
use tracing::{Event, Subscriber};
use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::Writer;
use tracing_subscriber::fmt::{FmtContext, FormatEvent, FormatFields};
use tracing_subscriber::registry::LookupSpan;

use super::clock;

/// How events are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Ecs,
    Text,
}

/// Starts the log of the process; a second start is ignored, which tests rely on.
///
/// `level`: `error`, `warn`, `info`, `debug`, `trace`, or a `tracing` filter such as `info,mlgate::gate=debug`.
pub fn start(level: &str, format: Format) {
    let filter = EnvFilter::try_new(level).unwrap_or_else(|_| EnvFilter::new("info"));
    let started =
        tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).event_format(format).finish();
    // Only a second start in one process fails.
    let _second = tracing::subscriber::set_global_default(started);
}

impl<S, N> FormatEvent<S, N> for Format
where
    S: Subscriber + for<'a> LookupSpan<'a>,
    N: for<'a> FormatFields<'a> + 'static,
{
    fn format_event(&self, _: &FmtContext<'_, S, N>, mut writer: Writer<'_>, event: &Event<'_>) -> fmt::Result {
        let mut fields = Fields::default();
        event.record(&mut fields);
        let line = match self {
            Self::Ecs => fields.ecs(event),
            Self::Text => fields.text(event),
        };
        writeln!(writer, "{line}")
    }
}

/// The fields of one event, in order; `message` apart.
#[derive(Default)]
struct Fields {
    message: String,
    others: Map<String, Value>,
}

impl Fields {
    fn ecs(self, event: &Event<'_>) -> String {
        let mut line = Map::new();
        line.insert("@timestamp".to_owned(), json!(clock::rfc3339(clock::now())));
        line.insert("log.level".to_owned(), json!(level(event)));
        line.insert("message".to_owned(), json!(self.message));
        line.insert("ecs.version".to_owned(), json!("8.11"));
        line.insert("service.name".to_owned(), json!("mlgate"));
        line.insert("log.logger".to_owned(), json!(event.metadata().target()));
        line.extend(self.others);
        Value::Object(line).to_string()
    }

    fn text(self, event: &Event<'_>) -> String {
        let mut line = format!("{} {:5} {}", clock::rfc3339(clock::now()), level(event), self.message);
        for (name, value) in &self.others {
            line.push(' ');
            line.push_str(name);
            line.push('=');
            match value.as_str() {
                Some(text) if plain(text) => line.push_str(text),
                _ => line.push_str(&value.to_string()),
            }
        }
        line
    }

    fn insert(&mut self, field: &Field, value: Value) {
        match (field.name(), value) {
            ("message", Value::String(message)) => self.message = message,
            (name, value) => drop(self.others.insert(name.to_owned(), value)),
        }
    }
}

/// Whether a text stands in a line without quotes: nothing in it can be taken for another field or line.
fn plain(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'"' && byte != b'\\')
}

fn level(event: &Event<'_>) -> &'static str {
    match *event.metadata().level() {
        tracing::Level::ERROR => "error",
        tracing::Level::WARN => "warn",
        tracing::Level::INFO => "info",
        tracing::Level::DEBUG => "debug",
        tracing::Level::TRACE => "trace",
    }
}

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.insert(field, Value::String(format!("{value:?}")));
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        self.insert(field, json!(value));
    }

    fn record_u64(&mut self, field: &Field, value: u64) {
        self.insert(field, json!(value));
    }

    fn record_i64(&mut self, field: &Field, value: i64) {
        self.insert(field, json!(value));
    }

    fn record_bool(&mut self, field: &Field, value: bool) {
        self.insert(field, json!(value));
    }

    fn record_f64(&mut self, field: &Field, value: f64) {
        self.insert(field, json!(value));
    }

    fn record_error(&mut self, field: &Field, value: &(dyn std::error::Error + 'static)) {
        let mut text = value.to_string();
        let mut cause = value.source();
        while let Some(error) = cause {
            text.push_str(": ");
            text.push_str(&error.to_string());
            cause = error.source();
        }
        self.insert(field, Value::String(text));
    }
}

#[cfg(test)]
mod tests {
    use std::io;
    use std::sync::{Arc, Mutex};

    use super::*;

    #[derive(Clone, Default)]
    struct Lines(Arc<Mutex<Vec<u8>>>);

    impl io::Write for Lines {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().extend_from_slice(bytes);
            Ok(bytes.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn logged(format: Format) -> String {
        let lines = Lines::default();
        let writer = lines.clone();
        let subscriber = tracing_subscriber::fmt().with_writer(move || writer.clone()).event_format(format).finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(url.full = "https://127.0.0.1:9243", count = 3_u64, note = "a b\nc", "listening");
        });
        String::from_utf8(lines.0.lock().unwrap().clone()).unwrap()
    }

    #[test]
    fn ecs_lines_are_json_with_dotted_keys() {
        let line = logged(Format::Ecs);
        let event: Value = serde_json::from_str(line.trim_end()).unwrap();
        assert_eq!(event["message"], "listening");
        assert_eq!(event["url.full"], "https://127.0.0.1:9243");
        assert_eq!(event["log.level"], "info");
        assert_eq!(event["count"], 3);
        assert_eq!(line.lines().count(), 1);
    }

    #[test]
    fn text_lines_quote_what_could_be_taken_for_more() {
        let line = logged(Format::Text);
        assert!(
            line.trim_end().ends_with(r#"listening url.full=https://127.0.0.1:9243 count=3 note="a b\nc""#),
            "{line}"
        );
        assert_eq!(line.lines().count(), 1);
    }
}
