//! One recording from start to stop: wires camera, vision, page and store together.
