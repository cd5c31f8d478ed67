//! Where the inputs of a job begin and end that has no history: fixed once, in its control record.

use super::Restore;
use crate::control::{ControlRecord, Offsets, table_inputs};
use crate::log::{Isolation, LogError, Offset, OffsetQuery, TopicPartition};
use millstream_operators::source::{Bounded, Startup};

impl Restore {
    /// The record of a job that has none: decides where its inputs begin and end.
    pub(super) fn new_control(&mut self) -> Result<ControlRecord, LogError> {
        let (mut begins, mut ends) = (Offsets::new(), Offsets::new());
        let from = self.cx.from.clone();
        let known = from.as_ref().map(|from| (from.savepoint.positions(), from.savepoint.control.ends()));
        for (place, startup, bounded) in table_inputs(&self.cx.plan) {
            // A savepoint goes on where it stood, to where it was to end.
            if let Some((positions, known_ends)) = &known
                && let Some(position) = positions.get(&place)
            {
                let end = known_ends.get(&place).filter(|_| bounded != Bounded::Unbounded);
                let end = match end {
                    Some(end) => Some(*end),
                    None => self.end_of(&place, &bounded)?,
                };
                ends.extend(end.map(|end| (place.clone(), end)));
                begins.insert(place, *position);
                continue;
            }
            let begin = self.begin_of(&place, &startup)?;
            if let Some(end) = self.end_of(&place, &bounded)? {
                ends.insert(place.clone(), end);
            }
            begins.insert(place, begin);
        }
        let control = ControlRecord::new(&self.cx.plan, self.cx.nonce, begins, ends);
        Ok(match from {
            Some(from) => control.started_from(&from),
            None => control,
        })
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
        self.offset(place, query)
    }

    fn end_of(&mut self, place: &TopicPartition, bounded: &Bounded) -> Result<Option<Offset>, LogError> {
        match bounded {
            Bounded::Unbounded => Ok(None),
            Bounded::Latest => self.offset(place, OffsetQuery::Latest).map(Some),
            Bounded::Timestamp(at) => self.offset(place, OffsetQuery::Timestamp(*at)).map(Some),
            Bounded::GroupOffsets => self.group_offset(place),
            Bounded::Offsets(offsets) => Ok(offsets.get(&place.partition).copied()),
        }
    }

    fn offset(&mut self, place: &TopicPartition, query: OffsetQuery) -> Result<Offset, LogError> {
        let places = std::slice::from_ref(place);
        self.admin.offsets(places, query, Isolation::ReadCommitted).map(|offsets| offsets[0])
    }

    pub(super) fn group_offset(&mut self, place: &TopicPartition) -> Result<Option<Offset>, LogError> {
        let places = std::slice::from_ref(place);
        let committed = self.admin.committed(self.cx.plan.group(), places, Isolation::ReadCommitted)?;
        Ok(committed.into_iter().flatten().map(|committed| committed.offset).next())
    }
}
