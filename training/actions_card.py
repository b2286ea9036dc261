"""The actions network's card: its text, filled with the figures of the last evaluation."""

from .actions_targets import ACTIONS, SHIPPED

COMMAND = "python -m training evaluate actions"
TRAINED_ON = (
    "FairFace adults (CC BY 4.0; the people were not asked) labelled by MediaPipe's face landmarker and OpenVINO's "
    "gaze-estimation-adas-0002 (both Apache-2.0), renders of the ICT-FaceKit Light head (MIT). No picture is part of this project."
)
# Title, name in the report, bound (None: no target), whether lower is better.
ROWS = [
    ("agreement with MediaPipe on unseen adults, mean r of 18 actions", "actions_mean_r_all", 0.80, False),
    ("… smile, jaw and brows", "actions_mean_r_smile_jaw_brows", 0.92, False),
    ("eye closure on renders of unseen identities, area under the curve", "closure_auc_renders", 0.98, False),
    ("eye closure on unseen adults, where two teachers agree", "closure_auc_where_two_teachers_agree", 0.96, False),
    ("gaze on renders of unseen identities, mean error in degrees", "gaze_error_renders_degrees", 4.0, True),
    ("… median", "gaze_error_renders_median_degrees", None, True),
    ("gaze yaw on unseen adults, r with the teacher", "gaze_yaw_r_teacher", None, False),
    ("gaze pitch on unseen adults, r with the teacher", "gaze_pitch_r_teacher", None, False),
    ("head pose on renders of unseen identities, mean error in degrees", "pose_error_renders_degrees", 2.5, True),
    ("head yaw on unseen adults, r with the teacher", "pose_yaw_r_teacher", 0.95, False),
    ("head pitch on unseen adults, r with the teacher", "pose_pitch_r_teacher", None, False),
    ("blinks on rendered clips at 30 Hz, F1", "blink_f1", 0.97, False),
    ("… mean onset error in frames", "blink_onset_error_frames", 1.0, True),
    ("smiles of 102 consenting adults (London set): `au12`, area under the curve", "london_smile_auc", None, False),
    ("… the same of MediaPipe's smile", "london_smile_auc_mediapipe", None, False),
    ("… smiles with `au12` of at least 0.3", "london_smiles_counted", None, False),
    ("… neutral faces with `au12` below 0.3", "london_neutrals_not_counted", None, False),
    ("actions on renders of unseen identities, mean r", "actions_mean_r_renders", None, False),
    ("ms for a face, ONNX Runtime, one thread, median", "onnx_ms_one_thread", 0.6, True),
    ("… the same network in floats", "in_floats_onnx_ms_one_thread", None, True),
    ("agreement with MediaPipe in floats, mean r", "in_floats_actions_mean_r_all", None, False),
    ("gaze in floats, mean error in degrees", "in_floats_gaze_error_renders_degrees", None, True),
]
GROUPS = ("Black", "East Asian", "Indian", "Latino_Hispanic", "Middle Eastern", "Southeast Asian", "White")
SEXES = ("Female", "Male")
AGES = ("20-29", "30-39", "40-49", "50-59", "60-69", "more than 70")


def text(report: dict[str, float]) -> str:
    rows = []
    for title, name, bound, lower in ROWS:
        value = report[name]
        reached = "" if bound is None else ("yes" if (value <= bound) == lower else "**no**")
        target = "" if bound is None else f"{'≤' if lower else '≥'} {bound}"
        rows.append(f"| {title} | {value:.3f} | {target} | {reached} |")
    actions = [action_row(ACTIONS[place], report) for place in SHIPPED]
    groups = [f"| {g.replace('_', ' or ')} | {report[f'actions_mean_r_{g}']:.3f} |" for g in GROUPS + SEXES + AGES if f"actions_mean_r_{g}" in report]
    return TEXT.format(
        table="\n".join(rows), actions="\n".join(actions), groups="\n".join(groups), command=COMMAND, steps=f"{report['steps']:,.0f}",
        faces=f"{report['faces_held_out']:,.0f}", missed=f"{report['faces_the_teacher_missed']:.0f}", renders=f"{report['renders']:,.0f}",
        size=f"{report['onnx_mb']:.2f}",
    )


