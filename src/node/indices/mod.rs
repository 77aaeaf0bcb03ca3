//! What an index is: its name, settings, aliases, and the mapping of its fields.

pub mod catalogue;
pub mod dates;
mod expression;
pub mod field;
pub mod inspect;
pub mod mapping;
pub mod metadata;
pub mod names;
pub mod settings;
pub mod values;
pub mod wildcard;

pub use catalogue::Catalogue;
pub use expression::{IndexExpression, IndicesOptions};
pub use metadata::IndexMetadata;
