//! `portcullis generate`.

use std::io::Write as _;

use anyhow::anyhow;
use chrono::{DateTime, TimeDelta, Utc};
use portcullis_transforms::Source;

use super::{Context, Failure, Outcome, output};
use crate::generate::Generator;

const AFTER_HELP: &str = "\
Examples:
  portcullis generate --source waf --count 100000 | portcullis normalize
  portcullis generate --source vpcflow --count 500 --since 7d
  portcullis generate --source guardduty --count 50 | portcullis respond
  portcullis generate --source waf --count 1000 --hostile 20

Events come in order of arrival, busy by day and quiet at night. The same
source, count, seed, since and until give the same bytes, on every machine.
Memory does not grow with the count.";

#[derive(Debug, clap::Args)]
#[command(after_help = AFTER_HELP)]
pub(crate) struct Args {
    /// Whose events: guardduty, securityhub, waf, vpcflow, dns or cloudtrail
    #[arg(long, value_name = "SOURCE")]
    source: Source,

    /// How many events
    #[arg(long, value_name = "N")]
    count: u64,

    /// Another seed gives other accounts, clients and attackers
    #[arg(long, value_name = "K", default_value_t = 1)]
    seed: u64,

    /// How long before the end the first event may arrive: 90s, 30m, 24h or 7d
    #[arg(long, value_name = "SPAN", default_value = "24h", value_parser = span)]
    since: TimeDelta,

    /// When the span ends, as RFC 3339
    #[arg(long, value_name = "TIME", default_value = "2026-11-01T00:00:00Z", value_parser = time)]
    until: DateTime<Utc>,

    /// Out of a hundred events, how many are attacks on the pipeline itself: broken, huge, deceptive
    #[arg(long, value_name = "PERCENT", default_value_t = 0, value_parser = clap::value_parser!(u8).range(..=100))]
    hostile: u8,
}

#[expect(clippy::needless_pass_by_value, reason = "the shape of every command")]
pub(crate) fn run(args: Args, _context: &Context) -> Result<Outcome, Failure> {
    let Args {
        source,
        count,
        seed,
        since,
        until,
        hostile,
    } = args;
    let since = until
        .checked_sub_signed(since)
        .ok_or_else(|| Failure::usage(anyhow!("--since reaches back beyond the calendar; give a shorter span")))?;
    let mut generator = Generator::new(source, seed, since, until, count).hostile(hostile);
    let mut out = output::stdout();
    let mut line = Vec::new();
    while generator.write_next(&mut line).is_some() {
        line.push(b'\n');
        out.write_all(&line)?;
        line.clear();
    }
    out.flush()?;
    Ok(Outcome::Done)
}

/// A span of time: a whole number and one of `s`, `m`, `h`, `d`. At most ten years, which keeps every time in range.
fn span(text: &str) -> Result<TimeDelta, String> {
    const REMEDY: &str = "give a whole number and a unit, such as 90s, 30m, 24h or 7d, of at most 3650d";
    let unit = text.chars().last().ok_or(REMEDY)?;
    let seconds = match unit {
        's' => 1,
        'm' => 60,
        'h' => 3_600,
        'd' => 86_400,
        _ => return Err(REMEDY.to_owned()),
    };
    text[..text.len() - unit.len_utf8()]
        .parse::<u32>()
        .ok()
        .map(|number| i64::from(number) * seconds)
        .filter(|seconds| (1..=3_650 * 86_400).contains(seconds))
        .and_then(TimeDelta::try_seconds)
        .ok_or_else(|| REMEDY.to_owned())
}

/// A point in time with its offset from UTC.
fn time(text: &str) -> Result<DateTime<Utc>, String> {
    DateTime::parse_from_rfc3339(text)
        .map(|time| time.to_utc())
        .map_err(|_| "give date, time and offset, such as 2026-11-01T00:00:00Z".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generate::DEFAULT_UNTIL;

    #[test]
    fn the_end_is_a_fixed_time_unless_told_otherwise() {
        let command = <Args as clap::Args>::augment_args(clap::Command::new("generate"));
        let end = command
            .get_arguments()
            .find(|argument| argument.get_id() == "until")
            .and_then(|argument| argument.get_default_values().first()?.to_str())
            .map(time);
        assert_eq!(end, Some(Ok(DEFAULT_UNTIL)));
        assert!(time("2026-11-01").is_err_and(|error| error.contains("2026-11-01T00:00:00Z")));
    }

    #[test]
    fn spans_are_read_with_their_unit_and_refused_with_a_remedy() {
        for (text, seconds) in [("90s", 90), ("30m", 1_800), ("24h", 86_400), ("7d", 604_800)] {
            assert_eq!(span(text), Ok(TimeDelta::seconds(seconds)), "{text}");
        }
        for text in [
            "",
            "h",
            "24",
            "-1h",
            "1.5h",
            "0s",
            "4000d",
            "9999999999d",
            "24ч",
            "24 h",
        ] {
            assert!(span(text).is_err_and(|error| error.contains("24h")), "{text}");
        }
    }
}
