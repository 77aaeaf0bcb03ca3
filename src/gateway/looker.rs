//! Who may look at the state of clusters: callers of the admin address, by the same realms and roles as everywhere.

use std::cell::RefCell;
use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use http::Response;
use http::header::{self, HeaderName, HeaderValue};
use http::request::Parts;

use super::request_id::RequestIds;
use super::snapshot::{Cluster, Shared, Snapshot};
use crate::policy::operation::Demand;
use crate::policy::{self, Roles};
use crate::realm::{self, Chain, Credentials, Malformed, Unauthenticated, Verified};
use crate::rejection::{self, Asked, Rejection};
use crate::telemetry::clock;

/// As `GET /_ml/info`: whoever may see there whether upgrade mode is on.
const LOOK: Demand = Demand::Action("cluster:monitor/xpack/ml/info/get");
const SHARED_SECRET: HeaderName = HeaderName::from_static("es-client-authentication");
const RUN_AS: HeaderName = HeaderName::from_static("es-security-runas-user");

/// Lives on one thread, as a worker does.
pub struct Looker {
    shared: Arc<Shared>,
    chain: Chain,
    ids: RequestIds,
    asked: RefCell<(u64, Rc<[realm::Cluster]>)>,
}

impl Looker {
    /// Remembers as many callers as one of `worker_count` workers.
    pub fn new(shared: Arc<Shared>, worker_count: usize) -> Self {
        let asked = (0, Rc::from([]));
        Self { shared, chain: Chain::new(worker_count), ids: RequestIds::new(), asked: RefCell::new(asked) }
    }

    /// The names of the clusters whose state the sender of the request may see.
    ///
    /// # Errors
    /// Why it may see none: 400, 401, 403, 429 or 503.
    pub async fn look(&self, request: &Parts, address: IpAddr) -> Result<Vec<Arc<str>>, Rejection> {
        let generation = self.shared.generation();
        let snapshot = self.shared.load();
        let clusters = self.clusters(generation, &snapshot);
        let mut seen = Vec::new();
        let mut refused = None;
        for (cluster, asked) in snapshot.clusters.iter().zip(clusters.iter()) {
            match self.may_look(request, address, asked, &snapshot).await {
                Ok(()) => seen.push(Arc::clone(&cluster.name)),
                Err(rejection) => {
                    refused.get_or_insert(rejection);
                }
            }
            // Without a realm of theirs all clusters have the same callers: one look, and one failed attempt, is enough.
            if !snapshot.realms.asks_clusters() {
                let all = snapshot.clusters.iter().map(|cluster| Arc::clone(&cluster.name));
                return refused.map_or_else(|| Ok(all.collect()), Err);
            }
        }
        match refused {
            Some(rejection) if seen.is_empty() => Err(rejection),
            Some(_) | None => Ok(seen),
        }
    }

    /// Anew for each generation of the settings.
    fn clusters(&self, generation: u64, snapshot: &Snapshot) -> Rc<[realm::Cluster]> {
        let mut asked = self.asked.borrow_mut();
        if asked.0 != generation {
            *asked = (generation, snapshot.clusters.iter().map(Cluster::asked).collect());
        }
        Rc::clone(&asked.1)
    }

    async fn may_look(
        &self,
        request: &Parts,
        address: IpAddr,
        cluster: &realm::Cluster,
        snapshot: &Snapshot,
    ) -> Result<(), Rejection> {
        let values = |name| request.headers.get_all(name).iter().map(HeaderValue::as_bytes).collect::<Vec<_>>();
        let secrets = values(SHARED_SECRET);
        if secrets.len() > 1 {
            return Err(Rejection::Unauthenticated(Unauthenticated::Malformed(Malformed::SeveralSecrets)));
        }
        let credentials = Credentials {
            authorization: values(header::AUTHORIZATION),
            shared_secret: secrets.first().copied(),
            run_as: values(RUN_AS),
            certificate: None,
            cluster: Some(cluster),
            address: Some(address),
            now: clock::now(),
            instant: Instant::now(),
        };
        let verified = self.chain.authenticate(&snapshot.realms, credentials).await;
        authorize(verified.map_err(Rejection::Unauthenticated)?, &snapshot.roles)
    }

    /// The answer to a request that is refused.
    pub fn refuse(&self, rejection: &Rejection, request: &Parts) -> Response<Bytes> {
        let realms = self.shared.realms();
        rejection::answer(
            rejection,
            &Asked {
                method: &request.method,
                uri: &request.uri,
                accept: request.headers.get(header::ACCEPT),
                opaque_id: None,
                request_id: &self.ids.next().header(),
                challenges: realms.challenges(),
            },
        )
    }
}

fn authorize(caller: Verified, roles: &Roles) -> Result<(), Rejection> {
    let Verified::Caller(principal) = caller else { return Err(Rejection::Missing) };
    policy::authorize(&principal, LOOK, roles).map(drop).map_err(|denial| Rejection::Denied {
        denial: Box::new(denial),
        username: principal.username.clone(),
        on: None,
    })
}
