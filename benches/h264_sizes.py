"""Size, processor time and SSIM of H.264 made from Motion JPEG of 640 × 480 pixels, with the settings of `affectograph compact`.

    python3 benches/h264_sizes.py FILM…

Each film is scaled to 640 × 480 and stored as Motion JPEG in 4:2:2, as from a webcam. FFmpeg then compresses it with one thread. SSIM is that of FFmpeg's
filter `ssim`, of luma. Sizes are for an hour of 30 frames per second.
"""

import re
import resource
import subprocess
import sys
import tempfile
from pathlib import Path

HOUR_FRAMES = 3600 * 30


def ffmpeg(*arguments: str) -> str:
    done = subprocess.run(["ffmpeg", "-hide_banner", "-nostdin", "-y", *arguments], capture_output=True, text=True, check=True)
    return done.stderr


def cpu_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def frames_of(path: Path) -> int:
    command = ["ffprobe", "-v", "error", "-count_packets", "-select_streams", "v"]
    command += ["-show_entries", "stream=nb_read_packets", "-of", "csv=p=0", str(path)]
    return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def gigabytes_an_hour(path: Path, frames: int) -> float:
    return path.stat().st_size * HOUR_FRAMES / frames / 1e9


def main(films: list[str]) -> None:
    print("| film | format | GB an hour | SSIM | ms of a processor per frame |\n| --- | --- | --- | --- | --- |")
    with tempfile.TemporaryDirectory() as folder:
        jpegs, video = Path(folder, "jpegs.avi"), Path(folder, "video.mkv")
        for film in films:
            # Quantisers near those of JPEG quality 90.
            scaled = ["-i", film, "-an", "-vf", "scale=640:480", "-c:v", "mjpeg", "-q:v", "3", "-pix_fmt", "yuvj422p"]
            ffmpeg(*scaled, str(jpegs))
            frames, name = frames_of(jpegs), Path(film).name
            print(f"| {name} | Motion JPEG | {gigabytes_an_hour(jpegs, frames):.2f} | – | – |")
            for preset in ("veryfast", "medium"):
                for crf in (18, 20, 23):
                    before = cpu_s()
                    options = ["-c:v", "libx264", "-preset", preset, "-crf", str(crf), "-bf", "0", "-g", "30"]
                    ffmpeg("-i", str(jpegs), *options, "-pix_fmt", "yuvj420p", "-threads", "1", str(video))
                    ms = (cpu_s() - before) / frames * 1e3
                    told = ffmpeg("-i", str(video), "-i", str(jpegs), "-lavfi", "ssim", "-f", "null", "-")
                    ssim = re.findall(r"SSIM Y:([0-9.]+)", told)[-1]
                    size = gigabytes_an_hour(video, frames)
                    print(f"| {name} | {preset}, crf {crf} | {size:.2f} | {float(ssim):.4f} | {ms:.1f} |", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
