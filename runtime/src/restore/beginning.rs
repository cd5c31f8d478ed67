//! Where the inputs of a job begin and end that has no history: fixed once, in its control record.

use super::Restore;
use crate::control::{ControlRecord, Offsets, table_inputs};
use crate::error::JobError;
use crate::log::{Isolation, LogError, Offset, OffsetQuery, TopicIdentity, TopicPartition};
use crate::topics::internal_topics;
use crate::watch::is_another;
use millstream_operators::InputFrom;
use millstream_operators::source::{Bounded, Startup};

impl Restore {
    /// The record of a job that has none: decides where its inputs begin and end.
    pub(super) fn new_control(&mut self) -> Result<ControlRecord, LogError> {
        // Before anything is read: a topic made anew in between is found to be another one, sooner or later.
        let topics = self.identified()?;
        let (mut begins, mut ends) = (Offsets::new(), Offsets::new());
        let from = self.cx.from.clone();
        let known = from.as_ref().map(|from| (from.savepoint.positions(), &from.savepoint.control));
        for (place, startup, bounded) in table_inputs(&self.cx.plan) {
            let Some((positions, control)) = &known else {
                ends.extend(self.end_of(&place, &bounded)?.map(|end| (place.clone(), end)));
                begins.insert(place.clone(), self.begin_of(&place, &startup)?);
                continue;
            };
            // A savepoint goes on where it stood, to where it was to end.
            if let Some(position) = positions.get(&place) {
                let end = control.ends().get(&place).copied().filter(|_| bounded != Bounded::Unbounded);
                let end = match end {
                    Some(end) => Some(end),
                    None => self.end_of(&place, &bounded)?,
                };
                ends.extend(end.map(|end| (place.clone(), end)));
                begins.insert(place, *position);
                continue;
            }
            let (begin, end) = self.bounds_of_new(&place, &startup, &bounded, control)?;
            ends.extend(end.map(|end| (place.clone(), end)));
            begins.insert(place, begin);
        }
        let control = ControlRecord::new(&self.cx.plan, self.cx.nonce, begins, ends);
        Ok(match from {
            Some(from) => control.started_from(&from).with_topics(topics),
            None => control.with_topics(topics),
        })
    }

    /// The record of a job that has one, for a plan or for topics that have changed.
    pub(super) fn renewed_control(&mut self, control: ControlRecord) -> Result<ControlRecord, LogError> {
        let topics = self.identified()?;
        let (mut begins, mut ends) = (Offsets::new(), Offsets::new());
        for (place, startup, bounded) in table_inputs(&self.cx.plan) {
            if !control.knows_begin(&place) {
                let (begin, end) = self.bounds_of_new(&place, &startup, &bounded, &control)?;
                ends.extend(end.map(|end| (place.clone(), end)));
                begins.insert(place, begin);
            }
        }
        Ok(control.for_plan(&self.cx.plan).with_bounds(begins, ends).with_topics(topics))
    }

    /// Where a partition begins, and maybe ends, that the job has not read: as its table says, if the topic is new to it.
    /// A partition that was added to a topic is read from its first record, and is no part of input that has an end.
    fn bounds_of_new(
        &mut self,
        place: &TopicPartition,
        startup: &Startup,
        bounded: &Bounded,
        control: &ControlRecord,
    ) -> Result<(Offset, Option<Offset>), LogError> {
        let from = self.cx.from.as_ref();
        let is_restarted = from.is_some_and(|from| from.restarted.contains_key(place.topic.as_ref()));
        match control.topics.get(place.topic.as_ref()) {
            _ if is_restarted => Ok((
                self.offset(place, OffsetQuery::Earliest, Isolation::ReadCommitted)?,
                self.end_of(place, bounded)?,
            )),
            Some(_) => Ok((0, (*bounded != Bounded::Unbounded).then_some(0))),
            None => Ok((self.begin_of(place, startup)?, self.end_of(place, bounded)?)),
        }
    }

    /// The topics that the job reads and its own ones, as they are now.
    fn identified(&mut self) -> Result<Vec<(String, TopicIdentity)>, LogError> {
        let tables = table_inputs(&self.cx.plan).into_iter().map(|(place, ..)| place.topic.to_string());
        let mut topics: Vec<String> = tables.collect();
        topics.extend(internal_topics(&self.cx.plan).into_iter().map(|topic| topic.name));
        topics.sort_unstable();
        topics.dedup();
        let found = self.admin.identify_topics(&topics)?;
        Ok(topics.into_iter().zip(found).filter_map(|(topic, found)| Some((topic, found?))).collect())
    }

