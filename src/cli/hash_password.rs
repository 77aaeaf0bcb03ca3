//! `mlgate hash-password [NAME]`: a line for the `users` file.

use std::io::{self, IsTerminal as _, Read as _};

use clap::Args;

use super::exit::Exit;
use super::output;
use crate::realm::file::check_name;
use crate::realm::file::password::hash_password;

/// More than any password; bcrypt takes 72 bytes.
const INPUT_BYTES_MAX: u64 = 4096;

#[derive(Debug, Args)]
pub struct HashPasswordArguments {
    /// The user: prints NAME:HASH for the `users` file; left out: the hash alone
    pub name: Option<String>,
}

/// Asks for the password on a terminal, twice and without showing it; reads one line of standard input otherwise.
///
/// # Errors
/// No password, one that is refused, or two that differ.
pub fn run(arguments: &HashPasswordArguments) -> anyhow::Result<Exit> {
    if let Some(Err(problem)) = arguments.name.as_deref().map(check) {
        output::failure(&problem);
        return Ok(Exit::Usage);
    }
    let password = if io::stdin().is_terminal() { ask()? } else { read()? };
    let hash = hash_password(&password)?;
    match &arguments.name {
        Some(name) => output::result(&format!("{name}:{hash}\n"))?,
        None => output::result(&format!("{hash}\n"))?,
    }
    Ok(Exit::Done)
}

/// A name that the `users` file gives back as it is.
fn check(name: &str) -> anyhow::Result<()> {
    check_name(name)?;
    anyhow::ensure!(
        !name.contains(':') && !name.starts_with('#'),
        "a user name in the users file has no [:], and no [#] in front"
    );
    Ok(())
}

fn ask() -> anyhow::Result<String> {
    let password = rpassword::prompt_password("Password: ")?;
    let again = rpassword::prompt_password("Again: ")?;
    anyhow::ensure!(password == again, "the two passwords differ");
    Ok(password)
}

fn read() -> anyhow::Result<String> {
    let mut input = String::new();
    io::stdin().take(INPUT_BYTES_MAX).read_to_string(&mut input)?;
    let line = input.strip_suffix('\n').unwrap_or(&input);
    let line = line.strip_suffix('\r').unwrap_or(line);
    anyhow::ensure!(!line.contains('\n'), "expected one line on standard input: the password");
    Ok(line.to_owned())
}
