//! One suite for every log: what the traits in `millstream_log` promise, run against each backend.
//!
//! A backend takes part by implementing [`Target`] in a file of its own and by one line at the end of this one. Tests
//! never sleep to synchronise: they poll until what they wait for is there, or until a deadline on the log's own clock
//! has passed ([`World::eventually`]). That something is *not* visible is checked by reading to an end that the log
//! itself has named.

mod embedded;
mod groups;
mod kafka;
mod membership;
mod memory;
mod offsets;
mod peer;
mod reading;
mod retention;
mod topics;
mod transactions;
mod visibility;
mod world;
mod writing;

use millstream_log::Log;
use std::sync::Arc;
use world::World;

/// A log under test.
pub(crate) trait Target: Send + Sync {
    /// What the names of its topics, groups and processes begin with: two targets may share a cluster.
    fn prefix(&self) -> &str {
        ""
    }

    /// The log as a process of that name holds it. The empty name is the test's own.
    fn log(&self, process: &str) -> Arc<dyn Log>;

    /// Lets time pass on the log's clock, milliseconds.
    fn pass(&self, ms: u64);

    /// The log's clock, milliseconds since 1970.
    fn now_ms(&self) -> i64;

    /// Whether the log can do this.
    fn can(&self, feature: Feature) -> bool;

    /// Cuts a process off from the log, or lets it reach the log again. Its clients stay as they are.
    fn pause(&self, process: &str, paused: bool);

    /// Ends a process: its clients fall silent without saying goodbye.
    fn kill(&self, process: &str);

    /// Topic settings under which compaction looks at what was written soon.
    fn eager_compaction(&self) -> &[(&str, &str)] {
        &[]
    }

    /// Topic settings under which `retention.bytes` removes records soon.
    fn small_segments(&self) -> &[(&str, &str)] {
        &[]
    }
}

/// What not every log has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Feature {
    /// Other processes can use the log, and fall silent.
    Processes,
    /// Records of aborted transactions stay, for those who read uncommitted.
    AbortedRecords,
}

/// Makes the log for one test; `None`, with the reason printed, where it can't be had.
pub(crate) type Make = fn() -> Option<Box<dyn Target>>;

fn run(make: Make, test: &str, body: fn(&World)) {
    if let Some(target) = make() {
        let test = format!("{}{test}", target.prefix());
        body(&World::new(target, &test));
    }
}

macro_rules! suite {
    ($make:path => $($module:ident { $($test:ident,)+ })+) => {
        $(mod $module {
            $(#[test]
            fn $test() {
                crate::conformance::run($make, stringify!($test), crate::conformance::$module::$test);
            })+
        })+
    };
}

