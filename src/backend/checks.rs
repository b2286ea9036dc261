//! The set-up checklist, as a pure function of the known facts.

use super::source_lamp::SourceLamp;
use super::video_size::DiskUse;
use desktop::port::{Check, CheckState, FaceOverlay};
use session::{BRIGHTEST_FACE, CheckId, DARKEST_FACE, SMALLEST_INTER_OCULAR_PX, Study, capitalised};

/// The inputs of the checks. `None` means not known yet.
#[derive(Clone, Debug, Default)]
pub struct Known {
    pub camera: Option<Result<CameraLook, String>>,
    pub faces: Option<u32>,
    pub face: Option<FaceOverlay>,
    pub networks: Option<Result<String, String>>,
    pub page: Option<Result<String, String>>,
    /// The page is not where the operator wants it.
    pub misplaced: Option<String>,
    pub disk_left_bytes: Option<u64>,
    /// Mean size of a stored picture, measured.
    pub picture_bytes: Option<f64>,
    /// The address at which other programs can start and stop the recording. `None`: the study does not want it.
    pub remote_control: Option<Result<String, String>>,
    /// One for each source of the study. While recording, those that were in the news.
    pub sources: Vec<SourceLamp>,
}

#[derive(Clone, Debug, PartialEq)]
pub struct CameraLook {
    pub name: String,
    pub asked_hz: f64,
    /// During the last second. `None` in the first two seconds.
    pub measured_hz: Option<f64>,
    pub width_px: u32,
    pub height_px: u32,
}

pub fn checks(study: &Study, known: &Known) -> Vec<Check> {
    let mut checks = Vec::new();
    // A study is blamed for nothing that it does not ask for.
    if study.camera.record {
        checks.extend([
            check(CheckId::CameraRunning, camera(known)),
            check(CheckId::OneFace, faces(known)),
            check(CheckId::FaceSize, size(known)),
            check(CheckId::FaceLight, light(known)),
            check(CheckId::NetworksLoaded, networks(known)),
        ]);
    }
    // A study that shows nothing is not blamed for a missing page.
    if study.needs_window() {
        checks.push(check(CheckId::PageLoaded, page(known)));
    }
    checks.push(check(CheckId::DiskSpace, disk(study, known)));
    checks.extend(known.sources.iter().map(|source| check(CheckId::Source, source.finding())));
    checks.extend(known.remote_control.as_ref().map(|known| check(CheckId::RemoteControl, remote_control(known))));
    checks
}

type Finding = (CheckState, String);

fn check(id: CheckId, (state, sentence): Finding) -> Check {
    Check { id, state, sentence }
}

fn waiting(what: &str) -> Finding {
    (CheckState::Waiting, what.to_owned())
}

fn camera(known: &Known) -> Finding {
    match &known.camera {
        None => waiting("The camera is being opened."),
        Some(Err(why)) => (CheckState::Failed, why.clone()),
        Some(Ok(c)) => match c.measured_hz {
            None => waiting("The camera's rate is being measured."),
            Some(hz) if hz >= 0.93 * c.asked_hz => {
                (CheckState::Ok, format!("{}: {} × {} px at {hz:.1} frames a second.", c.name, c.width_px, c.height_px))
            }
            Some(hz) if hz < 1.0 => (
                CheckState::Failed,
                format!("{} sends no pictures. Check its cable, and close other programs that use it.", c.name),
            ),
            Some(hz) => (
                CheckState::Failed,
                format!(
                    "{} sends {hz:.1} frames a second instead of {:.0}. Add light (cameras are slower in dark rooms), or choose another mode.",
                    c.name, c.asked_hz
                ),
            ),
        },
    }
}

fn faces(known: &Known) -> Finding {
    match known.faces {
        None => waiting("No picture has been scored yet."),
        Some(0) => {
            (CheckState::Failed, "There is no face in the picture. Turn the camera towards the participant.".into())
        }
        Some(1) => (CheckState::Ok, "There is one face in the picture.".into()),
        Some(n) => (
            CheckState::Failed,
            format!("There are {n} faces in the picture. Ask other people to leave it, and cover posters with faces."),
        ),
    }
}

