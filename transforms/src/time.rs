//! Timestamps as AWS writes them, to RFC 3339 UTC with milliseconds. Never a guess: out of range is a failure.
//!
//! AWS WAF writes epoch milliseconds, flow logs epoch seconds (and, in some, milliseconds), findings RFC 3339, some
//! details a date and a time with a space between them. [`parse`] reads all of these:
//!
//! | form | example | read as |
//! |---|---|---|
//! | number below 10^11 | `1795258260`, `1795258260.25` | seconds since 1970 |
//! | number below 10^14 | `1795258260250` | milliseconds |
//! | number below 10^17 | `1795258260250000` | microseconds |
//! | larger number | `1795258260250000000` | nanoseconds |
//! | RFC 3339 | `2026-11-21T11:51:00.25+01:00` | as it says; an offset is required, also as `+0100` or `+01` |
//! | with a space | `2026-11-21 10:51:00.250000000` | UTC, or the offset that follows (`Z`, ` UTC`, `+01:00`) |
//!
//! The powers of ten are no guess: 10^11 seconds is the year 5138 and 10^11 milliseconds is March 1973, so between
//! 1973 and 2100 exactly one unit fits a number, and before 1973 there was no AWS. Numbers may carry a fraction
//! and an exponent (`1.795258260E9`, as Java prints a double). What is finer than a millisecond is cut off.
//!
//! ```
//! use portcullis_transforms::time;
//!
//! let millis = time::parse(b"1795258260").expect("epoch seconds");
//! let mut text = Vec::new();
//! time::push_rfc3339(millis, &mut text);
//! assert_eq!(text, b"2026-11-21T10:51:00.000Z");
//! assert_eq!(time::parse(b"2026-11-21T11:51:00+01:00"), Ok(millis));
//! ```

use wide::u8x16;

/// The first millisecond after the accepted range: the start of the year 2101.
const END: i64 = 4_133_980_800_000;

/// Why a text is no timestamp. Its `Display` says what was wrong and what is accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, thiserror::Error)]
#[error("{}", self.0.words())]
pub struct TimeError(Reason);

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Reason {
    Empty,
    Negative,
    Unreadable,
    NoSuchMoment,
    NoOffset,
    OutOfRange,
}

impl Reason {
    fn words(self) -> &'static str {
        match self {
            Reason::Empty => "the timestamp is empty",
            Reason::Negative => "the timestamp is negative; times before 1970 are refused",
            Reason::Unreadable => "neither an epoch number nor a date and time such as 2026-11-21T10:51:00Z",
            Reason::NoSuchMoment => "the date, time or offset does not exist",
            Reason::NoOffset => "the time has no UTC offset; write `Z` or an offset such as +01:00 after it",
            Reason::OutOfRange => "the time lies outside the years 1970 to 2100",
        }
    }
}

/// Reads a timestamp in any of the forms above; the result is milliseconds since 1970 UTC.
///
/// # Errors
/// Empty, negative, not a timestamp (`NaN` included), a date that does not exist, or a time before 1970 or after 2100.
pub fn parse(text: &[u8]) -> Result<i64, TimeError> {
    let millis = match text {
        [] => return Err(TimeError(Reason::Empty)),
        [b'-', b'0'..=b'9' | b'.', ..] => return Err(TimeError(Reason::Negative)),
        [_, _, _, b'0'..=b'9', b'-', ..] => parse_calendar(text)?,
        _ => parse_number(text)?,
    };
    if (0..END).contains(&millis) {
        Ok(millis)
    } else {
        Err(TimeError(Reason::OutOfRange))
    }
}