def action_row(action, report: dict[str, float]) -> str:
    seen, drawn = report[f"{action.name}_{action.arkit}_r"], report[f"{action.name}_r_renders"]
    return f"| `{action.name}` | {action.meaning} | {action.arkit} | {seen:.2f} | {drawn:.2f} |"


TEXT = """# actions: facial actions, eyes, head pose

## Intended use and limits
Research with consent. An action is the intensity of a blendshape, 0 … 1, the mean of both sides of the face. It agrees with MediaPipe as stated below. It is
not FACS coding: no certified coder labelled a picture. An expression is not a feeling. Gaze without calibration is a direction relative to the head with the error stated
below; it is not a point on the screen.

## Input and outputs
Input: `face` [1, 1, 128, 128], grey (0.299 R + 0.587 G + 0.114 B), normalised (v - 127.5) / 64. The eyes' centres are at (0.33, 0.36) and (0.67, 0.36) of width and height.
Resampling is as in `training/align.py`. Left and right are those of the picture.

| output | meaning |
| --- | --- |
| `actions` [1, 18] | intensities of the actions listed below |
| `closure` [1, 2] | 0 open … 1 closed; left and right eye |
| `gaze` [1, 4] | yaw and pitch of the left and of the right eye in degrees, relative to the head; yaw > 0 towards image-right, pitch > 0 down |
| `pose` [1, 3] | yaw, pitch, roll of the head in degrees relative to the aligned face (add the alignment's rotation to roll); signs as in the card of `landmarks` |

## Data and terms
- FairFace (Kärkkäinen and Joo 2021, CC BY 4.0): adults alone, bands from 20 years on. The order of the pictures is balanced over seven groups and both sexes. The people in these pictures
  were not asked. Its `val` part is never trained on.
- Labels of the pictures: blendshapes and head pose of MediaPipe's face landmarker; gaze of OpenVINO's gaze-estimation-adas-0002; for figures also OpenVINO's
  open-closed-eye-0001. All are Apache-2.0. None is part of this project.
- MediaPipe reports zero for `cheekSquint` (AU6) and `noseSneer` (AU9) on every face. Renders alone did not teach them, so the network does not report them. The fields `au06` and
  `au09` of the stream `action` have no values.
- The Face Research Lab London Set (DeBruine and Jones, CC BY 4.0; the people consented) gives figures alone. Nothing was trained or tuned on it.
- Renders of the ICT-FaceKit Light head (MIT): exact actions, closure, gaze and pose; random identity, skin, light, camera, glasses. One identity of ten is kept for figures.
- No picture is part of this project. The weights are licensed MIT OR Apache-2.0.

## Recipe
The network sees the face at half resolution and each eye at full resolution. Both eyes go through the same layers. Four of ten faces of a batch are renders. Losses: smooth L1 of
the actions relative to their spread, one minus the correlation of each action within the batch, squared error of the closure, smooth L1 of gaze and pose. AdamW, half-cosine rate,
averaged weights; {steps} steps of 64 faces. Configuration: `training/configs/actions.toml`. Convolutions of the file compute with 8-bit integers. It has {size} MB.

## Figures
Command: `{command}`. Data: {faces} adults of FairFace's `val` (on {missed} more the teacher found no face), {renders} renders of unseen identities.

| measure | value | target | reached |
| --- | --- | --- | --- |
{table}

Each action, Pearson's r:

| field | action | ARKit | with MediaPipe, unseen adults | with the truth, unseen renders |
| --- | --- | --- | --- | --- |
{actions}

On renders the actions agree little with the values of the head model, except for the jaw and the eyelids. A render combines up to four random actions, and renders have less weight in
the loss of the actions. The values follow MediaPipe on photographs.

Mean r of the actions with MediaPipe, by FairFace's own labels of group, sex and age:

| people | mean r |
| --- | --- |
{groups}

## Not measured
- Agreement with certified FACS coders.
- Gaze of real people against a known target. Teachers and renders are the only references.
- Blinks of real people against electromyography or a fast camera. The clips are rendered.
- Infrared cameras, beards, medical conditions of face or eyes.
"""
