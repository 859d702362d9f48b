//! One configuration file, `portcullis.toml`, policy included, with environment overrides.
