//! A consumer of a Kinesis stream that splits, throttles and forgets; the ledger and the network ACLs are the real ones of one
//! machine, time is virtual.

mod fake;

use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use portcullis::consume::kinesis::{Consumer, Fault, From, Meter};
use portcullis::ledger::{Ledger, Position};
use portcullis::respond::policy::Policy;
use portcullis::respond::report::Mode;
use portcullis::respond::{Embedded, open_embedded};
use serde_json::json;
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep};

use crate::harness::findings::inbound;
use fake::{Stream, number, reader};

fn responder(dir: &Path) -> Arc<Embedded> {
    let policy = Policy {
        mode: Mode::Enforce,
        ..Policy::default()
    };
    Arc::new(open_embedded(dir, policy, true).expect("a ledger"))
}

/// The `n`th finding, about an address of its own.
fn record(n: u64) -> Vec<u8> {
    inbound(&format!("f{n}"), format!("185.220.{}.{}", 100 + n / 200, 1 + n % 200))
}

/// A consumer at work.
struct Running {
    stop: watch::Sender<bool>,
    task: JoinHandle<Result<(), portcullis::consume::kinesis::Error>>,
    meter: Arc<Meter>,
}

impl Running {
    fn start(stream: &Stream, responder: &Arc<Embedded>, from: From) -> Self {
        let consumer = Consumer::new(stream.clone(), Arc::clone(responder), from);
        let meter = consumer.meter();
        let (stop, asked) = watch::channel(false);
        let task = tokio::spawn(async move { consumer.run(asked).await });
        Self { stop, task, meter }
    }

    /// Asks it to stop, and checks that it does so in time.
    async fn stop(self) -> Arc<Meter> {
        let began = Instant::now();
        self.stop.send_replace(true);
        self.task.await.expect("no panic").expect("no refusal");
        assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
        self.meter
    }
}

async fn findings_in(responder: &Embedded) -> u64 {
    responder.ledger().counts().await.expect("the ledger").findings
}

#[tokio::test(start_paused = true)]
async fn shards_are_read_in_order_children_after_their_parents_and_once_only() {
    let dir = tempfile::tempdir().expect("a directory");
    let (stream, responder) = (Stream::new(&["a", "z"]), responder(dir.path()));
    let mut n = 0;
    let mut put = |shard: &str, count: u64| {
        for _ in 0..count {
            stream.put(shard, &record(n));
            n += 1;
        }
    };
    put("a", 10);
    stream.reshard(&["a"], &["b", "c"]);
    put("b", 4);
    put("c", 2);
    stream.reshard(&["c", "z"], &["d"]);
    put("d", 5);
    let running = Running::start(&stream, &responder, From::TrimHorizon);
    sleep(Duration::from_secs(30)).await;
    put("b", 1);
    sleep(Duration::from_secs(3)).await;
    let meter = running.stop().await;
    assert_eq!(findings_in(&responder).await, 22);
    assert_eq!(meter.reading().records, 22);
    let calls = stream.calls();
    let gets = |shard: &str| {
        calls
            .iter()
            .filter(|call| call.operation == "GetRecords" && call.shard == shard)
            .map(|call| call.at)
            .collect::<Vec<_>>()
    };
    for (parent, child) in [("a", "b"), ("a", "c"), ("c", "d"), ("z", "d")] {
        assert!(gets(parent).last() < gets(child).first(), "{parent} before {child}");
    }
    let first: Vec<u16> = calls
        .iter()
        .filter(|call| call.operation == "GetRecords" && call.shard == "b")
        .map(|call| call.most)
        .take(5)
        .collect();
    assert_eq!(
        first,
        [125, 250, 500, 1000, 1000],
        "whoever dies soon has not fetched much for nothing"
    );
    for shard in ["a", "b", "c", "d", "z"] {
        for two in gets(shard).windows(2) {
            assert!(
                two[1] - two[0] >= Duration::from_millis(200),
                "five calls a second and shard"
            );
        }
    }
    for (shard, position) in [
        ("a", Position::end()),
        ("c", Position::end()),
        ("b", number(22)),
        ("d", number(21)),
    ] {
        let known = responder.ledger().position(&reader(shard)).await.expect("the ledger");
        assert_eq!(known, position, "{shard}");
    }

    // Whoever comes next goes on there, and nothing comes twice.
    stream.put("d", &record(100));
    let running = Running::start(&stream, &responder, From::TrimHorizon);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(running.stop().await.reading().records, 1);
}

#[tokio::test(start_paused = true)]
async fn faults_of_the_service_delay_records_and_lose_none() {
    let dir = tempfile::tempdir().expect("a directory");
    let (stream, responder) = (Stream::new(&["a"]), responder(dir.path()));
    let throttled = || Fault::Throttled("ProvisionedThroughputExceededException".to_owned());
    let unavailable = || Fault::Unavailable("InternalFailure".to_owned());
    stream.fail("DescribeStreamSummary", &[throttled()]);
    stream.fail("ListShards", &[unavailable(), throttled()]);
    stream.fail("GetShardIterator", &[throttled()]);
    stream.fail(
        "GetRecords",
        &[throttled(), throttled(), Fault::Expired, unavailable(), Fault::Expired],
    );
    for n in 0..8 {
        stream.put("a", &record(n));
    }
    let running = Running::start(&stream, &responder, From::TrimHorizon);
    sleep(Duration::from_secs(60)).await;
    let reading = running.stop().await.reading();
    assert_eq!((reading.records, findings_in(&responder).await), (8, 8));
    assert_eq!(reading.faults[&("GetRecords", "throttled")], 2);
    assert_eq!(reading.faults[&("GetRecords", "expired")], 2);
    let gets: Vec<Instant> = stream
        .calls()
        .iter()
        .filter(|call| call.operation == "GetRecords")
        .map(|call| call.at)
        .collect();
    assert!(gets[1] - gets[0] >= Duration::from_millis(500), "it backs off");
    assert!(gets[2] - gets[1] > gets[1] - gets[0], "further each time");
}

