"""The twenty facial actions: FACS number, ARKit name, and where MediaPipe and the head model have them.

An action's value is the intensity of a blendshape, 0 … 1, the mean of left and right. It is not FACS coding.
"""

import dataclasses

import numpy as np

# MediaPipe's 52 blendshapes, in its order.
MEDIAPIPE = (
    "_neutral browDownLeft browDownRight browInnerUp browOuterUpLeft browOuterUpRight cheekPuff cheekSquintLeft "
    "cheekSquintRight eyeBlinkLeft eyeBlinkRight eyeLookDownLeft eyeLookDownRight eyeLookInLeft eyeLookInRight "
    "eyeLookOutLeft eyeLookOutRight eyeLookUpLeft eyeLookUpRight eyeSquintLeft eyeSquintRight eyeWideLeft eyeWideRight "
    "jawForward jawLeft jawOpen jawRight mouthClose mouthDimpleLeft mouthDimpleRight mouthFrownLeft mouthFrownRight "
    "mouthFunnel mouthLeft mouthLowerDownLeft mouthLowerDownRight mouthPressLeft mouthPressRight mouthPucker mouthRight "
    "mouthRollLower mouthRollUpper mouthShrugLower mouthShrugUpper mouthSmileLeft mouthSmileRight mouthStretchLeft "
    "mouthStretchRight mouthUpperUpLeft mouthUpperUpRight noseSneerLeft noseSneerRight"
).split()
# Actions without a side in each naming; all others have a left and a right half.
UNSIDED = {"jawOpen", "mouthFunnel", "mouthPucker", "mouthRollLower", "mouthShrugLower"}


@dataclasses.dataclass(frozen=True)
class Action:
    facs: int
    arkit: str
    meaning: str

    @property
    def name(self) -> str:
        return f"au{self.facs:02}"

    @property
    def mediapipe_names(self) -> list[str]:
        if self.arkit in UNSIDED | {"browInnerUp"}:
            return [self.arkit]
        return [self.arkit + side for side in ("Left", "Right")]

    @property
    def model_names(self) -> list[str]:
        return [self.arkit] if self.arkit in UNSIDED else [self.arkit + side for side in ("_L", "_R")]


ACTIONS = [
    Action(1, "browInnerUp", "inner brow raiser"),
    Action(2, "browOuterUp", "outer brow raiser"),
    Action(4, "browDown", "brow lowerer"),
    Action(5, "eyeWide", "upper lid raiser"),
    Action(6, "cheekSquint", "cheek raiser"),
    Action(7, "eyeSquint", "lid tightener"),
    Action(9, "noseSneer", "nose wrinkler"),
    Action(10, "mouthUpperUp", "upper lip raiser"),
    Action(12, "mouthSmile", "lip corner puller"),
    Action(14, "mouthDimple", "dimpler"),
    Action(15, "mouthFrown", "lip corner depressor"),
    Action(16, "mouthLowerDown", "lower lip depressor"),
    Action(17, "mouthShrugLower", "chin raiser"),
    Action(18, "mouthPucker", "lip pucker"),
    Action(20, "mouthStretch", "lip stretcher"),
    Action(22, "mouthFunnel", "lip funneler"),
    Action(24, "mouthPress", "lip pressor"),
    Action(26, "jawOpen", "jaw drop"),
    Action(28, "mouthRollLower", "lip suck"),
    Action(43, "eyeBlink", "eyes closed"),
]

# MediaPipe reports zero for these two on every face, and renders alone did not teach them: on unseen renders r was 0.10 and 0.34.
# The network that ships does not report them.
UNTAUGHT = {"cheekSquint", "noseSneer"}
# The places in ACTIONS of the actions that ship.
SHIPPED = [number for number, action in enumerate(ACTIONS) if action.arkit not in UNTAUGHT]


def from_mediapipe(blendshapes: np.ndarray) -> np.ndarray:
    """The actions [n, 20] of MediaPipe's blendshapes [n, 52]."""
    columns = [[MEDIAPIPE.index(name) for name in action.mediapipe_names] for action in ACTIONS]
    return np.stack([blendshapes[:, column].mean(axis=1) for column in columns], axis=1).astype(np.float32)
