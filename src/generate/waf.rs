//! AWS WAF web ACL log records.
//!
//! <https://docs.aws.amazon.com/waf/latest/developerguide/logging-fields.html>
//!
//! This is the generator's hottest path (a million records in a few seconds), so records are put together from pieces that
//! are JSON already.

use chrono::{DateTime, TimeDelta, Utc};

use super::{
    client::{Client, Habit},
    environment::Environment,
    json::{self, Object},
    random::Random,
    request::{ATTACKS, Attack, PAGE_WEIGHTS, PAGES},
};

/// What the rules say of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Allow,
    /// A rule of a managed group blocks.
    Managed(&'static Attack),
    /// Too many requests within the window.
    RateLimited,
    /// A rule of our own that only counts, and the request goes on.
    Counted,
    /// A puzzle that was not solved.
    Captcha,
    /// A silent challenge that was not met.
    Challenge,
}

/// The clients and what they do.
#[derive(Clone, Debug)]
pub(crate) struct Traffic {
    browsers: Vec<Client>,
    crawlers: Vec<Client>,
    scanners: Vec<Client>,
}

impl Traffic {
    pub(crate) fn new(random: &mut Random) -> Self {
        let mut some = |count: usize, habit| (0..count).map(|_| Client::any(habit, random)).collect();
        Self {
            browsers: some(320, Habit::Browser),
            crawlers: some(8, Habit::Crawler),
            scanners: some(24, Habit::Scanner),
        }
    }

    /// Appends one everyday request.
    pub(crate) fn write(&self, environment: &Environment, at: DateTime<Utc>, random: &mut Random, out: &mut Vec<u8>) {
        let clients = match random.weighted(&[86, 6, 8]) {
            0 => &self.browsers,
            1 => &self.crawlers,
            _ => &self.scanners,
        };
        // Some clients come again and again.
        let index = random.below(clients.len()).min(random.below(clients.len()));
        let vpc = random.weighted(&[6, 3, 1]);
        write(environment, vpc, &clients[index], at, random, out);
    }
}

/// Appends one request of a client to the load balancer of that network.
pub(crate) fn write(
    environment: &Environment,
    vpc: usize,
    client: &Client,
    at: DateTime<Utc>,
    random: &mut Random,
    out: &mut Vec<u8>,
) {
    let verdict = judge(client.habit, random);
    let (method, path, query) = match verdict {
        Verdict::Managed(attack) => (attack.method, attack.path, attack.query),
        _ if client.habit == Habit::Scanner => (
            "GET",
            *random.pick(&["/admin", "/phpmyadmin/", "/server-status", "/backup.zip", "/"]),
            "",
        ),
        Verdict::RateLimited => ("POST", "/login", ""),
        _ => PAGES[random.weighted(&PAGE_WEIGHTS)],
    };
    let balancer = &environment.vpcs[vpc].load_balancer;
    let time = at - TimeDelta::milliseconds(random.between(200, 4_000));
    json::object(out, |o| {
        o.number("timestamp", time.timestamp_millis());
        o.number("formatVersion", 1);
        o.text("webaclId", &balancer.web_acl);
        judgement(o, verdict, random);
        o.text("httpSourceName", "ALB");
        o.built("httpSourceId", |out| {
            out.extend_from_slice(environment.vpcs[vpc].account.as_bytes());
            out.push(b'-');
            out.extend_from_slice(balancer.id.as_bytes());
        });
        rule_groups(o, verdict);
        rates(o, verdict, &balancer.web_acl);
        counted(o, verdict);
        o.null("requestHeadersInserted");
        match verdict {
            Verdict::Captcha => o.number("responseCodeSent", 405),
            Verdict::Challenge => o.number("responseCodeSent", 202),
            _ => o.null("responseCodeSent"),
        }
        o.object("httpRequest", |o| {
            o.address("clientIp", client.address);
            o.text("country", client.country);
            o.array("headers", |a| {
                a.object(|o| {
                    o.text("name", "host");
                    o.text("value", balancer.host);
                });
                a.raw(&client.headers);
            });
            o.text("uri", path);
            o.text("args", query);
            o.text("httpVersion", client.http);
            o.text("httpMethod", method);
            o.built("requestId", |out| {
                out.extend_from_slice(b"1-");
                random.push_hex(8, out);
                out.push(b'-');
                random.push_hex(24, out);
            });
            o.text("scheme", "https");
            o.text("host", balancer.host);
        });
        labels(o, verdict, client);
        if method == "POST" {
            let size = random.between(40, 2_000);
            o.number("requestBodySize", size);
            o.number("requestBodySizeInspectedByWAF", size);
        }
        o.text("ja3Fingerprint", &client.ja3);
        o.text("ja4Fingerprint", client.ja4);
    });
}

