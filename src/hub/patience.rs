//! Work on the network under a watch: the library of the hub waits for ever, a user does not.

use crate::steps::Watcher;
use hf_hub::api::Progress;
use hf_hub::api::sync::ApiError;
use std::sync::mpsc::{self, RecvTimeoutError, Sender};
use std::thread;
use std::time::Duration;

/// Why a piece of work came to nothing.
pub(super) enum Failure {
    /// Nothing was heard for so long.
    Silent(Duration),
    /// The library's own error.
    Api(ApiError),
    /// The library panicked.
    Fell,
}

enum News {
    Begin(String, usize),
    More(usize),
}

/// Tells the watching thread what the library reports.
pub(super) struct Reporter(Sender<News>);

impl Progress for Reporter {
    fn init(&mut self, size: usize, file: &str) {
        // whoever listened may have given up: then nobody wants to know
        let _ = self.0.send(News::Begin(file.to_string(), size));
    }
    fn update(&mut self, size: usize) {
        let _ = self.0.send(News::More(size));
    }
    fn finish(&mut self) {}
}

/// Does `work` on a thread of its own, and gives it up when it has said nothing for the length of `patience`.
pub(super) fn patiently<T: Send + 'static>(
    patience: Duration,
    watcher: &mut dyn Watcher,
    work: impl FnOnce(Reporter) -> Result<T, ApiError> + Send + 'static,
) -> Result<T, Failure> {
    let (sender, news) = mpsc::channel();
    let worker = thread::spawn(move || work(Reporter(sender)));
    loop {
        match news.recv_timeout(patience) {
            Ok(News::Begin(file, size)) => watcher.begin(&file, size),
            Ok(News::More(size)) => watcher.advance(size),
            Err(RecvTimeoutError::Disconnected) => break,
            Err(RecvTimeoutError::Timeout) => return Err(Failure::Silent(patience)),
        }
    }
    worker.join().map_err(|_| Failure::Fell)?.map_err(Failure::Api)
}
