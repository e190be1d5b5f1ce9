//! The operations, one function each, and the table that leads from the message number to them.

mod batches;
mod cameras;
mod compare;
mod device;
mod exports;
mod https;
mod libraries;
mod network;
mod people;
mod push;
mod records;
mod relays;
mod time;
mod upgrade;

pub(crate) use https::resume as resume_https;
pub(crate) use push::{Receiver, receiver};

use domain::{Account, Role};
use futures_util::future::BoxFuture;
use serde::Serialize;

use crate::call::{Call, success};
use crate::codes::{Code, Fault};
use crate::session;

/// A message the device answers.
pub(crate) struct Operation {
    msg_id: i64,
    /// What a caller must at least be; `None`: no session needed.
    role: Option<Role>,
    /// Does it and gives the body of the answer.
    pub(crate) run: fn(Call) -> BoxFuture<'static, Result<Vec<u8>, Fault>>,
}

impl Operation {
    /// Lets those in who may do this.
    pub(crate) fn admit(&self, account: Option<&Account>) -> Result<(), Fault> {
        match (self.role, account) {
            (None, _) => Ok(()),
            (Some(_), None) => Err(Code::NotLoggedIn.into()),
            (Some(needed), Some(account)) if account.role >= needed => Ok(()),
            (Some(_), Some(_)) => Err(Code::NoPermission.into()),
        }
    }
}

/// The message that brings a large file.
pub(crate) const UPLOAD: &str = "1292";

/// Who may bring one.
pub(crate) fn may_upload(account: &Account) -> bool {
    account.role >= Role::Admin
}

/// The operation of a message.
pub(crate) fn find(msg_id: i64) -> Option<&'static Operation> {
    OPERATIONS.iter().find(|operation| operation.msg_id == msg_id)
}

type Run = fn(Call) -> BoxFuture<'static, Result<Vec<u8>, Fault>>;

const fn open(msg_id: i64, run: Run) -> Operation {
    Operation { msg_id, role: None, run }
}

const fn read(msg_id: i64, run: Run) -> Operation {
    Operation { msg_id, role: Some(Role::Viewer), run }
}

const fn change(msg_id: i64, run: Run) -> Operation {
    Operation { msg_id, role: Some(Role::Operator), run }
}

const fn administer(msg_id: i64, run: Run) -> Operation {
    Operation { msg_id, role: Some(Role::Admin), run }
}

