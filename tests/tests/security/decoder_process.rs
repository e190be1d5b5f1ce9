//! Each camera is decoded in a process of its own, which has no rights but its pipe; one that dies is replaced.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::Duration;

use polyface_tests::{Device, SenseTime, eventually_within};
use testkit::clip::{Codec, Shape};
use testkit::rtsp::{RtspOptions, RtspServer};

const SOON: Duration = Duration::from_secs(60);

async fn start(decoder_process: bool) -> Device {
    let section = format!("[video]\ndecoder_process = {decoder_process}\n");
    Device::start_changed(|text| text.replace("[video]\n", &section)).await
}

/// The decoder processes of a daemon, by the command line that they have; zombies are counted, too.
fn decoders(daemon: u32) -> Vec<u32> {
    let tasks = fs::read_dir(format!("/proc/{daemon}/task")).into_iter().flatten().flatten();
    let children = tasks.filter_map(|task| fs::read_to_string(task.path().join("children")).ok());
    let ids: Vec<u32> =
        children.flat_map(|ids| ids.split(' ').filter_map(|id| id.parse().ok()).collect::<Vec<_>>()).collect();
    let is_decoder = |id: &u32| fs::read(format!("/proc/{id}/cmdline")).is_ok_and(|line| is_decoding(&line));
    ids.into_iter().filter(is_decoder).collect()
}

fn is_decoding(command_line: &[u8]) -> bool {
    command_line.is_empty() || command_line.starts_with(b"polyfaced\0decode\0")
}

async fn wait_for_status(client: &SenseTime, channel: i64, status: i64) {
    eventually_within(SOON, "the camera's status", async || {
        (client.camera(channel).await?["status"] == status).then_some(())
    })
    .await;
}

async fn cameras(device: &Device, count: usize) -> (Vec<i64>, RtspServer) {
    let client = device.log_in().await;
    let film = testkit::clip::pattern(&device.storage(), Shape::small(Codec::H264), 3).unwrap();
    let server = RtspServer::start(&[&film], &RtspOptions::default()).unwrap();
    let mut channels = Vec::new();
    for number in 0..count {
        // A URL is one camera.
        let url = format!("{}?camera={number}", server.url());
        channels.push(client.add_camera(&format!("camera {number}"), &url, 1).await);
    }
    for channel in &channels {
        wait_for_status(&client, *channel, 1).await;
    }
    (channels, server)
}

fn assert_has_no_rights(process: u32) {
    for task in fs::read_dir(format!("/proc/{process}/task")).unwrap() {
        let status = fs::read_to_string(task.unwrap().path().join("status")).unwrap();
        assert!(status.contains("Seccomp:\t2") && status.contains("NoNewPrivs:\t1"), "{status}");
    }
    for descriptor in fs::read_dir(format!("/proc/{process}/fd")).unwrap() {
        let target = fs::read_link(descriptor.unwrap().path()).unwrap().display().to_string();
        let known = ["socket:", "pipe:", "anon_inode:", "/memfd:picture", "/dev/null"];
        assert!(known.iter().any(|known| target.starts_with(known)), "{target}");
    }
    assert_has_no_network(process);
    let environment = fs::read_to_string(format!("/proc/{process}/environ")).unwrap();
    let mut names = environment.split('\0').filter_map(|variable| Some(variable.split_once('=')?.0));
    assert!(names.all(|name| !["HOME", "PATH"].contains(&name)), "{environment}");
}

/// Its sockets are the one to the daemon and pairs of gstreamer's, which have no name and no address.
fn assert_has_no_network(process: u32) {
    let files = fs::read_dir(format!("/proc/{process}/fd")).unwrap().flatten();
    let files = files.filter_map(|file| Some(fs::read_link(file.path()).ok()?.display().to_string()));
    let is_own = |file: &str| Some(file.strip_prefix("socket:[")?.strip_suffix(']')?.to_owned());
    let sockets: BTreeSet<String> = files.filter_map(|file| is_own(&file)).collect();
    let local = fs::read_to_string(format!("/proc/{process}/net/unix")).unwrap();
    // Num RefCount Protocol Flags Type St Inode Path
    let local = local.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let unnamed: BTreeSet<String> =
        local.filter(|fields| fields.len() == 7).map(|fields| fields[6].to_owned()).collect();
    assert!(!sockets.is_empty() && sockets.is_subset(&unnamed), "{sockets:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn each_camera_is_decoded_by_a_process_without_rights_and_none_outlives_the_daemon() {
    let mut device = start(true).await;
    let (_, _server) = cameras(&device, 4).await;
    let processes = decoders(device.pid());
    assert_eq!(processes.len(), 4, "{processes:?}");
    processes.iter().for_each(|process| assert_has_no_rights(*process));

    assert!(device.terminate().success());
    for process in processes {
        let line = fs::read(format!("/proc/{process}/cmdline"));
        assert!(!line.is_ok_and(|line| is_decoding(&line)), "{process} outlives the daemon");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_decoder_process_that_is_killed_is_replaced() {
    let device = start(true).await;
    let (channels, _server) = cameras(&device, 1).await;
    let client = device.log_in().await;
    let [process] = decoders(device.pid())[..] else { panic!("one process") };
    assert!(Command::new("kill").args(["-9", &process.to_string()]).status().unwrap().success());
    eventually_within(SOON, "the log says why", async || {
        device.log().contains("the decoder process was ended by signal 9").then_some(())
    })
    .await;
    eventually_within(SOON, "another process decodes", async || {
        let processes = decoders(device.pid());
        (processes.len() == 1 && !processes.contains(&process)).then_some(())
    })
    .await;
    wait_for_status(&client, channels[0], 1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_daemon_that_is_killed_leaves_no_process() {
    let mut device = start(true).await;
    let (_, _server) = cameras(&device, 1).await;
    let [process] = decoders(device.pid())[..] else { panic!("one process") };
    device.kill();
    eventually_within(SOON, "the process ends with its socket", async || {
        let line = fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
        (!line.starts_with(b"polyfaced\0decode\0")).then_some(())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_owner_may_have_cameras_decoded_in_the_daemon() {
    let device = start(false).await;
    let (_, _server) = cameras(&device, 1).await;
    assert_eq!(decoders(device.pid()), Vec::<u32>::new());
}
