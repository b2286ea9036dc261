"""The affect network's card: its text, filled with the figures of the last evaluation."""

from pathlib import Path

from training import affect_fairface, affect_measure
from training.affect_data import EXPRESSIONS
from training.affect_tables import (
    COMMAND, LONDON_COMMAND, figures_text, group_table, held_out_table, london_table, missing, yaw_loss, yaw_table,
)

SUMMARY = (
    "Valence, arousal, their uncertainty and eight expression probabilities from a grey, eye-aligned face of "
    "{size} × {size} px."
)
TRAINED_ON = (
    "FER2013 pictures (web, research use) with FER+ votes (MIT); valence and arousal are values derived from the "
    "votes, not ratings. Faces of adults in FairFace (CC BY 4.0, pictures of YFCC-100M) with labels by version 0.4.0 of this network, MediaPipe "
    "(Apache-2.0) and an OpenVINO network (Apache-2.0, trained on AffectNet). Version 0.4.0 also learned from LFW-based pictures (muxspace "
    "facial_expressions). No picture is part of this project."
)
# How often the London set was looked at with this version's candidates. Nothing was chosen by it.
LOOKS = "The set was looked at once with a candidate of this version."
HISTORY = Path(__file__).with_name("affect_history.md")


def card(report: dict, seen: dict, cfg: dict) -> str:
    return "\n".join([data_part(cfg), recipe_part(report, cfg), figures_part(report, seen), HISTORY.read_text(), last_part(report, seen)])


def data_part(cfg: dict) -> str:
    size = cfg["input"]["size_px"]
    return f"""# affect

The network estimates valence, arousal, their uncertainty and eight expression probabilities. Its input is a grey, eye-aligned face of {size} × {size} px.

## Input and outputs
Input: a grey face, {size} × {size} px, aligned to fixed eye positions (see `model.toml`). For a face that is already cropped, the whole picture is
stretched over the input.

| output | meaning |
| --- | --- |
| `valence_arousal` | −1 … 1 |
| `log_variance` | sd = exp(x / 2) |
| `expression` | eight probabilities: {", ".join(EXPRESSIONS)} |

## Data and terms
- FER2013 pictures (web, research use) with FER+ votes (MIT). Valence and arousal are values derived from the votes, not ratings.
- FairFace (CC BY 4.0; pictures of YFCC-100M): adults only. Faces whose age band begins below 20 are left out. The people were not asked for consent.
- Three teachers label FairFace's faces. They are version 0.4.0 of this network, MediaPipe's blendshapes (Apache-2.0) and OpenVINO's
  `emotions-recognition-retail-0003` (Apache-2.0, five classes). The OpenVINO network was trained on AffectNet. The owners of AffectNet were not asked
  for permission. No teacher is part of this project.
- The Face Research Lab London Set (DeBruine and Jones, CC BY 4.0; the people consented) gives figures alone. Nothing was trained or tuned on it.
- No picture is part of this project. The weights are MIT OR Apache-2.0.

FER+ has ten people's votes for each face. Votes for 'unknown' and 'not a face' are left out. Single votes are left out. Faces where those two win would be
dropped (there are none here). Valence and arousal are a linear fit from the votes to the mean of 25 raters on 1,600 AffectNet faces (10-fold CCC 0.91 and
0.74).

{cfg["data"]["holdout_share"]:.0%} of FER+'s training faces and all of FairFace's `val` are held out. FER+'s held-out faces serve to fit the teachers together, and to choose the
checkpoint, the balance of the classes and the temperature. Both pools serve to choose the checkpoint, the scale of the axes, the scale of the
uncertainty and the scales of the 8-bit numbers.

The faces marked `is_valid` serve only for the figures below, with one exception in earlier versions. A first rule for the balance of the classes called many
neutral faces rare in an evaluation on them. The rule was then changed to a bound on its cost in accuracy, now {affect_measure.MAX_ACCURACY_COST:.1%}. How far it then goes was
determined on the held-out faces. Bounds of half a point and of two points were also examined on the `is_valid` faces.
"""


