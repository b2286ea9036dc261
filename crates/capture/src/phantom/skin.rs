//! The phantom's surface at a position: skin, lips, eyes, brows, hair and cloth as formulas of the
//! head's own coordinates (see `geometry`), so that every edge is smooth at every picture size.

use super::grain::Grain;
use super::math::{Vec3, bell, mix, mix3, smooth};
use super::raster::Hit;
use super::script::PhantomState;

/// The surface at one pixel, before light falls on it. Colours are linear, 0 … 1.
#[derive(Clone, Copy, Debug)]
pub struct Surface {
    pub colour: Vec3,
    /// Added to the normal, in head axes, for relief finer than the mesh.
    pub tilt: [f32; 2],
    pub gloss: f32,
    /// Share of the surroundings' light that reaches it.
    pub openness: f32,
    /// How much of the light goes into the surface and comes out elsewhere, reddened; 1 where the pulse shows.
    pub skin: f32,
    /// Light of its own: the highlight of the wet eye.
    pub glint: f32,
}

const SKIN: Vec3 = [0.66, 0.375, 0.255];
const LIPS: Vec3 = [0.47, 0.155, 0.13];
const HAIR: Vec3 = [0.075, 0.042, 0.026];
const BROW: Vec3 = [0.085, 0.05, 0.033];
const CLOTH: Vec3 = [0.075, 0.155, 0.19];

const EYE_X: f32 = 3.15;
const EYE_HALF_WIDTH: f32 = 1.5;
const MOUTH_Y: f32 = -7.2;

/// One frame's expression in cm, and how wide an edge must be to look smooth.
pub struct Look {
    edge: f32,
    smile: f32,
    brow_raise: f32,
    brow_lower: f32,
    blink: f32,
    upper_lid: f32,
    lower_lid: f32,
    gaze: [f32; 2],
    mouth_half_width: f32,
    mouth_middle_y: f32,
    mouth_corner_y: f32,
    upper_gap: f32,
    lower_gap: f32,
    upper_lip: f32,
    lower_lip: f32,
}

impl Look {
    /// `pixel_cm`: the size of a pixel at the face.
    pub fn new(state: &PhantomState, pixel_cm: f32) -> Look {
        let f = |x: f64| x as f32;
        let (smile, open, frown) = (f(state.smile), f(state.mouth_open), f(state.mouth_frown));
        let wide = f(state.eye_wide);
        let eyeball_cm = 1.2;
        Look {
            edge: (0.75 * pixel_cm).clamp(0.03, 0.4),
            smile,
            brow_raise: f(state.brow_raise),
            brow_lower: f(state.brow_lower),
            blink: f(state.blink),
            upper_lid: 0.49 + 0.2 * wide
                - 0.09 * smile
                - 0.12 * f(state.brow_lower)
                - 0.02 * f(state.gaze_pitch_deg).max(0.0),
            lower_lid: 0.4 + 0.08 * wide - 0.19 * smile - 0.1 * f(state.brow_lower),
            gaze: [
                eyeball_cm * f(state.gaze_yaw_deg).to_radians().sin(),
                -eyeball_cm * f(state.gaze_pitch_deg).to_radians().sin(),
            ],
            mouth_half_width: 2.5 + 1.1 * smile - 0.45 * open - 0.05 * frown,
            mouth_middle_y: MOUTH_Y - 0.1 * smile + 0.14 * frown,
            mouth_corner_y: MOUTH_Y + 0.02 + 1.0 * smile - 0.8 * frown - 0.35 * open,
            upper_gap: 0.26 * smile + 0.12 * open,
            lower_gap: 0.86 * smile + 1.75 * open,
            upper_lip: 0.66 - 0.22 * smile - 0.14 * frown + 0.05 * open,
            lower_lip: 0.92 - 0.24 * smile - 0.12 * frown,
        }
    }