/// Whether [`parse`] reads the text as a moment that [`push_rfc3339`] writes with the same characters. Told for most of
/// those of this century; `false` says nothing.
#[inline]
pub(crate) fn is_as_written(text: &[u8]) -> bool {
    let Ok(text) = <&[u8; 24]>::try_from(text) else {
        return false;
    };
    let [.., b'.', _, _, _, b'Z'] = text else { return false };
    let (Some(first), Some(last)) = (text.first_chunk(), text.last_chunk()) else {
        return false;
    };
    let digits = |chunk: &[u8; 16]| {
        let chunk = u8x16::new(*chunk);
        let clamped = chunk.min(u8x16::splat(b'9')).max(u8x16::splat(b'0'));
        clamped.simd_eq(chunk).to_bitmask()
    };
    let two = |at: usize| {
        text[at]
            .wrapping_sub(b'0')
            .wrapping_mul(10)
            .wrapping_add(text[at + 1].wrapping_sub(b'0'))
    };
    let separators = [text[0], text[1], text[4], text[7], text[10], text[13], text[16]];
    separators == *b"20--T::"
        && digits(first) == 0b1101_1011_0110_1111
        && digits(last) == 0b0111_0110_1101_1011
        && matches!(
            (two(5), two(8)),
            (1..=12, 1..=28) | (1 | 3 | 5 | 7 | 8 | 10 | 12, 29..=31) | (4 | 6 | 9 | 11, 29..=30)
        )
        && two(11) < 24
        && two(14) < 60
        && two(17) < 60
}

/// A decimal number, with the unit told by its magnitude.
fn parse_number(text: &[u8]) -> Result<i64, TimeError> {
    // Nearly all of them are whole, and the arithmetic for the others would take a tenth of a microsecond.
    if text.len() <= 18
        && let Some(value) = digits(text)
    {
        return Ok(to_millis(value));
    }
    const TOO_LARGE: u128 = 10_u128.pow(29);
    let unreadable = TimeError(Reason::Unreadable);
    let out_of_range = TimeError(Reason::OutOfRange);
    let (mantissa, exponent) = match text.iter().position(|b| matches!(b, b'e' | b'E')) {
        Some(at) => (&text[..at], parse_exponent(&text[at + 1..])?),
        None => (text, 0),
    };
    let (whole, fraction) = match mantissa.iter().position(|&b| b == b'.') {
        Some(at) => (&mantissa[..at], &mantissa[at + 1..]),
        None => (mantissa, &[][..]),
    };
    let has_fraction = whole.len() < mantissa.len();
    if whole.is_empty() || (has_fraction && fraction.is_empty()) {
        return Err(unreadable);
    }
    // Scaled by 10^9, every accepted number is a whole one down to its last nanosecond, of at most 28 digits.
    let mut scaled: u128 = 0;
    let mut place = whole.len() as i64 + i64::from(exponent) + 9;
    for &b in whole.iter().chain(fraction) {
        if !b.is_ascii_digit() {
            return Err(unreadable);
        }
        place -= 1;
        if place >= 0 {
            scaled = scaled * 10 + u128::from(b - b'0');
        }
        if scaled >= TOO_LARGE {
            return Err(out_of_range);
        }
    }
    for _ in 0..place.max(0) {
        scaled *= 10;
        if scaled == 0 || scaled >= TOO_LARGE {
            break;
        }
    }
    let whole = i64::try_from(scaled / 1_000_000_000).map_err(|_| out_of_range)?;
    // Only seconds are so coarse that their fraction counts.
    if whole < MOST_SECONDS {
        return i64::try_from(scaled / 1_000_000).map_err(|_| out_of_range);
    }
    Ok(to_millis(whole))
}

/// Below this a number counts seconds: those of the year 5138.
const MOST_SECONDS: i64 = 100_000_000_000;

/// A whole number of seconds, milliseconds, microseconds or nanoseconds.
fn to_millis(value: i64) -> i64 {
    if value < MOST_SECONDS {
        value * 1_000
    } else if value < 100_000_000_000_000 {
        value
    } else if value < 100_000_000_000_000_000 {
        value / 1_000
    } else {
        value / 1_000_000
    }
}

