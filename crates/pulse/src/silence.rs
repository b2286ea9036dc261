//! The reasons for which no rate is given.

/// Why a window has no rate.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Silence {
    NoSkin,
    FrameRate,
    Dark,
    Motion,
    Light,
    Compressed,
    Disagreement,
    NoPeriodicity,
}

impl Silence {
    pub const ALL: [Silence; 8] = [
        Silence::NoSkin,
        Silence::FrameRate,
        Silence::Dark,
        Silence::Motion,
        Silence::Light,
        Silence::Compressed,
        Silence::Disagreement,
        Silence::NoPeriodicity,
    ];

    /// The note of the gap.
    pub fn sentence(self) -> &'static str {
        match self {
            Silence::NoSkin => {
                "no skin: no patch could be read in the whole window (no face, a small face, lost frames, or a picture without \
                 colour)"
            }
            Silence::FrameRate => "the rate of scored frames is outside 19 to 65 Hz",
            Silence::Dark => "too dark: the skin's mean green level is below 25 of 255",
            Silence::Motion => "motion: the head moves too much",
            Silence::Light => "light: its changes, or clipped skin, hide the pulse",
            Silence::Compressed => "too compressed: the same colours repeat from frame to frame",
            Silence::Disagreement => "disagreement: projections or regions of the skin give different rates",
            Silence::NoPeriodicity => "no periodicity that is strong enough",
        }
    }
}
