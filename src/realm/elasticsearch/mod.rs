//! The `elasticsearch` realm: credentials are put to the cluster of the request, and so is what their owner may do.
//!
//! Two requests a credential: `GET /_security/_authenticate` says who it is, one `POST /_security/user/_has_privileges`
//! asks for everything that any request could demand ([`crate::policy::rights::questions`]). Both carry the caller's own
//! credentials, so that the cluster decides about its own users as it always does.
//!
//! **Invariant**: only what the cluster answered with yes is granted. An answer that is malformed, contradicts itself or
//! names somebody else is no answer, and without an answer nobody is let in.

mod answer;
mod asker;
mod question;

use std::rc::Rc;
use std::sync::Arc;

pub(super) use asker::{Asked, Asker, Verdict};

use crate::upstream::{ControlClient, Servers};

/// An elasticsearch realm.
#[derive(Clone, Debug)]
pub struct Settings {
    pub name: String,
}

/// The cluster of a request, in the hands of one worker.
#[derive(Clone)]
pub struct Cluster {
    name: Rc<str>,
    servers: Arc<Servers>,
    client: ControlClient,
}

impl Cluster {
    /// `name` is the cluster's in the config: what one cluster says of a credential counts for that cluster alone.
    /// `servers`: those that `client` asks.
    pub const fn new(name: Rc<str>, servers: Arc<Servers>, client: ControlClient) -> Self {
        Self { name, servers, client }
    }

    pub(super) fn name(&self) -> &str {
        &self.name
    }

    pub(super) const fn servers(&self) -> &Arc<Servers> {
        &self.servers
    }
}
