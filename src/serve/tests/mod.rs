//! The pages over fixture data, through the router, as a browser asks for them.

mod fixture;
mod people;

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Request, StatusCode},
};
use tower::ServiceExt;

use super::{Hosts, router};
use crate::respond::report::Mode;
use fixture::{Morning, state, well};

const PAGES: &[&str] = &[
    "/",
    "/guardduty",
    "/securityhub",
    "/waf",
    "/vpcflow",
    "/dns",
    "/cloudtrail",
    "/response",
    "/pipeline",
    "/address/45.83.64.11",
    "/address/2001:db8::1",
    "/search",
    "/search?q=ssh&source=waf&page=2&filter=source.ip%3A45.83.64.11",
    "/document/d0",
    "/document/d2",
];

async fn ask(router: &Router, method: &str, path: &str, host: &str) -> (StatusCode, HeaderMap, String) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("host", host)
        .body(Body::empty())
        .expect("a request");
    answered(router, request).await
}

async fn answered(router: &Router, request: Request<Body>) -> (StatusCode, HeaderMap, String) {
    let response = router.clone().oneshot(request).await.expect("infallible");
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 16 << 20).await.expect("a body");
    (
        parts.status,
        parts.headers,
        String::from_utf8(body.to_vec()).expect("UTF-8"),
    )
}

async fn get(router: &Router, path: &str) -> (StatusCode, HeaderMap, String) {
    ask(router, "GET", path, "localhost:8600").await
}

#[tokio::test]
async fn every_page_answers_with_its_policy_and_is_not_kept() {
    let router = router(well());
    for path in PAGES {
        let (status, headers, body) = get(&router, path).await;
        assert_eq!(status, StatusCode::OK, "{path}: {body}");
        let policy = headers["content-security-policy"].to_str().expect("ASCII");
        assert!(
            policy.starts_with("default-src 'none'") && !policy.contains("unsafe"),
            "{policy}"
        );
        assert_eq!(headers["cache-control"], "no-store");
        assert_eq!(headers["x-content-type-options"], "nosniff");
        assert_eq!(headers["referrer-policy"], "same-origin");
        assert!(body.contains("This is not AWS") && body.contains("ENFORCE"), "{path}");
    }
}

#[tokio::test]
async fn what_a_log_says_stays_text_on_every_page() {
    let router = router(well());
    for path in PAGES {
        let (_, _, body) = get(&router, path).await;
        let scripts: Vec<_> = body.match_indices("<script").collect();
        assert_eq!(scripts.len(), 1, "{path}: only our own script tag");
        assert!(
            !body.contains('\u{202e}'),
            "{path}: a bidirectional override reached the page"
        );
        assert!(
            !body.contains(" style=") && !body.contains(" onclick") && !body.contains("javascript:"),
            "{path}"
        );
    }
    let (_, _, waf) = get(&router, "/waf").await;
    assert!(waf.contains("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;\\u{202e}gpj.exe"));
}

#[tokio::test]
async fn pages_ask_no_other_host_and_lead_only_to_the_console() {
    let router = router(well());
    for path in PAGES {
        let (_, _, body) = get(&router, path).await;
        for attribute in ["href=\"", "src=\"", "action=\""] {
            for (at, _) in body.match_indices(attribute) {
                let link = body[at + attribute.len()..].split('"').next().unwrap_or_default();
                let is_ours = link.starts_with('/') && !link.starts_with("//") || link.starts_with('#');
                assert!(
                    is_ours || super::slack::is_console(&link.replace("&amp;", "&")),
                    "{path}: {link}"
                );
            }
        }
    }
}

#[tokio::test]
async fn every_tag_is_closed_and_every_id_unique() {
    const VOID: &[&str] = &["meta", "link", "input", "br", "hr", "wbr", "!DOCTYPE"];
    let router = router(well());
    for path in PAGES {
        let (_, _, body) = get(&router, path).await;
        let mut open = Vec::new();
        let mut ids = std::collections::BTreeSet::new();
        for tag in body.split('<').skip(1) {
            let inner = tag.split('>').next().unwrap_or_default();
            let name = inner.split([' ', '/']).next().unwrap_or_default();
            if let Some(id) = inner.split(" id=\"").nth(1).and_then(|rest| rest.split('"').next()) {
                assert!(ids.insert(id.to_owned()), "{path}: id {id} twice");
            }
            if let Some(closed) = inner.strip_prefix('/') {
                assert_eq!(open.pop(), Some(closed), "{path}");
            } else if !VOID.contains(&name) {
                open.push(name);
            }
        }
        assert!(open.is_empty(), "{path}: {open:?} left open");
        for part in body.split("aria-labelledby=\"").skip(1) {
            let id = part.split('"').next().unwrap_or_default();
            assert!(ids.contains(id), "{path}: nothing has the id {id}");
        }
    }
}

