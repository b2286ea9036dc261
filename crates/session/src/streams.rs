//! The descriptions of the streams of a session.

use super::{FACE_ACTIONS, Field, GapReason, StreamInfo, StreamKind, StreamName};

/// The eight expressions, in the order of the `affect` stream's fields.
pub const EXPRESSIONS: [&str; 8] =
    ["neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt"];

/// Field positions in the `affect` stream.
pub mod affect {
    pub const VALENCE: usize = 0;
    pub const AROUSAL: usize = 1;
    pub const VALENCE_SD: usize = 2;
    pub const AROUSAL_SD: usize = 3;
    /// Probability of [`super::EXPRESSIONS`]`[k]` is at `EXPRESSION_0 + k`.
    pub const EXPRESSION_0: usize = 4;
    pub const FIELDS: usize = 12;
}

/// Field positions in the `face` stream.
pub mod face {
    pub const BOX_LEFT: usize = 0;
    pub const BOX_TOP: usize = 1;
    pub const BOX_WIDTH: usize = 2;
    pub const BOX_HEIGHT: usize = 3;
    pub const SCORE: usize = 4;
    pub const YAW: usize = 5;
    pub const PITCH: usize = 6;
    pub const ROLL: usize = 7;
    pub const EYE_OPENNESS_LEFT: usize = 8;
    pub const EYE_OPENNESS_RIGHT: usize = 9;
    pub const MOUTH_OPENNESS: usize = 10;
    pub const INTER_OCULAR: usize = 11;
    pub const BRIGHTNESS: usize = 12;
    pub const SHARPNESS: usize = 13;
    pub const FACES: usize = 14;
    pub const INFERENCE_MS: usize = 15;
    pub const FIELDS: usize = 16;
}

/// Field positions in the `eyes` stream.
pub mod eyes {
    pub const CLOSURE_LEFT: usize = 0;
    pub const CLOSURE_RIGHT: usize = 1;
    pub const GAZE_YAW_LEFT: usize = 2;
    pub const GAZE_PITCH_LEFT: usize = 3;
    pub const GAZE_YAW_RIGHT: usize = 4;
    pub const GAZE_PITCH_RIGHT: usize = 5;
    pub const GAZE_YAW: usize = 6;
    pub const GAZE_PITCH: usize = 7;
    pub const CAMERA_YAW: usize = 8;
    pub const CAMERA_PITCH: usize = 9;
    pub const FIELDS: usize = 10;
}

/// Field positions in the `skin` stream: four patches of the same fields, then the face.
pub mod skin {
    /// Patches of skin: forehead, image-left cheek, image-right cheek. The background is the fourth patch.
    pub const REGIONS: usize = 3;
    pub const BACKGROUND: usize = REGIONS;
    pub const PATCHES: usize = REGIONS + 1;
    pub const PATCH_NAMES: [&str; PATCHES] = ["forehead", "cheek_left", "cheek_right", "background"];
    /// Positions in a patch.
    pub const RED: usize = 0;
    pub const GREEN: usize = 1;
    pub const BLUE: usize = 2;
    pub const PIXELS: usize = 3;
    pub const CLIPPED: usize = 4;
    pub const SPREAD: usize = 5;
    pub const PATCH_FIELDS: usize = 6;
    pub const FACE_X: usize = PATCHES * PATCH_FIELDS;
    pub const FACE_Y: usize = FACE_X + 1;
    pub const INTER_OCULAR: usize = FACE_X + 2;
    pub const MOUTH_OPENNESS: usize = FACE_X + 3;
    pub const FIELDS: usize = FACE_X + 4;
}

/// Field positions in the `pulse` stream.
pub mod pulse {
    pub const RATE_BPM: usize = 0;
    pub const RATE_SD_BPM: usize = 1;
    pub const QUALITY: usize = 2;
    pub const FIELDS: usize = 3;
}

/// Below this distance of the outer eye corners, readings are unreliable. Used by the set-up check and to exclude epochs.
pub const SMALLEST_INTER_OCULAR_PX: f32 = 36.0;
/// Limits of the mean grey level, 0 … 1, of a well-lit face.
pub const DARKEST_FACE: f32 = 0.18;
pub const BRIGHTEST_FACE: f32 = 0.88;

