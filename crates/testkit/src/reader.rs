//! A fake reader.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use domain::Scan;
use domain::ports::{Reader, ReaderError, Scans};
use tokio::sync::mpsc;

/// A reader that can be unplugged.
pub struct FakeReader {
    name: String,
    state: Mutex<State>,
}

struct State {
    plugged: bool,
    /// Sends to the open reader, if any.
    listener: Option<mpsc::UnboundedSender<Scan>>,
}

struct Plugged(mpsc::UnboundedReceiver<Scan>);

impl FakeReader {
    /// A reader that is plugged in.
    pub fn new(name: &str) -> Arc<Self> {
        Arc::new(Self { name: name.to_owned(), state: Mutex::new(State { plugged: true, listener: None }) })
    }

    /// Shows something to the reader. Returns whether the reader is open.
    pub fn show(&self, scan: Scan) -> bool {
        self.state().listener.as_ref().is_some_and(|listener| listener.send(scan).is_ok())
    }

    /// Whether the reader is open.
    pub fn is_read(&self) -> bool {
        self.state().listener.as_ref().is_some_and(|listener| !listener.is_closed())
    }

    /// Plugs it in or unplugs it.
    pub fn set_plugged(&self, plugged: bool) {
        *self.state() = State { plugged, listener: None };
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[async_trait]
impl Reader for FakeReader {
    fn name(&self) -> &str {
        &self.name
    }

    async fn open(&self) -> Result<Box<dyn Scans>, ReaderError> {
        let mut state = self.state();
        if !state.plugged {
            return Err(ReaderError::Unreachable("no such device".to_owned()));
        }
        let (listener, scans) = mpsc::unbounded_channel();
        state.listener = Some(listener);
        Ok(Box::new(Plugged(scans)))
    }
}

#[async_trait]
impl Scans for Plugged {
    async fn next(&mut self) -> Result<Scan, ReaderError> {
        self.0.recv().await.ok_or_else(|| ReaderError::Lost("unplugged".to_owned()))
    }
}
