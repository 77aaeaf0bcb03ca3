//! Audit events: who did what, one ECS JSON line each.
