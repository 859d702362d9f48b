//! The configuration's promises, by table.

use std::path::Path;

use super::{
    load::{assemble, leaves},
    *,
};

fn read(text: &str, environment: &[(&str, &str)]) -> Result<Effective, Error> {
    let variables = environment
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    assemble(Some(Path::new("etc/portcullis.toml")), text, variables)
}

#[test]
fn a_mistake_is_told_with_its_line_key_and_remedy() {
    for (text, parts) in [
        (
            "[serve]\nlistn = \"127.0.0.1:1\"",
            ["etc/portcullis.toml:2: ", "`serve.listn`", "did you mean `listen`"],
        ),
        ("\n\n[polcy]", ["toml:3: ", "`polcy`", "did you mean `policy`"]),
        (
            "listen = \"127.0.0.1:1\"",
            ["toml:1: ", "`listen`", "did you mean `serve.listen`"],
        ),
        (
            "[policy.limits]\nzebra = 1",
            [
                "toml:2: ",
                "`policy.limits.zebra`",
                "the keys here are entries_per_direction",
            ],
        ),
        (
            "[policy.limits]\nfirst_rule = \"71\"",
            [
                "toml:2: ",
                "policy.limits.first_rule: invalid type: string \"71\"",
                "without quotes",
            ],
        ),
        (
            "[policy.limits]\nfirst_rule = 70000",
            ["toml:2: ", "policy.limits.first_rule: ", "0 to 65535"],
        ),
        (
            "[serve]\nlisten = \"localhost\"",
            ["toml:2: ", "serve.listen: ", "such as \"127.0.0.1:8600\""],
        ),
        (
            "[policy.lists]\nallow = [\"198.51.100.7/32\",\n  \"198.51.100.7\"]",
            ["toml:3: ", "policy.lists.allow[1]: ", "with its prefix length"],
        ),
        (
            "[[sources]]\npath = \"a\"\n[[sources]]\npath = \"b\"\nsource = \"wafs\"",
            ["toml:5: ", "sources[1].source: ", "choose auto, guardduty"],
        ),
        (
            "[[sources]]\nsource = \"waf\"",
            ["toml:1: ", "sources[0]: ", "path = \"FILE\""],
        ),
        (
            "[policy]\nmode = \"enforced\"",
            ["toml:2: ", "policy.mode: ", "enforce"],
        ),
        ("data = unquoted", ["toml:1: ", "not TOML", "text needs quotes"]),
        (
            "[policy.limits]\nfirst_rule = 90\nlast_rule = 95",
            ["toml:3: ", "policy.limits.last_rule: ", "or more"],
        ),
        (
            "[policy]\naccounts = [\"42\"]",
            ["toml:2: ", "policy.accounts[0]: ", "twelve digits"],
        ),
        (
            "[[sources]]\npath = \"-\"\n[[sources]]\npath = \"-\"",
            ["toml:2: ", "sources[0].path: ", "more than once"],
        ),
        (
            "[[sources]]\npath = \"a\"\nsource = \"waf\"\nflow_format = \"x\"",
            ["toml:4: ", "sources[0].flow_format: ", "for flow logs only"],
        ),
        (
            "[[sources]]\npath = \"a\"\nsource = \"waf\"\ncommunity_id = true",
            ["toml:4: ", "sources[0].community_id: ", "for flow logs only"],
        ),
        (
            "[[sources]]\npath = \"a\"\nsource = \"dns\"\ntrusted_proxies = \"1\"",
            ["toml:4: ", "sources[0].trusted_proxies: ", "for WAF logs only"],
        ),
        (
            "[[sources]]\npath = \"a\"\ntrusted_proxies = \"0.0.0.0/0\"",
            ["toml:3: ", "sources[0].trusted_proxies: ", "trusts everyone"],
        ),
        (
            "[ledger]\nstore = \"dynamo\"",
            ["toml:2: ", "ledger.store: ", "dynamodb"],
        ),
        (
            "[ledger]\nstore = \"dynamodb\"\ntable = \"arn:aws\"",
            ["toml:3: ", "ledger.table: ", "3 to 255"],
        ),
        (
            "[network_acls]\nstore = \"aws\"",
            ["toml:2: ", "network_acls.store: ", "ec2"],
        ),
        (
            "[network_acls]\nstore = \"ec2\"\n[network_acls.ec2]\nregions = [\"eu-central-1\"]",
            ["toml:", "network_acls.ec2.accounts: ", "twelve digits"],
        ),
        (
            "[policy]\nmode = \"enforce\"\n[network_acls]\nstore = \"ec2\"\n[network_acls.ec2]\nregions = [\"eu-central-1\"]\naccounts = [\"111122223333\"]",
            ["toml:", "policy.accounts: ", "names each account"],
        ),
        (
            "[policy]\naccounts = [\"444455556666\"]\n[network_acls]\nstore = \"ec2\"\n[network_acls.ec2]\nregions = [\"eu-central-1\"]\naccounts = [\"111122223333\"]",
            ["toml:2: ", "policy.accounts[0]: ", "network_acls.ec2.accounts"],
        ),
        (
            "[normalize]\nredact = [\"cookie: a\"]",
            ["toml:2: ", "normalize.redact: ", "is no header name"],
        ),
        (
            "[normalize]\ndrop = [\n\"vpcflow: event.action == accept\",\n\"waf: event.acton == a\"]",
            ["toml:", "normalize.drop[1]: ", "no field `event.acton`"],
        ),
        (
            "[normalize]\nratio_limit = 2000",
            ["toml:2: ", "normalize.ratio_limit: ", "from 1 to 1032"],
        ),
    ] {
        let told = read(text, &[]).expect_err(text).to_string();
        for part in parts {
            assert!(told.contains(part), "{text:?}: {told:?} should contain {part:?}");
        }
    }
}

