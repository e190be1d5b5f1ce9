//! Of any number of guesses for one name, five are compared with the password.

use futures_util::future::join_all;
use polyface_tests::{ADMIN_PASSWORD, Attacker, Device};

#[tokio::test(flavor = "multi_thread")]
async fn of_guesses_side_by_side_five_are_compared() {
    let device = Device::start().await;
    let (attacker, sensetime) = (Attacker::at(2), device.listener("sensetime"));
    let guesses: Vec<_> = (0..100).map(|n| format!("guess{n}")).collect();
    for _ in 0..3 {
        let answers = join_all(guesses.iter().map(|guess| attacker.log_in(sensetime, "admin", guess))).await;
        assert!(answers.iter().all(|code| matches!(code, -113 | -3624)), "{answers:?}");
    }
    // The name is locked for this address, and the right guess is not compared either.
    assert_eq!(attacker.log_in(sensetime, "admin", ADMIN_PASSWORD).await, -113);
    let compared = device.log().lines().filter(|line| line.contains("login failed")).count();
    assert_eq!(compared, 5);
}