    /// A place on the head: hair, or skin with all that is drawn on it.
    pub fn head(&self, hit: &Hit, grain: &Grain) -> Surface {
        let (p, above_line) = (hit.local, hit.above_line);
        let hair = if above_line.abs() < 0.8 {
            let wisp = grain.at(p[0] * 2.6 + p[2] * 1.7, p[1] * 0.8);
            smooth(-0.3, 0.35, above_line + 0.4 * wisp)
        } else {
            above_line.signum().max(0.0)
        };
        if hair >= 1.0 {
            return hair_surface(p, hit.openness, grain);
        }
        let mut s = bare_skin(hit, grain);
        let ax = p[0].abs();
        if p[2] > 3.0 && ax < 5.5 && above_line < 0.5 {
            if p[1] < -3.6 {
                self.add_folds(&mut s, p);
                self.add_nostrils(&mut s, p);
                if p[1] < -4.8 && ax < 4.2 {
                    self.add_mouth(&mut s, p, grain);
                }
            } else if p[1] > 0.2 {
                self.add_brow_folds(&mut s, p);
                self.add_brow(&mut s, p, grain);
            }
            if p[1].abs() < 1.8 {
                self.add_eye(&mut s, p);
            }
        }
        if hair > 0.0 {
            let over = hair_surface(p, hit.openness, grain);
            s = Surface {
                colour: mix3(s.colour, over.colour, hair),
                tilt: over.tilt.map(|t| t * hair),
                gloss: mix(s.gloss, over.gloss, hair),
                skin: s.skin * (1.0 - hair),
                ..s
            };
        }
        s
    }

    /// Creases that come with an expression.
    fn add_folds(&self, s: &mut Surface, p: Vec3) {
        let [x, y, _] = p;
        // From the nose's wing to beside the mouth's corner, bowed outwards.
        let (top, bottom) = (-4.5, self.mouth_corner_y - 0.3);
        if y < top + 0.6 && y > bottom - 0.6 {
            let down = ((top - y) / (top - bottom)).clamp(0.0, 1.0);
            let off = x.abs() - (1.95 + (self.mouth_half_width - 1.15) * down + 0.3 * down * (1.0 - down));
            if off.abs() > 1.2 {
                return;
            }
            let ends = smooth(bottom - 0.6, bottom + 0.8, y) * smooth(top + 0.6, top - 0.3, y);
            let depth = (0.13 + 0.5 * self.smile) * ends;
            s.openness *= 1.0 - depth * bell(off, 0.34);
            s.tilt[0] -= x.signum() * 0.9 * depth * bell(off - 0.3, 0.35);
            s.tilt[0] += x.signum() * 0.7 * depth * bell(off + 0.25, 0.3);
        }
    }

    /// Upright lines between lowered brows, level ones above raised brows.
    fn add_brow_folds(&self, s: &mut Surface, p: Vec3) {
        let (ax, y) = (p[0].abs(), p[1]);
        if self.brow_lower > 0.0 {
            s.openness *= 1.0 - 0.6 * self.brow_lower * bell(ax - 0.5, 0.13) * bell(y - 1.7, 0.8);
        }
        if self.brow_raise > 0.0 {
            let lines = self.brow_raise * smooth(3.4, 4.2, y) * smooth(6.6, 5.4, y) * smooth(4.5, 2.5, ax);
            s.tilt[1] += 0.2 * lines * (y * 6.5 + 0.25 * (ax * 1.1).cos()).sin();
        }
    }

    fn add_nostrils(&self, s: &mut Surface, p: Vec3) {
        let [x, y, _] = p;
        if !(-5.9..=-3.6).contains(&y) {
            return;
        }
        let off = [(x.abs() - 0.68) / 0.42, (y + 5.02 - 0.12 * x.abs()) / 0.2];
        let inside = smooth(1.25, 0.45, off[0] * off[0] + off[1] * off[1]);
        s.colour = mix3(s.colour, [0.045, 0.016, 0.012], 0.88 * inside);
        s.gloss *= 1.0 - inside;
        // The groove round the wing.
        let (dx, dy) = (x.abs() - 1.0, y + 4.5);
        let ring = bell((dx * dx + dy * dy * 1.2).sqrt() - 0.95, 0.17) * smooth(0.2, 0.7, dx);
        s.openness *= 1.0 - 0.4 * ring;
    }

