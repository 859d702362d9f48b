//! Texts into the typed values of the index, the same way when writing and when searching.

use std::net::{IpAddr, Ipv6Addr};

use chrono::{DateTime, NaiveDate, Utc};
use ipnet::IpNet;
use tantivy::DateTime as Instant;

/// An address in its one spelling: IPv4 inside IPv6 becomes IPv4.
pub(crate) fn address(text: &str) -> Option<IpAddr> {
    text.trim().parse::<IpAddr>().ok().map(|ip| ip.to_canonical())
}

/// An address as its column holds it.
pub(crate) fn wide(address: IpAddr) -> Ipv6Addr {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped(),
        IpAddr::V6(v6) => v6,
    }
}

/// First and last address of a CIDR block or of a single address; host bits may be set.
pub(crate) fn block(text: &str) -> Option<(IpAddr, IpAddr)> {
    if let Some(single) = address(text) {
        return Some((single, single));
    }
    let net = text.trim().parse::<IpNet>().ok()?.trunc();
    Some((net.network(), net.broadcast()))
}

/// A time in a document or a request: RFC 3339, a date alone (its midnight), or epoch milliseconds.
pub(crate) fn time(text: &str) -> Option<DateTime<Utc>> {
    if let Ok(at) = DateTime::parse_from_rfc3339(text) {
        return Some(at.with_timezone(&Utc));
    }
    if let Ok(day) = text.parse::<NaiveDate>() {
        return Some(day.and_hms_opt(0, 0, 0)?.and_utc());
    }
    if let Ok(local) = text.parse::<chrono::NaiveDateTime>() {
        return Some(local.and_utc());
    }
    DateTime::from_timestamp_millis(text.parse().ok()?)
}

/// A time as its column holds it: milliseconds. The column ends in the year 2262, and a time beyond is its end.
pub(crate) fn instant(at: DateTime<Utc>) -> Instant {
    const END: i64 = i64::MAX / 1_000_000;
    Instant::from_timestamp_millis(at.timestamp_millis().clamp(-END, END))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_ipv4_address_inside_ipv6_is_the_ipv4_address() {
        assert_eq!(address("::ffff:198.51.100.7"), address("198.51.100.7"));
        assert_eq!(block("10.1.2.3/8"), block("10.0.0.0/8"));
        assert!(block("10.0.0.0/33").is_none());
    }

    #[test]
    fn a_time_beyond_the_column_is_the_columns_end() {
        let at = |text| time(text).map(instant);
        assert_eq!(
            at("9999-12-31T23:59:59Z"),
            Some(Instant::from_timestamp_millis(i64::MAX / 1_000_000))
        );
        assert!(at("0001-01-01") < at("1970-01-01"));
        assert!(at("1970-01-01") < at("99999999999999"));
    }

    #[test]
    fn times_are_read_with_offsets_as_days_and_as_epoch_milliseconds() {
        let noon = time("2026-03-01T12:00:00.000Z");
        assert!(noon.is_some());
        for same in ["2026-03-01T13:00:00+01:00", "2026-03-01T12:00:00", "1772366400000"] {
            assert_eq!(time(same), noon, "{same}");
        }
        assert_eq!(time("2026-03-01"), time("2026-03-01T00:00:00Z"));
        assert_eq!(time("now-1h"), None);
    }
}
