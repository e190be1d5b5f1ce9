//! Software in two slots, through RAUC (de.pengutronix.rauc, version 1.8 and later).

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::time::Duration;

use domain::ports::OnPercent;
use domain::{Bundle, Error, Result, SlotMark, Slots};
use futures_util::StreamExt;
use tokio::time::Instant;
use zbus::Proxy;
use zbus::proxy::SignalStream;
use zbus::zvariant::{OwnedValue, Structure, Value};

use crate::bus::{Bus, RAUC};

/// Interval between two looks at an installation.
const LOOK: Duration = Duration::from_millis(300);
/// A slot is written in less time, also on slow media.
const PATIENCE: Duration = Duration::from_secs(3600);
/// Length of the number at the end of a bundle: the size of the signature before it.
const SIGNATURE_SIZE: u64 = 8;

/// A slot as RAUC describes it: its name, and its properties.
type Described = (String, HashMap<String, OwnedValue>);

/// RAUC on this bus.
pub(crate) struct Rauc<'a>(pub(crate) &'a Bus);

/// A slot that the boot loader can start.
struct Slot {
    /// RAUC's name, such as `rootfs.1`.
    name: String,
    /// The boot loader's name, such as `B`.
    boot_name: String,
    booted: bool,
    good: bool,
}

impl Rauc<'_> {
    pub(crate) async fn slots(&self, boot_id: &Path) -> Result<Slots> {
        let slots = self.bootable().await?;
        let running = slots.iter().find(|slot| slot.booted).ok_or_else(|| unknown("the running slot"))?;
        let fallback = slots.iter().find(|slot| !slot.booted && slot.good);
        let boot = tokio::fs::read_to_string(boot_id).await.map_err(Error::internal("reading the boot id"))?;
        Ok(Slots {
            running: running.boot_name.clone(),
            is_good: running.good,
            fallback: fallback.map(|slot| slot.boot_name.clone()),
            compatible: self.0.property(RAUC, "Compatible").await?,
            boot: boot.trim().to_owned(),
        })
    }

    /// Signature and manifest. `Info`, because Debian 12 has nothing newer, and later versions still have it.
    pub(crate) async fn inspect(&self, bundle: &Path) -> Result<Bundle> {
        let path = bundle.to_owned();
        let complete = tokio::task::spawn_blocking(move || is_complete(&path)).await;
        let complete = complete.map_err(Error::internal("reading a bundle"))?;
        if !complete.map_err(Error::internal("reading a bundle"))? {
            return Err(Error::invalid("package content", "it is cut off or damaged"));
        }
        let known = self.0.read_if_granted(RAUC, "Info", &(text(bundle)?,)).await?;
        let why = "it was changed, or signed by somebody else; the log of rauc.service says more";
        let (compatible, version) = known.ok_or_else(|| Error::invalid("package", why))?;
        Ok(Bundle { compatible, version })
    }

    /// Writes the other slot and makes it the one that is started next.
    pub(crate) async fn install(&self, bundle: &Path, on_percent: OnPercent<'_>) -> Result<()> {
        let proxy = self.0.proxy(RAUC).await?;
        let mut completed = subscribe(&proxy).await?;
        let options: HashMap<&str, Value<'_>> = HashMap::new();
        self.0.call(RAUC, "InstallBundle", &(text(bundle)?, options)).await?;
        let result = self.follow(&mut completed, on_percent).await?;
        if result == Some(0) && self.awaits_restart().await? {
            return Ok(());
        }
        let why: String = self.0.property(RAUC, "LastError").await?;
        let why = if why.is_empty() { "the upgrade service has ended".to_owned() } else { why };
        Err(Error::internal("installing a bundle")(why))
    }

    /// The result of the installation, once it is complete; `None` when RAUC has lost it.
    async fn follow(&self, completed: &mut SignalStream<'_>, on_percent: OnPercent<'_>) -> Result<Option<i32>> {
        let mut idle = false;
        loop {
            match tokio::time::timeout(LOOK, completed.next()).await {
                Ok(Some(signal)) => {
                    let result = signal.body().deserialize();
                    return result.map(Some).map_err(Error::internal("reading the result of an installation"));
                }
                Ok(None) => return Ok(None),
                Err(_) => {}
            }
            // A service that was started again knows of nothing.
            if self.is_idle().await? && std::mem::replace(&mut idle, true) {
                return Ok(None);
            }
            on_percent(self.percent().await?);
        }
    }

    /// Waits until nothing is being installed, then tells whether another slot is started next.
    pub(crate) async fn await_installation(&self) -> Result<bool> {
        let end = Instant::now() + PATIENCE;
        while !self.is_idle().await? {
            if Instant::now() > end {
                return Err(Error::Unavailable { what: "the end of an installation" });
            }
            tokio::time::sleep(LOOK).await;
        }
        self.awaits_restart().await
    }

    pub(crate) async fn mark(&self, mark: SlotMark) -> Result<()> {
        let arguments = match mark {
            SlotMark::Good => ("good", "booted"),
            SlotMark::Bad => ("bad", "booted"),
            SlotMark::OtherBad => ("bad", "other"),
        };
        let (slot, message): (String, String) = self.0.read(RAUC, "Mark", &arguments).await?;
        tracing::info!(host.slot = slot, message, "slot marked");
        Ok(())
    }

    async fn is_idle(&self) -> Result<bool> {
        let operation: String = self.0.property(RAUC, "Operation").await?;
        Ok(operation == "idle")
    }

    async fn percent(&self) -> Result<u8> {
        let progress: Structure<'_> = self.0.property(RAUC, "Progress").await?;
        let percent = progress.fields().first().and_then(|percent| i32::try_from(percent).ok());
        Ok(u8::try_from(percent.unwrap_or_default().clamp(0, 100)).unwrap_or_default())
    }

    async fn awaits_restart(&self) -> Result<bool> {
        let primary: String = self.0.read(RAUC, "GetPrimary", &()).await?;
        let slots = self.bootable().await?;
        Ok(slots.iter().any(|slot| slot.name == primary && !slot.booted))
    }

    async fn bootable(&self) -> Result<Vec<Slot>> {
        let described: Vec<Described> = self.0.read(RAUC, "GetSlotStatus", &()).await?;
        Ok(described.into_iter().filter_map(Slot::read).collect())
    }
}

