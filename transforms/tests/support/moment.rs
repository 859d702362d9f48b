//! Timestamps read the slow way: decimal texts as decimals, the rest by `chrono`.

use chrono::{DateTime, SecondsFormat, Utc};

/// The first millisecond that is no longer accepted.
const END: i64 = 4_133_980_800_000;

/// Milliseconds since 1970 if the text is a moment that is accepted.
pub(crate) fn read(text: &str) -> Option<i64> {
    let millis = calendar(text).or_else(|| number(text))?;
    (0..END).contains(&millis).then_some(millis)
}

/// As `@timestamp` shows it.
pub(crate) fn shown(millis: i64) -> String {
    DateTime::<Utc>::from_timestamp_millis(millis)
        .expect("in range")
        .to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// RFC 3339, or the same with spaces instead of `T` and before the offset, which is then UTC if it is left out.
fn calendar(text: &str) -> Option<i64> {
    if !text.is_ascii() || text.get(4..5) != Some("-") {
        return None;
    }
    let strict = match text.get(10..11)? {
        " " => {
            let (date, rest) = (text.get(..10)?, text.get(11..)?);
            match rest.split_once(' ') {
                Some((time, "UTC")) => format!("{date}T{time}Z"),
                Some((time, offset)) if offset.starts_with(['+', '-', 'Z', 'z']) => format!("{date}T{time}{offset}"),
                Some(_) => return None,
                None if rest.ends_with(['Z', 'z']) || rest.contains(['+', '-']) => format!("{date}T{rest}"),
                None => format!("{date}T{rest}Z"),
            }
        }
        "T" | "t" => text.to_owned(),
        _ => return None,
    };
    // No space is left in RFC 3339, whatever a lenient reader takes.
    if strict.contains(' ') {
        return None;
    }
    Some(
        DateTime::parse_from_rfc3339(&with_colon(strict))
            .ok()?
            .timestamp_millis(),
    )
}

/// The offset `+0100` or `+01`, which ISO 8601 allows and Security Hub takes, as `+01:00`.
fn with_colon(strict: String) -> String {
    let Some(sign) = strict.rfind(['+', '-']).filter(|at| *at >= 19) else {
        return strict;
    };
    match strict.len() - sign {
        3 => strict + ":00",
        5 => format!("{}:{}", &strict[..sign + 3], &strict[sign + 3..]),
        _ => strict,
    }
}

/// A decimal number, moved by its exponent digit by digit, whose size tells the unit.
fn number(text: &str) -> Option<i64> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((_, "")) => return None,
        Some(parts) => parts,
        None => (mantissa, ""),
    };
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let size = exponent.trim_start_matches(['+', '-']);
    let signs = exponent.len() - size.len();
    if whole.is_empty() || !digits(whole) || !digits(fraction) || !digits(size) || size.is_empty() || signs > 1 {
        return None;
    }
    let shift: i64 = exponent
        .trim_start_matches('+')
        .parse()
        .ok()
        .filter(|_| size.len() <= 2)?;
    // All digits as one whole number of nanosecond-like parts: nine places after the point.
    let places = shift - fraction.len() as i64 + 9;
    let mut all = format!("{whole}{fraction}");
    if places < 0 {
        let keep = all.len().saturating_sub(places.unsigned_abs() as usize);
        all.truncate(keep);
    } else if all.trim_start_matches('0').is_empty() {
        all.clear();
    } else {
        all.push_str(&"0".repeat(places as usize));
    }
    let all = all.trim_start_matches('0');
    if all.len() > 30 {
        return None;
    }
    let scaled: u128 = if all.is_empty() { 0 } else { all.parse().ok()? };
    let billion = 1_000_000_000;
    let millis = match scaled / billion {
        value if value < 100_000_000_000 => scaled / 1_000_000,
        value if value < 100_000_000_000_000 => value,
        value if value < 100_000_000_000_000_000 => value / 1_000,
        value => value / 1_000_000,
    };
    i64::try_from(millis).ok()
}
