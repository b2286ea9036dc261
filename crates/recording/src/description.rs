//! Header and streams of a new session, for live recordings and for video imports.

use chrono::{DateTime, Utc};

use super::SessionPlan;
use capture::CameraInfo;
use session::{CameraSettings, StreamInfo, program};
use store::{CameraDescription, ModelDescription, SessionHeader};
use vision::{ModelCard, Models};

pub(super) struct Description<'a> {
    /// The camera as the operator chose it.
    pub spec: String,
    pub settings: &'a CameraSettings,
    /// `None`: the study records no camera.
    pub camera: Option<&'a CameraInfo>,
    /// `None` if the networks did not load and the operator recorded anyway.
    pub models: Option<&'a Models>,
    pub zero_utc: DateTime<Utc>,
}

impl Description<'_> {
    pub(super) fn header(self, session: &SessionPlan) -> SessionHeader {
        let models = self.models.map(Models::cards).unwrap_or_default();
        SessionHeader {
            participant: session.participant.clone(),
            session: session.session,
            study: session.study.clone(),
            zero_utc: self.zero_utc,
            software: program(),
            revision: session.revision.clone(),
            host: format!("{} {}", std::env::consts::OS, std::env::consts::ARCH),
            camera: match self.camera {
                Some(camera) => described(camera, self.spec, self.settings),
                None => CameraDescription::none(self.settings.clone()),
            },
            models: models
                .iter()
                .map(|card| ModelDescription {
                    name: card.name.clone(),
                    version: card.version.clone(),
                    sha256: card.sha256.clone(),
                    ..ModelDescription::default()
                })
                .collect(),
            pilot: session.pilot,
            consent: session.consent.clone(),
            condition: session.condition.as_ref().map(|c| c.name.clone()),
            condition_assigned: session.condition.as_ref().and_then(|c| c.assigned.clone()),
            overridden_checks: session.overridden_checks.clone(),
        }
    }
}

fn described(camera: &CameraInfo, spec: String, settings: &CameraSettings) -> CameraDescription {
    CameraDescription {
        spec,
        name: camera.name.clone(),
        backend: format!("{:?}", camera.kind).to_lowercase(),
        format: camera.mode.format.to_string(),
        width_px: camera.mode.width_px,
        height_px: camera.mode.height_px,
        rate_hz: camera.mode.rate_hz,
        settings: settings.clone(),
    }
}

/// All streams of a live session. Without networks, the networks' streams stay empty and their description says so. Without a
/// camera there are none of them.
pub(super) fn live_streams(camera: Option<&CameraInfo>, models: Option<&Models>) -> Vec<StreamInfo> {
    let mut streams = camera.map_or_else(|| vec![session::health_stream()], |camera| import_streams(camera, models));
    streams.extend([
        session::page_stream(),
        session::page_clock_stream(),
        session::marker_stream(),
        session::phase_stream(),
        session::questionnaire_stream(),
    ]);
    streams
}

/// The streams of a session that is made from a video file. It has no actions of a participant.
pub(super) fn import_streams(camera: &CameraInfo, models: Option<&Models>) -> Vec<StreamInfo> {
    let networks = vision_streams(camera.mode.rate_hz, models);
    let video = session::video_stream(&format!("{}, {}", camera.name, camera.mode));
    let skin = session::skin_stream(camera.mode.rate_hz, &networks.landmarks.software);
    let mut streams = vec![video];
    streams.extend(networks.all());
    streams.extend([skin, session::health_stream()]);
    streams
}

/// The streams that the networks fill.
pub(super) struct VisionStreamInfos {
    affect: StreamInfo,
    face: StreamInfo,
    landmarks: StreamInfo,
    action: StreamInfo,
    eyes: StreamInfo,
    blink: StreamInfo,
}

impl VisionStreamInfos {
    /// In the order of [`vision::VISION_STREAMS`], then [`vision::VISION_EVENTS`].
    pub(super) fn all(self) -> [StreamInfo; 6] {
        [self.affect, self.face, self.landmarks, self.action, self.eyes, self.blink]
    }
}

pub(super) fn vision_streams(rate_hz: f64, models: Option<&Models>) -> VisionStreamInfos {
    let card = |of: fn(&Models) -> Option<&ModelCard>| match models {
        None => "no network was loaded".to_owned(),
        Some(models) => of(models).map_or("no such network is installed".to_owned(), ModelCard::software),
    };
    let detector = card(|models| Some(models.detector.network().card()));
    let landmarks = card(|models| Some(models.landmarks.network().card()));
    let affect = card(|models| Some(models.face.affect.network().card()));
    let actions = card(|models| models.face.actions_card());
    VisionStreamInfos {
        affect: session::affect_stream(rate_hz, &affect),
        face: session::face_stream(rate_hz, &format!("{detector}; {landmarks}")),
        landmarks: session::landmarks_stream(rate_hz, &landmarks),
        action: session::action_stream(rate_hz, &actions),
        eyes: session::eyes_stream(rate_hz, &actions),
        blink: session::blink_stream(&actions),
    }
}
