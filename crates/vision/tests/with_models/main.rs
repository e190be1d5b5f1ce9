//! What the analyzer makes of real photographs, with the product's models.

#![allow(clippy::unwrap_used, clippy::expect_used, reason = "helpers of tests panic like tests do")]

mod detection;
mod objects;
mod opening;
mod quality;
mod recognition;
mod sharing;
mod support;
