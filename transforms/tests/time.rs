//! The timestamp reader and writer: a table of what each form means, and chrono as the oracle.

use chrono::{DateTime, SecondsFormat, TimeZone as _, Utc};
use portcullis_transforms::time::{parse, push_rfc3339};
use proptest::prelude::*;

fn written(millis: i64) -> String {
    let mut out = Vec::new();
    push_rfc3339(millis, &mut out);
    String::from_utf8(out).expect("ASCII")
}

#[test]
fn every_accepted_form_is_read() {
    let cases = [
        ("0", "1970-01-01T00:00:00.000Z"),
        ("1418530010", "2014-12-14T04:06:50.000Z"),
        ("1418530010.5", "2014-12-14T04:06:50.500Z"),
        ("1418530010.123456789123", "2014-12-14T04:06:50.123Z"),
        ("1418530010123", "2014-12-14T04:06:50.123Z"),
        ("1418530010123.9", "2014-12-14T04:06:50.123Z"),
        ("1418530010123456", "2014-12-14T04:06:50.123Z"),
        ("1418530010123456789", "2014-12-14T04:06:50.123Z"),
        ("1.418530010123E9", "2014-12-14T04:06:50.123Z"),
        ("1.418530010123e+12", "2014-12-14T04:06:50.123Z"),
        ("14185300100e-1", "2014-12-14T04:06:50.000Z"),
        ("322e-2", "1970-01-01T00:00:03.220Z"),
        ("0e99", "1970-01-01T00:00:00.000Z"),
        ("4133980799", "2100-12-31T23:59:59.000Z"),
        ("2017-03-22T13:22:13.933Z", "2017-03-22T13:22:13.933Z"),
        ("2017-03-22t13:22:13z", "2017-03-22T13:22:13.000Z"),
        ("2017-03-22T13:22:13.9Z", "2017-03-22T13:22:13.900Z"),
        ("2017-03-22T13:22:13.933999999Z", "2017-03-22T13:22:13.933Z"),
        ("2017-03-22T00:22:13+02:30", "2017-03-21T21:52:13.000Z"),
        ("2017-03-22T23:22:13-02:30", "2017-03-23T01:52:13.000Z"),
        ("2017-03-22T00:22:13+0230", "2017-03-21T21:52:13.000Z"),
        ("2017-03-22T00:22:13.5-02", "2017-03-22T02:22:13.500Z"),
        ("2017-03-22T23:22:13-00:00", "2017-03-22T23:22:13.000Z"),
        ("2017-03-22 13:22:13", "2017-03-22T13:22:13.000Z"),
        ("2017-03-22 13:22:13.123456789", "2017-03-22T13:22:13.123Z"),
        ("2017-03-22 13:22:13Z", "2017-03-22T13:22:13.000Z"),
        ("2017-03-22 13:22:13.5 UTC", "2017-03-22T13:22:13.500Z"),
        ("2017-03-22 13:22:13 +01:00", "2017-03-22T12:22:13.000Z"),
        ("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.000Z"),
        ("2000-02-29T00:00:00Z", "2000-02-29T00:00:00.000Z"),
        ("2016-12-31T23:59:60Z", "2017-01-01T00:00:00.000Z"),
        ("1970-01-01T00:00:00Z", "1970-01-01T00:00:00.000Z"),
        ("2100-12-31T23:59:59.999Z", "2100-12-31T23:59:59.999Z"),
    ];
    for (text, expected) in cases {
        assert_eq!(parse(text.as_bytes()).map(written), Ok(expected.to_owned()), "{text}");
    }
}

#[test]
fn what_is_no_moment_between_1970_and_2100_is_refused_with_the_reason() {
    let cases = [
        ("", "empty"),
        ("-1", "negative"),
        ("-0", "negative"),
        ("-1418530010.5", "negative"),
        ("-", "neither"),
        ("NaN", "neither"),
        ("nan", "neither"),
        ("inf", "neither"),
        ("Infinity", "neither"),
        ("null", "neither"),
        ("+1418530010", "neither"),
        (" 1418530010", "neither"),
        ("1418530010 ", "neither"),
        ("1418530010.", "neither"),
        (".5", "neither"),
        ("1_000", "neither"),
        ("0x10", "neither"),
        ("1e", "neither"),
        ("1e-", "neither"),
        ("1e999", "neither"),
        ("1.2.3", "neither"),
        ("4133980800", "1970 to 2100"),
        ("99999999999", "1970 to 2100"),
        ("99999999999999999999", "1970 to 2100"),
        ("1e99", "1970 to 2100"),
        ("2101-01-01T00:00:00Z", "1970 to 2100"),
        ("1969-12-31T23:59:59Z", "1970 to 2100"),
        ("1970-01-01T00:30:00+01:00", "1970 to 2100"),
        ("0000-01-01T00:00:00Z", "1970 to 2100"),
        ("2017-03-22T13:22:13", "no UTC offset"),
        ("2017-03-22 13:22:13 ", "neither"),
        ("2017-02-29T00:00:00Z", "does not exist"),
        ("2100-02-29T00:00:00Z", "does not exist"),
        ("2017-13-01T00:00:00Z", "does not exist"),
        ("2017-00-01T00:00:00Z", "does not exist"),
        ("2017-04-31T00:00:00Z", "does not exist"),
        ("2017-04-00T00:00:00Z", "does not exist"),
        ("2017-04-01T24:00:00Z", "does not exist"),
        ("2017-04-01T00:60:00Z", "does not exist"),
        ("2017-04-01T00:00:61Z", "does not exist"),
        ("2017-04-01T00:00:00+24:00", "does not exist"),
        ("2017-04-01T00:00:00+00:60", "does not exist"),
        ("2017-04-01", "neither"),
        ("2017-04-01T00:00Z", "neither"),
        ("2017-04-01T00:00:00.Z", "neither"),
        ("2017-04-01T00:00:00Zx", "neither"),
        ("2017-04-01T00:00:00+010", "neither"),
        ("2017-04-01T00:00:00+01:", "neither"),
        ("2017-04-01T00:00:00+01:000", "neither"),
        ("2017-04-01T00:00:00+01:99999999999999999999", "neither"),
        ("2017-04-01T00:00:00+0199999999999999999999", "neither"),
        ("2017-04-01T00:00:00+2400", "does not exist"),
        ("2017-4-1T00:00:00Z", "neither"),
    ];
    for (text, reason) in cases {
        let told = parse(text.as_bytes()).expect_err(text).to_string();
        assert!(told.contains(reason), "{text}: {told}");
    }
    assert!(parse(&[0xff; 40]).is_err());
    assert!(parse(&vec![b'9'; 1_000_000]).is_err());
}

