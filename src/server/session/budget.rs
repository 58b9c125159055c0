//! Read budget of a connection: a token bucket. While it is empty the connection is not read from, so that TCP makes
//! the client wait. No client is disconnected for it.

use crate::server::config::Rates;
use crate::server::websocket::Usage;
use std::time::Duration;
use tokio::time::Instant;

/// Minimum number of steps that a connection earns per second. A read, a frame and a KiB cost one step each: a short
/// message costs two or three.
const STEPS_PER_SECOND: u32 = 100;

/// Minimum burst of a connection in steps: enough for an outbox of several hundred messages.
const BURST_STEPS: u32 = 2048;

/// Number of steps per message that the settings allow: the cost of the longest message.
const STEPS_PER_MESSAGE: u32 = 24;

/// Number of replayed events per step of the client that requests them.
const REPLAYED_PER_STEP: u64 = 2;

/// A connection's allowance of reads, frames and bytes.
#[derive(Debug)]
pub(crate) struct ConnectionBudget {
    /// Time at which the bucket is full again.
    earned: Instant,
}

/// Rate at which steps are earned.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BudgetRate {
    /// Time in which one step is earned; zero if nothing is limited.
    step: Duration,
    /// Time in which a full burst is earned.
    burst: Duration,
}

impl BudgetRate {
    const UNLIMITED: Self = Self { step: Duration::ZERO, burst: Duration::ZERO };

    /// Returns the rate for clients that may send messages at these rates.
    pub(crate) fn new(rates: Option<&Rates>) -> Self {
        rates.map_or(Self::UNLIMITED, |rates| Self::of(rates.messages_per_second.get(), rates.message_burst.get()))
    }

    fn of(messages_per_second: u32, message_burst: u32) -> Self {
        let steps = |messages: u32, least: u32| messages.saturating_mul(STEPS_PER_MESSAGE).max(least);
        let step = Duration::from_secs(1) / steps(messages_per_second, STEPS_PER_SECOND);
        Self { step, burst: step.saturating_mul(steps(message_burst, BURST_STEPS)) }
    }
}

impl ConnectionBudget {
    /// Returns a full bucket.
    pub(crate) fn new() -> Self {
        Self { earned: Instant::now() }
    }

    /// Spends the cost of reading. Returns when reading may continue, or `None` if it may continue now.
    pub(crate) fn spend(&mut self, usage: Usage, pace: BudgetRate, now: Instant) -> Option<Instant> {
        self.take(u64::from(usage.steps) * 1024 + u64::from(usage.bytes), pace, now)
    }

    /// Spends the cost of replaying `events`. Returns when reading may continue, or `None` if it may continue now.
    pub(crate) fn spend_replay(&mut self, events: u64, pace: BudgetRate, now: Instant) -> Option<Instant> {
        self.take(events.saturating_mul(1024) / REPLAYED_PER_STEP, pace, now)
    }

    /// Spends `parts`, of which 1024 make a step.
    fn take(&mut self, parts: u64, BudgetRate { step, burst }: BudgetRate, now: Instant) -> Option<Instant> {
        let cost = (step.as_nanos() as u64).saturating_mul(parts) / 1024;
        self.earned = self.earned.max(now) + Duration::from_nanos(cost);
        (self.earned > now + burst).then(|| self.earned - burst)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usage(steps: u32, bytes: u32) -> Usage {
        Usage { steps, bytes }
    }

    #[test]
    fn a_burst_is_read_at_once_and_the_rest_at_a_pace() {
        let (mut budget, pace, start) = (ConnectionBudget::new(), BudgetRate::of(1, 1), Instant::now());
        assert_eq!(budget.spend(usage(BURST_STEPS, 0), pace, start), None);
        let next = budget.spend(usage(1, 0), pace, start).expect("a pause");
        assert_eq!(next - start, Duration::from_secs(1) / STEPS_PER_SECOND);
        assert_eq!(budget.spend(usage(0, 1024), pace, next).map(|again| again - next), Some(next - start));
        let later = start + Duration::from_secs(3600);
        assert_eq!(
            budget.spend(usage(BURST_STEPS / 2, BURST_STEPS / 2 * 1024), pace, later),
            None,
            "full again, and no fuller"
        );
        assert!(budget.spend(usage(1, 0), pace, later).is_some());
    }

    #[test]
    fn a_higher_message_rate_allows_more_frames() {
        let (mut budget, pace, start) = (ConnectionBudget::new(), BudgetRate::of(1000, 1), Instant::now());
        let second = usage(6 * 1000, 16 * 1024 * 1000);
        let paused: Vec<_> = (0..10).map(|n| budget.spend(second, pace, start + Duration::from_secs(n))).collect();
        assert!(paused.iter().flatten().all(|until| *until < start + Duration::from_secs(10)), "{paused:?}");
        assert_eq!(budget.spend(usage(1, 0), pace, start + Duration::from_secs(11)), None);
    }

    #[test]
    fn without_rates_nothing_waits() {
        let (mut budget, pace) = (ConnectionBudget::new(), BudgetRate::new(None));
        assert!((0..1000).all(|_| budget.spend(usage(u32::MAX, u32::MAX), pace, Instant::now()).is_none()));
        assert_eq!(budget.spend_replay(u64::MAX, pace, Instant::now()), None);
    }

    #[test]
    fn replays_are_paid_for() {
        let (mut budget, pace, start) = (ConnectionBudget::new(), BudgetRate::of(1, 1), Instant::now());
        let whole = (0..100).take_while(|_| budget.spend_replay(1000, pace, start).is_none()).count();
        assert_eq!(whole, 4);
    }
}
