"""The affect network's data code, calibration and folding, on made-up faces."""

import copy
import tomllib
import unittest
from pathlib import Path

import numpy as np
import torch

from training import affect_data, affect_fit, affect_measure, affect_teachers, affect_widen, align, model_card
from training.affect_net import AffectNet, ShippedAffectNet

CONFIG = tomllib.loads((Path(__file__).parent.parent / "configs" / "affect_smoke.toml").read_text())
INPUT = CONFIG["input"]


def blob(size: int) -> np.ndarray:
    """A smooth made-up picture without symmetry."""
    x, y = np.meshgrid(np.arange(size) / size, np.arange(size) / size)
    return (127 + 60 * np.sin(7 * x + 1) + 50 * np.cos(9 * y * x)).astype(np.uint8)


class DataTest(unittest.TestCase):
    def test_the_shipped_card_has_the_order_of_the_votes(self):
        self.assertEqual(affect_data.EXPRESSIONS, model_card.labels("affect", "expression"))

    def test_single_votes_are_noise_unless_there_are_only_single_votes(self):
        votes = np.zeros((2, 10), np.uint8)
        votes[0, [0, 1, 3, 8]] = [6, 1, 2, 1]
        votes[1, [0, 1, 2]] = 1
        shares = affect_data.vote_shares(votes)
        np.testing.assert_allclose(shares[0, :4], [0.75, 0, 0, 0.25])
        np.testing.assert_allclose(shares[1, :3], 1 / 3, rtol=1e-6)

    def test_a_majority_is_more_than_half_of_the_votes_that_are_not_single(self):
        votes = np.zeros((4, 10), np.uint8)
        votes[0, [0, 3]] = 5  # half is not more than half
        votes[1, [0, 1, 2, 3, 4]] = [3, 2, 2, 2, 1]  # most votes, yet three of nine
        votes[2, [0, 1, 2, 3, 4]] = [4, 3, 1, 1, 1]  # four of seven
        votes[3, [0, 8, 9]] = [4, 3, 2]  # 'unknown' and 'not a face' are votes, too
        np.testing.assert_array_equal(affect_data.has_majority(votes), [False, False, True, False])

    def test_final_faces_are_never_trained_or_tuned_on(self):
        is_valid = np.arange(1000) % 7 == 0
        part = affect_data.split_parts(is_valid, 0.1, seed=1)
        self.assertTrue(np.array_equal(part == "valid", is_valid))
        self.assertEqual((part == "holdout").sum(), round(0.1 * (~is_valid).sum()))

    def test_configurations_that_share_a_cache_hold_out_the_same_faces(self):
        held_out = {}
        for file in sorted((Path(__file__).parent.parent / "configs").glob("affect*.toml")):
            data = tomllib.loads(file.read_text())["data"]
            held_out.setdefault(data["cache"], set()).add((data["holdout_share"], data["holdout_seed"]))
        self.assertEqual({cache: len(ways) for cache, ways in held_out.items()}, dict.fromkeys(held_out, 1))
        self.assertIn("affect_ferplus", held_out)

    def test_fast_warp_agrees_with_the_reference(self):
        for size in (48, 144):
            picture = blob(size)
            to_source = affect_data.frame(picture, np.array([0.3, 0.42, 0.66, 0.36]), INPUT, aligned=True)
            fast = affect_data.warp(picture, to_source, INPUT["size_px"])
            reference = align.sample_affine(picture, to_source, INPUT["size_px"], INPUT["size_px"])
            np.testing.assert_allclose(fast, reference, atol=0.01)

    def test_views_repeat_by_seed_and_stay_in_range(self):
        faces = {"image": np.stack([blob(48)] * 4), "eyes": np.full((4, 4), np.nan, np.float32)}
        one, two = (affect_data.Augmenter(CONFIG, np.random.default_rng(3)).batch(faces, np.arange(4)) for _ in "12")
        np.testing.assert_array_equal(one, two)
        self.assertTrue(one.min() >= 0 and one.max() <= 255)
        self.assertFalse(np.array_equal(one[0], one[1]))

    def test_mixed_faces_have_mixed_targets(self):
        rng = np.random.default_rng(5)
        shares = rng.dirichlet(np.ones(8), 6).astype(np.float32)
        linear = rng.normal(size=(8, 2)).astype(np.float32)
        views = np.arange(6, dtype=np.float32)[:, None, None, None] * np.ones((6, 1, 2, 2), np.float32)
        seen, mixed_shares, axes = affect_fit.mixed([views, shares, shares @ linear], 0.4, rng)
        np.testing.assert_allclose(mixed_shares.sum(axis=1), 1, rtol=1e-5)
        np.testing.assert_allclose(axes, mixed_shares @ linear, atol=1e-5)
        self.assertFalse(np.allclose(seen, views))


