"""The actions network: targets, mirroring, measures, and that renders mean what their labels say."""

import unittest

import numpy as np
import torch

from training import actions_clips, actions_data, actions_evaluate, actions_fit, actions_render, fairface
from training.actions_net import ActionsNet
from training.actions_targets import ACTIONS, MEDIAPIPE, from_mediapipe

NET = {"face_widths": [8, 16, 16, 16], "face_blocks": [1, 1, 1], "eye_widths": [8, 16, 16, 16], "eye_blocks": [1, 1, 1], "hidden": 16, "dropout": 0.0}


class Targets(unittest.TestCase):
    def test_there_are_twenty_actions_with_numbers_of_their_own(self):
        self.assertEqual(len({action.facs for action in ACTIONS}), 20)
        self.assertEqual(len(MEDIAPIPE), 52)

    def test_an_action_is_the_mean_of_both_sides(self):
        shapes = np.zeros((1, 52), np.float32)
        shapes[0, MEDIAPIPE.index("mouthSmileLeft")] = 0.8
        shapes[0, MEDIAPIPE.index("jawOpen")] = 0.5
        found = dict(zip((action.arkit for action in ACTIONS), from_mediapipe(shapes)[0]))
        self.assertAlmostEqual(float(found["mouthSmile"]), 0.4, places=6)
        self.assertAlmostEqual(float(found["jawOpen"]), 0.5, places=6)

    def test_mirroring_twice_changes_nothing(self):
        targets = np.arange(29, dtype=np.float32)
        mirror = lambda values: values[actions_data.MIRROR_PLACES] * actions_data.MIRROR_SIGNS
        np.testing.assert_array_equal(mirror(mirror(targets)), targets)
        self.assertEqual(mirror(targets)[20], targets[21])
        self.assertEqual(mirror(targets)[22], -targets[24])

    def test_gaze_of_a_turned_head_that_looks_at_the_camera_is_turned_back(self):
        gaze = actions_data.gaze_in_head(np.array([[0.0, 0.0, -1.0]]), np.array([[20.0, -10.0, 0.0]]))
        np.testing.assert_allclose(gaze, [[-20.0, 10.0]], atol=1e-6)


class FairFace(unittest.TestCase):
    ROWS = [{"file": str(k), "race": "ab"[k % 5 == 0], "gender": "mf"[k % 2], "age": "20-29", "split": "train"} for k in range(200)]

    def test_first_faces_are_balanced(self):
        first = [self.ROWS[index] for index in fairface.balanced_order(self.ROWS)[:40]]
        counts = [sum((row["race"], row["gender"]) == pair for row in first) for pair in (("a", "m"), ("a", "f"), ("b", "m"), ("b", "f"))]
        self.assertEqual(counts, [10] * 4)

    def test_no_minors_and_no_face_twice(self):
        class Table:
            def read(self, name):
                split = "train" if "train" in name else "val"
                bands = ["0-2", "03-Sep", "Oct-19", "20-29", "more than 70"]
                lines = [f"{split}/{k}.jpg,{band},Male,White,TRUE" for k, band in enumerate(bands)]
                return "\n".join(["file,age,gender,race,service_test", *lines]).encode()

        rows = fairface.adults(Table())
        self.assertEqual({row["age"] for row in rows}, {"20-29", "more than 70"})
        self.assertEqual(len({row["file"] for row in rows}), 4)


class Network(unittest.TestCase):
    def test_a_mirrored_face_has_mirrored_eyes(self):
        torch.manual_seed(1)
        net = ActionsNet(**NET).eval()
        # Pose from the face branch is learned, not built in; without it the eyes must mirror exactly.
        torch.nn.init.zeros_(net.pose.weight), torch.nn.init.zeros_(net.pose.bias)
        for parameter in net.face_squeeze.parameters():
            torch.nn.init.zeros_(parameter)
        face = torch.randn(1, 1, 128, 128)
        with torch.no_grad():
            _, closure, gaze, _ = net(face)
            _, closure_there, gaze_there, _ = net(face.flip(3))
        torch.testing.assert_close(closure_there, closure.flip(1))
        torch.testing.assert_close(gaze_there, gaze[:, [2, 3, 0, 1]] * torch.tensor([-1.0, 1, -1, 1]))

    def test_unknown_labels_give_no_gradient(self):
        net = ActionsNet(**NET)
        outputs = net(torch.randn(4, 1, 128, 128))
        parts = actions_fit.loss_parts(outputs, torch.full((4, 29), torch.nan), torch.tensor([True, True, True, False]), torch.ones(20))
        self.assertEqual([float(part) for part in parts.values()], [0.0] * 5)
        sum(parts.values()).backward()
        self.assertTrue(all(torch.isfinite(p.grad).all() for p in net.parameters() if p.grad is not None))


class Measures(unittest.TestCase):
    def test_area_under_curve(self):
        score, positive = np.array([0.1, 0.4, 0.35, 0.8]), np.array([False, False, True, True])
        self.assertAlmostEqual(actions_evaluate.area_under_curve(score, positive), 0.75)
        self.assertAlmostEqual(actions_evaluate.area_under_curve(np.zeros(4), positive), 0.5)

    def test_angle_between_directions(self):
        np.testing.assert_allclose(actions_evaluate.angle_between(np.array([[10.0, 0], [0, 5]]), np.array([[0.0, 0], [0, -5]])), [10, 10], atol=1e-4)

    def test_blinks_are_matched_once(self):
        self.assertEqual(actions_clips.matched(np.array([10, 11, 40]), np.array([11, 12, 70])), [0, 2])
        closure = np.r_[np.zeros(10), 1, 1, np.zeros(10), 0.9, np.zeros(5)]
        np.testing.assert_array_equal(actions_clips.onsets(closure, actions_clips.personal_threshold(closure)), [10, 22])


class Renders(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        weights = dict.fromkeys(actions_render.model()["names"], 0.0)
        cls.state = {"weights": weights, "closure": np.zeros(2), "gaze": np.zeros(4), "pose": np.zeros(3)}

    def eye(self, **changes) -> np.ndarray:
        image = actions_render.render(5, self.state | changes)["image"].astype(float)
        return image[50:85, 45:85]

    def test_the_pupil_moves_as_gaze_says(self):
        def dark_at(gaze):
            eye = self.eye(gaze=np.tile(np.array(gaze, float), 2))
            moved = np.clip(np.abs(eye - self.eye()) - 8, 0, None)
            weight = moved * (eye < self.eye())
            return (weight.sum(0) @ np.arange(40)) / weight.sum()

        self.assertLess(dark_at([-25, 0]) + 3, dark_at([25, 0]))

    def test_closing_the_image_left_eye_changes_that_side(self):
        shut = actions_render.render(5, self.state | {"closure": np.array([1.0, 0.0])})["image"].astype(float)
        changed = np.abs(shut - actions_render.render(5, self.state)["image"])[68:92]
        self.assertGreater(changed[:, 45:85].sum(), 2 * changed[:, 91:131].sum())


if __name__ == "__main__":
    unittest.main()
