//! The contract with SenseNebula-M clients: a scenario for every operation and event delivered, each of which changes
//! the device over a real socket, reads it again and is held against the catalogue, and the refusals each names.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests panic like tests do")]

mod batches;
mod cameras;
mod compare;
#[path = "../device/mod.rs"]
mod device;
mod events;
mod exports;
mod hostile;
mod known_gaps;
mod libraries;
mod people;
mod records;
mod sessions;
mod settings;
mod witness;

use std::sync::Arc;

use known_gaps::KNOWN_GAPS;
use testkit::contract::Ledger;

/// Makes a test of every scenario, and one of all together that draws the balance.
macro_rules! scenarios {
    ($($group:ident: $($name:ident),+;)+) => {
        $($(
            #[tokio::test]
            async fn $name() {
                $group::$name(&Arc::new(witness::open_ledger())).await;
            }
        )+)+

        async fn play_all(ledger: &Arc<Ledger>) {
            $($($group::$name(ledger).await;)+)+
        }
    };
}

scenarios! {
    sessions:
        a_user_logs_in_and_out,
        a_wrong_login_opens_nothing,
        calls_need_a_session,
        a_session_ends_after_half_an_hour_without_a_call;
    libraries:
        libraries_are_made_changed_listed_and_removed,
        libraries_are_found_by_every_condition,
        a_library_that_is_missing_taken_or_watched_is_refused,
        there_is_room_for_so_many_libraries;
    people:
        faces_are_enrolled_read_changed_and_removed,
        faces_are_enrolled_from_base64_with_or_without_an_id,
        faces_are_found_by_every_condition,
        a_photo_that_cannot_be_enrolled_changes_nothing,
        a_full_device_enrols_nobody,
        a_face_that_is_not_there_cannot_be_read_changed_or_removed;
    batches:
        faces_are_enrolled_by_their_file_names,
        a_batch_that_cannot_begin_changes_nothing,
        many_faces_are_removed_at_once;
    cameras:
        cameras_are_added_changed_listed_and_removed,
        a_camera_shows_whether_it_is_online,
        invalid_face_sizes_count_as_the_defaults,
        cameras_that_cannot_be_are_refused;
    records:
        captures_and_alarms_are_listed_with_their_pictures,
        records_are_found_by_every_condition,
        all_records_are_removed_and_faces_stay;
    exports:
        faces_are_exported_and_taken_back,
        captures_and_alarms_are_exported,
        what_cannot_be_exported_is_refused;
    compare:
        faces_in_a_picture_are_described,
        two_pictures_are_compared,
        a_picture_is_searched_for_in_libraries,
        pictures_that_cannot_be_compared_are_refused;
    settings:
        the_version_and_the_push_receiver_are_read;
    events:
        captures_and_heartbeats_are_pushed,
        subscribers_see_every_capture,
        a_subscription_needs_the_key;
    hostile:
        fields_of_any_wrong_type_change_nothing,
        broken_bodies_change_nothing;
}

#[tokio::test]
async fn every_operation_and_event_of_the_catalogue_is_played_or_a_known_gap() {
    let ledger = Arc::new(witness::open_ledger());
    play_all(&ledger).await;
    match ledger.balance(KNOWN_GAPS) {
        Ok(counts) => println!("{counts}"),
        Err(faults) => panic!("{}", faults.join("\n")),
    }
}
