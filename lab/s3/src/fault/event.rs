//! Faults of event delivery.

use server_kit::fault::Faults;

use super::kinds;

/// Waits as long as the faults say, then returns how often to deliver an event. 0: the event is lost.
pub async fn deliveries(faults: &Faults) -> u32 {
    if faults.inject(kinds::EVENT_DROP).is_some() {
        return 0;
    }
    let delay = faults.inject(kinds::EVENT_DELAY).unwrap_or_default();
    let longest = faults.inject(kinds::EVENT_REORDER).unwrap_or_default();
    let wait = delay.saturating_add(longest.mul_f64(rand::random()));
    if !wait.is_zero() {
        tokio::time::sleep(wait).await;
    }
    match faults.inject(kinds::EVENT_DUPLICATE) {
        Some(_) => rand::random_range(2..=5),
        None => 1,
    }
}
