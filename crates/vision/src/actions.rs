//! Facial actions, closure and gaze of the eyes, and head pose of one aligned face.
//!
//! Outputs are found by name and actions by label, so that a laboratory can add a network with fewer outputs. Values that a
//! network does not compute are NaN, never 0.

use super::aligned_face::AlignedFaceNetwork;
use super::geometry::{Affine, LANDMARKS, Point};
use super::landmarks::Pose;
use super::model::{ModelKind, Network};
use super::picture::Picture;
use super::{Runtime, VisionError};
use session::{FACE_ACTIONS, eyes};

/// From this closure on an eye shows no gaze. The network was trained without gaze for such eyes.
const CLOSED: f32 = 0.6;

/// Raw network output, neither smoothed nor clipped. NaN: the network does not compute the value. Left and right are those of
/// the picture.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FaceActions {
    /// Intensities, 0 … 1, in the order of [`FACE_ACTIONS`].
    pub actions: [f32; FACE_ACTIONS.len()],
    /// 0 open … 1 closed.
    pub closure: [f32; 2],
    /// Gaze of each eye, relative to the head.
    pub gaze: [Gaze; 2],
    /// Of the head, relative to the camera.
    pub pose: Pose,
}

/// A direction of gaze. Straight ahead is 0, 0.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Gaze {
    /// Positive: towards image-right.
    pub yaw_deg: f32,
    /// Positive: down.
    pub pitch_deg: f32,
}

#[derive(Debug)]
pub struct ActionsReader {
    face: AlignedFaceNetwork,
    actions: usize,
    /// For each value of the output `actions`, its index in [`FACE_ACTIONS`].
    action_indexes: Vec<usize>,
    closure: Option<usize>,
    gaze: Option<usize>,
    pose: Option<usize>,
}

impl ActionsReader {
    pub fn load(runtime: &Runtime, folder: &std::path::Path) -> Result<ActionsReader, VisionError> {
        let face = AlignedFaceNetwork::load(runtime, folder, ModelKind::Actions)?;
        let network = face.network();
        // It runs beside the affect network, on the same decoded picture.
        network.require_grey()?;
        let actions = network.require_output("actions", &[Some(1), None])?;
        let action_indexes = network.label_indexes(actions, &FACE_ACTIONS.map(|action| action.name))?;
        let optional = |name: &str, length: i64| match network.output_index(name) {
            Some(_) => network.require_output(name, &[Some(1), Some(length)]).map(Some),
            None => Ok(None),
        };
        let (closure, gaze, pose) = (optional("closure", 2)?, optional("gaze", 4)?, optional("pose", 3)?);
        Ok(ActionsReader { face, actions, action_indexes, closure, gaze, pose })
    }

    pub fn network(&self) -> &Network {
        self.face.network()
    }

    /// Reads the face with these 68 points. `None` if both eyes are in one place.
    pub fn read(&mut self, picture: Picture, points: &[Point; LANDMARKS]) -> Result<Option<FaceActions>, VisionError> {
        Ok(self.face.run(picture, points)?.map(|to_picture| self.outputs(&to_picture)))
    }

    fn outputs(&self, to_picture: &Affine) -> FaceActions {
        let network = self.network();
        let mut actions = [f32::NAN; FACE_ACTIONS.len()];
        for (index, value) in self.action_indexes.iter().zip(network.output(self.actions)) {
            actions[*index] = *value;
        }
        let value = |output: Option<usize>, k: usize| output.map_or(f32::NAN, |index| network.output(index)[k]);
        let gaze_of =
            |eye: usize| Gaze { yaw_deg: value(self.gaze, 2 * eye), pitch_deg: value(self.gaze, 2 * eye + 1) };
        // The input is turned so that the eyes are level.
        let turn_deg = to_picture.yx.atan2(to_picture.xx).to_degrees() as f32;
        FaceActions {
            actions,
            closure: [0, 1].map(|k| value(self.closure, k)),
            gaze: [0, 1].map(gaze_of),
            pose: Pose {
                yaw_deg: value(self.pose, 0),
                pitch_deg: value(self.pose, 1),
                roll_deg: value(self.pose, 2) + turn_deg,
            },
        }
    }
}

impl FaceActions {
    /// A sample of the stream `eyes`.
    pub fn eye_values(&self) -> [f32; eyes::FIELDS] {
        let seen = self.visible_gaze();
        let mut values = [f32::NAN; eyes::FIELDS];
        values[eyes::CLOSURE_LEFT..=eyes::CLOSURE_RIGHT].copy_from_slice(&self.closure);
        for (eye, first) in [eyes::GAZE_YAW_LEFT, eyes::GAZE_YAW_RIGHT].into_iter().enumerate() {
            if let Some(gaze) = seen[eye] {
                values[first] = gaze.yaw_deg;
                values[first + 1] = gaze.pitch_deg;
            }
        }
        if let Some(mean) = mean_of(&seen) {
            values[eyes::GAZE_YAW] = mean.yaw_deg;
            values[eyes::GAZE_PITCH] = mean.pitch_deg;
            let camera = mean.relative_to_camera(&self.pose);
            values[eyes::CAMERA_YAW] = camera.yaw_deg;
            values[eyes::CAMERA_PITCH] = camera.pitch_deg;
        }
        values
    }

    /// The gaze of each eye; `None` if the eye is closed.
    fn visible_gaze(&self) -> [Option<Gaze>; 2] {
        let is_open = |eye: usize| self.closure[eye].is_nan() || self.closure[eye] < CLOSED;
        [0, 1].map(|eye| Some(self.gaze[eye]).filter(|_| is_open(eye)))
    }
}

