//! The contract with platforms and clients that speak the Sophon SE3 fog interface: a scenario for every operation, which
//! changes the device over a real socket, reads it again and is held against the catalogue, and the refusals it names.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests panic like tests do")]

mod access;
mod broker;
mod commands;
mod delivery;
mod device;
mod events;
mod ftp;
mod gates;
mod groups;
mod known_gaps;
mod later;
mod people;
mod permissions;
mod platform;
mod servers;
mod system;

use std::process::ExitCode;

use known_gaps::{KNOWN_GAPS, UNPROVOKED};
use testkit::contract::{Contract, Rules};

/// What the catalogue says in words only.
const RULES: Rules = Rules {
    // S-PERMID: "shows it as data.info.id in addition".
    added: &[("POST permissions", "data.info.id")],
    // S-ERRMAP: who calls, and what body is sent, is checked before the operation is known.
    common_codes: &[40000, 40001, 40002, 40091, 41300, 41591, 50072],
    ..Rules::NONE
};

testkit::scenarios! {
    // The longest, so they begin first.
    commands:
        people_come_from_the_platform_and_go,
        permission_groups_and_pictures_come_from_the_platform,
        what_is_no_command_holds_up_nothing,
        results_go_to_an_address_where_there_is_no_queue,
        the_device_tells_what_the_platform_wants,
        a_platform_of_the_first_version_is_told_of_single_cameras,
        the_device_logs_in_again,
        the_history_waits_for_the_login,
        a_refused_token_leads_to_a_new_login;
    delivery:
        commands_that_cannot_be_are_refused,
        a_command_that_comes_again_is_answered_once_more,
        a_command_that_is_cut_off_is_carried_out_after_the_restart,
        the_exchange_has_the_arguments_that_the_platform_names,
        commands_come_over_tls,
        a_broker_that_does_not_prove_its_name_gets_no_password;
    events:
        known_people_are_told_of_at_once,
        the_history_is_sent_until_the_servers_have_it,
        the_history_waits_for_a_server,
        events_are_sent_as_forms_too,
        the_status_is_reported_every_period;
    access:
        strangers_are_turned_away,
        web_pages_are_turned_away,
        a_login_is_needed_where_one_is_set,
        failed_logins_lock_the_address,
        broken_bodies_are_refused,
        settings_of_events_have_a_code_of_their_own_for_other_bodies,
        unknown_paths_and_methods_are_refused;
    permissions:
        permission_groups_are_made_changed_listed_and_removed,
        permission_groups_that_cannot_be_are_refused,
        a_permission_group_goes_with_its_people,
        doors_open_to_people_of_their_permission_group_only,
        a_camera_stays_reserved_when_its_permission_group_goes;
    groups:
        groups_are_made_changed_listed_and_removed,
        groups_that_cannot_be_are_refused,
        people_stay_when_their_group_goes,
        people_are_put_into_groups_and_taken_out;
    people:
        people_are_enrolled_changed_listed_and_removed,
        people_come_in_forms_too,
        known_people_are_overwritten_when_that_is_asked_for,
        people_are_found_page_by_page,
        people_who_cannot_be_are_refused,
        permission_groups_of_people_are_known_or_made;
    gates:
        the_reaction_reads_back,
        relays_are_switched_on,
        relays_are_switched_off_and_sound_alarms,
        the_mode_decides_what_follows_a_known_face,
        actions_that_cannot_be_are_refused;
    servers:
        addresses_for_events_and_status_read_back,
        addresses_that_cannot_be_are_refused;
    system:
        people_and_events_are_wiped,
        the_platform_of_the_device_reads_back;
    later:
        programs_for_later_versions_find_groups,
        the_registration_program_runs_in_its_order,
        devices_that_cannot_be_are_refused;
    ftp:
        pictures_that_cameras_upload_are_recorded,
        uploads_of_others_are_refused,
        failed_ftp_logins_lock_the_address;
}

fn main() -> ExitCode {
    let contract = Contract {
        catalogue: "sophon",
        rules: RULES,
        gaps: KNOWN_GAPS,
        unprovoked: Some(UNPROVOKED),
        scenarios: scenarios(),
    };
    contract.main()
}
