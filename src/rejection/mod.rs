//! Every way in which a request is refused: cause, status, body.