macro_rules! every_test {
    ($make:path) => {
        suite! { $make =>
            topics {
                a_topic_is_made_described_listed_and_deleted,
                a_topic_can_be_made_only_once,
                a_topic_that_does_not_exist_is_unknown,
                settings_of_a_topic_are_kept,
                a_setting_that_is_not_known_is_refused_by_name,
                a_value_that_is_not_one_is_refused_by_name,
                names_that_kafka_refuses_are_refused,
                a_topic_needs_a_partition,
                topics_of_the_log_itself_are_not_listed,
                a_log_says_what_it_is,
            }
            writing {
                records_come_back_byte_for_byte,
                offsets_follow_each_other,
                an_empty_run_is_nothing,
                records_of_many_partitions_find_their_own,
                a_large_record_comes_through,
                a_record_larger_than_the_topic_takes_is_refused,
                an_unknown_topic_is_refused,
                a_partition_beyond_the_last_is_refused,
                append_time_replaces_the_writers_timestamp,
            }
            reading {
                a_reader_begins_where_it_is_told,
                partitions_that_stay_go_on_where_they_stand,
                a_partition_that_comes_back_begins_at_its_new_offset,
                a_paused_partition_hands_out_nothing_until_it_goes_on,
                a_partition_paused_at_its_end_goes_on_with_the_next_record,
                a_partition_assigned_anew_is_not_paused,
                a_reader_knows_its_position_and_the_end,
                a_reader_sees_what_is_written_later,
                an_offset_that_is_gone_is_out_of_range,
                an_offset_beyond_the_end_is_out_of_range,
                an_offset_out_of_range_does_not_stop_other_partitions,
                reading_goes_on_after_the_offset_is_mended,
            }
            offsets {
                an_empty_partition_begins_and_ends_at_zero,
                earliest_and_latest_enclose_the_records,
                a_timestamp_finds_the_first_record_not_before_it,
                an_open_transaction_holds_the_committed_end,
                records_before_an_offset_can_be_deleted,
                records_beyond_the_end_can_not_be_deleted,
                offsets_of_an_unknown_topic_are_refused,
            }
            retention {
                records_expire_by_their_time,
                records_expire_by_their_size,
                records_without_a_limit_stay,
                the_newest_record_of_each_key_stays,
                compaction_leaves_alone_what_is_not_committed,
            }
            groups {
                the_first_member_gets_everything,
                two_members_share_evenly,
                nothing_moves_until_it_is_released,
                what_stays_is_left_alone,
                generations_rise,
                the_partitions_of_a_member_that_leaves_go_to_others,
                the_partitions_of_a_dead_member_go_to_others,
                a_member_gets_partitions_of_all_its_topics,
                groups_do_not_see_each_other,
                a_group_without_members_takes_commits,
                a_group_with_members_takes_no_commits_from_outside,
                a_group_with_members_can_not_be_deleted,
                a_group_that_does_not_exist_has_committed_nothing,
                a_deleted_group_has_forgotten_what_it_committed,
            }
            membership {
                a_member_that_fell_silent_has_lost_its_partitions,
                a_member_that_lost_its_place_joins_again_under_a_new_name,
                a_static_member_comes_back_without_a_rebalance,
                the_former_holder_of_a_name_is_fenced,
                partitions_that_nobody_has_are_found,
                a_static_member_that_leaves_keeps_its_place_for_its_session,
            }
            transactions {
                a_transaction_without_anything_in_it_commits,
                a_writer_goes_on_after_an_abort,
                flush_gives_the_offset_after_the_last_record,
                a_second_writer_of_the_same_id_fences_the_first,
                a_second_writer_ends_what_the_first_left_open,
                a_transaction_that_takes_too_long_is_aborted_and_its_writer_fenced,
                a_record_too_large_is_refused_with_its_partition,
                an_unknown_topic_is_refused_with_its_partition,
                a_writer_goes_on_after_a_refusal,
                offsets_are_committed_with_the_transaction,
                offsets_of_an_aborted_transaction_are_forgotten,
                committed_waits_for_the_transaction_that_holds_the_offset,
                an_earlier_generation_is_fenced,
                a_member_the_group_does_not_know_is_fenced,
                a_fenced_instance_can_not_commit,
                a_zombie_that_lost_its_partitions_is_fenced,
                offsets_of_a_partition_of_somebody_else_are_accepted,
                whoever_claims_to_be_nobody_is_not_checked,
            }
            visibility {
                a_committed_transaction_is_seen_whole,
                an_aborted_transaction_is_never_seen,
                an_open_transaction_is_not_seen,
                an_open_transaction_hides_what_others_wrote_after_it,
                an_uncommitted_reader_sees_everything,
                the_position_passes_over_aborted_data_and_markers,
                a_reader_that_begins_within_a_transaction_sees_its_rest,
                a_large_transaction_over_many_partitions_is_all_or_nothing,
                many_small_transactions_follow_each_other,
                transactions_of_two_writers_interleave,
            }
        }
    };
}

mod on_memory {
    every_test!(crate::conformance::memory::target);
}

mod on_embedded {
    every_test!(crate::conformance::embedded::target);
}