pub const AFFECT: &str = "affect";
pub const FACE: &str = "face";
pub const LANDMARKS: &str = "landmarks";
/// Facial actions.
pub const ACTION: &str = "action";
/// Closure and gaze of the eyes.
pub const EYES: &str = "eyes";
/// Blinks and closed eyes; see [`blink_stream`].
pub const BLINK: &str = "blink";
pub const BLINK_KIND: &str = "blink";
pub const EYES_CLOSED_KIND: &str = "eyes_closed";
/// Mean colours of the participant's skin.
pub const SKIN: &str = "skin";
/// Heart rate, computed from `skin` after the recording.
pub const PULSE: &str = "pulse";
pub const PAGE: &str = "page";
pub const MARKER: &str = "marker";
pub const DELETED: &str = "deleted";
pub const HEALTH: &str = "health";
pub const PAGE_CLOCK: &str = "page_clock";
pub const VIDEO: &str = "video";
pub const VIDEO_FRAME: &str = "video_frame";
pub const REPLAY: &str = "replay";
pub const SERVER: &str = "server";
pub const PHASE: &str = "phase";
pub const QUESTIONNAIRE: &str = "questionnaire";
/// Added after the recording; see [`annotation_stream`] and [`rating_stream`].
pub const ANNOTATION: &str = "annotation";
pub const RATING: &str = "rating";
/// See [`compaction_stream`].
pub const COMPACTION: &str = "compaction";
pub const COMPACTED_KIND: &str = "compacted";
/// Frames that the live worker skipped, scored after the recording; see [`later`].
pub const AFFECT_LATER: &str = "affect_later";
pub const FACE_LATER: &str = "face_later";
pub const LANDMARKS_LATER: &str = "landmarks_later";

/// Field positions in the `rating` stream.
pub mod rating {
    pub const VALENCE: usize = 0;
    pub const AROUSAL: usize = 1;
    pub const FIELDS: usize = 2;
}

/// `affectograph 0.1.0`: the software of every stream that no network produced.
pub fn program() -> String {
    format!("affectograph {}", env!("CARGO_PKG_VERSION"))
}

fn samples(name: &str, rate_hz: Option<f64>, software: &str, description: &str, fields: Vec<Field>) -> StreamInfo {
    StreamInfo {
        name: built_in(name),
        kind: StreamKind::Samples,
        description: description.to_owned(),
        fields,
        nominal_rate_hz: rate_hz,
        software: software.to_owned(),
    }
}

fn events(name: &str, description: &str) -> StreamInfo {
    StreamInfo {
        name: built_in(name),
        kind: StreamKind::Events,
        description: description.to_owned(),
        fields: Vec::new(),
        nominal_rate_hz: None,
        software: program(),
    }
}

fn built_in(name: &str) -> StreamName {
    name.parse().expect("the names in this file are valid: a unit test parses them all")
}

/// Valence, arousal, their uncertainty and the eight expression probabilities of the participant's face.
/// `model` names the network with version and sha256.
pub fn affect_stream(rate_hz: f64, model: &str) -> StreamInfo {
    let mut fields = vec![
        Field::new("valence", "1", "unpleasant −1 … pleasant 1, raw network output, not clipped"),
        Field::new("arousal", "1", "calm −1 … excited 1, raw network output, not clipped"),
        Field::new("valence_sd", "1", "the network's own standard deviation of valence"),
        Field::new("arousal_sd", "1", "the network's own standard deviation of arousal"),
    ];
    fields.extend(EXPRESSIONS.iter().map(|e| Field::new(*e, "1", format!("probability of {e}, the eight sum to 1"))));
    samples(
        AFFECT,
        Some(rate_hz),
        model,
        "affect read from the participant's face, at the frame's capture time",
        fields,
    )
}

