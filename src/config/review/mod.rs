//! From the document to settings: rules between keys, and everything that stands in the files that the config names.

mod addresses;
mod authentication;
mod authorization;
mod client_certificates;
mod clusters;
mod jwt_realm;
mod key_set;
mod listeners;
mod operation;
mod pki_realm;
mod secrets;
mod upstream_tls;

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::file::ConfigFile;
use super::first_start::FirstStart;
use super::key_path::KeyPath;
use super::named_file;
use super::problem::{Fault, Found, Note, Problem, Problems};
use super::yaml::Mark;
use super::{AdminSettings, SeenFile, Settings};

use crate::telemetry::clock;

/// Of a file that the config names.
const NAMED_FILE_BYTES_MAX: u64 = 64 << 20;

/// Settings that are only looked at: files of the first start may be missing from them.
#[derive(Debug)]
pub struct Preview(Settings);

impl Preview {
    /// To look at, not to serve with.
    pub const fn settings(&self) -> &Settings {
        &self.0
    }
}

pub(super) fn settings(file: &ConfigFile) -> Result<Settings, Problems> {
    review(file, FirstStart::default())
}

pub(super) fn preview(file: &ConfigFile) -> Result<Preview, Problems> {
    review(file, file.first_start()).map(Preview)
}

/// Every part is reviewed, whatever the others have found.
fn review(file: &ConfigFile, pending: FirstStart) -> Result<Settings, Problems> {
    let mut review = Review::new(file, pending);
    let document = file.document();
    let listeners = review.listeners(&document.listeners);
    let admin = review.admin(document.admin.as_ref(), &document.listeners);
    let roles = review.roles(document.authorization.roles.as_deref());
    let clusters = review.clusters(&document.clusters);
    let authentication = review.authentication();
    let gate = review.gate();
    let limits = review.limits();
    let timeouts = review.timeouts();
    review.tracing();
    if file.exists() {
        review.files.push(file.seen());
    }
    match (roles, authentication) {
        (Some(roles), Some(authentication)) if review.problems.is_empty() => {
            let mut settings = Settings {
                listeners,
                admin,
                workers: operation::workers(document.workers),
                clusters,
                authentication,
                roles,
                gate,
                limits,
                timeouts,
                logging: operation::logging(&document.logging),
                audit: operation::audit(&document.audit),
                files: review.files,
                notes: review.notes,
            };
            settings.notes.extend(authorization::undefined_roles(&settings));
            settings.notes.extend(authentication::certificates_of_no_use(&settings));
            Ok(settings)
        }
        (_, _) => {
            review.problems.sort_by_key(|problem| {
                (problem.file != file.path(), problem.mark.map(|mark| (mark.line, mark.column)))
            });
            Err(Problems(review.problems))
        }
    }
}

/// What has been found so far.
struct Review<'a> {
    file: &'a ConfigFile,
    pending: FirstStart,
    now: SystemTime,
    problems: Vec<Problem>,
    notes: Vec<Note>,
    files: Vec<SeenFile>,
}

impl<'a> Review<'a> {
    fn new(file: &'a ConfigFile, pending: FirstStart) -> Self {
        Self { file, pending, now: clock::now(), problems: Vec::new(), notes: Vec::new(), files: Vec::new() }
    }

    /// Something is wrong at a key of the config.
    fn fault(&mut self, key: &KeyPath, fault: Fault) {
        let mark = Some(self.file.locate(key));
        self.problems.push(Problem { file: self.file.path().to_path_buf(), mark, key: key.clone(), fault });
    }

    /// Something is wrong inside of a file that a key names.
    fn fault_inside(&mut self, key: &KeyPath, file: &Path, mark: Option<Mark>, fault: Fault) {
        self.problems.push(Problem { file: file.to_path_buf(), mark, key: key.clone(), fault });
    }

    fn unexpected(&mut self, key: &KeyPath, found: &str, expected: &str) {
        let fault = Fault::Unexpected { found: Found::Text(found.to_owned()), expected: expected.to_owned() };
        self.fault(key, fault);
    }

    fn not_there_yet(&mut self, key: &KeyPath, found: &str, expected: &str) {
        let fault = Fault::NotThereYet { found: Found::Text(found.to_owned()), expected: expected.to_owned() };
        self.fault(key, fault);
    }

    fn note(&mut self, key: &KeyPath, text: impl Into<String>) {
        self.notes.push(Note { key: key.clone(), text: text.into() });
    }

    /// Reads a file that a key names. `None`: it cannot be read, or will be made at the first start; both are recorded.
    fn named_bytes(&mut self, key: &KeyPath, written: &str) -> Option<(PathBuf, Vec<u8>)> {
        let path = self.file.resolve(written);
        if let Some(content) = self.pending.content(&path) {
            self.note(key, format!("[{}] will be made at the first start of mlgate serve", path.display()));
            return Some((path, content.as_bytes().to_vec()));
        }
        if self.pending.makes(&path) {
            self.note(key, format!("[{}] will be made at the first start of mlgate serve", path.display()));
            return None;
        }
        self.files.push(SeenFile::look(&path));
        match named_file::bytes(&path, NAMED_FILE_BYTES_MAX) {
            Ok(bytes) => Some((path, bytes)),
            Err(fault) => {
                self.fault(key, Fault::NamedFile { path, fault });
                None
            }
        }
    }

    fn named_text(&mut self, key: &KeyPath, written: &str) -> Option<(PathBuf, String)> {
        let (path, bytes) = self.named_bytes(key, written)?;
        match String::from_utf8(bytes) {
            Ok(text) => Some((path, text)),
            Err(_) => {
                self.fault(key, Fault::NamedFile { path, fault: named_file::FileFault::NotText });
                None
            }
        }
    }
}

impl Review<'_> {
    fn admin(
        &mut self,
        admin: Option<&super::document::AdminDocument>,
        listeners: &[super::document::ListenerDocument],
    ) -> Option<AdminSettings> {
        let key = KeyPath::root().key("admin").key("address");
        let address = self.socket_address(&key, &admin?.address)?;
        let same = listeners.iter().position(|listener| address.port() != 0 && listener.address.parse() == Ok(address));
        if let Some(index) = same {
            let first = KeyPath::root().key("listeners").index(index).key("address");
            self.fault(&key, Fault::Duplicate { name: address.to_string(), first });
        }
        if !address.ip().is_loopback() {
            self.note(&key, "plain HTTP on an address that is not loopback: let only your own network reach it");
        }
        Some(AdminSettings { address })
    }
}
