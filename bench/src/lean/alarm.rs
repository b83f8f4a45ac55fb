//! Wakes a loop at a time, to some microseconds.

use std::os::fd::OwnedFd;
use std::time::Instant;

use ottla_tests::problem::{Doing, Problem};
use rustix::event::{Timespec, epoll};
use rustix::time::{
    Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, timerfd_create, timerfd_settime,
};

/// What the events of an alarm carry. No actor has this place.
const EVENT: u64 = u64::MAX;

/// A timer that an epoll object waits for. A time limit of the wait itself is rounded up to milliseconds, which would be
/// most of the latency that is measured.
pub(super) struct Alarm {
    timer: OwnedFd,
    set: Option<Instant>,
}

impl Alarm {
    /// An alarm of those that wait for this object.
    pub(super) fn of(epoll: &OwnedFd) -> Result<Self, Problem> {
        let flags = TimerfdFlags::CLOEXEC | TimerfdFlags::NONBLOCK;
        let timer = timerfd_create(TimerfdClockId::Monotonic, flags).doing("make a timer")?;
        // Edge-triggered, so that nobody has to read how often it went off.
        let watched = epoll::EventFlags::IN | epoll::EventFlags::ET;
        epoll::add(epoll, &timer, epoll::EventData::new_u64(EVENT), watched).doing("watch a timer")?;
        Ok(Self { timer, set: None })
    }

    /// Sets it to a time that has not come yet.
    pub(super) fn set(&mut self, at: Instant, now: Instant) -> Result<(), Problem> {
        if self.set == Some(at) {
            return Ok(());
        }
        let after = Timespec::try_from(at.saturating_duration_since(now)).doing("express a time")?;
        let once = Itimerspec { it_interval: Timespec::default(), it_value: after };
        timerfd_settime(&self.timer, TimerfdTimerFlags::empty(), &once).doing("set a timer")?;
        self.set = Some(at);
        Ok(())
    }
}