#[tokio::test(start_paused = true)]
async fn what_waits_for_a_right_is_told_and_ends_the_consumer() {
    let dir = tempfile::tempdir().expect("a directory");
    let responder = responder(dir.path());
    for operation in ["DescribeStreamSummary", "ListShards", "GetShardIterator", "GetRecords"] {
        let stream = Stream::new(&["a", "b"]);
        stream.fail(
            operation,
            &[Fault::Refused("the role needs kinesis:GetRecords".to_owned())],
        );
        let running = Running::start(&stream, &responder, From::TrimHorizon);
        let error = running.task.await.expect("no panic").expect_err(operation);
        assert!(error.to_string().contains("kinesis:GetRecords"), "{operation}: {error}");
    }
}

#[tokio::test(start_paused = true)]
async fn latest_leaves_out_what_was_there_before_the_first_start_and_nothing_that_came_since() {
    let dir = tempfile::tempdir().expect("a directory");
    let (stream, responder) = (Stream::new(&["a"]), responder(dir.path()));
    stream.put("a", b"of another life");
    let running = Running::start(&stream, &responder, From::Latest);
    sleep(Duration::from_secs(3)).await;
    // It ended before anything came: what comes now is for the next one.
    let reading = running.stop().await.reading();
    assert_eq!(reading.records, 0);
    stream.put("a", &record(1));
    stream.reshard(&["a"], &["b"]);
    stream.put("b", &record(2));
    let running = Running::start(&stream, &responder, From::Latest);
    sleep(Duration::from_secs(5)).await;
    running.stop().await;
    assert_eq!(findings_in(&responder).await, 2);
}

#[tokio::test(start_paused = true)]
async fn a_record_is_taken_in_every_form_and_poison_stops_nothing() {
    let dir = tempfile::tempdir().expect("a directory");
    let (stream, responder) = (Stream::new(&["a"]), responder(dir.path()));
    let text = |n| String::from_utf8(record(n)).expect("JSON");
    let subscription = json!({"messageType": "DATA_MESSAGE", "owner": "111122223333", "logGroup": "g", "logStream": "s",
        "subscriptionFilters": ["f"], "logEvents": [{"id": "1", "timestamp": 1, "message": text(1)}, {"id": "2", "timestamp": 1, "message": text(2)}]});
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(subscription.to_string().as_bytes()).expect("memory");
    let packed = gzip.finish().expect("memory");
    stream.put("a", &packed);
    stream.put("a", b"poison");
    stream.put("a", &packed[..packed.len() / 2]);
    stream.put("a", &aggregated(&[record(3), b"{\"poison\":2}".to_vec(), record(4)]));
    stream.put(
        "a",
        format!("{{\"detail-type\":\"GuardDuty Finding\",\"detail\":{}}}", text(5)).as_bytes(),
    );
    stream.put("a", br#"{"messageType":"CONTROL_MESSAGE","logEvents":[]}"#);
    let running = Running::start(&stream, &responder, From::TrimHorizon);
    sleep(Duration::from_secs(10)).await;
    let reading = running.stop().await.reading();
    assert_eq!((reading.records, reading.received), (6, 8));
    assert_eq!(reading.decided[&("ignore", "unreadable")], 3);
    assert_eq!(findings_in(&responder).await, 5);
    assert_eq!(responder.ledger().unreadable(10).await.expect("the ledger").len(), 3);
    let position = responder.ledger().position(&reader("a")).await.expect("the ledger");
    assert_eq!(
        position,
        number(6),
        "the last record held nothing, and is passed over all the same"
    );
}

#[tokio::test(start_paused = true)]
async fn two_consumers_at_once_read_everything_and_do_no_harm() {
    let dir = tempfile::tempdir().expect("a directory");
    let stream = Stream::new(&["a", "b"]);
    let responders = [responder(dir.path()), responder(dir.path())];
    let running = responders
        .each_ref()
        .map(|responder| Running::start(&stream, responder, From::TrimHorizon));
    for n in 0..12 {
        stream.put(if n % 2 == 0 { "a" } else { "b" }, &record(n));
        sleep(Duration::from_millis(400)).await;
    }
    stream.reshard(&["a", "b"], &["c"]);
    stream.put("c", &record(12));
    sleep(Duration::from_secs(40)).await;
    for running in running {
        assert_eq!(running.stop().await.reading().records, 13);
    }
    assert_eq!(findings_in(&responders[0]).await, 13, "a version is processed once");
}

/// As the Kinesis Producer Library puts records together: field 3 is a record, whose field 3 is its data.
fn aggregated(records: &[Vec<u8>]) -> Vec<u8> {
    fn field(number: u8, bytes: &[u8], out: &mut Vec<u8>) {
        out.push(number << 3 | 2);
        let mut length = bytes.len();
        while length > 0x7f {
            out.push(u8::try_from(length & 0x7f).expect("seven bits") | 0x80);
            length >>= 7;
        }
        out.push(u8::try_from(length).expect("seven bits"));
        out.extend_from_slice(bytes);
    }
    let mut message = Vec::new();
    field(1, b"key", &mut message);
    for record in records {
        let mut inner = vec![8, 0];
        field(3, record, &mut inner);
        field(3, &inner, &mut message);
    }
    let digest = <md5::Md5 as md5::Digest>::digest(&message);
    [&[0xf3, 0x89, 0x9a, 0xc2][..], &message, &digest[..]].concat()
}
