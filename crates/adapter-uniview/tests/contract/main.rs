//! The contract with platforms that speak the Uniview edge interface: a scenario for every operation, which changes the
//! device over a real socket with an ordinary digest client, reads it again and is held against the catalogue, and the
//! refusals and pushes it names.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests panic like tests do")]

mod channels;
mod clothes;
mod device;
mod docking;
mod extended;
mod known_gaps;
mod libraries;
mod login;
mod people;
mod platform;
mod pushes;
mod searches;
mod smart;
mod system;
mod videos;

use std::process::ExitCode;

use known_gaps::{KNOWN_GAPS, UNPROVOKED};
use testkit::contract::{Contract, Rules};

testkit::scenarios! {
    // The longest, so they begin first.
    videos:
        videos_follow_their_alarms,
        faces_in_alarms_are_compared;
    pushes:
        faces_are_pushed_in_order_until_they_are_acknowledged,
        faces_are_compared_where_the_channel_watches_for_somebody,
        a_platform_that_is_down_holds_back_no_other,
        alarms_and_their_ends_are_pushed_and_found,
        changes_of_channels_are_pushed,
        keep_alives_are_sent_every_interval;
    searches:
        captures_are_found_by_every_condition,
        searches_that_mean_nothing_are_refused;
    login:
        a_request_without_a_digest_gets_the_challenge_of_the_document,
        a_nonce_serves_many_requests_and_connections,
        a_captured_request_cannot_be_replayed,
        a_nonce_is_replaced_after_five_minutes,
        clients_use_nonces_of_their_own_side_by_side,
        the_path_may_be_proved_without_its_query,
        wrong_logins_are_refused_and_lock_the_user,
        pages_of_other_sites_are_refused,
        users_may_do_what_their_role_allows,
        unknown_paths_and_methods_are_refused,
        broken_bodies_are_refused;
    libraries:
        libraries_are_made_renamed_listed_and_removed,
        a_library_goes_with_its_people_and_from_what_is_watched_for,
        libraries_that_cannot_be_are_refused;
    people:
        people_are_enrolled_changed_listed_and_removed,
        people_are_imported_one_by_one,
        people_are_found_by_every_condition,
        people_who_cannot_be_are_refused;
    channels:
        channels_are_added_changed_listed_and_removed,
        an_onvif_camera_is_asked_for_its_streams_and_one_is_chosen,
        channels_are_imported_one_by_one,
        a_field_may_come_under_both_of_its_names,
        a_chosen_stream_and_its_transport_are_kept,
        channels_that_cannot_be_are_refused;
    smart:
        faces_are_analysed_when_a_task_says_so,
        a_threshold_alone_is_shown,
        rules_follow_their_tasks,
        rules_stay_when_the_kind_of_camera_changes,
        detours_are_shown_where_they_were_set,
        the_arming_plan_reads_back,
        tasks_that_cannot_be_are_refused,
        every_algorithm_that_is_listed_runs,
        what_newer_firmware_adds_is_answered;
    extended:
        extended_settings_and_parameters_read_back,
        entries_of_one_channel_add_up;
    clothes:
        work_clothes_are_kept_listed_and_removed,
        a_library_goes_from_the_tasks_that_name_it,
        work_clothes_that_cannot_be_are_refused;
    docking:
        platforms_and_intervals_read_back,
        the_interval_of_a_channel_goes_with_it,
        platforms_that_cannot_be_are_refused;
    system:
        the_device_presents_itself,
        a_device_that_cannot_be_read_or_set_says_so,
        a_signed_package_is_installed_and_anything_else_is_not,
        one_upgrade_runs_at_a_time;
}

/// Quirk "6.1 detour_area".
const ADDED: &[(&str, &str)] =
    &[("/api/v2/smart/list", "smart_list[].detour_area"), ("/api/v2/smart/list", "smart_list[].graphs[].detour_area")];

fn main() -> ExitCode {
    let contract = Contract {
        catalogue: "uniview",
        rules: Rules { added: ADDED, ..Rules::NONE },
        gaps: KNOWN_GAPS,
        unprovoked: Some(UNPROVOKED),
        scenarios: scenarios(),
    };
    contract.main()
}
