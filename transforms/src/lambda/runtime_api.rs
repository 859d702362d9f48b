//! HTTP/1.1 with the Runtime API, on one connection that is kept.
//!
//! Without an HTTP client: a client hands a body over in pieces of its own, and to gather those of an event takes as long as a
//! sixth of transforming it. Here the socket is read straight into memory that is kept. Heads are told by `httparse`.
//!
//! <https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html>

use std::{
    io::{self, BufRead, BufReader, ErrorKind, Read, Write},
    net::TcpStream,
};

/// The most bytes of an answer's head, and of a line between the chunks of its body.
const LONGEST_HEAD: u64 = 64 * 1024;

/// The most headers of an answer.
const MOST_HEADERS: usize = 64;

/// The most bytes of a body: several times what Lambda sends.
const LARGEST_BODY: usize = 32 * 1024 * 1024;

/// One request.
pub(super) struct Request<'a> {
    pub(super) method: &'static str,
    pub(super) path: &'a str,
    /// Beside those that every request has.
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) body: &'a [u8],
}

/// What stands before the body of an answer.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) status: u16,
    headers: Vec<(String, String)>,
}

impl Head {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let mut headers = self.headers.iter();
        let (_, value) = headers.find(|(header, _)| header.eq_ignore_ascii_case(name))?;
        Some(value)
    }

    /// Whether one of the words of a header is this one.
    fn says(&self, name: &str, word: &str) -> bool {
        let value = self.header(name).unwrap_or_default();
        value.split(',').any(|part| part.trim().eq_ignore_ascii_case(word))
    }
}

/// The body of an answer, in memory that is kept for the next one.
#[derive(Debug, Default)]
pub(super) struct Body {
    memory: Vec<u8>,
    length: usize,
}

impl Body {
    pub(super) fn bytes(&self) -> &[u8] {
        &self.memory[..self.length]
    }

    /// Room for so many bytes more, which count as read.
    fn room(&mut self, more: usize) -> io::Result<&mut [u8]> {
        let start = self.length;
        let end = start
            .checked_add(more)
            .filter(|end| *end <= LARGEST_BODY)
            .ok_or_else(|| wrong(&format!("a body of more than {LARGEST_BODY} bytes")))?;
        if self.memory.len() < end {
            self.memory.resize(end, 0);
        }
        self.length = end;
        Ok(&mut self.memory[start..end])
    }
}

/// The Runtime API at an address, `host:port`.
pub(super) struct RuntimeApi {
    address: String,
    connection: Option<BufReader<TcpStream>>,
}

impl RuntimeApi {
    pub(super) fn new(address: String) -> Self {
        let connection = None;
        Self { address, connection }
    }

    /// Asks, and reads the answer's body to its end into `body`.
    ///
    /// A kept connection that was closed in the meantime is opened once more.
    ///
    /// # Errors
    /// When there is no connection, it breaks, or what comes is not HTTP.
    pub(super) fn call(&mut self, request: &Request<'_>, body: &mut Body) -> io::Result<Head> {
        let kept = self.connection.take().and_then(|mut kept| {
            let answered = self.ask(&mut kept, request);
            answered.is_ok().then_some(kept)
        });
        let mut connection = match kept {
            Some(kept) => kept,
            None => {
                let mut opened = BufReader::new(self.connect()?);
                self.ask(&mut opened, request)?;
                opened
            }
        };
        let head = head(&mut connection)?;
        body.length = 0;
        if read(&mut connection, &head, body)? && !head.says("connection", "close") {
            self.connection = Some(connection);
        }
        Ok(head)
    }

    fn connect(&self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect(&self.address).map_err(|error| {
            let message = format!("Lambda's Runtime API cannot be reached at {}: {error}", self.address);
            io::Error::new(error.kind(), message)
        })?;
        stream.set_nodelay(true)?;
        do_not_pace(&stream);
        Ok(stream)
    }

