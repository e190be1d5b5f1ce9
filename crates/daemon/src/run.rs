//! The life of the daemon: assemble, serve, drain.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use adapter::{Adapter, Component, Health, Outbound, OwnCertificate};
use anyhow::{Context, Result, ensure};
use console::Console;
use domain::ports::{Clock, Host, ObjectDetector, Ports, Reader};
use domain::{
    Appliance, DoorOptions, SoundFolders, StorageLimits, doors, network, notices, readers, retention, surveillance,
};
use metrics_exporter_prometheus::PrometheusBuilder;
use store::Store;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use video::VideoSource;
use vision::Analyzer;

use crate::adapters::{self, Enabled};
use crate::clock::SystemClock;
use crate::config::{self, Config, HostBackend, WhenFull};
use crate::key::{self, Loaded};
use crate::listeners::{Listeners, Surroundings};
use crate::refusal::{MODELS, Part, refuse};
use crate::shutdown::{DRAIN, Signals};
use crate::{accounts, backup, models, printing, reset, sealing, serial, upgrades, upkeep, vitals};

/// Serves until a signal; then drains and returns.
pub(crate) fn run(config: &Config, print_recognitions: bool) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("no runtime")?;
    let served = runtime.block_on(serve(config, print_recognitions));
    // What blocks longer than this had its chance while draining.
    runtime.shutdown_timeout(Duration::from_secs(1));
    served
}

