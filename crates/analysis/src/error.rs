//! Why a question has no answer, each as a sentence that says what to do.

use thiserror::Error;

use super::SignalId;

#[derive(Clone, Debug, PartialEq, Error)]
pub enum AnalysisError {
    #[error(
        "`{text}` chooses no events: {problem}. Write for example `page/click target=button#buy` or `marker value=start`"
    )]
    EventChoice { text: String, problem: String },
    #[error("`{pattern}` is no regular expression: {problem}")]
    Pattern { pattern: String, problem: String },
    #[error("the plan of the epochs does not hold together: {0}")]
    Plan(String),
    #[error(
        "no event matches `{choice}` in {sessions} session(s): check the stream, the kind and the target with `affectograph show SESSION`"
    )]
    NoEvent { choice: String, sessions: usize },
    #[error(
        "no epoch is left of {matched} matching event(s): {dropped}. Shorten the window, allow longer bridges, or widen the quality limits"
    )]
    NothingKept { matched: u64, dropped: String },
    #[error("no session was chosen: name sessions, or a study that has some")]
    NoSession,
    #[error(
        "one participant with {epochs} epoch(s) is too little for an interval or a test: record more events or more participants"
    )]
    TooFew { epochs: u64 },
    #[error(
        "{participants} participant(s) have both conditions, and a paired comparison needs two: record more participants, or compare groups that share none"
    )]
    TooFewPairs { participants: usize },
    #[error(
        "the values cannot be corrected: {0} has no guided baseline phase. Give a baseline window before the event, or ask for raw values"
    )]
    NoBaseline(String),
    #[error("the epochs were cut by another plan: {found} points where {expected} are expected. Cut them again")]
    OtherPlan { found: usize, expected: usize },
    #[error("the epochs were cut without the signal `{0}`. Cut them again")]
    NotCut(SignalId),
    #[error("the sessions state `{signal}` in different units ({units}): choose sessions with the same unit")]
    Units { signal: SignalId, units: String },
    #[error("the two series have {0} and {1} values: agreement needs pairs")]
    Unequal(usize, usize),
    #[error(
        "agreement needs {needed} pairs of values that vary, and there are {found}: rate longer, or choose a part of the session with a face in it"
    )]
    TooFewPairsOfValues { found: usize, needed: usize },
    #[error("no marker is shared by both clocks: name events that stand in the file and in the session")]
    NoSharedMarker,
    #[error("the shared markers do not fix the clock's rate: {0}")]
    Drift(String),
}
