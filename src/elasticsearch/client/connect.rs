//! Connections: TCP, and TLS over it.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::tls::{self, TlsProblem, TlsSettings};
use super::{Address, ClientError};

pub(super) struct Tls {
    connector: TlsConnector,
    name: ServerName<'static>,
}

impl Tls {
    pub(super) fn new(address: &Address, settings: &TlsSettings) -> Result<Self, TlsProblem> {
        let name = ServerName::try_from(address.host.clone()).map_err(|_| TlsProblem::Name(address.host.clone()))?;
        Ok(Self { connector: TlsConnector::from(Arc::new(tls::config(settings)?)), name })
    }
}

/// A byte stream, plain or TLS.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

pub(super) async fn open(
    address: &Address,
    tls: Option<&Tls>,
    timeout: Duration,
) -> Result<Box<dyn Stream>, ClientError> {
    let url = || address.url.clone();
    let opened = tokio::time::timeout(timeout, connect(address, tls)).await;
    opened
        .map_err(|_| ClientError::ConnectTimeout { url: url() })?
        .map_err(|source| ClientError::Connect { url: url(), source })
}

async fn connect(address: &Address, tls: Option<&Tls>) -> io::Result<Box<dyn Stream>> {
    let tcp = TcpStream::connect((address.host.as_str(), address.port)).await?;
    tcp.set_nodelay(true)?;
    match tls {
        None => Ok(Box::new(tcp)),
        Some(tls) => Ok(Box::new(tls.connector.connect(tls.name.clone(), tcp).await?)),
    }
}
