//! `mlgate schema`

use super::exit::Exit;
use super::output;
use crate::config;

/// Prints the JSON Schema of the config file, for editors.
///
/// # Errors
/// Standard output cannot be written.
pub fn run() -> anyhow::Result<Exit> {
    let schema = serde_json::to_string_pretty(&config::json_schema())?;
    output::result(&format!("{schema}\n"))?;
    Ok(Exit::Done)
}
