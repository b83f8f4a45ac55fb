//! What follows from the settings of a topic, worked out once for topics that have the same.

use std::sync::{Arc, Mutex, PoisonError};

use super::layers::Layers;
use super::topic::Overrides;

/// What was worked out last. Most topics that are made have the settings of the one before, and to work out what follows from
/// some thirty of them costs more than to make the topic.
#[derive(Debug)]
pub(crate) struct SameSettings<T> {
    last: Mutex<Option<Last<T>>>,
}

#[derive(Debug)]
struct Last<T> {
    /// Of the broker; kept, so that no other has its address.
    layers: Arc<Layers>,
    own: Overrides,
    result: T,
}

impl<T> Default for SameSettings<T> {
    fn default() -> Self {
        Self { last: Mutex::new(None) }
    }
}

impl<T: Clone> SameSettings<T> {
    /// What `work_out` makes of a topic with these settings of its own, or has made of them last.
    pub(crate) fn of(
        &self,
        layers: &Arc<Layers>,
        own: &Overrides,
        work_out: impl FnOnce(&Layers, &Overrides) -> T,
    ) -> T {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(last) = &*last
            && Arc::ptr_eq(&last.layers, layers)
            && last.own == *own
        {
            return last.result.clone();
        }
        let result = work_out(layers, own);
        *last = Some(Last { layers: Arc::clone(layers), own: own.clone(), result: result.clone() });
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Settings;

    #[test]
    fn it_is_worked_out_again_for_other_settings() {
        let same = SameSettings::default();
        let mut times = 0;
        let mut of = |layers: &Arc<Layers>, own: &Overrides| {
            same.of(layers, own, |_, own| {
                times += 1;
                (times, own.len())
            })
        };
        let layers =
            Arc::new(Layers::new(Arc::new(Settings::default()), &Overrides::new(), &Overrides::new()));
        let changed = Arc::new(layers.with(&Overrides::new(), &Overrides::new()));
        let own = Overrides::from([("segment.bytes".to_owned(), "1048576".to_owned())]);
        assert_eq!(of(&layers, &Overrides::new()), (1, 0));
        assert_eq!(of(&layers, &Overrides::new()), (1, 0));
        assert_eq!(of(&layers, &own), (2, 1));
        assert_eq!(of(&layers, &own), (2, 1));
        assert_eq!(of(&changed, &own), (3, 1));
        assert_eq!(of(&layers, &own), (4, 1));
    }
}