    fn add_mouth(&self, s: &mut Surface, p: Vec3, grain: &Grain) {
        let [x, y, _] = p;
        let u = x / self.mouth_half_width;
        let shut = (1.0 - u * u).max(0.0);
        let round = shut.sqrt();
        let line = self.mouth_middle_y + (self.mouth_corner_y - self.mouth_middle_y) * (u * u).min(1.3);
        // Dimples where the lips end.
        let corner = bell(x.abs() - self.mouth_half_width, 0.24) * bell(y - self.mouth_corner_y, 0.2);
        s.openness *= 1.0 - (0.42 + 0.2 * self.smile) * corner;
        if u.abs() > 1.0 {
            return;
        }
        let upper_inner = line + self.upper_gap * shut;
        let lower_inner = line - self.lower_gap * round;
        let bow = 0.16 * bell(x, 0.34) - 0.05 * bell(x.abs() - 0.62, 0.35);
        let upper_outer = upper_inner + (self.upper_lip * (0.35 * round + 0.65 * shut) - bow * round).max(0.0);
        let lower_outer = lower_inner - self.lower_lip * (0.4 * round + 0.6 * shut);
        let soft = self.edge + 0.06;
        let lips = smooth(-soft, soft, upper_outer - y) * smooth(-soft, soft, y - lower_outer);
        // The groove from nose to lip, and the shade below the lower lip.
        let philtrum = bell(x, 0.28) * smooth(upper_outer - 0.1, upper_outer + 0.2, y) * smooth(-5.2, -5.8, y);
        s.openness *= 1.0 - 0.13 * philtrum;
        s.openness *= 1.0 - 0.25 * bell(y - lower_outer + 0.22, 0.22) * round;
        if lips > 0.0 {
            let is_upper = y > 0.5 * (upper_inner + lower_inner);
            let crack = grain.at(x * 7.0, y * 1.5);
            let tone = (if is_upper { 0.82 } else { 1.0 }) * (1.0 + 0.07 * crack);
            s.colour = mix3(s.colour, LIPS.map(|c| c * tone), 0.86 * lips);
            // Across a lip its normal turns from the mouth's opening to the skin around.
            let across = if is_upper {
                (y - upper_inner) / (upper_outer - upper_inner).max(0.1)
            } else {
                (lower_inner - y) / (lower_inner - lower_outer).max(0.1)
            };
            let bulge = across.clamp(0.0, 1.0) * 2.0 - 1.0;
            s.tilt[1] += lips * if is_upper { 0.1 + 0.3 * bulge } else { 0.1 - 0.42 * bulge };
            s.gloss = mix(s.gloss, 1.5, 0.8 * lips);
        }
        let seam =
            bell(y - line, 0.075 + 0.5 * self.edge) * (1.0 - smooth(0.1, 0.4, self.upper_gap + self.lower_gap) * shut);
        s.colour = mix3(s.colour, [0.10, 0.025, 0.02], 0.8 * seam * smooth(1.0, 0.9, u.abs()));
        let gap = smooth(-self.edge, self.edge, upper_inner - y) * smooth(-self.edge, self.edge, y - lower_inner);
        if self.lower_gap > 0.02 && gap > 0.0 {
            let deep = upper_inner - y;
            let mut inside: Vec3 = [0.075, 0.018, 0.016];
            // The tongue lies in front of the lower teeth's place.
            let tongue =
                smooth(0.55, 0.1, (y - lower_inner) / self.lower_gap.max(0.2)) * smooth(0.8, 1.5, self.lower_gap);
            inside = mix3(inside, [0.22, 0.06, 0.055], tongue * shut);
            let gum_line = 0.66 + 0.05 * (x * 4.2).cos().abs();
            let teeth = smooth(gum_line + self.edge, gum_line - self.edge, deep) * smooth(0.97, 0.8, u.abs());
            let between =
                1.0 - 0.22 * bell((x * 1.25 + 0.5).rem_euclid(1.0) - 0.5, 0.09) * smooth(0.2, 0.5, deep + 0.3);
            let ivory = [0.92, 0.84, 0.72].map(|c| c * between * (1.0 - 0.5 * u * u));
            inside = mix3(inside, ivory, teeth);
            // The upper lip's shadow.
            let shadow = 0.65 + 0.35 * smooth(0.0, 0.3, deep);
            s.colour = mix3(s.colour, inside.map(|c| c * shadow), gap);
            s.skin *= 1.0 - gap;
            s.gloss = mix(s.gloss, 0.5 * teeth, gap);
            s.openness = mix(s.openness, 0.8, gap);
            s.tilt = s.tilt.map(|t| t * (1.0 - gap));
        }
    }

