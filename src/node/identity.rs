//! The names of the node.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::store::{Batch, Store, StoreError, identifiers};

const KEY: &str = "node/identity";

/// The names of the node; kept on disk, except the cluster's name.
#[derive(Clone, Debug)]
pub struct Identity {
    pub cluster_name: String,
    pub cluster_uuid: String,
    pub node_id: String,
    pub node_name: String,
    /// Changes with each start, as Elasticsearch's does.
    pub ephemeral_id: String,
    /// Where the node listens.
    pub address: SocketAddr,
}

#[derive(Serialize, Deserialize)]
struct Record {
    cluster_uuid: String,
    node_id: String,
}

impl Identity {
    /// Reads the identity of a store, or gives it one.
    ///
    /// # Errors
    /// The store cannot be read or written.
    pub async fn load(store: &Store, cluster_name: String, address: SocketAddr) -> Result<Self, StoreError> {
        let record = match store.state(KEY)? {
            Some(bytes) => serde_json::from_slice(&bytes).map_err(|_| StoreError::Record { key: KEY.to_owned() })?,
            None => {
                let record = Record { cluster_uuid: identifiers::uuid(), node_id: identifiers::uuid() };
                let bytes = serde_json::to_vec(&record).map_err(|_| StoreError::Record { key: KEY.to_owned() })?;
                let mut batch = Batch::new();
                batch.put_state(KEY, bytes);
                store.commit(batch).await?;
                record
            }
        };
        Ok(Self {
            cluster_name,
            cluster_uuid: record.cluster_uuid,
            node_id: record.node_id,
            node_name: "mlgate-node".to_owned(),
            ephemeral_id: identifiers::uuid(),
            address,
        })
    }
}
