//! Runs the scenarios of a contract in parallel in one process, and determines the coverage.

use std::env;
use std::panic::resume_unwind;
use std::pin::Pin;
use std::process::ExitCode;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use libtest_mimic::{Arguments, Conclusion, Failed, Trial};

use super::ledger::{Gap, Ledger, Rules};

/// The one test that nextest lists: it runs every test in its own process, and the coverage needs all scenarios in one.
const ALL: &str = "all_scenarios";
/// Number of parallel scenarios per processor: most of them wait most of the time.
const PER_PROCESSOR: usize = 4;

type ScenarioFuture = Pin<Box<dyn Future<Output = ()>>>;

/// A scenario drives a device of its own and reports what the device answers to a [`Ledger`]. Made by
/// [`scenarios!`](crate::scenarios).
pub struct Scenario {
    name: &'static str,
    play: fn(Arc<Ledger>) -> ScenarioFuture,
    alone: bool,
}

impl Scenario {
    /// A scenario that fails by a panic. It runs on its own single-threaded runtime, so it may pause the time.
    pub fn new(name: &'static str, play: fn(Arc<Ledger>) -> ScenarioFuture) -> Self {
        Self { name, play, alone: false }
    }

    /// The same, with no other scenario running at the same time: for scenarios that measure time.
    pub fn alone(self) -> Self {
        Self { alone: true, ..self }
    }
}

