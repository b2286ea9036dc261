"""The teacher MediaPipe face landmarker: 478 points and a head matrix. Used in preparation only.

Its points are brought to the 68-point order by `MESH_68`; what then still differs from
hand-labelled 68 points is a fixed offset for each point and pose, which
`landmarks_pictures` measures on people who have both and takes away.
"""

import cv2
import numpy as np

from .common import SHARED

# The vertex of the 478-point mesh nearest to each of the 68 points.
MESH_68 = np.array([
    127, 234, 93, 132, 58, 136, 150, 176, 152, 400, 379, 365, 288, 361, 323, 454, 356,
    70, 63, 105, 66, 107, 336, 296, 334, 293, 300,
    168, 197, 5, 4, 75, 97, 2, 326, 305,
    33, 160, 158, 133, 153, 144, 362, 385, 387, 263, 373, 380,
    61, 39, 37, 0, 267, 269, 291, 405, 314, 17, 84, 181, 78, 82, 13, 312, 308, 317, 14, 87,
])


class FaceMesh:
    """A picture (BGR, u8) in; (478 points in px, 3x3 head rotation) of its one face out, or None."""

    def __init__(self):
        from mediapipe.tasks.python import BaseOptions, vision

        options = vision.FaceLandmarkerOptions(
            base_options=BaseOptions(model_asset_path=str(SHARED / "teachers" / "face_landmarker.task")),
            output_facial_transformation_matrixes=True,
            num_faces=1,
        )
        self.landmarker = vision.FaceLandmarker.create_from_options(options)

    def __call__(self, picture: np.ndarray):
        import mediapipe

        colour = np.ascontiguousarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB))
        found = self.landmarker.detect(mediapipe.Image(image_format=mediapipe.ImageFormat.SRGB, data=colour))
        if not found.face_landmarks:
            return None
        height, width = picture.shape[:2]
        points = np.array([(p.x * width, p.y * height) for p in found.face_landmarks[0]], np.float32)
        # Its frame has y up and z towards the viewer; ours y down and z away: turn both sides about x.
        flip = np.diag([1.0, -1.0, -1.0])
        matrix = np.array(found.facial_transformation_matrixes[0])[:3, :3]
        matrix /= np.cbrt(np.linalg.det(matrix))
        return points, (flip @ matrix @ flip).astype(np.float32)
