//! Events in: files and standard input.
