//! A small hub on this machine, as far as a download goes: lists of files, small files, large ones behind a redirect.

use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::thread::JoinHandle;
use std::time::Duration;

/// Files of a revision by name.
pub type Files = BTreeMap<String, Vec<u8>>;

/// What the hub has, and how it behaves.
#[derive(Default)]
pub struct Shop {
    /// Revisions of `lab/tiny`, each with its commit; the commit is a name of its own.
    pub revisions: BTreeMap<String, (String, Files)>,
    /// The token that is asked for.
    pub token: Option<String>,
    /// How many large files break off in the middle from now on.
    pub cuts: usize,
    /// Large files come with another first byte than the listed hash says.
    pub lies: bool,
    /// Requests are read and not answered.
    pub silent: bool,
    /// Method, path, and the headers that matter, in the order they came.
    pub seen: Vec<String>,
}

/// A hub that serves until it is dropped.
pub struct Hub {
    shop: Arc<Mutex<Shop>>,
    pub address: String,
    closed: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Hub {
    pub fn open(shop: Shop) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (shop, closed) = (Arc::new(Mutex::new(shop)), Arc::new(AtomicBool::new(false)));
        let (its, stop, name) = (shop.clone(), closed.clone(), address.clone());
        let thread = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                // a client that goes away in the middle is none of our business
                let _ = stream.and_then(|stream| answer(stream, &its, &name));
            }
        });
        Hub { shop, address, closed, thread: Some(thread) }
    }

    pub fn shop(&self) -> MutexGuard<'_, Shop> {
        self.shop.lock().unwrap()
    }

    /// What was asked since the last look, a line each.
    pub fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.shop().seen)
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::SeqCst);
        let _ = TcpStream::connect(&self.address);
        self.thread.take().map(JoinHandle::join);
    }
}

struct Request {
    path: String,
    token: Option<String>,
    from: Option<usize>,
    to: Option<usize>,
}

fn request(stream: &TcpStream) -> std::io::Result<(Request, String)> {
    let mut lines = BufReader::new(stream).lines();
    let first = lines.next().unwrap_or(Ok(String::new()))?;
    let mut request =
        Request { path: first.split(' ').nth(1).unwrap_or("/").to_string(), token: None, from: None, to: None };
    for line in lines {
        let line = line?;
        let Some((name, value)) = line.split_once(": ") else { break };
        match name.to_lowercase().as_str() {
            "authorization" => request.token = value.strip_prefix("Bearer ").map(String::from),
            "range" => {
                let (from, to) = value.strip_prefix("bytes=").and_then(|range| range.split_once('-')).unwrap();
                (request.from, request.to) = (from.parse().ok(), to.parse().ok());
            }
            _ => {}
        }
    }
    let bound = |word: &str, at: Option<usize>| at.map_or(String::new(), |at| format!(" {word} {at}"));
    let range = bound("from", request.from) + &bound("to", request.to);
    let token = request.token.as_ref().map_or(String::new(), |token| format!(" as {token}"));
    let line = format!("{}{range}{token}", request.path);
    Ok((request, line))
}

