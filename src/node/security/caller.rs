//! The caller of a request.

use std::collections::BTreeMap;

use crate::elasticsearch::vouched;

/// Who sent the request, as `_security/_authenticate` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    pub username: String,
    pub roles: Vec<String>,
    pub full_name: Option<String>,
    pub email: Option<String>,
    pub metadata: BTreeMap<String, Vec<String>>,
    pub realm: vouched::Realm,
    /// `realm`, or `anonymous` where security is off.
    pub authentication_type: &'static str,
}

impl Caller {
    /// Everybody, where security is off.
    pub fn anyone() -> Self {
        Self {
            username: "_anonymous".to_owned(),
            roles: vec!["superuser".to_owned()],
            full_name: None,
            email: None,
            metadata: BTreeMap::new(),
            realm: vouched::Realm { name: "__anonymous".to_owned(), kind: "__anonymous".to_owned() },
            authentication_type: "anonymous",
        }
    }
}

impl From<vouched::Caller> for Caller {
    fn from(caller: vouched::Caller) -> Self {
        Self {
            username: caller.username,
            roles: caller.roles,
            full_name: caller.full_name,
            email: caller.email,
            metadata: caller.metadata,
            realm: caller.realm,
            authentication_type: "realm",
        }
    }
}
