"""The landmark network's card: its text, filled with the figures of the last evaluation."""

from . import model_card

COMMAND = "python -m training evaluate landmarks"
TRAINED_ON = (
    "YouTube Faces frames with 68 points (udacity_landmarks68, MIT), LFW-based pictures (muxspace) labelled by the "
    "teacher MediaPipe face landmarker (Apache-2.0), renders of the ICT-FaceKit Light head (MIT). No picture is part "
    "of this project."
)
# Title, name in the report, bound (None: no target), whether lower is better.
ROWS = [
    ("error over inter-ocular distance, unseen people, as in the program, two runs", "nme_unseen_people", 0.045, True),
    ("… one run on the true points' crop, as while tracking", "nme_unseen_people_tracking_crop", None, True),
    ("… one run on the detector's crop", "nme_unseen_people_detector_crop", None, True),
    ("… median", "nme_unseen_people_median", None, True),
    ("… 90th percentile", "nme_unseen_people_90th_percentile", None, True),
    ("… jaw", "nme_jaw", None, True),
    ("… brows", "nme_brows", None, True),
    ("… nose", "nme_nose", None, True),
    ("… eyes", "nme_eyes", None, True),
    ("… mouth", "nme_mouth", None, True),
    ("inner points on unseen renders, yaw within 45°", "nme_inner_points_renders_within_45", None, True),
    ("jitter on a still face, px at 640x480", "jitter_still_face_px_640x480", 0.3, True),
    ("yaw error on unseen renders to ±78°, degrees", "pose_yaw_mae_renders_degrees", None, True),
    ("pitch error", "pose_pitch_mae_renders_degrees", None, True),
    ("roll error", "pose_roll_mae_renders_degrees", None, True),
    ("yaw error on unseen renders within 45°", "pose_yaw_mae_renders_within_45_degrees", None, True),
    ("pitch error", "pose_pitch_mae_renders_within_45_degrees", None, True),
    ("roll error", "pose_roll_mae_renders_within_45_degrees", None, True),
    ("yaw difference from the teacher on unseen people, degrees", "pose_yaw_mae_teacher_degrees", None, True),
    ("pitch difference", "pose_pitch_mae_teacher_degrees", None, True),
    ("roll difference", "pose_roll_mae_teacher_degrees", None, True),
    ("face or not, accuracy, degraded crops", "face_accuracy_degraded", None, False),
    ("… faces kept", "face_recall_degraded", None, False),
    ("… others refused", "no_face_recall_degraded", None, False),
    ("ms for a crop, ONNX Runtime, one thread, median of 1,000", "onnx_ms_one_thread", 1.0, True),
]


def text(report: dict[str, float]) -> str:
    lines = []
    for title, name, bound, lower in ROWS:
        value = report[name]
        reached = "" if bound is None else ("yes" if (value <= bound) == lower else "**no**")
        target = "" if bound is None else f"{'≤' if lower else '≥'} {bound}"
        lines.append(f"| {title} | {value:.4f} | {target} | {reached} |")
    return TEXT.format(table="\n".join(lines), command=COMMAND, faces=report["unseen_faces"], **model_card.read("landmarks")["crop"])


TEXT = """# landmarks: 68 points, head pose, face probability

The network evaluates one square crop around a face and its mirror image, and returns the mean. Convolutions compute with 8-bit integers, except the last one. In 8 bits the
last one would double the jitter on a still face.

## Input and outputs
Input: `crop` [1, 1, 112, 112], grey (0.299 R + 0.587 G + 0.114 B), normalised (v - 127.5) / 64. Resampling is as in `training/align.py`.

| crop | centre | side | rotation |
| --- | --- | --- | --- |
| from the detector | centre of its box | {detection_sides} times the box's longer edge | so that the eye line is level |
| while tracking | centre of the box of the previous 68 points | {tracking_sides} times its longer edge | the previous roll |

| output | meaning |
| --- | --- |
| `points` [1, 136] | x and y in fractions of the crop (0..1, may be outside), in the 68-point order of iBUG 300-W |
| `pose` [1, 3] | yaw, pitch, roll in degrees relative to the crop (add the crop's rotation to roll) |
| `face` [1, 1] | the probability that the crop contains a face, upright and whole |

## Pose
The camera frame is right-handed: x right in the image, y down, z away from the camera. The head's frame is the same when the head looks straight at the camera.
R = Rz(roll) · Ry(-yaw) · Rx(pitch).

- yaw > 0: the face turns towards image-right (the nose moves to +x).
- pitch > 0: the nose moves down in the image.
- roll > 0: the head turns clockwise as seen in the image (its image-right side moves down).

## Data and terms
- YouTube Faces frames with 68 points (repository MIT, frames for research use).
- LFW-based pictures with points of the MediaPipe face landmarker (Apache-2.0). A ridge regression maps its mesh to the 68-point order. It was fitted on training people
  who have both.
- About 3,500 shaded renders of the ICT-FaceKit Light head (MIT) with exact points and pose, yaw to ±78°, random identity and expression.
- The pose of photographs is the teacher's. On renders the teacher's zero agrees with the true one to 0.3°.
- 12 % of the people, by name, and of the renders were never used for training.
- The weights are licensed MIT OR Apache-2.0. No picture is part of this project.

## Recipe
**Crops.** Crops have jitter (centre ±8 %, side ±12 %, rotation ±12°, sometimes ±30°). They are mirrored and partly covered, with random light, lens, sensor and codec. A quarter of
all crops are textures, faceless photograph, or squares that miss the face.

**Training.** Wing loss on points, smooth L1 on pose, cross-entropy on face; AdamW, half-cosine rate, averaged weights. The jaw of renders has a low weight: it follows
the bone, while marks follow the visible outline. Commands: `python -m training {{prepare,train,evaluate,export}} landmarks`. Configuration:
`training/configs/landmarks.toml`.

## Figures
Command: `{command}`. Data: {faces:.0f} marked frames of unseen people.

| measure | value | target | reached |
| --- | --- | --- | --- |
{table}

For comparison: the teacher's mesh, mapped to the same 68 points by the regression above, has a distance of 0.0445 from the same marks. A large part of the error is therefore in
the marks.

**History of these weights.** The first run had 3,080 steps on two shared CPU cores. It was resumed several times with a shortened schedule. From step 2,500 on, letters were among the
faceless crops. The second run used the configuration: 40 minutes, 14,522 steps, from the peak rate down to zero. A run of the configuration from the start will not
reproduce the last digit.

## Not measured
- Yaw beyond about 45° and strong pitch in photographs. The collections have hardly any. Only renders go further.
- Pose in photographs against a measuring device. It was compared only with the teacher.
- Eye and mouth openness have no figure of their own. They are distances between the points.
- Real webcams, infrared cameras, glasses and beards as separate rows. Differences between groups of people.
"""