fn judge(habit: Habit, random: &mut Random) -> Verdict {
    let weights: [u16; 6] = match habit {
        Habit::Browser => [960, 2, 4, 24, 4, 6],
        Habit::Crawler => [800, 0, 0, 180, 0, 20],
        Habit::Scanner => [180, 560, 120, 60, 40, 40],
    };
    match random.weighted(&weights) {
        0 => Verdict::Allow,
        1 => Verdict::Managed(random.pick(ATTACKS)),
        2 => Verdict::RateLimited,
        3 => Verdict::Counted,
        4 => Verdict::Captcha,
        _ => Verdict::Challenge,
    }
}

/// Which rule ended the evaluation, how, and what it matched.
fn judgement(o: &mut Object<'_>, verdict: Verdict, random: &mut Random) {
    let (rule, kind, action) = match verdict {
        Verdict::Allow | Verdict::Counted => ("Default_Action", "REGULAR", "ALLOW"),
        Verdict::Managed(attack) => (attack.group, "MANAGED_RULE_GROUP", "BLOCK"),
        Verdict::RateLimited => ("rate-limit-login", "RATE_BASED", "BLOCK"),
        Verdict::Captcha => ("captcha-checkout", "REGULAR", "CAPTCHA"),
        Verdict::Challenge => ("challenge-automation", "REGULAR", "CHALLENGE"),
    };
    // A group stands in the web ACL under its name with dashes.
    o.built("terminatingRuleId", |out| {
        out.extend(rule.bytes().map(|b| if b == b'#' { b'-' } else { b }));
    });
    o.text("terminatingRuleType", kind);
    o.text("action", action);
    o.array("terminatingRuleMatchDetails", |_| {});
    match verdict {
        Verdict::Captcha => failed(o, "captchaResponse", 405, random),
        Verdict::Challenge => failed(o, "challengeResponse", 202, random),
        _ => {}
    }
}

fn failed(o: &mut Object<'_>, name: &str, code: i64, random: &mut Random) {
    o.object(name, |o| {
        o.number("responseCode", code);
        o.text(
            "failureReason",
            random.pick::<&str>(&["TOKEN_MISSING", "TOKEN_EXPIRED"]),
        );
    });
}

fn rule_groups(o: &mut Object<'_>, verdict: Verdict) {
    let Verdict::Managed(attack) = verdict else {
        return o.array("ruleGroupList", |_| {});
    };
    o.array("ruleGroupList", |a| {
        a.object(|o| {
            o.text("ruleGroupId", attack.group);
            o.object("terminatingRule", |o| {
                o.text("ruleId", attack.rule);
                o.text("action", "BLOCK");
                match attack.matched {
                    None => o.null("ruleMatchDetails"),
                    Some((condition, location, data)) => o.array("ruleMatchDetails", |a| {
                        a.object(|o| {
                            o.text("conditionType", condition);
                            o.text("location", location);
                            o.array("matchedData", |a| data.iter().for_each(|item| a.text(item)));
                            o.text("matchedFieldName", "");
                        });
                    }),
                }
            });
            o.array("nonTerminatingMatchingRules", |_| {});
            o.null("excludedRules");
            o.null("customerConfig");
        });
    });
}

fn rates(o: &mut Object<'_>, verdict: Verdict, web_acl: &str) {
    o.array("rateBasedRuleList", |a| {
        if verdict == Verdict::RateLimited {
            a.object(|o| {
                o.built("rateBasedRuleId", |out| {
                    out.extend_from_slice(web_acl.as_bytes());
                    out.extend_from_slice(b"/rate-limit-login");
                });
                o.text("rateBasedRuleName", "rate-limit-login");
                o.text("limitKey", "IP");
                o.number("maxRateAllowed", 100);
                o.text("evaluationWindowSec", "300");
            });
        }
    });
}

fn counted(o: &mut Object<'_>, verdict: Verdict) {
    o.array("nonTerminatingMatchingRules", |a| {
        if verdict == Verdict::Counted {
            a.object(|o| {
                o.text("ruleId", "count-unusual-agents");
                o.text("action", "COUNT");
                o.array("ruleMatchDetails", |_| {});
            });
        }
    });
}

fn labels(o: &mut Object<'_>, verdict: Verdict, client: &Client) {
    o.array("labels", |a| {
        a.object(|o| {
            o.built("name", |out| {
                out.extend_from_slice(b"awswaf:clientip:geo:country:");
                out.extend_from_slice(client.country.as_bytes());
            });
        });
        if let Verdict::Managed(attack) = verdict {
            a.object(|o| o.text("name", attack.label));
        }
        if client.habit == Habit::Crawler {
            a.object(|o| o.text("name", "awswaf:managed:aws:bot-control:bot:category:search_engine"));
        }
    });
}
