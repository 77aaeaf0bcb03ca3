//! Stage 5: who the caller is.

use http::header::{self, HeaderName, HeaderValue};

use super::classify::Routed;
use super::peer::Unacceptable;
use super::view::{View, WorkerCluster};
use crate::policy::Classified;
use crate::realm::{Chain, Credentials, Malformed, Required, Unauthenticated, Verified, pki};
use crate::rejection::Rejection;

const REFUSED: Rejection = Rejection::Unauthenticated(Unauthenticated::Certificate(pki::Refusal::Unacceptable));
const SHARED_SECRET: HeaderName = HeaderName::from_static("es-client-authentication");
const RUN_AS: HeaderName = HeaderName::from_static("es-security-runas-user");

/// A request whose caller is known, or may be nobody.
pub(super) struct Authenticated {
    pub(super) routed: Routed,
    pub(super) caller: Verified,
}

impl Routed {
    /// Nobody passes only where the settings say so and the request reaches no ML.
    ///
    /// # Errors
    /// 401: wrong credentials, none where they are needed, or a connection that its listener would not take now; 429
    /// while too many wait; 403 and 503 where the cluster is asked and says so, or says nothing.
    pub(super) async fn authenticate(
        self,
        chain: &Chain,
        view: &View,
        cluster: &WorkerCluster,
    ) -> Result<Authenticated, Rejection> {
        let (received, realms) = (&self.received, &view.snapshot.realms);
        if received.headers.get_all(SHARED_SECRET).iter().nth(1).is_some() {
            return Err(Rejection::Unauthenticated(Unauthenticated::Malformed(Malformed::SeveralSecrets)));
        }
        let certificate = received.peer.certificate(view, (received.wall, received.instant));
        let credentials = Credentials {
            authorization: received.headers.get_all(header::AUTHORIZATION).iter().map(HeaderValue::as_bytes).collect(),
            shared_secret: received.headers.get(SHARED_SECRET).map(HeaderValue::as_bytes),
            run_as: received.headers.get_all(RUN_AS).iter().map(HeaderValue::as_bytes).collect(),
            certificate: certificate.map_err(|Unacceptable| REFUSED)?,
            cluster: Some(&cluster.asked),
            // Behind a trusted proxy stand many: one who guesses does not limit the others.
            address: (!received.peer.trusted).then(|| received.peer.socket_address().ip()),
            now: received.wall,
            instant: received.instant,
        };
        let caller = chain.authenticate(realms, credentials).await.map_err(Rejection::Unauthenticated)?;
        match (&caller, realms.required(), self.classified) {
            (Verified::Caller(_), _, _) | (Verified::Nobody, Required::Ml, Classified::Other) => {
                Ok(Authenticated { routed: self, caller })
            }
            (Verified::Nobody, _, _) => Err(Rejection::Missing),
        }
    }
}
