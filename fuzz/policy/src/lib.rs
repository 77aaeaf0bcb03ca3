//! The policy module of the product, compiled by itself. That it compiles shows that it uses `std` and `http` only.

#[path = "../../../src/policy/mod.rs"]
pub mod policy;