/// Position and image quality of the participant's face.
pub fn face_stream(rate_hz: f64, model: &str) -> StreamInfo {
    let fields = vec![
        Field::new("box_left", "px", "left edge of the face box"),
        Field::new("box_top", "px", "top edge of the face box"),
        Field::new("box_width", "px", "width of the face box"),
        Field::new("box_height", "px", "height of the face box"),
        Field::new("score", "1", "probability that this is a face"),
        Field::new("yaw", "deg", "positive: face turned towards image-right"),
        Field::new("pitch", "deg", "positive: face turned down"),
        Field::new("roll", "deg", "positive: head turned clockwise in the image"),
        Field::new("eye_openness_left", "1", "image-left eye: lid distance over eye width"),
        Field::new("eye_openness_right", "1", "image-right eye: lid distance over eye width"),
        Field::new("mouth_openness", "1", "inner lip distance over mouth width"),
        Field::new("inter_ocular", "px", "distance of the outer eye corners"),
        Field::new("brightness", "1", "mean grey level of the face, 0 … 1"),
        Field::new("sharpness", "1", "variance of the Laplacian of the aligned grey face, grey levels 0 … 255"),
        Field::new("faces", "1", "faces in the picture, the participant's included"),
        Field::new("inference", "ms", "time the vision step took for this frame"),
    ];
    samples(
        FACE,
        Some(rate_hz),
        model,
        "the participant's face in the camera picture, at the frame's capture time",
        fields,
    )
}

/// 68 points in picture pixels, `x0 y0 x1 y1 …`, iBUG 300-W order.
pub fn landmarks_stream(rate_hz: f64, model: &str) -> StreamInfo {
    let fields = (0..68)
        .flat_map(|k| {
            ["x", "y"]
                .map(|axis| Field::new(format!("{axis}{k}"), "px", format!("{axis} of point {k}, iBUG 300-W order")))
        })
        .collect();
    samples(
        LANDMARKS,
        Some(rate_hz),
        model,
        "68 facial landmarks of the participant, at the frame's capture time",
        fields,
    )
}

/// Intensities of the [`FACE_ACTIONS`]. `model` names the network with version and sha256.
pub fn action_stream(rate_hz: f64, model: &str) -> StreamInfo {
    let field = |action: &super::FaceAction| {
        let super::FaceAction { name, arkit, meaning } = action;
        Field::new(*name, "1", format!("{meaning} (ARKit `{arkit}`), 0 … 1, mean of both sides"))
    };
    samples(
        ACTION,
        Some(rate_hz),
        model,
        "facial actions as intensities of blendshapes, not FACS coding, at the frame's capture time",
        FACE_ACTIONS.iter().map(field).collect(),
    )
}

/// The fields of the stream `eyes`. Left and right are those of the picture.
pub const EYES_FIELDS: [&str; eyes::FIELDS] = [
    "closure_left",
    "closure_right",
    "gaze_yaw_left",
    "gaze_pitch_left",
    "gaze_yaw_right",
    "gaze_pitch_right",
    "gaze_yaw",
    "gaze_pitch",
    "camera_yaw",
    "camera_pitch",
];

/// Closure and gaze of the eyes. `model` names the network with version and sha256.
pub fn eyes_stream(rate_hz: f64, model: &str) -> StreamInfo {
    let meanings = [
        "image-left eye: 0 open … 1 closed",
        "image-right eye: 0 open … 1 closed",
        "image-left eye, relative to the head, positive: towards image-right; none if closed",
        "image-left eye, relative to the head, positive: down; none if closed",
        "image-right eye, relative to the head, positive: towards image-right; none if closed",
        "image-right eye, relative to the head, positive: down; none if closed",
        "mean of the open eyes, relative to the head, positive: towards image-right",
        "mean of the open eyes, relative to the head, positive: down",
        "gaze relative to the camera's axis: head pose and gaze together, positive: towards image-right",
        "gaze relative to the camera's axis: head pose and gaze together, positive: down",
    ];
    let unit = |k: usize| if k <= eyes::CLOSURE_RIGHT { "1" } else { "deg" };
    let fields = EYES_FIELDS.iter().zip(meanings).enumerate();
    let fields = fields.map(|(k, (name, meaning))| Field::new(*name, unit(k), meaning)).collect();
    samples(EYES, Some(rate_hz), model, "closure and gaze direction of both eyes, at the frame's capture time", fields)
}

