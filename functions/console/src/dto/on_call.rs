//! Who is on call, at a moment and over a time.

use std::collections::BTreeMap;
use std::time::Duration;

use alerting::base::ids::MemberId;
use alerting::base::moment::Moment;
use alerting::people::schedule::shifts::Roster;
use alerting::people::schedule::{OnCall, Source};
use serde::Serialize;
use utoipa::ToSchema;

use super::Time;
use super::member::MemberName;
use super::schedule::Gap;

/// The default period: two weeks, so that a weekly rotation shows who is next.
pub(crate) const AHEAD: Duration = Duration::from_secs(14 * 24 * 3600);

/// Names of members, for those who are still there.
pub(crate) type Names = BTreeMap<MemberId, String>;

/// Who is on call at a moment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = OnCall)]
pub(crate) struct OnCallView {
    at: Time,
    #[serde(flatten)]
    on_call: Who,
}

/// Who is on call, and why; all fields are `null` if nobody is.
#[derive(Debug, Serialize, ToSchema)]
struct Who {
    #[schema(required)]
    member: Option<MemberName>,
    #[schema(required)]
    source: Option<SourceView>,
    /// The layer's place in the schedule, from 0; `null` for an override.
    #[schema(required)]
    layer: Option<usize>,
}

/// What put a member on call.
#[derive(Debug, Clone, Copy, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
#[schema(as = OnCallSource)]
enum SourceView {
    Override,
    Layer,
}

#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Shift)]
struct ShiftView {
    from: Time,
    until: Time,
    #[serde(flatten)]
    on_call: Who,
}

/// A schedule over a time.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Shifts)]
pub(crate) struct ShiftsView {
    /// The shifts in order, without gaps between them; two in a row differ in the member or the reason.
    items: Vec<ShiftView>,
    /// The times in which nobody is on call.
    gaps: Vec<Gap>,
    /// Where the answer ends if there are more than 5000 shifts; request the rest from there.
    #[schema(required)]
    cut_at: Option<Time>,
}

impl OnCallView {
    pub(crate) fn new(at: Moment, on_call: Option<OnCall>, names: &Names) -> Self {
        Self { at: Time(at), on_call: Who::new(on_call, names) }
    }
}

impl Who {
    fn new(on_call: Option<OnCall>, names: &Names) -> Self {
        let Some(OnCall { member, source }) = on_call else { return Self { member: None, source: None, layer: None } };
        let (source, layer) = match source {
            Source::Override => (SourceView::Override, None),
            Source::Layer(layer) => (SourceView::Layer, Some(layer)),
        };
        let name = names.get(&member).cloned();
        Self { member: Some(MemberName { id: member, name }), source: Some(source), layer }
    }
}

impl ShiftsView {
    pub(crate) fn new(roster: Roster, names: &Names) -> Self {
        let gaps = roster.shifts.iter().filter(|shift| shift.on_call.is_none());
        let gaps = gaps.map(|shift| Gap { from: Time(shift.from), until: Time(shift.until) }).collect();
        let items = roster.shifts.into_iter().map(|shift| ShiftView {
            from: Time(shift.from),
            until: Time(shift.until),
            on_call: Who::new(shift.on_call, names),
        });
        Self { items: items.collect(), gaps, cut_at: roster.cut_at.map(Time) }
    }
}
