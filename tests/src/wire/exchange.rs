//! A connection: requests are read, passed on and answered, one after the other. It supports HTTP/1.1 with bodies of a
//! known length, which is all that the SDKs and the vendors' client send. It is written by hand, because a library
//! would not cut an answer in half.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpStream;

use super::call::{Call, Service};
use super::fault::Fault;
use super::rule::{Point, Rule};
use super::{Inner, PROVIDERS, entries};

/// How long a call waits to be overtaken: less than the time-out of an SDK's attempt.
const OVERTAKEN_WITHIN: Duration = Duration::from_secs(3);
/// Headers that belong to one connection.
const HOP_BY_HOP: [&str; 4] = ["connection", "content-length", "transfer-encoding", "keep-alive"];
/// The header that names the vendor. The embedded services are named by their path.
const HOST: &str = "host";

struct Request {
    method: String,
    path: String,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

/// The answer to a request, or the end of the connection.
enum End {
    Answer(Answer),
    Cut(Answer),
    Hang(Arc<Rule>),
    Close,
}

pub(super) async fn serve(wire: Arc<Inner>, stream: TcpStream) {
    let mut stream = BufReader::new(stream);
    while let Some(request) = Request::read(&mut stream).await {
        let (place, rule) = wire.note(&request);
        let end = wire.follow(place, rule.as_ref(), request).await;
        match end {
            End::Answer(answer) => {
                wire.change(place, |call| call.status = Some(answer.status));
                if stream.write_all(&answer.bytes()).await.is_err() {
                    return;
                }
            }
            End::Cut(answer) => {
                let bytes = answer.bytes();
                // A caller that has closed the connection does not get the half answer either, so the error is ignored.
                let _ = stream.write_all(&bytes[..bytes.len() - answer.body.len().div_ceil(2).max(1)]).await;
                let _ = stream.flush().await;
                // Half of the answer is sent before the reset arrives.
                tokio::time::sleep(Duration::from_millis(20)).await;
                let _ = stream.get_ref().set_zero_linger();
                return;
            }
            End::Hang(rule) => {
                let mut more = [0];
                tokio::select! {
                    _ = stream.read(&mut more) => {}
                    () = rule.lifted() => {}
                }
                return;
            }
            End::Close => return,
        }
    }
}

impl Inner {
    /// Records the request in the journal. Returns the rule that applies to it, if there is one, with the called
    /// service.
    fn note(&self, request: &Request) -> (usize, Option<(Service, Arc<Rule>)>) {
        let (path, is_provider) = match request.path.strip_prefix(PROVIDERS) {
            Some(path) => (path, true),
            None => (request.path.as_str(), false),
        };
        let mut call = Call::read(is_provider, &request.method, path, request.header("x-amz-target"), &request.body);
        let rules = self.rules.lock().expect("not poisoned");
        let rule = rules.iter().filter(|rule| rule.looks_at(&call)).find(|rule| rule.strikes(self.seed)).cloned();
        drop(rules);
        call.struck = rule.is_some();
        let rule = rule.map(|rule| (call.service, rule));
        let place = self.journal.lock().expect("not poisoned").add(call);
        (place, rule)
    }

    fn change(&self, place: usize, change: impl FnOnce(&mut Call)) {
        if let Some(call) = self.journal.lock().expect("not poisoned").find(place) {
            change(call);
        }
    }