#[tokio::test]
async fn a_bad_parameter_gets_a_page_that_names_it_and_the_remedy() {
    let router = router(well());
    for (path, status, words) in [
        ("/waf?range=3h", 400, "`range` cannot be `3h`"),
        ("/?from=2026-01-02T00:00", 400, "needs its to"),
        ("/search?filter=%3Cscript%3E", 400, "&lt;script&gt;"),
        ("/search?q=%28a", 400, "a closing ) is missing at position 3"),
        ("/search?q=%28a", 400, "value=\"(a\""),
        ("/address/example.com", 400, "write an IPv4 or IPv6 address"),
        ("/address/10.0.0.0%2F8", 400, "write an IPv4 or IPv6 address"),
        ("/document/none", 404, "There is no document of that id here."),
        ("/nowhere", 404, "There is no such page here."),
        ("/assets/0-pages.css", 404, "There is no such file here."),
    ] {
        let (got, headers, body) = get(&router, path).await;
        assert_eq!(got, status, "{path}");
        assert!(body.contains(words), "{path}: {body}");
        assert!(headers.contains_key("content-security-policy"), "{path}");
    }
}

#[tokio::test]
async fn a_page_without_a_form_is_only_read_and_only_under_a_loopback_name() {
    let local = router(well());
    assert_eq!(
        ask(&local, "POST", "/", "localhost").await.0,
        StatusCode::METHOD_NOT_ALLOWED
    );
    assert_eq!(ask(&local, "HEAD", "/", "localhost").await.0, StatusCode::OK);
    for path in ["/", "/metrics", "/healthz"] {
        let (status, _, body) = ask(&local, "GET", path, "rebound.evil.example").await;
        assert_eq!(status, StatusCode::MISDIRECTED_REQUEST);
        assert!(!body.contains("acl-"), "{path}");
    }
    let mut open = well();
    open.hosts = Hosts::Any;
    assert_eq!(
        ask(&router(open), "GET", "/", "portcullis.internal").await.0,
        StatusCode::OK
    );
}

#[tokio::test]
async fn the_banner_says_the_mode_and_what_it_means() {
    let case = |mode, paused: Option<&str>| Morning {
        fails: false,
        mode,
        paused: paused.map(str::to_owned),
    };
    for (morning, words) in [
        (case(Mode::Shadow, None), "no network ACL is touched"),
        (case(Mode::Enforce, None), "are denied on the network ACLs"),
        (
            case(Mode::Enforce, Some("ana: maintenance")),
            "nothing new is blocked: ana: maintenance",
        ),
    ] {
        let (_, _, body) = get(&router(state(morning)), "/").await;
        assert!(body.contains(words), "{words}");
    }
}

#[tokio::test]
async fn a_ledger_that_cannot_be_read_costs_its_panels_and_not_the_page() {
    let router = router(state(Morning {
        fails: true,
        mode: Mode::Enforce,
        paused: None,
    }));
    for path in ["/", "/response", "/address/45.83.64.11"] {
        let (status, _, body) = get(&router, path).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert!(
            body.contains("database is &lt;locked&gt;") && body.contains("Findings by severity over time"),
            "{path}"
        );
    }
    assert_eq!(get(&router, "/healthz").await.0, StatusCode::SERVICE_UNAVAILABLE);
    assert!(get(&router, "/metrics").await.2.contains("portcullis_up 0\n"));
}

#[tokio::test]
async fn metrics_are_prometheus_text() {
    let router = router(well());
    get(&router, "/").await;
    let (_, headers, body) = get(&router, "/metrics").await;
    assert!(
        headers["content-type"]
            .to_str()
            .expect("ASCII")
            .starts_with("text/plain; version=0.0.4")
    );
    for line in [
        "portcullis_not_blocked_total{reason=\"api_call\"} 31",
        "portcullis_acl_managed{account=\"111122223333\",region=\"eu-west-1\",nacl=\"acl-0f3b19c2\",direction=\"ingress\"} 10",
        "portcullis_http_answers_total{status=\"2xx\"} 1",
    ] {
        assert!(body.lines().any(|l| l == line), "{line} in {body}");
    }
    for line in body.lines().filter(|line| !line.starts_with('#')) {
        let (_, value) = line.rsplit_once(' ').expect("name and value");
        assert!(value.parse::<f64>().is_ok(), "{line}");
    }
}

