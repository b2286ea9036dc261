"""The actions network: a grey aligned face → 20 actions, closure and gaze of each eye, head pose.

One input, looked at twice: the whole face at half its resolution, and each eye at full resolution. Both eyes go
through the same layers, the image-right one mirrored. Eyes are counted as they are seen, image-left first.
"""

import torch
from torch import nn
from torch.nn import functional

from .actions_targets import ACTIONS, SHIPPED
from .affect_net import InceptionResidual, conv_bn

SIZE_PX = 128
# Rows and columns of the image-left eye's square; the other eye's is its mirror image.
EYE_ROWS, EYE_COLUMNS = slice(28, 60), slice(22, 62)
GAZE_UNIT_DEGREES, POSE_UNIT_DEGREES = 10.0, 10.0


def _stages(widths: list[int], blocks: list[int], first_stride: int) -> nn.Sequential:
    layers = [conv_bn(1, widths[0], 3, first_stride), nn.ReLU()]
    for stage, count in enumerate(blocks):
        layers += [conv_bn(widths[stage], widths[stage + 1], 3, 2), nn.ReLU()]
        layers += [InceptionResidual(widths[stage + 1]) for _ in range(count)]
    return nn.Sequential(*layers)


class ActionsNet(nn.Module):
    """`forward` returns actions (0 … 1), closure (0 … 1), gaze (yaw, pitch of each eye) and pose, both in degrees."""

    def __init__(self, face_widths, face_blocks, eye_widths, eye_blocks, hidden: int, dropout: float):
        super().__init__()
        self.face = _stages(face_widths, face_blocks, 2)
        self.face_squeeze = nn.Sequential(conv_bn(face_widths[-1], 48, 1), nn.ReLU(), nn.Flatten(), nn.Linear(48 * 16, hidden), nn.ReLU())
        self.eye = _stages(eye_widths, eye_blocks, 1)
        self.eye_squeeze = nn.Sequential(conv_bn(eye_widths[-1], 32, 1), nn.ReLU(), nn.Flatten(), nn.Linear(32 * 20, hidden), nn.ReLU())
        self.dropout = nn.Dropout(dropout)
        self.actions = nn.Linear(3 * hidden, len(ACTIONS))
        self.pose = nn.Linear(hidden, 3)
        # Closure, gaze yaw (outwards is to the left here) and gaze pitch of one eye that lies image-left.
        self.one_eye = nn.Sequential(nn.Linear(2 * hidden + 3, hidden), nn.ReLU(), nn.Linear(hidden, 3))

    def forward(self, x):
        face = self.face_squeeze(self.face(functional.avg_pool2d(x, 2)))
        left = x[:, :, EYE_ROWS, EYE_COLUMNS]
        right = x[:, :, EYE_ROWS, SIZE_PX - EYE_COLUMNS.stop : SIZE_PX - EYE_COLUMNS.start].flip(3)
        left, right = self.eye_squeeze(self.eye(torch.cat([left, right]))).chunk(2)
        face = self.dropout(face)
        pose = self.pose(face)
        actions = torch.sigmoid(self.actions(torch.cat([face, left, right], dim=1)) - 1.5)
        yaw, pitch, roll = pose.split(1, dim=1)
        seen = [self.one_eye(torch.cat([face, left, yaw, pitch, roll], 1)), self.one_eye(torch.cat([face, right, -yaw, pitch, -roll], 1))]
        closure = torch.sigmoid(torch.cat([seen[0][:, :1], seen[1][:, :1]], dim=1))
        gaze = torch.cat([seen[0][:, 1:2], seen[0][:, 2:], -seen[1][:, 1:2], seen[1][:, 2:]], dim=1)
        return actions, closure, gaze * GAZE_UNIT_DEGREES, pose * POSE_UNIT_DEGREES


class ShippedActionsNet(nn.Module):
    """The network with the actions that ship."""

    def __init__(self, net: nn.Module):
        super().__init__()
        self.net = net
        self.register_buffer("shipped", torch.tensor(SHIPPED))

    def forward(self, x):
        actions, *others = self.net(x)
        return actions.index_select(1, self.shipped), *others