    async fn follow(&self, place: usize, rule: Option<&(Service, Arc<Rule>)>, request: Request) -> End {
        let Some((service, rule)) = rule else {
            return self.pass_on(place, &request).await.map_or(End::Close, End::Answer);
        };
        let mut answer = None;
        if rule.point == Point::After {
            answer = self.pass_on(place, &request).await;
            if answer.is_none() {
                return End::Close;
            }
        }
        rule.strike();
        match &rule.fault {
            Fault::Drop => return End::Close,
            Fault::Hang => return End::Hang(Arc::clone(rule)),
            Fault::Refuse(refusal) => {
                let (kind, body) = refusal.worded(*service);
                let mut answer = Answer::new(refusal.status, kind, body.into_bytes());
                answer.headers.push(("x-amzn-errortype".to_owned(), refusal.code.to_owned()));
                return End::Answer(answer);
            }
            Fault::Answer(status, body) => {
                return End::Answer(Answer::new(*status, "application/json", body.clone().into_bytes()));
            }
            Fault::FirstEntryFails => {
                let (body, failed) = entries::without_first(&request.body);
                let passed_on = self.pass_on(place, &Request { body, ..request }).await;
                return passed_on.map_or(End::Close, |answer| End::Answer(failed.named_in(answer)));
            }
            Fault::Delay(wait) => tokio::time::sleep(*wait).await,
            Fault::Overtaken => {
                // The call is passed on even if it was not overtaken in time.
                let _ = tokio::time::timeout(OVERTAKEN_WITHIN, rule.overtaken()).await;
            }
            Fault::Duplicate => drop(self.pass_on(place, &request).await),
            Fault::Cut => {}
        }
        let answer = match answer {
            Some(answer) => Some(answer),
            None => self.pass_on(place, &request).await,
        };
        match (answer, &rule.fault) {
            (None, _) => End::Close,
            (Some(answer), Fault::Cut) => End::Cut(answer),
            (Some(answer), _) => End::Answer(answer),
        }
    }

    /// `None`: the service or vendor did not answer.
    async fn pass_on(&self, place: usize, request: &Request) -> Option<Answer> {
        let (url, keeps_host) = match request.path.strip_prefix(PROVIDERS) {
            Some(path) => (format!("{}{path}", self.providers.lock().expect("not poisoned").clone()?), true),
            None => (format!("http:/{}", request.path), false),
        };
        let mut passed_on = self.client.request(request.method.parse().ok()?, url).body(request.body.clone());
        for (name, value) in request.headers.iter().filter(|(name, _)| keeps_host || name != HOST) {
            passed_on = passed_on.header(name, value);
        }
        let response = passed_on.send().await.ok()?;
        let headers = response.headers().iter();
        let headers = headers.filter(|(name, _)| !HOP_BY_HOP.contains(&name.as_str()));
        let headers = headers.map(|(name, value)| (name.to_string(), String::from_utf8_lossy(value.as_bytes()).into()));
        let (status, headers) = (response.status().as_u16(), headers.collect());
        let answer = Answer { status, headers, body: response.bytes().await.ok()?.to_vec() };
        let rules = self.rules.lock().expect("not poisoned").clone();
        self.change(place, |call| {
            call.passed_on = true;
            rules.iter().filter(|rule| rule.looks_at(call)).for_each(|rule| rule.was_answered());
        });
        Some(answer)
    }
}

impl Request {
    /// `None` at the end of the connection.
    async fn read(stream: &mut BufReader<TcpStream>) -> Option<Self> {
        let first = line(stream).await?;
        let mut words = first.split(' ');
        let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
        let (mut headers, mut length) = (Vec::new(), 0);
        loop {
            let line = line(stream).await?;
            let Some((name, value)) = line.split_once(':') else { break };
            let (name, value) = (name.to_ascii_lowercase(), value.trim().to_owned());
            assert_ne!(name, "transfer-encoding", "the wire takes bodies of a known length only");
            if name == "content-length" {
                length = value.parse().ok()?;
            }
            if !HOP_BY_HOP.contains(&name.as_str()) {
                headers.push((name, value));
            }
        }
        let mut body = vec![0; length];
        stream.read_exact(&mut body).await.ok()?;
        Some(Self { method, path, headers, body })
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

async fn line(stream: &mut BufReader<TcpStream>) -> Option<String> {
    let mut line = String::new();
    let read = stream.read_line(&mut line).await.ok()?;
    (read > 0).then(|| line.trim_end().to_owned())
}

impl Answer {
    fn new(status: u16, kind: &str, body: Vec<u8>) -> Self {
        Self { status, headers: vec![("content-type".to_owned(), kind.to_owned())], body }
    }

    fn bytes(&self) -> Vec<u8> {
        let mut head = format!("HTTP/1.1 {} scripted\r\ncontent-length: {}\r\n", self.status, self.body.len());
        for (name, value) in &self.headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str("\r\n");
        [head.as_bytes(), &self.body].concat()
    }
}
