//! The way to a cluster: where, as whom, and with which trust.

use std::{fmt, path::Path, time::Duration};

use reqwest::{Certificate, Method};
use serde_json::Value;

use super::error::Error;

/// Longest answer that is read: 10,000 buckets and 1,000 documents fit.
const ANSWER: usize = 256 << 20;
/// How long a connection may take.
const CONNECT: Duration = Duration::from_secs(10);
/// How long one request may take.
const REQUEST: Duration = Duration::from_secs(120);

/// As whom requests are made.
#[derive(Clone, Default)]
pub enum Auth {
    /// As nobody.
    #[default]
    None,
    /// User and password.
    Basic {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// As an IAM role or user, by signature.
    #[cfg(feature = "sigv4")]
    Signed(crate::sigv4::Signer),
}

impl Auth {
    /// User and password from the environment variables with these names.
    ///
    /// # Errors
    /// When one is not set.
    pub fn from_variables(user: &str, password: &str) -> Result<Self, Error> {
        let value = |variable: &str| {
            let value = std::env::var(variable).ok().filter(|value| !value.is_empty());
            value.ok_or_else(|| Error::Setting {
                key: "auth",
                message: format!(
                    "the environment variable {variable} is not set; \"basic\" takes user and password from opensearch.user_env \
                     and opensearch.password_env"
                ),
            })
        };
        Ok(Self::Basic {
            user: value(user)?,
            password: value(password)?,
        })
    }
}

impl fmt::Debug for Auth {
    /// Without the password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Auth::None => "none",
            Auth::Basic { .. } => "basic",
            #[cfg(feature = "sigv4")]
            Auth::Signed(_) => "sigv4",
        })
    }
}

/// A cluster and the way to it. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Client {
    http: reqwest::Client,
    endpoint: String,
    auth: Auth,
}

/// A body and what it is.
#[derive(Clone, Debug)]
pub enum Body {
    /// JSON.
    Json(Value),
    /// NDJSON compressed with gzip.
    Lines(Vec<u8>),
    /// A file in a form, as the Dashboards API takes it: content type and bytes.
    Form(String, Vec<u8>),
}

impl Client {
    /// A client of `endpoint` (`https://host:port`), which trusts the certificates in `ca` and no others when it is given.
    ///
    /// # Errors
    /// When the endpoint is no address, or the file cannot be used.
    pub fn new(endpoint: &str, ca: Option<&Path>, auth: Auth) -> Result<Self, Error> {
        let endpoint = endpoint.trim().trim_end_matches('/').to_owned();
        let url = reqwest::Url::parse(&endpoint).ok().filter(|url| {
            matches!(url.scheme(), "http" | "https") && url.host().is_some() && url.username().is_empty()
        });
        let Some(url) = url else {
            return Err(Error::Setting {
                key: "endpoint",
                message: "takes an address such as \"https://search.example.com:9200\", without user and password"
                    .to_owned(),
            });
        };
        if url.scheme() == "http" && !matches!(auth, Auth::None) && !is_loopback(&url) {
            return Err(Error::Setting {
                key: "endpoint",
                message: "would send credentials in clear text; write https://".to_owned(),
            });
        }
        let mut builder = reqwest::Client::builder()
            .connect_timeout(CONNECT)
            .timeout(REQUEST)
            .redirect(reqwest::redirect::Policy::none());
        if let Some(path) = ca {
            let wrong = |reason: String| Error::Setting {
                key: "ca",
                message: format!("{}: {reason}; it takes certificates in PEM", path.display()),
            };
            let pem = std::fs::read(path).map_err(|error| wrong(error.to_string()))?;
            let certificates = Certificate::from_pem_bundle(&pem).map_err(|error| wrong(error.to_string()))?;
            if certificates.is_empty() {
                return Err(wrong("has no certificate".to_owned()));
            }
            builder = builder.tls_certs_only(certificates);
        }
        let http = builder.build().map_err(|error| Error::Setting {
            key: "ca",
            message: whole(&error),
        })?;
        Ok(Self { http, endpoint, auth })
    }

