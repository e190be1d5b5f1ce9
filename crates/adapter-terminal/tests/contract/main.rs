//! The contract with the platforms of MQTT face terminals: a scenario for every operator and message delivered, each of
//! which changes the device over a real broker, reads it again and is held against the catalogue, and the refusals
//! each names.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests panic like tests do")]

mod batches;
mod damaged;
mod device;
mod doors;
mod hostile;
mod http;
mod interruptions;
mod known_gaps;
mod link;
mod machine;
mod people;
mod pictures;
mod readers;
mod records;
mod repeats;
mod screen;
mod settings;
mod sounds;
mod subscriber;
mod trust;
mod witness;

use std::process::ExitCode;

use known_gaps::{KNOWN_GAPS, UNPROVOKED};
use testkit::contract::{Contract, Rules};

testkit::scenarios! {
    link:
        the_device_says_that_it_comes_lives_and_goes,
        a_device_without_power_leaves_its_will,
        a_platform_confirms_on_either_topic;
    people:
        a_person_is_added_read_changed_and_removed,
        what_only_this_document_knows_of_a_person_is_kept,
        lists_of_people_meet_every_condition,
        a_person_that_cannot_be_stored_changes_nothing,
        a_refusal_names_the_field,
        pictures_are_fetched_only_as_the_document_allows,
        a_card_belongs_to_one_person,
        temporary_lists_read_back_as_set,
        lists_reach_to_the_ends_of_the_calendar_and_over_midnight,
        many_people_are_removed_at_once,
        all_people_are_removed_with_their_records,
        a_full_device_enrols_no_more_people;
    batches:
        people_are_added_by_the_addresses_of_their_pictures,
        people_are_changed_in_a_batch,
        people_are_added_or_changed_in_a_batch,
        a_batch_with_a_broken_frame_is_refused,
        one_batch_runs_at_a_time_and_says_so;
    interruptions:
        an_interrupted_batch_is_resumed,
        a_batch_that_was_not_answered_is_answered_after_the_restart;
    records:
        records_and_snapshots_are_pushed_until_confirmed,
        a_record_that_was_confirmed_after_a_push_on_demand_is_not_pushed,
        what_is_switched_off_is_not_pushed,
        records_of_a_period_are_pushed_again,
        confirmations_that_fit_nothing_are_refused;
    settings:
        system_settings_are_changed_in_parts_and_kept,
        sounds_and_texts_are_changed_in_parts,
        temperature_settings_have_an_old_name,
        reports_are_set_and_new_topics_connect_again,
        the_smallest_face_of_every_camera_follows,
        a_camera_s_own_values_take_precedence_until_they_are_reset,
        no_pictures_are_kept_when_the_platform_sets_that,
        the_place_to_resume_from_is_reported,
        faces_are_checked_for_liveness_when_the_platform_sets_that;
    doors:
        the_door_opens_by_the_rules_that_are_set,
        a_command_opens_the_door_where_commands_decide,
        an_opening_is_pushed_until_it_is_confirmed,
        the_platform_is_asked_before_the_door_opens,
        a_text_is_shown_without_opening_the_door,
        passes_are_counted;
    readers:
        scans_are_pushed_to_the_platform,
        scans_are_pushed_to_a_subscriber,
        scans_that_are_switched_off_are_not_pushed,
        a_card_opens_the_door_as_the_mode_has_it,
        numbers_of_people_who_enter_are_sent_to_a_controller,
        a_contact_that_opens_the_door_by_opening_is_closed_before;
    machine:
        the_version_and_the_time_are_reported,
        the_clock_is_set,
        the_machine_restarts,
        parts_are_reset_to_factory_settings,
        network_log_and_time_are_reset_too,
        packages_are_fetched_and_only_signed_ones_installed;
    pictures:
        two_faces_are_compared,
        people_are_searched_by_picture,
        faces_are_detected,
        a_camera_shows_its_scene;
    screen:
        advertisements_are_kept_and_removed,
        a_code_is_shown_and_hidden;
    sounds:
        sounds_are_listed_and_played,
        a_device_without_sounds_reports_that,
        the_person_before_the_device_hears_the_outcome;
    http:
        records_and_heartbeats_go_to_a_subscriber,
        a_password_is_for_one_subscriber_only,
        an_invalid_subscription_is_refused;
    hostile:
        #[alone]
        nothing_that_is_sent_breaks_the_link,
        answers_come_in_the_order_of_the_commands_and_each_once,
        records_of_an_outage_arrive_in_order_and_none_is_sent_after_its_confirmation,
        a_restarted_device_resumes,
        a_broker_that_refuses_the_password_is_named_as_the_reason,
        the_link_can_be_encrypted_and_trusts_only_the_certificates_given;
    trust:
        topics_that_no_broker_takes_are_refused,
        topics_with_which_nothing_connects_are_given_up,
        grave_commands_are_obeyed_only_where_the_broker_is_trusted;
    repeats:
        a_retained_command_is_not_executed_after_a_reconnect,
        a_retained_removal_of_all_people_starts_one_session,
        a_command_that_arrives_twice_is_executed_once_and_answered_twice,
        a_command_is_executed_again_after_another_one,
        a_platform_with_one_id_for_all_commands_is_served,
        questions_are_answered_afresh_however_often_they_come,
        a_redelivered_command_is_executed_once;
    damaged:
        what_stands_around_a_command_is_ignored,
        unreadable_characters_are_replaced_in_fields_that_do_not_identify_a_person,
        a_person_with_an_unreadable_id_is_not_enrolled_as_another,
        who_cannot_be_read_is_neither_found_nor_removed,
        of_a_batch_only_who_cannot_be_read_is_refused,
        a_command_whose_rest_cannot_be_read_is_answered;
}

fn main() -> ExitCode {
    let contract = Contract {
        catalogue: "mqtt_terminal",
        rules: Rules::NONE,
        gaps: KNOWN_GAPS,
        unprovoked: Some(UNPROVOKED),
        scenarios: scenarios(),
    };
    contract.main()
}
