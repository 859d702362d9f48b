//! Who asks the web servers: a few hundred customers and some machines, each with habits of its own that do not change.

use std::net::Ipv4Addr;

use super::{
    json,
    provider::{ACCESS, ATTACKERS, CRAWLER},
    random::Random,
};

/// One client. What never changes of its requests is kept as JSON, ready to be copied.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) address: Ipv4Addr,
    pub(crate) country: &'static str,
    /// The headers after `host`, with commas between them.
    pub(crate) headers: Vec<u8>,
    pub(crate) http: &'static str,
    pub(crate) ja3: String,
    pub(crate) ja4: &'static str,
    pub(crate) habit: Habit,
}

/// What sort of client it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Habit {
    /// A person with a browser.
    Browser,
    /// A search engine or a monitor.
    Crawler,
    /// A tool that looks for weaknesses.
    Scanner,
}

/// User agents of browsers with the JA4 of their TLS.
const BROWSERS: &[(&str, &str)] = &[
    (
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36",
        "t13d1516h2_8daaf6152771_d8a2da3f94cd",
    ),
    (
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Safari/605.1.15",
        "t13d2014h2_a09f3c656075_14788d8d241b",
    ),
    (
        "Mozilla/5.0 (X11; Linux x86_64; rv:143.0) Gecko/20100101 Firefox/143.0",
        "t13d1715h2_5b57614c22b0_3d5424432f57",
    ),
    (
        "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Mobile/15E148 Safari/604.1",
        "t13d2014h2_a09f3c656075_e42f34c56612",
    ),
    (
        "Mozilla/5.0 (Linux; Android 16; Pixel 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36",
        "t13d1517h2_8daaf6152771_b1ff8ab2d16f",
    ),
    (
        "MeridianOutfitters/8.4.1 (Android 16; okhttp 5.1.0)",
        "t13d1412h2_9e1a3f7f5b2c_4b22cbed5bed",
    ),
];

const CRAWLERS: &[(&str, &str)] = &[
    (
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "t13d1313h2_f57a46bbacb6_e7c285222651",
    ),
    (
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
        "t12d230700_9f2aec9a6bd4_d41ae481755e",
    ),
    ("UptimeRobot/2.0", "t13d311100_e8f1e7e78f70_d41ae481755e"),
];

const SCANNERS: &[(&str, &str)] = &[
    ("python-requests/2.32.4", "t13d1812h1_85036bcba153_375ca2c5e164"),
    ("Go-http-client/1.1", "t13d190900_fa0bc7abf57e_97f8aa674fd9"),
    ("curl/8.14.1", "t13d3113h2_e8f1e7e78f70_b26ce05bbdd6"),
    (
        "sqlmap/1.9#stable (https://sqlmap.org)",
        "t13d1812h1_85036bcba153_375ca2c5e164",
    ),
    (
        "Nuclei - Open-source project (github.com/projectdiscovery/nuclei)",
        "t13d190900_fa0bc7abf57e_97f8aa674fd9",
    ),
    ("Mozilla/5.0 zgrab/0.x", "t13d190900_fa0bc7abf57e_cd51eb3e5a4a"),
];

const LANGUAGES: &[&str] = &[
    "en-GB,en;q=0.9",
    "de-DE,de;q=0.9,en;q=0.7",
    "fr-FR,fr;q=0.9",
    "en-US,en;q=0.9",
    "nl-NL,nl;q=0.9",
];

impl Client {
    /// A client of that sort from anywhere that such clients come from.
    pub(crate) fn any(habit: Habit, random: &mut Random) -> Self {
        let provider = match habit {
            Habit::Browser => random.pick(ACCESS),
            Habit::Crawler => CRAWLER,
            Habit::Scanner => random.pick(ATTACKERS),
        };
        Self::at(provider.address(random), provider.code, habit, random)
    }

    /// A client of that sort at that address.
    pub(crate) fn at(address: Ipv4Addr, country: &'static str, habit: Habit, random: &mut Random) -> Self {
        let (agent, ja4) = *random.pick(match habit {
            Habit::Browser => BROWSERS,
            Habit::Crawler => CRAWLERS,
            Habit::Scanner => SCANNERS,
        });
        let mut headers = Vec::new();
        let mut add = |name: &str, value: &str| {
            if !headers.is_empty() {
                headers.push(b',');
            }
            headers.extend_from_slice(b"{\"name\":");
            json::push_text(&mut headers, name);
            headers.extend_from_slice(b",\"value\":");
            json::push_text(&mut headers, value);
            headers.push(b'}');
        };
        add("user-agent", agent);
        add(
            "accept",
            if habit == Habit::Browser {
                "text/html,application/xhtml+xml;q=0.9,*/*;q=0.8"
            } else {
                "*/*"
            },
        );
        add("accept-encoding", "gzip, deflate, br");
        if habit == Habit::Browser {
            add("accept-language", random.pick::<&str>(LANGUAGES));
            add("sec-fetch-mode", "navigate");
        }
        if habit == Habit::Scanner && random.chance(20) {
            // A claim about where the request comes from, and not to be believed.
            add("x-forwarded-for", "127.0.0.1");
        }
        Self {
            address,
            country,
            headers,
            http: if ja4.contains("h2") { "HTTP/2.0" } else { "HTTP/1.1" },
            ja3: random.hex(32),
            ja4,
            habit,
        }
    }
}
