//! Tests of every store, run on the store in memory and on the real one.
//!
//! `testkit::store_suite!(open)` defines one test per function; `open` returns a guard of the store's place, and the
//! store.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

pub mod adapters;
pub mod cameras;
pub mod clips;
pub mod entries;
pub mod erasure;
pub mod gallery;
pub mod libraries;
pub mod people;
pub mod people_lists;
pub mod permissions;
pub mod pictures;
pub mod records;
pub mod relays;
pub mod removals;
pub mod rules;
pub mod samples;
pub mod settings;
pub mod tasks;
pub mod templates;

use domain::ports::{AdapterState, GalleryStore, LogStore, PersonStore, Pictures, SettingsStore, TaskStore};

/// Everything a store must implement.
pub trait Stores: PersonStore + GalleryStore + LogStore + TaskStore + SettingsStore + AdapterState + Pictures {}

impl<T> Stores for T where T: PersonStore + GalleryStore + LogStore + TaskStore + SettingsStore + AdapterState + Pictures
{}

/// Defines a test for every function of the suite.
#[macro_export]
macro_rules! store_suite {
    ($open:path) => {
        $crate::store_suite! {
            $open;
            libraries {
                the_built_in_library_exists_and_cannot_be_removed
                a_library_reads_back_as_created
                a_library_name_is_unique
                a_change_of_a_library_keeps_other_fields
                libraries_are_found_by_id_name_and_kind
                a_library_counts_its_people
                removing_a_library_removes_people_who_are_in_no_other
                a_watched_library_cannot_be_removed
                a_library_id_is_never_reused
            }
            people {
                everybody_is_removed_and_libraries_stay
                a_person_reads_back_as_enrolled
                every_category_and_validity_reads_back
                a_person_needs_existing_libraries
                a_code_is_unique
                a_card_number_belongs_to_one_person
                a_person_needs_a_stored_photo
                a_profile_changes_as_a_whole
                counted_passes_are_used_up
                a_refused_change_changes_nothing
                another_photo_replaces_the_former_one
                a_person_moves_between_libraries
                unknown_people_are_not_found
                a_removed_person_leaves_nothing
                a_shared_photo_outlives_one_of_its_people
                a_photo_put_again_survives_the_removal_of_its_last_person
                a_person_id_is_never_reused
                templates_carry_memberships_and_their_own_model_only
            }
            erasure {
                an_erased_person_is_named_nowhere
                an_erased_person_is_found_by_no_filter
                an_entry_appended_after_the_removal_names_nobody
            }
            templates {
                a_new_model_has_no_templates_until_they_are_put
                a_photo_without_a_usable_face_is_recorded
                the_templates_of_other_models_stay
                an_embedding_is_of_the_requested_model_or_the_latest
                a_removed_person_leaves_no_template_of_any_model
                people_are_enrolled_once_the_model_in_use_has_their_template
                a_person_without_a_template_is_kept_with_the_reason
            }
            gallery {
                the_generation_counts_changes_of_the_gallery_only
                a_copy_is_read_back_for_its_own_model_and_generation_only
                a_copy_may_be_replaced_and_removed
                a_copy_of_a_former_generation_is_not_stored
                a_reader_of_a_copy_may_refuse_it
            }
            people_lists {
                people_come_newest_first_page_by_page
                each_condition_finds_its_people
                conditions_are_combined
                any_one_field_suffices
                names_are_found_in_any_letter_case_and_encoding
                empty_conditions_match_all_people
            }
            records {
                a_record_reads_back_as_appended
                every_verdict_and_expression_reads_back
                records_are_numbered_in_order
                the_log_is_read_from_any_place
                a_capture_is_recorded_only_once
                a_record_needs_its_pictures
                a_record_without_pictures_needs_none
                records_come_newest_capture_first_page_by_page
                each_condition_finds_its_records
                conditions_on_records_are_combined
                a_spoof_matches_no_person
                a_record_outlives_its_camera_and_its_person
            }
            clips {
                a_clip_settles_its_behaviour_once
                a_clip_is_removed_with_its_behaviour
                behaviours_are_found_by_the_faces_compared
            }
            entries {
                an_entry_of_every_kind_reads_back
                entries_are_read_by_kind
                places_are_found_by_time
                behaviours_are_found_by_each_condition
                a_notice_stands_until_it_is_cleared
                a_correction_needs_its_record_and_is_removed_with_it
                openings_for_people_are_removed_by_age
                entries_of_all_kinds_are_removed_up_to_a_place
            }
            removals {
                the_oldest_records_are_removed_with_their_pictures
                records_are_removed_up_to_a_place_in_the_log
                records_of_a_kind_are_removed_by_age
                records_from_before_a_time_are_not_removed_by_age
                misdated_records_are_removed_with_those_that_follow_them
                a_picture_that_another_row_names_stays
                pages_are_right_after_every_removal
                a_place_in_the_log_is_never_reused
                usage_falls_with_removals
            }
            cameras {
                a_camera_reads_back_as_added
                every_source_and_snap_mode_reads_back
                a_camera_takes_the_lowest_free_channel
                a_requested_channel_must_be_free_and_in_range
                a_watch_needs_existing_libraries
                a_change_of_a_camera_keeps_other_fields
                the_kind_of_a_source_cannot_change
                own_values_are_kept_until_they_are_released
                unknown_cameras_are_not_found
                a_watch_id_is_never_reused
            }
            permissions {
                permission_groups_read_back_in_order_of_creation
                ids_and_names_of_permission_groups_are_unique
                a_removed_permission_group_leaves_its_people_and_stays_at_cameras
            }
            relays {
                a_relay_reads_back_as_bound
                a_relay_needs_a_camera_and_room
                a_relay_is_removed_alone_or_with_its_camera
            }
            rules {
                a_rule_reads_back_as_added
                a_rule_needs_a_camera_room_and_a_free_name
                a_rule_changes_as_a_whole
                a_rule_is_removed_alone_or_with_its_camera
            }
            tasks {
                a_task_reads_back_as_added
                a_task_changes_as_a_whole
                a_task_needs_a_free_name_and_existing_cameras_and_libraries
                cameras_and_libraries_of_a_task_cannot_be_removed
                a_task_id_is_never_reused
                a_record_is_a_sighting_for_each_of_its_tasks
                sightings_come_newest_capture_first_page_by_page
                each_condition_finds_its_sightings
                sightings_are_found_by_names_in_any_letter_case
                a_spoof_is_a_sighting_without_a_person
                sightings_are_removed_with_their_records
                a_roll_lists_people_seen_and_not_seen
            }
            settings {
                an_account_reads_back_as_created
                a_login_name_is_unique
                a_new_password_replaces_all_hashes
                a_change_of_an_account_keeps_other_fields
                a_removed_account_is_not_found
                a_setting_is_set_and_removed
                restoring_all_removes_the_values_of_every_adapter
                restoring_changes_settings_values_and_password_together
                the_audit_log_comes_newest_first
                the_audit_log_keeps_actor_and_origin
                a_cleared_audit_log_keeps_what_must_not_be_erased
                the_revision_of_an_account_rises_with_its_password
            }
            adapters {
                a_feed_remembers_its_place
                values_of_adapters_are_separate
                a_note_on_a_person_is_removed_with_the_person
                notes_on_libraries_cameras_and_tasks_are_removed_with_them
                a_job_is_stored_until_it_ends
            }
            pictures {
                a_picture_reads_back_as_put
                the_same_bytes_are_one_picture
                a_kept_picture_stays_until_its_person_is_removed
                the_number_of_kept_pictures_is_limited
                a_picture_is_removed_unless_a_person_has_it
                unknown_pictures_are_not_found
            }
        }
    };
    ($open:path; $($module:ident { $($name:ident)+ })+) => {$($(
        #[test]
        fn $name() {
            let (_place, store) = $open();
            $crate::store_suite::$module::$name(&store);
        }
    )+)+};
}
