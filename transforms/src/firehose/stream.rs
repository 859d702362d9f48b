//! Where the records of an event came from, and so where entries go back to.

/// A stream that takes records.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Stream {
    /// A delivery stream that takes records itself: `PutRecordBatch`.
    DirectPut {
        /// Its name.
        name: String,
        /// Its region.
        region: String,
    },
    /// The Kinesis stream that a delivery stream reads; such a delivery stream refuses `PutRecordBatch`: `PutRecords`.
    Kinesis {
        /// Its ARN.
        arn: String,
        /// Its region.
        region: String,
    },
}

/// How much a stream takes in one call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Batch {
    /// The most records.
    pub records: usize,
    /// The most bytes of all records with their partition keys. A little less than AWS's 4 MiB and 5 MiB (a Kinesis
    /// stream may take 10 MiB by now), which are counted in ways that are not published.
    pub bytes: usize,
}

/// The largest record that a delivery stream takes, in bytes: 1,000 KiB.
/// <https://docs.aws.amazon.com/firehose/latest/dev/limits.html>
pub const LARGEST: usize = 1_000 * 1_024;

impl Stream {
    /// The stream behind the ARNs of an event; `None` where they name none.
    pub(super) fn of(delivery: Option<&str>, kinesis: Option<&str>) -> Option<Self> {
        match kinesis {
            Some(arn) => Some(Stream::Kinesis {
                region: parse(arn, "kinesis", "stream/")?.0.to_owned(),
                arn: arn.to_owned(),
            }),
            None => {
                let (region, name) = parse(delivery?, "firehose", "deliverystream/")?;
                Some(Stream::DirectPut {
                    name: name.to_owned(),
                    region: region.to_owned(),
                })
            }
        }
    }

    /// What goes into one call.
    #[must_use]
    pub fn batch(&self) -> Batch {
        let bytes = match self {
            Stream::DirectPut { .. } => 4_000_000,
            Stream::Kinesis { .. } => 5_000_000,
        };
        Batch { records: 500, bytes }
    }

    /// Its region.
    #[must_use]
    pub fn region(&self) -> &str {
        match self {
            Stream::DirectPut { region, .. } | Stream::Kinesis { region, .. } => region,
        }
    }
}

/// Region and name from `arn:PARTITION:SERVICE:REGION:ACCOUNT:KIND/NAME`.
fn parse<'a>(arn: &'a str, service: &str, kind: &str) -> Option<(&'a str, &'a str)> {
    let mut parts = arn.splitn(6, ':');
    let (word, _partition, of) = (parts.next()?, parts.next()?, parts.next()?);
    let (region, _account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    let name = resource.strip_prefix(kind)?;
    (word == "arn" && of == service && !region.is_empty() && !name.is_empty()).then_some((region, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinesis_goes_before_the_delivery_stream_and_nonsense_is_no_stream() {
        let delivery = "arn:aws-cn:firehose:cn-north-1:111122223333:deliverystream/a";
        let kinesis = "arn:aws-cn:kinesis:cn-north-1:111122223333:stream/b";
        assert!(
            matches!(Stream::of(Some(delivery), Some(kinesis)), Some(Stream::Kinesis { arn, .. }) if arn == kinesis)
        );
        assert!(matches!(Stream::of(Some(delivery), None), Some(Stream::DirectPut { name, .. }) if name == "a"));
        for (delivery, kinesis) in [
            (None, None),
            (Some(kinesis), None),
            (Some(delivery), Some(delivery)),
            (Some("arn:aws:firehose::1:deliverystream/a"), None),
            (Some("arn:aws:firehose:r:1:deliverystream/"), None),
            (Some("aws:lambda:events"), None),
        ] {
            assert_eq!(Stream::of(delivery, kinesis), None, "{delivery:?} {kinesis:?}");
        }
    }
}
