//! Stage 7: whether the body of a request reaches ML, where its path leaves that open.
//!
//! Documents are judged for everybody, so that the gate counts what they do and the audit trail tells it. Bulks are
//! judged only where that may change the answer.

use super::Limits;
use super::authorize::Authorized;
use super::guard::Guard;
use super::received::Received;
use super::refusal::{Lacks, Refusal};
use super::source::UploadEnd;
use super::trail::Record;
use crate::gate::WorkerGate;
use crate::inspection::{BulkReader, Finding, Unread, encoding, read_document, read_nothing};
use crate::policy::{self, Classified, Grant, Inspection, Perimeter, Reading, Roles, UpgradeRule};
use crate::realm::Verified;
use crate::rejection::Rejection;

/// What an inspection is decided by, beside the request.
pub(super) struct Rules<'a> {
    pub(super) gate: &'a WorkerGate,
    pub(super) roles: &'a Roles,
    pub(super) limits: &'a Limits,
}

impl Authorized {
    /// What is to be inspected: nothing if there is no body, or the path has decided already.
    pub(super) fn inspection(&self) -> Option<Inspection> {
        let received = &self.authenticated.routed.received;
        let inspection = policy::inspection(&received.method, received.target().ok()?)?;
        let decided = self.authenticated.routed.classified == Classified::Perimeter(inspection.rule);
        let nothing = received.body.is_empty() && !inspection.judges_no_body();
        (!decided && !nothing).then_some(inspection)
    }

    /// Reads as much of the body as is needed; what a bulk brings after that is judged as it streams.
    ///
    /// # Errors
    /// 401, 403, 429, 503 as for a path that reaches ML; 400 and 403 for a body that cannot be judged; 408, 413 and 400
    /// for one that does not come through.
    pub(super) async fn inspect(
        mut self,
        inspection: Inspection,
        rules: Rules<'_>,
        record: &mut Record,
    ) -> Result<Self, Rejection> {
        let authority = self.authority(&inspection, rules.roles);
        let rule = inspection.rule;
        let inspected = match inspection.reading {
            Reading::Bulk => self.inspect_bulk(inspection, authority, &rules).await,
            Reading::Document(_) => self.inspect_document(inspection, authority, &rules, record).await,
        };
        match inspected {
            Ok(()) => Ok(self),
            Err(Refused::ByRule(rejection)) => {
                record.classified = Some(Classified::Perimeter(rule));
                Err(rejection)
            }
            Err(Refused::Broken(end)) => Err(self.authenticated.routed.received.body.state().rejection(end)),
        }
    }

    /// The grant that a body which reaches ML needs, or what the caller lacks.
    fn authority(&self, inspection: &Inspection, roles: &Roles) -> Result<Grant, Lacks> {
        let Verified::Caller(principal) = &self.authenticated.caller else { return Err(Lacks::Caller) };
        policy::authorize(principal, inspection.rule.demand, roles)
            .map_err(|denial| Lacks::Privilege { denial: Box::new(denial), username: principal.username.clone() })
    }

    /// A bulk from somebody who may write to ML goes on unread while upgrade mode lets it; the gate counts it.
    async fn inspect_bulk(
        &mut self,
        inspection: Inspection,
        authority: Result<Grant, Lacks>,
        rules: &Rules<'_>,
    ) -> Result<(), Refused> {
        let rule = inspection.rule;
        let lacks = match authority {
            Err(lacks) => lacks,
            Ok(_) => match rules.gate.admit(rule.upgrade_mode, self.may_manage(rules.roles)) {
                Ok(admission) => {
                    self.admission = Some(admission);
                    return Ok(());
                }
                Err(held) => Lacks::Time { held, now: self.authenticated.routed.received.wall },
            },
        };
        let refusal = Refusal::new(rule, lacks);
        let received = &mut self.authenticated.routed.received;
        let doubt = inspection.doubt.map_or(Ok(()), |doubt| Err(doubt.into()));
        let encoding = doubt
            .and_then(|()| encoding(&received.headers))
            .map_err(|unread| Refused::ByRule(refusal.of(unread.into())))?;
        let (bytes_max, text_bytes_max) = (rules.limits.inspect_buffer, rules.limits.max_content_length);
        let text_bytes_max = usize::try_from(text_bytes_max).unwrap_or(usize::MAX);
        let reader = BulkReader::new(inspection, encoding, bytes_max, text_bytes_max);
        received.body.guard(Guard::new(reader, refusal, bytes_max));
        match received.body.read_ahead(bytes_max).await {
            Ok(_) => Ok(()),
            Err(UploadEnd::Refused) => Err(Refused::ByRule(received.body.state().rejection(UploadEnd::Refused))),
            Err(end) => Err(Refused::Broken(end)),
        }
    }

    /// From then on the request is one that its path could have named.
    async fn inspect_document(
        &mut self,
        inspection: Inspection,
        authority: Result<Grant, Lacks>,
        rules: &Rules<'_>,
        record: &mut Record,
    ) -> Result<(), Refused> {
        let received = &mut self.authenticated.routed.received;
        let Err(finding) = read(received, &inspection, rules.limits).await.map_err(Refused::Broken)? else {
            return Ok(());
        };
        let rule = inspection.rule;
        match authority {
            Err(lacks) => Err(Refused::ByRule(Refusal::new(rule, lacks).of(finding))),
            Ok(grant) => {
                record.reason = Some(reason(&finding));
                record.classified = Some(Classified::Perimeter(rule));
                self.take(rule, grant, rules.roles);
                Ok(())
            }
        }
    }

    fn take(&mut self, rule: Perimeter, grant: Grant, roles: &Roles) {
        self.authenticated.routed.classified = Classified::Perimeter(rule);
        self.grant = Some(grant);
        if rule.upgrade_mode != UpgradeRule::Passes {
            self.rule = rule.upgrade_mode;
            self.may_manage = self.may_manage(roles);
        }
    }

    fn may_manage(&self, roles: &Roles) -> bool {
        self.authenticated.may_manage(roles)
    }
}

enum Refused {
    /// For what is in the body.
    ByRule(Rejection),
    /// The body did not come through.
    Broken(UploadEnd),
}

/// Reads a document whole, if it is not too large.
async fn read(
    received: &mut Received,
    inspection: &Inspection,
    limits: &Limits,
) -> Result<Result<(), Finding>, UploadEnd> {
    let bytes_max = limits.inspect_buffer;
    let unread = |unread: Unread| Ok(Err(Finding::from(unread)));
    if let Some(doubt) = inspection.doubt {
        return unread(doubt.into());
    }
    if received.body.is_larger_than(bytes_max) || !received.body.read_ahead(bytes_max).await? {
        return unread(Unread::TooLarge);
    }
    let text = received.body.ahead();
    if text.is_empty() {
        return Ok(read_nothing(inspection));
    }
    match encoding(&received.headers) {
        Ok(encoding) => Ok(read_document(inspection, text, encoding, bytes_max)),
        Err(why) => unread(why),
    }
}

/// For the audit trail.
fn reason(finding: &Finding) -> String {
    match finding {
        Finding::Reaches(name) => format!("the body reaches [{name}]"),
        Finding::Unread(unread) => format!("the body cannot be inspected: {unread}"),
    }
}
