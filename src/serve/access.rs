//! Who may open the pages: everybody on this machine, whoever knows the token, or whom a proxy in front has signed in.
//!
//! Beyond loopback one of the last two is required. A token is for a few people and for Prometheus; a proxy with a login of
//! its own says in a header who asks, and that name stands in the audit.

use std::{
    fmt, io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use axum::http::{HeaderMap, HeaderName, header};
use chrono::{DateTime, TimeDelta, Utc};
use ipnet::IpNet;
use rand::{TryRng, rngs::SysRng};

use crate::config;

/// Characters that a token has at least.
const SHORTEST_TOKEN: usize = 24;
/// How long a sign-in lasts.
const SESSION: TimeDelta = TimeDelta::hours(12);
/// The cookie of a sign-in.
const COOKIE: &str = "portcullis";
/// Most characters of a name that a proxy gives.
const LONGEST_NAME: usize = 200;

/// How people get in. Cheap to clone.
#[derive(Clone, Default)]
pub enum Access {
    /// Whoever reaches the listener.
    #[default]
    Open,
    /// Whoever knows the token: as a bearer token, or by signing in.
    Token(Arc<Keys>),
    /// Whom a proxy names in a header; its connections come from these networks.
    Proxy {
        /// The header with the name.
        header: HeaderName,
        /// The proxy's addresses.
        proxies: Vec<IpNet>,
    },
}

/// What a token is compared with, and what signs sign-ins. The token itself is not kept.
pub struct Keys {
    token: blake3::Hash,
    sessions: [u8; 32],
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Access::Open => "Open",
            Access::Token(_) => "Token",
            Access::Proxy { .. } => "Proxy",
        })
    }
}

/// The pages would be open to a network without a way to tell who asks, or that way cannot work.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unguarded {
    /// Nothing is configured, and the listener is beyond loopback.
    #[error(
        "serve.listen = \"{0}\" is open to the network: put a token into the environment variable that serve.token_env names, \
         or set serve.user_header and serve.proxies to let a proxy with a login in front; or listen on 127.0.0.1"
    )]
    Nobody(SocketAddr),
    /// The token could be guessed.
    #[error(
        "the token in {0} (serve.token_env) is too short: {SHORTEST_TOKEN} characters or more, such as `openssl rand -hex 24` writes"
    )]
    ShortToken(String),
    /// The operating system gives no random bytes, which sign-ins are sealed with.
    #[error("no random bytes for sign-ins: {0}; look at the machine's random device")]
    Random(String),
    /// Not a header's name.
    #[error("serve.user_header = {0:?} is no name of a header; write one such as x-forwarded-user")]
    Header(String),
}

impl Access {
    /// What the configuration says for a listener; `token` is what stands in the variable that it names.
    ///
    /// # Errors
    /// [`Unguarded`] when others could come in unasked.
    pub fn of(config: &config::Serve, token: Option<&str>, listener: SocketAddr) -> Result<Self, Unguarded> {
        if let Some(name) = &config.user_header {
            let header = HeaderName::try_from(name.as_str()).map_err(|_| Unguarded::Header(name.clone()))?;
            let proxies = config.proxies.clone();
            return Ok(Access::Proxy { header, proxies });
        }
        match token.filter(|token| !token.is_empty()) {
            Some(token) if token.chars().count() < SHORTEST_TOKEN => {
                Err(Unguarded::ShortToken(config.token_env.clone()))
            }
            Some(token) => Ok(Access::Token(Arc::new(Keys {
                token: blake3::hash(token.as_bytes()),
                sessions: secret().map_err(|error| Unguarded::Random(error.to_string()))?,
            }))),
            None if listener.ip().is_loopback() => Ok(Access::Open),
            None => Err(Unguarded::Nobody(listener)),
        }
    }