fn size(known: &Known) -> Finding {
    match &known.face {
        None => waiting("Waiting for a face."),
        Some(f) if f.inter_ocular_px >= SMALLEST_INTER_OCULAR_PX => {
            (CheckState::Ok, format!("{:.0} px between the outer eye corners.", f.inter_ocular_px))
        }
        Some(f) => (
            CheckState::Failed,
            format!(
                "{:.0} px between the outer eye corners, {SMALLEST_INTER_OCULAR_PX:.0} are needed. Move the camera closer to the face, or choose a larger picture.",
                f.inter_ocular_px
            ),
        ),
    }
}

fn light(known: &Known) -> Finding {
    match &known.face {
        None => waiting("Waiting for a face."),
        Some(f) if f.brightness < DARKEST_FACE => (
            CheckState::Failed,
            format!("The face is too dark ({:.0} %). Put a light in front of the participant.", 100.0 * f.brightness),
        ),
        Some(f) if f.brightness > BRIGHTEST_FACE => (
            CheckState::Failed,
            format!(
                "The face is too bright ({:.0} %). Reduce the exposure, or turn the light away.",
                100.0 * f.brightness
            ),
        ),
        Some(f) => (CheckState::Ok, format!("The mean grey level of the face is {:.0} %.", 100.0 * f.brightness)),
    }
}

fn networks(known: &Known) -> Finding {
    match &known.networks {
        None => waiting("The networks are being loaded."),
        Some(Ok(names)) => (CheckState::Ok, names.clone()),
        Some(Err(why)) => (CheckState::Failed, why.clone()),
    }
}

fn page(known: &Known) -> Finding {
    match &known.page {
        None => waiting("The page is being loaded."),
        Some(Ok(address)) => match &known.misplaced {
            Some(where_it_is) => (CheckState::Warning, format!("{where_it_is} {address}")),
            None => (CheckState::Ok, address.clone()),
        },
        Some(Err(why)) => (CheckState::Failed, why.clone()),
    }
}

fn remote_control(known: &Result<String, String>) -> Finding {
    match known {
        Ok(address) => (CheckState::Ok, format!("Other programs can start and stop the recording at {address}.")),
        // The operator can start the recording.
        Err(why) => (CheckState::Warning, format!("{}.", capitalised(why))),
    }
}

fn disk(study: &Study, known: &Known) -> Finding {
    let Some(left) = known.disk_left_bytes else { return waiting("The free disk space is being read.") };
    let (w, h, hz) = match &known.camera {
        Some(Ok(c)) => (c.width_px, c.height_px, c.asked_hz),
        _ => (study.camera.width_px, study.camera.height_px, study.camera.rate_hz),
    };
    let needed =
        if study.camera.record { DiskUse::of(w, h, hz, known.picture_bytes) } else { DiskUse::without_video() };
    let lasts_minutes = needed.lasts(left).as_secs_f64() / 60.0;
    let (gb, planned, takes) = (left as f64 / 1e9, study.planned_minutes, needed.sentence());
    let sentence =
        format!("{takes}. {gb:.1} GB free, enough for {}; {planned:.0} min are planned.", how_long(lasts_minutes));
    if lasts_minutes >= 1.2 * planned {
        (CheckState::Ok, sentence)
    } else {
        let advice = "Free disk space, record to another disk, or make stored videos smaller: `affectograph compact`.";
        (CheckState::Failed, format!("{sentence} {advice}"))
    }
}