/// Defines the function `scenarios` from a table of scenarios by module:
/// `scenarios! { people: are_enrolled, #[alone] are_found_at_once; }` has it return a [`Vec`] of [`Scenario`]s that run
/// `people::are_enrolled`, an `async fn(&Arc<Ledger>)`, and so on.
#[macro_export]
macro_rules! scenarios {
    ($($group:ident: $($(#[$mark:ident])? $name:ident),+;)+) => {
        fn scenarios() -> Vec<$crate::contract::Scenario> {
            vec![$($(
                $crate::contract::Scenario::new(
                    concat!(stringify!($group), "::", stringify!($name)),
                    |ledger| Box::pin(async move { $group::$name(&ledger).await }),
                )$(.$mark())?
            ),+),+]
        }
    };
}

/// A contract test: everything its `main` needs.
pub struct Contract {
    /// The name of the catalogue below `tests/contracts`, without `.yaml`.
    pub catalogue: &'static str,
    /// What the catalogue does not state in a machine-readable form.
    pub rules: Rules,
    /// The parts of the catalogue that are not implemented.
    pub gaps: &'static [Gap],
    /// The codes that are expected never to be seen, in the catalogue's order; `None`: not checked.
    pub unprovoked: Option<&'static [Gap]>,
    /// The scenarios.
    pub scenarios: Vec<Scenario>,
}

impl Contract {
    /// Runs the scenarios that the command line selects, with the options of libtest; under nextest all of them, as one
    /// test. Prints how long each took, and the coverage if all ran and none failed.
    ///
    /// Returns a failure when a scenario fails, the coverage has faults, or the catalogue cannot be read.
    pub fn main(self) -> ExitCode {
        let arguments = Arguments::from_args();
        let nextest = env::var_os("NEXTEST").is_some();
        if nextest && arguments.list {
            return libtest_mimic::run(&arguments, vec![Trial::test(ALL, || Ok(()))]).exit_code();
        }
        let played = self.play(if nextest { Arguments::default() } else { arguments });
        match &played {
            Ok(Some(counts)) => println!("{counts}"),
            Ok(None) => {}
            Err(faults) => eprintln!("{}", faults.join("\n")),
        }
        if played.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
    }

    /// Returns the coverage; `None` when not all scenarios ran.
    fn play(mut self, mut arguments: Arguments) -> Result<Option<String>, Vec<String>> {
        let ledger = Ledger::of(self.catalogue, self.rules).map_err(|error| vec![error.to_string()])?;
        let (ledger, runner) = (Arc::new(ledger), Arc::new(Runner::default()));
        let processors = thread::available_parallelism().map_or(1, usize::from);
        arguments.test_threads.get_or_insert(processors * PER_PROCESSOR);
        // A scenario that runs alone makes all others wait, so these run last.
        self.scenarios.sort_by_key(|scenario| scenario.alone);
        let trial = |scenario: Scenario| {
            let (runner, ledger) = (Arc::clone(&runner), Arc::clone(&ledger));
            Trial::test(scenario.name, move || runner.play(&scenario, ledger))
        };
        let trials = self.scenarios.drain(..).map(trial).collect();
        let played = libtest_mimic::run(&arguments, trials);
        if arguments.list {
            return Ok(None);
        }
        runner.print_times();
        match played {
            Conclusion { num_failed: 1.., .. } => Err(vec![format!("scenarios failed: {}", played.num_failed)]),
            Conclusion { num_filtered_out: 1.., .. } => Ok(None),
            _ => self.coverage(&ledger).map(Some),
        }
    }

    fn coverage(&self, ledger: &Ledger) -> Result<String, Vec<String>> {
        let counts = ledger.coverage(self.gaps)?;
        let Some(expected) = self.unprovoked else { return Ok(counts) };
        let (expected, never) = (expected.iter().map(|(code, _)| *code).collect::<Vec<_>>(), ledger.unprovoked());
        if never == expected {
            return Ok(counts);
        }
        Err(vec![format!("nothing was refused with {never:?}, and it should have been {expected:?}")])
    }
}

/// Runs scenarios and records how long they take.
#[derive(Default)]
struct Runner {
    /// Held for reading by scenarios that may run in parallel, for writing by one that runs alone.
    exclusive: RwLock<()>,
    times: Mutex<Vec<(Duration, &'static str)>>,
}

impl Runner {
    /// Runs a scenario in a thread with its name, which panic messages contain.
    fn play(&self, scenario: &Scenario, ledger: Arc<Ledger>) -> Result<(), Failed> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let play = scenario.play;
        let outcome = self.alone_or_not(scenario.alone, || {
            let started = Instant::now();
            let thread = thread::Builder::new().name(scenario.name.to_owned());
            let outcome = thread.spawn(move || runtime.block_on(play(ledger)))?.join();
            let took = (started.elapsed(), scenario.name);
            self.times.lock().unwrap_or_else(PoisonError::into_inner).push(took);
            Ok::<_, Failed>(outcome)
        })?;
        outcome.map_err(|panic| resume_unwind(panic))
    }

    fn alone_or_not<T>(&self, alone: bool, play: impl FnOnce() -> T) -> T {
        if alone {
            let _alone = self.exclusive.write().unwrap_or_else(PoisonError::into_inner);
            play()
        } else {
            let _shared = self.exclusive.read().unwrap_or_else(PoisonError::into_inner);
            play()
        }
    }

    /// Prints the times, longest first.
    fn print_times(&self) {
        let mut times = self.times.lock().unwrap_or_else(PoisonError::into_inner);
        times.sort_unstable_by(|one, other| other.cmp(one));
        for (took, name) in times.iter() {
            println!("{:8.3} s  {name}", took.as_secs_f64());
        }
        println!();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;

    fn contract(scenarios: Vec<Scenario>) -> Contract {
        Contract { catalogue: "facebox", rules: Rules::NONE, gaps: &[], unprovoked: None, scenarios }
    }

    fn arguments(filter: Option<&str>) -> Arguments {
        Arguments { filter: filter.map(str::to_owned), ..Arguments::default() }
    }

    #[test]
    fn a_scenario_that_panics_stops_no_other_and_is_counted() {
        static PLAYED: AtomicUsize = AtomicUsize::new(0);
        let good = |_| -> ScenarioFuture {
            Box::pin(async {
                PLAYED.fetch_add(1, Ordering::Relaxed);
            })
        };
        let bad = |_| -> ScenarioFuture { Box::pin(async { panic!("on purpose") }) };
        let scenarios = vec![Scenario::new("a", good), Scenario::new("b", bad), Scenario::new("c", good)];
        assert_eq!(contract(scenarios).play(arguments(None)), Err(vec!["scenarios failed: 1".to_owned()]));
        assert_eq!(PLAYED.load(Ordering::Relaxed), 2);
    }

    #[test]
    fn the_coverage_is_determined_when_all_scenarios_ran() {
        let nothing = |_| -> ScenarioFuture { Box::pin(async {}) };
        let scenarios = || vec![Scenario::new("people::a", nothing), Scenario::new("cameras::a", nothing)];
        assert_eq!(contract(scenarios()).play(arguments(Some("people"))), Ok(None));
        let faults = contract(scenarios()).play(arguments(None)).unwrap_err();
        assert!(faults.contains(&"/Login has no scenario".to_owned()), "{faults:?}");
    }

    #[test]
    fn a_scenario_that_runs_alone_has_no_other_beside_it() {
        static PLAYING: AtomicUsize = AtomicUsize::new(0);
        let short = |_| -> ScenarioFuture {
            Box::pin(async {
                PLAYING.fetch_add(1, Ordering::Relaxed);
                tokio::time::sleep(Duration::from_millis(20)).await;
                PLAYING.fetch_sub(1, Ordering::Relaxed);
            })
        };
        let alone = |_| -> ScenarioFuture {
            Box::pin(async {
                assert_eq!(PLAYING.fetch_add(1, Ordering::Relaxed), 0);
                tokio::time::sleep(Duration::from_millis(20)).await;
                assert_eq!(PLAYING.fetch_sub(1, Ordering::Relaxed), 1);
            })
        };
        let scenarios = [Scenario::new("a", alone).alone(), Scenario::new("b", short), Scenario::new("c", short)];
        let faults = contract(scenarios.into()).play(arguments(None)).unwrap_err();
        assert!(!faults.iter().any(|fault| fault.starts_with("scenarios failed")), "{faults:?}");
    }
}
