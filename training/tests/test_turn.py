"""Turning faces: the fit finds a known head, the sheet shows what is nearest, labels and limits are kept."""

import unittest

import numpy as np

from training import affect_fit, affect_turned, face_fit, face_turn
from training.common import SHARED
from training.landmarks_render import rotation_from_degrees

HAS_MODEL = (SHARED / "data" / "face_model.npz").exists()


def a_head(model: face_fit.HeadModel, yaw: float, pitch: float, roll: float) -> tuple[face_fit.Fits, np.ndarray]:
    """A known head in a picture of 48 px, and its points."""
    rng = np.random.default_rng(5)
    coefficients = np.zeros((1, len(model.movements)))
    coefficients[:, : model.identities] = rng.normal(0, 0.5, model.identities)
    rotation = rotation_from_degrees(yaw, pitch, roll)[None]
    fit = face_fit.Fits(np.array([2.6]), rotation, np.array([[24.0, 24.0]]), coefficients, np.zeros(1))
    points = 2.6 * (model.head(coefficients[0])[model.marks] @ rotation[0].T)[:, :2] + 24
    return fit, points[None]


@unittest.skipUnless(HAS_MODEL, "the face model is not in ../shared")
class FitTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.model = face_fit.HeadModel()

    def test_a_known_head_is_found(self):
        for angles in ((0, 0, 0), (25, -10, 8), (-35, 12, -15)):
            fit, points = a_head(self.model, *angles)
            found = face_fit.fit(self.model, points)
            self.assertLess(float(found.error[0]), 0.01)
            np.testing.assert_allclose(face_turn.pose_of(found)[0], angles, atol=4)
            self.assertAlmostEqual(float(found.scale[0] / fit.scale[0]), 1, delta=0.05)

    def test_normals_point_out_of_the_head(self):
        nose = self.model.neutral[:9409][:, 2].argmin()
        self.assertLess(self.model.normals[nose, 2], -0.5)

    def test_a_face_turned_to_where_it_looks_stays_as_it_is(self):
        fit, _ = a_head(self.model, 10, 5, 0)
        y, x = np.mgrid[0:48, 0:48]
        picture = (127 + 60 * np.sin(x / 6) + 50 * np.cos(y / 5)).astype(np.uint8)
        turned, _ = face_turn.turn(picture, self.model, fit[0], 10, 5)
        at = (np.arange(face_turn.OUT_PX) + 0.5) * 48 / face_turn.OUT_PX - 0.5
        expected = 127 + 60 * np.sin(at[None] / 6) + 50 * np.cos(at[:, None] / 5)
        self.assertLess(np.abs(turned[4:-4, 4:-4] - expected[4:-4, 4:-4]).mean(), 3)

    def test_the_nose_moves_to_the_side_the_face_turns_to(self):
        fit, _ = a_head(self.model, 0, 0, 0)
        picture = np.full((48, 48), 100, np.uint8)
        for yaw in (-30, 30):
            _, points = face_turn.turn(picture, self.model, fit[0], yaw, 0)
            eyes = affect_turned.eyes_of(points) * face_turn.OUT_PX
            off = points[30, 0] - (eyes[0] + eyes[2]) / 2
            self.assertGreater(off * np.sign(yaw), 3)


class SheetTest(unittest.TestCase):
    def test_the_unknown_takes_after_its_surroundings(self):
        values, known = np.zeros((9, 9, 1), np.float32), np.zeros((9, 9), bool)
        values[:, 0], known[:, 0] = 5, True
        np.testing.assert_allclose(face_turn.spread(values, known), 5)
        with self.assertRaises(ValueError):
            face_turn.spread(values, np.zeros((9, 9), bool))

    def test_the_nearest_is_seen(self):
        target = np.array([[10.5, 10.5], [10.5, 10.5], [40.5, 40.5]], np.float32)
        source = np.array([[1, 1], [2, 2], [3, 3]], np.float32)
        for depth, winner in (([5, 9, 7], 1), ([9, 5, 7], 2)):
            seen = face_turn.nearest_seen(target, np.array(depth, np.float32), source, 1.0)
            np.testing.assert_allclose(seen[10, 10], winner)

    def test_no_head_is_turned_beyond_what_the_picture_knows(self):
        rng = np.random.default_rng(0)
        pose = np.stack([rng.uniform(-60, 60, 500), rng.uniform(-20, 20, 500), np.zeros(500)], axis=1)
        angles = affect_turned.new_angles(pose, {"yaw_degrees": 45, "pitch_degrees": 20}, rng)
        self.assertLessEqual(np.abs(angles[:, 0] - pose[:, 0]).max(), affect_turned.FARTHEST_TURN_DEGREES + 1e-9)
        self.assertLessEqual(np.abs(angles[:, 1] - pose[:, 1]).max(), 20)


class RecipeTest(unittest.TestCase):
    def test_rare_expressions_are_drawn_more_often(self):
        shares = np.eye(2, dtype=np.float32)[[0] * 90 + [1] * 10]
        odds = affect_fit.sampling_odds(shares, 0.5)
        self.assertAlmostEqual(float(odds.sum()), 1, places=5)
        self.assertAlmostEqual(float(odds[-1] / odds[0]), 3, places=3)


if __name__ == "__main__":
    unittest.main()
