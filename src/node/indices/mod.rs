//! What an index is: its name, settings, aliases, and the mapping of its fields.

mod expression;

pub use expression::{IndexExpression, IndicesOptions};
