"""The shared training loop: rate, resuming, stopping by time, and processes that share a batch."""

import tempfile
import unittest
from pathlib import Path
from unittest import mock

import numpy as np
import torch

from training import common, loop


def course(**changes) -> loop.Course:
    values = {"name": "test", "seed": 1, "steps": 20, "epoch_steps": 5, "rate": 0.02, "decay": 0.01, "average": 0.9}
    return loop.Course(**values | changes)


def new_net() -> torch.nn.Module:
    torch.manual_seed(7)
    return torch.nn.Sequential(torch.nn.Linear(3, 8), torch.nn.ReLU(), torch.nn.Linear(8, 1))


def batches(first: int, size: int = 16):
    for step in range(first, 1000):
        x = np.random.default_rng(step).normal(size=(size, 3)).astype(np.float32)
        yield torch.from_numpy(x)


def loss(net, batch, device):
    value = ((net(batch) - batch.sum(1, keepdim=True)) ** 2).mean()
    return value, {"loss": value.item()}


def learn_half(team: loop.Team, runs: str) -> None:
    """Half of each batch by each process."""
    def halves(first: int):
        for batch in batches(first):
            yield batch[team.rank :: team.size]

    with mock.patch.object(common, "RUNS", Path(runs)):
        loop.fit(course(), new_net(), halves, loss, team=team)


class LoopTest(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.runs = folder.name
        patch = mock.patch.object(common, "RUNS", Path(self.runs))
        patch.start()
        self.addCleanup(patch.stop)

    def weights(self) -> torch.Tensor:
        net = loop.trained("test", new_net())
        return torch.cat([parameter.detach().flatten() for parameter in net.parameters()])

    def test_rate_rises_and_ends_at_nothing(self):
        rates = [course(rate=1.0).rate_at(passed) for passed in np.linspace(0, 1, 1001)]
        self.assertLess(rates[0], 0.1)
        self.assertAlmostEqual(max(rates), 1.0, places=3)
        self.assertLess(rates[-1], 1e-3)

    def test_a_killed_run_goes_on_as_if_it_had_not_been(self):
        loop.fit(course(), new_net(), batches, loss)
        whole = self.weights()
        (Path(self.runs) / "test" / "checkpoint.pt").unlink()

        class Killed(Exception):
            pass

        def killed(first: int):
            for step, batch in enumerate(batches(first), first):
                if step == 13:
                    raise Killed
                yield batch

        with self.assertRaises(Killed):
            loop.fit(course(), new_net(), killed, loss)
        loop.fit(course(), new_net(), batches, loss)
        torch.testing.assert_close(self.weights(), whole)

    def test_a_run_ends_when_its_time_is_over(self):
        loop.fit(course(minutes=1e-6), new_net(), batches, loss)
        state = common.load_checkpoint(common.run_folder("test") / "checkpoint.pt")
        self.assertEqual(state["step"], 1)

    def test_the_best_average_is_kept(self):
        scores = iter([1.0, 3.0, 2.0, 0.0])
        found = []

        def measure(net, device):
            found.append(net[0].weight.detach().clone())
            return {"score": next(scores)}

        loop.fit(course(), new_net(), batches, loss, measure, score=lambda figures: figures["score"])
        best = torch.load(common.run_folder("test") / "best.pt")
        torch.testing.assert_close(best["0.weight"], found[1])

    def test_two_processes_learn_what_one_learns(self):
        loop.fit(course(), new_net(), batches, loss)
        alone = self.weights()
        (Path(self.runs) / "test" / "checkpoint.pt").unlink()
        loop.in_processes(2, learn_half, self.runs)
        torch.testing.assert_close(self.weights(), alone, atol=1e-5, rtol=1e-4)


if __name__ == "__main__":
    unittest.main()
