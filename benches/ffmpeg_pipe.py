"""Processor time of FFmpeg for each frame of a video file, by the way in which pictures and times leave it.

    python3 benches/ffmpeg_pipe.py FILE…

Each way runs `RUNS` times, in turn. The medians are printed. Needs FFmpeg and no package.
"""

import os
import statistics
import subprocess
import sys
from pathlib import Path

RUNS = 7
SCALE = "scale={width}:{height}:flags=bicubic+accurate_rnd+full_chroma_int"
PLANES = SCALE + ":in_range=limited:out_range=limited,format=yuv420p"
WAYS = {
    "decoded only": ["-f", "null"],
    "times as lines, planes": ["-vf", "showinfo=checksum=0," + PLANES, "-f", "rawvideo"],
    "times as lines, RGB": ["-vf", "showinfo=checksum=0," + SCALE + ",format=rgb24", "-f", "rawvideo"],
    "no times, planes": ["-vf", PLANES, "-f", "rawvideo"],
    "times in NUT, planes": ["-vf", PLANES, "-c:v", "rawvideo", "-f", "nut"],
    "times in Matroska, planes": ["-vf", PLANES, "-c:v", "rawvideo", "-f", "matroska"],
}


def probed(film: Path) -> tuple[int, int, int]:
    """Width, height and number of frames."""
    words = ["ffprobe", "-v", "error", "-select_streams", "v:0", "-count_packets"]
    words += ["-show_entries", "stream=width,height,nb_read_packets", "-of", "csv=p=0", f"file:{film}"]
    width, height, frames = subprocess.check_output(words, text=True).strip().strip(",").split(",")[:3]
    return int(width), int(height), int(frames)


def processor_s(film: Path, way: list[str]) -> float:
    """User and system time of one run. Its output is read and dropped."""
    words = ["ffmpeg", "-hide_banner", "-nostdin", "-nostats", "-loglevel", "level+info", "-copyts", "-threads", "1"]
    words += ["-i", f"file:{film}", "-map", "0:v:0", "-fps_mode", "passthrough", *way, "pipe:1"]
    child = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert child.stdout is not None
    while child.stdout.read(1 << 20):
        pass
    _, status, usage = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        raise RuntimeError(f"ffmpeg ended with {child.returncode}: {' '.join(words)}")
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    for film in map(Path, sys.argv[1:]):
        width, height, frames = probed(film)
        ways = {name: [word.format(width=width, height=height) for word in way] for name, way in WAYS.items()}
        runs: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(RUNS):
            for name, way in ways.items():
                runs[name].append(processor_s(film, way))
        print(f"{film.name}: {width} × {height}, {frames} frames, medians of {RUNS} runs")
        for name, seconds in runs.items():
            print(f"  {name:26} {1e3 * statistics.median(seconds) / frames:7.3f} ms a frame")


if __name__ == "__main__":
    main()
