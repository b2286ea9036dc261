//! The participant's page and the ONE parser from its messages to records. Only this room knows wry.
