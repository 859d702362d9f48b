//! A Slack that takes messages, and fails on demand.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

/// An incoming webhook on this machine.
pub(crate) struct Webhook {
    pub(crate) url: String,
    taken: Arc<Mutex<Vec<Value>>>,
}

impl Webhook {
    /// One that refuses the first `failures` messages.
    pub(crate) fn start(failures: usize) -> Self {
        Self::with(move |nth| nth < failures)
    }

    /// One that refuses every message whose number `every` divides.
    pub(crate) fn refusing(every: usize) -> Self {
        Self::with(move |nth| nth.is_multiple_of(every))
    }

    /// Refuses some: throttled, then a server error, then a connection that is cut.
    fn with(refuses: impl Fn(usize) -> bool + Send + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!(
            "http://{}/services/T0/B0/secret",
            listener.local_addr().expect("an address")
        );
        let taken: Arc<Mutex<Vec<Value>>> = Arc::default();
        let (told, seen) = (Arc::clone(&taken), AtomicUsize::new(0));
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let nth = seen.fetch_add(1, Ordering::Relaxed);
                let Some(message) = read(&stream) else { continue };
                let refused = refuses(nth);
                let answer: &[u8] = match nth % 3 {
                    _ if !refused => b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok",
                    0 => b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                    1 => b"HTTP/1.1 503 Unavailable\r\nContent-Length: 0\r\nConnection: close\r\n\r\n",
                    _ => b"",
                };
                if !refused {
                    told.lock().expect("messages").push(message);
                }
                drop((&stream).write_all(answer));
            }
        });
        Self { url, taken }
    }

    /// What was taken so far.
    pub(crate) fn messages(&self) -> Vec<Value> {
        self.taken.lock().expect("messages").clone()
    }
}

fn read(stream: &TcpStream) -> Option<Value> {
    let mut reader = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}