def recipe_part(report: dict, cfg: dict) -> str:
    net, train, calibration = cfg["net"], cfg["train"], report["calibration"]
    return f"""## Recipe
**Network.** One trunk of inception and residual blocks with batch normalisation (widths {net["widths"]}, inception blocks per stage {net["blocks"]}) and three linear
heads. The shipped network evaluates a face and its mirror image and returns the mean.

**Start.** The weights of version 0.4.0, from its shipped file (`affect_recover.py`).

**Teachers.** A linear layer on the answers of the three teachers gives shares of the eight expressions. It was fitted to the votes of the held-out FER+ faces
(`affect_teachers.py`). On FairFace, happiness also has at least {affect_fairface.CLEAR_SMILE:.0%} where MediaPipe's mouthSmile is {affect_fairface.SMILE_TO} or more, less where it is less, nothing from
{affect_fairface.SMILE_FROM} down. Valence and arousal are the same linear function of the shares as on FER+.

**Targets.** A FER+ face's targets are its votes ({1 - cfg["teacher"]["share"]:.0%}) and the teachers' shares ({cfg["teacher"]["share"]:.0%}). A FairFace face's targets are the teachers' shares.

**Loss.** Cross-entropy with the shares; squared error and concordance for the two axes; Gaussian likelihood for the stated variance, about the votes' values
on FER+.

**Faces drawn.** {cfg["fairface"]["share"]:.0%} FairFace, {cfg["turned"]["share"]:.0%} turned FER+ faces, the others FER+. Rare expressions are drawn more often (frequency^−{train["sampling_power"]}).

**Optimiser.** AdamW, {report["steps"]:,} steps of {train["batch"]} faces, one cycle of the rate, moving average of the weights. {cfg["history"].strip()}

**Augmentation.** Half of the views are aligned by the eyes. The others are framed as in FER+: a FairFace face has its eyes where another FER+ face has them.
All views vary in position, size, roll, mirror, gamma, contrast, brightness, side light, noise, resolution and sharpness, and have covered patches. Colour
pictures become grey with random shares of the channels in half of the views.

**After training.** The class bias (rarity to the power {calibration["rare_class_power"]:.2f}), the temperature {calibration["temperature"]:.2f}, the axes' factors ({calibration["axis_factor"][0]:.2f} valence, {calibration["axis_factor"][1]:.2f} arousal) and
the variance's scale were determined on the held-out faces and folded into the weights. Convolutions compute with 8-bit integers. Weights have 7 bits, so every
processor sums them without overflow.

```sh
python -m training prepare affect --pictures PATH_OF_FAIRFACE
python -m training train affect
python -m training evaluate affect
python -m training london affect
python -m training export affect
```
"""


def figures_part(report: dict, seen: dict) -> str:
    return f"""## Figures on FER+
Command: `{COMMAND}`. Data: the {report["faces"]} `is_valid` faces of FER+. The shipped file was measured.

{figures_text(report)}

## Another population: the London set
Command: `{LONDON_COMMAND}`. Data: {seen["this"]["faces"]} photographs of 102 adults in a studio, each neutral and smiling, aligned by the eyes. A face counts as called what has the
largest share. {LOOKS}

{london_table(seen)}

## FairFace
Command: `{COMMAND}`. Data: FairFace's adults of `val`, aligned by the eyes. There are no human labels: a figure is agreement with the teachers, not accuracy.

{group_table(report)}

## Held-out faces of both pools
Command: `{COMMAND}`. Scale, stated deviation and checkpoint were chosen on these faces. On FairFace the errors are distances from the teachers.

{held_out_table(report)}

## Turned heads
Some FER+ faces drawn in training were turned by 3-D reconstruction:

1. The ICT face model (40 components of identity, 55 of expression) is fitted to 68 points from the landmark network.
2. The photograph is projected onto the model.
3. The head is rendered from another view: yaw to ±45°, pitch to ±20°. Hair and background are bent with it. Labels stay the same.

`python -m training prepare affect` writes a sheet of turned training faces to `training/runs/`. The sheet is not published, because they are real people.

The table shows accuracy against yaw (`{COMMAND}`). Data: the {report["by_yaw"][0]["faces"]} `is_valid` faces that look ahead within 15°. Each was turned to each yaw by 3-D
reconstruction (`training/face_turn.py`), alternately left and right, and aligned by the eyes. A rendered face is not a photograph of a turned head. The rows
show the cost of turning. They do not show how well real profiles are read.

{yaw_table(report)}

At 30° the network loses {yaw_loss(report):.3f} of its accuracy.

Drawn heads (not pictures of people), turned by the same code: as drawn, then yaw −45° … 45°, then pitch −20° and 20°.

![Turned heads](turned.png)
"""


def last_part(report: dict, seen: dict) -> str:
    return f"""## Not yet reached
{missing(report, seen)}

## What was not measured
- There were no human ratings of valence or arousal for these faces. The figures are agreement with vote-derived values or with teachers.
- Arousal's derived value itself agrees with raters only at CCC 0.74, on other faces.
- FER+'s own test part was not available. The figures are on its validation part.
- FER+ faces are pictures from the web and often posed. The age, sex and skin colour of the people are not recorded.
- FairFace's groups are compared by agreement with teachers. A fault that the teachers have in a group does not show there.
- Subtle expressions other than smiles, and your camera.
- Heads that were really turned in front of a camera: only rendered turns were measured.
- Disgust, contempt and fear have few faces (see the table). Their recalls are imprecise.
- An expression is not a feeling.
"""
