"""The training loop of all three networks: rate, moving average, checkpoints, curves, and processes that share a batch.

A network's module says what a batch is, what its loss is and what is measured now and then; this says how it
is fitted. A run ends after `steps` steps or, where `minutes` are given, after that much training time if that
comes first; the rate falls with whichever is further on. A killed run goes on from its last checkpoint.

On a CPU, several processes of one thread each train faster than one process of several threads, and wait less
for each other when the machine has other work: each takes its part of a batch, and gradients are averaged.
"""

import copy
import dataclasses
import math
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from pathlib import Path

import torch

from training.common import Curves, Progress, load_checkpoint, pick_device, run_folder, save_checkpoint


@dataclasses.dataclass
class Course:
    """How long and how fast one network is fitted. `rate` is the peak, `rise` the share of the run until then."""

    name: str
    seed: int
    steps: int
    epoch_steps: int
    rate: float
    decay: float
    average: float
    clip: float = 5.0
    rise: float = 0.08
    minutes: float = math.inf
    bfloat16: bool = False
    compile: bool = False

    def rate_at(self, progress: float) -> float:
        """A short rise, then half a cosine to nothing."""
        if progress < self.rise:
            return self.rate * max(progress / self.rise, 0.02)
        return self.rate * 0.5 * (1 + math.cos(math.pi * min((progress - self.rise) / (1 - self.rise), 1)))


def course_of(cfg: dict) -> Course:
    """The course that a network's configuration names in its own keys."""
    names = {field.name for field in dataclasses.fields(Course)}
    return Course(**{name: value for name, value in cfg.items() if name in names})


def drawn_ahead(dataset: torch.utils.data.Dataset, cfg: dict) -> Callable[[int], Iterable]:
    """Batches of `dataset`, step number in, batch out, drawn by other processes while the network learns."""
    def batches(first: int) -> Iterable:
        return torch.utils.data.DataLoader(
            dataset, batch_size=None, sampler=range(first, cfg["steps"]), num_workers=cfg["workers"]
        )

    return batches


@dataclasses.dataclass
class Team:
    """The processes that share each batch; a run alone is a team of one."""

    rank: int = 0
    size: int = 1

    def mean(self, values: torch.Tensor) -> torch.Tensor:
        if self.size > 1:
            torch.distributed.all_reduce(values)
            values /= self.size
        return values


def in_processes(size: int, work: Callable, *args) -> None:
    """Calls `work(team, *args)`, in `size` processes at once where there is no GPU."""
    if size == 1 or torch.cuda.is_available():
        work(Team(), *args)
        return
    with tempfile.TemporaryDirectory() as folder:
        torch.multiprocessing.spawn(_join, (size, Path(folder) / "meeting", work, args), nprocs=size)


def _join(rank: int, size: int, meeting: Path, work: Callable, args: tuple) -> None:
    torch.distributed.init_process_group("gloo", init_method=f"file://{meeting}", rank=rank, world_size=size)
    try:
        work(Team(rank, size), *args)
    finally:
        torch.distributed.destroy_process_group()
    # All is stored. Taking the interpreter apart has aborted once ("terminate called without an active exception": a
    # thread of torch's that still ran), which would make a finished run look failed.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


class MovingAverage:
    """A slowly following copy of the network: steadier than any single step of it."""

    def __init__(self, net: torch.nn.Module, decay: float):
        self.net = copy.deepcopy(net).eval()
        self.decay = decay
        self.steps = 0

    @torch.no_grad()
    def follow(self, net: torch.nn.Module) -> None:
        self.steps += 1
        decay = min(self.decay, self.steps / (self.steps + 10))
        for mine, theirs in zip(self.net.state_dict().values(), net.state_dict().values()):
            if mine.is_floating_point():
                mine.lerp_(theirs, 1 - decay)
            else:
                mine.copy_(theirs)


