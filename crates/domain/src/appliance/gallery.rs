//! The gallery at start, and the copy of it that makes the next start quick.

use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Appliance;
use crate::gallery::{Gallery, Restoration};
use crate::ports::Ports;
use crate::{Result, Template};

/// A copy is written when people have not changed for so long.
const SETTLED: Duration = Duration::from_secs(600);
/// Templates published together while loading.
const BATCH: usize = 4096;

/// Fills the gallery from its copy, or else from the store; answers the generation of the copy that is kept now.
pub(super) fn load(ports: &Ports, gallery: &Gallery) -> Result<Option<u64>> {
    let started = Instant::now();
    let generation = ports.gallery.generation()?;
    let is_restored = restore(ports, gallery, generation);
    if !is_restored {
        // It may hold people who are gone.
        ports.gallery.remove_copy()?;
        load_templates(ports, gallery)?;
    }
    let elapsed_ms = started.elapsed().as_millis() as u64;
    let (people, instructions) = (gallery.len(), gallery.instructions());
    tracing::info!(
        gallery.people = people,
        gallery.from_copy = is_restored,
        gallery.instructions = instructions,
        elapsed_ms,
        "gallery loaded"
    );
    Ok(is_restored.then_some(generation))
}

fn restore(ports: &Ports, gallery: &Gallery, generation: u64) -> bool {
    let mut restoration = Restoration::default();
    let read = ports.gallery.read_copy(gallery.model(), generation, &mut |chunk| restoration.take(chunk));
    match read {
        Ok(true) => gallery.restore(restoration),
        Ok(false) => false,
        Err(error) => {
            tracing::warn!(error = error.chain(), "the copy of the gallery cannot be read");
            false
        }
    }
}

fn load_templates(ports: &Ports, gallery: &Gallery) -> Result<()> {
    let mut batch: Vec<Template> = Vec::new();
    ports.people.templates(gallery.model(), &mut |template| {
        batch.push(template);
        if batch.len() == BATCH {
            gallery.insert_all(batch.drain(..));
        }
    })?;
    gallery.insert_all(batch);
    Ok(())
}

impl Appliance {
    /// Keeps the copy of the gallery near the truth until cancelled: writes it after a start that found none, when
    /// people have not changed for ten minutes, and at the end. Enrolments never wait for it.
    pub async fn keep_gallery_copy(&self, cancel: CancellationToken) {
        let mut changes = self.gallery().changes();
        loop {
            self.refresh_copy().await;
            tokio::select! {
                () = settled(&mut changes) => {}
                () = cancel.cancelled() => break,
            }
        }
        self.refresh_copy().await;
    }

    async fn refresh_copy(&self) {
        if let Err(error) = self.blocking(Self::write_copy).await {
            tracing::warn!(error = error.chain(), "the gallery could not be copied: the next start takes longer");
        }
    }

    fn write_copy(&self) -> Result<()> {
        let store = &self.ports().gallery;
        // Under the order of changes, so that the copy is of exactly this generation.
        let (generation, copy) = {
            let _order = self.people_order();
            (store.generation()?, self.gallery().copy())
        };
        if *self.kept_copy() == Some(generation) {
            return Ok(());
        }
        let started = Instant::now();
        if store.keep_copy(self.gallery().model(), generation, &mut copy.chunks())? {
            *self.kept_copy() = Some(generation);
            let elapsed_ms = started.elapsed().as_millis() as u64;
            tracing::info!(elapsed_ms, "gallery copied");
        }
        Ok(())
    }

    /// The copy holds people who are gone: removed at once, written anew when people have settled.
    pub(super) fn forget_copy(&self) {
        if let Err(error) = self.ports().gallery.remove_copy() {
            tracing::warn!(error = error.chain(), "the copy of the gallery could not be removed: it is not used");
        }
    }
}

/// Waits for a change, and then until there was none for a while.
async fn settled(changes: &mut watch::Receiver<u64>) {
    // The gallery outlives every receiver.
    let _ = changes.changed().await;
    while tokio::time::timeout(SETTLED, changes.changed()).await.is_ok() {}
}
