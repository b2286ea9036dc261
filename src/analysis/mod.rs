//! Pure functions over a Timeline.