const OPERATIONS: &[Operation] = &[
    open(257, |call| answer(session::login(call))),
    read(258, |call| answer(session::logout(call))),
    read(1028, |call| answer(libraries::list_libs(call))),
    change(1025, |call| answer(libraries::add_lib(call))),
    change(1026, |call| answer(libraries::delete_lib(call))),
    change(1027, |call| answer(libraries::update_lib(call))),
    read(1034, |call| answer(libraries::query_libs(call))),
    read(1032, |call| answer(people::get_face(call))),
    change(1029, |call| answer(people::add_face(call))),
    change(1051, |call| answer(people::add_face_base64(call))),
    change(1031, |call| answer(people::delete_face(call))),
    change(1030, |call| answer(batches::add_faces_batch(call))),
    change(1052, |call| answer(batches::add_faces_batch_base64(call))),
    change(1044, |call| answer(batches::delete_faces_batch(call))),
    change(1033, |call| answer(people::update_face(call))),
    read(1035, |call| answer(people::query_faces(call))),
    read(1036, |call| answer(records::query_alarms(call))),
    read(1037, |call| answer(records::query_snaps(call))),
    change(1045, |call| answer(records::delete_all_snaps(call))),
    read(1038, |call| answer(exports::export_faces_page(call))),
    read(1041, |call| answer(exports::export_faces_selected(call))),
    read(1040, |call| answer(exports::export_snaps_page(call))),
    read(1043, |call| answer(exports::export_snaps_selected(call))),
    read(1039, |call| answer(exports::export_alarms_page(call))),
    read(1042, |call| answer(exports::export_alarms_selected(call))),
    read(1046, |call| answer(records::query_body_snaps(call))),
    read(1048, |call| answer(exports::export_body_snaps_page(call))),
    read(1047, |call| answer(exports::export_body_snaps_selected(call))),
    read(516, |call| answer(cameras::list_cameras(call))),
    change(513, |call| answer(cameras::add_camera(call))),
    change(515, |call| answer(cameras::update_camera(call))),
    change(514, |call| answer(cameras::delete_camera(call))),
    read(1310, |call| answer(cameras::get_sip_server_id(call))),
    read(769, |call| answer(compare::detect_face(call))),
    read(779, |call| answer(compare::detect_face_base64(call))),
    read(782, |call| answer(compare::detect_faces(call))),
    read(771, |call| answer(compare::compare_1_to_1(call))),
    read(781, |call| answer(compare::compare_1_to_1_base64(call))),
    read(772, |call| answer(compare::compare_1_to_n(call))),
    read(780, |call| answer(compare::compare_1_to_n_base64(call))),
    read(1537, |call| answer(relays::list_relays(call))),
    change(1538, |call| answer(relays::add_relay(call))),
    change(1539, |call| answer(relays::delete_relay(call))),
    read(1281, |call| answer(device::get_version(call))),
    read(1291, |call| answer(time::get_ntp(call))),
    administer(1290, |call| answer(time::set_ntp(call))),
    read(1288, |call| answer(device::get_storage(call))),
    administer(1287, |call| answer(device::set_storage(call))),
    read(1283, |call| answer(time::get_time(call))),
    administer(1282, |call| answer(time::set_time(call))),
    read(1297, |call| answer(network::get_network(call))),
    administer(1296, |call| answer(network::set_network(call))),
    administer(1295, |call| answer(network::set_default_port(call))),
    administer(1292, |call| answer(upgrade::upgrade(call))),
    administer(1302, |call| answer(https::upload_https_file(call))),
    administer(1303, |call| answer(https::delete_https_file(call))),
    administer(1304, |call| answer(https::get_https_files(call))),
    administer(1305, |call| answer(https::switch_https(call))),
    read(1306, |call| answer(https::get_https_state(call))),
    administer(1294, |call| answer(device::reboot(call))),
    read(1301, |call| answer(device::get_device_id(call))),
    administer(1300, |call| answer(device::set_device_id(call))),
    administer(1317, |call| answer(device::restore_defaults(call))),
    administer(1315, |call| answer(device::enable_web(call))),
    administer(1316, |call| answer(device::disable_web(call))),
    read(1313, |call| answer(device::get_cpu(call))),
    read(1314, |call| answer(device::get_memory(call))),
    read(1286, |call| answer(push::get_ws_key(call))),
    administer(1298, |call| answer(push::set_http_push(call))),
    administer(1299, |call| answer(push::get_http_push(call))),
];

fn answer<T: Serialize>(
    work: impl Future<Output = Result<T, Fault>> + Send + 'static,
) -> BoxFuture<'static, Result<Vec<u8>, Fault>> {
    Box::pin(async { success(work.await?) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::{AccountId, Timestamp};

    fn account(role: Role) -> Account {
        Account { id: AccountId(1), name: "a".into(), role, created_at: Timestamp::from_millis(0) }
    }

    fn refusal(msg_id: i64, account: Option<Role>) -> Option<Code> {
        find(msg_id).unwrap().admit(account.map(self::account).as_ref()).err().map(|fault| fault.code)
    }

    #[test]
    fn every_message_has_one_operation() {
        let mut numbers: Vec<_> = OPERATIONS.iter().map(|operation| operation.msg_id).collect();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), OPERATIONS.len());
        assert!(find(9999).is_none());
    }

    #[test]
    fn a_stranger_may_only_log_in() {
        assert_eq!(refusal(257, None), None);
        assert_eq!(refusal(1028, None), Some(Code::NotLoggedIn));
    }

    #[test]
    fn a_viewer_reads_an_operator_changes_an_admin_sets_up() {
        assert_eq!(refusal(1028, Some(Role::Viewer)), None);
        assert_eq!(refusal(1025, Some(Role::Viewer)), Some(Code::NoPermission));
        assert_eq!(refusal(1025, Some(Role::Operator)), None);
        assert_eq!(refusal(1298, Some(Role::Operator)), Some(Code::NoPermission));
        assert_eq!(refusal(1298, Some(Role::Admin)), None);
    }
}
