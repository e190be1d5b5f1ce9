//! New software (section 6.11).

use std::io::Cursor;
use std::sync::Arc;

use bytes::Bytes;
use domain::Options;
use minisign::KeyPair;
use serde_json::json;
use testkit::contract::Ledger;
use testkit::{ADMIN, Act};

use crate::witness::Witness;

/// More than a form may hold in memory.
const LARGE: usize = 45 << 20;

fn signed(content: &[u8], keys: &KeyPair) -> Bytes {
    signed_as("polyface 99.0.0", content, keys)
}

fn signed_as(comment: &str, content: &[u8], keys: &KeyPair) -> Bytes {
    let signature = minisign::sign(None, &keys.sk, Cursor::new(content), Some(comment), None).unwrap();
    [content, signature.into_string().as_bytes()].concat().into()
}

async fn device(ledger: &Arc<Ledger>, keys: Option<&KeyPair>, uploads: &tempfile::TempDir) -> Witness {
    let upgrade_key = keys.map(|keys| keys.pk.to_base64());
    let options = Options { upgrade_key, uploads: uploads.path().to_owned(), ..testkit::options() };
    Witness::start_of(ledger, options).await
}

fn left(uploads: &tempfile::TempDir) -> usize {
    std::fs::read_dir(uploads.path()).unwrap().count()
}

pub(crate) async fn a_signed_package_is_installed_and_ends_all_sessions(ledger: &Arc<Ledger>) {
    let (keys, uploads) = (KeyPair::generate_unencrypted_keypair().unwrap(), tempfile::tempdir().unwrap());
    let mut witness = device(ledger, Some(&keys), &uploads).await;
    let content: Vec<u8> = (0..LARGE).map(|at| (at / 1000) as u8).collect();
    witness.ok_form("upgrade", json!({}), &[("file", signed(&content, &keys))]).await;
    let acts = witness.device.handles.host.acts();
    assert!(
        matches!(&acts[..], [Act::Install(installed), Act::Restart] if *installed == content),
        "the package without its signature"
    );
    witness.refused("get_version", json!({}), -141).await;
    witness.device.log_in(ADMIN.1).await;
    assert_eq!(left(&uploads), 0);
    witness.stop().await;
}

pub(crate) async fn a_package_that_is_not_signed_changes_nothing(ledger: &Arc<Ledger>) {
    let (keys, uploads) = (KeyPair::generate_unencrypted_keypair().unwrap(), tempfile::tempdir().unwrap());
    let witness = device(ledger, Some(&keys), &uploads).await;
    let good = signed(b"the new software", &keys);
    let mut damaged = good.to_vec();
    damaged[3] ^= 1;
    let mut broken = good.to_vec();
    broken.truncate(good.len() - 100);
    let stranger = KeyPair::generate_unencrypted_keypair().unwrap();
    let cases = [
        Bytes::from_static(b"the new software"),
        Bytes::new(),
        damaged.into(),
        broken.into(),
        signed(b"the new software", &stranger),
        signed_as("polyface 0.0.1", b"the new software", &keys),
        signed_as("another product 99.0.0", b"the new software", &keys),
    ];
    for package in cases {
        witness.refused_form("upgrade", json!({}), &[("file", package)], -3603).await;
    }
    witness.refused("upgrade", json!({}), -3596).await;
    assert_eq!(witness.device.handles.host.acts(), []);
    witness.device.handles.host.forbid(true);
    witness.refused_form("upgrade", json!({}), &[("file", good.clone())], -3603).await;
    witness.stop().await;

    let keyless = device(ledger, None, &uploads).await;
    keyless.refused_form("upgrade", json!({}), &[("file", good)], -3603).await;
    assert_eq!((keyless.device.handles.host.acts(), left(&uploads)), (vec![], 0));
    keyless.stop().await;
}
