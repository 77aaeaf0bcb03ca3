//! The config file itself: found, read, and held against the document's shape.

use std::path::{Path, PathBuf};

use super::document::Document;
use super::environment::{self, Environment};
use super::first_start::FirstStart;
use super::key_path::KeyPath;
use super::named_file::{self, FileFault};
use super::problem::{Fault, Problem, Problems};
use super::review::{self, Preview};
use super::shape::Shape;
use super::yaml::{self, Mark, Node};
use super::{SeenFile, Settings, check};

/// Where the config is when nobody says.
const DEFAULT_PATH: &str = "config/mlgate.yml";
/// What counts where there is no file: the one that is shipped.
const SHIPPED: &str = include_str!("../../config/mlgate.yml");
/// Of the config itself.
const BYTES_MAX: u64 = 1 << 20;

/// A config file that has been read, but not what it names.
#[derive(Debug)]
pub struct ConfigFile {
    /// As in messages; does not exist for the shipped default.
    path: PathBuf,
    /// Where relative paths start.
    base: PathBuf,
    exists: bool,
    seen: SeenFile,
    tree: Node,
    document: Document,
}

impl ConfigFile {
    /// Reads `path`. `None`: `config/mlgate.yml` below the current folder, or the shipped default with `config` as its
    /// folder if there is no such file.
    ///
    /// # Errors
    /// Everything that can be told without looking at the files that the config names.
    pub fn read(path: Option<&Path>) -> Result<Self, Problems> {
        let given = path.unwrap_or(Path::new(DEFAULT_PATH));
        let seen = SeenFile::look(given);
        let text = match named_file::text(given, BYTES_MAX) {
            Err(FileFault::Unreadable(error)) if path.is_none() && error.kind() == std::io::ErrorKind::NotFound => None,
            Err(fault) => return Err(Problems(vec![whole_file(given, Fault::File(fault))])),
            Ok(text) => Some(text),
        };
        let exists = text.is_some();
        let text = text.as_deref().unwrap_or(SHIPPED);
        let mut file = Self::from_text(text, given, &|name| std::env::var(name).ok())?;
        (file.exists, file.seen) = (exists, seen);
        Ok(file)
    }

    /// Reads a text as if it stood in `path`.
    pub(super) fn from_text(text: &str, path: &Path, environment: Environment<'_>) -> Result<Self, Problems> {
        let problem = |(mark, key, fault): (Mark, KeyPath, Fault)| Problem {
            file: path.to_path_buf(),
            mark: Some(mark),
            key,
            fault,
        };
        let at_root = |(mark, fault): (Mark, Fault)| problem((mark, KeyPath::root(), fault));
        let mut tree = yaml::parse(text).map_err(|faults| {
            Problems(faults.into_iter().map(|(mark, fault)| at_root((mark, Fault::Yaml(fault)))).collect())
        })?;
        let mut variables = Vec::new();
        environment::replace(&mut tree, environment, &mut variables);
        let mut problems: Vec<Problem> =
            variables.into_iter().map(|(mark, fault)| at_root((mark, Fault::Variable(fault)))).collect();
        let json = match check::check(&tree, &Shape::of_document()) {
            Ok(json) if problems.is_empty() => json,
            Ok(_) => return Err(Problems(problems)),
            Err(findings) => {
                problems.extend(findings.into_iter().map(problem));
                problems.sort_by_key(|problem| problem.mark.map(|mark| (mark.line, mark.column)));
                return Err(Problems(problems));
            }
        };
        let document =
            serde_json::from_value(json).map_err(|error| Problems(vec![whole_file(path, Fault::Document(error))]))?;
        let base = path.parent().unwrap_or(Path::new("")).to_path_buf();
        Ok(Self { path: path.to_path_buf(), seen: SeenFile::look(path), base, exists: true, tree, document })
    }

    /// What `mlgate serve` makes before it reads the rest, because it does not exist yet.
    pub fn first_start(&self) -> FirstStart {
        FirstStart::of(self)
    }

    /// What a first start has made, for those who ask where it lies.
    pub fn made_at_first_start(&self) -> FirstStart {
        FirstStart::whole(self)
    }

    /// Reads and checks everything that the config names.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn settings(&self) -> Result<Settings, Problems> {
        review::settings(self)
    }

    /// As [`ConfigFile::settings`], but what [`ConfigFile::first_start`] lists is noted instead of missed.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn preview(&self) -> Result<Preview, Problems> {
        review::preview(self)
    }

    /// As it was before it was read.
    pub(super) fn seen(&self) -> SeenFile {
        self.seen.clone()
    }

    /// As in messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Whether there is a file; if not, the shipped default counts.
    pub const fn exists(&self) -> bool {
        self.exists
    }

    /// Whether the listener on this address has TLS; also while its certificate is still to be made.
    pub fn has_tls(&self, address: std::net::SocketAddr) -> bool {
        let mut listeners = self.document.listeners.iter();
        listeners.any(|listener| listener.address.parse() == Ok(address) && listener.tls.is_some())
    }

    /// A path as the config writes it.
    pub(super) fn resolve(&self, path: &str) -> PathBuf {
        self.base.join(path)
    }

    pub(super) const fn document(&self) -> &Document {
        &self.document
    }

    pub(super) fn locate(&self, key: &KeyPath) -> Mark {
        self.tree.locate(key)
    }
}

fn whole_file(path: &Path, fault: Fault) -> Problem {
    Problem { file: path.to_path_buf(), mark: None, key: KeyPath::root(), fault }
}
