//! The status API of the admin address: a thread of its own says who may look, [`Status`] what there is to see.

use std::net::IpAddr;
use std::rc::Rc;
use std::sync::Arc;
use std::{io, thread};

use bytes::Bytes;
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode, header};
use tokio::runtime::Builder;
use tokio::sync::{mpsc, oneshot};
use tokio::task::LocalSet;

use super::status::Status;
use crate::gateway::{Looker, Shared};

/// Requests that wait for the thread; the admin address has fewer connections.
const WAITING_MAX: usize = 64;

/// The way to the thread; it ends when the last of these is gone.
#[derive(Clone)]
pub(super) struct Api(mpsc::Sender<Question>);

struct Question {
    request: Parts,
    address: IpAddr,
    answer: oneshot::Sender<Response<Bytes>>,
}

impl Api {
    /// # Errors
    /// The system gives no thread.
    pub(super) fn start(shared: Arc<Shared>, worker_count: usize, status: Arc<Status>) -> io::Result<Self> {
        let (sender, questions) = mpsc::channel(WAITING_MAX);
        let runtime = Builder::new_current_thread().enable_all().build()?;
        thread::Builder::new().name("mlgate-api".to_owned()).spawn(move || {
            LocalSet::new().block_on(&runtime, answer_all(questions, Looker::new(shared, worker_count), status));
        })?;
        Ok(Self(sender))
    }

    /// The answer to a request for `/api/v1/status` from `address`.
    pub(super) async fn status(self, request: Parts, address: IpAddr) -> Response<Bytes> {
        let (answer, answered) = oneshot::channel();
        // Neither fails while the process runs.
        if self.0.send(Question { request, address, answer }).await.is_err() {
            return json(StatusCode::SERVICE_UNAVAILABLE, "{}".to_owned());
        }
        answered.await.unwrap_or_else(|_| json(StatusCode::SERVICE_UNAVAILABLE, "{}".to_owned()))
    }
}

async fn answer_all(mut questions: mpsc::Receiver<Question>, looker: Looker, status: Arc<Status>) {
    let looker = Rc::new(looker);
    while let Some(Question { request, address, answer }) = questions.recv().await {
        let (looker, status) = (Rc::clone(&looker), Arc::clone(&status));
        tokio::task::spawn_local(async move {
            let response = match looker.look(&request, address).await {
                Ok(clusters) => json(StatusCode::OK, status.of(&clusters).to_string()),
                Err(rejection) => looker.refuse(&rejection, &request),
            };
            // Whoever asked may have gone.
            let _gone = answer.send(response);
        });
    }
}

fn json(status: StatusCode, body: String) -> Response<Bytes> {
    let mut response = Response::new(Bytes::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
