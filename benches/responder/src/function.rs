//! The responder as a Lambda function: how large it is, and how long it takes from its start to its first question for an event.
//!
//! Before it asks it opens its ledger on DynamoDB and reads the inventory of one account and region from EC2. Both are played here,
//! by a server on loopback that answers at once: what is measured is the function.

use std::{
    fs,
    io::{BufReader, Write},
    net::{TcpListener, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::Instant,
};

use anyhow::{Context, Result};
use portcullis_benches::runtime_api::{RuntimeApi, request};

/// Starts that are measured.
const STARTS: usize = 21;

/// What was measured.
pub(crate) struct Function {
    /// Bytes of the binary.
    pub(crate) bytes: u64,
    /// Milliseconds to the first question, start by start.
    pub(crate) milliseconds: Vec<f64>,
}

/// Measures the function at this path.
pub(crate) fn measure(binary: &Path) -> Result<Function> {
    let about = fs::metadata(binary).with_context(|| format!("cannot find {}", binary.display()))?;
    let folder = tempfile::tempdir().context("no room for a folder")?;
    let aws = aws()?;
    let mut milliseconds = Vec::new();
    for _ in 0..STARTS {
        milliseconds.push(start(binary, folder.path(), &aws)?);
    }
    Ok(Function {
        bytes: about.len(),
        milliseconds,
    })
}

/// Ends the function with the value.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        if let Err(error) = self.0.kill().and_then(|()| self.0.wait()) {
            eprintln!("cannot end the function: {error}");
        }
    }
}

fn start(binary: &Path, data: &Path, aws: &str) -> Result<f64> {
    let api = RuntimeApi::start()?;
    let mut command = Command::new(binary);
    command
        .env_clear()
        .envs([
            ("AWS_LAMBDA_RUNTIME_API", api.address.to_string().as_str()),
            ("AWS_LAMBDA_FUNCTION_NAME", "respond"),
            ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "256"),
            ("AWS_LAMBDA_FUNCTION_VERSION", "1"),
            ("AWS_LAMBDA_LOG_STREAM_NAME", "stream"),
            ("AWS_LAMBDA_LOG_GROUP_NAME", "group"),
            ("AWS_ENDPOINT_URL", aws),
            ("AWS_REGION", "eu-west-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("PORTCULLIS__NETWORK_ACLS__EC2__ACCOUNTS", "[\"111122223333\"]"),
            ("PORTCULLIS__NETWORK_ACLS__EC2__REGIONS", "[\"eu-west-1\"]"),
        ])
        .env("PORTCULLIS__DATA", data)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    let began = Instant::now();
    let child = command.spawn();
    let running = Running(child.with_context(|| format!("cannot start {}", binary.display()))?);
    let asked = api.asked().context("the function does not ask for an event")?;
    drop(running);
    Ok((asked - began).as_secs_f64() * 1e3)
}

/// Where AWS seems to be: a ledger of this form, and an account of nothing.
fn aws() -> Result<String> {
    let listener = TcpListener::bind("127.0.0.1:0").context("no port on loopback")?;
    let url = format!("http://{}", listener.local_addr()?);
    thread::spawn(move || {
        while let Ok((stream, _)) = listener.accept() {
            // A connection that breaks off belongs to a function that ended.
            thread::spawn(move || serve(stream).ok());
        }
    });
    Ok(url)
}

fn serve(stream: TcpStream) -> Result<()> {
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream);
    while let Some((_, body)) = request(&mut reader)? {
        let answer = answer(&String::from_utf8_lossy(&body));
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n", answer.len());
        reader.get_mut().write_all(format!("{head}{answer}").as_bytes())?;
    }
    Ok(())
}

/// DynamoDB is asked in JSON, and only for the ledger's form; EC2 by forms, and has nothing.
fn answer(body: &str) -> String {
    let action = body.split('&').find_map(|part| part.strip_prefix("Action="));
    action.map_or_else(
        || "{\"Item\":{\"number\":{\"N\":\"1\"}}}".to_owned(),
        |action| format!("<{action}Response xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\"></{action}Response>"),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_service_gets_an_answer_in_its_own_form() {
        assert!(answer("{\"TableName\":\"portcullis-ledger\"}").contains("\"number\""));
        let vpcs = answer("Action=DescribeVpcs&Version=2016-11-15");
        assert!(vpcs.starts_with("<DescribeVpcsResponse ") && vpcs.ends_with("</DescribeVpcsResponse>"));
    }
}
