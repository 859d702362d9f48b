//! What a deployment decides about its documents: what is taken out of them, which are not kept, what is added.

mod names;
pub mod redact;