/// Blinks, found in the closure of the eyes. `model` names the network with version and sha256.
pub fn blink_stream(model: &str) -> StreamInfo {
    let description = "`blink` and, from a second on, `eyes_closed`, at the onset: the eyes are half closed between their usual \
                       opening and their furthest closure. `duration_ms` is the time until they are half open; \
                       `completeness` is 1 where they were closed";
    StreamInfo { software: model.to_owned(), ..events(BLINK, description) }
}

/// Mean colours of patches of the participant's skin and of the background, and the position of the face. `software` names the
/// network that placed the patches.
pub fn skin_stream(rate_hz: f64, software: &str) -> StreamInfo {
    let patch = |name: &&str| {
        [
            Field::new(format!("{name}_r"), "1", "mean level of red, 0 … 255, as coded in the picture"),
            Field::new(format!("{name}_g"), "1", "mean level of green, 0 … 255, as coded in the picture"),
            Field::new(format!("{name}_b"), "1", "mean level of blue, 0 … 255, as coded in the picture"),
            Field::new(format!("{name}_pixels"), "1", "number of pixels that were read; 0: the patch is not visible"),
            Field::new(format!("{name}_clipped"), "1", "share of pixels at the end of the scale, 0 … 1"),
            Field::new(format!("{name}_spread"), "1", "standard deviation of the grey levels of the patch"),
        ]
    };
    let mut fields: Vec<Field> = skin::PATCH_NAMES.iter().flat_map(patch).collect();
    fields.extend([
        Field::new("face_x", "px", "mean of the 68 landmarks, to the right"),
        Field::new("face_y", "px", "mean of the 68 landmarks, downwards"),
        Field::new("inter_ocular", "px", "distance of the outer eye corners"),
        Field::new("mouth_openness", "1", "inner lip distance over mouth width"),
    ]);
    samples(
        SKIN,
        Some(rate_hz),
        software,
        "mean colours of the participant's skin, read from the frame before compression where the camera does not compress, at \
         the frame's capture time",
        fields,
    )
}

/// Heart rate in windows of 10 s. A window without a reliable rate is a gap whose note has the reason.
pub fn pulse_stream(software: &str) -> StreamInfo {
    let fields = vec![
        Field::new("rate_bpm", "1/min", "heart rate in the window of 10 s around this time, 39 … 210"),
        Field::new(
            "rate_sd_bpm",
            "1/min",
            "standard deviation of errors up to 5 per minute in the simulation, at this quality",
        ),
        Field::new(
            "quality",
            "1",
            "probability in the simulation that the error is at most 5 per minute, 0 … 1, lower end of its 95 % interval",
        ),
    ];
    samples(PULSE, Some(1.0), software, "heart rate from the stream `skin`; not a medical device", fields)
}

/// The participant's actions in the page. Each event has `page_ms`, the raw time of the page.
pub fn page_stream() -> StreamInfo {
    events(
        PAGE,
        "the participant's actions in the page, on the session clock; `page_ms` in the data is the page's raw performance.now()",
    )
}

/// Not stored. Computed from the edits in `page` when a session is read.
pub fn deleted_stream() -> StreamInfo {
    events(
        DELETED,
        "passages that the participant typed and took back: `text` where it is known, `length` in UTF-16 units, `until_ns`, \
         and `sentiment` from −1 to 1 by VADER's English lexicon",
    )
}

pub fn marker_stream() -> StreamInfo {
    events(MARKER, "markers and notes set by the operator")
}

/// Technical incidents: camera lost or reconnected, page crashed, checks overridden.
pub fn health_stream() -> StreamInfo {
    events(HEALTH, "what happened to the instrument: cameras lost and found, pages reloaded, checks overridden, drops")
}

/// Gaps in the video. The frames themselves are in `video.mkv` and in the frame table of the session file.
pub fn video_stream(camera: &str) -> StreamInfo {
    let mut info = events(VIDEO, "gaps in the video: frames that the camera, its driver, the transfer or a queue lost");
    info.software = camera.to_owned();
    info
}

/// Measured offsets of the page clock to the session clock. They are not applied to records that are already stored.
/// Events and not samples, because an offset in milliseconds needs more digits than a 32-bit float has.
pub fn page_clock_stream() -> StreamInfo {
    events(
        PAGE_CLOCK,
        "the page's clock, measured by ping: `offset_ms` is session time minus performance.now(), its error at most \
         `uncertainty_ms`; `document` counts the documents, each with its own performance.now()",
    )
}

