use std::net::{IpAddr, Ipv4Addr};

use tokio::time::advance;

use super::*;

fn source(last: u8) -> Source {
    Some(IpAddr::V4(Ipv4Addr::new(192, 0, 2, last))).into()
}

fn refused(attempts: &Arc<Attempts>, name: &str, source: Source) -> Option<Refusal> {
    attempts.start(name, source, true).err()
}

#[tokio::test(start_paused = true)]
async fn five_attempts_in_flight_are_all_that_are_checked() {
    let attempts = Arc::<Attempts>::default();
    let started: Vec<_> = (0..5).map(|_| attempts.start("admin", source(1), true).ok().unwrap()).collect();
    assert_eq!(refused(&attempts, "admin", source(1)), Some(Refusal::Busy));
    let locks: Vec<_> = started.into_iter().map(Attempt::was_wrong).collect();
    assert_eq!(locks, [false, false, false, false, true]);
    assert_eq!(refused(&attempts, "admin", source(1)), Some(Refusal::Locked(WINDOW)));
    assert_eq!(refused(&attempts, "rose", source(1)), None, "the lock is for one name");
    advance(WINDOW - Duration::from_secs(1)).await;
    assert_eq!(refused(&attempts, "admin", source(1)), Some(Refusal::Locked(Duration::from_secs(1))));
    advance(Duration::from_secs(1)).await;
    assert_eq!(refused(&attempts, "admin", source(1)), None);
}

#[tokio::test(start_paused = true)]
async fn an_attempt_that_was_not_checked_does_not_count() {
    let attempts = Arc::<Attempts>::default();
    for _ in 0..20 {
        drop(attempts.start("admin", source(1), true).ok().unwrap());
    }
    assert_eq!(refused(&attempts, "admin", source(1)), None);
    assert!(attempts.table(true).by_source.is_empty() && attempts.table(true).by_name.is_empty());
}

#[tokio::test(start_paused = true)]
async fn failures_elsewhere_delay_new_sources_and_not_known_ones() {
    let attempts = Arc::<Attempts>::default();
    attempts.start("admin", source(1), true).ok().unwrap().was_right(true);
    for _ in 0..5 {
        attempts.start("admin", source(66), true).ok().unwrap().was_wrong();
    }
    assert_eq!(attempts.start("admin", source(1), true).ok().unwrap().turn, None, "known");
    let start = Instant::now();
    let mut turns = Vec::new();
    for last in 2..9 {
        turns.push(attempts.start("admin", source(last), true).ok().unwrap());
    }
    let delays: Vec<_> = turns.iter().map(|attempt| (attempt.turn.unwrap() - start).as_secs()).collect();
    assert_eq!(delays, [2, 4, 6, 8, 10, 12, 14]);
    assert_eq!(refused(&attempts, "admin", source(2)), Some(Refusal::Busy), "one turn at a time");
    assert!(attempts.start("admin", source(9), true).is_ok());
    assert_eq!(refused(&attempts, "admin", source(10)), Some(Refusal::Busy), "too long a delay");
    drop(turns);
    advance(WINDOW).await;
    assert_eq!(attempts.start("admin", source(10), true).ok().map(|attempt| attempt.turn), Some(None));
}

#[tokio::test(start_paused = true)]
async fn a_right_digest_does_not_give_more_guesses() {
    let attempts = Arc::<Attempts>::default();
    for wrong in 1..=5 {
        attempts.start("admin", source(1), true).ok().unwrap().was_right(false);
        assert_eq!(attempts.start("admin", source(1), true).ok().unwrap().was_wrong(), wrong == 5);
    }
    assert!(matches!(refused(&attempts, "admin", source(1)), Some(Refusal::Locked(_))));
    attempts.forget("admin");
    assert_eq!(refused(&attempts, "admin", source(1)), None);
    for _ in 0..4 {
        attempts.start("admin", source(1), true).ok().unwrap().was_wrong();
    }
    attempts.start("admin", source(1), true).ok().unwrap().was_right(true);
    assert!(!attempts.start("admin", source(1), true).ok().unwrap().was_wrong());
}

#[tokio::test(start_paused = true)]
async fn names_that_callers_make_up_push_out_no_lock_of_an_account() {
    let attempts = Arc::<Attempts>::default();
    for _ in 0..5 {
        attempts.start("admin", source(1), true).ok().unwrap().was_wrong();
    }
    for n in 0..REMEMBERED + 100 {
        attempts.start(&format!("{n}"), source(1), false).ok().unwrap().was_wrong();
    }
    assert!(matches!(refused(&attempts, "admin", source(1)), Some(Refusal::Locked(_))));
    let others = attempts.table(false);
    assert!(others.by_source.len() <= REMEMBERED + 1 && others.by_name.len() <= REMEMBERED + 1);
    drop(others);
    let endless = "x".repeat(10_000);
    let attempt = attempts.start(&endless, source(1), false).ok().unwrap();
    assert_eq!(attempt.name.len(), NAME);
}