/// The digits after `e`; more than two of them would be out of range either way.
fn parse_exponent(text: &[u8]) -> Result<i32, TimeError> {
    let (negative, digits) = match text {
        [b'-', rest @ ..] => (true, rest),
        [b'+', rest @ ..] => (false, rest),
        _ => (false, text),
    };
    let value = match digits {
        [a] if a.is_ascii_digit() => i32::from(a - b'0'),
        [a, b] if a.is_ascii_digit() && b.is_ascii_digit() => i32::from(a - b'0') * 10 + i32::from(b - b'0'),
        _ => return Err(TimeError(Reason::Unreadable)),
    };
    Ok(if negative { -value } else { value })
}

/// `YYYY-MM-DD`, `T` or a space, `HH:MM:SS`, a fraction, an offset.
fn parse_calendar(text: &[u8]) -> Result<i64, TimeError> {
    let unreadable = TimeError(Reason::Unreadable);
    let (Some(date_time), Some(rest)) = (text.get(..19), text.get(19..)) else {
        return Err(unreadable);
    };
    let separators = [(4, b'-'), (7, b'-'), (13, b':'), (16, b':')];
    let with_space = date_time[10] == b' ';
    if separators.iter().any(|&(at, b)| date_time[at] != b) || !matches!(date_time[10], b'T' | b't' | b' ') {
        return Err(unreadable);
    }
    let number = |from: usize, len: usize| digits(&date_time[from..from + len]).ok_or(unreadable);
    let (year, month, day) = (number(0, 4)?, number(5, 2)?, number(8, 2)?);
    let (hour, minute, second) = (number(11, 2)?, number(14, 2)?, number(17, 2)?);
    let (millis, zone) = parse_fraction(rest)?;
    let offset_minutes = parse_offset(zone, with_space)?;
    // 60 is a leap second; it reads as the second after it, the only moment that epoch time has for it.
    if !(1..=12).contains(&month)
        || day == 0
        || day > days_in_month(year, month)
        || hour > 23
        || minute > 59
        || second > 60
    {
        return Err(TimeError(Reason::NoSuchMoment));
    }
    let seconds = days_from_civil(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    Ok((seconds - offset_minutes * 60) * 1_000 + millis)
}

/// `.` and at least one digit, or nothing; the milliseconds and what follows.
fn parse_fraction(rest: &[u8]) -> Result<(i64, &[u8]), TimeError> {
    let [b'.', rest @ ..] = rest else {
        return Ok((0, rest));
    };
    let len = rest.iter().take_while(|b| b.is_ascii_digit()).count();
    if len == 0 {
        return Err(TimeError(Reason::Unreadable));
    }
    let at = |i: usize| if i < len { i64::from(rest[i] - b'0') } else { 0 };
    Ok((at(0) * 100 + at(1) * 10 + at(2), &rest[len..]))
}

/// Minutes east of UTC. Without an offset the space-separated form is UTC, which is how AWS writes it.
fn parse_offset(zone: &[u8], with_space: bool) -> Result<i64, TimeError> {
    match zone {
        b"Z" | b"z" => Ok(0),
        b"" if with_space => Ok(0),
        b"" => Err(TimeError(Reason::NoOffset)),
        [b' ', zone @ ..] if with_space && !zone.is_empty() => match zone {
            b"UTC" => Ok(0),
            _ => parse_offset(zone, false),
        },
        [sign @ (b'+' | b'-'), h1, h2, minutes @ ..] => {
            let minutes = match minutes {
                [] => [b'0'; 2],
                [b':', a, b] | [a, b] => [*a, *b],
                _ => return Err(TimeError(Reason::Unreadable)),
            };
            let (Some(hours), Some(minutes)) = (digits(&[*h1, *h2]), digits(&minutes)) else {
                return Err(TimeError(Reason::Unreadable));
            };
            if hours > 23 || minutes > 59 {
                return Err(TimeError(Reason::NoSuchMoment));
            }
            let east = hours * 60 + minutes;
            Ok(if *sign == b'-' { -east } else { east })
        }
        _ => Err(TimeError(Reason::Unreadable)),
    }
}

/// The number that at most four digits are.
fn digits(text: &[u8]) -> Option<i64> {
    text.iter().try_fold(0_i64, |value, b| {
        b.is_ascii_digit().then(|| value * 10 + i64::from(b - b'0'))
    })
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar. The year is counted from March, so that the leap day
/// comes last and every month's start follows from one linear formula.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let y = if month <= 2 { year - 1 } else { year };
    let month_from_march = (month + 9) % 12;
    let day_of_year = (153 * month_from_march + 2) / 5 + day - 1;
    y * 365 + y.div_euclid(4) - y.div_euclid(100) + y.div_euclid(400) + day_of_year - 719_468
}

/// Appends `2026-11-21T10:51:00.000Z`. What lies outside the years 1970 to 9999 is written as the nearest moment
/// inside; [`parse`] never yields it.
pub fn push_rfc3339(millis: i64, out: &mut Vec<u8>) {
    const LAST: i64 = 253_402_300_799_999;
    let millis = millis.clamp(0, LAST);
    let (year, month, day) = civil_from_days((millis / DAY) as u32);
    let mut text = *b"0000-00-00T";
    put2(&mut text, 0, year / 100);
    put2(&mut text, 2, year % 100);
    put2(&mut text, 5, month);
    put2(&mut text, 8, day);
    out.extend_from_slice(&text);
    push_time_of_day(millis, out);
}

/// Milliseconds of a day.
pub(crate) const DAY: i64 = 86_400_000;

/// Appends `10:51:00.000Z`, the time within its day.
pub(crate) fn push_time_of_day(millis: i64, out: &mut Vec<u8>) {
    let of_day = millis.rem_euclid(DAY) as u32;
    let (second, ms) = (of_day / 1_000, of_day % 1_000);
    let mut text = *b"00:00:00.000Z";
    put2(&mut text, 0, second / 3_600);
    put2(&mut text, 3, second / 60 % 60);
    put2(&mut text, 6, second % 60);
    text[9] = b'0' + (ms / 100) as u8;
    put2(&mut text, 10, ms % 100);
    out.extend_from_slice(&text);
}

#[inline]
fn put2(text: &mut [u8], at: usize, value: u32) {
    let [tens, ones] = TWO_DIGITS[value as usize % 100];
    text[at] = tens;
    text[at + 1] = ones;
}

/// The numbers below 100 as they are written: half the time of dividing by ten.
const TWO_DIGITS: [[u8; 2]; 100] = {
    let mut digits = [[b'0'; 2]; 100];
    let mut number = 0;
    while number < 100 {
        digits[number] = [b'0' + number as u8 / 10, b'0' + number as u8 % 10];
        number += 1;
    }
    digits
};

/// The inverse of [`days_from_civil`] for days from 1970 on.
fn civil_from_days(days: u32) -> (u32, u32, u32) {
    let from_march_0000 = days + 719_468;
    let era = from_march_0000 / 146_097;
    let day_of_era = from_march_0000 % 146_097;
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 {
        month_from_march + 3
    } else {
        month_from_march - 9
    };
    let year = era * 400 + year_of_era + u32::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_is_told_to_be_written_so_is(text in prop_oneof![
            "(19|20|21)[0-9]{2}-[0-1][0-9]-[0-3][0-9]T[0-2][0-9]:[0-6][0-9]:[0-6][0-9]\\.[0-9]{3}Z",
            "20[0-9]{2}[-0-9]02[-0-9]((29)|(3[0-9]))[T0-9]00[:0-9]00[:0-9]00[.0-9][0-9:]{3}[Zz0-9]",
        ]) {
            if is_as_written(text.as_bytes()) {
                let mut written = Vec::new();
                push_rfc3339(parse(text.as_bytes()).expect("a moment"), &mut written);
                prop_assert_eq!(String::from_utf8_lossy(&written), text);
            }
        }

        #[test]
        fn most_times_of_this_century_are_told(seconds in 946_684_800..4_102_444_800_i64, millis in 0..1_000_i64) {
            let mut text = Vec::new();
            push_rfc3339(seconds * 1_000 + millis, &mut text);
            prop_assert!(is_as_written(&text) || text.get(5..10) == Some(b"02-29"), "{}", String::from_utf8_lossy(&text));
        }
    }
}
