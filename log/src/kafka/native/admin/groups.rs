//! Groups: what they have committed, and who is in them.

use super::{Client, Code, GroupView, ListItem, NativeError, Op, PartitionList, RequestOption};
use super::{c_string, items_of, sys, text_of};
use std::time::Duration;

impl Client {
    /// What a group committed. With `stable`, partitions whose offset a transaction holds come with an error.
    ///
    /// The client has to have a `group.id`: to an answer "not the coordinator" librdkafka 2.12 reacts by a request to its
    /// own group, through a null pointer where there is none (`rd_kafka_handle_OffsetFetch`, `rd_kafka_cgrp_op`).
    pub(crate) fn committed(
        &self,
        group: &str,
        places: &PartitionList,
        stable: bool,
        timeout: Duration,
    ) -> Result<Vec<ListItem>, NativeError> {
        let group = c_string(group)?;
        // SAFETY: group and list live through the calls; the request is ours and freed after its last use.
        unsafe {
            let mut request = sys::rd_kafka_ListConsumerGroupOffsets_new(group.as_ptr(), places.as_ptr());
            let option = Some(RequestOption::Stable(stable));
            let op = Op::RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS;
            let result = self.request(op, timeout, option, |options, queue| {
                sys::rd_kafka_ListConsumerGroupOffsets(self.rk(), &raw mut request, 1, options, queue);
            });
            sys::rd_kafka_ListConsumerGroupOffsets_destroy(request);
            let event = result?;
            let mut count = 0;
            let result = sys::rd_kafka_event_ListConsumerGroupOffsets_result(event.0);
            first_group(sys::rd_kafka_ListConsumerGroupOffsets_result_groups(result, &raw mut count), count)
        }
    }

    /// Commits offsets for a group without members.
    pub(crate) fn commit(
        &self,
        group: &str,
        offsets: &PartitionList,
        timeout: Duration,
    ) -> Result<Vec<ListItem>, NativeError> {
        let group = c_string(group)?;
        // SAFETY: group and list live through the calls; the request is ours and freed after its last use.
        unsafe {
            let mut request = sys::rd_kafka_AlterConsumerGroupOffsets_new(group.as_ptr(), offsets.as_ptr());
            let op = Op::RD_KAFKA_ADMIN_OP_ALTERCONSUMERGROUPOFFSETS;
            let result = self.request(op, timeout, None, |options, queue| {
                sys::rd_kafka_AlterConsumerGroupOffsets(self.rk(), &raw mut request, 1, options, queue);
            });
            sys::rd_kafka_AlterConsumerGroupOffsets_destroy(request);
            let event = result?;
            let mut count = 0;
            let result = sys::rd_kafka_event_AlterConsumerGroupOffsets_result(event.0);
            first_group(sys::rd_kafka_AlterConsumerGroupOffsets_result_groups(result, &raw mut count), count)
        }
    }

    pub(crate) fn delete_group(&self, group: &str, timeout: Duration) -> Result<(), NativeError> {
        let group = c_string(group)?;
        // SAFETY: the name lives through the calls; the request is ours and freed after its last use.
        unsafe {
            let mut request = sys::rd_kafka_DeleteGroup_new(group.as_ptr());
            let result = self.request(Op::RD_KAFKA_ADMIN_OP_DELETEGROUPS, timeout, None, |options, queue| {
                sys::rd_kafka_DeleteGroups(self.rk(), &raw mut request, 1, options, queue);
            });
            sys::rd_kafka_DeleteGroup_destroy(request);
            let event = result?;
            let mut count = 0;
            let result = sys::rd_kafka_event_DeleteGroups_result(event.0);
            first_group(sys::rd_kafka_DeleteGroups_result_groups(result, &raw mut count), count).map(|_| ())
        }
    }

    /// Who has which partitions of a group.
    pub(crate) fn describe_group(&self, group: &str, timeout: Duration) -> Result<GroupView, NativeError> {
        let group = c_string(group)?;
        let mut name = group.as_ptr();
        // SAFETY: the name lives through the call; what comes back belongs to the event and is copied.
        unsafe {
            let op = Op::RD_KAFKA_ADMIN_OP_DESCRIBECONSUMERGROUPS;
            let event = self.request(op, timeout, None, |options, queue| {
                sys::rd_kafka_DescribeConsumerGroups(self.rk(), &raw mut name, 1, options, queue);
            })?;
            let mut count = 0;
            let result = sys::rd_kafka_event_DescribeConsumerGroups_result(event.0);
            let groups = sys::rd_kafka_DescribeConsumerGroups_result_groups(result, &raw mut count);
            if count == 0 {
                return Err(NativeError::of(Code::RD_KAFKA_RESP_ERR_GROUP_ID_NOT_FOUND));
            }
            let group = *groups;
            NativeError::borrow(sys::rd_kafka_ConsumerGroupDescription_error(group))?;
            let state = sys::rd_kafka_ConsumerGroupDescription_state(group);
            let members = sys::rd_kafka_ConsumerGroupDescription_member_count(group);
            let assigned = (0..members).flat_map(|at| {
                let member = sys::rd_kafka_ConsumerGroupDescription_member(group, at);
                let assignment = sys::rd_kafka_MemberDescription_assignment(member);
                items_of(sys::rd_kafka_MemberAssignment_partitions(assignment))
            });
            let assigned = assigned.map(|item| item.place).collect();
            let instance = |at| {
                let member = sys::rd_kafka_ConsumerGroupDescription_member(group, at);
                text_of(sys::rd_kafka_MemberDescription_group_instance_id(member))
            };
            let instances = (0..members).map(instance).collect();
            let stable = sys::rd_kafka_consumer_group_state_t::RD_KAFKA_CONSUMER_GROUP_STATE_STABLE;
            Ok(GroupView { is_stable: state == stable, assigned, instances })
        }
    }
}

/// The result of a request about one group: its partitions, if the request was about them.
///
/// # Safety
/// `results` has `count` entries that live while this runs.
unsafe fn first_group(
    results: *mut *const sys::rd_kafka_group_result_t,
    count: usize,
) -> Result<Vec<ListItem>, NativeError> {
    if count == 0 {
        return Err(NativeError::of(Code::RD_KAFKA_RESP_ERR__FAIL));
    }
    // SAFETY: there is one; error and list belong to it and are copied.
    unsafe {
        NativeError::borrow(sys::rd_kafka_group_result_error(*results))?;
        Ok(items_of(sys::rd_kafka_group_result_partitions(*results)))
    }
}