    /// Whether the record does not know topics that the job uses, or partitions of them.
    pub(super) fn has_new_topics(&mut self, control: &ControlRecord) -> Result<bool, LogError> {
        let is_new = |(topic, now): (String, TopicIdentity)| {
            let known = control.topics.get(&topic);
            known.is_none_or(|mark| mark.id.is_none() && now.id.is_some())
        };
        let mut inputs = table_inputs(&self.cx.plan).into_iter();
        Ok(inputs.any(|(place, ..)| !control.knows_begin(&place))
            || self.identified()?.into_iter().any(is_new))
    }

    /// Whether the record says where all inputs of the task begin. Partitions that were added to a known topic do so at
    /// their first record.
    pub(super) fn knows_all_begins(&self, control: &ControlRecord) -> bool {
        let part = self.cx.plan.part(self.task.sub_topology);
        let tables = part.inputs.iter().filter_map(|input| match &input.from {
            InputFrom::Table { topic, .. } => Some(topic),
            InputFrom::Repartition(_) => None,
        });
        // Jobs from before topics were written down know where their inputs begin.
        let is_known = |topic: &String| {
            control.topics.contains_key(topic) || control.begins.contains_key(topic.as_str())
        };
        tables.into_iter().all(is_known)
    }

    /// Where bounded inputs end. What was added to a topic since is no part of them.
    pub(super) fn ends(&self, control: &ControlRecord) -> Offsets {
        let mut ends = control.ends();
        for (place, _, bounded) in table_inputs(&self.cx.plan) {
            let is_added = control.topics.contains_key(place.topic.as_ref()) && !control.knows_begin(&place);
            if is_added && bounded != Bounded::Unbounded {
                ends.insert(place, 0);
            }
        }
        ends
    }

    /// Refuses a job whose journal, or what lies between its tasks, is not the topic that it was.
    pub(super) fn check_own_topics(&mut self, control: &ControlRecord) -> Result<(), JobError> {
        let plan = &self.cx.plan;
        let own: Vec<String> = internal_topics(plan)
            .into_iter()
            .map(|topic| topic.name)
            .filter(|topic| control.topics.contains_key(topic))
            .collect();
        let found = self.admin.identify_topics(&own)?;
        let is_gone = |(topic, found): &(&String, Option<TopicIdentity>)| {
            let mark = control.topics.get(*topic);
            mark.is_some_and(|mark| found.is_none_or(|found| is_another(mark, &found)))
        };
        let gone: Vec<String> =
            own.iter().zip(found).filter(is_gone).map(|(topic, _)| format!("topic {topic}")).collect();
        if gone.is_empty() {
            return Ok(());
        }
        let what = if gone.len() == 1 { "was deleted and made anew" } else { "were deleted and made anew" };
        let (job, control) = (plan.job().to_owned(), plan.control_topic());
        Err(JobError::OwnTopicDeleted { job, topics: gone, what, control })
    }

    fn begin_of(&mut self, place: &TopicPartition, startup: &Startup) -> Result<Offset, LogError> {
        let query = match startup {
            Startup::Earliest => OffsetQuery::Earliest,
            Startup::Latest => OffsetQuery::Latest,
            Startup::Timestamp(at) => OffsetQuery::Timestamp(*at),
            Startup::Offsets(offsets) if offsets.contains_key(&place.partition) => {
                return Ok(offsets[&place.partition]);
            }
            Startup::GroupOffsets | Startup::Offsets(_) => match self.group_offset(place)? {
                Some(offset) => return Ok(offset),
                None => OffsetQuery::Earliest,
            },
        };
        self.offset(place, query, Isolation::ReadCommitted)
    }

    /// What an open transaction hides may be committed already: it lies before the end, and is waited for.
    fn end_of(&mut self, place: &TopicPartition, bounded: &Bounded) -> Result<Option<Offset>, LogError> {
        let all = Isolation::ReadUncommitted;
        match bounded {
            Bounded::Unbounded => Ok(None),
            Bounded::Latest => self.offset(place, OffsetQuery::Latest, all).map(Some),
            Bounded::Timestamp(at) => self.offset(place, OffsetQuery::Timestamp(*at), all).map(Some),
            Bounded::GroupOffsets => self.group_offset(place),
            Bounded::Offsets(offsets) => Ok(offsets.get(&place.partition).copied()),
        }
    }

    fn offset(
        &mut self,
        place: &TopicPartition,
        query: OffsetQuery,
        isolation: Isolation,
    ) -> Result<Offset, LogError> {
        let places = std::slice::from_ref(place);
        self.admin.offsets(places, query, isolation).map(|offsets| offsets[0])
    }

    pub(super) fn group_offset(&mut self, place: &TopicPartition) -> Result<Option<Offset>, LogError> {
        let places = std::slice::from_ref(place);
        let committed = self.admin.committed(self.cx.plan.group(), places, Isolation::ReadCommitted)?;
        Ok(committed.into_iter().flatten().map(|committed| committed.offset).next())
    }
}