async fn serve(config: &Config, print_recognitions: bool) -> Result<()> {
    let cancel = CancellationToken::new();
    let mut signals = JoinSet::new();
    signals.spawn(Signals::catch()?.obey(cancel.clone()));

    let metrics = PrometheusBuilder::new().install_recorder().context("metrics cannot be recorded")?;
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let refused_passwords = adapters::default_sip_passwords(config);
    let sip = video::Sip { id: config.sip.id.clone(), listen: config.sip.listen, refused_passwords };
    let access = video::Access {
        outbound: config.outbound.policy(),
        file_folders: Some(config.video.file_folders.clone()),
        clear_logins: Some(config.video.clear_logins.clone()),
    };
    // A little less than between two searches, so that each finds a new picture.
    let pictures_every = Duration::from_millis(config.vision.detect_every_ms) * 3 / 4;
    // This program, also after an upgrade has replaced its file.
    let decoder_process = config.video.decoder_process.then(|| PathBuf::from("/proc/self/exe"));
    let video = video::Options { sip, access, pictures_every, decoder_process, ..video::Options::default() };
    let video = VideoSource::new(Arc::clone(&clock), video).context("no video")?;
    let video = Arc::new(video);
    upgrades::put_database_back(config)?;
    reset::everything_if_wanted(config)?;
    let Loaded { key, attention } = key::load_or_make(&config.storage)?;
    let backup_key = config.backup.is_daily().then(|| key.clone());
    let model_files = models::Folder::now(&config.models.dir);
    let (store, analyzer) = tokio::join!(sealing::open(config, key), models::open(config));
    let store = match store {
        Ok(store) => store,
        Err(error) if sealing::is_beyond_repair(&error) => {
            return refuse(config, Part::Database, &error, metrics, &cancel).await;
        }
        Err(error) => return Err(error.context("the store cannot be opened")),
    };
    let analyzer = match analyzer {
        Ok(analyzer) => analyzer,
        Err(error) => return refuse(config, Part::Models(model_files), &error, metrics, &cancel).await,
    };
    reset::parts_if_wanted(&store, config).await?;
    let health = Arc::new(Health::default());
    if let Some(attention) = &attention {
        health.raise("storage.key", attention);
    }
    if let Some(vision::FallBack { from, why }) = analyzer.fallen_back() {
        health.raise("inference.provider", &format!("the processor is used in place of {from}: {why}"));
    }
    let analyzer = Arc::new(analyzer);
    let watched = Arc::clone(&analyzer);
    let appliance = assemble(config, clock, Arc::clone(&video), Arc::clone(&store), analyzer, &health).await?;
    accounts::ensure_admin(&appliance, &config.accounts, &config.storage.dir).await?;
    if config.host.allow_downgrade {
        health.raise("host.allow_downgrade", "earlier versions of the software are installed when they are signed");
    }
    let outbound = Outbound::new(config.outbound.policy()).context("no outbound client")?;

    let mut enabled = adapters::enabled(config, &appliance, &outbound, &health)?;
    health.expect(enabled.iter().map(|e| e.adapter.name()));
    health.set(MODELS, Component::Up);
    let console = Console::new(appliance.clone(), Arc::clone(&health), metrics);
    enabled.push(Enabled::served(Arc::new(console), config.console.place()));

    let mut tasks = start(config, &appliance, &enabled, &health, &cancel).await?;
    enabled.iter().for_each(|e| health.set(e.adapter.name(), Component::Up));
    tasks.spawn(retention::run(appliance.clone(), cancel.clone()));
    tasks.spawn(doors::run(appliance.clone(), cancel.clone()));
    tasks.spawn(vitals::report_readers(appliance.readers_changed(), Arc::clone(&health), cancel.clone()));
    tasks.spawn(vitals::report_settings(appliance.clone(), Arc::clone(&health), cancel.clone()));
    tasks.spawn(vitals::report_doors(appliance.clone(), Arc::clone(&health), cancel.clone()));
    tasks.spawn(vitals::report_progress(appliance.clone(), Arc::clone(&health), cancel.clone()));
    tasks.spawn(notices::run(appliance.clone(), cancel.clone()));
    tasks.spawn(readers::run(appliance.clone(), wired_readers(config), cancel.clone()));
    tasks.spawn(network::guard(appliance.clone(), cancel.clone()));
    let wellbeing = Arc::new(upgrades::Wellbeing { health: Arc::clone(&health), analyzer: watched });
    tasks.spawn(domain::upgrades::run(appliance.clone(), wellbeing, upgrades::terms(config), cancel.clone()));
    tasks.spawn(upgrades::report(appliance.clone(), Arc::clone(&health), cancel.clone()));
    tasks.spawn(resume_machine(appliance.clone(), cancel.clone()));
    tasks.spawn(vitals::report_storage(appliance.clone(), Arc::clone(&health), cancel.clone()));
    tasks.spawn(vitals::forget_former_storage(config.storage.dir.clone(), Arc::clone(&health), cancel.clone()));
    tasks.spawn(vitals::report_past(appliance.clone(), Arc::clone(&health), cancel.clone()));
    tasks.spawn(vitals::watch_database(Arc::clone(&store), Arc::clone(&health), cancel.clone()));
    tasks.spawn(upkeep::run(config, store, appliance.clone(), Arc::clone(&health), cancel.clone()));
    if let Some(key) = backup_key {
        tasks.spawn(backup::daily(config, key, appliance.clone(), Arc::clone(&health), cancel.clone()));
    }
    if print_recognitions {
        tasks.spawn(printing::print_recognitions(appliance.clone(), cancel.clone()));
    }
    notify(sd_notify::NotifyState::Ready);
    tracing::info!("serving");
    let died = tokio::select! {
        () = cancel.cancelled() => false,
        // The service manager starts it again, which resets the device.
        () = appliance.until_reset() => {
            tracing::warn!("ending, to be reset by the next start");
            false
        }
        // None of them ends by itself: the service manager starts a daemon that lost one anew.
        _ = tasks.join_next() => !cancel.is_cancelled(),
    };
    notify(sd_notify::NotifyState::Stopping);
    cancel.cancel();
    drain(tasks).await;
    video.close().await;
    ensure!(!died, "a part of the daemon died");
    Ok(())
}

/// Loads the gallery.
async fn assemble(
    config: &Config,
    clock: Arc<dyn Clock>,
    video: Arc<VideoSource>,
    store: Arc<Store>,
    analyzer: Arc<Analyzer>,
    health: &Health,
) -> Result<Appliance> {
    let objects = analyzer.objects().map(|objects| Arc::new(objects) as Arc<dyn ObjectDetector>);
    let ports = Ports {
        clock,
        frames: video.clone(),
        discovery: video,
        analyzer,
        objects,
        people: store.clone(),
        gallery: store.clone(),
        log: store.clone(),
        settings: store.clone(),
        tasks: store.clone(),
        adapters: store.clone(),
        pictures: store,
        host: machine(config, health),
    };
    let options = options(config)?;
    let loaded = tokio::task::spawn_blocking(move || Appliance::load(ports, options)).await?;
    loaded.context("the gallery cannot be loaded")
}

pub(crate) fn storage_limits(config: &Config) -> StorageLimits {
    let when_full = match config.storage.when_full {
        WhenFull::Overwrite => domain::WhenFull::Overwrite,
        WhenFull::Stop => domain::WhenFull::Stop,
    };
    StorageLimits { max_bytes: config.storage.max_bytes.as_u64(), when_full }
}

