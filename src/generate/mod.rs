//! Realistic and hostile events in the formats of AWS. Knows nothing of the transforms, so that it can test them.
