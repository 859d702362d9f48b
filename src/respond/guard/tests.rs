#![allow(clippy::unwrap_used)]

use proptest::prelude::*;

use super::*;

fn now() -> DateTime<Utc> {
    "2026-11-20T12:00:00Z".parse().unwrap()
}

fn checked(net: &str, knowledge: &Knowledge) -> Option<Reason> {
    let net = net
        .parse::<IpNet>()
        .or_else(|_| net.parse::<std::net::IpAddr>().map(IpNet::from));
    check(net.unwrap(), knowledge, now())
}

#[test]
fn every_form_of_a_guarded_address_is_guarded() {
    use Reason as R;
    let cases = [
        ("185.220.101.4", None),
        ("1.1.1.1", None),
        ("100.63.255.255", None),
        ("100.128.0.0", None),
        ("172.15.255.255", None),
        ("172.32.0.0", None),
        ("198.17.255.255", None),
        ("198.20.0.0", None),
        ("223.255.255.255", None),
        ("0.1.2.3", Some(R::Unspecified)),
        ("192.88.99.1", Some(R::Reserved)),
        // Overlap, not containment: these only touch a guarded range.
        ("172.0.0.0/11", Some(R::TooWide)),
        ("192.168.0.0/24", Some(R::Private)),
        ("203.0.113.128/25", Some(R::Documentation)),
        ("0.0.0.0/0", Some(R::TooWide)),
        ("185.220.101.0/24", None),
        ("185.220.100.0/23", Some(R::TooWide)),
        // IPv6 itself.
        ("::", Some(R::Unspecified)),
        ("::1", Some(R::Loopback)),
        ("fe80::1", Some(R::LinkLocal)),
        ("fd12::1", Some(R::Private)),
        ("ff02::1", Some(R::Multicast)),
        ("2001:db8::1", Some(R::Documentation)),
        ("3fff:0123::1", Some(R::Documentation)),
        ("100::1", Some(R::Reserved)),
        ("4000::1", Some(R::Reserved)),
        ("2a02:c207::1", None),
        // IPv4 inside IPv6.
        ("::ffff:185.220.101.4", None),
        ("::ffff:192.168.1.1", Some(R::Private)),
        ("::ffff:0:0/96", Some(R::TooWide)),
        ("::10.0.0.1", Some(R::Private)),
        ("64:ff9b::10.0.0.1", Some(R::Private)),
        ("64:ff9b::185.220.101.4", None),
        ("64:ff9b:1::10.0.0.1", Some(R::Private)),
        ("2002:a00:1::", Some(R::Private)),
        ("2002:b9dc:6504::1", None),
        ("2002:a00::/24", Some(R::Private)),
        // Teredo: relay 185.220.101.4, client 10.0.0.1 inverted; then a private relay.
        ("2001:0:b9dc:6504:0:0:f5ff:fffe", Some(R::Private)),
        ("2001:0:a00:1:0:0:4623:9afb", Some(R::Private)),
        ("2000::/3", Some(R::Documentation)),
    ];
    let failed: Vec<String> = cases
        .into_iter()
        .map(|(net, expected)| (net, checked(net, &Knowledge::default()), expected))
        .filter(|(_, got, expected)| got != expected)
        .map(|(net, got, expected)| format!("{net}: {got:?}, expected {expected:?}"))
        .collect();
    assert!(failed.is_empty(), "{}", failed.join("\n"));
}

#[test]
fn lists_are_tested_by_overlap_and_through_embedded_forms() {
    let nets = |text: &str| std::iter::once(text.parse::<IpNet>().unwrap()).collect();
    let knowledge = Knowledge {
        own_addresses: nets("52.16.10.20/32"),
        own_networks: nets("::ffff:44.128.0.0/112"),
        aws_services: nets("2600:9000::/28"),
        ..Knowledge::default()
    };
    for (net, expected) in [
        ("52.16.10.0/24", Some(Reason::OwnAddress)),
        ("52.16.11.0/24", None),
        ("44.128.3.4", Some(Reason::OwnNetwork)),
        ("2600:9000::1", Some(Reason::AwsService)),
        ("64:ff9b::52.16.10.20", Some(Reason::OwnAddress)),
        ("::ffff:52.16.10.20", Some(Reason::OwnAddress)),
    ] {
        assert_eq!(checked(net, &knowledge), expected, "{net}");
    }
}

#[test]
fn an_allow_list_entry_ends_when_it_says() {
    let until = |text: &str| Knowledge {
        allow: vec![("45.83.64.0/24".parse().unwrap(), Some(text.parse().unwrap()))],
        ..Knowledge::default()
    };
    assert_eq!(
        checked("45.83.64.9", &until("2026-11-20T12:00:01Z")),
        Some(Reason::AllowListed)
    );
    assert_eq!(checked("45.83.64.9", &until("2026-11-20T12:00:00Z")), None);
}

#[test]
fn lists_that_cannot_be_read_guard_everything() {
    let knowledge = Knowledge {
        available: false,
        ..Knowledge::default()
    };
    assert_eq!(checked("185.220.101.4", &knowledge), Some(Reason::ListUnavailable));
    assert_eq!(checked("10.0.0.1", &knowledge), Some(Reason::Private));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn a_prefix_that_holds_a_guarded_address_is_guarded(bits: u32, prefix in 8..=32_u8) {
        let host = Ipv4Addr::from_bits(bits);
        let knowledge = Knowledge { widest_prefix: 8, ..Knowledge::default() };
        let net = IpNet::new(host.into(), prefix).unwrap();
        if check(IpNet::from(std::net::IpAddr::from(host)), &knowledge, now()).is_some() {
            prop_assert!(check(net, &knowledge, now()).is_some());
        }
    }

    #[test]
    fn every_way_to_write_a_guarded_ipv4_address_as_ipv6_is_guarded(bits: u32, low: u64) {
        let ip = Ipv4Addr::from_bits(bits);
        let direct = checked(&ip.to_string(), &Knowledge::default());
        let (high, low16) = ((bits >> 16) as u16, bits as u16);
        let tail = [(low >> 48) as u16, (low >> 32) as u16];
        let forms = [
            ip.to_ipv6_mapped(),
            Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low16),
            Ipv6Addr::new(0x2002, high, low16, tail[0], 0, 0, 0, 1),
            Ipv6Addr::new(0x2001, 0, high, low16, 0, 0, 0x4623, 0x9afb),
            Ipv6Addr::new(0x2001, 0, 0xb9dc, 0x6504, 0, tail[1], !high, !low16),
        ];
        for form in forms {
            let got = check(IpNet::from(std::net::IpAddr::from(form)), &Knowledge::default(), now());
            match direct {
                Some(reason) => prop_assert_eq!(got, Some(reason)),
                None => prop_assert!(got.is_none(), "{} {:?}", form, got),
            }
        }
    }
}

#[test]
fn ipv6_is_denied_where_the_policy_says_so_and_no_wider() {
    let off = Knowledge {
        ipv6: false,
        ..Knowledge::default()
    };
    for (net, knowledge, expected) in [
        ("2a02:c207::1", &Knowledge::default(), None),
        ("2a02:c207::/64", &Knowledge::default(), None),
        ("2a02:c207::/63", &Knowledge::default(), Some(Reason::TooWide)),
        ("2a02:c207::1", &off, Some(Reason::Ipv6)),
        ("fe80::1", &off, Some(Reason::LinkLocal)),
        ("::ffff:185.220.101.4", &off, None),
    ] {
        assert_eq!(checked(net, knowledge), expected, "{net}");
    }
}