/// The folder for uploads, empty: what lies there from before is of no use.
fn uploads(storage: &Path) -> Result<PathBuf> {
    let dir = storage.join("uploads");
    let fresh = || -> std::io::Result<()> {
        if dir.exists() {
            std::fs::remove_dir_all(&dir)?;
        }
        std::fs::create_dir_all(&dir)
    };
    fresh().with_context(|| format!("{} cannot be emptied", dir.display()))?;
    Ok(dir)
}

/// The machine that the appliance acts on.
pub(crate) fn machine(config: &Config, health: &Health) -> Arc<dyn Host> {
    let relays = host::RelayMessages { on: config.door.relay_on.clone(), off: config.door.relay_off.clone() };
    match config.host.backend {
        HostBackend::Auto => {
            // The log tells why a line cannot be opened; everything else works without it.
            let alarm = |key: &str| health.raise(key, "the line cannot be opened, and the door with it");
            let contact = config.door.contact_line().map(|line| host::Contact::open(&line));
            let numbers = config.door.number_line().map(|line| host::Numbers::open(&line));
            let contact = contact.and_then(|opened| opened.inspect_err(|_| alarm("door.contact")).ok());
            let numbers = numbers.and_then(|opened| opened.inspect_err(|_| alarm("door.wiegand")).ok());
            let machine = host::Linux::new(relays, contact, numbers).reaching(config.outbound.policy());
            Arc::new(machine.with_places(places(config)))
        }
        HostBackend::Recording => {
            tracing::warn!("acts on the machine are recorded and not done");
            Arc::new(host::Recording::default().reaching(config.outbound.policy()))
        }
    }
}

fn places(config: &Config) -> host::Places {
    let places = host::Places::default();
    let spool = host::Spool { folder: upgrades::folder(config).join(upgrades::SPOOL), ..places.spool };
    host::Places { spool, ..places }
}

/// Has the machine follow the settings that it may have forgotten.
async fn resume_machine(appliance: Appliance, cancel: CancellationToken) {
    appliance.resume_machine().await;
    // A task that ended would be taken for one that died.
    cancel.cancelled().await;
}

/// The readers of codes, cards and documents.
fn wired_readers(config: &Config) -> Vec<Arc<dyn Reader>> {
    config.reader.iter().map(|reader| Arc::new(reader.line()) as Arc<dyn Reader>).collect()
}

fn options(config: &Config) -> Result<domain::Options> {
    Ok(domain::Options {
        name: config.device.name.clone(),
        serial: config.device.serial.clone().unwrap_or_else(serial::machine_id),
        time_zone: jiff::tz::TimeZone::get(&config.device.time_zone).context("device.time_zone")?,
        digest_realm: adapters::digest_realm(config).map(str::to_owned),
        doors: DoorOptions {
            max_age: Duration::from_millis(config.door.max_age_ms),
            relay_hold: Duration::from_millis(config.door.relay_hold_ms),
            alarm: config.door.alarm,
            own_door: !config.door.contact.is_empty() || !config.door.wiegand.is_empty(),
            photos_open: config.door.photos_open,
            turn_head: config.door.turn_head,
        },
        matching: matching(&config.vision),
        storage: storage_limits(config),
        upgrade_key: config.host.upgrade_key.clone(),
        allow_downgrade: config.host.allow_downgrade,
        upgrades: upgrades::folder(config),
        uploads: uploads(&config.storage.dir)?,
        sounds: SoundFolders { built_in: config.host.sounds.clone(), own: config.storage.dir.join("sounds") },
        initial_password: accounts::initial_password(&config.storage.dir),
        sip_id: config.sip.id.clone(),
        limits: domain::Limits {
            channels: config.channels(),
            computing_power: config.channels(),
            ..domain::Limits::default()
        },
    })
}

fn matching(vision: &config::Vision) -> domain::Matching {
    let config::Vision { thresholds_rise, thresholds_fall, each_look, .. } = *vision;
    domain::Matching { thresholds_rise, thresholds_fall, each_look }
}