fn mean_of(seen: &[Option<Gaze>; 2]) -> Option<Gaze> {
    let open: Vec<Gaze> = seen.iter().flatten().copied().collect();
    let mean = |angle: fn(&Gaze) -> f32| open.iter().map(angle).sum::<f32>() / open.len() as f32;
    (!open.is_empty()).then(|| Gaze { yaw_deg: mean(|g| g.yaw_deg), pitch_deg: mean(|g| g.pitch_deg) })
}

impl Gaze {
    /// The same direction relative to the camera's axis: the head's rotation is applied to the direction in the head.
    pub fn relative_to_camera(&self, head: &Pose) -> Gaze {
        let [x, y, z] = in_camera(head, direction(*self));
        Gaze { yaw_deg: x.atan2(-z).to_degrees(), pitch_deg: y.clamp(-1.0, 1.0).asin().to_degrees() }
    }
}

/// A unit vector: x towards image-right, y down, z away from the camera. A face that looks at the camera looks along −z.
fn direction(gaze: Gaze) -> [f32; 3] {
    let (yaw, pitch) = (gaze.yaw_deg.to_radians(), gaze.pitch_deg.to_radians());
    [yaw.sin() * pitch.cos(), pitch.sin(), -yaw.cos() * pitch.cos()]
}

/// Rz(roll)·Ry(−yaw)·Rx(pitch), as in [`Pose`].
fn in_camera(head: &Pose, [x, y, z]: [f32; 3]) -> [f32; 3] {
    let rotate = |angle_deg: f32, a: f32, b: f32| {
        let (sin, cos) = angle_deg.to_radians().sin_cos();
        (cos * a - sin * b, sin * a + cos * b)
    };
    let (y, z) = rotate(head.pitch_deg, y, z);
    let (z, x) = rotate(-head.yaw_deg, z, x);
    let (x, y) = rotate(head.roll_deg, x, y);
    [x, y, z]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::ModelCard;
    use proptest::prelude::*;

    fn head(yaw_deg: f32, pitch_deg: f32, roll_deg: f32) -> Pose {
        Pose { yaw_deg, pitch_deg, roll_deg }
    }

    fn face(closure: [f32; 2]) -> FaceActions {
        let gaze = [Gaze { yaw_deg: 10.0, pitch_deg: 4.0 }, Gaze { yaw_deg: 6.0, pitch_deg: 2.0 }];
        FaceActions { actions: [0.0; FACE_ACTIONS.len()], closure, gaze, pose: head(5.0, 0.0, 0.0) }
    }

    /// The fields of the stream `action` are a file format. Two of them have no values: see the network's card.
    #[test]
    fn the_shipped_network_reports_all_actions_but_two_that_it_did_not_learn() {
        let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../models/actions");
        let card = ModelCard::read(&folder).unwrap();
        let labels = card.output("actions").unwrap().labels.clone().unwrap();
        let learnt = FACE_ACTIONS.iter().filter(|action| !["au06", "au09"].contains(&action.name));
        assert_eq!(labels, learnt.map(|action| action.name).collect::<Vec<_>>());
    }

    #[test]
    fn a_closed_eye_has_no_gaze() {
        let both = face([0.1, 0.2]).eye_values();
        assert_eq!([both[eyes::GAZE_YAW], both[eyes::GAZE_PITCH]], [8.0, 3.0]);
        assert!((both[eyes::CAMERA_YAW] - 13.0).abs() < 0.1 && both.iter().all(|v| v.is_finite()));
        let one = face([0.9, 0.2]).eye_values();
        assert!(one[eyes::GAZE_YAW_LEFT].is_nan() && one[eyes::GAZE_PITCH_LEFT].is_nan());
        assert_eq!([one[eyes::GAZE_YAW], one[eyes::GAZE_PITCH]], [6.0, 2.0]);
        let none = face([0.9, 0.7]).eye_values();
        assert!(none[eyes::GAZE_YAW_LEFT..].iter().all(|v| v.is_nan()));
        assert_eq!(none[..2], [0.9, 0.7]);
    }

    #[test]
    fn a_head_that_is_tilted_on_its_side_turns_yaw_into_pitch() {
        let seen = Gaze { yaw_deg: 20.0, pitch_deg: 0.0 }.relative_to_camera(&head(0.0, 0.0, 90.0));
        assert!(seen.yaw_deg.abs() < 1e-3 && (seen.pitch_deg - 20.0).abs() < 1e-3, "{seen:?}");
    }

    proptest! {
        #[test]
        fn straight_ahead_is_where_the_head_points(yaw in -80f32..80.0, pitch in -60f32..60.0) {
            let seen = Gaze { yaw_deg: 0.0, pitch_deg: 0.0 }.relative_to_camera(&head(yaw, pitch, 0.0));
            prop_assert!((seen.yaw_deg - yaw).abs() < 1e-2 && (seen.pitch_deg - pitch).abs() < 1e-2, "{:?}", seen);
        }

        #[test]
        fn gaze_of_an_upright_head_is_itself(yaw in -80f32..80.0, pitch in -60f32..60.0) {
            let seen = Gaze { yaw_deg: yaw, pitch_deg: pitch }.relative_to_camera(&head(0.0, 0.0, 0.0));
            prop_assert!((seen.yaw_deg - yaw).abs() < 1e-2 && (seen.pitch_deg - pitch).abs() < 1e-2, "{:?}", seen);
        }
    }
}
