//! Which incident an id leads to, after all merges and notes are followed.

use alerting::base::ids::IncidentId;
use alerting::incident::Incident;

use crate::connection::Store;
use crate::errors::ReadError;
use crate::incidents::Place;

/// How many merges are followed. Incidents that were merged one after the other never form a circle, so this limit only
/// bounds the work.
const MERGES: usize = 100;

impl Store {
    /// The item that a note or a merge leads to. In a circle of merges, which an earlier version could leave behind, one
    /// incident represents all of them and takes the change.
    pub(crate) async fn follow(&self, path: &mut Path, target: IncidentId) -> Result<Option<Place>, ReadError> {
        let is_circle = path.go(target)?;
        let place = self.place(path.at()).await?;
        Ok(if is_circle { place.map(out_of_circle) } else { place })
    }

    /// The incident that represents the circle of merges that `id` is in; `None`: it is in none.
    pub(crate) async fn stands_for_circle(&self, id: &IncidentId) -> Result<Option<IncidentId>, ReadError> {
        let mut path = Path::from(id);
        while let Some(Place::Incident(Incident { merged_into: Some(target), .. })) = self.place(path.at()).await? {
            if path.go(target)? {
                return Ok(path.circle_holds(id).then(|| path.at().clone()));
            }
        }
        Ok(None)
    }

    /// The item that `id` leads to after all notes and merges: an incident, a note that there is none, or nothing.
    pub async fn standing(&self, id: &IncidentId) -> Result<Option<Place>, ReadError> {
        let mut path = Path::from(id);
        let mut place = self.place(id).await?;
        loop {
            place = match place {
                Some(Place::Joined(other)) => self.follow(&mut path, other).await?,
                Some(Place::Incident(Incident { merged_into: Some(other), .. })) => {
                    self.follow(&mut path, other).await?
                }
                place => return Ok(place),
            }
        }
    }
}

/// The incidents that notes and merges have led through.
pub(crate) struct Path(Vec<IncidentId>);

impl Path {
    pub(crate) fn from(id: &IncidentId) -> Self {
        Self(vec![id.clone()])
    }

    pub(crate) fn at(&self) -> &IncidentId {
        self.0.last().expect("a path begins somewhere")
    }

    /// Follows to `target`. If the path was there before, this is a circle: then it follows to the incident with the
    /// smallest id, which represents the circle from every starting point.
    fn go(&mut self, target: IncidentId) -> Result<bool, ReadError> {
        if self.0.len() > MERGES {
            return Err(ReadError::throttled(&target));
        }
        let Some(start) = self.0.iter().position(|id| *id == target) else {
            self.0.push(target);
            return Ok(false);
        };
        self.0.drain(..start);
        let stand = self.0.iter().min().cloned().unwrap_or(target);
        self.0.push(stand);
        Ok(true)
    }

    fn circle_holds(&self, id: &IncidentId) -> bool {
        self.0.contains(id)
    }
}

pub(crate) fn out_of_circle(place: Place) -> Place {
    match place {
        Place::Incident(incident) => Place::Incident(incident.out_of_circle()),
        note => note,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(letter: char) -> IncidentId {
        format!("inc_01ARZ3NDEKTSV4RRFFQ69G5F{letter}Va").parse().expect("valid")
    }

    #[test]
    fn whoever_walks_a_circle_of_merges_arrives_at_the_same_incident() {
        for (walk, circle) in [("ABA", "AB"), ("BAB", "AB"), ("CBAB", "AB"), ("BCAB", "ABC"), ("CABC", "ABC")] {
            let mut steps = walk.chars().map(id);
            let mut path = Path::from(&steps.next().expect("a start"));
            let arrived: Vec<bool> = steps.map(|next| path.go(next).expect("short")).collect();
            assert_eq!(arrived.iter().filter(|circle| **circle).count(), 1, "{walk}");
            assert_eq!(*path.at(), id('A'), "{walk}");
            let held: String = "ABC".chars().filter(|letter| path.circle_holds(&id(*letter))).collect();
            assert_eq!(held, circle, "{walk}");
        }
    }
}