/// Binds every listener and starts every task.
async fn start(
    config: &Config,
    appliance: &Appliance,
    enabled: &[Enabled],
    health: &Arc<Health>,
    cancel: &CancellationToken,
) -> Result<JoinSet<()>> {
    let mut listeners = Listeners::default();
    for Enabled { adapter, place, switch, other } in enabled {
        if let Some((name, address)) = other {
            listeners.name(name, *address);
        }
        if let (Some(place), Some(routes)) = (place, adapter.routes()) {
            listeners.add(*place, routes, adapter.unknown_path(), switch.clone()).await?;
        }
    }
    let mut tasks = JoinSet::new();
    serve_listeners(config, listeners, Some(appliance), health, &mut tasks, cancel).await?;
    for Enabled { adapter, .. } in enabled {
        tasks.spawn(supervise(Arc::clone(adapter), appliance.clone(), Arc::clone(health), cancel.clone()));
    }
    let sampling = surveillance::Options { detect_every: Duration::from_millis(config.vision.detect_every_ms) };
    tasks.spawn(surveillance::run(appliance.clone(), sampling, cancel.clone()));
    let (device, stop) = (appliance.clone(), cancel.clone());
    tasks.spawn(async move { device.describe_photos(stop).await });
    let (device, stop) = (appliance.clone(), cancel.clone());
    tasks.spawn(async move { device.keep_gallery_copy(stop).await });
    Ok(tasks)
}

/// Serves what the listeners have, with the device's own certificate where HTTPS is always served.
pub(crate) async fn serve_listeners(
    config: &Config,
    listeners: Listeners,
    appliance: Option<&Appliance>,
    health: &Arc<Health>,
    tasks: &mut JoinSet<()>,
    cancel: &CancellationToken,
) -> Result<()> {
    let certificate = if listeners.need_certificate() { Some(own_certificate(config).await?) } else { None };
    let surroundings = Surroundings {
        appliance: appliance.cloned(),
        certificate,
        health: Arc::clone(health),
        limits: config.http.limits(),
    };
    listeners.serve(surroundings, &config.storage.dir, tasks, cancel).await
}

/// The folder of the device's own certificate and key.
pub(crate) fn own_certificate_folder(config: &Config) -> PathBuf {
    config.storage.dir.join("tls").join("own")
}

async fn own_certificate(config: &Config) -> Result<OwnCertificate> {
    let (folder, name) = (own_certificate_folder(config), config.device.name.clone());
    let shown = folder.display().to_string();
    let made = tokio::task::spawn_blocking(move || adapter::own_certificate(folder, &name)).await?;
    let own = made.with_context(|| format!("the certificate in {shown} cannot be used"))?;
    tracing::info!(https.sha256 = own.fingerprint, "certificate for HTTPS");
    Ok(own)
}

/// Runs an adapter's task; when it panics or ends early it is started again, and an alarm stands until it has run for
/// ten minutes.
async fn supervise(adapter: Arc<dyn Adapter>, appliance: Appliance, health: Arc<Health>, cancel: CancellationToken) {
    const RESTART_DELAY: Duration = Duration::from_secs(1);
    const STABLE: Duration = Duration::from_secs(600);
    let (name, mut restarts) = (adapter.name(), 0_u32);
    let alarm = format!("adapter {name}");
    while !cancel.is_cancelled() {
        let (running, device, stop) = (Arc::clone(&adapter), appliance.clone(), cancel.clone());
        let mut task = JoinSet::new();
        task.spawn(async move { running.run(device, stop).await });
        let ended = match tokio::time::timeout(STABLE, task.join_next()).await {
            Ok(ended) => ended,
            Err(_) => {
                restarts = 0;
                health.clear(&alarm);
                task.join_next().await
            }
        };
        if cancel.is_cancelled() {
            break;
        }
        if let Some(Err(error)) = ended {
            tracing::error!(adapter.name = name, %error, "adapter task died, starting it again");
        }
        restarts += 1;
        health.raise(&alarm, &format!("its task ended {restarts} times and was started again"));
        let _ = cancel.run_until_cancelled(tokio::time::sleep(RESTART_DELAY)).await;
    }
}

/// Waits for every task, but not for ever.
pub(crate) async fn drain(mut tasks: JoinSet<()>) {
    let all = async { while tasks.join_next().await.is_some() {} };
    if tokio::time::timeout(DRAIN, all).await.is_err() {
        tracing::warn!(tasks.left = tasks.len(), "some tasks did not end in time");
    }
    tracing::info!("stopped");
}

/// Tells systemd, when it listens.
pub(crate) fn notify(state: sd_notify::NotifyState<'_>) {
    if let Err(error) = sd_notify::notify(&[state]) {
        tracing::warn!(%error, "systemd could not be notified");
    }
}