def fit(
    course: Course,
    net: torch.nn.Module,
    batches: Callable[[int], Iterable],
    loss: Callable[[torch.nn.Module, object, torch.device], tuple[torch.Tensor, dict[str, float]]],
    measure: Callable[[torch.nn.Module, torch.device], dict[str, float]] = lambda net, device: {},
    team: Team = Team(),
    score: Callable[[dict[str, float]], float] | None = None,
    threads: int = 1,
) -> None:
    """Trains `net`, or goes on training it, into `training/runs/NAME/`.

    `batches(first)` yields what `loss(net, batch, device)` takes, from step `first` on; `loss` returns the loss and its
    parts for the curves; `measure` looks at the average after each epoch. Where `score` rates what it found, `best.pt`
    keeps the best average; without, the last checkpoint's average is the result.
    """
    device = pick_device(threads)
    torch.manual_seed(course.seed)
    run = _Run(course, net.to(device, memory_format=torch.channels_last))
    half = course.bfloat16 and has_bfloat16()
    learning = torch.compile(run.net) if course.compile else run.net
    if run.passed >= 1:
        return
    first, begin_s, used_s, progress = run.step, time.monotonic(), run.used_s, Progress(course.steps, run.step)
    sums, counted = {}, 0
    for batch in batches(first):
        if counted == 0:
            torch.manual_seed(hash((course.seed, run.step, team.rank)))
        net.train()
        for group in run.optimiser.param_groups:
            group["lr"] = course.rate_at(run.passed)
        with torch.autocast(device.type, torch.bfloat16, enabled=half):
            value, parts = loss(learning, batch, device)
        run.optimiser.zero_grad()
        value.backward()
        run.step, run.used_s = run.step + 1, used_s + time.monotonic() - begin_s
        run.passed = _share_gradients(net, run.passed_here(), team)
        torch.nn.utils.clip_grad_norm_(net.parameters(), course.clip)
        run.optimiser.step()
        run.average.follow(net)
        counted += 1
        sums = {name: sums.get(name, 0.0) + part for name, part in parts.items()}
        means = {name: total / counted for name, total in sums.items()}
        if team.rank == 0:
            progress.show(round(run.passed * course.steps), f"step {run.step}  {_text(means)}")
        if run.step % course.epoch_steps == 0 or run.passed >= 1:
            if team.rank == 0:
                found = means | measure(run.average.net, device)
                progress.note(f"step {run.step}: {_text(found)}")
                run.keep(found, score)
            sums, counted = {}, 0
        if run.passed >= 1:
            return


class _Run:
    """All that a run's checkpoint holds, taken up from it where there is one."""

    def __init__(self, course: Course, net: torch.nn.Module):
        self.course, self.net, self.folder = course, net, run_folder(course.name)
        self.average = MovingAverage(net, course.average)
        self.optimiser = torch.optim.AdamW(net.parameters(), lr=course.rate, weight_decay=course.decay)
        self.step, self.used_s, self.best, rows = 0, 0.0, -math.inf, []
        if saved := load_checkpoint(self.folder / "checkpoint.pt"):
            net.load_state_dict(saved["net"])
            self.average.net.load_state_dict(saved["average"])
            self.optimiser.load_state_dict(saved["optimiser"])
            self.average.steps = self.step = saved["step"]
            self.used_s, self.best, rows = saved["used_s"], saved["best"], saved["rows"]
        self.curves = Curves(self.folder, rows)
        self.passed = self.passed_here()

    def passed_here(self) -> float:
        """How much of the run is over, from 0 to 1, by this process's clock."""
        return max(self.step / self.course.steps, self.used_s / (60 * self.course.minutes))

    def keep(self, found: dict[str, float], score: Callable[[dict[str, float]], float] | None) -> None:
        """Notes an epoch's figures, the average if it is the best so far, and the checkpoint."""
        self.curves.add(epoch=self.step / self.course.epoch_steps, minutes=self.used_s / 60, **found)
        if score and score(found) > self.best:
            self.best = score(found)
            torch.save(self.average.net.state_dict(), self.folder / "best.pt")
        save_checkpoint(self.folder / "checkpoint.pt", {
            "net": self.net.state_dict(), "average": self.average.net.state_dict(),
            "optimiser": self.optimiser.state_dict(), "step": self.step, "used_s": self.used_s, "best": self.best,
            "rows": self.curves.rows,
        })


def _share_gradients(net: torch.nn.Module, passed: float, team: Team) -> float:
    """Averages gradients over the team, and how much of the run has passed, so that all end at the same step."""
    if team.size == 1:
        return passed
    gradients = [parameter.grad for parameter in net.parameters()]
    flat = torch.cat([*(gradient.flatten() for gradient in gradients), torch.tensor([passed], dtype=torch.float32)])
    team.mean(flat)
    start = 0
    for gradient in gradients:
        gradient.copy_(flat[start : start + gradient.numel()].view_as(gradient))
        start += gradient.numel()
    return float(flat[-1])


def _text(figures: dict[str, float]) -> str:
    return "  ".join(f"{name} {value:.4g}" for name, value in figures.items())


def trained(name: str, net: torch.nn.Module) -> torch.nn.Module:
    """`net` with the averaged weights of the run's last checkpoint."""
    state = load_checkpoint(run_folder(name) / "checkpoint.pt", restore_random=False)
    if state is None:
        raise SystemExit(f"no checkpoint in {run_folder(name)}: run `python -m training train` first")
    net.load_state_dict(state["average"])
    return net.eval()


def has_bfloat16() -> bool:
    """Whether this machine computes in bfloat16 at speed, and survives it: some have died with an illegal instruction."""
    if torch.cuda.is_available():
        return torch.cuda.is_bf16_supported()
    cpuinfo = Path("/proc/cpuinfo")
    if not cpuinfo.exists() or "avx512_bf16" not in cpuinfo.read_text():
        return False
    probe = (
        "import torch\nx = torch.rand(4, 8, 12, 12, requires_grad=True)\nconv = torch.nn.Conv2d(8, 16, 3)\n"
        "with torch.autocast('cpu', torch.bfloat16): y = conv(x).relu().mean()\ny.backward()"
    )
    return subprocess.run([sys.executable, "-c", probe], capture_output=True).returncode == 0