fn answer(stream: TcpStream, shop: &Mutex<Shop>, address: &str) -> std::io::Result<()> {
    stream.set_read_timeout(Some(Duration::from_secs(5)))?;
    let (request, line) = request(&stream)?;
    let mut shop = shop.lock().unwrap();
    shop.seen.push(line);
    if shop.silent {
        drop(shop);
        std::thread::sleep(Duration::from_secs(3));
        return Ok(());
    }
    let path = request.path.split('?').next().unwrap();
    let is_content = path.starts_with("/content/");
    match (&shop.token, &request.token) {
        (Some(_), None) if !is_content => return reply(stream, "401 Unauthorized", &[], b""),
        (Some(asked), Some(given)) if !is_content && asked != given => {
            return reply(stream, "403 Forbidden", &[], b"");
        }
        _ => {}
    }
    let parts: Vec<&str> = path.trim_start_matches('/').split('/').collect();
    match parts.as_slice() {
        // an old name leads to the new one, by a path without a host
        ["api", "models", "old", rest @ ..] => moved(stream, &format!("/api/models/lab/tiny/{}", rest.join("/")), &[]),
        ["old", rest @ ..] => moved(stream, &format!("/lab/tiny/{}", rest.join("/")), &[]),
        ["api", "models", "lab", "tiny", "revision", revision] => match find(&shop, revision) {
            Some((commit, files)) => reply(stream, "200 OK", &[], listing(commit, files).to_string().as_bytes()),
            None => reply(stream, "404 Not Found", &[], b""),
        },
        ["lab", "tiny", "resolve", revision, file] => {
            let found = find(&shop, revision).and_then(|(commit, files)| Some((commit, files.get(*file)?)));
            let Some((commit, bytes)) = found else { return reply(stream, "404 Not Found", &[], b"") };
            let commit = format!("X-Repo-Commit: {commit}");
            match is_large(file) {
                true => {
                    let linked = format!("X-Linked-Etag: \"{}\"", hash(bytes));
                    moved(stream, &format!("http://{address}/content/{}", hash(bytes)), &[&commit, &linked])
                }
                false => ranged(stream, &request, &[&commit, &format!("ETag: \"{}\"", &hash(bytes)[..40])], bytes),
            }
        }
        ["content", wanted] => {
            let all = shop.revisions.values().flat_map(|(_, files)| files.values());
            let mut bytes = all.into_iter().find(|bytes| hash(bytes) == *wanted).unwrap().clone();
            bytes[0] ^= u8::from(shop.lies);
            if shop.cuts > 0 && request.to.is_none() {
                shop.cuts -= 1;
                return cut(stream, &request, &bytes);
            }
            ranged(stream, &request, &[], &bytes)
        }
        _ => reply(stream, "404 Not Found", &[], b""),
    }
}

fn find<'a>(shop: &'a Shop, revision: &str) -> Option<(&'a str, &'a Files)> {
    let named = shop.revisions.get(revision);
    let named = named.or_else(|| shop.revisions.values().find(|(commit, _)| commit == revision));
    named.map(|(commit, files)| (commit.as_str(), files))
}

fn is_large(file: &str) -> bool {
    file.ends_with(".safetensors") || file.ends_with(".bin")
}

fn listing(commit: &str, files: &Files) -> Value {
    let entry = |(name, bytes): (&String, &Vec<u8>)| match is_large(name) {
        true => {
            json!({"rfilename": name, "size": bytes.len(), "lfs": {"sha256": hash(bytes), "size": bytes.len()}})
        }
        false => json!({"rfilename": name, "size": bytes.len(), "blobId": &hash(bytes)[..40]}),
    };
    json!({"sha": commit, "siblings": files.iter().map(entry).collect::<Vec<_>>()})
}

fn hash(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn reply(mut stream: TcpStream, status: &str, headers: &[&str], body: &[u8]) -> std::io::Result<()> {
    let headers: String = headers.iter().map(|header| format!("{header}\r\n")).collect();
    let length = body.len();
    write!(stream, "HTTP/1.1 {status}\r\n{headers}Content-Length: {length}\r\nConnection: close\r\n\r\n")?;
    stream.write_all(body)
}

fn moved(stream: TcpStream, to: &str, headers: &[&str]) -> std::io::Result<()> {
    reply(stream, "302 Found", &[&[format!("Location: {to}").as_str()], headers].concat(), b"")
}

fn ranged(stream: TcpStream, request: &Request, headers: &[&str], bytes: &[u8]) -> std::io::Result<()> {
    let from = request.from.unwrap_or(0);
    if from >= bytes.len() {
        return reply(stream, "416 Range Not Satisfiable", headers, b"");
    }
    let to = request.to.unwrap_or(bytes.len() - 1).min(bytes.len() - 1);
    let range = format!("Content-Range: bytes {from}-{to}/{}", bytes.len());
    reply(stream, "206 Partial Content", &[&[range.as_str()], headers].concat(), &bytes[from..=to])
}

/// Half of what is left, after a head that promised all of it.
fn cut(mut stream: TcpStream, request: &Request, bytes: &[u8]) -> std::io::Result<()> {
    let rest = &bytes[request.from.unwrap_or(0)..];
    write!(stream, "HTTP/1.1 206 Partial Content\r\nContent-Length: {}\r\nConnection: close\r\n\r\n", rest.len())?;
    stream.write_all(&rest[..rest.len() / 2])
}
