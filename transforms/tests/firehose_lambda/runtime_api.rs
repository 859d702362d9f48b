//! Lambda's Runtime API, as far as a function needs it.

use std::{
    io::{BufRead, BufReader, Read, Write},
    net::{Shutdown, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    sync::Mutex,
    thread,
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_STANDARD};

/// How long anything may take.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Ends the function when the test does, however it does.
pub(crate) struct Function(pub(crate) Child);

impl Function {
    /// All that it logs until it ends.
    pub(crate) fn log(&mut self) -> String {
        let mut log = String::new();
        let mut stderr = self.0.stderr.take().expect("piped");
        stderr.read_to_string(&mut log).expect("text");
        log
    }
}

impl Drop for Function {
    fn drop(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// A function that asks `runtime_api` for events.
pub(crate) fn start(binary: &str, runtime_api: &str, settings: &[(&str, &str)]) -> Function {
    started(binary, runtime_api, settings, Stdio::null())
}

/// The same with a standard output to read, for what functions write there.
pub(crate) fn started(binary: &str, runtime_api: &str, settings: &[(&str, &str)], out: Stdio) -> Function {
    let child = Command::new(binary)
        .env_clear()
        .env("AWS_LAMBDA_RUNTIME_API", runtime_api)
        .env("AWS_LAMBDA_FUNCTION_NAME", "transform")
        .env("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "128")
        .env("AWS_LAMBDA_FUNCTION_VERSION", "1")
        .env("AWS_LAMBDA_LOG_STREAM_NAME", "stream")
        .env("AWS_LAMBDA_LOG_GROUP_NAME", "group")
        .envs(settings.iter().copied())
        .stdout(out)
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    Function(child)
}

struct Request {
    line: String,
    body: Vec<u8>,
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    if reader.read_line(&mut line).ok()? == 0 {
        return None;
    }
    let mut length = 0;
    loop {
        let mut header = String::new();
        reader.read_line(&mut header).ok()?;
        if header.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = header.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some(Request {
        line: line.trim().to_owned(),
        body,
    })
}

/// Hands the events to the function one after the other, and returns what it answered to each: path and body. The function
/// may ask on one connection and answer on another.
pub(crate) fn serve(listener: &TcpListener, events: &[Vec<u8>]) -> Vec<(String, Vec<u8>)> {
    serve_and_tell(listener, events, &|_| {})
}

/// As [`serve`]; `told` hears of each answer, with how many there are, before the function may ask for the next event.
pub(crate) fn serve_and_tell(
    listener: &TcpListener,
    events: &[Vec<u8>],
    told: &(dyn Fn(usize) + Sync),
) -> Vec<(String, Vec<u8>)> {
    listener.set_nonblocking(true).expect("non-blocking");
    let deadline = Instant::now() + PATIENCE;
    let answers = Mutex::new(Vec::new());
    let answered = || answers.lock().expect("no thread panicked").len();
    let mut open = Vec::new();
    thread::scope(|scope| {
        while answered() < events.len() {
            assert!(Instant::now() < deadline, "the function did not answer in time");
            let Ok((stream, _)) = listener.accept() else {
                thread::sleep(Duration::from_millis(5));
                continue;
            };
            stream.set_nonblocking(false).expect("blocking");
            stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
            open.push(stream.try_clone().expect("another handle"));
            let answers = &answers;
            scope.spawn(move || converse(stream, events, answers, told));
        }
        // The threads wait for more to be asked; there is no more.
        for stream in &open {
            drop(stream.shutdown(Shutdown::Both));
        }
    });
    answers.into_inner().expect("no thread panicked")
}

/// One connection.
fn converse(
    stream: TcpStream,
    events: &[Vec<u8>],
    answers: &Mutex<Vec<(String, Vec<u8>)>>,
    told: &(dyn Fn(usize) + Sync),
) {
    let mut reader = BufReader::new(stream);
    while let Some(request) = read_request(&mut reader) {
        let mut answers = answers.lock().expect("no thread panicked");
        if !request.line.starts_with("GET /2018-06-01/runtime/invocation/next") {
            told(answers.len() + 1);
            let head = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n";
            reader.get_mut().write_all(head).expect("accepted");
            answers.push((request.line, request.body));
            continue;
        }
        let Some(body) = events.get(answers.len()) else {
            return;
        };
        let head = format!(
            "HTTP/1.1 200 OK\r\nLambda-Runtime-Aws-Request-Id: request-{}\r\nLambda-Runtime-Deadline-Ms: 4102444800000\r\n\
             Lambda-Runtime-Invoked-Function-Arn: arn:aws:lambda:eu-central-1:111122223333:function:transform\r\n\
             Content-Type: application/json\r\nContent-Length: {}\r\n\r\n",
            answers.len(),
            body.len()
        );
        reader.get_mut().write_all(head.as_bytes()).expect("head");
        reader.get_mut().write_all(body).expect("body");
    }
}

/// An event of records with these data.
pub(crate) fn event(data: &[&str]) -> Vec<u8> {
    let records: Vec<_> = data
        .iter()
        .enumerate()
        .map(|(id, data)| serde_json::json!({ "recordId": id.to_string(), "data": BASE64_STANDARD.encode(data) }))
        .collect();
    serde_json::json!({ "invocationId": "i", "records": records })
        .to_string()
        .into_bytes()
}
