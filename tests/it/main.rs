//! The one integration test binary: each module tests a way through the house from outside.

mod vision;
mod vision_onnx;
mod vision_parity;
mod vision_refusals;
mod vision_support;
mod vision_tracking;
