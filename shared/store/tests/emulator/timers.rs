//! Due work.

use std::time::Duration;

use alerting::base::ids::{AlertId, IncidentId};
use alerting::incident::timer::{Timer, Work};

use crate::world::{NOW, World, destination, integration, space, stamp};

fn flush(name: &str, due_in: u64) -> Timer {
    Timer::new(NOW + Duration::from_secs(due_in), Work::FlushDigest { destination: destination(name) })
}

#[tokio::test]
async fn what_is_due_comes_in_order_and_what_is_not_does_not() {
    let world = World::start().await;
    let mut timers: Vec<Timer> = (0..30).map(|index| flush(&format!("d{index:02}"), index)).collect();
    timers.push(Timer::new(NOW, Work::AutoClose { alert: AlertId::of(&integration("a"), stamp(0)) }));
    let incident = IncidentId::of(&space("dba"), stamp(0));
    timers.push(Timer::new(NOW, Work::SnoozeEnd { incident, until: NOW }));
    for timer in timers.iter().rev() {
        world.store.put_timer(timer).await.expect("written");
    }
    timers.sort_by(|one, other| (one.due, &one.id).cmp(&(other.due, &other.id)));
    let due = world.store.due_timers(NOW + Duration::from_secs(9), 100).await.expect("read");
    assert_eq!(due, timers[..12]);
    let first = world.store.due_timers(NOW + Duration::from_secs(60), 5).await.expect("read");
    assert_eq!(first, timers[..5]);
}

#[tokio::test]
async fn a_timer_written_twice_is_one_and_deleted_twice_is_gone() {
    let world = World::start().await;
    let timer = flush("ops", 0);
    world.store.put_timer(&timer).await.expect("written");
    world.another().put_timer(&timer).await.expect("written");
    assert_eq!(world.store.due_timers(NOW, 10).await.expect("read"), std::slice::from_ref(&timer));
    world.store.delete_timers(std::slice::from_ref(&timer)).await.expect("deleted");
    world.another().delete_timers(std::slice::from_ref(&timer)).await.expect("deleted");
    assert!(world.store.due_timers(NOW, 10).await.expect("read").is_empty());
}
