//! Who has fewest and who has most (`UniformHeterogeneousAssignmentBuilder.MemberAssignmentBalancer`).

/// A member, by its place in the order of member ids.
pub(super) type MemberIndex = usize;

/// Picks the least loaded member to give to and the most loaded one to take from, among the subscribers of one topic.
///
/// Members are sorted by load once. From then on the least loaded are a growing run at the front, which is walked
/// round and round while each gets one partition, and the most loaded one at the back, likewise. The loads themselves
/// belong to the caller, who changes them between calls by exactly the partition that was moved.
#[derive(Debug, Default)]
pub(super) struct Balancer {
    sorted: Vec<MemberIndex>,
    least_loaded_end: usize,
    least_load: isize,
    least_loaded_next: usize,
    most_loaded_start: usize,
    most_loaded_end: usize,
    most_load: isize,
    /// One more than the place of the next most loaded member; 0 when there is none.
    most_loaded_left: usize,
}

impl Balancer {
    /// Starts over with the subscribers of a topic. Answers how far apart their loads are.
    pub(super) fn start(&mut self, subscribers: &[MemberIndex], loads: &[usize]) -> usize {
        self.sorted.clear();
        self.sorted.extend_from_slice(subscribers);
        self.sorted.sort_by_key(|member| (load(loads, *member), *member));
        let count = self.sorted.len();
        let least = self.load_at(0, loads).unwrap_or(0);
        let most = count.checked_sub(1).and_then(|last| self.load_at(last, loads)).unwrap_or(0);
        self.least_loaded_end = 0;
        self.least_load = least - 1;
        self.least_loaded_next = 0;
        self.most_loaded_start = count;
        self.most_loaded_end = count;
        self.most_load = most + 1;
        self.most_loaded_left = count;
        usize::try_from(most - least).unwrap_or(0)
    }

    /// The next member to give a partition to. The caller gives it one before it asks again.
    pub(super) fn next_least_loaded(&mut self, loads: &[usize]) -> Option<MemberIndex> {
        if self.least_loaded_next >= self.least_loaded_end {
            self.least_load += 1;
            while self.load_at(self.least_loaded_end, loads) == Some(self.least_load) {
                self.least_loaded_end += 1;
            }
            self.least_loaded_next = 0;
        }
        let member = self.sorted.get(self.least_loaded_next).copied();
        self.least_loaded_next += 1;
        member
    }

    /// The next member to take a partition from; `None` when all are excluded.
    pub(super) fn next_most_loaded(&mut self, loads: &[usize]) -> Option<MemberIndex> {
        if self.most_loaded_left <= self.most_loaded_start {
            self.most_load = match self.load_before(self.most_loaded_start, loads) {
                Some(load) if self.most_loaded_end <= self.most_loaded_start => load,
                _ => self.most_load - 1,
            };
            while self.load_before(self.most_loaded_start, loads) == Some(self.most_load) {
                self.most_loaded_start -= 1;
            }
            self.most_loaded_left = self.most_loaded_end;
        }
        let place = self.most_loaded_left.checked_sub(1)?;
        self.most_loaded_left = place;
        self.sorted.get(place).copied()
    }

    /// Passes over the member that [`Balancer::next_most_loaded`] has just answered from now on.
    pub(super) fn exclude_most_loaded(&mut self) {
        let Some(last) = self.most_loaded_end.checked_sub(1) else { return };
        if self.most_loaded_left < self.sorted.len() {
            self.sorted.swap(self.most_loaded_left, last);
        }
        self.most_loaded_end = last;
    }

    /// True when moving a partition from the most to the least loaded would not bring them closer.
    pub(super) fn is_balanced(&self) -> bool {
        self.most_load - self.least_load <= 1
    }

    fn load_at(&self, place: usize, loads: &[usize]) -> Option<isize> {
        self.sorted.get(place).map(|member| load(loads, *member))
    }

    fn load_before(&self, place: usize, loads: &[usize]) -> Option<isize> {
        place.checked_sub(1).and_then(|place| self.load_at(place, loads))
    }
}

fn load(loads: &[usize], member: MemberIndex) -> isize {
    loads.get(member).copied().unwrap_or(0).try_into().unwrap_or(isize::MAX / 2)
}
