//! Puts records back: in batches, again where a stream throttles, and for a bounded time.

use std::{
    fmt,
    hash::{BuildHasher, RandomState},
    time::Duration,
};

use tokio::time::{Instant, sleep_until, timeout_at};

use super::{super::Stream, Back, Returned};

/// What a partition key takes at most, for records that have none yet.
const LONGEST_KEY: usize = 256;

/// Puts one batch into a stream. The service behind it is Firehose or Kinesis; tests have their own.
#[expect(
    async_fn_in_trait,
    reason = "a function instance has one thread, and awaits in place"
)]
pub trait PutRecords {
    /// One call with at most [`Stream::batch`] records. The answer has one value for each of them, in order: whether the
    /// stream took it, or why not.
    ///
    /// # Errors
    /// When the call as a whole failed: then none was taken, or it is not known which.
    async fn put(&mut self, stream: &Stream, batch: &[&Back]) -> Result<Vec<Result<(), String>>, PutError>;
}

/// A call that failed as a whole.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct PutError {
    /// Whether the same call may succeed later.
    pub is_transient: bool,
    /// What the service said.
    pub message: String,
}

/// How long and how often it is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// The most calls for one record.
    pub attempts: u32,
    /// The pause before the second; it doubles with each further one, and a random part of it is left out.
    pub pause: Duration,
    /// The longest pause.
    pub longest_pause: Duration,
    /// The most time for everything.
    pub total: Duration,
}

impl Default for Patience {
    /// Six attempts within 20 seconds.
    fn default() -> Self {
        Self {
            attempts: 6,
            pause: Duration::from_millis(100),
            longest_pause: Duration::from_secs(4),
            total: Duration::from_secs(20),
        }
    }
}

/// Puts all of `back` into `stream`, as far as that is possible within `patience`. What a stream refuses for good (no
/// permission, no such stream) is not tried again.
pub async fn put_all(streams: &mut impl PutRecords, stream: &Stream, back: &[Back], patience: Patience) -> Returned {
    let mut run = Run {
        put: vec![false; back.len()],
        problem: None,
    };
    let deadline = Instant::now() + patience.total;
    let mut waiting: Vec<usize> = (0..back.len()).filter(|at| !back[*at].is_withdrawn()).collect();
    for attempt in 0..patience.attempts.max(1) {
        if attempt > 0 {
            sleep_until(deadline.min(Instant::now() + pause(patience, attempt))).await;
        }
        let last = attempt + 1 >= patience.attempts;
        match run.round(streams, stream, back, &waiting, deadline).await {
            Some(again) if !again.is_empty() && !last => waiting = again,
            _ => break,
        }
    }
    Returned {
        put: run.put,
        problem: run
            .problem
            .unwrap_or_else(|| "it could not go back to the stream".to_owned()),
    }
}

struct Run {
    put: Vec<bool>,
    /// The first one.
    problem: Option<String>,
}

impl Run {
    /// Sends what waits once. The answer is what is worth another attempt; `None` when nothing is.
    async fn round(
        &mut self,
        streams: &mut impl PutRecords,
        stream: &Stream,
        back: &[Back],
        mut waiting: &[usize],
        deadline: Instant,
    ) -> Option<Vec<usize>> {
        let mut again = Vec::new();
        while !waiting.is_empty() {
            let (batch, rest) = waiting.split_at(batch_len(stream, back, waiting));
            waiting = rest;
            let records: Vec<&Back> = batch.iter().map(|&at| &back[at]).collect();
            match timeout_at(deadline, streams.put(stream, &records)).await {
                Ok(Ok(answers)) => {
                    let mut answers = answers.into_iter();
                    for &at in batch {
                        match answers.next() {
                            Some(Ok(())) => self.put[at] = true,
                            Some(Err(problem)) => {
                                self.tell(&problem);
                                again.push(at);
                            }
                            None => {
                                self.tell(&"the stream's answer leaves records out");
                                again.push(at);
                            }
                        }
                    }
                }
                Ok(Err(error)) if error.is_transient => {
                    self.tell(&error);
                    again.extend(batch);
                }
                Ok(Err(error)) => {
                    self.tell(&error);
                    return None;
                }
                Err(_) => {
                    self.tell(&"the time for it ran out");
                    return None;
                }
            }
            if Instant::now() >= deadline {
                self.tell(&"the time for it ran out");
                return None;
            }
        }
        Some(again)
    }

    fn tell(&mut self, problem: &dyn fmt::Display) {
        if self.problem.is_none() {
            let words: String = problem
                .to_string()
                .chars()
                .take(300)
                .flat_map(char::escape_debug)
                .collect();
            self.problem = Some(format!("it could not go back to the stream: {words}"));
        }
    }
}

/// How many of those that wait go into one call; at least one.
fn batch_len(stream: &Stream, back: &[Back], waiting: &[usize]) -> usize {
    let most = stream.batch();
    let mut bytes = 0;
    let fitting = waiting.iter().take(most.records).take_while(|at| {
        let key = back[**at].partition_key().map_or(LONGEST_KEY, str::len);
        bytes += back[**at].data().len() + key;
        bytes <= most.bytes
    });
    fitting.count().max(1)
}

/// Between half and all of the doubled pause, so that functions that were throttled together do not come back together.
fn pause(patience: Patience, attempt: u32) -> Duration {
    let doubled = patience
        .pause
        .saturating_mul(1 << (attempt - 1).min(16))
        .min(patience.longest_pause);
    let random = RandomState::new().hash_one(attempt) % 512;
    doubled / 2 + doubled.mul_f64(random as f64 / 1024.0)
}