/// What a log serves to other processes: no members, no transactions.
mod on_embedded_served {
    suite! { crate::conformance::embedded::remote_target =>
        topics {
            a_topic_is_made_described_listed_and_deleted,
            a_topic_can_be_made_only_once,
            a_topic_that_does_not_exist_is_unknown,
            settings_of_a_topic_are_kept,
            a_setting_that_is_not_known_is_refused_by_name,
            a_value_that_is_not_one_is_refused_by_name,
            names_that_kafka_refuses_are_refused,
            a_topic_needs_a_partition,
            a_log_says_what_it_is,
        }
        writing {
            records_come_back_byte_for_byte,
            offsets_follow_each_other,
            an_empty_run_is_nothing,
            records_of_many_partitions_find_their_own,
            a_large_record_comes_through,
            a_record_larger_than_the_topic_takes_is_refused,
            an_unknown_topic_is_refused,
            a_partition_beyond_the_last_is_refused,
            append_time_replaces_the_writers_timestamp,
        }
        reading {
            a_reader_begins_where_it_is_told,
            partitions_that_stay_go_on_where_they_stand,
            a_partition_that_comes_back_begins_at_its_new_offset,
            a_paused_partition_hands_out_nothing_until_it_goes_on,
            a_partition_paused_at_its_end_goes_on_with_the_next_record,
            a_partition_assigned_anew_is_not_paused,
            a_reader_knows_its_position_and_the_end,
            a_reader_sees_what_is_written_later,
            an_offset_that_is_gone_is_out_of_range,
            an_offset_beyond_the_end_is_out_of_range,
            an_offset_out_of_range_does_not_stop_other_partitions,
            reading_goes_on_after_the_offset_is_mended,
        }
        retention {
            records_expire_by_their_time,
            records_expire_by_their_size,
            records_without_a_limit_stay,
        }
        groups {
            a_group_that_does_not_exist_has_committed_nothing,
            a_deleted_group_has_forgotten_what_it_committed,
        }
    }
}

mod on_kafka {
    every_test!(crate::conformance::kafka::target);
}

/// What reads and writes by the project's own client; topics, offsets and groups are librdkafka's either way.
mod on_kafka_by_wire {
    suite! { crate::conformance::kafka::wire_target =>
        writing {
            records_come_back_byte_for_byte,
            offsets_follow_each_other,
            an_empty_run_is_nothing,
            records_of_many_partitions_find_their_own,
            a_large_record_comes_through,
            a_record_larger_than_the_topic_takes_is_refused,
            an_unknown_topic_is_refused,
            a_partition_beyond_the_last_is_refused,
            append_time_replaces_the_writers_timestamp,
        }
        reading {
            a_reader_begins_where_it_is_told,
            partitions_that_stay_go_on_where_they_stand,
            a_partition_that_comes_back_begins_at_its_new_offset,
            a_paused_partition_hands_out_nothing_until_it_goes_on,
            a_partition_paused_at_its_end_goes_on_with_the_next_record,
            a_partition_assigned_anew_is_not_paused,
            a_reader_knows_its_position_and_the_end,
            a_reader_sees_what_is_written_later,
            an_offset_that_is_gone_is_out_of_range,
            an_offset_beyond_the_end_is_out_of_range,
            an_offset_out_of_range_does_not_stop_other_partitions,
            reading_goes_on_after_the_offset_is_mended,
        }
        retention {
            records_expire_by_their_time,
            records_expire_by_their_size,
            records_without_a_limit_stay,
            the_newest_record_of_each_key_stays,
            compaction_leaves_alone_what_is_not_committed,
        }
        transactions {
            a_transaction_without_anything_in_it_commits,
            a_writer_goes_on_after_an_abort,
            flush_gives_the_offset_after_the_last_record,
            a_second_writer_of_the_same_id_fences_the_first,
            a_second_writer_ends_what_the_first_left_open,
            a_transaction_that_takes_too_long_is_aborted_and_its_writer_fenced,
            a_record_too_large_is_refused_with_its_partition,
            an_unknown_topic_is_refused_with_its_partition,
            a_writer_goes_on_after_a_refusal,
            offsets_are_committed_with_the_transaction,
            offsets_of_an_aborted_transaction_are_forgotten,
            committed_waits_for_the_transaction_that_holds_the_offset,
            an_earlier_generation_is_fenced,
            a_member_the_group_does_not_know_is_fenced,
            a_fenced_instance_can_not_commit,
            a_zombie_that_lost_its_partitions_is_fenced,
            offsets_of_a_partition_of_somebody_else_are_accepted,
            whoever_claims_to_be_nobody_is_not_checked,
        }
        visibility {
            a_committed_transaction_is_seen_whole,
            an_aborted_transaction_is_never_seen,
            an_open_transaction_is_not_seen,
            an_open_transaction_hides_what_others_wrote_after_it,
            an_uncommitted_reader_sees_everything,
            the_position_passes_over_aborted_data_and_markers,
            a_reader_that_begins_within_a_transaction_sees_its_rest,
            a_large_transaction_over_many_partitions_is_all_or_nothing,
            many_small_transactions_follow_each_other,
            transactions_of_two_writers_interleave,
        }
    }
}
