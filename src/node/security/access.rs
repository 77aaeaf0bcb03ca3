//! What one caller may do.

/// The permissions of the caller of one request.
#[derive(Clone, Debug)]
pub enum Access {
    /// Security is off, or the node itself asks.
    Everything,
}
