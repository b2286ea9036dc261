//! The facial actions of the stream `action`.

/// A facial action. Its value is the intensity of a blendshape, 0 … 1, the mean of both sides of the face. It is not FACS coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FaceAction {
    /// Name of the field: `au` and the number of the action unit in the Facial Action Coding System.
    pub name: &'static str,
    /// Name of the blendshape in Apple's ARKit, without its side.
    pub arkit: &'static str,
    pub meaning: &'static str,
}

const fn action(name: &'static str, arkit: &'static str, meaning: &'static str) -> FaceAction {
    FaceAction { name, arkit, meaning }
}

/// In the order of the fields of the stream `action`.
pub const FACE_ACTIONS: [FaceAction; 20] = [
    action("au01", "browInnerUp", "inner brow raiser"),
    action("au02", "browOuterUp", "outer brow raiser"),
    action("au04", "browDown", "brow lowerer"),
    action("au05", "eyeWide", "upper lid raiser"),
    action("au06", "cheekSquint", "cheek raiser"),
    action("au07", "eyeSquint", "lid tightener"),
    action("au09", "noseSneer", "nose wrinkler"),
    action("au10", "mouthUpperUp", "upper lip raiser"),
    action("au12", "mouthSmile", "lip corner puller"),
    action("au14", "mouthDimple", "dimpler"),
    action("au15", "mouthFrown", "lip corner depressor"),
    action("au16", "mouthLowerDown", "lower lip depressor"),
    action("au17", "mouthShrugLower", "chin raiser"),
    action("au18", "mouthPucker", "lip pucker"),
    action("au20", "mouthStretch", "lip stretcher"),
    action("au22", "mouthFunnel", "lip funneler"),
    action("au24", "mouthPress", "lip pressor"),
    action("au26", "jawOpen", "jaw drop"),
    action("au28", "mouthRollLower", "lip suck"),
    action("au43", "eyeBlink", "eyes closed"),
];
