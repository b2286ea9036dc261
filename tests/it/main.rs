//! The one integration test binary: each module tests a way through the house from outside.

mod demo_study;
mod phantom;
