//! The operators, each with what is checked before it runs.

use std::sync::Arc;

use futures_util::future::BoxFuture;

use crate::codes::{
    self, Refusal, add_persons, del_ad, del_person, delete_all, delete_persons, detect_face, edit_ad, edit_persons,
    edit_persons_new, get_audio, picture_search, push_ack, push_records, push_snaps, query_progress, scene_snap,
    search_list, search_person, set_time, show_qr_code, similarity, up_config, up_door, up_face, up_http, up_mqtt,
    up_sound, up_temperature, upgrade, voice_play,
};
use crate::device::Device;
use crate::ops::{batches, device, doors, http, people, pictures, records, screen, settings, sounds};
use crate::request::{Call, Outcome};
use crate::wire::Command;

type Run = fn(Call) -> BoxFuture<'static, Outcome>;

/// An operator.
pub(super) struct Operation {
    /// As answers name it.
    pub(super) name: &'static str,
    run: Run,
    /// Whether it runs at once, because pushes wait for it.
    pub(super) urgent: bool,
    /// Whether a repeated command is executed again, because that changes nothing.
    pub(super) repeatable: bool,
    /// The refusal of a command without an object `info`; `None` where the operator checks that itself.
    no_info: Option<Refusal>,
    /// The refusal of a command for another device; `None` where the document lets any device execute it.
    other_device: Option<Refusal>,
    /// The refusal of a packet of more than 1 MB; `None` where the document sets no limit.
    packet: Option<Refusal>,
    /// The refusal over a connection that is not trusted, of commands that open doors, remove people, restart or reset
    /// the device; `None` for all others.
    untrusted: Option<Refusal>,
}

impl Operation {
    /// Checks a command and executes it.
    pub(super) async fn perform(&self, device: &Arc<Device>, command: Command) -> Outcome {
        if let Some(refusal) = self.packet.filter(|_| command.oversized) {
            return Err(refusal.into());
        }
        if let Some(refusal) = self.untrusted {
            device.require_trust(refusal)?;
        }
        let info = command.fields();
        if let Some(refusal) = self.no_info.filter(|_| info.is_none()) {
            return Err(refusal.into());
        }
        if let Some(refusal) = self.other_device.filter(|_| !command.is_for(&device.id)) {
            return Err(refusal.into());
        }
        (self.run)(Call { device: Arc::clone(device), info: info.unwrap_or_default(), command }).await
    }

    /// Whether a message on the common topic confirms that this device is online.
    pub(super) fn is_online_ack(&self, command: &Command, id: &str) -> bool {
        self.name == ONLINE_ACK && command.fields().and_then(|info| info.device()).is_some_and(|named| named == id)
    }

    const fn urgent(self) -> Self {
        Self { urgent: true, ..self }
    }

    const fn repeatable(self) -> Self {
        Self { repeatable: true, ..self }
    }

    const fn guarded(self, refusal: Refusal) -> Self {
        Self { untrusted: Some(refusal), ..self }
    }

    const fn addressed(self, refusal: Refusal) -> Self {
        Self { other_device: Some(refusal), ..self }
    }

    const fn bounded(self, refusal: Refusal) -> Self {
        Self { packet: Some(refusal), ..self }
    }

    /// The operator checks `info` itself.
    const fn of_any_info(self) -> Self {
        Self { no_info: None, ..self }
    }
}

const ONLINE_ACK: &str = "Online-Ack";

/// The operator of this name, exactly spelt or else in any letter case.
pub(super) fn find(name: &str) -> Option<&'static Operation> {
    let name = if name.eq_ignore_ascii_case("ManualPushSaps") { "ManualPushSnaps" } else { name };
    let exact = OPERATIONS.iter().find(|operation| operation.name == name);
    exact.or_else(|| OPERATIONS.iter().find(|operation| operation.name.eq_ignore_ascii_case(name)))
}

const fn op(name: &'static str, no_info: Refusal, run: Run) -> Operation {
    Operation {
        name,
        run,
        urgent: false,
        repeatable: false,
        no_info: Some(no_info),
        other_device: None,
        packet: None,
        untrusted: None,
    }
}

