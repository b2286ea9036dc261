//! `affectograph compact`: compresses the video of finished sessions again.

use std::path::Path;
use std::process::ExitCode;

use serde_json::json;

use super::args::Compact;
use super::exit_code::INCOMPLETE;
use super::interrupt::cancel_at_signal;
use super::output::{print_err, print_out};
use super::progress::Progress;
use crate::failure::Failure;
use recording::{CompactError, CompactStep, Compacted, CompactedVideo, Compaction};
use session::{EncodedVideo, VideoCodec};
use study_query::session_folder;

pub fn run(a: &Compact) -> Result<ExitCode, Failure> {
    let cancel = cancel_at_signal()?;
    let (mut is_complete, mut done) = (true, 0);
    for session in &a.session {
        let compaction = Compaction {
            folder: session_folder(session),
            video: EncodedVideo { codec: a.format, crf: a.crf, key_frame_s: a.key_frames },
            keeps_original: a.keep_original,
            accepts_quality: a.accept_quality,
            author: session::program(),
        };
        let mut bar = Progress::start();
        let compacted = compaction.run(cancel.flag(), |step| show(&mut bar, step));
        drop(bar);
        match compacted {
            Ok(compacted) => {
                done += 1;
                print(&compaction, &compacted, a.json);
            }
            Err(e @ CompactError::Cancelled) => return Err(e.into()),
            // The other sessions do not depend on this one.
            Err(e) if a.session.len() > 1 => {
                is_complete = false;
                print_err!("{}: {e}", compaction.folder.display());
            }
            Err(e) => return Err(e.into()),
        }
    }
    Ok(match (is_complete, done) {
        (true, _) => ExitCode::SUCCESS,
        (false, 0) => ExitCode::FAILURE,
        (false, _) => ExitCode::from(INCOMPLETE),
    })
}

/// Compressing is the first half of the work, comparing the second one.
fn show(bar: &mut Progress, step: CompactStep) {
    let half = |done: u64, all: u64| done as f64 / all.max(1) as f64 / 2.0;
    match step {
        CompactStep::Compressing(done, all) => {
            bar.show(half(done, all), &format!("{done} of {all} pictures compressed"))
        }
        CompactStep::Comparing(done, all) => {
            bar.show(0.5 + half(done, all), &format!("{done} of {all} pictures compared"));
        }
        CompactStep::Placed | CompactStep::Replaced => {}
    }
}

fn print(compaction: &Compaction, compacted: &Compacted, is_json: bool) {
    let folder = &compaction.folder;
    match compacted {
        Compacted::Before { removed } if is_json => {
            print_out!("{}", json!({ "session": folder, "compacted_before": true, "original_removed": removed }));
        }
        Compacted::Before { removed } => {
            let what = if *removed { ". The original that was kept is removed" } else { "" };
            print_out!("{}: compacted before{what}", folder.display());
        }
        Compacted::Done(video) => print_video(folder, compaction, video, is_json),
    }
}

fn print_video(folder: &Path, compaction: &Compaction, video: &CompactedVideo, is_json: bool) {
    let CompactedVideo { frames, bytes_before, bytes_after, quality: q, file } = video;
    if is_json {
        let line = json!({
            "session": folder, "file": file, "format": compaction.video.codec, "frames": frames,
            "bytes_before": bytes_before, "bytes_after": bytes_after,
            "psnr_mean_db": q.psnr_mean_db, "psnr_worst_db": q.psnr_worst_db,
            "ssim_mean": q.ssim_mean, "ssim_worst": q.ssim_worst, "worst_frame": q.worst_frame,
            "original_kept": compaction.keeps_original,
        });
        return print_out!("{line}");
    }
    print_out!("{}: {file} ({}) has all {frames} frames", folder.display(), compaction.video);
    let mb = |bytes: u64| bytes as f64 / 1e6;
    let share = 100.0 * *bytes_after as f64 / (*bytes_before).max(1) as f64;
    print_out!("  size    {:.1} MB before, {:.1} MB now ({share:.0} %)", mb(*bytes_before), mb(*bytes_after));
    print_out!("  SSIM    {:.4} in the mean, {:.4} at worst (frame {})", q.ssim_mean, q.ssim_worst, q.worst_frame);
    print_out!("  PSNR    {:.1} dB in the mean, {:.1} dB at worst", q.psnr_mean_db, q.psnr_worst_db);
    if compaction.keeps_original {
        print_out!("  video.mkv is kept. The same command without --keep-original removes it");
    }
    if compaction.video.codec == VideoCodec::H264 {
        print_out!(
            "  Stored scores and pulse stay as they are. A pulse that is read from the new pictures loses signal"
        );
    }
}
