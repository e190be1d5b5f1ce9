//! The contract with SenseNebula-M clients: a scenario for every operation and event delivered, each of which changes
//! the device over a real socket, reads it again and is held against the catalogue, and the refusals each names.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests panic like tests do")]

mod batches;
mod bodies;
mod camera_kinds;
mod cameras;
mod compare;
#[path = "../device/mod.rs"]
mod device;
mod device_box;
mod events;
mod exports;
mod hostile;
mod https;
mod known_gaps;
mod libraries;
mod network;
mod people;
mod records;
mod relays;
mod sessions;
mod settings;
mod time;
mod upgrade;
mod witness;

use std::process::ExitCode;

use known_gaps::KNOWN_GAPS;
use testkit::contract::Contract;

testkit::scenarios! {
    sessions:
        a_user_logs_in_and_out,
        a_wrong_login_opens_nothing,
        calls_need_a_session,
        a_viewer_may_look_and_export_but_change_nothing,
        a_device_that_cannot_write_says_so,
        a_session_ends_after_half_an_hour_without_a_call;
    libraries:
        libraries_are_made_changed_listed_and_removed,
        libraries_are_found_by_every_condition,
        a_library_that_is_missing_taken_or_watched_is_refused,
        the_number_of_libraries_is_limited;
    people:
        faces_are_enrolled_read_changed_and_removed,
        faces_are_enrolled_from_base64_with_or_without_an_id,
        faces_are_found_by_every_condition,
        a_photo_that_cannot_be_enrolled_changes_nothing,
        a_full_device_enrols_no_more_people,
        a_face_that_is_not_there_cannot_be_read_changed_or_removed;
    batches:
        faces_are_enrolled_by_their_file_names,
        a_batch_that_cannot_begin_changes_nothing,
        many_faces_are_removed_at_once;
    cameras:
        cameras_are_added_changed_listed_and_removed,
        a_camera_shows_whether_it_is_online,
        invalid_face_sizes_count_as_the_defaults,
        a_region_is_listed_in_whole_pixels_and_accepted_back,
        invalid_cameras_are_refused;
    camera_kinds:
        a_camera_of_every_kind_is_added_changed_listed_and_removed,
        a_camera_of_every_kind_shows_whether_it_is_online,
        every_kind_takes_its_computing_power,
        the_kind_of_a_camera_cannot_be_changed,
        fields_that_a_kind_needs_are_required,
        the_device_reports_its_sip_id;
    relays:
        relays_are_bound_to_cameras_and_switched_for_known_people,
        invalid_relays_are_refused;
    records:
        captures_and_alarms_are_listed_with_their_pictures,
        records_are_found_by_every_condition,
        all_records_are_removed_and_faces_stay;
    bodies:
        bodies_are_listed_and_exported_apart_from_faces,
        until_bodies_are_captured_there_is_nothing_to_list_or_export;
    exports:
        faces_are_exported_and_imported_again,
        captures_and_alarms_are_exported,
        what_cannot_be_exported_is_refused;
    compare:
        faces_in_a_picture_are_described,
        two_pictures_are_compared,
        a_picture_is_searched_for_in_libraries,
        pictures_that_cannot_be_compared_are_refused;
    device_box:
        the_storage_policy_is_changed_and_kept,
        a_restart_ends_all_sessions_and_nothing_else,
        what_the_machine_does_not_permit_is_an_internal_error,
        the_device_id_is_changed_and_kept,
        the_management_page_is_closed_and_opened,
        processor_and_memory_are_reported,
        a_restored_device_has_the_settings_of_a_new_one,
        a_restored_device_whose_machine_did_not_follow_tries_again;
    time:
        the_time_server_is_set_in_parts,
        the_clock_runs_on_from_where_it_is_set,
        an_offset_is_the_same_all_the_year,
        a_clock_that_follows_a_server_takes_only_the_zone;
    network:
        a_port_that_is_reached_on_its_new_address_stays,
        a_port_that_is_not_reached_is_reverted,
        a_change_that_a_crash_interrupts_is_undone_at_the_start,
        default_port_and_name_servers_are_set,
        settings_that_would_cut_the_device_off_are_refused;
    upgrade:
        a_signed_package_is_installed_and_ends_all_sessions,
        a_package_that_is_not_signed_changes_nothing;
    https:
        files_for_https_are_kept_named_and_removed,
        the_device_switches_only_with_a_certificate_that_serves,
        an_encrypted_device_is_served_over_https_alone_and_over_a_restart,
        a_full_disk_leaves_the_device_served_as_it_is,
        switching_loses_no_running_request,
        subscriptions_end_with_the_mode_and_start_again_in_the_other;
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

fn main() -> ExitCode {
    let contract = Contract {
        catalogue: "sensetime",
        rules: witness::RULES,
        gaps: KNOWN_GAPS,
        unprovoked: None,
        scenarios: scenarios(),
    };
    contract.main()
}