    /// Whether a request may be answered, and as whom.
    pub(super) fn admits(&self, headers: &HeaderMap, peer: Option<IpAddr>, now: DateTime<Utc>) -> Option<Visitor> {
        match self {
            Access::Open => Some(Visitor::default()),
            Access::Token(keys) => {
                let session = cookie(headers).filter(|session| keys.signed(session, now));
                let bearer = bearer(headers).is_some_and(|token| keys.is(token));
                (bearer || session.is_some()).then(|| Visitor {
                    name: None,
                    session: session.unwrap_or_default().to_owned(),
                })
            }
            Access::Proxy { header, proxies } => {
                let peer = peer?.to_canonical();
                let name = headers.get(header)?.to_str().ok()?.trim();
                let several = headers.get_all(header).iter().count() > 1;
                let is_name = !several && !name.is_empty() && name.chars().count() <= LONGEST_NAME;
                (is_name && proxies.iter().any(|net| net.contains(&peer))).then(|| Visitor {
                    name: Some(name.to_owned()),
                    session: name.to_owned(),
                })
            }
        }
    }

    /// The cookie for who shows the token; `None` when it is another, or none is asked for.
    pub(super) fn sign_in(&self, token: &str, now: DateTime<Utc>) -> Option<String> {
        let Access::Token(keys) = self else { return None };
        keys.is(token.trim()).then(|| {
            let end = (now + SESSION).timestamp();
            let age = SESSION.num_seconds();
            format!(
                "{COOKIE}={end}.{}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict",
                keys.seal(end)
            )
        })
    }
}

impl Keys {
    /// Compares hashes, in constant time.
    fn is(&self, token: &str) -> bool {
        blake3::hash(token.as_bytes()) == self.token
    }

    fn seal(&self, end: i64) -> String {
        let mut hasher = blake3::Hasher::new_keyed(&self.sessions);
        hasher.update(b"session");
        hasher.update(&end.to_be_bytes());
        hasher.finalize().to_hex().to_string()
    }

    fn signed(&self, session: &str, now: DateTime<Utc>) -> bool {
        let Some((end, seal)) = session.split_once('.') else {
            return false;
        };
        let Ok(end) = end.parse::<i64>() else { return false };
        let is_ours = blake3::hash(seal.as_bytes()) == blake3::hash(self.seal(end).as_bytes());
        is_ours && end > now.timestamp()
    }
}

/// A key that nobody else has.
pub(super) fn secret() -> io::Result<[u8; 32]> {
    let mut key = [0; 32];
    SysRng.try_fill_bytes(&mut key).map_err(io::Error::other)?;
    Ok(key)
}

/// Who asks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Visitor {
    /// The name that a proxy vouches for.
    pub(super) name: Option<String>,
    /// What their forms are bound to: sign-in or name; empty where everybody may come in.
    pub(super) session: String,
}

/// The other end of the connection, put beside each request by the listener.
#[derive(Clone, Copy, Debug)]
pub(super) struct Peer(pub(super) IpAddr);

fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
}

