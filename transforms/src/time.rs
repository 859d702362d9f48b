//! Timestamps as AWS writes them, to RFC 3339 UTC with milliseconds. Never a guess: out of range is a failure.