impl Slot {
    /// `None` for one that the boot loader does not know, such as a part of another.
    fn read((name, mut properties): Described) -> Option<Self> {
        let mut text = |key: &str| properties.remove(key).and_then(|value| String::try_from(value).ok());
        let boot_name = text("bootname").filter(|name| !name.is_empty())?;
        let (booted, good) = (text("state")? == "booted", text("boot-status")? == "good");
        Some(Self { name, boot_name, booted, good })
    }
}

async fn subscribe<'a>(proxy: &Proxy<'a>) -> Result<SignalStream<'a>> {
    proxy.receive_signal("Completed").await.map_err(Error::internal("following an installation"))
}

/// Whether a bundle ends with a signature of a possible size. Blocking.
fn is_complete(bundle: &Path) -> io::Result<bool> {
    let mut file = File::open(bundle)?;
    let length = file.metadata()?.len();
    if length <= SIGNATURE_SIZE {
        return Ok(false);
    }
    file.seek(SeekFrom::Start(length - SIGNATURE_SIZE))?;
    let mut size = [0; SIGNATURE_SIZE as usize];
    file.read_exact(&mut size)?;
    Ok((1..length - SIGNATURE_SIZE).contains(&u64::from_be_bytes(size)))
}

fn text(path: &Path) -> Result<&str> {
    path.to_str().ok_or_else(|| Error::internal("naming a bundle")("its path is not UTF-8"))
}

fn unknown(what: &'static str) -> Error {
    tracing::error!(host.lacks = what, "RAUC's configuration does not fit this machine");
    Error::Unavailable { what }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bundle_is_complete_when_a_signature_fits_into_it() {
        let dir = tempfile::tempdir().unwrap();
        let complete = |content: &[u8], size: u64| {
            let file = dir.path().join("bundle");
            std::fs::write(&file, [content, &size.to_be_bytes()].concat()).unwrap();
            is_complete(&file).unwrap()
        };
        assert!(complete(&[0; 1000], 999));
        assert!(!complete(&[0; 1000], 1000));
        assert!(!complete(&[0; 1000], 0));
        assert!(!complete(&[0; 1000], u64::MAX));
        assert!(!complete(&[], 1));
    }

    #[test]
    fn only_what_the_boot_loader_knows_is_a_slot() {
        let described = |properties: &[(&str, &str)]| {
            let owned =
                |(key, value): &(&str, &str)| ((*key).to_owned(), OwnedValue::from(zbus::zvariant::Str::from(*value)));
            let properties = properties.iter().map(owned).collect();
            Slot::read(("rootfs.1".to_owned(), properties))
        };
        let slot = described(&[("bootname", "B"), ("state", "inactive"), ("boot-status", "good")]).unwrap();
        assert_eq!((&*slot.name, &*slot.boot_name, slot.booted, slot.good), ("rootfs.1", "B", false, true));
        let slot = described(&[("bootname", "A"), ("state", "booted"), ("boot-status", "bad")]).unwrap();
        assert_eq!((slot.booted, slot.good), (true, false));
        assert!(described(&[("bootname", ""), ("state", "booted"), ("boot-status", "good")]).is_none());
        assert!(described(&[("state", "active")]).is_none());
    }
}
