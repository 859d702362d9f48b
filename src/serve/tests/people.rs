//! Who may come in, what they may do, and what they take away: sign-in, forms, downloads.

use axum::{
    Router,
    body::Body,
    http::{HeaderMap, Request, StatusCode},
};

use super::{
    super::{Access, Hosts, State, access::Peer, router},
    answered,
    fixture::well,
    get,
};
use crate::config;

const TOKEN: &str = "0f1e2d3c4b5a69788796a5b4c3d2e1f0";

async fn send(router: &Router, path: &str, headers: &[(&str, &str)], body: &str) -> (StatusCode, HeaderMap, String) {
    let mut request = Request::builder()
        .method("POST")
        .uri(path)
        .header("host", "localhost:8600")
        .header("content-type", "application/x-www-form-urlencoded");
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    let request = request.body(Body::from(body.to_owned())).expect("a request");
    answered(router, request).await
}

fn acting() -> State {
    let mut state = well();
    state.acts = true;
    state
}

/// The token in the first form of a page.
fn token(page: &str) -> String {
    page.split("name=\"token\" value=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a form")
        .to_owned()
}

#[tokio::test]
async fn a_form_blocks_and_leads_back_to_the_page() {
    let router = router(acting());
    let (_, _, page) = get(&router, "/address/192.0.2.7?range=6h").await;
    assert!(
        page.contains("action=\"/address/192.0.2.7?range=6h\" method=\"post\""),
        "{page}"
    );
    let body = format!("verb=block&reason=it+scans+us&who=ana&end=24h&token={}", token(&page));
    let (status, headers, body) = send(&router, "/address/192.0.2.7?range=6h", &[], &body).await;
    assert_eq!(status, StatusCode::SEE_OTHER, "{body}");
    let back = headers["location"].to_str().expect("ASCII");
    assert_eq!(back, "/address/192.0.2.7?range=6h&done=block");
    let (_, _, page) = get(&router, back).await;
    assert!(page.contains("<strong>Done. "), "{page}");
    assert!(!page.contains("done=block"), "no link carries it on");
}

#[tokio::test]
async fn a_form_of_another_page_visitor_or_address_does_nothing() {
    let router = router(acting());
    let (_, _, page) = get(&router, "/address/192.0.2.7").await;
    let token = token(&page);
    let form = |token: &str| format!("verb=allow&reason=x&who=y&end=&token={token}");
    for (path, headers, body) in [
        ("/address/192.0.2.7", &[][..], form("")),
        ("/address/192.0.2.7", &[], form("0123456789abcdef0123456789abcdef")),
        ("/address/192.0.2.8", &[], form(&token)),
        ("/address/192.0.2.7", &[("origin", "http://evil.example")], form(&token)),
        ("/address/192.0.2.7", &[("sec-fetch-site", "cross-site")], form(&token)),
    ] {
        let (status, _, page) = send(&router, path, headers, &body).await;
        assert_eq!(status, StatusCode::FORBIDDEN, "{path} {headers:?} {body}");
        assert!(page.contains("Nothing was done"), "{page}");
    }
    let (status, ..) = send(&router, "/address/192.0.2.7", &[], &form(&token)).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn what_the_guards_refuse_is_said_and_what_is_missing_is_asked_for() {
    let router = router(acting());
    let (_, _, page) = get(&router, "/address/10.0.0.1").await;
    let form = |reason: &str| format!("verb=block&reason={reason}&who=ana&end=&token={}", token(&page));
    let (status, _, body) = send(&router, "/address/10.0.0.1", &[], &form("x")).await;
    assert_eq!(status, StatusCode::CONFLICT);
    assert!(
        body.contains("10.0.0.1 was not denied") && body.contains("own_address:"),
        "{body}"
    );
    let (status, _, body) = send(&router, "/address/10.0.0.1", &[], &form("")).await;
    assert_eq!(status, StatusCode::BAD_REQUEST);
    assert!(body.contains("`reason` cannot be"), "{body}");
    let long = format!("verb=block&reason={}", "x".repeat(20_000));
    let (status, ..) = send(&router, "/address/10.0.0.1", &[], &long).await;
    assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE);
}

#[tokio::test]
async fn without_leave_the_pages_only_read() {
    let router = router(well());
    let (_, _, page) = get(&router, "/address/192.0.2.7").await;
    assert!(
        !page.contains("method=\"post\"") && page.contains("portcullis block 192.0.2.7"),
        "{page}"
    );
    let (status, _, body) = send(&router, "/address/192.0.2.7", &[], "verb=block&reason=x&who=y&token=z").await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(body.contains("serve.acts = true"), "{body}");
}

#[tokio::test]
async fn the_allow_list_stands_on_the_page_of_its_address() {
    let (_, _, page) = get(&router(acting()), "/address/193.32.162.7").await;
    assert!(
        page.contains("On the allow-list") && page.contains("Take off the allow-list"),
        "{page}"
    );
    assert!(
        page.contains("Unblock</summary>") && !page.contains(">Block</summary>"),
        "it stands on the gate"
    );
}