    /// Where it is.
    #[must_use]
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// What is there, or nothing.
    ///
    /// # Errors
    /// As [`Client::send`], except for 404.
    pub async fn get(&self, path: &str) -> Result<Option<Value>, Error> {
        match self.send(Method::GET, path, None).await {
            Ok(found) => Ok(Some(found)),
            Err(Error::Refused { status: 404, .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Sends one request and reads its answer as JSON.
    ///
    /// # Errors
    /// [`Error`] names what was asked and the remedy.
    pub async fn send(&self, method: Method, path: &str, body: Option<Body>) -> Result<Value, Error> {
        let what = format!("{method} {}", path.split('?').next().unwrap_or_default());
        let away = |error: &reqwest::Error| Error::Away {
            endpoint: self.endpoint.clone(),
            reason: whole(error),
        };
        let mut builder = self.http.request(method, format!("{}{path}", self.endpoint));
        builder = match body {
            None => builder,
            Some(Body::Json(value)) => builder
                .header("content-type", "application/json")
                .body(value.to_string()),
            Some(Body::Lines(bytes)) => builder
                .header("content-type", "application/x-ndjson")
                .header("content-encoding", "gzip")
                .body(bytes),
            // The header keeps other sites' forms out of Dashboards.
            Some(Body::Form(kind, bytes)) => builder
                .header("content-type", kind)
                .header("osd-xsrf", "true")
                .body(bytes),
        };
        if let Auth::Basic { user, password } = &self.auth {
            builder = builder.basic_auth(user, Some(password));
        }
        #[allow(unused_mut, reason = "only a signature changes the request")]
        let mut request = builder.build().map_err(|error| away(&error))?;
        #[cfg(feature = "sigv4")]
        if let Auth::Signed(signer) = &self.auth {
            signer.sign(&mut request).await?;
        }
        let mut response = self.http.execute(request).await.map_err(|error| away(&error))?;
        let status = response.status();
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| away(&error))? {
            if bytes.len() + chunk.len() > ANSWER {
                return Err(Error::Unreadable { what });
            }
            bytes.extend_from_slice(&chunk);
        }
        let answer = serde_json::from_slice(&bytes).ok();
        if status.is_success() {
            return answer.ok_or(Error::Unreadable { what });
        }
        let said = answer.unwrap_or_else(|| Value::String(String::from_utf8_lossy(&bytes).into_owned()));
        Err(Error::of(&self.endpoint, what, path, status.as_u16(), &said))
    }
}

fn is_loopback(url: &reqwest::Url) -> bool {
    url.host_str().is_some_and(|host| {
        let host = host.trim_start_matches('[').trim_end_matches(']');
        host == "localhost"
            || host
                .parse::<std::net::IpAddr>()
                .is_ok_and(|address| address.is_loopback())
    })
}

/// An error with its causes, which is where the reason stands: a certificate, a name, a closed port.
fn whole(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn basic() -> Auth {
        Auth::Basic {
            user: "u".to_owned(),
            password: "secret".to_owned(),
        }
    }

    #[test]
    fn credentials_leave_the_machine_encrypted_only() {
        for (endpoint, fine) in [
            ("https://search.example.com", true),
            ("http://127.0.0.1:9200/", true),
            ("http://[::1]:9200", true),
            ("http://search.example.com:9200", false),
            ("search.example.com", false),
            ("ftp://search.example.com", false),
            ("https://u:p@search.example.com", false),
        ] {
            assert_eq!(Client::new(endpoint, None, basic()).is_ok(), fine, "{endpoint}");
        }
        assert!(Client::new("http://search.example.com:9200", None, Auth::None).is_ok());
    }

    #[test]
    fn a_password_is_in_no_debug_output() {
        assert!(!format!("{:?}", basic()).contains("secret"));
    }

    #[test]
    fn a_file_that_is_no_certificate_is_named() {
        let path = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml"));
        let error = Client::new("https://c", Some(path), Auth::None).expect_err("no certificate");
        assert!(error.to_string().contains("Cargo.toml"), "{error}");
    }
}
