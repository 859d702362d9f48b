//! A finding as the responder reads it, from every casing. Knows nothing of policy.
