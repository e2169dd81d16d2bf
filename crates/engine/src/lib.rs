//! Operations: dispatch, workers, leases, inventory sync, notifications, audit, live events.