    /// Sends a request, and waits for the first byte of its answer.
    fn ask(&self, connection: &mut BufReader<TcpStream>, request: &Request<'_>) -> io::Result<()> {
        send(connection.get_mut(), &self.address, request)?;
        loop {
            match connection.fill_buf() {
                Ok([]) => return Err(wrong("no answer before it closed the connection")),
                Ok(_) => return Ok(()),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

/// A system whose congestion control is BBR paces what is sent even on its way to the same machine, with timers that run at the
/// function's expense: a tenth of an invocation. Reno does not, and every Linux has it. Where it is refused, the system's stays.
fn do_not_pace(stream: &TcpStream) {
    #[cfg(target_os = "linux")]
    rustix::net::sockopt::set_tcp_congestion(stream, "reno").ok();
    #[cfg(not(target_os = "linux"))]
    let _ = stream;
}

fn send(stream: &mut TcpStream, address: &str, request: &Request<'_>) -> io::Result<()> {
    let Request {
        method,
        path,
        headers,
        body,
    } = request;
    let mut head = format!(
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nUser-Agent: portcullis/{}\r\n",
        env!("CARGO_PKG_VERSION")
    );
    if *method != "GET" {
        head.push_str(&format!(
            "Content-Type: application/json\r\nContent-Length: {}\r\n",
            body.len()
        ));
    }
    for (name, value) in *headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    stream.write_all(head.as_bytes())?;
    stream.write_all(body)
}

/// The head of the answer; those that only say that one is coming are passed over.
fn head(connection: &mut BufReader<TcpStream>) -> io::Result<Head> {
    loop {
        let mut text = Vec::new();
        let mut limited = connection.take(LONGEST_HEAD);
        while !text.ends_with(b"\r\n\r\n") {
            if limited.read_until(b'\n', &mut text)? == 0 {
                return Err(wrong("a head without an end"));
            }
        }
        let mut headers = [httparse::EMPTY_HEADER; MOST_HEADERS];
        let mut answer = httparse::Response::new(&mut headers);
        answer.parse(&text).map_err(|error| wrong(&error.to_string()))?;
        let status = answer.code.unwrap_or_default();
        if (100..200).contains(&status) {
            continue;
        }
        let text = |value: &[u8]| String::from_utf8_lossy(value).into_owned();
        let headers = answer.headers.iter();
        return Ok(Head {
            status,
            headers: headers
                .map(|header| (header.name.to_owned(), text(header.value)))
                .collect(),
        });
    }
}

/// Reads a body to its end; whether the connection can be asked again.
fn read(connection: &mut BufReader<TcpStream>, head: &Head, body: &mut Body) -> io::Result<bool> {
    if head.says("transfer-encoding", "chunked") {
        loop {
            let Ok(httparse::Status::Complete((_, size))) = httparse::parse_chunk_size(&line(connection)?) else {
                return Err(wrong("a chunk without its size"));
            };
            let size = usize::try_from(size).unwrap_or(usize::MAX);
            if size == 0 {
                break;
            }
            connection.read_exact(body.room(size)?)?;
            if line(connection)? != b"\r\n" {
                return Err(wrong("a chunk that is longer than its size"));
            }
        }
        // What may stand behind the last chunk.
        while line(connection)? != b"\r\n" {}
        return Ok(true);
    }
    if let Some(length) = head.header("content-length") {
        let length = length.parse().map_err(|_| wrong("a length that is no number"))?;
        connection.read_exact(body.room(length)?)?;
        return Ok(true);
    }
    if head.status == 204 {
        return Ok(true);
    }
    loop {
        let some = connection.fill_buf()?;
        let count = some.len();
        if count == 0 {
            return Ok(false);
        }
        body.room(count)?.copy_from_slice(some);
        connection.consume(count);
    }
}

/// A line with its end.
fn line(connection: &mut BufReader<TcpStream>) -> io::Result<Vec<u8>> {
    let mut line = Vec::new();
    connection.take(LONGEST_HEAD).read_until(b'\n', &mut line)?;
    if line.ends_with(b"\r\n") {
        Ok(line)
    } else {
        Err(wrong("a line without an end"))
    }
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, format!("Lambda's Runtime API sent {what}"))
}

#[cfg(test)]
mod tests {
    use std::{net::TcpListener, thread};

    use super::*;

    const ASK: Request<'_> = Request {
        method: "GET",
        path: "/next",
        headers: &[],
        body: b"",
    };

    /// Asks an API whose connections say these pieces, the first of each once it was asked; then what was understood.
    fn asked(connections: &[&[&str]], times: usize) -> (Vec<io::Result<(u16, String)>>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let mut api = RuntimeApi::new(listener.local_addr().expect("an address").to_string());
        thread::scope(|scope| {
            let heard = scope.spawn(move || {
                let mut heard = Vec::new();
                for pieces in connections {
                    let (mut stream, _) = listener.accept().expect("a connection");
                    stream.set_nodelay(true).expect("no delay");
                    for piece in *pieces {
                        let mut request = [0; 4096];
                        if let Some(answer) = piece.strip_prefix("...") {
                            // The rest of an answer, in a segment of its own.
                            thread::sleep(std::time::Duration::from_millis(20));
                            stream.write_all(answer.as_bytes()).expect("written");
                            continue;
                        }
                        let count = stream.read(&mut request).expect("asked");
                        heard.extend_from_slice(&request[..count]);
                        stream.write_all(piece.as_bytes()).expect("written");
                    }
                }
                String::from_utf8(heard).expect("text")
            });
            let mut body = Body::default();
            let answers = (0..times)
                .map(|_| {
                    let head = api.call(&ASK, &mut body)?;
                    Ok((head.status, String::from_utf8_lossy(body.bytes()).into_owned()))
                })
                .collect();
            drop(api);
            (answers, heard.join().expect("no panic"))
        })
    }

    #[test]
    fn a_body_is_read_whichever_way_its_length_is_told() {
        for (pieces, status, body) in [
            (&["HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nevent"][..], 200, "event"),
            (
                &["HTTP/1.1 200 OK\r\ncontent-", "...length: 5\r\n\r", "...\nev", "...ent"],
                200,
                "event",
            ),
            (
                &["HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\neve\r\n2;a=b\r\nnt\r\n0\r\n\r\n"],
                200,
                "event",
            ),
            (
                &[
                    "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, Chunked\r\n\r\n",
                    "...0",
                    "...5\r\nev",
                    "...ent\r",
                    "...\n0\r\nTrailer: x\r\n\r\n",
                ],
                200,
                "event",
            ),
            (
                &["HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"],
                202,
                "",
            ),
            (&["HTTP/1.1 204 No Content\r\n\r\n"], 204, ""),
            (&["HTTP/1.0 500 No\r\n\r\nuntil ", "...its end"], 500, "until its end"),
        ] {
            let (answers, _) = asked(&[pieces], 1);
            let answer = answers.into_iter().next().expect("one").expect(pieces[0]);
            assert_eq!(answer, (status, body.to_owned()), "{pieces:?}");
        }
    }

    #[test]
    fn what_is_not_http_or_has_no_end_is_an_error() {
        let endless = format!("HTTP/1.1 200 OK\r\n{}", "a: b\r\n".repeat(20_000));
        let huge = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", LARGEST_BODY + 1);
        for answer in [
            "",
            "SSH-2.0-server\r\n\r\n",
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\neve",
            "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nevent",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\nevent\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nevent\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nevent\r\n0\r\n\r\n",
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nevent\r\n",
            &huge,
            &endless,
        ] {
            let (answers, _) = asked(&[&[answer]], 1);
            assert!(
                answers[0].is_err(),
                "{:?}: {answers:?}",
                &answer[..answer.len().min(90)]
            );
        }
    }

    #[test]
    fn a_connection_is_kept_and_one_that_was_closed_is_opened_again() {
        let yes = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
        let last = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";
        let (answers, heard) = asked(&[&[yes, yes, yes], &[yes, last], &[yes]], 6);
        assert!(
            answers
                .iter()
                .all(|answer| matches!(answer, Ok((200, body)) if body == "ok")),
            "{answers:?}"
        );
        assert_eq!(heard.matches("GET /next HTTP/1.1\r\n").count(), 6);
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn what_goes_to_the_same_machine_is_not_paced() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let api = RuntimeApi::new(listener.local_addr().expect("an address").to_string());
        let stream = api.connect().expect("a connection");
        assert_eq!(rustix::net::sockopt::tcp_congestion(&stream).expect("told"), "reno");
    }

    #[test]
    fn an_api_that_is_not_there_is_named() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = listener.local_addr().expect("an address").to_string();
        drop(listener);
        let error = RuntimeApi::new(address.clone())
            .call(&ASK, &mut Body::default())
            .expect_err("nobody listens");
        assert!(
            error.to_string().contains(&format!("cannot be reached at {address}: ")),
            "{error}"
        );
    }
}