#[tokio::test]
async fn the_style_sheet_is_named_by_its_content_and_kept_for_good() {
    let router = router(well());
    let (_, _, body) = get(&router, "/").await;
    let path = body
        .split("rel=\"stylesheet\" href=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next())
        .expect("a link");
    let (status, headers, _) = get(&router, path).await;
    assert_eq!(status, StatusCode::OK);
    assert!(headers["cache-control"].to_str().expect("ASCII").contains("immutable"));
    assert_eq!(headers["content-type"], "text/css; charset=utf-8");
}

#[tokio::test]
async fn the_gate_shows_its_slots_in_the_order_in_which_they_go() {
    let (_, _, body) = get(&router(well()), "/response").await;
    let at = |text: &str| body.find(text).unwrap_or_else(|| panic!("{text} is missing"));
    assert!(at("next to go") < at(">45.83.64.11<") && at(">45.83.64.11<") < at(">193.32.162.7<"));
    assert!(body.contains("<b>10 of 10</b>") && body.contains(" · full") && body.contains("foreign"));
    assert!(at("10 of 10") < at("6 of 10"), "the fullest strip comes first");
    assert!(body.contains("<strong>UnauthorizedAccess:EC2/SSHBruteForce</strong>"));
}

#[tokio::test]
async fn a_message_says_where_it_went_and_never_claims_slack_without_a_webhook() {
    for (demo, slack, words) in [
        (true, true, "shown here; the demo sends nothing"),
        (true, false, "shown here; the demo sends nothing"),
        (false, false, "Slack not configured: shown here only"),
        (false, true, "sent to Slack"),
    ] {
        let mut state = well();
        (state.demo, state.slack) = (demo, slack);
        let router = router(state);
        for path in ["/", "/response"] {
            let (_, _, body) = get(&router, path).await;
            assert!(body.contains(words), "{path} {demo} {slack}");
            assert_eq!(body.contains("sent to Slack"), slack && !demo, "{path} {demo} {slack}");
        }
    }
}

#[tokio::test]
async fn the_overview_answers_before_anything_else_is_read() {
    let (_, _, body) = get(&router(well()), "/").await;
    let at = |text: &str| body.find(text).unwrap_or_else(|| panic!("{text} is missing"));
    let questions = [
        "What attacks",
        "What was done",
        "What was not, and why",
        "Is the pipeline well",
    ];
    for question in questions {
        assert!(at(&format!("<h2>{question}</h2>")) < at("id=\"gate\""), "{question}");
    }
    assert!(body.contains("api_call</a>") && body.contains("its traffic does not cross the subnet"));
    assert!(body.contains("Look here") && body.contains("no events in this range: GuardDuty"));
}

#[tokio::test]
async fn the_overview_shows_every_entry_of_the_gate_in_a_row_of_slots() {
    let (_, _, body) = get(&router(well()), "/").await;
    assert_eq!(body.matches("<li class=\"cell").count(), 18);
    assert_eq!(body.matches("class=\"cell next").count(), 3);
    assert!(body.contains("1\u{a0}strip stands empty"));
}

#[tokio::test]
async fn the_listener_answers_real_connections_and_ends_when_told() {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let server = tokio::spawn(super::run(listener, well(), async {
        stopped.await.ok();
    }));
    let body = reqwest::get(format!("http://{address}/healthz"))
        .await
        .expect("an answer")
        .text()
        .await
        .expect("text");
    assert_eq!(body, "ok\n");
    let long = reqwest::get(format!("http://{address}/?q={}", "x".repeat(40_000)))
        .await
        .expect("an answer");
    assert!(long.status().is_client_error(), "{}", long.status());
    stop.send(()).expect("the server waits");
    server.await.expect("no panic").expect("no error");
}

/// Serves the fixture for a person to look at: `PORT=8601 cargo test --lib serve_for_a_look -- --ignored`.
#[tokio::test]
#[ignore = "runs until it is stopped; for looking at the pages"]
async fn serve_for_a_look() {
    let port = std::env::var("PORT")
        .ok()
        .and_then(|port| port.parse().ok())
        .unwrap_or(8_601);
    let listener = tokio::net::TcpListener::bind(("127.0.0.1", port))
        .await
        .expect("a port");
    super::run(listener, well(), std::future::pending())
        .await
        .expect("served");
}
