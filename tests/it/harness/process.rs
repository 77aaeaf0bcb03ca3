//! The program itself, in a folder of its own.

use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;

use base64::Engine as _;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, RootCertStore, SupportedProtocolVersion};
use serde_json::Value;

use super::{Client, Holder, PATIENCE};

/// A running `mlgate`; killed when dropped.
pub(crate) struct Process {
    child: Child,
    lines: Receiver<String>,
    /// Everything read from standard error so far.
    pub(crate) log: Vec<String>,
}

impl Process {
    pub(crate) fn start(arguments: &[&str], folder: &Path) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mlgate"));
        command.args(arguments).current_dir(folder).stdin(Stdio::null());
        Self::spawn(command)
    }

    /// A command that becomes the program.
    pub(crate) fn spawn(command: Command) -> Self {
        Self::spawn_into(command, Stdio::null())
    }

    fn spawn_into(mut command: Command, stdout: Stdio) -> Self {
        let mut child = command.stdout(stdout).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = child.stderr.take().unwrap();
        let (told, lines) = channel();
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(Result::ok) {
                if told.send(line).is_err() {
                    return;
                }
            }
        });
        Self { child, lines, log: Vec::new() }
    }

    /// Reads on until a line holds `text`; that line.
    pub(crate) fn until(&mut self, text: &str) -> String {
        loop {
            let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
                panic!("no [{text}] on standard error:\n{}", self.log.join("\n"));
            };
            self.log.push(line.clone());
            if line.contains(text) {
                return line;
            }
        }
    }

    /// Waits for a line that may have come before.
    pub(crate) fn sometime(&mut self, text: &str) {
        if !self.log.iter().any(|line| line.contains(text)) {
            self.until(text);
        }
    }

    /// The address of the next `listening` line.
    pub(crate) fn listening(&mut self) -> SocketAddr {
        let line: Value = serde_json::from_str(&self.until("\"message\":\"listening\"")).unwrap();
        line["url.full"].as_str().unwrap().split("//").nth(1).unwrap().parse().unwrap()
    }

    pub(crate) fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end of the process.
    pub(crate) fn end(&mut self) -> ExitStatus {
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.log.push(line);
        }
        self.child.wait().unwrap()
    }

    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A folder with a config like the shipped one, on free ports.
pub(crate) struct Home {
    folder: tempfile::TempDir,
}

impl Home {
    pub(crate) fn new() -> Self {
        let home = Self::empty();
        home.write(
            "config/mlgate.yml",
            "listeners: [ { address: '127.0.0.1:0', tls: { certificate: ../certs/server.crt, key: ../certs/server.key } } ]\n\
             workers: 1\n\
             clusters: [ { name: main, embedded: { data: ../data } } ]\n\
             authentication: { realms: [ { type: file, name: file1, users: users, users_roles: users_roles } ] }\n",
        );
        home
    }

    /// Nothing is there.
    pub(crate) fn empty() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        let path = self.file(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, content).unwrap();
    }

    pub(crate) fn serve(&self) -> Process {
        Process::start(&["serve"], self.path())
    }

    /// Its standard output goes to a file of this name.
    pub(crate) fn serve_into(&self, name: &str) -> Process {
        let mut command = Command::new(env!("CARGO_BIN_EXE_mlgate"));
        command.arg("serve").current_dir(self.path()).stdin(Stdio::null());
        Process::spawn_into(command, std::fs::File::create(self.file(name)).unwrap().into())
    }

    /// A client that trusts the development CA and nothing else.
    pub(crate) fn client(&self, address: SocketAddr) -> Client {
        Client::connect_tls(address, "localhost", self.trusting(None))
    }

    /// The TLS of such a client, with a certificate to show.
    pub(crate) fn trusting(&self, holder: Option<&Holder>) -> Arc<ClientConfig> {
        Arc::new(self.trusting_by(holder, rustls::ALL_VERSIONS))
    }

    pub(crate) fn trusting_by(
        &self,
        holder: Option<&Holder>,
        versions: &[&'static SupportedProtocolVersion],
    ) -> ClientConfig {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(self.file("certs/ca.crt")).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        match holder {
            Some(holder) => builder.with_client_cert_resolver(Arc::new(holder.shown())),
            None => builder.with_no_client_auth(),
        }
    }
}

/// The passwords that the first start printed, by user name.
pub(crate) fn passwords(log: &[String]) -> Vec<(String, String)> {
    let pairs = log.iter().filter_map(|line| line.split_once(' '));
    let known = ["elastic", "ml_admin", "ml_user", "reader"];
    pairs
        .filter(|(name, password)| known.contains(name) && !password.contains(' '))
        .map(|(name, password)| (name.to_owned(), password.to_owned()))
        .collect()
}

/// `Authorization: Basic ...` as a header line.
pub(crate) fn authorization(name: &str, password: &str) -> String {
    let token = base64::engine::general_purpose::STANDARD.encode(format!("{name}:{password}"));
    format!("Authorization: Basic {token}\r\n")
}