/// Capture times of the frames of a browser's video.
pub fn video_frame_stream() -> StreamInfo {
    events(
        VIDEO_FRAME,
        "frames of the browser's video: `page_ms` when each was captured, `media_s` its time in the video; raw",
    )
}

/// The recorded page, for replay beside the video.
pub fn replay_stream() -> StreamInfo {
    events(REPLAY, "the page as rrweb recorded it: `data` of each event is an rrweb event")
}

/// Events of a session on the server that received it.
pub fn server_stream() -> StreamInfo {
    events(SERVER, "what happened to the session at its server: restarts, conversion of the video, silence")
}

/// Guided phases of the protocol. `start` and `end` have `name`, `kind` and the planned `seconds`. If the recording was
/// stopped during the phase, its `end` has `is_complete` false.
pub fn phase_stream() -> StreamInfo {
    events(PHASE, "guided phases of the protocol: `start` and `end` with the phase's `name` and `kind`")
}

/// Answers of the participant. Times in the data are those of the questionnaire's page.
pub fn questionnaire_stream() -> StreamInfo {
    events(
        QUESTIONNAIRE,
        "questionnaires: `started`, `item_shown`, `answer` with `item`, `answer`, `onset_ms` (when the item appeared), \
         `response_ms` (from then to the answer) and `changes` (earlier answers to it), `finished` with all answers; \
         `skipped` with `why`",
    )
}

/// Annotations by people who watched the session. No annotation is deleted. An event `removed` with the same `id`
/// withdraws it, and both stay in the file.
pub fn annotation_stream() -> StreamInfo {
    events(
        ANNOTATION,
        "annotations made while watching: `point` and `range` (until `until_ns`) with `id`, `label`, `author` and \
         `made_utc`; `removed` takes the one with its `id` back",
    )
}

/// The participant's own rating while watching the session again.
pub fn rating_stream() -> StreamInfo {
    let fields = vec![
        Field::new("valence", "1", "self-report: unpleasant −1 … pleasant 1"),
        Field::new("arousal", "1", "self-report: calm −1 … excited 1"),
    ];
    samples(RATING, None, &program(), "self-report given continuously while the session was played again", fields)
}

/// What became of the video after the recording. The recorded streams were read from the pictures before.
pub fn compaction_stream() -> StreamInfo {
    events(
        COMPACTION,
        "the video was compressed again after the recording: `compacted` with the format, the encoder and its settings, the bytes \
         before and after, and the quality of the pictures (PSNR and SSIM of luma)",
    )
}

/// The stream for frames that the live worker skipped: `affect_later` for `affect`. `info` describes a stream of the networks and
/// names the network that scores now.
pub fn later(info: StreamInfo) -> StreamInfo {
    StreamInfo {
        name: built_in(&format!("{}_later", info.name)),
        description: format!(
            "{}; frames skipped while recording, scored afterwards from the stored video",
            info.description
        ),
        ..info
    }
}

/// `pulse_2` for `pulse`: a stream that is computed again beside the first one.
pub fn numbered(info: StreamInfo, number: u32) -> StreamInfo {
    StreamInfo { name: built_in(&format!("{}_{number}", info.name)), ..info }
}

/// The stream for all frames scored again with another network: `affect_<model>` for `affect`. `info` describes
/// a stream of the networks. `model` is the network's folder. Its letters become lower case; characters other than
/// letters and digits become `_`.
pub fn rescored(info: StreamInfo, model: &str) -> StreamInfo {
    let kept = model.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' });
    let name: String = format!("{}_", info.name).chars().chain(kept).take(32).collect();
    StreamInfo {
        name: built_in(&name),
        description: format!(
            "{}; all frames scored again from the stored video with the network `{model}`",
            info.description
        ),
        ..info
    }
}

/// Prefix of the names of imported streams.
pub const IMPORTED: &str = "import_";

/// Events of another program, converted to the session clock: `import_<name>`. Letters of `name` become lower case;
/// characters other than letters and digits become `_`.
pub fn imported_stream(name: &str) -> StreamInfo {
    let kept = name.chars().map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' });
    let kept: String = IMPORTED.chars().chain(kept).take(32).collect();
    events(&kept, &format!("events of `{name}`, recorded by another program and laid onto the session's clock"))
}