    fn add_eye(&self, s: &mut Surface, p: Vec3) {
        let side = p[0].signum();
        // From the nose's side outwards, in half widths.
        let out = p[0].abs() - EYE_X;
        let e = out / EYE_HALF_WIDTH;
        if e.abs() > 1.7 {
            return;
        }
        let y = p[1] - 0.07 * e;
        let arch = (1.0 - e * e).max(0.0);
        let bow = arch * (1.0 - 0.14 * e) * (1.0 + 0.22 * e * e);
        let open_edge = self.upper_lid * bow;
        let lower_edge = -self.lower_lid * arch * (1.0 + 0.12 * e);
        let upper_edge = mix(open_edge, lower_edge + 0.03, self.blink);
        // Lids lie on the ball.
        let ball = bell(e, 0.85) * bell(y, 0.62);
        s.tilt[0] += side * 0.42 * e * ball;
        s.tilt[1] += 0.42 * y * ball;
        let crease = bell(y - (self.upper_lid * bow + 0.3 + 0.06 * self.brow_raise), 0.12)
            * smooth(1.25, 0.75, e.abs())
            * (1.0 - 0.65 * self.blink);
        s.openness *= 1.0 - 0.42 * crease;
        let bag = bell(y - (lower_edge - 0.42), 0.14) * smooth(1.2, 0.5, e.abs());
        s.openness *= 1.0 - (0.1 + 0.18 * self.smile) * bag;
        let ball_share = smooth(-self.edge, self.edge, upper_edge - y)
            * smooth(-self.edge, self.edge, y - lower_edge)
            * smooth(1.0, 0.97, e.abs());
        if ball_share > 0.0 {
            self.paint_ball(s, out, side, y, e, upper_edge, ball_share);
        }
        let lash = bell(y - upper_edge - 0.03, 0.075 + 0.03 * e + 0.35 * self.edge) * smooth(1.1, 0.93, e.abs());
        s.colour = mix3(s.colour, [0.022, 0.015, 0.012], 0.85 * lash);
        let corner = bell(e - 1.02, 0.09) * bell(y - 0.03, 0.1);
        let lower_lash =
            bell(y - lower_edge + 0.03, 0.06 + 0.3 * self.edge) * smooth(1.05, 0.8, e.abs()) * smooth(-1.0, 0.6, e);
        s.colour = mix3(s.colour, [0.05, 0.03, 0.025], (0.4 * lower_lash + 0.5 * corner).min(1.0));
        s.gloss *= 1.0 - lash;
    }

    #[allow(clippy::too_many_arguments)] // the eye's coordinates, each used once
    fn paint_ball(&self, s: &mut Surface, out: f32, side: f32, y: f32, e: f32, upper_edge: f32, share: f32) {
        let x = out * side;
        let (dx, dy) = (x - self.gaze[0], y - 0.02 - self.gaze[1]);
        let r = (dx * dx + dy * dy).sqrt();
        let mut colour: Vec3 = [0.66, 0.62, 0.59];
        colour = mix3(colour, [0.55, 0.25, 0.2], 0.8 * bell(e + 0.98, 0.14));
        let veins = 1.0 - 0.3 * e * e;
        colour = colour.map(|c| c * veins);
        let iris = smooth(0.6 + self.edge, 0.6 - self.edge, r);
        let rays = 0.85 + 0.3 * (dy.atan2(dx) * 9.0).sin().abs();
        let mut iris_colour = mix3([0.14, 0.085, 0.04], [0.065, 0.056, 0.045], smooth(0.28, 0.58, r)).map(|c| c * rays);
        // Brighter opposite the light, dark at the rim.
        let scatter = 1.0 + 0.7 * smooth(-0.2, 0.5, dx * 0.5 - dy);
        let rim = 1.0 - 0.75 * smooth(0.46, 0.6, r);
        iris_colour = iris_colour.map(|c| c * scatter * rim);
        let pupil = smooth(0.24 + self.edge, 0.24 - self.edge, r);
        iris_colour = mix3(iris_colour, [0.008, 0.007, 0.007], pupil);
        colour = mix3(colour, iris_colour, iris);
        // The upper lid's shadow on the ball.
        let shadow = 0.5 + 0.5 * smooth(0.0, 0.34, upper_edge - y);
        colour = colour.map(|c| c * shadow);
        s.colour = mix3(s.colour, colour, share);
        s.skin *= 1.0 - share;
        s.gloss = mix(s.gloss, 0.25, share);
        s.openness = mix(s.openness, 0.95, share);
        let (gx, gy) = (dx + 0.2, dy - 0.22);
        s.glint += share * 0.85 * smooth(0.13 + self.edge, 0.13 - self.edge, (gx * gx + gy * gy).sqrt());
        let (gx, gy) = (dx - 0.25, dy + 0.2);
        s.glint += share * 0.1 * smooth(0.12 + self.edge, 0.12 - self.edge, (gx * gx + gy * gy).sqrt());
    }

