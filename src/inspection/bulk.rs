//! Reads a bulk body as it comes: line by line, with one action line held at most.
//!
//! Lines end with `\n`. An action line without anything in it says nothing; behind every other action but a delete stands
//! one source line, whatever is in it. A last line without an end is refused by Elasticsearch; it is judged all the same.
//!
//! Source: elasticsearch, `BulkRequestParser.java`.

use bytes::Bytes;

use super::inflate::Inflate;
use super::{Encoding, Finding, Unread, action_line};
use crate::policy::Inspection;

/// Steps of inflating that one piece of work takes, of 32 KiB of text each: a small body can be a large text, and others
/// wait.
const STEPS_MAX: usize = 16;

/// The reader of one bulk body.
pub struct BulkReader {
    lines: Lines,
    inflate: Option<Inflate>,
    /// What was given and is not read yet.
    input: Bytes,
}

impl BulkReader {
    /// `line_bytes_max` of an action line, `text_bytes_max` of the text of a compressed body.
    pub fn new(inspection: Inspection, encoding: Encoding, line_bytes_max: usize, text_bytes_max: usize) -> Self {
        let inflate = match encoding {
            Encoding::Plain => None,
            Encoding::Gzip => Some(Inflate::new(text_bytes_max)),
        };
        Self { lines: Lines::new(inspection, line_bytes_max), inflate, input: Bytes::new() }
    }

    /// Gives the next bytes of the body, when those before have been worked on.
    pub fn give(&mut self, wire: Bytes) {
        self.input = wire;
    }

    /// Reads some of what was given; true when all of it is read.
    ///
    /// # Errors
    /// The first line that reaches ML or cannot be understood. Nothing after it is read.
    pub fn work(&mut self) -> Result<bool, Finding> {
        let Some(inflate) = &mut self.inflate else {
            self.lines.take(&std::mem::take(&mut self.input))?;
            return Ok(true);
        };
        for _ in 0..STEPS_MAX {
            let taken = inflate.step(&self.input, |text| self.lines.take(text))?;
            if self.input.is_empty() {
                return Ok(true);
            }
            let _ = self.input.split_to(taken);
        }
        Ok(false)
    }

    /// The body is over.
    ///
    /// # Errors
    /// As [`BulkReader::work`]; a gzip stream that is not whole.
    pub fn end(&mut self) -> Result<(), Finding> {
        if let Some(inflate) = &mut self.inflate {
            inflate.end()?;
        }
        self.lines.end()
    }

    /// The number, from 1, of an action line that has begun and not ended: what came of it must not be sent yet.
    pub const fn open_line(&self) -> Option<u64> {
        if self.lines.open.is_empty() { None } else { Some(self.lines.number) }
    }

    /// How many bytes at the end of `piece`, the last that was read, may belong to a line that began in it.
    pub fn open_bytes_of(&self, piece: &[u8]) -> usize {
        match &self.inflate {
            None => self.lines.open.len().min(piece.len()),
            Some(_) if self.lines.open.is_empty() => 0,
            Some(_) => piece.len(),
        }
    }
}

/// What the next line is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Next {
    Action,
    Source,
}

struct Lines {
    inspection: Inspection,
    next: Next,
    /// What has come of an action line.
    open: Vec<u8>,
    number: u64,
    line_bytes_max: usize,
}

impl Lines {
    const fn new(inspection: Inspection, line_bytes_max: usize) -> Self {
        Self { inspection, next: Next::Action, open: Vec::new(), number: 1, line_bytes_max }
    }

    fn take(&mut self, text: &[u8]) -> Result<(), Finding> {
        let mut rest = text;
        while let Some(end) = memchr::memchr(b'\n', rest) {
            let (line, tail) = rest.split_at_checked(end).unwrap_or((rest, b""));
            rest = tail.get(1..).unwrap_or_default();
            match self.next {
                Next::Source => self.next = Next::Action,
                Next::Action if self.open.is_empty() => self.action(line)?,
                Next::Action => {
                    self.hold(line)?;
                    self.end()?;
                }
            }
            self.number += 1;
        }
        match self.next {
            Next::Action => self.hold(rest),
            Next::Source => Ok(()),
        }
    }

    /// Judges the line that is open.
    fn end(&mut self) -> Result<(), Finding> {
        let mut line = std::mem::take(&mut self.open);
        self.action(&line)?;
        line.clear();
        self.open = line;
        Ok(())
    }

    fn hold(&mut self, part: &[u8]) -> Result<(), Finding> {
        if self.open.len() + part.len() > self.line_bytes_max {
            return Err(Unread::TooLarge.into());
        }
        self.open.extend_from_slice(part);
        Ok(())
    }

    fn action(&mut self, line: &[u8]) -> Result<(), Finding> {
        if line.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r')) {
            return Ok(());
        }
        // However the body was cut.
        if line.len() > self.line_bytes_max {
            return Err(Unread::TooLarge.into());
        }
        let malformed = Unread::MalformedAction { line: self.number };
        let action = action_line::read(line, &self.inspection).ok_or(malformed)?;
        match action.reached {
            Some(name) => Err(Finding::Reaches(name)),
            None => {
                self.next = if action.has_source { Next::Source } else { Next::Action };
                Ok(())
            }
        }
    }
}

#[cfg(test)]
mod tests;