/// All operators.
const OPERATIONS: &[Operation] = &[
    op("EditPerson", codes::edit_person::NO_INFO, |call| Box::pin(people::edit_person(call)))
        .bounded(codes::edit_person::PACKET),
    op("QueryPerson", codes::NO_INFO, |call| Box::pin(people::query_person(call))).repeatable(),
    op("SearchPerson", search_person::NO_INFO, |call| Box::pin(people::search_person(call)))
        .bounded(search_person::PACKET)
        .repeatable(),
    op("SearchPersonList", search_list::NO_INFO, |call| Box::pin(people::search_person_list(call)))
        .addressed(search_list::OTHER_DEVICE)
        .bounded(search_list::PACKET)
        .repeatable(),
    op("DelPerson", del_person::NO_INFO, |call| Box::pin(people::del_person(call))).guarded(del_person::NO_INFO),
    op("DeleteAllPerson", delete_all::NO_INFO, |call| Box::pin(people::delete_all_person(call)))
        .bounded(delete_all::PACKET)
        .guarded(delete_all::NO_INFO),
    op("DeletePersons", delete_persons::NO_INFO, |call| Box::pin(people::delete_persons(call)))
        .of_any_info()
        .guarded(delete_persons::NO_INFO),
    op("AddPersons", add_persons::NO_INFO, |call| Box::pin(batches::add_persons(call)))
        .of_any_info()
        .bounded(add_persons::PACKET),
    op("EditPersons", edit_persons::NO_INFO, |call| Box::pin(batches::edit_persons(call)))
        .of_any_info()
        .bounded(edit_persons::PACKET),
    op("EditPersonsNew", edit_persons_new::NO_INFO, |call| Box::pin(batches::edit_persons_new(call)))
        .of_any_info()
        .bounded(edit_persons_new::PACKET),
    op("QueryProgress", query_progress::NO_INFO, |call| Box::pin(batches::query_progress(call))).urgent().repeatable(),
    op("Upgrade", upgrade::NO_INFO, |call| Box::pin(device::upgrade(call)))
        .addressed(upgrade::OTHER_DEVICE)
        .guarded(upgrade::NO_INFO),
    op("Versions", codes::NO_INFO, |call| Box::pin(device::versions(call))).repeatable(),
    op("Getconfig", codes::NO_INFO, |call| Box::pin(settings::get_config(call))).repeatable(),
    op("Upconfig", up_config::NO_INFO, |call| Box::pin(settings::up_config(call))),
    op("GetSoundconfig", codes::NO_INFO, |call| Box::pin(settings::get_sound_config(call))).repeatable(),
    op("UpSoundconfig", up_sound::NO_INFO, |call| Box::pin(settings::up_sound_config(call))),
    op("GetTPTconfig", codes::NO_INFO, |call| Box::pin(settings::get_tpt_config(call))).repeatable(),
    op("UpTPTconfig", up_temperature::NO_INFO, |call| Box::pin(settings::up_tpt_config(call))),
    op("GetMQTTconfig", codes::NO_INFO, |call| Box::pin(settings::get_mqtt_config(call))).repeatable(),
    op("UpMQTTconfig", up_mqtt::NO_INFO, |call| Box::pin(settings::up_mqtt_config(call))),
    op("GetFaceconfig", codes::NO_INFO, |call| Box::pin(settings::get_face_config(call))).repeatable(),
    op("UpFaceconfig", up_face::NO_INFO, |call| Box::pin(settings::up_face_config(call)))
        .addressed(up_face::OTHER_DEVICE),
    op("Unlock", codes::UNLOCK_NO_INFO, |call| Box::pin(doors::unlock(call))).urgent().guarded(codes::NO_INFO),
    op("GetDoorconfig", codes::NO_INFO, |call| Box::pin(doors::get_door_config(call))).repeatable(),
    op("UpDoorconfig", up_door::NO_INFO, |call| Box::pin(doors::up_door_config(call))),
    op("GetHTTPconfig", codes::NO_INFO, |call| Box::pin(http::get_http_config(call))).repeatable(),
    op("UpHTTPconfig", up_http::NO_INFO, |call| Box::pin(http::up_http_config(call))),
    op("RebootDevice", codes::NO_INFO, |call| Box::pin(device::reboot_device(call))).guarded(codes::NO_INFO),
    op("GetSysTime", codes::NO_INFO, |call| Box::pin(device::get_sys_time(call))).repeatable(),
    op("SetSysTime", set_time::NO_INFO, |call| Box::pin(device::set_sys_time(call))),
    op("SetFactoryDefault", codes::NO_INFO, |call| Box::pin(device::set_factory_default(call))).guarded(codes::NO_INFO),
    op(ONLINE_ACK, codes::NO_INFO, |call| Box::pin(records::online_ack(call))).of_any_info().urgent().repeatable(),
    op("PushAck", push_ack::NO_INFO, |call| Box::pin(records::push_ack(call))).urgent().repeatable(),
    op("ManualPushRecords", push_records::NO_INFO, |call| Box::pin(records::manual_push_records(call)))
        .addressed(push_records::OTHER_DEVICE),
    op("ManualPushSnaps", push_snaps::NO_INFO, |call| Box::pin(records::manual_push_snaps(call)))
        .addressed(push_snaps::OTHER_DEVICE),
    op("EditAD", edit_ad::NO_INFO, |call| Box::pin(screen::edit_ad(call))).addressed(edit_ad::OTHER_DEVICE),
    op("DelAD", del_ad::NO_INFO, |call| Box::pin(screen::del_ad(call))),
    op("ShowQRCode", show_qr_code::NO_INFO, |call| Box::pin(screen::show_qr_code(call)))
        .addressed(show_qr_code::OTHER_DEVICE),
    op("GetAudio", get_audio::NO_INFO, |call| Box::pin(sounds::get_audio(call))).repeatable(),
    op("voiceplay", voice_play::NO_INFO, |call| Box::pin(sounds::voice_play(call))),
    op("GetSceneSnap", scene_snap::NO_INFO, |call| Box::pin(pictures::get_scene_snap(call)))
        .addressed(scene_snap::OTHER_DEVICE)
        .repeatable(),
    op("GetPictureSimilarity", similarity::NO_INFO, |call| Box::pin(pictures::get_picture_similarity(call)))
        .addressed(similarity::OTHER_DEVICE)
        .repeatable(),
    op("GetPictureSearch", picture_search::NO_INFO, |call| Box::pin(pictures::get_picture_search(call)))
        .addressed(picture_search::OTHER_DEVICE)
        .bounded(picture_search::PACKET)
        .repeatable(),
    op("DetectFaceFromPic", detect_face::NO_INFO, |call| Box::pin(pictures::detect_face_from_pic(call)))
        .addressed(detect_face::OTHER_DEVICE)
        .repeatable(),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operators_are_found_in_any_letter_case_and_by_their_misprints() {
        assert_eq!(find("editperson").map(|operation| operation.name), Some("EditPerson"));
        assert_eq!(find("ManualPushSaps").map(|operation| operation.name), Some("ManualPushSnaps"));
        assert!(find("GetNetConfig").is_none());
        let mut names: Vec<_> = OPERATIONS.iter().map(|operation| operation.name.to_ascii_lowercase()).collect();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), OPERATIONS.len());
    }
}