class TeachersTest(unittest.TestCase):
    def test_a_second_word_moves_targets_towards_itself_and_nothing_else(self):
        faces = {"image": ["a"], "shares": np.array([[1.0, 0.0]]), "valence_arousal": np.array([[0.8, -0.2]])}
        told = {"shares": np.array([[0.6, 0.4]]), "valence_arousal": np.array([[0.4, 0.2]])}
        heard = affect_teachers.softened(faces, told, 0.25)
        np.testing.assert_allclose(heard["shares"], [[0.9, 0.1]], rtol=1e-6)
        np.testing.assert_allclose(heard["valence_arousal"], [[0.7, -0.1]], rtol=1e-6)
        self.assertEqual(heard["image"], ["a"])
        self.assertEqual(faces["shares"][0, 0], 1)


class WidenTest(unittest.TestCase):
    def test_a_widened_network_answers_as_before(self):
        torch.manual_seed(2)
        net_cfg = {"widths": [12, 20, 72], "blocks": [1, 2], "dropout": 0.0}
        narrow = AffectNet(**net_cfg | {"widths": [8, 16, 32]})
        for module in narrow.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.2)
                module.running_var.uniform_(0.5, 1.5)
                module.weight.data.uniform_(0.5, 1.5)
        wide = affect_widen.started(net_cfg, narrow.state_dict(), seed=1)
        x = torch.randn(3, 1, 48, 48)
        with torch.no_grad():
            for before, after in zip(narrow.eval()(x), wide.eval()(x), strict=True):
                torch.testing.assert_close(after, before, atol=1e-4, rtol=1e-4)
        self.assertFalse(torch.equal(wide.expression.weight[:, 0], wide.expression.weight[:, 8]))


class MeasureTest(unittest.TestCase):
    def test_concordance_punishes_what_correlation_forgives(self):
        target = np.linspace(-1, 1, 50)
        self.assertAlmostEqual(affect_measure.concordance(target, target), 1)
        self.assertLess(affect_measure.concordance(target * 0.3, target), 0.6)

    def test_calibration_error_is_the_gap_between_said_and_true(self):
        probabilities = np.full((100, 8), 0.1 / 7)
        probabilities[:, 0] = 0.9
        most_voted = np.where(np.arange(100) < 60, 0, 1)
        self.assertAlmostEqual(affect_measure.calibration_error(probabilities, most_voted), 0.3, places=5)

    def test_shipped_network_is_the_calibrated_network(self):
        torch.manual_seed(1)
        net = AffectNet(**CONFIG["net"])
        for module in net.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.2)
                module.running_var.uniform_(0.5, 1.5)
                module.weight.data.uniform_(0.5, 1.5)
        net.eval()
        bias = np.linspace(-1, 1, 8).tolist()
        calibration = {"class_bias": bias, "temperature": 0.7, "log_variance_offset": [0.1, -0.2]}
        shipped = ShippedAffectNet(copy.deepcopy(net), calibration)
        x = torch.randn(3, 1, 48, 48)
        with torch.no_grad():
            valence_arousal, log_variance, logits = net(x)
            expected = torch.softmax((logits + torch.tensor(bias)) / 0.7, dim=1)
            found = shipped(x)
        # 16-bit weights are the only difference.
        torch.testing.assert_close(found[0], valence_arousal, atol=5e-3, rtol=0)
        torch.testing.assert_close(found[1], log_variance + torch.tensor([0.1, -0.2]), atol=1e-2, rtol=0)
        torch.testing.assert_close(found[2], expected, atol=5e-3, rtol=0)


if __name__ == "__main__":
    unittest.main()
