//! Being asked to stop: Ctrl-C, or the signal that service managers send.

use std::io;
use std::time::Duration;

use tokio::sync::watch;

/// How long what was begun may go on: the whole is over within five seconds.
const GRACE: Duration = Duration::from_secs(3);

/// Tells every part of a running command that it should come to its end.
#[derive(Clone, Debug)]
pub(crate) struct Stop(watch::Receiver<bool>);

impl Stop {
    /// One that whoever holds the other end asks, and no signal.
    pub(crate) fn by_hand() -> (watch::Sender<bool>, Self) {
        let (ask, stop) = watch::channel(false);
        (ask, Self(stop))
    }

    /// Waits until somebody asks.
    pub(crate) async fn wait(&mut self) {
        let asked = self.0.wait_for(|asked| *asked).await;
        // The sender lives as long as the process; were it gone, that would be the end too.
        drop(asked);
    }

    /// Waits until somebody asked and what was begun has had its time.
    pub(crate) async fn overdue(&mut self) {
        self.wait().await;
        tokio::time::sleep(GRACE).await;
    }

    /// For parts that know nothing of commands.
    #[cfg(feature = "aws")]
    pub(crate) fn watch(&self) -> watch::Receiver<bool> {
        self.0.clone()
    }

    /// Whether somebody has asked.
    pub(crate) fn is_requested(&self) -> bool {
        *self.0.borrow()
    }
}

/// Listens for the signals from now on. A second Ctrl-C ends the process at once.
///
/// # Errors
/// When the signals cannot be listened for.
pub(crate) fn requested() -> io::Result<Stop> {
    let (asked, stop) = watch::channel(false);
    #[cfg(unix)]
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    tokio::spawn(async move {
        let mut times = 0;
        loop {
            #[cfg(unix)]
            tokio::select! {
                _ = tokio::signal::ctrl_c() => {}
                _ = terminate.recv() => {}
            }
            #[cfg(not(unix))]
            drop(tokio::signal::ctrl_c().await);
            times += 1;
            if times > 1 {
                std::process::exit(130);
            }
            asked.send_replace(true);
        }
    });
    Ok(Stop(stop))
}
