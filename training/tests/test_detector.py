"""The detector's data code: turned boxes, the plan of the grid, decoding, suppression, fitting."""

import unittest

import numpy as np
import torch

from training import detector, detector_drawn
from training.detector_find import decode, fit_picture
from training.detector_scenes import PAD_GREY, Scenes, turned_box
from training.detector_targets import STRIDE_PX, cell_centres, losses, targets
from training.detector_teacher import overlap, suppress


def a_face(x0, y0, x1, y1):
    points = np.array([[0.3, 0.4], [0.7, 0.4], [0.5, 0.6], [0.35, 0.8], [0.65, 0.8]])
    return np.concatenate([[x0, y0, x1, y1], (points * [x1 - x0, y1 - y0] + [x0, y0]).ravel()]).astype(np.float32)


class Boxes(unittest.TestCase):
    def test_turning_by_a_quarter_swaps_the_sides(self):
        quarter = np.array([[0.0, -1, 0], [1, 0, 0]])
        box = turned_box(np.array([10.0, 20, 30, 60]), quarter)
        np.testing.assert_allclose(box, [-60, 10, -20, 30])

    def test_overlap_and_suppression(self):
        rows = np.zeros((3, 15), np.float32)
        rows[:, :4] = [[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60]]
        rows[:, 14] = [0.6, 0.9, 0.5]
        self.assertAlmostEqual(float(overlap(rows[0], rows[1:2])[0]), 90 / 110, places=5)
        kept = suppress(rows, 0.4)
        np.testing.assert_allclose(kept[:, 14], [0.9, 0.5])


class Grid(unittest.TestCase):
    def test_small_and_large_faces_get_cells(self):
        faces = np.stack([a_face(17, 17, 33, 37), a_face(100, 20, 260, 220)])
        plan, count = targets(faces, np.zeros((0, 4)), 30, 40)
        self.assertEqual(count[0], 2)
        weights = plan[1][plan[0] == 1].sum()
        self.assertAlmostEqual(float(weights), 2.0, places=4)
        self.assertEqual(plan[0, 3, 3], 1)
        self.assertEqual(plan[0, 29, 0], 0)

    def test_ignored_places_are_undecided(self):
        plan, _ = targets(np.zeros((0, 14), np.float32), np.array([[0, 0, 64, 64]]), 30, 40)
        self.assertEqual(plan[0, 2, 2], -1)
        self.assertEqual(plan[0, 20, 20], 0)

    def test_a_perfect_answer_costs_nothing_and_decodes_to_the_face(self):
        face = a_face(100, 20, 260, 220)
        plan, _ = targets(face[None], np.zeros((0, 4)), 30, 40)
        centres = cell_centres(30, 40).transpose(2, 0, 1)
        box = np.stack([centres[0] - face[0], centres[1] - face[1], face[2] - centres[0], face[3] - centres[1]])
        points = face[4:].reshape(10, 1, 1) - np.tile(centres, (5, 1, 1))
        logit = np.where(plan[0] == 1, 20.0, -20.0)[None]
        out = [torch.from_numpy(np.ascontiguousarray(part[None], np.float32)) for part in (logit, box, points)]
        score_loss, box_loss, point_loss = losses(out, torch.from_numpy(plan[None]))
        self.assertLess(float(score_loss + box_loss + point_loss), 1e-3)
        found = decode(1 / (1 + np.exp(-logit[None])), box[None], points[None], 0.5)
        self.assertEqual(len(found), 1)
        np.testing.assert_allclose(found[0, :14], face, atol=1e-3)

    def test_network_speaks_of_every_cell_at_both_sizes(self):
        net = detector.DetectorNet([4, 4, 4, 4, 4], 4)
        for height, width in ((240, 320), (128, 160)):
            shapes = [tuple(part.shape[1:]) for part in net(torch.zeros(1, 1, height, width))]
            grid = height // STRIDE_PX, width // STRIDE_PX
            self.assertEqual(shapes, [(1, *grid), (4, *grid), (10, *grid)])


class Fitting(unittest.TestCase):
    def test_keeps_shape_and_fills_with_grey(self):
        fitted, scale = fit_picture(np.full((400, 400), 10, np.uint8))
        self.assertAlmostEqual(scale, 400 / 240)
        np.testing.assert_allclose(fitted[:, :240], 10)
        np.testing.assert_allclose(fitted[:, 240:], PAD_GREY)

    def test_pasting_puts_pixels_where_the_matrix_says(self):
        scene, source = np.zeros((60, 80), np.float32), np.zeros((20, 20), np.uint8)
        source[5:7, 5:7] = 200
        Scenes._blend(scene, source, np.ones((20, 20), np.float32), np.array([[1.0, 0, 30], [0, 1.0, 12]]), 1.0)
        np.testing.assert_allclose(scene[17:19, 35:37], 200)
        self.assertEqual(float(scene.sum()), 800.0)

    def test_drawn_pictures_stay_within_bytes(self):
        for name in detector_drawn.PICTURES:
            picture = detector_drawn.draw(name)
            self.assertGreater(int(picture.max()) - int(picture.min()), 50)


if __name__ == "__main__":
    unittest.main()