/// Whether a gap states again what a gap of `affect` states. Some clients repeat the gaps of `affect` in the other streams of
/// the same frames.
pub fn is_repeated_gap(stream: &str, reason: GapReason) -> bool {
    [FACE, LANDMARKS, ACTION, EYES].contains(&stream) && !reason.is_loss()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptions_agree_with_the_field_constants() {
        let affect = affect_stream(30.0, "m");
        assert_eq!(affect.fields.len(), affect::FIELDS);
        assert_eq!(affect.field_index("arousal_sd"), Some(affect::AROUSAL_SD));
        assert_eq!(affect.field_index("neutral"), Some(affect::EXPRESSION_0));
        let face = face_stream(30.0, "m");
        assert_eq!(face.fields.len(), face::FIELDS);
        assert_eq!(face.field_index("inference"), Some(face::INFERENCE_MS));
        assert_eq!(face.field_index("inter_ocular"), Some(face::INTER_OCULAR));
        assert_eq!(landmarks_stream(30.0, "m").fields.len(), 136);
        assert_eq!(
            action_stream(30.0, "m").field_index("au12"),
            FACE_ACTIONS.iter().position(|a| a.arkit == "mouthSmile")
        );
        let eyes = eyes_stream(30.0, "m");
        assert_eq!((eyes.fields.len(), eyes.field_index("camera_pitch")), (eyes::FIELDS, Some(eyes::CAMERA_PITCH)));
        assert_eq!(eyes.field_index("gaze_yaw"), Some(eyes::GAZE_YAW));
        let skin = skin_stream(30.0, "m");
        assert_eq!(skin.fields.len(), skin::FIELDS);
        let second = skin::PATCH_FIELDS + skin::CLIPPED;
        assert_eq!(skin.field_index("cheek_left_clipped"), Some(second));
        assert_eq!(skin.field_index("background_r"), Some(skin::BACKGROUND * skin::PATCH_FIELDS));
        assert_eq!(skin.field_index("mouth_openness"), Some(skin::MOUTH_OPENNESS));
        let pulse = pulse_stream("m");
        assert_eq!((pulse.fields.len(), pulse.field_index("quality")), (pulse::FIELDS, Some(pulse::QUALITY)));
        let remote = [video_frame_stream(), replay_stream(), server_stream()];
        let local = [page_stream(), marker_stream(), health_stream(), page_clock_stream(), video_stream("c")];
        for s in local.into_iter().chain(remote) {
            assert!(!s.description.is_empty());
        }
        assert_eq!(rating_stream().fields.len(), rating::FIELDS);
        for s in [annotation_stream(), phase_stream(), questionnaire_stream(), rating_stream()] {
            assert!(!s.description.is_empty());
        }
    }

    #[test]
    fn clients_repeat_what_the_networks_did_not_see_but_no_loss() {
        assert!(is_repeated_gap(FACE, GapReason::NoFace) && is_repeated_gap(LANDMARKS, GapReason::Skipped));
        assert!(!is_repeated_gap(AFFECT, GapReason::NoFace) && !is_repeated_gap(FACE, GapReason::QueueFull));
    }

    #[test]
    fn streams_added_later_have_names_of_their_own() {
        let made = [affect_stream(30.0, "m"), face_stream(30.0, "m"), landmarks_stream(30.0, "m")].map(later);
        assert_eq!(made.map(|s| s.name.to_string()), [AFFECT_LATER, FACE_LATER, LANDMARKS_LATER]);
        let name = |model| rescored(landmarks_stream(30.0, "m"), model).name.to_string();
        assert_eq!(name("Our-Net 2"), "landmarks_our_net_2");
        assert_eq!(name("ein Netz mit einem sehr langen Namen"), "landmarks_ein_netz_mit_einem_seh");
        assert_eq!(name("сеть"), "landmarks_____");
        assert_eq!(imported_stream("Biopac.csv").name.as_str(), "import_biopac_csv");
        assert_eq!(imported_stream("").name.as_str(), "import_");
    }
}