#[tokio::test]
async fn a_stranger_sees_the_sign_in_and_nothing_else() {
    let mut state = well();
    let listener = "10.0.0.5:8600".parse().expect("an address");
    state.access = Access::of(&config::Serve::default(), Some(TOKEN), listener).expect("a token");
    let router = router(state);
    for path in [
        "/",
        "/waf?filter=x:y",
        "/metrics",
        "/search",
        "/data/waf/clients.csv",
        "/nowhere",
    ] {
        let (status, headers, body) = get(&router, path).await;
        assert_eq!(status, StatusCode::UNAUTHORIZED, "{path}");
        assert!(headers.contains_key("www-authenticate") && headers.contains_key("content-security-policy"));
        assert!(body.contains("name=\"token\"") && !body.contains("acl-"), "{path}");
    }
    assert_eq!(get(&router, "/healthz").await.0, StatusCode::OK);
    let (status, ..) = send(&router, "/sign-in", &[], "token=wrong&back=/waf").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let (status, headers, _) = send(&router, "/sign-in", &[], &format!("token={TOKEN}&back=/waf?range=6h")).await;
    assert_eq!(status, StatusCode::SEE_OTHER);
    assert_eq!(headers["location"], "/waf?range=6h");
    let cookie = headers["set-cookie"]
        .to_str()
        .expect("ASCII")
        .split(';')
        .next()
        .expect("a value");
    let request = Request::get("/")
        .header("host", "localhost")
        .header("cookie", cookie)
        .body(Body::empty())
        .expect("a request");
    let (status, ..) = answered(&router, request).await;
    assert_eq!(status, StatusCode::OK);
    let (_, headers, _) = send(&router, "/sign-in", &[], &format!("token={TOKEN}&back=//evil.example")).await;
    assert_eq!(headers["location"], "/");
}

#[tokio::test]
async fn a_name_from_the_proxy_stands_in_the_form() {
    let mut state = acting();
    state.hosts = Hosts::Any;
    let config = config::Serve {
        user_header: Some("x-forwarded-user".into()),
        proxies: vec!["10.0.0.0/24".parse().expect("a network")],
        ..config::Serve::default()
    };
    state.access = Access::of(&config, None, "0.0.0.0:80".parse().expect("an address")).expect("a proxy");
    let router = router(state);
    let ask = async |peer: [u8; 4]| {
        let mut request = Request::get("/address/192.0.2.7")
            .header("host", "portcullis.internal")
            .header("x-forwarded-user", "ana<b>")
            .body(Body::empty())
            .expect("a request");
        request.extensions_mut().insert(Peer(peer.into()));
        answered(&router, request).await
    };
    let (status, _, body) = ask([10, 0, 0, 9]).await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        body.contains("As <b>ana&lt;b&gt;</b>") && !body.contains("name=\"who\""),
        "{body}"
    );
    let (status, _, body) = ask([192, 0, 2, 1]).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(body.contains("serve.user_header") && !body.contains("acl-"), "{body}");
}

#[tokio::test]
async fn every_panel_can_be_taken_away() {
    let router = router(well());
    for page in ["/waf", "/address/45.83.64.11"] {
        let (_, _, body) = get(&router, page).await;
        let links: Vec<String> = body
            .split("href=\"")
            .skip(1)
            .filter_map(|rest| rest.split('"').next())
            .filter(|link| link.contains("/data/"))
            .map(|link| link.replace("&amp;", "&"))
            .collect();
        assert!(links.len() >= 4, "{page}: {links:?}");
        for link in links {
            let (status, headers, body) = get(&router, &link).await;
            assert_eq!(status, StatusCode::OK, "{link}: {body}");
            let disposition = headers["content-disposition"].to_str().expect("ASCII");
            assert!(
                disposition.starts_with("attachment; filename=\"portcullis-"),
                "{disposition}"
            );
            assert_eq!(headers["x-content-type-options"], "nosniff");
            if link.ends_with(".json") {
                let whole: serde_json::Value = serde_json::from_str(&body).expect("JSON");
                assert!(whole["panel"]["data"]["kind"].is_string() && whole["from"].is_string());
            } else {
                assert!(body.lines().count() > 1 && body.ends_with("\r\n"), "{link}: {body}");
                let formula = |cell: &str| cell.starts_with(['=', '+', '@']);
                assert!(!body.lines().any(|line| line.split(',').any(formula)), "{body}");
            }
        }
    }
    for path in [
        "/data/waf/nothing.csv",
        "/data/waf/clients",
        "/data/nowhere/clients.csv",
    ] {
        assert_eq!(get(&router, path).await.0, StatusCode::NOT_FOUND, "{path}");
    }
}
