//! Shares one pass over memory among concurrent searches: a search that finds no scan running leads the next one, which
//! also answers the questions that are waiting.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError};

use super::scan::Question;
use super::{Neighbour, Query};
use crate::Embedding;

/// Maximum number of questions per scan; further ones wait for the next.
const MAX_TOGETHER: usize = 8;

/// A question, and the slot for its answer.
pub(super) struct Ticket {
    probe: Embedding,
    queries: Arc<[Query]>,
    answer: OnceLock<Vec<Vec<Neighbour>>>,
}

impl Ticket {
    pub(super) fn question(&self) -> Question<'_> {
        Question { probe: self.probe.vector(), queries: &self.queries }
    }
}

#[derive(Default)]
pub(super) struct Rounds {
    queue: Mutex<Queue>,
    round_over: Condvar,
}

#[derive(Default)]
struct Queue {
    /// In order of arrival; questions stay until they are answered.
    waiting: Vec<Arc<Ticket>>,
    /// Whether a scan is running.
    led: bool,
}

impl Rounds {
    /// Returns the answer for each probe, from `scan` called here or by another waiting thread. A scan starts after all
    /// its questions were asked, so it sees every change published before any of them.
    pub(super) fn ask(
        &self,
        probes: &[Embedding],
        queries: &[Query],
        scan: impl Fn(&[Arc<Ticket>]) -> Vec<Vec<Vec<Neighbour>>>,
    ) -> Vec<Vec<Vec<Neighbour>>> {
        let queries: Arc<[Query]> = queries.into();
        let ticket = |probe: &Embedding| {
            Arc::new(Ticket { probe: probe.clone(), queries: Arc::clone(&queries), answer: OnceLock::new() })
        };
        let tickets: Vec<_> = probes.iter().map(ticket).collect();
        let mut queue = self.queue();
        queue.waiting.extend(tickets.iter().cloned());
        loop {
            if let Some(answers) = tickets.iter().map(|ticket| ticket.answer.get().cloned()).collect() {
                return answers;
            }
            if queue.led {
                queue = self.round_over.wait(queue).unwrap_or_else(PoisonError::into_inner);
                continue;
            }
            queue.led = true;
            let round: Vec<_> = queue.waiting.iter().take(MAX_TOGETHER).cloned().collect();
            drop(queue);
            let lead = Lead(self);
            for (ticket, answer) in round.iter().zip(scan(&round)) {
                // Cannot fail: only the leader of its round answers a ticket.
                let _ = ticket.answer.set(answer);
            }
            drop(lead);
            queue = self.queue();
        }
    }

    fn queue(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Ends the round on drop, also when its scan panicked: unanswered questions are then answered in another round.
struct Lead<'a>(&'a Rounds);

impl Drop for Lead<'_> {
    fn drop(&mut self) {
        let mut queue = self.0.queue();
        queue.led = false;
        queue.waiting.retain(|ticket| ticket.answer.get().is_none());
        drop(queue);
        self.0.round_over.notify_all();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;

    use super::*;
    use crate::{ModelId, PersonId};

    fn probe(number: usize) -> Embedding {
        Embedding::normalised(ModelId("test".into()), vec![1.0, number as f32]).unwrap()
    }

    /// Answers each question with its own second component.
    fn echo(round: &[Arc<Ticket>]) -> Vec<Vec<Vec<Neighbour>>> {
        let own =
            |ticket: &Arc<Ticket>| vec![vec![Neighbour { person: PersonId(1), cosine: ticket.probe.vector()[1] }]];
        round.iter().map(own).collect()
    }

    fn waiting(rounds: &Rounds, number: usize) {
        while rounds.queue().waiting.len() < number {
            std::thread::yield_now();
        }
    }

    #[test]
    fn questions_during_a_scan_share_the_next_ones_and_get_their_own_answers() {
        let (rounds, scans) = (Rounds::default(), AtomicUsize::new(0));
        let (release, held) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            let (rounds, scans) = (&rounds, &scans);
            scope.spawn(move || {
                rounds.ask(&[probe(0)], &[], |round| {
                    held.recv().unwrap();
                    scans.fetch_add(1, Ordering::Relaxed);
                    echo(round)
                })
            });
            waiting(rounds, 1);
            let asking: Vec<_> = (1..=2 * MAX_TOGETHER)
                .map(|number| {
                    scope.spawn(move || {
                        let answer = rounds.ask(&[probe(number)], &[], |round| {
                            assert!(round.len() <= MAX_TOGETHER);
                            scans.fetch_add(1, Ordering::Relaxed);
                            echo(round)
                        });
                        assert_eq!(answer[0][0][0].cosine, probe(number).vector()[1]);
                    })
                })
                .collect();
            waiting(rounds, 1 + 2 * MAX_TOGETHER);
            release.send(()).unwrap();
            asking.into_iter().for_each(|asked| asked.join().unwrap());
        });
        assert_eq!(scans.into_inner(), 3, "one alone, then two full rounds");
        assert!(rounds.queue().waiting.is_empty());
    }

    #[test]
    fn the_probes_of_one_search_share_a_scan() {
        let (rounds, scans) = (Rounds::default(), AtomicUsize::new(0));
        let probes: Vec<_> = (0..MAX_TOGETHER + 3).map(probe).collect();
        let answers = rounds.ask(&probes, &[], |round| {
            scans.fetch_add(1, Ordering::Relaxed);
            echo(round)
        });
        let own: Vec<_> = probes.iter().map(|probe| probe.vector()[1]).collect();
        assert_eq!(answers.iter().map(|answer| answer[0][0].cosine).collect::<Vec<_>>(), own);
        assert_eq!(scans.into_inner(), 2, "as many at once as a scan takes");
    }

    #[test]
    fn a_scan_that_panics_fails_no_other_search() {
        let rounds = Rounds::default();
        let (release, held) = mpsc::channel::<()>();
        std::thread::scope(|scope| {
            let rounds = &rounds;
            let panicking = scope.spawn(move || {
                rounds.ask(&[probe(0)], &[], |_| {
                    held.recv().unwrap();
                    panic!("on purpose")
                })
            });
            waiting(rounds, 1);
            let other = scope.spawn(move || rounds.ask(&[probe(1)], &[], echo));
            waiting(rounds, 2);
            release.send(()).unwrap();
            assert!(panicking.join().is_err());
            assert_eq!(other.join().unwrap()[0][0][0].cosine, probe(1).vector()[1]);
        });
    }
}
