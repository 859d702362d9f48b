//! What every request passes: the name it asks for, and the headers that go with every answer.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    time::Instant,
};

use axum::{
    extract::{Request, State as Shared},
    http::{HeaderName, HeaderValue, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

use super::{
    State,
    access::{Access, Peer},
    error::PageError,
    sign_in,
};

/// The names under which pages answer. A page elsewhere that lets its own name point at this machine (DNS rebinding) could
/// otherwise read everything here with the browser of the person who opened it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hosts {
    /// `localhost` and loopback addresses.
    Loopback,
    /// Any; for a listener that was opened to others on purpose.
    Any,
}

impl Hosts {
    /// What fits the address that is listened on.
    #[must_use]
    pub fn of(listener: SocketAddr) -> Self {
        if listener.ip().is_loopback() {
            Hosts::Loopback
        } else {
            Hosts::Any
        }
    }

    /// Whether a `Host` header (`name`, `name:port`, `[::1]:port`) may be answered. The port is not looked at: a tunnel changes it.
    #[must_use]
    pub fn accepts(self, host: &str) -> bool {
        if self == Hosts::Any {
            return true;
        }
        if let Some(rest) = host.strip_prefix('[') {
            let is_port = |port: &str| port.is_empty() || port.strip_prefix(':').is_some_and(is_number);
            return rest
                .split_once(']')
                .is_some_and(|(name, port)| is_port(port) && name.parse().is_ok_and(|ip: Ipv6Addr| ip.is_loopback()));
        }
        let name = match host.split_once(':') {
            Some((name, port)) if is_number(port) => name,
            Some(_) => return false,
            None => host,
        };
        name.eq_ignore_ascii_case("localhost") || name.parse().is_ok_and(|ip: IpAddr| ip.is_loopback())
    }
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit())
}

/// No inline script or style, nothing from elsewhere, no framing: log content that slipped through would still do nothing.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; \
                      frame-ancestors 'none'; base-uri 'none'";

const HEADERS: &[(&str, &str)] = &[
    ("content-security-policy", POLICY),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    // Nothing leaves for another host; and unlike `no-referrer` it lets a browser say that a form came from here.
    ("referrer-policy", "same-origin"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
];

/// What is answered to anybody: a load balancer's question, how the sign-in looks, and the sign-in.
fn is_open(path: &str) -> bool {
    path == "/healthz" || path == sign_in::PATH || path.starts_with("/assets/")
}

/// Lets in who may come in, and says to the page who it is.
fn admitted(state: &State, request: &mut Request) -> Result<(), PageError> {
    let peer = request.extensions().get::<Peer>().map(|peer| peer.0);
    let visitor = state.access.admits(request.headers(), peer, (state.clock)());
    if visitor.is_none() && !is_open(request.uri().path()) {
        return Err(match state.access {
            Access::Proxy { .. } => PageError::NotThroughProxy,
            _ => PageError::Unknown(request.uri().to_string()),
        });
    }
    request.extensions_mut().insert(visitor.unwrap_or_default());
    Ok(())
}

/// Refuses a foreign name and a stranger, answers, adds the headers, counts.
pub(super) async fn guard(Shared(state): Shared<State>, mut request: Request, next: Next) -> Response {
    let started = Instant::now();
    let host = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .unwrap_or_default();
    let mut response = if !state.hosts.accepts(host) {
        PageError::Host.into_response()
    } else {
        match admitted(&state, &mut request) {
            Ok(()) => next.run(request).await,
            Err(error) => error.into_response(),
        }
    };
    let headers = response.headers_mut();
    for &(name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers
        .entry(header::CACHE_CONTROL)
        .or_insert(HeaderValue::from_static("no-store"));
    state.counters.count(response.status(), started.elapsed());
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn on_loopback_only_loopback_names_are_answered() {
        for (host, expected) in [
            ("localhost", true),
            ("LOCALHOST:8600", true),
            ("127.0.0.1:8600", true),
            ("127.9.9.9", true),
            ("[::1]:8600", true),
            ("[::1]", true),
            ("", false),
            ("evil.example", false),
            ("localhost.evil.example:8600", false),
            ("127.0.0.1.evil.example", false),
            ("localhost:8600@evil.example", false),
            ("10.0.0.1:8600", false),
            ("[::1]evil.example", false),
            ("[2001:db8::1]:8600", false),
        ] {
            assert_eq!(Hosts::Loopback.accepts(host), expected, "{host}");
            assert!(Hosts::Any.accepts(host));
        }
        assert_eq!(Hosts::of(([127, 0, 0, 1], 8600).into()), Hosts::Loopback);
        assert_eq!(Hosts::of(([0, 0, 0, 0], 8600).into()), Hosts::Any);
    }
}
