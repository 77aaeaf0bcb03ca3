//! Stage 6: whether the caller may.

use super::authenticate::Authenticated;
use crate::gate::Admission;
use crate::policy::{self, Classified, Demand, Grant, Roles, UpgradeRule};
use crate::realm::Verified;
use crate::rejection::Rejection;

/// A request that its caller may make.
pub(super) struct Authorized {
    pub(super) authenticated: Authenticated,
    /// `None` for requests that reach no ML: the cluster decides about them.
    pub(super) grant: Option<Grant>,
    /// What upgrade mode does to it.
    pub(super) rule: UpgradeRule,
    /// Has the cluster privilege `manage`; looked up only where the rule asks for it.
    pub(super) may_manage: bool,
    /// Given for what may be in the body.
    pub(super) admission: Option<Admission>,
}

impl Authenticated {
    /// # Errors
    /// 403 with Elasticsearch's text.
    pub(super) fn authorize(self, roles: &Roles) -> Result<Authorized, Rejection> {
        let (demand, rule) = match self.routed.classified {
            Classified::Ml(operation) => (operation.demand, operation.upgrade_mode),
            Classified::Perimeter(perimeter) => (perimeter.demand, perimeter.upgrade_mode),
            Classified::Other => {
                let rule = UpgradeRule::Passes;
                return Ok(Authorized { authenticated: self, grant: None, rule, may_manage: false, admission: None });
            }
        };
        let Verified::Caller(principal) = &self.caller else { return Err(Rejection::Missing) };
        let grant = policy::authorize(principal, demand, roles).map_err(|denial| Rejection::Denied {
            denial: Box::new(denial),
            username: principal.username.clone(),
            on: None,
        })?;
        let may_manage = rule == UpgradeRule::RefusedUnlessManage && self.may_manage(roles);
        Ok(Authorized { authenticated: self, grant: Some(grant), rule, may_manage, admission: None })
    }

    /// Whether the caller has the cluster privilege `manage`.
    pub(super) fn may_manage(&self, roles: &Roles) -> bool {
        match &self.caller {
            Verified::Caller(principal) => policy::authorize(principal, Demand::Privileges(&["manage"]), roles).is_ok(),
            Verified::Nobody => false,
        }
    }
}
