//! One thread that runs all tasks of all processes in an order that follows from the seed alone: whoever is ready, then
//! whoever wakes next on the virtual clock.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Wake, Waker};

use chrono::{DateTime, TimeDelta, Utc};
use portcullis::respond::Clock;

/// Milliseconds on the virtual clock.
pub type Millis = i64;

/// When every schedule begins: 2026-11-20 12:00 UTC.
const EPOCH: Millis = 1_795_176_000_000;

/// The virtual clock, who sleeps, and which processes are stopped for a while.
#[derive(Default)]
pub struct Timers {
    now: AtomicI64,
    next: AtomicU64,
    sleeping: Mutex<BTreeMap<(Millis, u64), Waker>>,
    stopped: Mutex<BTreeMap<usize, Millis>>,
}

impl Timers {
    /// Milliseconds since the schedule began.
    #[must_use]
    pub fn now(&self) -> Millis {
        self.now.load(Ordering::Relaxed)
    }

    /// The true time.
    #[must_use]
    pub fn time(&self) -> DateTime<Utc> {
        time(self.now())
    }

    /// Stops a process, as a long pause of its machine does.
    pub fn stop(&self, process: usize, until: Millis) {
        lock(&self.stopped).insert(process, until);
    }

    fn runs_from(&self, process: Option<usize>) -> Millis {
        process
            .and_then(|process| lock(&self.stopped).get(&process).copied())
            .unwrap_or_default()
    }

    fn wake_at(&self, at: Millis, waker: &Waker) {
        let order = self.next.fetch_add(1, Ordering::Relaxed);
        lock(&self.sleeping).insert((at, order), waker.clone());
    }

    /// Goes on to the next moment at which somebody wakes; `false` when it is not before `end`.
    fn advance(&self, end: Millis) -> bool {
        let first = lock(&self.sleeping).pop_first();
        match first {
            Some(((at, _), waker)) if at <= end => {
                self.now.fetch_max(at, Ordering::Relaxed);
                waker.wake();
                true
            }
            Some((key, waker)) => {
                lock(&self.sleeping).insert(key, waker);
                false
            }
            None => false,
        }
    }
}

/// A moment on the virtual clock as a time.
#[must_use]
pub fn time(at: Millis) -> DateTime<Utc> {
    DateTime::from_timestamp_millis(EPOCH + at).unwrap_or_default()
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits on the virtual clock. A process that is stopped wakes when it goes on.
pub struct Sleep {
    timers: Arc<Timers>,
    until: Millis,
    process: Option<usize>,
}

impl Sleep {
    /// For `millis`; as work of `process`, or of nobody who can be stopped.
    #[must_use]
    pub fn new(timers: &Arc<Timers>, millis: Millis, process: Option<usize>) -> Self {
        Self {
            until: timers.now() + millis.max(1),
            timers: Arc::clone(timers),
            process,
        }
    }
}

impl Future for Sleep {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let due = self.until.max(self.timers.runs_from(self.process));
        if self.timers.now() >= due {
            return Poll::Ready(());
        }
        self.timers.wake_at(due, context.waker());
        Poll::Pending
    }
}

/// A process's own view of the time: the virtual clock, a little off.
#[derive(Clone)]
pub struct SkewedClock {
    /// The true time.
    pub timers: Arc<Timers>,
    /// How far off.
    pub skew: TimeDelta,
}

impl Clock for SkewedClock {
    fn now(&self) -> DateTime<Utc> {
        self.timers.time() + self.skew
    }
}

struct Ready(AtomicBool);

impl Wake for Ready {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

struct Task {
    process: Option<usize>,
    life: u64,
    ready: Arc<Ready>,
    future: Pin<Box<dyn Future<Output = ()> + Send>>,
}

/// Adds tasks while others run.
#[derive(Clone, Default)]
pub struct Spawner(Arc<Mutex<Vec<Task>>>);

impl Spawner {
    /// Adds a task of one life of a process, or of nobody.
    pub fn spawn(&self, process: Option<usize>, life: u64, future: impl Future<Output = ()> + Send + 'static) {
        lock(&self.0).push(Task {
            process,
            life,
            ready: Arc::new(Ready(AtomicBool::new(true))),
            future: Box::pin(future),
        });
    }
}

/// Runs tasks until nothing is left to do before an end.
#[derive(Default)]
pub struct Executor {
    tasks: Vec<Task>,
    inbox: Spawner,
}

impl Executor {
    /// Adds tasks to this executor.
    #[must_use]
    pub fn spawner(&self) -> Spawner {
        self.inbox.clone()
    }

    /// Ends every task of one life of a process, wherever it is.
    pub fn kill(&mut self, process: usize, life: u64) {
        let of_life = |task: &Task| task.process == Some(process) && task.life == life;
        self.tasks.retain(|task| !of_life(task));
        lock(&self.inbox.0).retain(|task| !of_life(task));
    }

    /// Polls every task that is ready once; `false` when none was.
    fn poll_ready(&mut self, dead: &mut impl FnMut() -> Vec<(usize, u64)>) -> bool {
        self.tasks.append(&mut lock(&self.inbox.0));
        let mut polled = false;
        let mut at = 0;
        while at < self.tasks.len() {
            let task = &mut self.tasks[at];
            if !task.ready.0.swap(false, Ordering::Relaxed) {
                at += 1;
                continue;
            }
            polled = true;
            let waker = Waker::from(Arc::clone(&task.ready));
            let done = task.future.as_mut().poll(&mut Context::from_waker(&waker)).is_ready();
            if done {
                drop(self.tasks.remove(at));
            } else {
                at += 1;
            }
            let ended = dead();
            if !ended.is_empty() {
                for (process, life) in ended {
                    self.kill(process, life);
                }
                return true;
            }
        }
        polled
    }

    /// Runs until the virtual clock reaches `end`, or nothing is left to wait for. `dead` says which lives of processes ended.
    pub fn run(&mut self, timers: &Timers, end: Millis, mut dead: impl FnMut() -> Vec<(usize, u64)>) {
        loop {
            while self.poll_ready(&mut dead) {}
            if !timers.advance(end) {
                return;
            }
        }
    }
}
