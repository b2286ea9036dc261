"""The affect network's teachers, and the start from a shipped file, on made-up answers and weights."""

import tomllib
import unittest
from pathlib import Path

import numpy as np
import torch

from training import affect_data, affect_fairface, affect_recover, affect_teachers, shipping
from training.affect_net import AffectNet, ShippedAffectNet
from training.affect_ship import OUTPUTS
from training.tests.test_shipping import unsettle

CONFIG = tomllib.loads((Path(__file__).parent.parent / "configs" / "affect_smoke.toml").read_text())
HAPPINESS = affect_data.EXPRESSIONS.index("happiness")


def words(count: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """What teachers may say, and the earlier network's shares."""
    shares = rng.dirichlet(np.ones(8), count).astype(np.float32)
    emotions, blendshapes = 0.04 + 0.8 * np.eye(5)[rng.integers(0, 5, count)], rng.random((count, affect_data.BLENDSHAPES))
    blendshapes[::10] = np.nan
    return affect_teachers.heard(shares, emotions, blendshapes), shares


class TeachersTest(unittest.TestCase):
    def test_a_second_word_moves_targets_towards_itself_and_nothing_else(self):
        faces = {"image": ["a"], "shares": np.array([[1.0, 0.0]]), "valence_arousal": np.array([[0.8, -0.2]])}
        told = {"shares": np.array([[0.6, 0.4]]), "valence_arousal": np.array([[0.4, 0.2]])}
        heard = affect_teachers.softened(faces, told, 0.25)
        np.testing.assert_allclose(heard["shares"], [[0.9, 0.1]], rtol=1e-6)
        np.testing.assert_allclose(heard["valence_arousal"], [[0.7, -0.1]], rtol=1e-6)
        self.assertEqual(heard["image"], ["a"])
        self.assertEqual(faces["shares"][0, 0], 1)

    def test_fused_teachers_learn_what_the_earlier_network_misses(self):
        rng = np.random.default_rng(6)
        heard, shares = words(2500, rng)
        # The votes are the earlier network's word, but where OpenVINO sees anger, which it never does.
        anger = heard[:, 12] > np.log(0.4)
        votes = np.where(anger[:, None], np.eye(8, dtype=np.float32)[4], shares)
        fused = affect_teachers.Fused(heard[:2000], votes[:2000], 1e-3)(heard[2000:])
        np.testing.assert_allclose(fused.sum(axis=1), 1, rtol=1e-4)
        right = lambda told: np.mean(told.argmax(axis=1) == votes[2000:].argmax(axis=1))
        self.assertGreater(right(fused), right(shares[2000:]) + 0.02)

    def test_a_large_penalty_leaves_the_earlier_network_but_for_a_bias(self):
        heard, shares = words(300, np.random.default_rng(7))
        fused = affect_teachers.Fused(heard, shares, 1e3)
        np.testing.assert_allclose(fused(heard), shares, atol=0.02)

    def test_a_clear_smile_is_happiness_and_no_smile_changes_nothing(self):
        shares = np.random.default_rng(8).dirichlet(np.ones(8), 3).astype(np.float32)
        shares[:, HAPPINESS] = 0.02
        shares /= shares.sum(axis=1, keepdims=True)
        told = affect_fairface.with_smiles(shares, np.array([0.0, 0.1, 0.9]))
        np.testing.assert_allclose(told[0], shares[0], atol=1e-6)
        self.assertLess(told[0, HAPPINESS], told[1, HAPPINESS])
        self.assertAlmostEqual(float(told[2, HAPPINESS]), affect_fairface.CLEAR_SMILE, places=5)
        np.testing.assert_allclose(told.sum(axis=1), 1, rtol=1e-5)


    def test_openvino_moves_groups_and_keeps_the_split_within(self):
        rng = np.random.default_rng(9)
        shares, emotions = rng.dirichlet(np.ones(8), 300).astype(np.float32), rng.dirichlet(np.ones(5), 300)
        told = affect_fairface.with_openvino(shares, emotions)
        np.testing.assert_allclose(told.sum(axis=1), 1, rtol=1e-4)
        neutral, contempt = (affect_data.EXPRESSIONS.index(name) for name in ("neutral", "contempt"))
        np.testing.assert_allclose(told[:, contempt] / told[:, neutral], shares[:, contempt] / shares[:, neutral], rtol=1e-2)
        moved = (told - shares)[:, HAPPINESS]
        self.assertGreater(np.corrcoef(moved, emotions[:, 1] - shares[:, HAPPINESS])[0, 1], 0.7)

    def test_matched_shares_have_the_means_asked_for(self):
        wanted = np.array([0.5, 0.3, 0.2])
        found = affect_fairface.matched(np.random.default_rng(9).dirichlet([1, 2, 3], 500), wanted)
        np.testing.assert_allclose(found.mean(axis=0), wanted, atol=1e-3)


class RecoverTest(unittest.TestCase):
    def test_a_net_from_a_shipped_file_answers_alike_and_begins_training_where_it_is(self):
        net = unsettle(AffectNet(**CONFIG["net"] | {"dropout": 0.0}))
        plain = {
            "class_bias": [0.0] * 8, "temperature": 1.0, "log_variance_offset": [0.0, 0.0], "axis_factor": [1.0, 1.0], "axis_shift": [0.0, 0.0],
        }
        shipped = ShippedAffectNet(net, plain)
        views = torch.randn(40, 1, 48, 48)
        file = shipping.to_onnx(shipped, views[:1], "face", OUTPUTS)
        again = AffectNet(**CONFIG["net"] | {"dropout": 0.0}).eval()
        affect_recover.fill(again, affect_recover.weights_of(file))
        affect_recover.set_statistics(again, views)
        with torch.no_grad():
            wanted, found = shipped.net(views), again(views)
            in_training = again.train()(views)
        for one, other, third in zip(wanted, found, in_training):
            torch.testing.assert_close(other, one, atol=1e-4, rtol=1e-3)
            torch.testing.assert_close(third, one, atol=1e-3, rtol=1e-2)


if __name__ == "__main__":
    unittest.main()
