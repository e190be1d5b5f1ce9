//! The contract with clients of the face box API: a scenario for every operation, which changes the device over a real
//! socket, reads it again and is held against the catalogue, and the refusals each names.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests panic like tests do")]

mod accounts;
mod cameras;
mod config;
mod device;
mod known_gaps;
mod libraries;
mod people;
mod pictures;
mod records;
mod sessions;
mod tasks;

use std::process::ExitCode;

use known_gaps::{KNOWN_GAPS, UNPROVOKED};
use testkit::contract::{Contract, Rules};

testkit::scenarios! {
    // The longest, so they begin first.
    records:
        what_tasks_saw_is_listed_and_removed,
        records_outlive_their_task_their_camera_and_their_person,
        queries_for_records_that_mean_nothing_are_refused;
    sessions:
        a_session_is_opened_with_the_md5_of_the_password,
        a_wrong_login_opens_nothing,
        calls_need_a_session,
        broken_bodies_are_refused,
        the_session_may_be_anywhere_in_a_large_body,
        pages_of_other_sites_log_nobody_in,
        what_is_no_path_is_not_implemented,
        a_session_ends_after_a_day_without_a_call;
    libraries:
        libraries_are_made_listed_and_removed,
        libraries_are_found_by_every_condition,
        a_library_that_is_missing_taken_or_watched_is_refused;
    accounts:
        accounts_are_made_changed_and_removed,
        an_account_known_by_its_md5_alone_logs_in_with_its_password_elsewhere,
        accounts_that_cannot_be_are_refused,
        accounts_may_do_what_their_role_allows;
    pictures:
        pictures_are_kept_shown_and_removed,
        the_session_of_an_upload_may_come_in_three_ways,
        what_is_no_picture_is_refused,
        metadata_of_a_file_is_not_kept,
        two_pictures_are_compared;
    people:
        people_are_enrolled_changed_and_removed,
        people_are_found_by_names_in_any_letter_case,
        people_are_found_by_every_condition,
        people_who_cannot_be_are_refused;
    cameras:
        cameras_are_added_changed_listed_and_removed,
        cameras_are_found_by_every_condition,
        cameras_of_the_network_are_found_and_asked_for_their_stream,
        invalid_cameras_are_refused;
    tasks:
        tasks_are_made_changed_and_removed,
        tasks_run_until_they_are_stopped_and_over_a_restart,
        tasks_are_found_by_every_condition,
        tasks_that_cannot_be_are_refused;
    config:
        the_storage_server_is_kept_and_reported;
}

fn main() -> ExitCode {
    let contract = Contract {
        catalogue: "facebox",
        rules: Rules::NONE,
        gaps: KNOWN_GAPS,
        unprovoked: Some(UNPROVOKED),
        scenarios: scenarios(),
    };
    contract.main()
}
