//! What a URL may ask for, what it may not, and that every link reads back as what it was written from.

use proptest::prelude::*;

use super::*;

#[test]
fn a_bad_parameter_is_refused_by_name_with_a_remedy() {
    for (raw, parameter, remedy) in [
        ("range=3h", "range", "one of 15m, 1h"),
        (
            "range=1h&from=2026-01-01T00:00&to=2026-01-02T00:00",
            "range",
            "not both",
        ),
        ("from=yesterday&to=2026-01-02T00:00", "from", "2026-05-04T10:00Z"),
        ("from=2026-01-02T00:00", "to", "needs its to"),
        ("to=2026-01-02T00:00", "from", "needs its from"),
        ("from=2026-01-02T00:00&to=2026-01-01T00:00", "to", "later than from"),
        ("from=1999-01-02T00:00&to=2026-01-01T00:00", "from", "at most 400 days"),
        ("filter=nocolon", "filter", "field:value"),
        ("filter=--a:b", "filter", "field:value"),
        ("filter=a%20b:c", "filter", "field:value"),
        ("source=cloudwatch", "source", "guardduty"),
        ("page=0", "page", "from 1 to 200"),
        ("refresh=1", "refresh", "from 2 to 3600"),
        ("filer=a:b", "filer", "no such parameter"),
    ] {
        let refused = Query::parse(raw).expect_err(raw);
        assert_eq!(refused.parameter, parameter, "{raw}");
        assert!(refused.remedy.contains(remedy), "{raw}: {}", refused.remedy);
    }
    let many = (0..40).map(|i| format!("filter=a:{i}&")).collect::<String>();
    assert!(Query::parse(&many).is_err());
    assert!(Query::parse(&format!("q={}", "x".repeat(2_000))).is_err());
}

#[test]
fn what_a_form_sends_empty_counts_as_absent() {
    assert_eq!(Query::parse("q=&from=&to=&filter="), Ok(Query::default()));
}

#[test]
fn a_browser_field_without_seconds_or_zone_is_read_as_utc() {
    let query = Query::parse("from=2026-05-04T10%3A00&to=2026-05-04T12%3A30%3A15").expect("valid");
    assert_eq!(query.pairs()[0].1, "2026-05-04T10:00:00.000Z");
    assert_eq!(query.pairs()[1].1, "2026-05-04T12:30:15.000Z");
}

#[test]
fn filtering_out_replaces_filtering_for_the_same_value() {
    let query = Query::default().with(include("a", "b")).with(exclude("a", "b"));
    assert_eq!(query.filters, [exclude("a", "b")]);
    assert!(query.without(&exclude("a", "b")).filters.is_empty());
}

fn any_query() -> impl Strategy<Value = Query> {
    let filter = ("[a-z@_][a-z0-9_.@-]{0,20}", ".{1,40}", any::<bool>()).prop_map(|(field, value, negated)| Filter {
        field,
        value,
        negated,
    });
    let range = prop_oneof![
        (0..PRESETS.len()).prop_map(|i| Range::Last(&PRESETS[i])),
        (0_i64..4_000_000_000_000, 1_i64..30_000_000_000).prop_map(|(from, length)| {
            let at = |ms| DateTime::from_timestamp_millis(ms).expect("in range");
            Range::Between(at(from), at(from + length))
        }),
    ];
    (
        range,
        prop::collection::vec(filter, 0..6),
        prop::option::of(".{1,60}"),
        prop::option::of(0..SOURCES.len()),
        1_u32..=MOST_PAGES,
        prop::option::of(REFRESH_ALLOWED),
    )
        .prop_map(|(range, filters, text, source, page, refresh)| {
            let bare = Query {
                range,
                text,
                source: source.map(|i| SOURCES[i].0),
                refresh,
                ..Query::default()
            };
            let query = filters.into_iter().fold(bare, |query, filter| query.with(filter));
            Query { page, ..query }
        })
}

proptest! {
    #[test]
    fn every_query_survives_its_own_url(query in any_query()) {
        let href = query.href("/waf");
        prop_assert!(href.is_ascii());
        let raw = href.split_once('?').map_or("", |(_, raw)| raw);
        prop_assert_eq!(Query::parse(raw), Ok(query));
    }

    #[test]
    fn no_query_string_makes_the_parser_panic(raw in ".{0,200}") {
        prop_assert!(Query::parse(&raw).is_ok_and(|query| query.page > 0) || Query::parse(&raw).is_err());
    }
}
