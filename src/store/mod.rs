//! What is kept: the session file, its recorder, the video file, the library of studies and sessions.
