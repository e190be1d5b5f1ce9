//! polyface-tests.
