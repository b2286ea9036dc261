//! What a frame says about a face: detector, tracker, landmarks, affect, and the worker that runs them. Only this room knows ort.
