"""The alignment's conventions, on pictures whose resampling is known by hand."""

import unittest

import numpy as np

from training import align


class AlignTest(unittest.TestCase):
    def test_whole_picture_at_same_size_is_the_picture(self):
        picture = np.arange(20, dtype=np.float32).reshape(4, 5)
        view = align.sample_affine(picture, align.whole_picture(5, 4, 5, 4), 5, 4)
        np.testing.assert_allclose(view, picture)

    def test_ramp_keeps_its_values_at_pixel_centres(self):
        picture = np.tile(np.arange(12, dtype=np.float32) + 0.5, (12, 1))
        view = align.sample_affine(picture, align.whole_picture(12, 12, 4, 4), 4, 4)
        np.testing.assert_allclose(view[0], [1.5, 4.5, 7.5, 10.5], atol=1e-5)

    def test_enlarging_clamps_to_the_edge(self):
        picture = np.array([[0.0, 10.0]])
        view = align.sample_affine(picture, align.whole_picture(2, 1, 4, 1), 4, 1)
        np.testing.assert_allclose(view[0], [0.0, 2.5, 7.5, 10.0])

    def test_eyes_come_to_their_places(self):
        left, right = np.array([31.0, 40.0]), np.array([60.0, 52.0])
        to_source = align.similarity_from_eyes(left, right, (0.3, 0.4), (0.7, 0.4), 48, 48)
        np.testing.assert_allclose(to_source @ [0.3 * 48, 0.4 * 48, 1], left)
        np.testing.assert_allclose(to_source @ [0.7 * 48, 0.4 * 48, 1], right)
        self.assertAlmostEqual(to_source[0, 0], to_source[1, 1])

    def test_subsamples_follow_the_scale_up_to_four(self):
        self.assertEqual([align.subsamples(scale) for scale in (0.3, 1.0, 1.01, 2.0, 3.5, 9.0)], [1, 1, 2, 2, 4, 4])

    def test_grey_weighs_the_colours(self):
        np.testing.assert_allclose(align.grey(np.array([[[255, 0, 0]]], np.uint8)), [[76.245]], rtol=1e-5)


if __name__ == "__main__":
    unittest.main()
