"""What is shipped equals what was trained: folding, 16-bit weights, ONNX."""

import copy
import unittest

import numpy as np
import onnx
import torch
from torch import nn

from training import shipping
from training.affect_net import AffectNet, ShippedAffectNet, fold_shortcuts
from training.landmarks import LandmarkNet


def unsettle(net: nn.Module) -> nn.Module:
    """Gives batch norms something to do, as after training."""
    torch.manual_seed(3)
    for module in net.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.2)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.data.uniform_(0.5, 1.5)
            module.bias.data.normal_(0, 0.1)
    return net.eval()


class ShippingTest(unittest.TestCase):
    def test_folding_changes_no_answer(self):
        affect, landmarks = AffectNet([8, 16, 32, 64], [1, 1, 1], 0.3), LandmarkNet([8, 16, 24, 32], 16, 32)
        for net, size, fold in (
            (affect, 48, lambda net: fold_shortcuts(shipping.fold_batch_norm(net))),
            (landmarks, 112, shipping.fold_batch_norm),
        ):
            unsettle(net)
            folded = fold(copy.deepcopy(net))
            self.assertFalse(any(isinstance(module, nn.BatchNorm2d) for module in folded.modules()))
            picture = torch.randn(2, 1, size, size)
            with torch.no_grad():
                for wanted, found in zip(net(picture), folded(picture)):
                    torch.testing.assert_close(found, wanted, atol=1e-4, rtol=1e-3)

    def test_shipped_file_holds_16_bits_and_answers_alike(self):
        net = shipping.round_weights(shipping.fold_batch_norm(unsettle(LandmarkNet([8, 16, 24, 32], 16, 32))))
        onnx_bytes = shipping.to_onnx(net, torch.zeros(1, 1, 112, 112), "crop", ["points", "pose", "face"])
        stored = sum(np.prod(tensor.dims) for tensor in onnx.load_from_string(onnx_bytes).graph.initializer)
        self.assertLess(len(onnx_bytes), 2 * stored + 20_000)
        values = np.random.default_rng(1).normal(size=(1, 1, 112, 112)).astype(np.float32)
        shipping.checked_outputs(net, shipping.OnnxNet(onnx_bytes), values)

    def test_the_shipped_affect_network_answers_as_its_file_does_after_export(self):
        calibration = {"class_bias": [0.0] * 8, "temperature": 0.8, "log_variance_offset": [0.1, 0.2], "axis_factor": [1.0, 1.0], "axis_shift": [0.0, 0.0]}
        net = ShippedAffectNet(unsettle(AffectNet([8, 16, 32, 64], [1, 1, 1], 0.3)), calibration)
        names = ["valence_arousal", "log_variance", "expression"]
        onnx_net = shipping.OnnxNet(shipping.to_onnx(net, torch.zeros(1, 1, 48, 48), "face", names))
        values = np.random.default_rng(1).normal(size=(1, 1, 48, 48)).astype(np.float32)
        shipping.checked_outputs(net, onnx_net, values)

    def test_a_mirrored_network_answers_alike_for_a_face_and_its_mirror_image(self):
        calibration = {"class_bias": [0.0] * 8, "temperature": 0.8, "log_variance_offset": [0.1, 0.2], "axis_factor": [1.0, 1.0], "axis_shift": [0.0, 0.0]}
        net = ShippedAffectNet(unsettle(AffectNet([8, 16, 32, 64], [1, 1, 1], 0.3)), calibration, mirrored=True)
        faces = torch.randn(3, 1, 48, 48, generator=torch.Generator().manual_seed(4))
        with torch.no_grad():
            for one, other in zip(net(faces), net(faces.flip(3))):
                self.assertEqual(len(one), 3)
                torch.testing.assert_close(one, other)
            for all_at_once, alone in zip(net(faces), net(faces[1:2])):
                torch.testing.assert_close(all_at_once[1:2], alone)

    def test_eight_bits_answer_nearly_as_floats_do(self):
        calibration = {"class_bias": [0.0] * 8, "temperature": 0.8, "log_variance_offset": [0.1, 0.2], "axis_factor": [1.0, 1.0], "axis_shift": [0.0, 0.0]}
        net = ShippedAffectNet(unsettle(AffectNet([8, 16, 32, 64], [1, 1, 1], 0.3)), calibration, mirrored=True)
        names = ["valence_arousal", "log_variance", "expression"]
        floats = shipping.to_onnx(net, torch.zeros(1, 1, 48, 48), "face", names)
        faces = np.random.default_rng(1).normal(size=(64, 1, 48, 48)).astype(np.float32)
        eight_bits = shipping.quantised(floats, "face", faces)
        self.assertEqual(eight_bits, shipping.quantised(floats, "face", faces), "the same file each time")
        wanted, found = shipping.OnnxNet(floats), shipping.OnnxNet(eight_bits)
        for face in faces[:16]:
            for one, other in zip(wanted(face[None]), found(face[None])):
                np.testing.assert_allclose(other, one, atol=0.1)
        kinds = {node.op_type for node in onnx.load_from_string(eight_bits).graph.node}
        self.assertIn("QuantizeLinear", kinds)

    def test_weights_that_were_not_rounded_are_refused(self):
        net = nn.Sequential(nn.Conv2d(1, 4, 3)).eval()
        with self.assertRaises(AssertionError):
            shipping.to_onnx(net, torch.zeros(1, 1, 8, 8), "picture", ["map"])


if __name__ == "__main__":
    unittest.main()
