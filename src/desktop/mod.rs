//! The window: views draw state and push commands, nothing else. Only this room knows egui.

pub mod port;
