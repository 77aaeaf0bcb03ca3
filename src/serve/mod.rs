//! Composition root: settings to running parts, reload, shutdown.
