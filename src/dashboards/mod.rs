//! Panels: their definition, their query, and the data that a page draws. Knows not where documents come from.

pub mod data;