    fn add_brow(&self, s: &mut Surface, p: Vec3, grain: &Grain) {
        let (ax, y) = (p[0].abs(), p[1]);
        let inner = 1.25 - 0.3 * self.brow_lower;
        // 0 at the nose's side, 1 at the temple.
        let along = (ax - inner) / (5.0 - inner);
        if y > 4.5 || !(-0.15..=1.15).contains(&along) {
            return;
        }
        let arch = 1.75 + 0.42 * smooth(0.0, 0.7, along) - 0.5 * smooth(0.62, 1.05, along);
        let lift = self.brow_raise * (0.8 - 0.1 * along) - self.brow_lower * (1.0 - 0.85 * smooth(0.1, 0.9, along));
        let half = mix(0.36, 0.14, smooth(0.25, 1.0, along)) * smooth(-0.12, 0.1, along);
        let hairs = grain.at(ax * 5.5 - y * 2.5, y * 3.0 - ax * 1.0);
        let off = (y - arch - lift) / (half + 0.1);
        let cover =
            smooth(1.15, 0.35, off.abs() - 0.18 * hairs) * smooth(1.12, 0.9, along) * smooth(-0.13, 0.06, along);
        s.colour = mix3(s.colour, BROW, 0.8 * cover * (0.9 + 0.12 * hairs).min(1.0));
        s.skin *= 1.0 - 0.8 * cover;
        s.gloss *= 1.0 - 0.8 * cover;
    }
}

/// Skin of no particular place, an ear's or the neck's.
pub fn bare_skin(hit: &Hit, grain: &Grain) -> Surface {
    let [x, y, z] = hit.local;
    let blotch = grain.at(x * 1.7, y * 1.7 + z);
    let pore = grain.rough(x * 11.0, y * 11.0 + z * 5.0);
    let shade = 1.0 + 0.04 * blotch + 0.025 * pore;
    Surface {
        colour: [SKIN[0] * hit.tint[0] * shade, SKIN[1] * hit.tint[1] * shade, SKIN[2] * hit.tint[2] * shade],
        tilt: [0.035 * pore, 0.02 * blotch],
        gloss: hit.gloss + 0.1 * pore,
        openness: hit.openness,
        skin: 1.0,
        glint: 0.0,
    }
}

fn hair_surface(p: Vec3, openness: f32, grain: &Grain) -> Surface {
    let [x, y, z] = p;
    // Strands run from the crown forwards and down: fine across, slow along.
    let across = x.atan2(y - 1.0 + 0.3 * z) * 14.0;
    let strand = 0.6 * grain.at(across * 2.2, z * 0.5 + y * 0.3) + 0.4 * grain.at(across * 5.0 + 7.0, z * 0.9);
    let lock = grain.at(across * 0.6 + 3.0, z * 0.25 + 5.0);
    let tone = 1.0 + 0.4 * strand + 0.25 * lock;
    Surface {
        colour: HAIR.map(|c| c * tone),
        tilt: [0.22 * strand, 0.12 * lock],
        gloss: 0.75 + 0.45 * strand,
        openness: openness * (0.85 + 0.15 * strand),
        skin: 0.0,
        glint: 0.0,
    }
}

/// The neck, where `cover` of the cloth is on it.
pub fn neck(hit: &Hit, cover: f32, grain: &Grain) -> Surface {
    let s = bare_skin(hit, grain);
    if cover <= 0.0 {
        return s;
    }
    let bare = 1.0 - cover;
    Surface { colour: mix3(s.colour, CLOTH, cover), gloss: s.gloss * bare, skin: bare, ..s }
}

/// A knitted collar and what hangs from it; `below_line` is how far below the collar's edge. Matt: its colour is all.
pub fn cloth(p: Vec3, below_line: f32, grain: &Grain) -> Vec3 {
    let knit = grain.rough(p[0] * 9.0, p[1] * 9.0) * 0.35 + grain.at(p[0] * 1.3, p[1] * 1.3) * 0.5;
    let rib = bell(below_line - 0.55, 0.5);
    let shade = 1.0 + 0.12 * knit - 0.12 * rib;
    [CLOTH[0] * shade, CLOTH[1] * shade, CLOTH[2] * shade]
}