#[test]
fn what_cannot_be_written_is_clamped_and_does_not_panic() {
    assert_eq!(written(-1), "1970-01-01T00:00:00.000Z");
    assert_eq!(written(i64::MIN), "1970-01-01T00:00:00.000Z");
    assert_eq!(written(i64::MAX), "9999-12-31T23:59:59.999Z");
}

#[test]
fn every_day_is_written_and_read_back() {
    for day in 0..47_846_i64 {
        let millis = day * 86_400_000 + 45_296_789;
        let text = written(millis);
        let oracle = Utc.timestamp_millis_opt(millis).single().expect("in range");
        assert_eq!(text, oracle.to_rfc3339_opts(SecondsFormat::Millis, true));
        assert_eq!(parse(text.as_bytes()), Ok(millis));
    }
}

/// chrono's reading, or nothing where the accepted range ends.
fn oracle(text: &str) -> Option<i64> {
    let millis = DateTime::parse_from_rfc3339(text).ok()?.timestamp_millis();
    (0..4_133_980_800_000).contains(&millis).then_some(millis)
}

proptest! {
    #[test]
    fn rfc_3339_is_read_as_chrono_reads_it(
        (year, month, day) in (1965..2105_u32, 0..14_u32, 0..33_u32),
        (hour, minute, second) in (0..25_u32, 0..61_u32, 0..62_u32),
        fraction in prop_oneof![Just(String::new()), "\\.[0-9]{1,12}"],
        zone in prop_oneof![Just("Z".to_owned()), "[+-][0-2][0-9]:[0-6][0-9]"],
        separator in prop_oneof![Just('T'), Just('t')],
    ) {
        let text = format!("{year:04}-{month:02}-{day:02}{separator}{hour:02}:{minute:02}:{second:02}{fraction}{zone}");
        prop_assert_eq!(parse(text.as_bytes()).ok(), oracle(&text), "{}", text);
    }

    #[test]
    fn every_unit_of_an_epoch_number_means_the_same_moment(nanos in 100_000_000_000_000_000..4_133_980_800_000_000_000_u64) {
        let millis = (nanos / 1_000_000) as i64;
        let texts = [
            format!("{nanos}"),
            format!("{}.{:03}", nanos / 1_000, nanos % 1_000),
            format!("{}.{:06}", nanos / 1_000_000, nanos % 1_000_000),
            format!("{}.{:09}", nanos / 1_000_000_000, nanos % 1_000_000_000),
            format!("{}.{:09}e9", nanos / 1_000_000_000 , nanos % 1_000_000_000),
        ];
        for text in texts {
            prop_assert_eq!(parse(text.as_bytes()), Ok(millis), "{}", text);
        }
    }

    #[test]
    fn what_is_written_is_what_chrono_writes(millis in 0..253_402_300_800_000_i64) {
        let oracle = Utc.timestamp_millis_opt(millis).single().expect("in range");
        prop_assert_eq!(written(millis), oracle.to_rfc3339_opts(SecondsFormat::Millis, true));
    }

    #[test]
    fn no_text_makes_it_panic_or_leave_the_range(text in proptest::collection::vec(any::<u8>(), 0..60)) {
        if let Ok(millis) = parse(&text) {
            prop_assert!((0..4_133_980_800_000).contains(&millis));
        }
    }

    #[test]
    fn nothing_close_to_a_timestamp_makes_it_panic(text in "[0-9TZ:. +eE-]{0,40}") {
        if let Ok(millis) = parse(text.as_bytes()) {
            prop_assert!((0..4_133_980_800_000).contains(&millis));
        }
    }
}
