//! The function that the variables describe.

use lambda_runtime::Error;
use portcullis_transforms::Schema;

use super::function::Function;
use crate::config::{AuthKind, Effective, Normalize, OpenSearch, Origin, SourceChoice};
use crate::input::Normalizers;
use crate::lambda;
use crate::opensearch::{Auth, Client, writer::Writer};
use crate::sigv4::Signer;

/// Normalisers and a writer, checked and warm.
pub(super) fn function() -> Result<Function, Error> {
    let settings = lambda::settings()?;
    let normalizers = normalizers(&settings)?;
    let opensearch = &settings.config.opensearch;
    let endpoint = opensearch.endpoint.as_deref().ok_or(
        "no cluster is named; set PORTCULLIS__OPENSEARCH__ENDPOINT to the domain's address, https:// in front",
    )?;
    let by_default = matches!(settings.origin("opensearch.auth"), Origin::Default);
    let client = Client::new(endpoint, opensearch.ca.as_deref(), auth(opensearch, by_default)?)?;
    Ok(Function::new(normalizers, Writer::new(client, opensearch.bulk_bytes)))
}

/// As the function's role, unless the settings say otherwise.
fn auth(opensearch: &OpenSearch, by_default: bool) -> Result<Auth, Error> {
    Ok(match opensearch.auth {
        AuthKind::None => Auth::None,
        AuthKind::Basic if !by_default => Auth::from_variables(&opensearch.user_env, &opensearch.password_env)?,
        AuthKind::Basic | AuthKind::SigV4 => Auth::Signed(Signer::from_variables(opensearch.service(), variable)?),
    })
}

fn normalizers(settings: &Effective) -> Result<Normalizers, Error> {
    // Two places that decide what is redacted would be one too many.
    if settings.config.normalize != Normalize::default() || !settings.config.sources.is_empty() {
        return Err("this function takes nothing from `normalize` and `sources`; use PORTCULLIS_SOURCE, PORTCULLIS_REDACT and the \
                    other variables of the functions that normalise"
            .into());
    }
    let choice = match variable("PORTCULLIS_SOURCE") {
        Some(name) => SourceChoice::try_from(name).map_err(|error| format!("PORTCULLIS_SOURCE: {error}"))?,
        None => SourceChoice::Auto,
    };
    let options = portcullis_transforms::lambda::options(variable)?;
    if options.schema != Schema::Ecs {
        return Err(
            "PORTCULLIS_SCHEMA: this function writes `ecs` documents, whose ids make writing them again harmless; \
             `native` ones go by a delivery stream"
                .into(),
        );
    }
    Ok(Normalizers::new(choice, options)?)
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
