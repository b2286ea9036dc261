"""The affect network's data code, calibration and folding, on made-up faces."""

import copy
import tomllib
import unittest
from pathlib import Path

import numpy as np
import torch

from training import affect_data, affect_fit, affect_measure, align, model_card
from training.affect_net import AffectNet, ShippedAffectNet
from training.common import SHARED

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

    def test_a_colour_face_is_framed_with_its_eyes_where_another_face_has_them(self):
        picture = np.full((112, 112), 200, np.uint8)
        eyes = np.array([0.4, 0.42, 0.6, 0.44], np.float32)
        for x, y in (eyes[:2], eyes[2:]):
            picture[round(112 * y) - 2 : round(112 * y) + 2, round(112 * x) - 2 : round(112 * x) + 2] = 0
        place = np.array([[0.3, 0.4, 0.7, 0.36]], np.float32)
        augmenter = affect_data.Augmenter(CONFIG, np.random.default_rng(2), place)
        view = affect_data.warp(picture, augmenter.framed_as_another(picture, eyes), 48)
        for x, y in place.reshape(2, 2):
            self.assertLess(view[round(48 * y) - 1, round(48 * x) - 1], 60)

    def test_grey_is_a_mean_of_the_channels(self):
        augmenter = affect_data.Augmenter(CONFIG, np.random.default_rng(2))
        picture = np.full((4, 4, 3), (30, 60, 90), np.uint8)
        for _ in range(20):
            self.assertTrue(29 <= affect_data.grey_of(picture, augmenter.channels()).min() <= 91)
        self.assertTrue(np.all(affect_data.grey_of(picture) == round(0.114 * 30 + 0.587 * 60 + 0.299 * 90)))

    @unittest.skipUnless((SHARED / "data" / "ferplus.npz").exists(), "the shared FER+ faces are not here")
    def test_axes_are_those_of_the_votes(self):
        data = np.load(SHARED / "data" / "ferplus.npz")
        votes = data["votes"][:500, :8].astype(np.float32)
        some = votes.sum(axis=1) > 0
        shares = votes[some] / votes[some].sum(axis=1, keepdims=True)
        np.testing.assert_allclose(affect_data.axes_of(shares), data["valence_arousal"][:500][some], atol=1e-3)

    def test_mixed_faces_have_mixed_targets(self):
        rng = np.random.default_rng(5)
        shares = rng.dirichlet(np.ones(8), 6).astype(np.float32)
        linear = rng.normal(size=(8, 2)).astype(np.float32)
        views = np.arange(6, dtype=np.float32)[:, None, None, None] * np.ones((6, 1, 2, 2), np.float32)
        seen, mixed_shares, axes = affect_fit.mixed([views, shares, shares @ linear], 0.4, rng)
        np.testing.assert_allclose(mixed_shares.sum(axis=1), 1, rtol=1e-5)
        np.testing.assert_allclose(axes, mixed_shares @ linear, atol=1e-5)
        self.assertFalse(np.allclose(seen, views))


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

    def test_axes_are_scaled_alike_for_both_pools(self):
        rng = np.random.default_rng(4)
        said = [rng.uniform(-0.6, 0.6, 400) for _ in "12"]
        pools = [(values, affect_measure.scaled(values, 1.2, 0.05)) for values in said]
        np.testing.assert_allclose(affect_measure.axis_scale(pools), (1.2, 0.05), atol=1e-9)

    def test_the_variance_head_tells_pools_apart_by_their_features(self):
        rng = np.random.default_rng(4)
        pools = []
        for sd, count in ((0.1, 2000), (0.3, 500)):
            features = rng.normal(sd * 10, 1, (count, 3))
            pools.append((features, rng.normal(0, 0.1 * np.exp(0.5 * features[:, :1]), (count, 2))))
        weight, bias = affect_measure.variance_head(pools)
        np.testing.assert_allclose(weight[:, 0], 1, atol=0.1)
        np.testing.assert_allclose(bias, 2 * np.log(0.1), atol=0.3)

    def test_stated_deviations_cover_what_is_asked_for(self):
        rng = np.random.default_rng(4)
        pools = [np.abs(rng.normal(0, 1.5, 4000)), np.abs(rng.normal(0, 2.5, 500))]
        factor = affect_measure.covering_factor(pools)
        covered = np.mean([(errors <= factor).mean() for errors in pools])
        self.assertAlmostEqual(covered, affect_measure.COVERED, places=2)

    def test_happiness_gains_as_much_as_no_pool_pays_for(self):
        rng = np.random.default_rng(5)
        labels = rng.integers(0, 2, 4000)
        logits = np.full((4000, 8), -9.0)
        logits[:, 0], logits[:, 1] = 0, 3 * (2 * labels - 1) + rng.normal(0, 1, 4000)
        one, other = (logits, labels), (logits - 1.5 * affect_measure.IS_HAPPINESS, labels)
        bias = affect_measure.smile_bias([one])
        self.assertTrue(0.3 < bias < 2, bias)
        self.assertGreater(affect_measure.smile_bias([other]), bias)
        self.assertEqual(affect_measure.smile_bias([one, other]), bias)

    def test_groups_are_counted_apart(self):
        count = 40
        faces = {
            "most_voted": np.arange(count) % 8, "has_majority": np.ones(count, bool),
            "valence_arousal": np.random.default_rng(1).uniform(-1, 1, (count, 2)), "race": np.array(["one", "other"])[np.arange(count) // 20],
        }
        shares = np.eye(8)[np.where(np.arange(count) < 20, faces["most_voted"], (faces["most_voted"] + 1) % 8)]
        rows = affect_measure.by_group([faces["valence_arousal"], np.zeros((count, 2)), shares], faces, ["race"])
        self.assertEqual([(row["value"], row["faces"], row["accuracy_8_class"]) for row in rows], [("", 40, 0.5), ("one", 20, 1), ("other", 20, 0)])

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
        calibration = {
            "class_bias": bias, "temperature": 0.7, "log_variance_offset": [0.1, -0.2], "axis_factor": [1.1, 0.9], "axis_shift": [0.0, 0.05],
        }
        shipped = ShippedAffectNet(copy.deepcopy(net), calibration)
        x = torch.randn(3, 1, 48, 48)
        with torch.no_grad():
            valence_arousal, log_variance, logits = net(x)
            expected = torch.softmax((logits + torch.tensor(bias)) / 0.7, dim=1)
            found = shipped(x)
        # 16-bit weights are the only difference.
        axes = np.stack([affect_measure.scaled(valence_arousal[:, axis].numpy(), *scale) for axis, scale in enumerate([(1.1, 0.0), (0.9, 0.05)])], 1)
        np.testing.assert_allclose(found[0].numpy(), axes, atol=5e-3)
        torch.testing.assert_close(found[1], log_variance + torch.tensor([0.1, -0.2]), atol=1e-2, rtol=0)
        torch.testing.assert_close(found[2], expected, atol=5e-3, rtol=0)


if __name__ == "__main__":
    unittest.main()
