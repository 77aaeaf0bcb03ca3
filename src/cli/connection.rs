//! CONNECTION: how the operator commands reach a gateway or a cluster, as curl and the Elasticsearch tools name it.

use std::fs;
use std::io::{self, IsTerminal as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context as _;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::Args;

use crate::elasticsearch::client::{Address, Client, Settings, TlsSettings};
use crate::secret::Secret;

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

#[derive(Debug, Args)]
#[command(next_help_heading = "Connection")]
pub struct ConnectionArguments {
    /// A gateway or a cluster
    #[arg(long, env = "MLGATE_URL", value_name = "URL", default_value = "https://127.0.0.1:9243")]
    pub url: String,
    /// Basic authentication; asks for the password when it is left out
    #[arg(long, env = "MLGATE_USER", value_name = "NAME[:PASSWORD]", hide_env_values = true)]
    pub user: Option<Secret<String>>,
    /// An API key, as `id:key` or in its encoded form
    #[arg(long, env = "MLGATE_API_KEY", value_name = "KEY", hide_env_values = true)]
    pub api_key: Option<Secret<String>>,
    /// A file with a bearer token
    #[arg(long, env = "MLGATE_BEARER_TOKEN_FILE", value_name = "FILE")]
    pub bearer_token_file: Option<PathBuf>,
    /// The authorities to believe, PEM [default: the system's]
    #[arg(long, env = "MLGATE_CACERT", value_name = "FILE")]
    pub cacert: Option<PathBuf>,
    /// A client certificate, PEM
    #[arg(long, env = "MLGATE_CERT", value_name = "FILE", requires = "key")]
    pub cert: Option<PathBuf>,
    /// Its private key, PEM
    #[arg(long, env = "MLGATE_KEY", value_name = "FILE", requires = "cert")]
    pub key: Option<PathBuf>,
    /// Believe whoever answers
    #[arg(long, env = "MLGATE_INSECURE", value_parser = clap::builder::FalseyValueParser::new())]
    pub insecure: bool,
}

/// Why there is no client.
#[derive(Debug)]
pub enum ConnectionProblem {
    /// The command line is wrong, or a question has no terminal.
    Usage(anyhow::Error),
    /// A file cannot be read or used.
    Unusable(anyhow::Error),
}

impl ConnectionArguments {
    /// # Errors
    /// [`ConnectionProblem`]
    pub fn client(&self) -> Result<Client, ConnectionProblem> {
        let usage = ConnectionProblem::Usage;
        let address = Address::parse(&self.url).map_err(|problem| usage(problem.into()))?;
        let tls = TlsSettings {
            cacert: self.cacert.clone(),
            cert: self.cert.clone(),
            key: self.key.clone(),
            insecure: self.insecure,
        };
        let authorization = self.authorization()?;
        let settings = Settings { address, tls, authorization, connect_timeout: CONNECT_TIMEOUT };
        Client::new(&settings).map_err(|problem| ConnectionProblem::Unusable(problem.into()))
    }

    fn authorization(&self) -> Result<Option<Secret<String>>, ConnectionProblem> {
        let value = match (&self.user, &self.api_key, &self.bearer_token_file) {
            (None, None, None) => return Ok(None),
            (Some(user), None, None) => format!("Basic {}", STANDARD.encode(with_password(user.expose())?)),
            (None, Some(key), None) if key.expose().is_empty() => return Err(empty("--api-key")),
            (None, Some(key), None) if key.expose().contains(':') => {
                format!("ApiKey {}", STANDARD.encode(key.expose()))
            }
            (None, Some(key), None) => format!("ApiKey {}", key.expose()),
            (None, None, Some(file)) => {
                format!("Bearer {}", token(file).map_err(ConnectionProblem::Unusable)?)
            }
            _ => {
                return Err(ConnectionProblem::Usage(anyhow::anyhow!(
                    "only one of --user, --api-key and --bearer-token-file can be given, by option or environment"
                )));
            }
        };
        Ok(Some(Secret::new(value)))
    }
}

fn token(file: &Path) -> anyhow::Result<String> {
    let read = fs::read_to_string(file).with_context(|| format!("cannot read [{}]", file.display()))?;
    let token = read.trim();
    anyhow::ensure!(!token.is_empty(), "[{}] has no token in it", file.display());
    Ok(token.to_owned())
}

/// Sent as it is, it would ask as nobody.
fn empty(option: &str) -> ConnectionProblem {
    ConnectionProblem::Usage(anyhow::anyhow!("{option}, or its variable of the environment, is empty"))
}

fn with_password(user: &str) -> Result<String, ConnectionProblem> {
    if user.is_empty() {
        return Err(empty("--user"));
    }
    if user.contains(':') {
        return Ok(user.to_owned());
    }
    if !io::stdin().is_terminal() {
        return Err(ConnectionProblem::Usage(anyhow::anyhow!(
            "no terminal to ask for the password of [{user}] on; give it as --user {user}:PASSWORD or by MLGATE_USER"
        )));
    }
    let password = rpassword::prompt_password(format!("Password of {user}: "));
    Ok(format!("{user}:{}", password.map_err(|error| ConnectionProblem::Unusable(error.into()))?))
}

/// `500ms`, `30s`, `10m`, `1h`, as in Elasticsearch.
///
/// # Errors
/// Anything else.
pub fn duration(text: &str) -> Result<Duration, String> {
    let expected = || format!("expected a duration with a unit, such as [30s], [10m] or [500ms], found [{text}]");
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at_checked(digits).ok_or_else(expected)?;
    let number: u64 = number.parse().map_err(|_| expected())?;
    let milliseconds = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(expected()),
    };
    let limit = Duration::from_secs(10 * 365 * 86_400);
    let found = number.checked_mul(milliseconds).map(Duration::from_millis);
    found.filter(|found| *found <= limit).ok_or_else(expected)
}

/// A duration between two looks: without one a command would do nothing but look.
///
/// # Errors
/// Anything else.
pub fn interval(text: &str) -> Result<Duration, String> {
    let found = duration(text)?;
    if found.is_zero() { Err("expected more than no time".to_owned()) } else { Ok(found) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_have_a_unit_and_an_end() {
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("10m"), Ok(Duration::from_secs(600)));
        for text in ["", "30", "-1", "1.5h", "s", "99999999999999999999s", "9999999d", "3ä"] {
            assert!(duration(text).is_err(), "{text}");
        }
    }
}
