//! Loads the gallery at start, and maintains its copy, which makes the next start quick.

use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use super::Appliance;
use crate::gallery::{Gallery, Restoration};
use crate::ports::Ports;
use crate::{Result, Template};

/// A copy is written when people have not changed for this long.
const SETTLED: Duration = Duration::from_secs(600);
/// Templates inserted at once while loading.
const BATCH: usize = 4096;

/// Fills the gallery from its copy, or else from the templates. Returns the generation of the copy; `None` when there
/// is none.
///
/// # Errors
/// When the templates cannot be read.
pub(super) fn load(ports: &Ports, gallery: &Gallery) -> Result<Option<u64>> {
    let started = Instant::now();
    let generation = ports.gallery.generation()?;
    let is_restored = restore(ports, gallery, generation);
    if !is_restored {
        // An outdated copy may contain people who were removed.
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
            tracing::warn!(error = error.chain(), "failed to read gallery copy");
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
    /// Maintains the copy of the gallery until cancelled: writes it after a start that found none, when people have not
    /// changed for ten minutes, and at the end. Enrolments never wait for it.
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
            tracing::warn!(error = error.chain(), "failed to write gallery copy, the next start takes longer");
        }
    }

    fn write_copy(&self) -> Result<()> {
        let store = &self.ports().gallery;
        // With the lock held, so that the copy is of exactly this generation.
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
            tracing::info!(elapsed_ms, "gallery copy written");
        }
        Ok(())
    }

    /// Removes the copy at once, because it contains a person who was removed; it is written again later.
    pub(super) fn remove_copy(&self) {
        if let Err(error) = self.ports().gallery.remove_copy() {
            tracing::warn!(error = error.chain(), "failed to remove gallery copy, it will not be used");
        }
    }
}

/// Waits for a change, and then until there was none for [`SETTLED`].
async fn settled(changes: &mut watch::Receiver<u64>) {
    // Cannot fail: the gallery outlives every receiver.
    let _ = changes.changed().await;
    while tokio::time::timeout(SETTLED, changes.changed()).await.is_ok() {}
}
