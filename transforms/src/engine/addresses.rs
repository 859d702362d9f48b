//! Finds the addresses in a value that is kept in one piece, so that a search for an address meets it wherever it stands.

use std::net::IpAddr;

/// Longest text that is an address.
const LONGEST: usize = 45;

/// Adds every text in `raw`, which is checked JSON, that is an address and nothing else.
pub(super) fn collect(raw: &[u8], addresses: &mut Vec<IpAddr>) {
    let mut at = 0;
    while let Some(quote) = memchr::memchr(b'"', raw.get(at..).unwrap_or_default()) {
        let start = at + quote + 1;
        let mut end = start;
        while let Some(offset) = memchr::memchr2(b'"', b'\\', raw.get(end..).unwrap_or_default()) {
            end += offset;
            if raw[end] == b'"' {
                break;
            }
            end += 2;
        }
        addresses.extend(raw.get(start..end).and_then(address));
        at = end + 1;
    }
}

fn address(text: &[u8]) -> Option<IpAddr> {
    let may_be = text.len() <= LONGEST
        && text
            .iter()
            .all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':'))
        && text.iter().any(|byte| matches!(byte, b'.' | b':'));
    if !may_be {
        return None;
    }
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_found_wherever_they_stand_and_nothing_else_is() {
        let raw = br#"{"a":"198.51.100.7","b":[{"c":"2001:db8::1"},"\\","198.51.100.0/24"],"d\"":"::ffff:192.0.2.1",
            "192.0.2.9":"x","n":[1.2,null,"1.2.3","10.0.0.256","face","a:b","AWS Internal"],"end":"192.0.2.10"}"#;
        let mut found = Vec::new();
        collect(raw, &mut found);
        let expected = [
            "198.51.100.7",
            "2001:db8::1",
            "::ffff:192.0.2.1",
            "192.0.2.9",
            "192.0.2.10",
        ];
        assert_eq!(found, expected.map(|text| text.parse::<IpAddr>().expect("an address")));
    }

    #[test]
    fn a_bare_text_is_one_too() {
        let mut found = Vec::new();
        collect(br#""203.0.113.4""#, &mut found);
        collect(br#""""#, &mut found);
        collect(b"17", &mut found);
        assert_eq!(found.len(), 1);
    }
}