fn cookie(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .find_map(|pair| pair.trim().strip_prefix(COOKIE)?.strip_prefix('='))
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    const TOKEN: &str = "b4d0c1f7a9e84d3fb4d0c1f7a9e84d3f";

    fn address(text: &str) -> SocketAddr {
        text.parse().expect("an address")
    }

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, HeaderValue::from_str(value).expect("a header"));
        }
        headers
    }

    fn behind_a_proxy() -> config::Serve {
        config::Serve {
            user_header: Some("X-Forwarded-User".into()),
            proxies: vec!["10.0.0.0/8".parse().expect("a network")],
            ..config::Serve::default()
        }
    }

    #[test]
    fn beyond_this_machine_somebody_has_to_ask_who_it_is() {
        let plain = config::Serve::default();
        for (listener, token, admitted) in [
            ("127.0.0.1:8600", None, Some("Open")),
            ("[::1]:8600", Some(""), Some("Open")),
            ("127.0.0.1:8600", Some(TOKEN), Some("Token")),
            ("0.0.0.0:8600", Some(TOKEN), Some("Token")),
            ("0.0.0.0:8600", None, None),
            ("[::]:8600", Some(""), None),
            ("10.1.2.3:8600", Some("letmein"), None),
            ("127.0.0.1:8600", Some("letmein"), None),
        ] {
            let access = Access::of(&plain, token, address(listener));
            let told = access.as_ref().map(|access| format!("{access:?}")).ok();
            assert_eq!(told.as_deref(), admitted, "{listener} {token:?}");
        }
        let error = Access::of(&plain, None, address("0.0.0.0:8600")).expect_err("open to all");
        for setting in ["serve.listen", "serve.token_env", "serve.user_header", "serve.proxies"] {
            assert!(error.to_string().contains(setting), "{error}");
        }
        let error = Access::of(&plain, Some("letmein"), address("0.0.0.0:8600")).expect_err("short");
        assert!(error.to_string().contains("PORTCULLIS_SERVE_TOKEN") && !error.to_string().contains("letmein"));
        let proxied = Access::of(&behind_a_proxy(), None, address("0.0.0.0:8600")).expect("a proxy");
        assert_eq!(format!("{proxied:?}"), "Proxy");
    }

    #[test]
    fn a_token_opens_by_itself_and_by_a_sign_in_that_ends() {
        let access = Access::of(&config::Serve::default(), Some(TOKEN), address("0.0.0.0:80")).expect("a token");
        let now = DateTime::UNIX_EPOCH + TimeDelta::days(20_000);
        let admits = |pairs: &[(&'static str, &str)], at| access.admits(&headers(pairs), None, at).is_some();
        assert!(!admits(&[], now));
        assert!(admits(&[("authorization", &format!("Bearer {TOKEN}"))], now));
        assert!(!admits(&[("authorization", "Bearer wrong")], now));
        assert!(!admits(&[("authorization", &format!("Basic {TOKEN}"))], now));
        assert_eq!(access.sign_in("wrong", now), None);
        let cookie = access.sign_in(TOKEN, now).expect("signed in");
        assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite=Strict") && !cookie.contains(TOKEN));
        let value = cookie.split(';').next().expect("a value").to_owned();
        assert!(admits(&[("cookie", &format!("theme=dark; {value}"))], now));
        assert!(!admits(&[("cookie", &value)], now + TimeDelta::hours(13)));
        let longer = value.replacen(
            &(now + SESSION).timestamp().to_string(),
            &(now + SESSION * 9).timestamp().to_string(),
            1,
        );
        assert!(!admits(&[("cookie", &longer)], now), "an end that was moved");
        let other = Access::of(&config::Serve::default(), Some(TOKEN), address("0.0.0.0:80")).expect("a token");
        assert!(other.admits(&headers(&[("cookie", &value)]), None, now).is_none());
    }

    #[test]
    fn a_name_counts_only_from_the_proxy_itself() {
        let access = Access::of(&behind_a_proxy(), None, address("0.0.0.0:80")).expect("a proxy");
        let now = DateTime::UNIX_EPOCH;
        let named = |pairs: &[(&'static str, &str)], peer: &str| {
            let peer = peer.parse().ok();
            access
                .admits(&headers(pairs), peer, now)
                .and_then(|visitor| visitor.name)
        };
        let ana = [("x-forwarded-user", "ana")];
        assert_eq!(named(&ana, "10.0.0.5").as_deref(), Some("ana"));
        assert_eq!(named(&ana, "::ffff:10.0.0.5").as_deref(), Some("ana"));
        assert_eq!(named(&ana, "192.0.2.9"), None, "somebody who goes round the proxy");
        assert_eq!(named(&ana, "unknown"), None);
        assert_eq!(named(&[("x-forwarded-user", " ")], "10.0.0.5"), None);
        assert_eq!(named(&[], "10.0.0.5"), None);
        let twice = [("x-forwarded-user", "ana"), ("x-forwarded-user", "root")];
        assert_eq!(named(&twice, "10.0.0.5"), None, "which one did the proxy write?");
    }
}