/// `95 min`, `12 h`
fn how_long(minutes: f64) -> String {
    if minutes < 180.0 { format!("{minutes:.0} min") } else { format!("{:.0} h", minutes / 60.0) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn study() -> Study {
        Study::parse("name=\"d\"\ntitle=\"D\"\n[page]\naddress=\"p\"\n").unwrap()
    }

    fn good() -> Known {
        Known {
            camera: Some(Ok(CameraLook {
                name: "C".into(),
                asked_hz: 30.0,
                measured_hz: Some(29.9),
                width_px: 640,
                height_px: 480,
            })),
            faces: Some(1),
            face: Some(FaceOverlay {
                left_px: 0.0,
                top_px: 0.0,
                width_px: 100.0,
                height_px: 100.0,
                landmarks_px: Vec::new(),
                score: 1.0,
                brightness: 0.5,
                inter_ocular_px: 80.0,
            }),
            networks: Some(Ok("three".into())),
            page: Some(Ok("p".into())),
            misplaced: None,
            disk_left_bytes: Some(100_000_000_000),
            picture_bytes: Some(40_000.0),
            remote_control: Some(Ok("127.0.0.1:22345".into())),
            sources: Vec::new(),
        }
    }

    #[test]
    fn all_good_is_all_green_and_nothing_known_is_all_waiting() {
        assert!(checks(&study(), &good()).iter().all(|c| c.state == CheckState::Ok));
        assert!(checks(&study(), &Known::default()).iter().all(|c| c.state == CheckState::Waiting));
    }

    #[test]
    fn a_page_on_another_monitor_is_a_warning() {
        let known = Known { misplaced: Some("Monitor 3 is not there.".into()), ..good() };
        let found: Vec<Check> =
            checks(&study(), &known).into_iter().filter(|c| c.state == CheckState::Warning).collect();
        assert_eq!((found.len(), found[0].id == CheckId::PageLoaded), (1, true));
    }

    #[test]
    fn a_study_without_a_page_is_ready_without_one() {
        let study = Study::parse("name=\"d\"\ntitle=\"D\"\n").unwrap();
        let all = checks(&study, &Known { page: None, ..good() });
        assert!(all.iter().all(|c| c.state == CheckState::Ok && c.id != CheckId::PageLoaded), "{all:?}");
    }

    #[test]
    fn a_study_without_a_camera_is_ready_without_one() {
        let text = "name=\"d\"\ntitle=\"D\"\n[camera]\nrecord=false\n[[sources]]\nkind=\"lsl\"\nname=\"EDA\"\n";
        let known = Known { disk_left_bytes: Some(100_000_000_000), ..Known::default() };
        let all = checks(&Study::parse(text).unwrap(), &known);
        let ids: Vec<_> = all.iter().map(|c| (c.id.clone(), c.state)).collect();
        assert_eq!(ids, [(CheckId::DiskSpace, CheckState::Ok)]);
        assert!(all[0].sentence.starts_with("A minute without video takes at most about 36 MB. "), "{all:?}");
    }

    #[test]
    fn each_trouble_fails_its_own_check_and_says_what_to_do() {
        type Spoil = fn(&mut Known);
        let spoil: [(CheckId, Spoil); 7] = [
            (CheckId::CameraRunning, |k| k.camera = Some(Err("camera 0 is in use".into()))),
            (CheckId::OneFace, |k| k.faces = Some(2)),
            (CheckId::FaceSize, |k| k.face.iter_mut().for_each(|f| f.inter_ocular_px = 20.0)),
            (CheckId::FaceLight, |k| k.face.iter_mut().for_each(|f| f.brightness = 0.05)),
            (CheckId::NetworksLoaded, |k| k.networks = Some(Err("no ONNX Runtime".into()))),
            (CheckId::PageLoaded, |k| k.page = Some(Err("unreachable".into()))),
            (CheckId::DiskSpace, |k| k.disk_left_bytes = Some(1_000_000)),
        ];
        for (id, spoil) in spoil {
            let mut known = good();
            spoil(&mut known);
            let failed: Vec<_> =
                checks(&study(), &known).into_iter().filter(|c| c.state == CheckState::Failed).collect();
            assert_eq!(failed.iter().map(|c| c.id.clone()).collect::<Vec<_>>(), [id]);
            assert!(!failed[0].sentence.is_empty());
        }
    }

    #[test]
    fn the_disk_is_reckoned_with_the_size_of_the_pictures() {
        let of_disk = |known: &Known| checks(&study(), known).into_iter().find(|c| c.id == CheckId::DiskSpace).unwrap();
        let sentence = |known: &Known| of_disk(known).sentence;
        let measured = sentence(&good());
        assert!(measured.starts_with("A minute of video takes 74 MB. 100.0 GB free, enough for 22 h; "), "{measured}");
        let unknown = sentence(&Known { picture_bytes: None, ..good() });
        assert!(unknown.starts_with("A minute of video takes about 120 MB. "), "{unknown}");
        let short = Known { disk_left_bytes: Some(2_000_000_000), ..good() };
        let found = of_disk(&short);
        assert_eq!(found.state, CheckState::Failed);
        assert!(
            found.sentence.contains("enough for 27 min; 30 min are planned. Free disk space"),
            "{}",
            found.sentence
        );
    }

    #[test]
    fn a_slow_camera_is_no_running_camera() {
        let mut known = good();
        if let Some(Ok(c)) = &mut known.camera {
            c.measured_hz = Some(15.0);
        }
        assert_eq!(checks(&study(), &known)[0].state, CheckState::Failed);
    }
}
