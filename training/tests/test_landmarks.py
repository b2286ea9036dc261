"""The landmark network's data code: pose signs, crops, mirroring, and a training run that runs."""

import unittest

import numpy as np
import torch

from training import align, landmarks
from training.landmarks_crops import MIRROR_68, SIZE_PX, crop_matrix, eye_line_degrees, fast_sample, into_crop
from training.landmarks_labels import face_frame, mean_error
from training.landmarks_render import degrees_from_rotation, rotation_from_degrees


class Pose(unittest.TestCase):
    def test_angles_come_back(self):
        for angles in ([0, 0, 0], [40, -20, 15], [-70, 25, -30]):
            np.testing.assert_allclose(degrees_from_rotation(rotation_from_degrees(*angles)), angles, atol=1e-9)

    def test_signs_are_as_written_down(self):
        nose = np.array([0, 0, -1.0])
        self.assertGreater((rotation_from_degrees(20, 0, 0) @ nose)[0], 0)
        self.assertGreater((rotation_from_degrees(0, 20, 0) @ nose)[1], 0)
        self.assertGreater((rotation_from_degrees(0, 0, 20) @ [1, 0, 0])[1], 0)

    def test_turning_the_picture_adds_to_roll_alone(self):
        turned = rotation_from_degrees(0, 0, 12) @ rotation_from_degrees(30, -10, 5)
        np.testing.assert_allclose(degrees_from_rotation(turned), [30, -10, 17], atol=1e-9)


class Crop(unittest.TestCase):
    def test_square_maps_its_centre_and_side(self):
        to_source = crop_matrix((50, 40), 60, 30)
        np.testing.assert_allclose(to_source @ [SIZE_PX / 2, SIZE_PX / 2, 1], [50, 40])
        left, right = to_source @ [0, 0, 1], to_source @ [SIZE_PX, 0, 1]
        self.assertAlmostEqual(float(np.linalg.norm(right - left)), 60)
        # Turned clockwise: the right end of the upper edge is lower in the picture.
        self.assertGreater(right[1], left[1])
        np.testing.assert_allclose(into_crop(np.array([[50.0, 40.0]]), to_source), [[56, 56]])

    def test_turning_by_the_eye_line_levels_the_eyes(self):
        points = np.random.default_rng(0).normal(0, 1, (68, 2)) + 50
        points[36:42] = [40, 50]
        points[42:48] = [60, 58]
        level = into_crop(points, crop_matrix((50, 50), 60, eye_line_degrees(points)))
        self.assertAlmostEqual(eye_line_degrees(level), 0, places=6)

    def test_fast_sampling_agrees_with_the_reference(self):
        y, x = np.mgrid[0:200, 0:200]
        picture = (127 + 60 * np.sin(x / 9) + 50 * np.cos(y / 7)).astype(np.float32)
        for side in (90, 180):
            to_source = crop_matrix((100, 95), side, 10)
            exact = align.sample_affine(picture, to_source, SIZE_PX, SIZE_PX)
            # OpenCV weighs neighbours in steps of 1/32 px.
            self.assertLess(np.abs(fast_sample(picture, to_source, 1) - exact).max(), 1.0)

    def test_mirroring_twice_is_nothing(self):
        np.testing.assert_array_equal(MIRROR_68[MIRROR_68], np.arange(68))


class Labels(unittest.TestCase):
    def test_face_frame_has_eyes_at_half_and_comes_back(self):
        points = np.random.default_rng(1).uniform(0, 100, (3, 68, 2))
        framed, back = face_frame(points, points[:, 36], points[:, 45])
        np.testing.assert_allclose(framed[:, 36], [[-0.5, 0]] * 3, atol=1e-9)
        np.testing.assert_allclose(framed[:, 45], [[0.5, 0]] * 3, atol=1e-9)
        np.testing.assert_allclose(back(framed), points, atol=1e-9)

    def test_mean_error_is_over_inter_ocular_distance(self):
        truth = np.zeros((1, 68, 2))
        truth[0, 45] = [10, 0]
        np.testing.assert_allclose(mean_error(truth + [3, 4], truth), [0.5])


class Shipped(unittest.TestCase):
    def test_a_mirrored_crop_has_mirrored_answers(self):
        torch.manual_seed(1)
        shipped = landmarks.Shipped(landmarks.LandmarkNet([8, 8, 8, 8], 4, 16).eval()).eval()
        crop = torch.randn(2, 1, SIZE_PX, SIZE_PX)
        with torch.no_grad():
            points, pose, face = shipped(crop)
            mirrored_points, mirrored_pose, mirrored_face = shipped(crop.flip(3))
        there = mirrored_points.view(-1, 68, 2)[:, MIRROR_68] * torch.tensor([-1.0, 1.0]) + torch.tensor([1.0, 0.0])
        torch.testing.assert_close(there.flatten(1), points)
        torch.testing.assert_close(mirrored_pose * torch.tensor([-1.0, 1.0, -1.0]), pose)
        torch.testing.assert_close(mirrored_face, face)


class Loss(unittest.TestCase):
    def test_wing_is_continuous_and_grows(self):
        values = landmarks.wing(torch.linspace(0, 20, 2001))
        self.assertEqual(float(values[0]), 0)
        self.assertTrue(bool((values.diff() > 0).all()))
        self.assertLess(float(values.diff().max()), 0.1)

    def test_unknown_pose_and_hidden_points_do_not_count(self):
        net = landmarks.LandmarkNet([4, 4, 4, 4], 4, 8)
        out = net(torch.zeros(2, 1, SIZE_PX, SIZE_PX))
        points, pose = torch.zeros(2, 68, 2), torch.full((2, 3), float("nan"))
        parts = landmarks.loss_parts(out, points, torch.zeros(2, 68), torch.cat([pose[:1], torch.zeros(1, 3)]), torch.ones(2))
        self.assertEqual(float(parts[0].detach()), 0)
        self.assertTrue(all(bool(torch.isfinite(part)) for part in parts))


if __name__ == "__main__":
    unittest.main()
