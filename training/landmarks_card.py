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
    ("error over inter-ocular distance, unseen people, as the program looks, twice", "nme_unseen_people", 0.045, True),
    ("… one look at the true points' crop, as while tracking", "nme_unseen_people_tracking_crop", None, True),
    ("… one look at the detector's crop", "nme_unseen_people_detector_crop", None, True),
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


TEXT = """# landmarks: 68 points, head pose, and is it a face

Looks at one square crop around a face, and at its mirror image, and answers the mean of both. Convolutions are computed
in whole numbers of 8 bits, but for the last one: in 8 bits it would make a still face tremble twice as much.

## In and out
- In: `crop` [1, 1, 112, 112], grey (0.299 R + 0.587 G + 0.114 B), normalised (v - 127.5) / 64. From the detector: centre
  of its box, side {detection_sides} times the box's longer edge, turned so that the eye line is level. While tracking: box of
  the previous 68 points, the same centre, side {tracking_sides} times its longer edge, turned by the previous roll.
  Resampling as in `training/align.py`.
- Out: `points` [1, 136], x and y in fractions of the crop (0..1, may lie outside), in the 68-point order of
  iBUG 300-W; `pose` [1, 3], yaw, pitch, roll in degrees relative to the crop (add the crop's turn to roll);
  `face` [1, 1], the probability that the crop holds a face, upright and whole.

## Pose
Right-handed camera frame: x right in the image, y down, z away from the camera; the head's frame is the same when
it looks straight at the camera. R = Rz(roll) · Ry(-yaw) · Rx(pitch).
- yaw > 0: the face turns towards image-right (the nose moves to +x).
- pitch > 0: the nose moves down in the image.
- roll > 0: the head turns clockwise as seen in the image (its image-right side moves down).

## Data and terms
YouTube Faces frames with 68 points (repository MIT, frames for research use); LFW-based pictures with points of the
MediaPipe face landmarker (Apache-2.0), brought to the 68-point order by a ridge regression from its mesh, fitted on
training people who have both; about 3,500 shaded renders of the ICT-FaceKit Light head (MIT) with exact points and pose,
yaw to ±78°, random identity and expression. Pose of photographs is the teacher's; on renders the teacher's zero
agrees with the true one to 0.3°. 12 % of the people, by name, and of the renders were never trained on.
The weights are licensed MIT OR Apache-2.0. No picture is part of this project.

## Recipe
Crops with jitter (centre ±8 %, side ±12 %, turn ±12°, now and then ±30°), mirrored, covered in part, with light, lens,
sensor and codec at random; a quarter of all crops are textures, faceless photograph, or squares that miss the face.
Wing loss on points, smooth L1 on pose, cross-entropy on face; AdamW, half-cosine rate, averaged weights.
The jaw of renders counts little: it follows the bone, marks follow the visible outline.
`python -m training {{prepare,train,evaluate,export}} landmarks`, configuration `training/configs/landmarks.toml`.

## Figures
Printed by `{command}`; {faces:.0f} marked frames of unseen people.

| measure | value | target | reached |
| --- | --- | --- | --- |
{table}

For orientation: the teacher's mesh, brought to the same 68 points by the regression above, is 0.0445 away from the
same marks, so a good part of the error is in the marks.

How these weights came about: 3,080 steps on two shared CPU cores, resumed several times with a shortened schedule and words
among the faceless crops from step 2,500 on; from there the configuration's 40 minutes, 14,522 steps, from a rate at its
peak down to nothing. A run of the configuration from the start will not give the same numbers to the last digit.

## Not measured
- Yaw beyond about 45° and strong pitch in photographs: the collections have hardly any; only renders go further.
- Pose in photographs against a measuring device: only against the teacher.
- Eye and mouth openness have no figure of their own; they are distances between the points.
- Real webcams, infrared cameras, glasses and beards as separate rows, and whether errors differ between groups of people.
"""