#[test]
fn a_webhook_written_into_the_file_is_not_repeated() {
    let told = read("[slack]\nwebhook_env = \"https://hooks.example/T0/B0/secret\"", &[])
        .expect_err("no variable's name")
        .to_string();
    assert!(told.contains("slack.webhook_env") && !told.contains("secret"), "{told}");
}

#[test]
fn a_variable_overrides_the_file_and_is_named_as_the_origin() {
    let effective = read(
        "[serve]\nlisten = \"127.0.0.1:1\"\n[policy.limits]\nfirst_rule = 72",
        &[
            ("PORTCULLIS__SERVE__LISTEN", "127.0.0.1:2"),
            ("PORTCULLIS__POLICY__LIMITS__LAST_RULE", "90"),
            ("PORTCULLIS__DATA", "123"),
            ("PORTCULLIS__SOURCES", "[{ path = \"-\", source = \"waf\" }]"),
            ("PORTCULLIS__POLICY__LISTS__ALLOW", "[\"198.51.100.0/24\"]"),
            ("UNRELATED", "x"),
        ],
    )
    .expect("valid");
    let config = &effective.config;
    assert_eq!(config.serve.listen.port(), 2);
    assert_eq!(
        (config.policy.limits.first_rule, config.policy.limits.last_rule),
        (72, 90)
    );
    assert_eq!(config.data, Path::new("123"));
    assert_eq!(config.sources[0].source, SourceChoice::Named(Source::Waf));
    assert_eq!(config.policy.lists.allow.len(), 1);
    for (key, origin) in [
        ("serve.listen", "PORTCULLIS__SERVE__LISTEN"),
        ("sources[0].path", "PORTCULLIS__SOURCES"),
        ("policy.limits.first_rule", "etc/portcullis.toml:4"),
        ("policy.limits.default_acl", "default"),
        ("retention.days", "default"),
    ] {
        assert_eq!(effective.origin(key).to_string(), origin, "{key}");
    }
}

#[test]
fn a_variable_that_sets_nothing_is_refused_by_name() {
    for (variable, value, part) in [
        ("PORTCULLIS__SERV__LISTEN", "127.0.0.1:1", "did you mean `serve`"),
        ("PORTCULLIS__SERVE__LISTEN", "here", "such as \"127.0.0.1:8600\""),
        ("PORTCULLIS__SOURCES__0__PATH", "-", "PORTCULLIS__SOURCES"),
        ("PORTCULLIS__RETENTION__DAYS", "0", "1 or more"),
        ("PORTCULLIS__DATA__X", "0", "`data` has no keys of its own"),
    ] {
        let told = read("data = \"d\"\nsources = []", &[(variable, value)])
            .expect_err(variable)
            .to_string();
        assert!(told.starts_with(variable) && told.contains(part), "{variable}: {told}");
    }
}

#[test]
fn relative_paths_start_at_the_files_folder() {
    let effective = read(
        "data = \"d\"\n[[sources]]\npath = \"logs/*.gz\"\n[[sources]]\npath = \"-\"",
        &[],
    )
    .expect("valid");
    assert_eq!(effective.config.data, Path::new("etc/d"));
    assert_eq!(effective.config.sources[0].path, "etc/logs/*.gz");
    assert_eq!(effective.config.sources[1].path, "-");
}

#[test]
fn without_a_file_the_defaults_hold() {
    let effective = assemble(None, "", std::iter::empty()).expect("defaults are valid");
    assert_eq!(effective.config, Config::default());
}

#[test]
fn the_written_file_shows_every_setting_at_its_default() {
    let uncommented: String = TEMPLATE
        .lines()
        .map(|line| match line.strip_prefix('#') {
            Some(setting) if setting.starts_with(|c: char| !c.is_whitespace()) => setting,
            _ => line,
        })
        .flat_map(|line| [line, "\n"])
        .collect();
    let effective = assemble(None, &uncommented, std::iter::empty()).expect("the template is valid");
    assert_eq!(effective.config, Config::default());
    assert!(assemble(None, TEMPLATE, std::iter::empty()).is_ok());

    let table: toml::Table = toml::from_str(&uncommented).expect("the template is TOML");
    let mut shown = Vec::new();
    leaves(&mut String::new(), &toml::Value::Table(table), &mut shown);
    for (key, _) in effective.values().expect("has a form in TOML") {
        let known = key == "sources" || shown.iter().any(|(name, _)| *name == key);
        assert!(known, "{key} is not in the template");
    }
}
