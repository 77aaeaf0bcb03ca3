//! What a remembered answer rests on: a reload that leaves it as it was does not end the answer.

use std::rc::Rc;
use std::sync::Arc;

use super::authorization::Presented;
use super::elasticsearch::Cluster;
use super::file::password::PasswordHash;
use super::realms::{Realms, Side};
use crate::policy::Principal;
use crate::upstream::Servers;

/// What the same credential would be judged by today.
#[derive(Clone)]
pub(super) enum Basis {
    /// The password has this hash, and no realm that asks others is before the user's.
    Password(Arc<PasswordHash>),
    /// These nodes were asked, after the realms before them had not known better.
    Cluster(Rc<Word>),
    /// Settings of many kinds: it is verified again after every reload, which costs a signature or needs the cluster.
    AllSettings,
}

/// A cluster's word about a credential.
pub(super) struct Word {
    servers: Arc<Servers>,
    before: Before,
}

/// What the realms before the cluster had to do with the credential.
enum Before {
    /// A user of theirs with another password, or none.
    User {
        username: String,
        hash: Option<Arc<PasswordHash>>,
    },
    Token,
    Nothing,
}

impl Basis {
    /// Of a right password.
    pub(super) fn of_password(realms: &Realms, side: Side, username: &str) -> Self {
        match realms.user(side, username) {
            Some((hash, _)) if side == Side::Before => Self::Password(hash),
            Some(_) | None => Self::AllSettings,
        }
    }

    /// Of a credential that the cluster knows.
    pub(super) fn of_word(realms: &Realms, cluster: &Cluster, presented: &Presented<'_>) -> Self {
        let before = match presented {
            Presented::Basic(basic) => {
                let (username, hash) = (basic.username.clone(), hash(realms, &basic.username));
                Before::User { username, hash }
            }
            Presented::Bearer(_) => Before::Token,
            Presented::ApiKey | Presented::Other => Before::Nothing,
        };
        Self::Cluster(Rc::new(Word { servers: Arc::clone(cluster.servers()), before }))
    }

    /// Whether later realms would say the same of the credential by which this is the caller.
    pub(super) fn holds(&self, principal: &Principal, realms: &Realms, cluster: Option<&Cluster>) -> bool {
        match self {
            Self::Password(hash) => realms
                .user(Side::Before, &principal.username)
                .is_some_and(|(now, caller)| now == *hash && caller == *principal),
            Self::Cluster(word) => {
                let asks = realms.elasticsearch().is_some_and(|name| **name == *principal.realm.name);
                asks && cluster.is_some_and(|now| *now.servers() == word.servers) && word.before.holds(realms)
            }
            Self::AllSettings => false,
        }
    }
}

impl Before {
    fn holds(&self, realms: &Realms) -> bool {
        match self {
            Self::User { username, hash: before } => hash(realms, username) == *before,
            Self::Token => realms.jwt(Side::Before).next().is_none(),
            Self::Nothing => true,
        }
    }
}

fn hash(realms: &Realms, username: &str) -> Option<Arc<PasswordHash>> {
    realms.user(Side::Before, username).map(|(hash, _)| hash)
}
