//! Elasticsearch's `users` and `users_roles` files, and who a password belongs to.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use tokio::sync::Semaphore;

use super::password::Hash;

/// Passwords that are verified at one time; others wait.
const VERIFICATIONS_MAX: usize = 2;
/// Verified passwords that are remembered.
const REMEMBERED_MAX: usize = 10_000;

/// The users of the two files, as they were read.
pub(super) struct Users {
    users: BTreeMap<String, User>,
    /// Verified for an unknown name, so that it costs what a wrong password does.
    stand_in: Hash,
    remembered: Mutex<HashMap<[u8; 32], ()>>,
    key: hmac::Key,
    verifying: Arc<Semaphore>,
}

struct User {
    hash: Hash,
    roles: Vec<String>,
}

impl Users {
    /// Reads both files' texts.
    ///
    /// # Errors
    /// The first line that is wrong, by its number.
    pub(super) fn parse(users: &str, users_roles: &str) -> Result<Self, String> {
        let mut known = BTreeMap::new();
        for (number, line) in lines(users) {
            let (name, hash) =
                line.split_once(':').ok_or_else(|| format!("line {number} of [users] is not NAME:HASH"))?;
            let hash =
                Hash::parse(hash).ok_or_else(|| format!("line {number} of [users] has an unknown form of hash"))?;
            known.insert(name.to_owned(), User { hash, roles: Vec::new() });
        }
        for (number, line) in lines(users_roles) {
            let parts = line.split_once(':');
            let (role, names) = parts.ok_or_else(|| format!("line {number} of [users_roles] is not ROLE:NAME,NAME"))?;
            for name in names.split(',').map(str::trim) {
                if let Some(user) = known.get_mut(name) {
                    user.roles.push(role.trim().to_owned());
                }
            }
        }
        let stand_in = known.values().next().map_or_else(stand_in, |user| Ok(user.hash.clone()))?;
        let key = hmac::Key::generate(hmac::HMAC_SHA256, &SystemRandom::new())
            .map_err(|_| "the system has no random numbers".to_owned())?;
        Ok(Self {
            users: known,
            stand_in,
            remembered: Mutex::new(HashMap::new()),
            key,
            verifying: Arc::new(Semaphore::new(VERIFICATIONS_MAX)),
        })
    }

    /// The roles of the user with this password; `None` for any other.
    pub(super) async fn verify(&self, name: &str, password: &[u8]) -> Option<Vec<String>> {
        let mark = self.mark(name, password);
        let user = self.users.get(name);
        if let (Some(user), true) = (user, self.remembered().contains_key(&mark)) {
            return Some(user.roles.clone());
        }
        let permit = Arc::clone(&self.verifying).acquire_owned().await.ok()?;
        let (hash, password) = (user.map_or(&self.stand_in, |user| &user.hash).clone(), password.to_vec());
        let verified = tokio::task::spawn_blocking(move || {
            let _permit = permit;
            hash.verify(&password)
        });
        let roles = if verified.await.unwrap_or(false) { user?.roles.clone() } else { return None };
        let mut remembered = self.remembered();
        if remembered.len() >= REMEMBERED_MAX {
            remembered.clear();
        }
        remembered.insert(mark, ());
        Some(roles)
    }

    fn remembered(&self) -> std::sync::MutexGuard<'_, HashMap<[u8; 32], ()>> {
        self.remembered.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn mark(&self, name: &str, password: &[u8]) -> [u8; 32] {
        let mut context = hmac::Context::with_key(&self.key);
        context.update(&(name.len() as u64).to_be_bytes());
        context.update(name.as_bytes());
        context.update(password);
        context.sign().as_ref().try_into().unwrap_or_default()
    }
}

fn stand_in() -> Result<Hash, String> {
    let hash = "$2a$10$7EqJtq98hPqEX7fNZaFWoOHi4jZ2ncpuA/yDmg6K0UUSxd1i2mjhK";
    Hash::parse(hash).ok_or_else(|| "no stand-in hash".to_owned())
}

/// Lines that say something, with their numbers from 1.
fn lines(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let numbered = text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    numbered.filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn knows_users_by_their_password() {
        let hash = bcrypt::hash("secret", 4).expect("a hash");
        let users = Users::parse(&format!("# people\nann:{hash}\n"), "viewer:ann,bob\nops:ann").expect("users");
        let roles = Some(vec!["viewer".to_owned(), "ops".to_owned()]);
        assert_eq!(users.verify("ann", b"secret").await, roles);
        assert_eq!(users.verify("ann", b"secret").await, roles, "remembered");
        assert_eq!(users.verify("ann", b"wrong").await, None);
        assert_eq!(users.verify("bob", b"secret").await, None);
    }

    #[test]
    fn names_the_line_that_is_wrong() {
        assert_eq!(Users::parse("\nann", "").err().as_deref(), Some("line 2 of [users] is not NAME:HASH"));
        assert_eq!(Users::parse("ann:x", "").err().as_deref(), Some("line 1 of [users] has an unknown form of hash"));
        assert_eq!(Users::parse("", "ops").err().as_deref(), Some("line 1 of [users_roles] is not ROLE:NAME,NAME"));
    }
}
