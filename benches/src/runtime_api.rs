//! Lambda's Runtime API on loopback, as far as a function needs it: the next event, its response, or its error.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{Receiver, Sender, channel},
    },
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context, Result, anyhow, bail};

/// How long a function may take to ask or to answer.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a function said.
#[derive(Debug)]
enum Said {
    /// It asks for an event: when the question arrived.
    Next(Instant),
    Response(Vec<u8>),
    Error(Vec<u8>),
}

/// The API for one function. Its threads end when the function closes its connections and this is dropped.
#[derive(Debug)]
pub struct RuntimeApi {
    /// Where it listens: `AWS_LAMBDA_RUNTIME_API`.
    pub address: SocketAddr,
    events: Sender<Arc<Vec<u8>>>,
    said: Receiver<Said>,
}

impl RuntimeApi {
    /// Listens on a free port of loopback.
    ///
    /// # Errors
    /// When there is none.
    pub fn start() -> Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").context("no port on loopback")?;
        let address = listener.local_addr()?;
        let (events, waiting) = channel();
        let (say, said) = channel();
        let waiting = Arc::new(Mutex::new(waiting));
        thread::spawn(move || {
            while let Ok((stream, _)) = listener.accept() {
                let (waiting, said) = (Arc::clone(&waiting), say.clone());
                // A connection that breaks off shows as an answer that never comes.
                thread::spawn(move || serve(stream, &waiting, &said).ok());
            }
        });
        Ok(Self { address, events, said })
    }

    /// When the function asked for an event.
    ///
    /// # Errors
    /// When it says something else, or nothing for a minute.
    pub fn asked(&self) -> Result<Instant> {
        match self.heard()? {
            Said::Next(when) => Ok(when),
            Said::Error(error) => bail!("the function failed: {}", String::from_utf8_lossy(&error)),
            Said::Response(_) => bail!("the function answered what it was not asked"),
        }
    }

    /// The response to an event, once the function asks for another one.
    ///
    /// # Errors
    /// When it fails, or says nothing for a minute.
    pub fn invoke(&self, event: &Arc<Vec<u8>>) -> Result<Vec<u8>> {
        self.events
            .send(Arc::clone(event))
            .map_err(|_| anyhow!("the Runtime API has ended"))?;
        let response = match self.heard()? {
            Said::Response(response) => response,
            Said::Error(error) => bail!("the function failed: {}", String::from_utf8_lossy(&error)),
            Said::Next(_) => bail!("the function asked again without an answer"),
        };
        self.asked()?;
        Ok(response)
    }

    fn heard(&self) -> Result<Said> {
        self.said.recv_timeout(PATIENCE).context("the function says nothing")
    }
}

/// One connection.
fn serve(stream: TcpStream, events: &Mutex<Receiver<Arc<Vec<u8>>>>, said: &Sender<Said>) -> Result<()> {
    stream.set_nodelay(true)?;
    do_not_pace(&stream);
    let mut reader = BufReader::with_capacity(64 * 1024, stream);
    while let Some((line, body)) = request(&mut reader)? {
        if line.contains("/invocation/next ") {
            said.send(Said::Next(Instant::now()))?;
            let event = events.lock().unwrap_or_else(PoisonError::into_inner).recv()?;
            let head = format!(
                "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: 8476a536-e9f4-11e8-9739-2dfe598c3fcd\r\n\
                 Lambda-Runtime-Deadline-Ms: 4102444800000\r\nLambda-Runtime-Invoked-Function-Arn: \
                 arn:aws:lambda:eu-west-1:111122223333:function:transform\r\nContent-Type: application/json\r\n\
                 Content-Length: {}\r\n\r\n",
                event.len()
            );
            reader.get_mut().write_all(head.as_bytes())?;
            reader.get_mut().write_all(&event)?;
            continue;
        }
        let is_response = line.contains("/response ");
        said.send(if is_response {
            Said::Response(body)
        } else {
            Said::Error(body)
        })?;
        reader
            .get_mut()
            .write_all(b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n")?;
    }
    Ok(())
}

/// What is measured is the function, not the machine's congestion control: BBR paces even what stays on the machine, with timers
/// that run at the expense of whoever receives it. Every Linux has Reno, which does not; where it is refused, the machine's stays.
fn do_not_pace(stream: &TcpStream) {
    rustix::net::sockopt::set_tcp_congestion(stream, "reno").ok();
}

/// The first line of a request, and its body; `None` at the connection's end.
///
/// # Errors
/// When the connection breaks, or what comes is no request.
pub fn request(reader: &mut BufReader<TcpStream>) -> Result<Option<(String, Vec<u8>)>> {
    let mut first = String::new();
    if reader.read_line(&mut first)? == 0 {
        return Ok(None);
    }
    let (mut length, mut is_chunked) = (0, false);
    loop {
        let mut header = String::new();
        reader.read_line(&mut header)?;
        let header = header.trim().to_ascii_lowercase();
        match header.split_once(':').map(|(name, value)| (name, value.trim())) {
            None => break,
            Some(("content-length", value)) => length = value.parse()?,
            Some(("transfer-encoding", "chunked")) => is_chunked = true,
            Some(("expect", "100-continue")) => reader.get_mut().write_all(b"HTTP/1.1 100 Continue\r\n\r\n")?,
            Some(_) => {}
        }
    }
    let mut body = Vec::new();
    if is_chunked {
        while chunk(reader, &mut body)? {}
    } else {
        body.resize(length, 0);
        reader.read_exact(&mut body)?;
    }
    Ok(Some((first, body)))
}

/// Appends the next chunk; the answer is whether more may follow.
fn chunk(reader: &mut BufReader<TcpStream>, body: &mut Vec<u8>) -> Result<bool> {
    let mut line = String::new();
    reader.read_line(&mut line)?;
    let length = usize::from_str_radix(line.trim(), 16).context("no length of a chunk")?;
    let from = body.len();
    body.resize(from + length, 0);
    reader.read_exact(&mut body[from..])?;
    line.clear();
    reader.read_line(&mut line)?;
    Ok(length > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_function_gets_its_event_and_its_answer_is_heard() {
        let api = RuntimeApi::start().expect("a port");
        let address = api.address;
        let function = thread::spawn(move || {
            let mut stream = BufReader::new(TcpStream::connect(address).expect("a connection"));
            let next = b"GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\n\r\n";
            stream.get_mut().write_all(next).expect("asked");
            // What is said of a request's head and body holds for a response's.
            let (status, event) = request(&mut stream).expect("an event").expect("an open connection");
            assert!(status.starts_with("HTTP/1.1 200 OK"), "{status}");
            assert_eq!(event, b"{}");
            stream
                .get_mut()
                .write_all(
                    b"POST /2018-06-01/runtime/invocation/1/response HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n\
                      2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
                )
                .expect("answered");
            let (status, _) = request(&mut stream).expect("a receipt").expect("an open connection");
            assert!(status.starts_with("HTTP/1.1 202"), "{status}");
            stream.get_mut().write_all(next).expect("asked again");
            stream
        });
        api.asked().expect("the first question");
        let response = api.invoke(&Arc::new(b"{}".to_vec())).expect("a response");
        assert_eq!(response, b"hello");
        drop(function.join().expect("ended"));
    }
}
